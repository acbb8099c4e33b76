// Prediction without walking: a block of 2048 rows goes through a tree as bit masks, one bit per row.
//
// 1. Rank: every value becomes the number of its feature's thresholds below it, a byte (see ForestRow).
// 2. Conditions: a node asks "rank > k?". All trees together ask few different questions; each is answered once per
//    block, as a mask. A split by category is the exclusive or of such masks.
// 3. Trees: number the gaps between neighbouring leaves 1, 2, ... from the left; every internal node is one gap.
//    Let B[g] = "the row's leaf lies right of gap g". If low and high are the gaps that bound the node's subtree,
//        B[g] = B[high] | (B[low] & condition),   B[0] = all, B[last + 1] = none,
//    parents first: no branch, and one or two operations per node for all rows of a vector.
// 4. Leaf numbers: a row's leaf is the number of gaps it lies right of. Since B[1] >= B[2] >= ..., bit p of that
//    number is the exclusive or of B[2^p], B[2 * 2^p], B[3 * 2^p], ...; the bits are transposed to bytes.
// 5. Sums: of float results in fixed point, leaf values being looked up byte by byte in registers; of double results
//    in double, in the order of the trees (those of at most 256 leaves first, then the walked ones).
//
// In a vector of W bytes, bit i of byte l is row i * W + l of its 8 * W rows: then the bits of eight vectors of byte
// ranks transpose to masks, and leaf numbers to bytes, with no movement across bytes.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_link-inl.hpp"
#include "forest_masks-inl.hpp"
#include "forest_pack-inl.hpp"
#include "forest_prune-inl.hpp"
#include "forest_rank-inl.hpp"
#include "forest_row-inl.hpp"
#include "forest_sums-inl.hpp"
#include "forest_trees-inl.hpp"
#include "forest_walk-inl.hpp"

namespace gppcore::GPPCORE_ISA {
namespace forest {

// What of the previous step still holds in this one, for features that do not change.
struct Kept {
  bool ranks = false;  // and their ranges
  enum { none, mixed, all } masks = none;
  bool digits = false;  // and ranges, of walked trees
};

template <class T>
bool is_static(const ForestInput<T>& input, const ForestRow& row) {
  return input.step_strides[row.feature] == 0;
}

template <class T>
void rank_block(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t step, int64_t n,
                int64_t n_padded, bool kept, const ForestWorkspace& work) {
  int32_t ranked = -1;
  for (int64_t i = 0; i < plan.n_rows; ++i) {
    const ForestRow& row = plan.rows[i];
    const int32_t f = row.feature;
    if (kept && is_static(input, row)) continue;
    const T* column = input.columns[f] + first * input.strides[f] + step * input.step_strides[f];
    if (ranked != f && !is_category(row.kind)) {
      rank_column(searches<T>(plan)[f], column, input.strides[f], n, work.ranks);
      ranked = f;
    }
    uint8_t* bytes = work.rows + i * kForestBlock;
    fill_row(row, column, input.strides[f], n, n_padded, work.ranks, bytes);
    find_range(bytes, n_padded, work.least[i], work.largest[i]);
  }
}

// Trees whose leaf numbers wait to be summed.
template <class Sums>
struct Batch {
  Sums& sums;
  const ForestWorkspace& work;
  int64_t first, n_rows;
  const ForestTree* trees[kForestTreesPerSum] = {};
  int64_t n = 0;

  // Where the leaf numbers of a tree go.
  uint8_t* place(const ForestTree& tree) {
    if (n == kForestTreesPerSum || (n > 0 && (tree.output != trees[0]->output || tree.levels != trees[0]->levels ||
                                              tree.n_bytes != trees[0]->n_bytes)))
      flush();
    return work.leaf_id + n * kForestBlock;
  }
  void add(const ForestTree& tree) { trees[n++] = &tree; }
  void flush() {
    if (n > 0) sums.add(trees, n, first, n_rows);
    n = 0;
  }
};

// Rows [first, first + n) of the input at one step, which are those from `at` on of the tile.
template <class T, int W, int M, class Sums>
struct Block {
  const ForestPlan& plan;
  const ForestInput<T>& input;
  const ForestWorkspace& work;
  Sums& sums;
  Kept& kept;
  int64_t n, at;
  Batch<Sums> batch;

