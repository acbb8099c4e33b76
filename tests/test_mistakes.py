"""A hundred mistakes that users make: each ends in an error of gppcore that names the argument and the way on."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gppcore
from gppcore import PFTS, Canopy, Forcing, Forest, RegridPlan, Samples, TileStore, TransferModel
from gppcore.errors import GppcoreError
from gppcore.features import PREDICTORS
from gppcore.regrid import LatLonGrid
from gppcore.variables import check_range

NOON = {"sw": 600.0, "tair": 22.0, "vpd": 1000.0, "cos_zenith": 0.8, "ca": 410.0}
FIELD = np.ones((4, 6))
STUMP = {
    "n_features": 2,
    "tree_begin": [0, 3],
    "feature": [0, -1, -1],
    "threshold": [0.5, 0.0, 0.0],
    "left": [1, 0, 0],
    "right": [2, 0, 0],
    "value": [0.0, 1.0, 2.0],
}
FOREST = Forest.from_arrays(**STUMP)
NAMED = Forest.from_arrays(**STUMP, feature_names=["lai", "tair"])
MODEL = TransferModel.of_forest(FOREST, ("lai", "tair"))
TABLE = pd.DataFrame({"lai": [1.0], "tair": [20.0]})
X = np.zeros((3, 2))
GRID = LatLonGrid(np.arange(5.0), np.arange(7.0))


def gpp(canopy=None, pft=PFTS["dbf"], forcing=None, **options):
    return gppcore.two_leaf_gpp(
        Forcing(**NOON) if forcing is None else forcing, Canopy(lai=3.0) if canopy is None else canopy, pft, **options
    )


def monthly(**changes):
    """Return a year of one cell, with changes; None drops a variable."""
    time = pd.date_range("2001-01-15", periods=12, freq=pd.DateOffset(months=1))
    fields = {
        "sw": 200.0,
        "tair": 15.0,
        "tair_range": 10.0,
        "vpd": 900.0,
        "ca": 400.0,
        "lai": 2.0,
        "soil_water": 0.7,
    }
    ds = xr.Dataset({name: ("time", np.full(12, value)) for name, value in fields.items()}, coords={"time": time})
    ds = ds.assign(lat=50.0, pft="dbf")
    return ds.drop_vars([n for n, v in changes.items() if v is None]).assign(
        {n: v for n, v in changes.items() if v is not None}
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = TileStore.create(
        tmp_path_factory.mktemp("mistakes") / "store", np.arange(3.0), np.arange(4.0), np.arange(12), years=[2001, 2002]
    )
    store.add("lai", monthly=True, attrs={})
    store.add("igbp", monthly=False, attrs={})
    return store


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    n = 40
    groups = pd.DataFrame(
        {
            "site": np.repeat(list("abcd"), 10),
            "cluster": np.repeat([0, 1, 2, 3], 10),
            "region": "C",
            "continent": "europe",
            "pft": "DBF",
            "year": 2001,
            "month": np.tile(np.arange(1, 11), 4),
        }
    )
    return Samples(rng.random((n, 2)), rng.random(n), rng.random(n), groups, ("lai", "tair"))


MONTH = np.zeros((12, 12), np.float32)

TWO_LEAF = {
    "canopy is a number": (lambda: gpp(canopy=3.0), "canopy: expected Canopy, .*got float"),
    "canopy is a dict": (
        lambda: gpp(canopy={"lai": 3.0}),
        r"canopy: expected Canopy, .*Canopy\(\*\*canopy\), got dict",
    ),
    "pft is a name": (lambda: gpp(pft="dbf"), r"pft: expected PlantFunctionalType, .*PFTS\['dbf'\], got str"),
    "pft is an unknown name": (lambda: gpp(pft="oak"), "pft: expected PlantFunctionalType, .*'enf'.*got str"),
    "pft is the table": (lambda: gpp(pft=PFTS), "pft: expected PlantFunctionalType"),
    "pft is None": (lambda: gpp(pft=None), "pft: expected PlantFunctionalType"),
    "forcing is a dict": (
        lambda: gpp(forcing=NOON),
        r"forcing: expected Forcing, .*Forcing\(\*\*forcing\), got dict",
    ),
    "forcing and canopy are exchanged": (
        lambda: gpp(forcing=Canopy(lai=3.0), canopy=Forcing(**NOON)),
        "forcing: expected Forcing, .*got Canopy",
    ),
    "forcing is a dataset": (lambda: gpp(forcing=monthly()), "forcing: expected Forcing, .*simulate"),
    "mode is unknown": (lambda: gpp(mode="robust"), "mode: expected default or beps, got 'robust'"),
    "mode is None": (lambda: gpp(mode=None), "mode: expected default or beps, got None"),
    "temperature is unknown": (
        lambda: gpp(biochem_temperature="soil"),
        "biochem_temperature: expected air or leaf, got",
    ),
    "output is unknown": (lambda: gpp(outputs=("et",)), "outputs: expected names of .*transpiration.*got 'et'"),
    "outputs is a string": (lambda: gpp(outputs="apar"), r"outputs: expected a sequence of names.*\('apar',\)"),
    "kelvin": (lambda: gpp(forcing=Forcing(**{**NOON, "tair": 295.0})), "tair: expected degC, .*look like K"),
    "hectopascal over the range": (lambda: gpp(forcing=Forcing(**{**NOON, "vpd": 1e5})), "vpd: expected 0 to 15000 Pa"),
    "shapes": (
        lambda: gpp(forcing=Forcing(**{**NOON, "sw": np.ones(3), "tair": np.ones(4)})),
        r"inputs do not broadcast .*sw \(3,\), tair \(4,\)",
    ),
    "text in an array": (
        lambda: gpp(forcing=Forcing(**{**NOON, "sw": ["a"]})),
        "sw: expected float64, float32 or integers",
    ),
    "missing lai": (lambda: gpp(canopy=Canopy(lai=None)), "lai: expected numbers, got None"),
    "missing sw": (lambda: gpp(forcing=Forcing(**{**NOON, "sw": None})), "sw: expected numbers, got None"),
    "threads as text": (lambda: gpp(n_threads="2"), "n_threads: expected a whole number"),
    "threads not whole": (lambda: gpp(n_threads=1.5), "n_threads: expected a whole number"),
    "threads below 0": (lambda: gpp(n_threads=-1), "n_threads: expected a whole number"),
    "out is an array": (lambda: gpp(out=np.empty(1)), "out: expected TwoLeafFlux, .*got ndarray"),
    "BEPS mode with float32": (
        lambda: gpp(forcing=Forcing(**{**NOON, "sw": np.ones(3, np.float32)}), mode="beps"),
        "mode: expected float64 inputs in BEPS mode",
    ),
    "derivative by an unknown name": (
        lambda: gppcore.two_leaf_gradient(Forcing(**NOON), Canopy(lai=3.0), PFTS["dbf"], parameters=("kn",)),
        "parameters: expected names of .*vcmax25.*got 'kn'",
    ),
    "derivative by a string": (
        lambda: gppcore.two_leaf_gradient(Forcing(**NOON), Canopy(lai=3.0), PFTS["dbf"], parameters="lai"),
        "parameters: expected a sequence of names",
    ),
}

SIMULATE = {
    "not a dataset": (lambda: gppcore.simulate({"sw": 1.0}), "ds: expected an xarray.Dataset, got dict"),
    "a data frame": (lambda: gppcore.simulate(TABLE), "ds: expected an xarray.Dataset, got DataFrame; .*to_xarray"),
    "many variables missing": (
        lambda: gppcore.simulate(monthly(sw=None, ca=None, lai=None, vpd=None, soil_water=None)),
        "simulate: expected variables .*sw.*ca.*lai.*one of rh.*one of soil_water_stress",
    ),
    "names of ERA5": (lambda: gppcore.simulate(monthly().rename(sw="ssrd")), "ssrd may be it"),
    "two humidities": (
        lambda: gppcore.simulate(monthly(rh=("time", np.full(12, 60.0)))),
        "humidity: expected exactly one",
    ),
    "no time": (lambda: gppcore.simulate(monthly().isel(time=0, drop=True)), "time: expected"),
    "times that are no dates": (
        lambda: gppcore.simulate(monthly().assign_coords(time=np.arange(12))),
        "time: expected .*datetime64.*got int64",
    ),
    "unknown type": (lambda: gppcore.simulate(monthly(pft="oak")), r"pft: expected names out of .*got \['oak'\]"),
    "kelvin by attribute": (
        lambda: gppcore.simulate(monthly(tair=("time", np.full(12, 288.0), {"units": "K"}))),
        "tair: expected degC, got K",
    ),
    "kelvin by value": (lambda: gppcore.simulate(monthly(tair=("time", np.full(12, 288.0)))), "tair: expected degC"),
    "unknown steps": (lambda: gppcore.simulate(monthly(), steps="weekly"), "steps: expected .*hourly.*got 'weekly'"),
    "pfts is a list": (
        lambda: gppcore.simulate(monthly(), pfts=["dbf"]),
        "pfts: expected Mapping, for instance a mapping of names",
    ),
}

REGRID = {
    "field is a list of text": (
        lambda: gppcore.aggregate([["a"]], factor=1, lat_edges=(0, 1)),
        "field: expected float64",
    ),
    "one dimension": (
        lambda: gppcore.aggregate(np.ones(4), factor=2, lat_edges=(0, 4)),
        r"field: expected shape \(..., lat",
    ),
    "no edges": (lambda: gppcore.aggregate(FIELD, factor=2), "lat_edges: expected a value"),
    "edges too many": (lambda: gppcore.aggregate(FIELD, factor=2, lat_edges=np.arange(4)), "lat_edges: expected shape"),
    "edges beyond the poles": (lambda: gppcore.aggregate(FIELD, factor=2, lat_edges=(100, 200)), "lat_edges: expected"),
    "edges as text": (lambda: gppcore.aggregate(FIELD, factor=2, lat_edges=("a", "b")), "lat_edges: expected float64"),
    "factor not whole": (lambda: gppcore.aggregate(FIELD, factor=1.5, lat_edges=(0, 4)), "factor: expected an integer"),
    "factor 0": (lambda: gppcore.downscale(FIELD, factor=0), "factor: expected an integer >= 1, got 0"),
    "factor that does not divide": (
        lambda: gppcore.aggregate(FIELD, factor=5, lat_edges=(0, 4)),
        r"expected \(lat, lon\) divisible by factor 5",
    ),
    "min_valid in percent": (
        lambda: gppcore.aggregate(FIELD, factor=2, lat_edges=(0, 4), min_valid=50),
        r"min_valid: expected a share in \[0, 1\]",
    ),
    "unknown method": (
        lambda: gppcore.downscale(FIELD, factor=2, method="nearest"),
        "method: expected .*bilinear.*'nearest'",
    ),
    "no covariate": (lambda: gppcore.downscale(FIELD, factor=2, method="covariate"), "covariate: expected a value"),
    "covariate that the method does not take": (
        lambda: gppcore.downscale(FIELD, factor=2, covariate=FIELD),
        "covariate: expected None",
    ),
    "covariate on another grid": (
        lambda: gppcore.downscale(FIELD, factor=2, method="covariate", covariate=FIELD, lat_edges=(0, 4)),
        "covariate: expected a shape",
    ),
    "covariate in float32": (
        lambda: gppcore.downscale(
            FIELD, factor=2, method="covariate", covariate=np.ones((8, 12), np.float32), lat_edges=(0, 4)
        ),
        "covariate: expected dtype float64",
    ),
    "output of another shape": (
        lambda: gppcore.downscale(FIELD, factor=2, out=np.empty((4, 6))),
        r"out: expected a .* array of shape \(8, 12\)",
    ),
    "output is a list": (lambda: gppcore.downscale(FIELD, factor=2, out=[]), "out: expected an ndarray"),
    "plan of another grid": (
        lambda: RegridPlan(GRID, GRID).apply(np.ones((3, 3))),
        "field: expected .* as the grid has",
    ),
    "plan of arrays": (
        lambda: RegridPlan(FIELD, GRID),
        "source: expected a LatLonGrid or an xarray object, got ndarray",
    ),
    "plan of an unknown method": (lambda: RegridPlan(GRID, GRID, method="cubic"), "method: expected .*got 'cubic'"),
    "no coordinates": (lambda: gppcore.aggregate(xr.DataArray(FIELD), factor=2), "latitude: expected one dimension"),
    "a list of places": (
        lambda: gppcore.aggregate(
            xr.DataArray(np.ones(3), dims="site", coords={"lat": ("site", [1.0, 2, 3]), "lon": ("site", [1.0, 2, 3])}),
            factor=1,
        ),
        "latitude, longitude: expected two dimensions, .*a list of places",
    ),
    "a curvilinear grid": (
        lambda: gppcore.aggregate(
            xr.DataArray(FIELD, dims=("y", "x"), coords={"lat": (("y", "x"), FIELD), "lon": (("y", "x"), FIELD)}),
            factor=2,
        ),
        "latitude: expected one dimension, .*remapcon",
    ),
    "edges out of order": (
        lambda: LatLonGrid([0, 2, 1], [0, 1]),
        "lat_edges: expected strictly ascending or descending",
    ),
    "more than a circle": (lambda: LatLonGrid([0, 1], [0, 400]), "lon_edges: expected a span of at most 360"),
}

FORESTS = {
    "rows of another width": (lambda: FOREST.predict(np.zeros((3, 3))), r"x: expected shape \(n, 2\), got \(3, 3\)"),
    "one row": (lambda: FOREST.predict(np.zeros(2)), r"x: expected shape \(n, 2\), got \(2,\)"),
    "a dataset": (
        lambda: FOREST.predict(xr.Dataset({"lai": 1.0})),
        "x: expected an array or a DataFrame, got a Dataset",
    ),
    "text": (lambda: FOREST.predict([["a", "b"]]), "x: expected float64"),
    "missing columns": (lambda: NAMED.predict(TABLE[["lai"]]), r"x: expected the columns .*got no \['tair'\]"),
    "unknown columns": (lambda: NAMED.predict(TABLE.assign(site=1.0)), r"unknown \['site'\]"),
    "columns as a matrix's name": (
        lambda: FOREST.predict_columns("lai"),
        "columns: expected a list of 2 arrays, got str",
    ),
    "too few columns": (lambda: FOREST.predict_columns([X[:, 0]]), "columns: expected 2, at least one an array, got 1"),
    "columns of two lengths": (lambda: FOREST.predict_columns([X[:, 0], np.zeros(2)]), r"columns\[1\]: expected shape"),
    "columns of two types": (
        lambda: FOREST.predict_columns([X[:, 0], np.zeros(3, np.float32)]),
        r"columns\[1\]: expected float64, as columns\[0\] is, got float32",
    ),
    "a model that is no forest": (lambda: Forest.from_sklearn("tree"), "expected .*scikit-learn.*got str"),
    "an unfitted model": (lambda: Forest.from_sklearn(unfitted()), "fitted"),
    "no such file": (lambda: Forest.load("nowhere.gppf"), "nowhere.gppf"),
    "a folder": (lambda: Forest.load("."), "expected .*file"),
    "a path that is a number": (lambda: Forest.load(3), "path: expected a path or bytes, got int"),
    "unknown link": (lambda: Forest.from_arrays(**STUMP, link="log"), r"link: expected one of .*got 'log'"),
    "sum of other features": (
        lambda: FOREST + Forest.from_arrays(**{**STUMP, "n_features": 3}),
        "features",
    ),
    "targets of another length": (lambda: FOREST.refit_leaves(X, np.zeros(2)), r"y: expected shape \(3,\), got \(2,\)"),
    "weights below 0": (
        lambda: FOREST.refit_leaves(X, np.zeros(3), weight=[-1.0, 1, 1]),
        "weight: expected finite numbers",
    ),
}

MODELS = {
    "no such model": (
        lambda: TransferModel.load("nowhere"),
        "model: expected a folder with model.json, or its zip, got nowhere",
    ),
    "interval of a model without": (lambda: MODEL.predict(X, interval=True), "interval: expected a model"),
    "rows of another width": (
        lambda: MODEL.predict(np.zeros((3, 5))),
        r"x: expected shape \(n, 2\), .*the features are",
    ),
    "missing columns": (lambda: MODEL.predict(TABLE[["tair"]]), r"got no \['lai'\]"),
    "an unknown variable": (lambda: MODEL.predict(monthly()[["lai", "sw"]]), r"got no \['tair'\], unknown \['sw'\]"),
    "names and features": (lambda: TransferModel.of_forest(FOREST), "predictors: expected 2 names, .*got 16"),
    "not a forest": (lambda: TransferModel.of_forest("f.gppf", ("a",)), "forest: expected Forest, .*Forest.load"),
    "physics without process": (
        lambda: gppcore.pretrain(X, {"gpp": np.zeros(3)}, predictors=("a", "b")),
        "physics: expected process GPP as its first quantity",
    ),
    "physics is an array": (
        lambda: gppcore.pretrain(X, np.zeros(3), predictors=("a", "b")),
        r"physics: expected Mapping, .*\{'process': gpp\}, got ndarray",
    ),
    "predictors and columns": (
        lambda: gppcore.pretrain(X, {"process": np.zeros(3)}),
        r"x: expected shape \(rows, 16\)",
    ),
    "physics of another length": (
        lambda: gppcore.pretrain(X, {"process": np.zeros(2)}, predictors=("a", "b")),
        r"process: expected shape \(3,\), got \(2,\)",
    ),
}

STORES = {
    "year by number": (
        lambda s, _: s.write("lai", 0, MONTH, 0),
        "year: expected a year of the store, 2001 to 2002.* got 0",
    ),
    "no year": (lambda s, _: s.write("lai", 0, MONTH), "year: expected a year of the store, 2001 to 2002.* got None"),
    "year of a static variable": (
        lambda s, _: s.read("igbp", 0, 2001),
        "year: expected no year, .*static variable 'igbp'",
    ),
    "unknown variable": (
        lambda s, _: s.read("LAI", 0, 2001),
        r"expected a variable 'LAI', got one of \['igbp', 'lai'\]",
    ),
    "no such tile": (lambda s, _: s.read("lai", 7, 2001), "tile: expected 0 to 0, got 7"),
    "an unfinished tile": (lambda s, _: s.read("lai", 0, 2001), "expected a finished tile 0 of 'lai' in 2001"),
    "another shape": (lambda s, _: s.write("lai", 0, MONTH[:, :5], 2001), r"expected \(12, 12\), got \(12, 5\)"),
    "float64": (lambda s, _: s.write("lai", 0, MONTH.astype(float), 2001), "expected float32, got float64; convert"),
    "the same name from elsewhere": (
        lambda s, _: s.add("lai", monthly=False, attrs={"a": 1}),
        "expected 'lai' with attributes",
    ),
    "a folder that exists": (
        lambda s, _: TileStore.create(s.path, [0.0, 1], [0.0, 1], np.arange(4)),
        "expected a new folder",
    ),
    "no store": (lambda s, path: TileStore.open(path / "nowhere"), "tile store: expected a folder with zarr.json"),
    "a forest on a map": (
        lambda s, _: gppcore.map_gpp(FOREST, s),
        "model: expected a TransferModel .*TransferModel.of_forest",
    ),
    "a store's path on a map": (
        lambda s, _: gppcore.map_gpp(MODEL, str(s.path)),
        "store: expected TileStore, .*TileStore.open",
    ),
    "a product that exists": (lambda s, path: gppcore.map_gpp(MODEL, s, path), "product: expected a new folder"),
    "a predictor that the store lacks": (lambda s, _: gppcore.map_gpp(MODEL, s), "expected a variable 'tair'"),
    "cells beyond the grid": (
        lambda s, path: TileStore.create(path / "new", [0.0, 1], [0.0, 1], np.array([7])),
        "cells: expected flat indices from 0 to 3, got 7",
    ),
    "no recipe": (lambda s, path: gppcore.TileRecipe.read(path / "no.toml"), "recipe: expected a TOML file"),
    "a store for a recipe": (
        lambda s, path: gppcore.build_tiles("recipe.toml", path),
        "recipe: expected TileRecipe, .*read",
    ),
}

TOWERS = {
    "no folder": (lambda s, path: gppcore.read_towers(path / "nowhere"), "towers: expected"),
    "a file": (lambda s, path: gppcore.read_towers(Path(__file__)), "towers: expected"),
    "no such file": (lambda s, path: gppcore.read_fluxnet(path / "no.csv"), "no.csv"),
    "unknown scheme": (
        lambda s, _: gppcore.evaluate({}, s, scheme="sites"),
        r"scheme: expected one of .*few_towers.*'sites'",
    ),
    "unknown classes": (
        lambda s, _: gppcore.evaluate({}, s, scheme="regional", by="biome"),
        "by: expected one of .*'biome'",
    ),
    "no samples": (lambda s, _: gppcore.evaluate({}, TABLE), "samples: expected Samples, .*got DataFrame"),
    "one method that is no function": (
        lambda s, _: gppcore.evaluate({"m": 1}, s),
        "methods: expected functions of training and test samples, got m: int",
    ),
    "a method that predicts too few": (
        lambda s, _: gppcore.evaluate({"m": lambda train, test: test.x[:3, 0]}, s),
        r"m: expected shape .*got \(3,\)",
    ),
    "too many few towers": (
        lambda s, _: gppcore.evaluate({}, s, scheme="few_towers", few_towers=gppcore.FewTowers((9,))),
        "few_towers: expected 1 to 3 towers",
    ),
    "towers for samples": (lambda s, _: gppcore.fine_tune(MODEL, TABLE), "samples: expected Samples, .*got DataFrame"),
    "a model without sources": (lambda s, _: gppcore.fine_tune(MODEL, s), "model: expected emulators"),
    "unknown learner": (lambda s, _: gppcore.direct(s, learner="catboost"), "learner: expected one of .*'catboost'"),
    "unknown unseen": (lambda s, _: gppcore.direct(s, unseen="sites"), "unseen: expected one of .*'sites'"),
    "samples of another width": (
        lambda s, _: replace(s, predictors=("lai",)),
        "Samples: expected 40 rows of 1 predictors",
    ),
    "towers that are a path": (
        lambda s, _: gppcore.calibrate("towers"),
        "towers: expected Towers, .*read_towers.*got str",
    ),
    "process GPP of a path": (lambda s, _: gppcore.process_gpp("towers"), "towers: expected Towers, .*got str"),
    "one product": (lambda s, _: gppcore.compare("a.nc"), "products: expected two or more"),
    "no such product": (
        lambda s, _: gppcore.compare("a.nc", "b.nc"),
        "expected a netCDF file or Zarr store, got no such file",
    ),
    "a variable out of range": (lambda s, _: check_range("lai", 40.0), "lai: expected 0 to 15 m2 m-2"),
}


def unfitted():
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor()


PLAIN = {
    f"{part}: {name}": case
    for part, cases in (
        ("two-leaf", TWO_LEAF),
        ("simulate", SIMULATE),
        ("regrid", REGRID),
        ("forest", FORESTS),
        ("model", MODELS),
    )
    for name, case in cases.items()
}


def refused(call, pattern):
    with pytest.raises(GppcoreError) as error:
        call()
    assert re.search(pattern, str(error.value), re.DOTALL), str(error.value)


@pytest.mark.parametrize("name", PLAIN)
def test_mistake(name):
    refused(*PLAIN[name])


@pytest.mark.parametrize("name", STORES)
def test_mistake_with_a_store(name, store, tmp_path):
    call, pattern = STORES[name]
    refused(lambda: call(store, tmp_path), pattern)


@pytest.mark.parametrize("name", TOWERS)
def test_mistake_with_towers(name, samples, tmp_path):
    call, pattern = TOWERS[name]
    refused(lambda: call(samples, tmp_path), pattern)


def test_there_are_a_hundred():
    assert len(PLAIN) + len(STORES) + len(TOWERS) >= 100
    assert len(PREDICTORS) == 16  # of which a message above tells
