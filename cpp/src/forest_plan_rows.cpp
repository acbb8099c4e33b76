// Small trees as the kernels want them that hold a tree in registers.
#include <algorithm>
#include <numeric>

#include "forest_plan.hpp"

namespace gppcore {
namespace {

bool fits(const ForestTables& tables) {
  const auto n_trees = static_cast<int64_t>(tables.trees.size());
  if (tables.view.n_masked < n_trees || n_trees > kForestMaxRowTrees || tables.rows.size() > 64) return false;
  return std::all_of(tables.trees.begin(), tables.trees.end(),
                     [](const ForestTree& tree) { return tree.levels == 6 && tree.set_begin == tree.set_end; });
}

uint8_t link(uint16_t child) { return static_cast<uint8_t>(child < kForestLeaf ? 128 + child : child - kForestLeaf); }

// How often the links of a tree have to be doubled until all lead to leaves.
uint8_t doublings(const ForestTables& tables, const ForestTree& tree) {
  int32_t depth[64] = {1}, deepest = 1;
  for (int32_t s = 0; s < tree.n_steps; ++s) {
    for (const uint16_t child : tables.steps[static_cast<size_t>(tree.first_step + s)].child)
      if (child < kForestLeaf) depth[child] = depth[s] + 1;
    deepest = std::max(deepest, depth[s]);
  }
  uint8_t n = 0;
  while (1 << n < deepest) ++n;
  return n;
}

void put(const ForestTables& tables, const ForestTree& tree, int64_t first_condition, const std::vector<uint8_t>& row,
         ForestRowTree& made) {
  made.before[0] = made.before_leaf[0] = kForestLeft | kForestRight;
  for (int32_t s = 0; s < tree.n_steps; ++s) {
    const ForestStep& step = tables.steps[static_cast<size_t>(tree.first_step + s)];
    const auto c = static_cast<size_t>(first_condition + step.condition - kForestSetMasks);
    made.row[s] = row[c];
    made.condition[s] = tables.conditions[c];
    made.left[s] = link(step.child[0]);
    made.right[s] = link(step.child[1]);
    made.step[step.gap - 1] = static_cast<uint8_t>(s);
    for (int side = 0; side < 2; ++side) {
      const uint16_t child = step.child[side];
      const auto before = static_cast<uint8_t>(s | (side ? kForestRight : kForestLeft));
      (child < kForestLeaf ? made.before[child] : made.before_leaf[child - kForestLeaf]) = before;
    }
  }
}

}  // namespace

void add_row_trees(ForestTables& tables) {
  if (!fits(tables)) return;
  std::vector<uint8_t> row(tables.conditions.size());
  for (const ForestTests& tests : tables.tests)
    std::fill(row.begin() + tests.begin, row.begin() + tests.end, static_cast<uint8_t>(tests.row));
  int32_t* begin = tables.view.row_begin;
  for (ForestTree& tree : tables.trees) ++begin[(tree.doublings = doublings(tables, tree)) + 1];
  std::partial_sum(begin, begin + kForestDoublings + 1, begin);
  int32_t next[kForestDoublings];
  std::copy(begin, begin + kForestDoublings, next);
  tables.row_trees.resize(tables.trees.size());
  tables.row_number.resize(tables.trees.size());
  for (const ForestTree& tree : tables.trees) tables.first_leaf.push_back(static_cast<int32_t>(tree.first_leaf));
  for (const ForestGroup& group : tables.groups) {
    for (int64_t t = group.tree_begin; t < group.tree_end; ++t) {
      ForestTree& tree = tables.trees[static_cast<size_t>(t)];
      tree.row_tree = next[tree.doublings]++;
      put(tables, tree, group.first_condition, row, tables.row_trees[static_cast<size_t>(tree.row_tree)]);
      tables.row_number[static_cast<size_t>(tree.row_tree)] = static_cast<int32_t>(t);
    }
  }
}

}  // namespace gppcore
