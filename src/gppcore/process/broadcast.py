"""Inputs of kernels over canopy hours: checked, of one number type, broadcast to rows and columns."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import DtypeError, ShapeError
from gppcore.variables import VARIABLES, check_range

Floats = NDArray[Any]
"""float64 or float32."""

_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


class Grids:
    """Inputs of a kernel: named arrays of one number type, broadcast to rows x columns."""

    def __init__(self, named: Mapping[str, ArrayLike | None]) -> None:
        arrays = {name: None if value is None else np.asarray(value) for name, value in named.items()}
        self.dtype = _common_dtype(arrays)
        self.named = {name: None if a is None else _plain(a, self.dtype) for name, a in arrays.items()}
        given = [a for a in self.named.values() if a is not None]
        try:
            self.shape = np.broadcast(*given).shape
        except ValueError:
            shapes = ", ".join(str(a.shape) for a in given if a.ndim)
            raise ShapeError(f"inputs do not broadcast against each other, got {shapes}") from None
        self.size = prod(self.shape)
        columns = self.shape[-1] if self.shape else 1
        self.shape2 = (self.size // max(columns, 1), columns)
        self.inputs = [None if a is None or not self.size else self._view(a) for a in self.named.values()]
        self.limits = [VARIABLES[name].valid_range for name in self.named]

    def _view(self, a: Floats) -> Floats:
        """View as rows x columns, or 1 where it broadcasts; copied only where leading dimensions do so unevenly."""
        if a.ndim < 2:
            return a.reshape(1, -1)
        return a if len(self.shape) == 2 else np.broadcast_to(a, self.shape).reshape(self.shape2)

    def empty(self, by_class: bool) -> Floats:
        """Return an array for an output."""
        return np.empty((4, *self.shape) if by_class else self.shape, self.dtype)

    def output(self, name: str, array: Floats | None, *, by_class: bool = False) -> Floats:
        """Check an array for an output and view it as rows x columns."""
        shape = (4, *self.shape) if by_class else self.shape
        if array is None or array.dtype != self.dtype or not array.flags.c_contiguous:
            got = None if array is None else array.dtype
            raise DtypeError(f"out.{name}: expected a C-contiguous {self.dtype} array, got {got}")
        if array.shape != shape:
            raise ShapeError(f"out.{name}: expected shape {shape}, got {array.shape}")
        return array.reshape((4, *self.shape2) if by_class else self.shape2)

    def check(self, wrong: int) -> None:
        """Raise the error of the input that the kernel found out of range, if there is one."""
        if wrong >= 0:
            name = list(self.named)[wrong]
            check_range(name, self.named[name])  # type: ignore[arg-type]


def _common_dtype(arrays: Mapping[str, NDArray[Any] | None]) -> np.dtype[Any]:
    """Return the number type of the arrays; single numbers and integers adapt to it."""
    common, first = np.dtype(np.float64), ""
    for name, array in arrays.items():
        if array is None or array.dtype.kind in "iu" or (array.ndim == 0 and array.dtype.kind == "f"):
            continue
        if array.dtype not in _FLOATS or (first and array.dtype != common):
            expected = f"{common}, as {first} is" if first else "float64 or float32"
            raise DtypeError(f"{name}: expected {expected}, got {array.dtype}")
        common, first = array.dtype, first or name
    return common


def _plain(array: NDArray[Any], dtype: np.dtype[Any]) -> Floats:
    """Return an array whose elements the kernel can step through: those of a packed record lie between others."""
    array = array.astype(dtype, copy=False)
    return array if array.flags.aligned else array.copy()
