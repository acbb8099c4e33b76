import numpy as np
import pytest

from gppcore.statistics import independent_rows
from gppcore.transfer.intervals import fit_interval
from gppcore.transfer.weights import expected_weights, stack


def test_months_of_a_cluster_count_less_than_as_many_clusters():
    weight = independent_rows(np.array([0, 0, 0, 1]), 0.3)
    np.testing.assert_allclose(weight, [1 / 1.6, 1 / 1.6, 1 / 1.6, 1.0])


def test_process_model_is_trusted_where_towers_are_few():
    np.testing.assert_allclose(expected_weights(2, 20, process=True, unseen_places=True), [0.25, 0.25, 0.5])
    np.testing.assert_allclose(expected_weights(2, 20, process=True, unseen_places=False), [0.5, 0.5, 0.0])
    np.testing.assert_allclose(expected_weights(4, 5, process=False, unseen_places=True), [0.25] * 4 + [0.0])


def test_plenty_of_evidence_moves_the_weights_and_little_does_not():
    rng = np.random.default_rng(0)
    truth = rng.gamma(2.0, 2.0, 2000)
    good, bad = truth + rng.normal(0, 0.3, truth.size), truth + rng.normal(0, 3.0, truth.size)
    expected = np.array([0.5, 0.5])
    many = stack(truth, np.column_stack([good, bad]), np.arange(truth.size), expected)
    assert many[0] > 0.9
    few = stack(truth[:4], np.column_stack([good, bad])[:4], np.zeros(4), expected)
    assert abs(few[0] - 0.5) < abs(many[0] - 0.5)
    assert many.sum() == pytest.approx(1.0)
    assert (many >= 0.0).all()


def test_what_is_expected_to_weigh_nothing_does():
    x = np.random.default_rng(0).random((50, 2))
    assert stack(x[:, 1], x, np.arange(50), np.array([1.0, 0.0])).tolist() == [1.0, 0.0]


def test_interval_follows_spread_and_covers():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(80), 40)
    spread, gpp = rng.gamma(2.0, 0.5, cluster.size), rng.gamma(2.0, 2.0, cluster.size)
    residual = rng.normal(0.0, 0.2 + spread)
    interval, relative = fit_interval(residual, spread, gpp, cluster)
    assert interval.b > 3.0 * interval.c
    half = interval.q * (interval.a + interval.b * spread + interval.c * gpp)
    assert np.mean(np.abs(residual) <= half) == pytest.approx(0.9, abs=0.02)
    for level, width in relative.items():
        assert np.mean(np.abs(residual) <= width * half) == pytest.approx(level, abs=0.02)
