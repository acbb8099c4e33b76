"""Work on a dask cluster whose results are needed one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from distributed import Client

Job = TypeVar("Job", bound=tuple[Any, ...])
Result = TypeVar("Result")

_AHEAD = 2
"""Jobs per thread of the workers that are under way or whose results wait to be taken, which bounds memory."""
_RETRIES = 3


def in_order(
    client: Client, function: Callable[..., Result], shared: tuple[Any, ...], jobs: Iterable[Job]
) -> Iterator[tuple[Job, Result]]:
    """Yield every job with the result of ``function(*shared, *job)``, in order; the scheduler replaces lost workers.

    Parameters
    ----------
    client : distributed.Client
        Of a cluster whose workers see the same files.
    function : callable
        Of a module, so that workers can import it.
    shared, jobs
        Arguments of all calls, and those of each.
    """
    waiting = iter(jobs)
    running: deque[tuple[Job, Any]] = deque()
    try:
        while True:
            # Asked each time, since the workers of an adaptive cluster come and go.
            ahead = _AHEAD * max(1, sum(client.ncores().values()))  # type: ignore[no-untyped-call]
            for job in islice(waiting, ahead - len(running)):
                running.append((job, client.submit(function, *shared, *job, retries=_RETRIES, pure=False)))
            if not running:
                return
            job, future = running.popleft()
            yield job, future.result()
            future.release()
    finally:
        client.cancel([future for _, future in running])  # type: ignore[no-untyped-call]
