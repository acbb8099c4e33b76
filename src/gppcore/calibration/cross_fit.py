"""Process GPP of towers, with parameters calibrated to other towers.

Process GPP with parameters calibrated to a tower is better there than elsewhere, so that weights fitted to it would
overrate the process model. Each cluster of towers therefore gets the process GPP of a calibration to the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gppcore.calibration.fit import calibrate
from gppcore.constants import PFTS, PlantFunctionalType
from gppcore.errors import ShapeError
from gppcore.runtime import threads
from gppcore.statistics import FOLDS, assign_folds
from gppcore.towers import Towers
from gppcore.towers.process import process_gpp


def cross_fitted_gpp(
    towers: Towers,
    *,
    pfts: Mapping[str, PlantFunctionalType] | None = None,
    parameters: Sequence[str] = ("vcmax25",),
    covariates: Sequence[str] | None = None,
    n_threads: int | None = None,
) -> NDArray[np.float64]:
    """Simulate GPP of tower months with parameters calibrated without the cluster of the tower.

    Parameters
    ----------
    towers : Towers
        Towers with their forcing, of two clusters or more; ``towers.at(samples)`` are those of samples.
    pfts, parameters, covariates, n_threads
        As for :func:`gppcore.calibrate`.

    Returns
    -------
    ndarray, shape (rows of `towers.gpp`,)
        [g m-2 d-1]; NaN where the forcing is unknown.

    Raises
    ------
    ShapeError
        If the towers are one cluster, or a calibration has too few months.

    Examples
    --------
    >>> from gppcore import cross_fitted_gpp
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.evaluation.metrics import skill
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> gpp = cross_fitted_gpp(towers)  # of towers that the calibration did not see
    >>> round(skill(towers.gpp["gpp_daily"], gpp)["r2"], 2)
    0.63
    """
    pfts = PFTS if pfts is None else pfts
    n_threads = threads(n_threads)
    cluster = towers.row_clusters
    clusters = len(np.unique(cluster))
    if clusters < 2:
        raise ShapeError(f"towers: expected two clusters or more, got {clusters}")
    fold, found = assign_folds(cluster, FOLDS), np.empty(len(cluster))
    for k in range(fold.max() + 1):
        fit = calibrate(
            towers.rows(fold != k), pfts=pfts, parameters=parameters, covariates=covariates, n_threads=n_threads
        )
        found[fold == k] = process_gpp(towers.rows(fold == k), fit.pfts, n_threads=n_threads)
    return found
