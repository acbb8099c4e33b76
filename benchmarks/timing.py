"""One case of a report, and fair timing of several functions that do the same work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One line of a report: a figure of gppcore beside those of its peers.

    Parameters
    ----------
    name : str
        What was timed.
    ours : float
        The figure of gppcore, in `unit`.
    unit : str
        Unit of `ours` and of the peers' figures.
    ratio : float
        What `goal` bounds from below: how many times better than the peer (or other limit) that the goal names.
    goal : float or None
        Least ratio to reach; None where there is no goal.
    peers : mapping of str to float
        Figures of the peers on the same work, in `unit`.
    """

    name: str
    ours: float
    unit: str
    ratio: float
    goal: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)


def fastest(
    functions: Mapping[str, Callable[[], object]],
    *,
    seconds: float = 2.0,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the shortest time of each function, called in turn so that a busy machine is fair to all.

    Every function is called once untimed, then round after round until `seconds` have passed, three rounds at least.
    In a round, a function that is quick is called for 20 ms: its first calls pay for what another left in the caches
    and in the power state of the vector units. `clock` may be `time.thread_time` for functions that stay in the
    calling thread.
    """
    best = dict.fromkeys(functions, float("inf"))
    for function in functions.values():
        function()
    begin, rounds = time.perf_counter(), 0
    while rounds < 3 or time.perf_counter() - begin < seconds:
        for name, function in functions.items():
            turn = time.perf_counter()
            while True:
                start = clock()
                function()
                best[name] = min(best[name], clock() - start)
                if time.perf_counter() - turn > 0.02:
                    break
        rounds += 1
    return best
