// Prediction without walking: a block of 512 rows goes through a tree as bit masks, one bit per row.
//
// 1. Rank: every value becomes the number of its feature's thresholds below it, a byte (see ForestFeature).
// 2. Conditions: a node asks "rank > k?". All trees together ask few different questions; each is answered
// once
//    per block, as a mask of 512 bits.
// 3. Trees: number the gaps between neighbouring leaves 1, 2, ... from the left; every internal node is one
// gap.
//    Let B[g] = "the row's leaf lies right of gap g". If low and high are the gaps that bound the node's
//    subtree,
//        B[g] = B[high] | (B[low] & condition),   B[0] = all, B[last + 1] = none,
//    parents first: two operations per node for 512 rows, and no branch.
// 4. Leaf numbers: a row's leaf is the number of gaps it lies right of. Since B[1] >= B[2] >= ..., bit p of
// that
//    number is the exclusive or of B[2^p], B[2 * 2^p], B[3 * 2^p], ...; the bits are transposed to bytes.
// 5. Sum: leaf values are looked up and added in double, tree after tree, which is the order of a plain walk.
//
// Bit i of byte l of a mask is row i * 64 + l: comparing eight vectors of byte ranks then fills a mask with
// no movement across lanes, and the transposed leaf numbers come out in the order of the rows. Few rows, and
// trees of more than 256 leaves, are walked node by node, several rows at a time.
#include <cstdint>

#include "forest.hpp"

