#include "gppcore/forest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "dispatch.hpp"
#include "parallel.hpp"

namespace gppcore {
// The forest rearranged for the kernels; kernels/forest.hpp tells what each array is.
struct Forest::Plan {
  explicit Plan(const ForestView& arrays);

  ForestPlan view{};
  std::vector<std::vector<double>> thresholds;  // per feature, sorted, filled up with +inf
  std::vector<ForestFeature> features;
  std::vector<ForestNode> nodes;
  std::vector<ForestTree> trees;
  std::vector<ForestGroup> groups;
  std::vector<ForestRankTests> tests;
  std::vector<int8_t> condition_ranks;
  std::vector<ForestStep> steps;
  std::vector<double> leaves;

  int64_t n_lines() const { return end_of_work_; }
  ForestWorkspace workspace(ForestMemory& memory) const {
    const auto at = [&](int64_t line) { return memory[static_cast<size_t>(line)].bytes; };
    return {reinterpret_cast<int8_t*>(memory.data()), at(masks_), at(gaps_), at(leaf_id_),
            reinterpret_cast<double*>(at(sums_))};
  }

 private:
  int64_t masks_, gaps_, leaf_id_, sums_, end_of_work_;  // in lines of the workspace

  // A condition before it has a number: rank row * 256 + rank. Sorted keys bring equal rank rows together.
  using Key = uint64_t;

  void add_features(const ForestView& arrays);
  void add_walk(const ForestView& arrays);
  Key key(const ForestView& arrays, int64_t node) const;
  void add_tree(const ForestView& arrays, int64_t tree);
  void close_group(int64_t tree_end);

  std::vector<Key> step_keys_;  // of the open group, one per step
  std::unordered_set<Key> group_keys_;
};

Forest::Plan::Plan(const ForestView& arrays) {
  add_features(arrays);
  add_walk(arrays);
  const int64_t n_trees = static_cast<int64_t>(arrays.tree_begin.size()) - 1;
  for (int64_t t = 0; t < n_trees; ++t) add_tree(arrays, t);
  close_group(n_trees);
  view.base = arrays.base[0];
  view.n_features = arrays.n_features;
  view.n_groups = static_cast<int64_t>(groups.size());
  view.n_trees = n_trees;
  view.features = features.data();
  view.nodes = nodes.data();
  view.trees = trees.data();
  view.groups = groups.data();
  view.tests = tests.data();
  view.condition_ranks = condition_ranks.data();
  view.steps = steps.data();
  view.leaves = leaves.data();
  // Sizes in cache lines; every size is a multiple of one.
  constexpr int64_t kRankRow = kForestBlock / 64, kMask = kForestMaskBytes / 64;
  masks_ = view.n_rank_rows * kRankRow;
  gaps_ = masks_ + view.n_masks * kMask;
  leaf_id_ = gaps_ + (kForestMaxMaskedLeaves + 1) * kMask;
  sums_ = leaf_id_ + kForestTreesPerSum * kRankRow;
  end_of_work_ = sums_ + kForestBlock / 8;
}

void Forest::Plan::add_features(const ForestView& a) {
  thresholds.resize(static_cast<size_t>(a.n_features));
  for (size_t t = 0; t + 1 < a.tree_begin.size(); ++t) {
    const int64_t n_nodes = a.tree_begin[t + 1] - a.tree_begin[t];
    for (int64_t k = a.tree_begin[t]; k < a.tree_begin[t + 1]; ++k)
      if (a.feature[k] >= 0 && n_nodes < 2 * kForestMaxMaskedLeaves) thresholds[a.feature[k]].push_back(a.threshold[k]);
  }
  for (auto& list : thresholds) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    const int64_t n = static_cast<int64_t>(list.size());
    int32_t levels = 0;
    while ((int64_t{1} << levels) - 1 < n) ++levels;
    const int32_t n_chunks = static_cast<int32_t>((n + kForestRanksPerRow - 1) / kForestRanksPerRow);
    list.resize((size_t{1} << levels) - 1, std::numeric_limits<double>::infinity());
    features.push_back({list.data(), levels, static_cast<int32_t>(view.n_rank_rows), n_chunks});
    view.n_rank_rows += 2 * n_chunks;
  }
}

