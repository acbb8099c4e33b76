"""All variables of humidity that describe one air give one vapour pressure deficit."""

import numpy as np
import pytest

from gppcore.process.daylight import saturation_vapour_pressure, temperature_at
from gppcore.process.simulate.humidity import deficit, of_days

TAIR = np.array([-10.0, 5.0, 25.0, 38.0])
PRESSURE = np.array([150.0, 500.0, 1500.0, 3000.0])  # Pa
PATM = np.full(4, 95_000.0)
AIR = {
    "vpd": {"vpd": saturation_vapour_pressure(TAIR) - PRESSURE},
    "rh": {"rh": 100.0 * PRESSURE / saturation_vapour_pressure(TAIR)},
    "specific_humidity": {"specific_humidity": 0.622 * PRESSURE / (PATM - 0.378 * PRESSURE), "patm": PATM},
    # The inverse of E1, es = 610.78 exp(17.3 T / (237.3 + T)) Pa.
    "dewpoint": {"dewpoint": 237.3 * np.log(PRESSURE / 610.78) / (17.3 - np.log(PRESSURE / 610.78))},
}


@pytest.mark.parametrize("name", AIR)
def test_deficit_is_that_of_the_vapour_pressure(name):
    np.testing.assert_allclose(deficit(AIR[name], TAIR), AIR["vpd"]["vpd"], rtol=1e-10)


@pytest.mark.parametrize("humidity", [{"rh": np.array([104.0])}, {"dewpoint": np.array([21.0])}])
def test_supersaturated_air_has_no_deficit(humidity):
    assert deficit(humidity, np.array([20.0])).tolist() == [0.0]


@pytest.mark.parametrize("name", ["specific_humidity", "dewpoint"])
def test_days_have_the_vapour_pressure_of_their_air(name):
    np.testing.assert_allclose(of_days(AIR[name], TAIR, 10.0 + 0.0 * TAIR)["vapour_pressure"], PRESSURE, rtol=1e-10)


def test_mean_relative_humidity_of_a_day_is_kept():
    day = of_days({"rh": np.array([60.0])}, np.array([18.0]), np.array([14.0]))["vapour_pressure"]
    hours = np.arange(0.5, 24.0)
    saturated = [saturation_vapour_pressure(temperature_at(h, np.array([18.0]), np.array([14.0])))[0] for h in hours]
    assert np.mean(100.0 * day[0] / np.array(saturated)) == pytest.approx(60.0, rel=1e-12)


def test_deficit_of_daylight_is_handed_on():
    assert of_days(AIR["vpd"], TAIR, TAIR)["vpd"] is AIR["vpd"]["vpd"]
