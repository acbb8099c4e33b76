// Leaves of BEPS as published, for N leaf classes: biochemistry (E24) and the cubic with its sorted roots (E26-E28).
#pragma once
#include "leaf_gas_exchange-inl.hpp"
#include "trigonometry-inl.hpp"

namespace gppcore::GPPCORE_ISA {

// Rates of leaves, at one temperature for all classes.
template <int N>
using CompatLeaves = RatesC3<D, N, D>;

template <int N>
struct CompatExchange {
  Classes<D, N> a, ci, g;  // net assimilation; CO2 inside; conductance for CO2, mol m-2 s-1
};

// BEPS takes 0 degC as 273.13 K in leaves.
constexpr double kWarmBias = -0.02;

// E6, E7 at a temperature in K.
GPPCORE_INLINE D arrhenius(double energy, D tk) {
  namespace k = constants;
  return exp((tk - k::reference_temperature) * (energy / (k::reference_temperature * k::gas_constant)) / tk);
}
GPPCORE_INLINE D peaked(D tk) {
  namespace k = constants;
  const D x = (tk - k::peak_temperature) / ((k::gas_constant * k::peak_temperature) * tk);
  const D deactivation = k::peak_deactivation - k::peak_energy * (1.0 - exp(k::peak_deactivation * x));
  return k::peak_deactivation * exp(k::peak_energy * x) / deactivation;
}

// E24.
template <int N>
GPPCORE_INLINE CompatLeaves<N> compat_leaves(D tair, const Classes<D, N>& vcmax25, const Classes<D, N>& ppfd) {
  namespace k = constants;
  using DN = Classes<D, N>;
  const D tk = tair + (k::zero_celsius + kWarmBias), factor = peaked(tk);
  const DN zero = splat<DN>(0.0), light = where_less(ppfd, splat<DN>(0.5), zero, ppfd);
  const DN jmax = (k::jmax_slope * vcmax25 + k::jmax_offset) * factor;
  const DN rd = k::rd_to_vcmax * vcmax25 * arrhenius(k::rd_energy, tk);
  CompatLeaves<N> leaves;
  leaves.vcmax = vcmax25 * factor;
  leaves.j4 = where_less(zero, light, 0.25 * (jmax * light) / (light + k::jmax_saturation * jmax), zero);
  leaves.rd = where_less(splat<DN>(0.5 * k::rd_light_ppfd), light, k::rd_light_share * rd, rd);
  leaves.km = k::kc25 * arrhenius(k::kc_energy, tk) * (1.0 + k::oxygen / (k::ko25 * arrhenius(k::ko_energy, tk)));
  leaves.gamma = (500.0 * k::oxygen / k::tau25) / arrhenius(k::tau_energy, tk);
  return leaves;
}

// E27: the roots of A^3 + p A^2 + q A + r that BEPS takes, or 0.
template <int N>
GPPCORE_INLINE Classes<D, N> sorted_root(const Classes<D, N>& p, const Classes<D, N>& q, const Classes<D, N>& r) {
  using DN = Classes<D, N>;
  const DN zero = splat<DN>(0.0), one = splat<DN>(1.0), h = (p * p - 3.0 * q) * (1.0 / 9.0);
  // The bound keeps a class near alpha = 0 from spoiling the shared division.
  const DN real = at_most(where_less(zero, h, h, one), 1e40), scale = sqrt(real);
  const DN u = (p * (2.0 * (p * p) - 9.0 * q) + 27.0 * r) * (1.0 / 54.0), z = u * reciprocal(real * scale);
  DN root;
  for (int i = 0; i < N; ++i) {
    const D none = zero.c[i];
    const CosSin third = cos_sin(acos(clamp(z.c[i], -1.0, 1.0)) * (1.0 / 3.0));
    const D shift = p.c[i] * (-1.0 / 3.0), across = 1.7320508075688772 * third.sin;
    const D low = shift - 2.0 * (scale.c[i] * third.cos);
    const D middle = shift + scale.c[i] * (third.cos - across), high = shift + scale.c[i] * (third.cos + across);
    const D one_below = where_less(middle, none, high, where_less(none, middle, middle, none));
    root.c[i] = where_less(none, low, low, where_less(low, none, one_below, none));
  }
  return where_less(zero, h, root, zero);
}

// E28. c is the Ball-Berry slope, b0 the residual and gb = 1 / r the boundary-layer conductance, all for CO2; ci is
// the guess that decides which rate limits.
template <int N>
GPPCORE_INLINE CompatExchange<N> compat_exchange(const CompatLeaves<N>& leaf, const Classes<D, N>& c, D b0,
                                                 const Classes<D, N>& gb, const Classes<D, N>& r, D ca,
                                                 const Classes<D, N>& ci) {
  using DN = Classes<D, N>;
  const DN zero = splat<DN>(0.0);
  const D d = leaf.gamma;
  const DN above = ci - d, to_rubisco = ci + leaf.km, to_light = ci + (d + d);
  const DN alpha = 1.0 + b0 * r - c;
  DN inverse = reciprocal(to_rubisco * to_light);
  const DN rubisco = leaf.vcmax * above * (to_light * inverse), light = leaf.j4 * above * (to_rubisco * inverse);
  const DN a = where_less(light, rubisco, leaf.j4, leaf.vcmax);
  const DN b = where_less(light, rubisco, zero + (d + d), zero + leaf.km);
  const DN gross = where_less(light, rubisco, light, rubisco);

  const DN beta = ca * (gb * (c - 1.0) - 2.0 * b0), gamma_ca = gb * (ca * b0), gamma = ca * gamma_ca;
  const DN theta = gb * c - b0, rate = leaf.rd - a, back = a * d + leaf.rd * b;
  inverse = reciprocal(alpha);
  const DN p = rate + (beta + b * theta) * inverse;
  const DN q = (gamma + b * gamma_ca + rate * beta + back * theta) * inverse;
  const DN s = (rate * gamma + back * gamma_ca) * inverse;
  DN net = where_less(leaf.rd, gross, sorted_root(p, q, s), zero);

  // E26, where the cubic gave nothing.
  bool none = false;
  for (int i = 0; i < N; ++i) none |= any_less(net.c[i], splat<D>(1e-300));
  if (none) {
    const DN g = b0 * gb * reciprocal(b0 + gb), linear = g * (ca + b) - rate;
    const DN constant = g * (a * (ca - d) - leaf.rd * (ca + b));
    const DN root = linear - sqrt(at_least(linear * linear - 4.0 * constant, 0.0));
    net = where_less(zero, net, net, 0.5 * root);
  }
  net = at_least(minimum(net, constants::sink_limit * leaf.vcmax - leaf.rd), 0.0);

  const DN cs = ca - r * net, flow = c * net + b0 * cs;
  inverse = reciprocal(cs * flow);
  const DN inverse_cs = flow * inverse;
  return {net, cs - net * cs * (cs * inverse), flow * inverse_cs};
}

}  // namespace gppcore::GPPCORE_ISA
