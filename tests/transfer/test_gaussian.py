import numpy as np
import pytest

from gppcore.features import FRACTIONS
from gppcore.transfer import gaussian
from gppcore.transfer.gaussian import Axes, fit_residuals, scale

NAMES = ("tair_growing", "aridity", "lai", "tair", "ndwi", *FRACTIONS)


def rows(n=900, sites=45, seed=0):
    """Sites in a climate space, with a residual that follows aridity and an effect of its own of each site."""
    rng = np.random.default_rng(seed)
    site = np.arange(n) % sites
    x = np.zeros((n, len(NAMES)))
    x[:, :2] = rng.normal(size=(sites, 2))[site]
    x[:, 2:5] = rng.random((n, 3))
    x[:, 5] = 1.0
    process = 2.0 + 4.0 * rng.random(n)
    own = rng.normal(0.0, 0.3, sites)[site]
    z = 0.4 * np.tanh(x[:, 1]) + own + rng.normal(0.0, 0.2, n)
    return x, z * scale(process), process, site


def test_what_places_share_is_told_from_what_each_has_of_its_own():
    x, residual, process, site = rows()
    found = fit_residuals(x, NAMES, residual, process, site, site)
    probe = np.zeros((50, len(NAMES)))
    probe[:, 1], probe[:, 5] = np.linspace(-1.5, 1.5, 50), 1.0
    z = found.predict(probe, np.full(50, 4.0)) / scale(np.array(4.0))
    assert np.corrcoef(z, np.tanh(probe[:, 1]))[0, 1] > 0.9
    at_towers = found.predict(x, process) / scale(process)
    # A learner that took the effect of a site for a pattern would reach twice that.
    assert np.std(at_towers) < 0.45
    assert found.inputs == (*NAMES[:2], "tair", "lai", *FRACTIONS)


def test_far_from_all_towers_it_fades():
    x, residual, process, site = rows()
    found = fit_residuals(x, NAMES, residual + 1.0, process, site, site)
    near, far = np.zeros((1, len(NAMES))), np.zeros((1, len(NAMES)))
    near[:, 5] = far[:, 6] = 1.0
    far[:, :5] = 9.0
    value = [abs(found.predict(probe, np.array([4.0]))[0]) for probe in (near, far)]
    assert value[1] < 0.5 * value[0]


def test_missing_predictors_count_as_their_mean():
    x, residual, process, site = rows()
    holes = x.copy()
    holes[::7, 1] = np.nan
    found = fit_residuals(holes, NAMES, residual, process, site, site)
    assert np.isfinite(found.predict(holes, process)).all()
    axes = Axes.of(holes, NAMES)
    assert (axes(holes, NAMES)[0][::7, 1] == 0.0).all()


def test_types_whose_towers_differ_count_less():
    x, residual, process, site = rows()
    wild = x.copy()
    crop = site % 3 == 0
    wild[crop, 5], wild[crop, 6] = 0.0, 1.0
    found = fit_residuals(wild, NAMES, np.where(crop, 3.0, 1.0) * residual, process, site, site)
    sd = found.sd(wild, process) / scale(process)
    assert sd[crop].mean() > 1.5 * sd[~crop].mean()
    spread = found.anchors.spread
    assert spread[0] < 1.0 < spread[1]


def test_it_is_less_certain_far_from_all_towers():
    x, residual, process, site = rows()
    found = fit_residuals(x, NAMES, residual, process, site, site)
    near, far = np.zeros((1, len(NAMES))), np.zeros((1, len(NAMES)))
    near[:, 5] = far[:, 6] = 1.0
    far[:, :5] = 9.0
    sd = [found.sd(probe, np.array([4.0]))[0] for probe in (near, far)]
    assert sd[1] > 1.1 * sd[0]


def test_long_records_are_thinned():
    site = np.repeat(np.arange(10), [200, 200, *[20] * 8])
    kept = gaussian._thinned(site, 300, 0)
    assert len(kept) <= 300
    count = np.bincount(site[kept])
    assert count[:2].tolist() == [70, 70]
    assert (count[2:] == 20).all()
    np.testing.assert_array_equal(kept, gaussian._thinned(site, 300, 0))


@pytest.mark.parametrize("sites", [1, 3])
def test_few_sites_are_enough(sites):
    x, residual, process, site = rows(60, sites)
    assert np.isfinite(fit_residuals(x, NAMES, residual, process, site, site).predict(x, process)).all()
