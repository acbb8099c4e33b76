"""Process GPP of towers by parameters that were calibrated without them.

Parameters calibrated to a tower make process GPP better there than anywhere else. Whoever learns from that how far to
trust the process model trusts it too much; so each cluster gets the process GPP of a calibration to other clusters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.calibrate import calibrate
from gppcore.constants import PFTS, PlantFunctionalType
from gppcore.errors import ShapeError
from gppcore.tower_hours import process_gpp
from gppcore.towers import Towers

FOLDS = 4
"""Parts of the clusters that are left out in turn."""


def cross_fitted_gpp(
    towers: Towers,
    *,
    pfts: Mapping[str, PlantFunctionalType] = PFTS,
    parameters: Sequence[str] = ("vcmax25",),
    n_threads: int = 1,
) -> NDArray[np.float64]:
    """Simulate GPP of tower months with parameters calibrated without the cluster of the tower.

    Parameters
    ----------
    towers : Towers
        Towers with their forcing, of two clusters or more; ``towers.at(samples)`` are those of samples.
    pfts, parameters, n_threads
        As of :func:`gppcore.calibrate.calibrate`.

    Returns
    -------
    ndarray, shape (rows of `towers.gpp`,)
        [g m-2 d-1]; NaN where the forcing is unknown.

    Raises
    ------
    ShapeError
        If the towers are one cluster, or a calibration has too few months.
    """
    cluster = towers.row_clusters
    clusters = len(np.unique(cluster))
    if clusters < 2:
        raise ShapeError(f"towers: expected two clusters or more, got {clusters}")
    fold, found = deal(cluster, min(FOLDS, clusters)), np.empty(len(cluster))
    for k in range(fold.max() + 1):
        fit = calibrate(towers.rows(fold != k), pfts=pfts, parameters=parameters, n_threads=n_threads)
        found[fold == k] = process_gpp(towers.rows(fold == k), fit.pfts, n_threads=n_threads)
    return found


def deal(group: NDArray[Any], folds: int) -> NDArray[np.int64]:
    """Deal groups to folds, largest first, always to the smallest fold."""
    names, size = np.unique(group, return_counts=True)
    load, of = np.zeros(folds, dtype=np.int64), {}
    for i in np.argsort(-size, kind="stable"):
        of[names[i]] = int(load.argmin())
        load[of[names[i]]] += size[i]
    return np.array([of[name] for name in group])
