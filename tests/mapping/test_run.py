import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
import xarray as xr

from gppcore.constants import EARTH_RADIUS
from gppcore.errors import (
    MissingFileError,
    OutputExistsError,
    ProductFormatError,
    StoreLockedError,
    TileFormatError,
)
from gppcore.features import MONTHLY_PREDICTORS, PREDICTORS
from gppcore.forest import Forest
from gppcore.io.durable import rename_durably
from gppcore.mapping.product import verify_product, write_netcdf, write_product
from gppcore.mapping.run import map_gpp
from gppcore.tiles import store as tiles
from gppcore.tiles.store import TileStore
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import attributes

LAT, LON = 89.75 - 0.5 * np.arange(360), -179.75 + 0.5 * np.arange(720)
ROWS, COLUMNS = slice(70, 100), slice(360, 440)


class Sum:
    """Predicts the sum of all predictors and counts its calls."""

    def __init__(self):
        self.calls = 0
        self._lock = threading.Lock()

    digest = "sum"

    def predict_columns(self, columns):
        """Return the sum of the columns."""
        with self._lock:
            self.calls += 1
        return np.sum(np.broadcast_arrays(*columns), axis=0, dtype=np.float32)


def stump(feature, low, high):
    """Return a forest of one tree with two leaves."""
    return Forest.from_arrays(
        n_features=len(PREDICTORS),
        tree_begin=[0, 3],
        feature=[feature, -1, -1],
        threshold=[0.5, 0, 0],
        left=[1, 0, 0],
        right=[2, 0, 0],
        value=[0, low, high],
    )


class TwoForests:
    """A model with a forest for each bound; its prediction lies half way."""

    digest, has_interval = "two forests", True
    low, high = stump(0, 0.25, 1.0), stump(len(PREDICTORS) - 1, 2.0, 8.0)

    def predict_columns(self, columns, *, interval):
        """Return the mean of the forests and each of them."""
        low, high = self.low.predict_columns(columns), self.high.predict_columns(columns)
        return (low + high) / 2, low, high


OUTPUTS = ("gpp_daily", "gpp_daily_low", "gpp_daily_high")


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "TILE_CELLS", 512)


@pytest.fixture
def store(tmp_path):
    """Land in a window of the half-degree grid, with a hole, in four tiles."""
    cells = np.ravel_multi_index(np.mgrid[ROWS, COLUMNS].reshape(2, -1), (360, 720))
    cells = np.delete(cells, np.random.default_rng(0).choice(cells.size, 500, replace=False))
    store = TileStore.create(tmp_path / "store", LAT, LON, cells)
    rng = np.random.default_rng(1)
    for name in PREDICTORS:
        monthly = name in MONTHLY_PREDICTORS
        store.add(name, monthly=monthly, attrs={})
        for tile in range(store.n_tiles):
            n = len(store.index[store.cells(tile)])
            store.write(name, tile, rng.random((12, n) if monthly else n, dtype=np.float32))
    assert store.n_tiles == 4
    return store


def expected(store, month):
    return np.sum(predictors(store, month), axis=0, dtype=np.float32)


def predictors(store, month):
    return [store.read_field(n, month if n in MONTHLY_PREDICTORS else None) for n in PREDICTORS]


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def opened(product):
    return xr.open_zarr(product, chunks=None, consolidated=False)


