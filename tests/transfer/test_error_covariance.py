import numpy as np
import pytest

from gppcore.transfer.error_covariance import (
    LOCAL_KM,
    RANGE_KM,
    ErrorCovariance,
    calendar,
    distances,
    fit_errors,
    within_square,
)

MONTHS = 48


def drawn(errors, sites, seed, near=0.0):
    """Return errors of pairs of towers, `near` degrees from each other and 1000 km or more from the other pairs."""
    rng = np.random.default_rng(seed)
    pair = np.arange(sites) // 2
    lat = np.degrees(np.arcsin(2.0 * (pair + 0.5) / (sites / 2) - 1.0))  # a lattice of equal areas
    lon = 137.508 * pair % 360.0
    lat[1::2] += near
    site = np.repeat(np.arange(sites), MONTHS)
    month = np.tile(np.arange(MONTHS), sites)
    parts = [np.linalg.cholesky(each + 1e-9 * np.eye(MONTHS)) for each in errors.months(np.arange(MONTHS))]
    alike = np.where(np.eye(sites) > 0, 1.0, (1.0 - errors.local) * np.exp(-distances(lat, lon) / RANGE_KM))
    root = np.linalg.cholesky(alike)
    relative = sum(root @ rng.normal(size=(sites, MONTHS)) @ part.T for part in parts)
    relative += np.sqrt(errors.common) * rng.normal()
    return relative.ravel(), lat[site], lon[site], month, site, site // 2


def test_fit_finds_the_covariance_that_made_the_errors():
    true = ErrorCovariance(0.0, 0.02, lasting=0.1, season=0.15, passing=0.3, local=0.3)
    found = fit_errors(*drawn(true, 400, 1, near=0.3))
    assert found.lasting == pytest.approx(true.lasting, abs=0.03)
    assert found.season == pytest.approx(true.season, abs=0.03)
    assert found.passing == pytest.approx(true.passing, abs=0.03)
    assert found.local == pytest.approx(true.local, abs=0.15)
    # Pairs of towers, half of whose error is common to both: about 0.13 x 1.5 / 400.
    assert found.common == pytest.approx(0.0005, abs=0.0002)


def test_independent_neighbours_are_local_and_alike_ones_are_not():
    alone = ErrorCovariance(0.0, 0.02, 0.1, 0.1, 0.1, local=1.0)
    alike = ErrorCovariance(0.0, 0.02, 0.1, 0.1, 0.1, local=0.05)
    assert fit_errors(*drawn(alone, 300, 2, near=0.1)).local > 0.75
    assert fit_errors(*drawn(alike, 300, 2, near=0.1)).local < 0.3


def test_towers_of_other_folds_tell_nothing_of_neighbours():
    relative, lat, lon, month, site, _ = drawn(ErrorCovariance(0.0, 0.02, 0.1, 0.1, 0.1, 0.05), 300, 2, near=0.1)
    assert fit_errors(relative, lat, lon, month, site, fold=site).local == pytest.approx(0.5)


def test_no_errors_have_no_covariance():
    zero = fit_errors(np.zeros(24), np.zeros(24), np.zeros(24), np.arange(24), np.repeat([0, 1], 12), np.zeros(24))
    assert (zero.common, zero.lasting, zero.season, zero.passing) == (0.0, 0.0, 0.0, 0.0)


def test_covariance_between_places_falls_with_distance_and_is_valid():
    errors = ErrorCovariance(0.004, 0.02, 0.12, 0.16, 0.3, 0.5)
    lat, lon = np.array([0.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.5, 5.0, 90.0])
    month = calendar(np.full(4, 2001), np.full(4, 7))
    found = errors.between(lat, lon, month, np.arange(4))
    assert (np.diff(found[0]) < 0.0).all()
    assert found[0, 3] == pytest.approx(0.004, rel=0.05)
    assert found[0, 0] == pytest.approx(0.004 + 0.02 + 0.12 + 0.16 + 0.3)
    assert np.linalg.eigvalsh(found).min() > 0.0


def test_mean_correlation_within_squares():
    rng = np.random.default_rng(0)
    for side in (1.0, 50.0, 200.0):
        first, second = rng.uniform(0.0, side, (2, 200_000, 2))
        by_draws = np.exp(-np.linalg.norm(first - second, axis=1) / RANGE_KM).mean()
        assert within_square(np.array(side), RANGE_KM) == pytest.approx(by_draws, abs=2e-3)
    assert within_square(np.array(0.0), LOCAL_KM) == pytest.approx(1.0)


def test_card_keeps_it():
    errors = ErrorCovariance(0.004, 0.02, 0.12, 0.16, 0.3, 0.5)
    assert ErrorCovariance.from_card(errors.to_card()) == errors
