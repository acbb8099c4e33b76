"""Manifests: size and checksum of every file of a finished folder, so that lost or damaged files are recognised."""

from __future__ import annotations

import zlib
from pathlib import Path

from gppcore.errors import ProductFormatError, disk_errors
from gppcore.io.durable import write_json
from gppcore.io.reading import read_json

_LIMIT = 2**28  # bytes: a manifest of some million files


def write_manifest(folder: Path, relative: str) -> None:
    """Write the manifest of all files of a folder to a file in it."""
    own = folder / relative
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != own)
    files = {path.relative_to(folder).as_posix(): [path.stat().st_size, _checksum(path)] for path in paths}
    write_json(own, {"files": files})


def check_manifest(folder: Path, relative: str, *, content: bool) -> int:
    """Check a folder against its manifest and return the number of files; 0 without a manifest.

    Parameters
    ----------
    folder : Path
        The finished folder.
    relative : str
        Path of the manifest in it.
    content : bool
        Whether to read every file for its checksum; else only names and sizes are compared.

    Raises
    ------
    ProductFormatError
        If a file is missing, or differs; the message names the first of them and their number.
    """
    own = folder / relative
    if not own.exists():
        return 0
    try:
        listed = read_json(own, ProductFormatError, limit=_LIMIT)["files"]
        files = {name: (int(size), int(crc)) for name, (size, crc) in listed.items()}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ProductFormatError(f"{own}: expected a manifest of files, got {error!r}") from None
    with disk_errors(folder):
        wrong = [name for name, (size, crc) in files.items() if not _agrees(folder / name, size, crc, content)]
    if wrong:
        raise ProductFormatError(
            f"{folder}: expected {len(files)} files as they were written, got {len(wrong)} missing or damaged, first "
            f"{wrong[0]}; write the product again"
        )
    return len(files)


def _agrees(path: Path, size: int, crc: int, content: bool) -> bool:
    if not path.is_file() or path.stat().st_size != size:
        return False
    return not content or _checksum(path) == crc


def _checksum(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            crc = zlib.crc32(block, crc)
    return crc
