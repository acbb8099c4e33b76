"""Values in another unit are refused where a model predicts."""

import numpy as np
import pandas as pd
import pytest

from gppcore import Forest, TransferModel
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
