#include "gppcore/two_leaf.hpp"

#include <cmath>
#include <cstdio>
#include <iterator>
#include <vector>

#include "../src/pfts.hpp"
#include "../src/variables.hpp"
#include "guard.hpp"

using gppcore::Error;
using gppcore::ErrorCode;
using gppcore::guard;
using gppcore::require;

namespace {

static_assert(int{GPP_TWO_LEAF_INPUTS} == int{gppcore::kTwoLeafInputs});
static_assert(int{GPP_LEAF_INPUTS} == int{gppcore::kLeafInputs});
static_assert(int{GPP_TWO_LEAF_OUTPUTS} == 2 + (gppcore::kTwoLeafOutputs - 2) / 4);
static_assert(int{GPP_LEAF_OUTPUTS} == int{gppcore::kLeafOutputs});

constexpr const char* kNames[] = {"sw",      "tair",       "vpd",
                                  "wind",    "cos_zenith", "ca",
                                  "lai",     "clumping",   "soil_water_stress",
                                  "vcmax25", "g1",         "diffuse_fraction"};
constexpr const char* kLeafNames[] = {
    "vcmax25", "ppfd", "tair", "humidity", "boundary_conductance", "ca", "g1", "soil_water_stress", "g0", "ci_guess"};
static_assert(std::size(kNames) == GPP_TWO_LEAF_INPUTS && std::size(kLeafNames) == GPP_LEAF_INPUTS);

const gppcore::Variable& variable(const std::string& name) {
  for (const gppcore::Variable& v : gppcore::kVariables)
    if (name == v.name) return v;
  throw Error(ErrorCode::kernel, name + ": expected a variable of the table, got none");
}

std::string text(double x) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", x);
  return digits;
}

// Inputs of one number type as the kernels take them: one row.
template <class T, int N>
class Inputs {
 public:
  Inputs(const char* const (&names)[N], const T* const* inputs, const int64_t* strides, int64_t n)
      : names_(names), n_(n) {
    gppcore::require_size(n, "n");
    require(inputs, "inputs");
    require(strides, "strides");
    for (int j = 0; j < N; ++j) {
      const gppcore::Variable& v = variable(names[j]);
      grid[j] = {inputs[j], 0, inputs[j] ? strides[j] : 0, v.low, v.high};
    }
  }

  // Takes one value where there is no input.
  void set_default(int j, double value) {
    if (grid[j].data) return;
    defaults_[j] = static_cast<T>(value);
    grid[j].data = &defaults_[j];
  }

  // Refuses an input that is not there; `optional` may be missing.
  void require_all(int optional) const {
    for (int j = 0; j < N; ++j)
      if (j != optional) require(grid[j].data, names_[j]);
  }

  // Names the value that the kernel found out of range.
  void refuse(int j) const {
    if (j < 0) return;
    const gppcore::Variable& v = variable(names_[j]);
    int64_t i = 0;
    const auto at = [&](int64_t row) { return static_cast<double>(grid[j].data[row * grid[j].column_stride]); };
    while (i + 1 < n_ && (std::isnan(at(i)) || (at(i) >= v.low && at(i) <= v.high))) ++i;
    throw Error(ErrorCode::range, std::string(v.name) + ": expected " + text(v.low) + " to " + text(v.high) + " " +
                                      v.unit + " or NaN, got " + text(at(i)) + " in element " + std::to_string(i) +
                                      (v.look_alike ? std::string("; is it in ") + v.look_alike + "?" : ""));
  }

  gppcore::TwoLeafGrid<T> grid[N];

 private:
  const char* const (&names_)[N];
  int64_t n_;
  T defaults_[N];
};

gppcore::TwoLeafMode mode_of(int32_t mode, const char* name) {
  if (mode != GPP_MODE_DEFAULT && mode != GPP_MODE_BEPS)
    throw Error(ErrorCode::range, std::string(name) + ": expected 0 or 1, got " + std::to_string(mode));
  return static_cast<gppcore::TwoLeafMode>(mode);
}

int require_threads(int32_t n_threads) {
  gppcore::require_size(n_threads, "n_threads");
  return n_threads;
}

template <class T>
gpp_status two_leaf(const gpp_pft_parameters* pft, const gpp_two_leaf_options* wanted, const T* const* inputs,
                    const int64_t* strides, int64_t n, T* const* outputs) {
  return guard([&] {
    require(pft, "pft");
    gppcore::require_struct(pft->size, sizeof *pft, "pft");
    gpp_two_leaf_options options{sizeof options, GPP_MODE_DEFAULT, 0, 0, 1};
    if (wanted) {
      gppcore::require_struct(wanted->size, sizeof *wanted, "options");
      options = *wanted;
    }
    const gppcore::TwoLeafMode mode = mode_of(options.mode, "mode");
    if (mode == gppcore::kCompat && (options.leaf_temperature || options.gross))
      throw Error(ErrorCode::range, "mode: expected leaf_temperature 0 and gross 0 in BEPS mode, got another");
    Inputs<T, GPP_TWO_LEAF_INPUTS> in(kNames, inputs, strides, n);
    in.set_default(GPP_WIND, 2.5);
    in.set_default(GPP_SOIL_WATER_STRESS, 1.0);
    in.set_default(GPP_CLUMPING, pft->clumping);
    in.set_default(GPP_VCMAX25, pft->vcmax25);
    in.set_default(GPP_G1, pft->g1);
    in.require_all(GPP_DIFFUSE_FRACTION);
    require(outputs, "outputs");
    T* out[gppcore::kTwoLeafOutputs];
    for (int j = 0; j < gppcore::kTwoLeafOutputs; ++j) {
      T* const whole = outputs[j < 2 ? j : 2 + (j - 2) / 4];
      out[j] = whole && j >= 2 ? whole + (j - 2) % 4 * n : whole;
    }
    const gppcore::TwoLeafParameters parameters{pft->g0,
                                                pft->albedo,
                                                pft->height_overstory,
                                                pft->height_understory,
                                                pft->stem_area_overstory,
                                                pft->stem_area_understory,
                                                pft->understory != 0,
                                                pft->c4 != 0,
                                                mode,
                                                options.leaf_temperature != 0,
                                                options.gross != 0};
    in.refuse(gppcore::two_leaf<T>(parameters, in.grid, 1, n, out, require_threads(options.n_threads)));
  });
}

