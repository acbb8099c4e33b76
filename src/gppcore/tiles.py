"""The tile store: fields of land cells in plain memory-mapped tiles that any Zarr reader opens too.

A store is a Zarr v3 group. Cells are listed tile by tile and, inside a tile, window by window of 16 x 32 grid
cells, so that neighbours stay together; CF "compression by gathering" (`compress = "lat lon"`) tells where they
lie. One chunk of one variable is one tile: 12 months x 65,536 cells (static fields: 65,536 cells), little-endian,
uncompressed. A tile is written to a temporary name, synced and renamed, and its checksum goes to the journal:
what the journal does not confirm does not exist.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import (
    DtypeError,
    MissingFileError,
    OutputExistsError,
    ShapeError,
    TileFormatError,
    disk_errors,
)

TILE_CELLS = 65536
WINDOW = (16, 32)
MONTHS = 12
# Inside the folder of an array: beside the arrays, every Zarr reader that lists the group would warn of it.
_JOURNAL = "cell/journal.jsonl"


def window_order(index: NDArray[np.integer[Any]], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Sort flat indices of a (lat, lon) grid window by window, row by row inside a window."""
    row, column = np.divmod(np.asarray(index, dtype=np.int64), shape[1])
    height, width = WINDOW
    window = (row // height) * -(-shape[1] // width) + column // width
    order = np.argsort(window * (height * width) + (row % height) * width + column % width)
    return np.asarray(index, dtype=np.int64)[order]


class TileStore:
    """Fields of land cells in memory-mapped tiles; use :meth:`create` or :meth:`open`.

    Attributes
    ----------
    path : Path
        Folder of the Zarr group.
    lat, lon : ndarray
        Cell centres of the full grid [degrees].
    index : ndarray of int64, shape (cells,)
        Flat index of every cell in the (lat, lon) grid, in the order of the tiles.
    """

    def __init__(self, path: Path, lat: NDArray[Any], lon: NDArray[Any], index: NDArray[np.int64]) -> None:
        self.path, self.lat, self.lon, self.index = path, lat, lon, index
        self._journal = _read_journal(path / _JOURNAL)
        self._monthly: dict[str, bool] = {}
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: str | Path, lat: ArrayLike, lon: ArrayLike, cells: NDArray[np.integer[Any]]) -> TileStore:
        """Create a store for some cells of a grid.

        Parameters
        ----------
        path : str or Path
            New folder.
        lat, lon : array_like
            Cell centres of the grid [degrees].
        cells : ndarray of int
            Flat indices of the cells in the (lat, lon) grid, in any order.

        Raises
        ------
        OutputExistsError
            If the folder exists.
        DiskFullError
            If there is no room.
        """
        import zarr

        path, lat, lon = Path(path), np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64)
        if path.exists():
            raise OutputExistsError(f"tile store: expected a new folder, got {path}, which exists")
        index = window_order(cells, (lat.size, lon.size))
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            building = path.with_name(path.name + ".part")
            group = zarr.open_group(building, mode="w", zarr_format=3, attributes={"Conventions": "CF-1.8"})
            for name, values, attrs in (
                ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
                ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
                ("cell", index, {"compress": "lat lon"}),
            ):
                array = group.create_array(name, data=values, dimension_names=(name,), compressors=None)
                array.attrs.update(attrs)
            building.rename(path)
        return cls(path, lat, lon, index)

    @classmethod
    def open(cls, path: str | Path) -> TileStore:
        """Open a store.

        Raises
        ------
        MissingFileError
            If there is none.
        TileFormatError
            If it is not one of gppcore's.
        """
        import zarr

        path = Path(path)
        if not (path / "zarr.json").is_file():
            raise MissingFileError(f"tile store: expected a folder with zarr.json, got {path}")
        group = zarr.open_group(path, mode="r")
        try:
            lat, lon, index = (np.asarray(group[name][:]) for name in ("lat", "lon", "cell"))  # type: ignore[index]
        except KeyError as error:
            raise TileFormatError(f"{path}: expected arrays lat, lon and cell, got no {error}") from None
        return cls(path, lat, lon, index)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (lat, lon) of the full grid."""
        return self.lat.size, self.lon.size

    @property
    def n_tiles(self) -> int:
        """Number of tiles."""
        return -(-self.index.size // TILE_CELLS)

    def cells(self, tile: int) -> slice:
        """Return the cells of a tile as a slice of `index`."""
        if not 0 <= tile < self.n_tiles:
            raise ShapeError(f"tile: expected 0 to {self.n_tiles - 1}, got {tile}")
        return slice(tile * TILE_CELLS, min((tile + 1) * TILE_CELLS, self.index.size))

    def add(self, name: str, *, monthly: bool, attrs: Mapping[str, Any]) -> None:
        """Declare a float32 variable, monthly (time, cell) or static (cell,).

        Raises
        ------
        OutputExistsError
            If the variable is there with other attributes, that is, from something else.
        """
        import zarr

        metadata = self.path / name / "zarr.json"
        if metadata.exists():
            if (there := json.loads(metadata.read_text()).get("attributes", {})) != dict(attrs):
                raise OutputExistsError(f"{self.path}: expected {name!r} with attributes {dict(attrs)}, got {there}")
            return
        with disk_errors(self.path):
            zarr.create_array(
                self.path / name,
                shape=(MONTHS, self.index.size) if monthly else (self.index.size,),
                chunks=(MONTHS, TILE_CELLS) if monthly else (TILE_CELLS,),
                dtype="float32",
                fill_value=np.nan,
                compressors=None,
                zarr_format=3,
                dimension_names=("time", "cell") if monthly else ("cell",),
                attributes=dict(attrs),
            )

    def write(self, name: str, tile: int, values: NDArray[np.float32]) -> None:
        """Write one tile of a declared variable; it exists once the journal has it.

        Raises
        ------
        ShapeError, DtypeError
            If `values` is not float32 of shape (12, n), or (n,) if static, for the n cells of the tile.
        DiskFullError
            If there is no room; the tile then stays as it was.
        """
        n = len(range(*self.cells(tile).indices(self.index.size)))
        chunk = self._chunk(name, tile)
        if values.dtype != np.float32:
            raise DtypeError(f"{name}, tile {tile}: expected float32, got {values.dtype}")
        shape = (MONTHS, n) if self._is_monthly(name) else (n,)
        if values.shape != shape:
            raise ShapeError(f"{name}, tile {tile}: expected {shape}, got {values.shape}")
        padded = np.full((*values.shape[:-1], TILE_CELLS), np.nan, dtype="<f4")
        padded[..., :n] = values
        with disk_errors(chunk):
            chunk.parent.mkdir(parents=True, exist_ok=True)
            temporary = chunk.with_name(f"{chunk.name}.part")
            with temporary.open("wb") as file:
                file.write(padded.data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(chunk)
            entry = {"variable": name, "tile": tile, "size": padded.nbytes, "crc32": zlib.crc32(padded.data)}
            with self._lock, (self.path / _JOURNAL).open("a") as journal:
                # The new line comes first, so that a line cut off by a crash does not swallow this one.
                journal.write("\n" + json.dumps(entry))
                journal.flush()
                os.fsync(journal.fileno())
                self._journal[name, tile] = entry

    def read(self, name: str, tile: int) -> NDArray[np.float32]:
        """Map one tile read-only: (12, n) or (n,) float32.

        Raises
        ------
        TileFormatError
            If the tile is not in the journal or its file is missing or has another size.
        """
        entry, chunk = self._journal.get((name, tile)), self._chunk(name, tile)
        if entry is None:
            raise TileFormatError(f"{self.path}: expected a finished tile {tile} of {name!r}, got none in the journal")
        if not chunk.is_file() or chunk.stat().st_size != entry["size"]:
            raise TileFormatError(f"{chunk}: expected a file of {entry['size']} bytes, got another or none")
        n = len(range(*self.cells(tile).indices(self.index.size)))
        mapped = np.memmap(chunk, dtype="<f4", mode="r").reshape(-1, TILE_CELLS)[:, :n]
        return mapped if len(mapped) > 1 else mapped[0]

    def has(self, name: str, tile: int) -> bool:
        """Tell whether a tile is finished: in the journal, and its file has the size and checksum written there."""
        entry, chunk = self._journal.get((name, tile)), self._chunk(name, tile)
        if entry is None or not chunk.is_file() or chunk.stat().st_size != entry["size"]:
            return False
        return bool(zlib.crc32(np.memmap(chunk, dtype=np.uint8, mode="r").data) == entry["crc32"])

    def read_field(self, name: str, month: int | None = None) -> NDArray[np.float32]:
        """Return one month (0-11) of a variable, or a static one, over all cells in the order of `index`."""
        parts = [self.read(name, tile) for tile in range(self.n_tiles)]
        return np.concatenate(parts if month is None else [part[month] for part in parts])

    def _chunk(self, name: str, tile: int) -> Path:
        return (
            self.path / name / "c" / "0" / str(tile) if self._is_monthly(name) else self.path / name / "c" / str(tile)
        )

    def _is_monthly(self, name: str) -> bool:
        if name not in self._monthly:
            metadata = self.path / name / "zarr.json"
            if not metadata.is_file():
                raise TileFormatError(f"{self.path}: expected a variable {name!r}, got none of that name")
            self._monthly[name] = len(json.loads(metadata.read_text())["shape"]) == 2
        return self._monthly[name]


def _read_journal(path: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Read the finished tiles; a line cut off by a crash is dropped."""
    entries = {}
    for line in path.read_text().splitlines() if path.is_file() else ():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        entries[entry["variable"], entry["tile"]] = entry
    return entries
