"""Brings two fields to common cells: the coarser grid where the finer one overlaps it, band by band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gppcore.compare.grid import SAME_EDGE, Grid
from gppcore.compare.read import MONTH_DAYS, Field
from gppcore.errors import ProductFormatError
from gppcore.regrid import regrid_conservative

Means = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean flux [g C m-2 d-1] and valid share of the cell [1], both (months, rows, columns)."""

# Cells read at once and cells of the common grid worked at once: they bound the memory to a few hundred MB.
_READ_CELLS = 30_000_000
_BAND_CELLS = 400_000


def common_grid(pair: tuple[Field, Field]) -> tuple[tuple[Field, Field], Grid]:
    """Return the pair with the coarser field cut to where the finer overlaps it, and that field's grid.

    Raises
    ------
    ProductFormatError
        If the grids do not overlap.
    """
    coarse, fine = sorted(pair, key=lambda field: -field.grid.step[0] * field.grid.step[1])
    rows = coarse.grid.rows_over(fine.grid)
    columns, lon_edges = coarse.grid.columns_over(fine.grid)
    if rows.stop == rows.start or columns.size == 0:
        raise ProductFormatError(
            f"{pair[0].name} and {pair[1].name}: expected grids that overlap in one piece, got none in common"
        )
    grid = Grid(coarse.grid.rows(rows).lat_edges, lon_edges)
    cut = replace(coarse, data=coarse.data[:, rows, columns], grid=grid)
    return (cut, fine) if coarse is pair[0] else (fine, cut), grid


def bands(pair: tuple[Field, Field], grid: Grid) -> Iterator[slice]:
    """Yield bands of rows of the grid, so high that rows stored together are read together."""
    height = max(1, _BAND_CELLS // grid.shape[1])
    for field in pair:
        steps, stored = field.chunks
        rows = max(1, _READ_CELLS // (steps * field.grid.shape[1]))
        rows -= rows % stored if rows > stored else 0
        height = min(height, max(1, round(rows * field.grid.step[0] / grid.step[0])))
    for start in range(0, grid.shape[0], height):
        yield slice(start, min(start + height, grid.shape[0]))


def climatology(field: Field, grid: Grid, months: tuple[int, ...]) -> Means:
    """Average a field by area to the cells of `grid`, and over the years to calendar months.

    A field of annual means gives one map.
    """
    slots = (0,) if field.annual else months
    flux, valid = np.zeros((len(slots), *grid.shape)), np.zeros((len(slots), *grid.shape))
    rows = field.grid.rows_over(grid)
    block = max(
        1, min(field.chunks[0], _READ_CELLS // max(1, (rows.stop - rows.start) * field.grid.shape[1]))
    )
    for start in range(0, len(field.months), block):
        stop = min(start + block, len(field.months))
        wanted = [step for step in range(start, stop) if field.months[step] in slots]
        if rows.stop == rows.start or not wanted:
            continue
        values = field.values(slice(start, stop), rows)
        for step in wanted:
            mean, share = _to_grid(values[step - start], field.grid.rows(rows), grid)
            slot = slots.index(field.months[step])
            flux[slot] += np.where(share > 0.0, mean, 0.0) * share
            valid[slot] += share
    mean = np.divide(flux, valid, out=np.full_like(flux, np.nan), where=valid > 0.0)
    steps = np.array([field.months.count(slot) for slot in slots])
    return mean, valid / steps[:, None, None]


def _to_grid(values: NDArray[np.floating], source: Grid, grid: Grid) -> Means:
    if source.shape == grid.shape and all(
        np.allclose(a, b, rtol=0.0, atol=SAME_EDGE)
        for a, b in ((source.lat_edges, grid.lat_edges), (source.lon_edges, grid.lon_edges))
    ):
        return values.astype(np.float64), np.isfinite(values).astype(np.float64)
    return regrid_conservative(values, source.lat_edges, source.lon_edges, grid.lat_edges, grid.lon_edges)


def yearly(means: Means) -> Means:
    """Average 12 months to one annual mean by their days; a cell is valid as far as in its worst month."""
    flux, valid = means
    if flux.shape[0] == 1:
        return means
    return np.average(flux, axis=0, weights=MONTH_DAYS)[None], valid.min(axis=0)[None]
