// Trees of many leaves where rows resemble each other. From the root down, the range of each column in the block leaves
// few of the nodes alive: a small tree, which masks evaluate. docs/kernels.md has the terms.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"
#include "forest_masks-inl.hpp"
#include "forest_rank-inl.hpp"
#include "forest_sums-inl.hpp"
#include "forest_trees-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

// Places of the rows of a column are compared digit by digit, each of which has masks.
static_assert(kForestDigits == 4);
constexpr int32_t kLargestPlace = 65535;
constexpr int32_t kNoRank = -1, kAllRanks = 0x7fffffff;  // below and above those of all nodes

// Least and largest value but missing ones.
template <class T>
struct Bounds {
  T low, high;
  bool missing;
};
template <class T>
Bounds<T> find_bounds(ForestRowKind kind, const T* column, int64_t stride, int64_t n) {
  typedef typename Native<T>::V Vector;
  typedef typename Native<T>::I Missing;
  constexpr int kAtOnce = 4, kLanes = GPPCORE_VECTOR_BYTES / sizeof(T);  // vectors, to hide latency
  constexpr T kInfinity = static_cast<T>(__builtin_inf());
  Bounds<T> b{kInfinity, -kInfinity, false};
  int64_t i = 0;
  if (stride == 1 && kind == ForestRowKind::number) {
    Vector low[kAtOnce], high[kAtOnce];
    Missing missing[kAtOnce] = {};
    for (int l = 0; l < kAtOnce; ++l) {
      low[l] = Vector{} + kInfinity;
      high[l] = -low[l];
    }
    for (; i + kAtOnce * kLanes <= n; i += kAtOnce * kLanes) {
      for (int l = 0; l < kAtOnce; ++l) {
        Vector x;
        __builtin_memcpy(&x, column + i + l * kLanes, sizeof x);
        low[l] = x < low[l] ? x : low[l];
        high[l] = x > high[l] ? x : high[l];
        missing[l] |= x != x;
      }
    }
    for (int l = 0; l < kAtOnce; ++l) {
      for (int j = 0; j < kLanes; ++j) {
        b.low = low[l][j] < b.low ? low[l][j] : b.low;
        b.high = high[l][j] > b.high ? high[l][j] : b.high;
        b.missing |= missing[l][j] != 0;
      }
    }
  }
  for (; i < n; ++i) {
    const T x = column[i * stride];
    const bool none = is_missing(kind, x);
    b.low = !none && x < b.low ? x : b.low;
    b.high = !none && x > b.high ? x : b.high;
    b.missing |= none;
  }
  return b;
}

template <class T>
const ForestSearch<T>* walked_searches(const ForestPlan& plan) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return plan.walked_f32;
  } else {
    return plan.walked_f64;
  }
}

// Rows [first, first + n) of the input at one step.
template <class T>
struct RowsOf {
  const ForestInput<T>& input;
  int64_t first, step, n;

  const T* column(int32_t f) const {
    return input.columns[f] + first * input.strides[f] + step * input.step_strides[f];
  }
  RowsOf part(int64_t at, int64_t count) const { return {input, first + at, step, count}; }
};

// Ranges of all columns in the rows, but static ones if they are kept; false if a place would need more bits.
template <class T>
bool find_ranges(const ForestPlan& plan, const RowsOf<T>& rows, bool kept, ForestRange* ranges) {
  bool fits = true;
  for (int64_t c = 0; c < plan.n_columns; ++c) {
    const ForestRow& column = plan.columns[c];
    const int32_t f = column.feature;
    if (is_category(column.kind) || (kept && rows.input.step_strides[f] == 0)) continue;
    const Bounds<T> b = find_bounds(column.kind, rows.column(f), rows.input.strides[f], rows.n);
    const ForestSearch<T>& search = walked_searches<T>(plan)[f];
    const bool some = b.low <= b.high;
    const int32_t low = some ? rank(search, b.low) : 0, high = some ? rank(search, b.high) : 0;
    ForestRange range{low - 1, high - low + 1, low, high};
    if (b.missing && !column.missing_high) range.left_from = kNoRank;
    if (b.missing && column.missing_high) range.right_below = kAllRanks;
    if (!some) range.left_from = range.right_below = column.missing_high ? kAllRanks : kNoRank;
    fits &= range.top < kLargestPlace;
    ranges[c] = range;
  }
  return fits;
}

// A node that some rows leave to the left and some to the right; low and high are what bounds its subtree, as in
// LivingTree::gap.
struct LivingNode {
  int32_t rank;
  uint16_t column, low, high;
};

// The part of a tree that rows of a block reach. Nodes are parents first, leaves from left to right. gap[2 + i] is
// the gap of node i; 0 and 1 stand for the bounds of the tree.
struct LivingTree {
  int32_t n_nodes, n_leaves;
  LivingNode node[kForestMaxMaskedLeaves];
  uint16_t gap[2 + kForestMaxMaskedLeaves];
  int32_t leaf[kForestMaxMaskedLeaves];
};

