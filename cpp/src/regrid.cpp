#include "gppcore/regrid.hpp"

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "dispatch.hpp"
#include "gppcore/error.hpp"
#include "parallel.hpp"

namespace gppcore {
namespace {

template <class T>
const RegridKernelsOf<T>& kernels_of() {
  if constexpr (std::is_same_v<T, float>) {
    return kernels().regrid.f32;
  } else {
    return kernels().regrid.f64;
  }
}

void check(const Nesting& grid) {
  if (grid.n_lat < 0 || grid.n_lon < 0 || grid.factor < 1)
    throw Error(ErrorCode::shape, "grid: expected sizes >= 0 and factor >= 1, got " + std::to_string(grid.n_lat) +
                                      " x " + std::to_string(grid.n_lon) + ", factor " + std::to_string(grid.factor));
}

// Coarse rows per chunk of work: enough fine cells that a chunk costs much more than handing it out.
int64_t grain(const Nesting& grid) {
  const int64_t fine_cells_per_row = std::max<int64_t>(grid.n_lon * grid.factor * grid.factor, 1);
  return std::max<int64_t>(1, 262144 / fine_cells_per_row);
}

}  // namespace

template <class T>
void aggregate(const T* fine, Nesting grid, const double* fine_row_area, double min_valid, T* coarse, int n_threads) {
  check(grid);
  const auto& kernel = kernels_of<T>();
  const int64_t rows = grid.factor, columns = grid.n_lon_fine();
  parallel_for(grid.n_lat, grain(grid), n_threads, [&](int64_t begin, int64_t end) {
    std::vector<double> work(static_cast<size_t>(regrid_work_size(grid.factor)));
    for (int64_t i = begin; i < end; ++i)
      kernel.aggregate_row(fine + i * rows * columns, grid.n_lon, grid.factor, fine_row_area + i * rows, min_valid,
                           coarse + i * grid.n_lon, work.data());
  });
}

template <class T>
void downscale_conservative(const T* coarse, Nesting grid, T* fine, int n_threads) {
  check(grid);
  const auto& kernel = kernels_of<T>();
  parallel_for(grid.n_lat, grain(grid), n_threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      kernel.replicate_row(coarse + i * grid.n_lon, grid.n_lon, grid.factor,
                           fine + i * grid.factor * grid.n_lon_fine());
  });
}

template <class T>
void downscale_bilinear(const T* coarse, Nesting grid, bool periodic_lon, T* fine, int n_threads) {
  check(grid);
  const auto& kernel = kernels_of<T>();
  const int64_t columns = grid.n_lon_fine();
  // Chunks of several coarse rows share the expansion of the rows they have in common.
  parallel_for(grid.n_lat, std::max<int64_t>(8, grain(grid)), n_threads, [&](int64_t begin, int64_t end) {
    std::vector<double> expanded(static_cast<size_t>(3 * 2 * columns));  // three neighbouring coarse rows
    int64_t held[3] = {-1, -1, -1};
    const auto expand = [&](int64_t row) {
      row = std::clamp<int64_t>(row, 0, grid.n_lat - 1);
      double* sum = expanded.data() + row % 3 * 2 * columns;
      if (held[row % 3] != row)
        kernel.expand_row(coarse + row * grid.n_lon, grid.n_lon, grid.factor, periodic_lon, sum, sum + columns);
      held[row % 3] = row;
      return sum;
    };
    for (int64_t i = begin; i < end; ++i) {
      const double *north = expand(i - 1), *here = expand(i), *south = expand(i + 1);
      for (int64_t r = 0; r < grid.factor; ++r) {
        const double* there = 2 * r + 1 < grid.factor ? north : south;
        kernel.blend_rows(columns, centre_distance(r, grid.factor), here, here + columns, there, there + columns,
                          fine + (i * grid.factor + r) * columns);
      }
    }
  });
}

template <class T>
void downscale_covariate(const T* coarse, Nesting grid, const T* covariate, const double* fine_row_area, T* fine,
                         int n_threads) {
  check(grid);
  const auto& kernel = kernels_of<T>();
  const int64_t rows = grid.factor, columns = grid.n_lon_fine();
  parallel_for(grid.n_lat, grain(grid), n_threads, [&](int64_t begin, int64_t end) {
    std::vector<double> work(static_cast<size_t>(regrid_work_size(grid.factor)));
    for (int64_t i = begin; i < end; ++i)
      if (!kernel.covariate_row(coarse + i * grid.n_lon, grid.n_lon, grid.factor, covariate + i * rows * columns,
                                fine_row_area + i * rows, fine + i * rows * columns, work.data()))
        throw Error(ErrorCode::range,
                    "covariate: expected finite values >= 0 or NaN, got a negative or infinite value in rows " +
                        std::to_string(i * rows) + " to " + std::to_string(i * rows + rows - 1));
  });
}

#define GPPCORE_INSTANTIATE(T)                                                   \
  template void aggregate<T>(const T*, Nesting, const double*, double, T*, int); \
  template void downscale_conservative<T>(const T*, Nesting, T*, int);           \
  template void downscale_bilinear<T>(const T*, Nesting, bool, T*, int);         \
  template void downscale_covariate<T>(const T*, Nesting, const T*, const double*, T*, int);
GPPCORE_INSTANTIATE(float)
GPPCORE_INSTANTIATE(double)
#undef GPPCORE_INSTANTIATE

}  // namespace gppcore
