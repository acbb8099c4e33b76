"""Gaps of leaf area filled from other years."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore.errors import RangeError
from gppcore.tiles.build import Cells, TileRecipe, VariableSource, build_tiles

LAT, LON = 50.0 - 0.5 * (np.arange(4) + 0.5), 5.0 + 0.5 * (np.arange(5) + 0.5)
SEASON = 2.0 - np.cos(2 * np.pi * np.arange(12) / 12)


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.setattr("gppcore.tiles.store.TILE_CELLS", 8)

    def built(lai, years, **options):
        time = pd.date_range("2001-01-01", periods=len(lai), freq="MS")
        ds = xr.Dataset(
            {"lai": (("time", "lat", "lon"), lai, {"units": "m2 m-2"})}, {"time": time, "lat": LAT, "lon": LON}
        )
        ds.to_netcdf(tmp_path / "lai.nc", engine="h5netcdf")
        land = xr.Dataset({"land": (("lat", "lon"), np.ones((4, 5), "f4"))}, {"lat": LAT, "lon": LON})
        land.to_netcdf(tmp_path / "land.nc", engine="h5netcdf")
        source = VariableSource("lai.nc", "lai", **{"gaps": "mean-year", **options})
        recipe = TileRecipe(Cells("land.nc", "land"), {"lai": source}, years=years, folder=tmp_path)
        store = build_tiles(recipe, tmp_path / "store")
        order = np.argsort(store.index)
        return np.stack([store.read_field("lai", month)[order] for month in range(len(lai))]).reshape(-1, 4, 5)

    return built


def test_gaps_get_the_mean_of_the_month_in_other_years(build):
    lai = np.concatenate([SEASON + year for year in range(3)])[:, None, None] * np.ones((36, 4, 5))
    gappy = lai.astype("f4")
    gappy[5, 0, 0] = gappy[29, 0, 0] = np.nan  # June of the first and of the last year
    gappy[12:24, 2, 3] = np.nan  # the second year
    got = build(gappy, (2001, 2003))
    known = ~np.isnan(gappy)
    np.testing.assert_array_equal(got[known], gappy[known])
    np.testing.assert_allclose(got[[5, 29], 0, 0], lai[17, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(got[12:24, 2, 3], SEASON + 1.0, rtol=1e-6)


def test_months_that_no_year_has_lie_between_their_neighbours(build):
    gappy = (SEASON[:, None, None] * np.ones((12, 4, 5))).astype("f4")
    gappy[[11, 0], 1, 1] = np.nan  # across the turn of the year
    gappy[:7, 1, 2] = np.nan  # too few months left
    gappy[:, 1, 3] = np.nan
    got = build(gappy, None)
    step = (SEASON[1] - SEASON[10]) / 3.0
    np.testing.assert_allclose(got[[11, 0], 1, 1], SEASON[10] + step * np.array([1, 2]), rtol=1e-5)
    np.testing.assert_array_equal(got[:, 1, 2], gappy[:, 1, 2])
    assert np.isnan(got[:, 1, 3]).all()


def test_gaps_stay_where_nobody_asks(build):
    gappy = np.full((12, 4, 5), 2.0, "f4")
    gappy[3, 0, 0] = np.nan
    assert np.isnan(build(gappy, None, gaps=None)[3, 0, 0])


def test_static_variables_have_no_gaps_to_fill(build):
    with pytest.raises(RangeError, match="gaps: expected it for a monthly variable"):
        build(np.ones((12, 4, 5), "f4"), None, static=True)
