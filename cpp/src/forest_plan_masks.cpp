// What mask kernels need: rows of ranks, and the conditions on them that trees share. docs/kernels.md lists the index
// spaces and works one tree through.
#include <algorithm>
#include <limits>

#include "forest_plan.hpp"

namespace gppcore {
namespace {

// Gives conditions their numbers, group by group.
class Steps {
 public:
  Steps(const ForestView& arrays, ForestTables& tables) : a_(arrays), t_(tables) {}

  void add_rows();
  void add_tree(int64_t tree);
  void close_group(int64_t tree_end);

 private:
  // A condition before it has a number: first_key_ of its slot and its rank there. Sorted keys are grouped by slot.
  using Key = uint32_t;

  static constexpr auto kCategory = static_cast<size_t>(ForestRowKind::category);

  // Where the rows of a feature begin: numbers, by missing side and chunk, then numbers whose zeros are missing,
  // then categories, by kind.
  size_t slot(int64_t node) const;
  int64_t n_ranks(size_t feature, size_t slot) const;
  Key use(Key key);
  void add_set(int64_t node);

  struct Bounded {
    uint16_t node, low, high;
  };

  const ForestView& a_;
  ForestTables& t_;
  std::vector<uint16_t> path_;
  std::vector<Bounded> queue_;
  std::vector<size_t> first_slot_;
  std::vector<int32_t> row_;  // of each slot
  std::vector<Key> first_key_;
  std::vector<uint32_t> slot_of_node_;
  std::vector<int64_t> n_chunks_;
  std::vector<int32_t> n_categories_;
  std::vector<Key> step_keys_, keys_;      // of the open group; each once in keys_
  size_t first_set_condition_ = 0;         // of the open group; they are keys until it is closed
  std::vector<uint32_t> number_, opened_;  // per key
};

size_t Steps::slot(int64_t node) const {
  const ForestRow row = row_of(a_, node);
  const size_t first = first_slot_[static_cast<size_t>(row.feature)];
  const auto n = static_cast<size_t>(n_chunks_[static_cast<size_t>(row.feature)]);
  if (is_category(row.kind)) return first + 4 * n + static_cast<size_t>(row.kind) - kCategory;
  return first + (static_cast<size_t>(row.kind) * 2 + row.missing_high) * n +
         static_cast<size_t>(t_.rank_of_node[node] / kForestRanksPerRow);
}

// Number of ranks that conditions on a slot can name.
int64_t Steps::n_ranks(size_t feature, size_t slot) const {
  const auto i = static_cast<int64_t>(slot - first_slot_[feature]);
  if (i >= 4 * n_chunks_[feature]) return n_categories_[feature] + 1;
  const int64_t first = i % n_chunks_[feature] * kForestRanksPerRow;
  return std::min(static_cast<int64_t>(t_.masked.thresholds[feature].size()) - first, kForestRanksPerRow);
}

void Steps::add_rows() {
  const auto n_features = static_cast<size_t>(a_.n_features);
  first_slot_.assign(n_features + 1, 0);
  n_chunks_.resize(n_features);
  n_categories_.assign(n_features, 0);
  for (size_t f = 0; f < n_features; ++f) {
    n_chunks_[f] = (static_cast<int64_t>(t_.masked.thresholds[f].size()) + kForestRanksPerRow - 1) / kForestRanksPerRow;
    first_slot_[f + 1] = first_slot_[f] + 4 * static_cast<size_t>(n_chunks_[f]) + kForestRowKinds - kCategory;
  }
  row_.assign(first_slot_.back(), -1);
  slot_of_node_.assign(a_.feature.size(), 0);
  size_t n_steps = 0;
  for (int64_t t = 0; t < t_.view.n_masked; ++t) {
    n_steps += static_cast<size_t>(t_.trees[static_cast<size_t>(t)].n_steps);
    const int32_t tree = t_.tree_number[static_cast<size_t>(t)];
    for (int64_t k = a_.tree_begin[tree]; k < a_.tree_begin[tree + 1]; ++k) {
      if (a_.feature[k] < 0) continue;
      auto& n = n_categories_[static_cast<size_t>(a_.feature[k])];
      if (a_.flags[k] & kCategorical) n = std::max(n, static_cast<int32_t>(n_categories(a_, k)));
      slot_of_node_[k] = static_cast<uint32_t>(slot(k));
      row_[slot_of_node_[k]] = 0;
    }
  }
  first_key_.assign(row_.size() + 1, 0);
  for (size_t f = 0; f < n_features; ++f) {
    const auto n = static_cast<size_t>(n_chunks_[f]);
    for (size_t s = first_slot_[f]; s < first_slot_[f + 1]; ++s) {
      first_key_[s + 1] = first_key_[s];
      if (row_[s] < 0) continue;
      const size_t i = s - first_slot_[f];
      const bool category = i >= 4 * n;
      row_[s] = static_cast<int32_t>(t_.rows.size());
      first_key_[s + 1] += static_cast<Key>(n_ranks(f, s));
      t_.rows.push_back({static_cast<int32_t>(f), category ? 0 : static_cast<int32_t>(i % n * kForestRanksPerRow),
                         n_categories_[f], static_cast<uint8_t>(category ? 0 : i / n % 2),
                         static_cast<ForestRowKind>(category ? kCategory + i - 4 * n : i / n / 2)});
    }
  }
  number_.assign(first_key_.back(), 0);
  opened_.assign(number_.size(), std::numeric_limits<uint32_t>::max());
  t_.steps.reserve(n_steps);
}

Steps::Key Steps::use(Key key) {
  const auto group = static_cast<uint32_t>(t_.groups.size());
  if (opened_[key] != group) keys_.push_back(key);
  opened_[key] = group;
  return key;
}

// The set of a node as borders between the ranks of categories that go left and right.
void Steps::add_set(int64_t node) {
  const auto set = static_cast<size_t>(a_.threshold[node]);
  const int64_t begin = a_.set_begin[set], n_bits = 32 * (a_.set_begin[set + 1] - begin);
  const bool unseen_right = !(a_.flags[node] & kUnseenLeft);
  const Key first = first_key_[slot_of_node_[node]];
  const int32_t n = n_categories_[static_cast<size_t>(a_.feature[node])];
  bool right = !(a_.flags[node] & kMissingLeft);
  ForestSet made{static_cast<int32_t>(t_.set_conditions.size()), 0, right};
  for (int64_t c = 0; c <= n; ++c) {
    const bool next = c >= n_bits || c == n ? unseen_right : !(a_.set_words[begin + c / 32] >> (c % 32) & 1);
    if (next != right) t_.set_conditions.push_back(use(first + static_cast<Key>(c)));
    right = next;
  }
  made.end = static_cast<int32_t>(t_.set_conditions.size());
  t_.sets.push_back(made);
}

void Steps::add_tree(int64_t t) {
  ForestTree& tree = t_.trees[static_cast<size_t>(t)];
  const int64_t root = a_.tree_begin[t_.tree_number[static_cast<size_t>(t)]];

  // From left to right: number the gaps (internal nodes) and the leaves.
  uint16_t number[2 * kForestMaxMaskedLeaves];
  std::vector<uint16_t>& path = path_;
  uint16_t n_gaps = 0;
  for (uint16_t i = 0;;) {
    for (; a_.feature[root + i] >= 0; i = static_cast<uint16_t>(a_.left[root + i])) path.push_back(i);
    number[i] = kForestLeaf + n_gaps;
    if (path.empty()) break;
    number[path.back()] = ++n_gaps;
    i = static_cast<uint16_t>(a_.right[root + path.back()]);
    path.pop_back();
  }

  // From the top down, level by level: a step seldom needs the result of the one just before it.
  std::vector<Bounded>& queue = queue_;
  queue.assign(1, {0, 0, static_cast<uint16_t>(tree.n_steps + 1)});
  tree.first_step = static_cast<int64_t>(t_.steps.size());
  tree.set_begin = static_cast<int32_t>(t_.sets.size());
  if (tree.n_steps == 0) queue.clear();
  for (size_t head = 0; head < queue.size(); ++head) {
    const auto [i, low, high] = queue[head];
    const int64_t k = root + i;
    ForestStep step{0, number[i], low, high, {}};
    if (a_.flags[k] & kCategorical) {
      step.condition = static_cast<uint32_t>(static_cast<int32_t>(t_.sets.size()) - tree.set_begin);
      add_set(k);
      step_keys_.push_back(std::numeric_limits<Key>::max());
    } else {
      const Key first = first_key_[slot_of_node_[k]];
      step_keys_.push_back(use(first + static_cast<Key>(t_.rank_of_node[k] % kForestRanksPerRow)));
    }
    const int64_t child[2] = {a_.left[k], a_.right[k]};
    for (int side = 0; side < 2; ++side) {
      step.child[side] = number[child[side]];
      if (a_.feature[root + child[side]] < 0) continue;
      step.child[side] = static_cast<uint16_t>(queue.size());
      queue.push_back({static_cast<uint16_t>(child[side]), side ? step.gap : low, side ? high : step.gap});
    }
    t_.steps.push_back(step);
  }
  tree.set_end = static_cast<int32_t>(t_.sets.size());
  if (static_cast<int64_t>(keys_.size()) > kForestMaxConditions || t + 1 == t_.view.n_masked) close_group(t + 1);
}

void Steps::close_group(int64_t tree_end) {
  std::sort(keys_.begin(), keys_.end());
  for (size_t i = 0; i < keys_.size(); ++i) number_[keys_[i]] = static_cast<uint32_t>(i);
  const size_t first_step = t_.steps.size() - step_keys_.size();
  for (size_t s = 0; s < step_keys_.size(); ++s)
    if (step_keys_[s] != std::numeric_limits<Key>::max())
      t_.steps[first_step + s].condition = static_cast<uint32_t>(kForestSetMasks) + number_[step_keys_[s]];
  for (; first_set_condition_ < t_.set_conditions.size(); ++first_set_condition_)
    t_.set_conditions[first_set_condition_] = number_[t_.set_conditions[first_set_condition_]];
  const auto tests_begin = static_cast<int64_t>(t_.tests.size());
  const auto first_condition = static_cast<int64_t>(t_.conditions.size());
  size_t slot = 0;
  for (const Key key : keys_) {
    while (key >= first_key_[slot + 1]) ++slot;
    const auto c = static_cast<int32_t>(t_.conditions.size());
    if (static_cast<int64_t>(t_.tests.size()) == tests_begin || t_.tests.back().row != row_[slot])
      t_.tests.push_back({row_[slot], c, c});
    t_.conditions.push_back(static_cast<uint8_t>(key - first_key_[slot]));
    t_.tests.back().end = c + 1;
  }
  const int64_t tree_begin = t_.groups.empty() ? 0 : t_.groups.back().tree_end;
  t_.groups.push_back({tree_begin, tree_end, tests_begin, static_cast<int64_t>(t_.tests.size()), first_condition,
                       static_cast<int64_t>(keys_.size())});
  t_.view.n_masks = std::max(t_.view.n_masks, static_cast<int64_t>(keys_.size()));
  step_keys_.clear();
  keys_.clear();
}

}  // namespace

void add_steps(const ForestView& a, ForestTables& tables) {
  Steps steps(a, tables);
  steps.add_rows();
  for (int64_t t = 0; t < tables.view.n_masked; ++t) steps.add_tree(t);
}

}  // namespace gppcore
