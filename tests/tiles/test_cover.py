"""Land cover of any resolution and legend: classes are counted by area, never averaged."""

import numpy as np
import pytest
import xarray as xr

from gppcore.constants import IGBP
from gppcore.errors import RangeError, ShapeError
from gppcore.features import FRACTIONS
from gppcore.features.predictors import land_cover_fractions
from gppcore.tiles.build import Cells, TileRecipe, VariableSource, build_tiles
from gppcore.tiles.cover import LEGENDS

SHARES = (*FRACTIONS, "fraction_wetland")
LAT, LON = 50.0 - 0.5 * (np.arange(6) + 0.5), 5.0 + 0.5 * (np.arange(8) + 0.5)


def grid(factor):
    """Return a grid whose cells lie `factor` times a side in those of the store."""
    lat = 50.0 - 0.5 / factor * (np.arange(6 * factor) + 0.5)
    lon = 5.0 + 0.5 / factor * (np.arange(8 * factor) + 0.5)
    return lat, lon


@pytest.fixture
def build(tmp_path):
    """Build a store of 6 x 8 cells with land cover from classes on some grid; return its fields."""
    land = xr.Dataset({"land": (("lat", "lon"), np.ones((6, 8), "f4"))}, {"lat": LAT, "lon": LON})
    land.to_netcdf(tmp_path / "land.nc", engine="h5netcdf")

    def built(classes, lat, lon, *, variables=None, **options):
        ds = xr.Dataset({"cover": (("lat", "lon"), classes)}, {"lat": lat, "lon": lon})
        ds.to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")
        source = VariableSource("cover.nc", "cover", **{"static": True, **options})
        recipe = TileRecipe(Cells("land.nc", "land"), {"igbp": source, **(variables or {})}, folder=tmp_path)
        store = build_tiles(recipe, tmp_path / f"store{len(list(tmp_path.glob('store*')))}")
        names = [name for name in store.variables if name in ("igbp", *SHARES)]
        fields = {name: np.full(48, np.nan, "f4") for name in names}
        for name in names:
            fields[name][store.index] = store.read_field(name)
        return {name: field.reshape(6, 8) for name, field in fields.items()}

    return built


def test_a_field_on_the_grid_of_the_cells_keeps_its_classes(build):
    classes = np.random.default_rng(1).integers(0, 17, (6, 8)).astype("f4")
    classes[0, 0] = np.nan
    got = build(classes, LAT, LON)
    np.testing.assert_array_equal(got["igbp"], classes)
    for name, expected in land_cover_fractions(classes.astype(float)).items():
        np.testing.assert_array_equal(got[name], expected.astype("f4"))


@pytest.mark.parametrize("factor", [2, 5])
@pytest.mark.parametrize("piece", [2**25, 200])
def test_finer_classes_are_counted_by_area(build, factor, piece, monkeypatch):
    monkeypatch.setattr("gppcore.tiles.fields._PIECE_VALUES", piece)
    lat, lon = grid(factor)
    classes = np.random.default_rng(2).integers(0, 17, (6 * factor, 8 * factor)).astype("f4")
    classes[:factor, :factor] = np.nan
    classes[-1, -1] = np.nan
    got = build(classes, lat, lon)
    weight = np.cos(np.deg2rad(lat))[:, None] * ~np.isnan(classes)
    held = np.zeros((17, 6, 8))
    for code in range(17):
        held[code] = (weight * (classes == code)).reshape(6, factor, 8, factor).sum(axis=(1, 3))
    assert np.isnan(got["igbp"][0, 0])
    held /= np.maximum(held.sum(axis=0), 1e-12)
    inside = np.s_[:, 1:]
    chosen = np.take_along_axis(held, np.nan_to_num(got["igbp"]).astype(int)[None], axis=0)[0]
    np.testing.assert_allclose(chosen[inside], held.max(axis=0)[inside], rtol=1e-5)
    for name in FRACTIONS:
        mixture = [c.mixture.get(name.removeprefix("fraction_"), 0.0) for c in IGBP]
        np.testing.assert_allclose(got[name][inside], np.tensordot(mixture, held, 1)[inside], atol=1e-5)


def test_two_classes_never_make_a_third(build):
    lat, lon = grid(2)
    classes = np.full((12, 16), 4.0, "f4")  # DBF
    classes[:, ::2] = 6.0  # CSH; their mean would be MF
    got = build(classes, lat, lon)
    assert set(got["igbp"].ravel()) <= {4.0, 6.0}
    np.testing.assert_allclose(got["fraction_dbf"], 0.5, rtol=1e-6)
    np.testing.assert_allclose(got["fraction_shrub"], 0.5, rtol=1e-6)
    assert (got["fraction_mf"] == 0.0).all()


def test_coarser_classes_cover_the_cells(build):
    classes = np.array([[1.0, 12.0], [2.0, 4.0]], "f4")
    got = build(classes, np.array([49.25, 47.75]), np.array([6.0, 8.0]))
    np.testing.assert_array_equal(got["igbp"], np.repeat(classes, 4, axis=1).repeat(3, axis=0))


def test_water_of_mcd12q1_and_fill_values(build):
    classes = np.full((6, 8), 17, "u1")
    classes[0, :2] = 255, 254
    classes[0, 2] = 5
    got = build(classes, LAT, LON)["igbp"]
    assert np.isnan(got[0, :2]).all()
    assert got[0, 2] == 5.0
    assert (got[1:] == 0.0).all()


