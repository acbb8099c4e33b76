"""Gridded files at addresses and behind reference sets: numbers as from a disk, errors that say what to do."""

import functools
import http.server
import json
import os
import sys
import threading

import numpy as np
import pytest
import xarray as xr

from gppcore import Experiment, compare
from gppcore.errors import FileAccessError, MissingFileError, MissingPackageError, ProductFormatError
from gppcore.experiment.inputs import fingerprint, found
from gppcore.io.cf import open_cf
from gppcore.io.sources import is_address, kind, sources, split_variable, there
from gppcore.tiles.build import Cells, TileRecipe, VariableSource, build_tiles

fsspec = pytest.importorskip("fsspec")
LAT, LON = np.arange(49.75, 48, -0.5), np.arange(5.25, 7, 0.5)
VALUES = np.arange(12 * 16, dtype="f4").reshape(12, 4, 4) / 16.0


@pytest.fixture
def memory():
    """Return a file system in memory that is empty again afterwards."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


def world(year=2001):
    """Return leaf area of a year and land cover."""
    time = np.arange(f"{year}-01", f"{year + 1}-01", dtype="M8[M]").astype("M8[ns]") + np.timedelta64(14, "D")
    grid = {"lat": ("lat", LAT, {"units": "degrees_north"}), "lon": ("lon", LON, {"units": "degrees_east"})}
    lai = (("time", "lat", "lon"), VALUES + year - 2001, {"units": "m2 m-2"})
    cover = (("lat", "lon"), np.full((4, 4), 4.0, "f4"))
    return xr.Dataset({"lai": lai, "igbp": cover}, {"time": time, **grid})


def put(files, name, ds, tmp_path):
    """Write a dataset as netCDF to another file system."""
    ds.to_netcdf(tmp_path / "put.nc", engine="h5netcdf")
    files.pipe(name, (tmp_path / "put.nc").read_bytes())


def leaf_area(path, folder, cells=None, years=None):
    """Return the leaf area of a store built from a path."""
    recipe = TileRecipe(Cells(cells or path, "igbp"), {"lai": VariableSource(path, "lai")}, years=years, folder=folder)
    store = build_tiles(recipe, folder / "tiles")
    return np.stack([store.read_field("lai", month) for month in range(12 * len(store.each_year))]).reshape(-1, 4, 4)


def test_netcdf_at_an_address(memory, tmp_path):
    put(memory, "/data/lai.nc", world(), tmp_path)
    np.testing.assert_array_equal(leaf_area("memory://data/lai.nc", tmp_path), VALUES)


def test_a_local_copy_that_fsspec_keeps(memory, tmp_path):
    put(memory, "/data/lai.nc", world(), tmp_path)
    np.testing.assert_array_equal(leaf_area("simplecache::memory://data/lai.nc", tmp_path), VALUES)
    assert len(fingerprint(["simplecache::memory://data/lai.nc"], tmp_path)) == 1


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_zarr_at_an_address(memory, tmp_path, zarr_format):
    world().to_zarr("memory://data/lai", zarr_format=zarr_format, consolidated=False)
    np.testing.assert_array_equal(leaf_area("memory://data/lai", tmp_path), VALUES)


def test_patterns_of_addresses(memory, tmp_path):
    for year in (2001, 2002):
        put(memory, f"/data/lai_{year}.nc", world(year), tmp_path)
    got = leaf_area("memory://data/lai_*.nc", tmp_path, cells="memory://data/lai_2001.nc", years=(2001, 2002))
    np.testing.assert_array_equal(got, np.concatenate([VALUES, VALUES + 1.0]))


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a word; states no version of what it sends but the time of change."""

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def served(tmp_path):
    """Return a folder and the address under which it is served."""
    (tmp_path / "www").mkdir()
    handler = functools.partial(Server, directory=tmp_path / "www")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path / "www", f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
