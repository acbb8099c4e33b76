"""Gaps of a monthly variable filled from other years of the same cell, for leaf area and other satellite products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gppcore.tiles.store import TileStore
from gppcore.variables import MONTHS

Floats = NDArray[np.float32]

_LEAST_MONTHS = 6  # of a mean year, whose other months are interpolated


def fill_gaps(store: TileStore, name: str) -> float:
    """Fill the gaps of a variable in all tiles, with the mean of the same month in other years of the cell.

    Where no year has a month, the mean year is interpolated between its neighbours, if it has six months or more.
    Values that are there do not change, and cells with fewer months keep their gaps.

    Parameters
    ----------
    store : TileStore
        With all years of the variable.
    name : str
        A monthly variable.

    Returns
    -------
    float
        Share of the values that were filled.
    """
    filled = total = 0
    for tile in range(store.n_tiles):
        years = [store.read(name, tile, year) for year in store.each_year]
        gaps = [np.isnan(values) for values in years]
        total += sum(values.size for values in years)
        if not any(gap.any() for gap in gaps):
            continue
        cycle = mean_year(np.stack(years))
        for year, values, gap in zip(store.each_year, years, gaps, strict=True):
            new = np.where(gap, cycle, values)
            if here := int((gap & ~np.isnan(new)).sum()):
                filled += here
                store.write(name, tile, new, year)
    return filled / total


def mean_year(values: Floats) -> Floats:
    """Return the mean year (12, n) of months (years, 12, n), interpolated in time where no year has a month."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    cycle = np.divide(
        np.where(known, values, 0.0).sum(axis=0), count, out=np.full(count.shape, np.nan), where=count > 0
    )
    held = count > 0
    for cell in np.flatnonzero((held.sum(axis=0) >= _LEAST_MONTHS) & ~held.all(axis=0)):
        months = np.flatnonzero(held[:, cell])
        cycle[:, cell] = np.interp(np.arange(MONTHS), months, cycle[months, cell], period=MONTHS)
    mean: Floats = cycle.astype(np.float32)
    return mean
