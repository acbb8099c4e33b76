"""A saved model as one zip file: written completely or not at all, and read as untrusted input."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from gppcore import _core
from gppcore.errors import ForestFormatError, GppcoreError, MissingFileError, disk_errors
from gppcore.io.durable import write_durably
from gppcore.io.reading import LARGEST_RATIO, check_file
from gppcore.transfer.recipe import read_model

CARD, RECIPE = "model.json", "model.gppm"
_SMALL = 2**20
"""Largest card [bytes]."""
_LARGEST_RECIPE = 2**22
"""Holds the names of 32,768 predictors, more than a model may have [bytes]."""
_BLOCK = 2**20
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes
_DAMAGE = (BadZipFile, OSError, EOFError, RuntimeError, ValueError, OverflowError, struct.error, zlib.error)
"""What zipfile raises for files that are damaged, encrypted (RuntimeError) or compressed by an unknown method."""


def pack(folder: Path, path: Path) -> None:
    """Write the files of a folder to a new zip, which has no folders in it.

    Raises
    ------
    DiskFullError
        If there is no room.
    """
    content = io.BytesIO()
    with ZipFile(content, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.writestr(ZipInfo(file.name, _NO_DATE), file.read_bytes(), ZIP_DEFLATED)
    write_durably(path, content.getvalue())  # a view of it in a traceback would outlive it


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack a zip to a temporary folder for the duration of the block.

    Errors of the block that name a file of the folder name it as a file of the zip.

    Raises
    ------
    ForestFormatError
        If the zip is damaged, holds anything else than the files of a model, or the block finds them damaged or
        missing.
    DiskFullError
        If there is no room for the folder.
    """
    check_file(path, ForestFormatError)
    with disk_errors("folder for temporary files"):
        temporary = TemporaryDirectory(prefix="gppcore-")  # of this user alone
    with temporary as name:
        folder = Path(name)
        try:
            _unpack(path, folder)
        except GppcoreError as error:
            raise _named(error, name, path) from error
        except _DAMAGE as error:
            raise ForestFormatError(f"{path}: expected a whole zip of a saved model, got: {error}") from error
        try:
            yield folder
        except (ForestFormatError, MissingFileError) as error:
            raise _named(error, name, path) from error


def _named(error: GppcoreError, folder: str, path: Path) -> GppcoreError:
    """Return the error with the files of the folder named as files of the zip."""
    if not isinstance(error, ForestFormatError | MissingFileError):
        return error
    return ForestFormatError(str(error).replace(folder, str(path)))


def _unpack(path: Path, folder: Path) -> None:
    """Unpack the recipe, and then only the files that it names."""
    with ZipFile(path) as archive:
        entries = {entry.orig_filename: entry for entry in archive.infolist()}
        if len(entries) < len(archive.infolist()):
            raise BadZipFile("two files of one name")
        for entry in entries.values():
            _check_entry(entry)
        if (size := sum(entry.file_size for entry in entries.values())) > LARGEST_RATIO * path.stat().st_size + _SMALL:
            raise BadZipFile(f"a zip of {path.stat().st_size} bytes that unpacks to {size}")
        if RECIPE not in entries:
            raise MissingFileError(f"{folder / RECIPE}: expected the recipe of a model, got none")
        _unpack_entry(archive, entries[RECIPE], folder)
        recipe = read_model(folder / RECIPE)
        wanted = {CARD, RECIPE}
        wanted |= {f"source_{name}.gppf" for name in recipe.sources}
        wanted |= {f"member_{member.name}.gppf" for member in recipe.members}
        if strange := sorted(set(entries) - wanted):
            raise BadZipFile(f"a file {strange[0]!r}, which its recipe does not name")
        for name in sorted(set(entries) - {RECIPE}):
            _unpack_entry(archive, entries[name], folder)


def _check_entry(entry: ZipInfo) -> None:
    name = entry.orig_filename
    largest = {CARD: _SMALL, RECIPE: _LARGEST_RECIPE}.get(name, entry.file_size)
    if entry.file_size > largest:
        raise BadZipFile(f"{name} of {entry.file_size} bytes, more than {largest}")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZipFile(f"{name!r}, neither stored nor deflated (method {entry.compress_type})")
    if entry.flag_bits & 1:
        raise BadZipFile(f"{name!r}, which is encrypted")


def _unpack_entry(archive: ZipFile, entry: ZipInfo, folder: Path) -> None:
    """Unpack a file block by block; it never becomes larger than the zip says."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with archive.open(entry) as source:
        with disk_errors(folder):
            target = _core.open_file(os.fsencode(folder / entry.orig_filename), flags, 0o600)
        with io.BufferedWriter(target) as target:
            while block := source.read(_BLOCK):
                with disk_errors(folder):
                    target.write(block)
