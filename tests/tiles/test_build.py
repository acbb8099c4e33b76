import json

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from gppcore.cli.main import app
from gppcore.errors import MissingFileError, OutputExistsError, ProductFormatError, RangeError, ShapeError, UnitsError
from gppcore.regrid import aggregate
from gppcore.tiles import build as module
from gppcore.tiles.build import Cells, TileRecipe, build_tiles
from gppcore.tiles.store import TileStore

LAT, LON = 59.75 - 0.5 * np.arange(40), -19.75 + 0.5 * np.arange(80)
COARSE_LAT, COARSE_LON = 40.5 + np.arange(20.0), -19.5 + np.arange(40.0)  # ascending, one degree
RNG = np.random.default_rng(0)
COVER = RNG.integers(0, 6, (40, 80)).astype("f4")
COVER[RNG.random(COVER.shape) < 0.1] = np.nan
TAIR = RNG.normal(283.0, 5.0, (24, 40, 80)).astype("f4")
SW = RNG.uniform(50.0, 300.0, (24, 20, 40)).astype("f4")

RECIPE = """
years = [2003, 2004]

[cells]
path = "cover.nc"
variable = "igbp"
exclude = [0]

[variables.tair]
path = "tair_*.nc"
variable = "t2m"
offset = -273.15

[variables.sw]
path = "sw.zarr"
variable = "ssrd"

[variables.igbp]
path = "cover.nc"
variable = "igbp"
static = true
"""


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr("gppcore.tiles.store.TILE_CELLS", 500)


@pytest.fixture
def folder(tmp_path):
    time = np.array([f"{year}-{month:02d}-15" for year in (2003, 2004) for month in range(1, 13)], "M8[ns]")
    grid = {"lat": ("lat", LAT, {"units": "degrees_north"}), "lon": ("lon", LON, {"units": "degrees_east"})}
    coarse = {"lat": ("lat", COARSE_LAT), "lon": ("lon", COARSE_LON)}
    xr.Dataset({"igbp": (("lat", "lon"), COVER)}, grid).to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")
    tair = xr.Dataset({"t2m": (("time", "lat", "lon"), TAIR, {"units": "K"})}, {"time": time, **grid})
    for year in ("2003", "2004"):
        tair.sel(time=year).to_netcdf(tmp_path / f"tair_{year}.nc", engine="h5netcdf")
    sw = xr.Dataset({"ssrd": (("time", "lat", "lon"), SW, {"units": "W m-2"})}, {"time": time, **coarse})
    sw.to_zarr(tmp_path / "sw.zarr", consolidated=False)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def changed(folder, old, new):
    assert old in RECIPE
    path = folder / "changed.toml"
    path.write_text(RECIPE.replace(old, new))
    return TileRecipe.read(path)


@pytest.mark.parametrize("band", [2**26, 3000], ids=["one band", "many bands"])
def test_store_holds_the_fields_at_the_cells(folder, monkeypatch, band):
    monkeypatch.setattr(module, "_BAND_VALUES", band)
    done = []
    store = build_tiles(TileRecipe.read(folder / "recipe.toml"), folder / "store", progress=done.append)
    land = np.flatnonzero(~np.isnan(COVER) & (COVER != 0))
    assert sorted(store.index) == land.tolist()
    assert store.n_tiles > 4
    assert sum(done) == store.index.size * (2 + 2 + 1)
    for month in range(24):
        expected = (TAIR[month].ravel()[store.index] - 273.15).astype("f4")
        np.testing.assert_allclose(store.read_field("tair", month), expected, rtol=0, atol=1e-4)
        fine = np.repeat(np.repeat(SW[month, ::-1], 2, axis=0), 2, axis=1)
        np.testing.assert_allclose(store.read_field("sw", month), fine.ravel()[store.index], rtol=1e-6)
    np.testing.assert_array_equal(store.read_field("igbp"), COVER.ravel()[store.index])


