"""Latitude-longitude grids by the edges of their cells, and areas on the sphere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.arrays import floats
from gppcore.constants import EARTH_RADIUS
from gppcore.errors import RangeError, ShapeError

Floats = NDArray[np.float64]

# Coordinates are often float32: edges closer than this fraction of a cell are equal.
_SAME_EDGE = 2e-3
_SAME_DEGREE = 1e-4


@dataclass(frozen=True, eq=False)
class LatLonGrid:
    """Rectilinear grid of cells between circles of latitude and meridians.

    Edges are snapped within 0.002 cells: an outer latitude to the pole, and a span of longitudes to the full
    circle.

    Parameters
    ----------
    lat_edges : array_like, shape (n_lat + 1,), degrees in [-90, 90]
        Ascending or descending; edges beyond a pole are clipped to it.
    lon_edges : array_like, shape (n_lon + 1,), degrees
        Ascending or descending, with any origin, spanning at most 360 degrees.

    Raises
    ------
    ShapeError, RangeError

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import LatLonGrid
    >>> grid = LatLonGrid(np.linspace(90, -90, 361), np.linspace(-180, 180, 721))
    >>> grid.shape, grid.lat[:2], grid.periodic
    ((360, 720), array([89.75, 89.25]), True)
    >>> float(grid.area.sum().round(-11))
    510100000000000.0
    """

    lat_edges: Floats
    lon_edges: Floats

    def __post_init__(self) -> None:
        lat, lon = check_edges("lat_edges", self.lat_edges, 90.0), check_edges("lon_edges", self.lon_edges, None)
        for end, step in ((0, abs(lat[1] - lat[0])), (-1, abs(lat[-1] - lat[-2]))):
            if 90.0 - abs(lat[end]) < _SAME_EDGE * step:
                lat[end] = np.copysign(90.0, lat[end])
        span, step = lon[-1] - lon[0], abs(lon[-1] - lon[-2])
        if abs(abs(span) - 360.0) < _SAME_EDGE * step:
            lon[-1] = lon[0] + np.copysign(360.0, span)
        elif abs(span) > 360.0:
            message = f"lon_edges: expected a span of at most 360 degrees, got {abs(span):g}"
            raise RangeError(message)
        object.__setattr__(self, "lat_edges", lat)
        object.__setattr__(self, "lon_edges", lon)

    @classmethod
    def from_centres(cls, lat: ArrayLike, lon: ArrayLike) -> LatLonGrid:
        """Return the grid whose edges lie midway between these centres, as computed by `edges`.

        Parameters
        ----------
        lat : array_like, shape (n_lat,), n_lat >= 2, degrees in [-90, 90]
            Centres of the rows; a centre at a pole makes half a row.
        lon : array_like, shape (n_lon,), n_lon >= 2, degrees
            Centres of the columns.

        Raises
        ------
        ShapeError, RangeError
        """
        return cls(edges(lat), edges(lon))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.lat_edges.size - 1, self.lon_edges.size - 1

    @property
    def lat(self) -> Floats:
        """Latitudes midway between the edges, degrees."""
        return (self.lat_edges[:-1] + self.lat_edges[1:]) / 2.0

    @property
    def lon(self) -> Floats:
        """Longitudes midway between the edges, degrees."""
        return (self.lon_edges[:-1] + self.lon_edges[1:]) / 2.0

    @property
    def periodic(self) -> bool:
        """Whether the columns span the globe."""
        return bool(abs(abs(self.lon_edges[-1] - self.lon_edges[0]) - 360.0) < 1e-9)

    @property
    def area(self) -> Floats:
        """Areas of the cells, shape (n_lat, n_lon), m2."""
        return cell_area(self.lat_edges, self.lon_edges)

    @property
    def step(self) -> tuple[float, float]:
        """Usual height and width of a cell, degrees."""
        height, width = (float(np.median(np.abs(np.diff(side)))) for side in (self.lat_edges, self.lon_edges))
        return height, width

    def rows(self, rows: slice) -> LatLonGrid:
        """Return the grid of some of the rows."""
        return LatLonGrid(self.lat_edges[rows.start : rows.stop + 1], self.lon_edges)

    def same_cells(self, other: LatLonGrid) -> bool:
        """Whether another grid has the same cells in the same order, but for rounding."""
        sides = (self.lat_edges, other.lat_edges), (self.lon_edges, other.lon_edges)
        return all(a.size == b.size and np.allclose(a, b, rtol=0.0, atol=_SAME_DEGREE) for a, b in sides)

    def rows_over(self, other: LatLonGrid, *, margin: int = 0) -> slice:
        """Return the rows that overlap another grid in latitude, with a margin of rows; slice(0, 0) if none do."""
        south, north = other.lat_edges.min() + _SAME_DEGREE, other.lat_edges.max() - _SAME_DEGREE
        low, high = (
            np.minimum(self.lat_edges[:-1], self.lat_edges[1:]),
            np.maximum(self.lat_edges[:-1], self.lat_edges[1:]),
        )
        over = np.flatnonzero((low < north) & (high > south))
        if not over.size:
            return slice(0, 0)
        return slice(max(int(over[0]) - margin, 0), min(int(over[-1]) + 1 + margin, self.shape[0]))

    def columns_over(self, other: LatLonGrid) -> tuple[NDArray[np.int64], Floats]:
        """Return the columns of an eastward grid that overlap the longitudes of another, and their edges.

        Columns are ordered from west to east; none are returned if they are not contiguous.
        """
        if other.periodic:
            return np.arange(self.shape[1]), self.lon_edges
        west, east = other.lon_edges[0], other.lon_edges[-1]
        left, right = self.lon_edges[:-1], self.lon_edges[1:]
        turn = -360.0 * np.floor((right - west - _SAME_DEGREE) / 360.0)
        left, right = left + turn, right + turn
        columns = np.argsort(left, kind="stable")
        columns = columns[left[columns] < east - _SAME_DEGREE]
        left, right = left[columns], right[columns]
        if columns.size == 0 or np.abs(left[1:] - right[:-1]).max(initial=0.0) > _SAME_DEGREE:
            return np.empty(0, np.int64), np.empty(0)
        return columns, np.append(left, right[-1])

    def every(self, factor: int) -> LatLonGrid:
        """Return the grid whose cells are blocks of factor x factor cells of this one."""
        return LatLonGrid(self.lat_edges[::factor], self.lon_edges[::factor])

    def split(self, factor: int) -> LatLonGrid:
        """Return the grid that has factor x factor cells, equal in degrees, in each cell of this one."""
        fine = [
            np.interp(np.arange(factor * (e.size - 1) + 1) / factor, np.arange(e.size), e)
            for e in (self.lat_edges, self.lon_edges)
        ]
        return LatLonGrid(*fine)

    def factor_in(self, coarse: LatLonGrid) -> int | None:
        """Return the rows and columns of this grid in a cell of `coarse`; None if the grids are not nested."""
        factor = self.shape[0] // coarse.shape[0]
        if factor < 1:
            return None
        for fine, edges_ in ((self.lat_edges, coarse.lat_edges), (self.lon_edges, coarse.lon_edges)):
            close = _SAME_EDGE * np.abs(np.diff(fine)).min()
            if fine[::factor].shape != edges_.shape or not np.allclose(fine[::factor], edges_, rtol=0.0, atol=close):
                return None
        return factor


def cell_area(lat_edges: ArrayLike, lon_edges: ArrayLike) -> Floats:
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

    Examples
    --------
    >>> from gppcore.regrid import cell_area
    >>> (cell_area([0.0, 1.0], [0.0, 1.0]) / 1e6).round(1)  # km2
    array([[12363.7]])
    """
    lat = check_edges("lat_edges", lat_edges, 90.0)
    lon = check_edges("lon_edges", lon_edges, None)
    height = np.abs(sine_step(lat[:-1], lat[1:]))
    return np.asarray(EARTH_RADIUS**2 * np.outer(height, np.radians(np.abs(np.diff(lon)))))


