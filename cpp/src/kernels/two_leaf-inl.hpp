// The two-leaf canopy, one vector of canopy hours at a time: passes of the energy balance, and rows of hours.
#pragma once
#include "canopy-inl.hpp"

namespace gppcore::GPPCORE_ISA {

template <class X>
struct State {
  Classes<X, 4> a, g, cs, warm;  // assimilation; conductance for vapour times Cs; Cs; leaf minus air, K
  X heat;
};

// E18: net longwave of both layers per unit plant area, from the leaf temperatures of the last pass.
template <class X>
GPPCORE_INLINE Classes<X, 4> net_longwave(const Canopy<X>& k, const State<X>& s) {
  constexpr double eps = 0.98;
  const X t_over = k.tk + s.warm.c[1] + k.sun_share_over * (s.warm.c[0] - s.warm.c[1]);
  const X t_under = k.tk + s.warm.c[3] + k.sun_share_under * (s.warm.c[2] - s.warm.c[3]);
  const X t_over2 = t_over * t_over, t_under2 = t_under * t_under;
  const X b_over = (eps * 5.67e-8) * (t_over2 * t_over2), b_under = (eps * 5.67e-8) * (t_under2 * t_under2);
  const X go = k.trans_over, gu = k.trans_under, covered = 1.0 - go, covered_under = 1.0 - gu;
  const X down = k.longwave_air * go + b_over * covered;
  const X up = b_under * covered_under + k.longwave_ground * gu;
  const X over = (eps * (k.longwave_air + up) - 2.0 * b_over) * covered + (eps * (1.0 - eps)) * covered_under * down;
  const X under = (eps * (down + k.longwave_ground) - 2.0 * b_under) * covered_under +
                  (2.0 * (1.0 - eps)) * (down * gu + b_under * covered_under) + (eps * (1.0 - eps)) * up * covered;
  return layers(over * k.inverse_plant_over, under * k.inverse_plant_under);
}

// E6-E9 at the temperature of each leaf class.
template <bool C4, class X>
GPPCORE_INLINE void set_leaf_temperature(Canopy<X>& k, const State<X>& s) {
  const Classes<X, 4> ppfd = constants::ppfd_per_shortwave * k.absorbed, t = s.warm + k.tair;
  if constexpr (C4) {
    set_biochemistry_c4(temperature_c4(t), k.vcmax25, ppfd, k.leaf);
  } else {
    RatesC3<X, 4, Classes<X, 4>> rates;
    set_rates_c3(temperature_c3(t, reciprocal(s.warm + k.tk)), k.vcmax25, ppfd, rates);
    set_biochemistry_c3(rates, k.r, k.ca, k.leaf);
  }
}

// One pass of the energy balance (E18-E21).
template <bool C4, bool LeafTemperature, class X>
GPPCORE_INLINE void pass(Canopy<X>& k, const Site& site, State<X>& s, bool first) {
  using X4 = Classes<X, 4>;
  const X zl = site.height * at_least(k.heat_to_length * s.heat, -2.0);
  const X ra_over = clamp((site.profile + 5.0 * zl) * (2.5 * k.friction_inverse), 2.0, 100.0);
  const X stable = at_most(1.0 + 5.0 * zl, 10.0), unstable = sqrt(reciprocal(at_least(1.0 - 16.0 * zl, 1.0)));
  const X ra_under = ra_over + k.ra_under * where_less(splat<X>(0.0), zl, stable, unstable);
  const X4 ra = layers(ra_over, ra_under), vapour = ra + k.rb, heat = ra + 0.5 * k.rb;
  k.vapour = vapour;

  const X4 radiation = k.absorbed + net_longwave(k, s);
  const X4 latent = s.g * reciprocal(s.cs + s.g * vapour) * (k.deficit + k.slope * s.warm) * k.per_gamma;
  const X4 humidity = clamp(k.humidity_air + latent * k.rb * k.humidity_flux, 0.05, 1.0);
  if constexpr (LeafTemperature) set_leaf_temperature<C4>(k, s);
  const Supply<X, 4> supply{humidity * k.stomata, k.r, k.b0, k.ca};
  s.a = C4 ? solve(cubic_c4(k.leaf, supply), k.leaf.cap, value(s.a), first ? 4 : 2, 1)
           : solve(cubic_c3(k.leaf, supply), k.leaf.cap, value(s.a), first ? 2 : 1, 1);
  s.cs = k.ca - k.r * s.a;
  s.g = (supply.c * s.a + k.b0 * s.cs) * k.per_co2;

  const X4 open = s.cs + s.g * vapour;
  const X4 gained = heat * (radiation * open - (k.deficit * k.per_gamma) * s.g);
  const X4 lost = k.heat_capacity * open + (k.per_gamma * k.slope) * (s.g * heat);
  const auto inverse = reciprocal(Classes<X, 5>{{lost.c[0], lost.c[1], lost.c[2], lost.c[3], heat.c[0]}});
  for (int i = 0; i < 4; ++i) s.warm.c[i] = clamp(gained.c[i] * inverse.c[i], -3.0, 5.0);
  const X sensible = s.warm.c[0] * k.plant_sun_over + s.warm.c[1] * k.plant_shade_over;
  s.heat = at_least(k.heat_capacity * sensible * inverse.c[4], -200.0);
}

constexpr int kPasses = 3;
template <bool C4, bool LeafTemperature, class X>
__attribute__((noinline)) void passes(Canopy<X>& k, const Site& site, State<X>& s) {
  const X zero = splat<X>(0.0), over = splat<X>(1.0 / 200.0), under = splat<X>(1.0 / 300.0);
  s.a = every<4>(zero);
  s.g = layers(over, under);
  s.cs = every<4>(splat<X>(1.0));
  s.warm = every<4>(splat<X>(-0.5));
  s.heat = zero;
#pragma GCC unroll 1
  for (int i = 0; i < kPasses; ++i) pass<C4, LeafTemperature>(k, site, s, i == 0);
}
template <class X>
GPPCORE_INLINE void energy_balance(const TwoLeafParameters& p, const Site& site, Canopy<X>& k, State<X>& s) {
  if (p.c4) {
    p.leaf_temperature ? passes<true, true>(k, site, s) : passes<true, false>(k, site, s);
  } else {
    p.leaf_temperature ? passes<false, true>(k, site, s) : passes<false, false>(k, site, s);
  }
}

}  // namespace gppcore::GPPCORE_ISA
