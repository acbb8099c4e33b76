// BEPS as published, hour by hour (E22, E23, E29-E33 of src/gppcore/process/reference_compat.py).
//
// Hours need between a few and 230 passes of the energy balance. So each lane of the vector works on an hour of its own
// and takes the next one when that is done; no lane knows what the others do, and results do not depend on them.
#include "canopy_compat-inl.hpp"
#include "rows-inl.hpp"

namespace gppcore::GPPCORE_ISA {

GPPCORE_INLINE double element(const D& x, int lane) {
  double r;
  __builtin_memcpy(&r, reinterpret_cast<const char*>(&x) + lane * sizeof(double), sizeof r);
  return r;
}

// Latent heat at 0 K in J kg-1, of which 2370 are taken per degC; CO2 inside over that of the air as a sub-step begins.
constexpr double kVaporisationAtZero = 3149333.0, kFirstCi = 0.7;

// Hours at work, one in each lane; nothing but numbers of type D.
struct CompatHours {
  CompatCanopy canopy;
  D4 a, g, ci;             // net assimilation; conductance for vapour, m s-1; CO2 inside
  D4 warm, began, vapour;  // leaf minus air, K: after and before the pass; resistance of the air for vapour
  D4 step_began;           // as `began`, and heat, when the sub-step began
  D heat, step_heat, steps, passes;
};

GPPCORE_INLINE void copy_lane(CompatHours& to, int lane, const CompatHours& from, int other) {
  constexpr unsigned long kVector = sizeof(D), kElement = sizeof(double);
  char* t = reinterpret_cast<char*>(&to) + lane * kElement;
  const char* f = reinterpret_cast<const char*>(&from) + other * kElement;
  for (unsigned long i = 0; i < sizeof(CompatHours); i += kVector) __builtin_memcpy(t + i, f + i, kElement);
}

// How hours begin.
GPPCORE_INLINE void begin_hours(CompatHours& w) {
  w.began = w.step_began = splat<D4>(constants::first_warmth);
  w.heat = w.step_heat = w.canopy.tair;  // BEPS starts from the number of the air temperature
  w.steps = w.passes = splat<D>(0.0);
}

// E18: net longwave of the leaf classes, W m-2 leaf.
GPPCORE_INLINE D4 compat_longwave(const CompatCanopy& k, const D4& warm) {
  constexpr double eps = constants::leaf_emissivity;
  const D tk = k.tair + constants::zero_celsius;
  const D t_over = tk + warm.c[1] + k.sun_share_over * (warm.c[0] - warm.c[1]);
  const D t_under = tk + warm.c[3] + k.sun_share_under * (warm.c[2] - warm.c[3]);
  const D t_over2 = t_over * t_over, t_under2 = t_under * t_under;
  const D b_over = (eps * constants::stefan_boltzmann) * (t_over2 * t_over2),
          b_under = (eps * constants::stefan_boltzmann) * (t_under2 * t_under2);
  const D go = k.trans_over, gu = k.trans_under;
  const D down = k.longwave_air * go + b_over * (1.0 - go), up = b_under * (1.0 - gu) + k.longwave_ground * gu;
  const D over = (eps * (k.longwave_air + up) - 2.0 * b_over) * (1.0 - go) + (eps * (1.0 - eps)) * (1.0 - gu) * down;
  const D under = (eps * (down + k.longwave_ground) - 2.0 * b_under) * (1.0 - gu) +
                  (2.0 * (1.0 - eps)) * (down * gu + b_under * (1.0 - gu)) + (eps * (1.0 - eps)) * up * (1.0 - go);
  return by_layer(over * k.per_plant_over, under * k.per_plant_under);
}

// E19, E30: resistance of the air from the leaf classes to 30 m, s m-1.
GPPCORE_INLINE D4 compat_air(const CompatCanopy& k, const Site& site, D heat) {
  const D zl = site.height * at_least(k.to_length * heat, constants::least_inverse_length);
  const D over = clamp((site.profile + constants::stable_slope * zl) * ((1.0 / constants::von_karman) * k.per_friction),
                       constants::least_air_resistance, constants::largest_air_resistance);
  const D stable = at_most(1.0 + constants::stable_slope * zl, constants::stable_limit),
          unstable = 1.0 / sqrt(at_least(1.0 - constants::unstable_slope * zl, 1.0));
  const D4 windy = by_layer(over, over + k.ra_under * where_less(splat<D>(0.0), zl, stable, unstable));
  return where_less(splat<D4>(0.0), every<4>(k.calm), splat<D4>(kStillResistance), windy);
}

// E31: one pass of the energy balance. Returns the largest change of leaf temperatures.
GPPCORE_INLINE D compat_pass(const Site& site, CompatHours& w) {
  const CompatCanopy& k = w.canopy;
  const D zero = splat<D>(0.0), per_gamma = k.heat_capacity * (1.0 / constants::psychrometer);
  const D4 ra = compat_air(k, site, w.heat), heat = ra + 0.5 * k.rb,
           radiation = k.absorbed + compat_longwave(k, w.began);
  w.vapour = ra + k.rb;
  const D4 vaporisation = kVaporisationAtZero - constants::vaporisation_slope * (k.tair + w.began);
  const D4 supply = w.g * (k.deficit + k.slope * w.began) * per_gamma;
  const D4 latent = supply * reciprocal((1.0 + w.g * w.vapour) * vaporisation);  // kg m-2 s-1
  const D4 c = (k.humidity_air + latent * k.rb * k.humidity_flux) * k.stomata;
  const CompatExchange<4> x = compat_exchange(k.leaves, c, k.b0, k.gb, k.r, k.ca, w.ci);
  w.a = x.a;
  w.ci = x.ci;
  w.g = x.g * k.per_co2;

  const D4 open = 1.0 + w.g * w.vapour, gained = heat * (radiation * open - (k.deficit * per_gamma) * w.g);
  const D4 lost = k.heat_capacity * open + (per_gamma * k.slope) * (w.g * heat), inverse = reciprocal(lost);
  D change = zero;
  for (int i = 0; i < 4; ++i) {
    w.warm.c[i] = clamp(gained.c[i] * inverse.c[i], constants::coolest_leaf, constants::warmest_leaf);
    const D difference = w.warm.c[i] - w.began.c[i];
    change = maximum(change, maximum(difference, zero - difference));
  }
  const D sensible = w.warm.c[0] * k.plant_sun_over + w.warm.c[1] * k.plant_shade_over;
  w.heat = k.heat_capacity * sensible / heat.c[0];
  return change;
}

// E32: what follows a pass. Returns 1 where the hour is done: after ten sub-steps, or when one began as the last did,
// within 1e-9, and would repeat it.
GPPCORE_INLINE D next_pass(D change, CompatHours& w) {
  constexpr double kConverged = 0.02, kMaxPasses = 23.0, kSteps = 10.0, kSame = 1e-9;
  const D zero = splat<D>(0.0), one = splat<D>(1.0), limit = splat<D>(kConverged);
  const D4 none = splat<D4>(0.0);
  w.passes = w.passes + 1.0;
  const D ended = where_less(change, limit, one, where_less(w.passes, splat<D>(kMaxPasses), zero, one));
  const D4 given_up = where_less(none, every<4>(ended), none, w.warm);
  w.began = where_less(every<4>(change), every<4>(limit), w.began, given_up);
  w.heat = where_less(zero, ended, at_least(w.heat, constants::least_heat), w.heat);
  D moved = maximum(w.heat - w.step_heat, w.step_heat - w.heat);
  for (int i = 0; i < 4; ++i)
    moved = moved + maximum(w.began.c[i] - w.step_began.c[i], w.step_began.c[i] - w.began.c[i]);
  w.steps = w.steps + ended;
  w.passes = where_less(zero, ended, zero, w.passes);
  w.step_heat = where_less(zero, ended, w.heat, w.step_heat);
  w.step_began = where_less(none, every<4>(ended), w.began, w.step_began);
  return ended * where_less(splat<D>(kSame), moved, where_less(w.steps, splat<D>(kSteps), zero, one), one);
}

// Stomata and CO2 begin anew where the pass to come is the first of a sub-step.
GPPCORE_INLINE void renew(CompatHours& w) {
  const D4 passes = every<4>(w.passes), half = splat<D4>(0.5);
  w.g = where_less(
      passes, half,
      by_layer(splat<D>(1.0 / constants::first_resistance_over), splat<D>(1.0 / constants::first_resistance_under)),
      w.g);
  w.ci = where_less(passes, half, every<4>(kFirstCi * w.canopy.ca), w.ci);
}

// Writes the results of one lane to element i of each output that is wanted.
inline void write_lane(const CompatHours& w, int lane, const TwoLeafRow<double>& out, int64_t i) {
  const CompatCanopy& k = w.canopy;
  const auto put = [&](int output, double x) {
    if (out.to[output]) out.to[output][i] = x;
  };
  double gpp[4];
  for (int c = 0; c < 4; ++c) {
    const auto at = [&](const D4& x) { return element(x.c[c], lane); };
    const auto of = [&](const D& x) { return element(x, lane); };
    const double area = at(k.area), g = at(w.g);
    gpp[c] = at(w.a) * area;
    put(kGppClasses + c, gpp[c]);
    put(kConductance + c, constants::h2o_to_co2 * g / of(k.per_co2) * area);
    const double supply =
        g * (of(k.deficit) + of(k.slope) * at(w.warm)) * (of(k.heat_capacity) * (1.0 / constants::psychrometer));
    const double tk = of(k.tair) + constants::zero_celsius;
    put(kTranspiration + c,
        supply / ((1.0 + g * at(w.vapour)) * (constants::vaporisation_at_zero - constants::vaporisation_slope * tk)) *
            area);
    put(kLeafTemperature + c, of(k.tair) + at(w.warm));
    put(kApar + c, constants::ppfd_per_shortwave * at(k.absorbed) * area);
  }
  put(kGppSunlit, gpp[0] + gpp[2]);
  put(kGppShaded, gpp[1] + gpp[3]);
}

// Lit hours of a row, one after the other; results of the others are written on the way.
struct CompatSource {
  static constexpr int kCount = D::kCount;
  const TwoLeafParameters& p;
  const Site& site;
  const TwoLeafColumn<double>* inputs;
  const TwoLeafRow<double>& out;
  int64_t n, first;  // hours of the row; the first of those that wait
  int next;          // lane of the next one
  D lit;
  CompatHours waiting;

