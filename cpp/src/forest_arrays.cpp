// A forest of arrays that it owns.
#include <algorithm>
#include <utility>

#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"

namespace gppcore {
namespace {

struct Owned {
  ForestArrays arrays;
  std::string names;
};

std::shared_ptr<const Owned> own(ForestArrays arrays) {
  std::string names;
  for (const std::string& name : arrays.feature_names) {
    if (name.find('\0') != std::string::npos)
      throw Error(ErrorCode::forest_format, "feature_names: expected no NUL byte, got one");
    names += name + '\0';
  }
  return std::make_shared<const Owned>(Owned{std::move(arrays), std::move(names)});
}

ForestView view(const Owned& owned) {
  const ForestArrays& a = owned.arrays;
  return {a.n_features, a.n_outputs,   a.leaf_width, a.link,      a.link_scale, a.base,
          a.tree_begin, a.tree_output, a.feature,    a.left,      a.right,      a.threshold,
          a.value,      a.flags,       a.set_begin,  a.set_words, owned.names};
}

}  // namespace

Forest::Forest(ForestArrays arrays) {
  const std::shared_ptr<const Owned> owned = own(std::move(arrays));
  *this = Forest(view(*owned), owned);
}

std::vector<std::string> Forest::feature_names() const {
  std::vector<std::string> list;
  for (const char* at = arrays_.names.begin(); at != arrays_.names.end(); at += list.back().size() + 1)
    list.emplace_back(at);
  return list;
}

int64_t Forest::n_leaves() const noexcept { return std::count(arrays_.feature.begin(), arrays_.feature.end(), -1); }

}  // namespace gppcore
