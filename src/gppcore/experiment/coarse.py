"""The process model on the coarse grid: cells of a tile store put together, simulated and downscaled to the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import PFT_NAMES, PlantFunctionalType
from gppcore.errors import RangeError
from gppcore.features import FRACTIONS, SHARES
from gppcore.process.simulate import simulate
from gppcore.regrid import LatLonGrid, cell_area, downscale
from gppcore.regrid.grid import edges
from gppcore.runtime import in_threads
from gppcore.tiles.build import TileRecipe, build_tiles
from gppcore.tiles.derive import derive_predictors
from gppcore.tiles.journal import Entry
from gppcore.tiles.layout import CLIMATOLOGY_YEAR
from gppcore.tiles.store import TileStore
from gppcore.towers.process import COVARIATES
from gppcore.variables import DAYS_IN_MONTH, MONTHS, attributes

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

Float = NDArray[np.float64]
Progress = Callable[[int], None]

PROCESS = "gpp_daily_process"
"""Name of the downscaled GPP of the process model in a tile store."""
LEAVES = tuple(f"lai_{name}" for name in PFT_NAMES)
"""Names of the leaf area of each type in the coarse store."""
_OF_CELLS = ("igbp", "lai", *SHARES)
_FORCING = ("tair", "tair_range", "vpd", "sw", "sw_toa", "precip", "soil_water", "ca")
_SAME = 1e-3
_EXTINCTION = 0.5


@dataclass(frozen=True)
class Blocks:
    """Coarse cells of `factor` x `factor` fine cells, in which the cells of a store lie.

    Attributes
    ----------
    factor : int
        Fine cells per side.
    top, left : int
        Fine rows and columns that the blocks begin before those of the store.
    lat_edges, lon_edges : ndarray
        Edges of the coarse grid [degrees].
    at : ndarray of int64
        Flat coarse index of every cell of the store.
    """

    factor: int
    top: int
    left: int
    lat_edges: Float
    lon_edges: Float
    at: NDArray[np.int64]

    @classmethod
    def of(cls, store: TileStore, resolution: float) -> Blocks:
        """Return the blocks of a resolution [degrees] whose edges are multiples of it, as far as the fine grid allows.

        Raises
        ------
        RangeError
            If the resolution is no multiple of the store's.
        """
        lat, lon = edges(store.lat), edges(store.lon)
        step = abs(lat[1] - lat[0])
        factor = round(resolution / step)
        if factor < 1 or abs(factor * step - resolution) > _SAME * resolution:
            raise RangeError(f"resolution: expected a multiple of that of the cells, {step:g}, got {resolution:g}")
        top, rows = _padding(lat, resolution, factor)
        left, columns = _padding(lon, resolution, factor)
        row, column = np.divmod(store.index, store.shape[1])
        at = (row + top) // factor * columns + (column + left) // factor
        return cls(factor, top, left, _edges(lat, top, rows, factor, 90.0), _edges(lon, left, columns, factor), at)

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns of the coarse grid."""
        return self.lat_edges.size - 1, self.lon_edges.size - 1


