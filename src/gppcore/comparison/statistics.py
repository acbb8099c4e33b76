"""Sums over common cells, accumulated in bands of rows, and the resulting comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gppcore.comparison import moments, variability
from gppcore.comparison.common import PG, Means
from gppcore.comparison.layers import MOST_CLASSES, Layer
from gppcore.comparison.maps import Blocks
from gppcore.comparison.read import YEAR_DAYS
from gppcore.comparison.result import Comparison, Density
from gppcore.comparison.uncertainty import BlockMoments
from gppcore.errors import ProductFormatError
from gppcore.regrid import LatLonGrid, cell_area

Floats = NDArray[np.float64]

TROPIC = 10.0
"""Latitude that bounds the tropics [degree]."""
_LEAST_VALID = 0.5 - 1e-6  # half, with a margin for rounding
_HIGH, _LOW, _BINS = 0.9, 0.25, 10
_SAME_TOTAL = 5e-3
_DENSITY_STEP, _DENSITY_BINS = 0.05, 500


class Sums:
    """Weighted sums of every product and the reference over their common cells."""

    def __init__(
        self,
        grid: LatLonGrid,
        names: Sequence[str],
        months: tuple[int, ...],
        days: Floats,
        land: Layer | None = None,
        classes: Layer | None = None,
    ) -> None:
        """Take the names of the products, the reference last, and the days of each map; `months` is () for annual."""
        self._grid, self._names, self._months, self._days = grid, names, months, days
        self._land, self._classes = land, classes
        self._own = np.zeros(len(names))
        self._pairs = [_Pair(grid, days.size) for _ in names[1:]]

    def add(self, rows: slice, fields: Sequence[Means]) -> None:
        """Add a band of rows."""
        band = self._grid.rows(rows)
        area = cell_area(band.lat_edges, band.lon_edges)
        if self._land is not None:
            area = area * self._land.means(band)
        cells = np.zeros((len(self._pairs), moments.TERMS, *band.shape))
        terms = np.empty(cells.shape[1:])
        for month, days in enumerate(self._days):
            weight = area * days
            maps = [(mean[month], valid[month]) for mean, valid in fields]
            self._own += [np.nansum(x * valid * weight) for x, valid in maps]
            share = np.min([valid for _, valid in maps], axis=0)
            common = share >= _LEAST_VALID
            w = np.where(common, weight * share, 0.0)
            *products, y = (np.where(common, x, 0.0).astype(np.float64) for x, _ in maps)
            for pair, x, sums in zip(self._pairs, products, cells, strict=True):
                sums += moments.moments(common, w, x, y, terms)
                pair.add_month(rows, month, terms)
                pair.add_density(x[common], y[common])
        classes = None if self._classes is None else self._classes.classes(band)
        for pair, sums in zip(self._pairs, cells, strict=True):
            pair.add_cells(rows, sums, classes)

    def results(
        self,
        annual: Sequence[Mapping[int, float]],
        stated: Sequence[tuple[float, float, float] | None] = (),
    ) -> tuple[Comparison, ...]:
        """Return the comparison of every product with the reference.

        `annual` holds the totals of all by year, and `stated` those with intervals that their files state.

        Raises
        ------
        ProductFormatError
            If no cell is valid in all.
        """
        own = self._own * self._per_year
        if not any(pair.monthly[0].any() for pair in self._pairs):
            raise ProductFormatError(f"{' and '.join(self._names)}: expected cells valid in all of them, got none")
        ends = [_stated(*pair) for pair in zip(own, stated or [None] * len(own), strict=True)]
        return tuple(self._comparison(i, pair, own, annual, ends) for i, pair in enumerate(self._pairs))

    @property
    def _per_year(self) -> float:
        """Factor from g over the days compared to Pg per year."""
        return PG * YEAR_DAYS / float(self._days.sum())

    def _comparison(
        self,
        index: int,
        pair: _Pair,
        own: Floats,
        annual: Sequence[Mapping[int, float]],
        ends: Sequence[tuple[float, float]],
    ) -> Comparison:
        lat = (self._grid.lat_edges[:-1] + self._grid.lat_edges[1:]) / 2
        rows = {
            "whole": np.ones(lat.shape, bool),
            "tropics": np.abs(lat) < TROPIC,
            "north": lat >= TROPIC,
            "south": lat <= -TROPIC,
        }
        by_region = {name: pair.monthly[:, inside].sum(axis=1) for name, inside in rows.items()}
        seasons = {name: moments.means(sums) for name, sums in by_region.items() if sums[0].any()}
        zonal, other_zonal = moments.means(pair.monthly.sum(axis=2))
        cells, rank = _ranked(np.concatenate(pair.cells, axis=1))
        bins = np.array([_mean_fluxes(cells, rank, i / _BINS, (i + 1) / _BINS) for i in range(_BINS)])
        names = {} if self._classes is None else self._classes.names()
        high, low = _mean_fluxes(cells, rank, _HIGH, 1.0), _mean_fluxes(cells, rank, 0.0, _LOW)
        return Comparison(
            product=self._names[index],
            other=self._names[-1],
            months=self._months,
            resolution=self._grid.step,
            own_total=float(own[index]),
            other_own_total=float(own[-1]),
            own_interval=ends[index],
            other_own_interval=ends[-1],
            annual_totals=annual[index],
            other_annual_totals=annual[-1],
            regions={n: moments.agreement(sums.sum(axis=1), self._per_year) for n, sums in by_region.items()},
            intervals=pair.areas.intervals(TROPIC, self._per_year),
            classes={
                names.get(code, f"class {code}"): moments.agreement(sums, self._per_year)
                for code, sums in enumerate(pair.classes.T)
                if sums[0]
            },
            seasons=variability.seasons(
                {name: x for name, (x, _) in seasons.items()},
                {name: y for name, (_, y) in seasons.items()},
                self._months,
            ),
            variability=variability.variability(annual[index], annual[-1]),
            high_bias=high[0] - high[1],
            low_bias=low[0] - low[1],
            bins=bins[:, 0],
            other_bins=bins[:, 1],
            lat=lat,
            zonal=zonal * YEAR_DAYS,
            other_zonal=other_zonal * YEAR_DAYS,
            seasonal={name: x for name, (x, _) in seasons.items()},
            other_seasonal={name: y for name, (_, y) in seasons.items()},
            density=Density(_DENSITY_STEP, pair.density.reshape(_DENSITY_BINS, _DENSITY_BINS)),
            maps=pair.blocks.maps(self._days.size),
        )


def _stated(own: float, stated: tuple[float, float, float] | None) -> tuple[float, float]:
    """Return the interval that a file states for its total, NaN if the cells compared have another one."""
    if stated is None or abs(stated[0] - own) > _SAME_TOTAL * own:
        return float("nan"), float("nan")
    return stated[1:]


class _Pair:
    """Sums of one product and the reference."""

    def __init__(self, grid: LatLonGrid, n_months: int) -> None:
        self.monthly = np.zeros((moments.TERMS, grid.shape[0], n_months))
        self.density = np.zeros(_DENSITY_BINS**2, np.int64)
        self.cells: list[NDArray[np.float32]] = []  # sums of w, w x and w y of each common cell
        self.blocks = Blocks(grid)
        self.areas = BlockMoments(grid)
        self.classes = np.zeros((moments.TERMS, MOST_CLASSES))

    def add_month(self, rows: slice, month: int, terms: Floats) -> None:
        self.monthly[:, rows, month] += terms.sum(axis=2)

    def add_density(self, x: Floats, y: Floats) -> None:
        row, column = (np.clip(flux / _DENSITY_STEP, 0, _DENSITY_BINS - 1).astype(np.int64) for flux in (y, x))
        self.density += np.bincount(row * _DENSITY_BINS + column, minlength=self.density.size)

    def add_cells(self, rows: slice, sums: Floats, classes: NDArray[np.int64] | None) -> None:
        self.cells.append(sums[1:4, sums[1] > 0.0].astype(np.float32))
        self.blocks.add(rows, sums)
        self.areas.add(rows, sums)
        if classes is not None:
            known = classes >= 0
            for total, term in zip(self.classes, sums, strict=True):
                total += np.bincount(classes[known], term[known], total.size)


def _ranked(cells: NDArray[np.float32]) -> tuple[NDArray[np.float32], Floats]:
    """Sort cells by the mean flux of the reference; also return their rank by area (0 lowest, 1 highest)."""
    cells = cells[:, np.argsort(cells[2] / cells[0], kind="stable")]
    area = np.cumsum(cells[0], dtype=np.float64)
    return cells, (area - cells[0] / 2) / area[-1]


def _mean_fluxes(cells: NDArray[np.float32], rank: Floats, low: float, high: float) -> tuple[float, float]:
    """Mean flux of both for ranks between `low` and `high`; NaN if there is no such cell."""
    first, last = np.searchsorted(rank, (low, high))
    if first == last:
        return float("nan"), float("nan")
    weight, x, y = cells[:, first:last].sum(axis=1, dtype=np.float64)
    return float(x / weight), float(y / weight)
