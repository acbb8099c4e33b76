// What becomes of leaf numbers: sums of leaves in fixed point (float results), in double, or the numbers themselves.
// Each kind offers the same functions: begin a tile, add up to 8 trees for a block, one leaf for one row.
#pragma once
#include <cstdint>

#include "forest.hpp"
#include "forest_lanes-inl.hpp"

namespace gppcore::GPPCORE_ISA::forest {

template <class T>
const T* leaves_of(const ForestPlan& plan, const T* leaves, const ForestTree& tree, int64_t k) {
  return leaves + tree.first_leaf * plan.leaf_width + k * tree.n_leaves;
}

// Adds the leaves of K trees in registers: each byte of a leaf value is looked up, and added to two sums of 16 bits
// per pair of rows. The first has both rows' bytes, the second the upper row's, so that they can be told apart.
template <int Levels, int NBytes, int K>
void add_bytes(const uint8_t* const* tables, int64_t plane, const uint8_t* leaf_id, int64_t n_rows, uint16_t* shorts) {
  for (int64_t r = 0; r < n_rows; r += GPPCORE_VECTOR_BYTES) {
    Shorts* to = reinterpret_cast<Shorts*>(shorts + r * kForestMaxSumBytes);
    Shorts sum[2 * NBytes];
    for (int j = 0; j < 2 * NBytes; ++j) sum[j] = to[j];
    for (int k = 0; k < K; ++k) {
      const Bytes index = *reinterpret_cast<const Bytes*>(leaf_id + k * kForestBlock + r);
      for (int j = 0; j < NBytes; ++j) {
        const Shorts value = (Shorts)look_up<Levels>(tables[k] + j * plane, index);
        sum[2 * j] += value;
        sum[2 * j + 1] += value >> 8;
      }
    }
    for (int j = 0; j < 2 * NBytes; ++j) to[j] = sum[j];
  }
}

template <int Levels>
void add_bytes(int32_t n_bytes, int64_t n_trees, const uint8_t* const* tables, int64_t plane, const uint8_t* leaf_id,
               int64_t n_rows, uint16_t* shorts) {
  constexpr int kWhole = kForestTreesPerSum;
  if constexpr (Levels <= kMaxLookup) {
    if (n_trees == kWhole) {
      const auto add = n_bytes == 3 ? add_bytes<Levels, 3, kWhole> : add_bytes<Levels, 4, kWhole>;
      add(tables, plane, leaf_id, n_rows, shorts);
      return;
    }
    const auto add = n_bytes == 3 ? add_bytes<Levels, 3, 1> : add_bytes<Levels, 4, 1>;
    for (int64_t k = 0; k < n_trees; ++k) add(tables + k, plane, leaf_id + k * kForestBlock, n_rows, shorts);
  }
}

struct FixedSums {
  const ForestPlan& plan;
  const ForestWorkspace& work;
  uint32_t* sums;
  int64_t held = 0;       // trees in `shorts`
  uint32_t constant = 0;  // to be added to all rows of the block
  int32_t output = 0;     // of both

  FixedSums(const ForestPlan& p, const ForestWorkspace& w)
      : plan(p), work(w), sums(reinterpret_cast<uint32_t*>(w.sums)) {}

  void begin(int64_t n_rows) {
    for (int64_t k = 0; k < plan.n_outputs; ++k)
      for (int64_t r = 0; r < n_rows; ++r) sums[k * plan.tile + r] = 0;
  }

  void add(const ForestTree* const* trees, int64_t n_trees, int64_t first, int64_t n_rows) {
    const ForestTree& tree = *trees[0];
    if (tree.levels > kMaxLookup) {
      add_each(trees, n_trees, first, n_rows);
      return;
    }
    hold(n_trees, tree.output, first, n_rows);
    const uint8_t* tables[kForestTreesPerSum];
    for (int64_t k = 0; k < plan.leaf_width; ++k) {
      for (int64_t i = 0; i < n_trees; ++i)
        tables[i] = plan.tables + trees[i]->tables + k * forest_table_size(trees[i]->n_leaves);
      uint16_t* shorts = work.shorts + k * kForestBlock * kForestMaxSumBytes;
      const auto add_levels = tree.levels == 6 ? add_bytes<6> : tree.levels == 7 ? add_bytes<7> : add_bytes<8>;
      add_levels(tree.n_bytes, n_trees, tables, plan.plane_bytes, work.leaf_id, n_rows, shorts);
    }
  }

