"""Average fields to common cells: the coarsest grid within the overlap of all, processed in bands of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gppcore.comparison.read import Field
from gppcore.errors import ProductFormatError, RangeError
from gppcore.io.cf import masked
from gppcore.regrid import LatLonGrid, RegridPlan, cell_area
from gppcore.variables import DAYS_IN_MONTH

Means = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Mean flux [g C m-2 d-1] and valid share of the cell [1], both (months, rows, columns)."""

StepTotals = NDArray[np.float64]
"""Flux of every time step over an area [g C d-1]."""

PG = 1e-15
"""Petagrams in a gram."""

_PLAUSIBLE = (-5.0, 80.0)  # g C m-2 d-1; some products have slightly negative GPP
# Cells that are processed together, on the source and on the common grid: bounds memory to a few hundred MB.
_READ_CELLS = 40_000_000
_BAND_CELLS = 800_000


def common_grid(fields: Sequence[Field]) -> tuple[list[Field], LatLonGrid]:
    """Return the fields with the coarsest one cut to the common overlap, and its grid.

    Raises
    ------
    ProductFormatError
        If the grids do not overlap.
    """
    coarsest = max(range(len(fields)), key=lambda i: fields[i].grid.step[0] * fields[i].grid.step[1])
    cut = fields[coarsest]
    for other in fields:
        rows = cut.grid.rows_over(other.grid)
        columns, lon_edges = cut.grid.columns_over(other.grid)
        if rows.stop == rows.start or columns.size == 0:
            names = " and ".join(field.name for field in fields)
            raise ProductFormatError(f"{names}: expected grids that overlap in one piece, got none in common")
        grid = LatLonGrid(cut.grid.rows(rows).lat_edges, lon_edges)
        cut = cut.cut(rows, columns, grid)
    return [cut if i == coarsest else field for i, field in enumerate(fields)], cut.grid


def bands(fields: Sequence[Field], grid: LatLonGrid) -> Iterator[slice]:
    """Yield bands of rows of the grid, aligned with the chunks in which rows are stored."""
    height = max(1, _BAND_CELLS // grid.shape[1])
    for field in fields:
        steps, stored = field.chunks
        rows = max(1, _READ_CELLS // (steps * field.grid.shape[1]))
        rows -= rows % stored if rows > stored else 0
        height = min(height, max(1, round(rows * field.grid.step[0] / grid.step[0])))
    for start in range(0, grid.shape[0], height):
        yield slice(start, min(start + height, grid.shape[0]))


def climatology(field: Field, grid: LatLonGrid, months: tuple[int, ...]) -> tuple[Means, StepTotals]:
    """Average a field by area to the cells of `grid`, and over the years to calendar months.

    A field of annual means gives one map. Also returned is the sum of every time step over its valid cells, NaN in
    months that were not requested.
    """
    slots = (0,) if field.annual else months
    flux, valid = np.zeros((2, len(slots), *grid.shape), np.float32)
    totals = np.array([0.0 if month in slots else np.nan for month in field.months])
    area = cell_area(grid.lat_edges, grid.lon_edges)
    rows = field.grid.rows_over(grid)
    height = rows.stop - rows.start
    if height:
        plan = RegridPlan(field.grid.rows(rows), grid)
    block = max(1, min(field.chunks[0], _READ_CELLS // max(1, height * field.grid.shape[1])))
    for start, part in _blocks(field, block):
        steps = slice(start, start + len(part))
        slot_of = [slots.index(month) if month in slots else None for month in field.months[steps]]
        if height == 0 or not any(slot is not None for slot in slot_of):
            continue
        values = masked(part[:, rows].values, part)
        values = values.astype(np.float32 if values.dtype.itemsize <= 4 else np.float64, copy=False)
        _check_plausible(field, values, field.factors[steps])
        mean, share = plan.apply(values, fraction=True)
        mean *= share
        for i, slot in enumerate(slot_of):
            if slot is not None:
                mean[i] *= field.factors[start + i]
                there = share[i] > 0.0
                np.add(flux[slot], mean[i], out=flux[slot], where=there)
                valid[slot] += share[i]
                totals[start + i] = np.sum(mean[i] * area, where=there)
    with np.errstate(invalid="ignore"):
        flux /= valid  # NaN where no step was valid
    valid /= np.array([field.months.count(slot) for slot in slots], np.float32)[:, None, None]
    return (flux, valid), totals


def _blocks(field: Field, size: int) -> Iterator[tuple[int, xr.DataArray]]:
    """Yield blocks of time steps with the number of their first."""
    before = 0
    for part in field.parts:
        for start in range(0, len(part), size):
            yield before + start, part[start : start + size]
        before += len(part)


def _check_plausible(field: Field, values: NDArray[np.floating], factors: NDArray[np.float64]) -> None:
    gpp = values * factors[:, None, None]
    low, high = float(np.fmin.reduce(gpp, axis=None)), float(np.fmax.reduce(gpp, axis=None))
    if low < _PLAUSIBLE[0] or high > _PLAUSIBLE[1]:
        n = int(((gpp < _PLAUSIBLE[0]) | (gpp > _PLAUSIBLE[1])).sum())
        raise RangeError(
            f"{field.name}: expected GPP from {_PLAUSIBLE[0]:g} to {_PLAUSIBLE[1]:g} g m-2 d-1, got {n} values "
            f"outside, down to {low:g} and up to {high:g}; "
            "state _FillValue, valid_range, scale_factor or units of the file"
        )


def yearly(means: Means) -> Means:
    """Average 12 months, weighted by days; the valid fraction of a cell is the lowest of its months."""
    flux, valid = means
    if flux.shape[0] == 1:
        return means
    return np.average(flux, axis=0, weights=DAYS_IN_MONTH)[None], valid.min(axis=0)[None]


def annual_totals(field: Field, totals: StepTotals) -> dict[int, float]:
    """Return the total of every complete calendar year [Pg C] from the totals of its time steps."""
    if not field.years:
        return {}
    steps = pd.DataFrame({"year": field.years, "month": field.months, "flux": totals})
    whole = steps.groupby(["year", "month"])["flux"].mean().unstack().dropna()
    days = DAYS_IN_MONTH.sum(keepdims=True) if field.annual else DAYS_IN_MONTH
    if whole.shape[1] != days.size:
        return {}
    return dict(zip(whole.index.tolist(), (whole.to_numpy() @ days * PG).tolist(), strict=True))
