"""Gridded fields at towers, and towers that their cell does not represent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import xarray as xr

from gppcore.constants import EARTH_RADIUS, IGBP, PFT_NAMES
from gppcore.errors import RangeError
from gppcore.features import FRACTIONS, land_cover_fractions
from gppcore.io.cluster import in_order
from gppcore.tiles.layout import CLIMATOLOGY_YEAR
from gppcore.tiles.store import TileStore
from gppcore.towers.files.gridded import Float, Gridded, gridded
from gppcore.towers.files.monthly import WEATHER
from gppcore.variables import VARIABLES, check_field

if TYPE_CHECKING:
    from distributed import Client

At = tuple[dict[str, Float], dict[str, float]]
"""Fields at a tower, and how far their nearest cell lies and how many were used."""
_SITES = 8
"""Towers that a worker of a cluster samples at a time."""
_OF_FORCING = {
    "tair",
    "tair_range",
    "sw_toa",
    "soil_water",
    "precip_3m",
    "c4_fraction",
    "fraction_wetland",
    "elevation",
}
"""Fields that `read_towers` derives, or takes from the metadata of sites."""
LEAST_OVERLAP = 0.5
"""Area share of the tower's types in its cell below which the cell does not represent the tower."""
ELEVATION_GAP = 200.0
"""Difference of elevation [m] above which it does not."""


