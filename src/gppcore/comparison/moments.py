"""Weighted moments of two fields, additive over cells, months and bands, and statistics derived from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gppcore.comparison.result import Agreement

Floats = NDArray[np.float64]

TERMS = 8
"""Count, then the sums of w, w x, w y, w x2, w y2, w x y and w (x - y)2; the first axis of an array of moments."""
_FLAT = 1e-12  # spread below rounding: the field is constant, and ratios to its spread are undefined


def moments(common: NDArray[np.bool_], w: Floats, x: Floats, y: Floats, out: Floats) -> Floats:
    """Write the terms of single cells into `out` (TERMS, ...); `w`, `x` and `y` are 0 where not `common`."""
    out[0], out[1] = common, w
    for term, first, second in ((2, 1, x), (3, 1, y), (4, 2, x), (5, 3, y), (6, 2, y)):
        np.multiply(out[first], second, out=out[term])
    np.square(np.subtract(x, y, out=out[7]), out=out[7])
    out[7] *= w
    return out


def means(sums: Floats) -> tuple[Floats, Floats]:
    """Return the means of x and y, NaN without data."""
    with np.errstate(invalid="ignore"):
        return sums[2] / sums[1], sums[3] / sums[1]


def rmse(sums: Floats) -> Floats:
    """Return the root mean square of x - y, NaN without data."""
    with np.errstate(invalid="ignore"):
        root: Floats = np.sqrt(sums[7] / sums[1])
    return root


def correlation(sums: Floats) -> Floats:
    """Return Pearson's correlation, NaN where x or y is constant or without data."""
    with np.errstate(invalid="ignore", divide="ignore"):
        x_spread, y_spread = _spread(sums, 2, 4), _spread(sums, 3, 5)
        r = (sums[6] - sums[2] * sums[3] / sums[1]) / np.sqrt(x_spread * y_spread)
        varied: Floats = np.where((x_spread > _FLAT * sums[4]) & (y_spread > _FLAT * sums[5]), r, np.nan)
    return varied


def agreement(sums: Floats, per_year: float) -> Agreement:
    """Return the agreement from the moments (TERMS,) of a region; totals are the sums times `per_year`."""
    n, w, x, y, _, yy, _, dd = sums
    if n == 0:
        return Agreement(0, 0.0, 0.0, *[float("nan")] * 7)
    x_spread, y_spread = float(_spread(sums, 2, 4)), float(_spread(sums, 3, 5))
    return Agreement(
        n=int(n),
        total=float(x * per_year),
        other_total=float(y * per_year),
        r2=float(1 - dd / y_spread) if y_spread > _FLAT * yy else float("nan"),
        correlation=float(correlation(sums)),
        rmse=float(rmse(sums)),
        bias=float((x - y) / w),
        ubrmse=float(np.sqrt(max(dd / w - ((x - y) / w) ** 2, 0.0))),
        deviation=float(np.sqrt(max(x_spread / w, 0.0))),
        other_deviation=float(np.sqrt(max(y_spread / w, 0.0))),
    )


def _spread(sums: Floats, first: int, second: int) -> Floats:
    """Sum of w (x - mean)2 from the sums of w x and w x2."""
    spread: Floats = sums[second] - sums[first] ** 2 / sums[1]
    return spread
