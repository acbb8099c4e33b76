"""The files that an experiment reads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gppcore.errors import MissingFileError, disk_errors
from gppcore.experiment.settings import Settings
from gppcore.tiles.fields import MAUNA_LOA

Record = tuple[str, int, int]


def gridded_files(settings: Settings) -> list[str]:
    """Return paths and patterns of the gridded files."""
    sources = settings.recipe.variables.values()
    paths = [settings.recipe.cells.path, *(source.path for source in sources if source.value is None)]
    paths += [source.orography.rpartition(":")[0] for source in sources if source.orography]
    return sorted({path for path in paths if path != MAUNA_LOA})


def tower_paths(settings: Settings) -> list[str]:
    """Return paths and patterns of tower files and metadata."""
    towers = settings.towers
    return [*towers.files, *towers.sites] if towers.files else [towers.folder]


def product_files(settings: Settings) -> list[str]:
    """Return the files of the products to compare with."""
    return [text.rsplit(":", 1)[0] if ":" in text else text for text in settings.map.compare]


def process_files(settings: Settings) -> list[str]:
    """Return the file of the product of another process model, if there is one."""
    return [settings.process.product] if settings.process.product else []


def found(text: str, folder: Path) -> list[Path]:
    """Return the files that a path or pattern means."""
    path = Path(text)
    base = Path(path.anchor) if path.is_absolute() else folder
    pattern = str(path.relative_to(path.anchor)) if path.is_absolute() else text
    return sorted(base.glob(pattern)) if any(sign in text for sign in "*?[") else [folder / path]


def require(paths: Iterable[str], folder: Path, step: str) -> None:
    """Refuse paths and patterns without a file, before any step has taken its time.

    Raises
    ------
    MissingFileError
        If there is one.
    """
    for text in paths:
        if not any(path.exists() for path in found(text, folder)):
            raise MissingFileError(f"{step}: expected files {text} in {folder}, got none; see `gppcore check`")


def fingerprint(paths: Iterable[str], folder: Path) -> list[Record]:
    """Return path from `folder`, size and time of change of every file that paths, folders and patterns mean."""
    records: list[Record] = []
    for text in paths:
        for path in found(text, folder):
            with disk_errors(path):
                inside = [p for p in sorted(path.rglob("*")) if p.is_file()] if path.is_dir() else [path]
                for file in inside:
                    if file.exists():
                        state = file.stat()
                        records.append((os.path.relpath(file, folder), state.st_size, state.st_mtime_ns))
    return records
