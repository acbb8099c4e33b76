from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest

import gppcore.demo.world
from gppcore.demo.world import linke_turbidity, open_world
from gppcore.errors import RangeError, ShapeError
from gppcore.variables import DAYS_IN_MONTH, VARIABLES, check_range

LAND_CELLS = 6_055_194
"""Cells of MCD12C1 2019 north of 60 S whose class is not water."""


@pytest.fixture(scope="module")
def world():
    with open_world() as dataset:
        yield dataset.load()


def at(world, names, lat, lon, grid=""):
    return world[names].sel({f"lat{grid}": lat, f"lon{grid}": lon}, method="nearest")


def test_file_keeps_its_size_budget():
    file = Path(gppcore.demo.world.__file__).parent / "data" / "world.nc"
    assert file.stat().st_size <= 13_000_000


@pytest.mark.parametrize(("grid", "step"), [("", 0.05), ("_quarter", 0.25), ("_1deg", 1.0)])
def test_grids_are_global_cell_centres_north_first(world, grid, step):
    lat, lon = world[f"lat{grid}"].values, world[f"lon{grid}"].values
    assert (lat[0], lat[-1]) == (90 - step / 2, -90 + step / 2)
    assert (lon[0], lon[-1]) == (-180 + step / 2, 180 - step / 2)
    np.testing.assert_allclose(np.diff(lat), -step, rtol=1e-9)
    np.testing.assert_allclose(np.diff(lon), step, rtol=1e-9)


@pytest.mark.parametrize("name", ["igbp", "ndvi_max", "ndvi_min", "c4_fraction", "tair", "precip"])
def test_variables_have_units_sources_and_valid_values(world, name):
    variable = world[name]
    assert variable.attrs["units"] == VARIABLES[name].unit
    assert {"long_name", "source", "licence"} <= set(variable.attrs)
    check_range(name, variable.values)


def test_land_is_complete(world):
    land = world.igbp.values > 0
    assert land.sum() == LAND_CELLS
    assert not land[world.lat.values < -60].any()
    for name in ("ndvi_max", "ndvi_min"):
        known = ~np.isnan(world[name].values)
        assert not (known & ~land).any()
        assert (land & ~known).sum() == 253
    assert (world.ndvi_min <= world.ndvi_max).values[land & known].all()


def test_climate_covers_land_and_its_rim(world):
    land = (world.igbp.values.reshape(720, 5, 1440, 5) > 0).any(axis=(1, 3))
    known = np.isfinite(world.tair.values)
    np.testing.assert_array_equal(known, np.isfinite(world.precip.values))
    assert known.all(axis=0)[land].all()
    rows, columns = np.nonzero(land)
    for shift in [(-1, -1), (-1, 0), (0, 1), (1, 1)]:
        assert known[:, rows + shift[0], (columns + shift[1]) % 1440].all()


def test_known_places(world):
    assert at(world, "igbp", 25, 10) == 16
    assert at(world, "igbp", -3, -65) == 2
    assert at(world, "igbp", 0, -30) == 0
    assert at(world, "ndvi_max", 25, 10) < 0.2
    assert at(world, "ndvi_max", -3, -65) > 0.75
    assert at(world, "c4_fraction", 42, -93.5, "_1deg") > at(world, "c4_fraction", 52, 10, "_1deg")


def test_climate_of_known_places(world):
    oslo = at(world, ["tair", "precip"], 59.9, 10.7, "_quarter")
    # Oslo, 1991-2020: 6.9 degC and 836 mm; the cell of 0.25 degree reaches into wetter hills.
    assert float(oslo.tair.mean()) == pytest.approx(6.9, abs=1.0)
    assert float((oslo.precip.values * DAYS_IN_MONTH).sum()) == pytest.approx(900, rel=0.3)
    assert int(oslo.tair.values.argmax()) == 6
    manaus = at(world, ["tair", "precip"], -3.1, -60.0, "_quarter")
    assert float(manaus.tair.mean()) == pytest.approx(27, abs=1)
    assert int(manaus.precip.values.argmin()) in (6, 7, 8)
    alice_springs = at(world, ["tair"], -23.7, 133.9, "_quarter")
    assert int(alice_springs.tair.values.argmin()) in (5, 6)


@pytest.mark.parametrize(("lat", "lon"), [(52.01, 13.31), (-3.11, -60.02), (-41.33, 174.78), (89.97, -179.97)])
def test_turbidity_equals_pvlib(lat, lon):
    times = pd.date_range("2019-01-01", periods=12, freq="MS", tz="UTC")
    expected = pvlib.clearsky.lookup_linke_turbidity(times, lat, lon, interp_turbidity=False)
    np.testing.assert_allclose(linke_turbidity([lat], [lon])[:, 0], expected.to_numpy())


def test_turbidity_at_the_borders_and_where_missing():
    turbidity = linke_turbidity([10.01, 10.01, 90.0, -90.0, np.nan], [-90.01, 269.99, 180.0, -180.0, 0.0])
    np.testing.assert_array_equal(turbidity[:, 0], turbidity[:, 1])
    assert np.isfinite(turbidity[:, :4]).all()
    assert np.isnan(turbidity[:, 4]).all()


def test_turbidity_refuses_bad_coordinates():
    with pytest.raises(RangeError, match="lat"):
        linke_turbidity([91.0], [0.0])
    with pytest.raises(ShapeError, match="one length"):
        linke_turbidity([1.0, 2.0], [0.0])
