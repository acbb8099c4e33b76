"""The job that the faults interrupt: build a small tile store, map it with a saved model, write the product."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import zarr.codecs  # noqa: F401 - here, once, and not again in each of the processes forked from this one

from gppcore.features import MONTHLY_PREDICTORS, PREDICTORS
from gppcore.forest import Forest
from gppcore.mapping.run import map_gpp
from gppcore.tiles import store as tiles
from gppcore.tiles.store import TileStore
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import MONTHS

tiles.TILE_CELLS = 512  # many small tiles: many places to fail at
YEARS = (2001, 2002)
OUTPUTS = ("gpp_daily", "gpp_daily_low", "gpp_daily_high")
LAT, LON = 89.75 - 0.5 * np.arange(360), -179.75 + 0.5 * np.arange(720)
CELLS = np.ravel_multi_index(np.mgrid[70:100, 360:400].reshape(2, -1), (360, 720))


def save_model(folder: Path) -> None:
    """Save a direct model of three stumps."""
    forest = Forest.from_arrays(
        n_features=len(PREDICTORS),
        tree_begin=[0, 3, 6, 9],
        feature=[0, -1, -1, 1, -1, -1, 2, -1, -1],
        threshold=[0.3, 0, 0, 0.5, 0, 0, 0.7, 0, 0],
        left=[1, 0, 0] * 3,
        right=[2, 0, 0] * 3,
        value=[0.0, 1.0, 2.0, 0.0, 0.1, 0.2, 0.0, 0.01, 0.02],
    )
    TransferModel.of_forest(forest).save(folder)


class Spread:
    """The saved model with bounds, so that every task writes several files."""

    has_interval = True

    def __init__(self, folder: Path) -> None:
        self._model = TransferModel.load(folder)
        self.digest = self._model.digest

    def predict_columns(self, columns: list[np.ndarray], *, interval: bool) -> tuple[np.ndarray, ...]:
        """Return predictions and bounds that only resemble bounds."""
        gpp = self._model.predict_columns(columns)
        return gpp, gpp / 2, gpp * 2


def field(name: str, tile: int, n: int, year: int | None) -> np.ndarray:
    """Return the same numbers for the same tile, in every run."""
    rng = np.random.default_rng([PREDICTORS.index(name), tile, year or 0])
    return rng.random((MONTHS, n) if name in MONTHLY_PREDICTORS else n, dtype=np.float32)


def run(folder: Path, model: Path) -> None:
    """Do what is left of the job."""
    path, product = folder / "store", folder / "gpp.zarr"
    store = TileStore.open(path) if path.exists() else TileStore.create(path, LAT, LON, CELLS, years=YEARS)
    with store.writing():
        for name in PREDICTORS:
            monthly = name in MONTHLY_PREDICTORS
            store.add(name, monthly=monthly, attrs={})
            for year in YEARS if monthly else (None,):
                for tile in range(store.n_tiles):
                    if not store.has(name, tile, year):
                        store.write(name, tile, field(name, tile, store.n_cells(tile), year), year)
    if not product.exists():
        map_gpp(Spread(model), store, product)


def finished(folder: Path) -> set[tuple[str, int, int]]:
    """Return the tiles that the journal confirms, each checked against what it must hold."""
    path = folder / "store"
    if not path.exists():
        return set()
    store, found = TileStore.open(path), set()
    for name in (*PREDICTORS, *OUTPUTS):
        static = name in PREDICTORS and name not in MONTHLY_PREDICTORS
        for number, year in enumerate((None,) if static else YEARS):
            for tile in range(store.n_tiles):
                if store._journal.get(name, tile, number) is None:
                    continue
                values = store.read(name, tile, year)
                if name in PREDICTORS:
                    np.testing.assert_array_equal(values, field(name, tile, values.shape[-1], year))
                found.add((name, tile, number))
    return found


def digest(folder: Path) -> str:
    """Return the checksum of all files of the product."""
    sha = hashlib.sha256()
    for path in sorted((folder / "gpp.zarr").rglob("*")):
        if path.is_file():
            sha.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return sha.hexdigest()
