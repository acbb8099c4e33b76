"""Gridded CF files of other producers: lazy opening and coordinates."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import MissingFileError, ProductFormatError, ShapeError

if TYPE_CHECKING:
    import xarray as xr


def open_cf(path: Path, what: str) -> xr.Dataset:
    """Open a CF file or a Zarr store; values are read when they are needed, and the caller closes it.

    Parameters
    ----------
    path : Path
        A file that xarray reads, or the folder of a Zarr store.
    what : str
        What the file is for, for messages.

    Raises
    ------
    MissingFileError
        If there is nothing under the path.
    ProductFormatError
        If it cannot be read.
    """
    import xarray as xr

    if not path.exists():
        raise MissingFileError(f"{what}: expected a netCDF file or Zarr store, got no such file {path}")
    try:
        if path.is_dir():
            # Zarr 3 does not specify consolidated metadata, and local stores gain little from it.
            return xr.open_dataset(path, engine="zarr", consolidated=False, chunks=None)
        return xr.open_dataset(path, chunks=None)
    except (ValueError, OSError, KeyError) as error:
        raise ProductFormatError(f"{path}: expected a readable CF netCDF file or Zarr store, got: {error}") from error


_USUAL_NAMES = {
    "latitude": ("lat", "latitude", "y", "nav_lat"),
    "longitude": ("lon", "longitude", "x", "nav_lon"),
}
_UNITS = {  # all spellings of CF 4.1 and 4.2
    "latitude": {f"degree{plural}{end}" for plural in ("s", "") for end in ("_north", "_N", "N")},
    "longitude": {f"degree{plural}{end}" for plural in ("s", "") for end in ("_east", "_E", "E")},
}
_PLAIN_UNITS = (None, "", "degrees", "degree", "deg")


def coordinates(data: xr.DataArray | xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the one-dimensional coordinates of latitude and longitude.

    They are found by CF standard name, else by CF unit, else by a usual name: lat, latitude, y, nav_lat, and so for
    longitude, unless its unit is that of another quantity.

    Raises
    ------
    ShapeError
        If there is not one of each, or they are not one-dimensional on dimensions of their own.
    """
    lat, lon = _coordinate(data, "latitude"), _coordinate(data, "longitude")
    if lat.dims == lon.dims:
        raise ShapeError(
            f"latitude, longitude: expected two dimensions, got the one dimension {lat.dims[0]!r} for both, a list of "
            "places; bring it to a grid first"
        )
    return lat, lon


def axes(data: xr.DataArray | xr.Dataset) -> tuple[Hashable, Hashable]:
    """Return the names of the dimensions of latitude and longitude; errors are those of :func:`coordinates`."""
    lat, lon = coordinates(data)
    return lat.dims[0], lon.dims[0]


def bounds(data: xr.DataArray | xr.Dataset, coordinate: xr.DataArray) -> NDArray[np.generic] | None:
    """Return the CF bounds of a coordinate, shape (n, 2); None if the data have none."""
    name = coordinate.attrs.get("bounds", coordinate.encoding.get("bounds"))
    if name is None or (name not in data.coords and name not in getattr(data, "data_vars", ())):
        return None
    pairs: NDArray[np.generic] = data[name].values
    if pairs.shape != (coordinate.size, 2):
        raise ShapeError(f"{name}: expected shape ({coordinate.size}, 2), got {pairs.shape}")
    return pairs


def _coordinate(data: xr.DataArray | xr.Dataset, standard_name: str) -> xr.DataArray:
    for matches in _matches(data, standard_name):
        flat = [name for name in matches if data[name].ndim == 1]
        if len(flat) == 1:
            return data[flat[0]]
        if len(flat) > 1:
            raise ShapeError(f"{standard_name}: expected one coordinate, got {flat}; drop or rename the others")
        if matches:
            raise ShapeError(
                f"{standard_name}: expected one dimension, got {data[matches[0]].dims} for {matches[0]!r}; regrid the "
                "file to a latitude-longitude grid first, for instance with `cdo remapcon`"
            )
    raise ShapeError(
        f"{standard_name}: expected one dimension with that coordinate, by CF attributes or named "
        f"{', '.join(_USUAL_NAMES[standard_name])}, got dimensions {tuple(data.dims)}"
    )


def _matches(data: xr.DataArray | xr.Dataset, standard_name: str) -> Iterator[list[Hashable]]:
    """Yield the variables that may be the coordinate, the most certain ones first."""
    names: list[Hashable] = [*data.coords, *getattr(data, "data_vars", ())]
    names = [name for name in names if 0 < data[name].ndim <= 2]
    yield [name for name in names if data[name].attrs.get("standard_name") == standard_name]
    yield [name for name in names if data[name].attrs.get("units") in _UNITS[standard_name]]
    yield [
        name
        for name in names
        if str(name).lower() in _USUAL_NAMES[standard_name] and data[name].attrs.get("units") in _PLAIN_UNITS
    ]
