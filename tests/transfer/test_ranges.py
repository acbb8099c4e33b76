"""Values in another unit are refused where a model predicts."""

import numpy as np
import pandas as pd
import pytest

from gppcore import Forest, Samples, TileStore, TransferModel, direct, fine_tune, map_gpp, pretrain
from gppcore.errors import RangeError, RangeWarning, UnitsError

STUMP = {
    "n_features": 2,
    "tree_begin": [0, 3],
    "feature": [0, -1, -1],
    "threshold": [0.5, 0.0, 0.0],
    "left": [1, 0, 0],
    "right": [2, 0, 0],
    "value": [0.0, 1.0, 2.0],
}


@pytest.fixture(scope="module")
def model():
    return TransferModel.of_forest(Forest.from_arrays(**STUMP), ("tair", "own"))


def rows(tair):
    return np.array([[tair, 1e20], [10.0, np.nan]])


@pytest.mark.parametrize(("value", "error"), [(300.0, UnitsError), (-9999.0, RangeError), (np.inf, RangeError)])
def test_values_outside_their_range_are_refused(model, value, error):
    with pytest.raises(error, match=r'tair in x: expected .*; convert the values, or pass check="ignore"'):
        model.predict(rows(value))
    with pytest.raises(error):
        model.predict(pd.DataFrame(rows(value), columns=["tair", "own"]))
    with pytest.warns(RangeWarning, match="tair in x"):
        warned = model.predict(rows(value), check="warn")
    np.testing.assert_array_equal(warned, model.predict(rows(value), check="ignore"))


def test_missing_values_and_predictors_of_ones_own_pass(model):
    np.testing.assert_array_equal(model.predict(rows(np.nan)), [2.0, 2.0])
    with pytest.raises(RangeError, match="check: expected one of"):
        model.predict(rows(1.0), check="no")


def test_training_refuses_another_unit(model):
    x = np.tile([[300.0, 1.0]], (200, 1))
    physics = {"process": np.ones(200)}
    with pytest.raises(UnitsError, match="tair in x: expected degC"):
        pretrain(x, physics, predictors=("tair", "own"))
    groups = pd.DataFrame({"site": "A", "cluster": np.arange(200) % 4, "year": 2001, "month": 1, "pft": "enf"})
    samples = Samples(x, np.ones(200), np.ones(200), groups, ("tair", "own"))
    with pytest.raises(UnitsError, match="tair in samples: expected degC"):
        direct(samples)
    with pytest.warns(RangeWarning, match="tair in x"):
        trained = pretrain(x, physics, predictors=("tair", "own"), check="warn", n_threads=1)
    with pytest.raises(UnitsError, match="tair in samples: expected degC"):
        fine_tune(trained, samples)


@pytest.mark.parametrize("check", ["raise", "warn", "ignore"])
def test_a_map_checks_the_store(model, tmp_path, check):
    store = TileStore.create(tmp_path / "store", 89.5 - np.arange(40.0), np.arange(80.0), np.arange(10))
    for name in model.predictors:
        store.add(name, monthly=True, attrs={})
        store.write(name, 0, np.full((12, 10), 300.0, np.float32), check="ignore")
    if check == "raise":
        with pytest.raises(UnitsError, match="tair in tile 0: expected degC"):
            map_gpp(model, store, n_threads=1)
    elif check == "warn":
        with pytest.warns(RangeWarning, match="tair in tile 0"):
            map_gpp(model, store, check=check, n_threads=1)
    else:
        map_gpp(model, store, check=check, n_threads=1)
    assert store.has("gpp_daily", 0) == (check != "raise")
