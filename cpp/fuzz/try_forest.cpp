#include "try_forest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"
#include "io/forest_format.hpp"

namespace {

using gppcore::Forest;
using gppcore::ForestMemory;

// An array of its own on the heap, without the slack of a vector.
template <class T>
std::unique_ptr<T[]> exact(int64_t n) {
  return std::make_unique<T[]>(static_cast<size_t>(n));
}

// Values that sit on the borders of what nodes ask.
template <class T>
T value(const Forest& forest, uint64_t i) {
  constexpr double kEdges[] = {0.0,  -0.0, 1.0,   -1.0,         0.5,  1e-35,  -1e-36, 31.0,
                               32.0, 63.9, 1e300, 2147483648.0, 1e19, -1e300, 0.1,    255.0};
  i = (i + 1) * 0x9E3779B97F4A7C15u >> 33;
  const auto& thresholds = forest.arrays().threshold;
  switch (i % 8) {
    case 0: return std::numeric_limits<T>::quiet_NaN();
    case 1: return (i & 8) ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::infinity();
    case 2:
    case 3:
      if (!thresholds.empty()) return static_cast<T>(thresholds[(i / 8) % thresholds.size()]);
      [[fallthrough]];
    default: return static_cast<T>(kEdges[(i / 8) % 16]);
  }
}

// Columns for all features; beyond a few, features share them.
template <class T>
void predict(const Forest& forest, int64_t n_rows, ForestMemory& memory) {
  constexpr int64_t kDistinct = 7;
  std::vector<std::unique_ptr<T[]>> held;
  auto columns = exact<const T*>(forest.n_features());
  auto strides = exact<int64_t>(forest.n_features());
  for (int64_t f = 0; f < forest.n_features(); ++f) {
    if (f < kDistinct) {
      held.push_back(exact<T>(n_rows));
      for (int64_t r = 0; r < n_rows; ++r)
        held.back()[static_cast<size_t>(r)] = value<T>(forest, static_cast<uint64_t>(r * kDistinct + f));
    }
    columns[static_cast<size_t>(f)] = held[static_cast<size_t>(f % kDistinct)].get();
    strides[static_cast<size_t>(f)] = f % kDistinct == 3 ? 0 : 1;
  }
  auto out = exact<T>(n_rows * forest.n_outputs());
  forest.predict_columns(columns.get(), strides.get(), n_rows, out.get(), false, memory);
  forest.predict_columns(columns.get(), strides.get(), n_rows, out.get(), true, memory);
  for (int64_t i = 0; i < n_rows * forest.n_outputs(); ++i)
    if (std::isnan(out[static_cast<size_t>(i)])) throw std::runtime_error("a raw prediction is NaN");
  auto leaves = exact<int32_t>(n_rows * forest.n_trees());
  forest.apply_columns(columns.get(), strides.get(), n_rows, leaves.get());
  const auto& begin = forest.arrays().tree_begin;
  for (int64_t i = 0; i < n_rows * forest.n_trees(); ++i) {
    const size_t tree = static_cast<size_t>(i % forest.n_trees());
    const int64_t n_leaves = (begin[tree + 1] - begin[tree] + 1) / 2;
    if (leaves[static_cast<size_t>(i)] < 0 || leaves[static_cast<size_t>(i)] >= n_leaves)
      throw std::runtime_error("a leaf has no such number");
  }
}

// Copies of the arrays, each in memory of its own: within the file, one array would hide the overrun of another.
class Separate {
 public:
  explicit Separate(const gppcore::ForestView& from) : view(from) {
    own(view.base);
    own(view.tree_begin);
    own(view.tree_output);
    own(view.feature);
    own(view.left);
    own(view.right);
    own(view.threshold);
    own(view.value);
    own(view.flags);
    own(view.set_begin);
    own(view.set_words);
    own(view.names);
  }
  gppcore::ForestView view;

 private:
  template <class T>
  void own(gppcore::Span<T>& span) {
    std::shared_ptr<T> copy(new T[span.size()], std::default_delete<T[]>());
    std::copy(span.begin(), span.end(), copy.get());
    span = {copy.get(), span.size()};
    held_.push_back(copy);
  }
  std::vector<std::shared_ptr<const void>> held_;
};

}  // namespace

std::string try_forest(const char* data, size_t size) {
  std::shared_ptr<char> own(new char[size], std::default_delete<char[]>());
  std::copy(data, data + size, own.get());
  try {
    const auto arrays = std::make_shared<const Separate>(gppcore::parse_forest(own.get(), size));
    const Forest forest(arrays->view, arrays);
    ForestMemory memory(forest.memory_lines());
    const bool whole_blocks = data[12] % 4 == 0;  // of the checksum: for a quarter, as sanitisers are slow
    for (const int64_t n_rows : {1, 20, whole_blocks ? 600 : 130}) {
      // A forest of many features, outputs or trees gets one row, so that time and memory stay bounded.
      const int64_t n_values = n_rows * (forest.n_features() + forest.n_outputs() + forest.n_trees());
      if (n_values > 200000 && n_rows > 1) continue;
      predict<float>(forest, n_rows, memory);
      predict<double>(forest, n_rows, memory);
    }
    forest.feature_names();
  } catch (const gppcore::Error& e) {
    if (e.code() != gppcore::ErrorCode::forest_format) throw;
    return e.what();
  }
  return {};
}
