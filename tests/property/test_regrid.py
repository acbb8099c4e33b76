import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gppcore.regrid import LatLonGrid, RegridPlan, aggregate, conservation_report, downscale


@st.composite
def nested(draw):
    """Draw a factor, the fine latitude edges, and a coarse and a fine field with missing cells."""
    factor, n_lat, n_lon = (draw(st.integers(1, 5)) for _ in range(3))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    first = draw(st.floats(-90, 60))
    lat = np.linspace(first, first + draw(st.floats(1, 30)), n_lat * factor + 1)
    if draw(st.booleans()):
        lat = lat[::-1]
    value = st.one_of(st.just(np.nan), st.floats(0, 1e4, width=32))
    coarse = draw(arrays(dtype, (n_lat, n_lon), elements=value))
    fine = draw(arrays(dtype, (n_lat * factor, n_lon * factor), elements=value))
    return factor, lat, coarse, fine


def tolerance(dtype):
    return 4 * np.finfo(dtype).eps


@given(nested(), st.floats(-1e4, 1e4, width=32))
def test_constants_stay_constant(case, constant):
    factor, lat, coarse, fine = case
    rtol = tolerance(fine.dtype)
    level = np.where(np.isnan(fine), fine, fine.dtype.type(constant))
    means = aggregate(level, factor=factor, lat_edges=lat)
    np.testing.assert_allclose(means[~np.isnan(means)], constant, rtol=rtol)
    flat = np.where(np.isnan(coarse), coarse, coarse.dtype.type(constant))
    for lon in ((0, 360), (0, 90)):
        got = downscale(flat, factor=factor, method="bilinear", lon_edges=lon)
        np.testing.assert_allclose(got[~np.isnan(got)], constant, rtol=rtol)


@given(nested())
def test_aggregation_undoes_downscaling(case):
    factor, lat, coarse, _ = case
    back = aggregate(downscale(coarse, factor=factor), factor=factor, lat_edges=lat)
    np.testing.assert_allclose(back, coarse, rtol=tolerance(coarse.dtype))


@given(nested())
def test_covariate_keeps_mass_and_missing_cells(case):
    factor, lat, coarse, covariate = case
    fine = downscale(coarse, factor=factor, method="covariate", covariate=covariate, lat_edges=lat)
    np.testing.assert_array_equal(np.isnan(fine), np.isnan(covariate * downscale(coarse, factor=factor)))
    back = aggregate(fine.astype(np.float64), factor=factor, lat_edges=lat)
    here = ~np.isnan(back)
    np.testing.assert_allclose(back[here], coarse[here], rtol=tolerance(coarse.dtype), atol=1e-37)


@given(nested())
def test_missing_only_where_every_fine_cell_is(case):
    factor, lat, _, fine = case
    blocks = np.isnan(fine).reshape(fine.shape[0] // factor, factor, fine.shape[1] // factor, factor)
    coarse = aggregate(fine, factor=factor, lat_edges=lat)
    np.testing.assert_array_equal(np.isnan(coarse), blocks.all(axis=(1, 3)))


@given(nested())
def test_direction_of_latitude_does_not_matter(case):
    factor, lat, coarse, fine = case
    up = aggregate(fine, factor=factor, lat_edges=lat)
    down = aggregate(fine[::-1], factor=factor, lat_edges=lat[::-1])
    np.testing.assert_allclose(down[::-1], up, rtol=tolerance(fine.dtype))
    north = downscale(coarse, factor=factor, method="bilinear", lon_edges=(0, 10))
    south = downscale(coarse[::-1], factor=factor, method="bilinear", lon_edges=(0, 10))
    np.testing.assert_array_equal(south[::-1], north)


@given(nested(), st.sampled_from([(0, 360), (10, 40)]))
def test_smooth_keeps_mass_missing_cells_and_sign(case, lon):
    factor, lat, coarse, _ = case
    fine = downscale(coarse, factor=factor, method="smooth", lat_edges=lat, lon_edges=lon)
    np.testing.assert_array_equal(np.isnan(fine), np.isnan(downscale(coarse, factor=factor)))
    assert not np.any(fine < 0.0)
    back = aggregate(fine.astype(np.float64), factor=factor, lat_edges=lat)
    np.testing.assert_allclose(back, coarse, rtol=tolerance(coarse.dtype), atol=1e-37)


@st.composite
def axis(draw, low, high, whole):
    """Draw edges of cells of any width, and whether they descend."""
    if draw(st.booleans()):
        low, high = whole
    inner = draw(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=9))
    edges = low + (high - low) * np.concatenate([[0.0], np.cumsum(inner)]) / np.sum(inner)
    edges[-1] = high
    return edges[::-1] if draw(st.booleans()) else edges


