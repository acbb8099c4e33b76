// What the soil-water kernel of one instruction set offers. Plain types only: this is included by the ISA files.
#pragma once
#include <cstdint>

#include "gppcore/soil_water.hpp"

namespace gppcore {

// Cells [begin, end) of fields (times, n); see gppcore/soil_water.hpp.
using SoilWaterKernel = void (*)(const double* precip, const double* evaporation, const double* tair, int64_t times,
                                 int64_t n, int64_t begin, int64_t end, const SoilWaterBucket& bucket, double* out);

}  // namespace gppcore
