"""Confidence intervals of differences between methods, by bootstrap over clusters of towers.

Errors are correlated within a tower and between neighbouring towers, so clusters are the sampling unit and are
resampled with replacement, each with all its rows. Every statistic is a function of sums over rows, so a draw only
adds the sums of its clusters.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import RangeError
from gppcore.evaluation.metrics import ROUNDING, Float
from gppcore.statistics import labels, series

FIRST = "transfer"
"""The method that all others are compared with."""
DRAWS = 1000
TAILS = (0.05, 0.95)
"""Quantiles between which 90 % of the draws lie."""


def differences(
    observed: ArrayLike, predicted: Mapping[str, ArrayLike], cluster: ArrayLike, *, seed: int = 0
) -> dict[str, dict[str, list[float]]]:
    """Return how much `transfer` differs from every other method, with 90 % cluster-bootstrap intervals.

    Parameters
    ----------
    observed : array_like, shape (n,)
        GPP [g C m-2 d-1].
    predicted : mapping of str to array_like, shape (n,)
        GPP by method [g C m-2 d-1], `transfer` among them.
    cluster : array_like, shape (n,)
        Cluster of towers of each row.
    seed : int
        Of the 1000 draws, which are the same for all methods and both metrics.

    Returns
    -------
    dict of str to dict of str to list of float
        ``{"transfer - direct": {"r2": [value, low, high], "rmse": [value, low, high]}}``: the difference over all
        rows and the 5th and 95th percentile over draws. Bounds are NaN where there is one cluster only.

    Raises
    ------
    ShapeError
        If the arrays differ in length.
    RangeError
        If a value is not finite, or `transfer` is missing.
    """
    if FIRST not in predicted:
        raise RangeError(f"differences: expected the method {FIRST!r}, got {list(predicted)}")
    o, *p = series("differences", observed, *predicted.values())
    _, index, count = labels("cluster", cluster, len(o))
    o_centred = o - o.mean()  # keeps the sum of squares about a draw's own mean exact
    columns = (np.ones(len(o)), o_centred, o_centred**2, *((one - o) ** 2 for one in p))
    sums = cluster_sums(index, columns)
    value = _figures(sums.sum(axis=0, keepdims=True))
    drawn = _figures(cluster_draws(len(count), seed) @ sums)
    names = list(predicted)
    first = names.index(FIRST)
    result: dict[str, dict[str, list[float]]] = {}
    for i, name in enumerate(names):
        if i != first:
            result[f"{FIRST} - {name}"] = {
                metric: [float(value[metric][0, first] - value[metric][0, i]), *interval(v[:, first] - v[:, i])]
                for metric, v in drawn.items()
            }
    return result


def cluster_sums(index: NDArray[np.intp], columns: tuple[Float, ...]) -> Float:
    """Return the sum of every column (n,) over every cluster, shape (clusters, columns)."""
    return np.stack([np.bincount(index, column) for column in columns], axis=1)


def cluster_draws(clusters: int, seed: int) -> Float:
    """Return how often each cluster occurs in each draw, shape (DRAWS, clusters); NaN of one cluster."""
    if clusters < 2:  # the spread over clusters is undefined for a single one
        return np.full((DRAWS, clusters), np.nan)
    even = np.full(clusters, 1.0 / clusters)
    return np.random.default_rng(seed).multinomial(clusters, even, size=DRAWS).astype(np.float64)


def interval(drawn: Float) -> list[float]:
    """Return the 5th and 95th percentile of the draws that have a value; NaN if none has."""
    known = drawn[np.isfinite(drawn)]
    return np.quantile(known, TAILS).tolist() if known.size else [np.nan, np.nan]


def _figures(sums: Float) -> dict[str, Float]:
    """Return r2 and rmse of every method, shape (draws, methods), from rows of sums."""
    n, o, oo, squares = sums[:, :1], sums[:, 1:2], sums[:, 2:3], sums[:, 3:]
    total = oo - o**2 / n
    total = np.where(total > ROUNDING * oo, total, np.nan)
    return {"r2": 1.0 - squares / total, "rmse": np.sqrt(squares / n)}
