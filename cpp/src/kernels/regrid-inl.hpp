// Regridding kernels, one coarse row at a time. Vectorised loops run over fine columns, each with its own
// sum, and columns are then added in order: the order of additions does not depend on the vector width.
#include <cstdint>

#include "regrid.hpp"

namespace gppcore::GPPCORE_ISA {
namespace regrid {

constexpr double kNaN = __builtin_nan("");
// A mean covariate below this counts as zero, so that coarse / mean cannot overflow.
constexpr double kZeroMean = 1e-290;

inline int64_t strip_cells(int64_t factor) { return factor < kRegridStrip ? kRegridStrip / factor : 1; }

// For each of n_cells coarse cells: sum of area * value, and area, of its valid fine cells.
template <class T>
void sum_cells(const T* __restrict fine, int64_t fine_stride, int64_t n_cells, int64_t factor, const double* row_area,
               double* __restrict column_sum, double* __restrict column_area, double* __restrict sum,
               double* __restrict area) {
  const int64_t n = n_cells * factor;
  for (int64_t j = 0; j < n; ++j) column_sum[j] = column_area[j] = 0.0;
  for (int64_t r = 0; r < factor; ++r) {
    const T* row = fine + r * fine_stride;
    const double a = row_area[r];
    for (int64_t j = 0; j < n; ++j) {
      const double v = static_cast<double>(row[j]);
      column_sum[j] += v == v ? a * v : 0.0;
      column_area[j] += v == v ? a : 0.0;
    }
  }
  for (int64_t c = 0; c < n_cells; ++c) {
    double s = 0.0, w = 0.0;
    for (int64_t j = c * factor; j < (c + 1) * factor; ++j) {
      s += column_sum[j];
      w += column_area[j];
    }
    sum[c] = s;
    area[c] = w;
  }
}

// Area of a wholly valid coarse cell, added in the order of sum_cells: its valid share is exactly 1.
inline double full_area(const double* row_area, int64_t factor) {
  double column = 0.0, full = 0.0;
  for (int64_t r = 0; r < factor; ++r) column += row_area[r];
  for (int64_t j = 0; j < factor; ++j) full += column;
  return full;
}

template <class T>
void aggregate_row(const T* fine, int64_t n_lon, int64_t factor, const double* row_area, double min_valid, T* coarse,
                   double* work) {
  const int64_t width = regrid_work_size(factor) / 4;
  double *column_sum = work, *column_area = work + width, *sum = work + 2 * width, *area = work + 3 * width;
  const double full = full_area(row_area, factor);
  const int64_t strip = strip_cells(factor);
  for (int64_t c0 = 0; c0 < n_lon; c0 += strip) {
    const int64_t n_cells = n_lon - c0 < strip ? n_lon - c0 : strip;
    sum_cells(fine + c0 * factor, n_lon * factor, n_cells, factor, row_area, column_sum, column_area, sum, area);
    for (int64_t c = 0; c < n_cells; ++c) {
      const bool enough = area[c] > 0.0 && area[c] / full >= min_valid;
      coarse[c0 + c] = static_cast<T>(enough ? sum[c] / area[c] : kNaN);
    }
  }
}

template <class T>
void replicate_row(const T* coarse, int64_t n_lon, int64_t factor, T* fine) {
  const int64_t n = n_lon * factor;
  for (int64_t c = 0; c < n_lon; ++c)
    for (int64_t j = 0; j < factor; ++j) fine[c * factor + j] = coarse[c];
  for (int64_t r = 1; r < factor; ++r) __builtin_memcpy(fine + r * n, fine, static_cast<unsigned long>(n) * sizeof(T));
}

template <class T>
bool covariate_row(const T* coarse, int64_t n_lon, int64_t factor, const T* covariate, const double* row_area, T* fine,
                   double* work) {
  const int64_t width = regrid_work_size(factor) / 4, stride = n_lon * factor;
  double *scale = work, *offset = work + width, *sum = work + 2 * width, *area = work + 3 * width;
  const int64_t strip = strip_cells(factor);
  int64_t n_bad = 0;
  for (int64_t c0 = 0; c0 < n_lon; c0 += strip) {
    const int64_t n_cells = n_lon - c0 < strip ? n_lon - c0 : strip, n = n_cells * factor;
    sum_cells(covariate + c0 * factor, stride, n_cells, factor, row_area, scale, offset, sum, area);
    for (int64_t c = 0; c < n_cells; ++c) {
      const double mean = sum[c] / area[c], value = static_cast<double>(coarse[c0 + c]);
      const bool uniform = mean < kZeroMean;
      for (int64_t j = c * factor; j < (c + 1) * factor; ++j) {
        scale[j] = uniform ? 0.0 : value / mean;
        offset[j] = uniform ? value : 0.0;
      }
    }
    for (int64_t r = 0; r < factor; ++r) {
      const T* __restrict in = covariate + r * stride + c0 * factor;
      T* __restrict out = fine + r * stride + c0 * factor;
      for (int64_t j = 0; j < n; ++j) {
        const double v = static_cast<double>(in[j]);
        n_bad += v < 0.0 || v == __builtin_inf();
        out[j] = static_cast<T>(v * scale[j] + offset[j]);
      }
    }
  }
  return n_bad == 0;
}

template <class T>
void expand_row(const T* coarse, int64_t n_lon, int64_t factor, bool periodic, double* sum, double* weight) {
  for (int64_t c = 0; c < n_lon; ++c) {
    const int64_t west = c > 0 ? c - 1 : (periodic ? n_lon - 1 : 0);
    const int64_t east = c < n_lon - 1 ? c + 1 : (periodic ? 0 : n_lon - 1);
    for (int64_t j = 0; j < factor; ++j) {
      const bool to_west = 2 * j + 1 < factor;
      const double f = centre_distance(j, factor);
      const double v0 = static_cast<double>(coarse[c]), v1 = static_cast<double>(coarse[to_west ? west : east]);
      const double w0 = v0 == v0 ? 1.0 - f : 0.0, w1 = v1 == v1 ? f : 0.0;
      sum[c * factor + j] = (v0 == v0 ? w0 * v0 : 0.0) + (v1 == v1 ? w1 * v1 : 0.0);
      weight[c * factor + j] = w0 + w1;
    }
  }
}

template <class T>
void blend_rows(int64_t n, double f, const double* __restrict sum0, const double* __restrict weight0,
                const double* __restrict sum1, const double* __restrict weight1, T* __restrict fine) {
  const double e = 1.0 - f;
  for (int64_t j = 0; j < n; ++j) {
    const double s = e * sum0[j] + f * sum1[j], w = e * weight0[j] + f * weight1[j];
    fine[j] = static_cast<T>(w > 0.0 ? s / w : kNaN);
  }
}

template <class T>
constexpr RegridKernelsOf<T> kernels_of{aggregate_row<T>, replicate_row<T>, covariate_row<T>, expand_row<T>,
                                        blend_rows<T>};

}  // namespace regrid

constexpr RegridKernels regrid_kernels{regrid::kernels_of<float>, regrid::kernels_of<double>};

}  // namespace gppcore::GPPCORE_ISA