def test_legend_of_esa(build):
    classes = np.array([10, 30, 50, 61, 70, 80, 90, 100, 130, 150, 180, 190, 200, 210, 220, 0], "u1")
    got = build(np.resize(classes, (6, 8)), LAT, LON, legend="esa-cci")["igbp"].ravel()[:16]
    np.testing.assert_array_equal(got, [12, 14, 2, 4, 1, 3, 5, 8, 10, 16, 11, 13, 16, 0, 15, np.nan])


@pytest.mark.parametrize("legend", LEGENDS)
def test_legends_know_igbp_classes_alone(legend):
    assert set(LEGENDS[legend].values()) <= {c.code for c in IGBP} | {255}


@pytest.mark.parametrize(
    ("value", "options", "told"),
    [
        (60.0, {}, r"legend 'igbp', got 60 in 48 cells of .*legend"),
        (5.5, {}, "got 5.5"),
        (13.0, {"legend": "esa-cci"}, "legend 'esa-cci', got 13"),
        (4.0, {"legend": "cci"}, "legend: expected one of"),
        (4.0, {"method": "bilinear"}, "static = true"),
        (4.0, {"static": False}, "static = true"),
    ],
)
def test_what_is_refused(build, value, options, told):
    with pytest.raises(RangeError, match=told):
        build(np.full((6, 8), value, "f4"), LAT, LON, **options)


def test_legend_is_for_land_cover_alone(build):
    other = {"lai": VariableSource("cover.nc", "cover", legend="igbp")}
    with pytest.raises(RangeError, match="lai: legend: expected it for igbp alone"):
        build(np.full((6, 8), 4.0, "f4"), LAT, LON, variables=other)


def test_shares_of_the_user_are_kept(build):
    own = {"fraction_mf": VariableSource(value=0.25, static=True, units="1")}
    got = build(np.full((6, 8), 5.0, "f4"), LAT, LON, variables=own)
    assert (got["fraction_mf"] == 0.25).all()


class Years:
    """Files of land cover, one a year, and the store that they give."""

    def __init__(self, folder):
        self.folder = folder
        land = xr.Dataset({"land": (("lat", "lon"), np.ones((6, 8), "f4"))}, {"lat": LAT, "lon": LON})
        land.to_netcdf(folder / "land.nc", engine="h5netcdf")

    def write(self, name, code, *, time=None):
        """Write a file of one class everywhere, with its time where it has one."""
        ds = xr.Dataset({"cover": (("lat", "lon"), np.full((6, 8), code, "u1"))}, {"lat": LAT, "lon": LON})
        if time is not None:
            ds = ds.expand_dims(time=[np.datetime64(time, "ns")])
        ds.to_netcdf(self.folder / name, engine="h5netcdf")

    def build(self, pattern, years, name="igbp", **options):
        """Return the store of a pattern of files."""
        source = VariableSource(pattern, "cover", static=True, **options)
        recipe = TileRecipe(Cells("land.nc", "land"), {name: source}, years=years, folder=self.folder)
        return build_tiles(recipe, self.folder / f"store{len(list(self.folder.glob('store*')))}")


@pytest.fixture
def years(tmp_path):
    return Years(tmp_path)


def test_shares_of_years_are_averaged_over_those_of_the_store(years):
    for year, code in ((2001, 4), (2002, 4), (2003, 10), (2004, 12)):  # the last beyond the store
        years.write(f"MCD12C1.A{year}001.061.2022146170409.nc", code)
    store = years.build("MCD12C1.A*.nc", (2001, 2003))
    np.testing.assert_allclose(store.read_field("fraction_dbf"), 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(store.read_field("fraction_grass"), 1 / 3, rtol=1e-6)
    assert (store.read_field("fraction_crop") == 0.0).all()
    assert (store.read_field("igbp") == 4.0).all()


def test_a_year_without_a_file_has_the_nearest(years):
    for year, code in ((2001, 4), (2004, 10)):
        years.write(f"C3S-LC-L4-LCCS-Map-300m-P1Y-{year}-v2.1.1.nc", code)
    store = years.build("C3S-LC*.nc", (2001, 2005))  # 2001 and 2002; 2003 to 2005
    np.testing.assert_allclose(store.read_field("fraction_dbf"), 0.4, rtol=1e-6)
    assert (store.read_field("igbp") == 10.0).all()


def test_times_in_files_come_before_names(years):
    for name, time, code in (("a_1999.nc", "2001-01-01", 4), ("b_1998.nc", "2002-01-01", 10)):
        years.write(name, code, time=time)
    store = years.build("?_199?.nc", (2002, 2002))
    assert (store.read_field("fraction_grass") == 1.0).all()


def test_a_c4_share_of_years_is_averaged_too(years):
    for year, share in ((2001, 10), (2002, 40)):
        years.write(f"c4_{year}.nc", share)
    store = years.build("c4_*.nc", (2001, 2002), "c4_fraction", units="%")
    np.testing.assert_allclose(store.read_field("c4_fraction"), 0.25, rtol=1e-6)


def test_one_file_needs_no_year(years):
    years.write("cover.nc", 4)
    assert (years.build("cover.nc", (2001, 2002)).read_field("fraction_dbf") == 1.0).all()


def test_files_without_years_are_refused(years):
    years.write("a.nc", 4)
    years.write("b_2001.nc", 4)
    with pytest.raises(ShapeError, match=r"or one for each year, got 2 with the years \[2001\]"):
        years.build("[ab]*.nc", (2001, 2002))
