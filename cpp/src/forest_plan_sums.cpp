// Leaf values in fixed point: sums of integers are exact, and so the same in any order.
#include <algorithm>
#include <cmath>
#include <limits>

#include "forest_plan.hpp"
#include "gppcore/error.hpp"

namespace gppcore {
namespace {

constexpr double kLargest24 = 16777215.0, kLargest32 = 4294967295.0;

// The least power of two, so that round values stay as they are, for which the sum of all trees fits into 32 bits and
// at least seven eighths of the trees need no more than three bytes a leaf.
double find_quantum(std::vector<double>& ranges) {
  double sum = 0.0;
  for (const double range : ranges) sum += range;
  if (!std::isfinite(sum))
    throw Error(ErrorCode::forest_format, "value: expected leaves whose differences have a finite sum over the trees");
  if (sum == 0.0) return 1.0;
  const auto eighth = ranges.begin() + static_cast<int64_t>(ranges.size() - 1 - ranges.size() / 8);
  std::nth_element(ranges.begin(), eighth, ranges.end());
  // Rounding adds at most half a quantum per tree.
  const double least = std::max({sum / (kLargest32 - static_cast<double>(ranges.size())), *eighth / (kLargest24 - 1.0),
                                 std::numeric_limits<double>::min()});
  int exponent;
  const double significand = std::frexp(least, &exponent);
  return std::ldexp(1.0, significand > 0.5 ? exponent : exponent - 1);
}

// Bytes of the leaves of masked trees, plane by plane.
void add_tables(int64_t leaf_width, ForestTables& tables) {
  const auto masked_end = tables.trees.begin() + tables.view.n_masked;
  int64_t size = 0, n_planes = 0;
  for (auto tree = tables.trees.begin(); tree != masked_end; ++tree) {
    const int64_t table = forest_table_size(tree->n_leaves), alignment = std::min<int64_t>(table, 64);
    tree->tables = (size + alignment - 1) / alignment * alignment;
    size = tree->tables + table * leaf_width;
    n_planes = std::max<int64_t>(n_planes, tree->n_bytes);
  }
  const int64_t lines = (size + 63) / 64;
  tables.tables.resize(static_cast<size_t>(n_planes * lines + kForestMaxMaskedLeaves / 64));
  tables.view.plane_bytes = 64 * lines;
  for (auto tree = tables.trees.begin(); tree != masked_end; ++tree) {
    const uint32_t* fixed = tables.fixed.data() + tree->first_leaf * leaf_width;
    uint8_t* to = reinterpret_cast<uint8_t*>(tables.tables.data()) + tree->tables;
    for (int64_t k = 0; k < leaf_width; ++k, to += forest_table_size(tree->n_leaves), fixed += tree->n_leaves)
      for (int j = 0; j < tree->n_bytes; ++j)
        for (int32_t l = 0; l < tree->n_leaves; ++l) to[j * 64 * lines + l] = static_cast<uint8_t>(fixed[l] >> (8 * j));
  }
}

}  // namespace

void add_fixed_leaves(const ForestView& a, ForestTables& tables) {
  const int64_t width = a.leaf_width;
  tables.bias.assign(a.base.begin(), a.base.end());
  tables.quantum.resize(tables.bias.size());
  std::vector<std::vector<double>> ranges(tables.bias.size());
  std::vector<double> least;  // per tree and output
  for (ForestTree& tree : tables.trees) {
    const double* leaf = tables.leaves.data() + tree.first_leaf * width;
    for (int64_t k = 0; k < width; ++k, leaf += tree.n_leaves) {
      const auto [low, high] = std::minmax_element(leaf, leaf + tree.n_leaves);
      ranges[static_cast<size_t>(tree.output + k)].push_back(*high - *low);
      tables.bias[static_cast<size_t>(tree.output + k)] += *low;
      least.push_back(*low);
    }
  }
  for (size_t k = 0; k < ranges.size(); ++k) tables.quantum[k] = find_quantum(ranges[k]);

  tables.fixed.reserve(tables.leaves.size());
  auto low = least.begin();
  for (ForestTree& tree : tables.trees) {
    const double* leaf = tables.leaves.data() + tree.first_leaf * width;
    uint32_t largest = 0;
    for (int64_t k = 0; k < width; ++k, leaf += tree.n_leaves, ++low) {
      const double quantum = tables.quantum[static_cast<size_t>(tree.output + k)];
      for (int32_t l = 0; l < tree.n_leaves; ++l) {
        tables.fixed.push_back(static_cast<uint32_t>(std::floor((leaf[l] - *low) / quantum + 0.5)));
        largest = std::max(largest, tables.fixed.back());
      }
    }
    tree.n_bytes = largest > kLargest24 ? 4 : 3;
  }
  add_tables(width, tables);
}

}  // namespace gppcore
