"""Tile stores where the host is short of something, or the files are not what they were."""

import faulthandler
import json
import os
import resource
import signal
import time
import zlib

import numpy as np
import pytest

from gppcore.errors import (
    FileAccessError,
    GppcoreError,
    MissingFileError,
    RangeError,
    RangeWarning,
    StoreLockedError,
    TileFormatError,
    UnitsError,
)
from gppcore.io.mapped import whole_files
from gppcore.tiles import store as tiles
from gppcore.tiles.journal import Entry
from gppcore.tiles.store import TileStore


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "TILE_CELLS", 4)
    store = TileStore.create(tmp_path / "store", 89.5 - np.arange(40.0), np.arange(80.0), np.arange(40 * 80))
    store.add("lai", monthly=False, attrs={"units": "1"}, compressed=False)
    store.add("sw", monthly=True, attrs={})
    with store.writing():
        for tile in range(3):
            store.write("lai", tile, np.full(4, tile, np.float32))
            store.write("sw", tile, np.full((12, 4), tile, np.float32))
    return store


def in_child(work):
    """Run in a forked process; return what `work` returns, a number below 100, or 111 for an error."""
    child = os.fork()
    if child == 0:
        code = 111
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_more_tiles_than_files_may_be_open(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "TILE_CELLS", 2)
    store = TileStore.create(tmp_path / "many", 89.5 - np.arange(40.0), np.arange(80.0), np.arange(2 * 200))
    store.add("lai", monthly=False, attrs={})
    with store.writing():
        for tile in range(store.n_tiles):
            store.confirm(store.put("lai", tile, np.full(2, tile, np.float32), check="ignore"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        mapped = [store.read("lai", tile) for tile in range(store.n_tiles)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [int(values[0]) for values in mapped] == list(range(200))


def test_no_descriptor_left_is_a_typed_error(store):
    def work():
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        codes = 0
        for action in (
            lambda: store.read("lai", 0),
            lambda: store.write("lai", 0, np.zeros(4, np.float32)),
            lambda: TileStore.open(store.path),
        ):
            try:
                action()
            except GppcoreError:
                codes += 1
        return codes

    assert in_child(work) == 3


def test_a_forked_process_does_not_hold_the_lock(store):
    def work():
        try:
            store.write("lai", 0, np.zeros(4, np.float32))
        except StoreLockedError as error:
            return 7 if str(os.getppid()) in str(error) else 8
        return 9

    with store.writing():
        assert in_child(work) == 7
        # Leaving the block in the child must not release the lock of the parent.
        child = os.fork()
        if child == 0:
            break_out = True
        else:
            break_out = False
            os.waitpid(child, 0)
            with pytest.raises(StoreLockedError), TileStore.open(store.path).writing():
                pass
    if break_out:
        os._exit(0)


def test_the_lock_ends_with_its_process_and_not_with_its_child(store):
    ready, begin = os.pipe(), time.monotonic()
    holder = os.fork()
    if holder == 0:
        with store.writing():
            if os.fork() == 0:
                os.write(ready[1], b"%d " % os.getpid())
                time.sleep(30)
                os._exit(0)
            time.sleep(30)
    helper = int(os.read(ready[0], 20))
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    try:
        store.write("lai", 0, np.ones(4, np.float32))
    finally:
        os.kill(helper, signal.SIGKILL)
    assert time.monotonic() - begin < 20.0


def test_another_thread_of_the_parent_cannot_block_the_child(store):
    import threading

    inside, leave = threading.Event(), threading.Event()

    def hold():
        with store._journal._threads:
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(30)

    def work():
        signal.alarm(20)
        store.write("lai", 0, np.zeros(4, np.float32))
        return 5

    try:
        assert in_child(work) == 5
    finally:
        leave.set()
        thread.join()


@pytest.mark.parametrize("size", [0, 1, 15, 17, 1000])
def test_a_file_of_another_size_is_not_mapped(store, size):
    os.truncate(store.path / "lai" / "c" / "0", size)
    with pytest.raises(TileFormatError, match=r"lai/c/0: expected a file of 16 bytes"):
        store.read("lai", 0)


@pytest.mark.parametrize(
    "where", ["lai/c/0", "lai/zarr.json", "zarr.json", "cell/journal.jsonl", "cell/c/0", "cell/manifest.json"]
)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_not_a_file_is_refused_at_once(store, where, kind):
    path = store.path / where
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    begin = time.monotonic()
    with pytest.raises((TileFormatError, MissingFileError, FileAccessError)):
        TileStore.open(store.path).read("lai", 0)
    assert time.monotonic() - begin < 5.0


def flips(content):
    """Yield a content with one bit wrong, every byte in turn."""
    for at in range(0, len(content), max(len(content) // 60, 1)):
        yield content[:at] + bytes([content[at] ^ (1 << at % 7)]) + content[at + 1 :]


def test_no_flipped_bit_is_silent(store):
    """Every file of the store in turn: the same values and attributes, or a typed error."""

    def look():
        opened = TileStore.open(store.path)
        values = [opened.read(name, tile).tolist() for name in ("lai", "sw") for tile in range(3)]
        layout = (opened.lat.tolist(), opened.lon.tolist(), opened.index.tolist(), opened.years)
        return values, layout, opened.attributes("lai"), opened.attributes("sw")

    before = look()
    files = [path for path in store.path.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert len(files) > 12
    refused = 0
    for path in files:
        content = path.read_bytes()
        for wrong in flips(content):
            path.write_bytes(wrong)
            try:
                assert look() == before, path
            except GppcoreError:
                refused += 1
        path.write_bytes(content)
    assert look() == before
    assert refused > 500


def attributes_and_values(path):
    store = TileStore.open(path)
    return store.attributes("lai"), store.read("lai", 0)


@pytest.mark.parametrize(
    "harm",
    [
        b"",
        b"\0" * 100,
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[]",
        b"null",
        b"1e999",
        b"9" * 5000,
        b'{"attributes": 3}',
        b'{"shape": [1e300], "codecs": [], "data_type": 1}',
        b'{"shape": 5, "codecs": {"name": 1}}',
        b'{"shape": [3200], "codecs": [{"name": "bytes"}], "data_type": "float64"}',
        "\ud800".encode("utf-8", "surrogatepass"),
        b" " * 2**21,
    ],
)
@pytest.mark.parametrize(
    "where", ["zarr.json", "lai/zarr.json", "cell/zarr.json", "cell/manifest.json", "cell/journal.jsonl"]
)
def test_damaged_metadata_are_typed_errors_with_numpy_set_to_raise(store, where, harm):
    sealed = where.startswith("lai")
    if not sealed:
        (store.path / "cell" / "manifest.json").unlink()  # as in a store that another program made
    (store.path / where).write_bytes(harm)
    with np.errstate(all="raise"), pytest.raises(GppcoreError):
        attributes_and_values(store.path)


@pytest.mark.parametrize(
    "line",
    [
        {"variable": ["lai"]},
        {"tile": "0"},
        {"size": None},
        {"crc32": 1.5},
        {"origin": {}},
        {"year": True},
        {"crc32": 10**40},
        {"more": 1},
    ],
)
def test_damaged_lines_of_the_journal_are_ignored(store, line):
    journal = store.path / "cell" / "journal.jsonl"
    entry = {"variable": "lai", "tile": 9, "year": 0, "size": 16, "crc32": 1, "origin": ""}
    with journal.open("a") as file:
        file.write("\n" + json.dumps({**entry, **line}))
    assert TileStore.open(store.path).read("lai", 0).tolist() == [0.0] * 4


def cut(store, name="lai", tile=0):
    """Cut the file of a tile short, in place."""
    path = store.path / name / "c" / str(tile) if name == "lai" else store.path / name / "c" / "0" / str(tile)
    os.truncate(path, 0)
    return path


@pytest.fixture
def large(tmp_path):
    """Make a store whose tile, mapped, spans many pages."""
    store = TileStore.create(tmp_path / "large", 89.5 - np.arange(100.0), np.arange(300.0), np.arange(30_000))
    store.add("lai", monthly=False, attrs={}, compressed=False)
    store.write("lai", 0, np.linspace(0.0, 9.0, 30_000, dtype=np.float32))
    return store


def test_a_tile_cut_short_while_it_is_read_is_an_error_and_not_the_end_of_the_process(large):
    mapped = large.read("lai", 0)
    cut(large)
    handler = signal.getsignal(signal.SIGBUS)
    with pytest.raises(TileFormatError, match="got one that was cut short"), whole_files():
        mapped.sum()
    assert signal.getsignal(signal.SIGBUS) is handler
    del mapped
    with pytest.raises(TileFormatError, match="expected a file of"):
        large.read_field("lai")
    with whole_files():  # what was unmapped is forgotten
        pass


def test_tiles_cut_short_under_readers_are_named(large, monkeypatch):
    """The file shrinks after its size was checked, just before its checksum is."""
    path = large.path / "lai" / "c" / "0"

    def shrunk(self, content):
        if self.variable == "lai" and self.tile == 0:  # and not its metadata
            os.truncate(path, 4096)
        return zlib.crc32(content) == self.crc32

    monkeypatch.setattr(Entry, "confirms", shrunk)
    with pytest.raises(TileFormatError, match=f"{path}: expected the file as it was"):
        TileStore.open(large.path).read("lai", 0)


def test_a_compressed_tile_is_whole_whatever_becomes_of_its_file(large):
    large.add("sw", monthly=True, attrs={})
    large.write("sw", 0, np.full((12, 30_000), 200.0, np.float32))
    values = large.read("sw", 0)
    cut(large, "sw")
    assert (values == 200.0).all()
    with pytest.raises(TileFormatError, match="expected a file of"):
        large.read("sw", 0)


def test_a_compressed_tile_that_changes_after_its_verification_is_an_error(large):
    """A file that is cut short within a page reads as zeros up to the end of the page."""
    large.add("sw", monthly=True, attrs={})
    rng = np.random.default_rng(0)
    large.write("sw", 0, rng.uniform(0.0, 300.0, (12, 30_000)).astype(np.float32))
    large.read("sw", 0)
    path = large.path / "sw" / "c" / "0" / "0"
    content = path.read_bytes()
    for end in (len(content) - 1, len(content) - 100, len(content) // 2):
        path.write_bytes(content[:end] + bytes(len(content) - end))
        with pytest.raises(TileFormatError, match=f"{path}: expected the file as it was written"):
            large.read("sw", 0)


def test_a_tile_cut_short_outside_of_a_guard_ends_the_process(large):
    """What gppcore does not read itself it cannot guard; see docs/reliability.md."""
    mapped = large.read("lai", 0)
    cut(large)

    def work():
        faulthandler.disable()
        return int(mapped.sum())

    assert in_child(work) == -signal.SIGBUS
    assert in_child(lambda: 7 if _raises(mapped) else 0) == 7


def _raises(mapped):
    try:
        with whole_files():
            mapped.sum()
    except TileFormatError:
        return True
    return False


def test_values_in_another_unit_are_refused_warned_of_or_let_pass(store):
    kelvin = np.full(4, 290.0, np.float32)
    store.add("tair", monthly=False, attrs={})
    with pytest.raises(UnitsError, match=r"tair in tile 0: expected degC, .* look like K; .* check=\"ignore\""):
        store.write("tair", 0, kelvin)
    with pytest.warns(RangeWarning, match="tair in tile 1"):
        store.write("tair", 1, kelvin, check="warn")
    store.write("tair", 2, kelvin, check="ignore")
    with pytest.raises(RangeError, match="check: expected one of"):
        store.write("tair", 2, kelvin, check="no")
