"""xarray objects: their grids, and regridding of them with array functions. xarray is imported only on use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import RangeError, ShapeError
from gppcore.io.cf import axes, bounds, coordinates
from gppcore.regrid.grid import LatLonGrid, edges

if TYPE_CHECKING:
    import xarray as xr

Labelled = TypeVar("Labelled", "xr.DataArray", "xr.Dataset")


def is_labelled(value: object) -> bool:
    """Whether it is an xarray object; does not import xarray."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(value, xarray.DataArray | xarray.Dataset)


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

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from gppcore.regrid import grid_of
    >>> coords = {"lat": [60.0, 0.0, -60.0], "lon": np.arange(0.0, 360.0, 90.0)}
    >>> grid_of(xr.DataArray(np.zeros((3, 4)), coords, dims=("lat", "lon"))).lat_edges
    array([ 90.,  30., -30., -90.])
    """
    lat, lon = coordinates(data)
    return LatLonGrid(_edges_of(data, lat), _edges_of(data, lon))


def _edges_of(data: xr.DataArray | xr.Dataset, coordinate: xr.DataArray) -> NDArray[np.float64]:
    # A longitude that jumps from 180 to -180 inside the file is one ascending row of cells.
    centres = np.unwrap(coordinate.values.astype(np.float64), period=360.0)
    pairs = bounds(data, coordinate)
    if pairs is None:
        return edges(centres)
    low, high = np.sort(pairs.astype(np.float64), axis=1).T
    turn = 360.0 * np.round((centres - (low + high) / 2.0) / 360.0)
    descends = centres[-1] < centres[0] if centres.size > 1 else bool(pairs[0, 1] < pairs[0, 0])
    begin, end = (high + turn, low + turn) if descends else (low + turn, high + turn)
    if not np.allclose(begin[1:], end[:-1], rtol=0.0, atol=1e-3 * (high - low).min()):
        name = coordinate.attrs.get("bounds", coordinate.encoding.get("bounds"))
        raise RangeError(f"{name}: expected cells that touch, got a gap or an overlap")
    return np.append(begin, end[-1])


def check_grid(array: xr.DataArray, grid: LatLonGrid) -> None:
    """Raise a ShapeError unless each centre of the array lies in its cell of the grid."""
    for coordinate, side in zip(coordinates(array), (grid.lat_edges, grid.lon_edges), strict=True):
        centres = np.unwrap(coordinate.values.astype(np.float64), period=360.0)
        tolerance = 1e-3 * np.abs(np.diff(side)).min()
        low, high = np.minimum(side[:-1], side[1:]) - tolerance, np.maximum(side[:-1], side[1:]) + tolerance
        if centres.shape != low.shape or not np.all((low <= centres) & (centres <= high)):
            expected = f"{side.size - 1} cells from {side[0]:g} to {side[-1]:g}"
            got = f"{centres.size} from {centres[0]:g} to {centres[-1]:g}"
            message = f"{array.name or 'field'}: expected {coordinate.name} of {expected}, got centres of {got}"
            raise ShapeError(message)


def regrid_labelled(
    function: Callable[..., Any],
    data: Labelled,
    source: LatLonGrid,
    target: LatLonGrid,
    fraction: bool = False,
    covariate: xr.DataArray | None = None,
) -> Any:
    """Apply an array function that regrids (..., lat, lon) from `source` to `target`; dask arrays stay lazy.

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
        old.name: (old.dims[0], values, {k: v for k, v in old.attrs.items() if k != "bounds"})
        for old, values in zip(coordinates(array), (target.lat, target.lon), strict=True)
    }
    parts = tuple(part.assign_coords(labels).transpose(..., *array.dims) for part in parts)
    if fraction:
        parts[1].attrs = {"units": "1", "long_name": "valid share of the cell"}
        return parts
    return parts[0]
