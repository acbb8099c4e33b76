// The two-leaf canopy over whole arrays.
#pragma once
#include <cstdint>

namespace gppcore {

// Parameters of one plant functional type; units and sources in src/gppcore/constants.py.
struct TwoLeafParameters {
  double g0, albedo;
  double height_overstory, height_understory;
  double stem_area_overstory, stem_area_understory;
  bool understory, c4;
};

// Order of the inputs; names and units in src/gppcore/variables.py.
enum TwoLeafInput {
  kSw,
  kTair,
  kVpd,
  kWind,
  kCosZenith,
  kCa,
  kLai,
  kClumping,
  kSoilWaterStress,
  kVcmax25,
  kG1,
  kTwoLeafInputs
};

// One input over a grid of rows x columns; either stride (in elements) may be 0 to broadcast.
struct TwoLeafGrid {
  const double* data;
  int64_t row_stride, column_stride;
};

// Sunlit and shaded GPP (umol m-2 s-1) of rows x columns canopy hours, written C-contiguously.
void two_leaf(const TwoLeafParameters& pft, const TwoLeafGrid (&inputs)[kTwoLeafInputs], int64_t rows, int64_t columns,
              double* gpp_sunlit, double* gpp_shaded, int n_threads);

}  // namespace gppcore
