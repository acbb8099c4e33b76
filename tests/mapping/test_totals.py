from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from gppcore.cli.main import app
from gppcore.comparison import compare
from gppcore.mapping.product import read_totals, write_netcdf
from gppcore.mapping.run import map_gpp
from gppcore.mapping.totals import BlockSums, totals
from gppcore.regrid import cell_area
from gppcore.statistics import NORMAL_90
from gppcore.tiles import store as tiles
from gppcore.tiles.store import TileStore
from gppcore.transfer.error_covariance import ErrorCovariance, distances
from gppcore.variables import DAYS_IN_MONTH

ERRORS = ErrorCovariance(0.004, 0.02, lasting=0.12, season=0.16, passing=0.3, local=0.5)
ONE = ErrorCovariance(1.0 / NORMAL_90**2, 0.0, 0.0, 0.0, 0.0, 1.0)
"""All places and months err together."""
LAT, LON = 54.75 - 0.5 * np.arange(60), -9.75 + 0.5 * np.arange(60)


class Fixed:
    """Predicts GPP of 1 plus the first predictor, with bounds one and a half of that away."""

    digest, has_interval, predictors, errors = "fixed", True, ("lai",), ERRORS

    def predict_columns(self, columns, *, interval):
        """Return GPP and its bounds."""
        gpp = 1.0 + np.asarray(columns[0], dtype=np.float32)
        return gpp, np.maximum(gpp - 1.5 * gpp, 0.0), gpp + 1.5 * gpp


@pytest.fixture
def store(tmp_path, monkeypatch):
    """All cells of a window from 25 to 55 degrees north, in eight tiles, over two years."""
    monkeypatch.setattr(tiles, "TILE_CELLS", 500)
    store = TileStore.create(tmp_path / "store", LAT, LON, np.arange(3600), years=range(2001, 2003))
    store.add("lai", monthly=True, attrs={})
    rng = np.random.default_rng(0)
    with store.writing():
        for year in store.each_year:
            for tile in range(store.n_tiles):
                store.write("lai", tile, rng.random((12, store.n_cells(tile)), dtype=np.float32), year)
    return store


def test_totals_of_a_product_are_the_sums_of_its_cells(store, tmp_path):
    map_gpp(Fixed(), store, tmp_path / "gpp.zarr", n_threads=1)
    table = read_totals(tmp_path / "gpp.zarr")
    with xr.open_zarr(tmp_path / "gpp.zarr", chunks=None) as ds:
        amount = (ds["gpp_daily"] * ds["area"]).values.astype(float) * np.tile(DAYS_IN_MONTH, 2)[:, None, None] / 1e15
        lat = ds["lat"].values
    whole = table[(table["south"] == -90) & (table["north"] == 90)].set_index("first_year")
    rows = table[(table["south"] == -90) & (table["north"] == 90)]
    assert rows["last_year"].tolist() == [2002, 2001, 2002]
    np.testing.assert_allclose(rows["gpp"], [amount.sum() / 2, amount[:12].sum(), amount[12:].sum()], rtol=1e-5)
    assert whole.loc[2002, "last_year"] == 2002
    zone = table[(table["south"] == 40) & (table["north"] == 50)].iloc[0]
    assert zone["gpp"] == pytest.approx(amount[:, (lat > 40) & (lat < 50)].sum() / 2, rel=1e-5)
    assert ((table["low"] < table["gpp"]) & (table["gpp"] < table["high"])).all()
    # Errors of zones are not wholly alike, and those of a mean of years pass in part.
    width = (table["high"] - table["low"]) / table["gpp"]
    assert width[rows.index[0]] < width[rows.index[1]]
    assert width[rows.index[0]] < width[table["south"] == 20].iloc[0]


