"""Daily and monthly forcing: what is rebuilt, what is measured against hours, and the water of days and months."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore.constants import PFTS
from gppcore.errors import DtypeError, RangeError, ShapeError, UnitsError
from gppcore.process.daylight import (
    daylight_of_day,
    daylight_of_month,
    mid_month_day,
    saturation_vapour_pressure,
    sw_toa,
    temperature_at,
)
from gppcore.process.simulate import simulate
from gppcore.process.soil_water import potential_evaporation, soil_temperature, soil_water
from gppcore.process.two_leaf import Canopy, Forcing, two_leaf_gpp
from gppcore.variables import G_C_PER_UMOL

ROOT = Path(__file__).resolve().parents[3]


def daily(days=90, freq="D", **changes):
    time = pd.date_range("2019-04-01", periods=days, freq=freq)
    warm = np.linspace(8.0, 22.0, days)
    ds = xr.Dataset(
        {
            "sw": ("time", 220.0 + 60.0 * np.sin(np.arange(days))),
            "tair": ("time", warm),
            "tair_range": ("time", 10.0 + 2.0 * np.cos(np.arange(days))),
            "vpd": ("time", 800.0 + 200.0 * np.cos(np.arange(days))),
            "lai": ("time", np.linspace(1.0, 4.0, days)),
            "soil_water_stress": 0.9,
            "ca": 400.0,
            "lat": 45.0,
            "pft": "dbf",
        },
        coords={"time": time},
    )
    return ds.assign(changes)


@pytest.mark.parametrize(("freq", "rebuild"), [("D", daylight_of_day), ("MS", daylight_of_month)])
def test_gpp_is_that_of_the_kernel_over_the_rebuilt_hours(freq, rebuild):
    ds = daily(12, freq)
    day = ds["time"].dt.dayofyear.values.astype(float)
    if freq == "MS":
        day = np.array([mid_month_day(m) for m in ds["time"].dt.month.values])
    f = {n: ds[n].values for n in ("sw", "tair", "tair_range", "vpd", "lai")}
    light = rebuild(np.full(12, 45.0), day, f["sw"], f["tair"], f["tair_range"], vpd=f["vpd"])
    weather = Forcing(light.sw, light.tair, light.vpd, light.cos_zenith, 400.0)
    hours = two_leaf_gpp(weather, Canopy(f["lai"], 0.9), PFTS["dbf"]).gpp
    expected = light.mean(hours) * light.seconds * G_C_PER_UMOL
    np.testing.assert_allclose(simulate(ds)["gpp_daily"], expected, rtol=1e-12)


def test_daily_extremes_stand_for_the_range_and_the_mean():
    ds = daily()
    low, high = ds["tair"] - ds["tair_range"] / 2.0, ds["tair"] + ds["tair_range"] / 2.0
    extremes = ds.drop_vars(["tair", "tair_range"]).assign(tmin=low, tmax=high)
    expected = simulate(ds)["gpp_daily"]
    np.testing.assert_allclose(simulate(extremes)["gpp_daily"], expected, rtol=1e-10)
    np.testing.assert_allclose(simulate(extremes.assign(tair=ds["tair"]))["gpp_daily"], expected, rtol=1e-10)
    with pytest.raises(RangeError, match="tmin: expected values not above tmax"):
        simulate(extremes.assign(tmin=high, tmax=low))
    both = simulate(ds.assign(tmin=low - 1.0, tmax=high + 1.0))
    np.testing.assert_array_equal(both["gpp_daily"], expected)  # the range stands before the extremes
    with pytest.raises(ShapeError, match=r"expected variables \['tmax'\]"):
        simulate(ds.drop_vars("tair_range").assign(tmin=low))
    with pytest.raises(UnitsError, match="tmin: expected degC"):
        simulate(extremes.assign(tmin=low + 273.15))


def test_humidity_of_days_in_every_way_is_the_same_air():
    ds, e, patm = daily(), 900.0, 95000.0
    hours = np.arange(0.5, 24.0)[:, None]
    es = saturation_vapour_pressure(temperature_at(hours, ds["tair"].values, ds["tair_range"].values))
    root = np.log(e / 610.78)
    ways = {
        "rh": {"rh": ("time", (100.0 * e / es).mean(axis=0))},
        "specific_humidity": {"specific_humidity": 0.622 * e / (patm - 0.378 * e), "patm": patm},
        "dewpoint": {"dewpoint": 237.3 * root / (17.3 - root)},
    }
    gpp = [simulate(ds.drop_vars("vpd").assign(way))["gpp_daily"].values for way in ways.values()]
    np.testing.assert_allclose(gpp[0], gpp[1], rtol=1e-9)
    np.testing.assert_allclose(gpp[2], gpp[1], rtol=1e-9)


def test_months_are_means_of_days():
    ds = daily(91)
    days, months = simulate(ds)["gpp_daily"], simulate(ds, means="monthly")["gpp_daily"]
    assert months.dims == ("month",)
    np.testing.assert_allclose(months, days.resample(time="MS").mean(), rtol=1e-12)


def test_steps_are_read_from_time_or_told():
    one = daily(1)
    with pytest.raises(RangeError, match="steps: fewer than two times have no step, expected daily or monthly"):
        simulate(one)
    day, month = (simulate(one, steps=steps)["gpp_daily"] for steps in ("daily", "monthly"))
    assert day.values > 0.0
    assert month.values > 0.0
    with pytest.raises(RangeError, match="steps: expected daily, which the steps of time are, got monthly"):
        simulate(daily(), steps="monthly")
    with pytest.raises(RangeError, match="time_reference, time_label: expected none with daily steps"):
        simulate(daily(), time_label="start")
    with pytest.raises(RangeError, match="means: expected monthly with monthly forcing, got 'daily'"):
        simulate(daily(12, "MS"), means="daily")


@pytest.mark.parametrize("freq", ["D", "MS"])
def test_rain_becomes_water_of_the_bucket(freq):
    ds = daily(48, freq, precip=2.0).drop_vars("soil_water_stress")
    day = ds["time"].dt.dayofyear.values.astype(float)
    if freq == "MS":
        day = np.array([mid_month_day(m) for m in ds["time"].dt.month.values])
    toa = sw_toa(np.array([45.0]), day[:, None])
    column = {n: ds[n].values[:, None] for n in ("tair", "tair_range")}
    evaporation = potential_evaporation(column["tair"], column["tair_range"], toa)
    water = soil_water(np.full((48, 1), 2.0), evaporation, column["tair"], daily=freq == "D")[:, 0]
    given = simulate(ds.drop_vars("precip").assign(soil_water=("time", water)))["gpp_daily"]
    np.testing.assert_allclose(simulate(ds)["gpp_daily"], given, rtol=1e-12)


def test_bucket_of_days_follows_that_of_months():
    """Steady rain and evaporation: the same water, whatever the step."""
    months, days = (np.full((n, 1), 1.0) for n in (36, 1095))
    coarse = soil_water(2.0 * months, 3.0 * months, 15.0 * months)[-1]
    fine = soil_water(2.0 * days, 3.0 * days, 15.0 * days, daily=True)[-1]
    np.testing.assert_allclose(fine, coarse, rtol=1e-3)


def test_soil_follows_eleven_days_of_air():
    air = np.arange(30.0)[:, None]
    soil = soil_temperature(air)
    assert soil[0] == 0.0
    assert soil[3] == pytest.approx(1.5)
    np.testing.assert_allclose(soil[10:], air[10:] - 5.0)
    air[20] = np.nan
    assert soil_temperature(air)[25, 0] == pytest.approx(np.nanmean(air[15:26]))


def test_frozen_soil_holds_its_water_back_until_it_thaws():
    tair = np.where(np.arange(40) < 20, -12.0, 12.0)
    ds = daily(40, tair=("time", tair), soil_water=1.0).drop_vars("soil_water_stress")
    gpp = simulate(ds)["gpp_daily"].values
    assert gpp[20] < 0.8 * gpp[35], "the first warm day finds the soil frozen"


def test_carbon_dioxide_may_be_a_series():
    series = np.linspace(300.0, 600.0, 90)
    gpp = simulate(daily(ca=("time", series)))["gpp_daily"]
    for day in (0, 40, 89):
        assert gpp[day] == simulate(daily(ca=series[day]))["gpp_daily"][day]
    assert gpp[0] < 0.95 * simulate(daily())["gpp_daily"][0]


@pytest.mark.parametrize("freq", ["D", "MS"])
def test_days_and_months_are_rebuilt_in_float64(freq):
    ds = daily(12, freq)
    single = ds.assign({name: ds[name].astype(np.float32) for name in ("sw", "tair", "tair_range", "vpd", "lai")})
    gpp = simulate(single)["gpp_daily"]
    assert gpp.dtype == np.float64
    np.testing.assert_allclose(gpp, simulate(ds)["gpp_daily"], rtol=1e-6)


def test_text_is_not_a_number():
    with pytest.raises(DtypeError, match="lai: expected numbers, got <U3"):
        simulate(daily(lai="3.0"))


def test_one_type_for_each_site():
    ds = daily(10).drop_vars("pft").expand_dims(site=2).assign(pft=("site", ["enf", "grass_c4"]))
    out = simulate(ds)
    for i, name in enumerate(["enf", "grass_c4"]):
        alone = simulate(daily(10, pft=name))["gpp_daily"]
        np.testing.assert_array_equal(out["gpp_daily"].transpose("site", "time")[i], alone)
    with pytest.raises(RangeError, match=r"pft: expected names out of .*, got \['moss'\]"):
        simulate(daily(10, pft="moss"))


def test_lazy_months_are_the_same_as_eager_ones():
    pytest.importorskip("dask")
    ds = daily(12, "MS").drop_vars("pft").expand_dims(cell=6)
    shares = np.linspace(0.0, 0.5, 12).reshape(2, 6)
    ds = ds.assign(pft_fraction=(("pft", "cell"), shares), c4_fraction=("cell", np.linspace(0, 1, 6)))
    ds = ds.assign_coords(pft=["enf", "grass"])
    lazy = simulate(ds.chunk(cell=4))
    assert lazy["gpp_daily_pft"].chunks == ((2,), (12,), (4, 2))
    xr.testing.assert_identical(lazy.compute(), simulate(ds))


@pytest.fixture
def rebuilt_months():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import rebuilt_months

    yield rebuilt_months
    sys.path.remove(str(ROOT / "benchmarks"))


def test_days_and_months_against_hours_of_reference_sites(rebuilt_months, shared):
    """The figures of docs/simulate.md, within half a percent of annual GPP."""
    told = {
        "US-Ne2_2001": (1.7, 0.7),
        "US-Ne2_2002": (2.2, 6.6),
        "US-Ne2_2003": (2.2, 0.9),
        "p1": (-2.4, -3.7),
        "p3": (-2.9, -0.6),
    }
    found = {
        site: rebuilt_months.biases(ds, cos_zenith)
        for site, ds, cos_zenith in rebuilt_months.site_years(shared / "oracle")
    }
    assert set(found) == set(told)
    for site, bias in found.items():
        np.testing.assert_allclose([bias["daily"], bias["monthly"]], told[site], atol=0.5, err_msg=site)
        assert abs(bias["daily"]) < 3.0, site
