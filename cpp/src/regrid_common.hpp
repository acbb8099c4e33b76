// What the regridding functions share.
#pragma once
#include <type_traits>
#include <vector>

#include "dispatch.hpp"
#include "gppcore/regrid.hpp"

namespace gppcore {

template <class T>
const RegridKernelsOf<T>& regrid_kernels_of() {
  if constexpr (std::is_same_v<T, float>) {
    return kernels().regrid.f32;
  } else {
    return kernels().regrid.f64;
  }
}

// Throws Error(shape) unless the sizes make sense.
void check(const Nesting& grid);

// Coarse rows per chunk of work: enough fine cells that a chunk costs much more than handing it out.
int64_t grain(const Nesting& grid);

// Distance of the centres of fine cells from the centre of their coarse cell, in coarse cells; exactly symmetric.
std::vector<double> centre_distances(int64_t factor);

// Whether a fine field is so large that caches would not keep it until it is used.
template <class T>
bool streams(const Nesting& grid) {
  constexpr int64_t kCacheBytes = 4 << 20;
  return grid.n_lat * grid.factor * grid.n_lon_fine() * static_cast<int64_t>(sizeof(T)) > kCacheBytes;
}

// The last three coarse rows that were interpolated along longitude.
template <class T>
class ExpandedRows {
 public:
  ExpandedRows(const Nesting& grid, bool periodic_lon, const double* distance)
      : grid_(grid), periodic_(periodic_lon), distance_(distance) {
    values_.resize(static_cast<size_t>(3 * 2 * grid.n_lon_fine()));
  }

  // Row i, whose values are given; a row stays until one that differs from it by a multiple of 3 is asked for.
  ExpandedRow row(int64_t i, const T* coarse) {
    double* sum = values_.data() + i % 3 * 2 * grid_.n_lon_fine();
    const ExpandedRow expanded{sum, sum + grid_.n_lon_fine()};
    if (held_[i % 3] != i)
      regrid_kernels_of<T>().expand_row(coarse, grid_.n_lon, grid_.factor, periodic_, distance_, expanded);
    held_[i % 3] = i;
    return expanded;
  }

 private:
  Nesting grid_;
  bool periodic_;
  const double* distance_;
  std::vector<double> values_;
  int64_t held_[3] = {-1, -1, -1};
};

}  // namespace gppcore
