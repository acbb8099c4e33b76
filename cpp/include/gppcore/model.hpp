// A transfer model: forests of process GPP (sources) and of towers (members), and the recipe that joins them.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gppcore/forest.hpp"
#include "gppcore/visibility.hpp"

namespace gppcore GPPCORE_VISIBLE {

// What a member predicts: GPP, its ratio to process GPP + offset, or its difference from process GPP.
enum class ModelMemberKind : uint32_t { gpp, ratio, residual };

struct ModelMember {
  std::string name;
  ModelMemberKind kind = ModelMemberKind::gpp;
  int64_t n_sources = 0;  // the first sources, which follow the predictors as features of the member
  double weight = 1.0;
  double offset = 0.0;  // of ratios
};

// The half width of prediction intervals is q * (a + b * spread of the members + c * gpp).
struct ModelInterval {
  double q = 1.0, a = 0.0, b = 0.0, c = 0.0;
};

// What is known of a predictor: its unit, and the values that are possible.
struct ModelQuantity {
  std::string unit;
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

// With sources s_k = max(0, source_k(x)), of which the first is process GPP p, and members v_j in terms of GPP:
//   t = process_weight * p + sum of weight_j * v_j;  gpp = max(0, p + p / (p + gate) * (t - p))
// Without sources (a direct model) gpp = max(0, t), all members are of kind gpp, and process_weight is 0.
struct ModelRecipe {
  std::vector<std::string> predictors, sources;
  std::vector<ModelQuantity> quantities;  // one per predictor, or none: a file of version 1
  std::vector<ModelMember> members;
  double process_weight = 0.0, gate = 0.0;
  std::optional<ModelInterval> interval;
};

// Where predictions of one number type go: gpp, and low and high or NULL, each [n_steps][n_rows].
template <class T>
struct ModelOutput {
  T *gpp, *low = nullptr, *high = nullptr;
};

// Immutable once made; copies share their memory; predict may run in many threads at once.
class Model {
 public:
  // The forests are in the order of the recipe. Throws Error(forest_format) if they do not fit it, or it is wrong.
  Model(ModelRecipe recipe, std::vector<Forest> sources, std::vector<Forest> members);

  // Reads a folder that save() wrote, or a zip of its files. Throws Error(missing_file) or Error(forest_format).
  static Model load(const std::string& path);
  // The same from the bytes of a zip, which are copied.
  static Model from_zip(const char* data, size_t size);
  // Writes source_<name>.gppf and member_<name>.gppf, then model.gppm, to an existing folder.
  void save(const std::string& folder) const;

  const ModelRecipe& recipe() const noexcept { return recipe_; }
  const std::vector<Forest>& sources() const noexcept { return sources_; }
  const std::vector<Forest>& members() const noexcept { return members_; }
  int64_t n_predictors() const noexcept { return static_cast<int64_t>(recipe_.predictors.size()); }

  // Columns as for Forest::predict_steps, one per predictor; out must not cover them. run.raw is not used. Where all
  // predictors of a row are NaN, so are its outputs.
  // Throws Error(range) if an interval is wanted that the model does not have.
  template <class T>
  void predict_steps(const T* const* columns, const int64_t* strides, const int64_t* step_strides, int64_t n_rows,
                     int64_t n_steps, const ModelOutput<T>& out, const ForestRun& run = {}) const;

  // The same for one step in the calling thread and in `memory` of at least memory_lines(): without a lock and
  // without allocating.
  size_t memory_lines() const noexcept;
  template <class T>
  void predict_columns(const T* const* columns, const int64_t* strides, int64_t n_rows, const ModelOutput<T>& out,
                       ForestMemory& memory) const;

 private:
  void check_output(bool wants_interval) const;

  ModelRecipe recipe_;
  std::vector<Forest> sources_, members_;
};

// Throws Error(forest_format) unless names, counts and numbers of the recipe are right.
void check_recipe(const ModelRecipe& recipe);

// What check_columns counts: values that are missing, infinite, fill values, below and above the range, and values
// within it that together look like another unit.
enum ModelCount { kCountMissing, kCountInfinite, kCountFill, kCountBelow, kCountAbove, kCountOtherUnit, kModelCounts };

// Counts into counts[n_predictors][kModelCounts], unless that is null; `missing` is missing beside NaN. Throws
// Error(range), after all are counted, if there are others than missing ones.
template <class T>
void check_columns(const ModelRecipe& recipe, const T* const* columns, const int64_t* strides, int64_t n_rows,
                   T missing, int64_t* counts);

// A .gppm file, written wholly or not at all. Throw as load() does.
ModelRecipe load_recipe(const std::string& path);
void save_recipe(const ModelRecipe& recipe, const std::string& path);

}  // namespace gppcore GPPCORE_VISIBLE
