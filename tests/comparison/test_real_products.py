"""Comparison of two products of North America."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gppcore.comparison import compare

DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SHARED = Path(os.environ.get("GPPCORE_SHARED", Path(__file__).parents[2].parent / "shared"))
NORTH_AMERICA = SHARED / "grids" / "namerica_classic_vs_gbaf_2p8.nc"


@pytest.mark.skipif(not NORTH_AMERICA.exists(), reason="the shared grids are absent")
def test_two_real_products():
    result = compare(f"{NORTH_AMERICA}:gpp_classic", f"{NORTH_AMERICA}:gpp_gbaf")[0]
    data = xr.load_dataset(NORTH_AMERICA)
    months = data.groupby("time.month").mean()
    both = np.isfinite(months.gpp_classic + months.gpp_gbaf).values
    whole = result.regions["whole"]
    assert whole.n == both.sum()
    weight = both * np.cos(np.deg2rad(data.lat.values))[:, None] * DAYS[:, None, None]
    x, y = np.where(both, months.gpp_classic, 0.0), np.where(both, months.gpp_gbaf, 0.0)
    assert whole.bias == pytest.approx(np.average(x - y, weights=weight), rel=2e-3)  # cos(lat) for the exact area
    mean = np.average(y, weights=weight)
    r2 = 1 - np.average((x - y) ** 2, weights=weight) / np.average((y - mean) ** 2, weights=weight)
    assert whole.r2 == pytest.approx(r2, rel=2e-3)
    assert result.regions["tropics"].n == 0
    # The process model greens later, stays green longer, and is too productive where GPP is high.
    season, other_season = result.seasonal["whole"], result.other_seasonal["whole"]
    assert season.argmax() == other_season.argmax() == 6
    assert (season[3:5] < other_season[3:5]).all()
    assert (season[8:10] > other_season[8:10]).all()
    assert result.high_bias > 0.0 > result.low_bias
    assert 8.0 < whole.other_total < 16.0


@pytest.mark.skipif(not NORTH_AMERICA.exists(), reason="the shared grids are absent")
def test_the_page_tells_what_is_measured():
    page = (Path(__file__).parents[2] / "docs" / "comparison.md").read_text()
    for label, value in compare(f"{NORTH_AMERICA}:gpp_classic", f"{NORTH_AMERICA}:gpp_gbaf")[0].table():
        assert f"| {label} | {value} |" in page
