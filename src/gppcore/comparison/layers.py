"""Layers beside the products: land fractions that weigh cells, and classes that sort them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gppcore.constants import IGBP
from gppcore.errors import ProductFormatError, RangeError, ShapeError
from gppcore.io.cf import axes, masked, open_cf, variable_of
from gppcore.io.sources import located, split_variable
from gppcore.regrid import LatLonGrid, RegridPlan, grid_of
from gppcore.regrid.classes import class_shares

MOST_CLASSES = 64
"""Classes are whole numbers below it."""


class Layer:
    """A field of latitude and longitude, "FILE:VARIABLE" or a DataArray."""

    def __init__(self, what: str, source: str | xr.DataArray, stack: ExitStack) -> None:
        if isinstance(source, xr.DataArray):
            data, self.label = source.squeeze(), what
        else:
            path, name = split_variable(str(source))
            if name is None:
                raise RangeError(f'{what}: expected "FILE:VARIABLE", got {source!r}')
            data, self.label = (
                variable_of(stack.enter_context(open_cf(located(path, Path()), what)), name, path),
                f"{what} ({source})",
            )
        try:
            lat, lon = axes(data)
            self._grid = grid_of(data)
        except (ShapeError, RangeError) as error:
            raise ProductFormatError(f"{self.label}: {error}") from None
        if data.ndim != 2:
            raise ShapeError(f"{self.label}: expected latitude and longitude, got {dict(data.sizes)}")
        self._data = data.transpose(lat, lon)

    def _rows(self, grid: LatLonGrid) -> tuple[NDArray[np.float32], RegridPlan | None]:
        rows = self._grid.rows_over(grid)
        if rows.stop == rows.start:
            return np.zeros((0, 0), np.float32), None
        values = masked(self._data[rows].values, self._data).astype(np.float32)
        return values, RegridPlan(self._grid.rows(rows), grid)

    def means(self, grid: LatLonGrid) -> NDArray[np.float32]:
        """Return the means over the cells of a grid, 0 where nothing is known.

        Raises
        ------
        RangeError
            If a value is not from 0 to 1.
        """
        values, plan = self._rows(grid)
        known = values[~np.isnan(values)]
        if known.size and not (known.min() >= 0.0 and known.max() <= 1.0):
            raise RangeError(f"{self.label}: expected shares from 0 to 1, got {known.min():g} to {known.max():g}")
        return np.zeros(grid.shape, np.float32) if plan is None else np.nan_to_num(plan.apply(values))

    def classes(self, grid: LatLonGrid) -> NDArray[np.int64]:
        """Return the class of the largest area in the cells of a grid, -1 where nothing is known.

        Raises
        ------
        RangeError
            If values are not whole numbers from 0 to 63.
        """
        values, plan = self._rows(grid)
        largest, most = np.full(grid.shape, -1), np.zeros(grid.shape, np.float32)
        for code, held in () if plan is None else class_shares(plan, values):
            if code != np.rint(code) or not 0 <= code < MOST_CLASSES:
                raise RangeError(f"{self.label}: expected classes, whole numbers from 0 to 63, got {code:g}")
            more = np.nan_to_num(held) > most
            largest[more], most[more] = int(code), held[more]
        return largest

    def names(self) -> dict[int, str]:
        """Return the names of the classes: those of CF flags, or of IGBP classes."""
        attrs = self._data.attrs
        if "flag_meanings" in attrs and "flag_values" in attrs:
            meanings = str(attrs["flag_meanings"]).split()
            return dict(zip((int(code) for code in np.atleast_1d(attrs["flag_values"])), meanings, strict=False))
        if str(self._data.name).lower() in ("igbp", "majority_land_cover_type_1", "lc_type1"):
            return {c.code: c.acronym for c in IGBP}
        return {}