  void make_group_masks(const ForestGroup& group, bool only_mixed) {
    for (int64_t t = group.tests_begin; t < group.tests_end; ++t) {
      const ForestTests& tests = plan.tests[t];
      const auto made = is_static(input, plan.rows[tests.row]) ? kept.masks : Kept::none;
      if (made == Kept::all || (made == Kept::mixed && only_mixed)) continue;
      Mixed range{tests.begin, tests.end};
      if (only_mixed) range = find_mixed(plan.conditions, tests, work);
      make_masks<W, M>(work.rows + tests.row * kForestBlock, plan.conditions + group.first_condition,
                       range.begin - group.first_condition, range.end - group.first_condition,
                       work.masks + kForestSetMasks * W * M);
    }
    if (plan.n_groups > 1) return;
    kept.masks = !only_mixed ? Kept::all : kept.masks == Kept::all ? Kept::all : Kept::mixed;
  }

  // Adds trees from `t` on while few of their nodes are alive; returns where it stopped.
  int64_t add_pruned(int64_t t, int64_t end) {
#if defined(__AVX512VBMI__)
    if constexpr (kPacks<Sums>) {
      if (plan.row_trees && plan.leaf_width == 1) {
        batch.flush();
        return add_packed<M>(plan, work, sums, t, end, at, n);
      }
    }
#endif
    int64_t n_alive = 0, n_nodes = 0, n_tried = 0;
    while (t < end) {
      const ForestTree& tree = plan.trees[t++];
      uint8_t* leaf_id = batch.place(tree);
      int32_t only_leaf = 0;
      const int32_t alive = find_living_leaves<W, M>(plan, tree, work, leaf_id, only_leaf);
      if (alive > 0 || !sums.add_constant(tree, only_leaf, at, n)) {
        for (int64_t r = 0; alive == 0 && r < 8 * W * M; ++r) leaf_id[r] = static_cast<uint8_t>(only_leaf);
        batch.add(tree);
      }
      n_alive += alive;
      n_nodes += tree.n_steps;
      if (++n_tried % kTreesPerTrial == 0 && 10 * n_alive > kMostAlive * n_nodes) break;
    }
    return t;
  }

