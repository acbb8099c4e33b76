"""Comparison of sets of files, of some years, by land and by class, with intervals, seasons and years."""

import json

import numpy as np
import pytest
import xarray as xr
from planets import planet
from typer.testing import CliRunner

from gppcore.cli.main import app
from gppcore.comparison import compare
from gppcore.errors import ProductFormatError, RangeError
from gppcore.regrid import cell_area

AREA = cell_area(np.arange(90.0, -91, -10), np.arange(-180.0, 181, 10))


def years_of(first, last, *, seed=0, trend=0.0):
    """Return a planet with months of several years, whose flux grows by `trend` each year."""
    parts = []
    for number, year in enumerate(range(first, last + 1)):
        ds = planet(seed=seed + number)
        ds["gpp"] = (ds.gpp + trend * number).assign_attrs(ds.gpp.attrs)
        parts.append(ds.assign_coords(time=np.arange(f"{year}-01", f"{year + 1}-01", dtype="M8[M]").astype("M8[ns]")))
    return xr.concat(parts, "time")


@pytest.fixture
def files(tmp_path):
    """Files of a year each, and the dataset that they make."""
    whole = years_of(2001, 2006, trend=0.5)
    for year, part in whole.groupby("time.year"):
        part.to_netcdf(tmp_path / f"gpp_{year}.nc", engine="h5netcdf")
    return tmp_path / "gpp_*.nc", whole


def test_files_of_years_are_one_product(files):
    pattern, whole = files
    other = planet(seed=9)
    (from_files,), (from_one,) = compare(pattern, other), compare(whole, other)
    assert from_files.product == "gpp_*.nc: gpp"
    assert from_files.regions == from_one.regions
    assert from_files.annual_totals == from_one.annual_totals
    (named,) = compare(f"{pattern}:gpp", other)
    assert named.regions == from_one.regions


def test_files_that_do_not_follow_each_other_are_refused(files, tmp_path):
    pattern, whole = files
    whole.isel(time=slice(0, 3)).to_netcdf(tmp_path / "gpp_again.nc", engine="h5netcdf")
    with pytest.raises(ProductFormatError, match=r"every month in one file, got \(2001, 1\) in two"):
        compare(pattern, planet())
    planet(5.0).to_netcdf(tmp_path / "gpp_again.nc", engine="h5netcdf")
    with pytest.raises(ProductFormatError, match="expected the grid of"):
        compare(pattern, planet())


def test_years_choose_what_is_averaged(files):
    pattern, whole = files
    other = planet(seed=9).rename(time="month").assign_coords(month=np.arange(1, 13))
    (chosen,) = compare(pattern, other, years=(2003, 2004))
    (expected,) = compare(whole.sel(time=slice("2003", "2004")), other)
    assert chosen.regions == expected.regions
    assert list(chosen.annual_totals) == [2003, 2004]
    with pytest.raises(ProductFormatError, match="expected years from 1990 to 1991, got 2001 to 2006"):
        compare(pattern, whole, years=(1990, 1991))
    with pytest.raises(RangeError, match="first and the last year"):
        compare(pattern, whole, years=(2004, 2003))


def test_land_fraction_weighs_cells():
    product, other = planet(seed=1), planet(seed=2)
    land = xr.DataArray(np.random.default_rng(3).random((18, 36)), product.gpp[0].drop_vars("time").coords)
    (result,) = compare(product, other, land_fraction=land)
    days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[:, None, None]
    weight = AREA * land.values * days
    assert result.regions["whole"].total == pytest.approx((product.gpp.values * weight).sum() * 1e-15, rel=1e-6)
    bias = np.average(product.gpp - other.gpp, weights=weight)
    assert result.regions["whole"].bias == pytest.approx(bias, rel=1e-5)
    with pytest.raises(RangeError, match="land_fraction: expected shares from 0 to 1"):
        compare(product, other, land_fraction=100 * land)


def test_classes_sort_cells(tmp_path):
    product, other = planet(seed=1), planet(seed=2)
    codes = np.random.default_rng(4).integers(1, 4, (18, 36)).astype("f4")
    codes[0] = np.nan
    coords = product.gpp[0].drop_vars("time").coords
    attrs = {"flag_values": np.array([1, 2, 3]), "flag_meanings": "forest grass crop"}
    xr.Dataset({"cover": xr.DataArray(codes, coords, attrs=attrs)}).to_netcdf(tmp_path / "c.nc", engine="h5netcdf")
    (result,) = compare(product, other, classes=f"{tmp_path / 'c.nc'}:cover")
    assert list(result.classes) == ["forest", "grass", "crop"]
    for code, agreement in enumerate(result.classes.values(), 1):
        inside = codes == code
        assert agreement.n == 12 * inside.sum()
        days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[:, None]
        weight = (AREA[inside] * days).ravel()
        x, y = (each.gpp.values[:, inside].ravel() for each in (product, other))
        assert agreement.rmse == pytest.approx(np.sqrt(np.average((x - y) ** 2, weights=weight)), rel=1e-5)
    assert sum(each.total for each in result.classes.values()) < result.regions["whole"].total
    fine = xr.DataArray(
        codes.repeat(2, 0).repeat(2, 1),
        {"lat": 90 - 5 * (np.arange(36) + 0.5), "lon": -180 + 5 * (np.arange(72) + 0.5)},
    )
    (finer,) = compare(product, other, classes=fine)
    assert [each.n for each in finer.classes.values()] == [each.n for each in result.classes.values()]
    with pytest.raises(RangeError, match=r"whole numbers from 0 to 63, got 1\.5"):
        compare(product, other, classes=1.5 * (fine > 0).astype("f4"))


