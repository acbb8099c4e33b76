#include "mutation.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "gppcore/forest.hpp"
#include "io/forest_format.hpp"

namespace {

using gppcore::ForestArrays;
using gppcore::ForestLink;

constexpr size_t kHeader = 128;

struct Shape {
  int64_t n_features, n_outputs, leaf_width;
  int n_trees, n_leaves, n_sets;
  ForestLink link;
  bool named;
};

constexpr Shape kShapes[] = {
    {1, 1, 1, 0, 0, 0, ForestLink::identity, false},    {2, 1, 1, 1, 1, 0, ForestLink::identity, true},
    {2, 1, 1, 1, 2, 0, ForestLink::exp, true},          {5, 1, 1, 12, 31, 0, ForestLink::identity, false},
    {5, 1, 1, 12, 31, 6, ForestLink::sigmoid, true},    {4, 3, 1, 9, 15, 3, ForestLink::softmax, true},
    {4, 3, 3, 5, 15, 3, ForestLink::identity, false},   {3, 1, 1, 2, 400, 2, ForestLink::identity, false},
    {3, 2, 2, 1, 1800, 0, ForestLink::identity, false}, {1, 1, 1, 40, 24, 1, ForestLink::identity, false},
};

// Splits random leaves of a tree until it has n_leaves.
void add_tree(ForestArrays& a, const Shape& shape, Random& random) {
  const size_t begin = a.feature.size();
  const auto add_leaf = [&] {
    a.feature.push_back(-1);
    a.left.push_back(0);
    a.right.push_back(0);
    a.threshold.push_back(0.0);
    a.flags.push_back(0);
    for (int64_t v = 0; v < shape.leaf_width; ++v)
      a.value.push_back(static_cast<double>(random.below(2001)) / 100 - 10);
  };
  add_leaf();
  std::vector<size_t> leaves{0};
  while (leaves.size() < static_cast<size_t>(shape.n_leaves)) {
    const size_t pick = random.below(leaves.size()), node = leaves[pick], k = begin + node;
    const bool categorical = shape.n_sets > 0 && random.chance(30);
    a.feature[k] = static_cast<int32_t>(random.below(static_cast<uint64_t>(shape.n_features)));
    const uint64_t flags = random.below(64) & ~uint64_t{gppcore::kCategorical};
    a.flags[k] = static_cast<uint8_t>(categorical ? flags | gppcore::kCategorical : flags);
    a.threshold[k] = static_cast<double>(random.below(static_cast<uint64_t>(categorical ? shape.n_sets : 300)));
    a.left[k] = static_cast<int32_t>(a.feature.size() - begin);
    a.right[k] = a.left[k] + 1;
    leaves[pick] = static_cast<size_t>(a.left[k]);
    leaves.push_back(static_cast<size_t>(a.right[k]));
    add_leaf();
    add_leaf();
  }
  a.tree_output.push_back(
      static_cast<int32_t>(shape.leaf_width > 1 ? 0 : random.below(static_cast<uint64_t>(shape.n_outputs))));
  a.tree_begin.push_back(static_cast<int64_t>(a.feature.size()));
}

std::vector<char> make_seed(const Shape& shape, Random& random) {
  ForestArrays a;
  a.n_features = shape.n_features;
  a.n_outputs = shape.n_outputs;
  a.leaf_width = shape.leaf_width;
  a.link = shape.link;
  a.base.assign(static_cast<size_t>(shape.n_outputs), 0.5);
  a.tree_begin = {0};
  for (int t = 0; t < shape.n_trees; ++t) add_tree(a, shape, random);
  a.set_begin = {0};
  for (int s = 0; s < shape.n_sets; ++s) {
    for (uint64_t n = random.below(8); n > 0; --n) a.set_words.push_back(static_cast<uint32_t>(random.next()));
    a.set_begin.push_back(static_cast<int64_t>(a.set_words.size()));
  }
  for (int64_t f = 0; f < shape.n_features && shape.named; ++f) a.feature_names.push_back("x" + std::to_string(f));
  return gppcore::forest_bytes(gppcore::Forest(a).arrays());
}

template <class T>
void put(std::vector<char>& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// Replaces a number of 1, 4 or 8 bytes by one near it, or by one at the edge of what its type can hold.
void edit_number(std::vector<char>& bytes, Random& random) {
  constexpr uint64_t kEdges[] = {0, 1, 2, 3, 127, 128, 255, 256, 32767, 32768, 32769, 0x7fffffff, 0x80000000};
  const size_t width = size_t{1} << (random.chance(10) ? 0 : 2 + random.below(2));
  const size_t end = random.chance(30) ? std::min(kHeader, bytes.size()) : bytes.size();
  if (end < width) return;
  const size_t at = random.below(end / width) * width;
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, width);
  switch (random.below(7)) {
    case 0: value += random.below(9) - 4; break;
    case 1: value = kEdges[random.below(std::size(kEdges))]; break;
    case 2: value = ~kEdges[random.below(std::size(kEdges))]; break;
    case 3: value = random.next(); break;
    case 4: value *= 2; break;
    case 5:  // around a size that the header tells
      if (bytes.size() >= kHeader) std::memcpy(&value, bytes.data() + 8 * random.below(kHeader / 8), sizeof value);
      value += random.below(3) - 1;
      break;
    default: {
      constexpr double kDoubles[] = {0.0, -0.0, 1.0, 1e-320, 1e308, -1e308, 1e16};
      const double special = random.chance(30)   ? static_cast<double>(random.below(12))
                             : random.chance(20) ? std::numeric_limits<double>::quiet_NaN()
                             : random.chance(20) ? std::numeric_limits<double>::infinity()
                                                 : kDoubles[random.below(std::size(kDoubles))];
      std::memcpy(&value, &special, sizeof value);
    }
  }
  std::memcpy(bytes.data() + at, &value, width);
}

// Cuts the file, or lets it grow.
void resize(std::vector<char>& bytes, Random& random) {
  const size_t most = random.chance(50) ? bytes.size() : std::min<size_t>(bytes.size(), 200);
  const size_t by = random.below(most + 1);
  if (random.chance(70)) {
    bytes.resize(bytes.size() - by);
  } else {
    bytes.insert(bytes.end(), by, static_cast<char>(random.next()));
  }
}

// Copies one part of the file over another.
void copy_part(std::vector<char>& bytes, Random& random) {
  if (bytes.empty()) return;
  const size_t from = random.below(bytes.size()), to = random.below(bytes.size());
  const size_t n = std::min({random.below(64) + 1, bytes.size() - from, bytes.size() - to});
  std::memmove(bytes.data() + to, bytes.data() + from, n);
}

}  // namespace

std::vector<std::vector<char>> make_seeds(Random& random) {
  std::vector<std::vector<char>> seeds;
  for (const Shape& shape : kShapes) seeds.push_back(make_seed(shape, random));
  return seeds;
}

std::vector<char> make_small_trees(int n_leaves, Random& random) {
  return make_seed({12, 1, 1, 300000 / n_leaves, n_leaves, 0, ForestLink::identity, false}, random);
}

std::vector<char> mutate(std::vector<char> bytes, Random& random) {
  const uint64_t n_changes = random.chance(60) ? 1 : 1 + random.below(8);
  for (uint64_t i = 0; i < n_changes; ++i) {
    const uint64_t kind = random.below(100);
    if (kind < 30 && !bytes.empty()) {
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    } else if (kind < 85) {
      edit_number(bytes, random);
    } else if (kind < 92) {
      resize(bytes, random);
    } else {
      copy_part(bytes, random);
    }
  }
  if (random.chance(90) && bytes.size() >= kHeader) gppcore::seal_forest(bytes.data(), bytes.size());
  return bytes;
}
