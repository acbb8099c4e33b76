"""Area-weighted aggregation, downscaling and conservative regridding on latitude-longitude grids.

Every field is (..., lat, lon); latitude may ascend or descend. Cell areas are exact on the sphere:
proportional to the difference of the sines of the latitude edges. ``lat_edges`` are always those of the fine
grid, in degrees: all n_lat + 1 of them, or (first, last) of a regular grid, such as ``(90, -90)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore import _core
from gppcore.errors import DtypeError, RangeError, ShapeError

__all__ = ["EARTH_RADIUS", "aggregate", "cell_area", "downscale", "edges", "regrid_conservative"]

EARTH_RADIUS = 6371007.2
"""Radius of the sphere with the surface of the GRS80 ellipsoid, m (Moritz 2000, J. Geodesy 74, 128-133)."""

# An overlap below this share of the smaller cell is a rounding error of the edges.
_SLIVER = 1e-9

Float = TypeVar("Float", np.float32, np.float64)


def aggregate(
    field: NDArray[Float],
    *,
    factor: int,
    lat_edges: ArrayLike,
    min_valid: float = 0.0,
    out: NDArray[Float] | None = None,
    n_threads: int = 1,
) -> NDArray[Float]:
    """Area-weighted mean over blocks of factor x factor cells.

    Parameters
    ----------
    field : ndarray, shape (..., lat, lon), float32 or float64
        Fine field; NaN is a missing cell and is left out of the mean.
    factor : int
        Fine cells per coarse cell along each axis; must divide lat and lon.
    lat_edges : array_like, shape (lat + 1,) or (2,), degrees in [-90, 90]
        Latitude edges of the fine grid, or (first, last) of a regular grid.
    min_valid : float, in [0, 1]
        Least share of a coarse cell's area that must be valid for it to get a value.
    out : ndarray, shape (..., lat / factor, lon / factor), optional
        C-contiguous, dtype of `field`; made when not given.
    n_threads : int
        Threads to use; 0 means all cores. The result does not depend on it.

    Returns
    -------
    ndarray, shape (..., lat / factor, lon / factor), dtype of `field`
        NaN where no fine cell is valid, or too few. Sums are in float64.

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    fine: NDArray[Float] = _field("field", field)
    _check_factor(factor)
    n_lat, n_lon = fine.shape[-2:]
    if n_lat % factor or n_lon % factor:
        message = f"field: expected (lat, lon) divisible by factor {factor}, got ({n_lat}, {n_lon})"
        raise ShapeError(message)
    if not 0.0 <= min_valid <= 1.0:
        message = f"min_valid: expected a share in [0, 1], got {min_valid}"
        raise RangeError(message)
    area = _row_area(lat_edges, n_lat)
    coarse = _output(out, (*fine.shape[:-2], n_lat // factor, n_lon // factor), fine)
    for i in _leading(fine):
        _core.aggregate(np.ascontiguousarray(fine[i]), factor, area, min_valid, coarse[i], n_threads)
    return coarse


def downscale(
    coarse: NDArray[Float],
    *,
    factor: int,
    method: Literal["conservative", "bilinear", "covariate"] = "conservative",
    covariate: NDArray[Float] | None = None,
    lat_edges: ArrayLike | None = None,
    lon_edges: ArrayLike | None = None,
    out: NDArray[Float] | None = None,
    n_threads: int = 1,
) -> NDArray[Float]:
    """Bring a field to a grid that is `factor` times finer.

    ``conservative`` repeats each value. ``bilinear`` is linear in latitude and longitude between the centres
    of valid coarse cells (weights of missing ones are given to the others, so coasts reach half a cell out)
    and held constant beyond the outermost centres; it does not keep the mean. ``covariate`` gives
    ``coarse * covariate / mean(covariate)``, the mean being area-weighted over the valid fine cells of the
    coarse cell: their area-weighted mean is then the coarse value, to rounding (1e-7 relative in float32,
    1e-14 in float64). Where the mean covariate is 0, its valid cells all take the coarse value.

    Parameters
    ----------
    coarse : ndarray, shape (..., lat, lon), float32 or float64
        Coarse field; NaN is a missing cell.
    factor : int
        Fine cells per coarse cell along each axis.
    method : {"conservative", "bilinear", "covariate"}
        How values vary inside a coarse cell.
    covariate : ndarray, shape (..., lat * factor, lon * factor), finite and >= 0, or NaN
        Pattern to follow, in any unit; leading dimensions broadcast to those of `coarse`; dtype of `coarse`.
        Only for ``covariate``, which makes a fine cell NaN where the covariate is.
    lat_edges : array_like, shape (lat * factor + 1,) or (2,), degrees in [-90, 90]
        Latitude edges of the fine grid, or (first, last) of a regular grid. Only for ``covariate``.
    lon_edges : array_like, degrees
        Longitude edges of either grid, or (first, last). Only for ``bilinear``, which is periodic in
        longitude when they span 360 degrees.
    out : ndarray, shape (..., lat * factor, lon * factor), optional
        C-contiguous, dtype of `coarse`; made when not given.
    n_threads : int
        Threads to use; 0 means all cores. The result does not depend on it.

    Returns
    -------
    ndarray, shape (..., lat * factor, lon * factor), dtype of `coarse`

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    field: NDArray[Float] = _field("coarse", coarse)
    _check_factor(factor)
    n_lat, n_lon = field.shape[-2] * factor, field.shape[-1] * factor
    fine = _output(out, (*field.shape[:-2], n_lat, n_lon), field)
    if method != "covariate" and covariate is not None:
        message = f"covariate: expected None with method {method!r}, got an array"
        raise RangeError(message)
    if method == "conservative":
        for i in _leading(field):
            _core.downscale_conservative(np.ascontiguousarray(field[i]), factor, fine[i], n_threads)
    elif method == "bilinear":
        if lon_edges is None:
            raise _missing("lon_edges", method)
        periodic = _spans_globe(lon_edges)
        for i in _leading(field):
            _core.downscale_bilinear(np.ascontiguousarray(field[i]), factor, periodic, fine[i], n_threads)
    elif method == "covariate":
        if covariate is None:
            raise _missing("covariate", method)
        if lat_edges is None:
            raise _missing("lat_edges", method)
        pattern = _covariate(covariate, field, fine.shape)
        area = _row_area(lat_edges, n_lat)
        for i in _leading(field):
            coarse_i, pattern_i = np.ascontiguousarray(field[i]), np.ascontiguousarray(pattern[i])
            _core.downscale_covariate(coarse_i, factor, pattern_i, area, fine[i], n_threads)
    else:
        message = f"method: expected conservative, bilinear or covariate, got {method!r}"
        raise RangeError(message)
    return fine


def regrid_conservative(
    field: ArrayLike,
    source_lat_edges: ArrayLike,
    source_lon_edges: ArrayLike,
    target_lat_edges: ArrayLike,
    target_lon_edges: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First-order conservative regridding between any two latitude-longitude grids (Jones 1999, eq. 4).

    Each target cell gets the mean of the source cells that it overlaps, weighted by overlap area. On such
    grids the weights are products of one-dimensional overlaps, so two matrix products do it. Longitude is
    periodic.

    Parameters
    ----------
    field : array_like, shape (..., lat, lon)
        Source field; NaN is a missing cell and is left out.
    source_lat_edges, target_lat_edges : array_like, shape (lat + 1,), degrees in [-90, 90]
        Latitude edges, ascending or descending.
    source_lon_edges, target_lon_edges : array_like, shape (lon + 1,), degrees
        Longitude edges, ascending or descending, spanning at most 360 degrees, with any origin.

    Returns
    -------
    mean : ndarray of float64, shape (..., target lat, target lon)
        NaN where a target cell overlaps no valid source cell.
    valid : ndarray of float64, shape (..., target lat, target lon), in [0, 1]
        Share of the target cell's area that valid source cells cover.

    Raises
    ------
    ShapeError, RangeError

    References
    ----------
    Jones, P. W. (1999). First- and second-order conservative remapping schemes for grids in spherical
    coordinates. Monthly Weather Review 127, 2204-2210.
    """
    values = np.asarray(field, dtype=np.float64)
    source_lat, target_lat = (_edges("lat_edges", e, 90.0) for e in (source_lat_edges, target_lat_edges))
    source_lon, target_lon = (_edges("lon_edges", e, None) for e in (source_lon_edges, target_lon_edges))
    expected = (source_lat.size - 1, source_lon.size - 1)
    if values.shape[-2:] != expected:
        message = f"field: expected (..., lat, lon) with {expected} cells as the edges tell, got {values.shape}"
        raise ShapeError(message)
    lat = _overlap(np.sin(np.radians(target_lat)), np.sin(np.radians(source_lat)))
    lon = sum(_overlap(target_lon, source_lon + turn) for turn in _turns(target_lon, source_lon))
    present = np.isfinite(values)
    total = lat @ np.where(present, values, 0.0) @ np.transpose(lon)
    area = lat @ present.astype(np.float64) @ np.transpose(lon)
    mean = np.divide(total, area, out=np.full_like(total, np.nan), where=area > 0.0)
    cell = np.outer(np.abs(np.diff(np.sin(np.radians(target_lat)))), np.abs(np.diff(target_lon)))
    return mean, np.minimum(area / cell, 1.0)


def cell_area(lat_edges: ArrayLike, lon_edges: ArrayLike) -> NDArray[np.float64]:
    """Area of the cells of a latitude-longitude grid on the sphere of radius `EARTH_RADIUS`.

    Parameters
    ----------
    lat_edges : array_like, shape (lat + 1,), degrees in [-90, 90]
        Latitude edges, ascending or descending.
    lon_edges : array_like, shape (lon + 1,), degrees
        Longitude edges, ascending or descending.

    Returns
    -------
    ndarray of float64, shape (lat, lon), m2

    Raises
    ------
    ShapeError, RangeError
    """
    lat = _edges("lat_edges", lat_edges, 90.0)
    lon = _edges("lon_edges", lon_edges, None)
    return np.asarray(EARTH_RADIUS**2 * np.outer(_sine_steps(lat), np.radians(np.abs(np.diff(lon)))))


def edges(centres: ArrayLike) -> NDArray[np.float64]:
    """Edges of the cells with these centres: midway between neighbours, half a step beyond the ends.

    Parameters
    ----------
    centres : array_like, shape (n,), n >= 2, degrees
        Ascending or descending.

    Returns
    -------
    ndarray of float64, shape (n + 1,), degrees
        Where the first or last centre of latitude is a pole, the outer edge lies beyond it; every function
        here cuts such an edge at the pole.

    Raises
    ------
    ShapeError, RangeError
    """
    c = _edges("centres", centres, None)
    inner = (c[:-1] + c[1:]) / 2.0
    return np.concatenate([[c[0] - (inner[0] - c[0])], inner, [c[-1] + (c[-1] - inner[-1])]])


def _field(name: str, value: NDArray[Float]) -> NDArray[Float]:
    array = np.asarray(value)
    if array.dtype not in (np.float32, np.float64):
        message = f"{name}: expected dtype float32 or float64, got {array.dtype}"
        raise DtypeError(message)
    if array.ndim < 2:
        message = f"{name}: expected shape (..., lat, lon), got {array.shape}"
        raise ShapeError(message)
    return array


def _covariate(covariate: NDArray[Float], coarse: NDArray[Float], shape: tuple[int, ...]) -> NDArray[Float]:
    array = _field("covariate", covariate)
    if array.dtype != coarse.dtype:
        message = f"covariate: expected dtype {coarse.dtype} as coarse has, got {array.dtype}"
        raise DtypeError(message)
    try:
        if array.shape[-2:] == shape[-2:]:
            return np.broadcast_to(array, shape)
    except ValueError:
        pass
    message = f"covariate: expected a shape that broadcasts to {shape}, got {array.shape}"
    raise ShapeError(message)


def _output(out: NDArray[Float] | None, shape: tuple[int, ...], like: NDArray[Float]) -> NDArray[Float]:
    if out is None:
        return np.empty(shape, dtype=like.dtype)
    if out.dtype != like.dtype:
        message = f"out: expected dtype {like.dtype}, got {out.dtype}"
        raise DtypeError(message)
    if out.shape != shape or not out.flags.c_contiguous or not out.flags.writeable:
        message = f"out: expected a writable C-contiguous array of shape {shape}, got {out.shape}"
        raise ShapeError(message)
    return out


def _leading(field: NDArray[Any]) -> Iterator[tuple[int, ...]]:
    return np.ndindex(field.shape[:-2])


def _check_factor(factor: int) -> None:
    if not isinstance(factor, int | np.integer) or factor < 1:
        message = f"factor: expected an integer >= 1, got {factor!r}"
        raise RangeError(message)


def _missing(name: str, method: str) -> RangeError:
    return RangeError(f"{name}: expected a value with method {method!r}, got None")


def _edges(name: str, value: ArrayLike, limit: float | None) -> NDArray[np.float64]:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 1 or array.size < 2:
        message = f"{name}: expected shape (n,) with n >= 2, got {array.shape}"
        raise ShapeError(message)
    cut = array if limit is None else np.clip(array, -limit, limit)
    steps = np.diff(cut)
    if not (np.all(steps > 0.0) or np.all(steps < 0.0)):
        inside = "" if limit is None else f" within [-{limit:g}, {limit:g}] degrees"
        message = f"{name}: expected strictly ascending or descending values{inside}, got {array}"
        raise RangeError(message)
    return cut


def _row_area(lat_edges: ArrayLike, n_lat: int) -> NDArray[np.float64]:
    given = np.asarray(lat_edges, dtype=np.float64)
    if given.shape == (2,) and n_lat > 1:
        given = np.linspace(given[0], given[1], n_lat + 1)
    if given.shape != (n_lat + 1,):
        message = f"lat_edges: expected shape ({n_lat + 1},) or (2,), got {given.shape}"
        raise ShapeError(message)
    return _sine_steps(_edges("lat_edges", given, 90.0))


def _sine_steps(lat_edges: NDArray[np.float64]) -> NDArray[np.float64]:
    # sin b - sin a as a product: no cancellation near the poles.
    a, b = np.radians(lat_edges[:-1]), np.radians(lat_edges[1:])
    return np.abs(2.0 * np.cos((a + b) / 2.0) * np.sin((b - a) / 2.0))


def _spans_globe(lon_edges: ArrayLike) -> bool:
    lon = _edges("lon_edges", lon_edges, None)
    return bool(abs(abs(lon[-1] - lon[0]) - 360.0) < 1e-3)


def _overlap(target: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length of the overlap of every target cell (rows) with every source cell (columns)."""
    t0, t1 = (f(target[:-1], target[1:])[:, None] for f in (np.minimum, np.maximum))
    s0, s1 = (f(source[:-1], source[1:]) for f in (np.minimum, np.maximum))
    length = np.minimum(t1, s1) - np.maximum(t0, s0)
    return np.where(length > _SLIVER * np.minimum(t1 - t0, s1 - s0), length, 0.0)


def _turns(target: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float64]:
    for name, lon in (("target_lon_edges", target), ("source_lon_edges", source)):
        if abs(lon[-1] - lon[0]) > 360.0 + 1e-3:
            message = f"{name}: expected a span of at most 360 degrees, got {abs(lon[-1] - lon[0]):g}"
            raise RangeError(message)
    first = np.floor((target.min() - source.max()) / 360.0)
    last = np.ceil((target.max() - source.min()) / 360.0)
    return 360.0 * np.arange(first, last + 1.0)