void Forest::Plan::add_walk(const ForestView& a) {
  nodes.reserve(a.feature.size());
  for (size_t t = 0; t + 1 < a.tree_begin.size(); ++t) {
    const int32_t root = static_cast<int32_t>(a.tree_begin[t]);
    for (int32_t k = root; k < a.tree_begin[t + 1]; ++k) {
      if (a.feature[k] < 0) {
        nodes.push_back({a.value[k], 0, 0, {k, k}});
      } else {
        nodes.push_back(
            {a.threshold[k], a.feature[k], a.flags[k] & kMissingLeft ? 0 : 1, {root + a.left[k], root + a.right[k]}});
      }
    }
  }
}

Forest::Plan::Key Forest::Plan::key(const ForestView& a, int64_t node) const {
  const auto& list = thresholds[a.feature[node]];
  const int64_t rank = std::lower_bound(list.begin(), list.end(), a.threshold[node]) - list.begin();
  const int64_t row = features[a.feature[node]].rank_row + 2 * (rank / kForestRanksPerRow);
  return static_cast<Key>((row + (a.flags[node] & kMissingLeft ? 0 : 1)) * 256 + rank % kForestRanksPerRow);
}

void Forest::Plan::add_tree(const ForestView& a, int64_t tree) {
  const int64_t root = a.tree_begin[tree], n_nodes = a.tree_begin[tree + 1] - root;
  const int64_t first_leaf = static_cast<int64_t>(leaves.size());
  if (n_nodes >= 2 * kForestMaxMaskedLeaves) {
    trees.push_back({root, 0, 0, -1});
    return;
  }
  const int32_t n_steps = static_cast<int32_t>(n_nodes / 2);
  const int64_t opened = groups.empty() ? 0 : groups.back().tree_end;
  if (static_cast<int64_t>(group_keys_.size()) + n_steps > kForestMaxConditions && tree > opened) close_group(tree);

  // From left to right: number the gaps (internal nodes), and list the leaves.
  std::vector<uint16_t> gap(static_cast<size_t>(n_nodes), 0);
  std::vector<int64_t> path;
  uint16_t n_gaps = 0;
  for (int64_t i = 0;;) {
    for (; a.feature[root + i] >= 0; i = a.left[root + i]) path.push_back(i);
    leaves.push_back(a.value[root + i]);
    if (path.empty()) break;
    gap[path.back()] = ++n_gaps;
    i = a.right[root + path.back()];
    path.pop_back();
  }

  // From the top down, level by level: a step seldom needs the result of the one just before it.
  struct Bounded {
    int64_t node;
    uint16_t low, high;
  };
  std::vector<Bounded> queue{{0, 0, static_cast<uint16_t>(n_steps + 1)}};
  trees.push_back({root, static_cast<int64_t>(steps.size()), first_leaf, n_steps});
  for (size_t head = 0; head < queue.size(); ++head) {
    const auto [i, low, high] = queue[head];
    if (a.feature[root + i] < 0) continue;
    steps.push_back({0, gap[i], low, high});
    step_keys_.push_back(key(a, root + i));
    group_keys_.insert(step_keys_.back());
    queue.push_back({a.left[root + i], low, gap[i]});
    queue.push_back({a.right[root + i], gap[i], high});
  }
}

void Forest::Plan::close_group(int64_t tree_end) {
  std::vector<Key> keys(group_keys_.begin(), group_keys_.end());
  std::sort(keys.begin(), keys.end());
  const size_t first_step = steps.size() - step_keys_.size();
  for (size_t s = 0; s < step_keys_.size(); ++s)
    steps[first_step + s].condition =
        static_cast<uint32_t>(std::lower_bound(keys.begin(), keys.end(), step_keys_[s]) - keys.begin());
  const int64_t tests_begin = static_cast<int64_t>(tests.size());
  for (const Key key : keys) {
    const int64_t row = static_cast<int64_t>(key / 256), c = static_cast<int64_t>(condition_ranks.size());
    if (static_cast<int64_t>(tests.size()) == tests_begin || tests.back().rank_row != row) tests.push_back({row, c, c});
    condition_ranks.push_back(static_cast<int8_t>(static_cast<int>(key % 256) - 128));
    tests.back().end = c + 1;
  }
  const int64_t tree_begin = groups.empty() ? 0 : groups.back().tree_end;
  groups.push_back({tree_begin, tree_end, tests_begin, static_cast<int64_t>(tests.size())});
  view.n_masks = std::max(view.n_masks, static_cast<int64_t>(keys.size()));
  step_keys_.clear();
  group_keys_.clear();
}

