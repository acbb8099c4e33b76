import subprocess
import sys
import threading
from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from gppcore.errors import DtypeError, ForestFormatError, MissingFileError, ShapeError
from gppcore.forest import Forest

N_FEATURES = 5


def sample(n, missing, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_FEATURES))
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + rng.normal(scale=0.1, size=n)
    x[rng.random(x.shape) < missing] = np.nan
    return x, y


@pytest.fixture(autouse=True, scope="module")
def one_openmp_thread():
    """Keep scikit-learn's threads from fighting over the cores of a busy machine."""
    with threadpool_limits(1, "openmp"):
        yield


@cache
def boosted(missing=0.1, **options):
    x, y = sample(3000, missing)
    return HistGradientBoostingRegressor(**({"max_iter": 21, "early_stopping": False} | options)).fit(x, y)


@pytest.fixture(scope="module")
def model():
    return boosted()


@pytest.fixture(scope="module")
def forest(model):
    return Forest.from_sklearn(model)


def stump(**changes):
    """Make x[1] <= 0.5 -> 1, else 2; NaN goes right."""
    arrays = {
        "n_features": 2,
        "tree_begin": [0, 3],
        "feature": [1, -1, -1],
        "threshold": [0.5, 0, 0],
        "left": [1, 0, 0],
        "right": [2, 0, 0],
        "value": [0, 1.0, 2.0],
    }
    return Forest.from_arrays(**(arrays | changes))


@pytest.mark.parametrize(
    "options",
    [
        {"max_leaf_nodes": 2},
        {"max_leaf_nodes": 31},
        {"max_leaf_nodes": 256, "min_samples_leaf": 1},
        {"max_leaf_nodes": 400, "min_samples_leaf": 1},  # walked
        {"loss": "absolute_error"},
        {"max_iter": 3, "missing": 0.0},
    ],
)
@pytest.mark.parametrize("n", [0, 1, 15, 16, 511, 512, 5000])
def test_equals_histogram_boosting_to_the_last_bit(options, n):
    estimator = boosted(**options)
    x, _ = sample(n, missing=0.1, seed=1)
    got = Forest.from_sklearn(estimator).predict(x)
    np.testing.assert_array_equal(got, estimator.predict(x) if n else np.empty(0))


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeRegressor(),  # about 2,000 leaves: walked
        DecisionTreeRegressor(max_leaf_nodes=100),
        DecisionTreeRegressor(max_depth=1),
        RandomForestRegressor(20, max_leaf_nodes=200, random_state=0),
        RandomForestRegressor(5, random_state=0),
        ExtraTreesRegressor(10, max_depth=6, random_state=0),
        GradientBoostingRegressor(n_estimators=30, random_state=0),
        GradientBoostingRegressor(n_estimators=5, init="zero", loss="huber", random_state=0),
    ],
    ids=str,
)
def test_equals_the_other_tree_estimators(estimator):
    missing = 0.0 if isinstance(estimator, GradientBoostingRegressor) else 0.1
    x, y = sample(2000, missing)
    estimator.fit(x, y)
    forest = Forest.from_sklearn(estimator)
    # The thresholds themselves, and their neighbours, show the rounding of the input to float32.
    tree = estimator if isinstance(estimator, DecisionTreeRegressor) else np.ravel(estimator.estimators_)[0]
    thresholds = tree.tree_.threshold[np.isfinite(tree.tree_.threshold), None]
    near = np.concatenate([thresholds * (1 + e) for e in (-1e-8, -1e-16, 0.0, 1e-8)]).repeat(N_FEATURES, 1)
    rows = np.concatenate([sample(3000, missing, seed=1)[0], near])
    np.testing.assert_allclose(forest.predict(rows), estimator.predict(rows), rtol=1e-11)  # sums in another order


def test_a_tree_of_one_leaf():
    x, _ = sample(100, 0.0)
    forest = Forest.from_sklearn(boosted(max_iter=1, min_samples_leaf=3000))
    assert forest.n_leaves == 1
    assert np.unique(forest.predict(x)).size == 1
    one = DecisionTreeRegressor().fit(x, np.full(100, 7.0))
    np.testing.assert_array_equal(Forest.from_sklearn(one).predict(x), 7.0)


