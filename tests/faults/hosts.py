"""Faults of the host: calls that fail, no descriptors, no threads, a second job."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import subprocess
import time
from pathlib import Path

from bench import Bench, Loss, child, ended

NUMBERS = (
    errno.EIO,
    errno.ENOSPC,
    errno.EROFS,
    errno.EACCES,
    errno.EDQUOT,
    errno.EMFILE,
    errno.ENOLCK,
    errno.EOPNOTSUPP,
)


def failing_calls(bench: Bench, n: int) -> str:
    """Let a call and all later ones fail; the job ends with an error of gppcore, and the next run completes it."""
    points = range(1, bench.calls + 1, max(bench.calls // n, 1))
    stopped = 0
    for i, k in enumerate(points):
        with bench.trial() as folder:

            def prepare(folder: Path = folder, k: int = k, number: int = NUMBERS[i % len(NUMBERS)]) -> None:
                bench.library.arm(os.fsencode(folder), k)
                bench.library.fail(number)

            stopped += not bench.outcome(folder, prepare)
            bench.check(folder)
            bench.finish(folder)
    if not stopped:
        raise Loss("no failing call stopped the job")
    return f"{stopped} typed errors at {len(points)} of {bench.calls} calls, {len(NUMBERS)} kinds"


def failing_opens(bench: Bench, n: int) -> str:
    """Let the opening of a file and all later ones fail, in the job and in one that resumes it."""
    stopped = 0
    for i in range(n):
        with bench.trial() as folder:
            for k in (1 + i * 4000 // n, 1 + i * 40 // n):

                def prepare(folder: Path = folder, k: int = k, number: int = NUMBERS[i % len(NUMBERS)]) -> None:
                    bench.library.arm(os.fsencode(folder), 0)
                    bench.library.fail_opens(k, number)

                stopped += not bench.outcome(folder, prepare)
                bench.check(folder)
            bench.finish(folder)
    if not stopped:
        raise Loss("no failing call stopped the job")
    return f"{stopped} typed errors in {2 * n} runs, {len(NUMBERS)} kinds"


def no_descriptors(bench: Bench, n: int) -> str:
    """Run with fewer descriptors than the job needs, down to none."""
    stopped = 0
    limits = [3 + i * 40 // max(n, 1) for i in range(n)]
    for limit in limits:
        with bench.trial() as folder:

            def prepare(limit: int = limit) -> None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

            stopped += not bench.outcome(folder, prepare)
            bench.check(folder)
            bench.finish(folder)
    if not stopped:
        raise Loss("no limit stopped the job")
    return f"{stopped} typed errors at {n} limits, {limits[0]} to {limits[-1]}"


def no_threads(bench: Bench, n: int) -> str:
    """Refuse new threads after the first few."""
    whole = 0
    for left in range(n):
        with bench.trial() as folder:
            whole += bench.outcome(folder, lambda left=left: bench.library.leave_threads(left))
            bench.check(folder)
            bench.finish(folder)
    return f"0 to {n - 1} threads: {whole} whole runs, {n - whole} typed errors"


def read_only(bench: Bench, n: int) -> str:
    """Make the file system read-only at random moments, and writable again."""
    if os.geteuid() != 0:
        return "left out: needs root, to mount a small file system"
    rng, stopped = random.Random(6), 0
    for _ in range(n):
        with bench.trial() as folder:
            disk = folder / "disk"
            disk.mkdir()
            if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True).returncode:
                return "left out: no file system can be mounted"
            try:
                process = child(lambda disk=disk: os._exit(0 if bench.outcome(disk, lambda: None) else os.EX_TEMPFAIL))
                time.sleep(rng.uniform(0.0, bench.seconds))
                while subprocess.run(["mount", "-o", "remount,ro", disk], capture_output=True).returncode:
                    time.sleep(0.001)  # a file is open for writing
                code = ended(process)
                if code not in (0, os.EX_TEMPFAIL):
                    raise Loss(f"expected an end or an error of gppcore, got exit code {code}")
                stopped += code != 0
                subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
                bench.check(disk)
                bench.finish(disk)
            finally:
                subprocess.run(["umount", "-l", disk], check=True)
    return f"{n} runs, {stopped} typed errors"


def second_job(bench: Bench, n: int) -> str:
    """Start the job twice: at most one is refused, with an error of gppcore, and the product is whole."""
    rng, refused = random.Random(3), 0
    for _ in range(n):
        with bench.trial() as folder:
            bench.finish(folder)
            shutil.rmtree(folder / "gpp.zarr")
            wait = rng.uniform(0.0, bench.seconds / 2)
            first = child(lambda folder=folder: os._exit(0 if bench.outcome(folder, lambda: None) else 7))
            time.sleep(wait)
            second = child(lambda folder=folder: os._exit(0 if bench.outcome(folder, lambda: None) else 7))
            codes = [ended(first), ended(second)]
            if sorted(codes) not in ([0, 0], [0, 7]):
                raise Loss(f"two jobs ended with {codes}")
            refused += 7 in codes
            if bench.job.digest(folder) != bench.digest:
                raise Loss("the product of two jobs differs from that of one")
    return f"{n} pairs, {refused} refused"
