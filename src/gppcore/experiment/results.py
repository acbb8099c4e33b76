"""Results of an experiment: totals, zonal means and display maps of the tiles; skill and seasonal cycles at towers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.evaluation.metrics import skill
from gppcore.experiment.coarse import PROCESS, cell_areas
from gppcore.io.mapped import whole_files
from gppcore.regrid import aggregate
from gppcore.regrid.grid import edges
from gppcore.tiles.store import TileStore
from gppcore.variables import DAYS_IN_MONTH, MONTHS

Float = NDArray[np.float64]

VARIABLE_OF = {"process": PROCESS, "direct": "gpp_daily_direct", "transfer": "gpp_daily"}
BOUNDS = {"low": "gpp_daily_low", "high": "gpp_daily_high"}
"""Bounds of the 90 % intervals of the transferred model."""
INDEX = "dissimilarity"
STATIC = (INDEX, "vcmax25")
"""Fields of the map without months."""
SKILL = ("r2", "rmse", "bias", "n")
_DISPLAY_COLUMNS = 1440
_MIN_SITES = 3
_MONTH_FIELDS = {"january": 0, "july": 6}
_FEWEST_YEARS = 5
"""Years from which a trend is mapped."""
_HELD = {"site": "site_id", "temporal": "year", "regional": "group"}


@dataclass(frozen=True)
class MapSummary:
    """Fields and totals of the mapped cells, means of all years.

    Attributes
    ----------
    lat, lon : ndarray (n_lat,), (n_lon,)
        Display grid [degree].
    maps : dict of ndarray (n_lat, n_lon)
        "annual", "difference" [g C m-2 yr-1], "january", "july" [g C m-2 d-1]; "interval", the mean width of the 90 %
        interval of a month [g C m-2 d-1], "dissimilarity" [1] and "vcmax25" [umol m-2 s-1], if the tiles hold them;
        "trend" [g C m-2 yr-2] of five years or more.
    zonal_lat : ndarray (n,)
    zonal : dict of ndarray (n,)
        By method [g C m-2 yr-1], and the bounds "low" and "high" of the transferred model, if the tiles hold them.
    totals : dict of float
        By method [Pg C yr-1], and the bounds.
    years : dict of dict of int to float
        By method the total of each year [Pg C yr-1]; empty for a mean year.
    reach, outside : float or None
        Dissimilarity at which the area of applicability ends, and share of the area of the cells outside it [1].
    """

    lat: Float
    lon: Float
    maps: dict[str, Float]
    zonal_lat: Float
    zonal: dict[str, Float]
    totals: dict[str, float]
    years: dict[str, dict[int, float]]
    reach: float | None
    outside: float | None


def summarise_map(store: TileStore) -> MapSummary:
    """Reduce the monthly tiles of all methods to annual totals [Pg C yr-1], zonal means and display maps."""
    area = cell_areas(store)
    annual: dict[str, Float] = {}
    years: dict[str, dict[int, float]] = {}
    fields: dict[str, NDArray[Any]] = {}
    there = set(store.variables)
    for name, variable in {**VARIABLE_OF, **BOUNDS}.items():
        if variable in there:
            annual[name], years[name], more = _sums(store, variable, area, months=name == "transfer")
            fields |= more
    fields |= {"annual": annual["transfer"], "difference": annual["transfer"] - annual["process"]}
    if set(BOUNDS) <= set(annual):
        fields["interval"] = (annual["high"] - annual["low"]) / DAYS_IN_MONTH.sum()
    fields |= {name: store.read_field(name) for name in STATIC if name in there}
    reach = outside = None
    if INDEX in there:
        reach = float(store.attributes(INDEX)["area_of_applicability"])
        outside = float(area[fields[INDEX] > reach].sum() / area.sum())
    band = (90.0 - store.lat[store.index // store.shape[1]]).astype(int)
    lat, lon, maps = _display(store, fields)
    shown = np.flatnonzero(np.bincount(band, minlength=180))
    rows = slice(shown[0], shown[-1] + 1)
    return MapSummary(
        lat,
        lon,
        maps,
        (89.5 - np.arange(180.0))[rows],
        {name: _zonal(band, area, values)[rows] for name, values in annual.items()},
        {name: float(np.nansum(area * values) / 1e15) for name, values in annual.items()},
        {name: years[name] for name in VARIABLE_OF if years.get(name)},
        reach,
        outside,
    )


def _sums(
    store: TileStore, variable: str, area: Float, *, months: bool
) -> tuple[Float, dict[int, float], dict[str, NDArray[Any]]]:
    """Return the annual mean sum of each cell, the total of each year, and fields: two months and the trend."""
    n = len(store.each_year)
    mean, moment = np.zeros(store.index.size), np.zeros(store.index.size)
    totals, fields = {}, {name: np.zeros(store.index.size) for name in _MONTH_FIELDS} if months else {}
    centre = (n - 1) / 2
    for number, year in enumerate(store.each_year):
        total = np.zeros(store.index.size)
        for tile in range(store.n_tiles):
            cells, values = store.cells(tile), store.read(variable, tile, year)
            with whole_files():
                for month in range(MONTHS):
                    total[cells] += values[month] * DAYS_IN_MONTH[month]
                for name, field in fields.items():
                    field[cells] += values[_MONTH_FIELDS[name]] / n
        mean += total / n
        moment += total * (number - centre)
        if year is not None:
            totals[year] = float(np.nansum(area * total) / 1e15)
    if months and n >= _FEWEST_YEARS:
        fields["trend"] = moment * 12 / (n * (n**2 - 1))
    return mean, totals, fields


def _zonal(band: NDArray[np.int64], area: Float, values: Float) -> Float:
    """Return means over bands of one degree, NaN where no cell is known."""
    known = np.isfinite(values)
    weight = np.bincount(band[known], area[known], 180)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(band[known], (area * values)[known], 180) / weight)


def _display(store: TileStore, fields: Mapping[str, NDArray[Any]]) -> tuple[Float, Float, dict[str, Float]]:
    """Average the cells to a grid small enough to draw, north first, cut to the cells."""
    row, column = np.divmod(store.index, store.shape[1])
    factor = max(1, -(-int(column.max() - column.min() + 1) // _DISPLAY_COLUMNS))
    top, left = row.min() // factor * factor, column.min() // factor * factor
    rows, columns = (-(-(high + 1 - low) // factor) * factor for low, high in ((top, row.max()), (left, column.max())))
    lat, lon = _axis(store.lat, top, rows), _axis(store.lon, left, columns)
    maps = {}
    for name, values in fields.items():
        grid = np.full((rows, columns), np.nan, dtype=np.float32)
        grid[row - top, column - left] = values
        maps[name] = aggregate(grid, factor=factor, lat_edges=np.clip(edges(lat), -90.0, 90.0)).astype(np.float64)
    shown_lat, shown_lon = (axis.reshape(-1, factor).mean(axis=1) for axis in (lat, lon))
    if shown_lat[0] < shown_lat[-1]:
        shown_lat, maps = shown_lat[::-1], {name: grid[::-1] for name, grid in maps.items()}
    return shown_lat, shown_lon, maps


def _axis(centres: Float, first: int, n: int) -> Float:
    """Return n centres from one on, continued beyond the end of the grid."""
    step = (centres[-1] - centres[0]) / (centres.size - 1)
    return np.asarray(centres[0] + step * (first + np.arange(n)))


def seasonal_cycles(predictions: pd.DataFrame, columns: Sequence[str], lat: pd.Series) -> dict[str, dict[str, Float]]:
    """Return mean seasonal cycles by type and hemisphere, predicted with the site held out.

    A type is shown for a hemisphere if three sites or more have data there; `lat` is by site [degree].
    """
    cycles = {}
    south = predictions["site_id"].map(lat) < 0.0
    for (pft, is_south), rows in predictions.groupby(["pft", south]):
        if rows["site_id"].nunique() >= _MIN_SITES:
            means = rows.groupby("month")[["observed", *columns]].mean().reindex(range(1, MONTHS + 1))
            title = f"{pft}, {'south' if is_south else 'north'}"
            cycles[title] = {str(name): means[name].to_numpy(float) for name in means}
    return cycles


def skill_by_tower(predictions: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """Return by site_id: lat, lon, n, and the bias and RMSE of the transferred model."""
    error = (predictions["transfer"] - predictions["observed"]).groupby(predictions["site_id"])
    found = pd.DataFrame({"n": error.size(), "bias": error.mean(), "rmse": error.apply(lambda e: (e**2).mean() ** 0.5)})
    return found.join(sites[["lat", "lon"]])


def skill_table(
    predictions: Mapping[str, pd.DataFrame], methods: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return skill by scheme and method, with the number of sites, years or regions held out."""
    table: dict[str, dict[str, dict[str, float]]] = {}
    for scheme, rows in predictions.items():
        groups = int(rows[_HELD[scheme]].nunique())
        table[scheme] = {}
        for method in methods:
            found = skill(rows["observed"].to_numpy(float), rows[method].to_numpy(float))
            table[scheme][method] = {**{key: found[key] for key in SKILL}, "groups": groups}
    return table