def test_no_trees_give_the_base():
    empty = np.empty(0)
    arrays = dict.fromkeys(("feature", "threshold", "left", "right", "value"), empty)
    forest = Forest.from_arrays(n_features=2, tree_begin=[0], base=3.0, **arrays)
    np.testing.assert_array_equal(forest.predict(np.zeros((100, 2))), 3.0)


@pytest.mark.parametrize("missing_left", [False, True])
@pytest.mark.parametrize("n", [3, 600])
def test_edge_of_a_split(missing_left, n):
    forest = stump(flags=[missing_left] * 3)
    rows = np.zeros((n, 2))
    rows[:3, 1] = 0.5, np.nextafter(0.5, 1), np.nan
    np.testing.assert_array_equal(forest.predict(rows)[:3], [1, 2, 1 if missing_left else 2])


@pytest.mark.parametrize("n", [1, 100])
def test_infinite_values_and_thresholds(n):
    forest = stump(threshold=[np.inf, 0, 0])  # only a missing value goes right
    rows = np.full((n, 2), np.inf)
    assert forest.predict(rows)[-1] == 1
    assert forest.predict(np.full((n, 2), np.nan))[-1] == 2
    assert stump(threshold=[1e300, 0, 0]).predict(rows.astype(np.float32))[-1] == 2


@pytest.mark.parametrize("n", [1, 100])
def test_float32_input_is_compared_in_double(n):
    threshold = 0.1  # lies between two float32 numbers
    low = np.float32(0.1)
    assert float(low) > threshold
    forest = stump(threshold=[threshold, 0, 0])
    assert forest.predict(np.full((n, 2), low))[-1] == 2
    assert forest.predict(np.full((n, 2), np.nextafter(low, np.float32(0))))[-1] == 1


