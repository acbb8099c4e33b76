"""Coverage of prediction intervals that were calibrated at held-out towers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from gppcore.statistics import LEVEL, labels, series


def reliability(
    observed: ArrayLike, predicted: ArrayLike, half_width: ArrayLike, relative: Mapping[float, ArrayLike]
) -> list[list[float]]:
    """Return the observed share of rows inside intervals of every nominal share, in ascending order.

    Parameters
    ----------
    observed, predicted, half_width : array_like, shape (n,)
        Of rows that neither the model nor its intervals were fitted to [g C m-2 d-1]; no interval reaches below 0.
    relative : mapping of float to float or array_like, shape (n,)
        Nominal share and half width relative to `half_width`, one for all rows or one for each (of its fold).

    Returns
    -------
    list of [nominal, observed]

    Raises
    ------
    ShapeError, RangeError
        If the arrays differ in length, or a value is not finite.
    """
    o, p, half = series("reliability", observed, predicted, half_width)
    shares = []
    for level in sorted(relative):
        _, factor = series("reliability", o, np.broadcast_to(np.asarray(relative[level], np.float64), o.shape))
        inside = (np.maximum(p - factor * half, 0.0) <= o) & (o <= p + factor * half)
        shares.append([level, float(inside.mean())])
    return shares


def coverage(observed: ArrayLike, low: ArrayLike, high: ArrayLike, pft: ArrayLike) -> dict[str, object]:
    """Return the share of observations within 90 % intervals, over all rows and by plant functional type.

    Parameters
    ----------
    observed, low, high : array_like, shape (n,)
        GPP and its bounds [g C m-2 d-1].
    pft : array_like, shape (n,)
        Plant functional type of each row.

    Returns
    -------
    dict
        ``{"nominal": 0.9, "coverage": share, "by_pft": {pft: [share, rows]}}``

    Raises
    ------
    ShapeError, RangeError
        If the arrays differ in length, or a value is not finite.
    """
    o, bottom, top = series("coverage", observed, low, high)
    inside = ((bottom <= o) & (o <= top)).astype(np.float64)
    names, index, count = labels("pft", pft, len(o))
    share = np.bincount(index, inside) / count
    return {
        "nominal": LEVEL,
        "coverage": float(inside.mean()),
        "by_pft": {name: [float(share[i]), int(count[i])] for i, name in enumerate(names)},
    }
