"""Hourly forcing: the clock, humidity, water, sums of days, and lazy data."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore.constants import PFTS
from gppcore.errors import RangeError, ShapeError, UnitsError
from gppcore.process.daylight import cos_zenith, equation_of_time, saturation_vapour_pressure
from gppcore.process.simulate import simulate
from gppcore.process.two_leaf import Canopy, Forcing, two_leaf_gpp
from gppcore.variables import G_C_PER_UMOL, SECONDS_PER_DAY

LAT, LON = np.array([10.0, 45.0, -33.0]), np.array([0.0, -96.5, 151.0])
UTC = {"time_reference": "utc", "time_label": "start"}
SOLAR = {"time_reference": "local_solar", "time_label": "middle"}


def hourly(days=3, freq="h", cells=3, start="2019-06-29", **changes):
    """Make days of local solar time at three cells, with clouds that come and go; `changes` replace variables."""
    time = pd.date_range(start, periods=days * (24 if freq == "h" else 48), freq=freq)
    hour = ((time.hour + time.minute / 60.0).to_numpy() % 24)[:, None]
    cloud = 0.5 + 0.3 * np.sin(np.arange(time.size))[:, None]
    both = ("time", "cell")
    lat, lon = LAT[:cells], LON[:cells]
    ds = xr.Dataset(
        {
            "sw": (both, 1000.0 * cloud * np.maximum(np.cos((hour - 12.0) * np.pi / 12.0), 0.0) + 0.0 * lat),
            "tair": (both, 18.0 + 6.0 * np.cos((hour - 14.0) * np.pi / 12.0) + np.linspace(0.0, 4.0, cells)),
            "vpd": (both, 900.0 + 0.0 * hour + 0.0 * lat),
            "ca": 400.0,
            "lai": 3.0,
            "soil_water_stress": 0.8,
            "lat": ("cell", lat),
            "lon": ("cell", lon),
            "pft": ("cell", ["dbf", "grass_c4", "crop"][:cells]),
        },
        coords={"time": time},
    )
    return ds.assign(changes)


def kernel(ds, mu, pft="dbf", cell=0, **leaves):
    f = {n: ds[n].values[:, cell] if ds[n].ndim else float(ds[n]) for n in ("sw", "tair", "vpd")}
    leaves = {"lai": 3.0, "soil_water_stress": 0.8, **leaves}
    return two_leaf_gpp(Forcing(**f, cos_zenith=mu, ca=400.0), Canopy(**leaves), PFTS[pft])


def sun(ds, cell, shift_hours, equation=True, lon=True):
    """Return the cosine of the zenith angle at each time plus a shift, by the plain formula."""
    t = ds["time"].values + np.timedelta64(round(shift_hours * 3600), "s")
    day = (t - t.astype("M8[Y]")) / np.timedelta64(1, "D") + 0.5
    hour = (t - t.astype("M8[D]")) / np.timedelta64(1, "h") + (equation_of_time(day) if equation else 0.0)
    return cos_zenith(LAT[cell], day, (hour - 12.0) * np.pi / 12.0 + (np.radians(LON[cell]) if lon else 0.0))


@pytest.mark.parametrize(("label", "shift"), [("start", 0.5), ("middle", 0.0), ("end", -0.5)])
@pytest.mark.parametrize("cell", range(3))
def test_utc_hours_are_those_of_the_kernel_at_the_middle_of_the_interval(label, shift, cell):
    ds = hourly()
    pft = str(ds["pft"].values[cell])
    gpp = simulate(ds, time_reference="utc", time_label=label, outputs=["gpp"])["gpp"]
    assert gpp.attrs["units"] == "umol m-2 s-1"
    expected = kernel(ds, sun(ds, cell, shift), pft, cell).gpp
    np.testing.assert_allclose(gpp.values[:, cell], expected, rtol=1e-9, atol=1e-9)


def test_local_solar_time_has_noon_at_twelve_whatever_the_longitude():
    ds = hourly()
    gpp = simulate(ds.drop_vars("lon"), **SOLAR, outputs=["gpp"])["gpp"].values
    expected = kernel(ds, sun(ds, 0, 0.0, equation=False, lon=False)).gpp
    np.testing.assert_allclose(gpp[:, 0], expected, rtol=1e-9, atol=1e-9)


def test_local_standard_time_is_utc_with_days_of_its_own():
    ds = hourly(days=4)
    utc = ds.assign_coords(time=ds["time"] + np.timedelta64(6, "h"))
    a = simulate(ds, time_reference=-6, time_label="end", outputs=["gpp", "gpp_daily"])
    b = simulate(utc, time_reference="utc", time_label="end", outputs=["gpp"])
    np.testing.assert_array_equal(a["gpp"].values, b["gpp"].values)
    np.testing.assert_array_equal(a["day"].values, pd.date_range("2019-06-28", periods=5))
    assert np.isnan(a["gpp_daily"].values[0]).all(), "the interval that ends at the first midnight is of the day before"
    assert np.isfinite(a["gpp_daily"].values[1:4]).all()


def test_days_and_months_are_means_of_whole_days():
    ds = hourly(days=35, start="2019-06-28")
    out = simulate(ds, **SOLAR, outputs=["gpp", "gpp_daily"])
    expected = out["gpp"].values.reshape(35, 24, 3).mean(axis=1) * SECONDS_PER_DAY * G_C_PER_UMOL
    np.testing.assert_allclose(out["gpp_daily"], expected, rtol=1e-12)
    monthly = simulate(ds, **SOLAR, means="monthly")["gpp_daily"]
    assert monthly.dims == ("month", "cell")
    np.testing.assert_array_equal(monthly["month"].values, np.array(["2019-06", "2019-07", "2019-08"], "M8[M]"))
    np.testing.assert_allclose(monthly[1], expected[3:34].mean(axis=0), rtol=1e-12)
    assert np.isnan(monthly[[0, 2]]).all(), "June and August are not whole"


def test_half_hours_follow_hours():
    a, b = (simulate(hourly(days=20, freq=f), **SOLAR)["gpp_daily"] for f in ("h", "30min"))
    # The clouds differ, the mean hardly does.
    np.testing.assert_allclose(a.mean("day"), b.mean("day"), rtol=0.02)


def test_sunlit_and_shaded_leaves_add_up():
    names = ["gpp", "gpp_sunlit", "gpp_shaded", "gpp_daily", "gpp_daily_sunlit", "gpp_daily_shaded"]
    out = simulate(hourly(), **UTC, outputs=names)
    assert set(out.data_vars) == set(names)
    np.testing.assert_allclose(out["gpp_sunlit"] + out["gpp_shaded"], out["gpp"], rtol=1e-12)
    np.testing.assert_allclose(out["gpp_daily_sunlit"] + out["gpp_daily_shaded"], out["gpp_daily"], rtol=1e-12)
    assert out["gpp_daily_sunlit"].attrs["long_name"] == "gross primary production of sunlit leaves"


def humidities(ds):
    es = saturation_vapour_pressure(ds["tair"])
    e, patm = es - 900.0, 95000.0
    root = np.log(e / 610.78)
    return {
        "rh": {"rh": 100.0 * e / es},
        "specific_humidity": {"specific_humidity": 0.622 * e / (patm - 0.378 * e), "patm": patm},
        "dewpoint": {"dewpoint": 237.3 * root / (17.3 - root)},
    }


@pytest.mark.parametrize("name", ["rh", "specific_humidity", "dewpoint"])
def test_humidity_in_every_way_is_the_same_air(name):
    ds = hourly()
    other = ds.drop_vars("vpd").assign(humidities(ds)[name])
    expected = simulate(ds, **UTC)["gpp_daily"]
    np.testing.assert_allclose(simulate(other, **UTC)["gpp_daily"], expected, rtol=1e-9)


def test_humidity_is_given_once():
    ds = hourly()
    with pytest.raises(ShapeError, match=r"exactly one of rh, vpd, .*, got \['rh', 'vpd'\]; drop the others"):
        simulate(ds.assign(rh=60.0), **UTC)
    with pytest.raises(ShapeError, match=r"one of rh .* got \['ca'"):
        simulate(ds.drop_vars("vpd"), **UTC)
    with pytest.raises(ShapeError, match=r"expected variables \['patm'\]"):
        simulate(ds.drop_vars("vpd").assign(specific_humidity=0.01), **UTC)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rh": 0.6}, UnitsError, "rh: expected %, got values up to 0.6, which look like 1"),
        ({"specific_humidity": 9.0, "patm": 1e5}, UnitsError, "specific_humidity: expected kg kg-1, .* like g kg-1"),
        ({"dewpoint": 283.0}, UnitsError, "dewpoint: expected degC, .* which look like K"),
        ({"rh": 130.0}, RangeError, "rh: expected 0 to 105 %"),
    ],
)
def test_humidity_in_another_unit_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        simulate(hourly().drop_vars("vpd").assign(change), **UTC)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, RangeError, "time_label: expected start, middle or end with hourly forcing, got None"),
        ({"time_label": "start"}, RangeError, "time_reference: expected utc, local_solar, or the hours"),
        ({"time_label": "start", "time_reference": "cet"}, RangeError, "time_reference: .* got 'cet'"),
        ({"time_label": "start", "time_reference": 30}, RangeError, "time_reference: .* got 30"),
        ({**UTC, "steps": "daily"}, RangeError, "steps: expected hourly, which the steps of time are, got daily"),
        ({**UTC, "steps": "weekly"}, RangeError, "steps: expected one of hourly, daily, monthly, got 'weekly'"),
        ({**UTC, "outputs": ["npp"]}, RangeError, r"outputs: expected names out of .*, got \['npp'\]"),
        ({**UTC, "outputs": ["gpp_daily_pft"]}, RangeError, "outputs: expected names out of"),
        ({**UTC, "means": "yearly"}, RangeError, "means: expected daily or monthly"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        simulate(hourly(), **options)


@pytest.mark.parametrize("steps", [[0, 1, 3, 4], [0, 3, 6, 9], [0, 0, 1, 2]])
def test_irregular_or_coarse_steps_are_refused(steps):
    with pytest.raises(ShapeError, match="time: expected regular steps of 1 h"):
        simulate(hourly().isel(time=steps), **UTC)


def test_a_name_of_fluxnet_is_pointed_to():
    with pytest.raises(ShapeError, match=r"expected variables \['sw'\].*SW_IN_F may be it"):
        simulate(hourly().rename(sw="SW_IN_F"), **UTC)


@pytest.mark.parametrize("name", ["sw", "tair", "vpd", "lai", "soil_water_stress"])
@pytest.mark.parametrize("at", [0, 12])
def test_missing_hour_is_missing_there_and_in_its_day_only(name, at):
    ds = hourly()
    whole = simulate(ds, **SOLAR, outputs=["gpp", "gpp_daily"])
    hole = (xr.DataArray(np.arange(72), dims="time") == 24 + at) & (xr.DataArray(np.arange(3), dims="cell") == 1)
    gaps = simulate(ds.assign({name: ds[name].where(~hole)}), **SOLAR, outputs=["gpp", "gpp_daily"])
    for output, where in (("gpp", (24 + at, 1)), ("gpp_daily", (1, 1))):
        values, before = gaps[output].values, whole[output].values
        assert np.isnan(values[where])
        assert np.isnan(values).sum() == 1
        np.testing.assert_array_equal(values[~np.isnan(values)], before[~np.isnan(values)])


@pytest.mark.parametrize("threads", [0, 2, 5])
def test_threads_do_not_change_a_bit(threads):
    ds = hourly(days=40)
    xr.testing.assert_identical(simulate(ds, **UTC, n_threads=threads), simulate(ds, **UTC))


def test_cells_do_not_depend_on_each_other():
    ds = hourly(days=9)
    out = simulate(ds, **UTC, outputs=["gpp", "gpp_daily"])
    for cell in range(3):
        alone = simulate(ds.isel(cell=[cell]), **UTC, outputs=["gpp", "gpp_daily"])
        np.testing.assert_array_equal(alone["gpp"][:, 0], out["gpp"][:, cell])
        np.testing.assert_array_equal(alone["gpp_daily"][:, 0], out["gpp_daily"][:, cell])


def test_a_grid_and_a_single_site_are_cells_too():
    ds = hourly(cells=2)
    out = simulate(ds, **UTC)
    site = simulate(ds.isel(cell=1), **UTC)["gpp_daily"]
    assert site.dims == ("day",)
    np.testing.assert_array_equal(site, out["gpp_daily"][:, 1])
    weather = ds[["sw", "tair"]].isel(cell=0, drop=True)
    grid = ds.drop_vars(["lat", "lon", "sw", "tair", "vpd", "pft"]).assign(weather).assign(vpd=900.0, pft="dbf")
    grid = grid.assign_coords(lat=LAT[:2], lon=[5.0, 6.0, 7.0])
    gpp = simulate(grid, **UTC)["gpp_daily"]
    assert gpp.dims == ("day", "lat", "lon")
    one = simulate(grid.isel(lat=1, lon=2), **UTC)["gpp_daily"]
    np.testing.assert_array_equal(one, gpp[:, 1, 2])
    np.testing.assert_array_equal(gpp["lon"], [5.0, 6.0, 7.0])


def test_types_share_cells_and_c4_by_share():
    ds = hourly().drop_vars("pft")
    shares = np.array([[0.6, 0.0, 1.0], [0.4, 0.5, 0.0]])
    mixed = ds.assign_coords(pft=["dbf", "grass"]).assign(
        pft_fraction=(("pft", "cell"), shares), c4_fraction=("cell", [0.25, 1.0, 0.5])
    )
    out = simulate(mixed, **UTC)
    dbf, grass, c4 = (simulate(ds.assign(pft=name), **UTC)["gpp_daily"].values for name in ("dbf", "grass", "grass_c4"))
    expected = 0.6 * dbf[:, 0] + 0.4 * (0.75 * grass[:, 0] + 0.25 * c4[:, 0])
    np.testing.assert_allclose(out["gpp_daily"][:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(out["gpp_daily"][:, 1], 0.5 * c4[:, 1], rtol=1e-12)
    np.testing.assert_allclose(out["gpp_daily_pft"].sel(pft="dbf")[:, 2], dbf[:, 2], rtol=1e-12)
    assert (out["gpp_daily_pft"].sel(pft="dbf")[:, 1] == 0.0).all()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("vcmax25", 30.0, 80.0),
        ("g1", 5.0, 10.0),
        ("lai", 1.0, 5.0),
        ("ca", 300.0, 600.0),
        ("soil_water_stress", 0.3, 1.0),
    ],
)
def test_leaves_and_co2_may_differ_by_place_and_time(name, low, high):
    ds = hourly(pft="dbf")
    field = xr.DataArray(np.linspace(low, high, 72 * 3).reshape(72, 3), dims=("time", "cell"))
    out = simulate(ds.assign({name: field}), **SOLAR, outputs=["gpp"])["gpp"].values
    mu = sun(ds, 1, 0.0, equation=False, lon=False)
    if name == "ca":
        f = {n: ds[n].values[:, 1] for n in ("sw", "tair", "vpd")}
        leaves = Canopy(lai=3.0, soil_water_stress=0.8)
        expected = two_leaf_gpp(Forcing(**f, cos_zenith=mu, ca=field.values[:, 1]), leaves, PFTS["dbf"]).gpp
    else:
        expected = kernel(ds, mu, cell=1, **{name: field.values[:, 1]}).gpp
    np.testing.assert_allclose(out[:, 1], expected, rtol=1e-9, atol=1e-9)


def test_rain_fills_a_bucket_of_days():
    ds = hourly(days=30, pft="crop").drop_vars("soil_water_stress")
    wet, dry = (simulate(ds.assign(precip=rain), **UTC)["gpp_daily"] for rain in (8.0, 0.0))
    full = simulate(ds.assign(soil_water=1.0), **UTC)["gpp_daily"]
    np.testing.assert_allclose(wet[11:], full[11:], rtol=0.02)
    assert (dry < 0.95 * wet)[-1, :2].all(), "in summer"


def test_stress_of_leaves_goes_before_soil_water():
    ds = hourly()
    xr.testing.assert_identical(simulate(ds.assign(soil_water=0.1, precip=0.0), **UTC), simulate(ds, **UTC))


def test_cold_nights_end_gpp():
    ds = hourly(days=1, pft="enf")
    for night, factor in ((2.0, 1.0), (-4.0, 0.5), (-9.0, 0.0)):
        cold = ds.assign(tair=ds["tair"] - ds["tair"].min("time") + night)
        free, limited = (simulate(cold, **SOLAR, cold_limit=on)["gpp_daily"] for on in (False, True))
        np.testing.assert_allclose(limited, factor * free, rtol=1e-12)
        assert (free > 0.0).all()


def test_lazy_data_stay_lazy_and_give_the_same():
    dask = pytest.importorskip("dask")
    ds = hourly(days=3)
    loads = []

    def note(values):
        loads.append(values.shape)
        return values

    lazy = ds.assign(sw=xr.apply_ufunc(note, ds["sw"].chunk(cell=1), dask="parallelized", output_dtypes=[float]))
    lazy["tair"] = ds["tair"].chunk(cell=1)
    loads.clear()
    out = simulate(lazy, **UTC, outputs=["gpp", "gpp_daily"])
    assert dask.is_dask_collection(out["gpp_daily"].data)
    assert loads == [], "nothing was computed"
    assert out["gpp"].chunks == ((72,), (1, 1, 1))
    with dask.config.set(scheduler="threads"):
        xr.testing.assert_identical(out.compute(), simulate(ds, **UTC, outputs=["gpp", "gpp_daily"]))
    assert len(loads) == 3


def in_float32(ds):
    return ds.assign({name: ds[name].astype(np.float32) for name in ("sw", "tair", "vpd", "ca", "lai")})


def test_light_in_float32_is_solved_in_float32():
    names = ["gpp", "gpp_daily"]
    exact = simulate(hourly(), **UTC, outputs=names)
    single = simulate(in_float32(hourly()), **UTC, outputs=names)
    for name in names:
        assert (exact[name].dtype, single[name].dtype) == (np.float64, np.float32)
        np.testing.assert_allclose(single[name], exact[name], rtol=2e-5, atol=1e-4)
    mu = sun(hourly(), 0, 0.5).astype(np.float32)
    ds, f32 = in_float32(hourly()), np.float32
    weather = Forcing(*(ds[name].values[:, 0] for name in ("sw", "tair")), ds["vpd"].values[:, 0], mu, f32(400.0))
    expected = two_leaf_gpp(weather, Canopy(f32(3.0), f32(0.8)), PFTS["dbf"]).gpp
    assert expected.dtype == np.float32
    np.testing.assert_allclose(single["gpp"].values[:, 0], expected, rtol=1e-6, atol=1e-6)
    mixed = simulate(hourly().assign(tair=in_float32(hourly())["tair"]), **UTC)
    assert mixed["gpp_daily"].dtype == np.float64, "light decides"


def test_float32_is_the_same_bits_over_threads_and_chunks():
    pytest.importorskip("dask")
    ds = in_float32(hourly(days=5))
    whole = simulate(ds, **UTC)
    xr.testing.assert_identical(simulate(ds, **UTC, n_threads=3), whole)
    lazy = simulate(ds.chunk(cell=2), **UTC)
    assert lazy["gpp_daily"].dtype == np.float32
    xr.testing.assert_identical(lazy.compute(), whole)


def test_lazy_data_in_pieces_of_time_are_refused():
    pytest.importorskip("dask")
    with pytest.raises(ShapeError, match="expected lazy data in one chunk along time, got 3"):
        simulate(hourly().chunk(time=24), **UTC)


def test_import_is_light():
    heavy = "('xarray', 'dask', 'pandas', 'pvlib')"
    code = f"import sys, gppcore.process.simulate; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_cells_give_no_cells():
    assert simulate(hourly().isel(cell=slice(0, 0)), **UTC)["gpp_daily"].shape == (3, 0)


def test_winter_is_not_another_unit():
    """Light that never passes 50 W m-2 and a deficit below 1 hPa are refused where the sun and the air allow more."""
    dim = hourly(start="2019-12-01", pft="enf")
    dim = dim.assign(sw=0.05 * dim["sw"], tair=dim["tair"] - 20.0, vpd=50.0)
    north = dim.assign(lat=("cell", [66.0, 68.0, 72.0]))
    assert np.isfinite(simulate(north, **UTC)["gpp_daily"]).all()
    with pytest.raises(UnitsError, match="sw: expected W m-2"):
        simulate(dim, **UTC)
    with pytest.raises(UnitsError, match="vpd: expected Pa"):
        simulate(north.assign(tair=north["tair"] + 20.0), **UTC)
