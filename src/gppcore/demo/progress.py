"""Progress of the demonstration: a bar for each step with rate and remaining time, and its duration."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text


class _Rate(ProgressColumn):
    """Units per second of a task."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        for scale, prefix in ((1e6, " M"), (1e3, " k"), (1.0, " ")):
            if speed >= scale:
                return Text(f"{speed / scale:.1f}{prefix}{task.fields['unit']}/s")
        return Text(f"{1 / speed:.1f} s/{task.fields['unit']}")


class Steps:
    """Steps of a run, each shown as a bar; a context that draws them.

    Attributes
    ----------
    seconds : dict of str to float
        Duration of the steps that have ended.
    """

    def __init__(self, console: Console) -> None:
        self.seconds: dict[str, float] = {}
        columns = (
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
        start = time.perf_counter()
        task = self._progress.add_task(name, total=total, unit=unit)
        yield lambda n: self._progress.update(task, advance=n)
        self._progress.update(task, completed=total)
        self.seconds[name] = round(time.perf_counter() - start, 2)


def peak_rss_gb() -> float:
    """Return the highest resident memory of this process [GB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
