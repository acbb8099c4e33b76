"""Models that users make, on the demonstration's tiles: one call beside LightGBM on the same trees, on one thread.

Folder GPPCORE_DEMO (default gppcore-demo) holds a finished demonstration, which is run if it is not there. Its models
are timed, and a further one if GPPCORE_MODEL names it, such as `gppcore train` saves. The peer predicts every forest of
the model with LightGBM and combines them in numpy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
from report_map import demonstration
from timing import Case, fastest

from gppcore.forest import Forest
from gppcore.tiles.store import TileStore
from gppcore.transfer.transfer_model import GATE, TransferModel

TILES, MONTHS = (0.2, 0.5, 0.8), slice(0, 12)
"""Tiles by their share of the way through the store."""
PEER_ROWS = 8192
PLAIN_TREES, PLAIN_LEAVES = 150, 63
GOALS = {"transfer": 150.0, "further": 400.0}
"""ns per row and month, with interval."""


def columns(store: TileStore, tile: int, names: tuple[str, ...], dtype: type) -> list[np.ndarray]:
    """Return the predictors of a tile, (12, n) or (n,)."""
    return [store.read(name, tile).astype(dtype) for name in names]


@cache
def boosters(folder: Path) -> dict[str, object]:
    """Return every forest of a model as a LightGBM booster."""
    import lightgbm

    model = TransferModel.load(folder)
    forests = {**{f"source {name}": forest for name, forest in model.sources.items()}, **model.forests}
    return {name: lightgbm.Booster(model_str=forest.to_lightgbm()) for name, forest in forests.items()}


def by_lightgbm(folder: Path, rows: np.ndarray) -> np.ndarray:
    """Predict rows with LightGBM, forest by forest."""
    model = TransferModel.load(folder)
    trees, options = boosters(folder), {"num_threads": 1}
    sources = [np.maximum(trees[f"source {name}"].predict(rows, **options), 0.0) for name in model.sources]
    total = model.process_weight * sources[0] if sources else np.zeros(len(rows))
    for member in model.members:
        value = trees[member.name].predict(np.column_stack([rows, *sources[: member.n_sources]]), **options)
        if member.kind == "ratio":
            value = value * (sources[0] + member.offset)
        elif member.kind == "residual":
            value = value + sources[0]
        total = total + member.weight * value
    if sources:
        process = sources[0]
        total = process + process / (process + GATE) * (total - process)
    return np.maximum(total, 0.0)


@cache
def plain(store: TileStore, names: tuple[str, ...]) -> Forest:
    """Return a boosted forest of 150 x 63 leaves, trained on process GPP of a tile, to compare with."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    tile = int(0.5 * store.n_tiles)
    x = np.column_stack(
        [np.broadcast_to(c, (12, c.shape[-1])).ravel() for c in columns(store, tile, names, np.float64)]
    )
    pick = np.random.default_rng(0).choice(len(x), 50_000, replace=False)
    y = store.read("gpp_daily_process", tile).ravel()[pick]
    options = {"max_iter": PLAIN_TREES, "max_leaf_nodes": PLAIN_LEAVES, "early_stopping": False, "random_state": 0}
    return Forest.from_sklearn(HistGradientBoostingRegressor(**options).fit(x[pick], y))


def cases() -> Iterator[Case]:
    store = TileStore.open(demonstration())
    folders = {"transfer": store.path.parent / "models" / "transfer", "direct": store.path.parent / "models" / "direct"}
    if further := os.environ.get("GPPCORE_MODEL"):
        folders["further"] = Path(further)
    for name, folder in folders.items():
        model = TransferModel.load(folder)
        trees = sum(f.n_trees for f in (*model.sources.values(), *model.forests.values()))
        leaves = sum(f.n_leaves for f in (*model.sources.values(), *model.forests.values()))
        title = f"{name}: {len(model.sources)} sources, {len(model.members)} members, {trees} trees, {leaves:,} leaves"
        for dtype in (np.float32, np.float64):
            yield _case(f"{title}, {np.dtype(dtype).name}", name, folder, store, dtype)


def _case(title: str, name: str, folder: Path, store: TileStore, dtype: type) -> Case:
    model = TransferModel.load(folder)
    parts = [columns(store, int(share * store.n_tiles), model.predictors, dtype) for share in TILES]
    n = sum(12 * part[0].shape[-1] for part in parts)
    july = [c[6] if c.ndim == 2 else c for c in parts[1]]
    rows = np.column_stack(july)[:PEER_ROWS].astype(np.float64)
    found = model.predict_columns([np.ascontiguousarray(c[:PEER_ROWS], dtype=np.float64) for c in july])
    np.testing.assert_allclose(found, by_lightgbm(folder, rows), rtol=1e-6, atol=1e-9)
    forest = plain(store, model.predictors)
    interval = {"interval": True} if model.has_interval else {}
    jobs = {
        "gppcore": lambda: [model.predict_columns(part, **interval) for part in parts],
        "one forest of 150 x 63": lambda: [forest.predict_columns(part) for part in parts],
    }
    best = {key: 1e9 * s / n for key, s in fastest(jobs, seconds=6.0, clock=time.thread_time).items()}
    peer = fastest({"LightGBM": partial(by_lightgbm, folder, rows)}, seconds=3.0, clock=time.thread_time)
    ours = best.pop("gppcore")
    best["LightGBM"] = 1e9 * peer["LightGBM"] / len(rows)
    goal = GOALS.get(name) if dtype is np.float32 else None
    return Case(title, ours, "ns per row and month", (goal or best["LightGBM"]) / ours, 1.0 if goal else None, best)
