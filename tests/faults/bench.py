"""What all faults share: processes, and a bench with a model and the product of an uninterrupted run."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PRELOADED = "GPPCORE_FAULTS_PRELOADED"


class Loss(Exception):
    """Loss of finished work, which no fault may cause."""


def child(work: Callable[[], None]) -> int:
    """Run some work in a forked process and return its process number."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            os._exit(code)
    return process


def ended(process: int) -> int:
    """Wait for a process; negative is the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


class Bench:
    """A folder for trials, a model and the product of an uninterrupted run."""

    def __init__(self, root: Path) -> None:
        import job

        self.job, self.root, self.model = job, root, root / "model"
        self.library = ctypes.CDLL(os.environ[PRELOADED])
        self.library.counted.restype = ctypes.c_long
        job.save_model(self.model)
        started = time.monotonic()
        if ended(child(lambda: self._counted(root / "whole"))) != 0:
            raise Loss("the uninterrupted run failed")
        self.seconds = time.monotonic() - started
        self.calls = int((root / "calls").read_text())
        self.digest = job.digest(root / "whole")

    def _counted(self, folder: Path) -> None:
        self.library.arm(os.fsencode(folder), 0)
        self.job.run(folder, self.model)
        (self.root / "calls").write_text(str(self.library.counted()))

    @contextlib.contextmanager
    def trial(self) -> Iterator[Path]:
        """Make a folder for one trial."""
        folder = Path(tempfile.mkdtemp(dir=self.root))
        yield folder
        shutil.rmtree(folder)

    def outcome(self, folder: Path, prepare: Callable[[], object]) -> bool:
        """Run the job after some preparation: whether it ended; if not, then with an error of gppcore."""

        def work() -> None:
            from gppcore.errors import GppcoreError

            prepare()
            try:
                self.job.run(folder, self.model)
            except GppcoreError:
                os._exit(os.EX_TEMPFAIL)

        code = ended(child(work))
        if code not in (0, os.EX_TEMPFAIL):
            raise Loss(f"expected an end or an error of gppcore, got exit code {code}")
        return code == 0

    def run(self, folder: Path) -> int:
        """Start the job."""
        return child(lambda: self.job.run(folder, self.model))

    def check(self, folder: Path, before: set[tuple[str, int, int]] = frozenset()) -> set[tuple[str, int, int]]:
        """Check the confirmed tiles and return them."""

        def look() -> None:
            (folder / "found").write_text(json.dumps(sorted(self.job.finished(folder))))

        if ended(child(look)) != 0:
            raise Loss("a tile that the journal confirms is not whole")
        found = {(name, tile, year) for name, tile, year in json.loads((folder / "found").read_text())}
        if lost := before - found:
            raise Loss(f"finished tiles were lost: {sorted(lost)[:3]}")
        return found

    def finish(self, folder: Path) -> None:
        """Run the job to its end and compare its product."""
        if ended(self.run(folder)) != 0:
            raise Loss("the job did not go on after the fault")
        if self.job.digest(folder) != self.digest:
            raise Loss("the product differs from that of an uninterrupted run")
