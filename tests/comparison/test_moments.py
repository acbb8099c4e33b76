"""Moments are additive, and the statistics that follow from them are those of numpy."""

import numpy as np
import pytest

from gppcore.comparison.moments import TERMS, agreement, correlation, means, moments, rmse


def sums(w, x, y):
    return moments(np.ones(w.size, bool), w, x, y, np.empty((TERMS, w.size))).sum(axis=1)


@pytest.fixture
def fields():
    rng = np.random.default_rng(0)
    return rng.uniform(0.1, 2.0, 50), rng.gamma(2.0, 2.0, 50), rng.gamma(2.0, 2.0, 50)


def test_statistics_are_the_weighted_ones(fields):
    w, x, y = fields
    found = agreement(sums(w, x, y), 2.0)
    mean_x, mean_y = np.average(x, weights=w), np.average(y, weights=w)
    spread_y = np.average((y - mean_y) ** 2, weights=w)
    error = np.average((x - y) ** 2, weights=w)
    assert found.n == 50
    assert found.total == pytest.approx(2.0 * (w * x).sum())
    assert found.bias == pytest.approx(mean_x - mean_y)
    assert found.rmse == pytest.approx(np.sqrt(error))
    assert found.ubrmse == pytest.approx(np.sqrt(error - (mean_x - mean_y) ** 2))
    assert found.r2 == pytest.approx(1.0 - error / spread_y)
    assert found.other_deviation == pytest.approx(np.sqrt(spread_y))
    covariance = np.average((x - mean_x) * (y - mean_y), weights=w)
    assert found.correlation == pytest.approx(covariance / found.deviation / found.other_deviation)


def test_moments_add_over_parts(fields):
    parts = [sums(*(f[part] for f in fields)) for part in (slice(0, 13), slice(13, 50))]
    np.testing.assert_allclose(parts[0] + parts[1], sums(*fields), rtol=1e-13)


def test_constant_field_has_no_correlation_and_an_empty_one_nothing():
    w, y = np.full(9, 0.3), np.linspace(0.0, 1.0, 9)
    constant = sums(w, np.full(9, 0.1), y)
    assert np.isnan(correlation(constant))
    assert rmse(constant) > 0.0
    empty = np.zeros(TERMS)
    assert np.isnan([*means(empty), rmse(empty), correlation(empty)]).all()
    assert agreement(empty, 1.0).n == 0
