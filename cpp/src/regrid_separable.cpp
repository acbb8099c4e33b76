#include <algorithm>
#include <string>
#include <vector>

#include "gppcore/error.hpp"
#include "parallel.hpp"
#include "regrid_common.hpp"

namespace gppcore {
namespace {

// `reach` is how many cells beyond the last one may be taken (again from the first).
void check(const char* name, const AxisWeights& axis, int64_t reach) {
  for (int64_t i = 0; i < axis.n_target; ++i) {
    const int64_t first = axis.first[i], count = axis.offset[i + 1] - axis.offset[i];
    if (count < 0 || (count > 0 && (first < 0 || first >= axis.n_source || first + count > axis.n_source + reach)))
      throw Error(ErrorCode::shape, std::string(name) + ": expected source cells within " +
                                        std::to_string(axis.n_source) + ", got " + std::to_string(count) + " from " +
                                        std::to_string(first) + " on for target cell " + std::to_string(i));
  }
}

}  // namespace

template <class T>
void regrid(const T* source, const AxisWeights& lat, const AxisWeights& lon, double min_valid, T* mean, T* fraction,
            int n_threads) {
  check("lat weights", lat, 0);
  check("lon weights", lon, lon.n_source + 1);
  const auto& kernel = regrid_kernels_of<T>();
  const ColumnWeights columns{lon.first, lon.offset, lon.weight, lon.full};
  const int64_t cells_per_row = lat.offset[lat.n_target] * lon.n_source / std::max<int64_t>(lat.n_target, 1);
  const int64_t rows_per_chunk = std::max<int64_t>(1, 262144 / std::max<int64_t>(cells_per_row + lon.n_target, 1));
  parallel_for(lat.n_target, rows_per_chunk, n_threads, [&](int64_t begin, int64_t end) {
    std::vector<double> work(static_cast<size_t>(2 * (2 * lon.n_source + 1)));
    for (int64_t i = begin; i < end; ++i)
      kernel.weigh_rows(source + lat.first[i] * lon.n_source, lon.n_source, lat.offset[i + 1] - lat.offset[i],
                        lat.weight + lat.offset[i], lat.full[i], columns, lon.n_target, min_valid,
                        mean + i * lon.n_target, fraction ? fraction + i * lon.n_target : nullptr, work.data());
  });
}

template GPPCORE_VISIBLE void regrid<float>(const float*, const AxisWeights&, const AxisWeights&, double, float*,
                                            float*, int);
template GPPCORE_VISIBLE void regrid<double>(const double*, const AxisWeights&, const AxisWeights&, double, double*,
                                             double*, int);

}  // namespace gppcore
