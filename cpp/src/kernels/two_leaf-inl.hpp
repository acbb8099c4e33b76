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
struct ResistanceOfAir {
  template <class X, class F>
  static GPPCORE_INLINE void run(int, const Canopy<X, F>& k, const Site& site, State<X>& s) {
    const X sensible = s.warm.c[0] * k.heat_sunlit + s.warm.c[1] * k.heat_shaded;
    const X heat = minimum(sensible * reciprocal(s.ra.over + 0.5 * k.r.over), splat<X>(k.heat_most));
    const X zl = at_least(heat, constants::least_inverse_length * site.height);
    const X over =
        minimum(maximum(k.ra_neutral + zl * k.ra_stable, splat<X>(constants::least_air_resistance * k.per_co2)),
                splat<X>(constants::largest_air_resistance * k.per_co2));
    const X stable = at_most(1.0 + constants::stable_slope * zl, constants::stable_limit),
            unstable = reciprocal(sqrt(at_least(1.0 - constants::unstable_slope * zl, 1.0)));
    s.ra = {over, over + k.ra_under * where_less(splat<X>(0.0), zl, stable, unstable)};
  }
};

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

// E6, E9: temperature factors of leaves that are so much warmer than the air.
template <bool C4, class X, class F, class T>
GPPCORE_INLINE auto leaf_temperature(const Canopy<X, F>& k, const T& warm) {
  const T t = warm + k.tair;
  if constexpr (C4) {
    return temperature_c4(t);
  } else {
    return temperature_c3(t, reciprocal(warm + k.tk));
  }
}
template <bool C4>
struct SetTemperatures {
  template <class X, class F, class T>
  static GPPCORE_INLINE void run(int part, const Canopy<X, F>& k, const State<X>& s, Temperatures<X, T>& t) {
    t.part[part] = leaf_temperature<C4>(k, part_of(s.warm, part));
  }
};
// E6-E9 at the temperature of each leaf class, which is that of all in the first pass.
template <bool C4, bool First, class X, class F>
GPPCORE_INLINE void set_leaf_temperature(Canopy<X, F>& k, State<X>& s) {
  if constexpr (First) {
    auto all = leaf_temperature<C4>(k, every<kBeside<X>>(splat<F>(constants::first_warmth)));
    Temperatures<X, decltype(all)> t;
    for (auto& part : t.part) part = all;
    run<SetLeaves, X>(t, k);
  } else {
    Temperatures<X, decltype(leaf_temperature<C4>(k, part_of(s.warm, 0)))> t;
    run<SetTemperatures<C4>, X>(k, s, t);
    run<SetLeaves, X>(t, k);
  }
}

// E20, E12: surface humidity and assimilation of the leaves, in so many steps of the solver, from nothing at first.
template <bool C4>
struct Assimilate {
  template <class X, class F>
  static GPPCORE_INLINE void run(int part, const Canopy<X, F>& k, State<X>& s, const bool& first, const int& steps) {
    constexpr int N = kBeside<X>;
    using XN = Classes<X, N>;
    const auto& leaf = k.leaf[part];
    const Supply<X, N, F> supply = supply_of(k, part);
    const auto &g = part_of(s.g, part), &cs = part_of(s.cs, part);
    const XN open = g * reciprocal(cs + g * (part_of(s.ra, part) + supply.r));
    const XN latent =
        open * (part_of(k.humidity_deficit, part) + part_of(k.humidity_slope, part) * part_of(s.warm, part));
    const XN c = minimum(maximum(k.humidity_air + latent, every<N>(constants::least_leaf_humidity * k.stomata)),
                         every<N>(k.stomata));
    const Cubic<X, N> f = C4 ? cubic_c4(leaf, c, supply) : cubic_c3(leaf, c, supply);
    const XN a = first ? solve(f, leaf.cap, steps) : solve(f, leaf.cap, value(part_of(s.a, part)), steps);
    set_part(s.a, part, a);
    set_part(s.cs, part, k.ca - supply.r * a);
    set_part(s.g, part, c * a + k.b0 * part_of(s.cs, part));
  }
};
template <bool C4, bool First, bool LeafTemperature, class X, class F>
GPPCORE_INLINE void assimilate(Canopy<X, F>& k, State<X>& s) {
  if constexpr (LeafTemperature) set_leaf_temperature<C4, First>(k, s);
  // Later passes leave less of an error of the first one than a float can tell.
  constexpr int kFirstC3 = sizeof(typename X::Element) == sizeof(float) ? 1 : 2;
  constexpr bool first = First;
  constexpr int steps = First ? (C4 ? 4 : kFirstC3) : (C4 ? 2 : 1 + LeafTemperature);
  run<Assimilate<C4>, X>(k, s, first, steps);
}

// E21: leaf temperatures from what the leaves absorb and transpire.
struct WarmLeaves {
  template <class X, class F>
  static GPPCORE_INLINE void run(int part, const Canopy<X, F>& k, State<X>& s) {
    using XN = Classes<X, kBeside<X>>;
    const auto& g = part_of(s.g, part);
    const XN r = part_of(k.r, part), ra = part_of(s.ra, part), open = part_of(s.cs, part) + g * (ra + r),
             heat = ra + 0.5 * r;
    const XN gained = heat * (part_of(s.radiation, part) * open - k.deficit * g), lost = open + k.slope * (g * heat);
    set_part(s.warm, part, clamp(gained * reciprocal(lost), constants::coolest_leaf, constants::warmest_leaf));
  }
};

// All has the same temperature, and the air is neutral.
struct BeginPasses {
  template <class X, class F>
  static GPPCORE_INLINE void run(int, const Canopy<X, F>& k, State<X>& s) {
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
  }
};
struct ExchangeLongwave {
  template <class X, class F>
  static GPPCORE_INLINE void run(int, const Canopy<X, F>& k, State<X>& s) {
    const X t_over = k.tk + (s.warm.c[1] + k.sun_share.over * (s.warm.c[0] - s.warm.c[1]));
    const X t_under = k.tk + (s.warm.c[3] + k.sun_share.under * (s.warm.c[2] - s.warm.c[3]));
    s.radiation = absorbed_radiation(k, fourth_power(t_over), fourth_power(t_under));
  }
};

// The passes of n vectors. Each is one chain, so that they take the steps in turn: the next vector begins a step while
// the last one waits for its results. After the last pass nobody asks for the temperatures but some callers, who then
// warm the leaves.
constexpr int kPasses = 3;
template <bool C4, bool LeafTemperature, class X, class F>
__attribute__((noinline)) void passes(Canopy<X, F>* k, const Site& site, State<X>* s, int n) {
  for (int u = 0; u < n; ++u) {
    run<BeginPasses, X, 1>(k[u], s[u]);
    assimilate<C4, true, LeafTemperature>(k[u], s[u]);
  }
#pragma GCC unroll 1
  for (int i = 1; i < kPasses; ++i) {
    for (int u = 0; u < n; ++u) run<WarmLeaves, X>(k[u], s[u]);
    if (i == 1)  // stability anew in each pass swings with little wind
      for (int u = 0; u < n; ++u) run<ResistanceOfAir, X, 1>(k[u], site, s[u]);
    for (int u = 0; u < n; ++u) run<ExchangeLongwave, X, 1>(k[u], s[u]);
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
