"""Checks of the arrays that the regridding functions take and return."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.arrays import check_output, floats, overlaps
from gppcore.errors import RangeError, ShapeError


def check_field(name: str, value: ArrayLike, shape: tuple[int, int] | None = None) -> NDArray[Any]:
    """Return the field as an array (..., lat, lon), whose last dimensions are `shape` if that is given."""
    array = floats(name, value)
    if array.ndim < 2:
        raise ShapeError(f"{name}: expected shape (..., lat, lon), got {array.shape}")
    if shape is not None and array.shape[-2:] != shape:
        raise ShapeError(f"{name}: expected (..., lat, lon) with {shape} cells as the grid has, got {array.shape}")
    return array


def output(
    out: NDArray[Any] | None, shape: tuple[int, ...], like: NDArray[Any], *inputs: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the array to write to, and the one to return: `out` after checks, or a new array.

    They differ if `out` may overlap the inputs; the caller then copies the first to the second at the end.
    """
    if (size := prod(shape) * like.itemsize) > sys.maxsize:
        raise ShapeError(f"out: expected at most {sys.maxsize} bytes, got {size} for shape {shape}; reduce the factor")
    if out is None:
        new = np.empty(shape, dtype=like.dtype)
        return new, new
    check_output("out", out, shape, like.dtype, contiguous=True)
    return (np.empty_like(out) if overlaps(out, (like, *inputs)) else out), out


def leading(field: NDArray[Any]) -> Iterator[tuple[int, ...]]:
    """Return the indices of the two-dimensional fields in an array."""
    return np.ndindex(field.shape[:-2])


def check_min_valid(min_valid: float) -> None:
    """Raise unless the value is a fraction."""
    if not 0.0 <= min_valid <= 1.0:
        message = f"min_valid: expected a share in [0, 1], got {min_valid}"
        raise RangeError(message)
