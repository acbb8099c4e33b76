"""Order of the cells of a tile store, and its time coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.variables import MONTHS, attributes

WINDOW = (40, 40)
"""Height and width in grid cells, close to a block of the forest kernel, whose rows should be similar."""
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


def zstd() -> Any:
    """Return the codec of compressed tiles."""
    from numcodecs.zstd import Zstd

    return Zstd()
