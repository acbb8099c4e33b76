// Derivatives of canopy hours. Included once by each file of ../isa that is named for the gradient: such numbers want
// other flags than the rest (../../cmake/isa.cmake).
#pragma once
#include "rows-inl.hpp"

namespace gppcore::GPPCORE_ISA {

template <class E>
void gradient(const TwoLeafParameters& p, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out,
              const int* by, E* const* d) {
  using V = Lanes<E>;
  using X = Dual<V, kTwoLeafComponents>;
  const Site site = site_of(p);
  CanopyHour<X> h;
  h.clearness = !inputs[kDiffuseFraction].data;
  for (int j = 0; j < kTwoLeafInputs; ++j) h.x[j] = splat<X>(0.0);
  for (int c = 0; c < kTwoLeafComponents; ++c)
    if (by[c] >= 0) h.x[by[c]].d[c] = splat<V>(1.0);
  const V zero = splat<V>(0.0);
  for (int64_t i = 0; i < n; i += V::kCount) {
    const int64_t left = n - i;
    V sum = zero;
    for (int j = 0; j < kTwoLeafInputs - h.clearness; ++j) {
      h.x[j].v = load<V>(inputs[j], i, left);
      sum = sum + h.x[j].v;
    }
    const V poison = 0.0 * sum, lit = minimum(minimum(h.x[kCosZenith].v, h.x[kSw].v), h.x[kLai].v);
    X sunlit = splat<X>(0.0), shaded = sunlit;
    if (any_less(zero, lit)) {
      Canopy<X> k;
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

#define GPPCORE_ELEMENT(E)                                                                                             \
  template void gradient(const TwoLeafParameters&, const TwoLeafColumn<E>*, int64_t, const TwoLeafRow<E>&, const int*, \
                         E* const*);
GPPCORE_ELEMENT(double)
GPPCORE_ELEMENT(float)
#undef GPPCORE_ELEMENT

}  // namespace gppcore::GPPCORE_ISA
