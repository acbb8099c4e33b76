"""Statistics of clusters: effective months, folds, conformal factors."""

import numpy as np
import pytest

from gppcore.errors import RangeError, ShapeError
from gppcore.statistics import assign_folds, conformal_factor, independent_rows, labels, series


def test_months_of_a_cluster_count_by_its_design_effect():
    weights = independent_rows(np.array(["a", "b", "b", "b"]), 0.5)
    np.testing.assert_allclose(weights, [1.0, 0.5, 0.5, 0.5])  # 1 / (1 + 2 * 0.5)
    np.testing.assert_array_equal(independent_rows(np.zeros(5), 0.0), np.ones(5))


def test_folds_keep_groups_whole_and_are_of_like_size():
    group = np.repeat(np.arange(7), [9, 8, 5, 4, 3, 2, 1])
    fold = assign_folds(group, 3)
    assert all(len(set(fold[group == g])) == 1 for g in range(7))
    assert np.ptp(np.bincount(fold, minlength=3)) <= 1


def test_conformal_factor_covers_the_level():
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.5, 2.0, 4000)
    q = conformal_factor(scale * rng.normal(size=4000), scale, np.arange(4000), level=0.9)
    assert q == pytest.approx(1.645, abs=0.08)  # 95 % quantile of the normal distribution
    few = conformal_factor(scale * rng.normal(size=4000), scale, np.arange(4000) % 5, level=0.9)
    assert few > q


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"scale": [1.0, 0.0]}, RangeError, "scale: expected values above 0"),
        ({"level": 1.0}, RangeError, "level: expected a share between 0 and 1, got 1"),
        ({"groups": [1]}, ShapeError, "groups: expected one label for each of 2 rows"),
        ({"residual": [np.nan, 1.0]}, RangeError, "expected finite values, got 1 that are not"),
        ({"residual": [1.0]}, ShapeError, r"expected series of one length of at least 2, got \(1,\), \(2,\)"),
    ],
)
def test_wrong_arguments_are_named(change, error, message):
    arguments = {"residual": [1.0, 2.0], "scale": [1.0, 1.0], "groups": [1, 2], "level": 0.9} | change
    with pytest.raises(error, match=message):
        conformal_factor(**arguments)


def test_labels_count_their_rows():
    names, index, count = labels("group", ["b", "a", "b"], 3)
    assert (names, index.tolist(), count.tolist()) == (["a", "b"], [1, 0, 1], [1, 2])


def test_series_are_float64():
    assert [a.dtype for a in series("x", [1, 2], np.float32([1, 2]))] == [np.float64, np.float64]
