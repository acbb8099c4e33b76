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
from gppcore.regrid import aggregate
from gppcore.regrid.grid import edges
from gppcore.tiles.store import TileStore
from gppcore.variables import DAYS_IN_MONTH, MONTHS

Float = NDArray[np.float64]

VARIABLE_OF = {"process": PROCESS, "direct": "gpp_daily_direct", "transfer": "gpp_daily"}
SKILL = ("r2", "rmse", "bias", "n")
_DISPLAY_COLUMNS = 1440
_MIN_SITES = 3
_HELD = {"site": "site_id", "temporal": "year", "regional": "group"}


@dataclass(frozen=True)
class MapSummary:
    """Fields and totals of the mapped cells, means of all years."""

    lat: Float
    lon: Float
    maps: dict[str, Float]
    zonal_lat: Float
    zonal: dict[str, Float]
    totals: dict[str, float]


def summarise_map(store: TileStore) -> MapSummary:
    """Reduce the monthly tiles of all methods to annual totals [Pg C yr-1], zonal means and display maps."""
    area, years = cell_areas(store), len(store.each_year)
    annual, month_fields = {}, {month: np.zeros(store.index.size) for month in (0, 6)}
    there = set(store.variables)
    for method, variable in VARIABLE_OF.items():
        if variable not in there:
            continue
        annual[method] = np.zeros(store.index.size)
        for month in range(MONTHS * years):
            field = store.read_field(variable, month)
            annual[method] += field * DAYS_IN_MONTH[month % MONTHS] / years
            if method == "transfer" and month % MONTHS in month_fields:
                month_fields[month % MONTHS] += field / years
    band = (90.0 - store.lat[store.index // store.shape[1]]).astype(int)
    fields: dict[str, NDArray[Any]] = {
        "annual": annual["transfer"],
        "january": month_fields[0],
        "july": month_fields[6],
        "difference": annual["transfer"] - annual["process"],
    }
    lat, lon, maps = _display(store, fields)
    shown = np.flatnonzero(np.bincount(band, minlength=180))
    rows = slice(shown[0], shown[-1] + 1)
    return MapSummary(
        lat,
        lon,
        maps,
        (89.5 - np.arange(180.0))[rows],
        {method: _zonal(band, area, values)[rows] for method, values in annual.items()},
        {method: float(np.nansum(area * values) / 1e15) for method, values in annual.items()},
    )


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


def seasonal_cycles(predictions: pd.DataFrame, methods: Sequence[str]) -> dict[str, dict[str, Float]]:
    """Return mean seasonal cycles of types with data from at least three sites, predicted with the site held out."""
    cycles = {}
    for pft, rows in predictions.groupby("pft"):
        if rows["site_id"].nunique() >= _MIN_SITES:
            means = rows.groupby("month")[["observed", *methods]].mean().reindex(range(1, MONTHS + 1))
            cycles[str(pft)] = {str(name): means[name].to_numpy(float) for name in means}
    return cycles


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
