"""A saved model as one zip file: written completely or not at all, and read as untrusted input."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from gppcore.errors import ForestFormatError, MissingFileError, disk_errors
from gppcore.io.durable import write_durably

_MEMBER = re.compile(r"model\.(json|gppm)|(source|member)_[\w.-]{1,47}\.gppf", re.ASCII)
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
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.writestr(ZipInfo(file.name, _NO_DATE), file.read_bytes(), ZIP_DEFLATED)
    write_durably(path, content.getbuffer())


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
    try:
        content = _read(path)
    except _DAMAGE as error:
        raise ForestFormatError(f"{path}: expected a whole zip of a saved model, got: {error}") from error
    with TemporaryDirectory(prefix="gppcore-") as name:
        folder = Path(name)
        with disk_errors(folder):
            for file, data in content.items():
                (folder / file).write_bytes(data)
        try:
            yield folder
        except (ForestFormatError, MissingFileError) as error:
            raise ForestFormatError(str(error).replace(name, str(path))) from error


def _read(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        names = archive.namelist()
        # Other names may lead out of the folder, and two files of one name are ambiguous.
        if wrong := [name for name in names if not _MEMBER.fullmatch(name)]:
            raise BadZipFile(f"a file {wrong[0]!r}")
        if len(set(names)) < len(names):
            raise BadZipFile("two files of one name")
        return {name: archive.read(name) for name in names}