@dataclass(frozen=True)
class TowerSamples:
    """Gridded fields at towers.

    Attributes
    ----------
    fields : xarray.Dataset
        (time, site) and (site,), under the names of the source; `igbp` has become shares `fraction_<pft>`. NaN where
        the grid has no value near a site.
    report : pandas.DataFrame
        By site_id: `distance_km` to the nearest of the cells that were used, `n_cells`, their number, `pft_overlap`,
        area share that tower and cells have in common, `elevation_difference_m`, cells minus tower, and `mismatch`,
        in words; empty where there is none.
    mean_year : bool
        Whether the source holds the twelve months of a mean year.

    Examples
    --------
    >>> import pandas as pd
    >>> from gppcore import sample_at_towers
    >>> from gppcore.demo.region import demonstration_region
    >>> place = {"lat": [51.0], "lon": [10.5], "igbp": ["DBF"], "elev_m": [440.0]}
    >>> sites = pd.DataFrame(place, index=pd.Index(["DE-Hai"], name="site_id"))
    >>> samples = sample_at_towers(demonstration_region(50.5, 51.5, 10, 11), sites)
    >>> samples.weather[["site_id", "month", "lai"]].round(1).iloc[6].to_dict()
    {'site_id': 'DE-Hai', 'month': 7, 'lai': 3.0}
    """

    fields: xr.Dataset
    report: pd.DataFrame
    mean_year: bool = False

    @property
    def weather(self) -> pd.DataFrame:
        """Months of the fields, as `write_tower_folder` takes them; `tair` and `tair_range` become extremes.

        Those of a mean year have no column `year`, and no `ca`, which differs by year.
        """
        fields = self.fields
        if "tmin" not in fields and "tair_range" in fields:
            half = fields["tair_range"] / 2.0
            fields = fields.assign(tmin=fields["tair"] - half, tmax=fields["tair"] + half)
        monthly = [name for name in WEATHER if name in fields and "time" in fields[name].dims]
        table = fields[monthly].to_dataframe().reset_index().rename(columns={"site": "site_id"})
        table = table.assign(year=table["time"].dt.year, month=table["time"].dt.month)
        return table.drop(columns=["time", "year", "ca"] if self.mean_year else "time", errors="ignore")

    @property
    def sites(self) -> pd.DataFrame:
        """Metadata of the sites that the fields hold, as `read_sites` takes them beside its own: `c4_percent`."""
        index = pd.Index(self.fields["site"].values, name="site_id")
        c4 = self.fields["c4_fraction"].values * 100.0 if "c4_fraction" in self.fields else np.nan
        return pd.DataFrame({"c4_percent": c4}, index=index)

    @property
    def predictors(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Monthly and static fields besides weather and land cover, as tables with site_id, and year and month.

        Those of a mean year have no column `year`. `write_tower_folder` adds them to the folder.
        """
        others = [str(name) for name in self.fields if name not in {*WEATHER, *FRACTIONS, *_OF_FORCING}]
        monthly = [name for name in others if "time" in self.fields[name].dims]
        fields = self.fields.drop_vars([name for name in self.fields if name not in monthly])
        table = fields.to_dataframe().reset_index().rename(columns={"site": "site_id"})
        table = table.assign(year=table["time"].dt.year, month=table["time"].dt.month).drop(columns="time")
        static = {name: self.fields[name].values for name in others if name not in monthly}
        places = pd.DataFrame({"site_id": self.fields["site"].values, **static})
        return (table.drop(columns="year") if self.mean_year else table), places


def sample_at_towers(
    source: TileStore | xr.Dataset,
    sites: pd.DataFrame,
    *,
    footprint: Literal["nearest", "mean"] = "nearest",
    client: Client | None = None,
) -> TowerSamples:
    """Take gridded fields at towers and report where the cell is another kind of place.

    Parameters
    ----------
    source : TileStore or xarray.Dataset
        Fields (time, lat, lon) and (lat, lon), under names of :mod:`gppcore.variables` or names of your own.
        `igbp` or all `fraction_<pft>` give the cover, `elevation` [m] the height. The months of a store of a mean year
        are those of the year 2001.
    sites : pandas.DataFrame
        What :func:`read_sites` returns.
    footprint : {"nearest", "mean"}
        The nearest cell that has all fields, out of the 3 x 3 about the tower, or the mean of all of these.
    client : distributed.Client, optional
        Of a dask cluster whose workers read the store, which they see under the same path. The result does not depend
        on it.

    Returns
    -------
    TowerSamples

    Raises
    ------
    RangeError
        If `footprint` is unknown, a field is out of range, or `client` is given and `source` is no store.
    ShapeError
        If the source has no such field.
    UnitsError
        If a field is in another unit than that of its name.

    Examples
    --------
    >>> import pandas as pd
    >>> from gppcore import sample_at_towers
    >>> from gppcore.demo.region import demonstration_region
    >>> place = {"lat": [51.0], "lon": [10.5], "igbp": ["DBF"], "elev_m": [440.0]}
    >>> sites = pd.DataFrame(place, index=pd.Index(["DE-Hai"], name="site_id"))
    >>> samples = sample_at_towers(demonstration_region(50.5, 51.5, 10, 11), sites)
    >>> samples.report[["distance_km", "pft_overlap"]].round(2)
             distance_km  pft_overlap
    site_id
    DE-Hai          3.28          0.0
    """
    if footprint not in ("nearest", "mean"):
        raise RangeError(f"footprint: expected nearest or mean, got {footprint!r}")
    grid = gridded(source)
    places = sites[["lat", "lon"]].to_numpy(dtype=float)
    at_sites: Iterable[list[At]]
    if client is None:
        at_sites = [_at_all(grid, places, footprint)]
    elif isinstance(source, TileStore):
        parts = ((places[start : start + _SITES],) for start in range(0, len(places), _SITES))
        at_sites = (at for _, at in in_order(client, _at_remote, (source.path.resolve(), footprint), parts))
    else:
        raise RangeError("source: expected a tile store, which workers of a cluster can open, got a dataset")
    taken, rows = [], []
    for (site, place), (values, found) in zip(sites.iterrows(), chain.from_iterable(at_sites), strict=True):
        taken.append(values)
        rows.append({"site_id": site, **found, **_compared(values, place)})
    stacked = {name: np.stack([values[name] for values in taken], axis=-1) for name in taken[0]}
    for name, field in stacked.items():
        if name in VARIABLES:
            check_field(name, field, where="source")
    time = grid.time
    mean_year = time is None
    if time is None:
        time = np.array([f"{CLIMATOLOGY_YEAR}-{month:02d}-15" for month in range(1, 13)], "M8[ns]")
    fields = {name: (("time", "site")[2 - field.ndim :], field) for name, field in stacked.items()}
    report = pd.DataFrame(rows).set_index("site_id")
    report["mismatch"] = [_mismatch(row) for _, row in report.iterrows()]
    coords = {"site": sites.index.to_numpy(dtype=str), "time": time}
    return TowerSamples(xr.Dataset(fields, coords=coords), report, mean_year)


def _at_all(grid: Gridded, places: Float, footprint: str) -> list[At]:
    """Return the fields at all places; each field is read for all of them together, as tiles are compressed."""
    rows = [int(np.abs(grid.lat - lat).argmin()) for lat in places[:, 0]]
    columns = [int(np.abs((grid.lon - lon + 180.0) % 360.0 - 180.0).argmin()) for lon in places[:, 1]]
    windows = {name: grid.windows(name, rows, columns) for name in grid.names}
    found = []
    for number, (row, column, (lat, lon)) in enumerate(zip(rows, columns, places, strict=True)):
        window = {name: field[..., number, :, :] for name, field in windows.items()}
        found.append(_at(window, _distances(grid, row, column, lat, lon), footprint))
    return found


def _at_remote(folder: Path, footprint: str, places: Float) -> list[At]:
    """Do the same in a worker of a cluster."""
    return _at_all(gridded(TileStore.open(folder)), places, footprint)


def _at(window: dict[str, Float], distances: Float, footprint: str) -> At:
    """Return the fields at one place, how far their nearest cell lies and how many were used."""
    if "igbp" in window:
        window |= land_cover_fractions(window.pop("igbp"))
    # Cells with the variables of the models; a gap in a predictor of one's own must not move the tower elsewhere.
    needed = [name for name in window if name in VARIABLES or name in FRACTIONS] or list(window)
    known = np.all([np.isfinite(window[name]).reshape(-1, 3, 3).any(axis=0) for name in needed], axis=0)
    distance = np.where(known, distances, np.inf)
    used = np.isfinite(distance)
    if footprint == "nearest":
        used &= np.arange(9).reshape(3, 3) == distance.argmin()
    n = int(used.sum())
    if not n:
        return {name: np.full(field.shape[:-2], np.nan) for name, field in window.items()}, {
            "distance_km": np.nan,
            "n_cells": 0,
        }
    return {name: field[..., used].mean(axis=-1) for name, field in window.items()}, {
        "distance_km": float(distance[used].min()),
        "n_cells": n,
    }


def _distances(grid: Gridded, row: int, column: int, lat: float, lon: float) -> Float:
    """Return the distances [km] to the 3 x 3 cell centres; a place beyond the edge of the grid is near none."""
    step_y, step_x = abs(grid.lat[1] - grid.lat[0]), abs(grid.lon[1] - grid.lon[0])
    dy = grid.lat[row] + np.sign(grid.lat[1] - grid.lat[0]) * step_y * np.array([-1.0, 0.0, 1.0])[:, None] - lat
    dx = grid.lon[column] + step_x * np.array([-1.0, 0.0, 1.0]) - lon
    dx = (dx + 180.0) % 360.0 - 180.0
    km = np.radians(np.hypot(dy, dx * np.cos(np.radians(lat)))) * EARTH_RADIUS / 1000.0
    near: Float = np.where((np.abs(dy) <= 1.6 * step_y) & (np.abs(dx) <= 1.6 * step_x), km, np.inf)
    return near


def _compared(values: dict[str, Float], place: pd.Series) -> dict[str, float]:
    mixture = next((c.mixture for c in IGBP if c.acronym == place["igbp"]), None)
    overlap = np.nan
    if mixture is not None and set(FRACTIONS) <= set(values):
        shares = [np.minimum(values[f"fraction_{name}"], mixture.get(name, 0.0)) for name in PFT_NAMES]
        overlap = float(np.sum(shares))
    gap = float(values["elevation"]) - float(place["elev_m"]) if "elevation" in values else np.nan
    return {"pft_overlap": overlap, "elevation_difference_m": gap}


def _mismatch(row: pd.Series) -> str:
    if row["n_cells"] == 0:
        return "no cell with values near the tower"
    found = []
    if row["pft_overlap"] < LEAST_OVERLAP:
        found.append(f"cover: {row['pft_overlap']:.0%} in common")
    if abs(row["elevation_difference_m"]) > ELEVATION_GAP:
        found.append(f"elevation: {row['elevation_difference_m']:+.0f} m")
    return "; ".join(found)