  // Leaf numbers of six bits that have tables of their own.
  void add_packed(const uint8_t (*tables)[kForestMaxSumBytes][64], int32_t n_bytes, int64_t n, int32_t to,
                  int64_t first, int64_t n_rows) {
    hold(n, to, first, n_rows);
    const uint8_t* table[kForestTreesPerSum];
    for (int64_t i = 0; i < n; ++i) table[i] = tables[i][0];
    add_bytes<6>(n_bytes, n, table, 64, work.leaf_id, n_rows, work.shorts);
  }

  // Makes room for n more bytes in the sums of 16 bits, which hold 256.
  void hold(int64_t n, int32_t to, int64_t first, int64_t n_rows) {
    if (held + n > 256 || to != output) end_block(first, n_rows);
    if (held == 0) clear(n_rows);
    output = to;
    held += n;
  }

  void add_each(const ForestTree* const* trees, int64_t n_trees, int64_t first, int64_t n_rows) {
    const uint8_t* id = work.leaf_id;
    for (int64_t k = 0; k < plan.leaf_width; ++k) {
      uint32_t* to = sums + (trees[0]->output + k) * plan.tile + first;
      const uint32_t* leaf[kForestTreesPerSum];
      for (int64_t i = 0; i < n_trees; ++i) leaf[i] = leaves_of(plan, plan.fixed, *trees[i], k);
      if (n_trees == kForestTreesPerSum) {
        for (int64_t r = 0; r < n_rows; ++r) {
          uint32_t sum = to[r];
          for (int64_t i = 0; i < kForestTreesPerSum; ++i) sum += leaf[i][id[i * kForestBlock + r]];
          to[r] = sum;
        }
      } else {
        for (int64_t i = 0; i < n_trees; ++i)
          for (int64_t r = 0; r < n_rows; ++r) to[r] += leaf[i][id[i * kForestBlock + r]];
      }
    }
  }

  void clear(int64_t n_rows) {
    const int64_t n = (n_rows + GPPCORE_VECTOR_BYTES - 1) / GPPCORE_VECTOR_BYTES * GPPCORE_VECTOR_BYTES;
    for (int64_t k = 0; k < plan.leaf_width; ++k)
      for (int64_t i = 0; i < n * kForestMaxSumBytes; ++i) work.shorts[k * kForestBlock * kForestMaxSumBytes + i] = 0;
  }

  // Brings the sums of 16 bits home.
  void end_block(int64_t first, int64_t n_rows) {
    constexpr int64_t kPairs = GPPCORE_VECTOR_BYTES / 2;
    for (int64_t k = 0; held > 0 && k < plan.leaf_width; ++k) {
      for (int64_t r = 0; r < n_rows; r += GPPCORE_VECTOR_BYTES) {
        const uint16_t* from = work.shorts + (k * kForestBlock + r) * kForestMaxSumBytes;
        uint32_t* to = sums + (output + k) * plan.tile + first + r;
        uint32_t lower[kPairs] = {}, upper[kPairs] = {};  // apart, so that compilers use vectors
        for (int j = 0; j < kForestMaxSumBytes; ++j, from += 2 * kPairs) {
          for (int64_t i = 0; i < kPairs; ++i) {
            const uint16_t one = from[kPairs + i];
            lower[i] += static_cast<uint32_t>(static_cast<uint16_t>(from[i] - (one << 8))) << (8 * j);
            upper[i] += static_cast<uint32_t>(one) << (8 * j);
          }
        }
        for (int64_t i = 0; i < kPairs; ++i) {
          to[2 * i] += lower[i];
          to[2 * i + 1] += upper[i];
        }
      }
    }
    const uint32_t same = constant;
    uint32_t* to = sums + output * plan.tile + first;
    if (same != 0)
      for (int64_t r = 0; r < n_rows; ++r) to[r] += same;
    held = 0;
    constant = 0;
  }

