#include "gppcore/regrid.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "float_environment.hpp"
#include "gppcore/error.hpp"
#include "parallel.hpp"
#include "regrid_common.hpp"

namespace gppcore {

void check(const Nesting& grid) {
  if (grid.n_lat < 0 || grid.n_lon < 0 || grid.factor < 1)
    throw Error(ErrorCode::shape, "grid: expected sizes >= 0 and factor >= 1, got " + std::to_string(grid.n_lat) +
                                      " x " + std::to_string(grid.n_lon) + ", factor " + std::to_string(grid.factor));
}

int64_t grain(const Nesting& grid) {
  const int64_t fine_cells_per_row = std::max<int64_t>(grid.n_lon * grid.factor * grid.factor, 1);
  return std::max<int64_t>(1, 262144 / fine_cells_per_row);
}

std::vector<double> centre_distances(int64_t factor) {
  std::vector<double> distance(static_cast<size_t>(factor));
  for (int64_t j = 0; j < factor; ++j) {
    const int64_t twice = 2 * j + 1 - factor;
    distance[static_cast<size_t>(j)] = static_cast<double>(std::abs(twice)) / static_cast<double>(2 * factor);
  }
  return distance;
}

void row_area(const double* lat_edges, int64_t n, double* area) {
  constexpr double kRadians = 3.14159265358979323846 / 180.0;
  for (int64_t i = 0; i < n; ++i) {
    const double a = lat_edges[i] * kRadians, b = lat_edges[i + 1] * kRadians;
    area[i] = std::abs(2.0 * std::cos((a + b) / 2.0) * std::sin((b - a) / 2.0));  // no cancellation near the poles
    if (!(std::abs(lat_edges[i]) <= 90.0 && std::abs(lat_edges[i + 1]) <= 90.0) || !(area[i] > 0.0))
      throw Error(ErrorCode::range, "lat_edges: expected different degrees from -90 to 90, got " +
                                        std::to_string(lat_edges[i]) + " and " + std::to_string(lat_edges[i + 1]));
  }
}

template <class T>
void aggregate(const T* fine, Nesting grid, const double* fine_row_area, double min_valid, T* coarse, T* fraction,
               int n_threads) {
  check(grid);
  const auto& kernel = regrid_kernels_of<T>();
  const int64_t rows = grid.factor, columns = grid.n_lon_fine();
  parallel_for(grid.n_lat, grain(grid), n_threads, [&](int64_t begin, int64_t end) {
    std::vector<double> work(static_cast<size_t>(regrid_work_size(grid.factor)));
    for (int64_t i = begin; i < end; ++i)
      kernel.aggregate_row(fine + i * rows * columns, grid.n_lon, grid.factor, fine_row_area + i * rows, min_valid,
                           coarse + i * grid.n_lon, fraction ? fraction + i * grid.n_lon : nullptr, work.data());
  });
}

template <class T>
void downscale_conservative(const T* coarse, Nesting grid, T* fine, int n_threads) {
  check(grid);
  const auto& kernel = regrid_kernels_of<T>();
  const bool stream = streams<T>(grid);
  parallel_for(grid.n_lat, grain(grid), n_threads, [&](int64_t begin, int64_t end) {
    std::vector<T> work(static_cast<size_t>(grid.n_lon_fine()));
    for (int64_t i = begin; i < end; ++i)
      kernel.replicate_row(coarse + i * grid.n_lon, grid.n_lon, grid.factor, fine + i * grid.factor * grid.n_lon_fine(),
                           work.data(), stream);
  });
}

template <class T>
void downscale_bilinear(const T* coarse, Nesting grid, bool periodic_lon, T* fine, int n_threads) {
  const FloatEnvironment environment;
  check(grid);
  const auto& kernel = regrid_kernels_of<T>();
  const bool stream = streams<T>(grid);
  const auto distance = centre_distances(grid.factor);
  // Chunks of several coarse rows share the expansion of the rows they have in common.
  parallel_for(grid.n_lat, std::max<int64_t>(8, grain(grid)), n_threads, [&](int64_t begin, int64_t end) {
    ExpandedRows<T> expanded(grid, periodic_lon, distance.data());
    const auto row = [&](int64_t i) {
      i = std::clamp<int64_t>(i, 0, grid.n_lat - 1);
      return expanded.row(i, coarse + i * grid.n_lon);
    };
    for (int64_t i = begin; i < end; ++i)
      kernel.blend_rows(row(i - 1), row(i), row(i + 1), grid.n_lon_fine(), grid.factor, distance.data(),
                        fine + i * grid.factor * grid.n_lon_fine(), stream);
  });
}

template <class T>
void downscale_covariate(const T* coarse, Nesting grid, const T* covariate, const double* fine_row_area, T* fine,
                         int n_threads) {
  check(grid);
  const auto& kernel = regrid_kernels_of<T>();
  const bool stream = streams<T>(grid);
  const int64_t rows = grid.factor, columns = grid.n_lon_fine();
  parallel_for(grid.n_lat, grain(grid), n_threads, [&](int64_t begin, int64_t end) {
    std::vector<double> work(static_cast<size_t>(regrid_work_size(grid.factor)));
    for (int64_t i = begin; i < end; ++i)
      if (!kernel.covariate_row(coarse + i * grid.n_lon, grid.n_lon, grid.factor, covariate + i * rows * columns,
                                fine_row_area + i * rows, fine + i * rows * columns, work.data(), stream))
        throw Error(ErrorCode::range,
                    "covariate: expected finite values >= 0 or NaN, got a negative or infinite value in rows " +
                        std::to_string(i * rows) + " to " + std::to_string(i * rows + rows - 1));
  });
}

#define GPPCORE_INSTANTIATE(T)                                                                       \
  template GPPCORE_VISIBLE void aggregate<T>(const T*, Nesting, const double*, double, T*, T*, int); \
  template GPPCORE_VISIBLE void downscale_conservative<T>(const T*, Nesting, T*, int);               \
  template GPPCORE_VISIBLE void downscale_bilinear<T>(const T*, Nesting, bool, T*, int);             \
  template GPPCORE_VISIBLE void downscale_covariate<T>(const T*, Nesting, const T*, const double*, T*, int);
GPPCORE_INSTANTIATE(float)
GPPCORE_INSTANTIATE(double)
#undef GPPCORE_INSTANTIATE

}  // namespace gppcore