def _padding(fine: Float, resolution: float, factor: int) -> tuple[int, int]:
    """Return the fine cells before the first block's begin, and the number of blocks."""
    step = (fine[-1] - fine[0]) / (fine.size - 1)
    offset = (fine[0] / resolution - np.floor(fine[0] / resolution + _SAME)) * resolution
    before = round((offset if step > 0 else -offset % resolution) / abs(step)) % factor
    return before, -(-(fine.size - 1 + before) // factor)


def _edges(fine: Float, before: int, n: int, factor: int, limit: float = np.inf) -> Float:
    """Return the edges of the blocks, none beyond a limit."""
    step = (fine[-1] - fine[0]) / (fine.size - 1)
    found: Float = np.round(fine[0] + step * (factor * np.arange(n + 1) - before), 9)
    return np.clip(found, -limit, limit)


def cell_areas(store: TileStore) -> Float:
    """Return the area of every cell of a store [m2]."""
    rows = cell_area(edges(store.lat), edges(store.lon)[:2])[:, 0]
    return np.asarray(rows[store.index // store.shape[1]])


def coarse_store(
    recipe: TileRecipe,
    store: TileStore,
    out: Path,
    resolution: float,
    *,
    n_threads: int | None = None,
    client: Client | None = None,
    progress: Progress = lambda n: None,
) -> TileStore:
    """Build the store of the process model's inputs on the coarse grid; an unfinished one is resumed.

    Weather comes from the files of the recipe by area. Shares of the types, and the leaf area of each, are means over
    the cells of `store`, so that a coarse cell has the leaves that its own forests and fields have.

    Parameters
    ----------
    recipe : TileRecipe
        Files of the forcing.
    store : TileStore
        Cells with land cover and leaf area.
    out : Path
        Folder of the coarse store.
    resolution : float
        Of the coarse grid [degrees].
    n_threads, client, progress
        As of :func:`gppcore.build_tiles`.

    Returns
    -------
    TileStore
        With the forcing, ``fraction_<pft>``, ``lai_<pft>``, `c4_fraction`, the leaf area of all types, `lai`, and the
        covariates of parameters (`gppcore.towers.process.COVARIATES`).
    """
    blocks = Blocks.of(store, resolution)
    grid = LatLonGrid(blocks.lat_edges, blocks.lon_edges)
    coarse = (
        TileStore.open(out)
        if out.exists()
        else TileStore.create(out, grid.lat, grid.lon, np.unique(blocks.at), years=store.years)
    )
    sources = {
        name: replace(source, method="conservative", orography="")
        for name, source in recipe.variables.items()
        if name not in _OF_CELLS
    }
    build_tiles(replace(recipe, variables=sources), coarse, n_threads=n_threads, client=client, progress=progress)
    with coarse.writing():
        _write_cover(store, coarse, blocks)
        _write_canopy(coarse)
    derive_predictors(coarse, also=COVARIATES)
    return coarse


def _write_cover(store: TileStore, coarse: TileStore, blocks: Blocks) -> None:
    """Write the shares of the types and the leaf area of each, means over fine cells."""
    area = cell_areas(store)
    whole = _by_block(store, blocks, lambda tile, cells: area[cells])
    for name, leaves in zip(SHARES, (*LEAVES, None), strict=True):
        coarse.add(name, monthly=False, attrs=attributes(name, own_unit="1"))
        shares = [store.read(name, tile).astype(np.float64) for tile in range(store.n_tiles)]
        held = _by_block(store, blocks, partial(_held, area, shares))
        _write(coarse, name, np.divide(held, whole, out=np.zeros_like(held), where=whole > 0.0))
        if leaves is None:
            continue
        coarse.add(leaves, monthly=True, attrs=attributes("lai"))
        for year in store.each_year:
            _write(coarse, leaves, _leaf_area(store, blocks, area, shares, year), year)


def _write_canopy(coarse: TileStore) -> None:
    """Write the leaf area of all types, which parameters of places follow."""
    coarse.add("lai", monthly=True, attrs=attributes("lai"))
    for tile in range(coarse.n_tiles):
        shares = [coarse.read(name, tile) for name in FRACTIONS]
        covered = np.sum(shares, axis=0, dtype=np.float64)
        for year in coarse.each_year:
            if coarse.has("lai", tile, year):
                continue
            of_types = zip(shares, LEAVES, strict=True)
            lai = np.sum([share * coarse.read(name, tile, year) for share, name in of_types], axis=0, dtype=np.float64)
            mean = np.divide(lai, covered, out=np.zeros_like(lai), where=covered > 0.0)
            coarse.write("lai", tile, mean.astype(np.float32), year)


def _leaf_area(store: TileStore, blocks: Blocks, area: Float, shares: list[Float], year: int | None) -> Float:
    """Return the leaf area of a type by month and coarse cell, where it is known; 0 where it is not."""
    total = np.zeros((MONTHS, blocks.shape[0] * blocks.shape[1]))
    held = np.zeros_like(total)
    for tile in range(store.n_tiles):
        here = np.flatnonzero(shares[tile] > 0.0)
        if not here.size:
            continue
        cells = store.cells(tile)
        weight, at = area[cells][here] * shares[tile][here], blocks.at[cells][here]
        first = at.min()  # a tile lies in few blocks
        part = slice(first, at.max() + 1)
        months = store.read("lai", tile, year)
        for month in range(MONTHS):
            lai = months[month, here].astype(np.float64)
            known = np.isfinite(lai)
            for sums, values in ((total, weight * np.where(known, lai, 0.0)), (held, weight * known)):
                sums[month, part] += np.bincount(at - first, values)
    return np.divide(total, held, out=np.zeros_like(total), where=held > 0.0)


def _held(area: Float, shares: list[Float], tile: int, cells: slice) -> Float:
    """Return the area that a type holds in the cells of a tile."""
    return area[cells] * shares[tile]


def _by_block(store: TileStore, blocks: Blocks, values: Callable[[int, slice], Float]) -> Float:
    total = np.zeros(blocks.shape[0] * blocks.shape[1])
    for tile in range(store.n_tiles):
        cells = store.cells(tile)
        total += np.bincount(blocks.at[cells], values(tile, cells), total.size)
    return total


def _write(store: TileStore, name: str, grid: Float, year: int | None = None) -> None:
    """Write values of the whole grid to the tiles that are not finished."""
    for tile in range(store.n_tiles):
        if not store.has(name, tile, year):
            values = np.ascontiguousarray(grid[..., store.index[store.cells(tile)]], dtype=np.float32)
            store.write(name, tile, values, year)


def simulate_store(
    coarse: TileStore,
    year: int | None,
    *,
    pfts: Mapping[str, PlantFunctionalType] | None = None,
    n_threads: int | None = None,
) -> xr.Dataset:
    """Simulate a year of a coarse store.

    Parameters
    ----------
    coarse : TileStore
        What :func:`coarse_store` returns.
    year : int or None
        Year of the store; None for its mean year.
    pfts, n_threads
        As of :func:`gppcore.simulate`.

    Returns
    -------
    xarray.Dataset
        `gpp_daily` (time, cell) and `gpp_daily_pft` (pft, time, cell) [g m-2 d-1].
    """
    outputs = ("gpp_daily", "gpp_daily_pft")
    return simulate(coarse_dataset(coarse, year), pfts=pfts, outputs=outputs, n_threads=n_threads)


def coarse_dataset(coarse: TileStore, year: int | None) -> xr.Dataset:
    """Return a year of a coarse store as the input of :func:`gppcore.simulate`, over (time, cell)."""
    import pandas as pd
    import xarray as xr

    def field(name: str) -> Float:
        tiles = [coarse.read(name, tile, year if coarse.is_monthly(name) else None) for tile in range(coarse.n_tiles)]
        return np.concatenate(tiles, axis=-1).astype(np.float64)

    fields = {name: (("time", "cell"), field(name)) for name in _FORCING}
    return xr.Dataset(
        {
            **fields,
            **{name: ("cell", field(name)) for name in COVARIATES},
            "lai": (("pft", "time", "cell"), np.stack([field(name) for name in LEAVES])),
            "pft_fraction": (("pft", "cell"), np.stack([field(name) for name in FRACTIONS])),
            "c4_fraction": ("cell", np.nan_to_num(field("c4_fraction"))),
            "lat": ("cell", coarse.lat[coarse.index // coarse.shape[1]]),
        },
        coords={
            "time": pd.date_range(f"{year or CLIMATOLOGY_YEAR}-01-01", periods=MONTHS, freq="MS"),
            "pft": list(PFT_NAMES),
        },
    )


def downscale_year(
    simulated: xr.Dataset, coarse: TileStore, store: TileStore, resolution: float, year: int | None, n_threads: int
) -> Float:
    """Downscale a year of process GPP to the cells of a store and write it as `PROCESS`.

    The pattern within a coarse cell is the GPP of the types that a fine cell holds, times the light that its own leaves
    intercept; the mean of the coarse cell is kept.

    Returns
    -------
    ndarray, shape (2,)
        GPP of the year on the coarse and on the fine grid [Pg C], equal but for rounding; NaN if it was written before.
    """
    blocks, area = Blocks.of(store, resolution), cell_areas(store)
    store.add(PROCESS, monthly=True, attrs=attributes(PROCESS))
    if all(store.has(PROCESS, tile, year) for tile in range(store.n_tiles)):
        return np.full(2, np.nan)
    row, column = np.divmod(store.index, store.shape[1])
    fine_shape = (blocks.shape[0] * blocks.factor, blocks.shape[1] * blocks.factor)
    position = (row + blocks.top) * fine_shape[1] + column + blocks.left
    place = np.zeros(blocks.shape[0] * blocks.shape[1], dtype=np.int64)
    place[coarse.index] = np.arange(coarse.index.size)
    at = place[blocks.at]
    shares = [store.read_field(name) for name in FRACTIONS]
    values = np.empty((MONTHS, store.index.size), dtype=np.float32)  # leaf area, month by month replaced by GPP
    for tile in range(store.n_tiles):
        values[:, store.cells(tile)] = store.read("lai", tile, year)
    gpp, gpp_pft = simulated["gpp_daily"].values, simulated["gpp_daily_pft"].values
    covariate = np.full(fine_shape, np.nan, dtype=np.float32)
    field = np.full(blocks.shape, np.nan, dtype=np.float32)
    held = np.bincount(blocks.at, area, place.size)[coarse.index]
    totals = np.zeros(2)
    for month in range(MONTHS):
        pattern = np.zeros(store.index.size, dtype=np.float32)
        for share, of_type in zip(shares, gpp_pft, strict=True):
            here = np.flatnonzero(share > 0.0)
            pattern[here] += share[here] * of_type[month, at[here]].astype(np.float32)
        pattern *= 1.0 - np.exp(-_EXTINCTION * values[month])
        covariate.reshape(-1)[position] = pattern
        field.reshape(-1)[coarse.index] = gpp[month]
        fine = downscale(
            field,
            factor=blocks.factor,
            method="covariate",
            covariate=covariate,
            lat_edges=(blocks.lat_edges[0], blocks.lat_edges[-1]),
            n_threads=n_threads,
        )
        values[month] = fine.reshape(-1)[position]
        known = np.isfinite(values[month])
        days = DAYS_IN_MONTH[month] / 1e15
        totals += [days * np.nansum(gpp[month] * held), days * (values[month] * area)[known].sum()]

    def put(tile: int) -> Entry:
        return store.put(PROCESS, tile, values[:, store.cells(tile)], year)

    with store.writing(), closing(in_threads(put, range(store.n_tiles), n_threads)) as done:
        for entry in done:
            store.confirm(entry)
    return totals
