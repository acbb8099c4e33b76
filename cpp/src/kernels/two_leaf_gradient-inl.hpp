// Derivatives of canopy hours, by any input or by inputs of leaves alone. Each file of ../parts instantiates one
// function, so that cores share the compiling, with other flags than the rest (../../cmake/isa.cmake).
#pragma once
#include "rows-inl.hpp"

namespace gppcore::GPPCORE_ISA {

// The inputs as numbers of type F, which have derivatives or not.
template <class F, class X, class V>
GPPCORE_INLINE const F* inputs_as(const X* with, const V* without) {
  if constexpr (sizeof(F) == sizeof(X)) {
    return with;
  } else {
    return without;
  }
}

// Weather is of type F.
template <class F, class X, class E>
inline void gradient_by(const TwoLeafParameters& p, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out,
                        const int* by, E* const* d) {
  using V = Lanes<E>;
  const Site site = site_of(p);
  X x[kTwoLeafInputs];
  V values[kTwoLeafInputs];
  const CanopyHour<X, F> h{x, inputs_as<F>(x, values), !inputs[kDiffuseFraction].data};
  for (int j = 0; j < kTwoLeafInputs; ++j) x[j] = splat<X>(0.0);
  for (int c = 0; c < kTwoLeafComponents; ++c)
    if (by[c] >= 0) x[by[c]].d[c] = splat<V>(1.0);
  const V zero = splat<V>(0.0);
  for (int64_t i = 0; i < n; i += V::kCount) {
    const int64_t left = n - i;
    V sum = zero;
    for (int j = 0; j < kTwoLeafInputs - h.clearness; ++j) {
      x[j].v = values[j] = load<V>(inputs[j], i, left);
      sum = sum + values[j];
    }
    const V poison = 0.0 * sum, lit = minimum(minimum(values[kCosZenith], values[kSw]), values[kLai]);
    X sunlit = splat<X>(0.0), shaded = sunlit;
    if (any_less(zero, lit)) {
      Canopy<X, F> k;
      State<X> s;
      set_canopy(h, p, site, k);
      energy_balance(p, site, &k, &s, 1);
      const Classes<X, 4> gpp = class_gpp(p, k, s);
      sunlit = gpp.c[0] + gpp.c[2];
      shaded = gpp.c[1] + gpp.c[3];
    }
    store(out.to[kGppSunlit], i, left, where_less(zero, lit, sunlit.v, zero) + poison);
    store(out.to[kGppShaded], i, left, where_less(zero, lit, shaded.v, zero) + poison);
    for (int c = 0; c < kTwoLeafComponents; ++c)
      store(d[c], i, left, where_less(zero, lit, sunlit.d[c] + shaded.d[c], zero) + poison);
  }
}

template <class E>
void gradient_by_weather(const TwoLeafParameters& p, const TwoLeafColumn<E>* inputs, int64_t n,
                         const TwoLeafRow<E>& out, const int* by, E* const* d) {
  using X = Dual<Lanes<E>, kTwoLeafComponents>;
  gradient_by<X, X>(p, inputs, n, out, by, d);
}
template <class E>
void gradient_by_leaves(const TwoLeafParameters& p, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out,
                        const int* by, E* const* d) {
  gradient_by<Lanes<E>, Dual<Lanes<E>, kTwoLeafComponents>>(p, inputs, n, out, by, d);
}

}  // namespace gppcore::GPPCORE_ISA
