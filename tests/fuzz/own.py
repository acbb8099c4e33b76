"""The formats of gppcore for `mutants.py`: a damaged file must read as what was written, or be refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gppcore.calibration.result import Calibration, Estimate
from gppcore.constants import PFTS
from gppcore.forest import Forest
from gppcore.tiles import store as tiles
from gppcore.tiles.store import TileStore
from gppcore.transfer.recipe import Interval, Member
from gppcore.transfer.transfer_model import TransferModel

ROWS = np.array([[0.0, 1.0], [np.nan, np.nan], [-30.0, 5.0], [0.4, 10.0]])


def _forest(n_features: int) -> Forest:
    return Forest.from_arrays(
        n_features=n_features,
        tree_begin=[0, 3, 6],
        feature=[0, -1, -1, 1, -1, -1],
        threshold=[0.3, 0, 0, 0.5, 0, 0],
        left=[1, 0, 0] * 2,
        right=[2, 0, 0] * 2,
        value=[0.0, 1.0, 2.0, 0.0, 0.1, 0.2],
    )


def _model() -> TransferModel:
    members = (Member("trees", "gpp", 0, 0.5), Member("trees_ratio", "ratio", 1, 0.3, 0.5))
    forests = {"trees": _forest(2), "trees_ratio": _forest(3)}
    interval = Interval(1.0, 0.5, 1.0, 0.1)
    return TransferModel(("tair", "lai"), {"process": _forest(2)}, members, forests, 0.2, {"seed": 1}, interval)


def _look_at_model(path: Path) -> Any:
    model = TransferModel.load(path)
    return model.digest, dict(model.card), model.predict(ROWS, check="ignore").tobytes()


def _look_at_store(path: Path) -> Any:
    store = TileStore.open(path)
    names = [name for name in ("lai", "sw") if name in store.variables]
    values = [store.read(name, tile).tobytes() for name in names for tile in range(store.n_tiles)]
    return values, [store.attributes(name) for name in names], store.index.tobytes(), store.lat.tobytes(), store.years


def own_formats(root: Path) -> dict[str, tuple[Path, Callable[[], Any]]]:
    """Write a file of each format below a folder; return the file and what reads it, by name."""
    model = _model()
    model.save(root / "model")
    model.save(root / "model.zip")
    estimates = {name: {"vcmax25": Estimate(pft.vcmax25, 50.0, 5.0)} for name, pft in PFTS.items()}
    Calibration(PFTS, estimates, 2.0, 1.0, ("DE-Mad",), 100, 3, "done").save(root / "fit.json")
    tiles.TILE_CELLS = 64
    store = TileStore.create(root / "store", 89.5 - np.arange(40.0), np.arange(80.0), np.arange(100))
    for name, monthly in (("lai", False), ("sw", True)):
        store.add(name, monthly=monthly, attrs={"units": "1"})
        for tile in range(store.n_tiles):
            n = store.n_cells(tile)
            store.write(name, tile, np.full((12, n) if monthly else n, tile + 1.0, np.float32))
    look_at_model, look_at_store = (lambda: _look_at_model(root / "model")), (lambda: _look_at_store(root / "store"))
    found: dict[str, tuple[Path, Callable[[], Any]]] = {
        "recipe (.gppm)": (root / "model" / "model.gppm", look_at_model),
        "forest (.gppf)": (root / "model" / "member_trees.gppf", look_at_model),
        "card (.json)": (root / "model" / "model.json", look_at_model),
        "model (.zip)": (root / "model.zip", lambda: _look_at_model(root / "model.zip")),
        "calibration (.json)": (root / "fit.json", lambda: repr(Calibration.load(root / "fit.json"))),
    }
    for name in ("zarr.json", "lai/zarr.json", "cell/zarr.json", "cell/journal.jsonl", "cell/manifest.json", "lai/c/0"):
        found[f"store: {name}"] = (root / "store" / name, look_at_store)
    chunk = next(path for path in (root / "store" / "cell" / "c").rglob("*") if path.is_file())
    found["store: cells"] = (chunk, look_at_store)
    return found
