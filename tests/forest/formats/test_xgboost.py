"""XGBoost models: the same leaves as XGBoost's own, and its sums within their rounding to float32."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gppcore.errors import ForestFormatError, MissingFileError
from gppcore.forest import Forest
from gppcore.forest.formats.xgboost import read_xgboost

# Both files written by XGBoost 3.2 of one model.
FOLDER = Path(__file__).parent
TEXT = (FOLDER / "xgboost_model.json").read_text()


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
        rows = edge_rows(forest, seed=seed, dtype=dtype, infinite=False, fractions=[-0.5, -0.99, 2.5, 31.99])
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


configurations = st.fixed_dictionaries(
    {
        "max_depth": st.integers(1, 8),
        "eta": st.floats(0.01, 1.0),
        "gamma": st.sampled_from([0.0, 0.5]),
        "min_child_weight": st.integers(0, 30),
        "max_bin": st.integers(2, 300),
        "max_cat_to_onehot": st.integers(1, 64),
        "max_cat_threshold": st.integers(1, 64),
        "num_parallel_tree": st.integers(1, 3),
        "colsample_bynode": st.sampled_from([0.3, 1.0]),
        "booster": st.sampled_from(["gbtree", "dart"]),
        "rate_drop": st.sampled_from([0.0, 0.4]),
        "tree_method": st.sampled_from(["hist", "approx"]),
        "objective": st.sampled_from(["reg:squarederror", "binary:logistic", "count:poisson", "reg:absoluteerror"]),
        "missing": st.sampled_from([0.0, 0.2]),
        "second": st.sampled_from(["q", "c"]),
    }
)


@settings(max_examples=15, deadline=None)
@given(options=configurations, seed=st.integers(0, 1000))
def test_random_configurations(edge_rows, options, seed):
    options = {key: value for key, value in options.items() if key != "rate_drop" or options["booster"] == "dart"}
    assert_same(train(options, n=250, seed=seed, rounds=4), edge_rows, seed)


# What XGBoost 3.2 predicts with the model of the files.
ROWS = np.array([[-1.0, 3.0], [np.nan, 33.0], [0.5, np.nan], [0.2, 5.9], [2.0, -3.0]])
PREDICTIONS = [3.133596897125244, 3.133596897125244, 0.43863552808761597, 3.133596897125244, 3.133596897125244]


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_files_and_bytes(kind, walk):
    path = FOLDER / f"xgboost_model.{kind}"
    for source in (path, str(path), path.read_bytes()):
        forest = Forest.from_xgboost(source)
        np.testing.assert_allclose(forest.predict(ROWS), PREDICTIONS, rtol=1e-6)
        np.testing.assert_array_equal(forest.predict(ROWS), walk(read_xgboost(source), ROWS)[:, 0])
    assert forest.feature_names == ("tair", "igbp")


def test_vector_leaves_of_version_2():
    # One tree that XGBoost 2.1 wrote, and what that predicted.
    model = json.loads(TEXT)
    node = [-0.56514853, -0.5949505, -0.72533333, 0.2662222, -0.4287719, -1.2643859, -0.44542858, 0.07557143]
    tree = {
        "base_weights": [*node, -0.01752, 0.080280006, -0.34548387, -0.3717097, 0.12511112, -0.374],
        "default_left": [0] * 7,
        "left_children": [1, 3, 5, -1, -1, -1, -1],
        "right_children": [2, 4, 6, -1, -1, -1, -1],
        "split_conditions": [-0.05, -0.29, 0.08, *[float("nan")] * 4],
        "split_indices": [1, 0, 0, 0, 0, 0, 0],
        "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "7", "size_leaf_vector": "2"},
    }
    model["learner"]["gradient_booster"]["model"] |= {"trees": [tree], "tree_info": [0]}
    model["learner"]["learner_model_param"] |= {"num_target": "2", "base_score": "5E-1"}
    forest = Forest.from_xgboost(json.dumps(model).encode())
    rows = np.array([[0.13, -0.13], [0.64, 0.1], [-0.54, 0.36]])
    expected = [[0.482479989528656, 0.5802800059318542], [0.62511110, 0.12599999], [0.15451613, 0.1282902956008911]]
    np.testing.assert_allclose(forest.predict(rows), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"gbtree"', '"gblinear"', "expected gbtree or dart, got 'gblinear'"),
        ('"gbtree"', '"dart"', "gradient_booster: gbtree: expected an object"),
        ("reg:squarederror", "multi:softmax", "objective: .* got 'multi:softmax'"),
        ("reg:squarederror", "binary:hinge", "objective: .* got 'binary:hinge'"),
        ('"[5E-1]"', '"[5E-1,1]"', "base_score: expected 1 or 1 numbers, got 2"),
        ('"[5E-1]"', '"[half]"', "base_score: expected numbers"),
        ('"[5E-1]"', "0.5", "base_score: expected text, got float"),
        ('"num_class":"0"', '"num_class":"99999999"', "at most 4096 outputs"),
        ('"num_class":"0"', '"num_class":"-3"', "num_class: expected an integer from 0"),
        ('"tree_info":[0,0]', '"tree_info":[0,1]', "tree_info: expected outputs 0 to 0"),
        ('"tree_info":[0,0]', '"tree_info":[0]', "tree_info: expected a list of 2 numbers"),
        ('"split_type":[1,0,0', '"split_type":[1,0,1', "categories_nodes: expected"),
        ('"split_type":[1,0,0', '"split_type":[0,0,0', "categories_nodes: expected"),
        ('"categories_sizes":[36]', '"categories_sizes":[35]', "categories_segments: expected ranges"),
        ('"categories":[0,', '"categories":[-1,', "categories: expected 0 to"),
        ('"categories":[0,', '"categories":[16777216,', "categories: expected 0 to"),
        ('"left_children":[1,', '"left_children":[9,', "expected nodes 0 to 4"),
        ('"left_children":[1,', '"left_children":[0,', "child"),
        ('"left_children":[1,', '"left_children":[1.5,', "left_children: expected integers"),
        ('"left_children":[1,', '"left_children":[[1],', "left_children: expected a list of numbers"),
        ('"split_conditions":[1E-45,1.5356251E0', '"split_conditions":[1E-45,1E99', "value: expected a finite"),
        ('"size_leaf_vector":"1"', '"size_leaf_vector":"2"', "size_leaf_vector: expected 1, got 2"),
        ('"trees":[', '"trees":[7,', "tree_info: expected a list of 3"),
        ('"tair"', '"\\ud800"', "feature_names: expected text"),
        ('{"learner":', '{"lerner":', "learner: expected an object, got NoneType"),
        ('"version":[3,2,0]}', '"version":[3,2,0]', "expected JSON"),
        ('{"learner":', '{"learner":' + "[" * 100_000, "expected JSON"),
    ],
)
def test_documents_that_are_no_model(old, new, message):
    assert old in TEXT
    with pytest.raises(ForestFormatError, match=message):
        Forest.from_xgboost(TEXT.replace(old, new, 1).encode())


def test_sets_of_categories_are_bounded():
    model = json.loads(TEXT)
    booster = model["learner"]["gradient_booster"]["model"]
    tree = booster["trees"][0]
    tree["categories"][-1] = 2**24 - 1
    booster |= {"trees": [tree] * 100, "tree_info": [0] * 100}
    with pytest.raises(ForestFormatError, match="category sets: expected at most"):
        Forest.from_xgboost(json.dumps(model).encode())


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MissingFileError, match=r"absent\.ubj"):
        Forest.from_xgboost(tmp_path / "absent.ubj")
    with pytest.raises(ForestFormatError, match="JSON or UBJSON"):
        Forest.from_xgboost(b"binf")
    with pytest.raises(ForestFormatError, match="source"):
        Forest.from_xgboost(7)


def test_linear_boosters_are_refused():
    with pytest.raises(ForestFormatError, match="gblinear"):
        Forest.from_xgboost(train({"booster": "gblinear", "second": "q", "missing": 0.0}))


def test_survival_times():
    xgboost = pytest.importorskip("xgboost", reason="needs XGBoost, of the extra `peers`")
    x = np.random.default_rng(0).normal(size=(300, 3))
    data = xgboost.DMatrix(x)
    for bound in ("label_lower_bound", "label_upper_bound"):
        data.set_float_info(bound, np.exp(x[:, 0]))
    booster = xgboost.train({"objective": "survival:aft", "nthread": 1}, data, 5)
    np.testing.assert_allclose(Forest.from_xgboost(booster).predict(x), booster.predict(data), rtol=3e-6)
