"""Tile stores from gridded files: `gppcore tiles build`, streaming and resumable."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type
from gppcore.errors import MissingFileError, OutputExistsError, RangeError, ShapeError
from gppcore.io.cf import axes, coordinates, masked, open_cf, variable_of
from gppcore.io.cluster import in_order
from gppcore.io.names import check_name
from gppcore.io.reading import JSON_LIMIT, read_file
from gppcore.io.sources import located
from gppcore.regrid import LatLonGrid
from gppcore.runtime import in_threads, threads
from gppcore.tiles.cover import COVER, LEGENDS, Cover
from gppcore.tiles.fields import MAUNA_LOA, Fields, Series, VariableSource
from gppcore.tiles.gaps import fill_gaps
from gppcore.tiles.journal import Entry
from gppcore.tiles.lapse import ELEVATION, Lapsed
from gppcore.tiles.layout import window_order
from gppcore.tiles.store import TileStore
from gppcore.variables import MONTHS, VARIABLES, attributes

if TYPE_CHECKING:
    from distributed import Client

LOG = logging.getLogger("gppcore")
Band = tuple[int | None, int, int]
"""Year, and the first and last of tiles that are read together."""
_BAND_VALUES = 2**26
"""Values of a band of the grid in memory at once: 256 MiB in float32."""


@dataclass(frozen=True)
class Cells:
    """Cells of the store: those of a field's grid where it is neither missing nor excluded.

    Parameters
    ----------
    path : str
        CF file (netCDF, HDF5), Zarr store or kerchunk references; or an address of one.
    variable : str
        Name of the field in it.
    exclude : tuple of float
        Values that mark cells without land.

    Examples
    --------
    >>> from gppcore.tiles.build import Cells
    >>> Cells("landcover.nc", "igbp", exclude=(0.0, 17.0)).exclude  # water
    (0.0, 17.0)
    """

    path: str
    variable: str
    exclude: tuple[float, ...] = ()


@dataclass(frozen=True)
class TileRecipe:
    """Description of a store to build; `read` reads it from a TOML file.

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
    region : tuple of float, optional
        South, north, west and east [degrees] of the cells; without it, all.

    Examples
    --------
    >>> from gppcore import TileRecipe
    >>> from gppcore.tiles.build import Cells
    >>> from gppcore.tiles.fields import VariableSource
    >>> lai = VariableSource("lai_*.nc", "LAI")
    >>> recipe = TileRecipe(Cells("land.nc", "igbp", exclude=(0,)), {"lai": lai}, years=(2001, 2020))
    >>> recipe.variables["lai"].method
    'conservative'
    """

    cells: Cells
    variables: Mapping[str, VariableSource]
    years: tuple[int, int] | None = None
    folder: Path = Path()
    region: tuple[float, float, float, float] | None = None

    @classmethod
    def read(cls, path: str | Path) -> TileRecipe:
        """Read a TOML file with the tables `cells` and `variables.NAME`, and perhaps `years` and `region`.

        Raises
        ------
        MissingFileError
            If there is no such file.
        RangeError
            If it is not TOML, or a key is unknown or missing.
        """
        path = Path(path)
        content = read_toml(path, "recipe")
        if unknown := set(content) - {"cells", "variables", "years", "region"}:
            raise RangeError(f"{path}: expected cells, variables, years and region, got {sorted(unknown)}")
        return cls.of_tables(content, path)

    @classmethod
    def of_tables(cls, content: Mapping[str, Any], path: Path) -> TileRecipe:
        """Make a recipe of the tables of a TOML file; errors are those of :meth:`read`."""
        if wanted := {"cells", "variables"} - set(content):
            raise RangeError(f"{path}: expected the tables cells and variables, missing are {sorted(wanted)}")
        cells = entry(Cells, content["cells"], f"{path}: cells", ("path", "variable"))
        sources = {
            name: entry(
                VariableSource,
                table,
                f"{path}: {name}",
                () if isinstance(table, Mapping) and "value" in table else ("path", "variable"),
            )
            for name, table in content["variables"].items()
        }
        years, region = content.get("years"), content.get("region")
        if years is not None and not (
            len(years) == 2 and all(isinstance(y, int) for y in years) and years[0] <= years[1]
        ):
            raise RangeError(f"{path}: years: expected the first and the last year, got {years}")
        if region is not None and not (
            len(region) == 4 and -90 <= region[0] < region[1] <= 90 and -180 <= region[2] < region[3] <= 360
        ):
            raise RangeError(f"{path}: region: expected south, north, west and east [degrees], got {region}")
        return cls(cells, sources, tuple(years) if years else None, path.parent, tuple(region) if region else None)


def build_tiles(
    recipe: TileRecipe,
    out: str | Path | TileStore,
    *,
    n_threads: int | None = None,
    client: Client | None = None,
    progress: Callable[[int], None] | None = None,
) -> TileStore:
    """Build a tile store; an unfinished store is resumed.

    Parameters
    ----------
    recipe : TileRecipe
        Cells and variables.
    out : str, Path or TileStore
        Folder of the store; or a store with cells of its own, of any grid, to which the variables are added.
    n_threads : int, optional
        Threads for regridding; all usable cores by default. The result does not depend on it.
    client : distributed.Client, optional
        Of a dask cluster that reads and regrids in place of this process, which alone writes the store. Workers need
        the files under the same paths.
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

    Examples
    --------
    >>> from gppcore import TileRecipe, build_tiles
    >>> from gppcore.demo.region import demonstration_region
    >>> from gppcore.tiles.build import Cells
    >>> from gppcore.tiles.fields import VariableSource
    >>> demonstration_region(50.5, 51.5, 10, 11).to_netcdf("world.nc")
    >>> lai = VariableSource("world.nc", "lai")
    >>> store = build_tiles(TileRecipe(Cells("world.nc", "igbp"), {"lai": lai}), "tiles")
    >>> store.shape, store.variables
    ((20, 20), ('lai',))
    """
    n_threads = threads(n_threads)
    check_type("recipe", recipe, TileRecipe, "TileRecipe.read(path)")
    _check_names(recipe.variables)
    store = out if isinstance(out, TileStore) else _open_or_create(recipe, Path(out))
    absolute = replace(recipe, folder=recipe.folder.resolve())
    with store.writing(), ExitStack() as stack:
        for name, source in sorted(recipe.variables.items(), key=lambda item: item[0] != ELEVATION):  # others need it
            files = open_fields(name, recipe, stack)
            for each in files.names:
                attrs = attributes(each, own_unit=source.units or "1")
                store.add(each, monthly=not source.static, attrs={**attrs, "comment": _origin(source)})
            done: Iterator[tuple[Band, NDArray[np.float32]]]
            todo = _unfinished(store, files, progress or (lambda n: None))
            if client is None:
                done = ((band, _values(store, files, *band, n_threads)) for band in todo)
            else:
                done = in_order(client, _values_remote, (absolute, name, store.path.resolve()), todo)
            for (year, first, last), values in done:
                _write(store, files, year, first, last, values, n_threads)
                if progress:
                    progress(store.cells(last).stop - store.cells(first).start)
            if source.gaps is not None:
                LOG.info("%s: %.2f %% of the values filled", name, 100.0 * fill_gaps(store, name))
    return store


def open_fields(name: str, recipe: TileRecipe, stack: ExitStack) -> Fields | Series:
    """Open the files of a variable, or its series."""
    source = recipe.variables[name]
    if source.legend is not None and name != COVER:
        raise RangeError(f"{name}: legend: expected it for {COVER} alone, got {source.legend!r}")
    if source.gaps is not None and source.static:
        raise RangeError(f"{name}: gaps: expected it for a monthly variable, got static = true")
    if source.value is not None or source.path == MAUNA_LOA or source.path.endswith(".csv"):
        return Series(name, source, recipe.folder)
    if name == COVER:
        return Cover(source, recipe.folder, stack, others=recipe.variables, years=recipe.years)
    if source.method == "lapse":
        if ELEVATION not in recipe.variables:
            raise ShapeError(
                f"{name}: expected [variables.{ELEVATION}] for the height of the cells, got none; add it, or choose "
                'the method "bilinear"'
            )
        return Lapsed(name, source, recipe.folder, stack)
    if source.orography:
        raise RangeError(f'{name}: orography: expected it with method = "lapse", got {source.method!r}')
    return Fields(name, source, recipe.folder, stack, years=recipe.years)


def _origin(source: VariableSource) -> str:
    """Return where values come from: a part of the attributes, so that a store of other sources is recognised."""
    where = source.path if source.value is None else f"the value {source.value:g}"
    more = "".join(f", {each}" for each in (source.legend, source.orography, source.gaps and "gaps filled") if each)
    return f"{source.scale} * {source.variable} + {source.offset} of {where}, {source.method}{more}"


def _check_names(variables: Mapping[str, VariableSource]) -> None:
    for name in variables:
        check_name("variables", name)
    own = {name for name, source in variables.items() if source.units is not None}
    if unknown := sorted(set(variables) - set(VARIABLES) - own):
        raise RangeError(
            f"variables: expected names of gppcore.variables, or units with names of your own, got {unknown}"
        )


def read_cells(recipe: TileRecipe) -> tuple[LatLonGrid, NDArray[np.int64]]:
    """Return the grid of a recipe and the flat indices of its cells in it, window by window.

    Raises
    ------
    MissingFileError, ProductFormatError, ShapeError
        If the field of the cells is missing, or no field of latitude and longitude.
    RangeError
        If there is no cell in the region.
    """
    with ExitStack() as stack:
        path = located(recipe.cells.path, recipe.folder)
        mask = variable_of(stack.enter_context(open_cf(path, "cells")), recipe.cells.variable, str(path))
        lat, lon = axes(mask)
        if mask.ndim > 2:
            raise ShapeError(f"{path}: {mask.name}: expected latitude and longitude, got {dict(mask.sizes)}")
        values = masked(mask.transpose(lat, lon).values, mask)
        y, x = (axis.values.astype(np.float64) for axis in coordinates(mask))
    land = ~(np.isnan(values) | np.isin(values, recipe.cells.exclude))
    if recipe.region is not None:
        south, north, west, east = recipe.region
        land &= ((y >= south) & (y <= north))[:, None] & ((x - west) % 360.0 <= east - west)
        if not land.any():
            raise RangeError(f"region: expected one with cells, got {recipe.region}, which has none")
    return LatLonGrid.from_centres(y, x), window_order(np.flatnonzero(land), land.shape)


def _open_or_create(recipe: TileRecipe, out: Path) -> TileStore:
    years = range(recipe.years[0], recipe.years[1] + 1) if recipe.years else None
    grid, cells = read_cells(recipe)
    if not out.exists():
        return TileStore.create(out, grid.lat, grid.lon, cells, years=years)
    store = TileStore.open(out)
    if not np.array_equal(store.index, cells) or store.years != (tuple(years) if years else None):
        raise OutputExistsError(f"{out}: expected a new folder or a store of the same cells and years")
    return store


def _unfinished(store: TileStore, files: Fields | Series, progress: Callable[[int], None]) -> Iterator[Band]:
    """Yield the bands that are not finished, and count the cells of those that are."""
    static = files.source.static
    bands = list(_bands(store, len(files.names) if static else MONTHS))
    for year in (None,) if static else store.each_year:
        for first, last in bands:
            if all(store.has(name, tile, year) for name in files.names for tile in range(first, last + 1)):
                progress(store.cells(last).stop - store.cells(first).start)
            else:
                yield year, first, last


def _values(
    store: TileStore, files: Fields | Series, year: int | None, first: int, last: int, n_threads: int
) -> NDArray[np.float32]:
    """Return the months, or the static fields, of the cells of some tiles, which are read together."""
    grid = LatLonGrid.from_centres(store.lat, store.lon)
    columns = store.shape[1]
    index = store.index[store.cells(first).start : store.cells(last).stop]
    row = index // columns
    low, high = int(row.min()), int(row.max()) + 1
    values = np.empty((len(files.names) if files.source.static else MONTHS, index.size), dtype=np.float32)
    # A tile of a few cells all over the globe is read in parts of a band's size, which others never exceed by much.
    n_parts = -(-(high - low) * columns * len(values) // (2 * _BAND_VALUES))
    for begin, end in pairwise(np.linspace(low, high, n_parts + 1).astype(int).tolist()):
        here = slice(None) if n_parts == 1 else np.flatnonzero((row >= begin) & (row < end))
        at = index[here] - begin * columns
        if at.size:
            for step, band in enumerate(files.bands(year, grid, slice(begin, end), n_threads)):
                values[step, here] = np.take(band, at)
    return values


def _values_remote(
    recipe: TileRecipe, name: str, folder: Path, year: int | None, first: int, last: int
) -> NDArray[np.float32]:
    """Do the same in a worker of a cluster."""
    with ExitStack() as stack:
        return _values(TileStore.open(folder), open_fields(name, recipe, stack), year, first, last, 1)


def _write(
    store: TileStore,
    files: Fields | Series,
    year: int | None,
    first: int,
    last: int,
    values: NDArray[np.float32],
    n_threads: int,
) -> None:
    """Write the values of some tiles, of which some may be finished."""
    begin = store.cells(first).start

    def put(tile: int) -> list[Entry]:
        span = store.cells(tile)
        part = values[:, span.start - begin : span.stop - begin]
        if files.source.static:
            return [store.put(name, tile, field) for name, field in zip(files.names, part, strict=True)]
        if store.has(files.name, tile, year):
            return []
        return [store.put(files.name, tile, files.at_cells(store, tile, part), year)]

    with closing(in_threads(put, range(first, last + 1), n_threads)) as done:
        for entries in done:
            store.confirm(*entries)


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


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML file of some kind.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RangeError
        If it is not TOML.
    """
    if not path.is_file():
        raise MissingFileError(f"{what}: expected a TOML file, got no such file {path}")
    try:
        return tomllib.loads(read_file(path, RangeError, limit=JSON_LIMIT).decode())
    except (ValueError, RecursionError) as error:
        raise RangeError(f"{path}: expected TOML, got: {error}") from None


def entry(kind: type[Any], table: Any, where: str, required: Sequence[str] = ()) -> Any:
    """Make a dataclass of a TOML table; a missing or unknown key is a RangeError."""
    names = {field.name for field in fields(kind)}
    if not isinstance(table, Mapping) or not set(table) <= names or not set(required) <= set(table):
        needed = f"{', '.join(required)} and " if required else ""
        raise RangeError(f"{where}: expected {needed}any of {sorted(names)}, got {table}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    choices = {
        "method": ("conservative", "bilinear", "lapse"),
        "time": ("mean", "sum", "min", "max"),
        "legend": tuple(LEGENDS),
    }
    for key, known in choices.items():
        if values.get(key, known[0]) not in known:
            raise RangeError(f"{where}: {key}: expected {' or '.join(known)}, got {values[key]!r}")
    return kind(**values)
