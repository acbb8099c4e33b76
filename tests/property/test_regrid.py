import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gppcore.regrid import aggregate, cell_area, downscale, regrid_conservative

quick = settings(max_examples=60, deadline=None)


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


@quick
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


@quick
@given(nested())
def test_aggregation_undoes_downscaling(case):
    factor, lat, coarse, _ = case
    back = aggregate(downscale(coarse, factor=factor), factor=factor, lat_edges=lat)
    np.testing.assert_allclose(back, coarse, rtol=tolerance(coarse.dtype))


@quick
@given(nested())
def test_covariate_keeps_mass_and_missing_cells(case):
    factor, lat, coarse, covariate = case
    fine = downscale(coarse, factor=factor, method="covariate", covariate=covariate, lat_edges=lat)
    np.testing.assert_array_equal(np.isnan(fine), np.isnan(covariate * downscale(coarse, factor=factor)))
    back = aggregate(fine.astype(np.float64), factor=factor, lat_edges=lat)
    here = ~np.isnan(back)
    np.testing.assert_allclose(back[here], coarse[here], rtol=tolerance(coarse.dtype), atol=1e-37)


@quick
@given(nested())
def test_missing_only_where_every_fine_cell_is(case):
    factor, lat, _, fine = case
    blocks = np.isnan(fine).reshape(fine.shape[0] // factor, factor, fine.shape[1] // factor, factor)
    coarse = aggregate(fine, factor=factor, lat_edges=lat)
    np.testing.assert_array_equal(np.isnan(coarse), blocks.all(axis=(1, 3)))


@quick
@given(nested())
def test_direction_of_latitude_does_not_matter(case):
    factor, lat, coarse, fine = case
    up = aggregate(fine, factor=factor, lat_edges=lat)
    down = aggregate(fine[::-1], factor=factor, lat_edges=lat[::-1])
    np.testing.assert_allclose(down[::-1], up, rtol=tolerance(fine.dtype))
    north = downscale(coarse, factor=factor, method="bilinear", lon_edges=(0, 10))
    south = downscale(coarse[::-1], factor=factor, method="bilinear", lon_edges=(0, 10))
    np.testing.assert_array_equal(south[::-1], north)


@quick
@given(st.integers(1, 7), st.integers(1, 9), st.integers(1, 7), st.integers(1, 9), st.data())
def test_regridding_keeps_mass_and_ignores_the_origin_of_longitude(n0, m0, n1, m1, data):
    value = st.one_of(st.just(np.nan), st.floats(-100, 100, width=32))
    field = data.draw(arrays(np.float64, (n0, m0), elements=value))
    lat0, lon0 = np.linspace(90, -90, n0 + 1), np.linspace(-180, 180, m0 + 1)
    lat1, lon1 = np.linspace(-90, 90, n1 + 1), np.linspace(0, 360, m1 + 1)
    mean, valid = regrid_conservative(field, lat0, lon0, lat1, lon1)
    mass = np.nansum(mean * valid * cell_area(lat1, lon1))
    scale = np.nansum(np.abs(field) * cell_area(lat0, lon0))
    assert abs(mass - np.nansum(field * cell_area(lat0, lon0))) <= 1e-12 * scale
    turned, share = regrid_conservative(field[:, ::-1], lat0, lon0[::-1] + 720, lat1, lon1)
    np.testing.assert_allclose(turned, mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(share, valid, rtol=1e-9, atol=1e-9)
