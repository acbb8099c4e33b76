"""Files as their producers make them: time, units, packed and invalid values, dimensions of length 1."""

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore.errors import GppcoreError, ProductFormatError, RangeError, ShapeError, UnitsError
from gppcore.tiles.build import Cells, TileRecipe, VariableSource, build_tiles

LAT, LON = np.arange(49.75, 48, -0.5), np.arange(5.25, 7, 0.5)
GRID = {
    "lat": ("lat", LAT, {"units": "degrees_north"}),
    "lon": ("lon", LON, {"units": "degrees_east"}),
}


@pytest.fixture
def build(tmp_path):
    """Build a store of one variable and return its first cell by month."""
    cover = xr.Dataset({"igbp": (("time", "lat", "lon"), np.full((1, 4, 4), 4.0, "f4"))}, GRID)
    cover.to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")

    def built(
        name, field, *, times, units=None, years=None, bounds=None, encoding=None, attrs=None, stated=None, time="mean"
    ):
        values = np.broadcast_to(np.asarray(field, "f8")[:, None, None], (len(field), 4, 4)).astype("f4")
        coords = (
            {**GRID} if times is None else {**GRID, "time": ("time", times, {} if bounds is None else {"bounds": "tb"})}
        )
        attrs = {**({"units": units} if units else {}), **(attrs or {})}
        ds = xr.Dataset({"v": (("time", "lat", "lon"), values, attrs)}, coords)
        if bounds is not None:
            ds["tb"] = (("time", "nv"), bounds)
        ds.to_netcdf(tmp_path / "v.nc", engine="h5netcdf", encoding=encoding or {})
        source = VariableSource("v.nc", "v", units=stated, time=time)
        recipe = TileRecipe(Cells("cover.nc", "igbp"), {name: source}, years=years, folder=tmp_path)
        store = build_tiles(recipe, tmp_path / f"store{len(list(tmp_path.glob('store*')))}")
        return np.array([store.read_field(name, month)[0] for month in range(12 * len(store.each_year))])

    return built


def months(year=2001):
    return pd.date_range(f"{year}-01-15", periods=12, freq=pd.DateOffset(months=1))


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "julian", "standard"])
def test_days_of_any_calendar_make_months(build, calendar):
    first = cftime.datetime(2095, 1, 1, 12, calendar=calendar)
    n = {"noleap": 365, "360_day": 360, "julian": 365, "standard": 365}[calendar]
    times = [first + pd.Timedelta(days=i).to_pytimedelta() for i in range(n)]
    encoding = {"time": {"units": "days since 1950-01-01", "calendar": calendar}}
    expected = np.arange(1.0, 13.0)
    for years in (None, (2095, 2095)):
        got = build("tair", [t.month for t in times], times=times, units="degC", years=years, encoding=encoding)
        np.testing.assert_allclose(got, expected)


def test_a_year_that_begins_in_december_is_in_order(build):
    times = pd.date_range("2000-12-15", periods=12, freq=pd.DateOffset(months=1))
    got = build("tair", [float(t.month) for t in times], times=times, units="degC")
    np.testing.assert_allclose(got, np.arange(1.0, 13.0))


def test_the_middle_of_the_bounds_is_the_month(build):
    begin = pd.date_range("2001-01-01", periods=12, freq="MS")
    end = begin + pd.offsets.MonthBegin(1)
    encoding = {"time": {"units": "days since 2001-01-01"}, "tb": {"units": "days since 2001-01-01"}}
    pairs = np.stack([begin, end], 1)
    got = build("tair", np.arange(1.0, 13.0), times=end, units="degC", bounds=pairs, encoding=encoding)
    np.testing.assert_allclose(got, np.arange(1.0, 13.0))


def test_months_since_a_date(build):
    encoding = {"time": {"dtype": "f8"}}
    times = np.arange(12) + 0.5
    ds_units = {"units": "months since 2001-01-01"}
    values = np.arange(1.0, 13.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xr.Dataset, "to_netcdf", with_time_attrs(xr.Dataset.to_netcdf, ds_units))
        got = build("tair", values, times=times, units="degC", years=(2001, 2001), encoding=encoding)
    np.testing.assert_allclose(got, values)


