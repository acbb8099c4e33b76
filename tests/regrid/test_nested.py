import numpy as np
import pytest
import xarray as xr

from gppcore.errors import DtypeError, RangeError, ShapeError
from gppcore.regrid import aggregate, downscale


def reference_aggregate(field, factor, lat_edges, min_valid=0.0):
    """Apply the definition, in numpy float64."""
    n_lat, n_lon = field.shape
    area = np.abs(np.diff(np.sin(np.radians(lat_edges))))[:, None] * np.ones(n_lon)
    blocks = (n_lat // factor, factor, n_lon // factor, factor)
    valid = ~np.isnan(field)
    total = np.where(valid, field, 0.0).astype(float) * area
    sums, areas, full = (a.reshape(blocks).sum(axis=(1, 3)) for a in (total, valid * area, area))
    enough = (areas > 0) & (areas / full >= min_valid)
    return np.where(enough, sums / np.where(enough, areas, 1.0), np.nan)


@pytest.fixture
def field(request):
    rng = np.random.default_rng(1)
    values = rng.normal(10.0, 3.0, (60, 1320))  # wider than one strip of columns
    values[rng.random(values.shape) < 0.4] = np.nan
    values[:, 200:500] = np.nan
    return values.astype(getattr(request, "param", np.float64))


@pytest.mark.parametrize("field", [np.float32, np.float64], indirect=True)
@pytest.mark.parametrize("factor", [1, 3, 10])
@pytest.mark.parametrize("min_valid", [0.0, 0.5])
def test_aggregate_is_the_area_weighted_mean(field, factor, min_valid):
    lat = np.linspace(90, 30, 61)
    got = aggregate(field, factor=factor, lat_edges=lat, min_valid=min_valid)
    expected = reference_aggregate(field, factor, lat, min_valid)
    assert got.dtype == field.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-6 if field.dtype == np.float32 else 1e-12)


def test_first_and_last_edge_describe_a_regular_grid(field):
    whole = aggregate(field, factor=10, lat_edges=np.linspace(90, 30, 61))
    np.testing.assert_array_equal(aggregate(field, factor=10, lat_edges=(90, 30)), whole)


def test_factor_wider_than_a_strip():
    field = np.random.default_rng(2).random((1500, 3000))
    got = aggregate(field, factor=1500, lat_edges=(75, 0))
    np.testing.assert_allclose(got, reference_aggregate(field, 1500, np.linspace(75, 0, 1501)), rtol=1e-12)


def test_a_wholly_valid_cell_passes_min_valid_of_one():
    got = aggregate(np.ones((30, 30)), factor=10, lat_edges=(60, 30), min_valid=1.0)
    np.testing.assert_array_equal(got, 1.0)


def test_fraction_is_the_valid_share_of_the_area(field):
    lat = np.linspace(90, 30, 61)
    mean, share = aggregate(field, factor=10, lat_edges=lat, min_valid=0.5, fraction=True)
    expected = reference_aggregate(np.where(np.isnan(field), 0.0, 1.0), 10, lat)
    np.testing.assert_allclose(share, expected, rtol=1e-12)
    np.testing.assert_array_equal(np.isnan(mean), share < 0.5)


def test_each_step_has_its_own_mask(field):
    steps = np.stack([np.where(np.roll(field, n, axis=1) > 9.0, field, np.nan) for n in range(3)])
    got = aggregate(steps, factor=10, lat_edges=(90, 30), min_valid=0.2)
    for step, mean in zip(steps, got, strict=True):
        expected = reference_aggregate(step, 10, np.linspace(90, 30, 61), 0.2)
        np.testing.assert_allclose(mean, expected, rtol=1e-12)


def test_leading_dimensions_strides_and_out(field):
    stack = np.stack([field, 2 * field])
    out = np.empty((2, 6, 132))
    strided = np.asfortranarray(stack)
    assert aggregate(strided, factor=10, lat_edges=(90, 30), out=out) is out
    np.testing.assert_array_equal(out[1], aggregate(stack[1], factor=10, lat_edges=(90, 30)))


def test_conservative_repeats():
    coarse = np.array([[1.0, np.nan], [3.0, 4.0]], np.float32)
    got = downscale(coarse, factor=3)
    np.testing.assert_array_equal(got, coarse.repeat(3, 0).repeat(3, 1))


def test_bilinear_is_linear_between_centres():
    x, y = np.arange(8) + 0.5, np.arange(6) + 0.5
    coarse = 2.0 * x + 3.0 * y[:, None]
    fine_x, fine_y = (np.arange(8 * 5) + 0.5) / 5, (np.arange(6 * 5) + 0.5) / 5
    expected = 2.0 * fine_x.clip(0.5, 7.5) + 3.0 * fine_y.clip(0.5, 5.5)[:, None]
    np.testing.assert_allclose(downscale(coarse, factor=5, method="bilinear", lon_edges=(0, 8)), expected)


def test_bilinear_crosses_the_date_line_only_on_the_globe():
    coarse = np.array([[0.0, 0.0, 0.0, 4.0]])
    globe = downscale(coarse, factor=2, method="bilinear", lon_edges=(-180, 180))
    window = downscale(coarse, factor=2, method="bilinear", lon_edges=np.linspace(0, 90, 5))
    np.testing.assert_array_equal(globe[0], [1, 0, 0, 0, 0, 1, 3, 3])
    np.testing.assert_array_equal(window[0], [0, 0, 0, 0, 0, 1, 3, 4])


def test_bilinear_gives_the_weight_of_missing_cells_to_the_others():
    got = downscale(np.array([[6.0, np.nan, np.nan]]), factor=2, method="bilinear", lon_edges=(0, 3))
    np.testing.assert_array_equal(got[0], [6, 6, 6, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-7), (np.float64, 1e-14)])
