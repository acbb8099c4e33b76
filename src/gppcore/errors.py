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


class FileAccessError(GppcoreError, OSError):
    """The system refuses to read, write or lock a file: permissions, a failing disk, too many open files."""


class MissingPackageError(GppcoreError, ImportError):
    """A package that this part of gppcore needs is not installed."""


class KernelError(GppcoreError, RuntimeError):
    """The compiled core failed, or an unknown instruction set was asked for."""


_NO_THREAD = "can't start new thread"
_ADVICE = {
    errno.EIO: "check the disk and run again",
    errno.EACCES: "change the permissions or choose another place",
    errno.EPERM: "change the permissions or choose another place",
    errno.EROFS: "choose a place on a file system that can be written",
    errno.EMFILE: "close files, or raise the limit with `ulimit -n`",
    errno.ENFILE: "close files of other programs and run again",
    errno.ENOLCK: "choose a place on a file system that has locks",
    errno.EOPNOTSUPP: "choose a place on a file system that has locks",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextmanager
def disk_errors(where: str | Path) -> Iterator[None]:
    """Turn errors of the system about `where` into typed ones, which keep its number in `errno`.

    No space left becomes :class:`DiskFullError`, a missing file :class:`MissingFileError`, and all others
    :class:`FileAccessError`. A thread that the system refuses, which libraries of files need, is a
    :class:`KernelError`.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, GppcoreError):
            raise
        raise typed(error, where) from error
    except RuntimeError as error:
        if _NO_THREAD not in str(error):
            raise
        raise KernelError(
            f"{where}: expected one more thread, got: {error}; end other programs or raise the limit (`ulimit -u`)"
        ) from error


def missing_package(what: str, error: ImportError, *, extra: str = "all") -> MissingPackageError:
    """Return the error that says what to install where an import of a package failed."""
    return MissingPackageError(
        f"{what}: expected the package {error.name}, got none; install it by pip install 'gppcore[{extra}]'",
        name=error.name,
    )


def typed(error: OSError, where: str | Path) -> GppcoreError:
    """Return the error of gppcore for an error of the system about `where`."""
    reason = error.strerror or str(error) or type(error).__name__
    found: DiskFullError | MissingFileError | FileAccessError
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        found = DiskFullError(f"{where}: expected room on the disk, got: {reason}; free some and run again")
    elif isinstance(error, FileNotFoundError):
        found = MissingFileError(f"{where}: expected a file or folder, got: {reason}")
    else:
        advice = _ADVICE.get(error.errno or 0, "mend it and run again")
        found = FileAccessError(f"{where}: expected access to the file or folder, got: {reason}; {advice}")
    found.errno = error.errno
    return found