@st.composite
def any_grid(draw):
    """Draw a grid, the whole globe or a window."""
    lat = draw(axis(draw(st.floats(-89, 0)), draw(st.floats(1, 89)), (-90.0, 90.0)))
    west = draw(st.sampled_from([-180.0, 0.0, 10.5, 123.4]))
    return LatLonGrid(lat, draw(axis(west, west + draw(st.floats(5, 355)), (west, west + 360.0))))


@given(any_grid(), any_grid(), st.sampled_from([np.float32, np.float64]), st.data())
def test_any_pair_of_grids_keeps_mass(source, target, dtype, data):
    value = st.one_of(st.just(np.nan), st.floats(0, 100, width=32))
    field = data.draw(arrays(dtype, source.shape, elements=value))
    got = RegridPlan(source, target).apply(field)
    report = conservation_report(field, got, source, target)
    assert report.relative_error <= (1e-7 if dtype == np.float32 else 1e-13)
    assert report.lost_mass == 0.0
    level = RegridPlan(source, target).apply(np.where(np.isnan(field), field, field.dtype.type(7.25)))
    np.testing.assert_array_equal(np.isnan(level), np.isnan(got))
    np.testing.assert_allclose(level[~np.isnan(level)], 7.25, rtol=tolerance(dtype))


def turned(grid, field, flip_lat, flip_lon, shift):
    """Return the same cells in another order, with another origin of longitude."""
    lat, lon = grid.lat_edges, grid.lon_edges
    if grid.periodic and lon[0] < lon[-1]:
        lon = np.concatenate([lon[shift:-1], lon[: shift + 1] + 360.0])
        field = np.roll(field, -shift, axis=1)
    rows, columns = (slice(None, None, -1 if flip else 1) for flip in (flip_lat, flip_lon))
    return LatLonGrid(lat[rows], lon[columns] - 360.0), np.ascontiguousarray(field[rows, columns])


@given(any_grid(), any_grid(), st.sampled_from(["conservative", "bilinear"]), st.booleans(), st.booleans(), st.data())
def test_conventions_of_grids_give_the_same_numbers(source, target, method, flip_lat, flip_lon, data):
    value = st.one_of(st.just(np.nan), st.floats(-100, 100, width=32))
    field = data.draw(arrays(np.float64, source.shape, elements=value))
    shift = data.draw(st.integers(0, source.shape[1] - 1))
    other, other_field = turned(source, field, flip_lat, flip_lon, shift)
    mean, share = RegridPlan(source, target, method=method).apply(field, fraction=True)
    again, again_share = RegridPlan(other, target, method=method).apply(other_field, fraction=True)
    # An overlap of rounding errors only may be there in one and not in the other.
    np.testing.assert_allclose(again_share, share, rtol=0, atol=1e-7)
    real = share > 1e-6
    np.testing.assert_allclose(again[real], mean[real], rtol=0, atol=1e-4)
    flipped = LatLonGrid(target.lat_edges[::-1], target.lon_edges[::-1] + 360.0)
    back = RegridPlan(source, flipped, method=method).apply(field)[::-1, ::-1]
    np.testing.assert_allclose(back[real], mean[real], rtol=0, atol=1e-4)


@given(st.integers(1, 7), st.integers(1, 9), st.integers(1, 7), st.integers(1, 9), st.data())
def test_global_integral_does_not_depend_on_the_grid(n0, m0, n1, m1, data):
    field = data.draw(arrays(np.float64, (n0, m0), elements=st.floats(-100, 100, width=32)))
    source = LatLonGrid(np.linspace(90, -90, n0 + 1), np.linspace(-180, 180, m0 + 1))
    target = LatLonGrid(np.linspace(-90, 90, n1 + 1), np.linspace(0, 360, m1 + 1))
    mean = RegridPlan(source, target).apply(field, min_valid=1.0)
    scale = np.sum(np.abs(field) * source.area)
    assert abs(np.sum(mean * target.area) - np.sum(field * source.area)) <= 1e-12 * scale