def test_covariate_keeps_the_coarse_mean(dtype, tolerance):
    rng = np.random.default_rng(3)
    covariate = rng.gamma(0.5, size=(60, 120)).astype(dtype)
    covariate[rng.random(covariate.shape) < 0.3] = np.nan
    coarse = rng.normal(5.0, 2.0, (2, 6, 12)).astype(dtype)
    fine = downscale(coarse, factor=10, method="covariate", covariate=covariate, lat_edges=(60, 0))
    np.testing.assert_array_equal(np.isnan(fine), np.isnan(covariate) | np.zeros((2, 1, 1), bool))
    for field, mean in zip(fine, coarse, strict=True):
        back = reference_aggregate(field, 10, np.linspace(60, 0, 61))
        np.testing.assert_allclose(back, mean, rtol=tolerance)
    ratio = fine[0, :10, :10] / covariate[:10, :10]
    np.testing.assert_allclose(ratio[~np.isnan(ratio)], np.nanmean(ratio), rtol=3e-7)


def test_leading_dimensions_of_coarse_and_covariate_broadcast():
    rng = np.random.default_rng(6)
    coarse, covariate = rng.random((2, 1, 3, 4)), rng.random((5, 6, 8))
    args = {"factor": 2, "method": "covariate", "lat_edges": (30, 0)}
    fine = downscale(coarse, covariate=covariate, **args)
    assert fine.shape == (2, 5, 6, 8)
    np.testing.assert_array_equal(fine[1, 3], downscale(coarse[1, 0], covariate=covariate[3], **args))


def test_covariate_of_zero_spreads_uniformly():
    covariate = np.array([[0.0, np.nan], [0.0, 0.0]])
    args = {"factor": 2, "method": "covariate", "covariate": covariate, "lat_edges": (10, 0)}
    np.testing.assert_array_equal(downscale(np.array([[7.0]]), **args), [[7.0, np.nan], [7.0, 7.0]])
    assert np.isnan(downscale(np.array([[np.nan]]), **args)).all()


@pytest.mark.parametrize("bad", [-1.0, np.inf])
def test_covariate_must_be_finite_and_positive(bad):
    covariate = np.ones((4, 4))
    covariate[3, 2] = bad
    with pytest.raises(RangeError, match=r"covariate: .* rows 2 to 3"):
        downscale(np.ones((2, 2)), factor=2, method="covariate", covariate=covariate, lat_edges=(10, 0))


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (DtypeError, {"field": np.ones((4, 4), object)}),
        (ShapeError, {"field": np.ones(4)}),
        (ShapeError, {"field": np.ones((4, 5))}),
        (RangeError, {"lat_edges": None}),
        (RangeError, {"factor": 0}),
        (RangeError, {"factor": 2.0}),
        (RangeError, {"min_valid": 1.5}),
        (RangeError, {"min_valid": np.nan}),
        (ShapeError, {"lat_edges": np.linspace(90, 0, 4)}),
        (RangeError, {"lat_edges": (200, 100)}),
        (RangeError, {"lat_edges": [0, 1, 3, 2, 4]}),
        (RangeError, {"lat_edges": (np.nan, 0)}),
        (ShapeError, {"out": np.empty((2, 3))}),
        (DtypeError, {"out": np.empty((2, 2), np.float32)}),
        (ShapeError, {"out": np.empty((2, 4))[:, ::2]}),
    ],
)
def test_aggregate_refuses(error, arguments):
    good = {"field": np.ones((4, 4)), "factor": 2, "lat_edges": (90, 0)}
    aggregate(**good)
    with pytest.raises(error, match="expected"):
        aggregate(**(good | arguments))


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (RangeError, {"method": "nearest"}),
        (RangeError, {"method": "bilinear"}),
        (RangeError, {"lat_edges": None}),
        (RangeError, {"covariate": None}),
        (RangeError, {"method": "conservative"}),
        (ShapeError, {"covariate": np.ones((4, 5))}),
        (ShapeError, {"coarse": np.ones((2, 2, 2)), "covariate": np.ones((3, 4, 4))}),
        (ShapeError, {"lat_edges": np.linspace(90, 0, 4)}),
        (RangeError, {"method": "smooth", "covariate": None}),
        (RangeError, {"coarse": np.full((2, 2), np.inf), "method": "smooth", "covariate": None, "lon_edges": (0, 9)}),
        (DtypeError, {"covariate": np.ones((4, 4), np.float32)}),
    ],
)
def test_downscale_refuses(error, arguments):
    good = {"coarse": np.ones((2, 2)), "method": "covariate", "covariate": np.ones((4, 4)), "lat_edges": (90, 0)}
    downscale(factor=2, **good)
    with pytest.raises(error, match="expected"):
        downscale(factor=2, **(good | arguments))


def test_a_real_covariate_keeps_the_mean(shared):
    path = shared / "grids" / "ndvi_minmax_0p05.nc"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    with xr.open_dataset(path, engine="h5netcdf") as data:
        ndvi = data["NDVI_maximum"].to_numpy().astype(np.float32).clip(0.0, None)
    coarse = np.random.default_rng(5).random((360, 720), np.float32) + 1.0
    lat = np.linspace(90, -90, 3601)
    args = {"factor": 10, "method": "covariate", "covariate": ndvi, "lat_edges": lat}
    fine = downscale(coarse, **args)
    back = reference_aggregate(fine, 10, lat)
    land = ~np.isnan(back)
    assert 0.2 < land.mean() < 0.6
    np.testing.assert_allclose(back[land], coarse[land], rtol=1e-7)
