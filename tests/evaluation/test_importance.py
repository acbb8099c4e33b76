"""Importance, partial dependence and monotonicity of a model that is known."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance as peer

from gppcore.errors import RangeError, ShapeError
from gppcore.evaluation.importance import monotone_share, partial_dependence, permutation_importance

NAMES = ("tair", "vpd", "precip")


class Linear(RegressorMixin, BaseEstimator):
    """GPP = 3 tair - vpd, as scikit-learn takes models."""

    def fit(self):
        """Learn nothing."""

    def predict(self, x):
        """Return GPP."""
        return 3.0 * x[:, 0] - x[:, 1]


@pytest.fixture(name="rows")
def _rows():
    rng = np.random.default_rng(6)
    cluster = np.repeat(np.arange(30), 40)
    x = rng.normal(size=(1200, 3)) + rng.normal(size=(30, 3))[cluster]
    return x, Linear().predict(x) + rng.normal(size=1200), cluster


def test_loss_equals_that_of_scikit_learn(rows):
    x, observed, cluster = rows
    got = permutation_importance(Linear().predict, x, NAMES, observed, cluster, seed=2)
    want = peer(Linear(), x, observed, scoring="r2", n_repeats=30, random_state=0).importances_mean
    assert list(got) == list(NAMES)
    for name, loss in zip(NAMES, want, strict=True):
        assert got[name][0] == pytest.approx(loss, rel=0.08)
        assert got[name][1] <= got[name][0] <= got[name][2]
    assert got["precip"] == [0.0, 0.0, 0.0]
    assert 0 < got["vpd"][1] < got["vpd"][2] < got["tair"][1]
    again = permutation_importance(Linear().predict, x, NAMES, observed, cluster, seed=2)
    assert again == got


def test_one_cluster_has_a_loss_but_no_interval(rows):
    x, observed, _ = rows
    loss, *bounds = permutation_importance(Linear().predict, x, NAMES, observed, np.zeros(1200))["tair"]
    assert loss > 0
    assert np.isnan(bounds).all()


def test_partial_dependence_of_a_linear_model_is_its_line(rows):
    x, before = rows[0], rows[0].copy()
    got = partial_dependence(Linear().predict, x, NAMES, {"tair": [0.0, 2.0], "precip": [5.0]})
    assert got["tair"]["x"] == [0.0, 2.0]
    assert got["tair"]["gpp_daily"] == pytest.approx([-x[:, 1].mean(), 6.0 - x[:, 1].mean()])
    assert got["precip"]["gpp_daily"] == pytest.approx([Linear().predict(x).mean()])
    np.testing.assert_array_equal(x, before)


def test_monotone_share_by_hand(rows):
    x = rows[0]
    assert monotone_share(Linear().predict, x, NAMES, "tair") == 1.0
    assert monotone_share(Linear().predict, x, NAMES, "vpd") == 0.0
    assert monotone_share(Linear().predict, x, NAMES, "precip") == 1.0
    steps = np.arange(10.0)[:, None]  # standard deviation 2.87
    assert monotone_share(lambda x: -np.abs(x[:, 0] - 5.0), steps, ["tair"], "tair") == pytest.approx(4 / 9)
    assert monotone_share(lambda x: -x[:, 0], np.array([[1.0], [2.0], [np.nan]]), ["tair"], "tair") == 0.0
    assert np.isnan(monotone_share(lambda x: x[:, 0], np.ones((4, 1)), ["tair"], "tair"))
    assert np.isnan(monotone_share(lambda x: x[:, 0], np.full((4, 1), np.nan), ["tair"], "tair"))


def test_what_does_not_fit_is_refused(rows):
    x, observed, cluster = rows
    with pytest.raises(ShapeError, match="one column for each of 2 names"):
        permutation_importance(Linear().predict, x, NAMES[:2], observed, cluster)
    with pytest.raises(RangeError, match="got 'sw'"):
        partial_dependence(Linear().predict, x, NAMES, {"sw": [1.0]})
    with pytest.raises(RangeError, match="got 'sw'"):
        monotone_share(Linear().predict, x, NAMES, "sw")
    with pytest.raises(RangeError, match="finite"):
        permutation_importance(lambda x: x[:, 0] * np.nan, x, NAMES, observed, cluster)
