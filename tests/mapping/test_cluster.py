"""Mapping on a cluster of two worker processes."""

import os
import shutil
import signal
import threading
import time

import numpy as np
import pytest

from gppcore.errors import RangeError
from gppcore.features import MONTHLY_PREDICTORS, PREDICTORS
from gppcore.forest import Forest
from gppcore.mapping.run import map_gpp
from gppcore.tiles.store import TileStore
from gppcore.transfer.transfer_model import TransferModel

distributed = pytest.importorskip("distributed", reason="needs dask.distributed")

LAT, LON = 89.75 - 0.5 * np.arange(360), -179.75 + 0.5 * np.arange(720)
N_TILES = 24


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("gppcore.tiles.store.TILE_CELLS", 256)
    cells = np.ravel_multi_index(np.mgrid[64:128, 320:416].reshape(2, -1), (360, 720))
    store = TileStore.create(tmp_path / "store", LAT, LON, cells)
    rng = np.random.default_rng(1)
    with store.writing():
        for name in PREDICTORS:
            monthly = name in MONTHLY_PREDICTORS
            store.add(name, monthly=monthly, attrs={})
            for tile in range(N_TILES):
                store.write(name, tile, rng.random((12, 256) if monthly else 256, dtype=np.float32))
    assert store.n_tiles == N_TILES
    return store


@pytest.fixture
def model(tmp_path):
    """Save a direct model of many stumps: slow enough to be killed at work."""
    n = 300
    rng = np.random.default_rng(2)
    feature = np.full((n, 3), -1)
    feature[:, 0] = rng.integers(0, len(PREDICTORS), n)
    forest = Forest.from_arrays(
        n_features=len(PREDICTORS),
        tree_begin=3 * np.arange(n + 1),
        feature=feature.ravel(),
        threshold=rng.random(3 * n),
        left=[1, 0, 0] * n,
        right=[2, 0, 0] * n,
        value=rng.random(3 * n),
    )
    TransferModel.of_forest(forest).save(tmp_path / "model")
    TransferModel.of_forest(forest).save(tmp_path / "model.zip")
    return tmp_path / "model"


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.filterwarnings("ignore")
def test_product_is_the_serial_one_even_if_a_worker_is_killed(store, model, tmp_path):
    map_gpp(model, store, tmp_path / "serial.zarr", variable="serial", n_threads=1)
    done, killed = [], []
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        workers = client.run(os.getpid)

        def kill_half_way():
            while len(done) < N_TILES // 3:
                time.sleep(0.001)
            killed.append(next(iter(workers.values())))
            os.kill(killed[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_half_way)
        killer.start()
        zipped = model.with_suffix(".zip")
        map_gpp(zipped, store, tmp_path / "cluster.zarr", variable="gpp_daily", client=client, progress=done.append)
        killer.join()
    assert killed
    assert sum(done) == store.index.size
    serial, cluster = content(tmp_path / "serial.zarr"), content(tmp_path / "cluster.zarr")
    assert {k.replace("serial", "gpp_daily"): v for k, v in serial.items() if "/c/" in k} == {
        k: v for k, v in cluster.items() if "/c/" in k
    }


def test_model_in_memory_is_refused(store, model):
    with pytest.raises(RangeError, match="model: expected the path of a saved model"):
        map_gpp(TransferModel.load(model), store, client=object())


class WithBounds:
    """A saved model that tells bounds, too."""

    has_interval = True

    def __init__(self, folder):
        self._model = TransferModel.load(folder)
        self.digest = f"{self._model.digest} with bounds"

    @classmethod
    def load(cls, folder):
        """Load it as a saved model is loaded."""
        return cls(folder)

    def predict_columns(self, columns, *, interval):
        """Return predictions and bounds that only resemble bounds."""
        gpp = self._model.predict_columns(columns)
        return gpp, gpp / 2, gpp * 2


@pytest.mark.filterwarnings("ignore")
def test_bounds_are_those_of_the_serial_run(store, model, tmp_path, monkeypatch):
    # Workers in threads of this process see the stand-in, too.
    monkeypatch.setattr("gppcore.mapping.run.TransferModel", WithBounds)
    map_gpp(model, store, tmp_path / "serial.zarr")
    other = TileStore.open(shutil.copytree(store.path, tmp_path / "other"))
    for name in ("gpp_daily", "gpp_daily_low", "gpp_daily_high"):
        shutil.rmtree(other.path / name)
    with (
        distributed.LocalCluster(n_workers=2, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        map_gpp(model, TileStore.open(other.path), tmp_path / "cluster.zarr", client=client)
    found = content(tmp_path / "cluster.zarr")
    assert any("gpp_daily_low/c" in name for name in found)
    assert found == content(tmp_path / "serial.zarr")
