#include <string>

#include "bind.hpp"
#include "gppcore/error.hpp"
#include "gppcore/two_leaf.hpp"

namespace {

using gppcore::Error;
using gppcore::ErrorCode;
using gppcore::kLeafInputs;
using gppcore::kLeafOutputs;
using gppcore::kTwoLeafComponents;
using gppcore::kTwoLeafInputs;
using gppcore::kTwoLeafOutputs;
using Limits = std::vector<std::pair<double, double>>;

struct Shape {
  py::ssize_t rows, columns;
};

template <class A>
void check_shape(const A& a, Shape shape) {
  if (a.ndim() != 2 || a.shape(0) != shape.rows || a.shape(1) != shape.columns)
    throw Error(ErrorCode::shape, "two_leaf: inputs and outputs differ in shape");
}

template <class E>
py::ssize_t stride(const py::array_t<E>& a, int axis, py::ssize_t size) {
  const auto item = static_cast<py::ssize_t>(sizeof(E));
  if (a.ndim() != 2 || (a.shape(axis) != size && a.shape(axis) != 1) || a.strides(axis) % item != 0)
    throw Error(ErrorCode::shape, "two_leaf: expected aligned inputs that broadcast to the shape of outputs");
  return a.shape(axis) == 1 ? 0 : a.strides(axis) / item;
}

// Inputs come as 2-D views whose dimensions of 1 broadcast. None: no data.
template <class E, int N>
void take_inputs(const std::vector<std::optional<py::array_t<E>>>& from, const Limits& limits, Shape shape,
                 gppcore::TwoLeafGrid<E> (&to)[N]) {
  if (from.size() != N || limits.size() != N)
    throw Error(ErrorCode::shape, "two_leaf: expected " + std::to_string(N) + " inputs");
  for (int j = 0; j < N; ++j) {
    to[j] = {nullptr, 0, 0, limits[j].first, limits[j].second};
    if (!from[j]) continue;
    const auto& a = *from[j];
    to[j].data = a.data();
    to[j].row_stride = stride(a, 0, shape.rows);
    to[j].column_stride = stride(a, 1, shape.columns);
  }
}

template <class E, int N>
void take_outputs(std::vector<std::optional<Array<E>>>& from, Shape shape, E* (&to)[N]) {
  if (from.size() != N) throw Error(ErrorCode::shape, "two_leaf: expected " + std::to_string(N) + " outputs");
  for (int j = 0; j < N; ++j) {
    to[j] = nullptr;
    if (!from[j]) continue;
    check_shape(*from[j], shape);
    to[j] = from[j]->mutable_data();
  }
}

template <class E>
using Inputs = std::vector<std::optional<py::array_t<E>>>;
template <class E>
using Outputs = std::vector<std::optional<Array<E>>>;

template <class E>
int two_leaf(const gppcore::TwoLeafParameters& pft, const Inputs<E>& inputs, const Limits& limits, Outputs<E> out,
             std::pair<py::ssize_t, py::ssize_t> shape, int n_threads) {
  const Shape grid{shape.first, shape.second};
  gppcore::TwoLeafGrid<E> grids[kTwoLeafInputs];
  E* to[kTwoLeafOutputs];
  take_inputs(inputs, limits, grid, grids);
  take_outputs(out, grid, to);
  py::gil_scoped_release release;
  return gppcore::two_leaf(pft, grids, grid.rows, grid.columns, to, n_threads);
}

template <class E>
int two_leaf_gradient(const gppcore::TwoLeafParameters& pft, const Inputs<E>& inputs, const Limits& limits,
                      Outputs<E> out, const std::vector<int>& by, Outputs<E> derivatives,
                      std::pair<py::ssize_t, py::ssize_t> shape, int n_threads) {
  const Shape grid{shape.first, shape.second};
  gppcore::TwoLeafGrid<E> grids[kTwoLeafInputs];
  E *to[kTwoLeafOutputs], *d[kTwoLeafComponents];
  int seeds[kTwoLeafComponents];
  take_inputs(inputs, limits, grid, grids);
  take_outputs(out, grid, to);
  take_outputs(derivatives, grid, d);
  if (by.size() != kTwoLeafComponents) throw Error(ErrorCode::shape, "two_leaf: expected one input per derivative");
  for (int k = 0; k < kTwoLeafComponents; ++k) {
    seeds[k] = by[k];
    if (by[k] < -1 || by[k] >= kTwoLeafInputs) throw Error(ErrorCode::range, "two_leaf: no such input");
  }
  py::gil_scoped_release release;
  return gppcore::two_leaf_gradient(pft, grids, grid.rows, grid.columns, to, seeds, d, n_threads);
}

template <class E>
int leaf_gas_exchange(const gppcore::LeafParameters& leaf, const Inputs<E>& inputs, const Limits& limits,
                      Outputs<E> out, std::pair<py::ssize_t, py::ssize_t> shape, int n_threads) {
  const Shape grid{shape.first, shape.second};
  gppcore::TwoLeafGrid<E> grids[kLeafInputs];
  E* to[kLeafOutputs];
  take_inputs(inputs, limits, grid, grids);
  take_outputs(out, grid, to);
  py::gil_scoped_release release;
  return gppcore::leaf_gas_exchange(leaf, grids, grid.rows, grid.columns, to, n_threads);
}

gppcore::TwoLeafMode mode_of(const std::string& name) {
  if (name == "default") return gppcore::kRobust;
  if (name == "beps") return gppcore::kCompat;
  throw Error(ErrorCode::range, "mode: expected default or beps, got " + name);
}

template <class E>
void register_element(py::module_& m) {
  const auto in = py::arg("inputs").noconvert(), out = py::arg("out").noconvert();
  m.def("two_leaf", &two_leaf<E>, "Canopy hours; returns the index of an input out of its limits, or -1.",
        py::arg("pft"), in, py::arg("limits"), out, py::arg("shape"), py::arg("n_threads"));
  m.def("two_leaf_gradient", &two_leaf_gradient<E>, "Canopy hours with derivatives of GPP by four inputs.",
        py::arg("pft"), in, py::arg("limits"), out, py::arg("by"), py::arg("derivatives").noconvert(), py::arg("shape"),
        py::arg("n_threads"));
  m.def("leaf_gas_exchange", &leaf_gas_exchange<E>, "Single leaves at a given humidity.", py::arg("leaf"), in,
        py::arg("limits"), out, py::arg("shape"), py::arg("n_threads"));
}

}  // namespace

