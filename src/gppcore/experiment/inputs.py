"""The files that an experiment reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gppcore.errors import MissingFileError
from gppcore.experiment.settings import Settings
from gppcore.io.sources import Record, is_address, records, sources, split_variable, there
from gppcore.tiles.fields import MAUNA_LOA, VariableSource


def gridded_files(settings: Settings) -> list[str]:
    """Return paths and patterns of the gridded files."""
    paths = [path for source in settings.recipe.variables.values() for path in source_files(source)]
    return sorted({settings.recipe.cells.path, *paths})


def source_files(source: VariableSource) -> list[str]:
    """Return paths and patterns of the files of a variable."""
    own = [] if source.value is not None or source.path == MAUNA_LOA else [source.path]
    return [*own, split_variable(source.orography)[0]] if source.orography else own


def tower_paths(settings: Settings) -> list[str]:
    """Return paths and patterns of tower files and metadata."""
    towers = settings.towers
    return [*towers.files, *towers.sites] if towers.files else [towers.folder]


def product_files(settings: Settings) -> list[str]:
    """Return the files of the products to compare with."""
    return [split_variable(text)[0] for text in settings.map.compare]


def process_files(settings: Settings) -> list[str]:
    """Return the file of the product of another process model, if there is one."""
    return [settings.process.product] if settings.process.product else []


def found(text: str, folder: Path) -> list[Path]:
    """Return the files of towers, of this machine, that a path or pattern means.

    Raises
    ------
    MissingFileError
        If it is an address.
    """
    if is_address(text):
        raise MissingFileError(f"towers: expected files of this machine, got {text}; download them first")
    return [Path(path) for path in sources(text, folder)]


def require(paths: Iterable[str], folder: Path, step: str) -> None:
    """Refuse paths, patterns and addresses without a file, before any step has taken its time.

    Raises
    ------
    MissingFileError
        If there is one.
    """
    for text in paths:
        if not any(there(source) for source in sources(text, folder)):
            raise MissingFileError(f"{step}: expected files {text} in {folder}, got none; see `gppcore check`")


def fingerprint(paths: Iterable[str], folder: Path) -> list[Record]:
    """Return name, size and version of every file that paths, folders, patterns and addresses mean."""
    return [record for text in paths for source in sources(text, folder) for record in records(source, folder)]
