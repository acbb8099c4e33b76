"""The map of a year: all tiles of the demonstration's store through 500 trees of 63 leaves, beside zarr and LightGBM.

The store is that of `gppcore demo` in the folder GPPCORE_DEMO (default gppcore-demo), which is run if it is not there.
Predictions go to a copy of it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from timing import Case

from gppcore.features import MONTHLY_PREDICTORS, PREDICTORS
from gppcore.mapping import map_gpp
from gppcore.tiles import MONTHS, TileStore
from gppcore.transfer import TransferModel

N_TREES, N_LEAVES, N_THREADS = 500, 63, 2
SAMPLE_TILES = 2
ROWS = 60_000
_totals: dict[str, float] = {}


def demonstration() -> Path:
    """Return the tile store of the demonstration."""
    folder = Path(os.environ.get("GPPCORE_DEMO", "gppcore-demo"))
    if not (folder / "tiles").exists():
        subprocess.run(
            [sys.executable, "-c", "from gppcore.cli import main; main()", "demo", "--out", folder], check=True
        )
    return folder / "tiles"


def copied(store: Path, folder: Path) -> TileStore:
    """Link the tiles into a new store: a tile is replaced, never changed; the journal is copied."""
    shutil.copytree(
        store, folder, copy_function=os.link, ignore=shutil.ignore_patterns("cell", "gpp_daily", "gpp_daily_direct")
    )
    shutil.copytree(store / "cell", folder / "cell")
    return TileStore.open(folder)


def month(store: TileStore, tile: int, of_year: int) -> np.ndarray:
    """Return the predictors of a tile as a matrix."""
    fields = (store.read(n, tile)[of_year] if n in MONTHLY_PREDICTORS else store.read(n, tile) for n in PREDICTORS)
    return np.stack(list(fields), axis=1)


def train(store: TileStore, folder: Path) -> None:
    """Save a direct model, trained on process GPP of rows of every tile."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    from gppcore.forest import Forest

    rng, rows, target = np.random.default_rng(0), [], []
    for tile in range(store.n_tiles):
        of_year = int(rng.integers(MONTHS))
        x = month(store, tile, of_year)
        pick = rng.choice(len(x), min(len(x), ROWS // store.n_tiles), replace=False)
        rows.append(x[pick])
        target.append(store.read("gpp_daily_process", tile)[of_year][pick])
    options = {"max_iter": N_TREES, "max_leaf_nodes": N_LEAVES, "early_stopping": False, "random_state": 0}
    learner = HistGradientBoostingRegressor(**options).fit(np.concatenate(rows), np.concatenate(target))
    TransferModel(None, Forest.from_sklearn(learner), 1.0, {}).save(folder)


def peer(store: TileStore, model: TransferModel) -> tuple[float, np.ndarray]:
    """Map some tiles with zarr and LightGBM, and return seconds and the predictions of the first."""
    import lightgbm
    import zarr

    assert model.target is not None
    booster = lightgbm.Booster(model_str=model.target.to_lightgbm())
    group = zarr.open_group(store.path, mode="r")
    with tempfile.TemporaryDirectory() as folder:
        shape = (MONTHS, SAMPLE_TILES * store.tile_cells)
        out = zarr.create_array(folder, shape=shape, chunks=(MONTHS, store.tile_cells), dtype="f4", overwrite=True)
        begin, first = time.perf_counter(), np.empty(0)
        for tile in range(SAMPLE_TILES):
            cells = store.cells(tile)
            columns = [np.asarray(group[n][..., cells]) for n in PREDICTORS]
            gpp = np.empty((MONTHS, cells.stop - cells.start), np.float32)
            for m in range(MONTHS):
                x = np.stack([c[m] if c.ndim == 2 else c for c in columns], axis=1)
                gpp[m] = np.maximum(booster.predict(x, num_threads=N_THREADS), 0.0)
            out[:, cells] = gpp
            first = gpp if tile == 0 else first
        return time.perf_counter() - begin, first


def measure(store: Path, model: Path) -> dict[str, float]:
    """Map a store twice, the first time to warm it, and return seconds and the peak of memory."""
    opened, seconds = TileStore.open(store), []
    for variable in ("gpp_cold", "gpp_warm"):
        begin = time.perf_counter()
        map_gpp(model, opened, variable=variable, n_threads=N_THREADS)
        seconds.append(time.perf_counter() - begin)
    return {"seconds": seconds[1], "peak_rss_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def cases() -> Iterator[Case]:
    original = demonstration()
    # Beside the original: links do not cross file systems.
    with tempfile.TemporaryDirectory(dir=original.parent) as folder:
        store, model = copied(original, Path(folder) / "store"), Path(folder) / "model"
        train(store, model)
        command = [sys.executable, __file__, str(store.path), str(model)]
        _totals.update(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        seconds = _totals["seconds"]
        yield Case("12 months of all land cells", seconds, "s", 20.0 / seconds, 1.0, {"wanted": 20.0})
        memory = _totals["peak_rss_gb"]
        yield Case("peak of memory", memory, "GB", 1.5 / memory, 1.0, {"wanted": 1.5})
        peer_seconds, expected = peer(store, TransferModel.load(model))
        found = TileStore.open(store.path).read("gpp_warm", 0)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5)
        share = store.cells(SAMPLE_TILES - 1).stop / store.index.size
        ours = seconds * share
        yield Case(f"{SAMPLE_TILES} tiles", ours, "s", peer_seconds / ours, 50.0, {"zarr and LightGBM": peer_seconds})


def totals() -> dict[str, float]:
    """Return what stands beside the cases in the JSON."""
    return dict(_totals)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))
