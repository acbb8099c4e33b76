// Photosynthesis and stomata of the leaf classes: biochemistry (E6-E10) and the coupled solve (E12).
//
// Supply and demand meet in a cubic. With A net assimilation, r the boundary-layer resistance, c the
// Ball-Berry slope and b0 the residual conductance, all for CO2:
//   Cs = Ca - r A,  Ci = Cs N / D,  N = (c - 1) A + b0 Cs,  D = c A + b0 Cs.
// C3, one rate  A + Rd = a (Ci - G) / (Ci + B):   Cs N (a - Rd - A) - (B A + B Rd + a G) D = 0.
// C4, rate M co-limited with PEP carboxylase s Ci: s Cs N (M - Ag) - D Ag (M - beta Ag) = 0, Ag = A + Rd.
// Both are positive at A = 0 if and only if A > 0, and have the wanted root as their smallest positive one.
#include "constants.hpp"
#include "math-inl.hpp"

namespace gppcore::GPPCORE_ISA {

// Coefficients f0 + f1 A + f2 A^2 + f3 A^3 of the cubic of one branch.
template <int N>
struct Cubic {
  Classes<N> f0, f1, f2, f3;
};

// What does not change between the passes of the energy balance.
template <int N>
struct Biochemistry {
  Classes<N> rd, cap;                 // respiration; largest net assimilation
  Classes<N> r;                       // boundary layer, m2 s mol-1
  Classes<N> a1, b1, q1, a2, b2, q2;  // C3: the branch that saturates lower (1) and the other (2)
  Classes<N> cross, w1, w2;           // C3: where the two branches cross, encoded for choose_branch
  Classes<N> m, pep;                  // C4: M and s
};

template <int N>
GPPCORE_INLINE Biochemistry<N> biochemistry_c3(V inverse_tk, Classes<N> vcmax25, Classes<N> ppfd, Classes<N> r, V ca) {
  namespace k = constants;
  // E6, E7. All energies are multiples of 500 J mol-1: one exponential and a chain of products give them all.
  static_assert(k::ko_energy == 29 * 500.0 && k::tau_energy == -58 * 500.0 && k::kc_energy == 161 * 500.0);
  static_assert(k::rd_energy == 76 * 500.0 && k::peak_energy == 110 * 500.0 && k::peak_deactivation == 400 * 500.0);
  constexpr double inverse_ref = 1.0 / (k::reference_temperature * k::gas_constant);
  constexpr double inverse_peak = 1.0 / (k::peak_temperature * k::gas_constant);
  const V t1 = exp(500.0 * (inverse_ref - (1.0 / k::gas_constant) * inverse_tk));
  const V t2 = t1 * t1, t4 = t2 * t2, t8 = t4 * t4, t16 = t8 * t8, t32 = t16 * t16, t64 = t32 * t32;
  const V t12 = t8 * t4;
  const V fo = t12 * t16 * t1, fr = t12 * t64, fk = t64 * t64 * t32 * t1;
  const V u1 = exp(5000.0 * (inverse_peak - (1.0 / k::gas_constant) * inverse_tk));
  const V u2 = u1 * u1, u4 = u2 * u2, u8 = u4 * u4, u16 = u8 * u8;
  const V activation = u8 * u2 * u1, deactivation = u16 * u16 * u8;
  const V peaked =
      k::peak_deactivation * activation / (k::peak_deactivation - k::peak_energy + k::peak_energy * deactivation);
  // E8.
  const V gamma = (500.0 * k::oxygen / k::tau25) * fo * fo;
  const V km = k::kc25 * fk * (1.0 + (k::oxygen / k::ko25) / fo);
  const Classes<N> vcmax = vcmax25 * peaked;
  const Classes<N> jmax = at_least(k::jmax_slope * vcmax25 + k::jmax_offset, 0.0) * peaked;
  const Classes<N> j4 = 0.25 * (jmax * ppfd / at_least(ppfd + k::jmax_saturation * jmax, 1e-20));
  const Classes<N> in_light = 1.0 - ((1.0 - k::rd_light_share) / k::rd_light_ppfd) * clamp(ppfd, 0.0, k::rd_light_ppfd);
  Biochemistry<N> b{};
  b.rd = k::rd_to_vcmax * vcmax25 * fr * in_light;
  b.cap = k::sink_limit * vcmax - b.rd;
  b.r = r;
  const Classes<N> zero = every<N>(V{}), one = every<N>(splat(1.0));
  const Classes<N> km_n = every<N>(km), g2 = every<N>(gamma + gamma);
  const Classes<N> a1 = where_less(vcmax, j4, vcmax, j4), a2 = where_less(vcmax, j4, j4, vcmax);
  b.b1 = where_less(vcmax, j4, km_n, g2);
  b.b2 = where_less(vcmax, j4, g2, km_n);
  b.q1 = b.b1 * b.rd + a1 * gamma;
  b.q2 = b.b2 * b.rd + a2 * gamma;
  b.a1 = a1 - b.rd;
  b.a2 = a2 - b.rd;
  // The branches cross at A* + Rd = [j4 (K + G) - 3 G V] / (K - 2 G), if they do at a positive rate.
  const V k2g = km - (gamma + gamma), size = maximum(maximum(k2g, -k2g), splat(1e-6));
  const Classes<N> numerator = j4 * (km + gamma) - vcmax * (3.0 * gamma);
  const Classes<N> crossing = where_less(zero, numerator * (vcmax - j4), numerator / size - b.rd, zero - one);
  // Branch 2 holds below the crossing: choose_branch compares the sign of branch 1's cubic there. Where there
  // is no crossing, or it lies where Cs < 0, the weights decide alone.
  const Classes<N> beyond = crossing * r, ca_n = every<N>(ca);
  const Classes<N> inside = where_less(beyond, ca_n, crossing, zero);
  b.cross = where_less(zero, crossing, inside, zero);
  b.w1 = where_less(zero, crossing, where_less(beyond, ca_n, b.a1 - inside, zero), one);
  b.w2 = where_less(zero, crossing, where_less(beyond, ca_n, b.b1 * inside + b.q1, one), zero);
  return b;
}

// Smooth minimum of a and b: smaller root of theta x^2 - (a + b) x + a b (E10).
template <int N>
GPPCORE_INLINE Classes<N> smaller_root(double theta, Classes<N> a, Classes<N> b) {
  const Classes<N> s = a + b, p = a * b;
  return 2.0 * p / at_least(s + sqrt(at_least(s * s - (4.0 * theta) * p, 0.0)), 1e-30);
}

template <int N>
GPPCORE_INLINE Biochemistry<N> biochemistry_c4(V tair, Classes<N> vcmax25, Classes<N> ppfd, Classes<N> r) {
  namespace k = constants;  // E9
  static_assert(k::c4_q10 == 2.0);
  const V q10 = exp((0.69314718055994531 / 10.0) * (tair - 25.0));
  const V limits = (1.0 + exp(0.3 * (tair - 40.0))) * (1.0 + exp(0.2 * (15.0 - tair)));
  Biochemistry<N> b{};
  b.rd = k::c4_rd_to_vcmax * vcmax25 * q10;
  b.m = smaller_root(k::c4_theta, vcmax25 * (q10 / limits), k::c4_quantum_yield * ppfd);
  b.cap = b.m - b.rd;
  b.pep = k::c4_pep_slope * vcmax25 * q10;
  b.r = r;
  return b;
}

// One step to the smallest positive root: A^3 is expanded to second order about the iterate `a`, and the
// wanted root of the resulting quadratic is taken in the form that does not cancel.
template <int N>
GPPCORE_INLINE Classes<N> quadratic_step(const Cubic<N>& f, Classes<N> a) {
  const Classes<N> zero = every<N>(V{});
  const Classes<N> t = f.f3 * a, t3 = 3.0 * t;
  const Classes<N> p0 = f.f0 + t * a * a, p1 = f.f1 - t3 * a, p2 = f.f2 + t3;
  const Classes<N> root = sqrt(at_least(p1 * p1 - 4.0 * p2 * p0, 0.0));
  const Classes<N> n = where_less(p1, zero, root - p1, root + p1);
  return where_less(p1, zero, 2.0 * p0, n) / where_less(p1, zero, n, -2.0 * p2);
}
template <int N>
GPPCORE_INLINE Classes<N> newton_step(const Cubic<N>& f, Classes<N> a) {
  const Classes<N> t = f.f3 * a, u = f.f2 + t;
  return a - (f.f0 + a * (f.f1 + a * u)) / (f.f1 + a * (u + u + t));
}

// Net assimilation of C3 leaves at Ball-Berry slope c, from the expansion centre `a` (0: cold start).
template <int N>
GPPCORE_INLINE Classes<N> solve_c3(const Biochemistry<N>& b, Classes<N> c, V b0, V ca, Classes<N> a, bool cold) {
  const V n0 = b0 * ca, s0 = ca * n0;
  const Classes<N> d1 = c - b.r * b0, n1 = d1 - 1.0, s1 = n1 * ca - b.r * n0, f3 = b.r * n1;
  const Classes<N> lhs = (s0 + b.cross * (s1 - b.cross * f3)) * b.w1, rhs = (n0 + d1 * b.cross) * b.w2;
  const Classes<N> rate = where_less(lhs, rhs, b.a2, b.a1), k = where_less(lhs, rhs, b.b2, b.b1),
                   q = where_less(lhs, rhs, b.q2, b.q1);
  Cubic<N> f;
  f.f0 = rate * s0 - q * n0;
  f.f1 = s1 * rate - s0 - q * d1 - k * n0;
  f.f2 = 0.0 - f3 * rate - s1 - k * d1;
  f.f3 = f3;
  a = quadratic_step(f, a);
  if (cold) a = quadratic_step(f, a);
  a = minimum(newton_step(f, a), b.cap);
  return at_least(where_less(every<N>(V{}), f.f0, a, every<N>(V{})), 0.0);
}

// Net assimilation of C4 leaves, likewise. The leading coefficient is not small here: more steps.
template <int N>
GPPCORE_INLINE Classes<N> solve_c4(const Biochemistry<N>& b, Classes<N> c, V b0, V ca, Classes<N> a, bool cold) {
  constexpr double beta = constants::c4_beta;
  const Classes<N> zero = every<N>(V{});
  const V n0 = b0 * ca, s0 = ca * n0;
  const Classes<N> d1 = c - b.r * b0, n1 = d1 - 1.0, s1 = n1 * ca - b.r * n0, rn1 = b.r * n1;
  const Classes<N> mb = b.m - beta * b.rd, e0 = b.rd * mb, e1 = mb - beta * b.rd;
  Cubic<N> f;
  f.f0 = b.pep * s0 * b.cap - e0 * n0;
  f.f1 = b.pep * (s1 * b.cap - s0) - (e1 * n0 + d1 * e0);
  f.f2 = b.pep * (0.0 - rn1 * b.cap - s1) - (d1 * e1 - beta * n0);
  f.f3 = b.pep * rn1 + beta * d1;
  for (int i = 0; i < (cold ? 5 : 3); ++i) a = quadratic_step(f, a);
  return at_least(where_less(zero, f.f0, minimum(a, b.cap), zero), 0.0);
}

}  // namespace gppcore::GPPCORE_ISA
