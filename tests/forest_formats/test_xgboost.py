"""XGBoost models: the same leaves as XGBoost's own, and its sums within their rounding to float32."""

import json

import numpy as np
import pytest

from gppcore.forest import Forest


def train(options, n=500, seed=0, rounds=6, outputs=1):
    xgboost = pytest.importorskip("xgboost", reason="needs XGBoost, of the extra `peers`")
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)).astype(np.float32)
    x[:, 1] = rng.integers(0, 40, n)
    x[:, 2] = np.where(rng.random(n) < 0.5, 0.0, x[:, 2])
    x[:, 3] = np.round(x[:, 3])
    missing = options.pop("missing", 0.1)
    x[rng.random(x.shape) < missing] = np.nan
    y = np.abs(np.nan_to_num(x[:, 0]) + np.sin(np.nan_to_num(x[:, 1])) + rng.normal(scale=0.1, size=n)) + 0.1
    objective = options.get("objective", "")
    if objective in ("binary:logistic", "binary:logitraw"):
        y = (y > 1).astype(float)
    if objective == "reg:logistic":
        y = y / y.max()
    if objective.startswith("rank") or "num_class" in options:
        y = np.minimum(y.astype(int), 2)
    if outputs > 1:
        y = np.stack([y * (k + 1) + x[:, 3 - k].clip(-1, 1) for k in range(outputs)], 1)
        y = np.nan_to_num(y)
    types = ["q", options.pop("second", "c"), "q", "q", "q"]
    data = xgboost.DMatrix(x, y, feature_types=types, enable_categorical=True)
    options = {"max_depth": 4, "nthread": 1, "seed": seed, "verbosity": 0} | options
    return xgboost.train(options, data, rounds)


def leaves_of(booster, data, forest):
    """XGBoost tells the node of each leaf: count the leaves before it."""
    model = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    nodes = booster.predict(data, pred_leaf=True).reshape(data.num_row(), -1).astype(int)
    for i, tree in enumerate(model.get("gbtree", model)["model"]["trees"]):
        left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
        leaf = left == -1
        if int(tree["tree_param"]["num_deleted"]):
            alive = np.zeros(left.size, bool)
            alive[0] = True
            alive[np.concatenate([left[~leaf], right[~leaf]])] = True
            leaf &= alive
        nodes[:, i] = (np.cumsum(leaf) - 1)[nodes[:, i]]
    return nodes


def assert_same(booster, edge_rows, seed=0):
    import xgboost

    forest = Forest.from_xgboost(booster)
    types = booster.feature_types
    for dtype in (np.float64, np.float32):
        # XGBoost refuses infinite numbers.
        rows = edge_rows(forest, seed=seed, dtype=dtype, infinite=False, fractions=[2.5, 31.99])
        data = xgboost.DMatrix(rows, feature_types=types, enable_categorical=True)
        np.testing.assert_array_equal(forest.apply(rows), leaves_of(booster, data, forest))
        size = np.abs(forest.arrays()["value"]).max() * forest.n_trees + np.abs(forest.base).max()
        raw = booster.predict(data, output_margin=True)
        np.testing.assert_allclose(forest.predict(rows, raw=True), raw, rtol=1e-6, atol=1e-6 * size)
        np.testing.assert_allclose(forest.predict(rows), booster.predict(data), rtol=3e-6, atol=1e-6 * size)
    return forest


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"missing": 0.0},
        {"second": "q"},
        {"max_cat_to_onehot": 100},
        {"max_cat_to_onehot": 1, "max_depth": 8},
        {"tree_method": "exact", "second": "q", "gamma": 3.0},
        {"tree_method": "approx"},
        {"grow_policy": "lossguide", "max_leaves": 300, "max_depth": 0, "min_child_weight": 0},
        {"max_depth": 0, "max_leaves": 2},
        {"min_child_weight": 1e9},
        {"booster": "dart", "rate_drop": 0.5},
        {"booster": "dart", "rate_drop": 0.5, "objective": "multi:softprob", "num_class": 3},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"base_score": 0.3, "objective": "binary:logistic"},
        {"objective": "binary:logistic"},
        {"objective": "binary:logitraw"},
        {"objective": "reg:logistic"},
        {"objective": "count:poisson"},
        {"objective": "reg:gamma"},
        {"objective": "reg:tweedie"},
        {"objective": "survival:cox"},
        {"objective": "reg:squaredlogerror"},
        {"objective": "reg:pseudohubererror"},
        {"objective": "reg:absoluteerror"},
        {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5]},
        {"objective": "rank:pairwise"},
        {"objective": "rank:ndcg"},
        {"objective": "multi:softprob", "num_class": 3},
    ],
    ids=str,
)
def test_equals_xgboost(options, edge_rows):
    assert_same(train(dict(options)), edge_rows)


@pytest.mark.parametrize("strategy", ["one_output_per_tree", "multi_output_tree"])
def test_several_targets(strategy, edge_rows):
    booster = train({"multi_strategy": strategy, "second": "q"}, outputs=3)
    forest = assert_same(booster, edge_rows)
    assert forest.n_outputs == 3
    assert forest.n_trees == (6 if strategy == "multi_output_tree" else 18)
