"""Location and instruction set of the compiled library, and calls in threads and processes of the usable cores."""

from __future__ import annotations

import contextvars
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import numpy as np

import gppcore
from gppcore import _core
from gppcore.errors import MissingFileError, RangeError

__all__ = [
    "get_cmake_dir",
    "get_include",
    "get_library",
    "in_processes",
    "in_threads",
    "interruptible",
    "isa",
    "supported_isas",
    "threads",
    "usable_cores",
]


Item = TypeVar("Item")
Result = TypeVar("Result")


def isa() -> str:
    """Name of the instruction set in use: baseline, avx2, avx512 or avx512_vbmi.

    The best one of this CPU, or that of the environment variable ``GPPCORE_ISA``. It affects speed and not results.

    Raises
    ------
    KernelError
        If ``GPPCORE_ISA`` is unknown or not supported by this CPU.

    Examples
    --------
    >>> from gppcore.runtime import isa, supported_isas
    >>> isa() in supported_isas()
    True
    """
    return str(_core.isa())


def supported_isas() -> tuple[str, ...]:
    """Instruction sets that this CPU can run, the fastest last.

    Examples
    --------
    >>> from gppcore.runtime import supported_isas
    >>> supported_isas()[0]
    'baseline'
    """
    return tuple(_core.supported_isas())


