import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gppcore.constants import PFTS
from gppcore.errors import ShapeError
from gppcore.process import daylight
from gppcore.process.daylight import (
    clearness_of_days,
    clearness_spread,
    cos_zenith,
    daylight_of_day,
    daylight_of_month,
    equation_of_time,
    hourly_cos_zenith,
    mid_month_day,
    range_of_days,
    saturation_vapour_pressure,
    sunset_hour_angle,
    sw_toa,
    temperature_at,
)
from gppcore.process.two_leaf import Canopy, Forcing, two_leaf_gpp
from gppcore.variables import SECONDS_PER_DAY

JUNE, DECEMBER = 172.0, 355.0
LAT = np.array([-55.0, -20.0, 0.0, 35.0, 50.0, 66.0])


def month(lat=LAT, day=JUNE, kt=0.5, tair=18.0, tair_range=11.0, vpd=900.0):
    lat = np.asarray(lat, dtype=np.float64)
    full = np.ones_like(lat)
    return daylight_of_month(lat, day, kt * sw_toa(lat, day), tair * full, tair_range * full, vpd=vpd * full)


def day_of(lat=LAT, day=JUNE, kt=0.5, **humidity):
    lat = np.asarray(lat, dtype=np.float64)
    full = np.ones_like(lat)
    humidity = {name: value * full for name, value in (humidity or {"vpd": 900.0}).items()}
    return daylight_of_day(lat, day, kt * sw_toa(lat, day), 18.0 * full, 11.0 * full, **humidity)


def test_middle_of_january_is_noon_of_the_sixteenth():
    assert mid_month_day(1) == 16
    assert np.diff([mid_month_day(m) for m in range(1, 13)]) == pytest.approx(30.4, abs=1.1)


def test_top_of_atmosphere_and_day_length_match_fao56():
    # Allen et al. 1998, examples 8 and 9: 20 S, 3 September, 32.2 MJ m-2 d-1 and 11.7 h. Their declination is
    # a plain sine, 0.6 degrees from Spencer's on that day, hence 2 %.
    lat = np.array([-20.0])
    assert sw_toa(lat, 246.0) * 0.0864 == pytest.approx(32.2, rel=0.02)
    assert sunset_hour_angle(lat, 246.0) * 24 / np.pi == pytest.approx(11.7, rel=0.01)


def test_sun_is_at_the_zenith_of_the_tropic_at_the_solstice_and_sets_at_sunset():
    assert cos_zenith(np.array([23.44]), JUNE, np.array([0.0])) == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(cos_zenith(LAT, JUNE, sunset_hour_angle(LAT, JUNE)), 0.0, atol=1e-12)


def test_saturation_at_freezing_and_twenty_degrees():
    # 611 Pa and 2338 Pa, as tabulated; this form of Tetens is 0.25 % above the latter.
    np.testing.assert_allclose(saturation_vapour_pressure(np.array([0.0, 20.0])), [611, 2338], rtol=3e-3)


def test_weights_of_the_nodes_sum_to_one():
    assert month().weights.sum() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("day", [15.0, 80.0, JUNE, 290.0])
@pytest.mark.parametrize("kt", [0.1, 0.3, 0.5])
def test_shortwave_at_the_nodes_has_the_mean_of_the_month(day, kt):
    """Up to kt 0.5 no day reaches the cap; eight nodes integrate a cosine to rounding."""
    light = month(day=day, kt=kt)
    mean = light.mean(light.sw) * light.seconds / SECONDS_PER_DAY
    np.testing.assert_allclose(mean, kt * sw_toa(LAT, day), rtol=1e-7)


def test_shortwave_never_passes_the_cap_of_clear_days():
    highest = 0.8 + clearness_spread(np.array([0.8]))
    assert (month(kt=1.2).sw <= highest * daylight.normal_radiation(JUNE) * month().cos_zenith + 1e-9).all()
    light = day_of(kt=1.2)
    assert (light.sw <= daylight.normal_radiation(JUNE) * light.cos_zenith + 1e-9).all()


