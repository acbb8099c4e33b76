"""The embedded world over a region as one dataset, for use without gridded forcing of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore.demo.fields import QUARTER, SHAPE, centres, model_climate
from gppcore.demo.forcing import leaf_area_index
from gppcore.demo.osse import CA
from gppcore.demo.world import WORLD_LICENCE, open_world
from gppcore.errors import RangeError
from gppcore.regrid import downscale
from gppcore.tiles.layout import CLIMATOLOGY_YEAR, month_coordinate
from gppcore.variables import MONTHS, attributes

if TYPE_CHECKING:
    import xarray as xr

_DEGREE = 20
"""Fine cells per side of a cell of the C4 share."""
_CLIMATE = ("tair", "tair_range", "vpd", "sw", "precip")


def demonstration_region(south: float, north: float, west: float, east: float) -> xr.Dataset:
    """Return forcing, leaves and land cover of a mean year at 0.05 degrees.

    The forcing is modelled from monthly climate, as in ``gppcore demo``; it is not a science product.

    Parameters
    ----------
    south, north, west, east : float
        Borders [degrees], -90 to 90 and -180 to 180: cells with their centre inside.

    Returns
    -------
    xarray.Dataset
        `tair`, `tair_range`, `vpd`, `sw`, `precip`, `ca`, `lai` (time, lat, lon) and `igbp`, `c4_fraction` (lat, lon),
        float32 in the units of :mod:`gppcore.variables`; NaN off the land.

    Raises
    ------
    RangeError
        If the borders are out of range or out of order, or there is no land inside.

    Examples
    --------
    >>> from gppcore.demo.region import demonstration_region
    >>> world = demonstration_region(50.5, 51.5, 10, 11)
    >>> dict(world.sizes)
    {'time': 12, 'lat': 20, 'lon': 20}
    >>> round(float(world["lai"].sel(time="2001-07").mean()), 1), world["lai"].attrs["units"]
    (2.9, 'm2 m-2')
    """
    if not (-90.0 <= south < north <= 90.0 and -180.0 <= west < east <= 180.0):
        raise RangeError(f"region: expected south < north and west < east, got {south}, {north}, {west}, {east}")
    rows, columns = (_inside(axis, *ends) for axis, ends in zip(centres(), ((south, north), (west, east)), strict=True))
    window = (_quarters(rows, SHAPE[0]), _quarters(columns, SHAPE[1]))
    inside = [
        slice(cells.start - QUARTER * coarse.start, cells.stop - QUARTER * coarse.start)
        for cells, coarse in zip((rows, columns), window, strict=True)
    ]
    lat, lon = (axis[coarse] for axis, coarse in zip(centres(QUARTER), window, strict=True))
    with open_world() as ds:
        quarter = ds[["tair", "precip"]].isel(lat_quarter=window[0], lon_quarter=window[1])
        climate = model_climate(quarter["tair"].values, quarter["precip"].values, lat, lon)[0]
        fine = ds[["igbp", "ndvi_min", "ndvi_max"]].isel(lat=rows, lon=columns).load()
        c4 = np.nan_to_num(ds["c4_fraction"].values.astype(np.float32))
    row, column = (np.arange(cells.start, cells.stop) // _DEGREE for cells in (rows, columns))
    edges = [-180.0 + 0.25 * window[1].start, -180.0 + 0.25 * window[1].stop]

    def at_cells(name: str) -> NDArray[np.float32]:
        return downscale(climate[name], factor=QUARTER, method="bilinear", lon_edges=edges)[:, *inside]

    known = np.isfinite(climate["tair"]).all(axis=0).repeat(QUARTER, axis=0).repeat(QUARTER, axis=1)[*inside]
    low, high = fine["ndvi_min"].values, fine["ndvi_max"].values
    land = known & (fine["igbp"].values > 0) & np.isfinite(low) & np.isfinite(high)
    if not land.any():
        raise RangeError(f"region: expected one with land, got {south}, {north}, {west}, {east}, which has none")
    monthly = {name: at_cells(name) for name in _CLIMATE}
    monthly["lai"] = leaf_area_index(low, high, at_cells("relative_gsi"))
    monthly["ca"] = np.full((MONTHS, *land.shape), CA, dtype=np.float32)
    static = {"igbp": fine["igbp"].values, "c4_fraction": c4[np.ix_(row, column)]}
    return _dataset(monthly | static, land, centres()[0][rows], centres()[1][columns])


def _dataset(
    fields: dict[str, NDArray[Any]], land: NDArray[np.bool_], lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> xr.Dataset:
    import xarray as xr

    days, time_attrs = month_coordinate([CLIMATOLOGY_YEAR])
    coords = {
        "time": ("time", days, time_attrs),
        "lat": ("lat", lat, attributes("lat")),
        "lon": ("lon", lon, attributes("lon")),
    }
    variables = {
        name: (("time", "lat", "lon")[3 - field.ndim :], np.where(land, field, np.float32(np.nan)), attributes(name))
        for name, field in fields.items()
    }
    attrs = {"title": "Demonstration world, mean year", "license": WORLD_LICENCE}
    return xr.decode_cf(xr.Dataset(variables, coords, attrs))


def _inside(axis: NDArray[np.float64], low: float, high: float) -> slice:
    found = np.flatnonzero((axis >= low) & (axis <= high))
    return slice(int(found[0]), int(found[-1]) + 1) if found.size else slice(0, 0)


def _quarters(cells: slice, n: int) -> slice:
    """Return the cells of 0.25 degrees that hold fine cells, and one more on each side to interpolate to."""
    return slice(max(cells.start // QUARTER - 1, 0), min(-(-cells.stop // QUARTER) + 1, n // QUARTER))
