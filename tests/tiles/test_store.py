import errno
import json
import os

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from gppcore.errors import (
    DiskFullError,
    DtypeError,
    FileAccessError,
    MissingFileError,
    OutputExistsError,
    RangeError,
    ShapeError,
    StoreLockedError,
    TileFormatError,
)
from gppcore.tiles import store as tiles
from gppcore.tiles.layout import window_order
from gppcore.tiles.store import TileStore

LAT, LON = 89.5 - np.arange(48.0), -179.5 + np.arange(80.0)
CELLS = np.random.default_rng(0).permutation(48 * 80)[:1300]


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """Three tiles, the last one ragged."""
    monkeypatch.setattr(tiles, "TILE_CELLS", 512)


@pytest.fixture
def store(tmp_path):
    store = TileStore.create(tmp_path / "store", LAT, LON, CELLS)
    store.add("tair", monthly=True, attrs={"units": "degC"})
    store.add("c4_fraction", monthly=False, attrs={"units": "1"})
    return store


def values(store, tile, *, monthly=True):
    n = len(store.index[store.cells(tile)])
    fields = np.random.default_rng(tile).random(size=(12, n) if monthly else (n,)).astype(np.float32)
    fields[..., 0] = np.nan
    return fields


def fill(store):
    for tile in range(store.n_tiles):
        store.write("tair", tile, values(store, tile))
        store.write("c4_fraction", tile, values(store, tile, monthly=False))


def chunk(store, tile, name="tair"):
    return store.path / name / "c" / "0" / str(tile) if name == "tair" else store.path / name / "c" / str(tile)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 100), st.integers(1, 100), st.randoms(use_true_random=False))
