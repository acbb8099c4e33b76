// Rows of canopy hours and of leaves: from memory to vectors and back, night, and NaN.
#pragma once
#include "leaf_compat-inl.hpp"
#include "two_leaf-inl.hpp"

namespace gppcore::GPPCORE_ISA {

// Vectors of canopy hours whose passes run side by side: enough to hide latency, few enough for 32 kB of cache.
constexpr int kAbreast = 4;

// Elements i, i + 1, ... of a column; the last one that is left fills the lanes beyond the end.
template <class V, class E>
GPPCORE_INLINE V load(const TwoLeafColumn<E>& c, int64_t i, int64_t left) {
  if (c.stride == 0) return splat<V>(c.data[0]);
  V x;
  if (c.stride == 1 && left >= V::kCount) {
    __builtin_memcpy(&x.v, c.data + i, sizeof x.v);
  } else {
    E lane[V::kCount];
    for (int l = 0; l < V::kCount; ++l) lane[l] = c.data[(i + (l < left ? l : left - 1)) * c.stride];
    __builtin_memcpy(&x.v, lane, sizeof x.v);
  }
  return x;
}
template <class E>
GPPCORE_INLINE void store(E* to, int64_t i, int64_t left, Lanes<E> x) {
  if (!to) return;
  if (left >= Lanes<E>::kCount) {
    __builtin_memcpy(to + i, &x.v, sizeof x.v);
  } else {
    E lane[Lanes<E>::kCount];
    __builtin_memcpy(lane, &x.v, sizeof lane);
    for (int l = 0; l < left; ++l) to[i + l] = lane[l];
  }
}

// GPP of the leaf classes per ground area. Net assimilation is 0 where respiration exceeds what light or CO2 allow;
// there GPP before respiration is what they allow.
struct SetGpp {
  template <class X, class F>
  static GPPCORE_INLINE void run(int part, const TwoLeafParameters& p, const Canopy<X, F>& k, const State<X>& s,
                                 Classes<X, 4>& gpp) {
    Classes<X, kBeside<X>> a = part_of(s.a, part);
    if (p.gross) {
      const auto supply = supply_of(k, part);
      const auto& leaf = k.leaf[part];
      a = minimum(a + leaf.rd, p.c4 ? ceiling_c4(leaf, supply) : ceiling_c3(leaf, supply));
    }
    set_part(gpp, part, a * part_of(k.area, part));
  }
};
template <class X, class F>
GPPCORE_INLINE Classes<X, 4> class_gpp(const TwoLeafParameters& p, const Canopy<X, F>& k, const State<X>& s) {
  Classes<X, 4> gpp;
  run<SetGpp, X>(p, k, s, gpp);
  return gpp;
}

// Writes what was asked for besides GPP; `lit` lanes, and those of the night.
template <class X, class E>
__attribute__((noinline)) void store_classes(const Canopy<X>& k, State<X>& s, const Classes<X, 4>& gpp, const X& lit,
                                             const X& poison, int64_t i, int64_t left, const TwoLeafRow<E>& out) {
  const X zero = splat<X>(0.0);
  const auto put = [&](int output, int c, const X& day, const X& night) {
    store(out.to[output + c], i, left, where_less(zero, lit, day, night) + poison);
  };
  // Moles of water that the deficit in units of Canopy drives through a resistance for CO2, and their weight.
  const X water =
      k.heat_capacity * k.per_co2 / (constants::vaporisation_at_zero - constants::vaporisation_slope * k.tk);
  const Classes<X, 4> through = s.g / (s.cs + s.g * (layers(s.ra) + layers(k.r)));
  WarmLeaves::run(0, k, s);
  const Classes<X, 4> transpired = through * (k.deficit + k.slope * s.warm) * water;
  for (int c = 0; c < 4; ++c) {
    put(kGppClasses, c, gpp.c[c], zero);
    put(kConductance, c, constants::h2o_to_co2 * (s.g.c[c] / s.cs.c[c]) * k.area.c[c], zero);
    put(kTranspiration, c, transpired.c[c] * k.area.c[c], zero);
    put(kLeafTemperature, c, k.tair + s.warm.c[c], k.tair);
    put(kApar, c, constants::ppfd_per_shortwave * k.absorbed.c[c] * k.area.c[c], zero);
  }
}

// Vectors of lit hours that wait for their passes.
template <class V>
struct LitHours {
  int n = 0;
  Canopy<V> canopy[kAbreast];
  State<V> state[kAbreast];
  V lit[kAbreast], poison[kAbreast];
  int64_t first[kAbreast];
};

template <class V, class E>
GPPCORE_INLINE void store_gpp(const Classes<V, 4>& gpp, const V& lit, const V& poison, int64_t i, int64_t left,
                              const TwoLeafRow<E>& out) {
  const V zero = splat<V>(0.0);
  store(out.to[kGppSunlit], i, left, where_less(zero, lit, gpp.c[0] + gpp.c[2], zero) + poison);
  store(out.to[kGppShaded], i, left, where_less(zero, lit, gpp.c[1] + gpp.c[3], zero) + poison);
}

// Computes and writes the hours that wait, of n in the row.
template <class V, class E>
__attribute__((noinline)) void finish(const TwoLeafParameters& p, const Site& site, int64_t n, bool classes,
                                      LitHours<V>& h, const TwoLeafRow<E>& out) {
  energy_balance(p, site, h.canopy, h.state, h.n);
  for (int u = 0; u < h.n; ++u) {
    const int64_t i = h.first[u];
    const Classes<V, 4> gpp = class_gpp(p, h.canopy[u], h.state[u]);
    store_gpp(gpp, h.lit[u], h.poison[u], i, n - i, out);
    if (classes) store_classes(h.canopy[u], h.state[u], gpp, h.lit[u], h.poison[u], i, n - i, out);
  }
  h.n = 0;
}

template <class E>
inline void canopy(const TwoLeafParameters& p, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out) {
  using V = Lanes<E>;
  const Site site = site_of(p);
  bool classes = false;
  for (int j = kGppClasses; j < kTwoLeafOutputs; ++j) classes |= out.to[j] != nullptr;
  V x[kTwoLeafInputs];
  const CanopyHour<V> h{x, x, !inputs[kDiffuseFraction].data};
  LitHours<V> waiting;
  const V zero = splat<V>(0.0);
  for (int64_t i = 0; i < n; i += V::kCount) {
    const int64_t left = n - i;
    V sum = zero;  // NaN anywhere in the inputs must come out: bounds would eat it
    for (int j = 0; j < kTwoLeafInputs - h.clearness; ++j) {
      x[j] = load<V>(inputs[j], i, left);
      sum = sum + x[j];
    }
    const V poison = 0.0 * sum, lit = minimum(minimum(x[kCosZenith], x[kSw]), x[kLai]);
    if (any_less(zero, lit) || classes) {
      const int u = waiting.n++;
      set_canopy(h, p, site, waiting.canopy[u]);
      waiting.lit[u] = lit;
      waiting.poison[u] = poison;
      waiting.first[u] = i;
      if (waiting.n == kAbreast) finish(p, site, n, classes, waiting, out);
    } else {
      store_gpp(splat<Classes<V, 4>>(0.0), lit, poison, i, left, out);
    }
  }
  if (waiting.n) finish(p, site, n, classes, waiting, out);
}

// Rates of C3 leaves as either mode has them.
template <class X>
GPPCORE_INLINE RatesC3<X, 1, X> leaf_rates(const LeafParameters& p, const X& tair, const Classes<X, 1>& vcmax25,
                                           const Classes<X, 1>& ppfd) {
  if constexpr (sizeof(typename X::Element) == sizeof(double))
    if (p.biochemistry == kCompat) return compat_leaves(tair, vcmax25, ppfd);
  RatesC3<X, 1, X> rates;
  set_rates_c3(temperature_c3(tair, reciprocal(tair + constants::zero_celsius)), vcmax25, ppfd, rates);
  return rates;
}

// Single leaves at a given humidity of the leaf surface: more steps than in the canopy, whose passes repeat them.
template <class E>
inline void leaf(const LeafParameters& p, const TwoLeafColumn<E>* inputs, int64_t n, E* const* out) {
  using V = Lanes<E>;
  using V1 = Classes<V, 1>;
  for (int64_t i = 0; i < n; i += V::kCount) {
    const int64_t left = n - i;
    V x[kLeafInputs], sum = splat<V>(0.0);
    for (int j = 0; j < kLeafInputs; ++j) {
      x[j] = load<V>(inputs[j], i, left);
      sum = sum + x[j];
    }
    const V poison = 0.0 * sum, tair = x[kLeafTair], stress = x[kLeafSoilWaterStress], ca = x[kLeafCa];
    const V drought = p.c4 ? stress : splat<V>(1.0);
    const V1 vcmax25{{x[kLeafVcmax25] * drought}}, ppfd{{x[kLeafPpfd]}};
    const V1 c{{x[kLeafG1] * stress * x[kLeafHumidity] * (1.0 / constants::h2o_to_co2)}};
    const Supply<V, 1> supply{{{constants::h2o_to_co2 / x[kLeafBoundaryConductance]}},
                              drought * x[kLeafG0] * (1.0 / constants::h2o_to_co2),
                              ca};
    Biochemistry<V, 1> b;
    if (p.c4) {
      set_biochemistry_c4(temperature_c4(tair), vcmax25, ppfd, b);
    } else {
      set_biochemistry_c3(leaf_rates(p, tair, vcmax25, ppfd), supply, b);
    }
    const V1 a = p.c4 ? solve(cubic_c4(b, c, supply), b.cap, 10) : solve(cubic_c3(b, c, supply), b.cap, 7);
    const V1 cs = ca - supply.r * a, g = c * a / cs + supply.b0;
    store(out[kLeafNet], i, left, a.c[0] + poison);
    store(out[kLeafCi], i, left, (cs - a / at_least(g, 1e-20)).c[0] + poison);
    store(out[kLeafConductance], i, left, constants::h2o_to_co2 * g.c[0] + poison);
    store(out[kLeafRespiration], i, left, b.rd.c[0] + poison);
  }
}

// Compares the least and the largest value, found in chains side by side; a NaN is neither.
template <class E>
inline bool within(TwoLeafColumn<E> c, int64_t n, double low, double high) {
  using V = Lanes<E>;
  constexpr int kChains = 4, kAtOnce = kChains * V::kCount;
  using Chains = Classes<V, kChains>;
  const V lowest = splat<V>(low), highest = splat<V>(high);
  Chains least = every<kChains>(highest), most = every<kChains>(lowest);
  if (c.stride == 0) n = 1;
  int64_t i = 0;
  for (; i + kAtOnce <= n; i += kAtOnce) {
    Chains x;
    for (int u = 0; u < kChains; ++u) x.c[u] = load<V>(c, i + u * V::kCount, V::kCount);
    least = minimum(x, least);
    most = maximum(x, most);
  }
  for (; i < n; i += V::kCount) {
    const V x = load<V>(c, i, n - i);
    least.c[0] = minimum(x, least.c[0]);
    most.c[0] = maximum(x, most.c[0]);
  }
  bool outside = false;
  for (int u = 0; u < kChains; ++u) outside |= any_less(least.c[u], lowest) || any_less(highest, most.c[u]);
  return !outside;
}

}  // namespace gppcore::GPPCORE_ISA
