"""LightGBM models: the same leaves and the same sums as LightGBM's own, at every edge."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gppcore.errors import ForestFormatError, MissingFileError
from gppcore.forest import Forest
from gppcore.forest.formats.lightgbm import read_lightgbm

MODELS = Path(os.environ.get("GPPCORE_SHARED", "../shared")) / "models" / "lightgbm"
# Written by LightGBM 4.7: categories, missing values, and one tree without a split.
TEXT = (Path(__file__).parent / "lightgbm_model.txt").read_text()


def train(options, n=600, seed=0, rounds=8):
    lightgbm = pytest.importorskip("lightgbm", reason="needs LightGBM, of the extra `peers`")
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    x[:, 1] = rng.integers(0, 40, n)
    x[:, 2] = np.where(rng.random(n) < 0.5, 0.0, x[:, 2])
    x[:, 3] = np.round(x[:, 3])
    missing = options.pop("missing", 0.1)
    x[rng.random(x.shape) < missing] = np.nan
    y = np.abs(np.nan_to_num(x[:, 0]) + np.sin(np.nan_to_num(x[:, 1])) + rng.normal(scale=0.1, size=n))
    objective = options.get("objective", "regression")
    if objective in ("binary", "cross_entropy"):
        y = (y > 1).astype(float)
    if "num_class" in options:
        y = np.minimum(y.astype(int), options["num_class"] - 1)
    options = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 3, "seed": seed, "num_leaves": 15} | options
    categorical = options.pop("categorical", [1])
    data = lightgbm.Dataset(x, y, categorical_feature=categorical, free_raw_data=False)
    return lightgbm.train(options, data, rounds)


def assert_same(booster, edge_rows, seed=0):
    forest = Forest.from_lightgbm(booster)
    # Sums for float32 rows are rounded relative to what the leaves can add up to.
    size = np.abs(forest.arrays()["value"]).max() * forest.n_trees
    for dtype in (np.float64, np.float32):
        rows = edge_rows(forest, seed=seed, dtype=dtype, fractions=[-0.5, -0.99, 2.5, 31.99])
        leaves = booster.predict(rows, pred_leaf=True).reshape(len(rows), -1)
        np.testing.assert_array_equal(forest.apply(rows), leaves)
        exact = rows.astype(np.float64)  # sums in double, whatever the input
        linkless = forest.link == "identity" and "average_output" not in booster.model_to_string()
        np.testing.assert_allclose(forest.predict(exact), booster.predict(rows), rtol=0 if linkless else 1e-12)
        np.testing.assert_allclose(forest.predict(rows), booster.predict(rows), rtol=1e-6, atol=2e-7 * size)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"missing": 0.0},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"boosting": "dart", "drop_rate": 0.5},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7, "objective": "binary"},
        {"objective": "binary", "sigmoid": 0.7},
        {"objective": "cross_entropy"},
        {"objective": "poisson"},
        {"objective": "gamma"},
        {"objective": "tweedie"},
        {"objective": "regression_l1"},
        {"objective": "huber"},
        {"objective": "fair"},
        {"objective": "quantile"},
        {"objective": "mape"},
        {"objective": "multiclass", "num_class": 3},
        {"objective": "multiclassova", "num_class": 4, "sigmoid": 1.5},
        {"num_leaves": 300, "min_data_in_leaf": 1},
        {"max_cat_to_onehot": 100},
        {"min_data_in_leaf": 10000},
        {"categorical": []},
        {"extra_trees": True, "max_bin": 15},
        {"data_sample_strategy": "goss"},
    ],
    ids=str,
)
def test_equals_lightgbm(options, edge_rows):
    assert_same(train(dict(options)), edge_rows)


configurations = st.fixed_dictionaries(
    {
        "num_leaves": st.integers(2, 70),
        "min_data_in_leaf": st.integers(1, 30),
        "learning_rate": st.floats(0.01, 1.0),
        "max_bin": st.integers(2, 300),
        "max_cat_threshold": st.integers(1, 64),
        "max_cat_to_onehot": st.integers(1, 64),
        "min_data_per_group": st.integers(1, 100),
        "cat_smooth": st.floats(0, 20),
        "use_missing": st.booleans(),
        "zero_as_missing": st.booleans(),
        "boosting": st.sampled_from(["gbdt", "dart"]),
        "objective": st.sampled_from(["regression", "binary", "poisson", "regression_l1"]),
        "missing": st.sampled_from([0.0, 0.2]),
        "categorical": st.sampled_from([[], [1], [1, 3]]),
        "extra_trees": st.booleans(),
    }
)


@settings(max_examples=15, deadline=None)
@given(options=configurations, seed=st.integers(0, 1000))
def test_random_configurations(edge_rows, options, seed):
    assert_same(train(dict(options), n=250, seed=seed, rounds=4), edge_rows, seed)


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.txt")) or [None], ids=lambda path: getattr(path, "stem", ""))
def test_models_of_older_versions(path, walk):
    if path is None:
        pytest.skip(f"needs reference models in {MODELS}; GPPCORE_SHARED names the folder")
    cases = np.load(path.with_name(f"{path.stem}_cases.npz"))
    forest = Forest.from_lightgbm(path)
    np.testing.assert_array_equal(forest.predict(cases["X"], raw=True), cases["raw"])
    np.testing.assert_allclose(forest.predict(cases["X"]), cases["pred"], rtol=1e-12)
    raw = walk(read_lightgbm(path), cases["X"][:50])
    np.testing.assert_array_equal(raw, cases["raw"][:50].reshape(raw.shape))


def test_text_path_and_line_ends(tmp_path):
    rows = np.array([[-1.0, 3.0], [np.nan, 33.0], [0.5, np.nan], [0.2, 5.9], [2.0, -3.0]])
    # What LightGBM 4.7 predicts.
    expected = [1.5463455374615975, 1.5463455374615975, 0.4564708565672425, 1.5463455374615975, 0.5862015127013129]
    (tmp_path / "model.txt").write_bytes(TEXT.replace("\n", "\r\n").encode())
    for source in (TEXT, tmp_path / "model.txt", str(tmp_path / "model.txt")):
        np.testing.assert_array_equal(Forest.from_lightgbm(source).predict(rows), expected)


def test_large_numbers_of_trees_are_read_in_time():
    head, _, rest = TEXT.partition("\nTree=0\n")
    tree = rest.partition("\nTree=1\n")[0]
    head = head.replace("tree_sizes=", "tree_sizes=" + "1 " * 4997)
    text = head + "".join(f"\nTree={i}\n{tree}" for i in range(5000)) + "end of trees\n"
    assert Forest.from_lightgbm(text).n_trees == 5000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version=v4", "version=v9", "version=v2 to v4"),
        ("tree\n", "forest\n", "expected 'tree'"),
        ("objective=regression", "objective=regression sqrt", "objective: .* got 'regression sqrt'"),
        ("objective=regression", "objective=cross_entropy_lambda", "objective: expected"),
        ("objective=regression", "objective=multiclass num_class:3", "objective: expected one .* of 1 sums"),
        ("objective=regression", "objective=binary", "sigmoid: expected 1 numbers"),
        ("max_feature_idx=1", "max_feature_idx=0", "feature"),
        ("max_feature_idx=1", "max_feature_idx=99999999", "n_features"),
        ("max_feature_idx=1", "max_feature_idx=", "max_feature_idx: expected 1 numbers, got 0"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=2", "a multiple of"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=0", "a multiple of"),
        ("Tree=1", "Tree=2", "expected Tree=1"),
        ("\nTree=2", "\nBush=2", "expected 3 trees as in tree_sizes"),
        ("is_linear=0", "is_linear=1", "linear"),
        ("shrinkage=1\n", "\n", "tree 0: expected a line shrinkage="),
        ("num_leaves=5", "num_leaves=6", "leaf_value: expected 6 numbers, got 5"),
        ("num_leaves=5", "num_leaves=0", "leaf_value: expected 0"),
        ("num_leaves=5", "num_leaves=99999999999999999999", "num_leaves: expected numbers"),
        ("num_cat=1", "num_cat=-1", "number of one of num_cat"),
        ("num_cat=1", "num_cat=1000000000", "cat_boundaries: expected 1000000001"),
        ("cat_boundaries=0 2", "cat_boundaries=0 3", "cat_boundaries: expected ascending"),
        ("cat_threshold=168 2", "cat_threshold=168 -2", "words of 32 bits"),
        ("decision_type=9", "decision_type=13", "decision_type: expected 0 to 11"),
        ("left_child=", "left_child=-9 ", "left_child: expected 4 numbers, got 5"),
        ("leaf_value=0", "leaf_value=nan 0", "leaf_value: expected 5"),
        ("leaf_value=0.9", "leaf_value=1e9999", "value: expected a finite"),
    ],
)
def test_texts_that_are_no_model(old, new, message):
    assert old in TEXT
    with pytest.raises(ForestFormatError, match=message):
        Forest.from_lightgbm(TEXT.replace(old, new, 1))


def test_every_truncation_of_the_trees_is_noticed():
    end = TEXT.index("shrinkage", TEXT.index("Tree=2"))
    for n in range(0, end, 7):
        with pytest.raises(ForestFormatError):
            Forest.from_lightgbm(TEXT[:n] + "\n")


def test_linear_trees_are_refused():
    booster = train({"linear_tree": True, "categorical": []})
    with pytest.raises(ForestFormatError, match="is_linear"):
        Forest.from_lightgbm(booster)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MissingFileError, match=r"absent\.txt"):
        Forest.from_lightgbm(tmp_path / "absent.txt")
    with pytest.raises(ForestFormatError, match="expected a regular file, got a folder"):
        Forest.from_lightgbm(tmp_path)
    (tmp_path / "model.txt").write_bytes(b"tree\n\xff")
    with pytest.raises(ForestFormatError, match="UTF-8"):
        Forest.from_lightgbm(tmp_path / "model.txt")
    with pytest.raises(ForestFormatError, match="source"):
        Forest.from_lightgbm(7)
