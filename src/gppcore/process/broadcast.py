"""Inputs of the canopy-hour kernels: checked, converted to one number type, broadcast to rows and columns."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gppcore.arrays import Floats, check_output, floats, overlaps, same_type
from gppcore.errors import DtypeError, ShapeError
from gppcore.variables import VARIABLES, check_range

_OPTIONAL = {"diffuse_fraction"}
"""Inputs that the kernel estimates where they are None."""


class Grids:
    """Inputs of a kernel: named arrays of one number type, broadcast to rows x columns."""

    def __init__(self, named: Mapping[str, ArrayLike | None]) -> None:
        for name, value in named.items():
            if value is None and name not in _OPTIONAL:
                raise DtypeError(f"{name}: expected numbers, got None")
        # Integers and single numbers adapt to the number type of the arrays.
        arrays = {name: floats(name, value) for name, value in named.items() if value is not None}
        self.dtype = same_type({name: a for name, a in arrays.items() if not _is_whole(named[name])})
        self.named = {name: arrays[name].astype(self.dtype, copy=False) if name in arrays else None for name in named}
        given = [a for a in self.named.values() if a is not None]
        try:
            self.shape = np.broadcast(*given).shape
        except ValueError:
            shapes = ", ".join(f"{name} {a.shape}" for name, a in self.named.items() if a is not None and a.ndim)
            raise ShapeError(f"inputs do not broadcast against each other: expected one shape, got {shapes}") from None
        self.size = prod(self.shape)
        columns = self.shape[-1] if self.shape else 1
        self.shape2 = (self.size // max(columns, 1), columns)
        self.inputs = [None if a is None or not self.size else self._view(a) for a in self.named.values()]
        self.limits = [VARIABLES[name].valid_range for name in self.named]

    def _view(self, a: Floats) -> Floats:
        """View as rows x columns, or 1 where it broadcasts; copied only if some leading dimensions broadcast."""
        if a.ndim < 2:
            return a.reshape(1, -1)
        return a if len(self.shape) == 2 else np.broadcast_to(a, self.shape).reshape(self.shape2)

    def empty(self, by_class: bool) -> Floats:
        """Return an array for an output."""
        return np.empty((4, *self.shape) if by_class else self.shape, self.dtype)

    def output(self, name: str, array: Floats | None, *, by_class: bool = False) -> Floats:
        """Check an array for an output and view it as rows x columns."""
        shape = (4, *self.shape) if by_class else self.shape
        check_output(f"out.{name}", array, shape, self.dtype, contiguous=True)
        assert array is not None
        return array.reshape((4, *self.shape2) if by_class else self.shape2)

    def keep_apart(self, outputs: Mapping[str, Floats]) -> None:
        """Copy inputs that share memory with an output, and refuse outputs that share it with each other."""
        arrays = list(outputs.items())
        for i, (name, array) in enumerate(arrays):
            for other, second in arrays[:i]:
                if overlaps(array, [second]):
                    raise ShapeError(f"out.{name}: expected memory of its own, got that of out.{other}")
        self.inputs = [a.copy() if a is not None and overlaps(a, outputs.values()) else a for a in self.inputs]

    def check(self, wrong: int) -> None:
        """Raise the error for the input that the kernel found out of range, if any."""
        if wrong >= 0:
            name = list(self.named)[wrong]
            check_range(name, self.named[name])  # type: ignore[arg-type]


def _is_whole(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "iub"
