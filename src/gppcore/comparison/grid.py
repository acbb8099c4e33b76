"""Cells of a latitude-longitude grid, and where two grids overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Coordinates are often float32: edges nearer than this [degree] are the same edge.
SAME_EDGE = 1e-4


@dataclass(frozen=True)
class Grid:
    """Cells by their edges [degree]: latitude descending, longitude ascending."""

    lat_edges: Floats
    lon_edges: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.lat_edges.size - 1, self.lon_edges.size - 1

    @property
    def step(self) -> tuple[float, float]:
        """Usual height and width of a cell [degree]."""
        return float(-np.median(np.diff(self.lat_edges))), float(np.median(np.diff(self.lon_edges)))

    @property
    def circles(self) -> bool:
        """Whether the grid goes round the globe."""
        return bool(self.lon_edges[-1] - self.lon_edges[0] > 360.0 - self.step[1] / 2)

    def rows(self, rows: slice) -> Grid:
        """Return the grid of some of the rows."""
        return Grid(self.lat_edges[rows.start : rows.stop + 1], self.lon_edges)

    def rows_over(self, other: Grid) -> slice:
        """Return the rows that overlap the latitudes of another grid."""
        south, north = other.lat_edges[-1] + SAME_EDGE, other.lat_edges[0] - SAME_EDGE
        rows = np.flatnonzero((self.lat_edges[1:] < north) & (self.lat_edges[:-1] > south))
        return slice(int(rows[0]), int(rows[-1]) + 1) if rows.size else slice(0, 0)

    def columns_over(self, other: Grid) -> tuple[NDArray[np.int64], Floats]:
        """Return the columns that overlap the longitudes of another grid, and their edges.

        They come in the order in which they lie side by side; none are returned if there is no such order.
        """
        if other.circles:
            return np.arange(self.shape[1]), self.lon_edges
        west, east = other.lon_edges[0], other.lon_edges[-1]
        left, right = self.lon_edges[:-1], self.lon_edges[1:]
        turn = -360.0 * np.floor((right - west - SAME_EDGE) / 360.0)
        left, right = left + turn, right + turn
        columns = np.argsort(left, kind="stable")
        columns = columns[left[columns] < east - SAME_EDGE]
        left, right = left[columns], right[columns]
        if columns.size == 0 or np.abs(left[1:] - right[:-1]).max(initial=0.0) > SAME_EDGE:
            return np.empty(0, np.int64), np.empty(0)
        return columns, np.append(left, right[-1])
