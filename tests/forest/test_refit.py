import numpy as np
import pytest

from gppcore.errors import RangeError, ShapeError


def refit(forest, x, y, weight, shrinkage, rate):
    """Move leaves as `Forest.refit_leaves` says, in NumPy."""
    arrays = forest.arrays()
    wide = arrays["value"].ndim == 2
    value = arrays["value"].copy()
    residual = (y - forest.predict(x, raw=True)).reshape(len(y), -1)
    for t, leaf in enumerate(forest.apply(x).T):
        nodes = np.arange(*arrays["tree_begin"][t : t + 2])
        nodes = nodes[arrays["feature"][nodes] < 0]
        r = residual if wide else residual[:, arrays["tree_output"][t] : arrays["tree_output"][t] + 1]
        for i, node in enumerate(nodes):
            here = leaf == i
            n = weight[here].sum()
            if n > 0:
                step = rate * n / (n + shrinkage) * (weight[here] @ r[here]) / n
                value[node] += step if wide else step[0]
                r[here] -= step
    return value


@pytest.mark.parametrize("shape", [{}, {"n_outputs": 3}, {"n_outputs": 2, "wide": True, "link": "softmax"}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_definition(random_forest, random_rows, shape, dtype):
    forest, x = random_forest(**shape), random_rows(300, dtype=dtype)
    rng = np.random.default_rng(3)
    y = rng.normal(size=300) if forest.n_outputs == 1 else rng.normal(size=(300, forest.n_outputs))
    weight = rng.integers(0, 3, 300) * 0.7
    got = forest.refit_leaves(x, y, weight=weight, shrinkage=2.0, rate=0.6)
    expected = refit(forest, x, y, weight, 2.0, 0.6)
    np.testing.assert_allclose(got.arrays()["value"], expected, rtol=1e-10, atol=1e-12)
    for name in ("feature", "threshold", "left", "right", "flags", "base"):
        np.testing.assert_array_equal(got.arrays()[name], forest.arrays()[name])


def test_threads_do_not_matter_and_the_fit_improves(random_forest, random_rows):
    forest, x = random_forest(n_leaves=(20,) * 10), random_rows(100_000)
    y = np.where(np.isnan(x[:, 2]), 5.0, x[:, 2])
    one, three = (forest.refit_leaves(x, y, n_threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.arrays()["value"], three.arrays()["value"])
    assert np.mean((one.predict(x) - y) ** 2) < 0.5 * np.mean((forest.predict(x) - y) ** 2)


def test_no_samples_leave_all_as_it_was(random_forest, random_rows):
    forest = random_forest()
    again = forest.refit_leaves(random_rows(0), [])
    np.testing.assert_array_equal(again.arrays()["value"], forest.arrays()["value"])


def test_no_shrinkage_and_one_stump_give_means(random_forest):
    forest = random_forest(n_leaves=(2,), n_sets=0)
    x = np.random.default_rng(0).normal(size=(50, 4))
    y = np.arange(50.0)
    got, leaf = forest.refit_leaves(x, y, shrinkage=0.0), forest.apply(x)[:, 0]
    assert set(leaf) == {0, 1}
    np.testing.assert_allclose(got.predict(x), [y[leaf == i].mean() for i in leaf], rtol=1e-8)


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        (ShapeError, {"y": np.zeros(4)}),
        (ShapeError, {"weight": np.ones(4)}),
        (ShapeError, {"rows": np.zeros((3, 5))}),
        (RangeError, {"y": [0, 1, np.nan]}),
        (RangeError, {"weight": [1, -1, 1]}),
        (RangeError, {"weight": [1, np.inf, 1]}),
        (RangeError, {"shrinkage": -1.0}),
        (RangeError, {"shrinkage": np.nan}),
    ],
)
def test_refuses(random_forest, error, changes):
    arguments = {"rows": np.zeros((3, 4)), "y": np.zeros(3)} | changes
    with pytest.raises(error, match="expected"):
        random_forest().refit_leaves(arguments.pop("rows"), arguments.pop("y"), **arguments)
