// The nodes to walk from, in pairs of siblings.
#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "forest_plan.hpp"

namespace gppcore {
namespace {

// Tells columns apart, and orders them by feature.
int64_t column_key(const ForestRow& c) {
  return int64_t{c.feature} * 8 + static_cast<int64_t>(c.kind) * 2 + c.missing_high;
}

template <class Key>
Key threshold_key(double threshold) {
  using Number = std::conditional_t<sizeof(Key) == sizeof(float), float, double>;
  Number x;
  if constexpr (sizeof(Key) == sizeof(float)) {
    x = round_down(threshold);
  } else {
    x = threshold;
  }
  if (x == 0) x = 0;  // minus zero too
  Key bits;
  std::memcpy(&bits, &x, sizeof x);
  return bits ^ (bits >> (8 * sizeof(Key) - 1) & std::numeric_limits<Key>::max());
}

template <class Key, class Word>
void add_tree(const ForestView& a, int64_t tree, uint32_t column_bits, const std::vector<int32_t>& column,
              const std::vector<int32_t>& leaf_of_node, std::vector<ForestNode<Key, Word>>& nodes,
              std::vector<int64_t>& place) {
  const int64_t begin = a.tree_begin[tree], n_nodes = a.tree_begin[tree + 1] - begin;
  const size_t root = nodes.size();
  place.assign(static_cast<size_t>(n_nodes), 0);  // from the root
  nodes.resize(root + static_cast<size_t>(n_nodes) + 1);
  int64_t n = 2;
  for (int64_t i = 0; i < n_nodes; ++i) {
    const int64_t k = begin + i;
    auto& node = nodes[root + static_cast<size_t>(place[i])];
    if (a.feature[k] < 0) {
      node = {static_cast<Key>(leaf_of_node[k]), static_cast<Word>(kForestEnd) << column_bits};
      continue;
    }
    const bool set = a.flags[k] & kCategorical;
    const Word kind = !set ? kForestSplit : a.flags[k] & kUnseenLeft ? kForestSetUnseenLeft : kForestSet;
    node = {set ? static_cast<Key>(a.threshold[k]) : threshold_key<Key>(a.threshold[k]),
            static_cast<Word>(column[k]) | kind << column_bits | static_cast<Word>(n / 2) << (column_bits + 2)};
    place[a.left[k]] = n++;
    place[a.right[k]] = n++;
  }
}

}  // namespace

void add_nodes(const ForestView& a, ForestTables& tables) {
  std::vector<uint8_t> used(static_cast<size_t>(a.n_features) * 8, 0);
  for (size_t k = 0; k < a.feature.size(); ++k)
    if (a.feature[k] >= 0) used[column_key(row_of(a, static_cast<int64_t>(k)))] = 1;
  std::vector<int32_t> number(used.size(), 0);
  for (size_t key = 0; key < used.size(); ++key) {
    if (!used[key]) continue;
    number[key] = static_cast<int32_t>(tables.columns.size());
    tables.columns.push_back(
        {static_cast<int32_t>(key / 8), 0, 0, static_cast<uint8_t>(key % 2), static_cast<ForestRowKind>(key % 8 / 2)});
  }
  std::vector<int32_t> column(a.feature.size(), 0);
  for (size_t k = 0; k < column.size(); ++k)
    if (a.feature[k] >= 0) column[k] = number[column_key(row_of(a, static_cast<int64_t>(k)))];

  uint32_t bits = 0;
  while ((size_t{1} << bits) < tables.columns.size()) ++bits;
  int64_t largest = 0;
  for (size_t t = 0; t + 1 < a.tree_begin.size(); ++t)
    largest = std::max(largest, a.tree_begin[t + 1] - a.tree_begin[t]);
  const bool short_words = largest / 2 + 1 < int64_t{1} << (30 - bits);
  tables.view.column_bits32 = tables.view.column_bits64 = bits;
  std::vector<int64_t> place;
  tables.nodes64.reserve(a.feature.size() + tables.trees.size());
  if (short_words) tables.nodes32.reserve(a.feature.size() + tables.trees.size());
  for (size_t t = 0; t < tables.trees.size(); ++t) {
    const int64_t tree = tables.tree_number[t];
    tables.trees[t].root = static_cast<int64_t>(tables.nodes64.size());
    add_tree(a, tree, bits, column, tables.leaf_of_node, tables.nodes64, place);
    if (short_words) add_tree(a, tree, bits, column, tables.leaf_of_node, tables.nodes32, place);
  }
}

}  // namespace gppcore
