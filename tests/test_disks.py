"""Every public writer on a disk that is full, on one that cannot be written, and in a folder without permission."""

import errno
import os
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from gppcore import Forest, TileStore, TransferModel, map_gpp, read_sites, write_tower_folder
from gppcore.calibration.result import Calibration, Estimate
from gppcore.constants import PFTS
from gppcore.errors import DiskFullError, FileAccessError
from gppcore.evaluation.result import write as write_evaluation
from gppcore.io.durable import write_durably, write_json, write_table
from gppcore.mapping.product import write_netcdf
from gppcore.towers.files.months import SiteMonths

LAT, LON = 89.5 - np.arange(40.0), np.arange(80.0)
NOISE = np.random.default_rng(0).random(200_000)


@pytest.fixture(scope="module")
def model():
    n = 2000
    stumps = Forest.from_arrays(
        n_features=2,
        tree_begin=np.arange(n + 1) * 3,
        feature=[0, -1, -1] * n,
        threshold=np.ravel([[t, 0.0, 0.0] for t in NOISE[:n]]),
        left=[1, 0, 0] * n,
        right=[2, 0, 0] * n,
        value=np.ravel([[0.0, v, 1e-3] for v in NOISE[:n]]),
    )
    return TransferModel.of_forest(stumps, ("tair", "lai"))


@pytest.fixture(scope="module")
def mapped(model, tmp_path_factory):
    """Make a store with a map, and its product."""
    folder = tmp_path_factory.mktemp("mapped")
    store = TileStore.create(folder / "store", LAT, LON, np.arange(3200))
    for name, monthly in (("tair", True), ("lai", False)):
        store.add(name, monthly=monthly, attrs={})
        values = NOISE[: 12 * 3200].reshape(12, 3200).astype(np.float32)
        store.write(name, 0, values if monthly else values[0])
    map_gpp(model, store, folder / "gpp.zarr", n_threads=1)
    return folder


def months():
    times = pd.period_range("2001-01", "2002-12", freq="M")
    table = pd.DataFrame({"site_id": "DE-Mad", "year": times.year, "month": times.month})
    weather = table.assign(tmin=5.0, tmax=15.0, sw=150.0, vpd=800.0, precip=2.0, ca=380.0, lai=2.0)
    gpp = table.assign(gpp=NOISE[:24], core=1)
    first, last = times[0].to_timestamp(), times[-1].to_timestamp()
    return SiteMonths("DE-Mad", "towers.csv", "plain", "MM", first, last, gpp, weather, ())


def tower_folder(model, mapped, to):
    (mapped / "sites.csv").write_text("site_id,lat,lon,igbp,elev_m\nDE-Mad,51.0,13.5,DBF,380\n")
    sites = read_sites(mapped / "sites.csv")
    write_tower_folder([months()], sites, to / "towers")


def calibration(model, mapped, to):
    estimates = {name: {"vcmax25": Estimate(1.0, 1.0, 0.1)} for name in PFTS}
    Calibration(dict(PFTS), estimates, 1.0, 1.0, ("DE-Mad",) * 3000, 100, 3, "").save(to / "fit.json")


def tiles(model, mapped, to):
    store = TileStore.create(to / "store", LAT, LON, np.arange(3200))
    store.add("lai", monthly=False, attrs={})
    store.write("lai", 0, NOISE[:3200].astype(np.float32))


WRITERS = {
    "forest": lambda model, mapped, to: model.forests["forest"].save(to / "f.gppf"),
    "model": lambda model, mapped, to: model.save(to / "model"),
    "model zip": lambda model, mapped, to: model.save(to / "model.zip"),
    "tile store": tiles,
    "product": lambda model, mapped, to: map_gpp(model, TileStore.open(mapped / "store"), to / "gpp.zarr"),
    "netCDF": lambda model, mapped, to: write_netcdf(mapped / "gpp.zarr", to / "gpp.nc"),
    "tower folder": tower_folder,
    "evaluation": lambda model, mapped, to: write_evaluation(to / "e", {"a": 1}, pd.DataFrame({"x": NOISE})),
    "calibration": calibration,
    "bytes": lambda model, mapped, to: write_durably(to / "b", NOISE.data.cast("B")),
    "JSON": lambda model, mapped, to: write_json(to / "j.json", list(NOISE)),
    "table": lambda model, mapped, to: write_table(pd.DataFrame({"x": NOISE}), to / "t.csv"),
}


@pytest.fixture
def mount(tmp_path):
    """Return a function that mounts a small file system."""
    mounted = []

    def make(options):
        disk = tmp_path / "disk"
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("no file system can be mounted here")
        mounted.append(disk)
        return disk

    yield make
    for disk in mounted:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("options", ["size=4k", "size=16k", "size=1m,nr_inodes=2"])
def test_full_disk(name, options, model, mapped, mount):
    disk = mount(options)

    def fill():
        for i in range(10):  # some need little
            WRITERS[name](model, mapped, disk)
            for path in disk.iterdir():
                path.rename(path.with_name(f"{i}_{path.name}"))

    with pytest.raises(DiskFullError) as raised:
        fill()
    assert raised.value.errno == errno.ENOSPC
    assert not [path for path in disk.rglob("*") if path.is_file() and path.name in ("f.gppf", "model.zip", "gpp.nc")]


@pytest.mark.parametrize("name", WRITERS)
def test_disk_that_cannot_be_written(name, model, mapped, mount):
    with pytest.raises(FileAccessError) as raised:
        WRITERS[name](model, mapped, mount("ro"))
    assert raised.value.errno == errno.EROFS
