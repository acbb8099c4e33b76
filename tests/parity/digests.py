"""Print the digests of all kernels on the instruction set that GPPCORE_ISA forces: `python digests.py FOLDER`.

FOLDER holds the forests `masks`, `walked` and `classes`, and the model `model`. The output is one JSON object: the
instruction set in use, and by kernel a list of digests, one for each number of threads and size of batches or chunks.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import xarray as xr

from gppcore.constants import BEPS_PFTS, PFTS
from gppcore.forest import Forest
from gppcore.process import leaf_gas_exchange
from gppcore.process.simulate import simulate
from gppcore.process.soil_water import soil_water
from gppcore.process.two_leaf import INPUTS, OUTPUTS, Canopy, Forcing, two_leaf_gpp, two_leaf_gradient
from gppcore.regrid import LatLonGrid, RegridPlan, aggregate, downscale
from gppcore.runtime import isa
from gppcore.transfer.model import Model
from gppcore.transfer.transfer_model import TransferModel


def digest(arrays):
    """Hash the bytes of arrays, in their order."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


def canopies(rng, n, dtype="f8"):
    """Draw the inputs of n canopy hours."""
    weather = ((0, 1000), (-15, 45), (0, 4000), (-0.1, 1), (280, 800), (0, 8))
    canopy = ((0, 8), (0, 1), (0.4, 1), (0, 130), (2, 12))
    forcing = Forcing(*(rng.uniform(*limits, n).astype(dtype) for limits in weather))
    return forcing, Canopy(*(rng.uniform(*limits, n).astype(dtype) for limits in canopy))


def two_leaf(n_threads):
    """Run plain hours: every output, air and leaf temperature, net and gross, sizes around those of vectors."""
    rng = np.random.default_rng(5)
    for n, dtype in ((1, "f8"), (7, "f8"), (17, "f8"), (1023, "f8"), (9000, "f8"), (9, "f4"), (33, "f4"), (5000, "f4")):
        inputs = canopies(rng, n, dtype)
        for pft in ("enf", "grass", "grass_c4"):
            for kind in ("air", "leaf"):
                options = {"biochem_temperature": kind, "outputs": OUTPUTS, "gross": n < 1000, "n_threads": n_threads}
                yield from vars(two_leaf_gpp(*inputs, PFTS[pft], **options)).values()


def gradient(n_threads):
    """Run hours with derivatives by every input."""
    for dtype in ("f8", "f4"):
        rng = np.random.default_rng(5)
        for n in (1, 9, 33, 200):
            inputs = canopies(rng, n, dtype)
            for pft in ("enf", "grass_c4"):
                for kind in ("air", "leaf"):
                    options = {"parameters": INPUTS[:-1], "biochem_temperature": kind, "n_threads": n_threads}
                    g = two_leaf_gradient(*inputs, PFTS[pft], **options)
                    yield from (g.flux.gpp_sunlit, *g.derivatives.values())


def beps():
    """Run hours and single leaves of BEPS mode."""
    rng = np.random.default_rng(5)
    for n in (1, 7, 8, 9, 1023, 9000):
        inputs = canopies(rng, n)
        for code in (1, 13, 25):
            options = {"mode": "beps", "outputs": ("gpp_classes", "conductance")}
            flux = two_leaf_gpp(*inputs, BEPS_PFTS[code].pft, **options)
            yield from (flux.gpp_sunlit, flux.gpp_shaded, flux.gpp_classes, flux.conductance)
        limits = {
            "vcmax25": (0, 130), "ppfd": (0, 2000), "tair": (-5, 45), "humidity": (0.1, 1),
            "boundary_conductance": (0.5, 10), "ca": (280, 800), "g1": (2, 12), "g0": (0.001, 0.04),
            "soil_water_stress": (0.1, 1),
        }  # fmt: skip
        leaf = {name: rng.uniform(*limit, n) for name, limit in limits.items()}
        yield leaf_gas_exchange(**leaf, mode="beps").a_net


def regridding(n_threads):
    """Run every method, nested and between unrelated grids, with missing cells."""
    args = {"factor": 7, "n_threads": n_threads}
    source = LatLonGrid(np.linspace(70, 0, 281), np.linspace(-180, 180, 1408))
    targets = (LatLonGrid([-3, 11, 19.5, 71], np.linspace(0, 360, 102)), source.split(2))
    for dtype in (np.float32, np.float64):
        rng = np.random.default_rng(0)
        fine = rng.gamma(0.7, size=(280, 1407)).astype(dtype)
        fine[rng.random(fine.shape) < 0.3] = np.nan
        coarse = rng.normal(size=(40, 201)).astype(dtype)
        coarse[rng.random(coarse.shape) < 0.1] = np.nan
        yield from aggregate(fine, lat_edges=(70, 0), min_valid=0.3, fraction=True, **args)
        for target in targets:
            for method in ("conservative", "bilinear"):
                plan = RegridPlan(source, target, method=method)
                yield from plan.apply(fine, min_valid=0.2, fraction=True, n_threads=n_threads)
        yield downscale(coarse, **args)
        yield downscale(coarse, method="bilinear", lon_edges=(0, 360), **args)
        yield downscale(coarse, method="smooth", lat_edges=(70, 0), lon_edges=(0, 360), **args)
        yield downscale(coarse, method="covariate", covariate=fine, lat_edges=(70, 0), **args)