def test_product_is_the_prediction_of_every_cell(store, tmp_path):
    map_gpp(Sum(), store, tmp_path / "gpp.zarr")
    with opened(tmp_path / "gpp.zarr") as ds:
        row = np.searchsorted(-ds["lat"].values, -LAT[store.index // 720])
        column = np.searchsorted(ds["lon"].values, LON[store.index % 720])
        gpp = ds["gpp_daily"].values
        for month in range(12):
            np.testing.assert_array_equal(gpp[month, row, column], expected(store, month))
        gpp[:, row, column] = np.nan
        assert np.isnan(gpp).all(), "cells that are no land stay missing"


def test_map_without_uncertainty_has_the_same_gpp_alone(store, tmp_path):
    class Both(TwoForests):
        def predict_columns(self, columns, *, interval=False):
            found = super().predict_columns(columns, interval=True)
            return found if interval else found[0]

    map_gpp(Both(), store, tmp_path / "whole.zarr", variable="whole")
    map_gpp(Both(), store, tmp_path / "plain.zarr", variable="plain", uncertainty=False)
    assert {"whole_low", "whole_high"} < set(store.variables)
    assert not {"plain_low", "plain_high"} & set(store.variables)
    for tile in range(store.n_tiles):
        np.testing.assert_array_equal(store.read("plain", tile), store.read("whole", tile))


def test_product_covers_its_region_on_the_axes_of_the_grid(store, tmp_path):
    map_gpp(Sum(), store, tmp_path / "gpp.zarr")
    with opened(tmp_path / "gpp.zarr") as ds:
        np.testing.assert_array_equal(ds["lon"], LON[COLUMNS])
        np.testing.assert_array_equal(ds["lat"], LAT[ROWS])


def test_bands_and_chunks_meet(store, tmp_path, monkeypatch):
    """Chunks of 16 rows: several bands per product, and bands that cross tiles."""
    monkeypatch.setattr("gppcore.mapping.product.CHUNK", 16)
    map_gpp(Sum(), store, tmp_path / "small.zarr")
    monkeypatch.undo()
    monkeypatch.setattr(tiles, "TILE_CELLS", 512)
    map_gpp(Sum(), store, tmp_path / "large.zarr")
    with opened(tmp_path / "small.zarr") as small, opened(tmp_path / "large.zarr") as large:
        assert small["gpp_daily"].encoding["chunks"] == (12, 16, 16)
        xr.testing.assert_identical(small.load(), large.load())


def test_product_follows_cf(store, tmp_path):
    map_gpp(Sum(), store, tmp_path / "gpp.zarr", attrs={"title": "sum"})
    with opened(tmp_path / "gpp.zarr") as ds:
        assert ds.attrs["Conventions"] == "CF-1.8, ACDD-1.3"
        assert ds.attrs["title"] == "sum"
        gpp = ds["gpp_daily"]
        assert gpp.dims == ("time", "lat", "lon")
        assert gpp.attrs["standard_name"] == "gross_primary_productivity_of_biomass_expressed_as_carbon"
        assert gpp.attrs["units"] == "g m-2 d-1"
        assert "time: mean" in gpp.attrs["cell_methods"]
        assert [(ds[n].attrs["standard_name"], ds[n].attrs["axis"]) for n in ("lat", "lon")] == [
            ("latitude", "Y"),
            ("longitude", "X"),
        ]
        assert ds["time"].dtype.kind == "M"
        assert ds["time"].dt.month.values.tolist() == list(range(1, 13))


def test_only_lost_tiles_are_predicted_again(store, tmp_path):
    model = Sum()
    map_gpp(model, store, tmp_path / "first.zarr")
    assert model.calls == 4
    (store.path / "gpp_daily" / "c" / "0" / "2").unlink()
    again = Sum()
    map_gpp(again, TileStore.open(store.path), tmp_path / "second.zarr")
    assert again.calls == 1
    assert content(tmp_path / "second.zarr") == content(tmp_path / "first.zarr")


def test_product_carries_its_geometry(store, tmp_path):
    map_gpp(Sum(), store, tmp_path / "gpp.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # readers need no option, and warn of nothing
        ds = xr.open_zarr(tmp_path / "gpp.zarr", chunks=None).load()
    assert int(ds["land_fraction"].sum()) == store.index.size
    np.testing.assert_array_equal(ds["land_fraction"] == 1, np.isfinite(ds["gpp_daily"][0]))
    np.testing.assert_allclose(ds["lat_bnds"].mean("bnds"), ds["lat"])
    np.testing.assert_allclose(ds["lon_bnds"].mean("bnds"), ds["lon"])
    strip = np.sin(np.radians(ds["lat_bnds"])).diff("bnds").squeeze()
    expected = np.abs(strip) * np.radians(0.5) * EARTH_RADIUS**2
    np.testing.assert_allclose(ds["area"][:, 0], expected, rtol=1e-6)
    assert ds["gpp_daily"].attrs["grid_mapping"] == "crs"
    assert ds.attrs["geospatial_lat_max"] == float(ds["lat_bnds"].max())


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_the_product(store, tmp_path, threads):
    map_gpp(Sum(), store, tmp_path / "a.zarr", variable="a", n_threads=threads)
    map_gpp(Sum(), store, tmp_path / "b.zarr", variable="b", n_threads=2)
    with opened(tmp_path / "a.zarr") as a, opened(tmp_path / "b.zarr") as b:
        np.testing.assert_array_equal(a["a"], b["b"])


def test_failing_model_leaves_no_product_and_keeps_finished_tiles(store, tmp_path):
    class Failing(Sum):
        def predict_columns(self, columns):
            if self.calls >= 2:
                raise RuntimeError("power cut")
            return super().predict_columns(columns)

    with pytest.raises(RuntimeError, match="power cut"):
        map_gpp(Failing(), store, tmp_path / "gpp.zarr", n_threads=1)
    assert not list(tmp_path.glob("gpp.zarr*"))
    assert [store.has("gpp_daily", tile) for tile in range(4)] == [True, True, False, False]
    rest = Sum()
    map_gpp(rest, store, tmp_path / "gpp.zarr")
    assert rest.calls == 2
    np.testing.assert_array_equal(store.read_field("gpp_daily", 5), expected(store, 5))


def test_predictions_of_another_model_are_not_taken_for_this_one(store, tmp_path):
    class Other(Sum):
        digest = "other"

    map_gpp(Sum(), store)
    with pytest.raises(OutputExistsError, match=r"'gpp_daily' with attributes .*other.*, got .*sum"):
        map_gpp(Other(), store, tmp_path / "gpp.zarr")
    assert not (tmp_path / "gpp.zarr").exists()


def test_half_written_product_is_replaced(store, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("gppcore.mapping.product.rename_durably", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            map_gpp(Sum(), store, tmp_path / "gpp.zarr")
    (building,) = tmp_path.glob("gpp.zarr.*.part")
    (building / "stale").write_text("from a run that was killed")
    map_gpp(Sum(), store, tmp_path / "gpp.zarr")
    assert not building.exists()
    assert not (tmp_path / "gpp.zarr" / "stale").exists()


def test_folders_of_the_user_stay(store, tmp_path):
    (tmp_path / "gpp.zarr.part").mkdir()
    (tmp_path / "gpp.zarr.part" / "thesis.txt").write_text("mine")
    map_gpp(Sum(), store, tmp_path / "gpp.zarr")
    assert (tmp_path / "gpp.zarr.part" / "thesis.txt").read_text() == "mine"


def test_the_store_is_locked_until_the_product_has_its_name(store, tmp_path, monkeypatch):
    other, real = TileStore.open(store.path), rename_durably

    def renamed(building, path):
        with pytest.raises(StoreLockedError):
            map_gpp(Sum(), other, tmp_path / "second.zarr")
        real(building, path)

    monkeypatch.setattr("gppcore.mapping.product.rename_durably", renamed)
    map_gpp(Sum(), store, tmp_path / "gpp.zarr")
    assert not (tmp_path / "second.zarr").exists()


def test_a_product_of_another_job_is_not_replaced(store, tmp_path, monkeypatch):
    def written(folder, relative):
        (tmp_path / "gpp.zarr").mkdir()

    monkeypatch.setattr("gppcore.mapping.product.write_manifest", written)
    with pytest.raises(OutputExistsError, match="which another job wrote meanwhile"):
        map_gpp(Sum(), store, tmp_path / "gpp.zarr")


def test_changed_predictors_are_mapped_again(store, tmp_path):
    map_gpp(Sum(), store)
    before = store.read_field("gpp_daily", 5)
    lai = np.array(store.read("lai", 1)) + np.float32(1.0)
    store.write("lai", 1, lai)
    map_gpp(Sum(), store)
    after = store.read_field("gpp_daily", 5)
    np.testing.assert_array_equal(after, expected(store, 5))
    changed = np.flatnonzero(after != before)
    assert changed.size
    assert np.isin(changed, np.arange(store.cells(1).start, store.cells(1).stop)).all()


def flipped(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 64
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("name", ["lat/c/0", "lon/c/0", "cell/c/0", "time/c/0", "zarr.json", "cell/zarr.json"])
@pytest.mark.parametrize("harm", [lambda path: flipped(path, path.stat().st_size // 2), lambda path: path.unlink()])
def test_damage_of_coordinates_and_metadata_is_found(store, name, harm):
    harm(store.path / name)
    with pytest.raises((TileFormatError, MissingFileError)):
        TileStore.open(store.path)


def test_damage_of_a_product_is_found(store, tmp_path):
    product = tmp_path / "gpp.zarr"
    map_gpp(Sum(), store, product)
    assert verify_product(product) > 5
    files = [path for path in product.rglob("*") if path.is_file() and path.name != "manifest.json"]
    for path in files:
        whole = path.read_bytes()
        flipped(path, len(whole) // 2)
        with pytest.raises(ProductFormatError, match=f"got 1 missing or damaged, first .*{path.name}"):
            verify_product(product)
        path.unlink()
        with pytest.raises(ProductFormatError, match="missing or damaged"):
            write_netcdf(product, tmp_path / "gpp.nc")
        path.write_bytes(whole)
    verify_product(product)
    chunk = next(path for path in files if path.parent.parent.parent.name == "c")
    flipped(chunk, chunk.stat().st_size // 2)
    with opened(product) as ds, pytest.raises(ValueError, match=r"(?i)crc32c|checksum"):
        ds["gpp_daily"].load()


def test_existing_product_is_refused_before_any_work(store, tmp_path):
    (tmp_path / "gpp.zarr").mkdir()
    model = Sum()
    with pytest.raises(OutputExistsError, match=r"product: expected a new folder, got .*gpp.zarr, which exists"):
        map_gpp(model, store, tmp_path / "gpp.zarr")
    assert model.calls == 0


def test_missing_predictor_is_named(store, tmp_path):
    (store.path / "lai" / "c" / "0" / "1").unlink()
    with pytest.raises(TileFormatError, match=r"lai.*: expected a file of"):
        map_gpp(Sum(), store, tmp_path / "gpp.zarr")


def test_progress_counts_cells_also_of_finished_tiles(store):
    for _ in range(2):
        done = []
        map_gpp(Sum(), store, progress=done.append)
        assert sum(done) == store.index.size


def test_netcdf_copy_holds_the_same(store, tmp_path):
    map_gpp(Sum(), store, tmp_path / "gpp.zarr")
    write_netcdf(tmp_path / "gpp.zarr", tmp_path / "gpp.nc")
    with opened(tmp_path / "gpp.zarr") as zarr_ds, xr.open_dataset(tmp_path / "gpp.nc", engine="h5netcdf") as ds:
        xr.testing.assert_identical(ds.load(), zarr_ds.load())
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(OutputExistsError, match=r"expected a new file, got .*gpp.nc"):
        write_netcdf(tmp_path / "gpp.zarr", tmp_path / "gpp.nc")


def test_netcdf_copy_of_a_year_says_which(tmp_path):
    store = TileStore.create(tmp_path / "store", LAT[:2], LON[:2], np.arange(4), years=(2001, 2002))
    store.add("gpp_daily", monthly=True, attrs={"units": "g m-2 d-1"})
    with store.writing():
        for year in store.years:
            store.write("gpp_daily", 0, np.full((12, 4), year - 2000, np.float32), year)
    write_product(store, tmp_path / "gpp.zarr", {"gpp_daily": attributes("gpp_daily")}, attrs={})
    write_netcdf(tmp_path / "gpp.zarr", tmp_path / "gpp.nc", year=2002)
    with xr.open_dataset(tmp_path / "gpp.nc", engine="h5netcdf") as ds:
        assert (ds["gpp_daily"] == 2.0).all()
        assert [ds.attrs[f"time_coverage_{end}"] for end in ("start", "end")] == ["2002-01-01", "2002-12-31"]


def test_model_names_its_predictors(store):
    class Own:
        digest, predictors = "own", ("lai", "c4_fraction", "tair")

        def predict_columns(self, columns):
            """Tell the columns apart."""
            lai, c4, tair = columns
            return lai - 2 * c4 + 4 * tair

    map_gpp(Own(), store)
    lai, tair = (store.read_field(name, 7) for name in ("lai", "tair"))
    np.testing.assert_array_equal(
        store.read_field("gpp_daily", 7), lai - 2 * store.read_field("c4_fraction") + 4 * tair
    )


def test_lags_and_normals_that_a_model_takes_are_derived_first(store):
    class Other(Sum):
        predictors = ("lai_max", "lai_before")

    map_gpp(Other(), store)
    lai = np.stack([store.read_field("lai", month) for month in range(12)])
    np.testing.assert_array_equal(store.read_field("lai_max"), lai.max(axis=0))
    np.testing.assert_array_equal(store.read_field("gpp_daily", 0), lai.max(axis=0) + lai[11])
    assert "lai_mean" not in store.variables  # nor anything else that was not asked for
    assert "tair_mean" not in store.variables


def test_predictor_that_the_store_lacks_is_named(store):
    class Other(Sum):
        predictors = ("lai", "ndwi")

    with pytest.raises(TileFormatError, match="expected a variable 'ndwi', got one of"):
        map_gpp(Other(), store)


def test_command_writes_the_product_and_shows_progress(store, tmp_path):
    model = TransferModel.of_forest(TwoForests.high)
    model.save(tmp_path / "model")
    command = [sys.executable, "-c", "from gppcore.cli.main import main; main()", "map"]
    arguments = [tmp_path / "model", store.path, tmp_path / "gpp.zarr", "--variable", "mine"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stdout
    found = TileStore.open(store.path).read_field("mine", 4)
    np.testing.assert_array_equal(found, model.predict_columns(predictors(store, 4)))
    with opened(tmp_path / "gpp.zarr") as ds:
        assert ds["mine"].count() == 12 * store.index.size


def test_bounds_are_mapped_beside_the_prediction(store, tmp_path):
    map_gpp(TwoForests(), store, tmp_path / "gpp.zarr")
    write_netcdf(tmp_path / "gpp.zarr", tmp_path / "gpp.nc")
    for month in (0, 7):
        columns = predictors(store, month)
        low, high = (forest.predict_columns(columns) for forest in (TwoForests.low, TwoForests.high))
        for name, values in zip(OUTPUTS, ((low + high) / 2, low, high), strict=True):
            np.testing.assert_array_equal(store.read_field(name, month), values)
        with opened(tmp_path / "gpp.zarr") as ds, xr.open_dataset(tmp_path / "gpp.nc", engine="h5netcdf") as copy:
            here = ds.sel(lat=xr.DataArray(LAT[store.index // 720]), lon=xr.DataArray(LON[store.index % 720]))
            np.testing.assert_array_equal(here["gpp_daily_low"][month], low)
            np.testing.assert_array_equal(here["gpp_daily_high"][month], high)
            assert {name for name, array in ds.data_vars.items() if array.ndim == 3} == set(OUTPUTS)
            assert ds["gpp_daily"].attrs["ancillary_variables"] == "gpp_daily_low gpp_daily_high"
            assert ds["gpp_daily_high"].attrs["units"] == "g m-2 d-1"
            xr.testing.assert_identical(copy.load(), ds.load())


def test_bounds_take_the_name_of_the_prediction(store):
    map_gpp(TwoForests(), store, variable="mine")
    np.testing.assert_array_less(store.read_field("mine_low", 3), store.read_field("mine_high", 3))


def test_model_that_has_no_bounds_now_gives_none(store, tmp_path):
    class Plain(TwoForests, Sum):
        has_interval = False
        predict_columns = Sum.predict_columns

    map_gpp(Plain(), store, tmp_path / "gpp.zarr")
    with opened(tmp_path / "gpp.zarr") as ds:
        assert "gpp_daily_low" not in ds
        assert "ancillary_variables" not in ds["gpp_daily"].attrs


@pytest.mark.parametrize("name", OUTPUTS)
def test_tile_that_lost_one_of_its_outputs_is_predicted_again(store, tmp_path, name):
    map_gpp(TwoForests(), store, tmp_path / "first.zarr")
    lost = store.path / name / "c" / "0" / "2"
    lost.unlink()
    done = []
    map_gpp(TwoForests(), TileStore.open(store.path), tmp_path / "second.zarr", progress=done.append)
    assert lost.exists()
    assert sum(done) == store.index.size
    assert content(tmp_path / "second.zarr") == content(tmp_path / "first.zarr")


def test_land_of_a_single_row_has_its_bounds(tmp_path):
    store = TileStore.create(tmp_path / "row", LAT, LON, np.arange(5) + 10 * 720)
    store.add("gpp_daily", monthly=True, attrs={})
    store.write("gpp_daily", 0, np.ones((12, 5), np.float32))
    write_product(store, tmp_path / "gpp.zarr", {"gpp_daily": attributes("gpp_daily")}, attrs={})
    with opened(tmp_path / "gpp.zarr") as ds:
        np.testing.assert_array_equal(ds["lat_bnds"].values, [[85.0, 84.5]])
        assert (ds.attrs["geospatial_lat_min"], ds.attrs["geospatial_lat_max"]) == (84.5, 85.0)
        assert ds["lon_bnds"].shape == (5, 2)
