"""Files mapped into memory, and what becomes of a reading while another program cuts them short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore import _core
from gppcore.errors import ForestFormatError, MissingFileError, TileFormatError


def map_file(path: Path, size: int) -> NDArray[np.uint8]:
    """Map a file read-only, which must have a size now, whatever it had before.

    Raises
    ------
    TileFormatError
        If it has another size, or is no file.
    FileAccessError
        If the system refuses to open or map it.
    """
    try:
        content: NDArray[Any] = _core.map_file(str(path)).view(np.memmap)  # the type tells readers that it is a file
    except (MissingFileError, ForestFormatError) as error:
        raise TileFormatError(f"{path}: expected a file of {size} bytes, got another or none: {error}") from None
    if content.size != size:
        raise TileFormatError(f"{path}: expected a file of {size} bytes, got another or none: {content.size} bytes")
    return content


@contextmanager
def whole_files() -> Iterator[None]:
    """Read mapped files inside: one that is cut short meanwhile is an error at the end, and not the end of the process.

    Raises
    ------
    TileFormatError
        If a mapped file was cut short; what was read from it inside is not to be used.
    """
    guard = _core.TruncationGuard()
    try:
        yield
    finally:
        try:
            guard.check()
        except ForestFormatError as error:
            raise TileFormatError(str(error)) from None
        finally:
            del guard