// False if more leaves are alive than masks can number.
inline bool descend(const ForestPlan& plan, const ForestTree& tree, const ForestRange* ranges, LivingTree& living) {
  struct Waiting {  // a right side
    uint32_t at;
    uint16_t node, high;
  } waiting[kForestMaxMaskedLeaves];
  const ForestNode32* nodes = plan.ranked + (tree.root - plan.trees[plan.n_masked].root);
  const uint32_t bits = plan.column_bits32, columns = (1u << bits) - 1;
  uint32_t at = 0, n_nodes = 0, n_waiting = 0, n_leaves = 0;
  uint16_t low = 0, high = 1;
  for (;;) {
    while ((nodes[at].word >> bits & 3) != kForestEnd) {
      const ForestNode32 node = nodes[at];
      const uint32_t column = node.word & columns, next = 2 * (node.word >> (bits + 2));
      const ForestRange& range = ranges[column];
      const uint32_t left = node.threshold >= range.left_from, right = node.threshold < range.right_below;
      const uint32_t both = left & right;
      const auto number = static_cast<uint16_t>(n_nodes + 2);
      // Written at any rate: what is not alive is written over, and branches would be mispredicted.
      living.node[n_nodes] = {node.threshold, static_cast<uint16_t>(column), low, high};
      waiting[n_waiting] = {next + 1, number, high};
      high = both ? number : high;
      n_nodes += both;
      n_waiting += both;
      at = next + 1 - left;
      if (n_nodes == kForestMaxMaskedLeaves) return false;
    }
    living.leaf[n_leaves++] = nodes[at].threshold;
    if (n_waiting == 0) break;
    const Waiting& last = waiting[--n_waiting];
    living.gap[last.node] = static_cast<uint16_t>(n_leaves);
    low = last.node;
    high = last.high;
    at = last.at;
  }
  living.gap[0] = 0;
  living.gap[1] = static_cast<uint16_t>(n_leaves);
  living.n_nodes = static_cast<int32_t>(n_nodes);
  living.n_leaves = static_cast<int32_t>(n_leaves);
  return true;
}

// Digits that tell the places of a column apart.
inline int n_digits(const ForestRange& range) {
  const uint32_t largest = static_cast<uint32_t>(range.top) + 1;
  return largest < 256 ? 2 : largest < 4096 ? 3 : 4;
}

// The digit masks of all columns, but of static ones if they are kept.
template <int W, int M, class T>
void make_digits(const ForestPlan& plan, const RowsOf<T>& rows, bool kept, const ForestWorkspace& work) {
  using Words = typename Lanes<W>::Words;
  int32_t ranked = -1;
  for (int64_t c = 0; c < plan.n_columns; ++c) {
    const ForestRow& column = plan.columns[c];
    const ForestRange range = work.ranges[c];
    const int32_t f = column.feature;
    if (is_category(column.kind) || range.left_from >= range.right_below || (kept && rows.input.step_strides[f] == 0))
      continue;
    const T* x = rows.column(f);
    const int64_t stride = rows.input.strides[f];
    if (ranked != f) rank_column(walked_searches<T>(plan)[f], x, stride, rows.n, work.ranks);
    ranked = f;
    uint8_t *low = work.leaf_id, *high = work.leaf_id + kForestBlock;
    const int32_t missing = column.missing_high ? range.top + 1 : 0;
    for (int64_t i = 0; i < rows.n; ++i) {
      const int32_t place = work.ranks[i] < 0 ? missing : work.ranks[i] - range.base;
      low[i] = static_cast<uint8_t>(place);
      high[i] = static_cast<uint8_t>(place >> 8);
    }
    for (int64_t i = 0; column.kind == ForestRowKind::number_or_zero && i < rows.n; ++i) {
      if (!is_missing(column.kind, x[i * stride])) continue;
      low[i] = static_cast<uint8_t>(missing);
      high[i] = static_cast<uint8_t>(missing >> 8);
    }
    for (int64_t i = rows.n; i < 8 * W * M; ++i) {
      low[i] = low[rows.n - 1];
      high[i] = high[rows.n - 1];
    }
    Words* masks = reinterpret_cast<Words*>(work.digits) + c * kForestDigits * kForestDigitMasks * M;
    for (int d = 0; d < n_digits(range); ++d) {
      const uint8_t* bytes = d < 2 ? low : high;
      for (int q = 0; q < M; ++q) {
        Words bit[8], more[16];
        for (int i = 0; i < 8; ++i) bit[i] = *reinterpret_cast<const Words*>(bytes + (8 * q + i) * W);
        transpose_bits(bit);
        const Words* of = bit + (d % 2 ? 4 : 0);
        above(of[3], of[2], of[1], of[0], more);
        masks[(d * kForestDigitMasks) * M + q] = ~Words{};
        for (int i = 0; i < 16; ++i) masks[(d * kForestDigitMasks + i + 1) * M + q] = more[i];
      }
    }
  }
}

