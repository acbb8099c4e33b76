// Walking node by node, for trees of many leaves and for few rows.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_descend-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

// Keys are integers whose order is that of the numbers: of float in 32 bits, of double in 64.
template <class Key>
struct Walk;
template <>
struct Walk<int32_t> {
  using Number = float;
  using Node = ForestNode32;
  static constexpr int32_t kLast = 0x7fffffff;
  static const Node* nodes(const ForestPlan& plan) { return plan.nodes32; }
  static uint32_t column_bits(const ForestPlan& plan) { return plan.column_bits32; }
};
template <>
struct Walk<int64_t> {
  using Number = double;
  using Node = ForestNode64;
  static constexpr int64_t kLast = 0x7fffffffffffffff;
  static const Node* nodes(const ForestPlan& plan) { return plan.nodes64; }
  static uint32_t column_bits(const ForestPlan& plan) { return plan.column_bits64; }
};

constexpr int32_t kLastCategory = 1 << 30;

// Missing values are the first or the last key. A category is its own key; -1 stands for those below 0.
template <class Key>
GPPCORE_INLINE Key walk_key(const ForestRow& column, typename Walk<Key>::Number x) {
  using Number = typename Walk<Key>::Number;
  constexpr Key kLast = Walk<Key>::kLast;
  if (is_missing(column.kind, x)) return column.missing_high ? kLast : -kLast - 1;
  if (is_category(column.kind)) return category_of(column.kind, x, kLastCategory);
  x = x == 0 ? Number(0) : x;  // minus zero too
  Key bits;
  __builtin_memcpy(&bits, &x, sizeof x);
  return bits ^ (bits >> (8 * sizeof(Key) - 1) & kLast);
}

template <class Key>
GPPCORE_INLINE bool set_goes_right(const ForestPlan& plan, Key set, bool unseen_left, Key key) {
  if (key < -1 || key > kLastCategory) return key > 0;  // missing
  const int64_t begin = plan.set_begin[set], n_bits = 32 * (plan.set_begin[set + 1] - begin);
  if (key < 0 || key >= n_bits) return !unseen_left;
  return !(plan.set_words[begin + key / 32] >> (key % 32) & 1);
}

// N lanes side by side: each goes from a root, with keys of its own, to a leaf.
template <class Key, int N>
GPPCORE_INLINE void walk(const ForestPlan& plan, const typename Walk<Key>::Node* const* roots, const Key* const* keys,
                         int32_t* leaf) {
  using Node = typename Walk<Key>::Node;
  const uint32_t bits = Walk<Key>::column_bits(plan);
  const auto mask = (decltype(Node::word){1} << bits) - 1;
  int64_t at[N] = {};
  bool walking;
  do {
    walking = false;
    for (int i = 0; i < N; ++i) {
      const Node& node = roots[i][at[i]];
      const auto kind = node.word >> bits & 3;
      const Key key = keys[i][node.word & mask];
      bool right = key > node.threshold;
      if (kind >= kForestSet) right = set_goes_right(plan, node.threshold, kind == kForestSetUnseenLeft, key);
      const int64_t next = 2 * static_cast<int64_t>(node.word >> (bits + 2)) + right;
      at[i] = kind == kForestEnd ? at[i] : next;
      walking |= kind != kForestEnd;
    }
  } while (walking);
  for (int i = 0; i < N; ++i) leaf[i] = static_cast<int32_t>(roots[i][at[i]].threshold);
}

constexpr int kWalkers = 16;

// Keys of n rows, row after row.
template <class Key, class T>
void fill_keys(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t step, int64_t n, Key* keys) {
  for (int64_t c = 0; c < plan.n_columns; ++c) {
    const ForestRow& column = plan.columns[c];
    const int64_t f = column.feature, stride = input.strides[f];
    const T* from = input.columns[f] + first * stride + step * input.step_strides[f];
    for (int64_t r = 0; r < n; ++r) keys[r * plan.n_columns + c] = walk_key<Key>(column, from[r * stride]);
  }
}

// The leaves of n rows in one tree, by N lanes in lockstep.
template <class Key>
void walk_tree(const ForestPlan& plan, const ForestTree& tree, const Key* keys, int64_t n, int32_t* leaf) {
  const typename Walk<Key>::Node* roots[kWalkers];
  for (auto& root : roots) root = Walk<Key>::nodes(plan) + tree.root;
  for (int64_t r = 0; r < n; r += kWalkers) {
    const Key* from[kWalkers];
    int32_t found[kWalkers];
    for (int64_t i = 0; i < kWalkers; ++i) from[i] = keys + (r + i < n ? r + i : n - 1) * plan.n_columns;
    walk<Key, kWalkers>(plan, roots, from, found);
    for (int64_t i = 0; i < kWalkers && r + i < n; ++i) leaf[r + i] = found[i];
  }
}

