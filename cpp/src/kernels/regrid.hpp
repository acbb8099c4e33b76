// What the regrid kernels of one instruction set offer. Plain types only: this is included by the ISA files.
#pragma once
#include <cstdint>

namespace gppcore {

// Coarse cells are taken in strips of this many fine columns (or one cell, if that is wider): the running
// sums then stay in the first-level cache.
constexpr int64_t kRegridStrip = 1024;

// Doubles of scratch memory that aggregate_row and covariate_row need.
static constexpr int64_t regrid_work_size(int64_t factor) {
  return 4 * (factor > kRegridStrip ? factor : kRegridStrip);
}

// Distance of the centre of fine cell j from the centre of its coarse cell, in coarse cells; exactly
// symmetric.
static constexpr double centre_distance(int64_t j, int64_t factor) {
  const int64_t d = 2 * j + 1 - factor;
  return static_cast<double>(d < 0 ? -d : d) / static_cast<double>(2 * factor);
}

template <class T>
struct RegridKernelsOf {
  // One coarse row out of the factor fine rows that begin at `fine`.
  void (*aggregate_row)(const T* fine, int64_t n_lon, int64_t factor, const double* row_area, double min_valid,
                        T* coarse, double* work);
  // factor fine rows out of one coarse row.
  void (*replicate_row)(const T* coarse, int64_t n_lon, int64_t factor, T* fine);
  // factor fine rows out of one coarse row and a covariate; false if the covariate is negative or infinite.
  bool (*covariate_row)(const T* coarse, int64_t n_lon, int64_t factor, const T* covariate, const double* row_area,
                        T* fine, double* work);
  // A coarse row interpolated along longitude: value times weight, and weight, for each fine column.
  void (*expand_row)(const T* coarse, int64_t n_lon, int64_t factor, bool periodic, double* sum, double* weight);
  // A fine row between two expanded rows, at the fraction f of the way from the first to the second.
  void (*blend_rows)(int64_t n, double f, const double* sum0, const double* weight0, const double* sum1,
                     const double* weight1, T* fine);
};

struct RegridKernels {
  RegridKernelsOf<float> f32;
  RegridKernelsOf<double> f64;
};

}  // namespace gppcore
