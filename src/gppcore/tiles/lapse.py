"""Temperature of coarse files at the elevation of the cells of a store."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import RangeError, ShapeError
from gppcore.io.cf import axes, masked, open_cf, variable_of
from gppcore.io.sources import located, split_variable
from gppcore.regrid import grid_of
from gppcore.tiles.fields import Fields, FieldStep, VariableSource
from gppcore.tiles.store import TileStore

ELEVATION = "elevation"
"""Variable of the store whose height the temperatures are brought to."""
NAMES = ("tair", "tmin", "tmax")
LAPSE_RATE = 6.5e-3
"""Decrease of temperature with height [K m-1]: that of the standard atmosphere (ICAO, 1993)."""
_GRAVITY = 9.80665  # m s-2
_HEIGHT = {"m": 1.0, "m2 s-2": 1.0 / _GRAVITY, "m**2 s**-2": 1.0 / _GRAVITY}


class Lapsed(Fields):
    """Files of a temperature: brought to sea level, interpolated, and brought to the height of the cells."""

    def __init__(self, name: str, source: VariableSource, folder: Path, stack: ExitStack) -> None:
        if name not in NAMES or source.static:
            raise RangeError(f'{name}: method: expected "lapse" for {", ".join(NAMES)} alone, got it for {name}')
        path, variable = split_variable(source.orography)
        if variable is None:
            raise RangeError(
                f'{name}: orography: expected "FILE:VARIABLE", the height of the grid of its files in m or its '
                f"geopotential in m2 s-2, got {source.orography!r}"
            )
        super().__init__(name, source, folder, stack)
        ds = stack.enter_context(open_cf(located(path, folder), f"{name}: orography"))
        field = variable_of(ds, variable, path)
        lat, lon = axes(field)
        if field.ndim > 2:
            raise ShapeError(f"{path}: {variable}: expected latitude and longitude, got {dict(field.sizes)}")
        if (unit := field.attrs.get("units")) not in _HEIGHT:
            raise RangeError(f"{path}: {variable}: units: expected one of {list(_HEIGHT)}, got {unit!r}")
        self._grid = grid_of(ds)
        height = masked(field.transpose(lat, lon).values, field)
        self._warmer = (LAPSE_RATE * _HEIGHT[unit] * height).astype(np.float32)

    def converted(self, values: NDArray[Any], field: FieldStep, rows: slice) -> NDArray[np.float32]:
        """Return stored values of rows of a field at sea level, in our unit."""
        if not self._grid.same_cells(field.grid):
            raise ShapeError(
                f"{self.name}: orography: expected the grid of {field.path}, {field.grid.shape} cells, got "
                f"{self._grid.shape} from {self.source.orography}"
            )
        return super().converted(values, field, rows) + self._warmer[rows]

    def at_cells(self, store: TileStore, tile: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values at sea level of a tile at the height of its cells."""
        return values - np.float32(LAPSE_RATE) * store.read(ELEVATION, tile)
