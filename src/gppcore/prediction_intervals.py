"""Prediction intervals of a mixture, calibrated on clusters of towers that its members have not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gppcore.judging.intervals import conformal_factor
from gppcore.model_file import Interval

Float = NDArray[np.float64]

LEVEL = 0.9
"""Share of towers' months that shall lie between the bounds."""
_MIN_HALF_WIDTH = 0.05  # g m-2 d-1, so that no month is told to be certain


def fit_interval(residual: Float, spread: Float, gpp: Float, cluster: NDArray[np.generic]) -> Interval:
    """Fit the half width ``q (a + b spread + c gpp)`` to residuals of left-out clusters.

    Parameters
    ----------
    residual, spread, gpp : ndarray, shape (rows,)
        Tower minus predicted GPP, spread of the members and predicted GPP [g m-2 d-1], of rows that the members have
        not seen.
    cluster : ndarray, shape (rows,)
        Clusters of towers: what was left out together.

    Notes
    -----
    The shape (a, b, c) follows the mean size of the residuals (non-negative least squares); the factor q is that of
    :func:`gppcore.judging.intervals.conformal_factor`.
    """
    from scipy.optimize import nnls

    size = np.abs(residual)
    shape = np.column_stack([np.ones_like(spread), spread, gpp])
    a, b, c = nnls(shape, size)[0]
    a = max(a, _MIN_HALF_WIDTH)
    q = conformal_factor(residual, shape @ (a, b, c), cluster, level=LEVEL)
    return Interval(q, float(a), float(b), float(c))
