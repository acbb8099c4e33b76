"""Kill a mapping job, fill its disk and damage its files: `python tests/faults/run.py --n N`; exit code 1 on any loss.

Every trial runs the job in a separate process, injects a fault, checks that each tile in the journal is complete, runs
the job again to its end, and compares the product with that of an uninterrupted run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import damage
import hosts
from bench import PRELOADED, Bench, Loss, child, ended

HERE = Path(__file__).resolve().parent
LONG = 100
"""Number of trials from which the job is killed at every call."""


def killed_at_random(bench: Bench, n: int) -> str:
    rng, tiles = random.Random(0), 0
    for _ in range(n):
        with bench.trial() as folder:
            before: set[tuple[str, int, int]] = set()
            for _ in range(2):
                process = bench.run(folder)
                time.sleep(rng.uniform(0.0, bench.seconds))
                os.kill(process, signal.SIGKILL)
                ended(process)
                before = bench.check(folder, before)
                tiles += len(before)
            bench.finish(folder)
    return f"{2 * n} kills, {tiles} finished tiles checked"


def killed_at_calls(bench: Bench, n: int) -> str:
    """Kill at n of the write, fsync and rename calls of the job, at all of them in the long form."""
    points = range(1, bench.calls + 1, 1 if n >= LONG else max(bench.calls // n, 1))
    for k in points:
        with bench.trial() as folder:

            def work(folder: Path = folder, k: int = k) -> None:
                bench.library.arm(os.fsencode(folder), k)
                bench.job.run(folder, bench.model)

            code = ended(child(work))
            if code not in (-signal.SIGKILL, 0):  # threads make the number of calls differ a little
                raise Loss(f"call {k}: expected the job to be killed, got exit code {code}")
            bench.check(folder)
            bench.finish(folder)
    return f"{len(points)} of {bench.calls} calls"


def disk_full(bench: Bench, n: int) -> str:
    """Run on a small file system that is enlarged bit by bit."""
    n = max(n, 3)
    if os.geteuid() != 0:
        return "left out: needs root, to mount a small file system"
    with bench.trial() as folder:
        disk = folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True).returncode:
            return "left out: no file system can be mounted"
        try:
            full, sizes = 0, [200 + i * 3000 // n for i in range(n)]
            before: set[tuple[str, int, int]] = set()
            for size in sizes:
                subprocess.run(["mount", "-o", f"remount,size={size}k", disk], check=True)
                (disk / "found").unlink(missing_ok=True)

                def work() -> None:
                    from gppcore.errors import DiskFullError

                    try:
                        bench.job.run(disk, bench.model)
                    except DiskFullError:
                        os._exit(os.EX_TEMPFAIL)

                code = ended(child(work))
                if code not in (0, os.EX_TEMPFAIL):
                    raise Loss(f"{size} KiB: expected DiskFullError, got exit code {code}")
                full += code == os.EX_TEMPFAIL
                subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
                before = bench.check(disk, before)
            bench.finish(disk)
        finally:
            subprocess.run(["umount", "-l", disk], check=True)
    if not full:
        raise Loss("no disk was small enough to be full")
    return f"full {full} times, at {n} sizes"


def two_writers(bench: Bench, n: int) -> str:
    """Hold the store in one process, and try to write in another; then kill the first."""
    from gppcore.errors import StoreLockedError
    from gppcore.tiles.store import TileStore

    slowest = 0.0
    with bench.trial() as folder:
        bench.finish(folder)
        for _ in range(n):
            held = folder / "held"
            held.unlink(missing_ok=True)

            def hold(held: Path = held) -> None:
                with TileStore.open(folder / "store").writing():
                    held.touch()
                    time.sleep(60)

            def refused(owner: int) -> None:
                store = TileStore.open(folder / "store")
                begin = time.monotonic()
                try:
                    store.write("lai", 0, bench.job.field("lai", 0, 0, 512))
                except StoreLockedError as error:
                    (folder / "slow").write_text(str(time.monotonic() - begin))
                    if f'"process": {owner},' in str(error):
                        return
                raise Loss("the second writer was not refused with the owner's name")

            first = child(hold)
            while not held.exists():
                time.sleep(0.001)
            os.kill(first, signal.SIGSTOP)  # a writer that stands still is one
            if ended(child(lambda owner=first: refused(owner))):
                raise Loss("two writers")
            slowest = max(slowest, float((folder / "slow").read_text()))
            os.kill(first, signal.SIGKILL)
            ended(first)
            if ended(bench.run(folder)):
                raise Loss("the lock of a killed process was not recovered")
    if slowest > 1.0:
        raise Loss(f"the second writer was refused after {slowest:.2f} s")
    return f"{n} refusals within {slowest * 1e3:.1f} ms"


def damaged(bench: Bench, n: int) -> str:
    """Truncate, flip or replace a chunk, and expect an error that names it, and the same product after a new run."""
    rng = random.Random(1)
    with bench.trial() as folder:
        bench.finish(folder)
        outside = folder / "outside"
        chunks = sorted(p for p in (folder / "store").glob("*/c/**/*") if p.is_file() and "gpp" in str(p))
        for i in range(n):
            chunk = rng.choice(chunks)
            content = bytearray(chunk.read_bytes())
            if i % 3 == 0:
                os.truncate(chunk, rng.randrange(len(content)))
            elif i % 3 == 1:
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
                chunk.write_bytes(content)
            else:
                outside.write_bytes(content)
                chunk.unlink()
                chunk.symlink_to(outside)

            def detect(chunk: Path = chunk) -> None:
                from gppcore.errors import TileFormatError

                try:
                    bench.job.finished(folder)
                except TileFormatError as error:
                    if str(chunk) in str(error):
                        return
                raise Loss(f"{chunk}: damage was not detected")

            if ended(child(detect)):
                raise Loss("damage was not detected and named")
            if chunk.is_symlink():
                chunk.unlink()
            shutil.rmtree(folder / "gpp.zarr")
            bench.finish(folder)
    return f"{n} damaged chunks"


def interrupted(bench: Bench, n: int) -> str:
    """Send Ctrl-C at random moments; the process must be gone within 0.2 s."""
    rng, slowest = random.Random(2), 0.0
    for _ in range(n):
        with bench.trial() as folder:
            process = bench.run(folder)
            time.sleep(rng.uniform(0.05, bench.seconds))
            begin = time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGINT)
            ended(process)
            slowest = max(slowest, time.monotonic() - begin)
            bench.check(folder)
            bench.finish(folder)
    if slowest > 0.2:
        raise Loss(f"Ctrl-C was honoured after {slowest:.2f} s")
    return f"{n} interrupts, the slowest after {slowest * 1e3:.0f} ms"


FAULTS: dict[str, tuple[Callable[[Bench, int], str], float]] = {
    "kill -9 at random moments": (killed_at_random, 1.0),
    "kill -9 at write, fsync, rename": (killed_at_calls, 1.0),
    "disk full": (disk_full, 0.2),
    "two writers": (two_writers, 0.1),
    "damaged chunks": (damaged, 0.3),
    "Ctrl-C": (interrupted, 0.2),
    "errors of write, fsync, rename": (hosts.failing_calls, 0.6),
    "errors of open": (hosts.failing_opens, 0.6),
    "no descriptors left": (hosts.no_descriptors, 0.3),
    "no threads left": (hosts.no_threads, 0.1),
    "second job on one product": (hosts.second_job, 0.1),
    "read-only disk": (hosts.read_only, 0.2),
    "stale tiles": (damage.stale, 0.1),
    "tiles cut short": (damage.cut_short, 0.2),
    "flipped bits in every file": (damage.flipped, 0.3),
}
"""Each fault, and its trials per trial of the first."""


def preload() -> None:
    """Start this program again with the library that counts and kills."""
    library = Path(tempfile.mkdtemp()) / "kill_at.so"
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    source = HERE / "kill_at.c"
    subprocess.run(
        [shutil.which(compiler) or "cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True
    )
    environment = {**os.environ, "LD_PRELOAD": str(library), PRELOADED: str(library)}
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100, help="random kills; the other faults scale with it")
    options = parser.parse_args()
    if PRELOADED not in os.environ:
        preload()
    failed = False
    # In memory, where there is such a folder: a killed process loses nothing that it wrote, synced or not.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as root:
        bench = Bench(Path(root))
        for name, (fault, share) in FAULTS.items():
            begin = time.monotonic()
            try:
                told = fault(bench, max(round(options.n * share), 1))
            except Loss as loss:
                failed, told = True, f"LOSS: {loss}"
            print(f"{name:<32} {told} ({time.monotonic() - begin:.0f} s)", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
