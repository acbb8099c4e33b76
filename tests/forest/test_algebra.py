import numpy as np
import pytest

from gppcore.errors import ForestFormatError

SHAPES = [{}, {"n_outputs": 3}, {"n_outputs": 3, "wide": True}]


@pytest.mark.parametrize("second", SHAPES[1:])
@pytest.mark.parametrize("first", SHAPES[1:])
def test_sum_of_forests_with_several_outputs(random_forest, random_rows, first, second):
    a, b = random_forest(1, **first), random_forest(2, n_sets=5, **second)
    x = random_rows(700)
    both = a + b
    np.testing.assert_allclose(both.predict(x), a.predict(x) + b.predict(x), rtol=1e-8, atol=1e-8)
    assert both.n_trees == a.n_trees + b.n_trees
    np.testing.assert_array_equal(both.apply(x), np.hstack([a.apply(x), b.apply(x)]))


def test_sum_keeps_link_and_names(random_forest, random_rows):
    options = {"link": "exp", "link_scale": 0.1}
    a, b = random_forest(1, feature_names=list("abcd"), **options), random_forest(2, **options)
    both = b + a
    assert (both.link, both.feature_names) == ("exp", tuple("abcd"))
    x = random_rows(50)
    np.testing.assert_allclose(both.predict(x), a.predict(x) * b.predict(x), rtol=1e-8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"link": "exp"}, "link: expected 'identity'"),
        ({"link_scale": 2.0}, "link_scale: expected 1.0"),
        ({"n_outputs": 2}, "outputs: expected 1 as the first forest has, got 2"),
        ({"n_features": 5}, "n_features: expected 4"),
        ({"feature_names": list("abce")}, "feature_names: expected"),
    ],
)
def test_forests_that_cannot_be_added(random_forest, options, message):
    with pytest.raises(ForestFormatError, match=message):
        random_forest(feature_names=list("abcd")) + random_forest(**options)


@pytest.mark.parametrize("shape", SHAPES)
def test_multiple(random_forest, random_rows, shape):
    forest, x = random_forest(**shape), random_rows(200)
    np.testing.assert_allclose((-2 * forest).predict(x), -2 * forest.predict(x), rtol=1e-8, atol=1e-8)
    np.testing.assert_array_equal((forest * 0.5).predict(x), (0.5 * forest).predict(x))


@pytest.mark.parametrize("shape", SHAPES)
def test_pruned_drops_single_leaves_and_idle_sets(random_forest, random_rows, shape):
    forest, x = random_forest(n_leaves=(1, 7, 1, 2, 1, 1, 5), n_sets=50, **shape), random_rows(200)
    pruned = forest.pruned()
    assert pruned.n_trees == 3
    assert pruned.n_leaves == forest.n_leaves - 4
    assert 0 < pruned.arrays()["set_begin"].size - 1 < 12
    np.testing.assert_allclose(pruned.predict(x), forest.predict(x), rtol=1e-8, atol=1e-8)
    np.testing.assert_array_equal(pruned.apply(x), forest.apply(x)[:, [1, 3, 6]])


def test_pruned_of_nothing_but_leaves(random_forest, random_rows):
    pruned = random_forest(n_leaves=(1, 1)).pruned()
    assert pruned.n_trees == 0
    np.testing.assert_allclose(pruned.predict(random_rows(3)), pruned.base[0])


def test_arrays_make_the_forest_again(random_forest, random_rows):
    forest = random_forest(n_outputs=2, wide=True, link="softmax", link_scale=0.5, feature_names=list("abcd"))
    again = type(forest).from_arrays(**forest.arrays())
    for name, array in forest.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
    with pytest.raises(ValueError, match="read-only"):
        forest.arrays()["value"][0] = 1.0
