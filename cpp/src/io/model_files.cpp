// A model as a folder of files, or as one zip of them.
#include <sys/stat.h>

#include <map>
#include <set>
#include <utility>

#include "gppcore/error.hpp"
#include "gppcore/model.hpp"
#include "mapping.hpp"
#include "model_format.hpp"
#include "zip.hpp"

namespace gppcore {
namespace {

constexpr const char* kFile = "model.gppm";
constexpr const char* kCard = "model.json";     // of the training, in Python
constexpr size_t kMaxRecipe = size_t{1} << 22;  // bytes

std::string forest_file(const char* part, const std::string& name) { return std::string(part) + "_" + name + ".gppf"; }

// Joins what forest(file name) reads.
template <class Read>
Model join(ModelRecipe recipe, const std::string& from, const Read& forest) {
  std::vector<Forest> sources, members;
  for (const std::string& name : recipe.sources) sources.push_back(forest(forest_file("source", name)));
  for (const ModelMember& m : recipe.members) members.push_back(forest(forest_file("member", m.name)));
  try {
    return {std::move(recipe), std::move(sources), std::move(members)};
  } catch (const Error& e) {
    throw Error(e.code(), from + ": " + e.what());
  }
}

bool is_file(const std::string& path) {
  struct stat info{};
  return path.find('\0') == std::string::npos && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Model read_zip(const std::string& name, const char* data, size_t size) {
  const Zip zip(name, data, size);
  const auto bytes = [&](const std::string& file, size_t most) { return zip.read(file, most); };
  const std::vector<char> recipe_file = bytes(kFile, kMaxRecipe);
  const auto named = [&](const std::string& file, const auto& read) {
    try {
      return read();
    } catch (const Error& e) {
      throw Error(e.code(), name + "/" + file + ": " + e.what());
    }
  };
  ModelRecipe recipe = named(kFile, [&] { return parse_recipe(recipe_file.data(), recipe_file.size()); });
  std::set<std::string> wanted{kFile, kCard};
  for (const std::string& source : recipe.sources) wanted.insert(forest_file("source", source));
  for (const ModelMember& m : recipe.members) wanted.insert(forest_file("member", m.name));
  zip.require_only(wanted);
  return join(std::move(recipe), name, [&](const std::string& file) {
    return named(file, [&] {
      const std::vector<char> content = bytes(file, size * Zip::kMaxRatio);
      return Forest::from_bytes(content.data(), content.size());
    });
  });
}

}  // namespace

Model Model::load(const std::string& path) {
  if (is_file(path)) {
    const Mapping file(path);
    return read_zip(path, file.data(), file.size());
  }
  return join(load_recipe(path + "/" + kFile), path,
              [&](const std::string& file) { return Forest::load(path + "/" + file); });
}

Model Model::from_zip(const char* data, size_t size) { return read_zip("buffer", data, size); }

void Model::save(const std::string& folder) const {
  for (size_t k = 0; k < sources_.size(); ++k)
    sources_[k].save(folder + "/" + forest_file("source", recipe_.sources[k]));
  for (size_t j = 0; j < members_.size(); ++j)
    members_[j].save(folder + "/" + forest_file("member", recipe_.members[j].name));
  save_recipe(recipe_, folder + "/" + kFile);
}

}  // namespace gppcore
