// What the regrid kernels of one instruction set offer. Plain types only: this is included by the ISA files.
#pragma once
#include <cstdint>

namespace gppcore {

// Coarse cells are summed in strips of this many fine columns (or one cell, if that is wider): the rows of a strip and
// its running sums then stay in the first-level cache together.
constexpr int64_t kRegridStrip = 320;

// Doubles of scratch memory that aggregate_row, covariate_row and fit_rows need.
static constexpr int64_t regrid_work_size(int64_t factor) {
  return 5 * (factor > kRegridStrip ? factor : kRegridStrip);
}

// A coarse row interpolated along longitude: for each fine column, the sum of weight * value and of weight over
// the valid of the two nearest cells.
struct ExpandedRow {
  double *sum, *weight;
};

// One target cell along longitude takes `count` source columns from `first` on (modulo their number), with
// weight[offset] and following; `full` is its whole length.
struct ColumnWeights {
  const int64_t *first, *offset;
  const double *weight, *full;
};

template <class T>
struct RegridKernelsOf {
  // One coarse row out of the factor fine rows that begin at `fine`; `fraction` may be null.
  void (*aggregate_row)(const T* fine, int64_t n_lon, int64_t factor, const double* row_area, double min_valid,
                        T* coarse, T* fraction, double* work);
  // factor fine rows out of one coarse row; `work` holds one fine row.
  void (*replicate_row)(const T* coarse, int64_t n_lon, int64_t factor, T* fine, T* work, bool stream);
  // factor fine rows out of one coarse row and a covariate; false if the covariate is negative or infinite.
  bool (*covariate_row)(const T* coarse, int64_t n_lon, int64_t factor, const T* covariate, const double* row_area,
                        T* fine, double* work, bool stream);
  // distance[factor]: of the centres of fine cells from that of their coarse cell, in coarse cells.
  void (*expand_row)(const T* coarse, int64_t n_lon, int64_t factor, bool periodic, const double* distance,
                     ExpandedRow out);
  // factor fine rows of n_columns, between a coarse row and its two neighbours.
  void (*blend_rows)(ExpandedRow north, ExpandedRow here, ExpandedRow south, int64_t n_columns, int64_t factor,
                     const double* distance, T* fine, bool stream);
  // factor fine rows out of the factor rows of a surface: the surface is moved to the mean of its coarse cell, and
  // flattened towards it where it would fall below `low`. NaN where the coarse cell is.
  void (*fit_rows)(const double* surface, const T* coarse, const double* low, int64_t n_lon, int64_t factor,
                   const double* row_area, T* fine, double* work, bool stream);
  // One target row out of n_rows source rows of n_columns: weighted mean of what is valid, and its share of
  // row_full * the full length of a cell (`fraction` may be null). `work` holds 2 * (2 * n_columns + 1) doubles.
  void (*weigh_rows)(const T* source, int64_t n_columns, int64_t n_rows, const double* row_weight, double row_full,
                     ColumnWeights columns, int64_t n_target, double min_valid, T* mean, T* fraction, double* work);
};

// One row of a coarse grid in the search for the node values of a surface with given means. Rows of nodes have a
// further column at each end.
struct NodeRow {
  const double* stencil;  // [9][n_lon], weights of the 3 x 3 nodes around each cell, north-west first
  const double *north, *here, *south;
  const double* mean;
  double *step, *next;
};

struct RegridKernels {
  // step = keep * step + gain * (mean - stencil * nodes), next = here + step; returns the largest |difference|.
  double (*relax_row)(NodeRow row, int64_t n_lon, double keep, double gain);
  RegridKernelsOf<float> f32;
  RegridKernelsOf<double> f64;
};

}  // namespace gppcore
