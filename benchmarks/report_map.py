"""The map of a year and of twenty: the demonstration's store through 500 trees of 63 leaves, beside LightGBM.

The store is that of `gppcore demo` in the folder GPPCORE_DEMO (default gppcore-demo), which is run if it is not there.
Predictions go to a copy of it. Long series are made of a tenth of its cells, every year the same numbers in files of
its own.
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
from map_peers import libraries, map_tiles
from timing import Case

from gppcore.features import MONTHLY_PREDICTORS, PREDICTORS
from gppcore.mapping.run import map_gpp
from gppcore.tiles.store import TileStore
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import MONTHS

N_TREES, N_LEAVES, N_THREADS = 500, 63, 2
SAMPLE_TILES = 6
SERIES, SERIES_SHARE = (1, 5, 20), 10
ROWS = 60_000
_totals: dict[str, float] = {}


def demonstration() -> Path:
    """Return the tile store of the demonstration."""
    folder = Path(os.environ.get("GPPCORE_DEMO", "gppcore-demo"))
    if not (folder / "tiles").exists():
        subprocess.run(
            [sys.executable, "-c", "from gppcore.cli.main import main; main()", "demo", "--quiet", "--out", folder],
            check=True,
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
    TransferModel.of_forest(Forest.from_sklearn(learner)).save(folder)


def series(original: TileStore, folder: Path, n_years: int) -> TileStore:
    """Write a store of some years of a tenth of the cells: tiles side by side around the middle."""
    n = original.n_tiles // SERIES_SHARE
    tiles = range((original.n_tiles - n) // 2, (original.n_tiles + n) // 2)
    cells = np.concatenate([original.index[original.cells(tile)] for tile in tiles])
    store = TileStore.create(folder, original.lat, original.lon, cells, years=range(2001, 2001 + n_years))
    with store.writing():
        for name in PREDICTORS:
            monthly = name in MONTHLY_PREDICTORS
            store.add(name, monthly=monthly, attrs={})
            for year in store.each_year if monthly else (None,):
                for i, tile in enumerate(tiles):
                    store.write(name, i, original.read(name, tile), year)
    return store


def measure(store: Path, model: Path, product: Path) -> dict[str, float]:
    """Map a store twice, the first time to warm it; return seconds to the last tile and to the end, and the memory.

    Processor time counts both threads, and is the figure to read on a machine that others use.
    """
    opened, done = TileStore.open(store), [0.0]
    map_gpp(model, opened, variable="gpp_cold", n_threads=N_THREADS)
    begin, processor = time.perf_counter(), time.process_time()
    map_gpp(
        model,
        opened,
        product,
        variable="gpp_warm",
        n_threads=N_THREADS,
        progress=lambda _: done.append(time.perf_counter()),
    )
    return {
        "seconds": time.perf_counter() - begin,
        "tile_seconds": done[-1] - begin,
        "processor_seconds": time.process_time() - processor,
        "peak_rss_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def measured(store: TileStore, model: Path) -> dict[str, float]:
    """Measure in a process of its own."""
    product = store.path.with_name("product.zarr")
    command = [sys.executable, __file__, str(store.path), str(model), str(product)]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    shutil.rmtree(product)
    return figures


def beside_peers(store: TileStore, model: Path, seconds: float) -> Iterator[Case]:
    """Compare the sample with what the whole map took, cell by cell."""
    import lightgbm

    (forest,) = TransferModel.load(model).forests.values()
    booster = lightgbm.Booster(model_str=forest.to_lightgbm())
    tiles = [round((i + 0.5) * store.n_tiles / SAMPLE_TILES) for i in range(SAMPLE_TILES)]
    share = sum(store.n_cells(tile) for tile in tiles) / store.index.size
    for name, opened in libraries():
        peer_seconds, expected = map_tiles(store, booster, opened, tiles, N_THREADS)
        for tile, gpp in zip(tiles, expected, strict=True):
            np.testing.assert_allclose(store.read("gpp_warm", tile), gpp, rtol=1e-5, atol=2e-5)
        ours = seconds * share
        peers = {f"{name} and LightGBM": peer_seconds}
        yield Case(f"{SAMPLE_TILES} tiles beside {name}", ours, "s", peer_seconds / ours, 50.0, peers)


def cases() -> Iterator[Case]:
    original = demonstration()
    # Beside the original: links do not cross file systems.
    with tempfile.TemporaryDirectory(dir=original.parent) as root:
        folder = Path(root)
        store, model = copied(original, folder / "store"), folder / "model"
        train(store, model)
        figures = measured(store, model)
        _totals.update(figures)
        for name, key, wanted, goal in (
            ("12 months of all land cells", "seconds", 20.0, 1.0),
            ("the same without the gridded product", "tile_seconds", 20.0, None),
            ("12 months, processor time of both threads", "processor_seconds", 40.0, None),
        ):
            yield Case(name, figures[key], "s", wanted / figures[key], goal, {"wanted": wanted})
        yield memory_case("peak of memory", figures)
        yield from beside_peers(TileStore.open(store.path), model, figures["tile_seconds"])
        for n_years in SERIES:
            sample = series(store, folder / f"years{n_years}", n_years)
            figures = measured(sample, model)
            seconds = figures["seconds"] * store.index.size / sample.index.size
            shutil.rmtree(sample.path)
            yield memory_case(f"series of {n_years} years, peak of memory", figures)
            yield Case(
                f"series of {n_years} years, a tenth of the cells, times ten", seconds, "s", 20.0 * n_years / seconds
            )


def memory_case(name: str, figures: dict[str, float]) -> Case:
    memory = figures["peak_rss_gb"]
    return Case(name, memory, "GB", 1.5 / memory, 1.0, {"wanted": 1.5})


def totals() -> dict[str, float]:
    """Return what stands beside the cases in the JSON."""
    return dict(_totals)


if __name__ == "__main__":
    print(json.dumps(measure(*map(Path, sys.argv[1:]))))