// The number of the living leaf of each row.
template <int W, int M>
void number_living_leaves(const LivingTree& living, const ForestWorkspace& work, uint8_t* leaf_id) {
  using Words = typename Lanes<W>::Words;
  Words* gaps = reinterpret_cast<Words*>(work.gaps);
  bound_gaps<W, M>(living.n_nodes, gaps);
  for (int32_t i = 0; i < living.n_nodes; ++i) {
    const LivingNode node = living.node[i];
    const ForestRange range = work.ranges[node.column];
    const int digits = n_digits(range);
    const int32_t above_base = node.rank - range.base;
    const int32_t place = above_base < 0 ? 0 : above_base > range.top ? range.top : above_base;
    const Words* masks =
        reinterpret_cast<const Words*>(work.digits) + node.column * kForestDigits * kForestDigitMasks * M;
    const auto from = [&](int d) { return masks + (d * kForestDigitMasks + (place >> (4 * d) & 15)) * M; };
    const Words *b_low = gaps + living.gap[node.low] * M, *b_high = gaps + living.gap[node.high] * M;
    const Words *one = from(0), *two = from(1), *three = from(2), *four = from(3);
    Words* b = gaps + living.gap[2 + i] * M;
    if (digits == 2) {
      for (int q = 0; q < M; ++q) b[q] = b_high[q] | (b_low[q] & (two[M + q] | (two[q] & one[M + q])));
    } else if (digits == 3) {
      for (int q = 0; q < M; ++q)
        b[q] = b_high[q] | (b_low[q] & (three[M + q] | (three[q] & (two[M + q] | (two[q] & one[M + q])))));
    } else {
      for (int q = 0; q < M; ++q) {
        const Words lower = three[M + q] | (three[q] & (two[M + q] | (two[q] & one[M + q])));
        b[q] = b_high[q] | (b_low[q] & (four[M + q] | (four[q] & lower)));
      }
    }
  }
  if (living.n_nodes < 16) {
    number_leaves<W, M, 4>(living.n_nodes, gaps, leaf_id);
  } else if (living.n_nodes < 64) {
    number_leaves<W, M, 6>(living.n_nodes, gaps, leaf_id);
  } else {
    number_leaves<W, M, 8>(living.n_nodes, gaps, leaf_id);
  }
}

// Where the leaf numbers of living trees go: to the sums, or to wait until eight trees can be summed in registers.
template <class Sums>
struct LivingBatch {
  const ForestPlan& plan;
  const ForestWorkspace& work;
  Sums& sums;
  int64_t at, n_rows;

  uint8_t* place() { return work.leaf_id; }
  void add(const ForestTree& tree, const LivingTree& living) {
    if (living.n_nodes == 0)
      for (int64_t r = 0; r < n_rows; ++r) work.leaf_id[r] = 0;
    sums.add_living(tree, living.leaf, living.n_leaves, work.leaf_id, at, n_rows);
  }
  void flush() {}
};

template <>
struct LivingBatch<FixedSums> {
  const ForestPlan& plan;
  const ForestWorkspace& work;
  FixedSums& sums;
  int64_t at, n_rows;
  int64_t n = 0;
  int32_t output = 0, n_bytes = 3;
  alignas(64) uint8_t tables[kForestTreesPerSum][kForestMaxSumBytes][64] = {};

  uint8_t* place() { return work.leaf_id + n * kForestBlock; }

  void add(const ForestTree& tree, const LivingTree& living) {
    if (living.n_nodes == 0 && sums.add_constant(tree, living.leaf[0], at, n_rows)) return;
    uint8_t* id = place();
    if (living.n_nodes == 0)
      for (int64_t r = 0; r < n_rows; ++r) id[r] = 0;
    if (kMaxLookup < 6 || plan.leaf_width > 1 || living.n_leaves > 64) {
      sums.add_living(tree, living.leaf, living.n_leaves, id, at, n_rows);
      return;
    }
    if (n > 0 && tree.output != output) {
      const uint8_t* from = id;
      flush();
      id = place();
      for (int64_t r = 0; r < n_rows; ++r) id[r] = from[r];
    }
    output = tree.output;
    if (tree.n_bytes > n_bytes) n_bytes = tree.n_bytes;
    uint32_t value[64];
    for (int32_t l = 0; l < living.n_leaves; ++l) value[l] = plan.fixed[tree.first_leaf + living.leaf[l]];
    for (int j = 0; j < kForestMaxSumBytes; ++j)
      for (int32_t l = 0; l < living.n_leaves; ++l) tables[n][j][l] = static_cast<uint8_t>(value[l] >> (8 * j));
    if (++n == kForestTreesPerSum) flush();
  }

  void flush() {
    if (n > 0) sums.add_packed(tables, n_bytes, n, output, at, n_rows);
    n = 0;
    n_bytes = 3;
  }
};

}  // namespace gppcore::GPPCORE_ISA::forest
