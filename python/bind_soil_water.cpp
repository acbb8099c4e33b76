#include "bind.hpp"
#include "gppcore/error.hpp"
#include "gppcore/soil_water.hpp"

void register_soil_water(py::module_& m) {
  using py::literals::operator""_a;
  const auto raw = [](const char* name) { return py::arg(name).noconvert(); };
  m.def(
      "soil_water",
      [](const Array<double>& precip, const Array<double>& evaporation, const Array<double>& tair, double capacity,
         double melt_per_degree, double days_in_step, int64_t steps_in_time, int64_t spin_up_times, int64_t spin_ups,
         Array<double> out, int n_threads) {
        for (const Array<double>* field : {&precip, &evaporation, &tair})
          if (field->ndim() != 2 || out.ndim() != 2 || field->shape(0) != out.shape(0) ||
              field->shape(1) != out.shape(1))
            throw gppcore::Error(gppcore::ErrorCode::shape, "out: expected (times, n), the shape of all inputs");
        double* to = out.mutable_data();
        py::gil_scoped_release release;
        gppcore::soil_water(precip.data(), evaporation.data(), tair.data(), out.shape(0), out.shape(1),
                            {capacity, melt_per_degree, days_in_step, steps_in_time, spin_up_times, spin_ups}, to,
                            n_threads);
      },
      raw("precip"), raw("evaporation"), raw("tair"), "capacity"_a, "melt_per_degree"_a, "days_in_step"_a,
      "steps_in_time"_a, "spin_up_times"_a, "spin_ups"_a, raw("out"), "n_threads"_a,
      "Mean soil water of every time relative to the capacity (times, n), written to out.");
}
