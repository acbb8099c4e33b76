"""Cells for pre-training out of a tile store: drawn evenly over land cover and climate, in one pass over the tiles.

A few vegetation types cover most land: among millions of cells drawn at random, steppe and taiga would dominate and
rarer canopies would be scarce. Every stratum, a plant functional type in a climate, therefore gives equally many cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import PFT_NAMES
from gppcore.errors import RangeError, ShapeError
from gppcore.features.koeppen import koeppen_class
from gppcore.features.place import PLACE
from gppcore.io.mapped import whole_files
from gppcore.tiles.derive import derive_predictors
from gppcore.tiles.layout import CLIMATOLOGY_YEAR
from gppcore.tiles.store import TileStore
from gppcore.towers.process import COVARIATES
from gppcore.variables import MONTHS, attributes

if TYPE_CHECKING:
    import xarray as xr

FORCING = (
    *("tair", "tair_range", "vpd", "sw", "sw_toa", "precip", "soil_water", "lai", "ca", "c4_fraction"),
    *COVARIATES,
)
"""Input of the process model and predictors of a cell, besides the area shares of the types."""
_BARE = len(PFT_NAMES)  # number of the type of cells where nothing grows
_CLIMATES = np.array(["A", "B", "C", "D", "E"])


class _Chosen(NamedTuple):
    """Years of cells: their priority, the number of the year and the position in the index of the store."""

    priority: NDArray[np.uint64]
    year: NDArray[np.int64]
    position: NDArray[np.int64]

    def take(self, which: NDArray[np.int64]) -> _Chosen:
        return _Chosen(self.priority[which], self.year[which], self.position[which])

    @classmethod
    def joined(cls, parts: Sequence[_Chosen]) -> _Chosen:
        priority, year, position = zip(*parts, strict=True)
        return cls(np.concatenate(priority), np.concatenate(year), np.concatenate(position))


def sample_tiles(
    store: TileStore, variables: Sequence[str] = FORCING, *, n_cells: int = 40_000, seed: int = 0
) -> xr.Dataset:
    """Draw cells of a tile store, evenly over strata of main plant functional type and Koeppen main class.

    Parameters
    ----------
    store : TileStore
        Store with `tair` [degC], `precip` [mm d-1] and `fraction_<pft>` [1] beside `variables`.
    variables : sequence of str, default `FORCING`
        Variables to gather, monthly or static; lags and normals (`gppcore.features.place.PLACE`) that the store lacks
        are derived first. A product of a process model that was regridded to the store may be
        among them: see `gppcore.transfer.source_domain.downscaled_rows`.
    n_cells : int, default 40_000
        Cells to draw, each with the twelve months of one of the store's years. Strata with fewer cells than their
        share give all of them; the others make up the difference.
    seed : int, default 0
        Seed of the draw.

    Returns
    -------
    xarray.Dataset
        (time, cell) with the variables in float64, `pft_fraction` (pft, cell), `lat`, `lon` and `weight` (cell): the
        number of cells and years of its stratum that a drawn one represents. The coordinate `cell` is the flat index in
        the grid of the store, and `year` the calendar year where the store has some. Input of
        `gppcore.transfer.source_domain.source_rows`.

    Raises
    ------
    RangeError
        If `n_cells` is less than 1.
    TileFormatError
        If a variable is not in the store, or not finished.
    ShapeError
        If the climate of no cell is known.

    Notes
    -----
    A cell's priority is a hash of seed, place and year, and a stratum gives its cells of lowest priority; so the draw
    depends neither on the order of the tiles nor on what other cells the store has in other strata. Memory holds
    one tile, at most `n_cells` candidates per stratum, 24 bytes each, and the result, whatever the size of the store.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import TileStore
    >>> from gppcore.transfer.source_tiles import sample_tiles
    >>> store = TileStore.create("tiles", np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.arange(4))
    >>> with store.writing():
    ...     for name, value in {"tair": 9.0, "precip": 2.0, "lai": 2.5}.items():
    ...         store.add(name, monthly=True, attrs={})
    ...         store.write(name, 0, np.full((12, 4), value, np.float32))
    ...     for name in ("enf", "ebf", "dnf", "dbf", "mf", "shrub", "grass", "crop"):
    ...         store.add(f"fraction_{name}", monthly=False, attrs={})
    ...         store.write(f"fraction_{name}", 0, np.full(4, float(name == "enf"), np.float32))
    >>> sample_tiles(store, ["tair", "lai"], n_cells=2)["lai"].shape
    (12, 2)
    """
    if n_cells < 1:
        raise RangeError(f"n_cells: expected at least 1, got {n_cells}")
    if lacking := set(variables) & set(PLACE) - set(store.variables):
        derive_predictors(store, also=lacking)
    found: dict[int, _Chosen] = {}
    counts: dict[int, int] = {}
    for stratum, candidates in _candidates(store, seed):
        counts[stratum] = counts.get(stratum, 0) + candidates.priority.size
        if stratum in found:
            candidates = _Chosen.joined([found[stratum], candidates])
        found[stratum] = candidates.take(np.argsort(candidates.priority, kind="stable")[:n_cells])
    if not found:
        raise ShapeError(f"{store.path}: expected cells whose temperature and precipitation are known, got none")
    strata = sorted(found)
    quotas = _quotas([counts[s] for s in strata], n_cells)
    parts = [found[s].take(np.arange(quota)) for s, quota in zip(strata, quotas, strict=True)]
    weight = np.repeat([counts[s] / max(quota, 1) for s, quota in zip(strata, quotas, strict=True)], quotas)
    chosen = _Chosen.joined(parts)
    # In the order of the store, so that every tile is read once.
    order = np.lexsort((chosen.position, chosen.year))
    return _gathered(store, variables, chosen.take(order), weight[order])


def _candidates(store: TileStore, seed: int) -> Iterator[tuple[int, _Chosen]]:
    """Yield the years of cells of every tile by stratum."""
    for tile in range(store.n_tiles):
        begin, shares = store.cells(tile).start, _shares(store, tile)
        grows = np.where(shares.sum(axis=0) > 0.0, shares.argmax(axis=0), _BARE)
        for number, year in enumerate(store.each_year):
            with whole_files():
                climate = koeppen_class(*(store.read(name, tile, year) for name in ("tair", "precip"))).astype("<U1")
            known = np.isin(climate, _CLIMATES) & np.isfinite(shares).all(axis=0)
            stratum = grows * _CLIMATES.size + np.searchsorted(_CLIMATES, climate)
            for value in np.unique(stratum[known]):
                position = begin + np.flatnonzero(known & (stratum == value))
                priority = _priority(store.index[position], year or 0, seed)
                yield int(value), _Chosen(priority, np.full(position.size, number), position)


@whole_files()
def _shares(store: TileStore, tile: int) -> NDArray[np.float32]:
    return np.stack([store.read(f"fraction_{name}", tile) for name in PFT_NAMES])


def _priority(cell: NDArray[np.int64], year: int, seed: int) -> NDArray[np.uint64]:
    """Hash cell, year and seed: a counter to each of which SplitMix64's finaliser is applied."""
    mixed = np.zeros(cell.size, dtype=np.uint64)
    for part in (np.uint64(seed), np.uint64(year), cell.astype(np.uint64)):
        mixed = (mixed ^ part) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed


