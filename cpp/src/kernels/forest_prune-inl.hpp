// Blocks whose rows resemble each other, as neighbouring cells of a map do. Most conditions then hold for all rows or
// for none, so that few nodes of a tree are alive: those that some rows leave to the left and some to the right.
// docs/kernels.md explains how they are numbered, on a tree of four leaves.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"
#include "forest_trees-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

// Living leaves are numbered anew, which has to be looked up in registers.
constexpr bool kPrunes = kMaxLookup > 0;
// A pruned tree costs more per node: it pays while no more than this share of the conditions is mixed, or of the nodes
// of trees that were tried is alive.
constexpr int64_t kMostAlive = kMaxLookup > 6 ? 9 : 7;  // in ten
constexpr int64_t kTreesPerTrial = 16;

// Least and largest rank of a row of ranks.
inline void find_range(const uint8_t* ranks, int64_t n, uint8_t& least_rank, uint8_t& largest_rank) {
  Bytes least = *reinterpret_cast<const Bytes*>(ranks), largest = least;
  for (int64_t i = GPPCORE_VECTOR_BYTES; i < n; i += GPPCORE_VECTOR_BYTES) {
    const Bytes r = *reinterpret_cast<const Bytes*>(ranks + i);
    least = r < least ? r : least;
    largest = r > largest ? r : largest;
  }
  alignas(Bytes) uint8_t low[GPPCORE_VECTOR_BYTES], high[GPPCORE_VECTOR_BYTES];
  *reinterpret_cast<Bytes*>(low) = least;
  *reinterpret_cast<Bytes*>(high) = largest;
  for (int half = GPPCORE_VECTOR_BYTES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) {
      low[i] = low[half + i] < low[i] ? low[half + i] : low[i];
      high[i] = high[half + i] > high[i] ? high[half + i] : high[i];
    }
  }
  least_rank = low[0];
  largest_rank = high[0];
}

// The conditions [begin, end) of a row of ranks differ between the rows of the block.
struct Mixed {
  int64_t begin, end;
};
inline Mixed find_mixed(const uint8_t* conditions, const ForestTests& tests, const ForestWorkspace& work) {
  const uint8_t least = work.least[tests.row], largest = work.largest[tests.row];
  uint8_t n_right = 0, n_both = 0;  // a row has no more than 255
  for (int64_t c = tests.begin; c < tests.end; ++c) {
    n_right += conditions[c] < least;
    n_both += conditions[c] < largest;
  }
  return {tests.begin + n_right, tests.begin + n_both};
}

inline int64_t count_mixed(const ForestPlan& plan, const ForestGroup& group, const ForestWorkspace& work) {
  int64_t n = 0;
  for (int64_t t = group.tests_begin; t < group.tests_end; ++t) {
    const Mixed range = find_mixed(plan.conditions, plan.tests[t], work);
    n += range.end - range.begin;
  }
  return n;
}

enum ForestState : uint8_t { kAllLeft = 1, kAllRight = 2, kMixed = 3 };

// Sets state of all conditions of a group.
inline void decide(const ForestPlan& plan, const ForestGroup& group, const ForestWorkspace& work) {
  const int64_t to_mask = kForestSetMasks - group.first_condition;
  for (int64_t t = group.tests_begin; t < group.tests_end; ++t) {
    const ForestTests& tests = plan.tests[t];
    const uint8_t least = work.least[tests.row], largest = work.largest[tests.row];
    for (int64_t c = tests.begin; c < tests.end; ++c) {
      const auto left = static_cast<uint8_t>(plan.conditions[c] >= least ? kAllLeft : 0);
      const auto right = static_cast<uint8_t>(plan.conditions[c] < largest ? kAllRight : 0);
      work.state[c + to_mask] = left | right;
    }
  }
}

// make_sets of the mixed conditions; decided sets get no mask.
template <int W, int M>
void make_mixed_sets(const ForestPlan& plan, const ForestTree& tree, const ForestWorkspace& work) {
  using Words = typename Lanes<W>::Words;
  Words* out = reinterpret_cast<Words*>(work.masks);
  const Words* condition = out + kForestSetMasks * M;
  for (int32_t s = tree.set_begin; s < tree.set_end; ++s, out += M) {
    const ForestSet& set = plan.sets[s];
    bool inverted = set.inverted, mixed = false;
    Words mask[M]{};
    for (int32_t i = set.begin; i < set.end; ++i) {
      const uint32_t c = plan.set_conditions[i];
      const uint8_t state = work.state[kForestSetMasks + c];
      inverted ^= state == kAllRight;
      if (state != kMixed) continue;
      mixed = true;
      for (int q = 0; q < M; ++q) mask[q] ^= condition[c * M + q];
    }
    work.state[s - tree.set_begin] = mixed ? kMixed : inverted ? kAllRight : kAllLeft;
    for (int q = 0; q < M; ++q) out[q] = inverted ? ~mask[q] : mask[q];
  }
}

