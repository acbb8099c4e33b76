#include <algorithm>

#include "bind.hpp"
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

template <class T>
T* output(Array<T>& out, int64_t n_rows) {
  if (out.ndim() != 1 || out.shape(0) != n_rows)
    throw Error(ErrorCode::shape, "out: expected shape (" + std::to_string(n_rows) + ",)");
  return out.mutable_data();
}

template <class T>
void predict(const Forest& forest, const Array<T>& rows, Array<T> out, int n_threads) {
  if (rows.ndim() != 2 || rows.shape(1) != forest.n_features())
    throw Error(ErrorCode::shape, "rows: expected shape (n, " + std::to_string(forest.n_features()) + ")");
  const int64_t n_rows = rows.shape(0);
  T* to = output(out, n_rows);
  py::gil_scoped_release release;
  forest.predict(rows.data(), n_rows, to, n_threads);
}

// Strided columns are read in place; a column without dimensions is one value for all rows.
template <class T>
void predict_columns(const Forest& forest, const std::vector<py::array_t<T>>& columns, Array<T> out, int n_threads) {
  const int64_t n_rows = out.size();
  T* to = output(out, n_rows);
  if (static_cast<int64_t>(columns.size()) != forest.n_features())
    throw Error(ErrorCode::shape, "columns: expected " + std::to_string(forest.n_features()) + " of them");
  std::vector<const T*> data;
  std::vector<int64_t> strides;
  for (const auto& column : columns) {
    const bool scalar = column.ndim() == 0;
    if (!scalar && (column.ndim() != 1 || column.shape(0) != n_rows || column.strides(0) % column.itemsize() != 0))
      throw Error(ErrorCode::shape, "columns: expected aligned arrays of " + std::to_string(n_rows) + " rows");
    data.push_back(column.data());
    strides.push_back(scalar ? 0 : column.strides(0) / column.itemsize());
  }
  py::gil_scoped_release release;
  forest.predict_columns(data.data(), strides.data(), n_rows, to, n_threads);
}

Forest from_arrays(int64_t n_features, double base, const Array<int64_t>& tree_begin, const Array<int32_t>& feature,
                   const Array<double>& threshold, const Array<int32_t>& left, const Array<int32_t>& right,
                   const Array<uint8_t>& missing_left, const Array<double>& value,
                   std::vector<std::string> feature_names) {
  gppcore::ForestArrays a;
  a.n_features = n_features;
  a.base = base;
  a.tree_begin = list(tree_begin);
  a.feature = list(feature);
  a.left = list(left);
  a.right = list(right);
  a.threshold = list(threshold);
  a.value = list(value);
  a.missing_left = list(missing_left);
  a.feature_names = std::move(feature_names);
  return Forest(std::move(a));
}

}  // namespace

void register_forest(py::module_& m) {
  using py::literals::operator""_a;
  const auto raw = [](const char* name) { return py::arg(name).noconvert(); };
  py::class_<Forest> forest(m, "Forest", "An additive ensemble of regression trees; use gppcore.forest.Forest.");
  forest
      .def_static("from_arrays", &from_arrays, "n_features"_a, "base"_a, raw("tree_begin"), raw("feature"),
                  raw("threshold"), raw("left"), raw("right"), raw("missing_left"), raw("value"), "feature_names"_a,
                  "Copies and checks the nodes.")
      .def_static("load", &Forest::load, "path"_a, py::call_guard<py::gil_scoped_release>(), "Reads a .gppf file.")
      .def("save", &Forest::save, "path"_a, py::call_guard<py::gil_scoped_release>(), "Writes a .gppf file.")
      .def_property_readonly("n_features", &Forest::n_features)
      .def_property_readonly("n_trees", &Forest::n_trees)
      .def_property_readonly("n_leaves", &Forest::n_leaves)
      .def_property_readonly("base", [](const Forest& f) { return f.arrays().base; })
      .def_property_readonly("feature_names", [](const Forest& f) { return f.arrays().feature_names; });
  const char* by_rows = "Prediction for each row of a matrix, written to out.";
  const char* by_columns = "Prediction from one array, or one value, per feature, written to out.";
  forest.def("predict", &predict<float>, raw("rows"), raw("out"), "n_threads"_a, by_rows)
      .def("predict", &predict<double>, raw("rows"), raw("out"), "n_threads"_a, by_rows)
      .def("predict_columns_f32", &predict_columns<float>, raw("columns"), raw("out"), "n_threads"_a, by_columns)
      .def("predict_columns_f64", &predict_columns<double>, raw("columns"), raw("out"), "n_threads"_a, by_columns);
}
