import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gppcore.demo import forcing
from gppcore.demo.world import open_world
from gppcore.errors import RangeError, ShapeError, UnitsError
from gppcore.process.daylight import mid_month_day, saturation_vapour_pressure, sw_toa
from gppcore.variables import check_range

JANUARY, JUNE = 0, 5
MID_MONTH_DAYS = np.array([[mid_month_day(month)] for month in range(1, 13)])

PLACES = {
    "amazon": (-3.125, -64.875),
    "sahara": (25.125, 10.125),
    "barrow": (71.125, -156.625),
    "iowa": (42.125, -93.625),
}


@pytest.fixture(scope="module")
def climates():
    with open_world() as world:
        lat, lon = np.array(list(PLACES.values())).T
        points = world[["tair", "precip"]].isel(
            lat_quarter=("place", np.searchsorted(-world.lat_quarter.values, -lat)),
            lon_quarter=("place", np.searchsorted(world.lon_quarter.values, lon)),
        )
        tair, precip = (points[name].values.astype(np.float64) for name in ("tair", "precip"))
    return lat, lon, tair, precip


@pytest.fixture(scope="module")
def modelled(climates):
    fields = forcing.demonstration_forcing(*climates)
    return {place: {name: field[:, i] for name, field in fields.items()} for i, place in enumerate(PLACES)}


def test_polar_day_and_night():
    lat = [90.0, 80.0, -80.0, -90.0]
    hours, toa = forcing.day_length(lat), sw_toa(np.array(lat), MID_MONTH_DAYS)
    np.testing.assert_array_equal(hours[JUNE], [24, 24, 0, 0])
    np.testing.assert_array_equal(hours[JANUARY], [0, 0, 24, 24])
    np.testing.assert_array_equal(toa[JUNE, 2:], 0)
    assert (toa[JUNE, :2] > 480).all()
    clear = forcing.clear_sky_sw(lat, np.full((12, 4), 3.0))
    np.testing.assert_array_equal(clear[JUNE, 2:], 0)


def test_day_at_the_equator_lasts_twelve_hours():
    np.testing.assert_allclose(forcing.day_length([0.0]), 12)


def test_clear_sky_agrees_with_a_fine_integration(monkeypatch):
    lat = np.arange(-89.0, 90.0, 1.0)
    turbidity = np.full((12, lat.size), 3.5)
    coarse = forcing.clear_sky_sw(lat, turbidity)
    monkeypatch.setattr(forcing, "NODES_PER_HALF_DAY", 100)
    np.testing.assert_allclose(coarse, forcing.clear_sky_sw(lat, turbidity), rtol=1e-3, atol=0.05)


def test_clear_sky_is_below_the_top_of_the_atmosphere_and_falls_with_turbidity():
    lat = np.arange(-85.0, 90.0, 5.0)
    clean, hazy = (forcing.clear_sky_sw(lat, np.full((12, lat.size), linke)) for linke in (2.0, 5.0))
    day = sw_toa(lat, MID_MONTH_DAYS) > 1
    assert (hazy < clean)[day].all()
    assert (clean < 0.85 * sw_toa(lat, MID_MONTH_DAYS))[day].all()


def test_cloud_by_hand():
    # 10 - 1.155 sqrt(2000 / 80) = 4.225 tenths; 10 - 1.155 sqrt(1600 / 4) < 0.
    np.testing.assert_allclose(forcing.cloud_fraction([2000.0, 1600.0], [80.0, 4.0]), [0.4225, 0.0])
    assert forcing.cloud_fraction(1000.0, 0.0) == 0


def test_diurnal_range_of_clear_and_overcast_skies():
    # (0.75 / 0.16)^2 and (0.25 / 0.16)^2.
    np.testing.assert_allclose(forcing.diurnal_range([0.0, 1.0]), [21.97265625, 2.44140625])


def test_dew_point_by_hand():
    # Ratio 0.05: aridity 1.003 - 0.0722 + 0.03078 - 0.00409575 = 0.95748425; with a range of 20 K the share
    # is -0.127 + 1.121 * 0.95748425 + 0.012 = 0.95833984, so 290 K becomes 277.918555 K.
    assert forcing.dew_point(16.85, 20.0, 0.05) == pytest.approx(277.918555 - 273.15, abs=1e-5)
    assert forcing.dew_point(10.0, 20.0, 0.0) == 10.0
    assert forcing.dew_point(10.0, 20.0, 0.2) == forcing.dew_point(10.0, 20.0, 5.0)


@given(tmin=st.floats(-60, 40), tair_range=st.floats(2, 22), ratio=st.floats(0, 2))
def test_dew_point_never_exceeds_the_minimum_temperature(tmin, tair_range, ratio):
    assert forcing.dew_point(tmin, tair_range, ratio) <= tmin + 1e-9


def test_daylight_deficit_by_hand():
    # 20 degC and a range of 10 K: the daylight mean is 22.25 degC.
    saturated = saturation_vapour_pressure(22.25)
    assert forcing.daylight_vpd(20.0, 10.0, 1500.0) == pytest.approx(saturated - 1500)
    assert forcing.daylight_vpd(20.0, 10.0, saturated + 1) == 0


