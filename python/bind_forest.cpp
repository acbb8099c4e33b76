#include <string_view>

#include "bind_columns.hpp"
#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"

namespace {

using gppcore::Error;
using gppcore::ErrorCode;
using gppcore::Forest;

template <class T>
std::vector<T> list(const Array<T>& array) {
  return {array.data(), array.data() + array.size()};
}

// out has shape (n_steps, n_rows, n_outputs).
template <class T>
void predict(const Forest& forest, const std::vector<py::array_t<T>>& columns, Array<T> out, bool raw, int n_threads) {
  if (out.ndim() != 3 || out.shape(2) != forest.n_outputs())
    throw Error(ErrorCode::shape, "out: expected shape (n_steps, n_rows, " + std::to_string(forest.n_outputs()) + ")");
  const int64_t n_steps = out.shape(0), n_rows = out.shape(1);
  T* to = out.mutable_data();
  const Columns<T> from(forest.n_features(), columns, n_steps, n_rows);
  py::gil_scoped_release release;
  guarded([&] {
    forest.predict_steps(from.data.data(), from.strides.data(), from.step_strides.data(), n_rows, n_steps, to,
                         {raw, n_threads, SignalCheck()});
  });
}

template <class T>
void apply(const Forest& forest, const std::vector<py::array_t<T>>& columns, Array<int32_t> out, int n_threads) {
  if (out.ndim() != 2 || out.shape(1) != forest.n_trees())
    throw Error(ErrorCode::shape, "out: expected shape (n_rows, " + std::to_string(forest.n_trees()) + ")");
  const int64_t n_rows = out.shape(0);
  int32_t* to = out.mutable_data();
  const Columns<T> from(forest.n_features(), columns, 1, n_rows);
  py::gil_scoped_release release;
  guarded([&] {
    forest.apply_columns(from.data.data(), from.strides.data(), n_rows, to, {false, n_threads, SignalCheck()});
  });
}

template <class T>
Array<double> refit_leaves(const Forest& forest, const std::vector<py::array_t<T>>& columns, const Array<double>& y,
                           const Array<double>& weight, double shrinkage, double rate, int n_threads) {
  if (y.ndim() != 2 || y.shape(1) != forest.n_outputs())
    throw Error(ErrorCode::shape, "y: expected shape (n_rows, " + std::to_string(forest.n_outputs()) + ")");
  const int64_t n_rows = y.shape(0);
  if (weight.ndim() != 1 || weight.shape(0) != n_rows)
    throw Error(ErrorCode::shape, "weight: expected shape (" + std::to_string(n_rows) + ",)");
  const Columns<T> from(forest.n_features(), columns, 1, n_rows);
  const gppcore::ForestRefit options{weight.data(), shrinkage, rate, n_threads, SignalCheck()};
  std::vector<double> value;
  {
    py::gil_scoped_release release;
    value =
        guarded([&] { return forest.refit_leaves(from.data.data(), from.strides.data(), n_rows, y.data(), options); });
  }
  return Array<double>(static_cast<py::ssize_t>(value.size()), value.data());
}

Forest from_arrays(int64_t n_features, int64_t n_outputs, int64_t leaf_width, int link, double link_scale,
                   const Array<double>& base, const Array<int64_t>& tree_begin, const Array<int32_t>& tree_output,
                   const Array<int32_t>& feature, const Array<int32_t>& left, const Array<int32_t>& right,
                   const Array<double>& threshold, const Array<double>& value, const Array<uint8_t>& flags,
                   const Array<int64_t>& set_begin, const Array<uint32_t>& set_words,
                   std::vector<std::string> feature_names) {
  gppcore::ForestArrays a;
  a.n_features = n_features;
  a.n_outputs = n_outputs;
  a.leaf_width = leaf_width;
  a.link = static_cast<gppcore::ForestLink>(link);
  a.link_scale = link_scale;
  a.base = list(base);
  a.tree_begin = list(tree_begin);
  a.tree_output = list(tree_output);
  a.feature = list(feature);
  a.left = list(left);
  a.right = list(right);
  a.threshold = list(threshold);
  a.value = list(value);
  a.flags = list(flags);
  a.set_begin = list(set_begin);
  a.set_words = list(set_words);
  a.feature_names = std::move(feature_names);
  return Forest(std::move(a));
}

// An array of the forest, without a copy: it keeps the forest alive.
template <class T, gppcore::Span<T> gppcore::ForestView::* member>
py::array_t<T> array_of(const py::object& self) {
  const gppcore::Span<T>& span = self.cast<const Forest&>().arrays().*member;
  py::array_t<T> array(static_cast<py::ssize_t>(span.size()), span.data(), self);
  array.attr("flags").attr("writeable") = false;
  return array;
}

}  // namespace

