"""Intervals hold their share of rows of clusters that they were not calibrated on."""

import numpy as np
import pytest

from gppcore.errors import RangeError, ShapeError
from gppcore.evaluation.intervals import coverage, reliability
from gppcore.statistics import conformal_factor


def world(rng, clusters, size_effect=0.0):
    """Residuals of clusters of 3 to 200 rows that err alike, large ones more or less than small ones."""
    rows = np.clip(rng.lognormal(3.5, 0.9, clusters).astype(int), 3, 200)
    cluster = np.repeat(np.arange(clusters), rows)
    spread = (rng.lognormal(0.0, 0.35, clusters) * (rows / 33.0) ** size_effect)[cluster]
    shared = 0.8 * rng.normal(size=clusters)[cluster]
    scale = rng.lognormal(0.0, 0.5, cluster.size)
    return scale * spread * (shared + rng.normal(size=cluster.size)), scale, cluster


@pytest.mark.parametrize("size_effect", [-0.15, 0.0, 0.15])
@pytest.mark.parametrize("clusters", [10, 20, 80])
def test_nine_rows_of_ten_in_new_clusters_are_held(clusters, size_effect):
    held = []
    for i in range(120):
        rng = np.random.default_rng([i, clusters])
        q = conformal_factor(*world(rng, clusters, size_effect))
        residual, scale, _ = world(rng, 200, size_effect)
        held.append(np.mean(np.abs(residual) <= q * scale))
    assert np.mean(held) == pytest.approx(0.9, abs=0.016)


def test_factor_is_the_corrected_quantile():
    residual = np.arange(1.0, 1001.0)
    assert conformal_factor(residual, np.ones(1000), np.arange(1000) % 10) == pytest.approx(910, abs=1)
    assert conformal_factor(-2 * residual, np.full(1000, 2.0), np.arange(1000) % 10) == pytest.approx(910, abs=1)
    assert conformal_factor(residual, np.ones(1000), np.arange(1000) % 10, level=0.5) == pytest.approx(550, abs=1)
    assert conformal_factor(residual, np.ones(1000), np.zeros(1000)) == 1000.0


def test_reliability_follows_the_nominal_share():
    levels = (0.1, 0.3, 0.5, 0.7, 0.9, 0.95)
    rng = np.random.default_rng(4)
    learnt, (residual, scale, _) = world(rng, 400), world(rng, 400)
    factors = {level: conformal_factor(*learnt, level=level) for level in reversed(levels)}
    got = reliability(1e3 + residual, np.full(residual.size, 1e3), scale, factors)
    assert [nominal for nominal, _ in got] == list(levels)
    np.testing.assert_allclose([share for _, share in got], levels, atol=0.03)


def test_factors_may_differ_by_row():
    got = reliability([6.0, 4.0, 8.0], [5.0, 5.0, 5.0], [1.0, 1.0, 2.0], {0.9: [1.0, 0.5, 1.5]})
    assert got == [[0.9, pytest.approx(2 / 3)]]


def test_no_interval_reaches_below_zero():
    assert reliability([-0.1, 0.0], [1.0, 1.0], [2.0, 2.0], {0.5: 1.0}) == [[0.5, 0.5]]


def test_coverage_by_hand():
    got = coverage([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 4.0, 0.0], [2.0, 1.0, 5.0, 4.0], ["A", "A", "B", "C"])
    assert got == {
        "nominal": 0.9,
        "coverage": 0.5,
        "by_pft": {"A": [0.5, 2], "B": [0.0, 1], "C": [1.0, 1]},
    }


def test_what_cannot_be_calibrated_is_refused():
    with pytest.raises(RangeError, match="scale: expected values above 0, got 0"):
        conformal_factor([1.0, 2.0], [1.0, 0.0], [0, 1])
    with pytest.raises(RangeError, match="level: expected a share between 0 and 1, got 1"):
        conformal_factor([1.0, 2.0], [1.0, 1.0], [0, 1], level=1.0)
    with pytest.raises(RangeError, match="finite"):
        coverage([1.0, np.nan], [0.0, 0.0], [2.0, 2.0], ["A", "A"])
    with pytest.raises(RangeError, match="finite"):
        reliability([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], {0.9: np.nan})
    with pytest.raises(ShapeError, match="groups"):
        conformal_factor([1.0, 2.0], [1.0, 1.0], [0])
