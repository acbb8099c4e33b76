"""Weights of members, fitted to their predictions for held-out rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gppcore.statistics import CORRELATION, independent_rows

Float = NDArray[np.float64]

PROCESS_CLUSTERS = 20.0
"""Clusters of towers at which process model and members have equal prior weight."""
_WEIGHT_SD = 0.1  # of the weights around their prior means
_SUM_SD = 1e-4


def expected_weights(
    n_members: int, clusters: int, *, process: bool, unseen_places: bool, shares: Sequence[float] | None = None
) -> Float:
    """Return the prior weights: those of the members, then that of the process model.

    Parameters
    ----------
    n_members : int
        Number of members.
    clusters : int
        Clusters of towers in training; the more there are, the smaller the weight of the process model.
    process : bool
        Whether there is a process model.
    unseen_places : bool
        Whether places without a tower are to be predicted; else the process model is left out.
    shares : sequence of float, optional
        Weights of the members relative to each other; equal ones by default.
    """
    trusted = clusters / (clusters + PROCESS_CLUSTERS) if process and unseen_places else 1.0
    share = np.ones(n_members) if shares is None else np.asarray(shares)
    return np.append(trusted * share / share.sum(), 1.0 - trusted)


def stack(gpp_daily: Float, held_out: Float, cluster: NDArray[np.generic], expected: Float) -> Float:
    """Fit weights to held-out predictions, shrunk towards their prior; they are non-negative and sum to 1.

    Parameters
    ----------
    gpp_daily : ndarray, shape (rows,)
        Tower GPP [g m-2 d-1].
    held_out : ndarray, shape (rows, candidates)
        Predictions for rows that were held out of training.
    cluster : ndarray, shape (rows,)
        Clusters of towers, whose months are correlated.
    expected : ndarray, shape (candidates,)
        Prior weights; a candidate of weight 0 keeps it.

    Returns
    -------
    ndarray, shape (candidates,)
        Posterior mode for normal residuals with the variance of the prior mixture, and a normal prior.
    """
    from scipy.optimize import nnls

    used = expected > 0.0
    x, prior = held_out[:, used], expected[used]
    row_weight = independent_rows(cluster, CORRELATION)
    mismatch = gpp_daily - x @ prior
    sd = np.sqrt(np.average(mismatch**2, weights=row_weight)) or 1.0
    rows = np.sqrt(row_weight)[:, None] / sd
    n = prior.size
    matrix = np.vstack([x * rows, np.eye(n) / _WEIGHT_SD, np.ones((1, n)) / _SUM_SD])
    target = np.concatenate([gpp_daily * rows[:, 0], prior / _WEIGHT_SD, [1.0 / _SUM_SD]])
    weights = np.zeros(expected.size)
    weights[used] = nnls(matrix, target)[0]
    return np.asarray(weights / weights.sum())
