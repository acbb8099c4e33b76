"""Masks, byte orders, integers and overlaps mean the same to every public function."""

import pickle
import weakref
from copy import copy, deepcopy

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore import (
    PFTS,
    Canopy,
    Forcing,
    Forest,
    RegridPlan,
    TileStore,
    TransferModel,
    aggregate,
    downscale,
    two_leaf_gpp,
)
from gppcore.arrays import floats, whole_numbers
from gppcore.errors import DtypeError, ForestFormatError, RangeError, ShapeError, UnitsError
from gppcore.regrid import LatLonGrid

FILL = 1e20
FIELD = np.random.default_rng(0).random((8, 12))
MASKED = np.ma.masked_array(np.where(FIELD < 0.3, FILL, FIELD), FIELD < 0.3)
FINE, COARSE = LatLonGrid(np.arange(9.0), np.arange(13.0)), LatLonGrid(np.arange(0, 9, 4.0), np.arange(0, 13, 4.0))
PATTERN = np.random.default_rng(1).random((16, 24))
MASKED_PATTERN = np.ma.masked_array(np.where(PATTERN < 0.1, FILL, PATTERN), PATTERN < 0.1)


@pytest.fixture(scope="module")
def forest():
    """Two leaves: x0 <= 0.5 gives 1, else, or missing, 2."""
    return Forest.from_arrays(**STUMP, feature_names=["a", "b"])


STUMP = {
    "n_features": 2,
    "tree_begin": [0, 3],
    "feature": [0, -1, -1],
    "threshold": [0.5, 0.0, 0.0],
    "left": [1, 0, 0],
    "right": [2, 0, 0],
    "value": [0.0, 1.0, 2.0],
}


def noon(**changes):
    forcing = {"sw": 500.0, "tair": 20.0, "vpd": 900.0, "cos_zenith": 0.7, "ca": 400.0, **changes}
    return two_leaf_gpp(Forcing(**forcing), Canopy(lai=3.0), PFTS["dbf"]).gpp


