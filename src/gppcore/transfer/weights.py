"""Weights of members from predictions for rows that they have not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gppcore.statistics import CORRELATION, independent_rows

Float = NDArray[np.float64]

PROCESS_CLUSTERS = 20.0
"""Clusters of towers at which the process model and the members are trusted alike beforehand."""
_WEIGHT_SD = 0.2  # of the weights around those expected beforehand
_SUM_SD = 1e-4


def expected_weights(n_members: int, clusters: int, *, process: bool, unseen_places: bool) -> Float:
    """Return the weights expected beforehand: of the members, all alike, then of the process model.

    Parameters
    ----------
    n_members : int
        Number of members.
    clusters : int
        Clusters of towers that they were trained on; the more there are, the less the process model counts.
    process : bool
        Whether there is a process model.
    unseen_places : bool
        Whether places without a tower are to be predicted; else the process model is left out.
    """
    trusted = clusters / (clusters + PROCESS_CLUSTERS) if process and unseen_places else 1.0
    return np.append(np.full(n_members, trusted / n_members), 1.0 - trusted)


def stack(gpp_daily: Float, held_out: Float, cluster: NDArray[np.generic], expected: Float) -> Float:
    """Fit non-negative weights of sum 1 to held-out predictions, drawn towards the expected ones.

    Parameters
    ----------
    gpp_daily : ndarray, shape (rows,)
        Tower GPP [g m-2 d-1].
    held_out : ndarray, shape (rows, candidates)
        Predictions for rows that the candidates have not seen.
    cluster : ndarray, shape (rows,)
        Clusters of towers, whose months agree in part.
    expected : ndarray, shape (candidates,)
        Weights expected beforehand; a candidate expected to weigh nothing does.

    Returns
    -------
    ndarray, shape (candidates,)
        The most probable weights: normal mismatches with the variance of the expected mixture, and a normal prior.
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
