// What the forest kernels of one instruction set offer. Plain types only: this is included by the ISA files.
// forest-inl.hpp explains the method; src/forest.cpp prepares the plan.
#pragma once
#include <cstdint>

namespace gppcore {

constexpr int64_t kForestBlock = 512;  // rows that are predicted together
constexpr int64_t kForestMaskBytes = kForestBlock / 8;
constexpr int64_t kForestFewRows = 16;           // with fewer rows than this, walking is faster
constexpr int64_t kForestMaxMaskedLeaves = 256;  // leaf numbers are bytes
constexpr int64_t kForestMaxConditions = 8192;   // per group: their masks fill half a second-level cache
constexpr int64_t kForestRanksPerRow = 255;      // thresholds that ranks in one byte can tell apart
constexpr int64_t kForestTreesPerSum = 4;        // trees whose leaf numbers are held before they are summed

// A node to walk from: x <= threshold goes to child[0]. A leaf is its own child, with its value in
// `threshold`.
struct ForestNode {
  double threshold;
  int32_t feature, missing_right;
  int32_t child[2];
};

// The sorted thresholds of a feature, filled with +inf to 2^levels - 1. A value's rank is the number of
// thresholds below it. Chunk k of 255 thresholds has two rows of byte ranks, counted from its first threshold
// and cut to 0..255: in row rank_row + 2k NaN ranks lowest (goes left), in the next row highest (goes right).
struct ForestFeature {
  const double* thresholds;
  int32_t levels, rank_row, n_chunks;
};

// The conditions [begin, end) that test the same row of ranks.
struct ForestRankTests {
  int64_t rank_row, begin, end;
};

// One internal node: which condition, which gap between leaves, and the gaps that bound its subtree.
struct ForestStep {
  uint32_t condition;
  uint16_t gap, low, high;
};

struct ForestTree {
  int64_t root;        // in ForestPlan::nodes
  int64_t first_step;  // parents before children
  int64_t first_leaf;  // in ForestPlan::leaves, from left to right
  int32_t n_steps;     // -1: this tree is walked
};

// Trees that share one set of condition masks.
struct ForestGroup {
  int64_t tree_begin, tree_end, tests_begin, tests_end;
};

struct ForestPlan {
  double base;
  int64_t n_features, n_groups, n_trees, n_rank_rows, n_masks;  // n_masks: of the largest group
  const ForestFeature* features;
  const ForestNode* nodes;
  const ForestTree* trees;
  const ForestGroup* groups;
  const ForestRankTests* tests;
  const int8_t* condition_ranks;  // a condition holds (goes right) where rank - 128 exceeds this
  const ForestStep* steps;
  const double* leaves;
};

// Scratch memory of one thread, each array aligned to 64 bytes.
struct ForestWorkspace {
  int8_t* ranks;     // n_rank_rows * kForestBlock, rank - 128
  uint8_t* masks;    // n_masks * kForestMaskBytes
  uint8_t* gaps;     // (kForestMaxMaskedLeaves + 1) * kForestMaskBytes
  uint8_t* leaf_id;  // kForestTreesPerSum * kForestBlock
  double* sums;      // kForestBlock
};

template <class T>
using ForestPredict = void (*)(const ForestPlan&, const T* const* columns, const int64_t* strides, int64_t begin,
                               int64_t end, T* out, const ForestWorkspace&);

struct ForestKernels {
  ForestPredict<float> predict_f32;
  ForestPredict<double> predict_f64;
};

}  // namespace gppcore
