"""Sets a GPP map against another: the same months, the same cells, one unit, weighted by area."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import xarray as xr

from gppcore.compare.common import bands, climatology, common_grid, yearly
from gppcore.compare.read import YEAR_DAYS, Field, read
from gppcore.compare.result import Agreement, Comparison
from gppcore.compare.statistics import Sums
from gppcore.errors import ProductFormatError
from gppcore.variables import DAYS_IN_MONTH

__all__ = ["Agreement", "Comparison", "compare"]


def compare(
    product: str | Path | xr.Dataset,
    other: str | Path | xr.Dataset,
    *,
    variable: str | None = None,
    other_variable: str | None = None,
) -> Comparison:
    """Set a GPP map against another CF GPP file, on the coarser of the two grids.

    Both are reduced to a climatology of the calendar months that both have (to annual means where one has
    nothing else) and averaged by area to the cells of the coarser grid that the finer one overlaps. A
    cell-month counts where both are valid in at least half of the cell; its weight is the area valid in
    both times the days of the month.

    Parameters
    ----------
    product, other : path or xarray.Dataset
        netCDF file, Zarr store or dataset with one-dimensional latitude and longitude [degree], either
        direction, longitude from -180 or from 0; `other` is the reference. GPP in g C m-2 d-1 or a unit
        that converts to it.
    variable, other_variable : str, optional
        Name of the GPP variable; found by its CF standard name, else by "gpp" in its name.

    Returns
    -------
    Comparison
        Totals [Pg C yr-1], R2, correlation, RMSE and bias [g C m-2 d-1], zonal means [g C m-2 yr-1].

    Raises
    ------
    MissingFileError
        If a file does not exist.
    ProductFormatError
        If a file cannot be read, has no GPP variable or more than one, lacks coordinates, or if the two
        share no month, no area or no valid cell.
    UnitsError
        If the unit of GPP is missing or unknown.
    """
    with ExitStack() as stack:
        pair = (read(product, variable, stack), read(other, other_variable, stack))
        annual = any(field.annual for field in pair)
        months = _common_months(pair, annual)
        pair, grid = common_grid(pair)
        sums = Sums(grid, np.array([YEAR_DAYS]) if annual else DAYS_IN_MONTH[np.array(months) - 1])
        for rows in bands(pair, grid):
            means = [climatology(field, grid.rows(rows), months) for field in pair]
            if annual:
                means = [yearly(mean) for mean in means]
            sums.add(rows, *means)
    return sums.result(pair[0].name, pair[1].name, () if annual else months)


def _common_months(pair: tuple[Field, Field], annual: bool) -> tuple[int, ...]:
    """Calendar months that both have; where one has annual means only, the other must have all 12."""
    present = [set(field.months) for field in pair if not field.annual]
    months = set(range(1, 13)).intersection(*present)
    if not months or (annual and len(months) < 12):
        expected = "all 12 calendar months, to compare annual means" if annual else "a calendar month in common"
        got = " and ".join(str(sorted(p)) for p in present)
        raise ProductFormatError(f"{pair[0].name} and {pair[1].name}: expected {expected}, got months {got}")
    return tuple(sorted(months))
