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

template <class E>
struct Lanes {
  using Element = E;
  static constexpr int kCount = GPPCORE_VECTOR_BYTES / sizeof(E);
  typename Native<E>::V v;
};

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

// Leaf classes that go through a step side by side: all of them, to hide latency. Numbers with derivatives fill the
// ports by two: half the machine code serves both layers, and is compiled in a third of the time.
constexpr int kLeafClasses = 4;
template <class X>
constexpr int kBeside = kLeafClasses;
template <class X, int K>
constexpr int kBeside<Dual<X, K>> = 2;

// Runs Step::run(part, numbers...) for each kBeside<X> leaf classes, or for all at once where a step has no parts: in
// place, or with derivatives, which live in memory anyway, in code of its own that every caller shares.
template <class Step, int Parts, class... A>
__attribute__((noinline)) void run_apart(A&... numbers) {
#pragma GCC unroll 1
  for (int part = 0; part < Parts; ++part) Step::run(part, numbers...);
}
template <class Step, class X, int Parts = kLeafClasses / kBeside<X>, class... A>
GPPCORE_INLINE void run(A&... numbers) {
  if constexpr (kBeside<X> == kLeafClasses) {
    Step::run(0, numbers...);
  } else {
    run_apart<Step, Parts>(numbers...);
  }
}

