"""The embedded world: land cover, vegetation and climate for the demonstration run."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import h5py
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import ShapeError
from gppcore.variables import check_range

WORLD_LICENCE = (
    "Land cover: MCD12C1 v006, NASA LP DAAC, no restriction on use or redistribution. "
    "NDVI and C4 share: BESS-JPL, Apache-2.0. "
    "Temperature and precipitation: contains modified Copernicus Climate Change Service information 2025; "
    "neither the European Commission nor ECMWF is responsible for any use that may be made of it."
)
"""Licences of the embedded data, to be repeated by every product made from them."""


def open_world() -> xr.Dataset:
    """Open the embedded world; values are read and unpacked on use.

    Returns
    -------
    xr.Dataset
        Names and units of `gppcore.variables`; cell centres, north first, longitude from -180.

        - ``igbp`` (lat, lon), uint8, 0.05 degree: 0 water, 1-16 IGBP classes; 0 south of 60 S.
        - ``ndvi_max``, ``ndvi_min`` (lat, lon), 0.05 degree: extremes of the year; NaN off the land.
        - ``c4_fraction`` (lat_1deg, lon_1deg), 0-1.
        - ``tair`` (degC), ``precip`` (mm d-1) (month, lat_quarter, lon_quarter), 0.25 degree: mean of
          2000-2025 on land and a rim of one cell around it; NaN elsewhere.

        Close it, or use it in a ``with`` block. Sources and licences are attributes of the variables.

    Examples
    --------
    >>> from gppcore.demo.world import open_world
    >>> with open_world() as world:
    ...     print(world["igbp"].shape, float(world["tair"].sel(lat_quarter=51.125, lon_quarter=10.375).mean().round(1)))
    (3600, 7200) 9.199999809265137
    """
    return xr.open_dataset(_world_path(), engine="h5netcdf")


def _world_path() -> Path:
    with as_file(files("gppcore.demo").joinpath("data", "world.nc")) as path:
        return path


def linke_turbidity(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Monthly Linke turbidity at the nearest cell of the climatology that pvlib carries.

    Parameters
    ----------
    lat, lon : array_like (n,)
        Latitude -90 to 90 and longitude -180 to 360, degrees.

    Returns
    -------
    array (12, n)
        Linke turbidity, 1; NaN where `lat` or `lon` is NaN.

    Raises
    ------
    ShapeError
        If `lat` and `lon` are not one-dimensional and equally long.
    RangeError
        If a coordinate is out of range.

    Notes
    -----
    Source: Remund et al. (2003), Worldwide Linke turbidity information, ISES Solar World Congress.
    The file holds 20 times the turbidity in cells of 1/12 degree from 90 N, 180 W.
    """
    lat = check_range("lat", np.asarray(lat, dtype=np.float64))
    lon = check_range("lon", np.asarray(lon, dtype=np.float64))
    if lat.ndim != 1 or lat.shape != lon.shape:
        raise ShapeError(f"lat, lon: expected two arrays of one dimension and one length, got {lat.shape}, {lon.shape}")
    with (
        as_file(files("pvlib").joinpath("data", "LinkeTurbidities.h5")) as path,
        h5py.File(path, "r") as file,
    ):
        stored = file["LinkeTurbidity"][:]
    rows, columns, _ = stored.shape
    missing = np.isnan(lat) | np.isnan(lon)
    row = np.where(missing, 0, (90 - lat) * rows / 180).astype(np.intp)
    column = np.where(missing, 0, (lon + 180) * columns / 360).astype(np.intp)
    turbidity = stored[np.minimum(row, rows - 1), column % columns].T / 20
    turbidity[:, missing] = np.nan
    return np.asarray(turbidity, dtype=np.float64)
