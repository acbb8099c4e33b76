"""Load, predict, free, map and cancel for a long time: `python tests/faults/soak.py --minutes 60`.

Exit code 1 if memory, descriptors or threads grow, or a result differs. The first fifth of the time warms caches; from
then on memory may grow by 2 MiB, descriptors and threads not at all. `--duty 0.2` sleeps for four fifths of the time.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import job
import numpy as np

from gppcore.errors import GppcoreError
from gppcore.mapping.run import map_gpp
from gppcore.tiles.store import TileStore
from gppcore.transfer.transfer_model import TransferModel

GROWTH = 2 * 2**20
"""Bytes that memory may grow by after the warm-up: the arenas of malloc differ that much from round to round."""
WARM_UP = 0.2


class Soak:
    """A model and a small store, and what is done with them again and again."""

    def __init__(self, root: Path) -> None:
        self.root, self.path = root, root / "model"
        job.save_model(self.path)
        job.run(root / "job", self.path)
        self.digest = job.digest(root / "job")
        self.x = np.random.default_rng(0).random((200_000, len(TransferModel.load(self.path).predictors)))
        self.gpp = TransferModel.load(self.path).predict(self.x, check="ignore")
        self.done: Counter[str] = Counter()

    def load_and_free(self) -> None:
        for _ in range(20):
            TransferModel.load(self.path)
            TileStore.open(self.root / "job" / "store")

    def predict(self) -> None:
        found = TransferModel.load(self.path).predict(self.x, check="ignore", n_threads=2)
        if not np.array_equal(found, self.gpp):
            raise SystemExit("a prediction differs")

    def refuse(self) -> None:
        """Errors free what they had taken, too."""
        damaged = self.root / "damaged"
        shutil.copytree(self.path, damaged)
        (damaged / "model.gppm").write_bytes(b"GPPM" * 100)
        for call in (lambda: TransferModel.load(damaged), lambda: TransferModel.load(self.path).predict(self.x[:, 1:])):
            try:
                call()
            except GppcoreError:
                continue
            raise SystemExit("damage was accepted")
        shutil.rmtree(damaged)

    def map(self) -> None:
        folder = self._unmapped()
        self._map(folder)
        if job.digest(folder) != self.digest:
            raise SystemExit("a product differs")
        shutil.rmtree(folder)

    def _unmapped(self) -> Path:
        """Return a copy of the job whose store lacks its predictions."""
        folder = self.root / "map"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copytree(self.root / "job" / "store", folder / "store")
        for output in job.OUTPUTS:
            shutil.rmtree(folder / "store" / output)
        return folder

    def _map(self, folder: Path) -> None:
        map_gpp(job.Spread(self.path), TileStore.open(folder / "store"), folder / "gpp.zarr", n_threads=2)

    def cancel(self) -> None:
        """Stop predictions and maps by Ctrl-C, at moments that change."""
        folder = self._unmapped()
        for call in (self._predict_long, lambda: self._map(folder)):
            seconds = 0.005 + 0.005 * (self.done["cancel"] % 20)
            try:
                signal.setitimer(signal.ITIMER_REAL, seconds)
                call()
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            except KeyboardInterrupt:
                self.done["cancelled"] += 1
            time.sleep(0.2)  # tiles under way end
        shutil.rmtree(folder)

    def _predict_long(self) -> None:
        model = TransferModel.load(self.path)
        for _ in range(50):
            model.predict_columns(list(self.x.T), n_threads=2)

    def round(self) -> None:
        """Do everything once."""
        for work in (self.load_and_free, self.predict, self.refuse, self.map, self.cancel):
            work()
            self.done[work.__name__] += 1


def interrupt(number: int, frame: object) -> None:
    """Do what Ctrl-C does."""
    raise KeyboardInterrupt


def held() -> tuple[int, int, int]:
    """Return the resident memory without files [bytes], the open descriptors and the threads of this process."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    memory = int(status.split("RssAnon:")[1].split()[0]) * 1024
    return memory, len(os.listdir("/proc/self/fd")), int(status.split("Threads:")[1].split()[0])  # noqa: PTH208


def soak(work: Callable[[], None], seconds: float, duty: float) -> list[tuple[float, int, int, int]]:
    """Repeat some work; return time and what the process holds after each round."""
    begin, seen = time.monotonic(), []
    while time.monotonic() - begin < seconds or len(seen) < 10:
        used = time.process_time()
        work()
        time.sleep((time.process_time() - used) * (1.0 / duty - 1.0))
        seen.append((time.monotonic() - begin, *held()))
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--duty", type=float, default=1.0, help="share of a core to use, at most 1")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, interrupt)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as root:
        bench = Soak(Path(root))
        seen = soak(bench.round, 60.0 * options.minutes, options.duty)
    table = np.array(seen)
    steady = table[int(WARM_UP * len(table)) :]
    tenth = max(len(steady) // 10, 1)
    first, last = np.median(steady[:tenth], axis=0), np.median(steady[-tenth:], axis=0)
    print(f"{len(table)} rounds in {table[-1, 0] / 60:.0f} min:", dict(bench.done))
    for column, (name, unit) in enumerate((("memory", 2**20), ("descriptors", 1), ("threads", 1)), start=1):
        low, high = steady[:, column].min() / unit, steady[:, column].max() / unit
        print(f"{name}: {first[column] / unit:.1f} then {last[column] / unit:.1f}, {low:.1f} to {high:.1f}")
    growth = last - first
    flat = growth[1] <= GROWTH and growth[2] <= 0 and growth[3] <= 0
    print("flat" if flat else "GROWS")
    if not flat:
        print("open:", *sorted(str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()))
    return int(not flat)


if __name__ == "__main__":
    sys.exit(main())