#if defined(__AVX512F__)
// The same without sets, by lanes that each take the next row when they have reached a leaf.
inline void walk_tree_refilled(const ForestPlan& plan, const ForestTree& tree, const int32_t* keys, int64_t n,
                               int32_t* leaf) {
  constexpr int kRegisters = 4;
  const ForestNode32* nodes = plan.nodes32 + tree.root;
  const auto bits = plan.column_bits32;
  const __m512i n_columns = _mm512_set1_epi32(static_cast<int32_t>(plan.n_columns));
  const __m512i column = _mm512_set1_epi32((1 << bits) - 1), end = _mm512_set1_epi32(kForestEnd << bits);
  const __m512i last = _mm512_set1_epi32(static_cast<int32_t>(n - 1)), one = _mm512_set1_epi32(1);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i even = _mm512_slli_epi32(lanes, 1);
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(bits + 2));
  __m512i at[kRegisters], row[kRegisters], from[kRegisters];
  int32_t next_row = 0;
  int64_t n_done = 0;
  for (int j = 0; j < kRegisters; ++j, next_row += 16) {
    at[j] = _mm512_setzero_si512();
    row[j] = _mm512_add_epi32(lanes, _mm512_set1_epi32(next_row));
    from[j] = _mm512_mullo_epi32(_mm512_maskz_min_epi32(0xffff, row[j], last), n_columns);
  }
  while (n_done < n) {
    for (int j = 0; j < kRegisters; ++j) {
      const __m512i lower = _mm512_i32gather_epi64(_mm512_castsi512_si256(at[j]), nodes, 8);
      const __m512i upper = _mm512_i32gather_epi64(_mm512_maskz_extracti64x4_epi64(0xff, at[j], 1), nodes, 8);
      const __m512i threshold = _mm512_permutex2var_epi32(lower, even, upper);
      const __m512i word = _mm512_permutex2var_epi32(lower, _mm512_or_si512(even, one), upper);
      const __m512i key = _mm512_i32gather_epi32(_mm512_add_epi32(from[j], _mm512_and_si512(word, column)), keys, 4);
      const __m512i next = _mm512_slli_epi32(_mm512_srl_epi32(word, shift), 1);
      at[j] = _mm512_mask_add_epi32(next, _mm512_cmpgt_epi32_mask(key, threshold), next, one);
      const __mmask16 ended = _mm512_test_epi32_mask(word, end);
      if (!ended) continue;
      const __mmask16 real = _mm512_mask_cmple_epi32_mask(ended, row[j], last);
      _mm512_mask_i32scatter_epi32(leaf, real, row[j], threshold, 4);
      n_done += __builtin_popcount(real);
      const __m512i more = _mm512_add_epi32(lanes, _mm512_set1_epi32(next_row));
      next_row += __builtin_popcount(ended);
      row[j] = _mm512_mask_expand_epi32(row[j], ended, more);
      from[j] = _mm512_mullo_epi32(_mm512_maskz_min_epi32(0xffff, row[j], last), n_columns);
      at[j] = _mm512_mask_mov_epi32(at[j], ended, _mm512_setzero_si512());
    }
  }
}
#endif

// Trees from n_masked on for the rows of a tile, or of a block of it.
template <class Key, class T, class Sums>
struct Walker {
  const ForestPlan& plan;
  const ForestWorkspace& work;
  Sums& sums;
  bool has_keys = false;

  // One tree for n rows from `at` on of the tile.
  void walk(const ForestTree& tree, const RowsOf<T>& rows, int64_t at) {
    Key* keys = reinterpret_cast<Key*>(work.keys);
    if (!has_keys) fill_keys(plan, rows.input, rows.first, rows.step, rows.n, keys);
    has_keys = true;
    auto find = walk_tree<Key>;
#if defined(__AVX512F__)
    if constexpr (sizeof(Key) == sizeof(int32_t))
      if (!plan.has_sets) find = walk_tree_refilled;
#endif
    find(plan, tree, keys, rows.n, work.walked);
    sums.add_tree(tree, work.walked, at, rows.n);
  }

  void walk_all(const RowsOf<T>& rows, int64_t at) {
    has_keys = false;
    for (int64_t t = plan.n_masked; t < plan.n_trees; ++t) walk(plan.trees[t], rows, at);
  }

