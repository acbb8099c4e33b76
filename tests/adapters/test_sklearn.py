"""Forests and transfer models in scikit-learn: its own checks, clones, pipelines, importances."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from gppcore import Forest, TransferModel
from gppcore.errors import RangeError
from gppcore.sklearn import ForestRegressor, TransferRegressor

NAMES = ("tair", "vpd", "lai")


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).uniform((0, 0, 0), (30, 2000, 6), (300, 3))


@pytest.fixture(scope="module")
def forest():
    return Forest.from_arrays(
        n_features=3,
        tree_begin=[0, 3, 6],
        feature=[0, -1, -1, 2, -1, -1],
        threshold=[15.0, 0, 0, 3.0, 0, 0],
        left=[1, 0, 0, 1, 0, 0],
        right=[2, 0, 0, 2, 0, 0],
        value=[0.0, 1.0, 2.0, 0.0, 1.0, 5.0],
        feature_names=list(NAMES),
    )


@pytest.fixture(scope="module")
def regressors(forest):
    return [ForestRegressor(forest), TransferRegressor(TransferModel.of_forest(forest, NAMES))]


def test_predict_as_what_they_hold(regressors, forest, x):
    y = forest.predict(x)
    for regressor in regressors:
        fitted = regressor.fit(x, y)
        np.testing.assert_array_equal(fitted.predict(x), y)
        assert fitted.score(x, y) == 1.0
        np.testing.assert_array_equal(clone(fitted).fit(x, y).predict(x), y)
        np.testing.assert_array_equal(fitted.predict(x.astype(np.float32)), forest.predict(x.astype(np.float32)))


def test_pipeline_dependence_and_importance(regressors, forest, x):
    y = forest.predict(x)
    for regressor in regressors:
        pipeline = make_pipeline(FunctionTransformer(), regressor).fit(x, y)
        curve = partial_dependence(pipeline, x, [2], kind="average", grid_resolution=20)
        assert np.ptp(curve["average"]) == pytest.approx(4.0)
        importance = permutation_importance(pipeline, x, y, n_repeats=2, random_state=0).importances_mean
        assert importance[1] == 0.0 < importance[0] < importance[2]


def test_names_and_numbers_of_features_are_checked(regressors, x):
    table = pd.DataFrame(x, columns=NAMES)
    for regressor in regressors:
        regressor.fit(table, x[:, 0]).predict(table)
        with pytest.raises(ValueError, match="X: expected columns"):
            clone(regressor).fit(table[["vpd", "tair", "lai"]], x[:, 0])
        with pytest.raises(ValueError, match="X: expected 3 features, got 2"):
            clone(regressor).fit(x[:, :2], x[:, 0])
    with pytest.raises(RangeError, match="forest: expected a Forest of one output"):
        ForestRegressor().fit(x, x[:, 0])
    with pytest.raises(RangeError, match="model: expected a TransferModel"):
        TransferRegressor().fit(x, x[:, 0])


def because_of_features(error):
    """Whether an error comes from the number of features, which a check chooses and the forest has."""
    while error is not None and "X: expected 1 features" not in str(error):
        error = error.__cause__ or error.__context__
    return error is not None


def test_checks_of_scikit_learn():
    leaf = {"tree_begin": [0, 1], "feature": [-1], "threshold": [0], "left": [0], "right": [0], "value": [1.0]}
    results = check_estimator(ForestRegressor(Forest.from_arrays(n_features=1, **leaf)), on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert {name: error for name, error in failed.items() if not because_of_features(error)} == {}
    assert sum(r["status"] == "passed" for r in results) >= 15, len(results)
