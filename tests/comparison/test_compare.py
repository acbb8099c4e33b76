"""Comparison of products: against arithmetic done by hand on small planets."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from planets import planet

from gppcore.comparison import compare
from gppcore.errors import MissingFileError, ProductFormatError, RangeError, UnitsError
from gppcore.regrid import cell_area

STANDARD_NAME = "gross_primary_productivity_of_biomass_expressed_as_carbon"
DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def compare_two(product, other):
    (comparison,) = compare(product, other)
    return comparison


def with_units(dataset, units, factor):
    return dataset.assign(gpp=(dataset.gpp * factor).assign_attrs(units=units))


def assert_same(one, two, rtol=1e-6):
    assert one.regions["whole"].total == pytest.approx(two.regions["whole"].total, rel=rtol)
    for name in ("r2", "correlation", "rmse", "bias"):
        assert getattr(one.regions["whole"], name) == pytest.approx(
            getattr(two.regions["whole"], name), rel=rtol, abs=1e-6
        )
    np.testing.assert_allclose(one.zonal, two.zonal, rtol=rtol)
    np.testing.assert_allclose(one.other_zonal, two.other_zonal, rtol=rtol)


def test_statistics_equal_those_of_the_definitions():
    product, other = planet(seed=1), planet(seed=2)
    product.gpp[:, 3, 4] = np.nan
    other.gpp[5, 8, 1] = np.nan
    result = compare_two(product, other)

    x, y = product.gpp.values, other.gpp.values
    area = cell_area(np.arange(90.0, -91, -10), np.arange(-180.0, 181, 10))
    weight = np.where(np.isfinite(x + y), area * DAYS[:, None, None], 0.0)
    x, y = np.nan_to_num(x), np.nan_to_num(y)
    mean = np.average(y, weights=weight)
    assert result.regions["whole"].n == 12 * 18 * 36 - 13
    assert result.regions["whole"].total == pytest.approx((weight * x).sum() * 1e-15)
    assert result.regions["whole"].bias == pytest.approx(np.average(x - y, weights=weight), rel=1e-5)
    assert result.regions["whole"].rmse == pytest.approx(np.sqrt(np.average((x - y) ** 2, weights=weight)))
    assert result.regions["whole"].r2 == pytest.approx(
        1 - (weight * (x - y) ** 2).sum() / (weight * (y - mean) ** 2).sum()
    )
    covariance = np.cov(x.ravel(), y.ravel(), aweights=weight.ravel())
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert result.regions["whole"].correlation == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(
        result.zonal, (weight * x).sum(axis=(0, 2)) / weight.sum(axis=(0, 2)) * 365.25, rtol=1e-6
    )
    regions = result.regions
    assert regions["tropics"].n == 12 * 2 * 36 - 1  # centres 5 N and 5 S; one month of row 8 is missing
    assert regions["north"].n + regions["tropics"].n + regions["south"].n == regions["whole"].n
    assert sum(regions[name].total for name in ("north", "tropics", "south")) == pytest.approx(regions["whole"].total)


def test_taylor_statistics_fit_together():
    result = compare_two(planet(seed=1), planet(seed=2)).regions["whole"]
    x, y = planet(seed=1).gpp.values, planet(seed=2).gpp.values
    weight = np.broadcast_to(cell_area(np.arange(90.0, -91, -10), np.arange(-180.0, 181, 10)), x.shape)
    weight = weight * DAYS[:, None, None]
    for values, deviation in ((x, result.deviation), (y, result.other_deviation)):
        mean = np.average(values, weights=weight)
        assert deviation == pytest.approx(np.sqrt(np.average((values - mean) ** 2, weights=weight)), rel=1e-6)
    third_side = result.deviation**2 + result.other_deviation**2
    third_side -= 2 * result.deviation * result.other_deviation * result.correlation
    assert result.ubrmse**2 == pytest.approx(third_side, rel=1e-6)
    assert result.ubrmse**2 + result.bias**2 == pytest.approx(result.rmse**2)


def test_seasons_are_means_by_region():
    product, other = planet(seed=1), planet(seed=2)
    result = compare_two(product, other)
    area = cell_area(np.arange(90.0, -91, -10), np.arange(-180.0, 181, 10))
    for name, rows in {"north": slice(0, 8), "tropics": slice(8, 10), "south": slice(10, 18)}.items():
        for values, seasonal in ((product, result.seasonal), (other, result.other_seasonal)):
            expected = [np.average(month[rows], weights=area[rows]) for month in values.gpp.values]
            np.testing.assert_allclose(seasonal[name], expected, rtol=1e-6)


def test_maps_tell_each_cell_over_the_months():
    product, other = planet(seed=1), planet(seed=2)
    other.gpp[:7, 2, 3] = np.nan  # five months are too few for a correlation
    other.gpp[:, 2, 4] = np.nan
    other.gpp[:, 2, 5] = 1.0
    maps = compare_two(product, other).maps
    x, y = product.gpp.values[:, 6, 7], other.gpp.values[:, 6, 7]
    cell = maps.isel(lat=6, lon=7)
    assert float(cell.correlation) == pytest.approx(np.cov(x, y, aweights=DAYS)[0, 1] / np.sqrt(
        np.cov(x, aweights=DAYS) * np.cov(y, aweights=DAYS)), rel=1e-4)  # fmt: skip
    assert float(cell.rmse) == pytest.approx(np.sqrt(np.average((x - y) ** 2, weights=DAYS)), rel=1e-5)
    assert float(cell.bias) == pytest.approx(np.average(x - y, weights=DAYS), rel=1e-4)
    assert float(cell.gpp_daily - cell.other_gpp_daily) == pytest.approx(float(cell.bias), abs=1e-5)
    np.testing.assert_array_equal(np.isnan(maps.correlation[2, 3:7]), [True, True, True, False])
    np.testing.assert_array_equal(np.isnan(maps.rmse[2, 3:7]), [False, True, False, False])
    np.testing.assert_array_equal(maps.lat, product.lat)


def test_maps_of_large_grids_are_pooled_in_blocks(monkeypatch):
    product, other = planet(seed=1), planet(seed=2)
    whole = compare_two(product, other)
    monkeypatch.setattr("gppcore.comparison.maps._COLUMNS", 10)
    monkeypatch.setattr("gppcore.comparison.common._BAND_CELLS", 36 * 3)  # bands that cut blocks of four rows
    pooled = compare_two(product, other).maps
    assert pooled.rmse.shape == (5, 9)
    np.testing.assert_allclose(pooled.lat, [70.0, 30.0, -10.0, -50.0, -80.0])
    area = cell_area(np.arange(90.0, -91, -10), np.arange(-180.0, 181, 10))[4:8, 8:12]
    square = np.average(whole.maps.rmse[4:8, 8:12] ** 2, weights=area)
    assert float(pooled.rmse[1, 2]) == pytest.approx(np.sqrt(square), rel=1e-5)


def test_maps_of_the_globe_begin_at_the_date_line():
    other = planet(10.0, seed=2)
    from_zero = other.assign_coords(lon=other.lon % 360.0).sortby("lon")
    from_zero.lon.attrs = other.lon.attrs
    xr.testing.assert_allclose(compare_two(from_zero, from_zero).maps, compare_two(other, other).maps)


def test_density_counts_every_cell_month():
    product, other = planet(seed=1), planet(seed=2)
    product.gpp[0, 0, 0], other.gpp[0, 0, 0] = 3.01, 7.26
    product.gpp[0, 0, 1], other.gpp[0, 0, 1] = 70.0, -1.0
    density = compare_two(product, other).density
    assert density.counts.sum() == 12 * 18 * 36
    assert density.step * density.counts.shape[0] == 25.0
    expected, _, _ = np.histogram2d(
        other.gpp.values.ravel().clip(0), product.gpp.values.ravel().clip(0, 24.99), bins=50, range=[(0, 25)] * 2
    )
    np.testing.assert_array_equal(density.counts.reshape(50, 10, 50, 10).sum(axis=(1, 3)), expected)


def test_several_products_are_judged_on_the_cells_that_all_have():
    fine, product, other = planet(5.0, seed=1), planet(10.0, seed=2), planet(10.0, seed=3)
    fine.gpp[:, :4] = np.nan  # two rows of the common grid
    first, second = compare(fine, product, other)
    assert first.regions["whole"].n == second.regions["whole"].n == 12 * 16 * 36
    assert first.regions["whole"].other_total == second.regions["whole"].other_total
    inside = compare_two(product.where(product.lat < 70), other)
    assert second.regions["whole"].r2 == pytest.approx(inside.regions["whole"].r2)
    window = other.sel(lat=slice(50, 0), lon=slice(100, 180))
    (cut,) = {c.regions["whole"].n for c in compare(fine, product, window)}
    assert cut == 12 * 5 * 8
    with pytest.raises(RangeError, match="two or more, the reference last, got 1"):
        compare(fine)


def test_bins_follow_the_reference():
    other = planet(south=-10.0, north=10.0)
    rank = np.arange(other.gpp[0].size).reshape(other.gpp[0].shape)
    other = other.assign(gpp=other.gpp.copy(data=np.broadcast_to(rank / 10.0, other.gpp.shape).copy()))
    n = rank.size
    shift = np.where(rank >= 0.9 * n, -2.0, np.where(rank < 0.25 * n, 1.0, 0.0))
    result = compare_two(other.assign(gpp=(other.gpp + shift).assign_attrs(units="g m-2 d-1")), other)
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
    result = compare_two(with_units(dataset, units, factor), dataset)
    assert result.regions["whole"].rmse == pytest.approx(0.0, abs=1e-5)


def test_a_unit_per_month_takes_the_days_of_that_month():
    dataset = planet(30.0)
    monthly = with_units(dataset, "gC m-2 month-1", xr.DataArray(DAYS, dims="time"))
    monthly = monthly.transpose("time", "lat", "lon")
    assert compare_two(monthly, dataset).regions["whole"].rmse == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("units", ["kg CO2 m-2 s-1", "g m-2 8d-1", "K", "g d-1", "", None])
def test_an_unknown_unit_is_refused_with_the_known_ones(units):
    dataset = planet(30.0)
    dataset.gpp.attrs = {} if units is None else {"units": units}
    with pytest.raises(UnitsError, match=r"umol or mol .* per s, h, d, month or yr"):
        compare_two(dataset, planet(30.0))


@pytest.mark.parametrize("fine", [5.0, 4.0])  # nested in 10 degrees, and not
def test_a_finer_grid_is_averaged_by_area(fine):
    coarse = planet(10.0)
    product = planet(fine, seed=3)
    result = compare_two(product, coarse)
    lat, lon = np.arange(90.0, -90.1, -fine), np.arange(-180.0, 180.1, fine)
    total = (product.gpp.values * cell_area(lat, lon) * DAYS[:, None, None]).sum() * 1e-15
    assert result.resolution == (10.0, 10.0)
    assert result.own_total == pytest.approx(total, rel=1e-6)
    assert result.regions["whole"].total == pytest.approx(total, rel=1e-6)


def test_the_order_of_cells_does_not_matter():
    product, other = planet(5.0, seed=1), planet(10.0, seed=2)
    expected = compare_two(product, other)
    turned = product.isel(lat=slice(None, None, -1), lon=slice(None, None, -1))
    assert_same(compare_two(turned, other), expected)
    assert_same(compare_two(product, other.isel(lat=slice(None, None, -1))), expected)
    from_zero = product.assign_coords(lon=product.lon % 360.0).sortby("lon")
    from_zero.lon.attrs = product.lon.attrs
    assert_same(compare_two(from_zero, other), expected)
    assert_same(compare_two(product, other.roll(lon=13, roll_coords=True)), expected)


def test_a_window_is_compared_where_it_lies():
    other = planet(10.0, seed=2)
    window = other.sel(lat=slice(50, 0), lon=slice(100, 180))
    same = compare_two(window, other)
    assert same.regions["whole"].rmse == 0.0
    assert same.regions["whole"].n == 12 * 5 * 8
    over_the_date_line = other.roll(lon=18, roll_coords=True).isel(lon=slice(10, 26))
    over_the_date_line = over_the_date_line.assign_coords(lon=over_the_date_line.lon % 360.0)
    over_the_date_line.lon.attrs = other.lon.attrs
    result = compare_two(over_the_date_line, other)
    assert result.regions["whole"].n == 12 * 18 * 16
    assert result.regions["whole"].rmse == 0.0


def test_a_cell_counts_from_half_of_its_area_and_weighs_what_is_valid():
    other = planet(10.0, south=0.0, north=20.0, west=0.0, east=20.0)
    other.gpp[:] = 2.0
    product = planet(5.0, south=0.0, north=20.0, west=0.0, east=20.0)
    product.gpp[:] = 3.0
    product.gpp[:, :2, 0] = np.nan  # western half of the north-western cell
    product.gpp[:, 2:, 2:] = np.nan  # three quarters of the south-eastern one
    product.gpp[:, 2, 2] = 3.0
    result = compare_two(product, other)
    area = cell_area([20.0, 10.0, 0.0], [0.0, 10.0, 20.0])
    assert result.regions["whole"].n == 12 * 3
    assert result.regions["whole"].other_total == pytest.approx(
        2.0 * 365.25 * (area[0, 0] / 2 + area[0, 1] + area[1, 0]) * 1e-15, rel=1e-6
    )
    assert compare_two(other, product).regions["whole"].total == result.regions["whole"].other_total
    assert result.other_own_total == pytest.approx(2.0 * 365.25 * area.sum() * 1e-15, rel=1e-6)


def test_only_common_months_are_compared():
    whole = planet(30.0)
    half = whole.isel(time=slice(3, 9))
    result = compare_two(half, whole)
    assert result.months == (4, 5, 6, 7, 8, 9)
    assert result.regions["whole"].rmse == 0.0
    with pytest.raises(ProductFormatError, match="a calendar month in common"):
        compare_two(whole.isel(time=slice(0, 3)), half)


def test_years_are_averaged_to_a_climatology():
    first, second = planet(30.0, seed=1), planet(30.0, seed=2)
    second = second.assign_coords(time=second.time - np.timedelta64(365, "D"))
    mean = first.assign(gpp=(first.gpp.copy(data=(first.gpp.values + second.gpp.values) / 2)))
    result = compare_two(xr.concat([second, first], "time", join="outer"), mean)
    assert result.regions["whole"].rmse == pytest.approx(0.0, abs=1e-5)


def test_totals_are_told_of_every_whole_year():
    years = [planet(30.0, seed=seed) for seed in (1, 2, 3)]
    for back, year in enumerate(years):
        year.coords["time"] = year.indexes["time"] - pd.DateOffset(years=back)
    years[0].gpp[:, 2, 3] = np.nan
    years[2] = years[2].isel(time=slice(1, None))
    result = compare_two(xr.concat(years[::-1], "time", join="outer"), planet(60.0, seed=4))
    area = cell_area(np.arange(90.0, -91, -30), np.arange(-180.0, 181, 30))
    assert list(result.annual_totals) == [2018, 2019]
    for year, total in zip(years[1::-1], result.annual_totals.values(), strict=True):
        assert total == pytest.approx(float((year.gpp * area).sum(("lat", "lon")).values @ DAYS) * 1e-15, rel=1e-6)
    assert list(result.other_annual_totals) == [2019]
    assert result.other_annual_totals[2019] == pytest.approx(result.other_own_total, rel=1e-6)


def test_no_year_is_told_where_there_is_none():
    whole = planet(30.0)
    calendar = whole.assign_coords(time=np.arange(1, 13)).rename(time="month")
    assert compare_two(calendar, whole.isel(time=slice(0, 6))).annual_totals == {}
    result = compare_two(whole.isel(time=slice(0, 6)), whole)
    assert (result.annual_totals, result.other_annual_totals) == ({}, {})  # months that are not common are not read
    mean = np.average(whole.gpp.values, axis=0, weights=DAYS)
    annual = whole.isel(time=[0]).assign(gpp=(("time", "lat", "lon"), mean[None] * 365.25, {"units": "gC m-2 yr-1"}))
    result = compare_two(whole, annual)
    assert result.annual_totals[2019] == pytest.approx(result.other_annual_totals[2019], rel=1e-6)


def test_annual_means_are_compared_with_annual_means():
    monthly = planet(30.0)
    mean = np.average(monthly.gpp.values, axis=0, weights=DAYS)
    annual = monthly.isel(time=0, drop=True).assign(gpp=(("lat", "lon"), mean * 365.25, {"units": "gC m-2 yr-1"}))
    result = compare_two(monthly, annual)
    assert result.months == ()
    assert result.regions["whole"].n == 6 * 12
    assert result.regions["whole"].rmse == pytest.approx(0.0, abs=1e-5)
    with pytest.raises(ProductFormatError, match="all 12 calendar months"):
        compare_two(monthly.isel(time=slice(0, 6)), annual)


def test_bounds_of_time_tell_a_month_from_a_year():
    july = planet(30.0).isel(time=[6])
    bounds = [[np.datetime64("2019-07-01", "ns"), np.datetime64("2019-08-01", "ns")]]
    bounded = july.assign(time_bnds=(("time", "nv"), bounds))
    bounded.time.attrs["bounds"] = "time_bnds"
    bounded = with_units(bounded, "g m-2 yr-1", 365.25)
    assert compare_two(bounded, planet(30.0)).months == (7,)
    yearly = bounded.assign(time_bnds=bounded.time_bnds + np.array([-181, 153], "timedelta64[D]"))
    assert compare_two(yearly, planet(30.0)).months == ()


def test_months_may_be_whole_numbers_but_not_undated():
    dataset = planet(30.0)
    numbered = dataset.rename(time="month").assign_coords(month=np.arange(1, 13))
    assert compare_two(numbered.isel(month=slice(3, 5)), dataset).months == (4, 5)
    for undated in (dataset.drop_vars("time"), dataset.assign_coords(time=np.arange(12.0))):
        with pytest.raises(ProductFormatError, match="CF time"):
            compare_two(undated, dataset)


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
    result = compare_two(planet(10.0), other)
    np.testing.assert_allclose(result.lat, [75.0, 35.0, -40.0])
    assert result.regions["whole"].other_total == pytest.approx(2.0 * 365.25 * 4 * np.pi * 6371007.2**2 * 1e-15)


def test_the_variable_is_found_by_standard_name_before_its_name(tmp_path):
    dataset = planet(30.0)
    two = dataset.assign(flux=(dataset.gpp + 1).assign_attrs(units="g m-2 d-1", standard_name=STANDARD_NAME))
    assert compare_two(two, dataset).regions["whole"].bias == pytest.approx(1.0, abs=1e-5)
    two.to_netcdf(tmp_path / "two.nc", engine="h5netcdf")
    named = compare_two(f"{tmp_path / 'two.nc'}:gpp", dataset)
    assert named.product == "two.nc: gpp"
    assert named.regions["whole"].bias == 0.0
    with pytest.raises(ProductFormatError, match=r"got \['gpp', 'gpp_b'\]"):
        compare_two(dataset.assign(gpp_b=dataset.gpp), dataset)
    with pytest.raises(ProductFormatError, match="expected the variable npp"):
        compare_two(dataset, f"{tmp_path / 'two.nc'}:npp")


def test_what_cannot_be_compared_is_refused(tmp_path):
    dataset = planet(30.0)
    with pytest.raises(MissingFileError, match="absent"):
        compare_two(tmp_path / "absent.nc", dataset)
    (tmp_path / "bad.nc").write_bytes(b"no netCDF")
    with pytest.raises(ProductFormatError, match=r"bad\.nc"):
        compare_two(tmp_path / "bad.nc", dataset)
    with pytest.raises(ProductFormatError, match="overlap"):
        compare_two(planet(10.0, south=0.0, north=30.0), planet(10.0, south=-60.0, north=-30.0))
    with pytest.raises(ProductFormatError, match="overlap"):
        compare_two(planet(10.0, west=0.0, east=30.0), planet(10.0, west=60.0, east=90.0))
    with pytest.raises(ProductFormatError, match="valid in all of them"):
        compare_two(dataset.where(dataset.lat > 0), dataset.where(dataset.lat < 0))
    with pytest.raises(ProductFormatError, match="longitude"):
        compare_two(dataset.drop_vars("lon"), dataset)


def test_files_give_what_datasets_give(tmp_path):
    product, other = planet(5.0, seed=1), planet(10.0, seed=2)
    product.to_zarr(tmp_path / "product.zarr", encoding={"gpp": {"chunks": (12, 8, 24)}}, consolidated=False)
    other.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    expected = compare_two(product, other)
    result = compare_two(tmp_path / "product.zarr", str(tmp_path / "other.nc"))
    assert_same(result, expected)
    assert result.product == "product.zarr: gpp"
    assert (
        json.loads(json.dumps(result.as_dict(), allow_nan=False))["regions"]["whole"]["n"] == result.regions["whole"].n
    )


def test_bands_do_not_change_the_result(monkeypatch):
    product, other = planet(4.0, seed=1), planet(10.0, seed=2)
    expected = compare_two(product, other)
    for name in ("_READ_CELLS", "_BAND_CELLS"):
        monkeypatch.setattr(f"gppcore.comparison.common.{name}", 100)
    assert_same(compare_two(product, other), expected, rtol=1e-9)


def test_the_table_names_both_and_skips_no_region():
    labels = [label for label, _ in compare_two(planet(30.0), planet(30.0, seed=1)).table()]
    for part in ("Product", "R2, common cells", "RMSE, north of the tropics", "Bias, top tenth"):
        assert part in labels
    assert "R2, tropics" not in labels  # no row of 30 degrees has its centre there


def test_implausible_values_are_refused():
    truth = planet()
    filled = truth.copy(deep=True)
    filled.gpp[3, 2, 5] = -9999.0
    with pytest.raises(RangeError, match=r"expected GPP from -5 to 80 g m-2 d-1, got 1 values outside, down to -9999"):
        compare_two(filled, truth)
    packed = truth.assign(gpp=(truth.gpp * 1e4).assign_attrs(truth.gpp.attrs))
    with pytest.raises(RangeError, match="state _FillValue, valid_range, scale_factor or units"):
        compare_two(packed, truth)


def test_values_outside_their_valid_range_are_missing():
    truth = planet()
    coded = truth.copy(deep=True)
    coded.gpp[:, 2, 5] = 65535.0
    coded["gpp"].attrs["valid_range"] = np.array([0.0, 60.0])
    known = truth.copy(deep=True)
    known.gpp[:, 2, 5] = np.nan
    assert compare_two(coded, truth).as_dict() == compare_two(known, truth).as_dict()


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "julian"])
def test_calendars_and_labels_do_not_matter(calendar, tmp_path):
    import cftime

    truth = planet()
    times = [cftime.datetime(2001, month, 16, calendar=calendar) for month in range(1, 13)]
    other = truth.assign_coords(time=times)
    other.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    assert compare(str(tmp_path / "other.nc"), truth)[0].regions["whole"].r2 == pytest.approx(1.0)


def test_months_may_be_labelled_by_their_end():
    truth = planet()
    begin = pd.date_range("2001-01-01", periods=12, freq="MS")
    end = begin + pd.offsets.MonthBegin(1)
    labelled = truth.assign_coords(time=("time", end, {"bounds": "time_bounds"}))
    labelled["time_bounds"] = (("time", "nv"), np.stack([begin, end], axis=1))
    assert compare_two(labelled, truth).regions["whole"].r2 == pytest.approx(1.0)
