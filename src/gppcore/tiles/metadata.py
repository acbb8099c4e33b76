"""Metadata of the variables of a tile store: Zarr arrays of float32, monthly or static."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.arrays import floats
from gppcore.errors import DtypeError, RangeError, ShapeError, TileFormatError, disk_errors
from gppcore.io.durable import PART, rename_durably
from gppcore.io.mapped import whole_files
from gppcore.io.names import check_name, is_name
from gppcore.io.reading import JSON_LIMIT, parse_json, read_file
from gppcore.tiles.journal import Journal, plain_file
from gppcore.variables import MONTHS, check_ranges

METADATA = (-1, -1)
"""In the place of tile and year: entries of the journal for the metadata of a variable."""
_COORDINATES = {"time", "lat", "lon", "cell"}


class Variable(NamedTuple):
    """How a variable is stored."""

    monthly: bool
    compressed: bool

    def encode(self, values: NDArray[np.float32], tile_cells: int) -> memoryview:
        """Return the content of the file of a tile, NaN where it has fewer cells than others."""
        whole = np.ascontiguousarray(values, dtype="<f4")
        if values.shape[-1] < tile_cells:
            whole = np.full((*values.shape[:-1], tile_cells), np.nan, dtype="<f4")
            whole[..., : values.shape[-1]] = values
        return memoryview(_zstd().encode(whole)) if self.compressed else whole.data.cast("B")

    def decode(self, content: NDArray[np.uint8], tile_cells: int, where: Path) -> NDArray[np.float32]:
        """Return the values of the file of a tile, mapped unless they are compressed."""
        if self.compressed:
            with whole_files():
                try:
                    content = np.frombuffer(_zstd().decode(content), dtype=np.uint8)
                except RuntimeError as error:  # changed since its checksum was verified
                    raise TileFormatError(f"{where}: expected the file as it was written, got: {error}") from None
        expected = tile_cells * (MONTHS if self.monthly else 1) * 4
        if content.size != expected:
            raise TileFormatError(f"{where}: expected {expected} bytes of values, got {content.size}")
        values: NDArray[np.float32] = content.view("<f4")
        return values.reshape(MONTHS, tile_cells) if self.monthly else values


def is_variable(folder: str) -> bool:
    """Whether a folder of a store with this name is that of a variable."""
    return folder not in _COORDINATES and is_name(folder) and not folder.endswith(PART)


def check_variable(name: str) -> None:
    """Raise RangeError unless a variable may have this name."""
    if not is_variable(check_name("name", name)):
        raise RangeError(f"name: expected a name of your own, got {name!r}, which the store uses itself")


def check_values(name: str, tile: int, values: ArrayLike, shape: tuple[int, ...], check: str) -> NDArray[np.float32]:
    """Return the values of a tile, refusing another type or shape and, as `check` says, values out of range."""
    found = floats(f"{name}, tile {tile}", values)
    if found.dtype != np.float32:
        raise DtypeError(f"{name}, tile {tile}: expected float32, got {found.dtype}; convert with astype(np.float32)")
    if found.shape != shape:
        raise ShapeError(f"{name}, tile {tile}: expected {shape}, got {found.shape}")
    check_ranges({name: found}, check, where=f"tile {tile}")
    return found


def create_variable(
    path: Path, name: str, shape: tuple[int, ...], tile_cells: int, attrs: Mapping[str, Any], *, compressed: bool
) -> None:
    """Create a variable of NaN over (time, cell) or (cell,), whole or not at all."""
    import zarr
    from zarr.codecs import ZstdCodec

    monthly = len(shape) == 2
    building = path / f"{name}{PART}"
    zarr.create_array(
        building,
        shape=shape,
        chunks=(MONTHS, tile_cells) if monthly else (tile_cells,),
        dtype="float32",
        fill_value=np.nan,
        compressors=ZstdCodec(checksum=True) if compressed else None,
        zarr_format=3,
        dimension_names=("time", "cell") if monthly else ("cell",),
        attributes=dict(attrs),
        overwrite=True,
    )
    rename_durably(building, path / name)


def remove_variable(path: Path, name: str) -> None:
    """Remove a variable of a store, whole or not at all; call it inside `TileStore.writing`, and open the store anew.

    Entries of its tiles stay in the journal; without their files they do not count.
    """
    if (path / name / "zarr.json").is_file():
        with disk_errors(path):
            going = path / f"{name}{PART}"
            shutil.rmtree(going, ignore_errors=True)
            (path / name).rename(going)
            shutil.rmtree(going)


def read_metadata(path: Path, name: str, journal: Journal) -> dict[str, Any]:
    """Read the metadata of a variable, which must be as they were written."""
    file = plain_file(path, f"{name}/zarr.json")
    content = read_file(file, TileFormatError, limit=JSON_LIMIT)
    entry = journal.get(name, *METADATA)
    try:
        metadata = parse_json(content)
    except ValueError as error:
        raise TileFormatError(f"{file}: expected the metadata of an array, got: {error}") from None
    changed = entry is not None and not entry.confirms(memoryview(content))
    if changed or not isinstance(metadata, dict) or not isinstance(metadata.get("attributes", {}), dict):
        raise TileFormatError(f"{file}: expected the metadata as they were written, got others; build it again")
    return metadata


def check_metadata(path: Path, name: str, metadata: Mapping[str, Any], n_months: int, n_cells: int) -> Variable:
    """Return how a variable is stored, whose metadata must describe what :func:`create_variable` creates."""
    where = path / name / "zarr.json"
    try:
        codecs = [codec["name"] for codec in metadata["codecs"]]
        kind, shape = metadata["data_type"], list(metadata["shape"])
    except (KeyError, TypeError) as error:
        raise TileFormatError(f"{where}: expected the metadata of an array, got no {error}") from None
    if codecs not in (["bytes"], ["bytes", "zstd"]):
        raise TileFormatError(f"{where}: expected codecs bytes or bytes, zstd, got {str(codecs)[:100]}")
    if kind != "float32" or shape not in ([n_cells], [n_months, n_cells]):
        raise TileFormatError(
            f"{where}: expected float32 over {n_cells} cells, got {str(kind)[:20]} of {str(shape)[:40]}"
        )
    return Variable(len(shape) == 2, codecs[-1] == "zstd")


def _zstd() -> Any:
    """Return the codec of compressed variables; every decoding verifies the checksum in the frame."""
    from numcodecs.zstd import Zstd

    return Zstd(checksum=True)