FUNCTIONS = {
    "aggregate": lambda f: aggregate(f, factor=4, lat_edges=(0.0, 8.0)),
    "conservative": lambda f: downscale(f, factor=2),
    "bilinear": lambda f: downscale(f, factor=2, method="bilinear", lon_edges=(0.0, 12.0)),
    "smooth": lambda f: downscale(f, factor=2, method="smooth", lat_edges=(0.0, 8.0), lon_edges=(0.0, 12.0)),
    "covariate": lambda f: downscale(f, factor=2, method="covariate", covariate=PATTERN, lat_edges=(0.0, 8.0)),
    "plan": lambda f: RegridPlan(FINE, COARSE).apply(f),
    "two_leaf_gpp": lambda f: noon(tair=40.0 * f),
    "predict": lambda f: Forest.from_arrays(**STUMP).predict(f[:, :2]),
    "predict_columns": lambda f: Forest.from_arrays(**STUMP).predict_columns([f[:, 0], f[:, 1]]),
    "model": lambda f: TransferModel.of_forest(Forest.from_arrays(**STUMP), ("a", "b")).predict(f[:, :2]),
    "model columns": lambda f: TransferModel.of_forest(Forest.from_arrays(**STUMP), ("a", "b")).predict_columns(
        [f[:, 0], f[:, 1]]
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_masked_is_missing(name):
    function = FUNCTIONS[name]
    np.testing.assert_array_equal(function(MASKED), function(MASKED.filled(np.nan)))


def test_masked_covariate_is_missing():
    def fine(pattern):
        return downscale(FIELD, factor=2, method="covariate", covariate=pattern, lat_edges=(0.0, 8.0))

    np.testing.assert_array_equal(fine(MASKED_PATTERN), fine(MASKED_PATTERN.filled(np.nan)))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("change", [lambda f: f.astype(">f8"), np.asfortranarray, lambda f: np.repeat(f, 2, 1)[:, ::2]])
def test_layout_does_not_matter(name, change):
    function = FUNCTIONS[name]
    np.testing.assert_array_equal(function(change(FIELD)), function(FIELD))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_unaligned_memory_does_not_matter(name):
    packed = np.zeros(FIELD.shape, dtype=[("flag", "i1"), ("value", "f8")])
    packed["value"] = FIELD
    assert not packed["value"].flags.aligned
    np.testing.assert_array_equal(FUNCTIONS[name](packed["value"]), FUNCTIONS[name](FIELD))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", [np.float16, object, complex, "U8", "M8[s]"])
def test_other_types_are_refused(name, kind):
    other = np.zeros((8, 12), kind) if kind == "M8[s]" else FIELD.astype(kind)
    if name == "two_leaf_gpp":
        with pytest.raises(DtypeError, match="expected float64, float32 or integers"):
            noon(tair=other)
        return
    with pytest.raises(DtypeError, match="expected float64, float32 or integers"):
        FUNCTIONS[name](other)


def test_integers_become_float64():
    np.testing.assert_array_equal(aggregate(np.full((4, 4), 3), factor=2, lat_edges=(0, 4)), np.full((2, 2), 3.0))
    assert floats("x", [1, 2]).dtype == np.float64
    assert floats("x", np.array([True])).tolist() == [1.0]


def test_masked_targets_are_left_out(forest):
    refit = forest.refit_leaves(np.zeros((2, 2)), np.ma.array([1e6, 1.0], mask=[True, False]))
    assert refit.predict(np.zeros((1, 2))).tolist() == [1.0]
    with pytest.raises(RangeError, match=r"y: expected finite numbers, .* mask what is missing"):
        forest.refit_leaves(np.zeros((2, 2)), [np.nan, 1.0])


def test_masked_cells_are_missing_in_tiles(tmp_path):
    store = TileStore.create(tmp_path / "store", np.arange(3.0), np.arange(4.0), np.arange(12))
    store.add("igbp", monthly=False, attrs={})
    store.write("igbp", 0, np.ma.masked_equal(np.arange(12, dtype=np.float32), 5))
    assert np.flatnonzero(np.isnan(store.read("igbp", 0))).tolist() == [5]


@pytest.mark.parametrize("method", ["conservative", "bilinear", "covariate", "smooth"])
def test_output_over_the_input(method):
    options = {
        "conservative": {},
        "bilinear": {"lon_edges": (0.0, 12.0)},
        "covariate": {"covariate": PATTERN.copy(), "lat_edges": (0.0, 8.0)},
        "smooth": {"lat_edges": (0.0, 8.0), "lon_edges": (0.0, 12.0)},
    }[method]
    expected = downscale(FIELD, factor=2, method=method, **options)
    buffer = np.zeros((16, 24))
    view = buffer.reshape(-1)[:96].reshape(8, 12)
    view[:] = FIELD
    assert downscale(view, factor=2, method=method, out=buffer, **options) is buffer
    np.testing.assert_array_equal(buffer, expected)
    if method == "covariate":
        pattern = options["covariate"]
        downscale(FIELD, factor=2, method=method, out=pattern, **options)
        np.testing.assert_array_equal(pattern, expected)


def test_mean_over_the_input():
    expected = aggregate(FIELD, factor=4, lat_edges=(0.0, 8.0))
    field = FIELD.copy()
    out = field.reshape(-1)[:6].reshape(2, 3)
    np.testing.assert_array_equal(aggregate(field, factor=4, lat_edges=(0.0, 8.0), out=out), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feature": [2**32, -1, -1]}, "feature: expected -2147483648 to 2147483647, got -1 to 4294967296"),
        ({"feature": [0.9, -1, -1]}, "feature: expected whole numbers"),
        ({"feature": [np.nan, -1, -1]}, "feature: expected whole numbers"),
        ({"feature": np.ma.array([0, -1, -1], mask=[1, 0, 0])}, "feature: expected whole numbers, got masked"),
        ({"flags": [256, 0, 0]}, "flags: expected 0 to 255, got 0 to 256"),
        ({"flags": [-1, 0, 0]}, "flags: expected 0 to 255"),
        ({"left": [2**31, 0, 0]}, "left: expected"),
        ({"tree_begin": [0, 2**63]}, "tree_begin: expected"),
        ({"tree_begin": ["a", "b"]}, "tree_begin: expected whole numbers"),
        ({"set_words": [2**32]}, "set_words: expected"),
        ({"n_features": 2**31}, "n_features: expected"),
        ({"value": ["a", "b", "c"]}, "value: expected float64"),
        ({"threshold": [None, 0, 0]}, "threshold: expected float64, .* use NaN"),
    ],
)
def test_forests_are_checked_before_they_are_narrowed(change, message):
    with pytest.raises(ForestFormatError, match=message):
        Forest.from_arrays(**{**STUMP, **change})


def test_whole_numbers_at_the_ends_of_their_type():
    assert whole_numbers("x", [2**63 - 1], np.int64).tolist() == [2**63 - 1]
    assert whole_numbers("x", np.array([255.0]), np.uint8).tolist() == [255]
    assert whole_numbers("x", [], np.int32).size == 0


class TestTables:
    """Columns by name."""

    table = pd.DataFrame({"b": [7.0, 7.0], "a": [0.0, 1.0]})

    def test_columns_go_by_name(self, forest):
        model = TransferModel.of_forest(forest, ("a", "b"))
        for predictor in (forest, model):
            assert predictor.predict(self.table).tolist() == [1.0, 2.0]
            assert predictor.predict(self.table[["a", "b"]].to_numpy()).tolist() == [1.0, 2.0]
        assert forest.apply(self.table).tolist() == forest.apply(self.table[["a", "b"]].to_numpy()).tolist()
        assert model.predict(self.table.astype(np.float32)).dtype == np.float32
        assert model.predict(self.table.astype({"a": "Int64"}).replace({"a": {1: pd.NA}})).tolist() == [1.0, 2.0]

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (table.rename(columns={"a": "c"}), r"got no \['a'\], unknown \['c'\]"),
            (table.assign(c=1.0), r"unknown \['c'\]"),
            (table[["a"]], r"got no \['b'\]"),
            (pd.concat([table, table], axis=1), r"repeated \['a', 'b'\]"),
        ],
    )
    def test_names_are_listed(self, forest, table, message):
        for predictor in (forest, TransferModel.of_forest(forest, ("a", "b"))):
            with pytest.raises(ShapeError, match=message):
                predictor.predict(table)

    def test_a_forest_without_names_goes_by_position(self):
        assert Forest.from_arrays(**STUMP).predict(self.table).tolist() == [2.0, 2.0]

    def test_text_is_refused(self, forest):
        with pytest.raises(DtypeError, match=r"x\['b'\]: expected float64"):
            forest.predict(self.table.assign(b="x"))