@pytest.mark.parametrize("day", [15.0, 80.0, JUNE])
def test_daylight_mean_of_vpd_is_the_one_given(day):
    light = month(day=day, tair_range=8.0)
    np.testing.assert_allclose(light.mean(light.vpd), 900.0, rtol=1e-12)


def test_vpd_stays_between_saturated_and_dry_air():
    for vpd in (0.0, 5000.0):
        light = month(vpd=vpd)
        assert (light.vpd >= 0.0).all()
        assert (light.vpd <= 0.99 * saturation_vapour_pressure(light.tair)).all()


def test_temperature_follows_the_published_course():
    # Campbell & Norman 1998, eq. 2.2: minimum + range (0.44 - 0.46 sin(h + 0.9) + 0.11 sin(2 h + 0.9)).
    hours = np.arange(0.0, 24.0, 0.25)
    course = temperature_at(hours, 18.0, 10.0)
    assert course.mean() == pytest.approx(18.0, abs=1e-12)
    assert (hours[course.argmin()], hours[course.argmax()]) == (4.5, 14.0)
    np.testing.assert_allclose([course.min(), course.max()], [18.0 - 4.1, 18.0 + 5.6], atol=0.05)


def test_clear_days_have_the_wider_range_and_the_month_keeps_its_mean():
    kt = clearness_of_days(np.array([0.2, 0.4, 0.6]))
    ranges = range_of_days(kt, np.array([6.0, 10.0, 14.0]))
    np.testing.assert_allclose(month().level_weights @ ranges, [6.0, 10.0, 14.0], rtol=1e-12)
    # Bristow & Campbell 1984: kt = A (1 - exp(-B range^2.4)) with one B for all days of a month.
    b = -np.log(1.0 - kt / 0.8) / ranges**2.4
    np.testing.assert_allclose(b / b[0], 1.0, rtol=1e-9)
    light = month(lat=[45.0])
    assert (np.diff(light.tair.max(axis=1)[:, 0]) > 1.0).all()
    assert (np.diff((light.weights @ light.vpd)[:, 0]) > 50.0).all(), "clear days are dry by day"


def test_range_of_the_darkest_and_the_clearest_months_is_finite():
    for kt in (0.0, 0.8):
        ranges = range_of_days(np.full((3, 1), kt), np.array([10.0]))
        np.testing.assert_allclose(ranges, 10.0, rtol=1e-12)


def test_polar_night_is_dark_and_polar_day_has_no_end():
    light = month(lat=[80.0, -80.0], kt=0.5)
    np.testing.assert_array_equal(light.seconds, [SECONDS_PER_DAY, 0.0])
    np.testing.assert_array_equal(light.sw[:, :, 1], 0.0)
    assert (light.cos_zenith[:, 0] > 0.0).all()
    mean = light.mean(light.sw)[0]
    assert mean == pytest.approx(0.5 * sw_toa(np.array([80.0]), JUNE)[0], rel=1e-6)


def test_shortwave_given_in_the_polar_night_is_not_used():
    dark = month([80.0], DECEMBER, kt=0.5, tair=-20.0, tair_range=5.0, vpd=50.0)
    assert (dark.sw == 0.0).all()
    *known, vpd = (np.array([v]) for v in (80.0, DECEMBER, 5.0, -20.0, 5.0, 50.0))
    dark = daylight_of_month(*known, vpd=vpd)
    assert (dark.sw == 0.0).all()


@pytest.mark.parametrize("position", range(5))
def test_missing_input_is_missing_at_its_cell_only(position):
    fields = [np.full(3, v) for v in (40.0, 200.0, 18.0, 11.0, 900.0)]
    whole = daylight_of_month(fields[0], JUNE, *fields[1:4], vpd=fields[4])
    fields[position][1] = np.nan
    holed = daylight_of_month(fields[0], JUNE, *fields[1:4], vpd=fields[4])
    touched = False
    for name in ("sw", "cos_zenith", "tair", "vpd", "seconds"):
        now, before = getattr(holed, name), getattr(whole, name)
        np.testing.assert_array_equal(now[..., [0, 2]], before[..., [0, 2]])
        gone = np.isnan(now[..., 1])
        assert gone.all() or (now[..., 1] == before[..., 1]).all()
        touched |= bool(gone.all())
    assert touched


