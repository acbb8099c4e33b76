"""Comparison of products: against arithmetic done by hand on small planets."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gppcore.compare import compare
from gppcore.errors import MissingFileError, ProductFormatError, UnitsError
from gppcore.regrid import cell_area

STANDARD_NAME = "gross_primary_productivity_of_biomass_expressed_as_carbon"
DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SHARED = Path(os.environ.get("GPPCORE_SHARED", Path(__file__).parents[1].parent / "shared"))
NORTH_AMERICA = SHARED / "grids" / "namerica_classic_vs_gbaf_2p8.nc"


def planet(step=10.0, *, south=-90.0, north=90.0, west=-180.0, east=180.0, seed=0, months=12):
    """Return a dataset of random monthly GPP, north first, in g C m-2 d-1."""
    lat = np.arange(north - step / 2, south, -step)
    lon = np.arange(west + step / 2, east, step)
    values = np.random.default_rng(seed).gamma(2.0, 2.0, (months, lat.size, lon.size))
    time = np.arange("2019-01", 12, dtype="datetime64[M]")[:months].astype("datetime64[ns]")
    return xr.Dataset(
        {"gpp": (("time", "lat", "lon"), values, {"units": "g C m-2 d-1"})},
        coords={
            "time": time,
            "lat": ("lat", lat, {"standard_name": "latitude"}),
            "lon": ("lon", lon, {"standard_name": "longitude"}),
        },
    )


def with_units(dataset, units, factor):
    return dataset.assign(gpp=(dataset.gpp * factor).assign_attrs(units=units))


def assert_same(one, two, rtol=1e-6):
    assert one.whole.total == pytest.approx(two.whole.total, rel=rtol)
    for name in ("r2", "correlation", "rmse", "bias"):
        assert getattr(one.whole, name) == pytest.approx(getattr(two.whole, name), rel=rtol, abs=1e-6)
    np.testing.assert_allclose(one.zonal, two.zonal, rtol=rtol)
    np.testing.assert_allclose(one.other_zonal, two.other_zonal, rtol=rtol)


def test_statistics_equal_those_of_the_definitions():
    product, other = planet(seed=1), planet(seed=2)
    product.gpp[:, 3, 4] = np.nan
    other.gpp[5, 8, 1] = np.nan
    result = compare(product, other)

    x, y = product.gpp.values, other.gpp.values
    area = cell_area(np.arange(90.0, -91, -10), np.arange(-180.0, 181, 10))
    weight = np.where(np.isfinite(x + y), area * DAYS[:, None, None], 0.0)
    x, y = np.nan_to_num(x), np.nan_to_num(y)
    mean = np.average(y, weights=weight)
    assert result.whole.n == 12 * 18 * 36 - 13
    assert result.whole.total == pytest.approx((weight * x).sum() * 1e-15)
    assert result.whole.bias == pytest.approx(np.average(x - y, weights=weight), rel=1e-5)
    assert result.whole.rmse == pytest.approx(np.sqrt(np.average((x - y) ** 2, weights=weight)))
    assert result.whole.r2 == pytest.approx(1 - (weight * (x - y) ** 2).sum() / (weight * (y - mean) ** 2).sum())
    covariance = np.cov(x.ravel(), y.ravel(), aweights=weight.ravel())
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert result.whole.correlation == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(
        result.zonal, (weight * x).sum(axis=(0, 2)) / weight.sum(axis=(0, 2)) * 365.25, rtol=1e-6
    )
    assert result.tropics.n + result.outside.n == result.whole.n
    assert result.tropics.total + result.outside.total == pytest.approx(result.whole.total)
    assert result.tropics.n == 12 * 4 * 36 - 1  # centres 15 N, 5 N, 5 S, 15 S; one month of row 8 is missing


def test_bins_follow_the_reference():
    other = planet(south=-10.0, north=10.0)
    rank = np.arange(other.gpp[0].size).reshape(other.gpp[0].shape)
    other = other.assign(gpp=other.gpp.copy(data=np.broadcast_to(rank / 10.0, other.gpp.shape).copy()))
    n = rank.size
    shift = np.where(rank >= 0.9 * n, -2.0, np.where(rank < 0.25 * n, 1.0, 0.0))
    result = compare(other.assign(gpp=(other.gpp + shift).assign_attrs(units="g m-2 d-1")), other)
    assert result.high_bias == pytest.approx(-2.0, abs=1e-5)
    assert result.low_bias == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("units", "factor"),
    [
        ("g m-2 d-1", 1.0),
        ("gC m-2 d-1", 1.0),
        ("g C m-2 day-1", 1.0),
        ("gC/m2/day", 1.0),
        ("g(C) m**-2 d**-1", 1.0),
        ("gC m^-2 days^-1", 1.0),
        ("kg m-2 s-1", 1e-3 / 86400),
        ("kgC m-2 s-1", 1e-3 / 86400),
        ("mg m-2 h-1", 1e3 / 24),
        ("g m-2 yr-1", 365.25),
        ("umol m-2 s-1", 1 / (12.011e-6 * 86400)),
        ("µmol CO2 m-2 s-1", 1 / (12.011e-6 * 86400)),
        ("mol m-2 d-1", 1 / 12.011),
    ],
)
def test_units_are_converted(units, factor):
    dataset = planet(30.0)
    result = compare(with_units(dataset, units, factor), dataset)
    assert result.whole.rmse == pytest.approx(0.0, abs=1e-5)


def test_a_unit_per_month_takes_the_days_of_that_month():
    dataset = planet(30.0)
    monthly = with_units(dataset, "gC m-2 month-1", xr.DataArray(DAYS, dims="time"))
    monthly = monthly.transpose("time", "lat", "lon")
    assert compare(monthly, dataset).whole.rmse == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("units", ["kg CO2 m-2 s-1", "g m-2 8d-1", "K", "g d-1", "", None])
def test_an_unknown_unit_is_refused_with_the_known_ones(units):
    dataset = planet(30.0)
    dataset.gpp.attrs = {} if units is None else {"units": units}
    with pytest.raises(UnitsError, match=r"umol or mol .* per s, h, d, month or yr"):
        compare(dataset, planet(30.0))


@pytest.mark.parametrize("fine", [5.0, 4.0])  # nested in 10 degrees, and not
def test_a_finer_grid_is_averaged_by_area(fine):
    coarse = planet(10.0)
    product = planet(fine, seed=3)
    result = compare(product, coarse)
    lat, lon = np.arange(90.0, -90.1, -fine), np.arange(-180.0, 180.1, fine)
    total = (product.gpp.values * cell_area(lat, lon) * DAYS[:, None, None]).sum() * 1e-15
    assert result.resolution == (10.0, 10.0)
    assert result.own_total == pytest.approx(total, rel=1e-6)
    assert result.whole.total == pytest.approx(total, rel=1e-6)


def test_the_order_of_cells_does_not_matter():
    product, other = planet(5.0, seed=1), planet(10.0, seed=2)
    expected = compare(product, other)
    turned = product.isel(lat=slice(None, None, -1), lon=slice(None, None, -1))
    assert_same(compare(turned, other), expected)
    assert_same(compare(product, other.isel(lat=slice(None, None, -1))), expected)
    from_zero = product.assign_coords(lon=product.lon % 360.0).sortby("lon")
    from_zero.lon.attrs = product.lon.attrs
    assert_same(compare(from_zero, other), expected)
    assert_same(compare(product, other.roll(lon=13, roll_coords=True)), expected)


def test_a_window_is_compared_where_it_lies():
    other = planet(10.0, seed=2)
    window = other.sel(lat=slice(50, 0), lon=slice(100, 180))
    same = compare(window, other)
    assert same.whole.rmse == 0.0
    assert same.whole.n == 12 * 5 * 8
    over_the_date_line = other.roll(lon=18, roll_coords=True).isel(lon=slice(10, 26))
    over_the_date_line = over_the_date_line.assign_coords(lon=over_the_date_line.lon % 360.0)
    over_the_date_line.lon.attrs = other.lon.attrs
    result = compare(over_the_date_line, other)
    assert result.whole.n == 12 * 18 * 16
    assert result.whole.rmse == 0.0


def test_a_cell_counts_from_half_of_its_area_and_weighs_what_is_valid():
    other = planet(10.0, south=0.0, north=20.0, west=0.0, east=20.0)
    other.gpp[:] = 2.0
    product = planet(5.0, south=0.0, north=20.0, west=0.0, east=20.0)
    product.gpp[:] = 3.0
    product.gpp[:, :2, 0] = np.nan  # western half of the north-western cell
    product.gpp[:, 2:, 2:] = np.nan  # three quarters of the south-eastern one
    product.gpp[:, 2, 2] = 3.0
    result = compare(product, other)
    area = cell_area([20.0, 10.0, 0.0], [0.0, 10.0, 20.0])
    assert result.whole.n == 12 * 3
    assert result.whole.other_total == pytest.approx(
        2.0 * 365.25 * (area[0, 0] / 2 + area[0, 1] + area[1, 0]) * 1e-15, rel=1e-6
    )
    assert compare(other, product).whole.total == result.whole.other_total
    assert result.other_own_total == pytest.approx(2.0 * 365.25 * area.sum() * 1e-15, rel=1e-6)


def test_only_common_months_are_compared():
    whole = planet(30.0)
    half = whole.isel(time=slice(3, 9))
    result = compare(half, whole)
    assert result.months == (4, 5, 6, 7, 8, 9)
    assert result.whole.rmse == 0.0
    with pytest.raises(ProductFormatError, match="a calendar month in common"):
        compare(whole.isel(time=slice(0, 3)), half)


def test_years_are_averaged_to_a_climatology():
    first, second = planet(30.0, seed=1), planet(30.0, seed=2)
    second = second.assign_coords(time=second.time - np.timedelta64(365, "D"))
    mean = first.assign(gpp=(first.gpp.copy(data=(first.gpp.values + second.gpp.values) / 2)))
    result = compare(xr.concat([second, first], "time", join="outer"), mean)
    assert result.whole.rmse == pytest.approx(0.0, abs=1e-5)


def test_annual_means_are_compared_with_annual_means():
    monthly = planet(30.0)
    mean = np.average(monthly.gpp.values, axis=0, weights=DAYS)
    annual = monthly.isel(time=0, drop=True).assign(gpp=(("lat", "lon"), mean * 365.25, {"units": "gC m-2 yr-1"}))
    result = compare(monthly, annual)
    assert result.months == ()
    assert result.whole.n == 6 * 12
    assert result.whole.rmse == pytest.approx(0.0, abs=1e-5)
    with pytest.raises(ProductFormatError, match="all 12 calendar months"):
        compare(monthly.isel(time=slice(0, 6)), annual)


def test_bounds_of_time_tell_a_month_from_a_year():
    july = planet(30.0).isel(time=[6])
    bounds = [[np.datetime64("2019-07-01", "ns"), np.datetime64("2019-08-01", "ns")]]
    bounded = july.assign(time_bnds=(("time", "nv"), bounds))
    bounded.time.attrs["bounds"] = "time_bnds"
    bounded = with_units(bounded, "g m-2 yr-1", 365.25)
    assert compare(bounded, planet(30.0)).months == (7,)
    yearly = bounded.assign(time_bnds=bounded.time_bnds + np.array([-181, 153], "timedelta64[D]"))
    assert compare(yearly, planet(30.0)).months == ()


def test_months_may_be_whole_numbers_but_not_undated():
    dataset = planet(30.0)
    numbered = dataset.rename(time="month").assign_coords(month=np.arange(1, 13))
    assert compare(numbered.isel(month=slice(3, 5)), dataset).months == (4, 5)
    for undated in (dataset.drop_vars("time"), dataset.assign_coords(time=np.arange(12.0))):
        with pytest.raises(ProductFormatError, match="CF time"):
            compare(undated, dataset)


def test_bounds_of_cells_are_used():
    edges = np.array([90.0, 60.0, 10.0, -90.0])  # no rule gives these edges from their centres
    lon_edges = np.array([0.0, 100.0, 360.0])
    other = xr.Dataset(
        {
            "gpp": (("lat", "lon"), np.full((3, 2), 2.0), {"units": "g m-2 d-1"}),
            "lat_bnds": (("lat", "nv"), np.stack([edges[:-1], edges[1:]], axis=1)),
            "lon_bnds": (("lon", "nv"), np.stack([lon_edges[:-1], lon_edges[1:]], axis=1)),
        },
        coords={
            "lat": ("lat", (edges[:-1] + edges[1:]) / 2, {"bounds": "lat_bnds"}),
            "lon": ("lon", (lon_edges[:-1] + lon_edges[1:]) / 2, {"bounds": "lon_bnds"}),
        },
    )
    result = compare(planet(10.0), other)
    np.testing.assert_allclose(result.lat, [75.0, 35.0, -40.0])
    assert result.whole.other_total == pytest.approx(2.0 * 365.25 * 4 * np.pi * 6371007.2**2 * 1e-15)


def test_the_variable_is_found_by_standard_name_before_its_name():
    dataset = planet(30.0)
    two = dataset.assign(flux=(dataset.gpp + 1).assign_attrs(units="g m-2 d-1", standard_name=STANDARD_NAME))
    assert compare(two, dataset).whole.bias == pytest.approx(1.0, abs=1e-5)
    assert compare(two, dataset, variable="gpp").whole.bias == 0.0
    with pytest.raises(ProductFormatError, match=r"got \['gpp', 'gpp_b'\]"):
        compare(dataset.assign(gpp_b=dataset.gpp), dataset)
    with pytest.raises(ProductFormatError, match="expected the variable npp"):
        compare(dataset, dataset, other_variable="npp")


def test_what_cannot_be_compared_is_refused(tmp_path):
    dataset = planet(30.0)
    with pytest.raises(MissingFileError, match="absent"):
        compare(tmp_path / "absent.nc", dataset)
    (tmp_path / "bad.nc").write_bytes(b"no netCDF")
    with pytest.raises(ProductFormatError, match=r"bad\.nc"):
        compare(tmp_path / "bad.nc", dataset)
    with pytest.raises(ProductFormatError, match="overlap"):
        compare(planet(10.0, south=0.0, north=30.0), planet(10.0, south=-60.0, north=-30.0))
    with pytest.raises(ProductFormatError, match="overlap"):
        compare(planet(10.0, west=0.0, east=30.0), planet(10.0, west=60.0, east=90.0))
    with pytest.raises(ProductFormatError, match="valid in both"):
        compare(dataset.where(dataset.lat > 0), dataset.where(dataset.lat < 0))
    with pytest.raises(ProductFormatError, match="longitude"):
        compare(dataset.drop_vars("lon"), dataset)


def test_files_give_what_datasets_give(tmp_path):
    product, other = planet(5.0, seed=1), planet(10.0, seed=2)
    product.to_zarr(tmp_path / "product.zarr", encoding={"gpp": {"chunks": (12, 8, 24)}}, consolidated=False)
    other.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    expected = compare(product, other)
    result = compare(tmp_path / "product.zarr", str(tmp_path / "other.nc"))
    assert_same(result, expected)
    assert result.product == "product.zarr: gpp"
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["whole"]["n"] == result.whole.n


def test_bands_do_not_change_the_result(monkeypatch):
    product, other = planet(4.0, seed=1), planet(10.0, seed=2)
    expected = compare(product, other)
    for name in ("_READ_CELLS", "_BAND_CELLS"):
        monkeypatch.setattr(f"gppcore.compare.common.{name}", 100)
    assert_same(compare(product, other), expected, rtol=1e-9)


def test_the_table_names_both_and_skips_no_region():
    labels = [label for label, _ in compare(planet(30.0), planet(30.0, seed=1)).table()]
    for part in ("Product", "R2, tropics", "RMSE, outside the tropics", "Bias, top tenth"):
        assert part in labels


@pytest.mark.skipif(not NORTH_AMERICA.exists(), reason="the shared grids are absent")
def test_two_real_products():
    result = compare(NORTH_AMERICA, NORTH_AMERICA, variable="gpp_classic", other_variable="gpp_gbaf")
    data = xr.load_dataset(NORTH_AMERICA)
    months = data.groupby("time.month").mean()
    both = np.isfinite(months.gpp_classic + months.gpp_gbaf).values
    assert result.whole.n == both.sum()
    weight = both * np.cos(np.deg2rad(data.lat.values))[:, None] * DAYS[:, None, None]
    bias = np.average(np.where(both, months.gpp_classic - months.gpp_gbaf, 0.0), weights=weight)
    assert result.whole.bias == pytest.approx(bias, rel=2e-3)  # cos(lat) for the area of a 2.8 degree cell
    assert 8.0 < result.whole.other_total < 16.0
