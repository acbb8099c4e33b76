"""Grid, cells and years of a tile store: their order, and how they are written and read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import whole_numbers
from gppcore.errors import RangeError, TileFormatError
from gppcore.variables import MONTHS, attributes

WINDOW = (40, 40)
"""Height and width in grid cells, close to a block of the forest kernel, whose rows should be similar."""
CLIMATOLOGY_YEAR = 2001
"""The year that the coordinate `time` of a climatology names."""


class Layout(NamedTuple):
    """Grid, cells, cells per tile and calendar years, as the attributes of a tile store."""

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    cells: NDArray[np.int64]
    tile_cells: int
    years: tuple[int, ...] | None


def checked_cells(cells: NDArray[np.integer[Any]], n_grid: int) -> NDArray[np.int64]:
    """Return flat indices of cells, which must lie in a grid of so many."""
    index: NDArray[np.int64] = whole_numbers("cells", cells, np.int64)
    if index.size and not 0 <= index.min() <= index.max() < n_grid:
        wrong = index.max() if index.min() >= 0 else index.min()
        raise RangeError(f"cells: expected flat indices from 0 to {n_grid - 1}, got {wrong}")
    return index


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
        array = group.create_array(name, data=values, dimension_names=(name,))
        array.attrs.update(attrs)


def read_layout(folder: Path) -> Layout:
    """Read and check what :func:`write_layout` wrote."""
    import zarr

    try:
        group = zarr.open_group(folder, mode="r")
        lat, lon, index = (np.asarray(group[name][:]) for name in ("lat", "lon", "cell"))  # type: ignore[index]
        attrs: Any = group.attrs["gppcore_tiles"]
        layout = Layout(lat, lon, index, attrs["cells"], tuple(attrs["years"]) if attrs["years"] else None)
    except Exception as error:  # zarr raises many kinds for damaged metadata
        of_codec = "decompress" in str(error)
        if isinstance(error, OSError) or (type(error) is RuntimeError and not of_codec):
            raise  # not of the files, but of the system
        wanted = "arrays lat, lon and cell and the attribute gppcore_tiles"
        raise TileFormatError(f"{folder}: expected {wanted}, got {'' if of_codec else 'no '}{error}") from None
    _check_layout(folder, layout)
    return layout


def _check_layout(folder: Path, layout: Layout) -> None:
    years, index = layout.years or (), layout.cells
    axes = all(axis.ndim == 1 and axis.dtype == np.float64 for axis in (layout.lat, layout.lon))
    whole = index.ndim == 1 and index.dtype == np.int64
    numbers = all(type(number) is int for number in (layout.tile_cells, *years))
    if not axes or not whole or not numbers or layout.tile_cells < 1 or list(years) != sorted(set(years)):
        raise TileFormatError(
            f"{folder}: expected lat and lon (float64), cell (int64), tiles of whole numbers of cells and "
            f"ascending years, got cells {layout.tile_cells!r} and years {str(years)[:80]}"
        )
    if index.size and not 0 <= index.min() <= index.max() < layout.lat.size * layout.lon.size:
        raise TileFormatError(f"{folder}: expected cells of the grid, got {index.min()} to {index.max()}")


def around(field: NDArray[np.int32], rows: slice, columns: slice, halo: int, *, periodic: bool) -> NDArray[np.int64]:
    """Return a window of a field with a margin, -1 beyond the grid; columns wrap around a periodic one."""
    row = np.arange(rows.start - halo, rows.stop + halo)
    column = np.arange(columns.start - halo, columns.stop + halo)
    if periodic:
        column %= field.shape[1]
    inside = np.ix_((row >= 0) & (row < field.shape[0]), (column >= 0) & (column < field.shape[1]))
    window = np.full((row.size, column.size), -1)
    window[inside] = field[np.ix_(row[inside[0].ravel()], column[inside[1].ravel()])]
    return window
