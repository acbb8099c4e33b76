"""An experiment on a dask cluster gives the bytes of one in threads."""

import hashlib
import json
import os
import signal
import threading
import time

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


def kill_a_worker(client, folder):
    """Kill one of the processes of a cluster as soon as the first tiles of leaf area are there."""
    pids = list(client.run(os.getpid).values())
    while not list((folder / "results" / "tiles" / "lai").glob("c/*/*")):
        time.sleep(0.01)
    os.kill(pids[0], signal.SIGKILL)


def same_as_in_threads(world, finished, *names):
    """Assert that results of a cluster hold the bytes of those of threads."""
    there, here = digests(finished, *names), digests(world, *names)
    assert len(here) > 40
    assert {name for name in here if there.get(name) != here[name]} == set()


def same_numbers(world, finished):
    """Assert that the reports hold the same numbers."""
    numbers = [json.loads((folder / "results" / "summary.json").read_text()) for folder in (finished, world)]
    for key in ("comparison", "compared", "gpp_pg_c_yr", "skill_by_scheme"):
        assert numbers[0][key] == numbers[1][key], key


def test_a_killed_worker_changes_no_byte(world, finished):
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        killer = threading.Thread(target=kill_a_worker, args=(client, world))
        killer.start()
        Experiment.read(world / "experiment.toml").run(n_threads=1, client=client)
        killer.join()
    same_as_in_threads(world, finished, "tiles", "coarse", "towers", "process_gpp_0p5deg.zarr", "gpp_0p1deg.zarr")
    same_numbers(world, finished)


def test_workers_of_an_adaptive_cluster_come_when_there_is_work(world, finished):
    with (
        distributed.LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        cluster.adapt(minimum=0, maximum=2, interval="100ms")
        assert not client.ncores()
        Experiment.read(world / "experiment.toml").run(to="towers", n_threads=1, client=client)
    same_as_in_threads(world, finished, "tiles", "coarse", "towers", "process_gpp_0p5deg.zarr")
