import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

from gppcore import read_towers
from gppcore.cli.main import app
from gppcore.errors import RangeError
from gppcore.features import PREDICTORS
from gppcore.tiles.derive import derive_predictors
from gppcore.tiles.store import TileStore

SITES = ["ENF", "GRA", "WET", "CRO", "SAV"]
CODES = [1.0, 10.0, 11.0, 12.0, 9.0]
YEARS = (2001, 2002)
LAT, LON = 61.0 - 2.0 * np.arange(8), 1.0 + 2.0 * np.arange(8)
FRACTIONS = {name for name in PREDICTORS if name.startswith("fraction_")} | {"fraction_wetland"}


@pytest.fixture
def forcing():
    """Two years of weather of five places: a table of a tower folder."""
    rng, n = np.random.default_rng(0), 24 * len(SITES)
    month = np.tile(np.tile(np.arange(1, 13), 2), len(SITES))
    season = -np.cos((month - 0.5) * np.pi / 6)
    tmin = 5 + 9 * season + rng.normal(0, 1, n)
    return pd.DataFrame(
        {
            "site_id": np.repeat(SITES, 24),
            "year": np.tile(np.repeat(YEARS, 12), len(SITES)),
            "month": month,
            # What a tile holds exactly, so that tower and cell start from the same numbers.
            "cell_tmin_c": tmin.astype(np.float32).astype(float),
            "cell_tmax_c": (tmin + 8 + 3 * season).astype(np.float32).astype(float),
            "cell_sw_mj_m2_d": 13 + 8 * season,
            "cell_vpd_hpa": 8 + 4 * season,
            "cell_precip_mm_d": rng.uniform(0.0, 5.0, n).astype(np.float32).astype(float),
            "cell_co2_ppm": 380.0,
            "cell_lai_m2_m2": 2.0,
        }
    )


@pytest.fixture
def store(forcing, tmp_path, monkeypatch):
    """Return a store of two tiles with the same weather: five cells on a diagonal of the grid."""
    monkeypatch.setattr("gppcore.tiles.store.TILE_CELLS", 3)
    monkeypatch.setattr("gppcore.tiles.derive._BLOCK", 2)
    store = TileStore.create(tmp_path / "store", LAT, LON, np.arange(5) * 9, years=YEARS)
    assert store.index.tolist() == [0, 9, 18, 27, 36]
    with store.writing():
        for name, column in (("tmin", "cell_tmin_c"), ("tmax", "cell_tmax_c"), ("precip", "cell_precip_mm_d")):
            write(store, name, forcing[column].to_numpy(np.float32).reshape(5, 24).T)
        write(store, "igbp", np.array(CODES, np.float32))
    return store


def write(store, name, values):
    store.add(name, monthly=values.ndim == 2, attrs={"comment": "from a file"})
    for tile in range(store.n_tiles):
        for number, year in enumerate(store.each_year if values.ndim == 2 else (None,)):
            rows = values[12 * number : 12 * number + 12] if values.ndim == 2 else values
            store.write(name, tile, np.ascontiguousarray(rows[..., store.cells(tile)]), year, check="ignore")


def months(store, name):
    return np.stack([store.read_field(name, month) for month in range(24)])


def test_predictors_are_those_of_a_tower_folder(forcing, store, tmp_path):
    rows = {"lat": LAT[:5], "lon": LON[:5], "igbp": SITES, "c4_percent": 0.0, "cluster50km": range(5)}
    pd.DataFrame({"site_id": SITES, **rows, "koeppen_cedar": "C"}).to_csv(tmp_path / "sites.csv", index=False)
    forcing.to_csv(tmp_path / "cell_forcing_monthly.csv", index=False)
    pd.DataFrame({"site_id": SITES, "year": 2001, "month": 7, "gpp": 5.0}).to_csv(tmp_path / "gpp_monthly.csv")
    towers = read_towers(tmp_path).forcing
    added = derive_predictors(store)
    assert set(added) == {"tair", "tair_range", "sw_toa", "soil_water", "precip_3m", *FRACTIONS}
    for name in ("tair", "tair_range", "sw_toa", "soil_water", "precip_3m"):
        of_towers = towers[name].transpose("time", "cell").values.astype(np.float32)
        # The last bit may differ: pandas before 3.1 does not round what it reads from text to the nearest number.
        np.testing.assert_allclose(months(store, name), of_towers, rtol=2.0**-23, err_msg=name)
    for name in FRACTIONS - {"fraction_wetland"}:
        wanted = towers["pft_fraction"].sel(pft=name.removeprefix("fraction_"))
        np.testing.assert_array_equal(store.read_field(name), wanted.values.astype(np.float32))
    np.testing.assert_array_equal(store.read_field("fraction_wetland"), [0, 0, 1, 0, 0])
    assert (months(store, "soil_water")[:, 2] == 1.0).all()
    assert 0.0 < months(store, "soil_water")[:, 0].min() < 1.0


def test_lags_and_normals_are_those_of_a_tower_folder(forcing, store, tmp_path):
    rows = {"lat": LAT[:5], "lon": LON[:5], "igbp": SITES, "c4_percent": 0.0, "cluster50km": range(5)}
    pd.DataFrame({"site_id": SITES, **rows, "koeppen_cedar": "C"}).to_csv(tmp_path / "sites.csv", index=False)
    forcing.to_csv(tmp_path / "cell_forcing_monthly.csv", index=False)
    pd.DataFrame({"site_id": SITES, "year": 2001, "month": 7, "gpp": 5.0}).to_csv(tmp_path / "gpp_monthly.csv")
    towers = read_towers(tmp_path).forcing
    wanted = {"precip_12m", "tair_before", "aridity", "tair_growing", "soil_water_growing", "tair_seasonality"}
    assert not wanted & set(derive_predictors(store))
    assert wanted <= set(derive_predictors(store, also=wanted))
    for name in wanted:
        of_towers = towers[name].values.astype(np.float32)
        found = months(store, name) if store.is_monthly(name) else store.read_field(name)
        # The store keeps float32, from which the towers' float64 differ in the last digits.
        np.testing.assert_allclose(found, of_towers, rtol=2e-6, atol=2e-6, err_msg=name)


