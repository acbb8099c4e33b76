// The forest rearranged for the kernels: kernels/forest.hpp tells what each array is.
#pragma once
#include <cstdint>
#include <vector>

#include "gppcore/forest.hpp"
#include "kernels/forest.hpp"

namespace gppcore {

// Of masked or of walked trees: thresholds per feature, ascending, and what finds ranks among them.
struct Searches {
  std::vector<std::vector<double>> thresholds;
  std::vector<std::vector<float>> levels_f32;
  std::vector<std::vector<double>> levels_f64;
  std::vector<ForestSearch<float>> f32;
  std::vector<ForestSearch<double>> f64;
};

// The arrays that a ForestPlan points to. Filled in the order of the functions below.
struct ForestTables {
  ForestPlan view{};
  std::vector<ForestTree> trees;
  std::vector<int32_t> tree_number, leaf_number;
  std::vector<int32_t> leaf_of_node;  // of each leaf in the arrays, from left to right
  std::vector<double> leaves, quantum, bias;
  std::vector<uint32_t> fixed;
  ForestMemory tables;
  std::vector<int32_t> rank_of_node;  // of its threshold among those of masked or of walked trees
  Searches masked, walked;
  std::vector<ForestRow> rows, columns;
  std::vector<ForestGroup> groups;
  std::vector<ForestTests> tests;
  std::vector<uint8_t> conditions;
  std::vector<ForestStep> steps;
  std::vector<ForestSet> sets;
  std::vector<uint32_t> set_conditions;
  std::vector<ForestRowTree> row_trees;
  std::vector<int32_t> row_number, first_leaf;
  std::vector<ForestNode32> nodes32, ranked;
  std::vector<ForestNode64> nodes64;
};

// trees and tree_number: the trees that masks can predict, then the others, each by output.
void order_trees(const ForestView& a, ForestTables& tables);
// leaves, leaf_number and leaf_of_node.
void add_leaves(const ForestView& a, ForestTables& tables);
// fixed, quantum, bias, and tables of masked trees. Throws Error(forest_format) if leaves are too large to be added.
void add_fixed_leaves(const ForestView& a, ForestTables& tables);
// rank_of_node and the searches, of walked trees only if they can be pruned.
void add_searches(const ForestView& a, ForestTables& tables);
// rows, tests, conditions, steps, sets and groups.
void add_steps(const ForestView& a, ForestTables& tables);
// row_trees, row_number and first_leaf, if every tree can be put so.
void add_row_trees(ForestTables& tables);
// columns, nodes32 and nodes64: what trees are walked with.
void add_nodes(const ForestView& a, ForestTables& tables);

// Number of categories that the set of a node tells apart; all further ones go the same way.
int64_t n_categories(const ForestView& a, int64_t node);
// The row of ranks, or of keys, that a node compares; of ranks of a number, the first row of its feature.
ForestRow row_of(const ForestView& a, int64_t node);
// The largest float that is not above x: float values compare with it as with x.
float round_down(double x);

struct Forest::Plan : ForestTables {
  explicit Plan(const ForestView& arrays);
};

}  // namespace gppcore
