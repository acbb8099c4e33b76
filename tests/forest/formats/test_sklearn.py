"""scikit-learn's trees: the same leaves, and its predictions to rounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from threadpoolctl import threadpool_limits

from gppcore.errors import ForestFormatError
from gppcore.forest import Forest


@pytest.fixture(autouse=True, scope="module")
def one_openmp_thread():
    """Keep scikit-learn's threads from fighting over the cores of a busy machine."""
    with threadpool_limits(1, "openmp"):
        yield


def sample(missing, n=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    x[:, 2] = rng.integers(0, 30, n) * 3
    y = np.abs(x[:, 0] + np.isin(x[:, 2], [3, 9, 60, 63]) * 2 + rng.normal(scale=0.1, size=n)) + 0.01
    x[rng.random(x.shape) < missing] = np.nan
    return x, y


def expected(estimator, rows):
    if not hasattr(estimator, "classes_"):
        return estimator.predict(rows)
    shares = estimator.predict_proba(rows)
    if isinstance(shares, list):
        return np.concatenate(shares, 1)
    boosted = isinstance(estimator, HistGradientBoostingClassifier | GradientBoostingClassifier)
    return shares[:, 1] if boosted and shares.shape[1] == 2 else np.squeeze(shares)


def leaves_of(estimator, rows):
    """scikit-learn tells the node of each leaf: count the leaves before it."""
    members = np.ravel(getattr(estimator, "estimators_", [estimator]))
    columns = []
    for member in members:
        number = np.cumsum(member.tree_.children_left < 0) - 1
        columns.append(number[member.apply(rows)])
    return np.stack(columns, 1)


def assert_same(estimator, edge_rows, missing=True, seed=0):
    forest = Forest.from_sklearn(estimator)
    histogram = "HistGradient" in type(estimator).__name__
    for dtype in (np.float64, np.float32):
        # Infinite numbers: histograms take them, but not as categories.
        infinite = histogram and estimator.categorical_features is None
        rows = edge_rows(forest, seed=seed, dtype=dtype, infinite=infinite, fractions=[-0.5, 0.5, 2.5, 31.99])
        if not missing:
            rows = np.nan_to_num(rows)
        if not histogram:
            np.testing.assert_array_equal(forest.apply(rows), leaves_of(estimator, rows))
        np.testing.assert_allclose(forest.predict(rows.astype(float)), expected(estimator, rows), rtol=1e-12)
        if hasattr(estimator, "decision_function"):
            raw = estimator.decision_function(rows)
            np.testing.assert_allclose(forest.predict(rows.astype(float), raw=True), raw, rtol=1e-12)
    return forest


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"categorical_features": [2]},
        {"categorical_features": [2], "missing": 0.0},
        {"categorical_features": [0, 2], "coarse": True},
        {"categorical_features": [2], "early_stopping": True, "validation_fraction": 0.9},
        {"loss": "poisson"},
        {"loss": "gamma", "categorical_features": [2]},
        {"loss": "absolute_error"},
        {"loss": "quantile", "quantile": 0.8},
        {"min_samples_leaf": 1000},
        {"monotonic_cst": [1, 0, 0, -1]},
        {"interaction_cst": "no_interactions", "max_leaf_nodes": None},
    ],
    ids=str,
)
def test_equals_histogram_regression(options, edge_rows):
    options = dict(options)
    x, y = sample(options.pop("missing", 0.1))
    if options.pop("coarse", False):
        x[:, 0] = np.abs(np.round(x[:, 0] * 10))
    estimator = HistGradientBoostingRegressor(max_iter=10, min_samples_leaf=3, random_state=0).set_params(**options)
    assert_same(estimator.fit(x, y), edge_rows)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("categorical", [None, [2]])
def test_equals_histogram_classification(classes, categorical, edge_rows):
    x, y = sample(0.1)
    labels = np.array(["a", "b", "c", "d"])[np.minimum(y * 2, classes - 1).astype(int)]
    estimator = HistGradientBoostingClassifier(max_iter=6, categorical_features=categorical, min_samples_leaf=3)
    assert_same(estimator.fit(x, labels), edge_rows)