@given(kt=st.floats(0.0, 0.5))
def test_clearness_of_days_keeps_the_mean_and_the_order(kt):
    days = clearness_of_days(np.array([kt]))[:, 0]
    assert month().level_weights @ days == pytest.approx(kt, rel=1e-9, abs=1e-12)
    assert (np.diff(days) >= 0.0).all()


def test_days_differ_most_at_middling_clearness():
    cloudy, middle, clear = np.ptp(clearness_of_days(np.array([0.15, 0.45, 0.74])), axis=0)
    assert middle > 1.5 * cloudy
    assert middle > 1.5 * clear


def gpp_of(light, lai):
    weather = Forcing(light.sw, light.tair, light.vpd, light.cos_zenith, 400.0)
    return light.mean(two_leaf_gpp(weather, Canopy(lai=lai), PFTS["dbf"]).gpp) * light.seconds


@pytest.mark.parametrize("day", [15.0, 80.0, JUNE, 290.0])
def test_eight_nodes_are_enough(day, monkeypatch):
    coarse = gpp_of(month(day=day), 3.0)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    monkeypatch.setattr(daylight, "_NODES", nodes)
    monkeypatch.setattr(daylight, "_WEIGHTS", weights)
    fine = gpp_of(month(day=day), 3.0)
    # Largest at the edge of the polar night (66 N in January), 0.25 %; elsewhere below 0.07 %.
    np.testing.assert_allclose(coarse, fine, rtol=0.003)
    np.testing.assert_allclose(coarse[:-1], fine[:-1], rtol=0.0008)


def test_missing_shortwave_is_missing_in_the_polar_night_too():
    *known, vpd = (np.array([v]) for v in (80.0, DECEMBER, np.nan, -20.0, 5.0, 50.0))
    dark = daylight_of_month(*known, vpd=vpd)
    assert np.isnan(dark.sw).all()


@pytest.mark.parametrize("kt", [0.1, 0.4, 0.7, 0.95])
def test_clouds_of_a_day_come_and_go_and_keep_its_light(kt):
    light = day_of(kt=kt)
    assert light.sw.shape == (1, 8, LAT.size)
    mean = light.mean(light.sw) * light.seconds / SECONDS_PER_DAY
    np.testing.assert_allclose(mean, kt * sw_toa(LAT, JUNE), rtol=1e-7)
    clearness = light.sw[0] / (daylight.normal_radiation(JUNE) * light.cos_zenith)
    np.testing.assert_allclose(clearness.std(axis=0), clearness_spread(np.array(kt)), atol=1e-12)


def test_spread_of_the_hours_as_published():
    # Graham & Hollands 1990: 0.16 sin(pi K / 0.90), 0 for a clear day; never more than the day has.
    np.testing.assert_allclose(clearness_spread(np.array([0.45, 0.9, 1.0, 0.0])), [0.16, 0.0, 0.0, 0.0], atol=1e-12)
    low = np.array([0.01, 0.05])
    assert (clearness_spread(low) <= low).all()


def test_vapour_pressure_of_a_day_is_constant_where_it_is_given():
    light = day_of(vapour_pressure=800.0)
    np.testing.assert_allclose(saturation_vapour_pressure(light.tair) - light.vpd, 800.0, rtol=1e-12)


def test_humidity_is_given_once():
    with pytest.raises(ShapeError, match="expected one of vpd and vapour_pressure"):
        day_of(vpd=900.0, vapour_pressure=800.0)


def test_sun_of_all_times_and_places_is_that_of_each():
    lon, day, angle = np.linspace(-180.0, 170.0, LAT.size), np.array([15.0, 172.3, 300.7]), np.array([-2.0, 0.1, 3.0])
    expected = cos_zenith(LAT, day[:, None], angle[:, None] + np.radians(lon))
    np.testing.assert_allclose(hourly_cos_zenith(LAT, lon, day, angle), expected, atol=1e-14)


def test_equation_of_time_at_its_extremes():
    # -14.2 min around 11 February and +16.4 min around 3 November (astronomical almanacs).
    np.testing.assert_allclose(60.0 * equation_of_time(np.array([42.0, 307.0])), [-14.2, 16.4], atol=0.3)
