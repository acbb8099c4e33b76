#include "bind.hpp"
#include "gppcore/error.hpp"
#include "gppcore/two_leaf.hpp"

namespace {

using gppcore::kTwoLeafInputs;

// Inputs come as 2-D float64 views of one shape, made by numpy.broadcast_to: strides of 0 are kept.
void two_leaf(const gppcore::TwoLeafParameters& pft, const std::vector<py::array_t<double>>& inputs,
              Array<double> gpp_sunlit, Array<double> gpp_shaded, int n_threads) {
  if (inputs.size() != kTwoLeafInputs || gpp_sunlit.ndim() != 2 || gpp_shaded.ndim() != 2)
    throw gppcore::Error(gppcore::ErrorCode::shape, "two_leaf: expected 11 inputs and 2-D outputs");
  const py::ssize_t rows = gpp_sunlit.shape(0), columns = gpp_sunlit.shape(1);
  gppcore::TwoLeafGrid grids[kTwoLeafInputs];
  for (int j = 0; j < kTwoLeafInputs; ++j) {
    const auto& a = inputs[j];
    if (a.ndim() != 2 || a.shape(0) != rows || a.shape(1) != columns)
      throw gppcore::Error(gppcore::ErrorCode::shape, "two_leaf: inputs and outputs differ in shape");
    const auto item = static_cast<py::ssize_t>(sizeof(double));
    grids[j] = {a.data(), a.strides(0) / item, a.strides(1) / item};
  }
  if (gpp_shaded.shape(0) != rows || gpp_shaded.shape(1) != columns)
    throw gppcore::Error(gppcore::ErrorCode::shape, "two_leaf: outputs differ in shape");
  double* sunlit = gpp_sunlit.mutable_data();
  double* shaded = gpp_shaded.mutable_data();
  py::gil_scoped_release release;
  gppcore::two_leaf(pft, grids, rows, columns, sunlit, shaded, n_threads);
}

}  // namespace

void register_two_leaf(py::module_& m) {
  using P = gppcore::TwoLeafParameters;
  py::class_<P>(m, "TwoLeafParameters")
      .def(py::init([](double g0, double albedo, double height_overstory, double height_understory,
                       double stem_area_overstory, double stem_area_understory, bool understory, bool c4) {
             return P{
                 g0,         albedo, height_overstory, height_understory, stem_area_overstory, stem_area_understory,
                 understory, c4};
           }),
           py::kw_only(), py::arg("g0"), py::arg("albedo"), py::arg("height_overstory"), py::arg("height_understory"),
           py::arg("stem_area_overstory"), py::arg("stem_area_understory"), py::arg("understory"), py::arg("c4"));
  m.def("two_leaf", &two_leaf, "Sunlit and shaded GPP of canopy hours.", py::arg("pft"), py::arg("inputs").noconvert(),
        py::arg("gpp_sunlit").noconvert(), py::arg("gpp_shaded").noconvert(), py::arg("n_threads"));
}
