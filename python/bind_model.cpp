#include <tuple>

#include "bind_columns.hpp"
#include "gppcore/model.hpp"

namespace {

using gppcore::Error;
using gppcore::ErrorCode;
using gppcore::Forest;
using gppcore::Model;
using gppcore::ModelInterval;
using gppcore::ModelMember;
using gppcore::ModelMemberKind;
using gppcore::ModelRecipe;

// A recipe as Python has it: predictors, sources, members (name, kind, n_sources, weight, offset), process weight,
// gate, interval (q, a, b, c), quantities (unit, low, high) of the predictors.
using Names = std::vector<std::string>;
using Member = std::tuple<std::string, uint32_t, int64_t, double, double>;
using Interval = std::tuple<double, double, double, double>;
using Quantities = std::vector<std::tuple<std::string, double, double>>;
using Recipe = std::tuple<Names, Names, std::vector<Member>, double, double, std::optional<Interval>, Quantities>;

ModelRecipe recipe_of(const Recipe& from) {
  ModelRecipe recipe;
  std::vector<Member> members;
  std::optional<Interval> interval;
  Quantities quantities;
  std::tie(recipe.predictors, recipe.sources, members, recipe.process_weight, recipe.gate, interval, quantities) = from;
  for (const auto& [unit, low, high] : quantities) recipe.quantities.push_back({unit, low, high});
  for (const auto& [name, kind, n_sources, weight, offset] : members)
    recipe.members.push_back({name, static_cast<ModelMemberKind>(kind), n_sources, weight, offset});
  if (interval) recipe.interval = std::apply([](auto... x) { return ModelInterval{x...}; }, *interval);
  return recipe;
}

Recipe tuple_of(const ModelRecipe& r) {
  std::vector<Member> members;
  for (const ModelMember& m : r.members)
    members.emplace_back(m.name, static_cast<uint32_t>(m.kind), m.n_sources, m.weight, m.offset);
  std::optional<Interval> interval;
  if (r.interval) interval = {r.interval->q, r.interval->a, r.interval->b, r.interval->c};
  Quantities quantities;
  for (const gppcore::ModelQuantity& q : r.quantities) quantities.emplace_back(q.unit, q.low, q.high);
  return {r.predictors, r.sources, std::move(members), r.process_weight, r.gate, interval, std::move(quantities)};
}

// out has shape (1 or 3, n_steps, n_rows): GPP, and low and high if they are wanted.
template <class T>
void predict(const Model& model, const std::vector<py::array_t<T>>& columns, Array<T> out, int n_threads) {
  if (out.ndim() != 3 || (out.shape(0) != 1 && out.shape(0) != 3))
    throw Error(ErrorCode::shape, "out: expected shape (1 or 3, n_steps, n_rows)");
  const bool interval = out.shape(0) == 3;
  const int64_t n_steps = out.shape(1), n_rows = out.shape(2);
  const gppcore::ModelOutput<T> to{out.mutable_data(0), interval ? out.mutable_data(1) : nullptr,
                                   interval ? out.mutable_data(2) : nullptr};
  const Columns<T> from(model.n_predictors(), columns, n_steps, n_rows);
  py::gil_scoped_release release;
  guarded([&] {
    model.predict_steps(from.data.data(), from.strides.data(), from.step_strides.data(), n_rows, n_steps, to,
                        {false, n_threads, SignalCheck()});
  });
}

}  // namespace

void register_model(py::module_& m) {
  using py::literals::operator""_a;
  const auto raw = [](const char* name) { return py::arg(name).noconvert(); };
  const char* predict_doc = "Predicts from one array, or one value, per predictor to out (1 or 3, n_steps, n).";
  py::class_<Model>(m, "Model", "Forests and the recipe that joins them; use gppcore.transfer.model.Model.")
      .def(py::init([](const Recipe& recipe, std::vector<Forest> sources, std::vector<Forest> members) {
             return Model(recipe_of(recipe), std::move(sources), std::move(members));
           }),
           "recipe"_a, "sources"_a, "members"_a)
      .def_static(
          "load", [](const std::string& folder) { return guarded([&] { return Model::load(folder); }); }, "folder"_a,
          py::call_guard<py::gil_scoped_release>(), "Reads a folder.")
      .def("save", &Model::save, "folder"_a, py::call_guard<py::gil_scoped_release>(), "Writes to a folder.")
      .def_property_readonly("recipe", [](const Model& model) { return tuple_of(model.recipe()); })
      .def_property_readonly("sources", [](const Model& model) { return model.sources(); })
      .def_property_readonly("members", [](const Model& model) { return model.members(); })
      .def("predict_f32", &predict<float>, raw("columns"), raw("out"), "n_threads"_a, predict_doc)
      .def("predict_f64", &predict<double>, raw("columns"), raw("out"), "n_threads"_a, predict_doc);
  m.def(
      "read_recipe",
      [](const std::string& path) { return tuple_of(guarded([&] { return gppcore::load_recipe(path); })); }, "path"_a,
      "Reads a .gppm file.");
  m.def(
      "write_recipe",
      [](const std::string& path, const Recipe& recipe) { gppcore::save_recipe(recipe_of(recipe), path); }, "path"_a,
      "recipe"_a, "Writes a .gppm file.");
}
