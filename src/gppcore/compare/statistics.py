"""Sums over common cells, gathered band by band, and the statistics they give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gppcore.compare.common import Means
from gppcore.compare.grid import Grid
from gppcore.compare.read import YEAR_DAYS
from gppcore.compare.result import Agreement, Comparison
from gppcore.errors import ProductFormatError
from gppcore.regrid import cell_area

Floats = NDArray[np.float64]

TROPIC = 23.5
"""Latitude that bounds the tropics [degree]."""
_LEAST_VALID = 0.5 - 1e-6  # half, whatever the rounding
_HIGH, _LOW = 0.9, 0.25
_PG = 1e-15


class Sums:
    """Weighted sums of two fields by row of the common grid; `days` are those of each map [d]."""

    def __init__(self, grid: Grid, days: Floats) -> None:
        self._grid, self._days = grid, days
        n = grid.shape[0]
        # Per row: count, then the sums of w, w x, w y, w x2, w y2, w x y and w (x - y)2.
        self._moments = np.zeros((n, 8))
        self._own = np.zeros(2)
        self._cells: list[NDArray[np.float32]] = []

    def add(self, rows: slice, product: Means, other: Means) -> None:
        """Add a band of rows."""
        band = self._grid.rows(rows)
        area = cell_area(band.lat_edges, band.lon_edges)
        cells = np.zeros((3, *band.shape))
        for month, days in enumerate(self._days):
            (x, x_valid), (y, y_valid) = ((mean[month], valid[month]) for mean, valid in (product, other))
            weight = area * days
            self._own += np.nansum(x * x_valid * weight), np.nansum(y * y_valid * weight)
            common = (x_valid >= _LEAST_VALID) & (y_valid >= _LEAST_VALID)
            w = np.where(common, weight * np.minimum(x_valid, y_valid), 0.0)
            x, y = np.where(common, x, 0.0).astype(np.float64), np.where(common, y, 0.0).astype(np.float64)
            terms = (common, w, w * x, w * y, w * x * x, w * y * y, w * x * y, w * (x - y) ** 2)
            self._moments[rows] += np.stack([term.sum(axis=1) for term in terms], axis=1)
            cells += terms[1:4]
        self._cells.append(cells[:, cells[0] > 0.0].astype(np.float32))

    def result(self, product: str, other: str, months: tuple[int, ...]) -> Comparison:
        """Return the comparison of what was added.

        Raises
        ------
        ProductFormatError
            If no cell is valid in both.
        """
        if not self._moments[:, 0].any():
            raise ProductFormatError(f"{product} and {other}: expected cells valid in both, got none")
        lat = (self._grid.lat_edges[:-1] + self._grid.lat_edges[1:]) / 2
        tropics = np.abs(lat) < TROPIC
        own = self._own * self._per_year()
        high, low = _bin_bias(np.concatenate(self._cells, axis=1))
        with np.errstate(invalid="ignore"):
            zonal = self._moments[:, 2:4] / self._moments[:, 1:2] * YEAR_DAYS
        return Comparison(
            product=product,
            other=other,
            months=months,
            resolution=self._grid.step,
            own_total=float(own[0]),
            other_own_total=float(own[1]),
            whole=self._agreement(np.ones_like(tropics)),
            tropics=self._agreement(tropics),
            outside=self._agreement(~tropics),
            high_bias=high,
            low_bias=low,
            lat=lat,
            zonal=zonal[:, 0],
            other_zonal=zonal[:, 1],
        )

    def _per_year(self) -> float:
        """Factor from g over the days compared to Pg per year."""
        return _PG * YEAR_DAYS / float(self._days.sum())

    def _agreement(self, rows: NDArray[np.bool_]) -> Agreement:
        n, w, x, y, xx, yy, xy, dd = self._moments[rows].sum(axis=0)
        if n == 0:
            return Agreement(0, 0.0, 0.0, *[float("nan")] * 4)
        x_spread, y_spread = xx - x * x / w, yy - y * y / w
        scale = 1e-12  # spread below rounding: the maps are constant, and R2 has no meaning
        varied = y_spread > scale * yy
        return Agreement(
            n=int(n),
            total=float(x * self._per_year()),
            other_total=float(y * self._per_year()),
            r2=float(1 - dd / y_spread) if varied else float("nan"),
            correlation=float((xy - x * y / w) / np.sqrt(x_spread * y_spread))
            if varied and x_spread > scale * xx
            else float("nan"),
            rmse=float(np.sqrt(dd / w)),
            bias=float((x - y) / w),
        )


def _bin_bias(cells: NDArray[np.float32]) -> tuple[float, float]:
    """Mean bias in the top tenth and the bottom quarter of the area, ranked by the mean of `other`.

    `cells` holds the sums of w, w x and w y of each cell.
    """
    weight, x, y = cells
    order = np.argsort(y / weight, kind="stable")
    share = np.cumsum(weight[order], dtype=np.float64)
    share = (share - weight[order] / 2) / share[-1]
    high, low = order[share >= _HIGH], order[share <= _LOW]
    return _mean(x - y, weight, high), _mean(x - y, weight, low)


def _mean(sums: NDArray[np.float32], weight: NDArray[np.float32], part: NDArray[np.int64]) -> float:
    if part.size == 0:
        return float("nan")
    return float(sums[part].sum(dtype=np.float64) / weight[part].sum(dtype=np.float64))
