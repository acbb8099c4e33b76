"""Progress of a run: bars on a terminal; on a log, a line for each step and one every half minute."""

from __future__ import annotations

import logging
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

LOG = logging.getLogger("gppcore")
_EVERY = 30.0
"""Seconds between the lines of a step."""


class _Rate(ProgressColumn):
    """Units per second of a task."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(_rate(speed, task.fields["unit"]) if speed else "")


def _rate(speed: float, unit: str) -> str:
    for scale, prefix in ((1e6, " M"), (1e3, " k"), (1.0, " ")):
        if speed >= scale:
            return f"{speed / scale:.1f}{prefix}{unit}/s"
    return f"{1 / speed:.1f} s/{unit}"


class Silent:
    """Steps that are told to the logger `gppcore` alone."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    @contextmanager
    def step(self, name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Run a step of `total` units; yields a function that takes the number of units just done."""
        start = time.monotonic()
        done = 0

        def advance(n: int) -> None:
            nonlocal done
            done += n

        def tell() -> None:
            """Log how far the step is every half minute, also while a unit takes long."""
            while not ended.wait(_EVERY):
                passed = time.monotonic() - start
                share, speed = 100.0 * done / total, done / passed
                more = (
                    f"{_rate(speed, unit).strip()}, {max(total - done, 0) / speed:.0f} s left"
                    if done
                    else "no rate yet"
                )
                LOG.info("%s: %.0f %%, %.0f s so far, %s", name, share, passed, more)

        LOG.info("%s: begun", name)
        ended = threading.Event()
        teller = threading.Thread(target=tell, daemon=True) if LOG.isEnabledFor(logging.INFO) else None
        if teller:
            teller.start()
        try:
            yield advance
        finally:
            ended.set()
            if teller:
                teller.join()
        LOG.info("%s: done in %.1f s", name, time.monotonic() - start)


class Steps(Silent):
    """Steps that are also shown as bars; a context that draws them."""

    def __init__(self, console: Console) -> None:
        columns = (
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<32}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            _Rate(table_column=Column(no_wrap=True, min_width=13)),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console)

    def __enter__(self) -> Steps:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    @contextmanager
    def step(self, name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Run a step of `total` units; yields a function that takes the number of units just done."""
        task = self._progress.add_task(name, total=total, unit=unit)
        with super().step(name, total, unit) as log:

            def advance(n: int) -> None:
                self._progress.update(task, advance=n)
                log(n)

            yield advance
        self._progress.update(task, completed=total)


def peak_rss_gb() -> float:
    """Return the highest resident memory of this process [GB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