def test_predictors_of_your_own_have_their_unit(folder):
    recipe = changed(folder, "[variables.sw]", '[variables.light]\nunits = "W m-2"')
    store = build_tiles(recipe, folder / "store")
    attrs = json.loads((folder / "store" / "light" / "zarr.json").read_text())["attributes"]
    assert (attrs["units"], attrs["long_name"]) == ("W m-2", "light")
    fine = np.repeat(np.repeat(SW[0, ::-1], 2, axis=0), 2, axis=1)
    np.testing.assert_allclose(store.read_field("light", 0), fine.ravel()[store.index], rtol=1e-6)
    with pytest.raises(UnitsError, match=r"light \(.*sw.zarr\): expected MJ m-2, got W m-2"):
        build_tiles(changed(folder, "[variables.sw]", '[variables.light]\nunits = "MJ m-2"'), folder / "other")


def test_units_are_converted_by_meaning(folder):
    stated = build_tiles(changed(folder, "[variables.sw]", '[variables.sw]\nunits = "J m-2 d-1"'), folder / "joule")
    plain = build_tiles(TileRecipe.read(folder / "recipe.toml"), folder / "store")
    np.testing.assert_allclose(stated.read_field("sw", 3), plain.read_field("sw", 3) / 86400.0, rtol=1e-5)
    kelvin = build_tiles(changed(folder, "offset = -273.15", ""), folder / "kelvin")
    np.testing.assert_allclose(kelvin.read_field("tair", 3), plain.read_field("tair", 3), atol=1e-4)
    for unit, message in (
        ("Pa", "sw in .*: expected W m-2 or a unit that converts"),
        ("lux/x", "unknown unit 'lux/x'"),
    ):
        with pytest.raises(UnitsError, match=message):
            build_tiles(changed(folder, "[variables.sw]", f'[variables.sw]\nunits = "{unit}"'), folder / "wrong")


def test_unfinished_store_is_gone_on_with(folder, monkeypatch):
    recipe = TileRecipe.read(folder / "recipe.toml")
    store = build_tiles(recipe, folder / "store")
    (store.path / "tair" / "c" / "1" / "2").unlink()
    written = []
    real = TileStore.put
    monkeypatch.setattr(TileStore, "put", lambda self, *args: written.append(args[:2]) or real(self, *args))
    again = build_tiles(recipe, folder / "store")
    assert [(name, tile) for name, tile in written] == [("tair", 2)]
    np.testing.assert_allclose(again.read_field("tair", 23), TAIR[23].ravel()[store.index] - 273.15, atol=1e-4)


