// Photosynthesis and stomata of N leaf classes: biochemistry (E6-E10) and the coupled solve (E12).
//
// Supply and demand meet in a cubic. With A net assimilation, r the boundary-layer resistance, c the
// Ball-Berry slope and b0 the residual conductance, all for CO2:
//   Cs = Ca - r A,  Ci = Cs N / D,  N = (c - 1) A + b0 Cs,  D = c A + b0 Cs.
// C3, one rate  A + Rd = a (Ci - G) / (Ci + B):   F = Cs N (a - Rd - A) - (B A + B Rd + a G) D = 0.
// C4, rate M co-limited with PEP carboxylase s Ci: F = s Cs N (M - Ag) - D Ag (M - beta Ag) = 0, Ag = A + Rd.
// Both are positive at A = 0 if and only if A > 0, and have the wanted root as their smallest positive one.
#pragma once
#include "constants.hpp"
#include "dual-inl.hpp"

namespace gppcore::GPPCORE_ISA {

// One rate of C3 leaves. Its cubic is linear in d = c - r b0: with n0 = b0 Ca,
//   F = n0 u + (d u - v) A + (z - d y) A^2 + (d - 1) r A^3.
template <class X, int N>
struct Branch {
  Classes<X, N> u, v, y, z;  // u and v halved
};

// What does not change while a leaf's temperature and light do not.
template <class X, int N>
struct Biochemistry {
  Classes<X, N> rd, cap;             // respiration; largest net assimilation
  Branch<X, N> low, high;            // C3: the branch that saturates lower, and the other
  Classes<X, N> cross_d, cross_one;  // C3: F of the lower branch where the two cross is cross_d d + cross_one
  Classes<X, N> m, pep;              // C4: M and s
};

// What CO2 passes on its way to the stomata: boundary layer r, residual conductance b0, and CO2 of the air.
template <class X, int N, class F = X>
struct Supply {
  Classes<X, N> r;
  X b0;
  F ca;
};

// exp of a constant, at compile time.
constexpr double constant_exp(double x) {
  double sum = 1.0, term = 1.0;
  for (int i = 1; i < 60; ++i) sum += term *= x / i;
  return sum;
}

// Temperature factors of C3 leaves (E6, E7, E8). T is one number for all classes, or a number of each class.
template <class T>
struct TemperatureC3 {
  T peaked, rd, km, gamma;
};

template <class T>
GPPCORE_INLINE TemperatureC3<T> temperature_c3(const T& tair, const T& inverse_tk) {
  namespace k = constants;
  // All energies are multiples of 500 J mol-1: one exponential and a chain of products give them all.
  static_assert(k::ko_energy == 29 * 500.0 && k::tau_energy == -58 * 500.0 && k::kc_energy == 161 * 500.0);
  static_assert(k::rd_energy == 76 * 500.0 && k::peak_energy == 110 * 500.0 && k::peak_deactivation == 400 * 500.0);
  constexpr double per_ref = 1.0 / (k::reference_temperature * k::gas_constant);
  constexpr double per_peak = 1.0 / (k::peak_temperature * k::gas_constant);
  constexpr double shift = constant_exp(5000.0 * (per_peak - per_ref));
  const T t1 = exp_normal((500.0 * per_ref) * (tair + (k::zero_celsius - k::reference_temperature)) * inverse_tk);
  const T t2 = t1 * t1, t4 = t2 * t2, t8 = t4 * t4, t16 = t8 * t8, t32 = t16 * t16, t64 = t32 * t32;
  const T t12 = t8 * t4;
  const T fo = t12 * (t16 * t1), fk = (t64 * t64) * (t32 * t1);
  const T u1 = shift * (t8 * t2), u2 = u1 * u1, u4 = u2 * u2, u8 = u4 * u4, u16 = u8 * u8;
  const T deactivation = k::peak_deactivation - k::peak_energy + k::peak_energy * ((u16 * u16) * u8);
  const T inverse = reciprocal(fo * deactivation);
  TemperatureC3<T> t;
  t.peaked = k::peak_deactivation * (u8 * (u2 * u1)) * (inverse * fo);
  t.rd = t12 * t64;
  t.km = k::kc25 * fk * (1.0 + (k::oxygen / k::ko25) * (inverse * deactivation));
  t.gamma = (500.0 * k::oxygen / k::tau25) * (fo * fo);
  return t;
}

// Rates of C3 leaves, T as above: Rubisco, a quarter of electron transport, respiration.
template <class X, int N, class T>
struct RatesC3 {
  Classes<X, N> vcmax, j4, rd;
  T km, gamma;
};

// E8.
template <class X, int N, class T>
GPPCORE_INLINE void set_rates_c3(const TemperatureC3<T>& t, const Classes<X, N>& vcmax25, const Classes<X, N>& ppfd,
                                 RatesC3<X, N, T>& rates) {
  namespace k = constants;
  using XN = Classes<X, N>;
  const XN jmax = at_least(k::jmax_slope * vcmax25 + k::jmax_offset, 0.0) * t.peaked;
  const XN in_light = 1.0 - ((1.0 - k::rd_light_share) / k::rd_light_ppfd) * clamp(ppfd, 0.0, k::rd_light_ppfd);
  rates.vcmax = vcmax25 * t.peaked;
  rates.j4 = 0.25 * (jmax * ppfd) * reciprocal(at_least(ppfd + k::jmax_saturation * jmax, 1e-20));
  rates.rd = k::rd_to_vcmax * vcmax25 * t.rd * in_light;
  rates.km = t.km;
  rates.gamma = t.gamma;
}

template <class X, int N, class T, class F>
GPPCORE_INLINE Branch<X, N> branch(const Classes<X, N>& a, const Classes<T, N>& b, const Classes<X, N>& rd,
                                   const Classes<T, N>& compensation, const Supply<X, N, F>& s) {
  const X half_n0 = 0.5 * s.b0 * s.ca;
  const Classes<X, N> net = a - rd, rate = s.r * net, rn0 = s.r * (s.b0 * s.ca), sum = rate + s.ca;
  Branch<X, N> t;
  t.u = 0.5 * (s.ca * net - (b * rd + a * compensation));
  t.v = 0.5 * ((s.ca + rn0) * net) + half_n0 * (s.ca + b);
  t.y = sum + b;
  t.z = sum + rn0;
  return t;
}

// What is one number for all classes, or a number of each, as the latter.
template <int N, class T>
GPPCORE_INLINE Classes<T, N> by_class(const T& x) {
  return every<N>(x);
}
template <int N, class X>
GPPCORE_INLINE Classes<X, N> by_class(const Classes<X, N>& x) {
  return x;
}

template <class X, int N, class T, class F>
GPPCORE_INLINE void set_biochemistry_c3(const RatesC3<X, N, T>& t, const Supply<X, N, F>& s, Biochemistry<X, N>& b) {
  using XN = Classes<X, N>;
  const XN zero = splat<XN>(0.0), vcmax = t.vcmax, j4 = t.j4;
  b.rd = t.rd;
  b.cap = constants::sink_limit * vcmax - b.rd;
  const T gamma2 = t.gamma + t.gamma, k2g = t.km - gamma2;
  const auto km = by_class<N>(t.km), g2 = by_class<N>(gamma2), gamma = by_class<N>(t.gamma);
  const auto v = value(vcmax), j = value(j4);
  b.low = branch(minimum(vcmax, j4), where_less(v, j, km, g2), b.rd, gamma, s);
  b.high = branch(maximum(j4, vcmax), where_less(v, j, g2, km), b.rd, gamma, s);
  // The branches cross at A* + Rd = [j4 (K + G) - 3 G V] / (K - 2 G), if they do at a positive rate. Below, the higher
  // one holds: the sign of the lower one's cubic there tells which. Cs is 0 at A = Ca / r, where that is negative.
  const XN numerator = j4 * (t.km + t.gamma) - vcmax * (gamma2 + t.gamma);
  const XN crossing = numerator * reciprocal(at_least(maximum(k2g, -1.0 * k2g), 1e-6)) - b.rd;
  const XN a = minimum(crossing, s.ca * reciprocal(s.r)), a2 = a * a, a3r = a2 * a * s.r;
  const XN meets = where_less(zero, numerator * (vcmax - j4), crossing, zero);
  const XN slope = 2.0 * (a * b.low.u) - a2 * b.low.y + a3r;
  const XN offset = 2.0 * (s.b0 * s.ca * b.low.u - a * b.low.v) + a2 * b.low.z - a3r;
  b.cross_d = where_less(zero, meets, slope, zero);
  b.cross_one = where_less(zero, meets, offset, splat<XN>(1.0));
}

// Smooth minimum of a and b: smaller root of theta x^2 - (a + b) x + a b (E10).
template <class X, int N>
GPPCORE_INLINE Classes<X, N> smaller_root(double theta, const Classes<X, N>& a, const Classes<X, N>& b) {
  const Classes<X, N> s = a + b, p = a * b;
  return 2.0 * p * reciprocal(at_least(s + sqrt(at_least(s * s - (4.0 * theta) * p, 0.0)), 1e-30));
}

// Temperature factors of C4 leaves (E9).
template <class T>
struct TemperatureC4 {
  T q10, vcmax;
};

template <class T>
GPPCORE_INLINE TemperatureC4<T> temperature_c4(const T& tair) {
  namespace k = constants;
  static_assert(k::c4_q10 == 2.0 && k::c4_hot_slope == 0.3 && k::c4_cold_slope == 0.2);
  static_assert(k::c4_reference == 25.0 && k::c4_hot == 40.0 && k::c4_cold == 15.0);
  const T t = 0.1 * (tair - constants::c4_reference), e = exp_normal(t), e2 = e * e;
  TemperatureC4<T> f;
  f.q10 = exp_normal(0.69314718055994531 * t);
  // (1 + exp(0.3 (T - 40))) (1 + exp(0.2 (15 - T))), times e^2.
  const T limits = (1.0 + constant_exp(-4.5) * (e * e2)) * (e2 + constant_exp(-2.0));
  f.vcmax = f.q10 * e2 * reciprocal(limits);
  return f;
}

template <class X, int N, class T>
GPPCORE_INLINE void set_biochemistry_c4(const TemperatureC4<T>& t, const Classes<X, N>& vcmax25,
                                        const Classes<X, N>& ppfd, Biochemistry<X, N>& b) {
  namespace k = constants;
  b.rd = k::c4_rd_to_vcmax * vcmax25 * t.q10;
  b.m = smaller_root(k::c4_theta, vcmax25 * t.vcmax, k::c4_quantum_yield * ppfd);
  b.cap = b.m - b.rd;
  b.pep = k::c4_pep_slope * vcmax25 * t.q10;
}

// F = f0 + 2 h1 A - m2 A^2 + f3 A^3 of one branch.
template <class X, int N>
struct Cubic {
  Classes<X, N> f0, h1, m2, f3;
};

template <class X, int N, class F>
GPPCORE_INLINE Cubic<X, N> cubic_c3(const Biochemistry<X, N>& b, const Classes<X, N>& c, const Supply<X, N, F>& s) {
  const Classes<X, N> d = c - s.r * s.b0, f = b.cross_d * d + b.cross_one, zero = splat<Classes<X, N>>(0.0);
  const Classes<X, N> u = where_less(f, zero, b.high.u, b.low.u), v = where_less(f, zero, b.high.v, b.low.v);
  const Classes<X, N> y = where_less(f, zero, b.high.y, b.low.y), z = where_less(f, zero, b.high.z, b.low.z);
  return {(2.0 * s.b0 * s.ca) * u, d * u - v, d * y - z, d * s.r - s.r};
}

template <class X, int N, class F>
GPPCORE_INLINE Cubic<X, N> cubic_c4(const Biochemistry<X, N>& b, const Classes<X, N>& c, const Supply<X, N, F>& s) {
  constexpr double beta = constants::c4_beta;
  const X n0 = s.b0 * s.ca, s0 = s.ca * n0;
  const Classes<X, N> d = c - s.r * s.b0, n1 = d - 1.0, s1 = n1 * s.ca - s.r * n0, rn1 = s.r * n1;
  const Classes<X, N> mb = b.m - beta * b.rd, e0 = b.rd * mb, e1 = mb - beta * b.rd;
  Cubic<X, N> f;
  f.f0 = b.pep * s0 * b.cap - e0 * n0;
  f.h1 = 0.5 * (b.pep * (s1 * b.cap - s0) - (e1 * n0 + d * e0));
  f.m2 = b.pep * (rn1 * b.cap + s1) + (d * e1 - beta * n0);
  f.f3 = b.pep * rn1 + beta * d;
  return f;
}

// One step to the smallest positive root: A^3 is expanded to second order about the iterate `a`, and the wanted root
// of the resulting quadratic is taken in the form that does not cancel.
template <class V, int N>
GPPCORE_INLINE Classes<V, N> quadratic_root(const Classes<V, N>& p0, const Classes<V, N>& h1, const Classes<V, N>& m2,
                                            const Classes<V, N>& limit) {
  const Classes<V, N> zero = splat<Classes<V, N>>(0.0),
                      n = rough_sqrt(maximum(h1 * h1 + m2 * p0, zero)) + magnitude(h1);
  const Classes<V, N> root = where_less(h1, zero, p0, n) * rough_reciprocal(where_less(h1, zero, n, m2));
  return minimum(maximum(root, zero), limit);
}
template <class V, int N>
GPPCORE_INLINE Classes<V, N> quadratic_step(const Cubic<V, N>& f, const Classes<V, N>& a, const Classes<V, N>& limit) {
  const Classes<V, N> t = f.f3 * a, ta = t * a;
  return quadratic_root(f.f0 + ta * a, f.h1 - 1.5 * ta, f.m2 - 3.0 * t, limit);
}
template <class V, int N>
GPPCORE_INLINE Classes<V, N> newton_step(const Cubic<V, N>& f, const Classes<V, N>& a, const Classes<V, N>& limit) {
  const Classes<V, N> t = f.f3 * a, u = f.m2 - t, h = f.h1 + f.h1;
  const Classes<V, N> slope = h - a * (u + u - t);
  return minimum(at_least(a - (f.f0 + a * (h - a * u)) * rough_reciprocal(slope), 0.0), limit);
}

// The root with its derivatives, by the implicit function theorem.
template <class E, int N>
GPPCORE_INLINE Classes<Lanes<E>, N> with_derivatives(const Cubic<Lanes<E>, N>&, const Classes<Lanes<E>, N>& a,
                                                     const Classes<Lanes<E>, N>&) {
  return a;
}
template <class V, int K, int N>
GPPCORE_INLINE Classes<Dual<V, K>, N> with_derivatives(const Cubic<Dual<V, K>, N>& f, const Classes<V, N>& a,
                                                       const Classes<Dual<V, K>, N>& limit) {
  const Classes<V, N> h1 = value(f.h1), m2 = value(f.m2), t = value(f.f3) * a;
  const Classes<V, N> inverse = reciprocal(at_most(2.0 * (h1 - m2 * a) + 3.0 * (t * a), -1e-20));
  Classes<Dual<V, K>, N> r;
  for (int i = 0; i < N; ++i) {
    const V x = a.c[i], scale = -1.0 * inverse.c[i], most = limit.c[i].v;
    r.c[i].v = x;
    for (int k = 0; k < K; ++k) {
      const V by = scale * (f.f0.c[i].d[k] + x * (2.0 * f.h1.c[i].d[k] + x * (x * f.f3.c[i].d[k] - f.m2.c[i].d[k])));
      r.c[i].d[k] = where_less(x, most, by, limit.c[i].d[k]);
    }
  }
  return r;
}

// Net assimilation, at least 0, from what is known of it, in further steps.
template <class X, class V, int N>
GPPCORE_INLINE Classes<X, N> solve(const Cubic<X, N>& f, const Classes<X, N>& cap, Classes<V, N> a, int steps) {
  using XN = Classes<X, N>;
  const Cubic<V, N> g{value(f.f0), value(f.h1), value(f.m2), value(f.f3)};
  const XN zero = splat<XN>(0.0), limit = maximum(where_less(zero, f.f0, cap, zero), zero);
  for (int i = 0; i < steps; ++i) a = quadratic_step(g, a, value(limit));
  a = newton_step(g, a, value(limit));
  return with_derivatives(f, a, limit);
}
// The same from nothing.
template <class X, int N>
GPPCORE_INLINE Classes<X, N> solve(const Cubic<X, N>& f, const Classes<X, N>& cap, int steps) {
  const auto cold = quadratic_root(value(f.f0), value(f.h1), value(f.m2), value(at_least(cap, 0.0)));
  return solve(f, cap, cold, steps - 1);
}

// What light and Rubisco allow before respiration at the CO2 of the air.
template <class X, int N, class F>
GPPCORE_INLINE Classes<X, N> ceiling_c3(const Biochemistry<X, N>& b, const Supply<X, N, F>& s) {
  const auto rate = [&](const Branch<X, N>& t) {
    return 2.0 * t.u * reciprocal(t.y - t.z + (s.ca + s.r * (s.b0 * s.ca)));
  };
  return at_least(b.rd + minimum(rate(b.low), rate(b.high)), 0.0);
}
template <class X, int N, class F>
GPPCORE_INLINE Classes<X, N> ceiling_c4(const Biochemistry<X, N>& b, const Supply<X, N, F>& s) {
  return smaller_root(constants::c4_beta, b.m, b.pep * s.ca);
}

}  // namespace gppcore::GPPCORE_ISA