def with_time_attrs(real, attrs):
    def write(self, *args, **options):
        ds = self.copy()
        if "time" in ds.coords:
            ds["time"].attrs.update(attrs)
        return real(ds, *args, **options)

    return write


def test_steps_of_a_month_are_averaged_by_duration(build):
    times = pd.date_range("2001-01-01", "2001-12-31", freq="8D")
    lai = np.arange(len(times)) % 5 + 1.0
    frame = pd.Series(lai, times)
    got = build("lai", lai, times=times, units="m2.m-2")
    np.testing.assert_allclose(got, frame.groupby(times.month).mean(), rtol=1e-6)
    greatest = build("lai", lai, times=times, units="m2 m-2", time="max")
    np.testing.assert_allclose(greatest, frame.groupby(times.month).max())


@pytest.mark.parametrize("how", ["mean", "sum", "min", "max"])
def test_steps_that_miss_other_cells_combine_like_those_that_miss_the_same(tmp_path, monkeypatch, how):
    monkeypatch.setattr("gppcore.tiles.fields._PIECE_VALUES", 16 * 9)  # of 9 steps
    cover = xr.Dataset({"igbp": (("lat", "lon"), np.full((4, 4), 4.0, "f4"))}, GRID)
    cover.to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")
    rng = np.random.default_rng(0)
    times = pd.date_range("2001-01-01", "2001-12-31", freq="D")
    values = rng.uniform(1.0, 5.0, (365, 4, 4))
    values[:, 0, 0] = np.nan  # sea
    values[40:43, 1:3] = np.nan  # clouds of three days in February
    values[59:79, 2, 2] = np.nan  # most of March
    days = xr.DataArray(values, {**GRID, "time": times}, ("time", "lat", "lon"), attrs={"units": "m2 m-2"})
    days.to_dataset(name="v").to_netcdf(tmp_path / "v.nc", engine="h5netcdf")
    recipe = TileRecipe(
        Cells("cover.nc", "igbp"), {"x": VariableSource("v.nc", "v", units="m2 m-2", time=how)}, folder=tmp_path
    )
    store = build_tiles(recipe, tmp_path / "store")
    by_month = days.groupby("time.month")
    expected = {"mean": by_month.mean, "sum": by_month.sum, "min": by_month.min, "max": by_month.max}[how]()
    enough = days.notnull().groupby("time.month").mean() >= 0.5
    found = np.stack([store.read_field("x", month) for month in range(12)])
    flat = expected.where(enough).values.reshape(12, 16)
    np.testing.assert_allclose(found, flat[:, store.index], rtol=1e-6)
    assert np.isnan(found).sum() == 12 + 1


@pytest.mark.parametrize("how", ["mean", "sum"])
def test_infinity_of_a_step_is_not_a_number_of_the_month(tmp_path, how):
    cover = xr.Dataset({"igbp": (("lat", "lon"), np.full((4, 4), 4.0, "f4"))}, GRID)
    cover.to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")
    values = np.ones((365, 4, 4), dtype=np.float32)
    values[3, 1, 1], values[2, 2, 2] = np.inf, np.nan  # the steps about them know other cells
    coords = {**GRID, "time": pd.date_range("2001-01-01", "2001-12-31", freq="D")}
    days = xr.DataArray(values, coords, ("time", "lat", "lon"), attrs={"units": "1"})
    days.to_dataset(name="v").to_netcdf(tmp_path / "v.nc", engine="h5netcdf")
    source = VariableSource("v.nc", "v", units="1", time=how)
    store = build_tiles(TileRecipe(Cells("cover.nc", "igbp"), {"x": source}, folder=tmp_path), tmp_path / "store")
    assert np.isinf(store.read_field("x", 0)).sum() == 1


def test_amounts_per_step_become_rates(build):
    times = pd.date_range("2001-01-01 12:00", "2001-12-31 12:00", freq="D")
    got = build("sw", np.full(365, 8.64e6), times=times, units="J m**-2")
    np.testing.assert_allclose(got, 100.0, rtol=1e-6)
    got = build("precip", np.full(365, 0.002), times=times, units="m")
    np.testing.assert_allclose(got, 2.0, rtol=1e-6)