template <class T>
gpp_status leaf(const gpp_leaf_options* wanted, const T* const* inputs, const int64_t* strides, int64_t n,
                T* const* outputs) {
  return guard([&] {
    gpp_leaf_options options{sizeof options, 0, GPP_MODE_DEFAULT, GPP_MODE_DEFAULT, 1};
    if (wanted) {
      gppcore::require_struct(wanted->size, sizeof *wanted, "options");
      options = *wanted;
    }
    const gppcore::LeafParameters parameters{options.c4 != 0, mode_of(options.mode, "mode"),
                                             mode_of(options.biochemistry, "biochemistry")};
    const bool beps = parameters.mode == gppcore::kCompat || parameters.biochemistry == gppcore::kCompat;
    if (beps && (parameters.c4 || parameters.biochemistry != gppcore::kCompat))
      throw Error(ErrorCode::range, "mode: expected c4 0 and biochemistry GPP_MODE_BEPS in BEPS mode, got another");
    if (sizeof(T) < sizeof(double) && parameters.biochemistry == gppcore::kCompat)
      throw Error(ErrorCode::dtype, "biochemistry: expected double in BEPS mode, got float");
    Inputs<T, GPP_LEAF_INPUTS> in(kLeafNames, inputs, strides, n);
    in.set_default(GPP_LEAF_SOIL_WATER_STRESS, 1.0);
    std::vector<T> guess;
    auto& ci = in.grid[GPP_LEAF_CI_GUESS];
    const auto& ca = in.grid[GPP_LEAF_CA];
    if (!ci.data && ca.data) {
      ci.column_stride = ca.column_stride == 0 ? 0 : 1;
      guess.resize(static_cast<size_t>(ca.column_stride == 0 ? 1 : n));
      for (size_t i = 0; i < guess.size(); ++i) guess[i] = T(0.7) * ca.data[static_cast<int64_t>(i) * ca.column_stride];
      ci.data = guess.data();
    }
    in.require_all(-1);
    require(outputs, "outputs");
    T* out[gppcore::kLeafOutputs];
    for (int j = 0; j < gppcore::kLeafOutputs; ++j) out[j] = outputs[j];
    in.refuse(gppcore::leaf_gas_exchange<T>(parameters, in.grid, 1, n, out, require_threads(options.n_threads)));
  });
}

}  // namespace

gpp_status gpp_pft(const char* name, gpp_pft_parameters* pft) {
  return guard([&] {
    require(name, "name");
    require(pft, "pft");
    gppcore::require_struct(pft->size, sizeof *pft, "pft");
    std::string names;
    for (const gppcore::Pft& p : gppcore::kPfts) {
      names += (names.empty() ? "" : ", ") + std::string(p.name);
      if (name != std::string(p.name)) continue;
      *pft = {pft->size,
              p.vcmax25,
              p.clumping,
              p.g1,
              p.g0,
              p.albedo,
              p.height_overstory,
              p.height_understory,
              p.stem_area_overstory,
              p.stem_area_understory,
              p.psi_min,
              p.psi_exponent,
              p.understory,
              p.c4};
      return;
    }
    throw Error(ErrorCode::range, "name: expected one of " + names + ", got '" + name + "'");
  });
}

gpp_status gpp_two_leaf_input(int64_t j, const char** name, const char** unit, double* low, double* high) {
  return guard([&] {
    const gppcore::Variable& v = variable(kNames[gppcore::require_index(j, GPP_TWO_LEAF_INPUTS)]);
    if (name) *name = v.name;
    if (unit) *unit = v.unit;
    if (low) *low = v.low;
    if (high) *high = v.high;
  });
}

gpp_status gpp_two_leaf_f32(const gpp_pft_parameters* pft, const gpp_two_leaf_options* options,
                            const float* const* inputs, const int64_t* strides, int64_t n, float* const* outputs) {
  return two_leaf(pft, options, inputs, strides, n, outputs);
}

gpp_status gpp_two_leaf_f64(const gpp_pft_parameters* pft, const gpp_two_leaf_options* options,
                            const double* const* inputs, const int64_t* strides, int64_t n, double* const* outputs) {
  return two_leaf(pft, options, inputs, strides, n, outputs);
}

gpp_status gpp_leaf_f32(const gpp_leaf_options* options, const float* const* inputs, const int64_t* strides, int64_t n,
                        float* const* outputs) {
  return leaf(options, inputs, strides, n, outputs);
}

gpp_status gpp_leaf_f64(const gpp_leaf_options* options, const double* const* inputs, const int64_t* strides, int64_t n,
                        double* const* outputs) {
  return leaf(options, inputs, strides, n, outputs);
}
