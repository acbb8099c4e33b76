"""Area-weighted aggregation and downscaling between a grid and the finer grid nested in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore import _core
from gppcore.arrays import floats
from gppcore.errors import DtypeError, RangeError, ShapeError
from gppcore.regrid.arrays import check_field, leading, output
from gppcore.regrid.grid import Floats, LatLonGrid, check_edges, sine_step
from gppcore.regrid.labelled import Labelled, check_grid, grid_of, is_labelled, regrid_labelled
from gppcore.regrid.plan import RegridPlan
from gppcore.runtime import threads

if TYPE_CHECKING:
    import xarray as xr

Float = TypeVar("Float", np.float32, np.float64)
Method = Literal["conservative", "bilinear", "covariate", "smooth"]

# Optional arguments of each method, for arrays.
_NEEDS = {
    "conservative": (),
    "bilinear": ("lon_edges",),
    "covariate": ("covariate", "lat_edges"),
    "smooth": ("lat_edges", "lon_edges"),
}


@overload
def aggregate(
    field: NDArray[Float],
    *,
    factor: int,
    lat_edges: ArrayLike,
    min_valid: float = 0.0,
    fraction: Literal[False] = False,
    out: NDArray[Float] | None = None,
    n_threads: int = 1,
) -> NDArray[Float]: ...
@overload
def aggregate(
    field: NDArray[Float],
    *,
    factor: int,
    lat_edges: ArrayLike,
    min_valid: float = 0.0,
    fraction: Literal[True],
    out: NDArray[Float] | None = None,
    n_threads: int = 1,
) -> tuple[NDArray[Float], NDArray[Float]]: ...
@overload
def aggregate(
    field: Labelled, *, factor: int, min_valid: float = 0.0, fraction: Literal[False] = False, n_threads: int = 1
) -> Labelled: ...
@overload
def aggregate(
    field: Labelled, *, factor: int, min_valid: float = 0.0, fraction: Literal[True], n_threads: int = 1
) -> tuple[Labelled, Labelled]: ...
def aggregate(
    field: Any,
    *,
    factor: int,
    lat_edges: ArrayLike | None = None,
    min_valid: float = 0.0,
    fraction: bool = False,
    out: Any = None,
    n_threads: int = 1,
) -> Any:
    """Area-weighted mean over blocks of factor x factor cells.

    Parameters
    ----------
    field : ndarray, shape (..., lat, lon), float32 or float64; or xarray.DataArray or xarray.Dataset
        Fine field; NaN marks missing cells, independently in each leading dimension, which are excluded from the
        mean. Dask arrays stay lazy.
    factor : int
        Fine cells per coarse cell along each axis; must divide lat and lon.
    lat_edges : array_like, shape (lat + 1,) or (2,), degrees in [-90, 90]
        Latitude edges of the fine grid, or (first, last) of a regular grid. Taken from xarray objects.
    min_valid : float, in [0, 1]
        Minimum valid fraction of the area of a coarse cell; below it the cell is NaN.
    fraction : bool
        Whether to return the valid fraction too.
    out : ndarray, shape (..., lat / factor, lon / factor), optional
        C-contiguous, dtype of `field`; created if not given. Not for xarray objects.
    n_threads : int
        Threads to use; 0 means all cores. The result does not depend on it.

    Returns
    -------
    mean : ndarray, shape (..., lat / factor, lon / factor), dtype of `field`; or xarray object
        NaN where no fine cell is valid, or the valid fraction is below `min_valid`. Sums are in float64.
    fraction : the same, in [0, 1], only if requested

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import aggregate
    >>> field = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, np.nan, 8.0]])
    >>> aggregate(field, factor=2, lat_edges=(1, -1))
    array([[3.5, 5. ]])
    >>> mean, valid = aggregate(field, factor=2, lat_edges=(1, -1), min_valid=0.9, fraction=True)
    >>> mean, valid
    (array([[3.5, nan]]), array([[1.  , 0.75]]))
    """
    _check_factor(factor)
    if is_labelled(field):
        fine = grid_of(field)
    else:
        field = check_field("field", field)
        n_lat, n_lon = field.shape[-2:]
        if lat_edges is None:
            raise _missing("lat_edges", "arrays")
        # Any regular longitudes work: columns have equal weight.
        fine = LatLonGrid(_all_edges("lat_edges", lat_edges, n_lat), np.linspace(0.0, 1.0, n_lon + 1))
    n_lat, n_lon = fine.shape
    if n_lat % factor or n_lon % factor:
        message = f"field: expected (lat, lon) divisible by factor {factor}, got ({n_lat}, {n_lon})"
        raise ShapeError(message)
    apply: Any = RegridPlan(fine, fine.every(factor)).apply
    return apply(field, min_valid=min_valid, fraction=fraction, out=out, n_threads=n_threads)


@overload
def downscale(
    coarse: NDArray[Float],
    *,
    factor: int,
    method: Method = "conservative",
    covariate: NDArray[Float] | None = None,
    lat_edges: ArrayLike | None = None,
    lon_edges: ArrayLike | None = None,
    out: NDArray[Float] | None = None,
    n_threads: int = 1,
) -> NDArray[Float]: ...
@overload
def downscale(
    coarse: Labelled,
    *,
    factor: int,
    method: Method = "conservative",
    covariate: xr.DataArray | None = None,
    n_threads: int = 1,
) -> Labelled: ...
def downscale(
    coarse: Any,
    *,
    factor: int,
    method: Method = "conservative",
    covariate: Any = None,
    lat_edges: ArrayLike | None = None,
    lon_edges: ArrayLike | None = None,
    out: Any = None,
    n_threads: int = 1,
) -> Any:
    """Downscale a field to a grid that is `factor` times finer.

    ``conservative`` repeats each value. ``bilinear`` is linear in latitude and longitude between the centres
    of valid coarse cells (weights are renormalised over valid cells, so coasts extend by half a cell)
    and held constant beyond the outermost centres; it does not conserve the mean. ``covariate`` gives
    ``coarse * covariate / mean(covariate)``, with the area-weighted mean over the valid fine cells of the
    coarse cell: their area-weighted mean is then the coarse value, to rounding (1e-7 relative in float32,
    1e-14 in float64). Where the mean covariate is 0, its valid cells all take the coarse value. ``smooth`` is the
    bilinear surface, continuous across the borders of cells, whose node values are such that its area-weighted
    mean over each coarse cell is the coarse value (a mean-preserving interpolation in the sense of Rymes and Myers
    2001, solved for the nodes); missing coarse cells stay missing. If a cell and its neighbours are all
    >= 0 but the surface would fall below 0, it is flattened towards the cell mean just enough to stay >= 0, which
    conserves the mean but leaves a step at the border.

    Parameters
    ----------
    coarse : ndarray, shape (..., lat, lon), float32 or float64; or xarray.DataArray or xarray.Dataset
        Coarse field; NaN is a missing cell; finite for ``smooth``. Dask arrays stay lazy.
    factor : int
        Fine cells per coarse cell along each axis.
    method : {"conservative", "bilinear", "covariate", "smooth"}
        How values vary inside a coarse cell.
    covariate : ndarray, shape (..., lat * factor, lon * factor), or xarray.DataArray, finite and >= 0, or NaN
        Spatial pattern, in any unit; dtype of `coarse`; leading dimensions of both broadcast. Only for
        ``covariate``; fine cells are NaN where the covariate is NaN.
    lat_edges : array_like, shape (lat * factor + 1,) or (2,), degrees in [-90, 90]
        Latitude edges of the fine grid, or (first, last) of a regular grid. For ``covariate`` and ``smooth``; an
        xarray object has its own, and cells are split equally in degrees.
    lon_edges : array_like, degrees
        Longitude edges of either grid, or (first, last). For ``bilinear`` and ``smooth``, which are periodic in
        longitude when they span 360 degrees. Taken from xarray objects.
    out : ndarray, shape (..., lat * factor, lon * factor), optional
        C-contiguous, dtype of `coarse`; created if not given. May overlap the inputs. Not for xarray objects.
    n_threads : int
        Threads to use; 0 means all cores. The result does not depend on it.

    Returns
    -------
    ndarray, shape (..., lat * factor, lon * factor), dtype of `coarse`; or xarray object

    Raises
    ------
    ShapeError, DtypeError, RangeError

    References
    ----------
    Rymes, M. D., and Myers, D. R. (2001). Mean preserving algorithm for smoothly interpolating averaged data.
    Solar Energy 71, 225-231.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import downscale
    >>> gpp = np.array([[4.0, 8.0]])
    >>> lai = np.array([[1.0, 3.0, 2.0, 2.0], [2.0, 2.0, 0.0, 4.0]])
    >>> downscale(gpp, factor=2, method="covariate", covariate=lai, lat_edges=(1, -1))
    array([[ 2.,  6.,  8.,  8.],
           [ 4.,  4.,  0., 16.]])
    """
    _check_factor(factor)
    n_threads = threads(n_threads)
    if method not in _NEEDS:
        message = f"method: expected {', '.join(_NEEDS)}, got {method!r}"
        raise RangeError(message)
    if method != "covariate" and covariate is not None:
        message = f"covariate: expected None with method {method!r}, got an array"
        raise RangeError(message)
    if is_labelled(coarse):
        return _downscale_labelled(coarse, factor, method, covariate, n_threads)
    given = {"covariate": covariate, "lat_edges": lat_edges, "lon_edges": lon_edges}
    for name in _NEEDS[method]:
        if given[name] is None:
            raise _missing(name, f"method {method!r}")
    field: NDArray[np.float32] = check_field("coarse", coarse)
    fine_shape = field.shape[-2] * factor, field.shape[-1] * factor
    shape = field.shape[:-2]
    if covariate is not None:
        covariate, shape = _covariate(covariate, field, fine_shape)
        field = np.broadcast_to(field, (*shape, *field.shape[-2:]))
    fine, result = output(out, (*shape, *fine_shape), field, *(() if covariate is None else (covariate,)))
    area = np.empty(0) if lat_edges is None else _row_area(_all_edges("lat_edges", lat_edges, fine_shape[0]))
    periodic = lon_edges is not None and _spans_globe(lon_edges)
    for i in leading(field):
        part = np.ascontiguousarray(field[i])
        if method == "conservative":
            _core.downscale_conservative(part, factor, fine[i], n_threads)
        elif method == "bilinear":
            _core.downscale_bilinear(part, factor, periodic, fine[i], n_threads)
        elif method == "covariate":
            _core.downscale_covariate(part, factor, np.ascontiguousarray(covariate[i]), area, fine[i], n_threads)
        else:
            _core.downscale_smooth(part, factor, periodic, area, fine[i], n_threads)
    if result is not fine:
        result[...] = fine
    return result


def _downscale_labelled(
    coarse: Labelled, factor: int, method: Method, covariate: xr.DataArray | None, n_threads: int
) -> Labelled:
    source = grid_of(coarse)
    target = source.split(factor)
    options: dict[str, Any] = {"lat_edges": target.lat_edges, "lon_edges": target.lon_edges}
    if method == "covariate":
        if covariate is None:
            raise _missing("covariate", f"method {method!r}")
        check_grid(covariate, target)

    def run(array: NDArray[Float], pattern: NDArray[Float] | None = None) -> NDArray[Float]:
        return downscale(array, factor=factor, method=method, covariate=pattern, n_threads=n_threads, **options)

    result: Labelled = regrid_labelled(run, coarse, source, target, covariate=covariate)
    return result


def _covariate(
    covariate: NDArray[Float], coarse: NDArray[Float], fine_shape: tuple[int, int]
) -> tuple[NDArray[Float], tuple[int, ...]]:
    """Return the covariate and the leading shape that it and the coarse field broadcast to."""
    array = check_field("covariate", covariate)
    if array.dtype != coarse.dtype:
        message = f"covariate: expected dtype {coarse.dtype} as coarse has, got {array.dtype}"
        raise DtypeError(message)
    try:
        if array.shape[-2:] == fine_shape:
            shape: tuple[int, ...] = np.broadcast_shapes(array.shape[:-2], coarse.shape[:-2])
            return np.broadcast_to(array, (*shape, *fine_shape)), shape
    except ValueError:
        pass
    message = f"covariate: expected a shape that broadcasts to {(*coarse.shape[:-2], *fine_shape)}, got {array.shape}"
    raise ShapeError(message)


def _check_factor(factor: int) -> None:
    if isinstance(factor, bool) or not isinstance(factor, int | np.integer) or factor < 1:
        message = f"factor: expected an integer >= 1, got {factor!r}"
        raise RangeError(message)


def _missing(name: str, by: str) -> RangeError:
    return RangeError(f"{name}: expected a value with {by}, got None")


def _all_edges(name: str, value: ArrayLike, n: int) -> Floats:
    given = floats(name, value).astype(np.float64)
    if given.shape == (2,) and n > 1:
        given = np.linspace(given[0], given[1], n + 1)
    if given.shape != (n + 1,):
        message = f"{name}: expected shape ({n + 1},) or (2,), got {given.shape}"
        raise ShapeError(message)
    return check_edges(name, given, 90.0)


def _row_area(lat_edges: Floats) -> Floats:
    return np.abs(sine_step(lat_edges[:-1], lat_edges[1:]))


def _spans_globe(lon_edges: ArrayLike) -> bool:
    lon = check_edges("lon_edges", lon_edges, None)
    return bool(abs(abs(lon[-1] - lon[0]) - 360.0) < 1e-3)
