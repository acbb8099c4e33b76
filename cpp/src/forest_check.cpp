// Whether arrays are a forest. Whatever passes here can be predicted with, and no index leads outside.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"

namespace gppcore {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::forest_format, message); }

template <class T>
void expect_size(const Span<T>& array, const char* name, int64_t size) {
  if (static_cast<int64_t>(array.size()) != size)
    refuse(std::string(name) + ": expected " + std::to_string(size) + " values, got " + std::to_string(array.size()));
}

void expect_begins(const Span<int64_t>& begin, const char* name, int64_t least, size_t end) {
  if (begin.empty() || begin[0] != 0 || begin.back() != static_cast<int64_t>(end))
    refuse(std::string(name) + ": expected 0 first and " + std::to_string(end) + " last");
  for (size_t i = 0; i + 1 < begin.size(); ++i)
    if (begin[i + 1] < begin[i] + least) refuse(std::string(name) + ": expected ascending values");
}

void check_sizes(const ForestView& a) {
  if (a.n_features < 1 || a.n_features > kForestMaxFeatures)
    refuse("n_features: expected 1 to " + std::to_string(kForestMaxFeatures) + ", got " + std::to_string(a.n_features));
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (a.n_outputs < 1 || a.n_outputs > kForestMaxOutputs)
    refuse("n_outputs: expected 1 to " + std::to_string(kForestMaxOutputs) + ", got " + std::to_string(a.n_outputs));
  if (a.leaf_width != 1 && a.leaf_width != a.n_outputs)
    refuse("leaf_width: expected 1 or n_outputs = " + std::to_string(a.n_outputs) + ", got " +
           std::to_string(a.leaf_width));
  if (a.link > ForestLink::softmax) refuse("link: expected 0 to 3, got " + std::to_string(static_cast<int>(a.link)));
  if (!std::isfinite(a.link_scale)) refuse("link_scale: expected a finite number");
  const int64_t n_nodes = static_cast<int64_t>(a.feature.size());
  if (n_nodes > kMax) refuse("nodes: expected fewer than 2^31, got " + std::to_string(n_nodes));
  expect_size(a.base, "base", a.n_outputs);
  expect_size(a.left, "left", n_nodes);
  expect_size(a.right, "right", n_nodes);
  expect_size(a.threshold, "threshold", n_nodes);
  expect_size(a.value, "value", n_nodes * a.leaf_width);
  expect_size(a.flags, "flags", n_nodes);
  expect_begins(a.tree_begin, "tree_begin", 1, a.feature.size());
  expect_begins(a.set_begin, "set_begin", 0, a.set_words.size());
  expect_size(a.tree_output, "tree_output", static_cast<int64_t>(a.tree_begin.size()) - 1);
  const int64_t n_names = std::count(a.names.begin(), a.names.end(), '\0');
  if (!a.names.empty() && (n_names != a.n_features || a.names.back() != '\0'))
    refuse("feature_names: expected " + std::to_string(a.n_features) + " names, got " + std::to_string(n_names));
}

// Checks the trees one after another.
class TreeCheck {
 public:
  explicit TreeCheck(const ForestView& arrays)
      : a_(arrays), n_sets_(static_cast<double>(arrays.set_begin.size() - 1)) {}

  // Returns the largest absolute value among the leaves.
  double largest_leaf(size_t tree) {
    tree_ = tree;
    begin_ = a_.tree_begin[tree];
    n_ = a_.tree_begin[tree + 1] - begin_;
    const int32_t n_outputs = a_.leaf_width > 1 ? 1 : static_cast<int32_t>(a_.n_outputs);
    const int32_t output = a_.tree_output[tree];
    if (output < 0 || output >= n_outputs)
      refuse("tree " + std::to_string(tree) + ": output: expected 0 to " + std::to_string(n_outputs - 1) + ", got " +
             std::to_string(output));
    has_parent_.assign(static_cast<size_t>(n_), 0);
    has_parent_[0] = 1;
    double largest = 0.0;
    for (int64_t i = 0; i < n_; ++i) {
      if (!has_parent_[static_cast<size_t>(i)]) refuse_node(i, "expected one parent, got none");
      if (a_.feature[begin_ + i] != -1) {
        check_split(i);
      } else {
        for (int64_t v = (begin_ + i) * a_.leaf_width; v < (begin_ + i + 1) * a_.leaf_width; ++v) {
          const double size = std::abs(a_.value[v]);
          if (!(size <= std::numeric_limits<double>::max())) refuse_node(i, "value: expected a finite number");
          largest = std::max(largest, size);
        }
      }
    }
    return largest;
  }

 private:
  [[noreturn]] void refuse_node(int64_t node, const std::string& message) const {
    refuse("tree " + std::to_string(tree_) + ", node " + std::to_string(node) + ": " + message);
  }

  void check_split(int64_t i) {
    const int64_t k = begin_ + i;
    if (a_.feature[k] < 0 || a_.feature[k] >= a_.n_features)
      refuse_node(
          i, "feature: expected -1 to " + std::to_string(a_.n_features - 1) + ", got " + std::to_string(a_.feature[k]));
    if (a_.flags[k] > kForestNodeFlags) refuse_node(i, "flags: expected 0 to 63, got " + std::to_string(a_.flags[k]));
    const double threshold = a_.threshold[k];
    if (std::isnan(threshold)) refuse_node(i, "threshold: expected a number, got NaN");
    if ((a_.flags[k] & kCategorical) &&
        !(threshold >= 0.0 && threshold < n_sets_ && threshold == std::trunc(threshold)))
      refuse_node(i, "threshold: expected the number of a category set, less than " +
                         std::to_string(static_cast<int64_t>(n_sets_)) + ", got " + std::to_string(threshold));
    for (const int64_t child : {a_.left[k], a_.right[k]}) {
      if (child <= i || child >= n_)
        refuse_node(i, "child: expected " + std::to_string(i + 1) + " to " + std::to_string(n_ - 1) + ", got " +
                           std::to_string(child));
      uint8_t& mark = has_parent_[static_cast<size_t>(child)];
      if (mark) refuse_node(i, "child " + std::to_string(child) + " has another parent");
      mark = 1;
    }
  }

  const ForestView& a_;
  double n_sets_;
  std::vector<uint8_t> has_parent_;
  size_t tree_ = 0;
  int64_t begin_ = 0, n_ = 0;
};

}  // namespace

void check_forest(const ForestView& a) {
  check_sizes(a);
  double largest = 0.0;
  for (const double base : a.base) {
    if (!std::isfinite(base)) refuse("base: expected finite numbers");
    largest = std::max(largest, std::abs(base));
  }
  TreeCheck check(a);
  for (size_t t = 0; t < a.tree_output.size(); ++t) largest += check.largest_leaf(t);
  if (!std::isfinite(largest)) refuse("value: expected leaves whose sum is finite");
}

}  // namespace gppcore
