"""Statistics that calibration, learning and evaluation share: clusters of towers, folds and conformal intervals.

References
----------
.. [1] Kish, L. (1965) Survey Sampling (design effect of clusters).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.arrays import floats
from gppcore.errors import RangeError, ShapeError

Float = NDArray[np.float64]

CORRELATION = 0.3
"""Correlation of the residuals within a cluster of towers, rounded from that of 109 real towers."""
FOLDS = 4
"""Number of folds of clusters in cross-fitting and weighting."""
LEVEL = 0.9
"""Nominal coverage of prediction intervals."""
NORMAL_90 = 1.6448536269514722
"""Half width of the 90 % interval of a normal variable, in standard deviations."""


def independent_rows(cluster: NDArray[Any], correlation: float) -> Float:
    """Return the weight of every row: n months of a cluster count as n / (1 + (n - 1) correlation) [1]_."""
    _, of_row, months = np.unique(cluster, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / (1.0 + (months[of_row] - 1.0) * correlation))


def assign_folds(group: NDArray[Any], folds: int) -> NDArray[np.int64]:
    """Assign groups to folds, largest group first, each to the fold that is smallest so far.

    Of fewer groups than folds, each is a fold of its own, and the last folds stay empty.
    """
    names, size = np.unique(group, return_counts=True)
    load, of = np.zeros(folds, dtype=np.int64), {}
    for i in np.argsort(-size, kind="stable"):
        of[names[i]] = int(load.argmin())
        load[of[names[i]]] += size[i]
    return np.array([of[name] for name in group])


def conformal_factor(residual: ArrayLike, scale: ArrayLike, groups: ArrayLike, *, level: float = LEVEL) -> float:
    """Return the factor q for which ``predicted +- q scale`` covers the share `level` of rows of unseen clusters.

    It is the quantile of absolute residual over scale of all rows, at ``1 - (1 - level) (1 - 1 / clusters)``: errors
    within a cluster are correlated, so that a sample of few clusters underestimates the tails. The correction of
    independent rows, ``level (n + 1) / n`` with n the clusters, is far too wide for clusters of many rows; equal
    weights of clusters are too wide or too narrow where large clusters have smaller or larger errors than small ones.

    Parameters
    ----------
    residual : array_like, shape (n,)
        Observed minus predicted of rows that the model was not fitted to [g C m-2 d-1].
    scale : array_like, shape (n,)
        Scale of the uncertainty of each row, above 0 [g C m-2 d-1].
    groups : array_like, shape (n,)
        Cluster of towers of each row.
    level : float
        Nominal coverage, between 0 and 1.

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


def series(what: str, *values: ArrayLike) -> tuple[Float, ...]:
    """Return arrays as finite float64 series of one length of at least 2.

    Raises
    ------
    ShapeError
        If an array is not one-dimensional, or they differ in length or hold fewer than two values.
    RangeError
        If a value is not finite.
    """
    arrays = tuple(floats(what, value).astype(np.float64, copy=False) for value in values)
    if any(a.ndim != 1 or a.shape != arrays[0].shape or a.size < 2 for a in arrays):
        got = ", ".join(str(a.shape) for a in arrays)
        raise ShapeError(f"{what}: expected series of one length of at least 2, got {got}")
    if bad := sum(int((~np.isfinite(a)).sum()) for a in arrays):
        raise RangeError(f"{what}: expected finite values, got {bad} that are not")
    return arrays


def labels(what: str, label: ArrayLike, n: int) -> tuple[list[str], NDArray[np.intp], NDArray[np.intp]]:
    """Return the names of groups, the group of each row by number and the rows of each group.

    Raises
    ------
    ShapeError
        If there is not one label for each of `n` rows.
    """
    column = np.asarray(label)
    if column.shape != (n,):
        raise ShapeError(f"{what}: expected one label for each of {n} rows, got shape {column.shape}")
    names, index, count = np.unique(column, return_inverse=True, return_counts=True)
    return [str(name) for name in names], index, count
