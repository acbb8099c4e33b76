// The soil-water bucket of months or days.
#pragma once
#include <cstdint>

#include "gppcore/visibility.hpp"

namespace gppcore GPPCORE_VISIBLE {

struct SoilWaterBucket {
  double capacity;         // mm
  double melt_per_degree;  // mm d-1 degC-1
  double days_in_step;
  int64_t steps_in_time;  // of a month or a day
  int64_t spin_up_times;  // the first times of the record, run before it
  int64_t spin_ups;       // how often
};

// Mean soil water of every time relative to the capacity, of n cells that start half full and without snow. All fields
// are C-contiguous (times, n): precipitation and potential evaporation [mm d-1], air temperature [degC], below 0 of
// which precipitation is snow. After NaN in an input a cell stays NaN.
void soil_water(const double* precip, const double* evaporation, const double* tair, int64_t times, int64_t n,
                const SoilWaterBucket& bucket, double* out, int n_threads);

}  // namespace gppcore GPPCORE_VISIBLE
