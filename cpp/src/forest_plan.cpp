#include "forest_plan.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "dispatch.hpp"

namespace gppcore {

int64_t n_categories(const ForestView& a, int64_t node) {
  const auto set = static_cast<size_t>(a.threshold[node]);
  int64_t n = 32 * (a.set_begin[set + 1] - a.set_begin[set]);
  if (a.flags[node] & kUnseenLeft) return n;
  const uint32_t* words = a.set_words.data() + a.set_begin[set];
  while (n > 0 && !(words[(n - 1) / 32] >> ((n - 1) % 32) & 1)) --n;
  return n;
}

ForestRow row_of(const ForestView& a, int64_t node) {
  const uint8_t flags = a.flags[node];
  const bool category = flags & kCategorical;
  const ForestRowKind of_category = flags & kFractionUnseen   ? ForestRowKind::whole_category
                                    : flags & kNegativeUnseen ? ForestRowKind::category_from_zero
                                                              : ForestRowKind::category;
  const ForestRowKind kind = category               ? of_category
                             : flags & kZeroMissing ? ForestRowKind::number_or_zero
                                                    : ForestRowKind::number;
  return {a.feature[node], 0, 0, !(flags & kMissingLeft), kind};
}

float round_down(double x) {
  const float nearest = static_cast<float>(x);
  if (static_cast<double>(nearest) <= x) return nearest;
  if (nearest == std::numeric_limits<float>::infinity()) return std::numeric_limits<float>::max();
  int32_t bits;  // of the neighbour below: nextafter is slow
  std::memcpy(&bits, &nearest, sizeof bits);
  bits = nearest > 0 ? bits - 1 : nearest < 0 ? bits + 1 : std::numeric_limits<int32_t>::min() + 1;
  float below;
  std::memcpy(&below, &bits, sizeof below);
  return below;
}

namespace {

// Number of categories of the nodes of a tree; too many for masks where a node alone has too many.
int64_t n_categories_of_tree(const ForestView& a, int64_t tree) {
  int64_t sum = 0;
  for (int64_t k = a.tree_begin[tree]; k < a.tree_begin[tree + 1]; ++k) {
    if (a.feature[k] < 0 || !(a.flags[k] & kCategorical)) continue;
    const int64_t n = n_categories(a, k);
    if (n > kForestMaxCategories) return std::numeric_limits<int64_t>::max();
    sum += n;
  }
  return sum;
}

}  // namespace

void order_trees(const ForestView& a, ForestTables& tables) {
  // A few words may name many categories in many nodes: masks of them must not outgrow the forest.
  int64_t most_categories = (1 << 21) + static_cast<int64_t>(16 * a.feature.size() + 2 * a.set_words.size());
  std::vector<int32_t> walked;
  const auto n_trees = static_cast<int32_t>(a.tree_output.size());
  for (int32_t t = 0; t < n_trees; ++t) {
    const int64_t n_nodes = a.tree_begin[t + 1] - a.tree_begin[t];
    const bool small = n_nodes < 2 * kForestMaxMaskedLeaves;
    const int64_t n = small ? n_categories_of_tree(a, t) : 0;
    const bool masked = small && n <= most_categories;
    if (masked) most_categories -= n;
    (masked ? tables.tree_number : walked).push_back(t);
  }
  tables.view.n_masked = static_cast<int64_t>(tables.tree_number.size());
  const auto by_output = [&](int32_t x, int32_t y) { return a.tree_output[x] < a.tree_output[y]; };
  std::stable_sort(tables.tree_number.begin(), tables.tree_number.end(), by_output);
  std::stable_sort(walked.begin(), walked.end(), by_output);
  tables.tree_number.insert(tables.tree_number.end(), walked.begin(), walked.end());

  tables.trees.reserve(tables.tree_number.size());
  int64_t first_leaf = 0;
  for (const int32_t t : tables.tree_number) {
    const auto n_leaves = static_cast<int32_t>((a.tree_begin[t + 1] - a.tree_begin[t]) / 2 + 1);
    ForestTree tree{};
    tree.first_leaf = first_leaf;
    tree.n_leaves = n_leaves;
    tree.n_steps = n_leaves - 1;
    tree.output = a.tree_output[t];
    tree.levels = n_leaves <= 64 ? 6 : n_leaves <= 128 ? 7 : 8;
    tables.trees.push_back(tree);
    first_leaf += n_leaves;
  }
}

void add_leaves(const ForestView& a, ForestTables& tables) {
  const size_t width = static_cast<size_t>(a.leaf_width), n_all = (a.feature.size() + tables.trees.size()) / 2;
  tables.leaves.reserve(n_all * width);
  tables.leaf_number.reserve(n_all);
  std::vector<int32_t> number, waiting;  // leaves in the order of the arrays; nodes to the right
  tables.leaf_of_node.resize(a.feature.size());
  for (size_t t = 0; t < tables.trees.size(); ++t) {
    const int64_t root = a.tree_begin[tables.tree_number[t]], n_nodes = a.tree_begin[tables.tree_number[t] + 1] - root;
    const size_t n_leaves = static_cast<size_t>(tables.trees[t].n_leaves);
    number.resize(static_cast<size_t>(n_nodes));
    int32_t n = 0, leaf = 0;
    for (int64_t i = 0; i < n_nodes; ++i) {
      number[i] = n;
      n += a.feature[root + i] < 0;
    }
    const size_t first = tables.leaves.size();
    tables.leaves.resize(first + n_leaves * width);
    for (waiting.assign(1, 0); !waiting.empty(); ++leaf) {
      int32_t i = waiting.back();
      waiting.pop_back();
      for (; a.feature[root + i] >= 0; i = a.left[root + i]) waiting.push_back(a.right[root + i]);
      tables.leaf_number.push_back(number[i]);
      tables.leaf_of_node[root + i] = leaf;
      const double* value = a.value.data() + (root + i) * a.leaf_width;
      for (size_t k = 0; k < width; ++k) tables.leaves[first + k * n_leaves + static_cast<size_t>(leaf)] = value[k];
    }
  }
}

Forest::Plan::Plan(const ForestView& a) {
  order_trees(a, *this);
  add_leaves(a, *this);
  add_fixed_leaves(a, *this);
  add_searches(a, *this);
  add_steps(a, *this);
  if (kernels().forest.uses_row_trees) add_row_trees(*this);
  if (row_trees.empty()) add_nodes(a, *this);
  view.n_features = a.n_features;
  view.n_outputs = a.n_outputs;
  view.leaf_width = a.leaf_width;
  view.n_trees = static_cast<int64_t>(trees.size());
  view.n_groups = static_cast<int64_t>(groups.size());
  view.n_rows = static_cast<int64_t>(rows.size());
  view.n_columns = static_cast<int64_t>(columns.size());
  view.search_f32 = masked.f32.data();
  view.search_f64 = masked.f64.data();
  view.walked_f32 = walked.f32.data();
  view.walked_f64 = walked.f64.data();
  view.rows = rows.data();
  view.groups = groups.data();
  view.trees = trees.data();
  view.tree_number = tree_number.data();
  view.tests = tests.data();
  view.conditions = conditions.data();
  view.steps = steps.data();
  view.row_trees = row_trees.empty() ? nullptr : row_trees.data();
  view.row_number = row_number.data();
  view.first_leaf = first_leaf.data();
  view.sets = sets.data();
  view.set_conditions = set_conditions.data();
  view.leaves = leaves.data();
  view.fixed = fixed.data();
  view.leaf_number = leaf_number.data();
  view.tables = reinterpret_cast<const uint8_t*>(tables.data());
  view.base = a.base.data();
  view.quantum = quantum.data();
  view.bias = bias.data();
  view.tile = view.n_masked == view.n_trees ? kForestBlock : kForestMaxTile;
  view.columns = columns.data();
  view.nodes32 = nodes32.empty() ? nullptr : nodes32.data();
  view.nodes64 = nodes64.empty() ? nullptr : nodes64.data();
  view.ranked = ranked.empty() ? nullptr : ranked.data();
  view.has_sets = !a.set_words.empty();
  view.set_begin = a.set_begin.data();
  view.set_words = a.set_words.data();
  view.link = static_cast<ForestPlanLink>(a.link);
  view.link_scale = a.link_scale;
}

}  // namespace gppcore