def test_files_and_stores_of_a_web_server(served, tmp_path):
    pytest.importorskip("aiohttp")
    folder, address = served
    world().to_netcdf(folder / "lai.nc", engine="h5netcdf")
    world().to_zarr(folder / "lai.zarr", consolidated=False)
    for number, name in enumerate(("lai.nc", "lai.zarr")):
        (here := tmp_path / str(number)).mkdir()
        np.testing.assert_array_equal(leaf_area(f"{address}/{name}", here), VALUES)
    with pytest.raises(MissingFileError, match=r"expected files .*none.nc, got none"):
        leaf_area(f"{address}/none.nc", tmp_path, cells=f"{address}/lai.nc")
    before = fingerprint([f"{address}/lai.nc", f"{address}/lai.zarr"], tmp_path)
    assert [bool(size) and bool(version) for _, size, version in before] == [True, True]
    os.utime(folder / "lai.nc", (1e9, 1e9))
    after = fingerprint([f"{address}/lai.nc", f"{address}/lai.zarr"], tmp_path)
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True]


@pytest.fixture
def bucket(monkeypatch):
    """Return a bucket of a server on this machine that speaks as S3 does."""
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    account = {"endpoint_url": f"http://{host}:{port}", "key": "test", "secret": "test"}
    monkeypatch.setitem(fsspec.config.conf, "s3", account)
    fsspec.filesystem("s3").mkdir("bucket")
    yield "s3://bucket"
    server.stop()


@pytest.mark.filterwarnings("default")  # of the server
def test_a_bucket(bucket, tmp_path):
    files = fsspec.filesystem("s3")
    for year in (2001, 2002):
        put(files, f"bucket/lai_{year}.nc", world(year), tmp_path)
    world().to_zarr(f"{bucket}/lai.zarr", consolidated=False)
    for number, name in enumerate(("lai_2001.nc", "lai.zarr")):
        (here := tmp_path / str(number)).mkdir()
        np.testing.assert_array_equal(leaf_area(f"{bucket}/{name}", here), VALUES)
    got = leaf_area(f"{bucket}/lai_*.nc", tmp_path, cells=f"{bucket}/lai_2001.nc", years=(2001, 2002))
    np.testing.assert_array_equal(got, np.concatenate([VALUES, VALUES + 1.0]))
    (before,) = fingerprint([f"{bucket}/lai_2001.nc"], tmp_path)
    put(files, "bucket/lai_2001.nc", world(2003), tmp_path)
    (after,) = fingerprint([f"{bucket}/lai_2001.nc"], tmp_path)
    assert before[:2] == after[:2]
    assert before[2] != after[2], "the ETag"
    with pytest.raises(MissingFileError, match=r"got no such file s3://bucket/none\.nc"):
        leaf_area(f"{bucket}/none.nc", tmp_path)


@pytest.fixture
def references(memory, tmp_path):
    """Return the references of a file elsewhere, as kerchunk writes them."""
    kerchunk = pytest.importorskip("kerchunk.hdf")
    put(memory, "/data/lai.nc", world(), tmp_path)
    with fsspec.open("memory://data/lai.nc") as file:
        return kerchunk.SingleHdf5ToZarr(file, "memory://data/lai.nc", inline_threshold=0).translate()


def test_references_in_json(references, memory, tmp_path):
    (tmp_path / "refs.json").write_text(json.dumps(references))
    memory.pipe("/data/refs.json", json.dumps(references).encode())
    for number, path in enumerate((str(tmp_path / "refs.json"), "memory://data/refs.json")):
        (here := tmp_path / str(number)).mkdir()
        np.testing.assert_array_equal(leaf_area(path, here), VALUES)


@pytest.mark.filterwarnings("default")  # pandas and fastparquet warn of each other
def test_references_in_parquet(references, tmp_path):
    tables = pytest.importorskip("kerchunk.df")
    pytest.importorskip("fastparquet")
    (tmp_path / "refs.json").write_text(json.dumps(references))
    tables.refs_to_dataframe(str(tmp_path / "refs.json"), str(tmp_path / "refs.parq"))
    assert kind(tmp_path / "refs.parq") == "reference"
    np.testing.assert_array_equal(leaf_area("refs.parq", tmp_path), VALUES)


def test_references_to_what_is_gone(references, memory, tmp_path):
    (tmp_path / "refs.json").write_text(json.dumps(references))
    world().to_netcdf(tmp_path / "cover.nc", engine="h5netcdf")
    with open_cf(tmp_path / "refs.json", "lai") as ds:
        memory.rm("/data/lai.nc")
        assert ds.sizes["time"] == 12
    with pytest.raises(ProductFormatError, match=r"refs.json.*lai\.nc"):
        leaf_area("refs.json", tmp_path, cells="cover.nc")