// The steps, gaps (from the first) and leaves of a tree that are alive, a bit for each.
template <int N>
struct Living {
  uint64_t steps[N]{}, gaps[N]{}, leaves[N]{};
};

template <int N>
Living<N> find_living(const ForestPlan& plan, const ForestTree& tree, const ForestWorkspace& work) {
  const ForestStep* steps = plan.steps + tree.first_step;
  uint8_t alive[2 * kForestMaxMaskedLeaves];  // steps, then leaves
  alive[0] = alive[kForestLeaf] = 1;
  Living<N> living;
  for (uint32_t s = 0; s < static_cast<uint32_t>(tree.n_steps); ++s) {
    const ForestStep& step = steps[s];
    const uint32_t state = work.state[step.condition] & (0u - alive[s]), mixed = state == kMixed;
    alive[step.child[0]] = state & kAllLeft;
    alive[step.child[1]] = state >> 1;
    living.steps[s / 64 % N] |= uint64_t{mixed} << s % 64;
    living.gaps[(step.gap - 1) / 64 % N] |= uint64_t{mixed} << (step.gap - 1) % 64;
  }
  for (uint32_t l = 0; l < static_cast<uint32_t>(tree.n_leaves); ++l)
    living.leaves[l / 64 % N] |= uint64_t{alive[kForestLeaf + l]} << l % 64;
  return living;
}

#if defined(__AVX512VBMI__)
// The same in registers. A step is alive if every step before it lets rows pass to its side.
inline Living<1> find_living(const ForestRowTree& tree, const ForestTree& of, const ForestWorkspace& work) {
  const auto at = [](const uint8_t* p) { return _mm512_loadu_si512(p); };
  const auto look_up = [](__m512i table, __m512i i) { return _mm512_maskz_permutexvar_epi8(~uint64_t{0}, i, table); };
  const uint64_t steps = (uint64_t{1} << of.n_steps) - 1;
  const __m512i row = at(tree.row), condition = at(tree.condition);
  const __mmask64 left = _mm512_cmple_epu8_mask(look_up(at(work.least), row), condition);
  const __mmask64 right = _mm512_cmpgt_epu8_mask(look_up(at(work.largest), row), condition);
  const __m512i sides = _mm512_or_si512(_mm512_maskz_set1_epi8(left, kForestLeft),
                                        _mm512_maskz_set1_epi8(right, static_cast<char>(kForestRight)));
  __m512i before = at(tree.before);
  __m512i alive = _mm512_movm_epi8(_mm512_test_epi8_mask(look_up(sides, before), before));
  for (int d = 0; d < of.doublings; ++d) {
    alive = _mm512_and_si512(alive, look_up(alive, before));
    before = look_up(before, before);
  }
  const __m512i before_leaf = at(tree.before_leaf);
  Living<1> living;
  living.leaves[0] = _mm512_test_epi8_mask(look_up(_mm512_and_si512(sides, alive), before_leaf), before_leaf);
  living.steps[0] = _mm512_movepi8_mask(alive) & left & right & steps;
  living.gaps[0] = _mm512_movepi8_mask(look_up(_mm512_movm_epi8(living.steps[0]), at(tree.step))) & steps;
  return living;
}
#endif

