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
#include "forest_sums-inl.hpp"
#include "forest_trees-inl.hpp"
#include "forest_walk-inl.hpp"

namespace gppcore::GPPCORE_ISA {
namespace forest {

// What of the previous step still holds in this one.
struct Reuse {
  bool same_rows;   // as the previous step, so that static features keep their ranks
  bool masks_made;  // and the masks of their conditions
};

template <class T>
bool is_static(const ForestInput<T>& input, const ForestRow& row) {
  return input.step_strides[row.feature] == 0;
}

template <class T>
void rank_block(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t step, int64_t n,
                int64_t n_padded, Reuse reuse, const ForestWorkspace& work) {
  int32_t ranked = -1;
  for (int64_t i = 0; i < plan.n_rows; ++i) {
    const ForestRow& row = plan.rows[i];
    const int32_t f = row.feature;
    if (reuse.same_rows && is_static(input, row)) continue;
    const T* column = input.columns[f] + first * input.strides[f] + step * input.step_strides[f];
    if (ranked != f && row.kind != ForestRowKind::category) {
      rank_column(searches<T>(plan)[f], column, input.strides[f], n, work.ranks);
      ranked = f;
    }
    fill_row(row, column, input.strides[f], n, n_padded, work.ranks, work.rows + i * kForestBlock);
  }
}

template <class T, int W, int M>
void make_group_masks(const ForestPlan& plan, const ForestGroup& group, const ForestInput<T>& input, Reuse reuse,
                      const ForestWorkspace& work) {
  const int64_t first = group.first_condition;
  for (int64_t t = group.tests_begin; t < group.tests_end; ++t) {
    const ForestTests& tests = plan.tests[t];
    if (reuse.masks_made && is_static(input, plan.rows[tests.row])) continue;
    make_masks<W, M>(work.rows + tests.row * kForestBlock, plan.conditions + first, tests.begin - first,
                     tests.end - first, work.masks + kForestSetMasks * W * M);
  }
}

// Trees whose leaf numbers wait to be summed.
template <class Sums>
struct Batch {
  Sums& sums;
  int64_t first, n_rows;
  const ForestTree* trees[kForestTreesPerSum];
  int64_t n = 0;

  bool takes(const ForestTree& tree) const {
    return n < kForestTreesPerSum && (n == 0 || (tree.output == trees[0]->output && tree.levels == trees[0]->levels &&
                                                 tree.n_bytes == trees[0]->n_bytes));
  }
  void flush() {
    if (n > 0) sums.add(trees, n, first, n_rows);
    n = 0;
  }
};

// Adds the masked trees for rows [first, first + n) of the input, which are those from `at` on of the tile.
template <class T, int W, int M, class Sums>
void predict_block(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t at, int64_t n,
                   int64_t step, bool same_rows, const ForestWorkspace& work, Sums& sums) {
  const Reuse reuse{same_rows, same_rows && plan.n_groups == 1};
  rank_block(plan, input, first, step, n, 8 * W * M, reuse, work);
  Batch<Sums> batch{sums, at, n, {}};
  for (int64_t g = 0; g < plan.n_groups; ++g) {
    const ForestGroup& group = plan.groups[g];
    make_group_masks<T, W, M>(plan, group, input, reuse, work);
    for (int64_t t = group.tree_begin; t < group.tree_end; ++t) {
      const ForestTree& tree = plan.trees[t];
      if (!batch.takes(tree)) batch.flush();
      find_leaves<W, M>(plan, tree, work.masks, work.gaps, work.leaf_id + batch.n * kForestBlock);
      batch.trees[batch.n++] = &tree;
    }
  }
  batch.flush();
  sums.end_block(at, n);
}

// Walking beats masks for fewer rows than this.
constexpr int64_t kFewRows = 16;
constexpr int64_t kNarrowBlock = 128;
constexpr int64_t kVectorBlock = 8 * GPPCORE_VECTOR_BYTES;

// The sums of one tile at one step.
template <class T, class Sums>
void predict_tile(const ForestPlan& plan, const ForestInput<T>& input, int64_t first, int64_t n, int64_t step,
                  const ForestWorkspace& work, Sums& sums) {
  constexpr int W = GPPCORE_VECTOR_BYTES;
  const bool short_keys = sizeof(T) == sizeof(int32_t) && plan.nodes32;
  sums.begin(n);
  if (n < kFewRows) {
    if (short_keys)
      walk_rows<int32_t>(plan, input, first, step, n, work, sums);
    else
      walk_rows<int64_t>(plan, input, first, step, n, work, sums);
    return;
  }
  for (int64_t at = 0, m; at < n && plan.n_masked > 0; at += m) {
    const bool same_rows = step > 0 && n <= kNarrowBlock;
    m = n - at;
    if (m > kForestBlock / 2) {
      m = m < kForestBlock ? m : kForestBlock;
      predict_block<T, W, kForestBlock / kVectorBlock>(plan, input, first + at, at, m, step, step > 0 && m == n, work,
                                                       sums);
    } else if (m > kNarrowBlock && kVectorBlock > kNarrowBlock) {
      m = m < kVectorBlock ? m : kVectorBlock;
      predict_block<T, W, 1>(plan, input, first + at, at, m, step, step > 0 && m == n, work, sums);
    } else {
      m = m < kNarrowBlock ? m : kNarrowBlock;
      predict_block<T, 16, 1>(plan, input, first + at, at, m, step, same_rows && m == n, work, sums);
    }
  }
  if (plan.n_masked == plan.n_trees) return;
  if (short_keys)
    walk_tile<int32_t>(plan, input, first, step, n, work, sums);
  else
    walk_tile<int64_t>(plan, input, first, step, n, work, sums);
}

template <class T, class Sums>
void predict(const ForestPlan& plan, const ForestInput<T>& input, int64_t begin, int64_t end, bool raw, T* out,
             const ForestWorkspace& work) {
  const bool linked = !raw && (plan.link != ForestPlanLink::identity || plan.link_scale != 1.0);
  for (int64_t first = begin; first < end; first += plan.tile) {
    const int64_t n = end - first < plan.tile ? end - first : plan.tile;
    for (int64_t step = 0; step < input.n_steps; ++step) {
      Sums sums{plan, work};
      predict_tile(plan, input, first, n, step, work, sums);
      write_rows(plan, work, sums, n, linked, out + (step * input.n_rows + first) * plan.n_outputs);
    }
  }
}

template <class T>
void apply(const ForestPlan& plan, const ForestInput<T>& input, int64_t begin, int64_t end, int32_t* leaves,
           const ForestWorkspace& work) {
  for (int64_t first = begin; first < end; first += plan.tile) {
    const int64_t n = end - first < plan.tile ? end - first : plan.tile;
    LeafNumbers numbers{plan, work, leaves + first * plan.n_trees};
    predict_tile(plan, input, first, n, 0, work, numbers);
  }
}

}  // namespace forest

constexpr ForestKernels forest_kernels{forest::predict<float, forest::FixedSums>,
                                       forest::predict<double, forest::DoubleSums>, forest::apply<float>,
                                       forest::apply<double>};

}  // namespace gppcore::GPPCORE_ISA