def test_amounts_of_unknown_time_are_refused(build):
    with pytest.raises(UnitsError, match=r"got 'J m-2', an amount over an unknown time; state `units`"):
        build("sw", np.full(12, 1e7), times=months(), units="J m-2")


@pytest.mark.parametrize(
    ("name", "unit", "value", "expected"),
    [
        ("lai", "m^2/m^2", 2.0, 2.0),
        ("sw", "W m**-2", 200.0, 200.0),
        ("sw", "MJ m-2 d-1", 8.64, 100.0),
        ("ca", "ppm", 380.0, 380.0),
        ("ca", "1e-6", 380.0, 380.0),
        ("tair", "C", 12.0, 12.0),
        ("tair", "Kelvin", 285.15, 12.0),
        ("tair_range", "K", 9.0, 9.0),
        ("vpd", "hPa", 8.0, 800.0),
        ("precip", "kg m-2 s-1", 2.0 / 86400.0, 2.0),
        ("precip", "mm/day", 2.0, 2.0),
        ("rh", "1", 0.6, 60.0),
    ],
)
def test_units_are_read_by_meaning(build, name, unit, value, expected):
    np.testing.assert_allclose(build(name, np.full(12, value), times=months(), units=unit), expected, rtol=1e-5)


def test_amounts_per_month_know_its_days(build):
    days = months().days_in_month.to_numpy(float)
    np.testing.assert_allclose(build("precip", 2.0 * days, times=months(), units="mm month-1"), 2.0, rtol=1e-5)


def test_unknown_units_are_refused(build):
    with pytest.raises(UnitsError, match=r"tair in .*: expected degC, got the unknown unit 'apples'"):
        build("tair", np.full(12, 3.0), times=months(), units="apples")


def test_a_missing_or_incomplete_unit_may_be_stated(build):
    np.testing.assert_allclose(build("vpd", np.full(12, 8.0), times=months(), stated="hPa"), 800.0)
    got = build("sw", np.full(12, 8.64e6), times=months(), units="J m-2", stated="J m-2 d-1")
    np.testing.assert_allclose(got, 100.0, rtol=1e-6)


@pytest.mark.parametrize("attrs", [{"valid_range": np.array([0.0, 10.0])}, {"valid_min": 0.0, "valid_max": 10.0}])
def test_values_outside_their_valid_range_are_missing(build, attrs):
    lai = np.full(12, 3.0)
    lai[[2, 7]] = -99.0, 250.0
    got = build("lai", lai, times=months(), units="1", attrs=attrs)
    assert np.flatnonzero(np.isnan(got)).tolist() == [2, 7]


def test_the_valid_range_of_packed_values_is_packed(build):
    lai = np.full(12, 3.0)
    lai[4] = 24.9  # 249 packed: a code, not a value
    encoding = {"v": {"dtype": "u1", "scale_factor": 0.1, "add_offset": 0.0, "_FillValue": 255}}
    got = build(
        "lai", lai, times=months(), units="1", encoding=encoding, attrs={"valid_range": np.array([0, 100], "u1")}
    )
    assert np.flatnonzero(np.isnan(got)).tolist() == [4]
    np.testing.assert_allclose(np.delete(got, 4), 3.0, rtol=1e-5)


def test_fill_values_without_their_attribute_are_refused(build):
    lai = np.full(12, 3.0)
    lai[5] = -9999.0
    with pytest.raises(RangeError, match=r"lai in .*v.nc: expected 0 to 15 m2 m-2, got -9999"):
        build("lai", lai, times=months(), units="1")


