// Searches for ranks: the thresholds of each feature, each once.
#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "forest_plan.hpp"

namespace gppcore {
namespace {

constexpr size_t kHeap = 256;

template <class T>
void add_heap(const std::vector<T>& sorted, ForestSearch<T>& search, std::vector<T>& memory) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  if (!std::is_same_v<T, float> || (sorted.size() >= kHeap && sorted[kHeap - 1] < kInfinity)) return;
  search.heap = memory.data() + memory.size();
  memory.push_back(0);
  for (size_t step = kHeap; step > 1; step /= 2)
    for (size_t i = step / 2 - 1; i < kHeap - 1; i += step) memory.push_back(i < sorted.size() ? sorted[i] : kInfinity);
}

template <class T>
void add_search(const std::vector<double>& thresholds, ForestSearch<T>& search, std::vector<T>& memory) {
  search = {};
  if (thresholds.empty()) return;
  const auto groups = [](size_t n) { return (n + 15) / 16; };
  std::vector<std::vector<T>> levels(1);
  for (const double x : thresholds) {
    if constexpr (std::is_same_v<T, float>) {
      levels[0].push_back(round_down(x));
    } else {
      levels[0].push_back(x);
    }
  }
  for (;;) {
    auto& level = levels.back();
    level.resize(16 * groups(level.size()), std::numeric_limits<T>::infinity());
    if (level.size() == 16) break;
    std::vector<T> above;
    for (size_t i = 15; i < level.size(); i += 16) above.push_back(level[i]);
    levels.push_back(std::move(above));
  }
  size_t n = 0;
  for (const auto& level : levels) n += level.size();
  memory.reserve(n + 16 + kHeap);  // pointers into it are kept
  search.n_levels = static_cast<int32_t>(levels.size());
  for (int32_t l = 0; l < search.n_levels; ++l) {
    const auto& level = levels[static_cast<size_t>(search.n_levels - 1 - l)];
    search.level[l] = memory.data() + memory.size();
    search.last_group[l] = static_cast<int32_t>(level.size() / 16 - 1);
    memory.insert(memory.end(), level.begin(), level.end());
  }
  memory.insert(memory.end(), 16, std::numeric_limits<T>::infinity());  // groups of 16 may begin anywhere
  add_heap(levels[0], search, memory);
}

// Numbers pairs of feature and threshold in the order in which they come.
class Distinct {
 public:
  std::vector<std::pair<int32_t, double>> pairs;

  int32_t number(int32_t feature, double threshold) {
    if (slots_.size() < 2 * pairs.size() + 2) grow();
    int32_t& slot = find(feature, threshold);
    if (slot == kEmpty) {
      slot = static_cast<int32_t>(pairs.size());
      pairs.emplace_back(feature, threshold);
    }
    return slot;
  }

 private:
  static constexpr int32_t kEmpty = -1;
  std::vector<int32_t> slots_;

  int32_t& find(int32_t feature, double threshold) {
    uint64_t bits;
    std::memcpy(&bits, &threshold, sizeof bits);
    const uint64_t hash = (bits ^ static_cast<uint64_t>(feature) << 40) * 0x9e3779b97f4a7c15u;
    for (size_t i = hash >> 40;; ++i) {
      int32_t& slot = slots_[i & (slots_.size() - 1)];
      if (slot == kEmpty || pairs[slot] == std::make_pair(feature, threshold)) return slot;
    }
  }
  void grow() {
    slots_.assign(std::max<size_t>(1024, 4 * slots_.size()), kEmpty);
    for (size_t i = 0; i < pairs.size(); ++i) find(pairs[i].first, pairs[i].second) = static_cast<int32_t>(i);
  }
};

// Whether walked trees can be pruned: none has a split by category, and they are enough to pay for ranking the rows.
bool can_rank(const ForestView& a, const ForestTables& tables) {
  const auto first = tables.tree_number.begin() + tables.view.n_masked, end = tables.tree_number.end();
  return end - first >= kForestFewestRanked && std::all_of(first, end, [&](int32_t tree) {
           return std::none_of(a.flags.data() + a.tree_begin[tree], a.flags.data() + a.tree_begin[tree + 1],
                               [](uint8_t flags) { return flags & kCategorical; });
         });
}

// The thresholds of the trees [begin, end), and rank_of_node of their nodes.
void add_searches(const ForestView& a, int64_t begin, int64_t end, ForestTables& tables, Searches& searches) {
  const auto n_features = static_cast<size_t>(a.n_features);
  Distinct distinct;
  const auto each_split = [&](const auto& use) {
    for (int64_t t = begin; t < end; ++t) {
      const int32_t tree = tables.tree_number[static_cast<size_t>(t)];
      for (int64_t k = a.tree_begin[tree]; k < a.tree_begin[tree + 1]; ++k)
        if (a.feature[k] >= 0 && !(a.flags[k] & kCategorical)) use(k);
    }
  };
  each_split([&](int64_t k) {
    tables.rank_of_node[k] = distinct.number(a.feature[k], a.threshold[k] + 0.0);  // minus zero is zero
  });
  std::vector<int32_t> order(distinct.pairs.size()), rank(order.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  std::sort(order.begin(), order.end(), [&](int32_t x, int32_t y) { return distinct.pairs[x] < distinct.pairs[y]; });
  searches.thresholds.resize(n_features);
  for (const int32_t i : order) {
    auto& list = searches.thresholds[distinct.pairs[i].first];
    rank[i] = static_cast<int32_t>(list.size());
    list.push_back(distinct.pairs[i].second);
  }
  each_split([&](int64_t k) { tables.rank_of_node[k] = rank[tables.rank_of_node[k]]; });
  searches.f32.resize(n_features);
  searches.f64.resize(n_features);
  searches.levels_f32.resize(n_features);
  searches.levels_f64.resize(n_features);
  for (size_t f = 0; f < n_features; ++f) {
    add_search(searches.thresholds[f], searches.f32[f], searches.levels_f32[f]);
    add_search(searches.thresholds[f], searches.f64[f], searches.levels_f64[f]);
  }
}

}  // namespace

void add_searches(const ForestView& a, ForestTables& tables) {
  const auto n_trees = static_cast<int64_t>(tables.trees.size()), n_masked = tables.view.n_masked;
  tables.rank_of_node.assign(a.feature.size(), 0);
  add_searches(a, 0, n_masked, tables, tables.masked);
  if (can_rank(a, tables)) add_searches(a, n_masked, n_trees, tables, tables.walked);
}

}  // namespace gppcore