  void add_trees() {
    for (int64_t g = 0; g < plan.n_groups; ++g) {
      const ForestGroup& group = plan.groups[g];
      int64_t t = group.tree_begin;
      if constexpr (kPrunes && W == GPPCORE_VECTOR_BYTES) {
        if (10 * count_mixed(plan, group, work) < kMostAlive * group.n_conditions) {
          if (!plan.row_trees) decide(plan, group, work);
          make_group_masks(group, true);
          t = add_pruned(t, group.tree_end);
        }
      }
      if (t == group.tree_end) continue;
      make_group_masks(group, false);
      for (; t < group.tree_end; ++t) {
        const ForestTree& tree = plan.trees[t];
        find_leaves<W, M>(plan, tree, work.masks, work.gaps, batch.place(tree));
        batch.add(tree);
      }
    }
    batch.flush();
    sums.end_block(at, n);
  }
};

template <class T, int W, int M, class Sums>
void predict_block(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t at, int64_t n,
                   int64_t step, const ForestWorkspace& work, Sums& sums, Kept& kept) {
  rank_block(plan, input, first, step, n, 8 * W * M, kept.ranks, work);
  Block<T, W, M, Sums>{plan, input, work, sums, kept, n, at, {sums, work, at, n}}.add_trees();
}

constexpr int64_t kFewRows = 6;         // walking beats masks for fewer
constexpr int64_t kFewRankedRows = 32;  // as predict_rows does
constexpr int64_t kNarrowBlock = 128;
constexpr int64_t kVectorBlock = 8 * GPPCORE_VECTOR_BYTES;

// Adds all trees for n rows from `first` on at one step. docs/kernels.md has the table of paths.
template <class T, class Sums>
void predict_tile(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t n, int64_t step,
                  const ForestWorkspace& work, Sums& sums, Kept& kept) {
  constexpr int W = GPPCORE_VECTOR_BYTES;
  const bool short_keys = sizeof(T) == sizeof(int32_t) && plan.nodes32;
  sums.begin(n);
  if (n < kFewRankedRows && plan.row_trees) return predict_rows(plan, input, first, step, n, work, sums);
  if (n < kFewRows) {
    const auto walk = short_keys ? walk_rows<int32_t, T, Sums> : walk_rows<int64_t, T, Sums>;
    return walk(plan, input, first, step, n, work, sums);
  }
  for (int64_t at = 0, m; at < n && plan.n_masked > 0; at += m) {
    m = n - at;
    if (m > kForestBlock / 2) {
      m = m < kForestBlock ? m : kForestBlock;
      predict_block<T, W, kForestBlock / kVectorBlock>(plan, input, first + at, at, m, step, work, sums, kept);
    } else if (m > kNarrowBlock && kVectorBlock > kNarrowBlock) {
      m = m < kVectorBlock ? m : kVectorBlock;
      predict_block<T, W, 1>(plan, input, first + at, at, m, step, work, sums, kept);
    } else {
      m = m < kNarrowBlock ? m : kNarrowBlock;
      predict_block<T, 16, 1>(plan, input, first + at, at, m, step, work, sums, kept);
    }
    kept.ranks = m == n;
    if (m != n) kept.masks = Kept::none;
  }
  if (plan.n_masked == plan.n_trees) return;
  const auto walk = short_keys ? walk_tile<int32_t, T, Sums> : walk_tile<int64_t, T, Sums>;
  walk(plan, input, first, step, n, work, sums, kept.digits);
}

// Ranks of static columns are kept from step to step in tiles of one block.
template <class T>
int64_t rows_per_tile(const ForestPlan& plan, const ForestInput<T>& input) {
  return input.n_steps > 1 ? kForestBlock : plan.tile;
}

template <class T, class Sums>
void predict(const ForestPlan& plan, const ForestInput<T>& input, int64_t begin, int64_t end, bool raw, T* out,
             const ForestWorkspace& work) {
  const bool linked = !raw && (plan.link != ForestPlanLink::identity || plan.link_scale != 1.0);
  const int64_t tile = rows_per_tile(plan, input);
  for (int64_t first = begin; first < end; first += tile) {
    const int64_t n = end - first < tile ? end - first : tile;
    Kept kept;
    for (int64_t step = 0; step < input.n_steps; ++step) {
      Sums sums{plan, work};
      predict_tile(plan, input, first, n, step, work, sums, kept);
      write_rows(plan, work, sums, n, linked, out + (step * input.n_rows + first) * plan.n_outputs);
    }
  }
}

template <class T>
void apply(const ForestPlan& plan, const ForestInput<T>& input, int64_t begin, int64_t end, int32_t* leaves,
           const ForestWorkspace& work) {
  for (int64_t first = begin; first < end; first += plan.tile) {
    const int64_t n = end - first < plan.tile ? end - first : plan.tile;
    Kept kept;
    LeafNumbers numbers{plan, work, leaves + first * plan.n_trees};
    predict_tile(plan, input, first, n, 0, work, numbers, kept);
  }
}

}  // namespace forest

constexpr ForestKernels forest_kernels{forest::kUsesRowTrees, forest::predict<float, forest::FixedSums>,
                                       forest::predict<double, forest::DoubleSums>, forest::apply<float>,
                                       forest::apply<double>};

}  // namespace gppcore::GPPCORE_ISA