def test_window_order_is_a_permutation_that_keeps_windows_together(height, width, random):
    cells = np.array(random.sample(range(height * width), random.randint(0, height * width)), dtype=np.int64)
    ordered = window_order(cells, (height, width))
    assert sorted(ordered) == sorted(cells)
    row, column = np.divmod(ordered, width)
    window = list(zip(row // 40, column // 40, strict=True))
    assert window == sorted(window)
    np.testing.assert_array_equal(window_order(ordered[::-1], (height, width)), ordered)


def test_what_is_written_is_read_also_from_the_ragged_tile(store):
    fill(store)
    assert store.n_tiles == 3
    assert store.cells(2) == slice(1024, 1300)
    for reopened in (store, TileStore.open(store.path)):
        for tile in range(3):
            np.testing.assert_array_equal(reopened.read("tair", tile), values(store, tile))
            np.testing.assert_array_equal(reopened.read("c4_fraction", tile), values(store, tile, monthly=False))
            assert reopened.has("tair", tile)
        july = np.concatenate([values(store, tile)[6] for tile in range(3)])
        np.testing.assert_array_equal(reopened.read_field("tair", 6), july)
        assert reopened.read_field("c4_fraction").shape == (1300,)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("monthly", [True, False])
def test_tiles_are_read_only_and_mapped_if_not_compressed(store, compressed, monthly):
    store.add("lai", monthly=monthly, attrs={}, compressed=compressed)
    for tile in range(3):
        store.write("lai", tile, values(store, tile, monthly=monthly))
    reopened = TileStore.open(store.path)
    for tile in range(3):
        found = reopened.read("lai", tile)
        np.testing.assert_array_equal(found, values(store, tile, monthly=monthly))
        assert isinstance(found.base, np.memmap) is not compressed
        with pytest.raises(ValueError, match="read-only"):
            found[..., 0] = 1.0


def test_any_zarr_reader_opens_the_store(store):
    fill(store)
    with xr.open_zarr(store.path, chunks=None, consolidated=False) as ds:
        assert ds["tair"].dims == ("time", "cell")
        assert ds["tair"].attrs["units"] == "degC"
        assert ds["cell"].attrs["compress"] == "lat lon"
        np.testing.assert_array_equal(ds["tair"][6], store.read_field("tair", 6))
        np.testing.assert_array_equal(ds["c4_fraction"], store.read_field("c4_fraction"))
        lat, lon = ds["lat"].values, ds["lon"].values
        row, column = np.divmod(ds["cell"].values, lon.size)
        np.testing.assert_array_equal(lat[row], LAT[store.index // 80])
        np.testing.assert_array_equal(lon[column], LON[store.index % 80])
    np.testing.assert_array_equal(zarr.open_group(store.path, mode="r")["tair"][3], store.read_field("tair", 3))


def truncate(path):
    os.truncate(path, path.stat().st_size - 4)


def flip(path):
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["tair", "c4_fraction"])
@pytest.mark.parametrize("harm", [truncate, flip, lambda path: path.unlink()], ids=["truncate", "flip", "delete"])
def test_torn_tile_is_not_taken_for_finished(store, name, harm):
    fill(store)
    harm(chunk(store, 1, name))
    for reopened in (store, TileStore.open(store.path)):
        assert [reopened.has(name, tile) for tile in range(3)] == [True, False, True]
        if harm is not flip:
            with pytest.raises(TileFormatError, match=r"1: expected a file of \d+ bytes, got another or none"):
                reopened.read(name, 1)


def test_tile_that_the_journal_does_not_confirm_does_not_exist(store):
    fill(store)
    (store.path / "cell" / "journal.jsonl").unlink()
    reopened = TileStore.open(store.path)
    assert not reopened.has("tair", 0)
    with pytest.raises(TileFormatError, match="expected a finished tile 0 of 'tair', got none in the journal"):
        reopened.read("tair", 0)


def test_journal_cut_by_a_crash_loses_its_last_tile_only(store):
    fill(store)
    journal = store.path / "cell" / "journal.jsonl"
    os.truncate(journal, journal.stat().st_size - 9)
    reopened = TileStore.open(store.path)
    assert [reopened.has("c4_fraction", tile) for tile in range(3)] == [True, True, False]
    assert all(reopened.has("tair", tile) for tile in range(3))
    reopened.write("c4_fraction", 2, values(store, 2, monthly=False))
    assert TileStore.open(store.path).has("c4_fraction", 2), "what is written after the crash is not lost"


def test_tile_written_twice_holds_the_second(store):
    store.write("tair", 0, values(store, 0))
    second = np.zeros_like(values(store, 0))
    store.write("tair", 0, second)
    np.testing.assert_array_equal(TileStore.open(store.path).read("tair", 0), second)


def test_declaring_a_variable_again_keeps_it(store):
    fill(store)
    store.add("tair", monthly=True, attrs={"units": "degC"})
    with pytest.raises(OutputExistsError, match=r"expected 'tair' with attributes .*other.*, got .*degC"):
        store.add("tair", monthly=True, attrs={"units": "other"})
    assert store.has("tair", 0)
    assert json.loads((store.path / "tair" / "zarr.json").read_text())["attributes"]["units"] == "degC"


@pytest.mark.parametrize("fails_at", ["write", "fsync", "journal"])
def test_full_disk_leaves_the_old_tile(store, monkeypatch, fails_at):
    fill(store)
    real, calls = os.fsync, []

    def full(file):
        calls.append(file)
        if len(calls) > (fails_at == "journal"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)

    if fails_at == "write":
        monkeypatch.setattr(tiles.Path, "open", lambda *_: full(0))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match="expected room on the disk, got: No space left on device"):
        store.write("tair", 1, np.zeros_like(values(store, 1)))
    monkeypatch.undo()
    monkeypatch.setattr(tiles, "TILE_CELLS", 512)
    if fails_at != "journal":
        assert store.has("tair", 1)
        np.testing.assert_array_equal(TileStore.open(store.path).read("tair", 1), values(store, 1))
    store.write("tair", 1, values(store, 1))
    assert TileStore.open(store.path).has("tair", 1)


def test_other_write_errors_are_not_called_a_full_disk(store, monkeypatch):
    def denied(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "fsync", denied)
    with pytest.raises(FileAccessError, match="change the permissions"):
        store.write("tair", 0, values(store, 0))


@pytest.mark.parametrize("n", [1, 11, 12, 13])
def test_static_variable_is_told_from_a_monthly_one_at_any_number_of_cells(tmp_path, n):
    store = TileStore.create(tmp_path / "store", LAT, LON, np.arange(n))
    store.add("igbp", monthly=False, attrs={})
    store.add("tair", monthly=True, attrs={})
    store.write("igbp", 0, np.arange(n, dtype=np.float32), check="ignore")
    store.write("tair", 0, np.ones((12, n), np.float32))
    assert store.read("igbp", 0).tolist() == list(range(n))
    assert store.read("tair", 0).shape == (12, n)


@pytest.mark.parametrize(
    ("name", "array", "error", "message"),
    [
        ("tair", np.zeros((12, 512)), DtypeError, "tair, tile 0: expected float32, got float64"),
        ("tair", np.zeros((11, 512), "f4"), ShapeError, r"tair, tile 0: expected \(12, 512\), got \(11, 512\)"),
        ("tair", np.zeros((12, 511), "f4"), ShapeError, r"expected \(12, 512\), got \(12, 511\)"),
        ("c4_fraction", np.zeros((12, 512), "f4"), ShapeError, r"expected \(512,\), got \(12, 512\)"),
        ("snow", np.zeros((12, 512), "f4"), TileFormatError, "expected a variable 'snow', got one of"),
    ],
)
def test_wrong_values_are_refused(store, name, array, error, message):
    with pytest.raises(error, match=message):
        store.write(name, 0, array)
    assert not chunk(store, 0).exists()


def test_wrong_places_are_refused(store, tmp_path):
    with pytest.raises(ShapeError, match="tile: expected 0 to 2, got 3"):
        store.cells(3)
    with pytest.raises(OutputExistsError, match="expected a new folder"):
        TileStore.create(store.path, LAT, LON, CELLS)
    with pytest.raises(MissingFileError, match=r"expected a folder with zarr.json"):
        TileStore.open(tmp_path / "none")
    zarr.open_group(tmp_path / "other", mode="w", zarr_format=3)
    with pytest.raises(TileFormatError, match="expected arrays lat, lon and cell"):
        TileStore.open(tmp_path / "other")


def test_second_writer_is_refused_with_the_owner(store):
    other = TileStore.open(store.path)
    with store.writing():
        store.write("tair", 0, values(store, 0))
        with pytest.raises(StoreLockedError, match=rf'expected no other writer, got .*"process": {os.getpid()},'):
            other.write("tair", 0, values(store, 0))
    other.write("tair", 1, values(store, 1))
    with store.writing():
        assert store.has("tair", 1), "a writer sees what was finished before it"


def test_chunk_that_is_a_symbolic_link_is_not_followed(store, tmp_path):
    fill(store)
    outside = tmp_path / "outside"
    chunk(store, 1).rename(outside)
    chunk(store, 1).symlink_to(outside)
    with pytest.raises(TileFormatError, match="1: expected a file or folder of the store, got a symbolic link"):
        TileStore.open(store.path).read("tair", 1)


def test_changed_tile_is_found_at_the_first_reading(store):
    fill(store)
    flip(chunk(store, 2))
    with pytest.raises(TileFormatError, match=r"2: expected tile 2 of 'tair' with the checksum in the journal"):
        TileStore.open(store.path).read("tair", 2)


def test_years_are_chunks_of_their_own(tmp_path):
    store = TileStore.create(tmp_path / "store", LAT, LON, CELLS, years=[2019, 2020])
    store.add("tair", monthly=True, attrs={})
    for year in (2019, 2020):
        store.write("tair", 1, values(store, 1) + np.float32(year - 2000), year)
    assert TileStore.open(store.path).years == (2019, 2020)
    np.testing.assert_array_equal(store.read("tair", 1, 2020), values(store, 1) + np.float32(20))
    with xr.open_zarr(store.path, chunks=None, consolidated=False) as ds:
        assert ds["time"].values[[0, 23]].astype("M8[D]").tolist() == [
            np.datetime64(d) for d in ("2019-01-15", "2020-12-15")
        ]
        np.testing.assert_array_equal(ds["tair"].sel(time="2020")[:, store.cells(1)], store.read("tair", 1, 2020))
    with pytest.raises(RangeError, match=r"year: expected a year of the store, 2019 to 2020, .* got 1"):
        store.read("tair", 1, 1)
    with pytest.raises(TileFormatError, match="expected a finished tile 0 of 'tair' in 2020"):
        store.read("tair", 0, 2020)
    with pytest.raises(RangeError, match="years: expected ascending calendar years"):
        TileStore.create(tmp_path / "other", LAT, LON, CELLS, years=[2020, 2019])


def test_compressed_tiles_are_smaller_and_the_same(store):
    store.add("lai", monthly=True, attrs={})
    smooth = np.round(values(store, 1), 1)
    store.write("lai", 1, smooth)
    np.testing.assert_array_equal(TileStore.open(store.path).read("lai", 1), smooth)
    assert (store.path / "lai" / "c" / "0" / "1").stat().st_size < smooth.nbytes
    with xr.open_zarr(store.path, chunks=None, consolidated=False) as ds:
        np.testing.assert_array_equal(ds["lai"][:, store.cells(1)], smooth)


def test_values_at_positions_are_those_of_the_cells(store):
    fill(store)
    whole = np.concatenate([values(store, tile) for tile in range(3)], axis=1)
    positions = np.array([[1299, 0, -1], [0, 700, 5]])
    found = store.read_at("tair", positions)
    np.testing.assert_array_equal(found, np.where(positions >= 0, whole[:, positions], np.float32(np.nan)))
    of_cell = np.concatenate([values(store, tile, monthly=False) for tile in range(3)])
    np.testing.assert_array_equal(store.read_at("c4_fraction", positions[1]), of_cell[positions[1]])
    assert np.isnan(store.read_at("tair", np.full(2, -1))).all()


@pytest.mark.parametrize("halo", [0, 3])
@pytest.mark.parametrize("columns", [slice(0, 20), slice(30, 80)])
def test_window_is_the_grid_with_its_margin(store, halo, columns):
    """80 of 360 one-degree columns: the grid does not go around, so that beyond its edge there is nothing."""
    fill(store)
    grid = np.full((12, 48, 80), np.nan, dtype=np.float32)
    grid.reshape(12, -1)[:, store.index] = np.concatenate([values(store, t) for t in range(3)], axis=1)
    padded = np.pad(grid, ((0, 0), (halo, halo), (halo, halo)), constant_values=np.nan)
    window = store.read_window("tair", slice(0, 48), columns, halo=halo)
    np.testing.assert_array_equal(window, padded[:, :, columns.start : columns.stop + 2 * halo])
    static = store.read_window("c4_fraction", slice(5, 9), columns, halo=halo)
    assert static.shape == (4 + 2 * halo, columns.stop - columns.start + 2 * halo)


def test_window_goes_around_the_globe(tmp_path):
    lon = -175.0 + 10.0 * np.arange(36)
    store = TileStore.create(tmp_path / "store", LAT, lon, np.arange(48 * 36))
    store.add("column", monthly=False, attrs={})
    for tile in range(store.n_tiles):
        store.write("column", tile, (store.index[store.cells(tile)] % 36).astype(np.float32))
    window = store.read_window("column", slice(10, 11), slice(34, 36), halo=1)
    assert window[1].tolist() == [33.0, 34.0, 35.0, 0.0]
