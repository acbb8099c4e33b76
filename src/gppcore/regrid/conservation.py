"""Mass conservation of a regridded field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gppcore.errors import RangeError
from gppcore.regrid.arrays import check_field
from gppcore.regrid.grid import LatLonGrid
from gppcore.regrid.plan import RegridPlan


@dataclass(frozen=True)
class ConservationReport:
    """Mass of a field on two grids, over the area that is valid on both.

    Attributes
    ----------
    source_mass, target_mass : float
        Integral of the field over that area, in the unit of the field times m2.
    relative_error : float
        Difference of the two, relative to the integral of the absolute value.
    worst_cell : float
        Largest difference of a target cell from the mean of its source cells, relative to the mean of their
        absolute values; NaN where no cell is valid on both.
    lost_mass : float
        Mass of valid source cells in target cells that are missing, for example by `min_valid`.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import LatLonGrid, RegridPlan
    >>> from gppcore.regrid import conservation_report
    >>> source = LatLonGrid(np.linspace(90, -90, 19), np.linspace(-180, 180, 37))
    >>> target = LatLonGrid(np.linspace(90, -90, 13), np.linspace(-180, 180, 25))
    >>> field = np.random.default_rng(0).random(source.shape)
    >>> bilinear = RegridPlan(source, target, method="bilinear").apply(field)
    >>> report = conservation_report(field, bilinear, source, target)
    >>> round(report.relative_error, 4), report.lost_mass
    (0.0055, 0.0)
    """

    source_mass: float
    target_mass: float
    relative_error: float
    worst_cell: float
    lost_mass: float


def conservation_report(
    source: ArrayLike, target: ArrayLike, source_grid: LatLonGrid, target_grid: LatLonGrid
) -> ConservationReport:
    """Compare the mass of a field before and after regridding.

    Target cells are compared with the area-weighted mean, in float64, of the valid source cells that they overlap.
    For a downscaled field, pass the fine field as `source` and the coarse one as `target`, which tests whether the
    fine field reproduces the coarse means.

    Parameters
    ----------
    source : array_like, shape (..., n_lat, n_lon) of `source_grid`
        Field before; NaN is a missing cell.
    target : array_like, shape (..., n_lat, n_lon) of `target_grid`
        Field after.
    source_grid, target_grid : LatLonGrid
        Their grids.

    Returns
    -------
    ConservationReport
        Over all leading dimensions.

    Raises
    ------
    ShapeError, RangeError

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import LatLonGrid, RegridPlan
    >>> from gppcore.regrid import conservation_report
    >>> source = LatLonGrid(np.linspace(90, -90, 19), np.linspace(-180, 180, 37))
    >>> target = LatLonGrid(np.linspace(90, -90, 13), np.linspace(-180, 180, 25))
    >>> field = np.random.default_rng(0).random(source.shape)
    >>> report = conservation_report(field, RegridPlan(source, target).apply(field), source, target)
    >>> abs(report.relative_error) < 1e-13
    True
    """
    before = check_field("source", source, source_grid.shape).astype(np.float64, copy=False)
    after = check_field("target", target, target_grid.shape).astype(np.float64, copy=False)
    if before.shape[:-2] != after.shape[:-2]:
        message = f"target: expected the leading dimensions of source, {before.shape[:-2]}, got {after.shape[:-2]}"
        raise RangeError(message)
    there = RegridPlan(source_grid, target_grid)
    mean, share = there.apply(before, fraction=True)
    size = there.apply(np.abs(before))
    both = ~np.isnan(mean) & ~np.isnan(after)
    # The reverse plan gives the covered part of each source cell, so that the two masses are independent sums.
    covered, part = RegridPlan(target_grid, source_grid).apply(both.astype(np.float64), fraction=True)
    cover = np.where(np.isnan(before) | np.isnan(covered), 0.0, covered * part) * source_grid.area
    source_mass = float(np.sum(np.where(cover > 0.0, before, 0.0) * cover))
    scale = float(np.sum(np.where(cover > 0.0, np.abs(before), 0.0) * cover))
    target_mass = float(np.sum(np.where(both, after, 0.0) * share * target_grid.area))
    error = np.where(both, np.abs(after - mean), 0.0)
    worst = np.divide(error, size, out=np.zeros_like(error), where=both & (size > 0.0))
    worst[both & (size == 0.0) & (error > 0.0)] = np.inf
    dropped = np.where(np.isnan(after) & ~np.isnan(mean), mean, 0.0)
    return ConservationReport(
        source_mass,
        target_mass,
        abs(target_mass - source_mass) / scale if scale > 0.0 else abs(target_mass - source_mass),
        float(worst.max()) if both.any() else float("nan"),
        float(np.sum(dropped * share * target_grid.area)),
    )
