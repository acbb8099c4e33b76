"""netCDF files written so that a full disk is an error: the HDF5 library crashes where it cannot close a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gppcore import _core

if TYPE_CHECKING:
    import xarray as xr

_STRUCTURE = 2**16
"""Largest write that may be a structure of HDF5 [bytes]."""


class _File:
    """A file that never fails towards HDF5: after the first error what is written is kept in memory, or left out.

    HDF5 reads back its own structures, which are small, and not whole chunks of values.
    """

    def __init__(self, path: Path) -> None:
        self._file = _core.open_file(os.fsencode(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        self._at = 0
        self._size = 0
        self._late: list[tuple[int, bytes]] = []
        self.error: OSError | None = None

    def close(self) -> None:
        self._file.close()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        done = 0
        try:
            while done < len(view) and not self.error:
                done += os.pwrite(self._file.fileno(), view[done:], self._at + done)
        except OSError as error:
            self.error = error
        if self.error and len(view) <= _STRUCTURE:
            self._late.append((self._at, bytes(view)))
        self._at += len(view)
        self._size = max(self._size, self._at)
        return len(view)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        view[:] = bytes(len(view))
        begin, end = self._at, min(self._at + len(view), self._size)
        content = os.pread(self._file.fileno(), len(view), begin)
        view[: len(content)] = content
        for at, late in self._late:
            low, high = max(begin, at), min(end, at + len(late))
            if low < high:
                view[low - begin : high - begin] = late[low - at : high - at]
        self._at = end
        return end - begin

    def read(self, n: int) -> bytes:
        content = bytearray(n)
        return bytes(content[: self.readinto(content)])

    def truncate(self, size: int) -> int:
        try:
            if not self.error:
                os.ftruncate(self._file.fileno(), size)
        except OSError as error:
            self.error = error
        self._size = size
        return size

    def flush(self) -> None:
        """Leave it to the system: who renames the file syncs it."""


def write_netcdf4(ds: xr.Dataset, path: Path, encoding: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Write a new netCDF4 file.

    Parameters
    ----------
    ds : xarray.Dataset
        What to write.
    path : Path
        New file; after an error there is none.
    encoding : mapping, optional
        As of :meth:`xarray.Dataset.to_netcdf` with the engine h5netcdf.

    Raises
    ------
    OSError
        If the disk is full, or the file cannot be written.
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    file = _File(path)
    try:
        try:
            with h5netcdf.File(file, "w") as inner:
                ds.dump_to_store(H5NetCDFStore(inner), encoding=encoding)
        finally:
            file.close()
            if file.error:
                raise file.error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
