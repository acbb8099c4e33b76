#include "gppcore/two_leaf.hpp"

#include <algorithm>

#include "dispatch.hpp"
#include "parallel.hpp"

namespace gppcore {

void two_leaf(const TwoLeafParameters& pft, const TwoLeafGrid (&inputs)[kTwoLeafInputs], int64_t rows, int64_t columns,
              double* gpp_sunlit, double* gpp_shaded, int n_threads) {
  constexpr int64_t kBlock = 4096;  // about 1 ms of work
  const auto canopy = kernels().two_leaf.canopy;
  const int64_t blocks_per_row = (columns + kBlock - 1) / kBlock;
  parallel_for(rows * blocks_per_row, 1, n_threads, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t row = block / blocks_per_row, first = block % blocks_per_row * kBlock;
      TwoLeafColumn part[kTwoLeafInputs];
      for (int j = 0; j < kTwoLeafInputs; ++j) {
        const TwoLeafGrid& g = inputs[j];
        part[j] = {g.data + row * g.row_stride + first * g.column_stride, g.column_stride};
      }
      const int64_t offset = row * columns + first;
      canopy(pft, part, std::min(kBlock, columns - first), gpp_sunlit + offset, gpp_shaded + offset);
    }
  });
}

}  // namespace gppcore
