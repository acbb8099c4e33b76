"""Results of the demonstration: totals, zonal means, display maps and seasonal cycles at towers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.demo.fields import HALF, centres, fine_area
from gppcore.demo.learning import PROCESS
from gppcore.evaluation.holdout import Evaluation
from gppcore.features import Samples
from gppcore.regrid import aggregate
from gppcore.tiles.store import TileStore
from gppcore.variables import DAYS_IN_MONTH, MONTHS

Float = NDArray[np.float64]

VARIABLE_OF = {"process": PROCESS, "direct": "gpp_daily_direct", "transfer": "gpp_daily"}
_DISPLAY_COLUMNS = 1440
_MIN_SITES = 3


@dataclass(frozen=True)
class MapSummary:
    """Fields and totals of the mapped cells."""

    lat: Float
    lon: Float
    maps: dict[str, Float]
    zonal_lat: Float
    zonal: dict[str, Float]
    totals: dict[str, float]


_SKILL = ("r2", "rmse", "bias", "n")


def summarise_map(store: TileStore) -> MapSummary:
    """Reduce the monthly tiles of all methods to annual totals [Pg C yr-1], zonal means and display maps."""
    area = fine_area(store.index)
    annual = {method: np.zeros(store.index.size) for method in VARIABLE_OF}
    month_fields = {}
    for method, variable in VARIABLE_OF.items():
        for month in range(MONTHS):
            field = store.read_field(variable, month)
            annual[method] += field * DAYS_IN_MONTH[month]
            if method == "transfer" and month in (0, 6):
                month_fields[month] = field
    band = (90 - centres()[0][store.index // store.shape[1]]).astype(int)
    weight = np.bincount(band, area, 180)
    with np.errstate(invalid="ignore"):
        zonal = {method: np.bincount(band, area * a, 180) / weight for method, a in annual.items()}
    bands = np.flatnonzero(weight)
    shown = slice(bands[0], bands[-1] + 1)
    fields: dict[str, NDArray[Any]] = {
        "annual": annual["transfer"],
        "january": month_fields[0],
        "july": month_fields[6],
        "difference": annual["transfer"] - annual["process"],
    }
    lat, lon, maps = _display(store, fields)
    return MapSummary(
        lat,
        lon,
        maps,
        (89.5 - np.arange(180.0))[shown],
        {method: z[shown] for method, z in zonal.items()},
        {method: float((area * a).sum() / 1e15) for method, a in annual.items()},
    )


def _display(store: TileStore, fields: Mapping[str, NDArray[Any]]) -> tuple[Float, Float, dict[str, Float]]:
    """Average the cells to a grid small enough to draw, cut to whole 0.5 degree cells around them."""
    row, column = np.divmod(store.index, store.shape[1])
    top, bottom = row.min() // HALF * HALF, -(-(row.max() + 1) // HALF) * HALF
    left, right = column.min() // HALF * HALF, -(-(column.max() + 1) // HALF) * HALF
    factor = next(f for f in (1, 2, 5, 10) if right - left <= f * _DISPLAY_COLUMNS)
    lat_edges = (90.0 - 0.05 * top, 90.0 - 0.05 * bottom)
    maps = {}
    for name, values in fields.items():
        grid = np.full((bottom - top, right - left), np.nan, dtype=np.float32)
        grid[row - top, column - left] = values
        maps[name] = aggregate(grid, factor=factor, lat_edges=lat_edges).astype(np.float64)
    lat, lon = centres(factor)
    return lat[top // factor : bottom // factor], lon[left // factor : right // factor], maps


def seasonal_cycles(samples: Samples, judged: Evaluation) -> dict[str, dict[str, Float]]:
    """Return mean seasonal cycles of land cover classes with data from at least three sites.

    Predictions are those with the site held out.
    """
    groups = samples.groups.iloc[judged.rows]
    series = {"observed": judged.observed, **judged.predicted}
    month = groups["month"].to_numpy()
    cycles = {}
    for name in sorted(set(groups["pft"])):
        member = (groups["pft"] == name).to_numpy()
        if groups.loc[member, "site"].nunique() < _MIN_SITES:
            continue
        cycles[name] = {k: _monthly_mean(v[member], month[member]) for k, v in series.items()}
    return cycles


def _monthly_mean(values: Float, month: NDArray[np.int64]) -> Float:
    count = np.bincount(month - 1, minlength=MONTHS)
    with np.errstate(invalid="ignore"):
        return np.bincount(month - 1, values, MONTHS) / np.where(count, count, np.nan)


def skill_table(samples: Samples, judged: Mapping[str, Evaluation]) -> dict[str, dict[str, dict[str, float]]]:
    """Return skill by scheme and method, with the number of sites, years or regions held out."""
    held = {"site": "site", "temporal": "year", "regional": "region"}
    table: dict[str, dict[str, dict[str, float]]] = {}
    for scheme, result in judged.items():
        groups = int(samples.groups.iloc[result.rows][held[scheme]].nunique())
        table[scheme] = {
            method: {**{key: metrics[key] for key in _SKILL}, "groups": groups}
            for method, metrics in result.skill.items()
        }
    return table
