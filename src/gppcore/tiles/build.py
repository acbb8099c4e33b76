"""Tile stores from gridded files: `gppcore tiles build`, streaming and resumable."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type
from gppcore.errors import MissingFileError, OutputExistsError, RangeError, ShapeError
from gppcore.io.cf import axes, coordinates, masked, open_cf, variable_of
from gppcore.io.names import check_name
from gppcore.io.reading import JSON_LIMIT, read_file
from gppcore.regrid import LatLonGrid
from gppcore.runtime import threads
from gppcore.tiles.fields import Fields, VariableSource
from gppcore.tiles.layout import window_order
from gppcore.tiles.store import TileStore
from gppcore.variables import MONTHS, VARIABLES, attributes

if TYPE_CHECKING:
    pass

_BAND_VALUES = 2**26
"""Values of a band of the grid in memory at once: 256 MiB in float32."""


@dataclass(frozen=True)
class Cells:
    """Cells of the store: those of a field's grid where it is neither missing nor excluded.

    Parameters
    ----------
    path : str
        CF file (netCDF, HDF5) or Zarr store.
    variable : str
        Name of the field in it.
    exclude : tuple of float
        Values that mark cells without land.
    """

    path: str
    variable: str
    exclude: tuple[float, ...] = ()


@dataclass(frozen=True)
class TileRecipe:
    """Description of a store to build; :meth:`read` reads it from a TOML file.

    Parameters
    ----------
    cells : Cells
        Grid and cells.
    variables : mapping of str to VariableSource
        By name: those of `gppcore.variables`, and names of your own whose source states `units`.
    years : tuple of int, optional
        First and last calendar year; without it every file holds the twelve months of a mean year.
    folder : Path
        Folder to which relative paths refer.
    """

    cells: Cells
    variables: Mapping[str, VariableSource]
    years: tuple[int, int] | None = None
    folder: Path = Path()

    @classmethod
    def read(cls, path: str | Path) -> TileRecipe:
        """Read a TOML file with the tables `cells` and `variables.NAME` and the optional pair `years`.

        Raises
        ------
        MissingFileError
            If there is no such file.
        RangeError
            If it is not TOML, or a key is unknown or missing.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingFileError(f"recipe: expected a TOML file, got no such file {path}")
        try:
            content = tomllib.loads(read_file(path, RangeError, limit=JSON_LIMIT).decode())
        except (ValueError, RecursionError) as error:
            raise RangeError(f"{path}: expected TOML, got: {error}") from None
        if unknown := set(content) - {"cells", "variables", "years"}:
            raise RangeError(f"{path}: expected cells, variables and years, got {sorted(unknown)}")
        if wanted := {"cells", "variables"} - set(content):
            raise RangeError(f"{path}: expected the tables cells and variables, missing are {sorted(wanted)}")
        cells = _entry(Cells, content["cells"], f"{path}: cells")
        sources = {
            name: _entry(VariableSource, table, f"{path}: {name}") for name, table in content["variables"].items()
        }
        years = content.get("years")
        if years is not None and not (
            len(years) == 2 and all(isinstance(y, int) for y in years) and years[0] <= years[1]
        ):
            raise RangeError(f"{path}: years: expected the first and the last year, got {years}")
        return cls(cells, sources, tuple(years) if years else None, path.parent)


def build_tiles(
    recipe: TileRecipe, out: str | Path, *, n_threads: int | None = None, progress: Callable[[int], None] | None = None
) -> TileStore:
    """Build a tile store; an unfinished store is resumed.

    Parameters
    ----------
    recipe : TileRecipe
        Cells and variables.
    out : str or Path
        Folder of the store.
    n_threads : int, optional
        Threads for regridding; all usable cores by default. The result does not depend on it.
    progress : callable, optional
        Called with the number of cells after each tile.

    Returns
    -------
    TileStore
        All tiles finished.

    Raises
    ------
    MissingFileError, ShapeError
        If a file, variable, year or month is missing.
    ProductFormatError
        If a file cannot be read.
    UnitsError, RangeError
        If a field has another unit, values out of the range, or a name that is not in the table of variables and no
        `units`; or has `units` beside those of the table.
    OutputExistsError
        If `out` holds a store of other cells, years or sources.
    StoreLockedError, DiskFullError
        After the latter finished tiles are kept.

    Notes
    -----
    Fields are read band by band and month by month, so that memory does not depend on the number of years,
    and hardly on the size of the grid.
    """
    n_threads = threads(n_threads)
    check_type("recipe", recipe, TileRecipe, "TileRecipe.read(path)")
    _check_names(recipe.variables)
    store = _open_or_create(recipe, Path(out))
    with store.writing(), ExitStack() as stack:
        for name, source in recipe.variables.items():
            # The origin is part of the attributes, so that a store of other sources is recognised.
            origin = f"{source.scale} * {source.variable} + {source.offset} of {source.path}, {source.method}"
            store.add(
                name, monthly=not source.static, attrs={**attributes(name, own_unit=source.units), "comment": origin}
            )
            files = Fields(name, source, recipe.folder, stack)
            for year in (None,) if source.static else store.each_year:
                for tile, values in _tiles(store, files, year, n_threads):
                    if values is not None:
                        store.write(name, tile, values, year)
                    if progress:
                        progress(store.n_cells(tile))
    return store