def test_many_thresholds_per_feature():
    # 40 trees of 200 leaves on one feature: more thresholds than one byte ranks, and more than one group.
    rng = np.random.default_rng(0)
    x = rng.random((30000, 1)).astype(np.float32)
    estimator = RandomForestRegressor(60, max_leaf_nodes=200, random_state=0).fit(x, rng.random(30000))
    forest = Forest.from_sklearn(estimator)
    assert forest.n_leaves - forest.n_trees > 8192
    np.testing.assert_allclose(forest.predict(x[:2000]), estimator.predict(x[:2000]), rtol=3e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_equal_rows(forest, dtype):
    x, _ = sample(3001, 0.1, seed=2)
    x = x.astype(dtype)
    x[:, 3] = 0.25
    expected = forest.predict(x)
    strided = [x[:, f] for f in range(N_FEATURES)]
    copies = [column.copy() for column in strided]
    copies[3] = 0.25
    backward = [column[::-1] for column in strided]
    np.testing.assert_array_equal(forest.predict_columns(strided), expected)
    np.testing.assert_array_equal(forest.predict_columns(copies), expected)
    np.testing.assert_array_equal(forest.predict_columns(backward)[::-1], expected)


def test_batches_threads_and_out_do_not_matter(forest):
    x, _ = sample(20000, 0.1, seed=3)
    whole = forest.predict(x)
    out = np.empty(20000)
    assert forest.predict(x, out=out, n_threads=3) is out
    np.testing.assert_array_equal(out, whole)
    pieces = [forest.predict(piece) for piece in np.split(x, [1, 20, 600, 1111, 7000])]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    np.testing.assert_array_equal(forest.predict(np.asfortranarray(x)), whole)


def test_one_forest_in_many_threads(forest):
    x, _ = sample(5000, 0.1, seed=4)
    expected, results = forest.predict(x), [None] * 4

    def run(i):
        results[i] = forest.predict(x, n_threads=1 + i % 2)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(results, [expected] * 4)


def test_file_keeps_everything(forest, model, tmp_path):
    path = tmp_path / "forest.gppf"
    path.write_bytes(b"an older file")
    forest.save(path)
    again = Forest.load(path)
    x, _ = sample(1000, 0.1, seed=5)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    for name in ("n_features", "n_trees", "n_leaves", "base", "feature_names", "link"):
        assert getattr(again, name) == getattr(forest, name)
    assert [p.name for p in tmp_path.iterdir()] == ["forest.gppf"]


def test_feature_names_are_kept(tmp_path):
    forest = stump(feature_names=["tair", "vpd \N{DEGREE SIGN}"])
    forest.save(tmp_path / "f.gppf")
    assert Forest.load(tmp_path / "f.gppf").feature_names == ("tair", "vpd °")


def test_every_changed_or_missing_byte_is_noticed(tmp_path):
    path = tmp_path / "forest.gppf"
    stump(feature_names=["a", "b"]).save(path)
    good = path.read_bytes()
    for i in range(len(good)):
        path.write_bytes(good[:i] + bytes([good[i] ^ 0x40]) + good[i + 1 :])
        with pytest.raises(ForestFormatError, match=r"forest\.gppf"):
            Forest.load(path)
        path.write_bytes(good[:i])
        with pytest.raises(ForestFormatError, match=r"forest\.gppf"):
            Forest.load(path)
    path.write_bytes(good + b"\0")
    with pytest.raises(ForestFormatError, match="size: expected"):
        Forest.load(path)


def test_files_that_cannot_be_opened(forest, tmp_path):
    with pytest.raises(MissingFileError, match="absent"):
        Forest.load(tmp_path / "absent.gppf")
    with pytest.raises(ForestFormatError, match="regular file"):
        Forest.load(tmp_path)
    with pytest.raises(MissingFileError, match="cannot be made"):
        forest.save(tmp_path / "no" / "folder.gppf")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature": [2, -1, -1]}, "tree 0, node 0: feature: expected -1 to 1, got 2"),
        ({"feature": [-2, -1, -1]}, "feature: expected"),
        ({"left": [0, 0, 0]}, "child: expected 1 to 2, got 0"),
        ({"right": [3, 0, 0]}, "child: expected"),
        ({"right": [1, 0, 0]}, "another parent"),
        ({"feature": [-1, -1, -1]}, "node 1: expected one parent"),
        ({"threshold": [np.nan, 0, 0]}, "threshold: expected"),
        ({"value": [0, np.inf, 0]}, "value: expected"),
        ({"value": [0, 1]}, "value: expected 3 values, got 2"),
        ({"tree_begin": [0, 2]}, "tree_begin"),
        ({"tree_begin": [0, 0, 3]}, "tree_begin: expected ascending"),
        ({"n_features": 0}, "n_features"),
        ({"base": np.nan}, "base"),
        ({"feature_names": ["a"]}, "feature_names: expected 2 names, got 1"),
    ],
)
def test_arrays_that_are_no_forest(changes, message):
    with pytest.raises(ForestFormatError, match=message):
        stump(**changes)


ROWS = np.zeros((4, 2))


@pytest.mark.parametrize(
    ("error", "rows", "out"),
    [
        (ShapeError, np.zeros(2), None),
        (ShapeError, np.zeros((4, 3)), None),
        (DtypeError, np.zeros((4, 2), np.float16), None),
        (DtypeError, ROWS, np.empty(4, np.float32)),
        (ShapeError, ROWS, np.empty(3)),
        (ShapeError, ROWS, np.empty((4, 1))),
    ],
)
def test_predict_refuses(error, rows, out):
    with pytest.raises(error, match="expected"):
        stump().predict(rows, out=out)


@pytest.mark.parametrize(
    ("error", "columns"),
    [
        (ShapeError, [np.zeros(4)]),
        (ShapeError, [0.0, 0.0]),
        (ShapeError, [np.zeros(4), np.zeros(3)]),
        (ShapeError, [np.zeros((2, 2)), np.zeros((3, 2))]),
        (ShapeError, [np.zeros((2, 2, 2)), np.zeros(2)]),
        (DtypeError, [np.zeros(4), np.zeros(4, np.float32)]),
        (DtypeError, [np.zeros(4, object), 0.0]),
    ],
)
def test_predict_columns_refuses(error, columns):
    with pytest.raises(error, match="columns"):
        stump().predict_columns(columns)


def test_import_is_light():
    program = "import sys, gppcore.forest.forest, gppcore.regrid; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"sklearn", "xarray", "scipy", "pandas"} & set(run.stdout.split())
