// Arc cosine and cosine for the cubic of compat mode.
#include "math-inl.hpp"

namespace gppcore::GPPCORE_ISA {

using D = Lanes<double>;  // compat mode computes in double alone

// acos(z) for |z| <= 1, error at most 2 ULP: near 0 by asin(z), near +-1 by asin of half the angle, both by a
// polynomial fitted to (asin(s) - s) / s^3 on [0, 1/2].
GPPCORE_INLINE D acos(D z) {
  constexpr double kPi = 3.14159265358979323846;
  const D zero = splat<D>(0.0), half = splat<D>(0.5), size = maximum(z, 0.0 - z);
  const D w = where_less(size, half, size * size, 0.5 - 0.5 * size), s = where_less(size, half, size, sqrt(w));
  const D w2 = w * w, w4 = w2 * w2;
  const D a = (0.1666666666666665 + 0.07500000000020765 * w) + w2 * (0.044642857103423285 + 0.03038194736712183 * w);
  const D b = (0.02237204763098533 + 0.017355259970080698 * w) + w2 * (0.013929652734988997 + 0.011875495638521473 * w);
  const D c = (0.007802943430594688 + 0.01603553240900289 * w) + w2 * (0.02816924023884913 * w - 0.010749080801106328);
  const D asin = s + s * (w * (a + w4 * (b + w4 * c)));
  const D near = where_less(z, zero, 0.5 * kPi + asin, 0.5 * kPi - asin);
  return where_less(size, half, near, where_less(z, zero, kPi - 2.0 * asin, 2.0 * asin));
}

// Cosine and sine of an angle in [0, pi / 3], error at most 2 ULP.
struct CosSin {
  D cos, sin;
};
GPPCORE_INLINE CosSin cos_sin(D x) {
  const auto w = x * x, w2 = w * w, w4 = w2 * w2;
  const auto c = (0.04166666666666663 - 0.0013888888888862524 * w) +
                 w2 * (2.4801587273531487e-05 - 2.755730830238143e-07 * w) +
                 w4 * (2.087483430312428e-09 - 1.1314559074910456e-11 * w);
  const auto s = (0.008333333333333276 * w - 0.16666666666666666) +
                 w2 * (2.7557319177877434e-06 * w - 0.00019841269841185704) +
                 w4 * ((1.605743230130538e-10 * w - 2.5052096355360754e-08) - 7.540011725461573e-13 * w2);
  return {1.0 - (0.5 * w - w2 * c), x + x * (w * s)};
}

}  // namespace gppcore::GPPCORE_ISA
