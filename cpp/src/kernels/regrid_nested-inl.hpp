// Regridding kernels between nested grids, one coarse row at a time. Vectors run over fine columns, each with its
// own sum, and columns are then added in order: the order of additions does not depend on the vector width.
#pragma once
#include "regrid.hpp"
#include "stream-inl.hpp"

namespace gppcore::GPPCORE_ISA::regrid {

// A mean covariate below this counts as zero, so that coarse / mean cannot overflow.
constexpr double kZeroMean = 1e-290;

constexpr int64_t kAheadBytes = 512;

// Coarse cells in a strip: whole vectors of columns, if there are that many.
inline int64_t strip_cells(int64_t factor) {
  const int64_t cells = factor < kRegridStrip ? kRegridStrip / factor : 1;
  return cells < 2 * kLanes ? cells : cells - cells % (2 * kLanes);
}

// For each column: the sum of weight * value, and of weight, over the valid values of n_rows rows; tells whether
// there may be any. Vectors of missing values are skipped, which changes no bit: they would add zeros.
template <class T>
bool sum_rows(const T* __restrict first, int64_t stride, int64_t n_rows, const double* row_weight, int64_t n,
              double* __restrict sum, double* __restrict weight) {
  int64_t j = 0;
  bool some = n % (2 * kLanes) != 0;
  for (; j + 2 * kLanes <= n; j += 2 * kLanes) {
    V s0 = {}, s1 = {}, w0 = {}, w1 = {};
    const T* row = first + j;
    for (int64_t r = 0; r < n_rows; ++r, row += stride) {
      // The processor follows a single row by itself, but hardly as many as these.
      __builtin_prefetch(reinterpret_cast<const char*>(row) + kAheadBytes);
      if (!any_valid(row)) continue;
      some = true;
      const V w = splat(row_weight[r]), v0 = load(row), v1 = load(row + kLanes);
      s0 += v0 == v0 ? v0 * w : V{};
      s1 += v1 == v1 ? v1 * w : V{};
      w0 += v0 == v0 ? w : V{};
      w1 += v1 == v1 ? w : V{};
    }
    __builtin_memcpy(sum + j, &s0, sizeof s0);
    __builtin_memcpy(sum + j + kLanes, &s1, sizeof s1);
    __builtin_memcpy(weight + j, &w0, sizeof w0);
    __builtin_memcpy(weight + j + kLanes, &w1, sizeof w1);
  }
  for (; j < n; ++j) {
    double s = 0.0, w = 0.0;
    for (int64_t r = 0; r < n_rows; ++r) {
      const double v = static_cast<double>(first[r * stride + j]);
      s += v == v ? v * row_weight[r] : 0.0;
      w += v == v ? row_weight[r] : 0.0;
    }
    sum[j] = s;
    weight[j] = w;
  }
  return some;
}

// Adds the columns of every coarse cell; kFactor is 0 where the factor is known at run time only.
template <int kFactor>
void add_columns(const double* __restrict column_sum, const double* __restrict column_area, int64_t n_cells,
                 int64_t factor, double* __restrict sum, double* __restrict area) {
  const int64_t n = kFactor ? kFactor : factor;
  for (int64_t c = 0; c < n_cells; ++c) {
    double s = 0.0, a = 0.0;
    for (int64_t j = c * n; j < (c + 1) * n; ++j) {
      s += column_sum[j];
      a += column_area[j];
    }
    sum[c] = s;
    area[c] = a;
  }
}

// Five arrays in the scratch memory of a strip.
struct Strip {
  double *column_sum, *column_area, *sum, *area, *out;
  Strip(double* work, int64_t factor) {
    const int64_t width = regrid_work_size(factor) / 5;
    column_sum = work;
    column_area = work + width;
    sum = work + 2 * width;
    area = work + 3 * width;
    out = work + 4 * width;
  }
};

// For each of n_cells coarse cells: sum of area * value, and area, of its valid fine cells.
template <class T>
void sum_cells(const T* fine, int64_t stride, int64_t n_cells, int64_t factor, const double* row_area, Strip& strip) {
  if (!sum_rows(fine, stride, factor, row_area, n_cells * factor, strip.column_sum, strip.column_area)) {
    for (int64_t c = 0; c < n_cells; ++c) strip.sum[c] = strip.area[c] = 0.0;
    return;
  }
  const auto add = factor == 10  ? add_columns<10>
                   : factor == 5 ? add_columns<5>
                   : factor == 2 ? add_columns<2>
                                 : add_columns<0>;
  add(strip.column_sum, strip.column_area, n_cells, factor, strip.sum, strip.area);
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
                   T* fraction, double* work) {
  Strip strip(work, factor);
  const double full = full_area(row_area, factor);
  const int64_t width = strip_cells(factor);
  for (int64_t c0 = 0; c0 < n_lon; c0 += width) {
    const int64_t n_cells = n_lon - c0 < width ? n_lon - c0 : width;
    sum_cells(fine + c0 * factor, n_lon * factor, n_cells, factor, row_area, strip);
    for (int64_t c = 0; c < n_cells; ++c) {
      const double area = strip.area[c], mean = strip.sum[c] / area, share = area / full;
      coarse[c0 + c] = static_cast<T>(((area > 0.0) & (share >= min_valid)) ? mean : kNaN);
    }
    for (int64_t c = 0; fraction && c < n_cells; ++c) fraction[c0 + c] = static_cast<T>(strip.area[c] / full);
  }
}

template <class T>
void replicate_row(const T* coarse, int64_t n_lon, int64_t factor, T* fine, T* work, bool stream) {
  const int64_t n = n_lon * factor;
  for (int64_t c = 0; c < n_lon; ++c)
    for (int64_t j = 0; j < factor; ++j) work[c * factor + j] = coarse[c];
  for (int64_t r = 0; r < factor; ++r) store_values(fine + r * n, work, n, stream);
  stream_fence();
}

// out = v * scale + offset over n columns; tells whether a value is negative.
template <class In, class Out>
bool scale_row(const In* __restrict in, const double* __restrict scale, const double* __restrict offset, int64_t n,
               Out* __restrict out) {
  V low = {};
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    const V v = load(in + j), y = v * load(scale + j) + load(offset + j);
    low = v < low ? v : low;
    store(out + j, y == y ? y : splat(kNaN));  // of two NaN, which one a product gives is the compiler's choice
  }
  bool negative = any(low < V{});
  for (; j < n; ++j) {
    const double v = static_cast<double>(in[j]), y = v * scale[j] + offset[j];
    negative |= v < 0.0;
    out[j] = static_cast<Out>(y == y ? y : kNaN);
  }
  return negative;
}

