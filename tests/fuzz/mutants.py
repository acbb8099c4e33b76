"""Damage model files at random and read them: the result must be a gppcore error or a forest that predicts.

Run ``python tests/fuzz/mutants.py --n 20000`` for 20,000 mutants of each foreign format, with ``--own`` of each format
of gppcore, whose mutants must read as what was written or be refused. With ``--peers`` the libraries that define the
foreign formats read them instead, each file in a separate process.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from own import own_formats

from gppcore.errors import GppcoreError
from gppcore.forest import Forest

MODELS = Path(__file__).resolve().parents[1] / "forest" / "formats"
READERS = {
    "lightgbm_model.txt": Forest.from_lightgbm,
    "xgboost_model.json": Forest.from_xgboost,
    "xgboost_model.ubj": Forest.from_xgboost,
}
SECONDS, MEMORY = 1.0, 2**31
PEER_SECONDS = 10
ROWS = np.array([[0.0, 1.0], [np.nan, np.nan], [-1e30, -5.0], [np.inf, 1e10]])
NUMBER = re.compile(rb"-?\d+(\.\d+)?([eE][+-]?\d+)?")
NUMBERS = (
    b"-1 0 1 7 -5 255 65536 16777215 2147483647 4294967296 -9223372036854775808 1e999 -1e-320 nan inf 1.5 1e5".split()
)
VALUES = [*NUMBERS, b"", b"x", b"true", b"null", b"[]", b"{}", b'"5"', b"[[1]]", b"9" * 5000, b"\\ud800"]
WORDS = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\xff\xff\xff",
    b"\x7f\xc0\0\0",
    b"\0\0\0\1",
]
MARKERS = b"[]{}$#iUIlLdDSCTFZN"


def flip_bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def cut_out(data: bytearray, rng: random.Random) -> None:
    begin = rng.randrange(len(data))
    del data[begin : begin + rng.choice((1, 4, 30, 500))]


def repeat(data: bytearray, rng: random.Random) -> None:
    begin = rng.randrange(len(data))
    data[begin:begin] = data[begin : begin + rng.choice((1, 8, 60, 1000))] * rng.choice((1, 1, 50))


def move(data: bytearray, rng: random.Random) -> None:
    begin, size, to = rng.randrange(len(data)), rng.choice((1, 10, 100)), rng.randrange(len(data))
    piece = data[begin : begin + size]
    data[to : to + len(piece)] = piece


def edit_numbers(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 3))):
        found = list(NUMBER.finditer(data))
        if found:
            match = rng.choice(found)
            data[match.start() : match.end()] = rng.choice(VALUES)


def edit_words(data: bytearray, rng: random.Random) -> None:
    begin = rng.randrange(len(data))
    data[begin : begin + 4] = rng.choice(WORDS)


def edit_markers(data: bytearray, rng: random.Random) -> None:
    places = [i for i, byte in enumerate(data) if byte in MARKERS]
    for _ in range(rng.choice((1, 1, 3)) if places else 0):
        data[rng.choice(places)] = rng.choice(MARKERS)


def nest(data: bytearray, rng: random.Random) -> None:
    begin = rng.randrange(len(data))
    data[begin:begin] = rng.choice((b"[", b'{"a":', b"{i\1a")) * rng.choice((40, 100_000))


TEXT_EDITS = (flip_bits, truncate, cut_out, repeat, move, edit_numbers, edit_numbers, edit_numbers, nest)
BINARY_EDITS = (flip_bits, truncate, cut_out, repeat, move, edit_words, edit_words, edit_markers, nest)


def read(name: str, path: Path) -> str:
    try:
        forest = READERS[name](path)
    except GppcoreError as error:
        return type(error).__name__
    if forest.n_features == 2:
        forest.predict(ROWS)
        forest.apply(ROWS)
    return "forest"


def mutants(name: str, n: int, seed: int, path: Path, original: bytes | None = None) -> Iterator[int]:
    """Write one after another to `path`; give their numbers."""
    original = (MODELS / name).read_bytes() if original is None else original
    for i in range(n):
        rng = random.Random(f"{seed} {name} {i}")
        data = bytearray(original)
        rng.choice(TEXT_EDITS if b"\0" not in original else BINARY_EDITS)(data, rng)
        path.write_bytes(data)
        yield i


def read_own(look: Callable[[], Any], whole: Any) -> str:
    try:
        found = look()
    except GppcoreError as error:
        return type(error).__name__
    if found != whole:
        raise AssertionError("other content than written")
    return "as written"


def run(
    name: str, n: int, seed: int, path: Path, look: Callable[[], str], original: bytes | None = None
) -> tuple[Counter[str], float]:
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for i in mutants(name, n, seed, path, original):
        start = time.process_time()
        try:
            outcome = look()
        except Exception as error:
            outcome = f"FAILED: {type(error).__name__}"
            print(f"{name}, seed {seed}, mutant {i}: {error!r}", file=sys.stderr)
        seconds = time.process_time() - start
        slowest = max(slowest, seconds)
        if seconds > SECONDS:
            outcome = "FAILED: time"
            print(f"{name}, seed {seed}, mutant {i}: {seconds:.1f} s", file=sys.stderr)
        outcomes[outcome] += 1
    return outcomes, slowest


def peer_reads(name: str, path: Path) -> None:
    import lightgbm
    import xgboost

    if name.startswith("lightgbm"):
        lightgbm.Booster(model_file=str(path)).predict(ROWS, num_threads=1)
    else:
        booster = xgboost.Booster({"nthread": 1}, model_file=str(path))
        data = xgboost.DMatrix(ROWS[:3], feature_types=["q", "c"], enable_categorical=True, nthread=1)
        booster.predict(data, validate_features=False)


def peer_in_a_child(name: str, path: Path) -> str:
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (PEER_SECONDS, PEER_SECONDS))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        try:
            peer_reads(name, path)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"more than {PEER_SECONDS} s" if number in (signal.SIGXCPU, signal.SIGKILL) else "crash"
    return "error" if os.WEXITSTATUS(status) else "model"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="mutants of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--own", action="store_true", help="mutants of the formats of gppcore")
    parser.add_argument("--format", default="", help="beginning of the name of the formats, as the results show it")
    parser.add_argument("--peers", action="store_true", help="read with LightGBM and XGBoost instead")
    options = parser.parse_args()
    if options.peers:
        with tempfile.TemporaryDirectory() as folder:
            for name in READERS:
                path = Path(folder) / name
                peer_reads(name, MODELS / name)  # the children need not import
                counts = Counter(peer_in_a_child(name, path) for _ in mutants(name, options.n, options.seed, path))
                print(f"{name}: {options.n} mutants: {dict(sorted(counts.items()))}", flush=True)
        return 0
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error")
    failed = False
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        paths = {name: Path(folder) / name for name in READERS}
        jobs = {name: (path, functools.partial(read, name, path), None) for name, path in paths.items()}
        if options.own:
            files = own_formats(Path(folder))
            jobs = {
                name: (path, functools.partial(read_own, look, look()), path.read_bytes())
                for name, (path, look) in files.items()
            }
        for name, (path, look, original) in jobs.items():
            if not name.startswith(options.format):
                continue
            outcomes, slowest = run(name, options.n, options.seed, path, look, original)
            if original is not None:
                path.write_bytes(original)
            failed |= any(outcome.startswith("FAILED") for outcome in outcomes)
            counts = ", ".join(f"{outcome} {count}" for outcome, count in sorted(outcomes.items()))
            print(f"{name}: {options.n} mutants, slowest {1000 * slowest:.0f} ms: {counts}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
