"""Cells drawn from tile stores, and what the process model and its emulators make of them."""

import tracemalloc

import numpy as np
import pytest

from gppcore.constants import PFT_NAMES
from gppcore.demo.fields import QUARTER, SHAPE, centres
from gppcore.demo.forcing import demonstration_forcing, leaf_area_index
from gppcore.demo.world import open_world
from gppcore.errors import RangeError, ShapeError, TileFormatError
from gppcore.features import PREDICTORS, pft_fractions
from gppcore.process import soil_water
from gppcore.tiles import store as tiles
from gppcore.tiles.store import TileStore
from gppcore.towers.process import PHYSICS, physics_features, process_gpp
from gppcore.transfer.source_domain import downscaled_rows, source_rows
from gppcore.transfer.source_tiles import FORCING, sample_tiles
from gppcore.transfer.train import pretrain

CA = 410.0


def fill(store, fields):
    """Write fields over all cells in the order of the store, monthly (years * 12, cells) or static (cells,)."""
    for name, values in fields.items():
        store.add(name, monthly=values.ndim == 2, attrs={"units": "1"})
        for tile in range(store.n_tiles):
            part = np.ascontiguousarray(values[..., store.cells(tile)], dtype=np.float32)
            if values.ndim == 1:
                store.write(name, tile, part, check="ignore")
                continue
            for number, year in enumerate(store.each_year):
                store.write(name, tile, part[12 * number : 12 * number + 12], year, check="ignore")
    return store


def small_store(path, n=3000, years=None, seed=0):
    """Make a store of two climates and mostly one type: cells 0 to 9 alone are evergreen needleleaf."""
    lat, lon = np.linspace(60.0, -30.0, 60), np.linspace(0.0, 99.0, 100)
    store = TileStore.create(path, lat, lon, np.arange(n), years=years)
    rng, months = np.random.default_rng(seed), 12 * len(years or [0])
    fields = {name: rng.random((months, n)) for name in FORCING[:-1]}
    # By place, so that it is the same in every store: warm in the north, polar in the south; never dry.
    fields["tair"] = np.where(store.index < 2000, 25.0, -5.0) + 0.01 * rng.random((months, n))
    fields["precip"] = np.full((months, n), 20.0)
    fields["c4_fraction"] = store.index / 10_000.0
    for name in PFT_NAMES:
        rare = store.index < 10
        fields[f"fraction_{name}"] = 0.9 * (rare if name == "enf" else ~rare if name == "dbf" else np.zeros(n))
    return fill(store, fields)


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "TILE_CELLS", 512)


def test_strata_give_alike_and_small_ones_all(small_tiles, tmp_path):
    cells = sample_tiles(small_store(tmp_path / "store"), n_cells=110)
    assert cells.sizes == {"time": 12, "cell": 110, "pft": len(PFT_NAMES)}
    at, tropical = cells["cell"].values, cells["cell"].values < 2000
    assert len(set(at)) == 110
    assert np.array_equal(np.sort(at[at < 10]), np.arange(10))
    assert (tropical & (at >= 10)).sum() == 50
    assert (~tropical).sum() == 50
    weight = cells["weight"].values
    assert set(weight[at < 10]) == {1.0}
    assert weight[~tropical][0] == 1000 / 50
    assert weight.sum() == pytest.approx(3000)


