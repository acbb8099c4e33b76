// The .gppm file, little-endian: a header of 96 bytes, then a name of 48 bytes for each predictor and each source, then
// a record of 72 bytes for each member; in version 2 then a record of 48 bytes for each predictor. The checksum covers
// all that follows it.
#include "model_format.hpp"

#include <cstring>

#include "crc32c.hpp"
#include "gppcore/error.hpp"
#include "mapping.hpp"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "model files are little-endian");

namespace gppcore {
namespace {

constexpr char kMagic[8] = {'G', 'P', 'P', 'M', '\r', '\n', '\x1a', '\n'};
constexpr uint32_t kVersion = 2, kVersionWithoutQuantities = 1;

struct Name {
  char bytes[48];  // zero beyond the name
};

struct Header {
  char magic[8];
  uint32_t version, crc32c;
  uint64_t file_size;
  uint32_t n_predictors, n_sources, n_members, has_interval;
  double process_weight, gate;
  ModelInterval interval;  // zero without one
  char unused[8];
};
static_assert(sizeof(Header) == 96 && sizeof(ModelInterval) == 32);
constexpr size_t kChecked = offsetof(Header, crc32c) + sizeof(uint32_t);

struct Member {
  Name name;
  uint32_t kind, n_sources;
  double weight, offset;
};
static_assert(sizeof(Member) == 72);

struct Quantity {
  char unit[32];  // zero beyond the text
  double low, high;
};
static_assert(sizeof(Quantity) == 48);

[[noreturn]] void refuse(const std::string& fault) { throw Error(ErrorCode::forest_format, fault); }

Header read_header(const char* data, size_t size) {
  Header h;
  if (size < sizeof h) refuse("expected a model file of at least 96 bytes, got " + std::to_string(size));
  std::memcpy(&h, data, sizeof h);
  if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0) refuse("expected a model file, got another format");
  if (h.version != kVersion && h.version != kVersionWithoutQuantities)
    refuse("version: expected 1 or 2, got " + std::to_string(h.version));
  const uint64_t n_quantities = h.version == kVersion ? h.n_predictors : 0;
  const uint64_t expected = sizeof h + sizeof(Name) * (uint64_t{h.n_predictors} + h.n_sources) +
                            sizeof(Member) * uint64_t{h.n_members} + sizeof(Quantity) * n_quantities;
  if (h.file_size != size || expected != size)
    refuse("size: expected " + std::to_string(expected) + " bytes, got " + std::to_string(size));
  if (crc32c(data + kChecked, size - kChecked) != h.crc32c) refuse("checksum does not match");
  if (h.has_interval > 1) refuse("has_interval: expected 0 or 1, got " + std::to_string(h.has_interval));
  return h;
}

// Takes records from the front of the rest of a file.
template <class Record>
Record take(const char*& data) {
  Record record;
  std::memcpy(&record, data, sizeof record);
  data += sizeof record;
  return record;
}

template <size_t N>
std::string text_of(const char (&bytes)[N]) {
  return {bytes, strnlen(bytes, N)};
}

Name name_of(const std::string& text) {
  Name name{};
  std::memcpy(name.bytes, text.data(), text.size());  // check_recipe() has bounded it
  return name;
}

Quantity quantity_of(const ModelQuantity& from) {
  Quantity quantity{{}, from.low, from.high};
  std::memcpy(quantity.unit, from.unit.data(), from.unit.size());  // bounded as well
  return quantity;
}

template <class Record>
void put(std::vector<char>& bytes, const Record& record) {
  const char* from = reinterpret_cast<const char*>(&record);
  bytes.insert(bytes.end(), from, from + sizeof record);
}

}  // namespace

ModelRecipe parse_recipe(const char* data, size_t size) {
  const Header h = read_header(data, size);
  const char* at = data + sizeof h;
  ModelRecipe recipe;
  recipe.process_weight = h.process_weight;
  recipe.gate = h.gate;
  if (h.has_interval) recipe.interval = h.interval;
  for (uint32_t i = 0; i < h.n_predictors; ++i) recipe.predictors.push_back(text_of(take<Name>(at).bytes));
  for (uint32_t i = 0; i < h.n_sources; ++i) recipe.sources.push_back(text_of(take<Name>(at).bytes));
  for (uint32_t i = 0; i < h.n_members; ++i) {
    const auto m = take<Member>(at);
    recipe.members.push_back(
        {text_of(m.name.bytes), static_cast<ModelMemberKind>(m.kind), m.n_sources, m.weight, m.offset});
  }
  for (uint32_t i = 0; i < h.n_predictors && h.version == kVersion; ++i) {
    const auto q = take<Quantity>(at);
    recipe.quantities.push_back({text_of(q.unit), q.low, q.high});
  }
  check_recipe(recipe);
  // One recipe has one file: what is not a part of it must be zero.
  const std::vector<char> again = recipe_bytes(recipe);
  if (std::memcmp(again.data(), data, size) != 0) refuse("expected zeros in unused bytes, got others");
  return recipe;
}

void seal_recipe(char* data, size_t size) {
  const uint64_t file_size = size;
  std::memcpy(data + offsetof(Header, file_size), &file_size, sizeof file_size);
  const uint32_t crc = crc32c(data + kChecked, size - kChecked);
  std::memcpy(data + offsetof(Header, crc32c), &crc, sizeof crc);
}

std::vector<char> recipe_bytes(const ModelRecipe& recipe) {
  Header h{};
  std::memcpy(h.magic, kMagic, sizeof kMagic);
  h.version = recipe.quantities.empty() ? kVersionWithoutQuantities : kVersion;
  h.n_predictors = static_cast<uint32_t>(recipe.predictors.size());
  h.n_sources = static_cast<uint32_t>(recipe.sources.size());
  h.n_members = static_cast<uint32_t>(recipe.members.size());
  h.has_interval = recipe.interval.has_value();
  h.process_weight = recipe.process_weight;
  h.gate = recipe.gate;
  h.interval = recipe.interval.value_or(ModelInterval{0.0, 0.0, 0.0, 0.0});
  std::vector<char> bytes;
  put(bytes, h);
  for (const auto* names : {&recipe.predictors, &recipe.sources})
    for (const std::string& name : *names) put(bytes, name_of(name));
  for (const ModelMember& m : recipe.members)
    put(bytes,
        Member{name_of(m.name), static_cast<uint32_t>(m.kind), static_cast<uint32_t>(m.n_sources), m.weight, m.offset});
  for (const ModelQuantity& q : recipe.quantities) put(bytes, quantity_of(q));
  seal_recipe(bytes.data(), bytes.size());
  return bytes;
}

ModelRecipe load_recipe(const std::string& path) {
  const Mapping file(path);
  try {
    return parse_recipe(file.data(), file.size());
  } catch (const Error& e) {
    throw Error(e.code(), path + ": " + e.what());
  }
}

void save_recipe(const ModelRecipe& recipe, const std::string& path) {
  check_recipe(recipe);
  replace_file(path, recipe_bytes(recipe));
}

}  // namespace gppcore