#if defined(__AVX512VBMI2__)
alignas(64) constexpr uint8_t kNumbers[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                              16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                              32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                              48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
#endif

// Writes first + i for every bit i, and anything up to 64 bytes; returns how many there are.
inline int32_t list_bits(uint64_t bits, uint8_t first, uint8_t* list) {
  const int32_t n = __builtin_popcountll(bits);
#if defined(__AVX512VBMI2__)
  const __m512i chosen = _mm512_maskz_compress_epi8(bits, _mm512_load_si512(kNumbers));
  _mm512_storeu_si512(list, _mm512_add_epi8(chosen, _mm512_set1_epi8(static_cast<char>(first))));
#else
  for (; bits; bits &= bits - 1) *list++ = static_cast<uint8_t>(first + __builtin_ctzll(bits));
#endif
  return n;
}

inline uint64_t lowest_bits(uint64_t bits, uint32_t n) {  // n below 64
#if defined(__BMI2__)
  return _bzhi_u64(bits, n);
#else
  return bits & ((uint64_t{1} << n) - 1);
#endif
}

// Leaf numbers from the gaps that are alive, which stand together, by way of the numbers of the living leaves.
template <int W, int M, int Levels>
void number_living(int32_t n_gaps, const typename Lanes<W>::Words* gaps, const uint8_t* leaves, uint8_t* leaf_id) {
  using Words = typename Lanes<W>::Words;
  count_gaps<W, M, Levels>(n_gaps, gaps, [=](const Words* bit, int q) {
    for (int i = 0; i < 8; ++i) {
      uint8_t* to = leaf_id + (8 * q + i) * W;
      if constexpr (Levels <= kMaxLookup) {
        *reinterpret_cast<Words*>(to) = (Words)look_up<(Levels < 6 ? 6 : Levels)>(leaves, (Bytes)bit[i]);
      } else {
        *reinterpret_cast<Words*>(to) = bit[i];
        for (int r = 0; r < W; ++r) to[r] = leaves[to[r]];
      }
    }
  });
}

// Evaluates the nodes that are alive; returns how many. Gaps without a living node between two living ones hold the
// same rows as one of these, so that the living ones are a tree of their own.
template <int W, int M, int N>
GPPCORE_INLINE int32_t take_living_steps(const Living<N>& living, const ForestStep* steps,
                                         const ForestWorkspace& work) {
  int32_t n_before[N], n_alive = 0;
  const Living<N> alive = living;
  for (int w = 0; w < N; ++w) {
    n_before[w] = n_alive;
    n_alive += __builtin_popcountll(alive.gaps[w]);
  }
  const auto n_up_to = [&](uint32_t gap) {  // living gaps
    const uint32_t w = N == 1 ? 0 : gap / 64 % N;
    return static_cast<uint64_t>(n_before[w] + __builtin_popcountll(lowest_bits(alive.gaps[w], gap - 64 * w)));
  };
  auto* gaps = reinterpret_cast<typename Lanes<W>::Words*>(work.gaps);
  bound_gaps<W, M>(n_alive, gaps);
  for (int w = 0; w < N; ++w) {
    for (uint64_t left = alive.steps[w]; left; left &= left - 1) {
      const ForestStep& step = steps[64 * w + __builtin_ctzll(left)];
      take_step<W, M>(step.condition, n_up_to(step.gap), n_up_to(step.low), n_up_to(step.high - 1) + 1, gaps,
                      work.masks);
    }
  }
  return n_alive;
}

// As find_leaves, for a block whose conditions are decided. Returns how many nodes are alive; with none, all rows
// reach `only_leaf` and leaf_id is not written.
template <int W, int M, int N>
int32_t evaluate_living(const Living<N>& living, const ForestStep* steps, const ForestWorkspace& work, uint8_t* leaf_id,
                        int32_t& only_leaf) {
  uint8_t leaves[64 * (N + 1)];  // as list_bits writes beyond
  int32_t n_leaves = 0;
  for (int w = 0; w < N; ++w) n_leaves += list_bits(living.leaves[w], static_cast<uint8_t>(64 * w), leaves + n_leaves);
  only_leaf = leaves[0];
  if (n_leaves == 1) return 0;
  const int32_t n_alive = take_living_steps<W, M>(living, steps, work);
  const auto* gaps = reinterpret_cast<const typename Lanes<W>::Words*>(work.gaps);
  if (n_alive < 8) {
    number_living<W, M, 3>(n_alive, gaps, leaves, leaf_id);
  } else if (n_alive < 16) {
    number_living<W, M, 4>(n_alive, gaps, leaves, leaf_id);
  } else if (n_alive < 32) {
    number_living<W, M, 5>(n_alive, gaps, leaves, leaf_id);
  } else if (n_alive < 64) {
    number_living<W, M, 6>(n_alive, gaps, leaves, leaf_id);
  } else if constexpr (N > 1) {
    number_living<W, M, 8>(n_alive, gaps, leaves, leaf_id);
  }
  return n_alive;
}

template <int W, int M>
int32_t find_living_leaves(const ForestPlan& plan, const ForestTree& tree, const ForestWorkspace& work,
                           uint8_t* leaf_id, int32_t& only_leaf) {
  const ForestStep* steps = plan.steps + tree.first_step;
#if defined(__AVX512VBMI__)
  if (plan.row_trees)
    return evaluate_living<W, M>(find_living(plan.row_trees[tree.row_tree], tree, work), steps, work, leaf_id,
                                 only_leaf);
#endif
  if (tree.set_begin < tree.set_end) make_mixed_sets<W, M>(plan, tree, work);
  if (tree.levels == 6) return evaluate_living<W, M>(find_living<1>(plan, tree, work), steps, work, leaf_id, only_leaf);
  return evaluate_living<W, M>(find_living<4>(plan, tree, work), steps, work, leaf_id, only_leaf);
}

}  // namespace gppcore::GPPCORE_ISA::forest