def _check_names(variables: Mapping[str, VariableSource]) -> None:
    for name in variables:
        check_name("variables", name)
    own = {name for name, source in variables.items() if source.units is not None}
    if unknown := sorted(set(variables) - set(VARIABLES) - own):
        raise RangeError(
            f"variables: expected names of gppcore.variables, or units with names of your own, got {unknown}"
        )


def _open_or_create(recipe: TileRecipe, out: Path) -> TileStore:
    years = range(recipe.years[0], recipe.years[1] + 1) if recipe.years else None
    with ExitStack() as stack:
        path = recipe.folder / recipe.cells.path
        mask = variable_of(stack.enter_context(open_cf(path, "cells")), recipe.cells.variable, str(path))
        lat, lon = axes(mask)
        if mask.ndim > 2:
            raise ShapeError(f"{path}: {mask.name}: expected latitude and longitude, got {dict(mask.sizes)}")
        values = masked(mask.transpose(lat, lon).values, mask)
        land = ~(np.isnan(values) | np.isin(values, recipe.cells.exclude))
        cells = window_order(np.flatnonzero(land), land.shape)
        if not out.exists():
            y, x = coordinates(mask)
            return TileStore.create(out, y.values, x.values, cells, years=years)
        store = TileStore.open(out)
        if not np.array_equal(store.index, cells) or store.years != (tuple(years) if years else None):
            raise OutputExistsError(f"{out}: expected a new folder or a store of the same cells and years")
        return store


def _tiles(
    store: TileStore, files: Fields, year: int | None, n_threads: int
) -> Iterator[tuple[int, NDArray[np.float32] | None]]:
    """Yield every tile with its values, None where it is finished; tiles of one band are read together."""
    grid = LatLonGrid.from_centres(store.lat, store.lon)
    steps = 1 if files.source.static else MONTHS
    for first, last in _bands(store, steps):
        row, column = np.divmod(store.index[store.cells(first).start : store.cells(last).stop], store.shape[1])
        rows = slice(int(row.min()), int(row.max()) + 1)
        done = [store.has(files.name, tile, year) for tile in range(first, last + 1)]
        values = np.empty((0 if all(done) else steps, row.size), dtype=np.float32)
        for step in range(len(values)):
            fields = files.month(year, step + 1)
            values[step] = files.band(fields, grid, rows, n_threads)[row - rows.start, column]
        begin = store.cells(first).start
        for tile in range(first, last + 1):
            span = store.cells(tile)
            part = values[:, span.start - begin : span.stop - begin]
            yield tile, None if done[tile - first] else (part[0] if files.source.static else part)


def _bands(store: TileStore, steps: int) -> Iterator[tuple[int, int]]:
    """Yield runs of tiles, first and last, whose rows hold few enough values."""
    row = store.index // store.shape[1]
    low = [int(row[store.cells(tile)].min()) for tile in range(store.n_tiles)]
    high = [int(row[store.cells(tile)].max()) for tile in range(store.n_tiles)]
    first = 0
    for tile in range(1, store.n_tiles + 1):
        full = tile < store.n_tiles and (high[tile] - low[first] + 1) * store.shape[1] > _BAND_VALUES // steps
        if full or tile == store.n_tiles:
            yield first, tile - 1
            first = tile


def _entry(kind: type[Any], table: Any, where: str) -> Any:
    """Make a dataclass of a TOML table."""
    names = {field.name for field in fields(kind)}
    if not isinstance(table, Mapping) or not set(table) <= names or not {"path", "variable"} <= set(table):
        raise RangeError(f"{where}: expected path, variable and any of {sorted(names)}, got {table}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    for key, known in (("method", ("conservative", "bilinear")), ("time", ("mean", "sum", "min", "max"))):
        if values.get(key, known[0]) not in known:
            raise RangeError(f"{where}: {key}: expected {' or '.join(known)}, got {values[key]!r}")
    return kind(**values)