def test_totals_do_not_depend_on_threads(store, tmp_path):
    map_gpp(Fixed(), store, tmp_path / "one.zarr", n_threads=1)
    again = TileStore.create(tmp_path / "other", LAT, LON, np.arange(3600), years=range(2001, 2003))
    again.add("lai", monthly=True, attrs={})
    with again.writing():
        for year in store.each_year:
            for tile in range(store.n_tiles):
                again.write("lai", tile, store.read("lai", tile, year), year)
    map_gpp(Fixed(), again, tmp_path / "two.zarr", n_threads=2)
    for name in ("gpp_total", "gpp_total_low", "gpp_total_high"):
        one, two = (tmp_path / f"{each}.zarr" / name / "c" / "0" for each in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_interval_of_a_total_is_that_of_the_errors_of_single_cells(store):
    """Blocks stand for cells: against the full covariance of all cells of a small map."""
    lat, lon = np.meshgrid(LAT[::3], LON[::3], indexing="ij")
    lat, lon = lat.ravel(), lon.ravel()
    area = np.repeat(cell_area(np.linspace(55.25, 24.75, 21), np.array([0.0, 1.5])), 20)
    half = np.random.default_rng(2).uniform(0.5, 1.5, (12, lat.size)) * area / 1e12
    apart = distances(lat, lon)
    near = np.where(apart == 0.0, 1.0, (1.0 - ERRORS.local) * np.exp(-apart / 300.0))
    region = ERRORS.common + ERRORS.regional * np.exp(-apart / 2000.0)
    time = sum(ERRORS.months(np.arange(12)))
    variance = np.einsum("ti,ij,sj,ts->", half, near, half, time) + half.sum(axis=0) @ region @ half.sum(axis=0)
    one = BlockSums(lat, lon, np.full(lat.size, 1.0), half, half, ())
    whole = totals(one, ERRORS).iloc[0]
    assert (whole["high"] - whole["gpp"]) == pytest.approx(NORMAL_90 * np.sqrt(variance), rel=0.01)


def test_errors_that_are_all_alike_add_up(store):
    sums = BlockSums(np.array([31.0, 45.0]), np.zeros(2), np.ones(2), np.ones((12, 2)), np.full((12, 2), 0.25), ())
    whole = totals(sums, ONE).iloc[0]
    assert (whole["gpp"], whole["low"], whole["high"]) == pytest.approx((24.0, 18.0, 30.0))


def test_blocks_stand_for_their_cells(store):
    """Coarser sums of the same cells give the same interval within a few per cent."""
    map_gpp(Fixed(), store, n_threads=1)
    blocks = BlockSums.of_store(store, "gpp_daily")
    row, column = np.divmod(store.index, 60)
    of_row = cell_area(np.linspace(55.0, 25.0, 61), np.array([0.0, 0.5]))[:, 0]
    months = np.concatenate(
        [np.concatenate([store.read("gpp_daily", t, y) for t in range(store.n_tiles)], 1) for y in (2001, 2002)]
    )
    gpp = months * of_row[row] * np.tile(DAYS_IN_MONTH, 2)[:, None] / 1e15
    cells = BlockSums(LAT[row], LON[column], of_row[row], gpp, 1.5 * gpp, (2001, 2002))
    one, two = (totals(each, ERRORS).iloc[0] for each in (blocks, cells))
    assert one["gpp"] == pytest.approx(two["gpp"])
    assert one["high"] - one["gpp"] == pytest.approx(two["high"] - two["gpp"], rel=0.03)


def test_comparison_shows_the_stated_interval(store, tmp_path):
    map_gpp(Fixed(), store, tmp_path / "gpp.zarr", n_threads=1)
    write_netcdf(tmp_path / "gpp.zarr", tmp_path / "gpp.nc")
    (found,) = compare(tmp_path / "gpp.zarr", tmp_path / "gpp.nc")
    total = read_totals(tmp_path / "gpp.zarr").iloc[0]
    assert found.own_interval == pytest.approx((total["low"], total["high"]))
    assert found.other_own_interval == found.own_interval
    assert f"({total['low']:.2f} to {total['high']:.2f})" in dict(found.table())["Total, own cells"]
    shown = CliRunner().invoke(app, ["info", str(tmp_path / "gpp.zarr")]).output
    assert f"{total['gpp']:.3f} Pg C yr-1 (90 % interval {total['low']:.3f} to {total['high']:.3f})" in shown
    (of_one_year,) = compare(tmp_path / "gpp.zarr", tmp_path / "gpp.nc", years=(2001, 2001))
    assert np.isnan(of_one_year.own_interval).all()


def test_models_without_covariance_of_errors_give_no_totals(store, tmp_path):
    class Without(Fixed):
        errors = None

    map_gpp(Without(), store, tmp_path / "gpp.zarr", n_threads=1)
    assert read_totals(tmp_path / "gpp.zarr") is None


def test_dissimilarity_is_in_the_product(store, tmp_path):
    index = SimpleNamespace(
        predictors=("aridity",),
        threshold=0.5,
        places=np.zeros((3, 1)),
        to_card=lambda: {"places": 3},
        dissimilarity=lambda x, names: np.abs(x[:, 0]),
    )
    store.add("aridity", monthly=False, attrs={})
    with store.writing():
        for tile in range(store.n_tiles):
            store.write("aridity", tile, np.linspace(-1.0, 0.5, store.n_cells(tile), dtype=np.float32))
    model = Fixed()
    model.applicability = index
    map_gpp(model, store, tmp_path / "gpp.zarr", n_threads=2)
    with xr.open_zarr(tmp_path / "gpp.zarr", chunks=None) as ds:
        assert ds["dissimilarity"].dims == ("lat", "lon")
        assert ds["dissimilarity"].attrs["area_of_applicability"] == 0.5
        found = ds["dissimilarity"].values.ravel()[store.index]
        np.testing.assert_array_equal(found, np.abs(store.read_field("aridity")))
