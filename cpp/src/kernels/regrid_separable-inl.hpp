// Regridding between any two rectilinear grids: weights of rows times weights of columns, one target row at a time.
#include "regrid.hpp"
#include "stream-inl.hpp"

namespace gppcore::GPPCORE_ISA::regrid {

template <class T>
void weigh_rows(const T* source, int64_t n_columns, int64_t n_rows, const double* row_weight, double row_full,
                ColumnWeights columns, int64_t n_target, double min_valid, T* mean, T* fraction, double* work) {
  // Shares are compared with min_valid and 1 as if weights that add up to the whole had no rounding errors.
  constexpr double kRounding = 1e-12;
  const int64_t width = 2 * n_columns + 1;
  double *sum = work, *weight = work + width;
  sum_rows(source, n_columns, n_rows, row_weight, n_columns, sum, weight);
  for (int64_t j = n_columns; j < width; ++j) {  // a target cell may cross the seam of the source
    sum[j] = sum[j - n_columns];
    weight[j] = weight[j - n_columns];
  }
  for (int64_t c = 0; c < n_target; ++c) {
    const double *x = columns.weight + columns.offset[c], *s0 = sum + columns.first[c], *w0 = weight + columns.first[c];
    const int64_t count = columns.offset[c + 1] - columns.offset[c];
    double s = 0.0, w = 0.0;
    for (int64_t j = 0; j < count; ++j) {
      s += x[j] * s0[j];
      w += x[j] * w0[j];
    }
    const double raw = w / (row_full * columns.full[c]), share = raw > 1.0 - kRounding ? 1.0 : raw;
    mean[c] = static_cast<T>(w > 0.0 && share >= min_valid - kRounding ? s / w : kNaN);
    if (fraction) fraction[c] = static_cast<T>(share);
  }
}

}  // namespace gppcore::GPPCORE_ISA::regrid
