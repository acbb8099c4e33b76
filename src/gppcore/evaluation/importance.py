"""Drivers of a prediction: permutation importance, partial dependence and monotonicity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from gppcore.errors import RangeError, ShapeError
from gppcore.evaluation.bootstrap import cluster_draws, cluster_sums, interval
from gppcore.evaluation.metrics import ROUNDING, Float
from gppcore.statistics import labels, series

Predict = Callable[[Float], Float]
"""Takes predictors, shape (rows, predictors); returns GPP [g C m-2 d-1], shape (rows,)."""

_REPEATS = 3
_ROUNDING = 1e-6  # g C m-2 d-1: sums of trees in float32 differ by less


def permutation_importance(
    predict: Predict, x: Float, names: Sequence[str], observed: ArrayLike, cluster: ArrayLike, *, seed: int = 0
) -> dict[str, list[float]]:
    """Return the loss of r2 when a predictor is permuted over rows, with a 90 % interval over clusters.

    Parameters
    ----------
    predict : callable
        A model; rows should be such that it was not fitted to.
    x : ndarray, shape (n, predictors)
        Predictors, NaN where missing.
    names : sequence of str
        Of the predictors, one per column.
    observed : array_like, shape (n,)
        GPP [g C m-2 d-1].
    cluster : array_like, shape (n,)
        Cluster of towers of each row.
    seed : int
        Of the permutations and of the draws of clusters.

    Returns
    -------
    dict of str to list of float
        [loss, low, high] by predictor: (squared error permuted - unpermuted) / sum of squares about the mean, the mean
        of 3 permutations over all rows, and the 5th and 95th percentile over cluster-bootstrap draws.

    Raises
    ------
    ShapeError
        If lengths differ.
    RangeError
        If `observed` or a prediction is not finite.
    """
    _check(x, names)
    o, base = series("permutation_importance", observed, predict(x))
    _, index, count = labels("cluster", cluster, len(o))
    rng = np.random.default_rng(seed)
    columns = [np.ones(len(o)), o - o.mean(), (o - o.mean()) ** 2]
    for i in range(len(names)):
        changed, worse = x.copy(), np.zeros(len(o))
        for _ in range(_REPEATS):
            changed[:, i] = x[rng.permutation(len(o)), i]
            worse += ((predict(changed) - o) ** 2 - (base - o) ** 2) / _REPEATS
        columns.append(worse)
    sums = cluster_sums(index, tuple(columns))
    value, drawn = _losses(sums.sum(axis=0, keepdims=True)), _losses(cluster_draws(len(count), seed) @ sums)
    return {name: [float(value[0, i]), *interval(drawn[:, i])] for i, name in enumerate(names)}


def partial_dependence(
    predict: Predict, x: Float, names: Sequence[str], at: Mapping[str, Sequence[float]]
) -> dict[str, dict[str, list[float]]]:
    """Return mean GPP over rows when a predictor has one value in all of them, the others unchanged.

    Parameters
    ----------
    predict, x, names
        As of :func:`permutation_importance`.
    at : mapping of str to sequence of float
        Values by predictor, in the predictor's unit.

    Returns
    -------
    dict of str to dict
        ``{"x": values, "gpp_daily": mean GPP [g C m-2 d-1]}`` by predictor.

    Raises
    ------
    ShapeError
        If there is not one name for each column.
    RangeError
        If a predictor of `at` is unknown.
    """
    _check(x, names)
    result = {}
    for name, values in at.items():
        changed, i = x.copy(), _column(names, name)
        means = []
        for value in values:
            changed[:, i] = value
            means.append(float(np.mean(predict(changed))))
        result[name] = {"x": [float(value) for value in values], "gpp_daily": means}
    return result


def monotone_share(predict: Predict, x: Float, names: Sequence[str], name: str) -> float:
    """Return the share of rows where GPP does not fall when a driver is raised by its standard deviation.

    Raised values end at the largest in `x`; rows that cannot be raised, or where the driver is missing, do not count.

    Parameters
    ----------
    predict, x, names
        As of :func:`permutation_importance`.
    name : str
        The driver.

    Returns
    -------
    float
        Between 0 and 1; NaN if no row can be raised.

    Raises
    ------
    ShapeError
        If there is not one name for each column.
    RangeError
        If the driver is unknown.
    """
    _check(x, names)
    i = _column(names, name)
    driver = x[:, i]
    if not np.isfinite(driver).any():
        return float("nan")
    top = np.nanmax(driver)
    can = driver < top
    if not can.any():
        return float("nan")
    raised = x.copy()
    raised[:, i] = np.minimum(driver + np.nanstd(driver), top)
    return float(np.mean((predict(raised) >= predict(x) - _ROUNDING)[can]))


def _check(x: Float, names: Sequence[str]) -> None:
    if x.ndim != 2 or x.shape[1] != len(names):
        raise ShapeError(f"x: expected one column for each of {len(names)} names, got shape {x.shape}")


def _column(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise RangeError(f"predictor: expected one of {list(names)}, got {name!r}")
    return list(names).index(name)


def _losses(sums: Float) -> Float:
    n, o, oo, worse = sums[:, :1], sums[:, 1:2], sums[:, 2:3], sums[:, 3:]
    total = oo - o**2 / n
    return np.asarray(worse / np.where(total > ROUNDING * oo, total, np.nan))
