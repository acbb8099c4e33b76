// Photosynthesis and stomata of N leaf classes: biochemistry (E6-E10) and the coupled solve (E12).
//
// Supply and demand meet in a cubic. With A net assimilation, r the boundary-layer resistance, c the
// Ball-Berry slope and b0 the residual conductance, all for CO2:
//   Cs = Ca - r A,  Ci = Cs N / D,  N = (c - 1) A + b0 Cs,  D = c A + b0 Cs.
// C3, one rate  A + Rd = a (Ci - G) / (Ci + B):   Cs N (a - Rd - A) - (B A + B Rd + a G) D = 0.
// C4, rate M co-limited with PEP carboxylase s Ci: s Cs N (M - Ag) - D Ag (M - beta Ag) = 0, Ag = A + Rd.
// Both are positive at A = 0 if and only if A > 0, and have the wanted root as their smallest positive one.
#pragma once
#include "constants.hpp"
#include "dual-inl.hpp"

namespace gppcore::GPPCORE_ISA {

// What does not change while a leaf's temperature and light do not.
template <class X, int N>
struct Biochemistry {
  Classes<X, N> rd, cap;                 // respiration; largest net assimilation
  Classes<X, N> a1, b1, q1, a2, b2, q2;  // C3: the branch that saturates lower (1) and the other (2)
  Classes<X, N> cross, w1, w2;           // C3: where the two branches cross, encoded for choose_branch
  Classes<X, N> m, pep;                  // C4: M and s
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
  const T t1 = exp((500.0 * per_ref) * (tair + (k::zero_celsius - k::reference_temperature)) * inverse_tk);
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

template <class X, int N, class T>
GPPCORE_INLINE void set_biochemistry_c3(const RatesC3<X, N, T>& t, const Classes<X, N>& r, const X& ca,
                                        Biochemistry<X, N>& b) {
  using XN = Classes<X, N>;
  const XN vcmax = t.vcmax, j4 = t.j4;
  b.rd = t.rd;
  b.cap = constants::sink_limit * vcmax - b.rd;
  const XN zero = splat<XN>(0.0), one = splat<XN>(1.0);
  const T gamma2 = t.gamma + t.gamma;
  const XN km = zero + t.km, g2 = zero + gamma2;
  const XN a1 = minimum(vcmax, j4), a2 = maximum(j4, vcmax);
  b.b1 = where_less(vcmax, j4, km, g2);
  b.b2 = where_less(vcmax, j4, g2, km);
  b.q1 = b.b1 * b.rd + a1 * t.gamma;
  b.q2 = b.b2 * b.rd + a2 * t.gamma;
  b.a1 = a1 - b.rd;
  b.a2 = a2 - b.rd;
  // The branches cross at A* + Rd = [j4 (K + G) - 3 G V] / (K - 2 G), if they do at a positive rate.
  const T k2g = t.km - gamma2, size = at_least(maximum(k2g, -1.0 * k2g), 1e-6);
  const XN numerator = j4 * (t.km + t.gamma) - vcmax * (gamma2 + t.gamma);
  const XN crossing = where_less(zero, numerator * (vcmax - j4), numerator * reciprocal(size) - b.rd, zero - one);
  // Branch 2 holds below the crossing: the sign of branch 1's cubic there tells which. Where there is no crossing,
  // or it lies where Cs < 0, the weights decide alone.
  const XN beyond = crossing * r, ca_n = every<N>(ca);
  const XN inside = where_less(beyond, ca_n, crossing, zero);
  b.cross = where_less(zero, crossing, inside, zero);
  b.w1 = where_less(zero, crossing, where_less(beyond, ca_n, b.a1 - inside, zero), one);
  b.w2 = where_less(zero, crossing, where_less(beyond, ca_n, b.b1 * inside + b.q1, one), zero);
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
  static_assert(constants::c4_q10 == 2.0);
  const T t = 0.1 * (tair - 25.0), e = exp(t), e2 = e * e;
  TemperatureC4<T> f;
  f.q10 = exp(0.69314718055994531 * t);
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

// Coefficients f0 + f1 A + f2 A^2 + f3 A^3 of the cubic of one branch.
template <class X, int N>
struct Cubic {
  Classes<X, N> f0, f1, f2, f3;
};

// Conditions of stomata: Ball-Berry slope c and residual conductance b0, boundary layer r, and CO2 of the air.
template <class X, int N>
struct Supply {
  Classes<X, N> c, r;
  X b0, ca;
};

template <class X, int N>
GPPCORE_INLINE Cubic<X, N> cubic_c3(const Biochemistry<X, N>& b, const Supply<X, N>& s) {
  const X n0 = s.b0 * s.ca, s0 = s.ca * n0;
  const Classes<X, N> d1 = s.c - s.r * s.b0, n1 = d1 - 1.0, s1 = n1 * s.ca - s.r * n0, f3 = s.r * n1;
  const Classes<X, N> lhs = (s0 + b.cross * (s1 - b.cross * f3)) * b.w1, rhs = (n0 + d1 * b.cross) * b.w2;
  const Classes<X, N> rate = where_less(lhs, rhs, b.a2, b.a1), k = where_less(lhs, rhs, b.b2, b.b1),
                      q = where_less(lhs, rhs, b.q2, b.q1);
  return {rate * s0 - q * n0, s1 * rate - s0 - q * d1 - k * n0, 0.0 - f3 * rate - s1 - k * d1, f3};
}

template <class X, int N>
GPPCORE_INLINE Cubic<X, N> cubic_c4(const Biochemistry<X, N>& b, const Supply<X, N>& s) {
  constexpr double beta = constants::c4_beta;
  const X n0 = s.b0 * s.ca, s0 = s.ca * n0;
  const Classes<X, N> d1 = s.c - s.r * s.b0, n1 = d1 - 1.0, s1 = n1 * s.ca - s.r * n0, rn1 = s.r * n1;
  const Classes<X, N> mb = b.m - beta * b.rd, e0 = b.rd * mb, e1 = mb - beta * b.rd;
  Cubic<X, N> f;
  f.f0 = b.pep * s0 * b.cap - e0 * n0;
  f.f1 = b.pep * (s1 * b.cap - s0) - (e1 * n0 + d1 * e0);
  f.f2 = b.pep * (0.0 - rn1 * b.cap - s1) - (d1 * e1 - beta * n0);
  f.f3 = b.pep * rn1 + beta * d1;
  return f;
}

// One step to the smallest positive root: A^3 is expanded to second order about the iterate `a`, and the wanted root
// of the resulting quadratic is taken in the form that does not cancel. A rough square root does, since Newton steps
// follow. Bounds on iterate and divisors keep classes without a root from spoiling the shared division.
template <class V, int N>
GPPCORE_INLINE Classes<V, N> quadratic_step(const Cubic<V, N>& f, const Classes<V, N>& a, const Classes<V, N>& cap) {
  const Classes<V, N> zero = splat<Classes<V, N>>(0.0);
  const Classes<V, N> t = f.f3 * a, t3 = 3.0 * t;
  const Classes<V, N> p0 = f.f0 + t * a * a, p1 = f.f1 - t3 * a, p2 = f.f2 + t3;
  const Classes<V, N> root = rough_sqrt(at_least(p1 * p1 - 4.0 * p2 * p0, 0.0));
  const Classes<V, N> n = root + maximum(p1, zero - p1);
  const Classes<V, N> top = where_less(p1, zero, p0 + p0, n), bottom = where_less(p1, zero, n, -2.0 * p2);
  return minimum(at_least(top * reciprocal(at_least(bottom, 1e-20)), 0.0), cap);
}
template <class V, int N>
GPPCORE_INLINE Classes<V, N> newton_step(const Cubic<V, N>& f, const Classes<V, N>& a) {
  const Classes<V, N> t = f.f3 * a, u = f.f2 + t;
  const Classes<V, N> slope = at_most(f.f1 + a * (u + u + t), -1e-20);
  return a - (f.f0 + a * (f.f1 + a * u)) * reciprocal(slope);
}

// The root with its derivatives, by the theorem of implicit functions.
template <class E, int U, int N>
GPPCORE_INLINE Classes<Lanes<E, U>, N> with_derivatives(const Cubic<Lanes<E, U>, N>&,
                                                        const Classes<Lanes<E, U>, N>& a) {
  return a;
}
template <class V, int K, int N>
GPPCORE_INLINE Classes<Dual<V, K>, N> with_derivatives(const Cubic<Dual<V, K>, N>& f, const Classes<V, N>& a) {
  const Classes<V, N> f1 = value(f.f1), f3 = value(f.f3), t = f3 * a, u = value(f.f2) + t;
  const Classes<V, N> inverse = reciprocal(at_most(f1 + a * (u + u + t), -1e-20));
  Classes<Dual<V, K>, N> r;
  for (int i = 0; i < N; ++i) {
    const V x = a.c[i], scale = -1.0 * inverse.c[i];
    r.c[i].v = x;
    for (int k = 0; k < K; ++k)
      r.c[i].d[k] = scale * (f.f0.c[i].d[k] + x * (f.f1.c[i].d[k] + x * (f.f2.c[i].d[k] + x * f.f3.c[i].d[k])));
  }
  return r;
}

// Net assimilation, at least 0, from the expansion centre `a` (0: cold start).
template <class X, class V, int N>
GPPCORE_INLINE Classes<X, N> solve(const Cubic<X, N>& f, const Classes<X, N>& cap, Classes<V, N> a, int steps,
                                   int newton_steps) {
  using XN = Classes<X, N>;
  const Cubic<V, N> g{value(f.f0), value(f.f1), value(f.f2), value(f.f3)};
  const Classes<V, N> limit = value(cap);
#pragma GCC unroll 1
  for (int i = 0; i < steps; ++i) a = quadratic_step(g, a, limit);
  for (int i = 0; i < newton_steps; ++i) a = newton_step(g, a);
  const XN zero = splat<XN>(0.0);
  return at_least(where_less(zero, f.f0, minimum(with_derivatives(f, a), cap), zero), 0.0);
}

// What light and Rubisco allow before respiration at the CO2 of the air.
template <class X, int N>
GPPCORE_INLINE Classes<X, N> ceiling_c3(const Biochemistry<X, N>& b, const X& ca) {
  const Classes<X, N> v1 = b.a1 + b.rd, v2 = b.a2 + b.rd, t1 = v1 * ca - (b.q1 - b.b1 * b.rd),
                      t2 = v2 * ca - (b.q2 - b.b2 * b.rd);
  return at_least(minimum(t1 * reciprocal(b.b1 + ca), t2 * reciprocal(b.b2 + ca)), 0.0);
}
template <class X, int N>
GPPCORE_INLINE Classes<X, N> ceiling_c4(const Biochemistry<X, N>& b, const X& ca) {
  return smaller_root(constants::c4_beta, b.m, b.pep * ca);
}

}  // namespace gppcore::GPPCORE_ISA