class TestDatasets:
    """Variables by name, of any dimensions."""

    ds = xr.Dataset(
        {
            "lai": ("cell", [3.0, 3.0], {"units": "m2 m-2"}),
            "tair": (("time", "cell"), [[0.0, 1.0], [1.0, np.nan], [0.0, 0.0]], {"units": "degC"}),
        }
    )

    @pytest.fixture
    def model(self, forest):
        return TransferModel.of_forest(forest, ("tair", "lai"))

    def test_gpp_has_the_dimensions_of_the_variables(self, model):
        gpp = model.predict(self.ds)
        assert gpp.dims == ("time", "cell")
        assert gpp.values.tolist() == [[1.0, 2.0], [2.0, 2.0], [1.0, 1.0]]
        assert gpp.attrs["units"] == "g m-2 d-1"

    def test_lazy_arrays_stay_lazy(self, model):
        lazy = model.predict(self.ds.chunk({"time": 1}))
        assert lazy.chunks is not None
        np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), model.predict(self.ds))

    def test_names_and_units_are_checked(self, model):
        with pytest.raises(ShapeError, match=r"got no \['lai'\], unknown \['laj'\]"):
            model.predict(self.ds.rename(lai="laj"))
        kelvin = self.ds.copy()
        kelvin["tair"].attrs["units"] = "K"
        with pytest.raises(UnitsError, match="tair in x: expected degC, got K"):
            model.predict(kelvin)


class TestCopies:
    """Forests and models travel between processes."""

    def test_pickled_forests_predict_alike(self, forest, tmp_path):
        forest.save(tmp_path / "f.gppf")
        for each in (forest, Forest.load(tmp_path / "f.gppf")):
            again = pickle.loads(pickle.dumps(each))
            assert again == each == copy(each) == deepcopy(each)
            assert hash(again) == hash(each)
            assert again.feature_names == each.feature_names
            assert again.predict(TestTables.table).tolist() == [1.0, 2.0]
        assert weakref.ref(forest)() is forest
        assert forest != 2.0 * forest

    def test_a_replaced_file_is_refused(self, forest, tmp_path):
        forest.save(tmp_path / "f.gppf")
        pickled = pickle.dumps(Forest.load(tmp_path / "f.gppf"))
        (2.0 * forest).save(tmp_path / "f.gppf")
        with pytest.raises(ForestFormatError, match="expected the forest with digest"):
            pickle.loads(pickled)

    def test_pickled_models_predict_alike(self, forest, tmp_path):
        model = TransferModel.of_forest(forest, ("a", "b"))
        model.save(tmp_path / "model")
        for each in (model, TransferModel.load(tmp_path / "model")):
            again = pickle.loads(pickle.dumps(each))
            assert again == each == deepcopy(each) == model
            assert len({again, each, model}) == 1
            assert again.predict(TestTables.table).tolist() == [1.0, 2.0]
        assert weakref.ref(model)() is model

    def test_notebooks_show_tables(self, forest):
        model = TransferModel.of_forest(forest, ("a", "<b>"))
        assert "<table" in forest._repr_html_()
        assert "&lt;b&gt;" in model._repr_html_()
