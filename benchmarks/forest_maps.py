"""Predictors on real grids for benchmarks of maps, cells listed by windows as in a tile store.

The fixed fields are real. Months are modelled: vegetation between its real extremes, and a climate that is as smooth
in space as one of 0.5 degrees brought to 0.05 degrees.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import xarray as xr

from gppcore.tiles.layout import window_order

REGION = slice(500, 1780), slice(3500, 4780)  # Europe, Africa: 64 x 64 degrees
N_CELLS = 204_800


def grids() -> Path:
    """Return the folder of real grids."""
    return Path(os.environ.get("GPPCORE_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "grids"


def field(name: str, variable: str) -> np.ndarray:
    with xr.open_dataset(grids() / f"{name}.nc") as data:
        return np.asarray(data[variable][REGION].values, np.float32)


def elevation(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    with xr.open_dataset(grids() / "elevation_5min.nc") as data:
        values = data["elevation"].sel(
            lat=xr.DataArray(lat, dims="y"), lon=xr.DataArray(lon, dims="x"), method="nearest"
        )
        return np.asarray(values.values, np.float32)


def map_columns() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return six monthly columns (6, 12, n), six fixed ones (6, n) and a target of July (n), float32."""
    with xr.open_dataset(grids() / "ndvi_minmax_0p05.nc") as data:
        lat, lon = data["lat"].values[REGION[0]], data["lon"].values[REGION[1]]
    high, low = field("ndvi_minmax_0p05", "NDVI_maximum"), field("ndvi_minmax_0p05", "NDVI_minimum")
    vcmax, cover = field("bess_parameters_0p05", "peakVCmax_C3"), field("landcover_igbp_0p05", "igbp")
    climate, height = field("koeppen_main_0p05", "koeppen"), elevation(lat, lon)
    land = np.isfinite(high) & np.isfinite(low) & np.isfinite(vcmax) & (climate > 0) & (climate < 30)
    cells = np.divmod(window_order(np.flatnonzero(land), land.shape)[:N_CELLS], land.shape[1])
    static = np.stack([f[cells] for f in (high, low, vcmax, cover, climate, height)])
    latitude, longitude = lat[cells[0]], lon[cells[1]]
    month = np.arange(12)[:, None]
    season = np.cos(2 * np.pi * (month - 6.5) / 12) * np.sign(latitude)
    sun = np.cos(np.radians(latitude - 23.4 * season * np.sign(latitude))).clip(0)
    inland = np.sin(np.radians(4 * longitude)) * np.cos(np.radians(3 * latitude))
    tair = 28 * sun + 10 * season * np.abs(latitude) / 60 + 3 * inland - 3
    ndvi = static[1] + (static[0] - static[1]) * (0.5 + 0.5 * season)
    sw = 330 * sun * (0.75 + 0.1 * inland)
    vpd = 610 * np.exp(0.06 * tair) * (0.5 + 0.2 * inland)
    precip = 3 * (1.2 + 0.4 * season) * (1 - 0.5 * inland)
    months = np.stack([tair, sw, vpd, precip, ndvi, np.broadcast_to(sun, tair.shape)]).astype(np.float32)
    july = months[:, 6]
    target = 12 * july[4] * np.minimum(july[1] / 300, 1) * np.exp(-(((july[0] - 22) / 14) ** 2)) * (static[2] / 60)
    noise = np.random.default_rng(0).normal(scale=0.3, size=target.size)
    return months, np.ascontiguousarray(static, np.float32), (target + noise + 0.3 * (static[3] % 5)).astype(np.float32)
