#include "gppcore/two_leaf.hpp"

#include <algorithm>
#include <atomic>

#include "dispatch.hpp"
#include "gppcore/error.hpp"
#include "parallel.hpp"

namespace gppcore {

namespace {

template <class E>
const TwoLeafKernelsOf<E>& table();
template <>
const TwoLeafKernelsOf<double>& table() {
  return kernels().two_leaf.f64;
}
template <>
const TwoLeafKernelsOf<float>& table() {
  return kernels().two_leaf.f32;
}

// Cuts rows x columns into blocks, checks the ranges of a block and hands it to run(columns, n, offset). Returns the
// first input found out of range, or -1.
template <class E, int N, class Run>
int for_blocks(const TwoLeafGrid<E> (&inputs)[N], int64_t rows, int64_t columns, int n_threads, const Run& run) {
  constexpr int64_t kBlock = 4096;  // some 0.3 ms of work
  const auto within = table<E>().within;
  const int64_t blocks_per_row = (columns + kBlock - 1) / kBlock;
  std::atomic<int> wrong{-1};
  parallel_for(rows * blocks_per_row, 1, n_threads, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end && wrong.load(std::memory_order_relaxed) < 0; ++block) {
      const int64_t row = block / blocks_per_row, first = block % blocks_per_row * kBlock;
      const int64_t n = std::min(kBlock, columns - first);
      TwoLeafColumn<E> part[N];
      for (int j = 0; j < N; ++j) {
        const TwoLeafGrid<E>& g = inputs[j];
        part[j] = {g.data ? g.data + row * g.row_stride + first * g.column_stride : nullptr, g.column_stride};
        if (g.data && !within(part[j], n, g.low, g.high)) {
          wrong.store(j);
          return;
        }
      }
      run(part, n, row * columns + first);
    }
  });
  return wrong.load();
}

template <class Kernel>
Kernel in_double(Kernel kernel) {
  if (!kernel) throw Error(ErrorCode::dtype, "mode: expected float64 inputs in compat mode, got float32");
  return kernel;
}

template <class E>
E* at(E* data, int64_t offset) {
  return data ? data + offset : nullptr;
}

}  // namespace

template <class E>
int two_leaf(const TwoLeafParameters& pft, const TwoLeafGrid<E> (&inputs)[kTwoLeafInputs], int64_t rows,
             int64_t columns, E* const (&out)[kTwoLeafOutputs], int n_threads) {
  const auto canopy = in_double(table<E>().canopy[pft.mode]);
  return for_blocks(inputs, rows, columns, n_threads, [&](const TwoLeafColumn<E>* part, int64_t n, int64_t offset) {
    TwoLeafRow<E> row;
    for (int j = 0; j < kTwoLeafOutputs; ++j) row.to[j] = at(out[j], offset);
    canopy(pft, part, n, row);
  });
}

template <class E>
int two_leaf_gradient(const TwoLeafParameters& pft, const TwoLeafGrid<E> (&inputs)[kTwoLeafInputs], int64_t rows,
                      int64_t columns, E* const (&out)[kTwoLeafOutputs], const int (&by)[kTwoLeafComponents],
                      E* const (&d)[kTwoLeafComponents], int n_threads) {
  const auto gradient = table<E>().gradient;
  if (!gradient)
    throw Error(ErrorCode::kernel,
                "two_leaf_gradient: expected a library built with GPPCORE_GRADIENT=ON, got one without");
  return for_blocks(inputs, rows, columns, n_threads, [&](const TwoLeafColumn<E>* part, int64_t n, int64_t offset) {
    TwoLeafRow<E> row;
    for (int j = 0; j < kTwoLeafOutputs; ++j) row.to[j] = at(out[j], offset);
    E* to[kTwoLeafComponents];
    for (int k = 0; k < kTwoLeafComponents; ++k) to[k] = at(d[k], offset);
    gradient(pft, part, n, row, by, to);
  });
}

template <class E>
int leaf_gas_exchange(const LeafParameters& leaf, const TwoLeafGrid<E> (&inputs)[kLeafInputs], int64_t rows,
                      int64_t columns, E* const (&out)[kLeafOutputs], int n_threads) {
  const auto kernel = in_double(table<E>().leaf[leaf.mode]);
  return for_blocks(inputs, rows, columns, n_threads, [&](const TwoLeafColumn<E>* part, int64_t n, int64_t offset) {
    E* to[kLeafOutputs];
    for (int j = 0; j < kLeafOutputs; ++j) to[j] = at(out[j], offset);
    kernel(leaf, part, n, to);
  });
}

#define GPPCORE_ELEMENT(E)                                                                                             \
  template GPPCORE_VISIBLE int two_leaf(const TwoLeafParameters&, const TwoLeafGrid<E>(&)[kTwoLeafInputs], int64_t,    \
                                        int64_t, E* const(&)[kTwoLeafOutputs], int);                                   \
  template GPPCORE_VISIBLE int two_leaf_gradient(                                                                      \
      const TwoLeafParameters&, const TwoLeafGrid<E>(&)[kTwoLeafInputs], int64_t, int64_t,                             \
      E* const(&)[kTwoLeafOutputs], const int (&)[kTwoLeafComponents], E* const(&)[kTwoLeafComponents], int);          \
  template GPPCORE_VISIBLE int leaf_gas_exchange(const LeafParameters&, const TwoLeafGrid<E>(&)[kLeafInputs], int64_t, \
                                                 int64_t, E* const(&)[kLeafOutputs], int);
GPPCORE_ELEMENT(double)
GPPCORE_ELEMENT(float)
#undef GPPCORE_ELEMENT

}  // namespace gppcore
