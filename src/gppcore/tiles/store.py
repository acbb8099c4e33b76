"""The tile store: fields of land cells in checked tiles that any Zarr reader can open.

A store is a Zarr v3 group. Cells are listed tile by tile and, inside a tile, window by window of 40 x 40 grid
cells, so that neighbours stay together; CF "compression by gathering" (`compress = "lat lon"`) records their
positions. One chunk of one variable is one tile of one year: 12 months x 65,536 cells (static fields: 65,536 cells),
little-endian, a Zstandard frame with a checksum unless asked otherwise. `gppcore.tiles.journal` describes how it
survives crashes: chunks that are not in the journal are ignored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.arrays import floats
from gppcore.display import html_table
from gppcore.errors import (
    MissingFileError,
    OutputExistsError,
    ProductFormatError,
    RangeError,
    ShapeError,
    TileFormatError,
    disk_errors,
)
from gppcore.io.durable import PART, rename_durably, write_durably
from gppcore.io.manifest import check_manifest, write_manifest
from gppcore.io.mapped import map_file, whole_files
from gppcore.io.names import is_name
from gppcore.tiles.journal import Entry, Journal, plain_file
from gppcore.tiles.layout import around, checked_cells, read_layout, window_order, write_layout
from gppcore.tiles.metadata import (
    METADATA,
    Variable,
    check_metadata,
    check_values,
    check_variable,
    create_variable,
    is_variable,
    read_metadata,
)
from gppcore.variables import MONTHS

TILE_CELLS = 65536
# In the folder of an array: beside the arrays, every Zarr reader that lists the group would warn about it.
_JOURNAL = "cell/journal.jsonl"
_MANIFEST = "cell/manifest.json"  # of the files that never change: coordinates, cells, years


class TileStore:
    """Fields of land cells in tiles; use `create` or `open`.

    Attributes
    ----------
    path : Path
        Folder of the Zarr group.
    lat, lon : ndarray
        Cell centres of the full grid [degrees].
    index : ndarray of int64, shape (cells,)
        Flat index of every cell in the (lat, lon) grid, in the order of the tiles.
    years : tuple of int, or None
        Calendar years of the monthly variables; None for twelve months of a mean year.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import TileStore
    >>> store = TileStore.create("tiles", np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.array([0, 1, 3]))
    >>> store.add("lai", monthly=True, attrs={"units": "m2 m-2"})
    >>> with store.writing():
    ...     store.write("lai", 0, np.full((12, 3), 2.5, np.float32))
    >>> TileStore.open("tiles").read("lai", 0).shape
    (12, 3)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            check_manifest(path, _MANIFEST, content=True)
        except ProductFormatError as error:
            raise TileFormatError(str(error).replace("write the product again", "build the store again")) from None
        with disk_errors(path):
            self.lat, self.lon, self.index, self.tile_cells, self.years = read_layout(path)
        self._journal = Journal(path, _JOURNAL)
        self._variables: dict[str, Variable] = {}
        self._verified: dict[tuple[str, int, int], Entry] = {}

    @classmethod
    def create(
        cls,
        path: str | Path,
        lat: ArrayLike,
        lon: ArrayLike,
        cells: NDArray[np.integer[Any]],
        *,
        years: Sequence[int] | None = None,
    ) -> TileStore:
        """Create a store for some cells of a grid.

        Parameters
        ----------
        path : str or Path
            New folder.
        lat, lon : array_like
            Cell centres of the grid [degrees].
        cells : ndarray of int
            Flat indices of the cells in the (lat, lon) grid, in any order.
        years : sequence of int, optional
            Calendar years of the monthly variables, ascending; without it they have the twelve months of a mean
            year.

        Raises
        ------
        OutputExistsError
            If the folder exists.
        RangeError
            If `years` are not ascending.
        DiskFullError
            If there is no room.
        """
        path, lat, lon = Path(path), floats("lat", lat).astype(np.float64), floats("lon", lon).astype(np.float64)
        if path.exists():
            raise OutputExistsError(f"tile store: expected a new folder, got {path}, which exists")
        series = None if years is None else [int(year) for year in years]
        if series is not None and (not series or sorted(set(series)) != series):
            raise RangeError(f"years: expected ascending calendar years, got {series}")
        index = window_order(checked_cells(cells, lat.size * lon.size), (lat.size, lon.size))
        with disk_errors(path):
            building = path.with_name(path.name + PART)
            write_layout(building, lat, lon, index, series, TILE_CELLS)
            write_manifest(building, _MANIFEST)
            rename_durably(building, path)
        return cls(path)

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
        path = Path(path)
        if not (path / "zarr.json").is_file():
            raise MissingFileError(f"tile store: expected a folder with zarr.json, got {path}")
        return cls(path)

    def __repr__(self) -> str:
        return (
            f"TileStore({str(self.path)!r}, {self.index.size:,} cells, {self._span}, {len(self.variables)} variables)"
        )

    def _repr_html_(self) -> str:
        rows = {
            "path": str(self.path),
            "cells": f"{self.index.size:,} of a grid of {self.shape[0]} x {self.shape[1]}",
            "tiles": str(self.n_tiles),
            "years": self._span,
            "variables": ", ".join(self.variables) or "none",
        }
        return html_table("TileStore", rows)

    @property
    def _span(self) -> str:
        return f"{self.years[0]} to {self.years[-1]}" if self.years else "mean year"

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (lat, lon) of the full grid."""
        return self.lat.size, self.lon.size

    @property
    def n_tiles(self) -> int:
        """Number of tiles."""
        return -(-self.index.size // self.tile_cells)

    @property
    def each_year(self) -> tuple[int | None, ...]:
        """Calendar years of the monthly variables, one per chunk of twelve months; (None,) for a mean year."""
        return self.years or (None,)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the declared variables, in alphabetical order."""
        names = {path.parent.name for path in self.path.glob("*/zarr.json")}
        return tuple(sorted(name for name in names if is_variable(name)))

    def cells(self, tile: int) -> slice:
        """Return the cells of a tile as a slice of `index`."""
        if not 0 <= tile < self.n_tiles:
            raise ShapeError(f"tile: expected 0 to {self.n_tiles - 1}, got {tile}")
        return slice(tile * self.tile_cells, min((tile + 1) * self.tile_cells, self.index.size))

    def n_cells(self, tile: int) -> int:
        """Return the number of cells of a tile."""
        return len(range(*self.cells(tile).indices(self.index.size)))

    def writing(self) -> AbstractContextManager[None]:
        """Exclude all other writers from the store while the block runs.

        Every change locks the store for its own duration; a job of many changes should hold the lock for all of them.

        Raises
        ------
        StoreLockedError
            If the store has another writer; the message names its process, host and start.
        """
        return self._journal.writing()

    def add(self, name: str, *, monthly: bool, attrs: Mapping[str, Any], compressed: bool = True) -> None:
        """Declare a float32 variable, monthly (time, cell) or static (cell,).

        Parameters
        ----------
        name : str
            Name of the variable: 1 to 47 letters, digits, ``.``, ``_`` and ``-``, the first not ``.``.
        monthly : bool
            Whether it has the dimension time.
        attrs : mapping
            CF attributes.
        compressed : bool, default True
            Whether tiles are Zstandard frames, which are decoded at each reading. Others take up to ten times the
            disk and are mapped, so that reading a few cells or months of them is faster.

        Raises
        ------
        RangeError
            If the name is another text, or that of a coordinate.
        OutputExistsError
            If the variable exists with other attributes, that is, of another origin.
        StoreLockedError, DiskFullError
        """
        check_variable(name)
        metadata = plain_file(self.path, f"{name}/zarr.json")
        with self.writing():
            if metadata.exists():
                if (there := self.attributes(name)) != dict(attrs):
                    raise OutputExistsError(
                        f"{self.path}: expected {name!r} with attributes {dict(attrs)}, got {there}"
                    )
                return
            shape = (MONTHS * len(self.each_year), self.index.size) if monthly else (self.index.size,)
            with disk_errors(self.path):
                create_variable(self.path, name, shape, self.tile_cells, attrs, compressed=compressed)
                content = memoryview(metadata.read_bytes())
            self._journal.confirm(Entry.of(name, *METADATA, content))

    def write(
        self,
        name: str,
        tile: int,
        values: NDArray[np.float32],
        year: int | None = None,
        *,
        origin: str = "",
        check: str = "raise",
    ) -> None:
        """Write one tile of a declared variable; it counts as finished once the journal lists it.

        Parameters
        ----------
        name : str
            Variable.
        tile : int
            Number of the tile.
        values : ndarray of float32, shape (12, n), or (n,) if static, for the n cells of the tile
            Its values.
        origin : str, optional
            Digest of what the values were derived from; see :meth:`has`.
        year : int, optional
            Calendar year, out of `years`; None for a mean year, for static variables and for the year of a store of
            one.
        check : {"raise", "warn", "ignore"}
            What to do with values outside the valid range of the variable, where `gppcore.variables` has it.

        Raises
        ------
        ShapeError, DtypeError
            If `values` have another shape or type.
        RangeError
            If the store has no such year, or values lie outside their valid range.
        UnitsError
            If values look like another unit.
        DiskFullError
            If there is no room; the tile then stays as it was.
        StoreLockedError
            If the store has another writer.
        """
        with self.writing():
            self.confirm(self.put(name, tile, values, year, origin=origin, check=check))

    def put(
        self,
        name: str,
        tile: int,
        values: NDArray[np.float32],
        year: int | None = None,
        *,
        origin: str = "",
        check: str = "raise",
    ) -> Entry:
        """Write the file of one tile without confirming it, for workers of a writer in other processes.

        Parameters and errors are those of :meth:`write`; the writer passes what it returns to :meth:`confirm`.
        """
        n, variable, number = self.n_cells(tile), self._variable(name), self._year_number(name, year)
        values = check_values(name, tile, values, (MONTHS, n) if variable.monthly else (n,), check)
        content = variable.encode(values, self.tile_cells)
        write_durably(self._chunk(name, tile, number), content)
        return Entry.of(name, tile, number, content, origin)

    def confirm(self, *entries: Entry) -> None:
        """Add tiles that :meth:`put` wrote to the journal."""
        with self.writing():
            self._journal.confirm(*entries)

    def read(self, name: str, tile: int, year: int | None = None) -> NDArray[np.float32]:
        """Return one tile read-only: (12, n) or (n,) float32. Its checksum is verified at the first reading.

        Parameters
        ----------
        name, tile, year
            As for :meth:`write`.

        Raises
        ------
        TileFormatError
            If the tile is not in the journal, or its file is missing, differs from what was written, or is a
            symbolic link.
        RangeError
            If the store has no such year.
        """
        n, (chunk, content) = self.n_cells(tile), self._content(name, tile, year)
        return self._variable(name).decode(content, self.tile_cells, chunk)[..., :n]

    def _content(self, name: str, tile: int, year: int | None) -> tuple[Path, NDArray[np.uint8]]:
        """Map the file of a tile, which must be as it was written."""
        number = self._year_number(name, year)
        chunk, entry = self._chunk(name, tile, number), self._journal.get(name, tile, number)
        where = f"tile {tile} of {name!r}" + (f" in {year}" if year is not None else "")
        if entry is None:
            raise TileFormatError(f"{self.path}: expected a finished {where}, got none in the journal")
        content = map_file(chunk, entry.size)
        if self._verified.get(entry.key) is not entry:
            with whole_files():
                whole = entry.confirms(content.data)
            if not whole:
                raise TileFormatError(f"{chunk}: expected {where} with the checksum in the journal, got another")
            self._verified[entry.key] = entry
        return chunk, content

    def is_monthly(self, name: str) -> bool:
        """Whether a variable is monthly, not static.

        Raises
        ------
        TileFormatError
            If there is no such variable.
        """
        return self._variable(name).monthly

    def attributes(self, name: str) -> dict[str, Any]:
        """Return the CF attributes of a variable.

        Raises
        ------
        TileFormatError
            If there is no such variable.
        """
        return dict(self._metadata(name).get("attributes", {}))

    def has(self, name: str, tile: int, year: int | None = None, *, origin: str | None = None) -> bool:
        """Whether a tile is finished: the journal lists it, and its file has the size and checksum listed there.

        With `origin` it must have been written with the same, that is, from the same inputs.
        """
        try:
            self._verified.pop((name, tile, self._year_number(name, year)), None)
            self._content(name, tile, year)
        except TileFormatError:
            return False
        entry = self._journal.get(name, tile, self._year_number(name, year))
        return origin is None or (entry is not None and entry.origin == origin)

    def digest(self, names: Sequence[str], tile: int, year: int | None = None, *, salt: str = "") -> str:
        """Return a digest of the contents of a tile of some variables, by their checksums in the journal.

        Parameters
        ----------
        names : sequence of str
            Variables, monthly or static.
        tile, year
            As for :meth:`write`.
        salt : str
            Text that enters the digest, such as that of a model.

        Raises
        ------
        TileFormatError
            If a tile is not finished.
        """
        sha = hashlib.sha256(salt.encode())
        for name in names:
            number = self._year_number(name, year) if self.is_monthly(name) else 0
            entry = self._journal.get(name, tile, number)
            if entry is None:
                raise TileFormatError(f"{self.path}: expected a finished tile {tile} of {name!r}, got none")
            sha.update(f"{name} {entry.size} {entry.crc32}\n".encode())
        return sha.hexdigest()[:16]

    @whole_files()
    def read_field(self, name: str, month: int | None = None) -> NDArray[np.float32]:
        """Return one month (from 0) of a variable, or a static one, over all cells in the order of `index`."""
        if month is None:
            return np.concatenate([self.read(name, tile) for tile in range(self.n_tiles)])
        year, of_year = self.each_year[month // MONTHS], month % MONTHS
        return np.concatenate([self.read(name, tile, year)[of_year] for tile in range(self.n_tiles)])

    def read_window(
        self, name: str, rows: slice, columns: slice, *, halo: int = 0, year: int | None = None
    ) -> NDArray[np.float32]:
        """Return a window of the grid with a margin, NaN where the store has no cell.

        Parameters
        ----------
        name : str
            Variable.
        rows, columns : slice
            Window in the (lat, lon) grid.
        halo : int, default 0
            Cells to add on each side. Beyond the first and last column they wrap around the globe if the grid is
            periodic, else they are NaN; beyond the first and last row they are NaN.
        year : int, optional
            As for :meth:`write`.

        Returns
        -------
        ndarray of float32
            Shape (12, rows, columns), or (rows, columns) if the variable is static, halo included.
        """
        return self.read_at(name, self.positions(rows, columns, halo=halo), year)

    def positions(self, rows: slice, columns: slice, *, halo: int = 0) -> NDArray[np.int64]:
        """Return where in `index` the cells of a window are, -1 where the store has none; see :meth:`read_window`."""
        periodic = abs(self.lon.size * (self.lon[1] - self.lon[0])) > 360.0 - 1e-6
        return around(self._position, rows, columns, halo, periodic=periodic)

    @whole_files()
    def read_at(self, name: str, positions: NDArray[np.integer[Any]], year: int | None = None) -> NDArray[np.float32]:
        """Return a variable at positions in `index`, (12, ...) or (...), NaN at -1; every tile is read once."""
        months = (MONTHS,) if self._variable(name).monthly else ()
        values = np.full((*months, *positions.shape), np.nan, dtype=np.float32)
        of_tile = np.where(positions >= 0, positions // self.tile_cells, -1)
        for tile in np.setdiff1d(of_tile, -1):
            here = of_tile == tile
            values[..., here] = self.read(name, int(tile), year)[..., positions[here] % self.tile_cells]
        return values

    @cached_property
    def _position(self) -> NDArray[np.int32]:
        """Position in `index` of each cell of the grid, -1 where there is none."""
        position = np.full(self.shape, -1, dtype=np.int32)
        position.flat[self.index] = np.arange(self.index.size, dtype=np.int32)
        return position

    def _year_number(self, name: str, year: int | None) -> int:
        years = self.each_year if self._variable(name).monthly else (None,)
        if year is None and len(years) == 1:
            return 0
        if year in years:
            return years.index(year)
        expected = f"a year of the store, {years[0]} to {years[-1]}" if years[0] else "no year"
        kind = "monthly" if self._variable(name).monthly else "static"
        raise RangeError(f"year: expected {expected}, for the {kind} variable {name!r}, got {year}")

    def _chunk(self, name: str, tile: int, number: int) -> Path:
        self.cells(tile)  # an error if there is no such tile
        middle = f"{number}/" if self._variable(name).monthly else ""
        return plain_file(self.path, f"{name}/c/{middle}{tile}")

    def _variable(self, name: str) -> Variable:
        if not is_name(name) or name not in self._variables:
            n_months = MONTHS * len(self.each_year)
            self._variables[name] = check_metadata(self.path, name, self._metadata(name), n_months, self.index.size)
        return self._variables[name]

    def _metadata(self, name: str) -> dict[str, Any]:
        if not is_name(name) or not plain_file(self.path, f"{name}/zarr.json").is_file():
            raise TileFormatError(f"{self.path}: expected a variable {name!r}, got one of {list(self.variables)}")
        return read_metadata(self.path, name, self._journal)
