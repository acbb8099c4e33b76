"""Small windows of gridded fields, from a dataset or from a tile store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gppcore.errors import GppcoreError, MissingFileError, ShapeError
from gppcore.io.cf import coordinates, reader
from gppcore.tiles.store import TileStore
from gppcore.variables import VARIABLES, check_unit

Float = NDArray[np.float64]


class Gridded(Protocol):
    """Fields on a grid of latitude and longitude."""

    names: list[str]
    lat: Float
    lon: Float
    time: NDArray[np.datetime64] | None

    def windows(self, name: str, rows: Sequence[int], columns: Sequence[int]) -> Float:
        """Return the 3 x 3 cells about each of some, (time, n, 3, 3) or (n, 3, 3), NaN beyond the grid."""


def gridded(source: TileStore | xr.Dataset) -> Gridded:
    """Open a source of fields.

    Raises
    ------
    ShapeError
        If it has no such field.
    UnitsError
        If a field states another unit than that of its name.
    """
    grid: Gridded = _Tiles(source) if isinstance(source, TileStore) else _Dataset(source)
    if not grid.names:
        raise ShapeError("source: expected fields of latitude, longitude and perhaps time, got none")
    return grid


def open_gridded(path: Path) -> TileStore | xr.Dataset:
    """Open a tile store, or a file that xarray reads.

    Raises
    ------
    MissingFileError
        If there is nothing of that name.
    ShapeError
        If it is neither.
    """
    if not path.exists():
        raise MissingFileError(f"source: expected a tile store or a CF file, got no such path {path}")
    try:
        return TileStore.open(path)
    except (GppcoreError, OSError):
        pass
    try:
        return xr.open_dataset(path, engine="zarr") if path.is_dir() else xr.open_dataset(path, **reader(path))
    except (ValueError, OSError, KeyError) as error:
        raise ShapeError(f"source: expected a tile store or a CF file, got {path}: {error}") from None


class _Dataset:
    def __init__(self, data: xr.Dataset) -> None:
        y, x = coordinates(data)
        lat, lon = y.dims[0], x.dims[0]
        gridded = [str(name) for name in data.data_vars if {lat, lon} <= set(data[name].dims)]
        self.names = [name for name in gridded if set(data[name].dims) <= {"time", lat, lon}]
        for name in self.names:
            if name in VARIABLES:
                check_unit(name, data[name].attrs.get("units"), where="source")
        self.lat, self.lon = y.values.astype(float), x.values.astype(float)
        self.time = data["time"].values if "time" in data.coords else None
        self._data = {name: data[name].transpose(..., lat, lon) for name in self.names}
        self._global = self.lon.size * abs(self.lon[1] - self.lon[0]) > 360.0 - 1e-6

    def windows(self, name: str, rows: Sequence[int], columns: Sequence[int]) -> Float:
        return np.stack([self._window(name, *at) for at in zip(rows, columns, strict=True)], axis=-3)

    def _window(self, name: str, row: int, column: int) -> Float:
        rows, columns = np.arange(row - 1, row + 2), np.arange(column - 1, column + 2)
        inside_columns = np.full(3, True) if self._global else (columns >= 0) & (columns < self.lon.size)
        inside_rows = (rows >= 0) & (rows < self.lat.size)
        field = self._data[name]
        part = field[..., rows[inside_rows], columns[inside_columns] % self.lon.size]
        out = np.full((*field.shape[:-2], 3, 3), np.nan)
        out[..., inside_rows[:, None] & inside_columns] = part.values.reshape(*field.shape[:-2], -1)
        return out


class _Tiles:
    def __init__(self, store: TileStore) -> None:
        self.names = [*store.variables]
        self.lat, self.lon = store.lat, store.lon
        years = store.years or ()
        self.time = np.array([f"{y}-{m:02d}-15" for y in years for m in range(1, 13)], "M8[ns]") if years else None
        self._store = store

    def windows(self, name: str, rows: Sequence[int], columns: Sequence[int]) -> Float:
        about = [
            self._store.positions(slice(row, row + 1), slice(column, column + 1), halo=1)
            for row, column in zip(rows, columns, strict=True)
        ]
        years = self._store.each_year if self._store.is_monthly(name) else (None,)
        parts = [self._store.read_at(name, np.stack(about), year).astype(float) for year in years]
        return np.concatenate(parts)
