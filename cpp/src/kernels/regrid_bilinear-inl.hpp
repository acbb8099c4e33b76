// Bilinear interpolation from a coarse grid to the fine grid nested in it: along longitude once per coarse row,
// then along latitude for each fine row. Missing cells give their weight to the others.
#include "regrid.hpp"
#include "stream-inl.hpp"

namespace gppcore::GPPCORE_ISA::regrid {

// One half of a coarse cell, whose fine columns lie between it and the neighbour on that side.
GPPCORE_INLINE void expand_half(double v0, double v1, int64_t begin, int64_t end, const double* distance,
                                double* __restrict sum, double* __restrict weight) {
  const double m0 = v0 == v0 ? 1.0 : 0.0, m1 = v1 == v1 ? 1.0 : 0.0;
  v0 = v0 == v0 ? v0 : 0.0;
  v1 = v1 == v1 ? v1 : 0.0;
  for (int64_t j = begin; j < end; ++j) {
    const double f = distance[j], e = 1.0 - f;
    sum[j] = e * v0 + f * v1;
    weight[j] = e * m0 + f * m1;
  }
}

template <int kFactor, class T>
void expand_cells(const T* coarse, int64_t n_lon, int64_t run_time_factor, bool periodic, const double* distance,
                  ExpandedRow out) {
  const int64_t factor = kFactor ? kFactor : run_time_factor;
  for (int64_t c = 0; c < n_lon; ++c) {
    const int64_t west = c > 0 ? c - 1 : (periodic ? n_lon - 1 : 0);
    const int64_t east = c < n_lon - 1 ? c + 1 : (periodic ? 0 : n_lon - 1);
    const double v = static_cast<double>(coarse[c]), v_west = static_cast<double>(coarse[west]),
                 v_east = static_cast<double>(coarse[east]);
    double *sum = out.sum + c * factor, *weight = out.weight + c * factor;
    if (v != v && v_west != v_west && v_east != v_east) {
      for (int64_t j = 0; j < factor; ++j) sum[j] = weight[j] = 0.0;
      continue;
    }
    expand_half(v, v_west, 0, factor / 2, distance, sum, weight);
    expand_half(v, v_east, factor / 2, factor, distance, sum, weight);
  }
}

template <class T>
void expand_row(const T* coarse, int64_t n_lon, int64_t factor, bool periodic, const double* distance,
                ExpandedRow out) {
  const auto expand = factor == 10  ? expand_cells<10, T>
                      : factor == 5 ? expand_cells<5, T>
                      : factor == 2 ? expand_cells<2, T>
                                    : expand_cells<0, T>;
  expand(coarse, n_lon, factor, periodic, distance, out);
}

// What a vector of columns needs: nothing, since all weights are 0; no division, since all are 1; or all.
enum class Columns : uint8_t { missing, valid, mixed };

GPPCORE_INLINE Columns columns_of(const double* a, const double* b) {
  const V x = load(a), y = load(b);
  if (!any((x != 1.0) | (y != 1.0))) return Columns::valid;
  return any((x != 0.0) | (y != 0.0)) ? Columns::mixed : Columns::missing;
}

// One fine row at the fraction f of the way from one expanded row to the other.
template <class T>
void blend_row(ExpandedRow here, ExpandedRow there, double f, const Columns* columns, int64_t n, T* __restrict fine) {
  const double e = 1.0 - f;
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    V y = splat(kNaN);
    const Columns kind = columns[j / kLanes];
    if (kind != Columns::missing) {
      y = e * load(here.sum + j) + f * load(there.sum + j);
      if (kind == Columns::mixed) {
        const V w = e * load(here.weight + j) + f * load(there.weight + j);
        y = w > 0.0 ? y / w : splat(kNaN);
      }
    }
    store(fine + j, y);
  }
  for (; j < n; ++j) {
    const double s = e * here.sum[j] + f * there.sum[j], w = e * here.weight[j] + f * there.weight[j];
    fine[j] = static_cast<T>(w > 0.0 ? s / w : kNaN);
  }
}

template <class T>
void blend_rows(ExpandedRow north, ExpandedRow here, ExpandedRow south, int64_t n_columns, int64_t factor,
                const double* distance, T* fine, bool stream) {
  constexpr int64_t kStrip = 1024;  // columns whose weights and one row of results stay in the first-level cache
  T row[kStrip];
  Columns columns[2][kStrip / kLanes];
  for (int64_t j0 = 0; j0 < n_columns; j0 += kStrip) {
    const int64_t n = n_columns - j0 < kStrip ? n_columns - j0 : kStrip;
    const ExpandedRow middle = {here.sum + j0, here.weight + j0};
    const ExpandedRow sides[2] = {{north.sum + j0, north.weight + j0}, {south.sum + j0, south.weight + j0}};
    for (int s = 0; s < 2; ++s)
      for (int64_t j = 0; j + kLanes <= n; j += kLanes)
        columns[s][j / kLanes] = columns_of(middle.weight + j, sides[s].weight + j);
    for (int64_t r = 0; r < factor; ++r) {
      const int s = 2 * r + 1 < factor ? 0 : 1;
      blend_row(middle, sides[s], distance[r], columns[s], n, row);
      store_values(fine + r * n_columns + j0, row, n, stream);
    }
  }
  stream_fence();
}

}  // namespace gppcore::GPPCORE_ISA::regrid
