// The .gppf file, version 2, little-endian: a header of 128 bytes, then the arrays of ForestView in the order of
// visit(), each at the next multiple of 64 bytes. Nothing is stored twice, so no two parts can disagree. The
// checksum covers all that follows it.
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "crc32c.hpp"
#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"
#include "mapping.hpp"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "forest files and mask kernels are little-endian");

namespace gppcore {
namespace {

constexpr char kMagic[8] = {'G', 'P', 'P', 'F', '\r', '\n', '\x1a', '\n'};
constexpr uint32_t kVersion = 2;
constexpr uint64_t kAlignment = 64;

struct Header {
  char magic[8];
  uint32_t version, crc32c;
  uint64_t file_size;
  int64_t n_features;
  uint64_t n_outputs, leaf_width, n_trees, n_nodes, n_sets, n_set_words, n_name_bytes;
  double link_scale;
  uint32_t link;
  char unused[28];
};
static_assert(sizeof(Header) == 128);
constexpr size_t kChecked = offsetof(Header, crc32c) + sizeof(uint32_t);

[[noreturn]] void refuse(const std::string& fault) { throw Error(ErrorCode::forest_format, fault); }

uint64_t aligned(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

// The arrays in the order of the file, each with the number of its elements.
template <class View, class Each>
void visit(View& view, const Header& h, Each each) {
  each(view.base, h.n_outputs);
  each(view.tree_begin, h.n_trees + 1);
  each(view.threshold, h.n_nodes);
  each(view.value, h.n_nodes * h.leaf_width);
  each(view.set_begin, h.n_sets + 1);
  each(view.tree_output, h.n_trees);
  each(view.feature, h.n_nodes);
  each(view.left, h.n_nodes);
  each(view.right, h.n_nodes);
  each(view.set_words, h.n_set_words);
  each(view.flags, h.n_nodes);
  each(view.names, h.n_name_bytes);
}

// Throws unless the bytes are a whole and unchanged file of this version.
Header read_header(const Mapping& file) {
  Header h;
  if (file.size() < kChecked) refuse("expected a forest file, got " + std::to_string(file.size()) + " bytes");
  std::memcpy(&h, file.data(), kChecked);
  if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0) refuse("expected a forest file, got another format");
  if (h.version != kVersion)
    refuse("version: expected " + std::to_string(kVersion) + ", got " + std::to_string(h.version));
  if (file.size() < sizeof h) refuse("expected a header of 128 bytes, got " + std::to_string(file.size()));
  std::memcpy(&h, file.data(), sizeof h);
  if (h.file_size != file.size())
    refuse("size: expected " + std::to_string(h.file_size) + " bytes, got " + std::to_string(file.size()));
  if (crc32c(file.data() + kChecked, file.size() - kChecked) != h.crc32c) refuse("checksum does not match");
  uint64_t n_values;
  if (__builtin_mul_overflow(h.n_nodes, h.leaf_width, &n_values)) refuse("n_nodes x leaf_width does not fit 64 bits");
  return h;
}

ForestView parse(const Mapping& file) {
  const Header h = read_header(file);
  if (h.link > static_cast<uint32_t>(ForestLink::softmax))
    refuse("link: expected 0 to 3, got " + std::to_string(h.link));
  ForestView view;
  view.n_features = h.n_features;
  view.n_outputs = static_cast<int64_t>(h.n_outputs);
  view.leaf_width = static_cast<int64_t>(h.leaf_width);
  view.link = static_cast<ForestLink>(h.link);
  view.link_scale = h.link_scale;
  uint64_t end = sizeof h;
  visit(view, h, [&](auto& array, uint64_t count) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(array.data())>>;
    const uint64_t begin = aligned(end);
    if (begin > file.size() || count > (file.size() - begin) / sizeof(T))
      refuse("sizes in the header exceed the size of the file");
    array = {reinterpret_cast<const T*>(file.data() + begin), static_cast<size_t>(count)};
    end = begin + count * sizeof(T);
  });
  if (end != file.size()) refuse("sizes in the header do not add up to the size of the file");
  return view;
}

}  // namespace

Forest Forest::load(const std::string& path) {
  const auto file = std::make_shared<const Mapping>(path);
  try {
    return Forest(parse(*file), file);
  } catch (const Error& e) {
    throw Error(e.code(), path + ": " + e.what());
  }
}

void Forest::save(const std::string& path) const {
  Header h{};
  std::memcpy(h.magic, kMagic, sizeof kMagic);
  h.version = kVersion;
  h.n_features = arrays_.n_features;
  h.n_outputs = static_cast<uint64_t>(arrays_.n_outputs);
  h.leaf_width = static_cast<uint64_t>(arrays_.leaf_width);
  h.n_trees = arrays_.tree_output.size();
  h.n_nodes = arrays_.feature.size();
  h.n_sets = arrays_.set_begin.size() - 1;
  h.n_set_words = arrays_.set_words.size();
  h.n_name_bytes = arrays_.names.size();
  h.link_scale = arrays_.link_scale;
  h.link = static_cast<uint32_t>(arrays_.link);
  std::vector<char> bytes(sizeof h);
  visit(arrays_, h, [&](const auto& array, uint64_t) {
    bytes.resize(aligned(bytes.size()));
    const char* from = reinterpret_cast<const char*>(array.begin());
    bytes.insert(bytes.end(), from, reinterpret_cast<const char*>(array.end()));
  });
  h.file_size = bytes.size();
  std::memcpy(bytes.data(), &h, sizeof h);
  h.crc32c = crc32c(bytes.data() + kChecked, bytes.size() - kChecked);
  std::memcpy(bytes.data(), &h, sizeof h);
  replace_file(path, bytes);
}

}  // namespace gppcore
