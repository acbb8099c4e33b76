"""Faults of files: predictors rewritten after the map or cut short during it, and one wrong bit in any file."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import Bench, Loss, child, ended


def stale(bench: Bench, n: int) -> str:
    """Rewrite a predictor and map again: the product changes, and comes back with the old values."""
    from gppcore.features import MONTHLY_PREDICTORS

    def rewrite(folder: Path, name: str, tile: int, *, old: bool) -> None:
        from gppcore.tiles.store import TileStore

        store = TileStore.open(folder / "store")
        values = bench.job.field(name, tile, store.n_cells(tile), 2001)
        store.write(name, tile, values if old else 1.0 - values, 2001)

    with bench.trial() as folder:
        bench.finish(folder)
        for i in range(n):
            name = MONTHLY_PREDICTORS[i % 3]  # the model splits on the first three
            for old in (False, True):
                if ended(child(lambda name=name, i=i, old=old: rewrite(folder, name, i % 2, old=old))):
                    raise Loss("a tile was not rewritten")
                shutil.rmtree(folder / "gpp.zarr")
                if ended(bench.run(folder)):
                    raise Loss("the job did not go on")
                if (bench.job.digest(folder) == bench.digest) is not old:
                    raise Loss(f"{name}: the product does not follow from the store")
    return f"{n} tiles rewritten, and back"


def cut_short(bench: Bench, n: int) -> str:
    """Truncate tiles of predictors in place while they are mapped: an error of gppcore, or the whole product."""
    rng, stopped = random.Random(5), 0
    with bench.trial() as folder:
        bench.finish(folder)
        chunks = sorted(p for p in (folder / "store").glob("*/c/**/*") if p.is_file() and "gpp" not in str(p))
        for _ in range(n):
            for path in (folder / "gpp.zarr", *(folder / "store" / name for name in bench.job.OUTPUTS)):
                shutil.rmtree(path, ignore_errors=True)
            some = rng.sample(chunks, len(chunks) // 2)
            contents = [path.read_bytes() for path in some]
            process = child(lambda: os._exit(0 if bench.outcome(folder, lambda: None) else os.EX_TEMPFAIL))
            time.sleep(rng.uniform(0.0, bench.seconds / 2))
            for path, content in zip(some, contents, strict=True):
                os.truncate(path, rng.randrange(len(content)))
            code = ended(process)
            if code not in (0, os.EX_TEMPFAIL):
                raise Loss(f"expected an end or an error of gppcore, got exit code {code}")
            stopped += code != 0
            for path, content in zip(some, contents, strict=True):
                path.write_bytes(content)
            bench.finish(folder)
    return f"{n} runs, {stopped} typed errors"


def flipped(bench: Bench, n: int) -> str:
    """Flip bits in every file of store, product and model: the same content, or an error of gppcore."""
    with bench.trial() as folder:
        bench.finish(folder)
        shutil.copytree(bench.model, folder / "model")
        looks: dict[str, Callable[[], Any]] = {
            "store": lambda: _store(folder / "store"),
            "gpp.zarr": lambda: _product(folder / "gpp.zarr"),
            "model": lambda: _model(folder / "model"),
        }
        files = 0

        def work() -> None:
            for part, look in looks.items():
                _flip_all(folder / part, look, max(n // 10, 2))

        if ended(child(work)):
            raise Loss("a flipped bit was not recognised")
        files = sum(path.is_file() for part in looks for path in (folder / part).rglob("*"))
    return f"{files} files"


def _flip_all(root: Path, look: Callable[[], Any], times: int) -> None:
    from gppcore.errors import GppcoreError

    rng, before = random.Random(4), look()
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.suffix == ".lock" or path.stat().st_size == 0:
            continue
        content = path.read_bytes()
        for _ in range(times):
            at = rng.randrange(len(content))
            path.write_bytes(content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :])
            try:
                if look() != before:
                    raise Loss(f"{path}: byte {at}: other content without an error")
            except GppcoreError:
                pass
        path.write_bytes(content)
    if look() != before:
        raise Loss(f"{root}: other content after the damage was mended")


def _store(path: Path) -> Any:
    from gppcore.tiles.store import TileStore

    store = TileStore.open(path)
    years = [(name, year) for name in store.variables for year in (store.years if store.is_monthly(name) else (None,))]
    values = [store.read(name, tile, year).tobytes() for name, year in years for tile in range(store.n_tiles)]
    attributes = [store.attributes(name) for name in store.variables]
    return values, attributes, store.lat.tobytes(), store.lon.tobytes(), store.index.tobytes(), store.years


def _product(path: Path) -> Any:
    from gppcore.mapping.product import verify_product

    return verify_product(path)


def _model(path: Path) -> Any:
    import numpy as np

    from gppcore.transfer.transfer_model import TransferModel

    model = TransferModel.load(path)
    x = np.random.default_rng(0).random((200, len(model.predictors)))
    return model.digest, model.predictors, dict(model.card), model.predict(x).tobytes()