  // Puts the next hour into a lane of `to`; its index, or -1 if there is none left.
  int64_t take(CompatHours& to, int lane) {
    for (;;) {
      for (; next < kCount && first + next < n; ++next) {
        if (element(lit, next) > 0.0) {
          copy_lane(to, lane, waiting, next);
          return first + next++;
        }
      }
      first += kCount;
      if (first >= n) return -1;
      load_hours();
    }
  }

  void load_hours() {
    const bool clearness = !inputs[kDiffuseFraction].data;
    const D zero = splat<D>(0.0);
    D x[kTwoLeafInputs], sum = zero;
    for (int j = 0; j < kTwoLeafInputs - clearness; ++j) {
      x[j] = load<D>(inputs[j], first, n - first);
      sum = sum + x[j];
    }
    const D poison = 0.0 * sum, light = minimum(minimum(x[kCosZenith], x[kSw]), x[kLai]);
    lit = where_less(poison, splat<D>(1.0), light, zero);  // NaN is written, and not computed with
    for (int j = 0; j < kTwoLeafOutputs; ++j) {
      const bool temperature = j >= kLeafTemperature && j < kLeafTemperature + 4;
      store(out.to[j], first, n - first, (temperature ? x[kTair] : zero) + poison);
    }
    next = 0;
    if (!any_less(zero, lit)) return;
    set_canopy(x, clearness, p, site, waiting.canopy);
    begin_hours(waiting);
  }
};

inline void compat_canopy(const TwoLeafParameters& p, const TwoLeafColumn<double>* inputs, int64_t n,
                          const TwoLeafRow<double>& out) {
  constexpr int kCount = D::kCount;
  const Site site = site_of(p);
  CompatSource source{p, site, inputs, out, n, -kCount, kCount, {}, {}};
  CompatHours w{};
  int64_t hour[kCount];
  int busy = 0;
  for (int l = 0; l < kCount; ++l) {
    hour[l] = source.take(w, l);
    busy += hour[l] >= 0;
  }
  while (busy) {
    renew(w);
    const D done = next_pass(compat_pass(site, w), w);
    if (any_less(splat<D>(0.0), done)) {
      for (int l = 0; l < kCount; ++l) {
        if (hour[l] < 0 || !(element(done, l) > 0.0)) continue;
        write_lane(w, l, out, hour[l]);
        hour[l] = source.take(w, l);
        busy -= hour[l] < 0;
      }
    }
  }
}

// Single leaves at a given humidity of the leaf surface (E24, E28).
inline void compat_leaf(const LeafParameters&, const TwoLeafColumn<double>* inputs, int64_t n, double* const* out) {
  using D1 = Classes<D, 1>;
  for (int64_t i = 0; i < n; i += D::kCount) {
    const int64_t left = n - i;
    D x[kLeafInputs], sum = splat<D>(0.0);
    for (int j = 0; j < kLeafInputs; ++j) {
      x[j] = load<D>(inputs[j], i, left);
      sum = sum + x[j];
    }
    const D poison = 0.0 * sum, gb = x[kLeafBoundaryConductance] * (1.0 / constants::h2o_to_co2);
    const D c = x[kLeafG1] * x[kLeafSoilWaterStress] * x[kLeafHumidity] * (1.0 / constants::h2o_to_co2);
    const auto rates = compat_leaves(x[kLeafTair], D1{{x[kLeafVcmax25]}}, D1{{x[kLeafPpfd]}});
    const D b0 = x[kLeafG0] * (1.0 / constants::h2o_to_co2);
    const auto e = compat_exchange(rates, D1{{c}}, b0, D1{{gb}}, D1{{1.0 / gb}}, x[kLeafCa], D1{{x[kLeafCiGuess]}});
    store(out[kLeafNet], i, left, e.a.c[0] + poison);
    store(out[kLeafCi], i, left, e.ci.c[0] + poison);
    store(out[kLeafConductance], i, left, constants::h2o_to_co2 * e.g.c[0] + poison);
    store(out[kLeafRespiration], i, left, rates.rd.c[0] + poison);
  }
}

}  // namespace gppcore::GPPCORE_ISA
