"""Maps of agreement: moments of each cell over the months, pooled into blocks on large grids."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gppcore.comparison import moments
from gppcore.regrid import LatLonGrid
from gppcore.variables import attributes

Floats = NDArray[np.float64]

_COLUMNS = 1440
_LEAST_MONTHS = 6  # a correlation over fewer months is meaningless


class Blocks:
    """Moments by block of k x k cells, so that no map has more than 1440 columns."""

    def __init__(self, grid: LatLonGrid) -> None:
        self._grid = grid
        self._k = -(-grid.shape[1] // _COLUMNS)
        self._sums = np.zeros((moments.TERMS, -(-grid.shape[0] // self._k), -(-grid.shape[1] // self._k)))

    def add(self, rows: slice, sums: Floats) -> None:
        """Add the moments (TERMS, rows, columns) of a band."""
        block = np.arange(rows.start, rows.stop) // self._k
        starts = np.flatnonzero(np.diff(block, prepend=-1))
        pooled = np.add.reduceat(sums, np.arange(0, sums.shape[2], self._k), axis=2)
        self._sums[:, block[0] : block[-1] + 1] += np.add.reduceat(pooled, starts, axis=1)

    def maps(self, n_months: int) -> xr.Dataset:
        """Return the maps; a global grid starts at the date line."""
        sums = self._sums
        x, y = moments.means(sums)
        enough = (sums[0] >= _LEAST_MONTHS) & (n_months >= _LEAST_MONTHS)
        flux = attributes("gpp_daily")
        unit = {"units": flux["units"]}
        fields = {
            "gpp_daily": (x, flux),
            "other_gpp_daily": (y, flux | {"long_name": "gross primary production of the reference"}),
            "bias": (x - y, unit | {"long_name": "product minus reference"}),
            "rmse": (moments.rmse(sums), unit | {"long_name": "root mean square difference over the months"}),
            "correlation": (
                np.where(enough, moments.correlation(sums), np.nan),
                {"units": "1", "long_name": "Pearson correlation over the months"},
            ),
        }
        dims = ("lat", "lon")
        maps = xr.Dataset({name: (dims, values.astype(np.float32), attrs) for name, (values, attrs) in fields.items()})
        maps = maps.assign_coords(
            lat=("lat", _centres(self._grid.lat_edges, self._k), attributes("lat")),
            lon=("lon", _centres(self._grid.lon_edges, self._k), attributes("lon")),
        )
        if not self._grid.periodic:
            return maps
        turned = maps.assign_coords(lon=("lon", (maps.lon.values + 180.0) % 360.0 - 180.0, maps.lon.attrs))
        return turned.sortby("lon")


def _centres(edges: Floats, k: int) -> Floats:
    ends = np.append(edges[:-1:k], edges[-1])
    centres: Floats = (ends[:-1] + ends[1:]) / 2
    return centres
