"""Temperatures of coarse files at the elevation of the cells."""

import numpy as np
import pytest
import xarray as xr

from gppcore.errors import RangeError, ShapeError
from gppcore.tiles.build import Cells, TileRecipe, VariableSource, build_tiles

LAT, LON = 49.9 - 0.2 * np.arange(20), 5.1 + 0.2 * np.arange(20)
COARSE_LAT, COARSE_LON = 49.5 - np.arange(4.0), 5.5 + np.arange(4.0)
RNG = np.random.default_rng(3)
HEIGHT, LOW = RNG.uniform(0, 3000, (20, 20)), RNG.uniform(0, 1500, (4, 4))


def saved(path, dims, values, coords, **attrs):
    xr.Dataset({"v": (dims, np.asarray(values, "f4"), attrs)}, coords).to_netcdf(path, engine="h5netcdf")


@pytest.fixture
def build(tmp_path):
    """Build a store of `tair` from a coarse file; return its first month."""
    fine, coarse = {"lat": LAT, "lon": LON}, {"lat": COARSE_LAT, "lon": COARSE_LON}
    saved(tmp_path / "height.nc", ("lat", "lon"), HEIGHT, fine, units="m")
    saved(tmp_path / "low.nc", ("lat", "lon"), LOW, coarse, units="m")
    saved(tmp_path / "geopotential.nc", ("lat", "lon"), 9.80665 * LOW, coarse, units="m2 s-2")
    saved(tmp_path / "none.nc", ("lat", "lon"), LOW, coarse)
    air = np.broadcast_to(288.15 - 6.5e-3 * LOW, (12, 4, 4))
    saved(tmp_path / "air.nc", ("month", "lat", "lon"), air, {**coarse, "month": np.arange(1, 13)}, units="K")

    def built(name="tair", *, height=True, **options):
        sources = {name: VariableSource("air.nc", "v", **{"method": "lapse", **options})}
        if height:
            sources["elevation"] = VariableSource("height.nc", "v", static=True)
        recipe = TileRecipe(Cells("height.nc", "v"), sources, folder=tmp_path)
        store = build_tiles(recipe, tmp_path / f"store{len(list(tmp_path.glob('store*')))}")
        return store.read_field(name, 0)[np.argsort(store.index)].reshape(20, 20)

    return built


@pytest.mark.parametrize("orography", ["low.nc:v", "geopotential.nc:v"])
def test_air_of_the_standard_atmosphere_stays_it_at_every_height(build, orography):
    np.testing.assert_allclose(build(orography=orography), 15.0 - 6.5e-3 * HEIGHT, atol=1e-4)


def test_without_heights_temperatures_are_those_of_the_coarse_cells(build):
    plain = build(method="bilinear")
    assert 15.0 - 6.5e-3 * LOW.max() - 1e-4 < plain.min() < plain.max() < 15.0


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({}, RangeError, 'orography: expected "FILE:VARIABLE"'),
        ({"orography": "none.nc:v"}, RangeError, "units: expected one of"),
        ({"orography": "height.nc:v"}, ShapeError, "orography: expected the grid of"),
        ({"orography": "low.nc:v", "height": False}, ShapeError, r"expected \[variables.elevation\]"),
        ({"orography": "low.nc:v", "name": "lst_day", "units": "K"}, RangeError, "for tair, tmin, tmax alone"),
        ({"orography": "low.nc:v", "method": "bilinear"}, RangeError, 'expected it with method = "lapse"'),
    ],
)
def test_what_is_refused(build, options, error, told):
    with pytest.raises(error, match=told):
        build(**options)
