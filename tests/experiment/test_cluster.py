"""An experiment on a dask cluster gives the bytes of one in threads."""

import hashlib

import pytest

from gppcore import Experiment

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,  # a whole experiment, and processes that import all
    pytest.mark.filterwarnings("default"),  # libraries of the cluster warn of their own
]


def digests(folder, *names):
    """Return the digest of every data file of results."""
    files = sorted(p for name in names for p in (folder / "results" / name).rglob("*") if p.is_file())
    skip = ("zarr.json", "manifest.json", "journal", ".lock")
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
        if not p.name.startswith(skip)
    }


def test_workers_leave_the_same_tiles_process_and_product(world, finished):
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        Experiment.read(world / "experiment.toml").run(n_threads=1, client=client)
    names = ("tiles", "coarse", "process_gpp_0p5deg.zarr", "gpp_0p1deg.zarr")
    there, here = digests(finished, *names), digests(world, *names)
    assert len(here) > 40
    assert {name for name in there if there[name] != here.get(name)} == set()
