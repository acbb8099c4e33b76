import numpy as np
import pytest

from gppcore.errors import DtypeError, RangeError, ShapeError
from gppcore.regrid import LatLonGrid, RegridPlan, aggregate


def overlap(a, b):
    low, high = np.maximum(a.min(), b.min()), np.minimum(a.max(), b.max())
    return max(high - low, 0.0)


def reference(field, source, target):
    """Apply the definition to every pair of cells; longitudes one turn off count, too."""
    sines = [np.sin(np.radians(grid.lat_edges)) for grid in (source, target)]
    height = np.zeros((target.shape[0], source.shape[0]))
    for i, k in np.ndindex(height.shape):
        height[i, k] = overlap(sines[1][i : i + 2], sines[0][k : k + 2])
    width = np.zeros((target.shape[1], source.shape[1]))
    for j, m in np.ndindex(width.shape):
        turns = [source.lon_edges[m : m + 2] + turn for turn in (-360, 0, 360)]
        width[j, m] = sum(overlap(target.lon_edges[j : j + 2], edges) for edges in turns)
    present = ~np.isnan(field)
    area = np.einsum("ik,jm->ijkm", height, width)
    total = (area * np.where(present, field, 0.0)).sum(axis=(2, 3))
    valid = (area * present).sum(axis=(2, 3))
    whole = np.outer(np.abs(np.diff(sines[1])), np.abs(np.diff(target.lon_edges)))
    return np.divide(total, valid, out=np.full_like(total, np.nan), where=valid > 0), valid / whole