def test_finer_fields_are_averaged_by_area(folder):
    lat, lon = 59.875 - 0.25 * np.arange(80), -19.875 + 0.25 * np.arange(160)
    fine = RNG.uniform(0.0, 6.0, (12, 80, 160)).astype("f4")
    data = xr.Dataset({"lai": (("time", "lat", "lon"), fine)}, {"lat": lat, "lon": lon})
    data.to_netcdf(folder / "lai.nc", engine="h5netcdf")
    text = RECIPE[: RECIPE.index("[variables")].replace("years = [2003, 2004]", "")
    (folder / "lai.toml").write_text(text + '[variables.lai]\npath = "lai.nc"\nvariable = "lai"\n')
    store = build_tiles(TileRecipe.read(folder / "lai.toml"), folder / "store")
    expected = aggregate(fine, factor=2, lat_edges=(60.0, 40.0))
    np.testing.assert_allclose(store.read_field("lai", 7), expected[7].ravel()[store.index], rtol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ('"tair_*.nc"', '"none_*.nc"', MissingFileError, "tair: expected files .*none"),
        ('"cover.nc"', '"none.nc"', MissingFileError, "cells: expected a netCDF file"),
        ('"t2m"', '"t3m"', ShapeError, r"expected a variable 't3m', got \['t2m'\]"),
        ("offset = -273.15", 'units = "mm"', UnitsError, "tair in .*tair_2003.nc: expected degC or a unit that conv"),
        ("offset = -273.15", "offset = 1.0", UnitsError, "tair.*look like K"),
        (
            "[2003, 2004]",
            "[2003, 2005]",
            ShapeError,
            "tair: expected the fields of month 1 of 2005 in tair.*, got none",
        ),
        (
            "variables.sw",
            "variables.light",
            RangeError,
            r"expected names of gppcore.variables, or .* of your own, got \['light'\]",
        ),
    ],
)
def test_what_does_not_fit_is_told(folder, old, new, error, message):
    with pytest.raises(error, match=message):
        build_tiles(changed(folder, old, new), folder / "store")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[cells]", "[cell]", r"expected cells, variables, years and region, got \['cell'\]"),
        ("[2003, 2004]", "[2004, 2003]", r"years: expected the first and the last year, got \[2004, 2003\]"),
        ('variable = "t2m"', 'name = "t2m"', "changed.toml: tair: expected path, variable and any of"),
        ('variable = "t2m"', 'variable = "t2m"\nmethod = "nearest"', "method: expected conservative or bilinear"),
        ("static = true", "static =", "changed.toml: expected TOML, got"),
    ],
)
def test_wrong_recipes_are_told(folder, old, new, message):
    with pytest.raises(RangeError, match=message):
        changed(folder, old, new)


def test_store_of_another_recipe_is_refused(folder):
    build_tiles(TileRecipe.read(folder / "recipe.toml"), folder / "store")
    with pytest.raises(OutputExistsError, match="expected 'tair' with attributes"):
        build_tiles(changed(folder, "-273.15", "-273.16"), folder / "store")
    with pytest.raises(OutputExistsError, match="a store of the same cells and years"):
        build_tiles(changed(folder, "exclude = [0]", "exclude = [0, 1]"), folder / "store")


def test_command_builds_the_store(folder):
    done = CliRunner().invoke(app, ["tiles", "build", str(folder / "recipe.toml"), str(folder / "store")])
    assert done.exit_code == 0, done.output
    assert "3 variables" in done.output
    assert TileStore.open(folder / "store").has("igbp", 0)


def test_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "cover.nc").write_text("no netCDF")
    with pytest.raises(ProductFormatError, match=r"cover.nc: expected a readable CF netCDF file or Zarr store, got"):
        build_tiles(TileRecipe(Cells("cover.nc", "igbp"), {}, folder=tmp_path), tmp_path / "store")


def test_a_tile_of_far_cells_is_read_in_parts(folder, monkeypatch):
    """A few cells all over the grid, as those of towers are, get the values of a store of all cells."""
    whole = build_tiles(TileRecipe.read(folder / "recipe.toml"), folder / "whole")
    few = np.array([3, 85, 1000, 1601, 2000, 3110])
    few = few[np.isin(few, whole.index)]
    monkeypatch.setattr(module, "_BAND_VALUES", 2000)
    heights = []
    bands = module.Fields.bands

    def counted(self, year, grid, rows, n_threads):
        heights.append(rows.stop - rows.start)
        return bands(self, year, grid, rows, n_threads)

    monkeypatch.setattr(module.Fields, "bands", counted)
    store = TileStore.create(folder / "few", whole.lat, whole.lon, few, years=range(2003, 2005))
    build_tiles(TileRecipe.read(folder / "recipe.toml"), store)
    at = [int(np.flatnonzero(whole.index == cell)[0]) for cell in store.index]
    for year in (2003, 2004):
        for name in ("tair", "sw"):
            expected = np.concatenate([whole.read(name, tile, year) for tile in range(whole.n_tiles)], axis=1)[:, at]
            np.testing.assert_array_equal(store.read(name, 0, year), expected)
    assert len(few) > 3
    assert max(heights) * len(whole.lon) * 12 <= 2 * 2000