#define GPPCORE_LANES_OPERATOR(op)                              \
  template <class E>                                            \
  GPPCORE_INLINE Lanes<E> operator op(Lanes<E> a, Lanes<E> b) { \
    a.v = a.v op b.v;                                           \
    return a;                                                   \
  }                                                             \
  template <class E>                                            \
  GPPCORE_INLINE Lanes<E> operator op(Lanes<E> a, double b) {   \
    a.v = a.v op static_cast<E>(b);                             \
    return a;                                                   \
  }                                                             \
  template <class E>                                            \
  GPPCORE_INLINE Lanes<E> operator op(double a, Lanes<E> b) {   \
    b.v = static_cast<E>(a) op b.v;                             \
    return b;                                                   \
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

// splat<X>(x): the constant x, or a number without derivatives, as a number of type X.
template <class X>
struct Constant;
template <class E>
struct Constant<Lanes<E>> {
  static GPPCORE_INLINE Lanes<E> of(double x) {
    Lanes<E> r;
    r.v = typename Native<E>::V{} + static_cast<E>(x);
    return r;
  }
  static GPPCORE_INLINE Lanes<E> of(Lanes<E> x) { return x; }
};
template <class X, int K>
struct Constant<Dual<X, K>> {
  template <class C>
  static GPPCORE_INLINE Dual<X, K> of(const C& x) {
    Dual<X, K> r{};
    r.v = Constant<X>::of(x);
    return r;
  }
  static GPPCORE_INLINE Dual<X, K> of(const Dual<X, K>& x) { return x; }
};
template <class X, int N>
struct Constant<Classes<X, N>> {
  static GPPCORE_INLINE Classes<X, N> of(double x) {
    Classes<X, N> r;
    for (int i = 0; i < N; ++i) r.c[i] = Constant<X>::of(x);
    return r;
  }
};
template <class X, class C>
GPPCORE_INLINE X splat(const C& x) {
  return Constant<X>::of(x);
}
template <int N, class X>
GPPCORE_INLINE Classes<X, N> every(const X& x) {
  Classes<X, N> r;
  for (int i = 0; i < N; ++i) r.c[i] = x;
  return r;
}

// Where a < b: x, else y. A NaN in a or b selects y; callers that must keep NaN add it back at the end.
template <class E>
GPPCORE_INLINE Lanes<E> where_less(Lanes<E> a, Lanes<E> b, Lanes<E> x, Lanes<E> y) {
  x.v = a.v < b.v ? x.v : y.v;
  return x;
}
template <class V, class X, int N>
GPPCORE_INLINE Classes<X, N> where_less(const Classes<V, N>& a, const Classes<V, N>& b, Classes<X, N> x,
                                        const Classes<X, N>& y) {
  for (int i = 0; i < N; ++i) x.c[i] = where_less(a.c[i], b.c[i], x.c[i], y.c[i]);
  return x;
}
template <class E>
GPPCORE_INLINE bool any_less(Lanes<E> a, Lanes<E> b) {
  const typename Native<E>::I m = a.v < b.v;
  bool any = false;
  for (int l = 0; l < Lanes<E>::kCount; ++l) any |= m[l] != 0;
  return any;
}

// native_min: a < b ? a : b. native_max: a > b ? a : b. So the second operand where one is NaN. One instruction each,
// which compilers do not make of the comparison. Rough operations of double go through float, where the divider is
// several times faster: relative error 2^-23 from 1e-37 to 1e38.
using Doubles = Native<double>::V;
using Floats = Native<float>::V;
#if defined(__AVX512F__)
GPPCORE_INLINE Doubles native_min(Doubles a, Doubles b) { return _mm512_maskz_min_pd(-1, a, b); }
GPPCORE_INLINE Doubles native_max(Doubles a, Doubles b) { return _mm512_maskz_max_pd(-1, a, b); }
GPPCORE_INLINE Floats native_min(Floats a, Floats b) { return _mm512_maskz_min_ps(-1, a, b); }
GPPCORE_INLINE Floats native_max(Floats a, Floats b) { return _mm512_maskz_max_ps(-1, a, b); }
GPPCORE_INLINE Doubles native_sqrt(Doubles x) { return _mm512_maskz_sqrt_pd(-1, x); }
GPPCORE_INLINE Floats native_sqrt(Floats x) { return _mm512_maskz_sqrt_ps(-1, x); }
typedef __m256 Halved;
GPPCORE_INLINE Halved halved(Doubles x) { return _mm512_maskz_cvtpd_ps(-1, x); }
GPPCORE_INLINE Doubles doubled(Halved x) { return _mm512_maskz_cvtps_pd(-1, x); }
GPPCORE_INLINE Halved halved_sqrt(Halved x) { return _mm256_sqrt_ps(x); }
#elif defined(__AVX2__)
GPPCORE_INLINE Doubles native_min(Doubles a, Doubles b) { return _mm256_min_pd(a, b); }
GPPCORE_INLINE Doubles native_max(Doubles a, Doubles b) { return _mm256_max_pd(a, b); }
GPPCORE_INLINE Floats native_min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
GPPCORE_INLINE Floats native_max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
GPPCORE_INLINE Doubles native_sqrt(Doubles x) { return _mm256_sqrt_pd(x); }
GPPCORE_INLINE Floats native_sqrt(Floats x) { return _mm256_sqrt_ps(x); }
typedef __m128 Halved;
GPPCORE_INLINE Halved halved(Doubles x) { return _mm256_cvtpd_ps(x); }
GPPCORE_INLINE Doubles doubled(Halved x) { return _mm256_cvtps_pd(x); }
GPPCORE_INLINE Halved halved_sqrt(Halved x) { return _mm_sqrt_ps(x); }
#elif defined(__SSE2__)
GPPCORE_INLINE Doubles native_min(Doubles a, Doubles b) { return _mm_min_pd(a, b); }
GPPCORE_INLINE Doubles native_max(Doubles a, Doubles b) { return _mm_max_pd(a, b); }
GPPCORE_INLINE Floats native_min(Floats a, Floats b) { return _mm_min_ps(a, b); }
GPPCORE_INLINE Floats native_max(Floats a, Floats b) { return _mm_max_ps(a, b); }
GPPCORE_INLINE Doubles native_sqrt(Doubles x) { return _mm_sqrt_pd(x); }
GPPCORE_INLINE Floats native_sqrt(Floats x) { return _mm_sqrt_ps(x); }
typedef __m128 Halved;  // its upper half is 0
GPPCORE_INLINE Halved halved(Doubles x) { return _mm_cvtpd_ps(x); }
GPPCORE_INLINE Doubles doubled(Halved x) { return _mm_cvtps_pd(x); }
GPPCORE_INLINE Halved halved_sqrt(Halved x) { return _mm_sqrt_ps(x); }
#else
template <class P>
GPPCORE_INLINE P native_min(P a, P b) {
  return a < b ? a : b;
}
template <class P>
GPPCORE_INLINE P native_max(P a, P b) {
  return a > b ? a : b;
}
GPPCORE_INLINE Doubles native_sqrt(Doubles x) {
  for (int l = 0; l < Lanes<double>::kCount; ++l) x[l] = __builtin_sqrt(x[l]);
  return x;
}
GPPCORE_INLINE Floats native_sqrt(Floats x) {
  for (int l = 0; l < Lanes<float>::kCount; ++l) x[l] = __builtin_sqrtf(x[l]);
  return x;
}
typedef float Halved __attribute__((vector_size(GPPCORE_VECTOR_BYTES / 2)));
GPPCORE_INLINE Halved halved(Doubles x) { return __builtin_convertvector(x, Halved); }
GPPCORE_INLINE Doubles doubled(Halved x) { return __builtin_convertvector(x, Doubles); }
GPPCORE_INLINE Halved halved_sqrt(Halved x) {
  for (int l = 0; l < Lanes<double>::kCount; ++l) x[l] = __builtin_sqrtf(x[l]);
  return x;
}
#endif
GPPCORE_INLINE Doubles native_rough_sqrt(Doubles x) { return doubled(halved_sqrt(halved(x))); }
GPPCORE_INLINE Floats native_rough_sqrt(Floats x) { return native_sqrt(x); }
GPPCORE_INLINE Doubles native_rough_reciprocal(Doubles x) { return doubled(1.0f / halved(x)); }
GPPCORE_INLINE Floats native_rough_reciprocal(Floats x) { return 1.0f / x; }

template <class E>
GPPCORE_INLINE Lanes<E> minimum(Lanes<E> a, Lanes<E> b) {
  a.v = native_min(a.v, b.v);
  return a;
}
template <class E>
GPPCORE_INLINE Lanes<E> maximum(Lanes<E> a, Lanes<E> b) {
  a.v = native_max(a.v, b.v);
  return a;
}
template <class E>
GPPCORE_INLINE Lanes<E> sqrt(Lanes<E> x) {
  x.v = native_sqrt(x.v);
  return x;
}
template <class E>
GPPCORE_INLINE Lanes<E> rough_sqrt(Lanes<E> x) {
  x.v = native_rough_sqrt(x.v);
  return x;
}
template <class E>
GPPCORE_INLINE Lanes<E> rough_reciprocal(Lanes<E> x) {
  x.v = native_rough_reciprocal(x.v);
  return x;
}
template <class E>
GPPCORE_INLINE Lanes<E> magnitude(Lanes<E> x) {
  typename Native<E>::I bits;
  __builtin_memcpy(&bits, &x.v, sizeof bits);
  bits &= sizeof(E) == 8 ? static_cast<int64_t>(~0ull >> 1) : INT32_MAX;
  __builtin_memcpy(&x.v, &bits, sizeof bits);
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

template <class E>
GPPCORE_INLINE Lanes<E> reciprocal(Lanes<E> x) {
  return 1.0 / x;
}
// Reciprocals of N values, in double such that the product of each and its neighbour is a normal number. The divider is
// the slowest unit, and the others are busy too: so two share one division. In float a product could overflow.
template <int N>
GPPCORE_INLINE Classes<Lanes<double>, N> reciprocal(const Classes<Lanes<double>, N>& a) {
  Classes<Lanes<double>, N> r;
  for (int i = 0; i + 1 < N; i += 2) {
    const auto both = 1.0 / (a.c[i] * a.c[i + 1]);
    r.c[i] = both * a.c[i + 1];
    r.c[i + 1] = both * a.c[i];
  }
  if (N % 2) r.c[N - 1] = 1.0 / a.c[N - 1];
  return r;
}
template <int N>
GPPCORE_INLINE Classes<Lanes<float>, N> reciprocal(const Classes<Lanes<float>, N>& a) {
  return 1.0 / a;
}

// The value without derivatives.
template <class E>
GPPCORE_INLINE Lanes<E> value(Lanes<E> x) {
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
