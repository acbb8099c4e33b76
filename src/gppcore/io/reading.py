"""Files that others may have written: refused unless they are plain files of a bounded size and depth."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Callable
from gzip import GzipFile
from pathlib import Path
from typing import IO, Any

from gppcore import _core
from gppcore.errors import GppcoreError, disk_errors

JSON_LIMIT = 2**20
"""Bytes of a JSON file of gppcore: far more than any holds."""
LARGEST_RATIO = 200
"""Of unpacked content to what holds it: tables and forests shrink to a tenth at most; repeated bytes shrink more."""
JSON_DEPTH = 32
"""Nested lists and objects of a JSON file of gppcore."""


def check_file(path: str | Path, error: type[GppcoreError]) -> None:
    """Refuse whatever is not a regular file before it is opened, since a pipe blocks and a device may never end.

    Raises
    ------
    GppcoreError
        Of the type `error`, if the path has a NUL character or names a folder, pipe, socket or device.
    MissingFileError
        If there is no such file.
    FileAccessError
        If the system refuses to look at it.
    """
    if "\0" in os.fspath(path):
        raise error(f"path: expected the name of a file, got {os.fspath(path)!r}, which holds a NUL character")
    with disk_errors(path):
        kind = Path(path).stat().st_mode
    if not stat.S_ISREG(kind):
        got = "a folder" if stat.S_ISDIR(kind) else "a pipe, socket or device"
        raise error(f"{path}: expected a regular file, got {got}")


def read_file(path: str | Path, error: type[GppcoreError], *, limit: int | None = None) -> bytes:
    """Read a regular file, no more of it than its size at the beginning.

    Parameters
    ----------
    path : str or Path
        The file.
    error : type of GppcoreError
        Type of the error for a file that is not regular, or too large.
    limit : int, optional
        Largest size [bytes].

    Raises
    ------
    GppcoreError, MissingFileError, FileAccessError
        As for :func:`check_file`.
    """
    check_file(path, error)
    flags = os.O_RDONLY | os.O_NONBLOCK  # not blocking: the file may have become a pipe since
    with disk_errors(path), io.BufferedReader(_core.open_file(os.fsencode(path), flags, 0)) as file:
        size = os.fstat(file.fileno()).st_size
        if limit is not None and size > limit:
            raise error(f"{path}: expected at most {limit} bytes, got {size}")
        return file.read(size)


def unpacked(file: IO[bytes] | GzipFile, size: int, where: str, error: type[GppcoreError]) -> bytes:
    """Return what a compressed file of `size` bytes holds, no more of it than a table or a model can.

    Raises
    ------
    GppcoreError
        Of the type `error`, if it unpacks to more.
    """
    limit = LARGEST_RATIO * size + JSON_LIMIT
    content = file.read(limit + 1)
    if len(content) > limit:
        raise error(f"{where}: expected {size} bytes that unpack to at most {limit}, got more")
    return content


def read_json(path: str | Path, error: type[GppcoreError], *, limit: int = JSON_LIMIT) -> Any:
    """Read a JSON file of bounded size and depth.

    Raises
    ------
    GppcoreError
        Of the type `error`, if it is not a regular file, too large, no JSON, or nested too deeply.
    MissingFileError, FileAccessError
        As for :func:`check_file`.
    """
    try:
        return parse_json(read_file(path, error, limit=limit))
    except ValueError as reason:
        if isinstance(reason, GppcoreError):
            raise
        raise error(f"{path}: expected a JSON file, got: {reason}") from None


def parse_json(content: bytes | str) -> Any:
    """Return the value of a JSON text of bounded depth.

    Raises
    ------
    ValueError
        If it is no JSON, or nested too deeply.
    """
    try:
        value = json.loads(content)
    except RecursionError:
        raise ValueError(f"more than {JSON_DEPTH} nested lists and objects") from None
    check_depth(value)
    return value


def check_depth(value: Any) -> None:
    """Refuse a JSON value that :func:`parse_json` would refuse as nested too deeply.

    Raises
    ------
    ValueError
    """
    level = [value]
    for _ in range(JSON_DEPTH + 1):
        containers = [v for v in level if isinstance(v, dict | list | tuple)]
        if not containers:
            return
        level = [child for v in containers for child in (v.values() if isinstance(v, dict) else v)]
    raise ValueError(f"more than {JSON_DEPTH} nested lists and objects")


def number_of(text: str, parse: Callable[[str], float]) -> float:
    """Return the number that a text holds, without what Python reads beyond the format: ``1_0`` and other digits.

    Raises
    ------
    ValueError
        If it is not a number.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"not a number: {text[:40]!r}")
    return parse(text)
