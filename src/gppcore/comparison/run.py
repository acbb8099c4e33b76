"""Compare GPP maps: common months and cells, one unit, area-weighted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from gppcore.comparison.common import Means, StepTotals, annual_totals, bands, climatology, common_grid, yearly
from gppcore.comparison.layers import Layer
from gppcore.comparison.read import YEAR_DAYS, Field, read
from gppcore.comparison.result import REGIONS, Agreement, Comparison, Density
from gppcore.comparison.statistics import Sums
from gppcore.errors import ProductFormatError, RangeError
from gppcore.io.cluster import in_order
from gppcore.io.sources import is_address
from gppcore.regrid import LatLonGrid
from gppcore.variables import DAYS_IN_MONTH

if TYPE_CHECKING:
    from distributed import Client

Band = list[tuple[Means, StepTotals]]
"""Of every product: means of a band of rows, and the totals of its time steps there."""

__all__ = ["REGIONS", "Agreement", "Comparison", "Density", "compare"]


def compare(
    *products: str | Path | xr.Dataset,
    years: Sequence[int] | None = None,
    land_fraction: str | xr.DataArray | None = None,
    classes: str | xr.DataArray | None = None,
    client: Client | None = None,
) -> tuple[Comparison, ...]:
    """Compare GPP maps with the last one, the reference, on the coarsest of their grids.

    All are reduced to a climatology of the calendar months that all have (to annual means where one has
    nothing else) and averaged by area to the cells of the coarsest grid that the others overlap. A
    cell-month counts where all are valid in at least half of the cell; its weight is the area valid in
    the least valid one times the days of the month. So every product is judged on the same cell-months.

    Parameters
    ----------
    *products : path or xarray.Dataset
        Two or more: netCDF file, Zarr store or dataset with one-dimensional latitude and longitude [degree],
        either direction, longitude from -180 or from 0. GPP in g C m-2 d-1 or a unit that converts to it; the
        variable is found by its CF standard name, else by "gpp" in its name, or named: "FILE:VARIABLE". FILE may be
        a pattern such as ``gpp_*.nc``, of files that follow each other in time.
    years : sequence of int, optional
        First and last calendar year; without it, each product is averaged over all of its own. Products without
        years, such as a mean year, are compared as they are.
    land_fraction : str or xarray.DataArray, optional
        "FILE:VARIABLE" or field of the share of land [1] of the cells of any grid: weights and totals are then those
        of land. For products whose flux is that of a unit of land.
    classes : str or xarray.DataArray, optional
        "FILE:VARIABLE" or field of classes on any grid, whole numbers from 0 to 63, such as land cover or regions.
        Each common cell has the class of the largest area. Names come from CF `flag_values` and `flag_meanings`.
    client : distributed.Client, optional
        Of a dask cluster that reads and averages the products, which must be files that workers see under the same
        paths. The result does not depend on it.

    Returns
    -------
    tuple of Comparison
        One for each product but the last, in their order: totals [Pg C yr-1], also of every year, R2,
        correlation, RMSE and bias [g C m-2 d-1], zonal means [g C m-2 yr-1], seasons, bins of
        the reference, density and maps.

    Raises
    ------
    RangeError
        If there are fewer than two products, years, land fractions or classes are out of their range, or `client` is
        given and a product is not a file.
    MissingFileError
        If a file does not exist.
    ProductFormatError
        If a file cannot be read, has no GPP variable or more than one, lacks coordinates, or if the
        products share no month, no area or no valid cell.
    UnitsError
        If the unit of GPP is missing or unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import xarray as xr
    >>> from gppcore import compare
    >>> coords = {"time": pd.date_range("2001-01-15", periods=12, freq="30D"), "lat": [5, -5], "lon": [10, 20, 30]}
    >>> gpp = xr.DataArray(np.random.default_rng(0).gamma(2, 2, (12, 2, 3)), coords, attrs={"units": "g C m-2 d-1"})
    >>> mine, other = (1.1 * gpp).assign_attrs(gpp.attrs).to_dataset(name="gpp"), gpp.to_dataset(name="gpp")
    >>> (found,) = compare(mine, other)
    >>> whole = found.regions["whole"]
    >>> round(whole.correlation, 3), round(whole.total / whole.other_total, 3)
    (1.0, 1.1)
    """
    if len(products) < 2:
        raise RangeError(f"products: expected two or more, the reference last, got {len(products)}")
    if years is not None and (len(years) != 2 or years[0] > years[1]):
        raise RangeError(f"years: expected the first and the last year, got {years}")
    with ExitStack() as stack:
        fields = _fields(products, years, stack)
        land = None if land_fraction is None else Layer("land_fraction", land_fraction, stack)
        sorts = None if classes is None else Layer("classes", classes, stack)
        annual = any(field.annual for field in fields)
        months = _common_months(fields, annual)
        fields, grid = common_grid(fields)
        days = np.array([YEAR_DAYS]) if annual else DAYS_IN_MONTH[np.array(months) - 1]
        sums = Sums(grid, [field.name for field in fields], () if annual else months, days, land, sorts)
        steps = [np.zeros(len(field.months)) for field in fields]
        done: Iterator[tuple[tuple[slice], Band]]
        if client is None:
            done = (((rows,), _band(fields, grid, months, rows)) for rows in bands(fields, grid))
        else:
            shared = (tuple(_absolute(product) for product in products), years, months)
            done = in_order(client, _band_remote, shared, ((rows,) for rows in bands(fields, grid)))
        for (rows,), of_fields in done:
            for total, (_, flux) in zip(steps, of_fields, strict=True):
                total += flux
            sums.add(rows, [yearly(mean) if annual else mean for mean, _ in of_fields])
        annual_of = [annual_totals(*pair) for pair in zip(fields, steps, strict=True)]
        return sums.results(annual_of, [field.total for field in fields])


def _fields(products: Sequence[str | Path | xr.Dataset], years: Sequence[int] | None, stack: ExitStack) -> list[Field]:
    fields = [read(product, stack) for product in products]
    return fields if years is None else [field.of_years(years[0], years[1]) for field in fields]


def _band(fields: Sequence[Field], grid: LatLonGrid, months: tuple[int, ...], rows: slice) -> Band:
    return [climatology(field, grid.rows(rows), months) for field in fields]


def _band_remote(products: Sequence[str], years: Sequence[int] | None, months: tuple[int, ...], rows: slice) -> Band:
    """Do the same in a worker of a cluster."""
    with ExitStack() as stack:
        fields, grid = common_grid(_fields(products, years, stack))
        return _band(fields, grid, months, rows)


def _absolute(product: str | Path | xr.Dataset) -> str:
    if isinstance(product, xr.Dataset):
        raise RangeError("products: expected files, which workers of a cluster can open, got a dataset")
    return str(product) if is_address(product) else str(Path(product).resolve())


def _common_months(fields: Sequence[Field], annual: bool) -> tuple[int, ...]:
    """Calendar months common to all; if one has annual means only, the others need all 12."""
    present = [set(field.months) for field in fields if not field.annual]
    months = set(range(1, 13)).intersection(*present)
    if not months or (annual and len(months) < 12):
        expected = "all 12 calendar months, to compare annual means" if annual else "a calendar month in common"
        got = " and ".join(str(sorted(p)) for p in present)
        names = " and ".join(field.name for field in fields)
        raise ProductFormatError(f"{names}: expected {expected}, got months {got}")
    return tuple(sorted(months))
