"""Location and instruction set of the compiled library, and the cores it may use."""

from __future__ import annotations

import contextvars
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

import gppcore
from gppcore import _core
from gppcore.errors import MissingFileError, RangeError

__all__ = [
    "get_cmake_dir",
    "get_include",
    "get_library",
    "interruptible",
    "isa",
    "supported_isas",
    "threads",
    "usable_cores",
]


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
    context = contextvars.copy_context()  # numpy.errstate, for one

    def run() -> None:
        try:
            results.append(context.run(call))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system has no thread left
        return call()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


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
