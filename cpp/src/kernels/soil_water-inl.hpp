// The bucket of some cells side by side: water and snow stay in registers from the first step to the last.
#pragma once
#include <cstdint>

#include "native-inl.hpp"
#include "soil_water.hpp"

namespace gppcore::GPPCORE_ISA {
namespace soil_water {

constexpr double kOpen = 0.75;  // share of the capacity from which on evaporation is potential

// Cells from `first` on in N vectors, of which `n_cells` exist.
template <int N>
struct Cells {
  V x[N];

  GPPCORE_INLINE void load(const double* from, int64_t n_cells) {
    double edge[N * kLanes] = {};
    if (n_cells < N * kLanes) {
      for (int64_t i = 0; i < n_cells; ++i) edge[i] = from[i];
      from = edge;
    }
    __builtin_memcpy(x, from, sizeof x);
  }
  GPPCORE_INLINE void store(double* to, int64_t n_cells) const {
    if (n_cells >= N * kLanes) {
      __builtin_memcpy(to, x, sizeof x);
      return;
    }
    double edge[N * kLanes];
    __builtin_memcpy(edge, x, sizeof x);
    for (int64_t i = 0; i < n_cells; ++i) to[i] = edge[i];
  }
};

// NaN stays NaN in all of these.
GPPCORE_INLINE V at_least_zero(V x) { return x < 0.0 ? splat(0.0) : x; }
GPPCORE_INLINE V at_most(V x, double limit) { return x > limit ? splat(limit) : x; }
GPPCORE_INLINE V smaller(V a, V b) { return ((b < a) | (b != b)) ? b : a; }

template <int N>
void run(const double* precip, const double* evaporation, const double* tair, int64_t times, int64_t n, int64_t first,
         int64_t n_cells, const SoilWaterBucket& b, double* out) {
  Cells<N> water, snow, fall, loss, thaw, total;
  for (int i = 0; i < N; ++i) {
    water.x[i] = splat(0.5 * b.capacity);
    snow.x[i] = splat(0.0);
  }
  const int64_t spin_up = b.spin_ups * b.spin_up_times;
  for (int64_t k = 0; k < spin_up + times; ++k) {
    const int64_t time = k < spin_up ? k % b.spin_up_times : k - spin_up, at = time * n + first;
    fall.load(precip + at, n_cells);
    loss.load(evaporation + at, n_cells);
    thaw.load(tair + at, n_cells);
    VI frozen[N];
    for (int i = 0; i < N; ++i) {
      frozen[i] = thaw.x[i] < 0.0;
      fall.x[i] = fall.x[i] * b.days_in_step;
      loss.x[i] = loss.x[i] * b.days_in_step;
      thaw.x[i] = at_least_zero(thaw.x[i]) * b.melt_per_degree * b.days_in_step;
      total.x[i] = splat(0.0);
    }
    for (int64_t step = 0; step < b.steps_in_time; ++step) {
      for (int i = 0; i < N; ++i) {
        const V melt = smaller(snow.x[i], thaw.x[i]);
        snow.x[i] = frozen[i] ? snow.x[i] + fall.x[i] : snow.x[i] - melt;
        const V rain = frozen[i] ? splat(0.0) : fall.x[i] + melt;
        const V dry = at_most(water.x[i] / (kOpen * b.capacity), 1.0);
        water.x[i] = at_most(at_least_zero(water.x[i] + rain - loss.x[i] * dry), b.capacity);
        total.x[i] += water.x[i];
      }
    }
    if (k < spin_up) continue;
    for (int i = 0; i < N; ++i) total.x[i] = total.x[i] / (static_cast<double>(b.steps_in_time) * b.capacity);
    total.store(out + at, n_cells);
  }
}

inline void run_cells(const double* precip, const double* evaporation, const double* tair, int64_t times, int64_t n,
                      int64_t begin, int64_t end, const SoilWaterBucket& bucket, double* out) {
  constexpr int kAtOnce = 4;  // vectors: each step waits for the division of the one before
  for (int64_t first = begin; first < end; first += kAtOnce * kLanes) {
    const int64_t left = end - first;
    run<kAtOnce>(precip, evaporation, tair, times, n, first, left < kAtOnce * kLanes ? left : kAtOnce * kLanes, bucket,
                 out);
  }
}

}  // namespace soil_water

extern const SoilWaterKernel soil_water_kernel;
const SoilWaterKernel soil_water_kernel = soil_water::run_cells;

}  // namespace gppcore::GPPCORE_ISA