def random_field(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    field = rng.normal(10.0, 3.0, shape)
    field[rng.random(shape) < 0.4] = np.nan
    return field.astype(dtype)


GLOBE = LatLonGrid(np.linspace(90, -90, 14), np.linspace(-180, 180, 24))
PAIRS = {
    "coarser": (GLOBE, LatLonGrid(np.linspace(-90, 90, 6), np.linspace(0, 360, 8))),
    "finer": (GLOBE, LatLonGrid(np.linspace(90, -90, 30), np.linspace(-180, 180, 40))),
    "mixed": (GLOBE, LatLonGrid(np.linspace(90, -90, 30), np.linspace(10, 370, 5))),
    "half rows at the poles": (GLOBE, LatLonGrid.from_centres(np.linspace(-90, 90, 7), np.arange(0, 360, 30))),
    "descending longitude": (GLOBE, LatLonGrid([-30, 5, 44], np.linspace(350, -10, 6))),
    "across the seam": (GLOBE, LatLonGrid([-30, 5, 44], [170, 185, 220])),
    "one cell for the globe": (GLOBE, LatLonGrid([-90, 90], [7, 367])),
    "window of source": (LatLonGrid([50, 40, 33, 20], [170, 175, 184, 190]), GLOBE),
    "window and its other side": (LatLonGrid([0, 10], [350, 360, 370]), LatLonGrid([-5, 5], [5, 355])),
    "uneven": (LatLonGrid([-20, 3, 4, 50, 80], [0, 1, 50, 60]), LatLonGrid([88, 60, -60], [-10, 20, 30, 100])),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pair", PAIRS)
def test_conservative_is_the_overlap_weighted_mean(pair, dtype):
    source, target = PAIRS[pair]
    field = random_field(source.shape, dtype)
    mean, share = RegridPlan(source, target).apply(field, fraction=True)
    expected, expected_share = reference(field, source, target)
    tolerance = {"rtol": 1e-6 if dtype == np.float32 else 1e-12}
    np.testing.assert_allclose(mean, expected, **tolerance)
    np.testing.assert_allclose(share, expected_share, atol=1e-14, **tolerance)
    assert mean.dtype == share.dtype == dtype
    assert share.min() >= 0.0
    assert share.max() <= 1.0


def test_nested_grids_give_what_aggregate_gives():
    source = LatLonGrid(np.linspace(90, 30, 61), np.linspace(0, 330, 331))
    field = random_field((60, 330))
    got = RegridPlan(source, source.every(10)).apply(field, min_valid=0.55)
    np.testing.assert_array_equal(got, aggregate(field, factor=10, lat_edges=source.lat_edges, min_valid=0.55))
    # A target that starts elsewhere is not nested column for column: the general way gives the same.
    turned = LatLonGrid(source.lat_edges[::10], source.lon_edges[::10] - 360.0)
    np.testing.assert_allclose(RegridPlan(source, turned).apply(field, min_valid=0.55), got, rtol=1e-13)


def test_min_valid_and_masks_of_each_step():
    source, target = PAIRS["coarser"]
    field = np.stack([random_field(source.shape, seed=seed) for seed in range(3)])
    plan = RegridPlan(source, target)
    mean, share = plan.apply(field, min_valid=0.6, fraction=True)
    np.testing.assert_array_equal(np.isnan(mean), share < 0.6)
    assert 0 < np.isnan(mean).sum() < mean.size
    np.testing.assert_array_equal(mean[2], plan.apply(field[2], min_valid=0.6))
    whole = plan.apply(np.ones(source.shape), min_valid=1.0)
    np.testing.assert_allclose(whole, 1.0, rtol=1e-13)


def test_infinity_stays_in_the_cells_that_it_touches():
    source, target = GLOBE, LatLonGrid(np.linspace(90, -90, 14), np.linspace(-180, 180, 12))
    field = np.ones(source.shape)
    field[3, 5] = np.inf
    got = RegridPlan(source, target).apply(field)
    touched = np.isinf(got)
    assert touched.sum() == np.isfinite(reference(np.where(np.isinf(field), 1.0, np.nan), source, target)[0]).sum()
    np.testing.assert_allclose(got[~touched], 1.0, rtol=1e-13)


@pytest.mark.parametrize("turn", [0, -360])
@pytest.mark.parametrize("flip", [False, True])
def test_bilinear_is_linear_between_centres(turn, flip):
    source = LatLonGrid(np.linspace(0, 60, 13), np.linspace(20, 80, 21) + turn)
    plane = 2.0 * (source.lon - turn) - 3.0 * source.lat[:, None]
    target = LatLonGrid(np.linspace(55, 5, 12), np.linspace(25, 75, 18))
    if flip:
        source, plane = LatLonGrid(source.lat_edges[::-1], source.lon_edges[::-1]), plane[::-1, ::-1]
    got = RegridPlan(source, target, method="bilinear").apply(np.ascontiguousarray(plane))
    np.testing.assert_allclose(got, 2.0 * target.lon - 3.0 * target.lat[:, None], rtol=1e-12)


def test_bilinear_crosses_the_seam_and_is_held_at_the_border():
    globe = LatLonGrid([0, 10, 20], np.linspace(-180, 180, 5))
    field = np.array([[0.0, 4.0, 8.0, 12.0], [0.0, 4.0, 8.0, 12.0]])
    target = LatLonGrid([0, 2], [175, 185, 215])  # centres 180 and 200; source centres -135, -45, 45, 135
    np.testing.assert_allclose(RegridPlan(globe, target, method="bilinear").apply(field), [[6.0, 12 * 25 / 90]])
    window = LatLonGrid([0, 10, 20], np.linspace(-100, 100, 5))
    target = LatLonGrid([0, 2, 60], [90, 98, 110])  # centres 94, inside the last cell, and 104, outside
    got = RegridPlan(window, target, method="bilinear").apply(field)
    np.testing.assert_array_equal(got, [[12.0, np.nan], [np.nan, np.nan]])


def test_bilinear_gives_the_weight_of_missing_cells_to_the_others():
    source = LatLonGrid([0, 10], [0, 10, 20, 30])
    target = LatLonGrid([0, 10], [6, 8, 12, 14, 26])
    mean, share = RegridPlan(source, target, method="bilinear").apply(np.array([[6.0, np.nan, 9.0]]), fraction=True)
    np.testing.assert_allclose(mean, [[6.0, 6.0, 6.0, 9.0]], rtol=1e-15)
    np.testing.assert_allclose(share, [[0.8, 0.5, 0.2, 0.5]])


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (ShapeError, {"field": np.ones((14, 23))}),
        (ShapeError, {"field": np.ones(23)}),
        (DtypeError, {"field": np.ones((13, 23), complex)}),
        (RangeError, {"min_valid": -0.1}),
        (ShapeError, {"out": np.empty((13, 23))}),
        (DtypeError, {"out": np.empty((5, 7), np.float32)}),
    ],
)
def test_apply_refuses(error, arguments):
    plan = RegridPlan(*PAIRS["coarser"])
    good = {"field": np.ones((13, 23)), "out": np.empty((5, 7))}
    assert plan.apply(**good) is good["out"]
    with pytest.raises(error, match="expected"):
        plan.apply(**(good | arguments))


def test_plan_refuses_unknown_methods():
    with pytest.raises(RangeError, match="method: expected"):
        RegridPlan(GLOBE, GLOBE, method="nearest")
