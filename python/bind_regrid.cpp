#include <optional>
#include <tuple>

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
using OptionalArray = std::optional<Array<T>>;

template <class T>
T* output(OptionalArray<T>& fraction, const Array<T>& like) {
  if (!fraction) return nullptr;
  if (fraction->ndim() != 2 || fraction->shape(0) != like.shape(0) || fraction->shape(1) != like.shape(1))
    throw gppcore::Error(gppcore::ErrorCode::shape, "fraction: expected the shape of the means");
  return fraction->mutable_data();
}

// Weights along one axis: first source cell, offset of the weights, weights, weight of a whole cell.
using Axis = std::tuple<Array<int64_t>, Array<int64_t>, Array<double>, Array<double>>;

gppcore::AxisWeights weights(const Axis& axis, int64_t n_source, int64_t n_target) {
  const auto& [first, offset, weight, full] = axis;
  const bool fits = first.ndim() == 1 && first.shape(0) == n_target && offset.ndim() == 1 &&
                    offset.shape(0) == n_target + 1 && full.ndim() == 1 && full.shape(0) == n_target &&
                    weight.ndim() == 1 && offset.at(0) == 0 && offset.at(n_target) == weight.shape(0);
  if (!fits) throw gppcore::Error(gppcore::ErrorCode::shape, "weights: expected one entry per target cell");
  return {n_source, n_target, first.data(), offset.data(), weight.data(), full.data()};
}

template <class T>
void register_for(py::module_& m) {
  using py::literals::operator""_a;
  const auto raw = [](const char* name) { return py::arg(name).noconvert(); };
  m.def(
      "aggregate",
      [](const Array<T>& fine, int64_t factor, const Array<double>& area, double min_valid, Array<T> coarse,
         OptionalArray<T> fraction, int n_threads) {
        const Nesting grid = nesting(coarse, fine, factor);
        const double* weights = row_area(area, grid);
        T *out = coarse.mutable_data(), *share = output(fraction, coarse);
        py::gil_scoped_release release;
        gppcore::aggregate(fine.data(), grid, weights, min_valid, out, share, n_threads);
      },
      raw("fine"), "factor"_a, raw("row_area"), "min_valid"_a, raw("coarse"), raw("fraction").none(true), "n_threads"_a,
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
  m.def(
      "downscale_smooth",
      [](const Array<T>& coarse, int64_t factor, bool periodic_lon, const Array<double>& area, Array<T> fine,
         int n_threads) {
        const Nesting grid = nesting(coarse, fine, factor);
        const double* weights = row_area(area, grid);
        T* out = fine.mutable_data();
        py::gil_scoped_release release;
        gppcore::downscale_smooth(coarse.data(), grid, periodic_lon, weights, out, n_threads);
      },
      raw("coarse"), "factor"_a, "periodic_lon"_a, raw("row_area"), raw("fine"), "n_threads"_a,
      "Bilinear surface whose mean over every coarse cell is its value.");
  m.def(
      "regrid",
      [](const Array<T>& source, const Axis& lat, const Axis& lon, double min_valid, Array<T> mean,
         OptionalArray<T> fraction, int n_threads) {
        if (source.ndim() != 2 || mean.ndim() != 2)
          throw gppcore::Error(gppcore::ErrorCode::shape, "source: expected (lat, lon)");
        const auto rows = weights(lat, source.shape(0), mean.shape(0));
        const auto columns = weights(lon, source.shape(1), mean.shape(1));
        T *out = mean.mutable_data(), *share = output(fraction, mean);
        py::gil_scoped_release release;
        gppcore::regrid(source.data(), rows, columns, min_valid, out, share, n_threads);
      },
      raw("source"), "lat"_a, "lon"_a, "min_valid"_a, raw("mean"), raw("fraction").none(true), "n_threads"_a,
      "Weighted mean of the valid source cells of every target cell.");
}

}  // namespace

void register_regrid(py::module_& m) {
  register_for<float>(m);
  register_for<double>(m);
}
