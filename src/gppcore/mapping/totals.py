"""Totals of a map with 90 % intervals, by region and year: errors of neighbouring cells and months are alike.

Cells are summed to blocks of 2 degrees, whose errors are correlated as `gppcore.transfer.error_covariance` says. The
sums run over tiles in their order, so that they do not depend on the threads that mapped them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gppcore.io.mapped import whole_files
from gppcore.regrid import cell_area
from gppcore.regrid.grid import edges
from gppcore.statistics import NORMAL_90
from gppcore.tiles.store import TileStore
from gppcore.transfer.error_covariance import (
    LOCAL_KM,
    RANGE_KM,
    REGION_KM,
    ErrorCovariance,
    distances,
    within_square,
)
from gppcore.variables import DAYS_IN_MONTH, MONTHS

if TYPE_CHECKING:
    import pandas as pd

Float = NDArray[np.float64]

BLOCK = 2.0
"""Side of a block [degree]."""
BAND = 10
"""Height of a zone [degree]; all borders of regions are multiples of it."""
_PG = 1e-15
_COLUMNS = int(360.0 / BLOCK)


@dataclass(frozen=True)
class BlockSums:
    """Sums over the cells of every block.

    Attributes
    ----------
    lat, lon : ndarray, shape (blocks,)
        Centres [degree].
    area : ndarray, shape (blocks,)
        Area of the cells [m2].
    gpp, half_width : ndarray, shape (months, blocks)
        GPP of the months and half widths of its interval, summed over cells [Pg].
    years : tuple of int
        Calendar years; empty for a mean year.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import TileStore
    >>> from gppcore.mapping.totals import BlockSums
    >>> store = TileStore.create("tiles", np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.array([0, 1, 3]))
    >>> with store.writing():
    ...     for name, value in (("gpp_daily", 2.0), ("gpp_daily_high", 3.0)):
    ...         store.add(name, monthly=True, attrs={"units": "g m-2 d-1"})
    ...         store.write(name, 0, np.full((12, 3), value, np.float32))
    >>> sums = BlockSums.of_store(store, "gpp_daily")
    >>> sums.lat, round(float(sums.gpp.sum() / sums.half_width.sum()), 3)
    (array([49., 51.]), 2.0)
    """

    lat: Float
    lon: Float
    area: Float
    gpp: Float
    half_width: Float
    years: tuple[int, ...]

    @classmethod
    def of_store(cls, store: TileStore, variable: str) -> BlockSums:
        """Return the sums of a mapped variable and its upper bound, ``<variable>_high``."""
        of_row = cell_area(edges(store.lat), edges(store.lon)[:2])[:, 0]
        row, column = np.divmod(store.index, store.shape[1])
        south = np.floor((store.lat[row] + 90.0) / BLOCK).astype(np.int64)
        west = np.floor(((store.lon[column] + 180.0) % 360.0) / BLOCK).astype(np.int64)
        blocks, of_cell = np.unique(south * _COLUMNS + west, return_inverse=True)
        n_months, n = MONTHS * len(store.each_year), len(blocks)
        sums = np.zeros((2, n_months, n))
        weight = of_row[row] * _PG
        for tile in range(store.n_tiles):
            cells = store.cells(tile)
            block = of_cell[cells]
            first = block.min()  # a tile holds few blocks
            for number, year in enumerate(store.each_year):
                with whole_files():
                    gpp = store.read(variable, tile, year).astype(np.float64)
                    half = store.read(f"{variable}_high", tile, year) - gpp
                for month in range(MONTHS):
                    amount = weight[cells] * DAYS_IN_MONTH[month]
                    at = number * MONTHS + month
                    for total, values in zip(sums, (gpp[month], half[month]), strict=True):
                        known = np.where(np.isfinite(values), values, 0.0)
                        found = np.bincount(block - first, known * amount)
                        total[at, first : first + len(found)] += found
        lat, lon = -90.0 + BLOCK * (blocks // _COLUMNS + 0.5), -180.0 + BLOCK * (blocks % _COLUMNS + 0.5)
        years = () if store.years is None else tuple(int(year) for year in store.years)
        return cls(lat, lon, np.bincount(of_cell, of_row[row], n).astype(np.float64), sums[0], sums[1], years)


def totals(sums: BlockSums, errors: ErrorCovariance) -> pd.DataFrame:
    """Return totals with their 90 % intervals, of the whole map, the tropics and the rest, and zones of 10 degrees.

    Parameters
    ----------
    sums : BlockSums
        Sums of the map.
    errors : ErrorCovariance
        How its errors are alike.

    Returns
    -------
    pandas.DataFrame
        `south`, `north` [degrees north], `first_year`, `last_year` (0 for a mean year), and `gpp`, `low`, `high`
        [Pg yr-1]: every region with the mean of all years, and, of several years, with each.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore.mapping.totals import BlockSums, totals
    >>> from gppcore.transfer.error_covariance import ErrorCovariance
    >>> lon = np.arange(-179.0, 180.0, 10.0)
    >>> flat = np.full((12, lon.size), 0.1)
    >>> sums = BlockSums(np.full(lon.size, 45.0), lon, np.full(lon.size, 1e10), flat, 0.5 * flat, ())
    >>> errors = ErrorCovariance(0.004, 0.02, lasting=0.12, season=0.16, passing=0.3, local=0.5)
    >>> totals(sums, errors)[["south", "north", "gpp", "low", "high"]].round(1).iloc[0].tolist()
    [-90.0, 90.0, 43.2, 39.6, 46.8]
    """
    import pandas as pd

    ends = [(-90, 90), (-90, -BAND), (-BAND, BAND), (BAND, 90)]
    ends += [(south, south + BAND) for south in range(-90, 90, BAND)]
    rows: list[tuple[float, ...]] = []
    for south, north in ends:
        here = np.flatnonzero((sums.lat >= south) & (sums.lat < north))
        if here.size and (not rows or here.size < sums.lat.size):  # a part that is the whole is not told twice
            rows += _of_region(sums, errors, here, (south, north))
    return pd.DataFrame(rows, columns=["south", "north", "first_year", "last_year", "gpp", "low", "high"])


def _of_region(
    sums: BlockSums, errors: ErrorCovariance, here: NDArray[np.int64], ends: tuple[int, int]
) -> list[tuple[float, ...]]:
    half = sums.half_width[:, here].T
    n_years = half.shape[1] // MONTHS
    side = np.sqrt(sums.area[here]) / 1000.0
    apart = distances(sums.lat[here], sums.lon[here])
    alike = np.exp(-apart / RANGE_KM) * (1.0 - errors.local)
    alike[np.diag_indices(len(here))] = errors.local * within_square(side, LOCAL_KM) + (1.0 - errors.local) * (
        within_square(side, RANGE_KM)
    )
    lasting, season, passing = errors.months(np.arange(half.shape[1]))
    of_months = lasting + season + passing
    region = np.exp(-apart / REGION_KM) * errors.regional + errors.common
    periods = [(slice(None), n_years)]
    if n_years > 1:
        periods += [(slice(k * MONTHS, (k + 1) * MONTHS), 1) for k in range(n_years)]
    found: list[tuple[float, ...]] = []
    with threadpool_limits(1, "blas"):  # its results depend on its threads
        near, far = alike @ half, region @ half
        for number, (months, years) in enumerate(periods):
            own = half[:, months]
            variance = float(np.sum(near[:, months] * (own @ of_months[months, months])))
            variance += float(own.sum(axis=1) @ far[:, months].sum(axis=1))
            total = float(sums.gpp[months, here].sum()) / years
            width = NORMAL_90 * np.sqrt(max(variance, 0.0)) / years
            of_years = (sums.years[0], sums.years[-1]) if sums.years else (0, 0)
            first, last = of_years if number == 0 else (sums.years[number - 1],) * 2
            found.append((*ends, first, last, total, max(total - width, 0.0), total + width))
    return found
