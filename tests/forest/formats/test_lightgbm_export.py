"""What LightGBM predicts with an exported forest is what the forest predicts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

from gppcore.errors import ForestFormatError
from gppcore.forest.forest import Forest, NodeFlag


def booster_of(forest):
    lightgbm = pytest.importorskip("lightgbm", reason="needs LightGBM, of the extra `peers`")
    return lightgbm.Booster(model_str=forest.to_lightgbm())


def random_forest(seed, *, n_trees=6, n_outputs=1, width=1, categorical=True, **changes):
    """Grow trees at random, with flags of all kinds that LightGBM has."""
    rng = np.random.default_rng(seed)
    begin, nodes, sets = [0], [], []
    for _ in range(n_trees):
        leaves, tree = [0], [[-1, 0.0, 0, 0, 0]]
        for _ in range(rng.integers(0, 12)):
            k = leaves.pop(rng.integers(len(leaves)))
            tree[k] = [rng.integers(3), round(rng.normal(), 1), len(tree), len(tree) + 1, int(rng.choice([0, 1, 4, 5]))]
            if categorical and rng.random() < 0.4:
                flags = rng.choice([0, NodeFlag.MISSING_LEFT | NodeFlag.UNSEEN_LEFT]) | NodeFlag.CATEGORICAL
                tree[k] = [3, len(sets), len(tree), len(tree) + 1, int(flags)]
                sets.append(rng.integers(0, 2**32, rng.integers(0, 4), np.uint32))
            leaves += [len(tree), len(tree) + 1]
            tree += [[-1, 0.0, 0, 0, 0], [-1, 0.0, 0, 0, 0]]
        nodes += tree
        begin.append(len(nodes))
    feature, threshold, left, right, flags = (np.array(column) for column in zip(*nodes, strict=True))
    arrays = {
        "n_features": 4,
        "tree_begin": begin,
        "feature": feature,
        "threshold": threshold,
        "left": left,
        "right": right,
        "flags": flags,
        "value": rng.normal(size=(len(nodes), width)) if width > 1 else rng.normal(size=len(nodes)),
        "base": np.round(rng.normal(size=n_outputs), 3),
        "tree_output": rng.integers(0, n_outputs if width == 1 else 1, n_trees),
        "set_begin": np.cumsum([0] + [words.size for words in sets]),
        "set_words": np.concatenate([np.empty(0, np.uint32), *sets]),
    }
    return Forest.from_arrays(**(arrays | changes))


def assert_same(forest, edge_rows, rtol=0.0, **options):
    booster = booster_of(forest)
    rows = edge_rows(forest, **options)
    rows[np.abs(rows) <= float(np.float32(1e-35))] = 0.0  # as LightGBM reads them
    np.testing.assert_allclose(forest.predict(rows, raw=True), booster.predict(rows, raw_score=True), rtol=rtol)
    np.testing.assert_allclose(forest.predict(rows), booster.predict(rows), rtol=1e-12)
    again = Forest.from_lightgbm(forest.to_lightgbm())
    np.testing.assert_allclose(again.predict(rows), forest.predict(rows), rtol=1e-12)
    return again


LINKS = [
    (1, 1, "identity", 1.0),
    (1, 1, "exp", 1.0),
    (1, 1, "sigmoid", 0.7),
    (3, 1, "identity", 1.0),
    (3, 3, "identity", 1.0),
    (3, 1, "softmax", 1.0),
    (2, 2, "softmax", 1.0),
    (3, 3, "sigmoid", 1.5),
]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), kind=st.sampled_from(LINKS), n_trees=st.integers(1, 9))
def test_equals_lightgbm(edge_rows, seed, kind, n_trees):
    n_outputs, width, link, scale = kind
    forest = random_forest(seed, n_trees=n_trees, n_outputs=n_outputs, width=width, link=link, link_scale=scale)
    again = assert_same(forest, edge_rows, rtol=1e-12, seed=seed)
    assert (again.link, again.n_outputs) == (link, n_outputs)


def test_of_scikit_learn(edge_rows):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    x[:, 1] = rng.integers(0, 30, 300)
    missing = np.where(rng.random(x.shape) < 0.1, np.nan, x)
    y = x[:, 0] + np.isin(x[:, 1], [3, 9, 13]) * 2
    label = np.digitize(y, [0, 1])
    # Missing values are all on one side with unseen categories: those are scikit-learn's missing values.
    histogram = HistGradientBoostingRegressor(max_iter=8, categorical_features=[1]).fit(missing, y)
    classes = HistGradientBoostingClassifier(max_iter=8).fit(missing, label)
    for estimator in (histogram, classes, RandomForestRegressor(5).fit(missing, np.stack([y, -y], 1))):
        assert_same(Forest.from_sklearn(estimator), edge_rows, rtol=1e-12)
    assert_same(Forest.from_sklearn(GradientBoostingClassifier(n_estimators=5).fit(x, label)), edge_rows, rtol=1e-12)


def test_names_and_text():
    forest = random_forest(0, feature_names=["air temperature", "vpd", "\N{GREEK SMALL LETTER LAMDA}", "igbp"])
    assert Forest.from_lightgbm(forest.to_lightgbm()).feature_names == ("air_temperature", "vpd", "λ", "igbp")
    assert booster_of(forest).feature_name()[3] == "igbp"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"link": "exp", "n_outputs": 2}, "link: expected one that LightGBM has for 2 outputs, got exp"),
        ({"link": "exp", "link_scale": 2.0}, "got exp of 2.0 times"),
        ({"link": "softmax"}, "for 1 outputs, got softmax"),
        ({"link": "softmax", "n_outputs": 2, "link_scale": 0.5}, "got softmax of 0.5 times"),
        ({"link": "sigmoid", "link_scale": -1.0}, "got sigmoid of -1.0 times"),
    ],
)
def test_links_that_lightgbm_lacks(options, message):
    with pytest.raises(ForestFormatError, match=message):
        random_forest(1, **options).to_lightgbm()


def test_splits_that_part_missing_from_unseen():
    arrays = random_forest(3).arrays()
    flags = arrays["flags"] & ~np.uint8(NodeFlag.UNSEEN_LEFT)
    is_set = (flags & NodeFlag.CATEGORICAL) > 0
    assert (is_set & ((flags & NodeFlag.MISSING_LEFT) > 0)).any()
    with pytest.raises(ForestFormatError, match=r"tree .: expected missing values and unseen categories"):
        Forest.from_arrays(**(arrays | {"flags": flags})).to_lightgbm()


def test_counts_of_rows_and_names_give_shap_numbers():
    lightgbm = pytest.importorskip("lightgbm", reason="needs LightGBM, of the extra `peers`")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3))
    y = x[:, 0] * (x[:, 1] > 0) + 2.0
    booster = lightgbm.train(
        {"verbose": -1, "num_threads": 1}, lightgbm.Dataset(x, y, feature_name=["a", "b", "c"]), 20
    )
    forest = Forest.from_lightgbm(booster)
    again = lightgbm.Booster(model_str=forest.to_lightgbm(x))
    assert again.feature_name() == ["a", "b", "c"]
    own, exported = (b.trees_to_dataframe()["count"].to_numpy() for b in (booster, again))
    np.testing.assert_array_equal(exported[-own.size :], own)
    shap = again.predict(x, pred_contrib=True)
    np.testing.assert_allclose(shap, booster.predict(x, pred_contrib=True), atol=1e-9)
    plain = lightgbm.Booster(model_str=forest.to_lightgbm()).predict(x, pred_contrib=True)
    np.testing.assert_allclose(plain.sum(axis=1), forest.predict(x), rtol=1e-9)
