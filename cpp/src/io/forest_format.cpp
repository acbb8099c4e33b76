// The .gppf file, version 2, little-endian: a header of 128 bytes, then the arrays of ForestView in the order of
// visit(), each at the next multiple of 64 bytes. Nothing is stored twice, so no two parts can disagree. The
// checksum covers all that follows it.
#include "forest_format.hpp"

#include <cstring>
#include <type_traits>

#include "crc32c.hpp"
#include "gppcore/error.hpp"
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
Header read_header(const char* data, size_t size) {
  Header h;
  if (size < kChecked) refuse("expected a forest file, got " + std::to_string(size) + " bytes");
  std::memcpy(&h, data, kChecked);
  if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0) refuse("expected a forest file, got another format");
  if (h.version != kVersion)
    refuse("version: expected " + std::to_string(kVersion) + ", got " + std::to_string(h.version));
  if (size < sizeof h) refuse("expected a header of 128 bytes, got " + std::to_string(size));
  std::memcpy(&h, data, sizeof h);
  if (h.file_size != size)
    refuse("size: expected " + std::to_string(h.file_size) + " bytes, got " + std::to_string(size));
  if (crc32c(data + kChecked, size - kChecked) != h.crc32c) refuse("checksum does not match");
  uint64_t n_values;
  if (__builtin_mul_overflow(h.n_nodes, h.leaf_width, &n_values)) refuse("n_nodes x leaf_width does not fit 64 bits");
  return h;
}

}  // namespace

ForestView parse_forest(const char* data, size_t size) {
  const Header h = read_header(data, size);
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
    if (begin > size || count > (size - begin) / sizeof(T)) refuse("sizes in the header exceed the size of the file");
    array = {reinterpret_cast<const T*>(data + begin), static_cast<size_t>(count)};
    end = begin + count * sizeof(T);
  });
  if (end != size) refuse("sizes in the header do not add up to the size of the file");
  return view;
}

void seal_forest(char* data, size_t size) {
  const uint64_t file_size = size;
  std::memcpy(data + offsetof(Header, file_size), &file_size, sizeof file_size);
  const uint32_t crc = crc32c(data + kChecked, size - kChecked);
  std::memcpy(data + offsetof(Header, crc32c), &crc, sizeof crc);
}

std::vector<char> forest_bytes(const ForestView& arrays) {
  Header h{};
  std::memcpy(h.magic, kMagic, sizeof kMagic);
  h.version = kVersion;
  h.n_features = arrays.n_features;
  h.n_outputs = static_cast<uint64_t>(arrays.n_outputs);
  h.leaf_width = static_cast<uint64_t>(arrays.leaf_width);
  h.n_trees = arrays.tree_output.size();
  h.n_nodes = arrays.feature.size();
  h.n_sets = arrays.set_begin.size() - 1;
  h.n_set_words = arrays.set_words.size();
  h.n_name_bytes = arrays.names.size();
  h.link_scale = arrays.link_scale;
  h.link = static_cast<uint32_t>(arrays.link);
  std::vector<char> bytes(sizeof h);
  std::memcpy(bytes.data(), &h, sizeof h);
  visit(arrays, h, [&](const auto& array, uint64_t) {
    bytes.resize(aligned(bytes.size()));
    const char* from = reinterpret_cast<const char*>(array.begin());
    bytes.insert(bytes.end(), from, reinterpret_cast<const char*>(array.end()));
  });
  seal_forest(bytes.data(), bytes.size());
  return bytes;
}

Forest Forest::load(const std::string& path) {
  const auto file = std::make_shared<const Mapping>(path);
  try {
    return Forest(parse_forest(file->data(), file->size()), file);
  } catch (const Error& e) {
    throw Error(e.code(), path + ": " + e.what());
  }
}

Forest Forest::from_bytes(const void* data, size_t size) {
  const auto copy = std::make_shared<ForestMemory>(size / sizeof(ForestLine) + 1);  // aligned, unlike the bytes
  std::memcpy(copy->data(), data, size);
  return Forest(parse_forest(reinterpret_cast<const char*>(copy->data()), size), copy);
}

void Forest::save(const std::string& path) const { replace_file(path, forest_bytes(arrays_)); }

}  // namespace gppcore
