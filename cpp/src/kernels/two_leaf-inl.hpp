// The two-leaf canopy, one vector of canopy hours at a time: passes of the energy balance.
#pragma once
#include "canopy-inl.hpp"

namespace gppcore::GPPCORE_ISA {

template <class X>
struct State {
  Classes<X, 4> a, g, cs, warm;  // assimilation; conductance of stomata for CO2 times Cs; Cs; leaf minus air, K
  Classes<X, 4> radiation;       // absorbed, in the units of Canopy
  Layers<X> ra;                  // resistance of the air
};

// E19: resistance of the air above the layers, from the temperatures of the overstory.
template <class X, class F>
GPPCORE_INLINE Layers<X> resistance_of_air(const Canopy<X, F>& k, const Site& site, const State<X>& s) {
  const X sensible = s.warm.c[0] * k.heat_sunlit + s.warm.c[1] * k.heat_shaded;
  const X heat = minimum(sensible * reciprocal(s.ra.over + 0.5 * k.r.over), splat<X>(k.heat_most));
  const X zl = at_least(heat, constants::least_inverse_length * site.height);
  const X over =
      minimum(maximum(k.ra_neutral + zl * k.ra_stable, splat<X>(constants::least_air_resistance * k.per_co2)),
              splat<X>(constants::largest_air_resistance * k.per_co2));
  const X stable = at_most(1.0 + constants::stable_slope * zl, constants::stable_limit),
          unstable = reciprocal(sqrt(at_least(1.0 - constants::unstable_slope * zl, 1.0)));
  return {over, over + k.ra_under * where_less(splat<X>(0.0), zl, stable, unstable)};
}

// E18: absorbed radiation with the longwave of layers that have the fourth powers of temperature `over` and `under`.
template <class X, class F, class T>
GPPCORE_INLINE Classes<X, 4> absorbed_radiation(const Canopy<X, F>& k, const T& over, const T& under) {
  return k.radiation + layers(k.longwave_over.over * over + k.longwave_over.under * under,
                              k.longwave_under.over * over + k.longwave_under.under * under);
}
template <class X>
GPPCORE_INLINE X fourth_power(const X& x) {
  const X x2 = x * x;
  return x2 * x2;
}

// E6-E9 at the temperature of each leaf class, or of all.
template <bool C4, class X, class F, class T>
GPPCORE_INLINE void set_leaf_temperature(Canopy<X, F>& k, const T& warm) {
  const Classes<X, 4> ppfd = constants::ppfd_per_shortwave * k.absorbed;
  const T t = warm + k.tair;
  if constexpr (C4) {
    set_biochemistry_c4(temperature_c4(t), k.vcmax25, ppfd, k.leaf);
  } else {
    RatesC3<X, 4, T> rates;
    set_rates_c3(temperature_c3(t, reciprocal(warm + k.tk)), k.vcmax25, ppfd, rates);
    set_biochemistry_c3(rates, supply_of(k), k.leaf);
  }
}

// The same in code of its own: numbers with derivatives live in memory anyway, and the machine code is half as long.
template <bool C4, class X, class F>
__attribute__((noinline)) void set_leaf_temperature_apart(Canopy<X, F>& k, const State<X>& s) {
  set_leaf_temperature<C4>(k, s.warm);
}

// E20, E12: surface humidity and assimilation of the leaves, in so many steps of the solver.
template <bool C4, bool First, bool LeafTemperature, class X, class F>
GPPCORE_INLINE void assimilate(Canopy<X, F>& k, State<X>& s) {
  using X4 = Classes<X, 4>;
  if constexpr (LeafTemperature && First) {
    set_leaf_temperature<C4>(k, every<4>(splat<F>(constants::first_warmth)));
  } else if constexpr (LeafTemperature) {
    constexpr bool kDerivatives = sizeof(X) > sizeof(Lanes<typename X::Element>);
    kDerivatives ? set_leaf_temperature_apart<C4>(k, s) : set_leaf_temperature<C4>(k, s.warm);
  }
  const Supply<X, 4, F> supply = supply_of(k);
  const X4 open = s.g * reciprocal(s.cs + s.g * (layers(s.ra) + supply.r));
  const X4 latent = open * (layers(k.humidity_deficit) + layers(k.humidity_slope) * s.warm);
  const X4 c = minimum(maximum(k.humidity_air + latent, every<4>(constants::least_leaf_humidity * k.stomata)),
                       every<4>(k.stomata));
  const Cubic<X, 4> f = C4 ? cubic_c4(k.leaf, c, supply) : cubic_c3(k.leaf, c, supply);
  if constexpr (First) {
    // Later passes leave less of an error of this one than a float can tell.
    constexpr int kStepsC3 = sizeof(typename X::Element) == sizeof(float) ? 1 : 2;
    s.a = solve(f, k.leaf.cap, C4 ? 4 : kStepsC3);
  } else {
    s.a = solve(f, k.leaf.cap, value(s.a), C4 ? 2 : 1 + LeafTemperature);
  }
  s.cs = k.ca - supply.r * s.a;
  s.g = c * s.a + k.b0 * s.cs;
}

// E21: leaf temperatures from what the leaves absorb and transpire.
template <class X, class F>
GPPCORE_INLINE void warm_leaves(const Canopy<X, F>& k, State<X>& s) {
  using X4 = Classes<X, 4>;
  const X4 r = layers(k.r), ra = layers(s.ra), open = s.cs + s.g * (ra + r), heat = ra + 0.5 * r;
  const X4 gained = heat * (s.radiation * open - k.deficit * s.g), lost = open + k.slope * (s.g * heat);
  s.warm = clamp(gained * reciprocal(lost), constants::coolest_leaf, constants::warmest_leaf);
}

// All has the same temperature, and the air is neutral.
template <bool C4, bool LeafTemperature, class X, class F>
GPPCORE_INLINE void first_pass(Canopy<X, F>& k, State<X>& s) {
  constexpr double cooler = constants::first_warmth;
  const F begin = fourth_power(k.tk + cooler);
  const F per_co2 = reciprocal(k.per_co2), over = (1.0 / constants::first_resistance_over) * per_co2,
          under = (1.0 / constants::first_resistance_under) * per_co2;
  s.g = layers(splat<X>(over), splat<X>(under));
  s.cs = every<4>(splat<X>(1.0));
  s.warm = every<4>(splat<X>(cooler));
  s.ra.over = splat<X>(minimum(maximum(k.ra_neutral, constants::least_air_resistance * k.per_co2),
                               constants::largest_air_resistance * k.per_co2));
  s.ra.under = s.ra.over + k.ra_under;
  s.radiation = absorbed_radiation(k, begin, begin);
  assimilate<C4, true, LeafTemperature>(k, s);
}
template <class X, class F>
GPPCORE_INLINE void exchange_longwave(const Canopy<X, F>& k, State<X>& s) {
  const X t_over = k.tk + (s.warm.c[1] + k.sun_share.over * (s.warm.c[0] - s.warm.c[1]));
  const X t_under = k.tk + (s.warm.c[3] + k.sun_share.under * (s.warm.c[2] - s.warm.c[3]));
  s.radiation = absorbed_radiation(k, fourth_power(t_over), fourth_power(t_under));
}

// The passes of n vectors. Each is one chain, so that they take the steps in turn: the next vector begins a step while
// the last one waits for its results. After the last pass nobody asks for the temperatures but some callers, who then
// call warm_leaves.
constexpr int kPasses = 3;
template <bool C4, bool LeafTemperature, class X, class F>
__attribute__((noinline)) void passes(Canopy<X, F>* k, const Site& site, State<X>* s, int n) {
  for (int u = 0; u < n; ++u) first_pass<C4, LeafTemperature>(k[u], s[u]);
#pragma GCC unroll 1
  for (int i = 1; i < kPasses; ++i) {
    for (int u = 0; u < n; ++u) warm_leaves(k[u], s[u]);
    if (i == 1)  // stability anew in each pass swings with little wind
      for (int u = 0; u < n; ++u) s[u].ra = resistance_of_air(k[u], site, s[u]);
    for (int u = 0; u < n; ++u) exchange_longwave(k[u], s[u]);
    for (int u = 0; u < n; ++u) assimilate<C4, false, LeafTemperature>(k[u], s[u]);
  }
}
template <class X, class F>
GPPCORE_INLINE void energy_balance(const TwoLeafParameters& p, const Site& site, Canopy<X, F>* k, State<X>* s, int n) {
  if (p.c4) {
    p.leaf_temperature ? passes<true, true>(k, site, s, n) : passes<true, false>(k, site, s, n);
  } else {
    p.leaf_temperature ? passes<false, true>(k, site, s, n) : passes<false, false>(k, site, s, n);
  }
}

}  // namespace gppcore::GPPCORE_ISA