def usable_cores() -> int:
    """Cores that this process may use: those of its affinity, or OMP_NUM_THREADS where that is fewer.

    Examples
    --------
    >>> from gppcore.runtime import usable_cores
    >>> usable_cores() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(cores, int(wanted)) if wanted.isdigit() and int(wanted) > 0 else cores


def threads(n_threads: int | None) -> int:
    """Return a number of threads: `n_threads`, or all usable cores for 0 and None.

    Raises
    ------
    RangeError
        If it is not a whole number of at least 0.

    Examples
    --------
    >>> from gppcore.runtime import threads, usable_cores
    >>> threads(3), threads(0) == usable_cores()
    (3, True)
    """
    if n_threads is None:
        return usable_cores()
    if isinstance(n_threads, bool) or not isinstance(n_threads, int | np.integer) or not 0 <= n_threads < 2**31:
        raise RangeError(f"n_threads: expected a whole number from 0 (all usable cores), got {n_threads!r}")
    return int(n_threads) or usable_cores()


def interruptible(call: Callable[[], Result]) -> Result:
    """Return what a long call of another library returns; Ctrl-C ends the wait for it at once.

    The call runs in a thread of its own, since libraries look for Ctrl-C only between their own calls, if at all. After
    Ctrl-C it is left to end by itself, and nothing uses its result; the end of the process ends it too.

    Examples
    --------
    >>> from gppcore.runtime import interruptible
    >>> interruptible(lambda: sum(range(10)))
    45
    """
    if threading.current_thread() is not threading.main_thread():
        return call()  # Ctrl-C never reaches another thread
    results: list[Result] = []
    errors: list[BaseException] = []
    context, state = contextvars.copy_context(), np.geterr()

    def run() -> None:
        try:
            with np.errstate(**state):  # which is of a thread before NumPy 2
                results.append(context.run(call))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    try:
        _start(thread)
    except RuntimeError:  # the system has no thread left
        return call()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def in_threads(call: Callable[[Item], Result], items: Sequence[Item], n_threads: int) -> Generator[Result]:
    """Yield what a call returns for each item, in the order of completion; close it to give up what has not begun.

    Unlike an executor of the standard library, it waits in a single call of C. Ctrl-C therefore never finds it between
    two steps with a lock taken, which the threads would then wait for at the end of the process.

    Parameters
    ----------
    call : callable
        Its first error is raised here, after the results that were finished by then.
    items : sequence
        Its arguments.
    n_threads : int
        At least 1; fewer where the system refuses to start that many.

    Raises
    ------
    RuntimeError
        If the system refuses to start a single thread.

    Examples
    --------
    >>> from gppcore.runtime import in_threads
    >>> sorted(in_threads(abs, [-3, 2, -1], n_threads=2))
    [1, 2, 3]
    """
    todo: SimpleQueue[Item] = SimpleQueue()
    finished: SimpleQueue[tuple[list[Result], BaseException | None]] = SimpleQueue()
    for item in items:
        todo.put(item)

    def work() -> None:
        for item in _taken(todo):
            try:
                finished.put(([call(item)], None))
            except BaseException as error:
                finished.put(([], error))

    try:
        for n_started in range(min(n_threads, len(items))):
            try:
                _start(threading.Thread(target=work))
            except RuntimeError:
                if n_started == 0:
                    raise
                break
        for _ in items:
            results, error = finished.get()
            yield from results
            if error is not None:
                for others, _ in _taken(finished):
                    yield from others
                raise error
    finally:
        for _ in _taken(todo):
            pass


def in_processes(
    call: Callable[..., Result], arguments: Iterable[tuple[Any, ...]], n_processes: int
) -> Iterator[Result]:
    """Yield what calls return, in order, from worker processes, which end with this one.

    Parameters
    ----------
    call : callable
        Function of a module, which the workers import.
    arguments : iterable of tuple
        Arguments of each call, which are pickled.
    n_processes : int
        At least 1, which is this process.

    Examples
    --------
    >>> from gppcore.runtime import in_processes
    >>> list(in_processes(divmod, [(7, 2), (9, 4)], n_processes=1))
    [(3, 1), (2, 1)]
    """
    from joblib import Parallel, delayed

    tasks = (delayed(_in_worker)(os.getpid(), call, *each) for each in arguments)
    yield from Parallel(n_jobs=n_processes, return_as="generator")(tasks)


def _in_worker(parent: int, call: Callable[..., Result], *arguments: Any) -> Result:
    if os.getpid() != parent:  # one process needs no worker
        _core.end_with_parent()
    return call(*arguments)


def _taken(queue: SimpleQueue[Item]) -> Generator[Item]:
    """Take what a queue holds now."""
    while True:
        try:
            item = queue.get_nowait()
        except Empty:
            return
        yield item


def _start(thread: threading.Thread) -> None:
    try:
        thread.start()
    except RuntimeError as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # it came while threading took a lock back
            raise KeyboardInterrupt from None
        raise


def get_include() -> str:
    """Folder to give to a C or C++ compiler, for ``#include <gppcore/gppcore.h>``.

    Raises
    ------
    MissingFileError

    Examples
    --------
    >>> import gppcore
    >>> (gppcore.get_include() + "/gppcore/gppcore.h").endswith("include/gppcore/gppcore.h")
    True
    """
    return str(_installed("include/gppcore/gppcore.h").parents[1])


def get_library() -> str:
    """Path of the shared library, to link programs against or to load with ``ctypes``.

    Raises
    ------
    MissingFileError

    Examples
    --------
    >>> from pathlib import Path
    >>> import gppcore
    >>> Path(gppcore.get_library()).name.startswith("libgppcore")
    True
    """
    names = {"darwin": "lib/libgppcore.2.dylib", "win32": "bin/gppcore.dll"}
    return str(_installed(names.get(sys.platform, "lib/libgppcore.so.2")))


def get_cmake_dir() -> str:
    """Folder for CMake's ``find_package(gppcore CONFIG)``: pass it as ``gppcore_DIR``.

    Raises
    ------
    MissingFileError

    Examples
    --------
    >>> from pathlib import Path
    >>> import gppcore
    >>> Path(gppcore.get_cmake_dir(), "gppcoreConfig.cmake").is_file()
    True
    """
    return str(_installed("lib/cmake/gppcore/gppcoreConfig.cmake").parent)


def _installed(relative: str) -> Path:
    # An editable installation has two folders: the sources and the compiled files.
    folders = [Path(folder) for folder in gppcore.__path__] + [Path(_core.__file__).parent]
    for folder in folders:
        if (folder / relative).is_file():
            return folder / relative
    message = f"{relative}: expected in one of {', '.join(map(str, folders))}, got none; is gppcore installed?"
    raise MissingFileError(message)
