// The two-leaf canopy, and single leaves, over whole arrays of double or float.
#pragma once
#include <cstdint>

#include "gppcore/visibility.hpp"

namespace gppcore GPPCORE_VISIBLE {

// kCompat, BEPS as published, computes in double alone.
enum TwoLeafMode { kRobust, kCompat, kTwoLeafModes };

// Parameters of one plant functional type; units and sources in src/gppcore/constants. Then what the caller wants:
// the model, biochemistry at the temperature of the leaves instead of the air, GPP before leaf respiration.
struct TwoLeafParameters {
  double g0, albedo;
  double height_overstory, height_understory;
  double stem_area_overstory, stem_area_understory;
  bool understory, c4;
  TwoLeafMode mode;
  bool leaf_temperature, gross;
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
  kDiffuseFraction,
  kTwoLeafInputs
};

// Order of the outputs. After sunlit and shaded GPP each has four entries, one per leaf class: sunlit and shaded
// overstory, sunlit and shaded understory. All but the temperature are per ground area.
enum TwoLeafOutput {
  kGppSunlit,
  kGppShaded,
  kGppClasses,                            // umol m-2 s-1
  kConductance = kGppClasses + 4,         // of stomata for water vapour, mol m-2 s-1
  kTranspiration = kConductance + 4,      // kg m-2 s-1
  kLeafTemperature = kTranspiration + 4,  // degC
  kApar = kLeafTemperature + 4,           // absorbed photons, umol m-2 s-1
  kTwoLeafOutputs = kApar + 4
};

// Derivatives that one pass over the canopy hours gives.
constexpr int kTwoLeafComponents = 4;

// Parameters of single leaves.
struct LeafParameters {
  bool c4;
  TwoLeafMode mode, biochemistry;  // how the leaf is solved; whose rates. In kCompat mode its own
};

enum LeafInput {
  kLeafVcmax25,
  kLeafPpfd,
  kLeafTair,
  kLeafHumidity,
  kLeafBoundaryConductance,
  kLeafCa,
  kLeafG1,
  kLeafSoilWaterStress,
  kLeafG0,
  kLeafCiGuess,  // decides which rate limits in kCompat mode
  kLeafInputs
};

enum LeafOutput { kLeafNet, kLeafCi, kLeafConductance, kLeafRespiration, kLeafOutputs };

// One input over a grid of rows x columns; either stride (in elements) may be 0 to broadcast. Values must be NaN or
// within [low, high].
template <class E>
struct TwoLeafGrid {
  const E* data;
  int64_t row_stride, column_stride;
  double low, high;
};

// The functions below return the index of an input that has a value out of range, or -1; then the outputs are
// complete. Outputs are C-contiguous rows x columns each; null where not wanted. An input kDiffuseFraction without
// data is told from clearness.
template <class E>
int two_leaf(const TwoLeafParameters& pft, const TwoLeafGrid<E> (&inputs)[kTwoLeafInputs], int64_t rows,
             int64_t columns, E* const (&out)[kTwoLeafOutputs], int n_threads);

// As two_leaf; derivatives of the GPP of all leaves by the inputs `by` (-1: none) go to d.
template <class E>
int two_leaf_gradient(const TwoLeafParameters& pft, const TwoLeafGrid<E> (&inputs)[kTwoLeafInputs], int64_t rows,
                      int64_t columns, E* const (&out)[kTwoLeafOutputs], const int (&by)[kTwoLeafComponents],
                      E* const (&d)[kTwoLeafComponents], int n_threads);

// Single leaves at a given humidity of the leaf surface.
template <class E>
int leaf_gas_exchange(const LeafParameters& leaf, const TwoLeafGrid<E> (&inputs)[kLeafInputs], int64_t rows,
                      int64_t columns, E* const (&out)[kLeafOutputs], int n_threads);

}  // namespace gppcore GPPCORE_VISIBLE
