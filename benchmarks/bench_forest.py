"""Forest prediction of 20,000 rows x 16 features with 500 trees, beside scikit-learn's own predict."""

from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from gppcore.forest import Forest

N_ROWS, N_FEATURES, N_TREES = 20_000, 16, 500


@pytest.fixture(autouse=True)
def one_openmp_thread():
    """Let scikit-learn use one thread, as gppcore does unless told otherwise."""
    with threadpool_limits(1, "openmp"):
        yield


@cache
def model(n_leaves):
    x = np.random.default_rng(0).normal(size=(2000, N_FEATURES))
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + x[:, 3:].sum(axis=1)
    options = {
        "max_iter": N_TREES,
        "max_leaf_nodes": n_leaves,
        "min_samples_leaf": 5,
        "early_stopping": False,
    }
    return HistGradientBoostingRegressor(**options).fit(x, y)


@pytest.fixture(scope="module")
def rows():
    x = np.random.default_rng(1).normal(size=(N_ROWS, N_FEATURES))
    x[np.random.default_rng(2).random(x.shape) < 0.05] = np.nan
    return x


def measure(benchmark, function, *args, rounds=5, **kwargs):
    benchmark.pedantic(function, args, kwargs, rounds=rounds, warmup_rounds=1)
    if benchmark.stats:  # absent when timing is switched off
        benchmark.extra_info["ns_per_row_tree"] = benchmark.stats["min"] / N_ROWS / N_TREES * 1e9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_leaves", [24, 63])
def test_predict(benchmark, rows, n_leaves, dtype):
    forest, x = Forest.from_sklearn(model(n_leaves)), rows.astype(dtype)
    # float32 sums are in fixed point; the error is a share of the range of all trees together.
    tolerance = 1e-6 * np.abs(model(n_leaves).predict(x)).max() if dtype == np.float32 else 0.0
    np.testing.assert_allclose(forest.predict(x), model(n_leaves).predict(x).astype(dtype), rtol=0, atol=tolerance)
    measure(benchmark, forest.predict, x, out=np.empty(N_ROWS, dtype))


def test_predict_two_threads(benchmark, rows):
    forest = Forest.from_sklearn(model(63))
    np.testing.assert_array_equal(forest.predict(rows, n_threads=2), model(63).predict(rows))
    measure(benchmark, forest.predict, rows, n_threads=2)


def test_predict_columns(benchmark, rows):
    forest = Forest.from_sklearn(model(63))
    columns = [np.ascontiguousarray(column) for column in rows.T]
    np.testing.assert_array_equal(forest.predict_columns(columns), model(63).predict(rows))
    measure(benchmark, forest.predict_columns, columns)


def test_predict_one_row(benchmark, rows):
    forest = Forest.from_sklearn(model(63))
    np.testing.assert_array_equal(forest.predict(rows[:1]), model(63).predict(rows[:1]))
    benchmark(forest.predict, rows[:1])


@pytest.mark.parametrize("n_leaves", [24, 63])
def test_predict_sklearn(benchmark, rows, n_leaves):
    measure(benchmark, model(n_leaves).predict, rows, rounds=1)