def test_intervals_hold_the_truth_and_shrink_with_the_error():
    truth = planet(seed=1)
    noise = np.random.default_rng(5).normal(0.3, 1.0, (18, 36))
    held = 0
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0.3, 1.0, (18, 36))
        product = truth.assign(gpp=(truth.gpp + noise).assign_attrs(truth.gpp.attrs))
        (result,) = compare(product, truth)
        low, high = result.intervals["whole"].bias
        assert low < result.regions["whole"].bias < high
        held += low <= 0.3 <= high
        for name in ("r2", "rmse"):
            low, high = getattr(result.intervals["whole"], name)
            assert low < getattr(result.regions["whole"], name) < high
    assert 14 <= held <= 20  # of 20 intervals of 90 %
    (same,) = compare(truth, truth)
    assert same.intervals["whole"].bias == (0.0, 0.0)
    assert same.intervals["tropics"].r2 == (1.0, 1.0)


def test_few_blocks_have_no_interval():
    small = planet(1.0, south=40, north=50, west=0, east=20)
    (result,) = compare(small, small)
    assert np.isnan(result.intervals["whole"].bias).all()
    json.dumps(result.as_dict(), allow_nan=False)


def test_season_and_years():
    cycle = 4.0 + 3.0 * np.cos(2 * np.pi * (np.arange(12) + 0.5 - 6.5) / 12)
    early = np.roll(cycle, -1)
    other = years_of(2001, 2006, trend=0.5)
    values = np.tile(cycle, 6)[:, None, None] + np.repeat(np.arange(6) * 0.5, 12)[:, None, None]
    other["gpp"] = (other.gpp * 0 + values).assign_attrs(units="g C m-2 d-1")
    product = other.assign(gpp=(other.gpp - np.tile(cycle - early, 6)[:, None, None]).assign_attrs(units="g C m-2 d-1"))
    (result,) = compare(product, other)
    season = result.seasons["north"]
    assert season.shift == pytest.approx(-365.25 / 12, abs=0.5)
    assert season.amplitude == pytest.approx(season.other_amplitude, rel=1e-5)
    assert season.other_peak == pytest.approx(6.5, abs=0.01)
    assert result.variability.years == tuple(range(2001, 2007))
    area = AREA.sum()
    assert result.variability.other_trend == pytest.approx(0.5 * 365.25 * area * 1e-15, rel=1e-4)


def test_command_takes_patterns_years_and_classes(files, tmp_path):
    pattern, whole = files
    cover = xr.DataArray(np.full((18, 36), 4.0, "f4"), whole.gpp[0].drop_vars("time").coords, name="igbp")
    cover.to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")
    whole.to_netcdf(tmp_path / "reference.nc", engine="h5netcdf")
    options = ["--years", "2002,2006", "--classes", f"{tmp_path / 'cover.nc'}:igbp", "--json"]
    done = CliRunner().invoke(app, ["compare", str(pattern), str(tmp_path / "reference.nc"), *options])
    assert done.exit_code == 0, done.output
    (numbers,) = json.loads(done.stdout)
    assert numbers["regions"]["whole"]["r2"] == pytest.approx(1.0)
    assert numbers["classes"]["DBF"]["n"] == numbers["regions"]["whole"]["n"]
    assert len(numbers["variability"]["years"]) == 5
    assert numbers["variability"]["trend"] == pytest.approx(numbers["variability"]["other_trend"])
    wrong = CliRunner().invoke(app, ["compare", str(pattern), str(pattern), "--years", "2002"])
    assert isinstance(wrong.exception, RangeError)


@pytest.mark.filterwarnings("default")  # libraries of the cluster warn of their own
def test_workers_of_a_cluster_compare_the_same(files, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("gppcore.comparison.common._BAND_CELLS", 36 * 5)  # four bands of rows
    pattern, _ = files
    years_of(2001, 2006, seed=9).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    products = (f"{pattern}:gpp", tmp_path / "other.nc")
    (alone,) = compare(*products, years=(2002, 2005))
    with (
        distributed.LocalCluster(n_workers=2, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        (together,) = compare(*products, years=(2002, 2005), client=client)
        with pytest.raises(RangeError, match="products: expected files, which workers"):
            compare(planet(), tmp_path / "other.nc", client=client)
    assert json.dumps(together.as_dict()) == json.dumps(alone.as_dict())
    xr.testing.assert_identical(together.maps, alone.maps)
