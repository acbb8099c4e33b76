from dataclasses import replace

import numpy as np
import pytest
from bucket import by_equations
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gppcore.constants import PFTS
from gppcore.process.soil_water import potential_evaporation, soil_water, stress, stress_by_exponent


def bucket(precip, evaporation, tair, months=24):
    full = np.ones((months, 1))
    return soil_water(precip * full, evaporation * full, tair * full)[:, 0]


@pytest.mark.parametrize(
    ("times", "n", "daily"), [(12, 1, False), (12, 300, False), (30, 65, False), (400, 33, True), (5, 3, False)]
)
def test_kernel_gives_the_bits_of_the_equations(times, n, daily):
    rng = np.random.default_rng(times)
    fields = [rng.gamma(1, 2, (times, n)), rng.uniform(0, 8, (times, n)), rng.normal(5, 12, (times, n))]
    for values in fields:
        values[rng.random(values.shape) < 0.01] = np.nan
    fields[2][rng.random((times, n)) < 0.05] = 0.0
    for n_threads in (1, 2):
        found = soil_water(*fields, daily=daily, n_threads=n_threads)
        np.testing.assert_array_equal(found, by_equations(*fields, daily))


def test_potential_evaporation_matches_fao56():
    # Allen et al. 1998, example 20: Lyon in July, 26.6 and 14.8 degC, Ra 40.55 MJ m-2 d-1: 5.0 mm d-1.
    lyon = potential_evaporation(np.array([20.7]), np.array([11.8]), np.array([40.55e6 / 86400]))
    assert lyon == pytest.approx(5.0, abs=0.05)
    assert potential_evaporation(np.array([-30.0]), np.array([5.0]), np.array([100.0])) == 0


def test_wet_stays_full_and_dry_empties():
    np.testing.assert_allclose(bucket(12.0, 3.0, 20.0), 1.0)
    dry = bucket(0.0, 5.0, 20.0)
    assert (np.diff(dry) <= 0).all()
    assert dry[-1] < 1e-3


def test_balance_by_hand():
    """Rain meets evaporation where the soil is dry enough to hold it back: f = rain / evaporation, w = 0.75 f."""
    assert bucket(2.0, 4.0, 20.0, months=240)[-1] == pytest.approx(0.75 * 0.5, abs=1e-3)


def test_snow_waits_for_the_thaw():
    tair = np.where(np.arange(12) < 6, -10.0, 8.0)[:, None]
    snow = np.where(np.arange(12) < 6, 2.0, 0.0)[:, None]
    evaporation = np.where(np.arange(12) < 6, 0.0, 4.0)[:, None]
    water = soil_water(snow, evaporation, tair)[:, 0]
    assert (np.diff(water[:6]) == 0).all(), "frozen months gain nothing"
    # 365 mm of snow melt at 24 mm a day: the bucket fills in the first month of thaw, and dries after it.
    assert water[6] > 0.8
    assert (np.diff(water[6:]) < 0).all()


def test_first_year_does_not_remember_how_it_started():
    steady = bucket(2.0, 3.0, 15.0, months=36)
    np.testing.assert_allclose(steady[:12], steady[24:], atol=0.01)


@given(
    precip=arrays(float, (12, 3), elements=st.floats(0, 40)),
    evaporation=arrays(float, (12, 3), elements=st.floats(0, 12)),
    tair=arrays(float, (12, 3), elements=st.floats(-40, 40)),
)
def test_water_stays_within_the_bucket(precip, evaporation, tair):
    water = soil_water(precip, evaporation, tair)
    assert water.min() >= 0.0
    assert water.max() <= 1.0


def test_missing_rain_leaves_other_cells_and_earlier_years_alone():
    fields = [np.full((36, 2), v) for v in (2.0, 3.0, 10.0)]
    whole = soil_water(*fields)
    fields[0][20, 1] = np.nan
    holed = soil_water(*fields)
    np.testing.assert_array_equal(holed[:, 0], whole[:, 0])
    np.testing.assert_array_equal(holed[:20, 1], whole[:20, 1])
    assert np.isnan(holed[20:, 1]).all()


@pytest.mark.parametrize("pft", PFTS.values(), ids=PFTS)
def test_stress_grows_with_water_and_stays_in_its_bounds(pft):
    water = np.linspace(0.0, 1.0, 101)
    f = stress(water, np.full(101, 25.0), pft)
    assert f.min() >= 0.1
    assert f.max() <= 1.0
    assert (np.diff(f) >= 0).all()
    assert f[-1] > 0.95
    # At wilting the suction is 150 m.
    assert f[0] == pytest.approx(max(0.1, 1 / (1 + (150 / pft.psi_min - 1) ** pft.psi_exponent)), rel=1e-4)


@pytest.mark.parametrize("pft", PFTS.values(), ids=PFTS)
def test_derivative_of_stress_equals_central_differences(pft):
    water, tair = np.linspace(0.0, 1.0, 201), np.tile([25.0, 6.0, -5.0], 67)
    step = 1e-6
    up, down = (replace(pft, psi_exponent=pft.psi_exponent + s) for s in (step, -step))
    differences = (stress(water, tair, up) - stress(water, tair, down)) / (2.0 * step)
    found = stress_by_exponent(water, tair, pft)
    np.testing.assert_allclose(found, differences, atol=1e-8)
    assert (found[tair < 0.0] == 0.0).all()
    assert found.min() < -0.05


def test_frozen_soil_gives_no_water():
    f = stress(np.ones(4), np.array([-20.0, 0.0, 5.0, 25.0]), PFTS["enf"])
    np.testing.assert_array_equal(f[:2], 0.1)
    assert 0.1 < f[2] < f[3]


def test_missing_water_or_temperature_gives_missing_stress():
    f = stress(np.array([np.nan, 0.5, 0.5]), np.array([20.0, np.nan, 20.0]), PFTS["enf"])
    np.testing.assert_array_equal(np.isnan(f), [True, True, False])