@pytest.mark.parametrize(
    ("estimator", "missing"),
    [
        (RandomForestRegressor(7, random_state=0), 0.1),
        (RandomForestClassifier(7, random_state=0), 0.1),
        (ExtraTreesRegressor(7, random_state=0), 0.1),
        (ExtraTreesClassifier(7, random_state=0, max_depth=4), 0.1),
        (DecisionTreeRegressor(random_state=0), 0.1),
        (DecisionTreeClassifier(max_leaf_nodes=20, random_state=0), 0.1),
        (ExtraTreeRegressor(random_state=0), 0.1),
        (ExtraTreeClassifier(random_state=0), 0.1),
        (GradientBoostingRegressor(n_estimators=9, random_state=0), 0.0),
        (GradientBoostingRegressor(n_estimators=9, init="zero", loss="huber", random_state=0), 0.0),
        (GradientBoostingClassifier(n_estimators=9, random_state=0), 0.0),
        (GradientBoostingClassifier(n_estimators=9, init="zero", random_state=0), 0.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("classes", [2, 4])
def test_equals_the_other_estimators(estimator, missing, classes, edge_rows):
    x, y = sample(missing)
    if hasattr(estimator, "predict_proba"):
        y = np.minimum(y * 2, classes - 1).astype(int) + 5
    assert_same(estimator.fit(x, y), edge_rows, missing > 0)


def test_exponential_loss(edge_rows):
    x, y = sample(0.0)
    estimator = GradientBoostingClassifier(loss="exponential", n_estimators=9, random_state=0).fit(x, y > 1)
    assert_same(estimator, edge_rows, missing=False)


@pytest.mark.parametrize("kind", [RandomForestRegressor, DecisionTreeRegressor, ExtraTreesRegressor])
def test_several_targets(kind, edge_rows):
    x, y = sample(0.1)
    estimator = kind(random_state=0, max_depth=5).fit(x, np.stack([y, -y, y**2], 1))
    assert assert_same(estimator, edge_rows).n_outputs == 3


def test_several_targets_of_classes(edge_rows):
    x, y = sample(0.1)
    labels = np.stack([y > 1, np.minimum(y * 2, 2).astype(int)], 1)
    estimator = RandomForestClassifier(5, random_state=0, max_depth=5).fit(x, labels)
    assert assert_same(estimator, edge_rows).n_outputs == 5


def test_names_of_features(edge_rows):
    pandas = pytest.importorskip("pandas")
    x, y = sample(0.1)
    frame = pandas.DataFrame(x, columns=["tair", "vpd", "igbp", "sw"])
    estimator = HistGradientBoostingRegressor(categorical_features=["igbp"], max_iter=5).fit(frame, y)
    forest = Forest.from_sklearn(estimator)
    assert forest.feature_names == ("tair", "vpd", "igbp", "sw")
    np.testing.assert_array_equal(forest.predict(x), estimator.predict(frame))


@pytest.mark.parametrize("values", [[0.5, 1.5], [-1.0, 2.0], ["a", "b"], [2.0**24, 1.0]])
def test_categories_that_are_no_whole_numbers(values):
    x = np.array(values * 50, object)[:, None]
    estimator = HistGradientBoostingRegressor(categorical_features=[0], max_iter=2).fit(x, np.arange(100) % 2)
    with pytest.raises(ForestFormatError, match="categories: expected whole numbers from 0"):
        Forest.from_sklearn(estimator)


def other_start():
    x, y = sample(0.0)
    return GradientBoostingRegressor(init=LinearRegression(), n_estimators=2).fit(x, y)


def random_start():
    x, y = sample(0.0)
    return GradientBoostingClassifier(init=DummyClassifier(strategy="uniform"), n_estimators=2).fit(x, y > 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (other_start, "constant initial prediction, got LinearRegression"),
        (random_start, "constant initial prediction, got one that is uniform"),
        (LinearRegression, "tree regressor or classifier"),
        (RandomForestClassifier, "fitted RandomForestClassifier"),
    ],
)
def test_estimators_that_are_refused(make, message):
    with pytest.raises(ForestFormatError, match=message):
        Forest.from_sklearn(make())


shapes = st.fixed_dictionaries(
    {
        "n": st.integers(2, 200),
        "features": st.integers(1, 6),
        "outputs": st.integers(1, 3),
        "depth": st.one_of(st.none(), st.integers(1, 8)),
        "trees": st.integers(1, 6),
        "kind": st.sampled_from([RandomForestRegressor, ExtraTreesRegressor, RandomForestClassifier]),
        "digits": st.integers(0, 3),
        "missing": st.sampled_from([0.0, 0.3]),
        "seed": st.integers(0, 2**31),
    }
)


@settings(max_examples=15, deadline=None)
@given(shapes)
def test_random_shapes(edge_rows, shape):
    rng = np.random.default_rng(shape["seed"])
    x = np.round(rng.normal(size=(shape["n"], shape["features"])), shape["digits"])
    x[rng.random(x.shape) < shape["missing"]] = np.nan
    y = rng.integers(0, 3, (shape["n"], shape["outputs"]))
    y = y[:, 0] if shape["outputs"] == 1 else y
    estimator = shape["kind"](shape["trees"], max_depth=shape["depth"], random_state=0).fit(x, y)
    assert_same(estimator, edge_rows, shape["missing"] > 0)
