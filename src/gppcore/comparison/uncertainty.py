"""Intervals of the agreement of two maps: bootstrap of blocks of cells, since errors of neighbours are alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gppcore.comparison import moments
from gppcore.comparison.result import Interval
from gppcore.regrid import LatLonGrid

Floats = NDArray[np.float64]

BLOCK = 10.0
"""Side of a block [degree]."""
_DRAWS, _LEAST_BLOCKS = 1000, 5
_ENDS = (0.05, 0.95)


class BlockMoments:
    """Moments of the cells of each block."""

    def __init__(self, grid: LatLonGrid) -> None:
        lat = (grid.lat_edges[:-1] + grid.lat_edges[1:]) / 2
        lon = (grid.lon_edges[:-1] + grid.lon_edges[1:]) / 2
        self._row = np.clip((lat + 90.0) // BLOCK, 0, 180.0 / BLOCK - 1).astype(np.int64)
        self._column = (lon % 360.0 // BLOCK).astype(np.int64)
        self._n = int(360.0 / BLOCK)
        self._sums = np.zeros((moments.TERMS, int(180.0 / BLOCK) * self._n))

    def add(self, rows: slice, sums: Floats) -> None:
        """Add the moments (TERMS, rows, columns) of a band."""
        block = (self._row[rows, None] * self._n + self._column).ravel()
        for total, term in zip(self._sums, sums, strict=True):
            total += np.bincount(block, term.ravel(), total.size)

    def intervals(self, tropic: float, per_year: float) -> Mapping[str, Interval]:
        """Return the intervals by region; `tropic` bounds the tropics [degree], a multiple of the side of a block."""
        south = (np.arange(self._sums.shape[1]) // self._n) * BLOCK - 90.0
        inside = {
            "whole": np.ones(south.size, dtype=bool),
            "tropics": (south >= -tropic) & (south < tropic),
            "north": south >= tropic,
            "south": south < -tropic,
        }
        return {name: _interval(self._sums[:, here & (self._sums[0] > 0)], per_year) for name, here in inside.items()}


def _interval(blocks: Floats, per_year: float) -> Interval:
    n = blocks.shape[1]
    if n < _LEAST_BLOCKS:
        return Interval(*[(float("nan"), float("nan"))] * 4)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1.0 / n), size=_DRAWS)
    drawn = draws @ blocks.T
    _, w, x, y, _, yy, _, dd = drawn.T
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1.0 - dd / (yy - y**2 / w)
        bias = (x - y) / w
        ends = [np.nanquantile(each, _ENDS) for each in (r2, np.sqrt(dd / w), bias)]
    return Interval(*[_pair(each) for each in (*ends, ends[2] * blocks[1].sum() * per_year)])


def _pair(ends: Floats) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])
