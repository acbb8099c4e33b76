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
  return (int64_t{c.feature} * kForestRowKinds + static_cast<int64_t>(c.kind)) * 2 + c.missing_high;
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

// A node whose children are the pair `next`.
template <class Node>
Node make_node(const ForestView& a, int64_t k, int32_t column, uint32_t column_bits, int64_t next) {
  using Key = decltype(Node::threshold);
  using Word = decltype(Node::word);
  const bool set = a.flags[k] & kCategorical;
  const Word kind = !set ? kForestSplit : a.flags[k] & kUnseenLeft ? kForestSetUnseenLeft : kForestSet;
  return {set ? static_cast<Key>(a.threshold[k]) : threshold_key<Key>(a.threshold[k]),
          static_cast<Word>(column) | kind << column_bits | static_cast<Word>(next) << (column_bits + 2)};
}

template <class Node>
Node make_end(int32_t leaf, uint32_t column_bits) {
  using Word = decltype(Node::word);
  return {static_cast<decltype(Node::threshold)>(leaf), static_cast<Word>(kForestEnd) << column_bits};
}

// Number of the column of each node, and the columns.
std::vector<int32_t> add_columns(const ForestView& a, ForestTables& tables) {
  std::vector<int32_t> number(static_cast<size_t>(a.n_features * kForestRowKinds * 2), -1), column(a.feature.size(), 0);
  for (size_t k = 0; k < column.size(); ++k) {
    if (a.feature[k] < 0) continue;
    column[k] = static_cast<int32_t>(column_key(row_of(a, static_cast<int64_t>(k))));
    number[column[k]] = 0;
  }
  for (size_t key = 0; key < number.size(); ++key) {
    if (number[key] < 0) continue;
    number[key] = static_cast<int32_t>(tables.columns.size());
    tables.columns.push_back({static_cast<int32_t>(key / (2 * kForestRowKinds)), 0, 0, static_cast<uint8_t>(key % 2),
                              static_cast<ForestRowKind>(key / 2 % kForestRowKinds)});
  }
  for (size_t k = 0; k < column.size(); ++k)
    if (a.feature[k] >= 0) column[k] = number[column[k]];
  return column;
}

}  // namespace

void add_nodes(const ForestView& a, ForestTables& tables) {
  const std::vector<int32_t> column = add_columns(a, tables);
  uint32_t bits = 0;
  while ((size_t{1} << bits) < tables.columns.size()) ++bits;
  int64_t largest = 0;
  for (size_t t = 0; t + 1 < a.tree_begin.size(); ++t)
    largest = std::max(largest, a.tree_begin[t + 1] - a.tree_begin[t]);
  const bool short_words = largest / 2 + 1 < int64_t{1} << (30 - bits);
  tables.view.column_bits32 = tables.view.column_bits64 = bits;
  const size_t n_all = a.feature.size() + tables.trees.size();  // siblings are pairs, and so is a root
  tables.nodes64.resize(n_all);
  if (short_words) tables.nodes32.resize(n_all);
  // Walked trees have ranks if their thresholds do.
  const auto n_masked = static_cast<size_t>(tables.view.n_masked);
  const bool ranked = short_words && !tables.walked.f32.empty() && tables.columns.size() <= kForestMaxRanged;
  std::vector<int64_t> place(static_cast<size_t>(largest));  // of each node of a tree from its root
  int64_t root = 0;
  for (size_t t = 0; t < tables.trees.size(); ++t) {
    const int64_t begin = a.tree_begin[tables.tree_number[t]], n = a.tree_begin[tables.tree_number[t] + 1] - begin;
    tables.trees[t].root = root;
    int64_t next = 1;  // pair
    const bool with_ranks = ranked && t >= n_masked;
    if (with_ranks && t == n_masked) tables.ranked.resize(n_all - static_cast<size_t>(root));
    const int64_t ranked_root = root - (with_ranks ? tables.trees[n_masked].root : 0);
    for (int64_t i = 0, k = begin; i < n; ++i, ++k) {
      const int64_t at = root + (i > 0 ? place[i] : 0);
      if (a.feature[k] < 0) {
        tables.nodes64[at] = make_end<ForestNode64>(tables.leaf_of_node[k], bits);
        if (short_words) tables.nodes32[at] = make_end<ForestNode32>(tables.leaf_of_node[k], bits);
        if (with_ranks) tables.ranked[at - root + ranked_root] = tables.nodes32[at];
        continue;
      }
      tables.nodes64[at] = make_node<ForestNode64>(a, k, column[k], bits, next);
      if (short_words) tables.nodes32[at] = make_node<ForestNode32>(a, k, column[k], bits, next);
      if (with_ranks) tables.ranked[at - root + ranked_root] = {tables.rank_of_node[k], tables.nodes32[at].word};
      place[a.left[k]] = 2 * next;
      place[a.right[k]] = 2 * next + 1;
      ++next;
    }
    root += n + 1;
  }
}

}  // namespace gppcore
