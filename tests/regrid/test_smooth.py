import numpy as np
import pytest

from gppcore.errors import RangeError
from gppcore.regrid import LatLonGrid, conservation_report, downscale


def coarse_field(shape, missing, seed=0):
    """Waves with noise, >= 1, and missing cells."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(*(np.linspace(0, 2 * np.pi, n, endpoint=False) for n in shape), indexing="ij")
    field = 4.0 + np.sin(x) * np.cos(2 * y) + 0.3 * rng.random(shape)
    field[rng.random(shape) < missing] = np.nan
    return field


def smooth(coarse, factor, **options):
    return downscale(coarse, factor=factor, method="smooth", **({"lat_edges": (90, -90)} | options))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lon", [(-180, 180), (0, 90)])
@pytest.mark.parametrize("factor", [1, 2, 3, 10])
@pytest.mark.parametrize("missing", [0.0, 0.1, 0.6])
def test_mean_of_every_cell_is_kept(factor, lon, missing, dtype):
    coarse = coarse_field((18, 36), missing).astype(dtype)
    fine = smooth(coarse, factor, lon_edges=lon)
    grid = LatLonGrid(np.linspace(90, -90, 19), np.linspace(*lon, 37))
    report = conservation_report(fine, coarse, grid.split(factor), grid)
    assert report.worst_cell <= (1e-7 if dtype == np.float32 else 1e-13)
    assert report.relative_error <= (1e-8 if dtype == np.float32 else 1e-14)
    np.testing.assert_array_equal(np.isnan(fine), np.isnan(coarse).repeat(factor, 0).repeat(factor, 1))


@pytest.mark.parametrize("missing", [0.0, 0.1, 0.6])
def test_no_step_at_the_borders_of_cells(missing):
    factor = 20
    coarse = coarse_field((18, 36), missing)
    fine = smooth(coarse, factor, lon_edges=(-180, 180))
    for axis in (0, 1):
        size = fine.shape[axis]
        within = np.abs(np.diff(fine, axis=axis, append=np.nan)).reshape(fine.shape)
        steps = np.moveaxis(within, axis, 0)
        at_border = (np.arange(size) + 1) % factor == 0
        # The slope changes at the centres of cells only: across a border it is that on both sides.
        before, across, after = (steps[np.flatnonzero(at_border)[:-1] + n] for n in (-1, 0, 1))
        known = ~np.isnan(before + across + after)
        assert known.sum() > 1000
        assert np.all(across[known] <= 1.1 * np.maximum(before, after)[known] + 1e-3)
    blocks = np.nanmax(np.abs(np.diff(coarse.repeat(factor, 1), axis=1)))
    assert np.nanmax(np.abs(np.diff(fine, axis=1))) < 0.3 * blocks


def test_constants_stay_constant_and_planes_stay_planes():
    coarse = np.full((6, 8), 7.0)
    coarse[2, 3:5] = np.nan
    fine = smooth(coarse, 5, lon_edges=(0, 80))
    np.testing.assert_allclose(fine[~np.isnan(fine)], 7.0, rtol=1e-14)
    x = np.arange(12) + 0.5
    plane = np.tile(3.0 + x, (9, 1))
    inner = smooth(plane, 4, lon_edges=(0, 12))[:, 16:-16]
    np.testing.assert_allclose(inner, np.tile(3.0 + ((np.arange(48) + 0.5) / 4)[16:-16], (36, 1)), rtol=1e-3)


def test_positive_fields_stay_positive_and_keep_their_means():
    rng = np.random.default_rng(1)
    coarse = rng.gamma(0.3, size=(12, 24)).astype(np.float32)
    coarse[rng.random(coarse.shape) < 0.3] = 0.0
    fine = smooth(coarse, 6, lon_edges=(-180, 180))
    assert fine.min() == 0.0
    grid = LatLonGrid(np.linspace(90, -90, 13), np.linspace(-180, 180, 25))
    assert conservation_report(fine, coarse, grid.split(6), grid).worst_cell <= 1e-7


def test_fields_with_both_signs_are_not_flattened():
    coarse = np.array([[-5.0, 1.0, 8.0, 1.0]])
    fine = smooth(coarse, 4, lon_edges=(0, 4))
    assert fine[0, 4:8].min() < -1.0 < 0.0 < fine[0, 4:8].max()
    # Of the cells, only the last has no negative value in it or around it.
    shifted = smooth(coarse + 100.0, 4, lon_edges=(0, 4))
    np.testing.assert_allclose((shifted - 100.0)[:, :12], fine[:, :12], atol=1e-7)


def test_missing_cells_do_not_reach_beyond_their_own_place():
    coarse = coarse_field((6, 10), 0.0)
    coarse[2, 4] = np.nan
    fine = smooth(coarse, 3, lon_edges=(0, 10))
    expected = np.zeros(fine.shape, bool)
    expected[6:9, 12:15] = True
    np.testing.assert_array_equal(np.isnan(fine), expected)
    alone = np.full((3, 3), np.nan)
    alone[1, 1] = 2.5
    np.testing.assert_allclose(smooth(alone, 3, lon_edges=(0, 3))[3:6, 3:6], 2.5, rtol=1e-15)


@pytest.mark.parametrize("value", [1e308, -1e308, np.inf])
def test_values_whose_sums_overflow_are_refused_and_large_ones_harm_no_other_cell(value):
    """All nodes are solved together, so that one overflow would make every cell NaN."""
    coarse = np.random.default_rng(0).random((10, 15))
    edges = {"lat_edges": (20.0, 40.0), "lon_edges": (0.0, 30.0)}
    coarse[4, 7] = value
    with pytest.raises(RangeError, match=r"-1e300 to 1e300 or NaN, got .* in row 4, column 7"):
        downscale(coarse, factor=4, method="smooth", **edges)
    coarse[4, 7] = np.copysign(1e300, value)
    assert np.isfinite(downscale(coarse, factor=4, method="smooth", **edges)).all()