  // One leaf for all rows of a block; false if it has to be added row by row.
  bool add_constant(const ForestTree& tree, int32_t leaf, int64_t first, int64_t n_rows) {
    if (plan.leaf_width != 1) return false;
    if (tree.output != output) end_block(first, n_rows);
    output = tree.output;
    constant += plan.fixed[tree.first_leaf + leaf];
    return true;
  }

  // The leaves of several trees for one row.
  void add_row(const ForestTree* trees, int64_t n_trees, const uint8_t* leaf, int64_t row) {
    for (int64_t t = 0; t < n_trees;) {
      const int32_t to = trees[t].output;
      if (plan.leaf_width != 1) {
        add_leaf(trees[t], leaf[t], row);
        ++t;
        continue;
      }
      int64_t end = plan.n_outputs == 1 ? n_trees : t + 1;
      while (end < n_trees && trees[end].output == to) ++end;
      uint32_t sum = 0;
      for (; t < end; ++t) sum += plan.fixed[plan.first_leaf[t] + leaf[t]];
      sums[to * plan.tile + row] += sum;
    }
  }

  // Leaves of n rows in one tree, by their numbers among its living leaves.
  void add_living(const ForestTree& tree, const int32_t* leaf, int32_t n_leaves, const uint8_t* id, int64_t first,
                  int64_t n_rows) {
    uint32_t value[kForestMaxMaskedLeaves];
    for (int64_t k = 0; k < plan.leaf_width; ++k) {
      const uint32_t* from = leaves_of(plan, plan.fixed, tree, k);
      for (int32_t l = 0; l < n_leaves; ++l) value[l] = from[leaf[l]];
      uint32_t* to = sums + (tree.output + k) * plan.tile + first;
      for (int64_t r = 0; r < n_rows; ++r) to[r] += value[id[r]];
    }
  }

  // The leaves of rows from `first` on in one tree.
  void add_tree(const ForestTree& tree, const int32_t* leaf, int64_t first, int64_t n_rows) {
    for (int64_t k = 0; k < plan.leaf_width; ++k) {
      uint32_t* to = sums + (tree.output + k) * plan.tile + first;
      const uint32_t* value = leaves_of(plan, plan.fixed, tree, k);
      for (int64_t r = 0; r < n_rows; ++r) to[r] += value[leaf[r]];
    }
  }

  void add_leaf(const ForestTree& tree, int32_t leaf, int64_t row) {
    for (int64_t k = 0; k < plan.leaf_width; ++k)
      sums[(tree.output + k) * plan.tile + row] += leaves_of(plan, plan.fixed, tree, k)[leaf];
  }

  double raw(int64_t k, int64_t row) const {
    return plan.bias[k] + static_cast<double>(sums[k * plan.tile + row]) * plan.quantum[k];
  }
};

struct DoubleSums {
  const ForestPlan& plan;
  const ForestWorkspace& work;

  void begin(int64_t n_rows) {
    for (int64_t k = 0; k < plan.n_outputs; ++k)
      for (int64_t r = 0; r < n_rows; ++r) work.sums[k * plan.tile + r] = plan.base[k];
  }

  void add(const ForestTree* const* trees, int64_t n_trees, int64_t first, int64_t n_rows) {
    const uint8_t* id = work.leaf_id;
    for (int64_t k = 0; k < plan.leaf_width; ++k) {
      double* to = work.sums + (trees[0]->output + k) * plan.tile + first;
      const double* leaf[kForestTreesPerSum];
      for (int64_t i = 0; i < n_trees; ++i) leaf[i] = leaves_of(plan, plan.leaves, *trees[i], k);
      if (n_trees == kForestTreesPerSum) {
        for (int64_t r = 0; r < n_rows; ++r) {
          double sum = to[r];
          for (int64_t i = 0; i < kForestTreesPerSum; ++i) sum += leaf[i][id[i * kForestBlock + r]];
          to[r] = sum;
        }
      } else {
        for (int64_t i = 0; i < n_trees; ++i)
          for (int64_t r = 0; r < n_rows; ++r) to[r] += leaf[i][id[i * kForestBlock + r]];
      }
    }
  }

