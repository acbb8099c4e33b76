// An additive ensemble of regression trees: base + sum of one leaf value per tree.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gppcore {

// The nodes of all trees, tree after tree; the first node of a tree is its root. Child indexes count from the
// root of their tree, and a child comes after its parent.
struct ForestArrays {
  int64_t n_features = 0;
  double base = 0.0;
  std::vector<int64_t> tree_begin;   // n_trees + 1: where the nodes of each tree begin
  std::vector<int32_t> feature;      // -1 at a leaf
  std::vector<int32_t> left, right;  // x <= threshold goes left
  std::vector<double> threshold;
  std::vector<double> value;               // of a leaf
  std::vector<uint8_t> missing_left;       // whether NaN goes left
  std::vector<std::string> feature_names;  // n_features of them, or none
};

// Immutable once made; predict may run in many threads at once.
class Forest {
 public:
  // Throws Error(forest_format) if the arrays are not a forest.
  explicit Forest(ForestArrays arrays);
  ~Forest();
  Forest(Forest&&) noexcept;

  // Throws Error(missing_file) or Error(forest_format).
  static Forest load(const std::string& path);
  // All or nothing: a temporary file is written, synced and renamed.
  void save(const std::string& path) const;

  const ForestArrays& arrays() const noexcept { return arrays_; }
  int64_t n_features() const noexcept { return arrays_.n_features; }
  int64_t n_trees() const noexcept { return static_cast<int64_t>(arrays_.tree_begin.size()) - 1; }
  int64_t n_leaves() const noexcept;

  // Feature f of row i is columns[f][i * strides[f]]; stride 0 is one value for all rows. T is float or
  // double; comparisons and sums are in double, trees in order: the result depends on nothing but the row.
  template <class T>
  void predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, T* out, int n_threads) const;
  // The same for a C-contiguous matrix (n_rows, n_features).
  template <class T>
  void predict(const T* rows, int64_t n_rows, T* out, int n_threads) const;

 private:
  struct Plan;
  ForestArrays arrays_;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace gppcore