def test_what_the_store_has_is_kept(store):
    wet = np.full((24, 5), 0.25, np.float32)
    write(store, "soil_water", wet)
    write(store, "fraction_enf", np.full(5, 0.5, np.float32))
    added = derive_predictors(store)
    assert "soil_water" not in added
    assert "fraction_enf" not in added
    assert "fraction_grass" in added
    np.testing.assert_array_equal(months(store, "soil_water"), wet)
    np.testing.assert_array_equal(store.read_field("fraction_enf"), 0.5)


def test_stopped_run_goes_on(store, monkeypatch):
    added = derive_predictors(store)
    before = months(store, "soil_water")
    (store.path / "soil_water" / "c" / "1" / "0").unlink()
    written, real = [], TileStore.put

    def watched(self, name, tile, values, year=None, **options):
        written.append((name, tile, year))
        return real(self, name, tile, values, year, **options)

    monkeypatch.setattr(TileStore, "put", watched)
    assert derive_predictors(store) == added
    assert written == [("soil_water", 0, 2002)]
    np.testing.assert_array_equal(months(TileStore.open(store.path), "soil_water"), before)


def test_only_what_follows_is_added(tmp_path):
    store = TileStore.create(tmp_path / "store", LAT, LON, np.arange(5))
    assert derive_predictors(store) == ("sw_toa",)
    july, january = store.read_field("sw_toa", 6), store.read_field("sw_toa", 0)
    assert (july > 3 * january).all()


def test_missing_values_stay_where_they_are(store, forcing):
    precip = forcing["cell_precip_mm_d"].to_numpy(np.float32).reshape(5, 24).T
    precip[15, 1] = np.nan
    write(store, "precip", precip)
    write(store, "igbp", np.array([1, 10, 11, np.nan, 9], np.float32))
    derive_predictors(store)
    water = months(store, "soil_water")
    assert np.isnan(water[15:, 1]).all()
    assert np.isfinite(water[:15, 1]).all()
    assert np.isfinite(np.delete(water, 1, axis=1)).all()
    for name in FRACTIONS:
        assert np.isnan(store.read_field(name)).tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("wrong", [7.5, 17.0, -1.0])
def test_averaged_classes_are_refused(store, wrong):
    write(store, "igbp", np.array([1, 10, 11, wrong, 9], np.float32))
    with pytest.raises(RangeError, match=rf"igbp: expected classes 0 to 16, got {wrong:g}"):
        derive_predictors(store)


def test_command_derives_what_the_files_lack(tmp_path):
    igbp = np.full((8, 8), 10.0, np.float32)
    xr.Dataset({"igbp": (("lat", "lon"), igbp)}, {"lat": LAT, "lon": LON}).to_netcdf(tmp_path / "cover.nc")
    field = 'path = "cover.nc"\nvariable = "igbp"\n'
    (tmp_path / "recipe.toml").write_text(f"[cells]\n{field}[variables.igbp]\n{field}static = true\n")
    done = CliRunner().invoke(app, ["tiles", "build", str(tmp_path / "recipe.toml"), str(tmp_path / "store")])
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(TileStore.open(tmp_path / "store").read_field("fraction_grass"), 1.0)


def test_changed_inputs_are_derived_again(store):
    derive_predictors(store)
    before = months(store, "soil_water")
    precip = np.array(store.read("precip", 1, 2002))
    store.write("precip", 1, precip * 0.0, 2002)
    derive_predictors(store)
    after = months(store, "soil_water")
    tile = store.cells(1)
    assert (after[12:, tile] <= before[12:, tile]).all()
    assert (after[12:, tile] < before[12:, tile]).any()
    np.testing.assert_array_equal(after[:, store.cells(0)], before[:, store.cells(0)])


def test_what_many_cells_share_takes_little_disk(tmp_path):
    n = 5000
    store = TileStore.create(tmp_path / "store", 50.0 + 0.1 * np.arange(50), 0.1 * np.arange(100), np.arange(n))
    write(store, "igbp", np.full(n, 10.0, np.float32))
    derive_predictors(store, {"sw_toa", "fraction_grass"})
    raw = 12 * store.tile_cells * 4
    assert size(store, "sw_toa") < 0.05 * raw
    assert size(store, "fraction_grass") < 0.01 * raw
    np.testing.assert_array_equal(store.read("fraction_grass", 0), 1.0)
    assert np.ptp(store.read("sw_toa", 0)[5]) > 1.0


def size(store, name):
    return sum(file.stat().st_size for file in (store.path / name).rglob("*") if file.name != "zarr.json")


@pytest.mark.parametrize("values", [1, 24 * 2])
def test_years_of_a_tile_may_be_read_in_parts(store, monkeypatch, values):
    monkeypatch.setattr("gppcore.tiles.derive._BLOCK", 1)
    derive_predictors(store)
    whole = {name: months(store, name) for name in ("soil_water", "vpd", "precip_3m") if name in store.variables}
    for name in whole:
        for file in (store.path / name / "c").rglob("*"):
            if file.is_file():
                file.unlink()
    monkeypatch.setattr("gppcore.tiles.derive._VALUES", values)
    derive_predictors(store)
    for name, expected in whole.items():
        np.testing.assert_array_equal(months(store, name), expected)
    assert whole
