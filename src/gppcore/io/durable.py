"""Durable files: whole under their names after any crash, or not there."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gppcore.errors import disk_errors

PART = ".part"
"""How the names of unfinished files end."""


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that it is, after any crash, either whole under its name or not there.

    Raises
    ------
    DiskFullError
        If there is no room; what was under the name stays.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Its own name: another process may be writing the same file, after this one was taken for dead.
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(path.parent)


def write_json(path: Path, content: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write a JSON file durably; NaN and infinity, which JSON lacks, are an error of the caller.

    Raises
    ------
    DiskFullError
        If there is no room; what was under the name stays.
    """
    write_durably(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def rename_durably(building: Path, path: Path) -> None:
    """Give a file, or a folder of files, that others wrote its name once all of it is on the disk."""
    for file in (building, *building.rglob("*")):
        _sync(file)
    building.rename(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
