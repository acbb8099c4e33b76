// Arithmetic of numbers with derivatives. Values go through the same operations as without derivatives, so that they
// are the same bits.
#pragma once
#include "math-inl.hpp"

namespace gppcore::GPPCORE_ISA {

#define GPPCORE_DUAL        \
  template <class X, int K> \
  GPPCORE_INLINE Dual<X, K>
#define GPPCORE_COMPONENTS for (int k = 0; k < K; ++k)

GPPCORE_DUAL operator+(Dual<X, K> a, const Dual<X, K>& b) {
  a.v = a.v + b.v;
  GPPCORE_COMPONENTS a.d[k] = a.d[k] + b.d[k];
  return a;
}
GPPCORE_DUAL operator-(Dual<X, K> a, const Dual<X, K>& b) {
  a.v = a.v - b.v;
  GPPCORE_COMPONENTS a.d[k] = a.d[k] - b.d[k];
  return a;
}
GPPCORE_DUAL operator*(Dual<X, K> a, const Dual<X, K>& b) {
  GPPCORE_COMPONENTS a.d[k] = a.d[k] * b.v + a.v * b.d[k];
  a.v = a.v * b.v;
  return a;
}
#define GPPCORE_DUAL_PASSIVE(B)                \
  GPPCORE_DUAL operator+(Dual<X, K> a, B b) {  \
    a.v = a.v + b;                             \
    return a;                                  \
  }                                            \
  GPPCORE_DUAL operator+(B a, Dual<X, K> b) {  \
    b.v = a + b.v;                             \
    return b;                                  \
  }                                            \
  GPPCORE_DUAL operator-(Dual<X, K> a, B b) {  \
    a.v = a.v - b;                             \
    return a;                                  \
  }                                            \
  GPPCORE_DUAL operator-(B a, Dual<X, K> b) {  \
    b.v = a - b.v;                             \
    GPPCORE_COMPONENTS b.d[k] = -1.0 * b.d[k]; \
    return b;                                  \
  }                                            \
  GPPCORE_DUAL operator*(Dual<X, K> a, B b) {  \
    a.v = a.v * b;                             \
    GPPCORE_COMPONENTS a.d[k] = a.d[k] * b;    \
    return a;                                  \
  }                                            \
  GPPCORE_DUAL operator*(B a, Dual<X, K> b) {  \
    b.v = a * b.v;                             \
    GPPCORE_COMPONENTS b.d[k] = a * b.d[k];    \
    return b;                                  \
  }
GPPCORE_DUAL_PASSIVE(double)
GPPCORE_DUAL_PASSIVE(X)
#undef GPPCORE_DUAL_PASSIVE

GPPCORE_DUAL where_less(const Dual<X, K>& a, const Dual<X, K>& b, Dual<X, K> x, const Dual<X, K>& y) {
  GPPCORE_COMPONENTS x.d[k] = where_less(a.v, b.v, x.d[k], y.d[k]);
  x.v = where_less(a.v, b.v, x.v, y.v);
  return x;
}
GPPCORE_DUAL where_less(const X& a, const X& b, Dual<X, K> x, const Dual<X, K>& y) {
  GPPCORE_COMPONENTS x.d[k] = where_less(a, b, x.d[k], y.d[k]);
  x.v = where_less(a, b, x.v, y.v);
  return x;
}
GPPCORE_DUAL minimum(Dual<X, K> a, const Dual<X, K>& b) {
  GPPCORE_COMPONENTS a.d[k] = where_less(a.v, b.v, a.d[k], b.d[k]);
  a.v = minimum(a.v, b.v);
  return a;
}
GPPCORE_DUAL maximum(Dual<X, K> a, const Dual<X, K>& b) {
  GPPCORE_COMPONENTS a.d[k] = where_less(b.v, a.v, a.d[k], b.d[k]);
  a.v = maximum(a.v, b.v);
  return a;
}
GPPCORE_DUAL sqrt(Dual<X, K> a) {
  a.v = sqrt(a.v);
  const X half = 0.5 / at_least(a.v, 1e-30);  // the root of 0 is taken as constant
  GPPCORE_COMPONENTS a.d[k] = a.d[k] * half;
  return a;
}
#define GPPCORE_DUAL_EXP(name)                \
  GPPCORE_DUAL name(Dual<X, K> a) {           \
    a.v = name(a.v);                          \
    GPPCORE_COMPONENTS a.d[k] = a.d[k] * a.v; \
    return a;                                 \
  }
GPPCORE_DUAL_EXP(exp)
GPPCORE_DUAL_EXP(exp_normal)
#undef GPPCORE_DUAL_EXP
template <class X, int K, int N>
GPPCORE_INLINE Classes<Dual<X, K>, N> log(const Classes<Dual<X, K>, N>& a) {
  const Classes<X, N> v = value(a), inverse = reciprocal(v), l = log(v);
  Classes<Dual<X, K>, N> r;
  for (int i = 0; i < N; ++i) {
    r.c[i].v = l.c[i];
    GPPCORE_COMPONENTS r.c[i].d[k] = a.c[i].d[k] * inverse.c[i];
  }
  return r;
}
template <class X, int K, int N>
GPPCORE_INLINE Classes<Dual<X, K>, N> reciprocal(const Classes<Dual<X, K>, N>& a) {
  const Classes<X, N> inverse = reciprocal(value(a));
  Classes<Dual<X, K>, N> r;
  for (int i = 0; i < N; ++i) {
    r.c[i].v = inverse.c[i];
    const X slope = -1.0 * (inverse.c[i] * inverse.c[i]);
    GPPCORE_COMPONENTS r.c[i].d[k] = slope * a.c[i].d[k];
  }
  return r;
}
GPPCORE_DUAL reciprocal(const Dual<X, K>& a) { return reciprocal(Classes<Dual<X, K>, 1>{{a}}).c[0]; }
GPPCORE_DUAL log(const Dual<X, K>& a) { return log(Classes<Dual<X, K>, 1>{{a}}).c[0]; }
#undef GPPCORE_DUAL
#undef GPPCORE_COMPONENTS

}  // namespace gppcore::GPPCORE_ISA