void register_two_leaf(py::module_& m) {
  using P = gppcore::TwoLeafParameters;
  py::class_<P>(m, "TwoLeafParameters")
      .def(py::init([](double g0, double albedo, double height_overstory, double height_understory,
                       double stem_area_overstory, double stem_area_understory, bool understory, bool c4,
                       const std::string& mode, bool leaf_temperature, bool gross) {
             return P{g0,
                      albedo,
                      height_overstory,
                      height_understory,
                      stem_area_overstory,
                      stem_area_understory,
                      understory,
                      c4,
                      mode_of(mode),
                      leaf_temperature,
                      gross};
           }),
           py::kw_only(), py::arg("g0"), py::arg("albedo"), py::arg("height_overstory"), py::arg("height_understory"),
           py::arg("stem_area_overstory"), py::arg("stem_area_understory"), py::arg("understory"), py::arg("c4"),
           py::arg("mode"), py::arg("leaf_temperature"), py::arg("gross"));
  using L = gppcore::LeafParameters;
  py::class_<L>(m, "LeafParameters")
      .def(py::init([](bool c4, const std::string& mode, const std::string& biochemistry) {
             return L{c4, mode_of(mode), mode_of(biochemistry)};
           }),
           py::kw_only(), py::arg("c4"), py::arg("mode"), py::arg("biochemistry"));
  register_element<double>(m);
  register_element<float>(m);
}