@pytest.mark.parametrize(
    ("tmin", "vpd", "hours", "expected"),
    [
        (5, 900, 11, 1),
        (-2, 900, 11, 0),
        (5, 4100, 11, 0),
        (5, 900, 10, 0),
        (1.5, 2500, 10.5, 0.125),
        (20, 0, 16, 1),
    ],
)
def test_growing_season_index_of_jolly(tmin, vpd, hours, expected):
    assert forcing.growing_season_index(tmin, vpd, hours) == pytest.approx(expected)


def test_index_is_relative_to_its_maximum_and_zero_without_a_season():
    gsi = np.zeros((12, 3))
    gsi[3:6, 0] = 0.2, 0.4, 0.1
    gsi[:, 2] = np.nan
    relative = forcing.relative_to_annual_maximum(gsi)
    np.testing.assert_allclose(relative[3:6, 0], [0.5, 1, 0.25])
    np.testing.assert_array_equal(relative[:, 1], 0)
    assert np.isnan(relative[:, 2]).all()


def test_leaf_area_by_hand_in_single_precision():
    low, high = np.array([0.05, 0.2, -0.1, 0.9], "f4"), np.array([0.55, 0.8, 0.0, 1.0], "f4")
    lai = forcing.leaf_area_index(low, high, np.array([1, 0.5, 1, 1], "f4"))
    # Intercepted: 0.5, 0.45, below 0, at most 0.95.
    expected = [2 * np.log(2), -2 * np.log(0.55), 0, -2 * np.log(0.05)]
    assert lai.dtype == np.float32
    np.testing.assert_allclose(lai, expected, rtol=1e-6)
    assert np.isnan(forcing.leaf_area_index(low * np.float32("nan"), high, high)).all()


def test_amazon_is_humid_and_moderately_bright(modelled):
    amazon = modelled["amazon"]
    assert 500 < amazon["vpd"].mean() < 1500
    assert 150 < amazon["sw"].mean() < 250
    assert amazon["relative_gsi"].min() > 0.5


def test_sahara_is_bright_dry_and_of_large_range(modelled):
    sahara = modelled["sahara"]
    assert sahara["tair_range"].min() > 18
    assert sahara["vpd"][JUNE] > 4000
    assert sahara["sw"].mean() > 230


def test_arctic_winter_is_dark_and_without_season(modelled):
    barrow = modelled["barrow"]
    assert barrow["sw"][JANUARY] == 0
    assert barrow["relative_gsi"][JANUARY] == 0
    assert barrow["relative_gsi"].max() == 1
    assert all(np.isfinite(field).all() for field in barrow.values())


def test_iowa_has_its_season_in_summer(modelled):
    season = modelled["iowa"]["relative_gsi"]
    assert season[[11, 0, 1]].max() == 0
    assert season[4:9].min() > 0.7


def test_fields_are_in_their_valid_ranges(modelled):
    for fields in modelled.values():
        for name in ("sw", "sw_toa", "tair_range", "vpd"):
            check_range(name, fields[name])
        assert (fields["sw"] <= fields["sw_toa"]).all()


def test_missing_stays_at_its_place(climates, monkeypatch):
    lat, lon, tair, precip = (array.copy() for array in climates)
    whole = forcing.demonstration_forcing(lat, lon, tair, precip)
    tair[3, 1] = np.nan
    # Blocks of one place must not change the others either.
    monkeypatch.setattr(forcing, "_BLOCK", 1)
    for name, field in forcing.demonstration_forcing(lat, lon, tair, precip).items():
        assert np.isnan(field[:, 1]).all()
        np.testing.assert_array_equal(np.delete(field, 1, axis=1), np.delete(whole[name], 1, axis=1))


def test_humidity_iteration_has_converged_over_the_land(monkeypatch):
    with open_world() as world:
        rows, columns = (index[::50] for index in np.nonzero(np.isfinite(world.tair.values[0])))
        tair, precip = (world[name].values[:, rows, columns].astype(np.float64) for name in ("tair", "precip"))
        toa = sw_toa(world.lat_quarter.values[rows], MID_MONTH_DAYS)
    tair_range = forcing.humidity_and_cloud(tair, precip, toa)[2]
    monkeypatch.setattr(forcing, "ITERATIONS", 40)
    error = np.abs(tair_range - forcing.humidity_and_cloud(tair, precip, toa)[2])
    assert np.quantile(error, 0.99) < 0.01
    assert error.max() < 0.7


def test_bad_input_is_refused(climates):
    lat, lon, tair, precip = climates
    with pytest.raises(ShapeError, match="expected \\(12, n\\)"):
        forcing.demonstration_forcing(lat, lon, tair[:6], precip[:6])
    with pytest.raises(UnitsError, match="look like K"):
        forcing.demonstration_forcing(lat, lon, tair + 273.15, precip)
    with pytest.raises(RangeError, match="precip"):
        forcing.demonstration_forcing(lat, lon, tair, -precip)
