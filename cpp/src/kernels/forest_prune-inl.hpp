// Blocks whose rows resemble each other, as neighbouring cells of a map do. Most conditions then hold for all rows or
// for none, so that few nodes of a tree are alive: those that some rows leave to the left and some to the right.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"
#include "forest_trees-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

// A pruned tree costs more per node: it pays while no more than this share of the nodes is alive.
constexpr int64_t kMostAlive = 3;  // one in three
constexpr int64_t kTreesPerTrial = 16;

// Least and largest rank of a row of ranks.
inline void find_range(const uint8_t* ranks, int64_t n, uint8_t* range) {
  Bytes least = *reinterpret_cast<const Bytes*>(ranks), largest = least;
  for (int64_t i = GPPCORE_VECTOR_BYTES; i < n; i += GPPCORE_VECTOR_BYTES) {
    const Bytes r = *reinterpret_cast<const Bytes*>(ranks + i);
    least = r < least ? r : least;
    largest = r > largest ? r : largest;
  }
  range[0] = range[1] = least[0];
  for (int i = 0; i < GPPCORE_VECTOR_BYTES; ++i) {
    range[0] = least[i] < range[0] ? least[i] : range[0];
    range[1] = largest[i] > range[1] ? largest[i] : range[1];
  }
}

// The conditions [mixed_begin, mixed_end) of a row of ranks differ between the rows of the block.
struct Mixed {
  int64_t begin, end;
};
inline Mixed find_mixed(const uint8_t* conditions, const ForestTests& tests, const uint8_t* range) {
  Mixed mixed{tests.begin, tests.begin};
  while (mixed.begin < tests.end && conditions[mixed.begin] < range[0]) ++mixed.begin;
  mixed.end = mixed.begin;
  while (mixed.end < tests.end && conditions[mixed.end] < range[1]) ++mixed.end;
  return mixed;
}

// Sets state of all conditions of a group; returns how many of them are mixed.
inline int64_t decide(const ForestPlan& plan, const ForestGroup& group, const ForestWorkspace& work) {
  int64_t n_mixed = 0;
  uint8_t* state = work.state + kForestSetMasks - group.first_condition;
  for (int64_t t = group.tests_begin; t < group.tests_end; ++t) {
    const ForestTests& tests = plan.tests[t];
    const Mixed mixed = find_mixed(plan.conditions, tests, work.range + 2 * tests.row);
    for (int64_t c = tests.begin; c < mixed.begin; ++c) state[c] = 1;
    for (int64_t c = mixed.begin; c < mixed.end; ++c) state[c] = 2;
    for (int64_t c = mixed.end; c < tests.end; ++c) state[c] = 0;
    n_mixed += mixed.end - mixed.begin;
  }
  return n_mixed;
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
      inverted ^= state == 1;
      if (state != 2) continue;
      mixed = true;
      for (int q = 0; q < M; ++q) mask[q] ^= condition[c * M + q];
    }
    work.state[s - tree.set_begin] = mixed ? 2 : inverted;
    for (int q = 0; q < M; ++q) out[q] = inverted ? ~mask[q] : mask[q];
  }
}

// The living gaps of a tree, and the leaves between them, both in order.
struct Living {
  uint64_t gaps[kForestMaxMaskedLeaves / 64], leaves[kForestMaxMaskedLeaves / 64];
};

template <int W, int M>
void take_living_steps(const ForestStep* steps, int32_t n_steps, const ForestWorkspace& work, Living& living) {
  struct Bounded {
    uint16_t step, low, high;
  };
  Bounded queue[2 * kForestMaxMaskedLeaves];
  int tail = 0;
  queue[tail++] = {n_steps > 0 ? uint16_t{0} : kForestLeaf, 0, static_cast<uint16_t>(n_steps + 1)};
  for (int head = 0; head < tail; ++head) {
    const Bounded at = queue[head];
    uint16_t next = at.step;
    uint8_t state = 0;
    while (next < kForestLeaf && (state = work.state[steps[next].condition]) != 2) next = steps[next].child[state];
    if (next >= kForestLeaf) {
      next -= kForestLeaf;
      living.leaves[next / 64] |= uint64_t{1} << (next % 64);
      continue;
    }
    const ForestStep& step = steps[next];
    take_step<W, M>(step, at.low, at.high, reinterpret_cast<typename Lanes<W>::Words*>(work.gaps), work.masks);
    living.gaps[step.gap / 64] |= uint64_t{1} << (step.gap % 64);
    queue[tail++] = {step.child[0], at.low, step.gap};
    queue[tail++] = {step.child[1], step.gap, at.high};
  }
}

// Bit p of the leaf number changes at those gaps whose neighbouring leaves differ in it.
template <int W, int M, int Levels>
void number_living(const Living& living, const ForestWorkspace& work, uint8_t* leaf_id) {
  using Words = typename Lanes<W>::Words;
  uint8_t change[Levels][kForestMaxMaskedLeaves];
  int32_t n_changes[Levels]{}, first = -1, last = -1, gap_word = 0;
  uint64_t gaps = living.gaps[0];
  for (int32_t w = 0; w < int32_t{kForestMaxMaskedLeaves / 64}; ++w) {
    for (uint64_t leaves = living.leaves[w]; leaves; leaves &= leaves - 1) {
      const int32_t leaf = 64 * w + __builtin_ctzll(leaves);
      if (first < 0) {
        first = last = leaf;
        continue;
      }
      while (!gaps) gaps = living.gaps[++gap_word];
      const auto gap = static_cast<uint8_t>(64 * gap_word + __builtin_ctzll(gaps));
      gaps &= gaps - 1;
      for (int32_t bits = leaf ^ last; bits; bits &= bits - 1) {
        const int p = __builtin_ctz(static_cast<uint32_t>(bits));
        change[p][n_changes[p]++] = gap;
      }
      last = leaf;
    }
  }
  const Words* gap_masks = reinterpret_cast<const Words*>(work.gaps);
  for (int q = 0; q < M; ++q) {
    Words bit[8]{};
    for (int p = 0; p < Levels; ++p) {
      Words mask = first >> p & 1 ? ~Words{} : Words{};
      for (int32_t i = 0; i < n_changes[p]; ++i) mask ^= gap_masks[change[p][i] * M + q];
      bit[p] = mask;
    }
    write_leaves<W>(bit, q, leaf_id);
  }
}

// As find_leaves, for a block whose conditions are decided. Returns how many nodes are alive; with none, all rows
// reach `only_leaf` and leaf_id is not written.
template <int W, int M>
int32_t find_living_leaves(const ForestPlan& plan, const ForestTree& tree, const ForestWorkspace& work,
                           uint8_t* leaf_id, int32_t& only_leaf) {
  if (tree.set_begin < tree.set_end) make_mixed_sets<W, M>(plan, tree, work);
  bound_gaps<W, M>(tree, work.gaps);
  Living living{};
  take_living_steps<W, M>(plan.steps + tree.first_step, tree.n_steps, work, living);
  int32_t n_alive = 0;
  for (const uint64_t word : living.gaps) n_alive += __builtin_popcountll(word);
  if (n_alive == 0) {
    int32_t w = 0;
    while (!living.leaves[w]) ++w;
    only_leaf = 64 * w + __builtin_ctzll(living.leaves[w]);
  } else if (tree.levels == 6) {
    number_living<W, M, 6>(living, work, leaf_id);
  } else {
    number_living<W, M, 8>(living, work, leaf_id);
  }
  return n_alive;
}

}  // namespace gppcore::GPPCORE_ISA::forest
