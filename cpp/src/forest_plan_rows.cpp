// Small trees as the kernel for few rows wants them.
#include <algorithm>

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

// Returns how often the links have to be doubled.
int put(const ForestTables& tables, const ForestTree& tree, int64_t first_condition, const std::vector<uint8_t>& row,
        ForestRowTree& made) {
  int32_t depth[64] = {1}, deepest = 1;
  for (int32_t s = 0; s < tree.n_steps; ++s) {
    const ForestStep& step = tables.steps[static_cast<size_t>(tree.first_step + s)];
    const auto c = static_cast<size_t>(first_condition + step.condition - kForestSetMasks);
    made.row[s] = row[c];
    made.condition[s] = tables.conditions[c];
    made.left[s] = link(step.child[0]);
    made.right[s] = link(step.child[1]);
    for (const uint16_t child : step.child)
      if (child < kForestLeaf) depth[child] = depth[s] + 1;
    deepest = std::max(deepest, depth[s]);
  }
  int doublings = 0;
  while (1 << doublings < deepest) ++doublings;
  return doublings;
}

}  // namespace

void add_row_trees(ForestTables& tables) {
  if (!fits(tables)) return;
  std::vector<uint8_t> row(tables.conditions.size());
  for (const ForestTests& tests : tables.tests)
    std::fill(row.begin() + tests.begin, row.begin() + tests.end, static_cast<uint8_t>(tests.row));
  std::vector<ForestRowTree> kinds[kForestDoublings];
  std::vector<int32_t> numbers[kForestDoublings];
  for (const ForestGroup& group : tables.groups) {
    for (int64_t t = group.tree_begin; t < group.tree_end; ++t) {
      ForestRowTree made{};
      const int kind = put(tables, tables.trees[static_cast<size_t>(t)], group.first_condition, row, made);
      kinds[kind].push_back(made);
      numbers[kind].push_back(static_cast<int32_t>(t));
    }
  }
  for (int d = 0; d < kForestDoublings; ++d) {
    tables.row_trees.insert(tables.row_trees.end(), kinds[d].begin(), kinds[d].end());
    tables.row_number.insert(tables.row_number.end(), numbers[d].begin(), numbers[d].end());
    tables.view.row_begin[d + 1] = static_cast<int32_t>(tables.row_trees.size());
  }
}

}  // namespace gppcore