def _quotas(sizes: Sequence[int], total: int) -> NDArray[np.int64]:
    """Divide `total` evenly; larger strata make up what small ones lack."""
    quotas, left = np.zeros(len(sizes), dtype=np.int64), total
    for done, i in enumerate(np.argsort(sizes, kind="stable")):
        quotas[i] = min(sizes[i], left // (len(sizes) - done))
        left -= int(quotas[i])
    return quotas


@whole_files()
def _gathered(store: TileStore, variables: Sequence[str], chosen: _Chosen, weight: NDArray[np.float64]) -> xr.Dataset:
    """Read the variables at the chosen cells."""
    import pandas as pd
    import xarray as xr

    n, names = chosen.position.size, [*dict.fromkeys(variables), *(f"fraction_{name}" for name in PFT_NAMES)]
    values = {name: np.empty((MONTHS, n) if store.is_monthly(name) else (n,)) for name in names}
    for number in np.unique(chosen.year):
        here, year = chosen.year == number, store.each_year[number]
        for name, out in values.items():
            out[..., here] = store.read_at(name, chosen.position[here], year if store.is_monthly(name) else None)
    fractions = np.stack([values.pop(f"fraction_{name}") for name in PFT_NAMES])
    cell = store.index[chosen.position]
    row, column = np.divmod(cell, store.shape[1])
    fields = {
        **{name: (("time", "cell")[2 - field.ndim :], field) for name, field in values.items()},
        "pft_fraction": (("pft", "cell"), fractions),
        "lat": ("cell", store.lat[row], attributes("lat")),
        "lon": ("cell", store.lon[column], attributes("lon")),
        "weight": ("cell", weight),
    }
    years = {"year": ("cell", np.asarray(store.years)[chosen.year])} if store.years else {}
    time = pd.date_range(f"{CLIMATOLOGY_YEAR}-01-15", periods=MONTHS, freq=pd.DateOffset(months=1))
    return xr.Dataset(fields, coords={"time": time, "pft": list(PFT_NAMES), "cell": cell, **years})
