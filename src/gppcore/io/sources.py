"""Where gridded files are: paths and patterns of this machine, and addresses that fsspec opens (``s3://``, ``https://``)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gppcore.errors import FileAccessError, GppcoreError, MissingFileError, MissingPackageError, disk_errors

Source = Path | str
"""A path, or an address: a text with ``://``."""
Record = tuple[str, int, int | str]
"""Name, size and version of a file: what tells that it changed."""

_SIGNS, _REMOTE_SIGNS = set("*?["), set("*[")  # a question mark begins the query of an address
_FILES = (".nc", ".nc4", ".cdf", ".h5", ".hdf5", ".hdf", ".he5", ".grib", ".grb", ".grib2", ".tif", ".tiff", ".csv")
_METADATA = ("zarr.json", ".zmetadata", ".zgroup")
_VERSIONS = ("ETag", "etag", "md5Hash", "Content-MD5", "mtime", "LastModified", "Last-Modified", "updated", "created")
"""What file systems call the version of a file, the most certain ones first."""


def is_address(source: Source) -> bool:
    """Whether it is opened by fsspec."""
    return "://" in str(source)


def split_variable(text: str) -> tuple[str, str | None]:
    """Return the file and the variable of ``FILE:VARIABLE``; None without a variable."""
    match = None if Path(text).exists() else re.fullmatch(r"(.+):([^/:]+)", text)
    return (match[1], match[2]) if match else (text, None)


def located(text: str, folder: Path) -> Source:
    """Return an address as it is, and a path from a folder."""
    return text if is_address(text) else folder / text


def sources(text: str, folder: Path) -> list[Source]:
    """Return what a path, a pattern or an address means, sorted; a name that is no pattern need not exist.

    Raises
    ------
    MissingPackageError, FileAccessError
        If a pattern of addresses cannot be listed.
    """
    if not is_address(text):
        path = Path(text)
        base = Path(path.anchor) if path.is_absolute() else folder
        if path.exists() or not _SIGNS & set(text):
            return [folder / path]
        return [*sorted(base.glob(str(path.relative_to(path.anchor)) if path.is_absolute() else text))]
    if not _REMOTE_SIGNS & set(text):
        return [text]
    front, chain, inner = text.rpartition("::")
    with access(inner) as (files, pattern):
        return [front + chain + files.unstrip_protocol(name) for name in sorted(files.glob(pattern))]


def there(source: Source) -> bool:
    """Whether there is a file, folder or store."""
    if isinstance(source, Path):
        return source.exists()
    with access(source) as (files, path):
        return bool(files.exists(path)) or _metadata(files, path) is not None


def kind(source: Source) -> str:
    """Return "file", "zarr" or "reference": a kerchunk reference set, a JSON file or a folder of parquet files.

    Raises
    ------
    MissingFileError
        If there is nothing at an address.
    """
    name = str(source).lower()
    if name.endswith((".json", ".json.zst")):
        return "reference"
    if isinstance(source, Path):
        marks = source / ".zmetadata"
        lazy = marks.is_file() and _is_lazy(marks.read_bytes())
        return ("reference" if lazy else "zarr") if source.is_dir() else "file"
    if name.partition("?")[0].endswith(_FILES):
        return "file"
    with access(source) as (files, path):
        marks_at = _metadata(files, path)
        if marks_at is None:
            return "file"
        lazy = marks_at.endswith(".zmetadata") and _is_lazy(files.cat_file(marks_at))
        return "reference" if lazy else "zarr"


def _metadata(files: Any, path: str) -> str | None:
    return next((at for name in _METADATA if files.exists(at := f"{path.rstrip('/')}/{name}")), None)


def _is_lazy(content: bytes) -> bool:
    """Whether the metadata of a folder are those of references in parquet files."""
    try:
        return "record_size" in json.loads(content)
    except ValueError:
        return False


def records(source: Source, folder: Path) -> Iterator[Record]:
    """Yield what identifies the files of a source: size and time of change, or the version that a server states.

    A remote Zarr store is identified by its metadata, since listing all its chunks may take long.
    """
    if isinstance(source, Path):
        with disk_errors(source):
            inside = [p for p in sorted(source.rglob("*")) if p.is_file()] if source.is_dir() else [source]
            for file in inside:
                if file.exists():
                    state = file.stat()
                    yield os.path.relpath(file, folder), state.st_size, state.st_mtime_ns
        return
    inner = source.rpartition("::")[2]  # a local copy has the version of what it was copied from
    store = kind(inner) != "file" and not inner.endswith(".json")
    with access(inner) as (files, path):
        info = files.info((_metadata(files, path) or path) if store else path)
    version = next((str(info[key]) for key in _VERSIONS if info.get(key)), "")
    yield source, int(info.get("size") or 0), version


@contextmanager
def access(address: str) -> Iterator[tuple[Any, str]]:
    """Give the file system of an address and the path in it; errors inside are those of :func:`remote_errors`."""
    with remote_errors(address):
        import fsspec

        yield fsspec.url_to_fs(address)


@contextmanager
def remote_errors(address: str) -> Iterator[None]:
    """Turn errors of file systems and networks into those of gppcore.

    Raises
    ------
    MissingPackageError
        If the package for this kind of address is not installed.
    MissingFileError
        If there is nothing.
    FileAccessError
        If the system, or the network, refuses.
    """
    try:
        yield
    except GppcoreError:
        raise
    except ImportError as error:
        raise MissingPackageError(
            f"{address}: expected the packages for this kind of address, got: {error}; install them by "
            "pip install 'gppcore[remote]'",
            name=error.name,
        ) from error
    except FileNotFoundError as error:
        raise MissingFileError(f"{address}: expected a file or store, got nothing there") from error
    except Exception as error:  # every kind of file system has errors of its own
        raise FileAccessError(
            f"{address}: expected access, got {type(error).__name__}: {error}; see the configuration of fsspec for "
            "credentials and options"
        ) from error
