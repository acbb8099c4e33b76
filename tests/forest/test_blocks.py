"""Whole blocks of rows take kernels of their own: ranks by search in registers, trees cut to what the block reaches."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from gppcore.forest import Forest

FEW = 100
"""Rows of a batch that is too small for these kernels."""


def stumps(thresholds):
    """Trees of two leaves that count the thresholds below a value."""
    n = len(thresholds)
    return Forest.from_arrays(
        n_features=1,
        tree_begin=3 * np.arange(n + 1),
        feature=np.tile([0, -1, -1], n),
        threshold=np.repeat(thresholds, 3),
        left=np.tile([1, 0, 0], n),
        right=np.tile([2, 0, 0], n),
        value=np.tile([0.0, 0.0, 1.0], n),
        flags=np.zeros(3 * n, int),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 9, 15, 16, 17, 100, 240, 254, 255, 256, 257, 600])
def test_counts_thresholds(n, dtype):
    rng = np.random.default_rng(n)
    thresholds = np.unique(rng.normal(size=n).astype(np.float32))
    around = [np.nextafter(thresholds, np.float32(side), dtype=np.float32) for side in (-np.inf, np.inf)]
    x = rng.choice(np.concatenate([thresholds, *around, [-np.inf, np.inf, 0.0]]), 5000).astype(dtype)
    got = stumps(thresholds)
    expected = np.searchsorted(thresholds, x)
    np.testing.assert_array_equal(got.predict(x[:, None]), expected)
    wide = np.repeat(x[:, None], 3, axis=1)
    np.testing.assert_array_equal(got.predict_columns([wide[:, 1]]), expected)


@pytest.mark.parametrize("n_between", [0, 1, 15, 16, 31, 32, 63, 64, 200, 255, 256, 511, 512, 1300, 4095, 4096])
def test_counts_thresholds_between_the_ends_of_a_block(n_between):
    rng = np.random.default_rng(n_between)
    thresholds = np.unique(rng.normal(size=250 if n_between <= 200 else 4200).astype(np.float32))
    blocks = []
    for first in (0, 17, thresholds.size - n_between):
        ends = np.concatenate([[-np.inf], thresholds, [np.inf]])[[first, first + n_between + 1]]
        inside = thresholds[first : first + n_between]
        around = [np.nextafter(inside, np.float32(side), dtype=np.float32) for side in (-np.inf, np.inf)]
        values = np.concatenate([inside, *around, np.mean(ends, keepdims=True)]).clip(*ends, dtype=np.float32)
        blocks.append(rng.choice(values, 2048))
    x = np.concatenate(blocks)
    np.testing.assert_array_equal(stumps(thresholds).predict_columns([x]), np.searchsorted(thresholds, x))
    missing = np.where(rng.random(x.size) < 0.1, np.float32(np.nan), x)
    missing[2048:4096] = np.nan
    got = stumps(thresholds).predict_columns([missing])
    np.testing.assert_array_equal(got[np.isfinite(missing)], np.searchsorted(thresholds, x)[np.isfinite(missing)])
    assert np.unique(got[np.isnan(missing)]).size == 1


def test_counts_thresholds_that_are_no_floats():
    below = -np.geomspace(1e300, 1e40, 256)
    x = np.resize(np.float32([-np.inf, np.finfo(np.float32).min, 0.0]), 3000)
    np.testing.assert_array_equal(stumps(below).predict(x[:, None]), np.where(np.isinf(x), 0, 256))


@pytest.fixture(scope="module")
def fitted():
    """Return a function of the number of leaves and of categories, that trains trees and keeps them."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(3000, 5))
    x[:, 4] = rng.integers(0, 12, 3000)
    x[rng.random(x.shape) < 0.05] = np.nan
    y = rng.normal(size=3000)
    forests = {}

    def fit(n_leaves, categories):
        if (n_leaves, categories) not in forests:
            trainer = HistGradientBoostingRegressor(
                max_iter=20,
                max_leaf_nodes=n_leaves,
                min_samples_leaf=1,
                early_stopping=False,
                categorical_features=[4] if categories else None,
            )
            with threadpool_limits(1, "openmp"):
                forests[n_leaves, categories] = Forest.from_sklearn(trainer.fit(x, y))
        return forests[n_leaves, categories]

    return fit


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [0.0, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("categories", [False, True])
@pytest.mark.parametrize("n_leaves", [2, 63, 64, 65, 128, 256])
def test_rows_alike_reach_the_leaves_they_reach_alone(fitted, n_leaves, categories, spread, dtype):
    forest, rng = fitted(n_leaves, categories), np.random.default_rng(7)
    centres = rng.normal(size=(3, 5)).repeat(2048, axis=0)[:5000]
    x = centres + spread * rng.normal(size=(5000, 5))
    x[:, 4] = rng.integers(0, 1 + round(24 * spread), 5000)
    x[2048:4096][rng.random((2048, 5)) < 0.02 * (spread > 0)] = np.nan
    x = x.astype(dtype)
    for run in (forest.predict, forest.apply):
        alone = np.concatenate([run(x[i : i + FEW]) for i in range(0, len(x), FEW)])
        np.testing.assert_array_equal(run(x), alone)


ALONE = 50
"""Rows of a batch that is too small for trees of many leaves to be pruned."""


@pytest.fixture(scope="module")
def large(random_forest):
    """Return a function that makes trees of 300 to 3000 leaves, some small ones among them, and keeps them."""
    forests = {}

    def make(n_outputs, wide):
        if (n_outputs, wide) not in forests:
            rng = np.random.default_rng(4)
            n_leaves = np.where(np.arange(36) % 4 == 3, 40, rng.integers(300, 3000, 36))
            forests[n_outputs, wide] = random_forest(n_leaves=n_leaves, n_outputs=n_outputs, wide=wide, n_sets=0)
        return forests[n_outputs, wide]

    return make


def assert_rows_reach_what_they_reach_alone(forest, x):
    for run in (forest.predict, forest.apply):
        alone = np.concatenate([run(x[i : i + ALONE]) for i in range(0, len(x), ALONE)])
        np.testing.assert_array_equal(run(x), alone)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [0.0, 0.003, 0.03, 0.1, 0.3, 1.0])