def test_fields_are_those_of_the_cells(small_tiles, tmp_path):
    store = small_store(tmp_path / "store", years=[2003, 2004])
    cells = sample_tiles(store, n_cells=200, seed=3)
    at, year = cells["cell"].values, cells["year"].values
    assert set(year) == {2003, 2004}
    np.testing.assert_allclose(cells["c4_fraction"], np.float32(at / 10_000.0))
    np.testing.assert_array_equal(cells["lat"], store.lat[at // 100])
    np.testing.assert_array_equal(cells["lon"], store.lon[at % 100])
    np.testing.assert_allclose(cells["pft_fraction"].sel(pft="enf"), np.where(at < 10, np.float32(0.9), 0.0))
    position = {int(cell): i for i, cell in enumerate(store.index)}
    for i in range(0, 200, 17):
        for month in (0, 11):
            field = store.read_field("lai", 12 * (year[i] - 2003) + month)
            assert cells["lai"].values[month, i] == field[position[int(at[i])]]


def test_draw_depends_on_seed_and_place_not_on_tiles(tmp_path, monkeypatch):
    drawn = []
    for tile_cells in (256, 1024, 65536):
        monkeypatch.setattr(tiles, "TILE_CELLS", tile_cells)
        drawn.append(sample_tiles(small_store(tmp_path / str(tile_cells)), n_cells=300))
    for other in drawn[1:]:
        assert other.identical(drawn[0])
    store = TileStore.open(tmp_path / "256")
    assert set(sample_tiles(store, n_cells=300, seed=1)["cell"].values) != set(drawn[0]["cell"].values)


def test_fewer_cells_are_part_of_more(small_tiles, tmp_path):
    store = small_store(tmp_path / "store")
    few, many = (set(sample_tiles(store, n_cells=n)["cell"].values) for n in (60, 600))
    assert few < many


def test_unknown_climate_is_left_out_and_errors_are_named(small_tiles, tmp_path):
    store = small_store(tmp_path / "store")
    tair = np.stack([store.read_field("tair", month) for month in range(12)])
    tair[4, store.index >= 10] = np.nan
    fill(store, {"tair": tair})
    assert sorted(sample_tiles(store, n_cells=100)["cell"].values) == list(range(10))
    with pytest.raises(RangeError, match="n_cells: expected at least 1, got 0"):
        sample_tiles(store, n_cells=0)
    with pytest.raises(TileFormatError, match="expected a variable 'ndwi'"):
        sample_tiles(store, ["ndwi"], n_cells=10)
    fill(store, {"tair": tair * np.nan})
    with pytest.raises(ShapeError, match="expected cells whose temperature and precipitation are known, got none"):
        sample_tiles(store, n_cells=10)


def test_memory_does_not_grow_with_the_store(small_tiles, tmp_path):
    peaks = []
    for n_years in (1, 6):
        store = small_store(tmp_path / str(n_years), years=range(2001, 2001 + n_years))
        sample_tiles(store, n_cells=100)  # opened and imported
        tracemalloc.start()
        sample_tiles(store, n_cells=100)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.fixture(scope="module")
def world_store(tmp_path_factory):
    """Embedded world over a strip of Europe and Africa: every second cell of 0.05 degrees each way."""
    rows, columns = slice(600, 2400), slice(3900, 4200)
    climate = strip_climate(slice(120, 480), slice(780, 840))
    with open_world() as ds:
        fine = {name: ds[name].values[rows, columns] for name in ("igbp", "ndvi_min", "ndvi_max")}
        c4 = np.nan_to_num(ds["c4_fraction"].values)
    for name, field in climate.items():
        climate[name] = field.repeat(QUARTER, axis=1).repeat(QUARTER, axis=2)
    land = (fine["igbp"] > 0) & np.isfinite(fine["ndvi_min"] + fine["ndvi_max"] + climate["sw"][0])
    land[1::2] = land[:, 1::2] = False
    row, column = np.nonzero(land)
    cells = (row + rows.start) * SHAPE[1] + column + columns.start
    store = TileStore.create(tmp_path_factory.mktemp("world") / "tiles", *centres(), cells)
    row, column = (at - part.start for at, part in zip(np.divmod(store.index, SHAPE[1]), (rows, columns), strict=True))
    climate = {name: field[:, row, column] for name, field in climate.items()}
    igbp, low, high = (field[row, column] for field in fine.values())
    fields = {name: climate[name] for name in FORCING if name in climate}
    fields["lai"] = leaf_area_index(low, high, climate["relative_gsi"].astype(np.float32))
    fields["ca"] = np.full(fields["lai"].shape, CA)
    fields["c4_fraction"] = c4[(row + rows.start) // 20, (column + columns.start) // 20]
    shares = dict(zip((f"fraction_{name}" for name in PFT_NAMES), pft_fractions(igbp), strict=True))
    return fill(store, fields | shares)


def strip_climate(rows, columns):
    """Model the forcing of a window at 0.25 degrees, (12, rows, columns) each; NaN off the land."""
    with open_world() as ds:
        window = ds[["tair", "precip"]].isel(lat_quarter=rows, lon_quarter=columns)
        whole = {name: window[name].values.astype(float) for name in ("tair", "precip")}
    land = np.isfinite(whole["tair"] + whole["precip"]).all(axis=0)
    lat, lon = (axis[part] for axis, part in zip(centres(QUARTER), (rows, columns), strict=True))
    y, x = (axis[land] for axis in np.meshgrid(lat, lon, indexing="ij"))
    climate = {name: field[:, land] for name, field in whole.items()}
    climate |= demonstration_forcing(y, x, climate["tair"], climate["precip"])
    evaporation = soil_water.potential_evaporation(climate["tair"], climate["tair_range"], climate["sw_toa"])
    climate["soil_water"] = soil_water.soil_water(climate["precip"], evaporation, climate["tair"])
    fields = {name: np.full((12, *land.shape), np.nan) for name in climate}
    for name, field in fields.items():
        field[:, land] = climate[name]
    return fields


def apart(cells):
    """Tell the cells of every third block of 5 degrees, to be left out of training."""
    return np.floor(cells["lat"].values / 5.0) % 3 == 0


def r2(found, truth):
    return 1.0 - np.mean((found - truth) ** 2) / np.var(truth)


def test_emulators_from_tiles_hold_on_unseen_blocks(world_store):
    cells = sample_tiles(world_store, n_cells=4000)
    unseen = apart(cells)
    assert 500 < unseen.sum() < 2500
    rows = source_rows(cells.isel(cell=~unseen), PREDICTORS, n_rows=60_000)
    assert rows.x.shape == (60_000, len(PREDICTORS))
    model = pretrain(rows.x, rows.physics)
    # As the store has them: no exchanged land cover.
    test = downscaled_rows(cells.isel(cell=unseen), PREDICTORS, physics={})
    truth = physics_features(test.months)
    found = model.predict_sources(list(test.x.T))
    skill = {name: r2(found[name], truth[name]) for name in PHYSICS}
    assert min(skill.values()) >= 0.97, skill


def test_simulated_blocks_are_what_one_run_gives(world_store):
    cells = sample_tiles(world_store, n_cells=500)
    rows = source_rows(cells, PREDICTORS, n_rows=25_000)
    assert len(rows.x) == 25_000
    np.testing.assert_array_equal(rows.physics["process"], process_gpp(rows.months))


def test_downscaled_product_is_taken_from_the_store(small_tiles, tmp_path):
    store = small_store(tmp_path / "store")
    product = np.random.default_rng(5).random((12, 3000))
    product[3, store.index == 0] = np.nan
    fill(store, {"process_0p5": product})
    cells = sample_tiles(store, [*PREDICTORS[:8], "process_0p5"], n_cells=50)
    rows = downscaled_rows(cells, PREDICTORS, physics={"process": "process_0p5"}, n_rows=10_000)
    assert len(rows.x) == 50 * 12 - 1
    month, cell = rows.months.gpp["month"].to_numpy() - 1, rows.months.gpp["site_id"].to_numpy()
    position = {int(c): i for i, c in enumerate(store.index)}
    at = [position[int(c)] for c in cells["cell"].values[cell]]
    np.testing.assert_array_equal(rows.physics["process"], product.astype(np.float32)[month, at])
    lai = np.stack([store.read_field("lai", m) for m in range(12)])
    np.testing.assert_array_equal(rows.x[:, PREDICTORS.index("lai")], lai[month, at])
    with pytest.raises(ShapeError, match=r"physics: expected variables of the cells, .*, got \['gpp'\]"):
        downscaled_rows(cells, PREDICTORS, physics={"process": "gpp"})
