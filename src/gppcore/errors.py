"""The errors that gppcore raises: each message names the argument, the expected and the actual value."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class GppcoreError(Exception):
    """Base class of all errors of gppcore.

    Examples
    --------
    >>> from gppcore import Forest
    >>> from gppcore.errors import GppcoreError
    >>> try:
    ...     Forest.load("absent.gppf")
    ... except GppcoreError as error:
    ...     print(type(error).__name__)
    MissingFileError
    """


class ShapeError(GppcoreError, ValueError):
    """An array has the wrong shape, or two shapes do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import aggregate
    >>> from gppcore.errors import ShapeError
    >>> try:
    ...     aggregate(np.zeros((4, 5)), factor=2, lat_edges=(1, -1))
    ... except ShapeError as error:
    ...     print(error)
    field: expected (lat, lon) divisible by factor 2, got (4, 5)
    """


class DtypeError(GppcoreError, TypeError):
    """An argument has a type that is not accepted; nothing is converted silently.

    Examples
    --------
    >>> from gppcore import simulate
    >>> from gppcore.errors import DtypeError
    >>> try:
    ...     simulate([1.0, 2.0])
    ... except DtypeError as error:
    ...     print(error)
    ds: expected an xarray.Dataset, got list
    """


class RangeError(GppcoreError, ValueError):
    """A value lies outside its valid range, or an option is unknown.

    Examples
    --------
    >>> from gppcore.errors import RangeError
    >>> from gppcore.runtime import threads
    >>> try:
    ...     threads(-1)
    ... except RangeError as error:
    ...     print(error)
    n_threads: expected a whole number from 0 (all usable cores), got -1
    """


class RangeWarning(UserWarning):
    """Values lie outside their valid range, and the caller asked for a warning.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from gppcore import Forest, TransferModel
    >>> from gppcore.errors import RangeWarning
    >>> stump = {"feature": [0, -1, -1], "threshold": [2.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> forest = Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 3.0, 9.0], **stump)
    >>> with warnings.catch_warnings(record=True, category=RangeWarning, action="always") as caught:
    ...     gpp = TransferModel.of_forest(forest, ["lai"]).predict(np.array([[30.0]]), check="warn")
    >>> [each.category.__name__ for each in caught]
    ['RangeWarning']
    """


class UnitsError(GppcoreError, ValueError):
    """A quantity is, or appears to be, in another unit than the required one.

    Examples
    --------
    >>> from gppcore import PFTS, Canopy, Forcing, two_leaf_gpp
    >>> from gppcore.errors import UnitsError
    >>> try:
    ...     noon = Forcing(sw=600.0, tair=295.0, vpd=900.0, cos_zenith=0.8, ca=410.0)
    ...     two_leaf_gpp(noon, Canopy(lai=3.0), PFTS["dbf"])
    ... except UnitsError as error:
    ...     print(error)
    tair: expected degC, got values up to 295, which look like K
    """


class TileFormatError(GppcoreError, OSError):
    """A tile store is incomplete, was changed, or does not match its journal.

    Examples
    --------
    >>> from pathlib import Path
    >>> from gppcore import TileStore
    >>> from gppcore.errors import TileFormatError
    >>> Path("tiles").mkdir()
    >>> _ = Path("tiles", "zarr.json").write_text("{}")
    >>> try:
    ...     TileStore.open("tiles")
    ... except TileFormatError as error:
    ...     print(type(error).__name__)
    TileFormatError
    """


class StoreLockedError(GppcoreError, OSError):
    """A tile store has another writer.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import TileStore
    >>> from gppcore.errors import StoreLockedError
    >>> store = TileStore.create("tiles", np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.array([0, 1, 3]))
    >>> with store.writing():
    ...     try:
    ...         with TileStore.open("tiles").writing():
    ...             pass
    ...     except StoreLockedError as error:
    ...         print(type(error).__name__)
    StoreLockedError
    """


class ForestFormatError(GppcoreError, OSError):
    """A forest file is truncated, corrupt or of an unknown version, or a model cannot be represented.

    Examples
    --------
    >>> from gppcore import Forest
    >>> from gppcore.errors import ForestFormatError
    >>> try:
    ...     Forest.load(b"no forest")
    ... except ForestFormatError as error:
    ...     print(type(error).__name__)
    ForestFormatError
    """


class TowerFormatError(GppcoreError, ValueError):
    r"""A tower file lacks a column or contains implausible rows.

    Examples
    --------
    >>> from pathlib import Path
    >>> from gppcore import read_fluxnet
    >>> from gppcore.errors import TowerFormatError
    >>> _ = Path("DE-Mad.csv").write_text("time,tair\n2003-01-01,1.0\n2003-01-02,2.0\n")
    >>> try:
    ...     read_fluxnet("DE-Mad.csv")
    ... except TowerFormatError as error:
    ...     print(type(error).__name__)
    TowerFormatError
    """


class CalibrationFormatError(GppcoreError, OSError):
    """A file of calibrated parameters is damaged or of another version.

    Examples
    --------
    >>> from pathlib import Path
    >>> from gppcore import Calibration
    >>> from gppcore.errors import CalibrationFormatError
    >>> _ = Path("calibration.json").write_text("{}")
    >>> try:
    ...     Calibration.load("calibration.json")
    ... except CalibrationFormatError as error:
    ...     print(type(error).__name__)
    CalibrationFormatError
    """


class ProductFormatError(GppcoreError, OSError):
    """A gridded product lacks the coordinates, variable or units that a CF reader needs.

    Examples
    --------
    >>> from pathlib import Path
    >>> from gppcore import compare
    >>> from gppcore.errors import ProductFormatError
    >>> _ = Path("gpp.nc").write_text("no netCDF")
    >>> try:
    ...     compare("gpp.nc", "gpp.nc")
    ... except ProductFormatError as error:
    ...     print(type(error).__name__)
    ProductFormatError
    """


class MissingFileError(GppcoreError, FileNotFoundError):
    """A named file or folder does not exist.

    Examples
    --------
    >>> from gppcore import read_towers
    >>> from gppcore.errors import MissingFileError
    >>> try:
    ...     read_towers("absent")
    ... except MissingFileError as error:
    ...     print(error)
    towers: expected a file absent/gpp_monthly.csv or gpp_monthly.csv.gz, got none
    """


class OutputExistsError(GppcoreError, FileExistsError):
    """An output folder exists and does not belong to this run.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import TileStore
    >>> from gppcore.errors import OutputExistsError
    >>> where = (np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.array([0, 1, 3]))
    >>> _ = TileStore.create("tiles", *where)
    >>> try:
    ...     TileStore.create("tiles", *where)
    ... except OutputExistsError as error:
    ...     print(error)
    tile store: expected a new folder, got tiles, which exists
    """


class DiskFullError(GppcoreError, OSError):
    """The disk is full; outputs finished before stay valid.

    Examples
    --------
    >>> import errno
    >>> from gppcore.errors import DiskFullError, disk_errors
    >>> try:
    ...     with disk_errors("map.zarr"):  # around all that gppcore writes
    ...         raise OSError(errno.ENOSPC, "No space left on device")
    ... except DiskFullError as error:
    ...     print(error)
    map.zarr: expected room on the disk, got: No space left on device; free some and run again
    """


class FileAccessError(GppcoreError, OSError):
    """The system refuses to read, write or lock a file: permissions, a failing disk, too many open files.

    Examples
    --------
    >>> import errno
    >>> from gppcore.errors import FileAccessError, disk_errors
    >>> try:
    ...     with disk_errors("map.zarr"):  # around all that gppcore reads and writes
    ...         raise PermissionError(errno.EACCES, "Permission denied")
    ... except FileAccessError as error:
    ...     print(str(error).partition("; ")[2])
    change the permissions or choose another place
    """


class MissingPackageError(GppcoreError, ImportError):
    """A package that this part of gppcore needs is not installed.

    Examples
    --------
    >>> from gppcore.errors import MissingPackageError, missing_package
    >>> try:
    ...     import gdal_of_another_planet
    ... except ImportError as error:
    ...     print(missing_package("GeoTIFF", error, extra="geotiff"))
    GeoTIFF: expected the package gdal_of_another_planet, got none; install it by pip install 'gppcore[geotiff]'
    """


class KernelError(GppcoreError, RuntimeError):
    """The compiled core failed, or an unknown instruction set was asked for.

    Examples
    --------
    >>> import os, subprocess, sys
    >>> program = "import gppcore; gppcore.aggregate([[1.0, 2.0]] * 2, factor=2, lat_edges=(1, -1))"
    >>> another = {**os.environ, "GPPCORE_ISA": "mmx"}
    >>> done = subprocess.run([sys.executable, "-c", program], env=another, capture_output=True, text=True)
    >>> done.stderr.splitlines()[-1].split(":")[0]
    'gppcore.errors.KernelError'
    """


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