def edges(centres: ArrayLike) -> Floats:
    """Edges of the cells with these centres: midway between neighbours, half a step beyond the ends.

    Parameters
    ----------
    centres : array_like, shape (n,), n >= 2, degrees
        Ascending or descending.

    Returns
    -------
    ndarray of float64, shape (n + 1,), degrees
        Where the first or last centre of latitude is a pole, the outer edge lies beyond it; every function
        here clips such an edge to the pole.

    Raises
    ------
    ShapeError, RangeError

    Examples
    --------
    >>> from gppcore.regrid import edges
    >>> edges([10.0, 20.0, 30.0])
    array([ 5., 15., 25., 35.])
    """
    c = check_edges("centres", centres, None)
    inner = (c[:-1] + c[1:]) / 2.0
    return np.concatenate([[c[0] - (inner[0] - c[0])], inner, [c[-1] + (c[-1] - inner[-1])]])


def check_edges(name: str, value: ArrayLike, limit: float | None) -> Floats:
    """Return a new array of edges, clipped to +-limit; an error if they neither ascend nor descend."""
    array = np.array(floats(name, value), dtype=np.float64)
    if array.ndim != 1 or array.size < 2:
        message = f"{name}: expected shape (n,) with n >= 2, got {array.shape}"
        raise ShapeError(message)
    cut = array if limit is None else np.clip(array, -limit, limit)
    steps = np.diff(cut)
    if not np.all(np.isfinite(array)) or not (np.all(steps > 0.0) or np.all(steps < 0.0)):
        inside = "" if limit is None else f" within [-{limit:g}, {limit:g}] degrees"
        message = f"{name}: expected strictly ascending or descending values{inside}, got {array}"
        raise RangeError(message)
    return cut


def sine_step(a: Floats, b: Floats) -> Floats:
    """Return sin b - sin a, of degrees, as a product: no cancellation near the poles."""
    a, b = np.radians(a), np.radians(b)
    return np.asarray(2.0 * np.cos((a + b) / 2.0) * np.sin((b - a) / 2.0))
