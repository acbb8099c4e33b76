#include "bind.hpp"
#include "gppcore/error.hpp"
#include "gppcore/regrid.hpp"

namespace {

using gppcore::Nesting;

template <class A, class B>
Nesting nesting(const A& coarse, const B& fine, int64_t factor) {
  const bool fits = coarse.ndim() == 2 && fine.ndim() == 2 && factor >= 1 &&
                    fine.shape(0) == coarse.shape(0) * factor && fine.shape(1) == coarse.shape(1) * factor;
  if (!fits) throw gppcore::Error(gppcore::ErrorCode::shape, "fine: expected (lat, lon) = factor * coarse");
  return {coarse.shape(0), coarse.shape(1), factor};
}

const double* row_area(const Array<double>& area, const Nesting& grid) {
  if (area.ndim() != 1 || area.shape(0) != grid.n_lat * grid.factor)
    throw gppcore::Error(gppcore::ErrorCode::shape, "row_area: expected one value per fine row");
  return area.data();
}

template <class T>
void register_for(py::module_& m) {
  using py::literals::operator""_a;
  const auto raw = [](const char* name) { return py::arg(name).noconvert(); };
  m.def(
      "aggregate",
      [](const Array<T>& fine, int64_t factor, const Array<double>& area, double min_valid, Array<T> coarse,
         int n_threads) {
        const Nesting grid = nesting(coarse, fine, factor);
        const double* weights = row_area(area, grid);
        T* out = coarse.mutable_data();
        py::gil_scoped_release release;
        gppcore::aggregate(fine.data(), grid, weights, min_valid, out, n_threads);
      },
      raw("fine"), "factor"_a, raw("row_area"), "min_valid"_a, raw("coarse"), "n_threads"_a,
      "Area-weighted mean of the valid fine cells (lat, lon), written to coarse.");
  m.def(
      "downscale_conservative",
      [](const Array<T>& coarse, int64_t factor, Array<T> fine, int n_threads) {
        const Nesting grid = nesting(coarse, fine, factor);
        T* out = fine.mutable_data();
        py::gil_scoped_release release;
        gppcore::downscale_conservative(coarse.data(), grid, out, n_threads);
      },
      raw("coarse"), "factor"_a, raw("fine"), "n_threads"_a, "Each fine cell takes its coarse cell's value.");
  m.def(
      "downscale_bilinear",
      [](const Array<T>& coarse, int64_t factor, bool periodic_lon, Array<T> fine, int n_threads) {
        const Nesting grid = nesting(coarse, fine, factor);
        T* out = fine.mutable_data();
        py::gil_scoped_release release;
        gppcore::downscale_bilinear(coarse.data(), grid, periodic_lon, out, n_threads);
      },
      raw("coarse"), "factor"_a, "periodic_lon"_a, raw("fine"), "n_threads"_a,
      "Linear between the centres of valid coarse cells.");
  m.def(
      "downscale_covariate",
      [](const Array<T>& coarse, int64_t factor, const Array<T>& covariate, const Array<double>& area, Array<T> fine,
         int n_threads) {
        const Nesting grid = nesting(coarse, fine, factor);
        nesting(coarse, covariate, factor);
        const double* weights = row_area(area, grid);
        T* out = fine.mutable_data();
        py::gil_scoped_release release;
        gppcore::downscale_covariate(coarse.data(), grid, covariate.data(), weights, out, n_threads);
      },
      raw("coarse"), "factor"_a, raw("covariate"), raw("row_area"), raw("fine"), "n_threads"_a,
      "coarse * covariate / (area-weighted mean covariate of the coarse cell).");
}

}  // namespace

void register_regrid(py::module_& m) {
  register_for<float>(m);
  register_for<double>(m);
}
