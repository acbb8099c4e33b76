"""The errors that gppcore raises: each message names the argument, the expected and the actual value."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class GppcoreError(Exception):
    """Base class of all errors of gppcore."""


class ShapeError(GppcoreError, ValueError):
    """An array has the wrong shape, or two shapes do not fit together."""


class DtypeError(GppcoreError, TypeError):
    """An argument has a type that is not accepted; nothing is converted silently."""


class RangeError(GppcoreError, ValueError):
    """A value lies outside its valid range, or an option is unknown."""


class RangeWarning(UserWarning):
    """Values lie outside their valid range, and the caller asked for a warning."""


class UnitsError(GppcoreError, ValueError):
    """A quantity is, or appears to be, in another unit than the required one."""


class TileFormatError(GppcoreError, OSError):
    """A tile store is incomplete, was changed, or does not match its journal."""


class StoreLockedError(GppcoreError, OSError):
    """A tile store has another writer."""


class ForestFormatError(GppcoreError, OSError):
    """A forest file is truncated, corrupt or of an unknown version, or a model cannot be represented."""


class TowerFormatError(GppcoreError, ValueError):
    """A tower file lacks a column or contains implausible rows."""


class CalibrationFormatError(GppcoreError, OSError):
    """A file of calibrated parameters is damaged or of another version."""


class ProductFormatError(GppcoreError, OSError):
    """A gridded product lacks the coordinates, variable or units that a CF reader needs."""


class MissingFileError(GppcoreError, FileNotFoundError):
    """A named file or folder does not exist."""


class OutputExistsError(GppcoreError, FileExistsError):
    """An output folder exists and does not belong to this run."""


class DiskFullError(GppcoreError, OSError):
    """The disk is full; outputs finished before stay valid."""


class KernelError(GppcoreError, RuntimeError):
    """The compiled core failed, or an unknown instruction set was asked for."""


@contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Turn "no space left" while writing to `where` into :class:`DiskFullError`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFullError(
            f"{where}: expected room on the disk, got: {error.strerror}; free some and run again"
        ) from error
