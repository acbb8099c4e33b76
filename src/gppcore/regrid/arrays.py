"""Checks of the arrays that the regridding functions take and return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import DtypeError, RangeError, ShapeError

Float = TypeVar("Float", np.float32, np.float64)


def check_field(name: str, value: NDArray[Float], shape: tuple[int, int] | None = None) -> NDArray[Float]:
    """Return the field as an array (..., lat, lon), whose last dimensions are `shape` if that is given."""
    array = np.asarray(value)
    if array.dtype not in (np.float32, np.float64):
        message = f"{name}: expected dtype float32 or float64, got {array.dtype}"
        raise DtypeError(message)
    if array.ndim < 2:
        message = f"{name}: expected shape (..., lat, lon), got {array.shape}"
        raise ShapeError(message)
    if shape is not None and array.shape[-2:] != shape:
        message = f"{name}: expected (..., lat, lon) with {shape} cells as the grid has, got {array.shape}"
        raise ShapeError(message)
    return array


def output(out: NDArray[Float] | None, shape: tuple[int, ...], like: NDArray[Float]) -> NDArray[Float]:
    """Return `out` after checks, or a new array."""
    if out is None:
        return np.empty(shape, dtype=like.dtype)
    if out.dtype != like.dtype:
        message = f"out: expected dtype {like.dtype}, got {out.dtype}"
        raise DtypeError(message)
    if out.shape != shape or not out.flags.c_contiguous or not out.flags.writeable:
        message = f"out: expected a writable C-contiguous array of shape {shape}, got {out.shape}"
        raise ShapeError(message)
    return out


def leading(field: NDArray[Any]) -> Iterator[tuple[int, ...]]:
    """Return the indices of the two-dimensional fields in an array."""
    return np.ndindex(field.shape[:-2])


def check_min_valid(min_valid: float) -> None:
    """Raise unless it is a share."""
    if not 0.0 <= min_valid <= 1.0:
        message = f"min_valid: expected a share in [0, 1], got {min_valid}"
        raise RangeError(message)
