"""lleaves as a peer: an environment in the cache, and a process of it that is timed in turn with the others."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

LONGEST = 3600  # seconds; its compiler takes minutes for 127 leaves, and far more for many categories
WORKER = Path(__file__).with_name("lleaves_worker.py")


def cache() -> Path:
    """Return the folder that keeps the environment and compiled models."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gppcore-benchmarks"


def interpreter() -> Path:
    """Return the interpreter of the environment, which is made if it is not there."""
    python = cache() / "lleaves" / "bin" / "python"
    ready = cache() / "lleaves" / "ready"
    if not ready.exists():
        venv.create(cache() / "lleaves", with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "lleaves", "llvmlite==0.43.*"], check=True)
        ready.touch()
    return python


class Lleaves:
    """A process that predicts with lleaves."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._process = subprocess.Popen(
            [interpreter(), WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def compiles(self, model: str) -> bool:
        """Compile a model, once for all runs; False if lleaves fails to within LONGEST seconds."""
        paths = self._paths(model)
        if not paths["object"].exists():
            try:
                subprocess.run([interpreter(), WORKER, *paths.values()], check=True, timeout=LONGEST)
            except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
                print(f"lleaves is left out of a case: {error}", file=sys.stderr)
                return False
        return True

    def _paths(self, model: str) -> dict[str, Path]:
        name = hashlib.sha256(model.encode()).hexdigest()[:16]
        path = Path(self._folder.name) / f"{name}.txt"
        path.write_text(model)
        return {"model": path, "object": cache() / f"{name}.o"}

    def timer(self, model: str, rows: np.ndarray, repeats: int):
        """Return a function that gives the shortest of `repeats` times, and what the model predicts.

        Parameters
        ----------
        model : str
            A LightGBM model as text, which compiles.
        rows : ndarray, shape (n, n_features)
        repeats : int
        """
        folder = Path(self._folder.name)
        paths = self._paths(model) | {"rows": folder / f"{id(rows)}.npy"}
        np.save(paths["rows"], rows)
        task = {key: str(path) for key, path in paths.items()} | {"repeats": repeats}
        out = folder / "out.npy"
        self._ask(task | {"repeats": 1, "out": str(out)})
        return lambda: self._ask(task | {"out": ""}), np.load(out)

    def _ask(self, task: dict) -> float:
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            message = "lleaves ended early"
            raise RuntimeError(message)
        return json.loads(answer)


def start() -> Lleaves | None:
    """Return the peer, or None with a note if it cannot be had."""
    try:
        return Lleaves()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"lleaves is left out: {error}", file=sys.stderr)
        return None