namespace {

// What the mask kernels do not know yet is walked row by row.
bool is_plain(const ForestView& a) {
  bool plain = a.n_outputs == 1 && a.link == ForestLink::identity && a.link_scale == 1.0;
  for (size_t k = 0; k < a.feature.size() && plain; ++k) plain = a.feature[k] < 0 || a.flags[k] <= kMissingLeft;
  return plain;
}

bool goes_left(const ForestView& a, int64_t k, double x) {
  const uint8_t flags = a.flags[k];
  if (x != x || ((flags & kZeroMissing) && !(flags & kCategorical) && std::abs(x) <= double{kForestZero}))
    return flags & kMissingLeft;
  if (!(flags & kCategorical)) return x <= a.threshold[k];
  const size_t set = static_cast<size_t>(a.threshold[k]);
  const int64_t begin = a.set_begin[set], n_bits = 32 * (a.set_begin[set + 1] - begin);
  const double c = std::trunc(x);
  if (!(c >= 0.0 && c < static_cast<double>(n_bits))) return flags & kUnseenLeft;
  const int64_t bit = static_cast<int64_t>(c);
  return a.set_words[static_cast<size_t>(begin + bit / 32)] >> (bit % 32) & 1;
}

template <class T>
int64_t leaf_node(const ForestView& a, size_t tree, const T* const* columns, const int64_t* strides, int64_t row) {
  const int64_t root = a.tree_begin[tree];
  int64_t k = root;
  while (a.feature[k] >= 0) {
    const double x = static_cast<double>(columns[a.feature[k]][row * strides[a.feature[k]]]);
    k = root + (goes_left(a, k, x) ? a.left[k] : a.right[k]);
  }
  return k;
}

void apply_link(const ForestView& a, double* y) {
  const auto n = static_cast<size_t>(a.n_outputs);
  double largest = -std::numeric_limits<double>::infinity(), sum = 0.0;
  for (size_t k = 0; k < n; ++k) largest = std::max(largest, y[k] *= a.link_scale);
  for (size_t k = 0; k < n; ++k) {
    if (a.link == ForestLink::exp) y[k] = std::exp(y[k]);
    if (a.link == ForestLink::sigmoid) y[k] = 1.0 / (1.0 + std::exp(-y[k]));
    if (a.link == ForestLink::softmax) sum += y[k] = std::exp(y[k] - largest);
  }
  for (size_t k = 0; k < n && a.link == ForestLink::softmax; ++k) y[k] /= sum;
}

template <class T>
void walk_rows(const ForestView& a, const T* const* columns, const int64_t* strides, int64_t begin, int64_t end, T* out,
               bool raw, double* y) {
  for (int64_t row = begin; row < end; ++row) {
    std::copy(a.base.begin(), a.base.end(), y);
    for (size_t t = 0; t < a.tree_output.size(); ++t) {
      const double* leaf = a.value.data() + leaf_node(a, t, columns, strides, row) * a.leaf_width;
      for (int64_t v = 0; v < a.leaf_width; ++v) y[a.tree_output[t] + v] += leaf[v];
    }
    if (!raw) apply_link(a, y);
    for (int64_t k = 0; k < a.n_outputs; ++k) out[row * a.n_outputs + k] = static_cast<T>(y[k]);
  }
}

}  // namespace

Forest::Forest(const ForestView& arrays, std::shared_ptr<const void> memory)
    : memory_(std::move(memory)), arrays_(arrays) {
  check_forest(arrays_);
  kernels();  // the choice allocates and may fail: now, not in the first prediction
  if (is_plain(arrays_)) plan_ = std::make_shared<const Plan>(arrays_);
  std::vector<int32_t> numbers(arrays_.feature.size());
  for (size_t t = 0; t < arrays_.tree_output.size(); ++t) {
    int32_t n = 0;
    for (int64_t k = arrays_.tree_begin[t]; k < arrays_.tree_begin[t + 1]; ++k)
      if (arrays_.feature[k] < 0) numbers[static_cast<size_t>(k)] = n++;
  }
  leaf_numbers_ = std::make_shared<const std::vector<int32_t>>(std::move(numbers));
}

// Rows that take a thread some milliseconds, so that threads share out the work and a call can be interrupted.
int64_t Forest::chunk_rows() const {
  constexpr int64_t kTreesPerChunk = 1 << 21;
  const int64_t blocks = kTreesPerChunk / kForestBlock / std::max<int64_t>(n_trees(), 1);
  return kForestBlock * std::clamp<int64_t>(blocks, 1, 8);
}