namespace gppcore::GPPCORE_ISA {
namespace forest {

typedef int8_t Ranks __attribute__((vector_size(GPPCORE_VECTOR_BYTES), may_alias));
typedef uint8_t Bytes __attribute__((vector_size(GPPCORE_VECTOR_BYTES), may_alias));
typedef uint64_t Words __attribute__((vector_size(GPPCORE_VECTOR_BYTES), may_alias));
constexpr int kVectors = kForestMaskBytes / GPPCORE_VECTOR_BYTES;  // per mask
constexpr int kSearches = 16;                                      // binary searches that run side by side
constexpr int kWalkers = 8;                                        // rows that walk side by side

template <class T>
void rank_column(const ForestFeature& feature, const T* column, int64_t stride, int64_t n, int8_t* ranks) {
  const double* thresholds = feature.thresholds;
  for (int64_t r0 = 0; r0 < n; r0 += kSearches) {
    double x[kSearches];
    int32_t rank[kSearches];
    for (int i = 0; i < kSearches; ++i) {
      const int64_t r = r0 + i < n ? r0 + i : n - 1;
      x[i] = static_cast<double>(column[r * stride]);
      rank[i] = 0;
    }
    for (int32_t step = 1 << feature.levels >> 1; step > 0; step >>= 1)
      for (int i = 0; i < kSearches; ++i) rank[i] += thresholds[rank[i] + step - 1] < x[i] ? step : 0;
    for (int32_t k = 0; k < feature.n_chunks; ++k) {
      int8_t* row = ranks + 2 * k * kForestBlock + r0;
      const int32_t first = k * static_cast<int32_t>(kForestRanksPerRow);
      for (int i = 0; i < kSearches; ++i) {
        const int32_t local = rank[i] - first;
        const int32_t cut = local < 0 ? 0 : (local > 255 ? 255 : local);
        row[i] = static_cast<int8_t>(cut - 128);
        row[i + kForestBlock] = static_cast<int8_t>(x[i] == x[i] ? cut - 128 : 127);
      }
    }
  }
}

inline void make_masks(const ForestPlan& plan, const ForestGroup& group, const ForestWorkspace& work) {
  for (int64_t t = group.tests_begin; t < group.tests_end; ++t) {
    const ForestRankTests& tests = plan.tests[t];
    const int64_t first = plan.tests[group.tests_begin].begin;
    for (int q = 0; q < kVectors; ++q) {
      Ranks rank[8];
      for (int i = 0; i < 8; ++i)
        rank[i] = *reinterpret_cast<const Ranks*>(work.ranks + tests.rank_row * kForestBlock + i * kForestMaskBytes +
                                                  q * GPPCORE_VECTOR_BYTES);
      for (int64_t c = tests.begin; c < tests.end; ++c) {
        const Ranks than = plan.condition_ranks[c] - Ranks{};
        Bytes mask{};
        for (int i = 7; i >= 0; --i) mask = mask + mask - (Bytes)(rank[i] > than);  // true is -1
        *reinterpret_cast<Bytes*>(work.masks + (c - first) * kForestMaskBytes + q * GPPCORE_VECTOR_BYTES) = mask;
      }
    }
  }
}

// Transposes an 8 x 8 bit matrix in each byte lane: bit j of plane[i] changes places with bit i of plane[j].
inline void transpose_bits(Words* plane) {
  constexpr uint64_t kLow[3] = {0x5555555555555555u, 0x3333333333333333u, 0x0f0f0f0f0f0f0f0fu};
  for (int level = 2; level >= 0; --level) {
    const int s = 1 << level;
    for (int i = 0; i < 8; ++i) {
      if (i & s) continue;
      const Words swap = ((plane[i] >> s) ^ plane[i + s]) & kLow[level];
      plane[i + s] ^= swap;
      plane[i] ^= swap << s;
    }
  }
}

inline void find_leaves(const ForestPlan& plan, const ForestTree& tree, const ForestWorkspace& work, uint8_t* leaf_id) {
  Words* gaps = reinterpret_cast<Words*>(work.gaps);
  const Words* masks = reinterpret_cast<const Words*>(work.masks);
  const ForestStep* steps = plan.steps + tree.first_step;
  for (int q = 0; q < kVectors; ++q) {
    gaps[q] = ~Words{};
    gaps[(tree.n_steps + 1) * kVectors + q] = Words{};
  }
  for (int32_t s = 0; s < tree.n_steps; ++s) {
    const ForestStep step = steps[s];
    for (int q = 0; q < kVectors; ++q)
      gaps[step.gap * kVectors + q] =
          gaps[step.high * kVectors + q] | (gaps[step.low * kVectors + q] & masks[step.condition * kVectors + q]);
  }
  for (int q = 0; q < kVectors; ++q) {
    Words plane[8], bits{};
    for (int p = 7; p >= 0; --p) {
      for (int32_t g = 1 << p; g <= tree.n_steps; g += 2 << p) bits ^= gaps[g * kVectors + q];
      plane[p] = bits;
    }
    transpose_bits(plane);
    for (int i = 0; i < 8; ++i)
      *reinterpret_cast<Words*>(leaf_id + i * kForestMaskBytes + q * GPPCORE_VECTOR_BYTES) = plane[i];
  }
}

inline void add_leaves(const double* const* leaves, int64_t n_trees, const uint8_t* leaf_id, double* sums) {
  if (n_trees == kForestTreesPerSum) {
    for (int64_t r = 0; r < kForestBlock; ++r) {
      double sum = sums[r];
      for (int64_t k = 0; k < kForestTreesPerSum; ++k) sum += leaves[k][leaf_id[k * kForestBlock + r]];
      sums[r] = sum;
    }
  } else {
    for (int64_t k = 0; k < n_trees; ++k)
      for (int64_t r = 0; r < kForestBlock; ++r) sums[r] += leaves[k][leaf_id[k * kForestBlock + r]];
  }
}

template <class T>
void walk(const ForestPlan& plan, const ForestTree& tree, const T* const* columns, const int64_t* strides,
          int64_t first_row, int64_t n, double* sums) {
  for (int64_t r0 = 0; r0 < n; r0 += kWalkers) {
    const int n_walkers = n - r0 < kWalkers ? static_cast<int>(n - r0) : kWalkers;
    int64_t at[kWalkers];
    for (int i = 0; i < n_walkers; ++i) at[i] = tree.root;
    int64_t moved;
    do {
      moved = 0;
      for (int i = 0; i < n_walkers; ++i) {
        const ForestNode& node = plan.nodes[at[i]];
        const double x = static_cast<double>(columns[node.feature][(first_row + r0 + i) * strides[node.feature]]);
        const int right = (x > node.threshold) | ((x != x) & node.missing_right);  // no branch to mispredict
        const int64_t next = node.child[right];
        moved |= next ^ at[i];
        at[i] = next;
      }
    } while (moved);
    for (int i = 0; i < n_walkers; ++i) sums[r0 + i] += plan.nodes[at[i]].threshold;
  }
}

template <class T>
void predict_block(const ForestPlan& plan, const T* const* columns, const int64_t* strides, int64_t first_row,
                   int64_t n, const ForestWorkspace& work) {
  for (int64_t f = 0; f < plan.n_features; ++f) {
    const ForestFeature& feature = plan.features[f];
    if (feature.n_chunks > 0)
      rank_column(feature, columns[f] + first_row * strides[f], strides[f], n,
                  work.ranks + feature.rank_row * kForestBlock);
  }
  for (int64_t g = 0; g < plan.n_groups; ++g) {
    const ForestGroup& group = plan.groups[g];
    make_masks(plan, group, work);
    const double* leaves[kForestTreesPerSum];
    int64_t held = 0;
    for (int64_t t = group.tree_begin; t < group.tree_end; ++t) {
      const ForestTree& tree = plan.trees[t];
      if (tree.n_steps >= 0) {
        find_leaves(plan, tree, work, work.leaf_id + held * kForestBlock);
        leaves[held++] = plan.leaves + tree.first_leaf;
      }
      if (held == kForestTreesPerSum || tree.n_steps < 0 || t + 1 == group.tree_end) {
        add_leaves(leaves, held, work.leaf_id, work.sums);
        held = 0;
      }
      if (tree.n_steps < 0) walk(plan, tree, columns, strides, first_row, n, work.sums);
    }
  }
}

template <class T>
void predict(const ForestPlan& plan, const T* const* columns, const int64_t* strides, int64_t begin, int64_t end,
             T* out, const ForestWorkspace& work) {
  for (int64_t first = begin; first < end; first += kForestBlock) {
    const int64_t n = end - first < kForestBlock ? end - first : kForestBlock;
    for (int64_t r = 0; r < kForestBlock; ++r) work.sums[r] = plan.base;
    if (n < kForestFewRows) {
      for (int64_t t = 0; t < plan.n_trees; ++t) walk(plan, plan.trees[t], columns, strides, first, n, work.sums);
    } else {
      predict_block(plan, columns, strides, first, n, work);
    }
    for (int64_t r = 0; r < n; ++r) out[first + r] = static_cast<T>(work.sums[r]);
  }
}

}  // namespace forest

constexpr ForestKernels forest_kernels{forest::predict<float>, forest::predict<double>};

}  // namespace gppcore::GPPCORE_ISA
