// What the forest kernels of one instruction set offer. Plain types only: this is included by the ISA files.
// forest-inl.hpp explains the method; src/forest_plan.cpp prepares the plan.
#pragma once
#include <cstdint>

namespace gppcore {

constexpr int64_t kForestBlock = 2048;  // rows that are predicted together
constexpr int64_t kForestMaskBytes = kForestBlock / 8;
constexpr int64_t kForestMaxMaskedLeaves = 256;  // leaf numbers are bytes
constexpr int64_t kForestMaxCategories = 253;    // with missing and unseen ones they are bytes
constexpr int64_t kForestMaxConditions = 4096;   // a group is closed beyond: its masks fill half a second-level cache
constexpr int64_t kForestRanksPerRow = 255;      // thresholds that ranks in one byte can tell apart
constexpr int64_t kForestTreesPerSum = 8;        // trees whose leaf numbers are held before they are summed
constexpr int64_t kForestMaxSumBytes = 4;        // bytes of a leaf value in fixed point
constexpr int64_t kForestMaxRowTrees = kForestTreesPerSum * kForestBlock;  // as leaf numbers have room
constexpr int64_t kForestDigitMasks = 17;    // of a digit: "at least i" for i from 0 to 16
constexpr int64_t kForestDigits = 4;         // of 4 bits, in the place of a value among those of a block
constexpr int64_t kForestFewestRanked = 16;  // walks through so many trees cost what ranks of a row do
constexpr int64_t kForestMaxRanged = 64;     // columns whose digit masks fill a second-level cache
constexpr int64_t kForestMaxTile = 4096;     // rows that are walked through a tree while it is in cache
constexpr double kForestZeroSize = 1e-35f;   // |x| up to this is missing where zero is

// How a value becomes the rank that the nodes compare.
enum class ForestRowKind : uint8_t { number, number_or_zero, category, category_from_zero, whole_category };
constexpr int64_t kForestRowKinds = 5;
constexpr bool is_category(ForestRowKind kind) { return kind >= ForestRowKind::category; }

// A row of byte ranks, or a column of walked keys: a feature, and what a missing value becomes in it.
// Ranks are counted from threshold `first` and cut to 0..255. Of a category c the rank is c + 1; missing is 0, and
// categories beyond n_categories have the rank n_categories + 1.
struct ForestRow {
  int32_t feature, first, n_categories;
  uint8_t missing_high;
  ForestRowKind kind;
};

// The thresholds of a feature in a search tree of 16 branches: the last level has all of them, each level above
// every sixteenth of the one below; each is filled up with +inf to whole groups of 16. At most 255 of them are also a
// binary heap: entry 1 is the root, 2 h and 2 h + 1 follow entry h, to 255.
template <class T>
struct ForestSearch {
  const T* level[6];
  int32_t last_group[6];
  int32_t n_levels;
  const T* heap;  // null if there are more, or of double
};

// The conditions [begin, end) of one rank row, ascending.
struct ForestTests {
  int32_t row, begin, end;
};

// One internal node: which condition, which gap between leaves, the gaps that bound its subtree, and the steps of
// its children (left, right); from kForestLeaf on a child is the leaf child - kForestLeaf. Condition
// kForestSetMasks + i is condition i of the group; below that it is a set of the tree.
struct ForestStep {
  uint32_t condition;
  uint16_t gap, low, high;
  uint16_t child[2];
};
constexpr uint16_t kForestLeaf = kForestMaxMaskedLeaves;
constexpr int64_t kForestSetMasks = kForestMaxMaskedLeaves;

// A split by category: the exclusive or of conditions of the group, then of all ones if `inverted`.
struct ForestSet {
  int32_t begin, end;  // in ForestPlan::set_conditions
  bool inverted;
};

struct ForestTree {
  int64_t first_step;  // parents before children
  int64_t first_leaf;  // leaves are counted from left to right
  int64_t tables;      // in each plane of ForestPlan::tables: one table per output, of forest_table_size bytes
  int64_t root;        // in ForestPlan::nodes, the first of a pair
  int32_t n_leaves, n_steps;
  int32_t set_begin, set_end;
  int32_t row_tree;   // in ForestPlan::row_trees, if there are any
  int32_t output;     // that it adds to; 0 if its leaves have a value for every output
  uint8_t doublings;  // of the links of the row tree, until all lead to leaves
  uint8_t levels;     // 6 to 8: leaf numbers have at most so many bits
  uint8_t n_bytes;    // of its leaf values in fixed point
};

// Tables are of a power of two, so that large ones lie within lines, and small trees take little memory.
constexpr int64_t forest_table_size(int64_t n_leaves) {
  int64_t size = 4;
  while (size < n_leaves) size *= 2;
  return size;
}

// A tree of at most 64 leaves without sets, in bytes that one register holds: of each step the rank row, the condition,
// and what follows: 128 + a step, or a leaf; of each step and each leaf the step before it, marked by the side it is on
// (the root by both); of each gap the step.
struct alignas(64) ForestRowTree {
  uint8_t row[64], condition[64], left[64], right[64], before[64], before_leaf[64], step[64];
};
constexpr uint8_t kForestLeft = 64, kForestRight = 128;
constexpr int kForestDoublings = 7;  // kinds of trees by how often links are doubled until all point to leaves

// Trees that share one set of condition masks; conditions are counted from first_condition.
struct ForestGroup {
  int64_t tree_begin, tree_end, tests_begin, tests_end, first_condition, n_conditions;
};

// A node to walk from: a key above the threshold goes to the second node of the pair `next`. At a leaf the
// threshold is the leaf's number, and at a split by category the number of the set.
template <class Key, class Word>
struct ForestNode {
  Key threshold;
  Word word;  // column | kind << column_bits | next << (column_bits + 2); next counts pairs from the root's
};
using ForestNode32 = ForestNode<int32_t, uint32_t>;
using ForestNode64 = ForestNode<int64_t, uint64_t>;
// What the values of a column are in a block: a rank r among the thresholds of walked trees has the place r - base,
// from 1 on to top; missing is 0, or top + 1. A node of rank t sends the places above t - base to the right, cut to
// 0..top.
struct ForestRange {
  int32_t base, top;
  int32_t left_from, right_below;  // ranks of the nodes that some rows leave to the left, and to the right
};

enum ForestNodeKind : uint32_t { kForestSplit, kForestEnd, kForestSet, kForestSetUnseenLeft };

enum class ForestPlanLink : uint8_t { identity, exp, sigmoid, softmax };

struct ForestPlan {
  int64_t n_features, n_outputs, leaf_width, n_trees, n_masked, n_groups, n_rows;
  int64_t n_masks;                        // of the largest group
  const ForestSearch<float>* search_f32;  // per feature
  const ForestSearch<double>* search_f64;
  const ForestRow* rows;  // ordered by feature
  const ForestGroup* groups;
  const ForestTree* trees;     // the masked ones, then those that are walked, each by output
  const int32_t* tree_number;  // of each of them in the model
  const ForestTests* tests;
  const uint8_t* conditions;  // a condition holds (goes right) where the rank exceeds this
  const ForestStep* steps;
  const ForestRowTree* row_trees;  // of all trees, by doublings; null if some tree cannot be put so, or none is used
  const int32_t* row_number;       // of each of them in `trees`
  const int32_t* first_leaf;       // of each of `trees`, close together; null without row_trees
  int32_t row_begin[kForestDoublings + 1];
  const ForestSet* sets;
  const uint32_t* set_conditions;
  const double* leaves;        // per tree, per output, from left to right
  const uint32_t* fixed;       // the same in quanta above the tree's least leaf
  const int32_t* leaf_number;  // of each leaf among those of its tree in the model
  const uint8_t* tables;       // the bytes of `fixed`, the lowest of all trees in the first plane, and so on
  int64_t plane_bytes;         // of a plane; whole vectors may be read behind the last
  const double* base;          // per output
  const double* quantum;       // per output
  const double* bias;          // per output: base and least leaves
  int64_t tile;                // rows that are summed together; kForestBlock if no tree is walked
  int64_t n_columns;
  const ForestRow* columns;     // of walked keys
  const ForestNode32* nodes32;  // null if their words are too short for this model
  const ForestNode64* nodes64;  // null beside row_trees
  const ForestNode32* ranked;   // nodes32 of the walked trees with ranks for thresholds; null if not all can have them
  const ForestSearch<float>* walked_f32;  // per feature, of walked trees
  const ForestSearch<double>* walked_f64;
  uint32_t column_bits32, column_bits64;
  bool has_sets;
  const int64_t* set_begin;
  const uint32_t* set_words;
  ForestPlanLink link;
  double link_scale;
};

// Scratch memory of one thread, each array aligned to 64 bytes.
struct ForestWorkspace {
  int32_t* ranks;       // kForestBlock
  uint8_t* rows;        // n_rows * kForestBlock
  uint8_t* least;       // of the ranks of each row in the block; 64 may be read
  uint8_t* largest;     // likewise
  uint8_t* masks;       // (kForestSetMasks + n_masks) * kForestMaskBytes
  uint8_t* state;       // kForestSetMasks + n_masks: which sides rows of the block take, 1 left, 2 right, 3 both
  uint8_t* gaps;        // (kForestMaxMaskedLeaves + 1) * kForestMaskBytes
  uint8_t* leaf_id;     // kForestTreesPerSum * kForestBlock
  uint16_t* shorts;     // leaf_width * kForestBlock * kForestMaxSumBytes
  int64_t* keys;        // n_columns * tile
  ForestRange* ranges;  // n_columns
  uint8_t* digits;      // n_columns * kForestDigits * kForestDigitMasks * kForestMaskBytes if there are ranked nodes
  int32_t* walked;      // tile: leaves that one tree sends the rows to
  double* sums;         // n_outputs * tile, or uint32_t
  double* link;         // n_outputs vectors
};

// Feature f of row i at step s is columns[f][i * strides[f] + s * step_strides[f]].
template <class T>
struct ForestInput {
  const T* const* columns;
  const int64_t* strides;
  const int64_t* step_strides;
  int64_t n_rows, n_steps;
};

template <class T>
using ForestPredict = void (*)(const ForestPlan&, const ForestInput<T>&, int64_t begin, int64_t end, bool raw, T* out,
                               const ForestWorkspace&);
template <class T>
using ForestApply = void (*)(const ForestPlan&, const ForestInput<T>&, int64_t begin, int64_t end, int32_t* leaves,
                             const ForestWorkspace&);

struct ForestKernels {
  bool uses_row_trees;  // then a plan that has them needs no nodes to walk from
  ForestPredict<float> predict_f32;
  ForestPredict<double> predict_f64;
  ForestApply<float> apply_f32;
  ForestApply<double> apply_f64;
};

}  // namespace gppcore