@pytest.mark.parametrize(("n_outputs", "wide"), [(1, False), (3, False), (2, True)])
def test_rows_alike_reach_the_same_leaves_of_large_trees(large, n_outputs, wide, spread, dtype):
    rng = np.random.default_rng(11)
    # The third block is of one kind, the second and the last of several, so that parts of them are coherent.
    x = rng.normal(size=(14, 4)).repeat([2048, *[512] * 4, 2048, *[256] * 8], axis=0)[:7000]
    x = x + spread * rng.normal(size=x.shape)
    x[300:900, 1] = 0.0  # missing to some of the nodes
    x[2048:4096][rng.random((2048, 4)) < 0.01] = np.nan
    x[4096:6144, 2] = np.nan
    assert_rows_reach_what_they_reach_alone(large(n_outputs, wide), x.astype(dtype))


@pytest.mark.parametrize("n_rows", [64, 100, 511, 513, 1024, 1025, 2049, 4097])
def test_large_trees_take_blocks_of_any_length(large, n_rows):
    rng = np.random.default_rng(12)
    x = np.float32(rng.normal(size=4) + 0.02 * rng.normal(size=(n_rows, 4)))
    assert_rows_reach_what_they_reach_alone(large(1, False), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [700, 2048, 5000])
def test_static_columns_of_large_trees_are_ranked_once_and_right(large, n_rows, dtype):
    rng = np.random.default_rng(13)
    static = [(c + 0.02 * rng.normal(size=n_rows)).astype(dtype) for c in rng.normal(size=2)]
    spread = np.array([0.01, 1.0, 0.01, 0.02, 0.5, 0.01])[:, None]  # blocks of some months cannot be pruned
    monthly = [(rng.normal(size=(6, 1)) + spread * rng.normal(size=(6, n_rows))).astype(dtype) for _ in range(2)]
    got = large(1, False).predict_columns([static[0], monthly[0], monthly[1], static[1]])
    for month in range(6):
        columns = [static[0], monthly[0][month], monthly[1][month], static[1]]
        np.testing.assert_array_equal(got[month], large(1, False).predict_columns(columns))


def test_thresholds_at_the_values_of_large_trees(large):
    arrays = large(1, False).arrays()
    thresholds = arrays["threshold"][(arrays["feature"] == 2)][:3000]
    x = np.zeros((thresholds.size, 4), np.float32) + np.float32([0.3, -0.2, 0.0, 0.1])
    x[:, 2] = np.sort(thresholds.astype(np.float32))
    x[::3, 2] = np.nextafter(x[::3, 2], np.float32(np.inf))
    assert_rows_reach_what_they_reach_alone(large(1, False), x)


@pytest.mark.parametrize("n_rows", [513, 2048, 3000])
@pytest.mark.parametrize("spread", [0.0, 0.003, 0.03, 0.3])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_trees_in_packs_add_up_to_what_they_give_alone(random_forest, n_outputs, spread, n_rows):
    rng = np.random.default_rng(3)
    n_leaves = rng.integers(1, 65, 300)
    # Of all sizes, so that sums of a few trees need a byte more than each of them.
    value = rng.random(2 * n_leaves.sum() - n_leaves.size) * (10.0 ** rng.uniform(-4, 0, 300)).repeat(2 * n_leaves - 1)
    forest = random_forest(
        n_leaves=n_leaves, n_outputs=n_outputs, n_sets=0, value=value, flags=np.zeros(value.size, int)
    )
    x = rng.normal(size=(2, 4)).repeat(2048, axis=0)[:n_rows] + spread * rng.normal(size=(n_rows, 4))
    x[rng.random(n_rows) < 0.1, 0] = np.nan
    x = x.astype(np.float32)
    alone = np.concatenate([forest.predict(x[i : i + FEW]) for i in range(0, len(x), FEW)])
    np.testing.assert_array_equal(forest.predict(x), alone)