@pytest.mark.parametrize(
    ("times", "n", "error", "message"),
    [
        (pd.date_range("2001-01-01", "2001-11-30", freq="D"), 334, ShapeError, "month 12 in v.nc, got none"),
        (
            pd.date_range("2001-01-10", "2001-12-31", freq="D"),
            356,
            ShapeError,
            "cover month 1 in v.nc, got 22 steps of 22",
        ),
        (pd.date_range("2001-07-01", periods=5, freq="YS"), 5, ShapeError, "got a step of a year"),
        (np.arange(12.0), 12, ProductFormatError, "expected CF times"),
        (
            pd.date_range("2001-01-15", periods=24, freq=pd.DateOffset(months=1)),
            24,
            ShapeError,
            r"years \[2001, 2002\]",
        ),
    ],
)
def test_incomplete_or_unclear_times_are_refused(build, times, n, error, message):
    with pytest.raises(error, match=message):
        build("tair", np.full(n, 3.0), times=times, units="degC")


def test_more_dimensions_are_refused(tmp_path):
    ds = xr.Dataset({"igbp": (("level", "member", "lat", "lon"), np.zeros((2, 3, 4, 4), "f4"))}, GRID)
    ds.to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")
    with pytest.raises(GppcoreError, match=r"igbp: expected latitude, longitude and at most one more dimension"):
        build_tiles(TileRecipe(Cells("cover.nc", "igbp"), {}, folder=tmp_path), tmp_path / "store")


def test_preliminary_months_of_era5_fill_those_that_are_not_final(tmp_path):
    cover = xr.Dataset({"igbp": (("lat", "lon"), np.full((4, 4), 4.0, "f4"))}, GRID)
    cover.to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")
    values = np.full((12, 2, 4, 4), np.nan, "f4")
    values[:9, 0], values[9:, 1] = 280.15, 285.15
    values[3, 0, 0, 0] = np.nan  # missing in both
    ds = xr.Dataset({"t2m": (("time", "expver", "lat", "lon"), values, {"units": "K"})}, {**GRID, "time": months()})
    ds = ds.assign_coords(expver=[1, 5])
    ds.to_netcdf(tmp_path / "t2m.nc", engine="h5netcdf")
    recipe = TileRecipe(Cells("cover.nc", "igbp"), {"tair": VariableSource("t2m.nc", "t2m")}, folder=tmp_path)
    store = build_tiles(recipe, tmp_path / "store")
    got = np.array([store.read_field("tair", month) for month in range(12)])
    np.testing.assert_allclose(got[:, 1:], np.r_[np.full(9, 7.0), np.full(3, 12.0)][:, None].repeat(15, 1), rtol=1e-6)
    assert np.isnan(got[3, 0])


@pytest.mark.parametrize(
    ("begin", "told"),
    [
        (b"GRIB", r"GRIB: install its reader by pip install 'gppcore\[grib\]'"),
        (b"II*\0", r"GeoTIFF: install its reader by pip install 'gppcore\[geotiff\]'"),
        (b"\x0e\x03\x13\x01", "HDF4: convert it, as `gdal_translate"),
    ],
)
def test_files_of_other_formats_are_told_how_to_become_readable(tmp_path, begin, told):
    (tmp_path / "file").write_bytes(begin + bytes(100))
    recipe = TileRecipe(Cells("file", "v"), {"tair": VariableSource("file", "v")}, folder=tmp_path)
    with pytest.raises(ProductFormatError, match=told):
        build_tiles(recipe, tmp_path / "store")


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of rasterio
def test_geotiff_is_read_where_its_reader_is_installed(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    pytest.importorskip("rioxarray")
    where = rasterio.transform.from_origin(5.0, 50.0, 0.5, 0.5)
    options = {"height": 4, "width": 4, "count": 1, "dtype": "uint8", "crs": "EPSG:4326", "nodata": 255}
    classes = np.arange(16, dtype="u1").reshape(1, 4, 4)
    with rasterio.open(tmp_path / "cover.tif", "w", driver="GTiff", transform=where, **options) as file:
        file.write(classes)
    cover = VariableSource("cover.tif", "band_data", static=True)
    recipe = TileRecipe(Cells("cover.tif", "band_data"), {"igbp": cover}, folder=tmp_path)
    np.testing.assert_array_equal(build_tiles(recipe, tmp_path / "store").read_field("igbp"), classes.ravel())