def test_products_at_addresses_are_compared(memory, tmp_path):
    gpp = world()[["lai"]].rename(lai="gpp")
    gpp["gpp"].attrs["units"] = "g C m-2 d-1"
    put(memory, "/data/gpp.nc", gpp, tmp_path)
    gpp.to_netcdf(tmp_path / "gpp.nc", engine="h5netcdf")
    (result,) = compare("memory://data/gpp.nc:gpp", tmp_path / "gpp.nc")
    assert result.regions["whole"].r2 == pytest.approx(1.0)


def test_a_changed_address_is_another_input(memory, tmp_path):
    memory.pipe("/data/a.nc", b"one")
    world().to_zarr("memory://data/b.zarr", consolidated=False)
    addresses = ["memory://data/a.nc", "memory://data/b.zarr"]
    before = fingerprint(addresses, tmp_path)
    assert before == fingerprint(addresses, tmp_path)
    memory.pipe("/data/a.nc", b"two")
    assert [a == b for a, b in zip(before, fingerprint(addresses, tmp_path), strict=True)] == [False, True]


def test_the_package_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingPackageError, match=r"s3://bucket/a.nc: .*pip install 'gppcore\[remote\]'"):
        leaf_area("s3://bucket/a.nc", tmp_path)
    (tmp_path / "refs.json").write_text("{}")
    with pytest.raises(MissingPackageError, match=r"pip install 'gppcore\[remote\]'"):
        leaf_area("refs.json", tmp_path)


def test_other_refusals(memory, tmp_path):
    with pytest.raises(FileAccessError, match=r"nowhere://a.nc: expected access, got ValueError"):
        leaf_area("nowhere://a.nc", tmp_path)
    with pytest.raises(MissingFileError, match=r"got no such file memory://data/a.nc"):
        leaf_area("memory://data/a.nc", tmp_path)
    memory.pipe("/data/a.nc", b"\x0e\x03\x13\x01" + bytes(100))
    with pytest.raises(ProductFormatError, match="HDF4: convert it"):
        leaf_area("memory://data/a.nc", tmp_path)
    with pytest.raises(MissingFileError, match="towers: expected files of this machine, got s3://bucket/x"):
        found("s3://bucket/x", tmp_path)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.nc", ("a.nc", None)),
        ("a.nc:gpp", ("a.nc", "gpp")),
        ("s3://bucket/a.zarr", ("s3://bucket/a.zarr", None)),
        ("http://host:8000/a.nc", ("http://host:8000/a.nc", None)),
        ("http://host:8000/a.nc:gpp", ("http://host:8000/a.nc", "gpp")),
        ("simplecache::s3://bucket/a.nc:gpp", ("simplecache::s3://bucket/a.nc", "gpp")),
    ],
)
def test_variables_behind_a_colon(text, parts):
    assert split_variable(text) == parts


def test_names_on_this_machine(tmp_path):
    assert not is_address(tmp_path)
    (tmp_path / "a[1].nc").touch()
    assert sources("a[1].nc", tmp_path) == [tmp_path / "a[1].nc"] or sources("a[[]1].nc", tmp_path)
    assert sources("none.nc", tmp_path) == [tmp_path / "none.nc"]
    assert sources("none*.nc", tmp_path) == []
    assert there(tmp_path)


def test_an_experiment_on_addresses_is_checked(memory, tmp_path):
    put(memory, "/data/lai.nc", world(), tmp_path)
    (tmp_path / "experiment.toml").write_text(
        '[cells]\npath = "memory://data/lai.nc"\nvariable = "igbp"\n'
        '[variables.lai]\npath = "memory://data/lai.nc"\nvariable = "lai"\n'
        '[towers]\nfolder = "towers"\n'
        '[map]\ncompare = ["memory://data/lai.nc:lai", "memory://data/gone.nc:gpp"]\n'
    )
    findings = {each.item: each for each in Experiment.read(tmp_path / "experiment.toml").check()}
    assert "12 steps" in findings["lai"].text
    assert "16 cells" in findings["cells"].text
    assert not findings["memory://data/lai.nc"].fault
    assert "no such file memory://data/gone.nc" in findings["memory://data/gone.nc"].text
