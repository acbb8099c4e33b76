"""The map as one would write it without gppcore: LightGBM, and zarr-python or tensorstore to read and write."""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gppcore.features import PREDICTORS
from gppcore.tiles.store import TileStore
from gppcore.variables import MONTHS

Array = Any
"""What both libraries give: sliced to read, and assigned to to write."""


def by_zarr(store: TileStore, out: Path) -> tuple[Callable[[str], Array], Array]:
    """Return how to open a variable of the store, and a new array for the predictions."""
    import zarr

    group = zarr.open_group(store.path, mode="r")
    shape, chunks = (MONTHS, store.index.size), (MONTHS, store.tile_cells)
    return lambda name: group[name], zarr.create_array(out, shape=shape, chunks=chunks, dtype="f4", compressors=None)


class _Tensor:
    """A tensorstore array that waits."""

    def __init__(self, path: Path, **options: Any) -> None:
        import tensorstore

        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path)}}
        self._array = tensorstore.open(spec, **options).result()
        self.ndim = self._array.ndim

    def __getitem__(self, where: Any) -> np.ndarray:
        return self._array[where].read().result()

    def __setitem__(self, where: Any, values: np.ndarray) -> None:
        self._array[where].write(values).result()


def by_tensorstore(store: TileStore, out: Path) -> tuple[Callable[[str], Array], Array]:
    """Do the same with tensorstore."""
    import tensorstore

    written = _Tensor(
        out,
        create=True,
        dtype=tensorstore.float32,
        shape=(MONTHS, store.index.size),
        chunk_layout=tensorstore.ChunkLayout(chunk_shape=(MONTHS, store.tile_cells)),
    )
    return lambda name: _Tensor(store.path / name), written


def libraries() -> Iterator[tuple[str, Callable[[TileStore, Path], tuple[Callable[[str], Array], Array]]]]:
    """Yield the libraries that are installed."""
    for name, opened in (("zarr", by_zarr), ("tensorstore", by_tensorstore)):
        if importlib.util.find_spec(name):
            yield name, opened


def map_tiles(
    store: TileStore,
    booster: Any,
    opened: Callable[[TileStore, Path], tuple[Callable[[str], Array], Array]],
    tiles: Sequence[int],
    n_threads: int,
) -> tuple[float, list[np.ndarray]]:
    """Map some tiles; return seconds and the predictions of each."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        variable, out = opened(store, Path(folder) / "out")
        arrays = [variable(name) for name in PREDICTORS]
        begin = time.perf_counter()
        for tile in tiles:
            cells = store.cells(tile)
            columns = [np.asarray(a[:, cells] if a.ndim == 2 else a[cells]) for a in arrays]
            gpp = np.empty((MONTHS, store.n_cells(tile)), np.float32)
            for month in range(MONTHS):
                x = np.stack([c[month] if c.ndim == 2 else c for c in columns], axis=1)
                gpp[month] = np.maximum(booster.predict(x, num_threads=n_threads), 0.0)
            out[:, cells] = gpp
            found.append(gpp)
        return time.perf_counter() - begin, found
