"""Prediction intervals calibrated on towers that a model has not seen, and how often they hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from gppcore.errors import RangeError
from gppcore.judging.metrics import labels, series

LEVEL = 0.9
"""Share of observations that an interval is to hold."""


def conformal_factor(residual: ArrayLike, scale: ArrayLike, groups: ArrayLike, *, level: float = LEVEL) -> float:
    """Return the factor q so that ``predicted +- q scale`` holds the share `level` of rows of clusters not seen.

    It is the quantile of absolute residual over scale of all rows, at ``1 - (1 - level) (1 - 1 / clusters)``: rows
    of a cluster err alike, so that a sample of few clusters falls short of the tails. The correction of independent
    rows, ``level (n + 1) / n`` with n the clusters, is far too wide for clusters of many rows; weighing clusters
    equally is too wide or too narrow where large clusters err less or more than small ones.

    Parameters
    ----------
    residual : array_like, shape (n,)
        Observed minus predicted of rows that the model was not fitted to [g C m-2 d-1].
    scale : array_like, shape (n,)
        How uncertain each row is held to be, above 0 [g C m-2 d-1].
    groups : array_like, shape (n,)
        Cluster of towers of each row.
    level : float
        Share to hold, between 0 and 1.

    Raises
    ------
    ShapeError
        If the arrays differ in length or hold fewer than two rows.
    RangeError
        If a value is not finite, a scale not above 0, or the level not between 0 and 1.
    """
    error, width = series("conformal_factor", residual, scale)
    if not (width > 0.0).all():
        raise RangeError(f"scale: expected values above 0, got {width.min():g}")
    if not 0.0 < level < 1.0:
        raise RangeError(f"level: expected a share between 0 and 1, got {level:g}")
    clusters = len(labels("groups", groups, len(error))[0])
    corrected = 1.0 - (1.0 - level) * (1.0 - 1.0 / clusters)
    return float(np.quantile(np.abs(error) / width, corrected, method="higher"))


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
