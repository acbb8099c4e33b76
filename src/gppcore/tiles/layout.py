"""Layout of a tile store: the order of its cells, its coordinates, and the files of its tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gppcore import _core
from gppcore.errors import (
    ForestFormatError,
    MissingFileError,
    ProductFormatError,
    RangeError,
    TileFormatError,
    disk_errors,
)
from gppcore.io.durable import PART
from gppcore.io.manifest import check_manifest
from gppcore.io.names import check_name
from gppcore.io.reading import JSON_LIMIT, parse_json, read_file
from gppcore.tiles.journal import Entry
from gppcore.variables import MONTHS, attributes

WINDOW = (40, 40)
"""Height and width in grid cells, close to a block of the forest kernel, whose rows should be similar."""
COORDINATES = {"time", "lat", "lon", "cell"}
CLIMATOLOGY_YEAR = 2001
"""The year that the coordinate `time` of a climatology names."""


def window_order(index: NDArray[np.integer[Any]], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Sort flat indices of a (lat, lon) grid window by window, row by row inside a window."""
    row, column = np.divmod(np.asarray(index, dtype=np.int64), shape[1])
    height, width = WINDOW
    window = (row // height) * -(-shape[1] // width) + column // width
    order = np.argsort(window * (height * width) + (row % height) * width + column % width)
    return np.asarray(index, dtype=np.int64)[order]


def month_coordinate(years: Sequence[int]) -> tuple[NDArray[np.int32], dict[str, str]]:
    """Return the 15th of every month of some years as a CF time coordinate and its attributes."""
    first = np.datetime64(f"{min(years)}-01-01", "D")
    days = [np.datetime64(f"{year}-{month:02d}-15", "D") for year in years for month in range(1, MONTHS + 1)]
    attrs = {"units": f"days since {first}", "calendar": "standard", "axis": "T"}
    return (np.array(days) - first).astype(np.int32), {"standard_name": "time", "long_name": "time", **attrs}


def write_layout(
    folder: Path,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    index: NDArray[np.int64],
    years: Sequence[int] | None,
    tile_cells: int,
) -> None:
    """Write a Zarr group with the coordinates and cells of a store, and no variables."""
    import zarr

    folder.parent.mkdir(parents=True, exist_ok=True)
    layout = {"cells": tile_cells, "years": None if years is None else list(years)}
    root: dict[str, Any] = {"Conventions": "CF-1.8", "gppcore_tiles": layout}
    group = zarr.open_group(folder, mode="w", zarr_format=3, attributes=root)
    time, time_attrs = month_coordinate(years or [CLIMATOLOGY_YEAR])
    for name, values, attrs in (
        ("time", time, time_attrs),
        ("lat", lat, attributes("lat")),
        ("lon", lon, attributes("lon")),
        ("cell", index, {"compress": "lat lon"}),
    ):
        array = group.create_array(name, data=values, dimension_names=(name,), compressors=None)
        array.attrs.update(attrs)


class Layout(NamedTuple):
    """What never changes in a store."""

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    cells: NDArray[np.int64]
    tile_cells: int
    years: tuple[int, ...] | None


def read_layout(path: Path, manifest: str) -> Layout:
    """Read coordinates, cells and years of a store, which must be those of its manifest, if it has one.

    Raises
    ------
    TileFormatError
        If one of them is missing or damaged.
    """
    import zarr

    try:
        check_manifest(path, manifest, content=True)
    except ProductFormatError as error:
        raise TileFormatError(str(error).replace("write the product again", "build the store again")) from None
    with disk_errors(path):
        try:
            group = zarr.open_group(path, mode="r")
            lat, lon, index = (np.asarray(group[k][:]) for k in ("lat", "lon", "cell"))  # type: ignore[index]
            layout: Any = group.attrs["gppcore_tiles"]
            found = Layout(lat, lon, index, layout["cells"], tuple(layout["years"]) if layout["years"] else None)
        except Exception as error:  # zarr raises many kinds for damaged metadata
            if isinstance(error, OSError) or type(error) is RuntimeError:
                raise  # not of the files, but of the system
            wanted = "arrays lat, lon and cell and the attribute gppcore_tiles"
            raise TileFormatError(f"{path}: expected {wanted}, got no {error}") from None
    _check_layout(path, found)
    return found


def _check_layout(path: Path, found: Layout) -> None:
    years = found.years or ()
    axes = all(axis.ndim == 1 and axis.dtype == np.float64 for axis in (found.lat, found.lon))
    whole = found.cells.ndim == 1 and found.cells.dtype == np.int64
    numbers = all(type(number) is int for number in (found.tile_cells, *years))
    if not axes or not whole or not numbers or found.tile_cells < 1 or list(years) != sorted(set(years)):
        raise TileFormatError(
            f"{path}: expected lat and lon (float64), cell (int64), tiles of whole numbers of cells and ascending "
            f"years, got cells {found.tile_cells!r} and years {str(years)[:80]}"
        )
    low, high = (int(found.cells.min()), int(found.cells.max())) if found.cells.size else (0, -1)
    if low < 0 or high >= found.lat.size * found.lon.size:
        raise TileFormatError(f"{path}: expected cells of the grid, got {low} to {high}")


def read_metadata(path: Path, entry: Entry | None) -> dict[str, Any]:
    """Read the metadata of a variable, which must be those of its entry in the journal, if there is one.

    Raises
    ------
    TileFormatError
        If they are damaged or changed.
    """
    content = read_file(path, TileFormatError, limit=JSON_LIMIT)
    try:
        metadata = parse_json(content)
    except ValueError as error:
        raise TileFormatError(f"{path}: expected the metadata of an array, got: {error}") from None
    changed = entry is not None and not entry.confirms(memoryview(content))
    if changed or not isinstance(metadata, dict) or not isinstance(metadata.get("attributes", {}), dict):
        raise TileFormatError(f"{path}: expected the metadata as they were written, got others; build it again")
    return metadata


def checked_codecs(where: Path, metadata: Mapping[str, Any], n_cells: int, n_years: int) -> list[str]:
    """Return the codecs of a variable whose metadata describe what a store writes.

    Raises
    ------
    TileFormatError
        If they describe another array.
    """
    try:
        codecs = [codec["name"] for codec in metadata["codecs"]]
        kind, shape = metadata["data_type"], list(metadata["shape"])
    except (KeyError, TypeError) as error:
        raise TileFormatError(f"{where}: expected the metadata of an array, got no {error}") from None
    if codecs not in (["bytes"], ["bytes", "zstd"]):
        raise TileFormatError(f"{where}: expected codecs bytes or bytes, zstd, got {str(codecs)[:100]}")
    if kind != "float32" or shape not in ([n_cells], [MONTHS * n_years, n_cells]):
        raise TileFormatError(
            f"{where}: expected float32 over {n_cells} cells, got {str(kind)[:20]} of {str(shape)[:40]}"
        )
    return codecs


def mapped_file(chunk: Path, size: int) -> NDArray[np.uint8]:
    """Map a file of a size.

    Raises
    ------
    TileFormatError
        If it does not exist, is not a plain file, or has another size when it is mapped.
    """
    try:
        content = _core.map_file(str(chunk)).view(np.memmap)  # the type tells readers that it is a file
    except (MissingFileError, ForestFormatError) as error:
        raise TileFormatError(f"{chunk}: expected a file of {size} bytes, got another or none: {error}") from None
    if content.size != size:
        raise TileFormatError(f"{chunk}: expected a file of {size} bytes, got another or none: {content.size} bytes")
    return content


def zstd() -> Any:
    """Return the codec of compressed tiles."""
    from numcodecs.zstd import Zstd

    return Zstd()


def check_variable(name: str) -> None:
    """Refuse a name of a variable that leads elsewhere, or that the store uses itself."""
    if check_name("name", name) in COORDINATES or name.endswith(PART):
        raise RangeError(f"name: expected a name of your own, got {name!r}, which the store uses itself")
