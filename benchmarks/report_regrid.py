"""Regridding of one global 0.05 degree float32 field, 70 % missing, beside the memory floor and other libraries.

The floor of a case is the time to read or to write the fine field, or to copy it, measured in the same run by the
loops of floors.c. For such a case the ratio is floor / gppcore, so that "at most k times the floor" is "at least 1/k".
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import xarray as xr
import xarray_regrid
from floors import floors
from timing import Case, fastest

from gppcore.regrid import LatLonGrid, RegridPlan, downscale, edges

FACTOR = 10
FINE = LatLonGrid(np.linspace(90, -90, 3601), np.linspace(-180, 180, 7201))
COARSE = FINE.every(FACTOR)
OTHER = LatLonGrid(edges(np.linspace(-90, 90, 361)), np.linspace(-180, 180, 577))
"""0.5 x 0.625 degrees with half rows at the poles: few cells of it are made of whole fine ones."""
GLOBE = {"lat_edges": (90, -90), "lon_edges": (-180, 180)}
Function = Callable[[], object]


def land() -> np.ndarray:
    """Return the land cells of the shared land cover, else blocks that cover as much."""
    shared = Path(os.environ.get("GPPCORE_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    path = shared / "grids" / "landcover_igbp_0p05.nc"
    if path.exists():
        with xr.open_dataset(path, engine="h5netcdf") as data:
            return data["igbp"].values > 0
    blocks = np.random.default_rng(0).random((36, 72)) < 0.3
    return blocks.repeat(100, axis=0).repeat(100, axis=1)


def fields() -> tuple[np.ndarray, np.ndarray]:
    """Return a fine and a coarse field with missing cells."""
    rng = np.random.default_rng(1)
    valid = land()
    fine = np.where(valid, rng.random(FINE.shape, np.float32), np.float32(np.nan))
    some = valid.reshape(COARSE.shape[0], FACTOR, COARSE.shape[1], FACTOR).any(axis=(1, 3))
    return fine, np.where(some, rng.random(COARSE.shape, np.float32), np.float32(np.nan))


def overlap_matrix(target: np.ndarray, source: np.ndarray) -> sp.csr_array:
    """Return the lengths of overlap of every target cell with every source cell, both ascending."""
    least = 1e-9 * (source[1] - source[0])
    rows = []
    for low, high in pairwise(target):
        length = np.minimum(high, source[1:]) - np.maximum(low, source[:-1])
        rows.append(sp.csr_array(np.where(length > least, length, 0.0)[None]))
    return sp.csr_array(sp.vstack(rows))


def scipy_separable(fine: np.ndarray, target: LatLonGrid, dtype: type) -> Callable[[], np.ndarray]:
    """Regrid by one sparse matrix per axis, for values and for validity, with weights and sums of this type."""
    south_first = target.lat_edges if target.lat_edges[0] < 0 else target.lat_edges[::-1]
    lat = overlap_matrix(*(np.sin(np.radians(lat)) for lat in (south_first, FINE.lat_edges[::-1])))[:, ::-1]
    lat = sp.csr_array(lat if target.lat_edges[0] < 0 else lat[::-1], dtype=dtype)
    lon = sp.csr_array(overlap_matrix(target.lon_edges, FINE.lon_edges), dtype=dtype)

    def run() -> np.ndarray:
        valid = ~np.isnan(fine)
        total = (lon @ (lat @ np.where(valid, fine, dtype(0.0))).T).T
        weight = (lon @ (lat @ valid.astype(dtype)).T).T
        return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0.0)

    return run


def numpy_covariate(coarse: np.ndarray, covariate: np.ndarray) -> np.ndarray:
    blocks = (COARSE.shape[0], FACTOR, COARSE.shape[1], FACTOR)
    area = np.abs(np.diff(np.sin(np.radians(FINE.lat_edges))))[:, None].astype(np.float32)
    valid = ~np.isnan(covariate)
    total = (np.where(valid, covariate, np.float32(0.0)) * area).reshape(blocks).sum(axis=(1, 3))
    weight = (valid * area).reshape(blocks).sum(axis=(1, 3))
    with np.errstate(invalid="ignore"):
        return (coarse * weight / total).repeat(FACTOR, axis=0).repeat(FACTOR, axis=1) * covariate


def labelled(grid: LatLonGrid, values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, {"lat": grid.lat, "lon": grid.lon}, ("lat", "lon"), "field")


def agree(ours: np.ndarray, theirs: np.ndarray, rtol: float = 1e-4, rows: slice = slice(None)) -> None:
    """Check cells that both have; single precision sums of peers set the tolerance."""
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    assert both.mean() > 0.2
    np.testing.assert_allclose(ours[rows][both[rows]], theirs[rows][both[rows]], rtol=rtol)


def milliseconds(functions: dict[str, Function], **options: float | Callable[[], float]) -> dict[str, float]:
    return {name: 1e3 * seconds for name, seconds in fastest(functions, **options).items()}


def beside(name: str, ours: Function, peers: dict[str, Function], goal: float | None, of: str) -> Case:
    times = milliseconds({"gppcore": ours, **peers}, clock=time.thread_time)
    mine = times.pop("gppcore")
    return Case(name, mine, "ms", times[of] / mine, goal, times)


def cases() -> Iterator[Case]:
    """Yield every case; one thread but for the last ones."""
    fine, coarse = fields()
    mean, other = np.empty(COARSE.shape, np.float32), np.empty(OTHER.shape, np.float32)
    out = np.empty(FINE.shape, np.float32)
    nested, general = RegridPlan(FINE, COARSE), RegridPlan(FINE, OTHER)
    ours: dict[str, Callable[[int], object]] = {
        "aggregate": lambda n: nested.apply(fine, out=mean, n_threads=n),
        "general": lambda n: general.apply(fine, out=other, n_threads=n),
        "conservative": lambda n: downscale(coarse, factor=FACTOR, out=out, n_threads=n),
        "bilinear": lambda n: downscale(coarse, factor=FACTOR, method="bilinear", out=out, n_threads=n, **GLOBE),
        "covariate": lambda n: downscale(
            coarse, factor=FACTOR, method="covariate", covariate=fine, lat_edges=(90, -90), out=out, n_threads=n
        ),
        "smooth": lambda n: downscale(coarse, factor=FACTOR, method="smooth", out=out, n_threads=n, **GLOBE),
    }
    names = {
        "aggregate": "aggregate 0.05 to 0.5 degrees",
        "general": "general, 0.05 to 0.5 x 0.625 degrees",
        "conservative": "conservative 0.5 to 0.05 degrees",
        "bilinear": "bilinear 0.5 to 0.05 degrees",
        "covariate": "covariate 0.5 to 0.05 degrees",
        "smooth": "smooth 0.5 to 0.05 degrees",
    }
    floor = {f"{kind} floor": function for kind, function in floors(FINE.shape).items()}
    limits = {
        "aggregate": ("read floor", 1 / 1.7),
        "general": ("read floor", 1 / 3.5),
        "conservative": ("write floor", 1 / 1.4),
        "bilinear": ("write floor", 1 / 3.5),
        "covariate": ("copy floor", 1 / 3.0),
        "smooth": ("write floor", None),
    }
    for key, (kind, goal) in limits.items():
        yield beside(f"{names[key]}, floor", lambda key=key: ours[key](1), {kind: floor[kind]}, goal, kind)
    yield from _peers(names, ours, fine, coarse)
    for key, function in ours.items():
        times = milliseconds({"two": lambda f=function: f(2), "one thread": lambda f=function: f(1)})
        two = times.pop("two")
        yield Case(f"{names[key]}, two threads", two, "ms", times["one thread"] / two, 1.0, times)


def _peers(names: dict[str, str], ours: dict, fine: np.ndarray, coarse: np.ndarray) -> Iterator[Case]:
    scipy, scipy_single = "scipy separable, float64", "scipy separable, float32"
    grid, target = labelled(FINE, fine), xr.Dataset(coords={"lat": COARSE.lat, "lon": COARSE.lon})
    regridder = xarray_regrid.Regridder(grid)

    def conservative() -> xr.DataArray:
        return regridder.conservative(target, latitude_coord="lat", skipna=True, nan_threshold=1.0)

    # xarray-regrid is some percent off in the rows at the poles.
    agree(ours["aggregate"](1), conservative().values, rtol=1e-3, rows=slice(20, -20))
    for key, to, more, goal in (
        ("aggregate", COARSE, {"xarray-regrid": conservative}, 15.0),
        ("general", OTHER, {}, None),
    ):
        double, single = (scipy_separable(fine, to, dtype) for dtype in (np.float64, np.float32))
        agree(ours[key](1), double(), rtol=1e-6)
        agree(ours[key](1), single(), rtol=1e-5)
        peers = {scipy: double, scipy_single: single, **more}
        yield beside(names[key], lambda key=key: ours[key](1), peers, goal, scipy)

    def repeat() -> np.ndarray:
        return coarse.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)

    np.testing.assert_array_equal(ours["conservative"](1), repeat())
    yield beside(names["conservative"], lambda: ours["conservative"](1), {"numpy repeat": repeat}, None, "numpy repeat")
    small = labelled(COARSE, coarse)

    def interp() -> xr.DataArray:
        return small.interp(lat=FINE.lat, lon=FINE.lon)

    agree(ours["bilinear"](1), interp().values)
    yield beside(names["bilinear"], lambda: ours["bilinear"](1), {"xarray interp": interp}, 20.0, "xarray interp")
    agree(ours["covariate"](1), numpy_covariate(coarse, fine))
    numpy_way = {"numpy": lambda: numpy_covariate(coarse, fine)}
    yield beside(names["covariate"], lambda: ours["covariate"](1), numpy_way, None, "numpy")