template <class T>
bool covariate_row(const T* coarse, int64_t n_lon, int64_t factor, const T* covariate, const double* row_area, T* fine,
                   double* work, bool stream) {
  const int64_t stride = n_lon * factor, width = strip_cells(factor);
  Strip strip(work, factor);
  double *scale = strip.column_sum, *offset = strip.column_area;
  T* row = reinterpret_cast<T*>(strip.out);
  bool bad = false;
  for (int64_t c0 = 0; c0 < n_lon; c0 += width) {
    const int64_t n_cells = n_lon - c0 < width ? n_lon - c0 : width, n = n_cells * factor;
    sum_cells(covariate + c0 * factor, stride, n_cells, factor, row_area, strip);
    for (int64_t c = 0; c < n_cells; ++c) {
      const double mean = strip.sum[c] / strip.area[c], value = static_cast<double>(coarse[c0 + c]);
      bad |= mean == __builtin_inf();
      const bool uniform = mean < kZeroMean;
      const double factor_of = uniform ? 0.0 : value / mean, added = uniform ? value : 0.0;
      for (int64_t j = c * factor; j < (c + 1) * factor; ++j) {
        scale[j] = factor_of;
        offset[j] = added;
      }
    }
    for (int64_t r = 0; r < factor; ++r) {
      const int64_t at = r * stride + c0 * factor;
      bad |= scale_row(covariate + at, scale, offset, n, row);
      store_values(fine + at, row, n, stream);
    }
  }
  stream_fence();
  return !bad;
}

}  // namespace gppcore::GPPCORE_ISA::regrid
