"""Prediction intervals of a mixture, calibrated on clusters of towers held out of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gppcore.statistics import LEVEL, conformal_factor
from gppcore.transfer.recipe import Interval

Float = NDArray[np.float64]

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, LEVEL, 0.95)
"""Shares at which the reliability of intervals is judged."""
_MIN_HALF_WIDTH = 0.05  # g m-2 d-1, so that no interval has zero width


def fit_interval(
    residual: Float, spread: Float, gpp: Float, cluster: NDArray[np.generic]
) -> tuple[Interval, dict[float, float]]:
    """Fit the half width ``q (a + b spread + c gpp)`` to residuals of left-out clusters.

    Parameters
    ----------
    residual, spread, gpp : ndarray, shape (rows,)
        Tower minus predicted GPP, spread of the members and predicted GPP [g m-2 d-1], of rows
        held out of training.
    cluster : ndarray, shape (rows,)
        Clusters of towers, which were left out together.

    Returns
    -------
    interval : Interval
        That of `LEVEL`.
    relative : dict of float to float
        Half width at each of `LEVELS`, relative to that of `LEVEL`.

    Notes
    -----
    The shape (a, b, c) follows the mean size of the residuals (non-negative least squares); the factor q is that of
    :func:`gppcore.statistics.conformal_factor`.
    """
    from scipy.optimize import nnls

    size = np.abs(residual)
    shape = np.column_stack([np.ones_like(spread), spread, gpp])
    a, b, c = nnls(shape, size)[0]
    a = max(a, _MIN_HALF_WIDTH)
    factors = {level: conformal_factor(residual, shape @ (a, b, c), cluster, level=level) for level in LEVELS}
    q = factors[LEVEL]
    return Interval(q, float(a), float(b), float(c)), {level: factor / q for level, factor in factors.items()}
