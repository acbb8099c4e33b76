// Smooth downscaling with given means: the search for the nodes of a bilinear surface, and its last correction.
#include "regrid_nested-inl.hpp"

namespace gppcore::GPPCORE_ISA::regrid {

inline double relax_row(NodeRow row, int64_t n_lon, double keep, double gain) {
  const double* nodes[9];
  for (int k = 0; k < 9; ++k) nodes[k] = (k < 3 ? row.north : k < 6 ? row.here : row.south) + k % 3;
  V largest = {};
  int64_t j = 0;
  for (; j + kLanes <= n_lon; j += kLanes) {
    if (!any(load(row.stencil + 4 * n_lon + j) != 0.0)) continue;  // no cell here: nodes and steps stay 0
    V mean = {};
    for (int k = 0; k < 9; ++k) mean += load(row.stencil + k * n_lon + j) * load(nodes[k] + j);
    const V r = load(row.mean + j) - mean, d = keep * load(row.step + j) + gain * r;
    store(row.step + j, d);
    store(row.next + 1 + j, load(row.here + 1 + j) + d);
    const V size = r < 0.0 ? -r : r;
    largest = size > largest ? size : largest;
  }
  double most = 0.0;
  for (int l = 0; l < kLanes; ++l) most = largest[l] > most ? largest[l] : most;
  for (; j < n_lon; ++j) {
    double mean = 0.0;
    for (int k = 0; k < 9; ++k) mean += row.stencil[k * n_lon + j] * nodes[k][j];
    const double r = row.mean[j] - mean, d = keep * row.step[j] + gain * r;
    row.step[j] = d;
    row.next[1 + j] = row.here[1 + j] + d;
    most = __builtin_fabs(r) > most ? __builtin_fabs(r) : most;
  }
  return most;
}

// Smallest value of each coarse cell; the work of columns is left in `column`.
inline void smallest(const double* __restrict surface, int64_t stride, int64_t n_cells, int64_t factor,
                     double* __restrict column, double* __restrict least) {
  const int64_t n = n_cells * factor;
  for (int64_t j = 0; j < n; ++j) column[j] = surface[j];
  for (int64_t r = 1; r < factor; ++r)
    for (int64_t j = 0; j < n; ++j) {
      const double v = surface[r * stride + j];
      column[j] = v < column[j] ? v : column[j];
    }
  for (int64_t c = 0; c < n_cells; ++c) {
    double v = column[c * factor];
    for (int64_t j = c * factor + 1; j < (c + 1) * factor; ++j) v = column[j] < v ? column[j] : v;
    least[c] = v;
  }
}

template <class T>
void fit_rows(const double* surface, const T* coarse, const double* low, int64_t n_lon, int64_t factor,
              const double* row_area, T* fine, double* work, bool stream) {
  const int64_t stride = n_lon * factor, width = strip_cells(factor);
  Strip strip(work, factor);
  double *scale = strip.column_sum, *offset = strip.column_area, *least = strip.out;
  T* row = reinterpret_cast<T*>(strip.out);
  for (int64_t c0 = 0; c0 < n_lon; c0 += width) {
    const int64_t n_cells = n_lon - c0 < width ? n_lon - c0 : width, n = n_cells * factor;
    sum_cells(surface + c0 * factor, stride, n_cells, factor, row_area, strip);
    smallest(surface + c0 * factor, stride, n_cells, factor, strip.column_sum, least);
    for (int64_t c = 0; c < n_cells; ++c) {
      const double value = static_cast<double>(coarse[c0 + c]), mean = strip.sum[c] / strip.area[c];
      const double depth = mean - least[c], room = value - low[c0 + c];
      const double flatness = depth > room ? room / depth : 1.0;
      for (int64_t j = c * factor; j < (c + 1) * factor; ++j) {
        scale[j] = flatness;
        offset[j] = value - flatness * mean;
      }
    }
    for (int64_t r = 0; r < factor; ++r) {
      scale_row(surface + r * stride + c0 * factor, scale, offset, n, row);
      for (int64_t c = 0; c < n_cells; ++c) {  // rounding may leave a value just below
        const T bound = static_cast<T>(low[c0 + c]);
        for (int64_t j = c * factor; j < (c + 1) * factor; ++j) row[j] = row[j] < bound ? bound : row[j];
      }
      store_values(fine + r * stride + c0 * factor, row, n, stream);
    }
  }
  stream_fence();
}

}  // namespace gppcore::GPPCORE_ISA::regrid
