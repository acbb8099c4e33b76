#include "gppcore/soil_water.hpp"

#include <string>

#include "dispatch.hpp"
#include "gppcore/error.hpp"
#include "parallel.hpp"

namespace gppcore {

void soil_water(const double* precip, const double* evaporation, const double* tair, int64_t times, int64_t n,
                const SoilWaterBucket& bucket, double* out, int n_threads) {
  if (bucket.spin_up_times < 0 || bucket.spin_up_times > times || bucket.spin_ups < 0 || bucket.steps_in_time < 1)
    throw Error(ErrorCode::range, "bucket: expected a spin-up of 0 to " + std::to_string(times) +
                                      " times and at least one step in a time, got " +
                                      std::to_string(bucket.spin_up_times) + " and " +
                                      std::to_string(bucket.steps_in_time));
  constexpr int64_t kGrain = 512;  // cells: some milliseconds for a year
  const auto run = kernels().soil_water;
  parallel_for(n, kGrain, n_threads,
               [&](int64_t begin, int64_t end) { run(precip, evaporation, tair, times, n, begin, end, bucket, out); });
}

}  // namespace gppcore
