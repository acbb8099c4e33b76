"""xarray objects: their grids, and regridding of them by functions of arrays. xarray is imported when one comes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import RangeError, ShapeError
from gppcore.regrid.grid import LatLonGrid, edges

if TYPE_CHECKING:
    import xarray as xr

Labelled = TypeVar("Labelled", "xr.DataArray", "xr.Dataset")

_LAT = ("lat", "latitude")
_LON = ("lon", "longitude")
_LAT_UNITS = ("degrees_north", "degree_north", "degrees_N", "degree_N")
_LON_UNITS = ("degrees_east", "degree_east", "degrees_E", "degree_E")


def is_labelled(value: object) -> bool:
    """Whether it is an xarray object; does not import xarray."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(value, xarray.DataArray | xarray.Dataset)


def axes(data: xr.DataArray | xr.Dataset) -> tuple[Hashable, Hashable]:
    """Return the names of the dimensions of latitude and longitude.

    They are the one-dimensional coordinates with the CF standard name, axis unit or usual name.

    Raises
    ------
    ShapeError
        If there is not one of each.
    """
    found = []
    for standard, units, names in (("latitude", _LAT_UNITS, _LAT), ("longitude", _LON_UNITS, _LON)):
        matches = [
            name
            for name in data.dims
            if name in data.coords
            and (
                data[name].attrs.get("standard_name") == standard
                or data[name].attrs.get("units") in units
                or str(name).lower() in names
            )
        ]
        if len(matches) != 1:
            message = f"{standard}: expected one dimension with that coordinate, got {matches} of {tuple(data.dims)}"
            raise ShapeError(message)
        found.append(matches[0])
    return found[0], found[1]


def grid_of(data: xr.DataArray | xr.Dataset) -> LatLonGrid:
    """Return the grid of an xarray object: from CF bounds where it has them, else from the centres.

    Parameters
    ----------
    data : xarray.DataArray or xarray.Dataset
        With coordinates of latitude and longitude, by CF standard name, units or a usual name. Bounds are the
        variable that the attribute ``bounds`` names, shape (n, 2).

    Raises
    ------
    ShapeError, RangeError
    """
    lat, lon = axes(data)
    return LatLonGrid(_edges_of(data, lat), _edges_of(data, lon))


def _edges_of(data: xr.DataArray | xr.Dataset, name: Hashable) -> NDArray[np.float64]:
    coordinate = data[name]
    bounds = coordinate.attrs.get("bounds", coordinate.encoding.get("bounds"))
    if bounds is None or (bounds not in data.coords and bounds not in getattr(data, "data_vars", ())):
        return edges(coordinate.values)
    pairs = np.asarray(data[bounds].values, dtype=np.float64)
    if pairs.shape != (coordinate.size, 2):
        message = f"{bounds}: expected shape ({coordinate.size}, 2), got {pairs.shape}"
        raise ShapeError(message)
    centres = coordinate.values
    descends = centres[-1] < centres[0] if centres.size > 1 else pairs[0, 1] < pairs[0, 0]
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    begin, end = (high, low) if descends else (low, high)
    if not np.allclose(begin[1:], end[:-1], rtol=0.0, atol=1e-3 * (high - low).min()):
        message = f"{bounds}: expected cells that touch, got a gap or an overlap"
        raise RangeError(message)
    return np.append(begin, end[-1])


def check_grid(array: xr.DataArray, grid: LatLonGrid) -> None:
    """Raise a ShapeError unless each centre of the array lies in its cell of the grid."""
    for name, side in zip(axes(array), (grid.lat_edges, grid.lon_edges), strict=True):
        centres = np.asarray(array[name].values, dtype=np.float64)
        tolerance = 1e-3 * np.abs(np.diff(side)).min()
        low, high = np.minimum(side[:-1], side[1:]) - tolerance, np.maximum(side[:-1], side[1:]) + tolerance
        if centres.shape != low.shape or not np.all((low <= centres) & (centres <= high)):
            expected = f"{side.size - 1} cells from {side[0]:g} to {side[-1]:g}"
            got = f"{centres.size} from {centres[0]:g} to {centres[-1]:g}"
            message = f"{array.name or 'field'}: expected {name} of {expected}, got centres of {got}"
            raise ShapeError(message)


def regrid_labelled(
    function: Callable[..., Any],
    data: Labelled,
    source: LatLonGrid,
    target: LatLonGrid,
    fraction: bool = False,
    covariate: xr.DataArray | None = None,
) -> Any:
    """Apply a function of arrays (..., lat, lon) that brings `source` to `target`; dask arrays stay lazy.

    Raises
    ------
    ShapeError
        If `data` is not on the grid `source`.
    """
    import xarray as xr

    if isinstance(data, xr.DataArray):
        return _regrid_array(function, data, source, target, fraction, covariate)
    wanted = set(axes(data))
    results: list[dict[Hashable, xr.DataArray]] = [{}, {}]
    for name, array in data.data_vars.items():
        if not wanted & set(array.dims):
            results[0][name] = array
        elif wanted <= set(array.dims):
            got = _regrid_array(function, array, source, target, fraction, covariate)
            for result, part in zip(results, got if fraction else (got,), strict=False):
                result[name] = part
    mean, share = (xr.Dataset(result, attrs=data.attrs) for result in results)
    return (mean, share) if fraction else mean


def _regrid_array(
    function: Callable[..., Any],
    array: xr.DataArray,
    source: LatLonGrid,
    target: LatLonGrid,
    fraction: bool,
    covariate: xr.DataArray | None,
) -> Any:
    import xarray as xr

    lat, lon = axes(array)
    check_grid(array, source)
    inputs = [array] if covariate is None else [array, covariate]
    outputs = 2 if fraction else 1
    core = [lat, lon]
    result = xr.apply_ufunc(
        function,
        *inputs,
        input_core_dims=[core if covariate is None else list(axes(a)) for a in inputs],
        output_core_dims=[core] * outputs,
        exclude_dims={name for a in inputs for name in axes(a)},
        keep_attrs="override",
        dask="parallelized",
        output_dtypes=[array.dtype] * outputs,
        dask_gufunc_kwargs={
            "output_sizes": dict(zip(core, target.shape, strict=True)),
            "allow_rechunk": True,
        },
    )
    parts = result if fraction else (result,)
    labels = {
        name: (name, values, {k: v for k, v in array[name].attrs.items() if k != "bounds"})
        for name, values in ((lat, target.lat), (lon, target.lon))
    }
    parts = tuple(part.assign_coords(labels).transpose(..., *array.dims) for part in parts)
    if fraction:
        parts[1].attrs = {"units": "1", "long_name": "valid share of the cell"}
        return parts
    return parts[0]