  // A block whose digits are made: each tree by its living leaves, or node by node where they are too many.
  template <int M>
  void prune_all(const RowsOf<T>& rows, int64_t at) {
    constexpr int W = GPPCORE_VECTOR_BYTES;
    has_keys = false;
    LivingBatch<Sums> batch{plan, work, sums, at, rows.n};
    LivingTree living;
    for (int64_t t = plan.n_masked; t < plan.n_trees; ++t) {
      const ForestTree& tree = plan.trees[t];
      if (!descend(plan, tree, work.ranges, living)) {
        walk(tree, rows, at);
        continue;
      }
      if (living.n_nodes > 0) number_living_leaves<W, M>(living, work, batch.place());
      batch.add(tree, living);
    }
    batch.flush();
    sums.end_block(at, rows.n);
  }

  // Whether few leaves of most trees are alive in a block whose ranges are known.
  bool is_coherent() const {
    constexpr int64_t kTrials = 4, kFailures = 1;
    LivingTree living;
    int64_t n_failed = 0;
    for (int64_t i = 0; i < kTrials && n_failed <= kFailures; ++i) {
      const int64_t t = plan.n_masked + i * (plan.n_trees - plan.n_masked) / kTrials;
      n_failed += !descend(plan, plan.trees[t], work.ranges, living);
    }
    return n_failed <= kFailures;
  }

  template <int M>
  bool try_block(const RowsOf<T>& rows, int64_t at, bool kept) {
    if (!find_ranges(plan, rows, kept, work.ranges) || !is_coherent()) return false;
    make_digits<GPPCORE_VECTOR_BYTES, M>(plan, rows, kept, work);
    prune_all<M>(rows, at);
    return true;
  }

  // A block by its living leaves, in parts if it has to be; false if it had better be walked.
  bool prune(const RowsOf<T>& rows, int64_t at, bool& kept) {
    constexpr int64_t kPart = 512, kLeast = 64;
    constexpr int kVector = 8 * GPPCORE_VECTOR_BYTES;
    const bool keep = kept;
    kept = false;
    if (rows.n > kForestBlock / 2 && try_block<kForestBlock / kVector>(rows, at, keep)) return kept = true;
    if (rows.n < kLeast) return false;
    for (int64_t from = 0; from < rows.n; from += kPart) {
      const RowsOf<T> part = rows.part(from, rows.n - from < kPart ? rows.n - from : kPart);
      if (try_block<kPart / kVector>(part, at + from, false)) continue;
      if (from == 0) return false;
      walk_all(part, at + from);
    }
    return true;
  }
};

// All rows of a tile. What is walked goes through one tree after the other, so that a tree stays in cache. `kept`: the
// digits of the step before hold for columns that do not change.
template <class Key, class T, class Sums>
void walk_tile(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t step, int64_t n,
               const ForestWorkspace& work, Sums& sums, bool& kept) {
  Walker<Key, T, Sums> walker{plan, work, sums};
  const RowsOf<T> rows{input, first, step, n};
  int64_t at = 0;
  if (plan.ranked) {
    for (; at < n; at += kForestBlock) {
      if (n > kForestBlock) kept = false;  // they are another block's
      const RowsOf<T> block = rows.part(at, n - at < kForestBlock ? n - at : kForestBlock);
      if (!walker.prune(block, at, kept)) break;
    }
  }
  if (at < n) walker.walk_all(rows.part(at, n - at), at);
}

// Few rows: each goes through several trees side by side.
template <class Key, class T, class Sums>
void walk_rows(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t step, int64_t n,
               const ForestWorkspace& work, Sums& sums) {
  Key* keys = reinterpret_cast<Key*>(work.keys);
  fill_keys(plan, input, first, step, n, keys);
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t t = 0; t < plan.n_trees; t += kWalkers) {
      const typename Walk<Key>::Node* roots[kWalkers];
      const Key* from[kWalkers];
      int32_t leaf[kWalkers];
      for (int64_t i = 0; i < kWalkers; ++i) {
        roots[i] = Walk<Key>::nodes(plan) + plan.trees[t + i < plan.n_trees ? t + i : t].root;
        from[i] = keys + r * plan.n_columns;
      }
      walk<Key, kWalkers>(plan, roots, from, leaf);
      for (int64_t i = 0; i < kWalkers && t + i < plan.n_trees; ++i) sums.add_leaf(plan.trees[t + i], leaf[i], r);
    }
  }
}

}  // namespace gppcore::GPPCORE_ISA::forest
