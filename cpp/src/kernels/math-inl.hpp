// Exponential and logarithm of the library's own: libm differs between systems and stops vectorisation.
#pragma once
#include "vector-inl.hpp"

namespace gppcore::GPPCORE_ISA {

// x 2^n, with n in the low bits of t, for a result that is a normal number.
template <class E>
GPPCORE_INLINE Lanes<E> scale(Lanes<E> x, Lanes<E> t) {
  using I = typename Native<E>::I;
  I bits, n;
  __builtin_memcpy(&bits, &x.v, sizeof bits);
  __builtin_memcpy(&n, &t.v, sizeof n);
  bits += n << (sizeof(E) == 8 ? 52 : 23);
  __builtin_memcpy(&x.v, &bits, sizeof bits);
  return x;
}

// exp(x), error at most 2 ULP, for x in [-708, 709]: the clamps of exp() would come first in the chain.
// Coefficients: minimax of (exp(r) - 1 - r) / r^2 on [-ln 2 / 2, ln 2 / 2].
GPPCORE_INLINE Lanes<double> exp_normal(Lanes<double> x) {
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer in the low bits
  const auto t = x * 1.44269504088896340736 + kShift, n = t - kShift;
  const auto r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  const auto r2 = r * r, r4 = r2 * r2;
  const auto a = 0.5000000000000001 + 0.16666666666666746 * r;
  const auto b = 0.04166666666663215 + 0.00833333333322925 * r;
  const auto c = 0.0013888888913276213 + 0.00019841270208997041 * r;
  const auto d = 2.4801527311825754e-05 + 2.7556837430654627e-06 * r;
  const auto e = 2.761727368660119e-07 + 2.5276711148679917e-08 * r;
  const auto p = (a + b * r2) + r4 * ((c + d * r2) + r4 * e);
  return scale(1.0 + (r + r2 * p), t);
}
// The same in float, for x in [-87, 88].
GPPCORE_INLINE Lanes<float> exp_normal(Lanes<float> x) {
  constexpr double kShift = 12582912.0;
  const auto t = x * 1.44269504088896340736 + kShift, n = t - kShift;
  const auto r = (x - n * 0.693359375) - n * -2.12194440e-4;
  const auto r2 = r * r;
  const auto p = (0.5 + 0.1666657698969875 * r) +
                 r2 * ((0.04166655461720701 + 0.008363179052726464 * r) + r2 * 0.00139261835874593);
  return scale(1.0 + (r + r2 * p), t);
}

template <class X, int N>
GPPCORE_INLINE Classes<X, N> exp_normal(Classes<X, N> a) {
  for (int i = 0; i < N; ++i) a.c[i] = exp_normal(a.c[i]);
  return a;
}

// exp(x) for any x: arguments beyond are clamped, so that the result is a normal number.
GPPCORE_INLINE Lanes<double> exp(Lanes<double> x) { return exp_normal(clamp(x, -708.0, 709.0)); }
GPPCORE_INLINE Lanes<float> exp(Lanes<float> x) { return exp_normal(clamp(x, -87.0, 88.0)); }

// Numbers split for the logarithm: x = 2^k m with m in [sqrt(1/2), sqrt(2)).
template <class E>
struct Split {
  Lanes<E> k, m;
};
template <class E>
GPPCORE_INLINE Split<E> split(Lanes<E> x) {
  using I = typename Native<E>::I;
  constexpr int kMantissa = sizeof(E) == 8 ? 52 : 23;
  constexpr auto kRootHalf = static_cast<decltype(I{}[0] + 0)>(sizeof(E) == 8 ? 0x3fe6a09e667f3bcdLL : 0x3f3504f3LL);
  const auto shift = splat<Lanes<E>>(sizeof(E) == 8 ? 6755399441055744.0 : 12582912.0);
  Split<E> s;
  I bits, k, low;
  __builtin_memcpy(&bits, &x.v, sizeof bits);
  __builtin_memcpy(&low, &shift.v, sizeof low);
  k = (bits - kRootHalf) >> kMantissa;
  bits -= k << kMantissa;
  k += low;
  __builtin_memcpy(&s.m.v, &bits, sizeof bits);
  __builtin_memcpy(&s.k.v, &k, sizeof k);
  s.k = s.k - shift;
  return s;
}
// log(m) / s = 2 + z p(z) with s = (m - 1) / (m + 1) and z = s^2; this is p.
GPPCORE_INLINE Lanes<double> log_series(Lanes<double> z) {
  const auto z2 = z * z;
  const auto low = (0.66666666666666666 + 0.4 * z) + z2 * (0.28571428571428571 + 0.22222222222222222 * z);
  const auto high = (0.18181818181818182 + 0.15384615384615385 * z) +
                    z2 * ((0.13333333333333333 + 0.11764705882352941 * z) + z2 * 0.10526315789473684);
  return low + (z2 * z2) * high;
}
GPPCORE_INLINE Lanes<float> log_series(Lanes<float> z) {
  return (0.66666666666666666 + 0.4 * z) + (z * z) * (0.28571428571428571 + 0.22222222222222222 * z);
}

// log of N positive normal numbers, error at most 3 ULP; their divisions are shared.
template <class E, int N>
GPPCORE_INLINE Classes<Lanes<E>, N> log(const Classes<Lanes<E>, N>& x) {
  constexpr double kHigh = sizeof(E) == 8 ? 6.93147180369123816490e-01 : 0.693359375;
  constexpr double kLow = sizeof(E) == 8 ? 1.90821492927058770002e-10 : -2.12194440e-4;
  Classes<Lanes<E>, N> k, f, r;
  for (int i = 0; i < N; ++i) {
    const Split<E> s = split(x.c[i]);
    k.c[i] = s.k;
    f.c[i] = s.m - 1.0;
  }
  const auto inverse = reciprocal(f + 2.0);
  for (int i = 0; i < N; ++i) {
    const auto s = f.c[i] * inverse.c[i], z = s * s;
    r.c[i] = k.c[i] * kHigh + ((s * 2.0 + s * z * log_series(z)) + k.c[i] * kLow);
  }
  return r;
}
template <class E>
GPPCORE_INLINE Lanes<E> log(const Lanes<E>& x) {
  return log(Classes<Lanes<E>, 1>{{x}}).c[0];
}

}  // namespace gppcore::GPPCORE_ISA