def bucket(n_threads):
    """Run the soil-water bucket over months and days, with missing rain."""
    rng = np.random.default_rng(6)
    for times, n, daily in ((12, 1, False), (12, 5003, False), (36, 33, False), (400, 17, True)):
        rain, tair = rng.gamma(1, 2, (times, n)), rng.normal(5, 12, (times, n))
        evaporation = rng.uniform(0, 8, (times, n))
        rain[rng.random(rain.shape) < 0.001] = np.nan
        yield soil_water(rain, evaporation, tair, daily=daily, n_threads=n_threads)


def forests(folder, n_threads, size):
    """Predict and number leaves in batches of a size, of rows that differ and of rows that are alike."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6007, 4))
    x[::7] = np.nan
    x[2048:] = x[2048] + 0.01 * x[2048:]  # alike, so that nodes are pruned
    x[4096:] = 3.0 * x[4096:]  # less alike, so that more are left
    x[:, 3] = np.floor(8 * np.abs(x[:, 3]))  # categories
    x[3::11, 3] -= 0.5
    for name in ("masks", "walked", "classes"):
        forest = Forest.load(folder / name)
        for dtype in (np.float32, np.float64):
            batches = np.split(x.astype(dtype), range(size, len(x), size))
            for run in (forest.predict, forest.apply):
                yield np.concatenate([run(batch, n_threads=n_threads) for batch in batches])


def model(folder, n_threads):
    """Predict with intervals."""
    loaded = Model.load(folder / "model")
    x = np.random.default_rng(3).normal(size=(len(loaded.recipe.predictors), 5000))
    x[:, ::7] = np.nan
    for dtype in (np.float32, np.float64):
        yield np.stack(loaded.predict_columns(list(x.astype(dtype)), interval=True, n_threads=n_threads))


def lazy(folder, chunks):
    """Simulate days, regrid and predict a dataset, in memory, or cut into chunks by dask."""
    rng = np.random.default_rng(4)
    n, days = 60, 20
    limits = {
        "sw": (50, 300),
        "tair": (0, 30),
        "tair_range": (2, 15),
        "vpd": (100, 2000),
        "lai": (0, 6),
        "ca": (380, 420),
    }
    fields = {name: (("time", "cell"), rng.uniform(*limit, (days, n))) for name, limit in limits.items()}
    fields |= {
        "soil_water": (("time", "cell"), rng.random((days, n))),
        "pft": ("cell", np.array(["dbf", "grass"] * 30)),
    }
    coords = {"time": np.arange("2001-06-01", "2001-06-21", dtype="M8[D]"), "lat": ("cell", np.linspace(-50, 60, n))}
    ds = xr.Dataset(fields, coords).chunk(cell=chunks) if chunks else xr.Dataset(fields, coords)
    yield simulate(ds, n_threads=2)["gpp_daily"].values
    grid = {"lat": 59.5 - np.arange(40.0), "lon": 0.5 + np.arange(40.0)}
    field = xr.DataArray(rng.random((6, 40, 40)), {"month": np.arange(6), **grid}, ("month", "lat", "lon"))
    field = field.chunk(month=1) if chunks else field
    yield aggregate(field, factor=4, n_threads=2).values
    trees = TransferModel.of_forest(Forest.load(folder / "masks"), ("a", "b", "c", "d"))
    x = xr.Dataset({name: ("row", rng.normal(size=3000)) for name in "abcd"})
    yield trees.predict(x.chunk(row=70 * chunks) if chunks else x).values


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    batches = ((1, 6007), (3, 6007), (64, 6007), (2, 10), (1, 700), (1, 2049))
    found = {
        "two_leaf": [digest(two_leaf(n_threads)) for n_threads in (1, 2, 7, 64)],
        "gradient": [digest(gradient(n_threads)) for n_threads in (1, 64)],
        "beps": [digest(beps())],
        "soil_water": [digest(bucket(n_threads)) for n_threads in (1, 3, 64)],
        "regridding": [digest(regridding(n_threads)) for n_threads in (1, 3, 64)],
        "forests": [digest(forests(folder, n_threads, size)) for n_threads, size in batches],
        "model": [digest(model(folder, n_threads)) for n_threads in (1, 2, 64)],
        "lazy": [digest(lazy(folder, chunks)) for chunks in (0, 7, 60)],
    }
    print(json.dumps({"isa": isa(), **found}))
