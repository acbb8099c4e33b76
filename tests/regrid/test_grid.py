import numpy as np
import pytest

from gppcore.constants import EARTH_RADIUS
from gppcore.errors import RangeError, ShapeError
from gppcore.regrid import LatLonGrid, cell_area, edges

SPHERE = 4 * np.pi * EARTH_RADIUS**2


def test_cell_areas_add_up_to_the_sphere():
    area = cell_area(np.linspace(90, -90, 361), np.linspace(-180, 180, 721))
    assert area.shape == (360, 720)
    assert area.sum() == pytest.approx(SPHERE, rel=1e-13)
    cap = 2 * np.pi * EARTH_RADIUS**2 * 2 * np.sin(np.radians(0.25)) ** 2  # 1 - cos x = 2 sin2(x / 2)
    assert area[0].sum() == pytest.approx(cap, rel=1e-12)


def test_edges_lie_midway():
    np.testing.assert_allclose(edges([2.0, 1.0, 0.5]), [2.5, 1.5, 0.75, 0.25])


def test_edges_beyond_a_pole_are_cut():
    polar = edges(np.linspace(90, -90, 13))
    assert cell_area(polar, [0, 360]).sum() == pytest.approx(SPHERE, rel=1e-13)


def test_centres_at_the_poles_make_half_rows():
    grid = LatLonGrid.from_centres(np.linspace(-90, 90, 361), np.arange(-180, 180, 0.625))
    assert grid.shape == (361, 576)
    np.testing.assert_array_equal(grid.lat_edges[[0, 1, -1]], [-90, -89.75, 90])
    assert grid.periodic
    assert grid.area.sum() == pytest.approx(SPHERE, rel=1e-13)


def test_single_precision_coordinates_close_the_globe():
    lat = (90 - 0.05 * (np.arange(3600) + 0.5)).astype(np.float32)
    lon = (-180 + 0.05 * (np.arange(7200) + 0.5)).astype(np.float32)
    grid = LatLonGrid.from_centres(lat, lon)
    assert grid.periodic
    np.testing.assert_array_equal(grid.lat_edges[[0, -1]], [90, -90])
    half = LatLonGrid(np.linspace(90, -90, 361), np.linspace(-180, 180, 721))
    assert grid.factor_in(half) == 10
    assert half.factor_in(grid) is None


def test_split_and_every_are_inverse():
    grid = LatLonGrid([10, 20, 40], [0, 5, 6, 9])
    fine = grid.split(4)
    assert fine.shape == (8, 12)
    assert fine.factor_in(grid) == 4
    np.testing.assert_array_equal(fine.every(4).lon_edges, grid.lon_edges)
    np.testing.assert_allclose(np.diff(fine.lat_edges), np.repeat([2.5, 5.0], 4))


@pytest.mark.parametrize(
    ("error", "lat", "lon"),
    [
        (ShapeError, [0], [0, 1]),
        (ShapeError, [[0, 1]], [0, 1]),
        (RangeError, [0, 1, 1], [0, 1]),
        (RangeError, [0, 2, 1], [0, 1]),
        (RangeError, [91, 92], [0, 1]),
        (RangeError, [0, 1], [0, np.nan]),
        (RangeError, [0, 1], [0, np.inf]),
        (RangeError, [0, 1, 2], [0, 200, 400]),
    ],
)
def test_grid_refuses(error, lat, lon):
    with pytest.raises(error, match="expected"):
        LatLonGrid(lat, lon)
