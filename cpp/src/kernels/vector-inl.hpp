// Numbers that the kernels compute with. Lanes: one vector of the instruction set, of double or float. Dual: a
// number with derivatives. Classes: N numbers side by side, one per leaf class, independent chains that hide latency.
// Only operations that IEEE 754 rounds exactly are used, so that every instruction set gives the same bits.
#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define GPPCORE_INLINE inline __attribute__((always_inline))

namespace gppcore::GPPCORE_ISA {

template <class E>
struct Native;
template <>
struct Native<double> {
  typedef double V __attribute__((vector_size(GPPCORE_VECTOR_BYTES)));
  typedef int64_t I __attribute__((vector_size(GPPCORE_VECTOR_BYTES)));
};
template <>
struct Native<float> {
  typedef float V __attribute__((vector_size(GPPCORE_VECTOR_BYTES)));
  typedef int32_t I __attribute__((vector_size(GPPCORE_VECTOR_BYTES)));
};

// U vectors side by side: the model is one long chain of operations, and a second chain fills its gaps.
template <class E, int U>
struct Lanes {
  using Element = E;
  using Part = typename Native<E>::V;
  static constexpr int kPart = GPPCORE_VECTOR_BYTES / sizeof(E), kCount = kPart * U;
  Part v[U];
};
#define GPPCORE_PARTS for (int u = 0; u < U; ++u)

// K derivatives along with a value (forward mode).
template <class X, int K>
struct Dual {
  using Element = typename X::Element;
  X v, d[K];
};

template <class X, int N>
struct Classes {
  X c[N];
};

#define GPPCORE_LANES_OPERATOR(op)                                       \
  template <class E, int U>                                              \
  GPPCORE_INLINE Lanes<E, U> operator op(Lanes<E, U> a, Lanes<E, U> b) { \
    GPPCORE_PARTS a.v[u] = a.v[u] op b.v[u];                             \
    return a;                                                            \
  }                                                                      \
  template <class E, int U>                                              \
  GPPCORE_INLINE Lanes<E, U> operator op(Lanes<E, U> a, double b) {      \
    GPPCORE_PARTS a.v[u] = a.v[u] op static_cast<E>(b);                  \
    return a;                                                            \
  }                                                                      \
  template <class E, int U>                                              \
  GPPCORE_INLINE Lanes<E, U> operator op(double a, Lanes<E, U> b) {      \
    GPPCORE_PARTS b.v[u] = static_cast<E>(a) op b.v[u];                  \
    return b;                                                            \
  }
GPPCORE_LANES_OPERATOR(+)
GPPCORE_LANES_OPERATOR(-)
GPPCORE_LANES_OPERATOR(*)
GPPCORE_LANES_OPERATOR(/)
#undef GPPCORE_LANES_OPERATOR

#define GPPCORE_CLASSES_OPERATOR(op)                                                                       \
  template <class A, class B, int N>                                                                       \
  GPPCORE_INLINE auto operator op(const Classes<A, N>& a, const Classes<B, N>& b)                          \
      ->Classes<decltype(a.c[0] op b.c[0]), N> {                                                           \
    Classes<decltype(a.c[0] op b.c[0]), N> r;                                                              \
    for (int i = 0; i < N; ++i) r.c[i] = a.c[i] op b.c[i];                                                 \
    return r;                                                                                              \
  }                                                                                                        \
  template <class A, class B, int N>                                                                       \
  GPPCORE_INLINE auto operator op(const Classes<A, N>& a, const B& b)->Classes<decltype(a.c[0] op b), N> { \
    Classes<decltype(a.c[0] op b), N> r;                                                                   \
    for (int i = 0; i < N; ++i) r.c[i] = a.c[i] op b;                                                      \
    return r;                                                                                              \
  }                                                                                                        \
  template <class A, class B, int N>                                                                       \
  GPPCORE_INLINE auto operator op(const A& a, const Classes<B, N>& b)->Classes<decltype(a op b.c[0]), N> { \
    Classes<decltype(a op b.c[0]), N> r;                                                                   \
    for (int i = 0; i < N; ++i) r.c[i] = a op b.c[i];                                                      \
    return r;                                                                                              \
  }
GPPCORE_CLASSES_OPERATOR(+)
GPPCORE_CLASSES_OPERATOR(-)
GPPCORE_CLASSES_OPERATOR(*)
GPPCORE_CLASSES_OPERATOR(/)
#undef GPPCORE_CLASSES_OPERATOR

// splat<X>(x): the constant x as a number of type X.
template <class X>
struct Constant;
template <class E, int U>
struct Constant<Lanes<E, U>> {
  static GPPCORE_INLINE Lanes<E, U> of(double x) {
    Lanes<E, U> r;
    GPPCORE_PARTS r.v[u] = typename Lanes<E, U>::Part{} + static_cast<E>(x);
    return r;
  }
};
template <class X, int K>
struct Constant<Dual<X, K>> {
  static GPPCORE_INLINE Dual<X, K> of(double x) {
    Dual<X, K> r{};
    r.v = Constant<X>::of(x);
    return r;
  }
};
template <class X, int N>
struct Constant<Classes<X, N>> {
  static GPPCORE_INLINE Classes<X, N> of(double x) {
    Classes<X, N> r;
    for (int i = 0; i < N; ++i) r.c[i] = Constant<X>::of(x);
    return r;
  }
};
template <class X>
GPPCORE_INLINE X splat(double x) {
  return Constant<X>::of(x);
}
template <int N, class X>
GPPCORE_INLINE Classes<X, N> every(const X& x) {
  Classes<X, N> r;
  for (int i = 0; i < N; ++i) r.c[i] = x;
  return r;
}

// Where a < b: x, else y. A NaN in a or b selects y; callers that must keep NaN add it back at the end.
template <class E, int U>
GPPCORE_INLINE Lanes<E, U> where_less(Lanes<E, U> a, Lanes<E, U> b, Lanes<E, U> x, Lanes<E, U> y) {
  GPPCORE_PARTS x.v[u] = a.v[u] < b.v[u] ? x.v[u] : y.v[u];
  return x;
}
template <class X, int N>
GPPCORE_INLINE Classes<X, N> where_less(const Classes<X, N>& a, const Classes<X, N>& b, Classes<X, N> x,
                                        const Classes<X, N>& y) {
  for (int i = 0; i < N; ++i) x.c[i] = where_less(a.c[i], b.c[i], x.c[i], y.c[i]);
  return x;
}
template <class E, int U>
GPPCORE_INLINE bool any_less(Lanes<E, U> a, Lanes<E, U> b) {
  typename Native<E>::I m{};
  GPPCORE_PARTS m |= a.v[u] < b.v[u];
  bool any = false;
  for (int l = 0; l < Lanes<E, U>::kPart; ++l) any |= m[l] != 0;
  return any;
}

// part_min: a < b ? a : b. part_max: a > b ? a : b. So the second operand where one is NaN. One instruction each, which
// compilers do not make of the comparison. Rough operations of double go through float, where the divider is several
// times faster: relative error 2^-23 from 1e-37 to 1e38.
using Doubles = Native<double>::V;
using Floats = Native<float>::V;
#if defined(__AVX512F__)
GPPCORE_INLINE Doubles part_min(Doubles a, Doubles b) { return _mm512_maskz_min_pd(-1, a, b); }
GPPCORE_INLINE Doubles part_max(Doubles a, Doubles b) { return _mm512_maskz_max_pd(-1, a, b); }
GPPCORE_INLINE Floats part_min(Floats a, Floats b) { return _mm512_maskz_min_ps(-1, a, b); }
GPPCORE_INLINE Floats part_max(Floats a, Floats b) { return _mm512_maskz_max_ps(-1, a, b); }
GPPCORE_INLINE Doubles part_sqrt(Doubles x) { return _mm512_maskz_sqrt_pd(-1, x); }
GPPCORE_INLINE Floats part_sqrt(Floats x) { return _mm512_maskz_sqrt_ps(-1, x); }
typedef __m256 Halved;
GPPCORE_INLINE Halved halved(Doubles x) { return _mm512_maskz_cvtpd_ps(-1, x); }
GPPCORE_INLINE Doubles doubled(Halved x) { return _mm512_maskz_cvtps_pd(-1, x); }
GPPCORE_INLINE Halved halved_sqrt(Halved x) { return _mm256_sqrt_ps(x); }
#elif defined(__AVX2__)
GPPCORE_INLINE Doubles part_min(Doubles a, Doubles b) { return _mm256_min_pd(a, b); }
GPPCORE_INLINE Doubles part_max(Doubles a, Doubles b) { return _mm256_max_pd(a, b); }
GPPCORE_INLINE Floats part_min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
GPPCORE_INLINE Floats part_max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
GPPCORE_INLINE Doubles part_sqrt(Doubles x) { return _mm256_sqrt_pd(x); }
GPPCORE_INLINE Floats part_sqrt(Floats x) { return _mm256_sqrt_ps(x); }
typedef __m128 Halved;
GPPCORE_INLINE Halved halved(Doubles x) { return _mm256_cvtpd_ps(x); }
GPPCORE_INLINE Doubles doubled(Halved x) { return _mm256_cvtps_pd(x); }
GPPCORE_INLINE Halved halved_sqrt(Halved x) { return _mm_sqrt_ps(x); }
#elif defined(__SSE2__)
GPPCORE_INLINE Doubles part_min(Doubles a, Doubles b) { return _mm_min_pd(a, b); }
GPPCORE_INLINE Doubles part_max(Doubles a, Doubles b) { return _mm_max_pd(a, b); }
GPPCORE_INLINE Floats part_min(Floats a, Floats b) { return _mm_min_ps(a, b); }
GPPCORE_INLINE Floats part_max(Floats a, Floats b) { return _mm_max_ps(a, b); }
GPPCORE_INLINE Doubles part_sqrt(Doubles x) { return _mm_sqrt_pd(x); }
GPPCORE_INLINE Floats part_sqrt(Floats x) { return _mm_sqrt_ps(x); }
typedef __m128 Halved;  // its upper half is 0
GPPCORE_INLINE Halved halved(Doubles x) { return _mm_cvtpd_ps(x); }
GPPCORE_INLINE Doubles doubled(Halved x) { return _mm_cvtps_pd(x); }
GPPCORE_INLINE Halved halved_sqrt(Halved x) { return _mm_sqrt_ps(x); }
#else
template <class P>
GPPCORE_INLINE P part_min(P a, P b) {
  return a < b ? a : b;
}
template <class P>
GPPCORE_INLINE P part_max(P a, P b) {
  return a > b ? a : b;
}
GPPCORE_INLINE Doubles part_sqrt(Doubles x) {
  for (int l = 0; l < Lanes<double, 1>::kPart; ++l) x[l] = __builtin_sqrt(x[l]);
  return x;
}
GPPCORE_INLINE Floats part_sqrt(Floats x) {
  for (int l = 0; l < Lanes<float, 1>::kPart; ++l) x[l] = __builtin_sqrtf(x[l]);
  return x;
}
typedef float Halved __attribute__((vector_size(GPPCORE_VECTOR_BYTES / 2)));
GPPCORE_INLINE Halved halved(Doubles x) { return __builtin_convertvector(x, Halved); }
GPPCORE_INLINE Doubles doubled(Halved x) { return __builtin_convertvector(x, Doubles); }
GPPCORE_INLINE Halved halved_sqrt(Halved x) {
  for (int l = 0; l < Lanes<double, 1>::kPart; ++l) x[l] = __builtin_sqrtf(x[l]);
  return x;
}
#endif
GPPCORE_INLINE Doubles part_rough_sqrt(Doubles x) { return doubled(halved_sqrt(halved(x))); }
GPPCORE_INLINE Floats part_rough_sqrt(Floats x) { return part_sqrt(x); }
GPPCORE_INLINE Doubles part_rough_reciprocal(Doubles x) { return doubled(1.0f / halved(x)); }
GPPCORE_INLINE Floats part_rough_reciprocal(Floats x) { return 1.0f / x; }

template <class E, int U>
GPPCORE_INLINE Lanes<E, U> minimum(Lanes<E, U> a, Lanes<E, U> b) {
  GPPCORE_PARTS a.v[u] = part_min(a.v[u], b.v[u]);
  return a;
}
template <class E, int U>
GPPCORE_INLINE Lanes<E, U> maximum(Lanes<E, U> a, Lanes<E, U> b) {
  GPPCORE_PARTS a.v[u] = part_max(a.v[u], b.v[u]);
  return a;
}
template <class E, int U>
GPPCORE_INLINE Lanes<E, U> sqrt(Lanes<E, U> x) {
  GPPCORE_PARTS x.v[u] = part_sqrt(x.v[u]);
  return x;
}
template <class E, int U>
GPPCORE_INLINE Lanes<E, U> rough_sqrt(Lanes<E, U> x) {
  GPPCORE_PARTS x.v[u] = part_rough_sqrt(x.v[u]);
  return x;
}
template <class E, int U>
GPPCORE_INLINE Lanes<E, U> rough_reciprocal(Lanes<E, U> x) {
  GPPCORE_PARTS x.v[u] = part_rough_reciprocal(x.v[u]);
  return x;
}
template <class E, int U>
GPPCORE_INLINE Lanes<E, U> magnitude(Lanes<E, U> x) {
  GPPCORE_PARTS {
    typename Native<E>::I bits;
    __builtin_memcpy(&bits, &x.v[u], sizeof bits);
    bits &= sizeof(E) == 8 ? static_cast<int64_t>(~0ull >> 1) : INT32_MAX;
    __builtin_memcpy(&x.v[u], &bits, sizeof bits);
  }
  return x;
}

#define GPPCORE_EACH_CLASS(name)                       \
  template <class X, int N>                            \
  GPPCORE_INLINE Classes<X, N> name(Classes<X, N> a) { \
    for (int i = 0; i < N; ++i) a.c[i] = name(a.c[i]); \
    return a;                                          \
  }
GPPCORE_EACH_CLASS(sqrt)
GPPCORE_EACH_CLASS(rough_sqrt)
GPPCORE_EACH_CLASS(rough_reciprocal)
GPPCORE_EACH_CLASS(magnitude)
#undef GPPCORE_EACH_CLASS
template <class X, int N>
GPPCORE_INLINE Classes<X, N> minimum(Classes<X, N> a, const Classes<X, N>& b) {
  for (int i = 0; i < N; ++i) a.c[i] = minimum(a.c[i], b.c[i]);
  return a;
}
template <class X, int N>
GPPCORE_INLINE Classes<X, N> maximum(Classes<X, N> a, const Classes<X, N>& b) {
  for (int i = 0; i < N; ++i) a.c[i] = maximum(a.c[i], b.c[i]);
  return a;
}
template <class X>
GPPCORE_INLINE X at_least(const X& x, double low) {
  return maximum(x, splat<X>(low));
}
template <class X>
GPPCORE_INLINE X at_most(const X& x, double high) {
  return minimum(x, splat<X>(high));
}
template <class X>
GPPCORE_INLINE X clamp(const X& x, double low, double high) {
  return at_most(at_least(x, low), high);
}

template <class E, int U>
GPPCORE_INLINE Lanes<E, U> reciprocal(Lanes<E, U> x) {
  return 1.0 / x;
}
// Reciprocals of N values, in double such that the product of each and its neighbour is a normal number. The divider is
// the slowest unit, and the others are busy too: so two share one division. In float a product could overflow.
template <int N, int U>
GPPCORE_INLINE Classes<Lanes<double, U>, N> reciprocal(const Classes<Lanes<double, U>, N>& a) {
  Classes<Lanes<double, U>, N> r;
  for (int i = 0; i + 1 < N; i += 2) {
    const auto both = 1.0 / (a.c[i] * a.c[i + 1]);
    r.c[i] = both * a.c[i + 1];
    r.c[i + 1] = both * a.c[i];
  }
  if (N % 2) r.c[N - 1] = 1.0 / a.c[N - 1];
  return r;
}
template <int N, int U>
GPPCORE_INLINE Classes<Lanes<float, U>, N> reciprocal(const Classes<Lanes<float, U>, N>& a) {
  return 1.0 / a;
}

// The value without derivatives.
template <class E, int U>
GPPCORE_INLINE Lanes<E, U> value(Lanes<E, U> x) {
  return x;
}
template <class X, int K>
GPPCORE_INLINE X value(const Dual<X, K>& x) {
  return x.v;
}
template <class X, int N>
GPPCORE_INLINE auto value(const Classes<X, N>& x) {
  Classes<decltype(value(x.c[0])), N> r;
  for (int i = 0; i < N; ++i) r.c[i] = value(x.c[i]);
  return r;
}

}  // namespace gppcore::GPPCORE_ISA