  void end_block(int64_t, int64_t) {}
  bool add_constant(const ForestTree&, int32_t, int64_t, int64_t) { return false; }  // for the order of sums

  void add_row(const ForestTree* trees, int64_t n_trees, const uint8_t* leaf, int64_t row) {
    for (int64_t t = 0; t < n_trees; ++t) add_leaf(trees[t], leaf[t], row);
  }

  void add_living(const ForestTree& tree, const int32_t* leaf, int32_t n_leaves, const uint8_t* id, int64_t first,
                  int64_t n_rows) {
    double value[kForestMaxMaskedLeaves];
    for (int64_t k = 0; k < plan.leaf_width; ++k) {
      const double* from = leaves_of(plan, plan.leaves, tree, k);
      for (int32_t l = 0; l < n_leaves; ++l) value[l] = from[leaf[l]];
      double* to = work.sums + (tree.output + k) * plan.tile + first;
      for (int64_t r = 0; r < n_rows; ++r) to[r] += value[id[r]];
    }
  }

  void add_tree(const ForestTree& tree, const int32_t* leaf, int64_t first, int64_t n_rows) {
    for (int64_t k = 0; k < plan.leaf_width; ++k) {
      double* to = work.sums + (tree.output + k) * plan.tile + first;
      const double* value = leaves_of(plan, plan.leaves, tree, k);
      for (int64_t r = 0; r < n_rows; ++r) to[r] += value[leaf[r]];
    }
  }

  void add_leaf(const ForestTree& tree, int32_t leaf, int64_t row) {
    for (int64_t k = 0; k < plan.leaf_width; ++k)
      work.sums[(tree.output + k) * plan.tile + row] += leaves_of(plan, plan.leaves, tree, k)[leaf];
  }

  double raw(int64_t k, int64_t row) const { return work.sums[k * plan.tile + row]; }
};

struct LeafNumbers {
  const ForestPlan& plan;
  const ForestWorkspace& work;
  int32_t* leaves;  // of the first row of the tile

  void begin(int64_t) {}

  void add(const ForestTree* const* trees, int64_t n_trees, int64_t first, int64_t n_rows) {
    for (int64_t i = 0; i < n_trees; ++i)
      for (int64_t r = 0; r < n_rows; ++r) add_leaf(*trees[i], work.leaf_id[i * kForestBlock + r], first + r);
  }

  void end_block(int64_t, int64_t) {}
  bool add_constant(const ForestTree&, int32_t, int64_t, int64_t) { return false; }

  void add_row(const ForestTree* trees, int64_t n_trees, const uint8_t* leaf, int64_t row) {
    for (int64_t t = 0; t < n_trees; ++t) add_leaf(trees[t], leaf[t], row);
  }

  void add_living(const ForestTree& tree, const int32_t* leaf, int32_t, const uint8_t* id, int64_t first,
                  int64_t n_rows) {
    for (int64_t r = 0; r < n_rows; ++r) add_leaf(tree, leaf[id[r]], first + r);
  }

  void add_tree(const ForestTree& tree, const int32_t* leaf, int64_t first, int64_t n_rows) {
    for (int64_t r = 0; r < n_rows; ++r) add_leaf(tree, leaf[r], first + r);
  }

  void add_leaf(const ForestTree& tree, int32_t leaf, int64_t row) {
    leaves[row * plan.n_trees + plan.tree_number[&tree - plan.trees]] = plan.leaf_number[tree.first_leaf + leaf];
  }
};

}  // namespace gppcore::GPPCORE_ISA::forest
