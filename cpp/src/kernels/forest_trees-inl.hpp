// From the masks of conditions to the leaf number of every row of a block.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

// Splits by category get masks of their own, before those of the conditions.
template <int W, int M>
void make_sets(const ForestPlan& plan, const ForestTree& tree, uint8_t* masks) {
  using Words = typename Lanes<W>::Words;
  Words* out = reinterpret_cast<Words*>(masks);
  const Words* condition = out + kForestSetMasks * M;
  for (int32_t s = tree.set_begin; s < tree.set_end; ++s, out += M) {
    const ForestSet& set = plan.sets[s];
    Words mask[M];
    for (int q = 0; q < M; ++q) mask[q] = set.inverted ? ~Words{} : Words{};
    for (int32_t c = set.begin; c < set.end; ++c)
      for (int q = 0; q < M; ++q) mask[q] ^= condition[plan.set_conditions[c] * M + q];
    for (int q = 0; q < M; ++q) out[q] = mask[q];
  }
}

template <int W, int M>
GPPCORE_INLINE void take_step(uint64_t condition, uint64_t gap, uint64_t low, uint64_t high,
                              typename Lanes<W>::Words* gaps, const uint8_t* masks) {
  using Words = typename Lanes<W>::Words;
  const Words* mask = reinterpret_cast<const Words*>(masks) + condition * M;
  const Words *b_low = gaps + low * M, *b_high = gaps + high * M;
  Words* b = gaps + gap * M;
  for (int q = 0; q < M; ++q) b[q] = b_high[q] | (b_low[q] & mask[q]);
}

// The leaf of each row is the number of gaps it lies right of, a byte whose lowest `Levels` bits are counted here;
// write(bits, q) takes all eight.
template <int W, int M, int Levels, class Write>
GPPCORE_INLINE void count_gaps(int32_t n_gaps, const typename Lanes<W>::Words* gaps, const Write& write) {
  using Words = typename Lanes<W>::Words;
  for (int q = 0; q < M; ++q) {
    Words bit[8]{}, sum{};
#pragma GCC unroll 8  // else the bits live in memory
    for (int p = Levels - 1; p >= 0; --p) {
      int32_t g = 1 << p;
      for (; g + (2 << p) <= n_gaps; g += 4 << p) sum ^= gaps[g * M + q] ^ gaps[(g + (2 << p)) * M + q];
      if (g <= n_gaps) sum ^= gaps[g * M + q];
      bit[p] = sum;
    }
    transpose_bits(bit);
    write(bit, q);
  }
}

template <int W, int M, int Levels>
void number_leaves(int32_t n_steps, const typename Lanes<W>::Words* gaps, uint8_t* leaf_id) {
  using Words = typename Lanes<W>::Words;
  count_gaps<W, M, Levels>(n_steps, gaps, [=](const Words* bit, int q) {
    for (int i = 0; i < 8; ++i) *reinterpret_cast<Words*>(leaf_id + (8 * q + i) * W) = bit[i];
  });
}

// The masks that bound the root of a tree.
template <int W, int M>
GPPCORE_INLINE void bound_gaps(int32_t n_gaps, typename Lanes<W>::Words* gaps) {
  using Words = typename Lanes<W>::Words;
  for (int q = 0; q < M; ++q) {
    gaps[q] = ~Words{};
    gaps[(n_gaps + 1) * M + q] = Words{};
  }
}

template <int W, int M>
void find_leaves(const ForestPlan& plan, const ForestTree& tree, uint8_t* masks, uint8_t* gap_bytes, uint8_t* leaf_id) {
  using Words = typename Lanes<W>::Words;
  Words* gaps = reinterpret_cast<Words*>(gap_bytes);
  const ForestStep* steps = plan.steps + tree.first_step;
  if (tree.set_begin < tree.set_end) make_sets<W, M>(plan, tree, masks);
  bound_gaps<W, M>(tree.n_steps, gaps);
  for (int32_t s = 0; s < tree.n_steps; ++s)
    take_step<W, M>(steps[s].condition, steps[s].gap, steps[s].low, steps[s].high, gaps, masks);
  if (tree.levels == 6) {
    number_leaves<W, M, 6>(tree.n_steps, gaps, leaf_id);
  } else if (tree.levels == 7) {
    number_leaves<W, M, 7>(tree.n_steps, gaps, leaf_id);
  } else {
    number_leaves<W, M, 8>(tree.n_steps, gaps, leaf_id);
  }
}

}  // namespace gppcore::GPPCORE_ISA::forest
