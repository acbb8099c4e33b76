// The vector of the instruction set and elementary functions on it, written with + - * / sqrt, compares and
// integer operations alone: libm differs between systems and stops vectorisation. Every lane goes through
// the same operations in the same order on every instruction set, so results are the same bits.
#pragma once
#include <cstdint>

#define GPPCORE_INLINE inline __attribute__((always_inline))

namespace gppcore::GPPCORE_ISA {

typedef double V __attribute__((vector_size(GPPCORE_VECTOR_BYTES)));
typedef int64_t VI __attribute__((vector_size(GPPCORE_VECTOR_BYTES)));
constexpr int kLanes = GPPCORE_VECTOR_BYTES / sizeof(double);

GPPCORE_INLINE V splat(double x) { return V{} + x; }
GPPCORE_INLINE VI as_bits(V x) {
  VI i;
  __builtin_memcpy(&i, &x, sizeof x);
  return i;
}
GPPCORE_INLINE V from_bits(VI i) {
  V x;
  __builtin_memcpy(&x, &i, sizeof i);
  return x;
}

// Where a < b: x, else y. A NaN in a or b selects y; callers that must keep NaN add it back at the end.
GPPCORE_INLINE V where_less(V a, V b, V x, V y) { return a < b ? x : y; }
GPPCORE_INLINE V minimum(V a, V b) { return a < b ? a : b; }
GPPCORE_INLINE V maximum(V a, V b) { return a > b ? a : b; }
GPPCORE_INLINE V clamp(V x, double low, double high) { return minimum(maximum(x, splat(low)), splat(high)); }
GPPCORE_INLINE bool any_less(V a, V b) {
  const VI m = a < b;
  int64_t any = 0;
  for (int l = 0; l < kLanes; ++l) any |= m[l];
  return any != 0;
}

GPPCORE_INLINE V sqrt(V x) {
  double t[kLanes] __attribute__((aligned(GPPCORE_VECTOR_BYTES)));
  __builtin_memcpy(t, &x, sizeof x);
  for (int l = 0; l < kLanes; ++l) t[l] = __builtin_sqrt(t[l]);
  __builtin_memcpy(&x, t, sizeof x);
  return x;
}

// Error at most 2 ULP on [-708, 709]; arguments beyond are clamped, so that the result is a normal number.
GPPCORE_INLINE V exp(V x) {
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer in the low bits
  x = clamp(x, -708.0, 709.0);
  const V t = x * 1.44269504088896340736 + kShift;
  const V n = t - kShift;
  const V r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  const V r2 = r * r;
  const V a = 0.5 + 1.6666666666666666e-1 * r;
  const V b = 4.1666666666666664e-2 + 8.3333333333333332e-3 * r;
  const V c = 1.3888888888888889e-3 + 1.9841269841269841e-4 * r;
  const V d = 2.4801587301587302e-5 + 2.7557319223985893e-6 * r;
  const V e = 2.7557319223985888e-7 + 2.5052108385441720e-8 * r;
  const V f = 2.0876756987868100e-9 + 1.6059043836821613e-10 * r;
  const V r4 = r2 * r2;
  const V p = (a + b * r2) + r4 * ((c + d * r2) + r4 * (e + f * r2));
  return from_bits(as_bits(1.0 + (r + r2 * p)) + (as_bits(t) << 52));
}

// Error at most 2 ULP for positive normal numbers.
GPPCORE_INLINE V log(V x) {
  constexpr double kShift = 6755399441055744.0;
  const VI bits = as_bits(x);
  const VI k = (bits - 0x3fe6a09e667f3bcdLL) >> 52;  // mantissa to [sqrt(1/2), sqrt(2))
  const V m = from_bits(bits - (k << 52));
  const V kf = from_bits(k + as_bits(splat(kShift))) - kShift;
  const V f = m - 1.0;
  const V s = f / (f + 2.0), z = s * s, z2 = z * z;
  const V low = (0.66666666666666666 + 0.4 * z) + z2 * (0.28571428571428571 + 0.22222222222222222 * z);
  const V high = (0.18181818181818182 + 0.15384615384615385 * z) +
                 z2 * ((0.13333333333333333 + 0.11764705882352941 * z) + z2 * 0.10526315789473684);
  const V p = low + (z2 * z2) * high;
  return kf * 6.93147180369123816490e-01 + ((s * 2.0 + s * z * p) + kf * 1.90821492927058770002e-10);
}

// N values side by side, one per leaf class: independent chains that hide the latency of divisions and roots.
template <int N>
struct Classes {
  V c[N];
};
#define GPPCORE_CLASS_OPERATOR(op)                                    \
  template <int N>                                                    \
  GPPCORE_INLINE Classes<N> operator op(Classes<N> a, Classes<N> b) { \
    for (int i = 0; i < N; ++i) a.c[i] = a.c[i] op b.c[i];            \
    return a;                                                         \
  }                                                                   \
  template <int N>                                                    \
  GPPCORE_INLINE Classes<N> operator op(Classes<N> a, V b) {          \
    for (int i = 0; i < N; ++i) a.c[i] = a.c[i] op b;                 \
    return a;                                                         \
  }                                                                   \
  template <int N>                                                    \
  GPPCORE_INLINE Classes<N> operator op(V a, Classes<N> b) {          \
    for (int i = 0; i < N; ++i) b.c[i] = a op b.c[i];                 \
    return b;                                                         \
  }                                                                   \
  template <int N>                                                    \
  GPPCORE_INLINE Classes<N> operator op(Classes<N> a, double b) {     \
    return a op splat(b);                                             \
  }                                                                   \
  template <int N>                                                    \
  GPPCORE_INLINE Classes<N> operator op(double a, Classes<N> b) {     \
    return splat(a) op b;                                             \
  }
GPPCORE_CLASS_OPERATOR(+)
GPPCORE_CLASS_OPERATOR(-)
GPPCORE_CLASS_OPERATOR(*)
GPPCORE_CLASS_OPERATOR(/)
#undef GPPCORE_CLASS_OPERATOR

template <int N>
GPPCORE_INLINE Classes<N> every(V x) {
  Classes<N> r;
  for (int i = 0; i < N; ++i) r.c[i] = x;
  return r;
}
template <int N>
GPPCORE_INLINE Classes<N> where_less(Classes<N> a, Classes<N> b, Classes<N> x, Classes<N> y) {
  for (int i = 0; i < N; ++i) x.c[i] = where_less(a.c[i], b.c[i], x.c[i], y.c[i]);
  return x;
}
template <int N>
GPPCORE_INLINE Classes<N> minimum(Classes<N> a, Classes<N> b) {
  for (int i = 0; i < N; ++i) a.c[i] = minimum(a.c[i], b.c[i]);
  return a;
}
template <int N>
GPPCORE_INLINE Classes<N> clamp(Classes<N> a, double low, double high) {
  for (int i = 0; i < N; ++i) a.c[i] = clamp(a.c[i], low, high);
  return a;
}
template <int N>
GPPCORE_INLINE Classes<N> at_least(Classes<N> a, double low) {
  for (int i = 0; i < N; ++i) a.c[i] = maximum(a.c[i], splat(low));
  return a;
}
template <int N>
GPPCORE_INLINE Classes<N> sqrt(Classes<N> a) {
  for (int i = 0; i < N; ++i) a.c[i] = sqrt(a.c[i]);
  return a;
}

}  // namespace gppcore::GPPCORE_ISA
