// An additive ensemble of trees: link(link_scale * (base + the sum of one leaf per tree)).
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gppcore/span.hpp"
#include "gppcore/visibility.hpp"

namespace gppcore GPPCORE_VISIBLE {

enum class ForestLink : uint8_t { identity, exp, sigmoid, softmax };

// Of an internal node; ignored at leaves.
enum ForestNodeFlags : uint8_t {
  kMissingLeft = 1,      // a missing value goes left
  kUnseenLeft = 2,       // a category that the node's set has no bit for goes left
  kZeroMissing = 4,      // a value of at most kForestZero in size is missing, as NaN is
  kCategorical = 8,      // the node asks whether the value is in a set
  kNegativeUnseen = 16,  // a number between -1 and 0 is a category below 0
  kFractionUnseen = 32,  // a number that is not whole is as a category below 0
};
constexpr int kForestNodeFlags = 63;
constexpr float kForestZero = 1e-35f;
constexpr int64_t kForestMaxFeatures = 32768;  // bounds what a small file can make a reader allocate
constexpr int64_t kForestMaxOutputs = 4096;    // the same for one thread that predicts: 64 kB for each

// The nodes of all trees, tree after tree; the first node of a tree is its root. Child indexes count from the
// root of their tree, and a child comes after its parent.
//
// A numeric node sends a missing value to the side of kMissingLeft, else x <= threshold (in double) left. A
// categorical node sends NaN to the side of kMissingLeft; else c = trunc(x), or -1 where a flag says so: left if bit c
// of its set is set, and if c < 0 or beyond the bits of the set, to the side of kUnseenLeft.
struct ForestArrays {
  int64_t n_features = 0, n_outputs = 1;
  int64_t leaf_width = 1;  // values per leaf: 1 (of the output tree_output) or n_outputs
  ForestLink link = ForestLink::identity;
  double link_scale = 1.0;
  std::vector<double> base;                // n_outputs
  std::vector<int64_t> tree_begin;         // n_trees + 1: where the nodes of each tree begin
  std::vector<int32_t> tree_output;        // n_trees; 0 where leaf_width > 1
  std::vector<int32_t> feature;            // -1 at a leaf
  std::vector<int32_t> left, right;        // children
  std::vector<double> threshold;           // of a categorical node: the number of its set
  std::vector<double> value;               // n_nodes * leaf_width, of leaves
  std::vector<uint8_t> flags;              // ForestNodeFlags
  std::vector<int64_t> set_begin;          // n_sets + 1: where the words of each category set begin
  std::vector<uint32_t> set_words;         // bit c % 32 of word c / 32: category c goes left
  std::vector<std::string> feature_names;  // n_features of them, or none
};

// The same arrays, wherever they lie: in ForestArrays or in a mapped file.
struct ForestView {
  int64_t n_features = 0, n_outputs = 1, leaf_width = 1;
  ForestLink link = ForestLink::identity;
  double link_scale = 1.0;
  Span<double> base;
  Span<int64_t> tree_begin;
  Span<int32_t> tree_output, feature, left, right;
  Span<double> threshold, value;
  Span<uint8_t> flags;
  Span<int64_t> set_begin;
  Span<uint32_t> set_words;
  Span<char> names;  // each ended by a NUL byte
};

// How to predict.
struct ForestRun {
  bool raw = false;             // without the link and its scale
  int n_threads = 1;            // 0: all cores. The result does not depend on it
  std::function<void()> check;  // called now and then by the calling thread; what it throws ends the call
};

// How to move leaves: by rate * n / (n + shrinkage) * mean residual, n being the sum of weights in the leaf.
struct ForestRefit {
  const double* weight = nullptr;  // n_rows, or none: all 1
  double shrinkage = 5.0, rate = 1.0;
  int n_threads = 1;            // as for ForestRun
  std::function<void()> check;  // as for ForestRun
};

// Scratch memory of one thread, in whole cache lines.
struct alignas(64) ForestLine {
  uint8_t bytes[64];
};
using ForestMemory = std::vector<ForestLine>;

// Immutable once made; copies share their memory; predict may run in many threads at once.
class Forest {
 public:
  // Throws Error(forest_format) if the arrays are not a forest.
  explicit Forest(ForestArrays arrays);
  // The same without a copy of the arrays, which `memory` keeps alive.
  Forest(const ForestView& arrays, std::shared_ptr<const void> memory);

  // Maps a file. Throws Error(missing_file) or Error(forest_format).
  static Forest load(const std::string& path);
  // The same from the bytes of a file, which are copied.
  static Forest from_bytes(const void* data, size_t size);
  // All or nothing: a temporary file is written, synced and renamed.
  void save(const std::string& path) const;

  const ForestView& arrays() const noexcept { return arrays_; }
  std::vector<std::string> feature_names() const;
  int64_t n_features() const noexcept { return arrays_.n_features; }
  int64_t n_outputs() const noexcept { return arrays_.n_outputs; }
  int64_t n_trees() const noexcept { return static_cast<int64_t>(arrays_.tree_output.size()); }
  int64_t n_leaves() const noexcept;

  // Feature f of row i is columns[f][i * strides[f]]; stride 0 is one value for all rows. T is float or double.
  // Writes out[n_rows][n_outputs]. The result of a row depends on nothing but the row.
  template <class T>
  void predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, T* out,
                       const ForestRun& run = {}) const;
  // The same at several steps, as the months of a year: feature f of row i at step s is columns[f][i * strides[f] +
  // s * step_strides[f]]. Writes out[n_steps][n_rows][n_outputs]. A feature with step stride 0 is ranked only once.
  template <class T>
  void predict_steps(const T* const* columns, const int64_t* strides, const int64_t* step_strides, int64_t n_rows,
                     int64_t n_steps, T* out, const ForestRun& run = {}) const;
  // Writes leaves[n_rows][n_trees]: the leaf that each row reaches, counted among the leaves of its tree in the
  // order of the arrays.
  template <class T>
  void apply_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, int32_t* leaves,
                     const ForestRun& run = {}) const;

  // The values of all nodes after each tree in turn has moved its leaves towards y[n_rows][n_outputs], the targets of
  // raw predictions. Keeps 4 bytes per row and tree meanwhile.
  template <class T>
  std::vector<double> refit_leaves(const T* const* columns, const int64_t* strides, int64_t n_rows, const double* y,
                                   const ForestRefit& options) const;

  // As predict_columns in the calling thread and in `memory` of at least memory_lines(): without a lock and without
  // allocating. Rows are C-contiguous matrices (n_rows, n_features).
  size_t memory_lines() const noexcept;
  template <class T>
  void predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, T* out, bool raw,
                       ForestMemory& memory) const;
  template <class T>
  void apply_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, int32_t* leaves,
                     ForestMemory& memory) const;
  template <class T>
  void predict_steps(const T* const* columns, const int64_t* strides, const int64_t* step_strides, int64_t n_rows,
                     int64_t n_steps, T* out, ForestLine* memory) const;
  template <class T>
  void predict_rows(const T* rows, int64_t n_rows, T* out, bool raw, ForestMemory& memory) const;
  template <class T>
  void apply_rows(const T* rows, int64_t n_rows, int32_t* leaves, ForestMemory& memory) const;

 private:
  struct Plan;

  std::shared_ptr<const void> memory_;  // what arrays_ looks at
  ForestView arrays_;
  std::shared_ptr<const Plan> plan_;
};

// Throws Error(forest_format) unless every index and size is right; takes one pass over the nodes.
void check_forest(const ForestView& arrays);

}  // namespace gppcore GPPCORE_VISIBLE