void register_forest(py::module_& m) {
  using py::literals::operator""_a;
  const auto raw = [](const char* name) { return py::arg(name).noconvert(); };
  py::class_<Forest> forest(m, "Forest", "An additive ensemble of regression trees; use gppcore.Forest.");
  using gppcore::ForestView;
  forest
      .def_static("from_arrays", &from_arrays, "n_features"_a, "n_outputs"_a, "leaf_width"_a, "link"_a, "link_scale"_a,
                  raw("base"), raw("tree_begin"), raw("tree_output"), raw("feature"), raw("left"), raw("right"),
                  raw("threshold"), raw("value"), raw("flags"), raw("set_begin"), raw("set_words"), "feature_names"_a,
                  "Copies and checks the nodes.")
      .def_static(
          "load", [](const std::string& path) { return guarded([&] { return Forest::load(path); }); }, "path"_a,
          py::call_guard<py::gil_scoped_release>(), "Maps a .gppf file.")
      .def_static(
          "from_bytes",
          [](const py::bytes& data) {
            const std::string_view bytes = data;
            return Forest::from_bytes(bytes.data(), bytes.size());
          },
          "data"_a, "Copies and checks the bytes of a .gppf file.")
      .def("save", &Forest::save, "path"_a, py::call_guard<py::gil_scoped_release>(), "Writes a .gppf file.")
      .def_property_readonly("n_features", &Forest::n_features)
      .def_property_readonly("n_outputs", &Forest::n_outputs)
      .def_property_readonly("n_trees", &Forest::n_trees)
      .def_property_readonly("n_leaves", &Forest::n_leaves)
      .def_property_readonly("leaf_width", [](const Forest& f) { return f.arrays().leaf_width; })
      .def_property_readonly("link", [](const Forest& f) { return static_cast<int>(f.arrays().link); })
      .def_property_readonly("link_scale", [](const Forest& f) { return f.arrays().link_scale; })
      .def_property_readonly("feature_names", &Forest::feature_names)
      .def_property_readonly("base", &array_of<double, &ForestView::base>)
      .def_property_readonly("tree_begin", &array_of<int64_t, &ForestView::tree_begin>)
      .def_property_readonly("tree_output", &array_of<int32_t, &ForestView::tree_output>)
      .def_property_readonly("feature", &array_of<int32_t, &ForestView::feature>)
      .def_property_readonly("left", &array_of<int32_t, &ForestView::left>)
      .def_property_readonly("right", &array_of<int32_t, &ForestView::right>)
      .def_property_readonly("threshold", &array_of<double, &ForestView::threshold>)
      .def_property_readonly("value", &array_of<double, &ForestView::value>)
      .def_property_readonly("flags", &array_of<uint8_t, &ForestView::flags>)
      .def_property_readonly("set_begin", &array_of<int64_t, &ForestView::set_begin>)
      .def_property_readonly("set_words", &array_of<uint32_t, &ForestView::set_words>);
  const char* predict_doc = "Predicts from one array, or one value, per feature to out (n_steps, n, n_outputs).";
  const char* apply_doc = "Writes the leaf that each row reaches in each tree to out (n, n_trees).";
  forest.def("predict_f32", &predict<float>, raw("columns"), raw("out"), "raw"_a, "n_threads"_a, predict_doc)
      .def("predict_f64", &predict<double>, raw("columns"), raw("out"), "raw"_a, "n_threads"_a, predict_doc)
      .def("apply_f32", &apply<float>, raw("columns"), raw("out"), "n_threads"_a, apply_doc)
      .def("apply_f64", &apply<double>, raw("columns"), raw("out"), "n_threads"_a, apply_doc);
  const char* refit_doc =
      "Returns the values of all nodes after each tree has moved its leaves towards y (n, n_outputs).";
  forest
      .def("refit_leaves_f32", &refit_leaves<float>, raw("columns"), raw("y"), raw("weight"), "shrinkage"_a, "rate"_a,
           "n_threads"_a, refit_doc)
      .def("refit_leaves_f64", &refit_leaves<double>, raw("columns"), raw("y"), raw("weight"), "shrinkage"_a, "rate"_a,
           "n_threads"_a, refit_doc);
}
