"""Durable files: after any crash complete under their names, or absent."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gppcore import _core
from gppcore.errors import disk_errors

if TYPE_CHECKING:
    import pandas as pd

PART = ".part"
"""Suffix of unfinished files."""


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write a file that is, after any crash, either complete under its name or absent.

    Raises
    ------
    DiskFullError
        If the disk is full; an older file of that name stays.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # A unique name: another process may be writing the same file.
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
        If the disk is full; an older file of that name stays.
    """
    write_durably(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def write_table(table: pd.DataFrame, path: Path, *, index: bool = True) -> None:
    """Write a table as a CSV file durably.

    Raises
    ------
    DiskFullError
        If the disk is full; an older file of that name stays.
    """
    write_durably(path, table.to_csv(index=index).encode())


def rename_durably(building: Path, path: Path) -> None:
    """Sync a file or a folder of files written elsewhere, and give it its name."""
    for file in (building, *building.rglob("*")):
        _sync(file)
    building.rename(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    _core.sync_file(os.fsencode(path))