int64_t Forest::plan_lines() const noexcept { return plan_ ? plan_->n_lines() : (arrays_.n_outputs + 7) / 8; }

size_t Forest::memory_lines() const noexcept {
  constexpr int64_t kColumnsPerLine = sizeof(ForestLine) / (sizeof(void*) + sizeof(int64_t));
  return static_cast<size_t>(plan_lines() + (n_features() + kColumnsPerLine - 1) / kColumnsPerLine);
}

template <class T>
void Forest::predict_block(const T* const* columns, const int64_t* strides, int64_t begin, int64_t end, T* out,
                           bool raw, ForestMemory& memory) const {
  if (!plan_) {
    walk_rows(arrays_, columns, strides, begin, end, out, raw, reinterpret_cast<double*>(memory.data()));
  } else if constexpr (std::is_same_v<T, float>) {
    kernels().forest.predict_f32(plan_->view, columns, strides, begin, end, out, plan_->workspace(memory));
  } else {
    kernels().forest.predict_f64(plan_->view, columns, strides, begin, end, out, plan_->workspace(memory));
  }
}

template <class T>
void Forest::apply_block(const T* const* columns, const int64_t* strides, int64_t begin, int64_t end,
                         int32_t* leaves) const {
  for (int64_t row = begin; row < end; ++row)
    for (size_t t = 0; t < arrays_.tree_output.size(); ++t)
      leaves[row * n_trees() + static_cast<int64_t>(t)] =
          (*leaf_numbers_)[static_cast<size_t>(leaf_node(arrays_, t, columns, strides, row))];
}

template <class T>
void Forest::predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, T* out,
                             const ForestRun& run) const {
  const auto chunk = [&](int64_t begin, int64_t end) {
    thread_local ForestMemory memory;  // kept: a call allocates nothing once its thread is warm
    if (static_cast<int64_t>(memory.size()) < plan_lines()) memory.resize(static_cast<size_t>(plan_lines()));
    predict_block(columns, strides, begin, end, out, run.raw, memory);
  };
  parallel_for(n_rows, chunk_rows(), run.n_threads, chunk, run.check);
}

template <class T>
void Forest::apply_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, int32_t* leaves,
                           const ForestRun& run) const {
  const auto chunk = [&](int64_t begin, int64_t end) { apply_block(columns, strides, begin, end, leaves); };
  parallel_for(n_rows, kForestBlock, run.n_threads, chunk, run.check);
}

// Lays out the columns of a matrix at the end of `memory`.
template <class T, class Run>
void Forest::with_columns(const T* rows, ForestMemory& memory, Run run) const {
  const T** columns = reinterpret_cast<const T**>(memory.data() + plan_lines());
  int64_t* strides = reinterpret_cast<int64_t*>(columns + n_features());
  for (int64_t f = 0; f < n_features(); ++f) {
    columns[f] = rows + f;
    strides[f] = n_features();
  }
  run(columns, strides);
}

template <class T>
void Forest::predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, T* out, bool raw,
                             ForestMemory& memory) const {
  predict_block(columns, strides, 0, n_rows, out, raw, memory);
}

template <class T>
void Forest::predict_rows(const T* rows, int64_t n_rows, T* out, bool raw, ForestMemory& memory) const {
  with_columns(rows, memory, [&](const T* const* columns, const int64_t* strides) {
    predict_block(columns, strides, 0, n_rows, out, raw, memory);
  });
}

template <class T>
void Forest::apply_rows(const T* rows, int64_t n_rows, int32_t* leaves, ForestMemory& memory) const {
  with_columns(rows, memory, [&](const T* const* columns, const int64_t* strides) {
    apply_block(columns, strides, 0, n_rows, leaves);
  });
}

#define GPPCORE_INSTANTIATE(T)                                                                                     \
  template void Forest::predict_columns(const T* const*, const int64_t*, int64_t, T*, const ForestRun&) const;     \
  template void Forest::apply_columns(const T* const*, const int64_t*, int64_t, int32_t*, const ForestRun&) const; \
  template void Forest::predict_columns(const T* const*, const int64_t*, int64_t, T*, bool, ForestMemory&) const;  \
  template void Forest::predict_rows(const T*, int64_t, T*, bool, ForestMemory&) const;                            \
  template void Forest::apply_rows(const T*, int64_t, int32_t*, ForestMemory&) const;
GPPCORE_INSTANTIATE(float)
GPPCORE_INSTANTIATE(double)
#undef GPPCORE_INSTANTIATE

}  // namespace gppcore
