"""The embedded world: climate at 0.25 degrees, land cover and leaves at 0.05."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import PFT_NAMES
from gppcore.demo.forcing import demonstration_forcing, leaf_area_index
from gppcore.demo.world import open_world
from gppcore.features import pft_fractions
from gppcore.features.derive import derived
from gppcore.features.koeppen import koeppen_class
from gppcore.regrid import downscale
from gppcore.tiles.layout import window_order
from gppcore.variables import MONTHS

Float32 = NDArray[np.float32]
Index = NDArray[np.int64]

SHAPE = (3600, 7200)
QUARTER = 5
"""Fine cells per side of a climate cell."""
LAT_EDGES, LON_EDGES = (90.0, -90.0), (-180.0, 180.0)
_CLIMATE = ("tair", "tair_range", "vpd", "sw", "sw_toa", "precip", "soil_water", "relative_gsi")


@dataclass(frozen=True)
class World:
    """Fields of the embedded world.

    Attributes
    ----------
    land : ndarray of int64, shape (cells,)
        Flat 0.05 degree indices of the land cells, window by window.
    igbp : ndarray of uint8, shape (cells,)
        Land cover of the land cells.
    shares : ndarray of float32, shape (pft, cells)
        Area fractions of the plant functional types in the land cells.
    lai : ndarray of float32, shape (12, cells)
        Leaf area index of the land cells.
    c4_fraction : ndarray of float32, shape (cells,)
        C4 share of grass and crop at the land cells.
    climate : dict of str to ndarray of float32, shape (12, 720, 1440)
        Climate and demonstration forcing at 0.25 degrees; NaN far from land.
    koeppen : ndarray of str, shape (720, 1440)
        Koeppen main class at 0.25 degrees; empty far from land.
    c4 : ndarray of float32, shape (180, 360)
        The same on its own grid of 1 degree, 0 off the land.
    threads : int
        Threads to use with these fields.
    """

    land: Index
    igbp: NDArray[np.uint8]
    shares: Float32
    lai: Float32
    c4_fraction: Float32
    climate: dict[str, Float32]
    koeppen: NDArray[np.str_]
    c4: Float32
    threads: int


def coarse_index(fine: Index, factor: int) -> Index:
    """Return the flat index of the coarser cell that holds each 0.05 degree cell."""
    row, column = np.divmod(fine, SHAPE[1])
    coarse: Index = (row // factor) * (SHAPE[1] // factor) + column // factor
    return coarse


def centres(factor: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude (north first) and longitude of the cell centres of a grid."""
    step = 0.05 * factor
    rows, columns = SHAPE[0] // factor, SHAPE[1] // factor
    half = np.float64(0.5)
    return 90.0 - step * (np.arange(rows) + half), -180.0 + step * (np.arange(columns) + half)


def load_world(threads: int, progress: Callable[[int], None]) -> World:
    """Read the embedded world and model the remaining forcing; `progress` is called after each of 15 parts."""
    with open_world() as ds:
        climate, koeppen = model_climate(ds["tair"].values, ds["precip"].values, *centres(QUARTER))
        progress(2)
        igbp, low, high = ds["igbp"].values, ds["ndvi_min"].values, ds["ndvi_max"].values
        c4 = ds["c4_fraction"].values.astype(np.float32)
    known = np.isfinite(climate["tair"]).all(axis=0)
    everywhere = np.repeat(np.repeat(known, QUARTER, axis=0), QUARTER, axis=1)
    land = window_order(np.flatnonzero((igbp > 0) & np.isfinite(low) & np.isfinite(high) & everywhere), SHAPE)
    low, high = low.reshape(-1)[land], high.reshape(-1)[land]
    progress(1)
    lai, fine = np.empty((MONTHS, land.size), dtype=np.float32), np.empty(SHAPE, dtype=np.float32)
    for month in range(MONTHS):
        season = to_fine(climate["relative_gsi"][month], threads, fine).reshape(-1)[land]
        lai[month] = leaf_area_index(low, high, season)
        progress(1)
    c4 = np.nan_to_num(c4)
    c4_at_land = c4.reshape(-1)[coarse_index(land, 20)]
    igbp = igbp.reshape(-1)[land]
    return World(land, igbp, pft_fractions(igbp), lai, c4_at_land, climate, koeppen, c4, threads)


def model_climate(
    tair: Float32, precip: Float32, lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[dict[str, Float32], NDArray[np.str_]]:
    """Model the demonstration forcing where the climate (12, lat, lon) is known; return it and Koeppen main classes."""
    shape = tair.shape
    tair, precip = tair.reshape(MONTHS, -1), precip.reshape(MONTHS, -1)
    cells = np.flatnonzero(np.isfinite(tair).all(axis=0) & np.isfinite(precip).all(axis=0))
    lat, lon = (axis.reshape(-1)[cells] for axis in np.meshgrid(lat, lon, indexing="ij"))
    known = {"tair": tair[:, cells].astype(np.float64), "precip": precip[:, cells].astype(np.float64)}
    known.update(demonstration_forcing(lat, lon, known["tair"], known["precip"]))
    known["soil_water"] = derived(known, mean_year=True)["soil_water"]
    fields = {}
    for name in _CLIMATE:
        grid = np.full((MONTHS, tair.shape[1]), np.nan, dtype=np.float32)
        grid[:, cells] = known[name]
        fields[name] = grid.reshape(shape)
    koeppen = np.full(tair.shape[1], "", dtype="<U1")
    koeppen[cells] = koeppen_class(known["tair"], known["precip"])  # the main class: the array holds one letter
    return fields, koeppen.reshape(shape[1:])


def to_fine(quarter: Float32, threads: int, out: Float32) -> Float32:
    """Interpolate a 0.25 degree field to 0.05 degrees, into `out`."""
    return downscale(quarter, factor=QUARTER, method="bilinear", lon_edges=LON_EDGES, out=out, n_threads=threads)


def monthly_at(world: World, name: str, cells: list[Index]) -> list[Float32]:
    """Return a monthly predictor, (12, n), at several lists of positions in `world.land`."""
    if name == "lai":
        return [world.lai[:, c] for c in cells]
    out = [np.empty((MONTHS, c.size), dtype=np.float32) for c in cells]
    if not any(c.size for c in cells):
        return out
    positions = [world.land[c] for c in cells]
    fine = np.empty(SHAPE, dtype=np.float32)
    for month in range(MONTHS):
        grid = to_fine(world.climate[name][month], world.threads, fine).reshape(-1)
        for values, position in zip(out, positions, strict=True):
            values[month] = grid[position]
    return out


def static_at(world: World, cells: Index) -> dict[str, Float32]:
    """Return the static predictors, each (n,), at positions in `world.land`."""
    fields = {f"fraction_{name}": world.shares[i, cells] for i, name in enumerate(PFT_NAMES)}
    return {"c4_fraction": world.c4_fraction[cells], **fields}
