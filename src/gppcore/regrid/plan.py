"""Regridding between any two latitude-longitude grids, with precomputed, reusable weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from gppcore import _core
from gppcore.errors import DtypeError, RangeError
from gppcore.regrid.arrays import check_field, check_min_valid, leading, output
from gppcore.regrid.grid import LatLonGrid, sine_step
from gppcore.regrid.labelled import Labelled, grid_of, is_labelled, regrid_labelled
from gppcore.regrid.weights import interpolation, overlaps
from gppcore.runtime import threads

Float = TypeVar("Float", np.float32, np.float64)

if TYPE_CHECKING:
    import xarray as xr


class RegridPlan:
    """Weights from a source grid to a target grid, which `apply` applies to fields.

    ``conservative`` is first-order conservative remapping (Jones 1999, eq. 4): every target cell gets the mean of
    the valid source cells that it overlaps, weighted by the area of overlap on the sphere. ``bilinear`` is linear in
    latitude and longitude between the centres of valid source cells, held constant from the last centre to the
    border of the source. On such grids weights are products of weights along the two axes, so that a plan is small.
    Latitude and longitude may ascend or descend and longitude may have any origin, in each grid; a source that spans
    the globe is periodic. Target cells outside the source are NaN.

    Parameters
    ----------
    source, target : LatLonGrid, xarray.DataArray or xarray.Dataset
        The grids; of an xarray object, that of its coordinates (see `grid_of`).
    method : {"conservative", "bilinear"}
        What to compute.

    Raises
    ------
    ShapeError, RangeError

    References
    ----------
    Jones, P. W. (1999). First- and second-order conservative remapping schemes for grids in spherical
    coordinates. Monthly Weather Review 127, 2204-2210.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import LatLonGrid, RegridPlan
    >>> source = LatLonGrid(np.linspace(90, -90, 7), np.linspace(-180, 180, 13))
    >>> target = LatLonGrid.from_centres(np.array([-60.0, 0.0, 60.0]), np.array([0.0, 120.0, 240.0]))
    >>> plan = RegridPlan(source, target)
    >>> plan.apply(np.cos(np.radians(source.lat))[:, None] * np.ones(12)).round(3)
    array([[0.587, 0.587, 0.587],
           [0.966, 0.966, 0.966],
           [0.587, 0.587, 0.587]])
    """

    def __init__(
        self,
        source: LatLonGrid | xr.DataArray | xr.Dataset,
        target: LatLonGrid | xr.DataArray | xr.Dataset,
        *,
        method: Literal["conservative", "bilinear"] = "conservative",
    ) -> None:
        if method not in ("conservative", "bilinear"):
            message = f"method: expected conservative or bilinear, got {method!r}"
            raise RangeError(message)
        for name, grid in (("source", source), ("target", target)):
            if not (isinstance(grid, LatLonGrid) or is_labelled(grid)):
                raise DtypeError(f"{name}: expected a LatLonGrid or an xarray object, got {type(grid).__name__}")
        self.source = source if isinstance(source, LatLonGrid) else grid_of(source)
        self.target = target if isinstance(target, LatLonGrid) else grid_of(target)
        self.method = method
        self._factor = self.source.factor_in(self.target) if method == "conservative" else None
        if self._factor is not None:
            self._row_area = np.abs(sine_step(self.source.lat_edges[:-1], self.source.lat_edges[1:]))
        else:
            self._lat, self._lon = (overlaps if method == "conservative" else interpolation)(self.target, self.source)

    def __repr__(self) -> str:
        return f"RegridPlan({self.source.shape} to {self.target.shape} cells, {self.method})"

    @overload
    def apply(
        self,
        field: NDArray[Float],
        *,
        min_valid: float = 0.0,
        fraction: Literal[False] = False,
        out: NDArray[Float] | None = None,
        n_threads: int = 1,
    ) -> NDArray[Float]: ...
    @overload
    def apply(
        self,
        field: NDArray[Float],
        *,
        min_valid: float = 0.0,
        fraction: Literal[True],
        out: NDArray[Float] | None = None,
        n_threads: int = 1,
    ) -> tuple[NDArray[Float], NDArray[Float]]: ...
    @overload
    def apply(
        self, field: Labelled, *, min_valid: float = 0.0, fraction: Literal[False] = False, n_threads: int = 1
    ) -> Labelled: ...
    @overload
    def apply(
        self, field: Labelled, *, min_valid: float = 0.0, fraction: Literal[True], n_threads: int = 1
    ) -> tuple[Labelled, Labelled]: ...
    def apply(
        self,
        field: Any,
        *,
        min_valid: float = 0.0,
        fraction: bool = False,
        out: Any = None,
        n_threads: int = 1,
    ) -> Any:
        """Regrid a field to the target grid.

        Parameters
        ----------
        field : ndarray, shape (..., n_lat, n_lon), float32 or float64; or xarray.DataArray or xarray.Dataset
            Field on the source grid; NaN marks missing cells, independently in each leading dimension. In a
            Dataset, every variable with latitude and longitude is regridded. Dask arrays stay lazy.
        min_valid : float, in [0, 1]
            Minimum valid fraction of a target cell (of its area, or for bilinear of its weights).
        fraction : bool
            Whether to return the valid fraction too.
        out : ndarray, shape (..., target n_lat, target n_lon), optional
            C-contiguous, dtype of `field`; created if not given. May overlap `field`. Not for xarray objects.
        n_threads : int
            Threads to use; 0 means all cores. The result does not depend on it.

        Returns
        -------
        mean : ndarray, shape (..., target n_lat, target n_lon), dtype of `field`; or xarray object
            NaN where nothing is valid, or the valid fraction is below `min_valid`. Sums are in float64.
        fraction : the same, in [0, 1], only if requested
            Valid fraction of each target cell.

        Raises
        ------
        ShapeError, DtypeError, RangeError
        """
        check_min_valid(min_valid)
        n_threads = threads(n_threads)
        if is_labelled(field):
            options: dict[str, Any] = {"min_valid": min_valid, "fraction": fraction, "n_threads": n_threads}
            return regrid_labelled(
                lambda array: self.apply(array, **options), field, self.source, self.target, fraction
            )
        values: NDArray[np.float32] = check_field("field", field, self.source.shape)
        shape = (*values.shape[:-2], *self.target.shape)
        mean, result = output(out, shape, values)
        share = np.empty(shape, values.dtype) if fraction else None
        for i in leading(values):
            part, part_share = np.ascontiguousarray(values[i]), None if share is None else share[i]
            if self._factor is not None:
                _core.aggregate(part, self._factor, self._row_area, min_valid, mean[i], part_share, n_threads)
            else:
                _core.regrid(part, self._lat, self._lon, min_valid, mean[i], part_share, n_threads)
        if result is not mean:
            result[...] = mean
        return result if share is None else (result, share)
