"""Checks of what forests predict from and into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import DtypeError, ShapeError


def matrix_columns(rows: Any, n_features: int) -> list[NDArray[Any]]:
    """Columns of a matrix, as views of it."""
    matrix = _filled(rows)
    _check_dtype("rows", matrix.dtype)
    if matrix.ndim != 2 or matrix.shape[1] != n_features:
        message = f"rows: expected shape (n, {n_features}), got {matrix.shape}"
        raise ShapeError(message)
    return list(matrix.T)


def checked_columns(
    columns: Sequence[Any], n_features: int, names: tuple[str, ...]
) -> tuple[list[NDArray[Any]], tuple[int, ...]]:
    """Arrays of one dtype with shape (), (n,) or (n_steps, n), and the shape that they broadcast to."""
    arrays = [_filled(column) for column in columns if np.ndim(column) > 0]
    if len(columns) != n_features or not arrays:
        message = f"columns: expected {n_features}, at least one an array, got {len(columns)}"
        raise ShapeError(message)
    dtype = arrays[0].dtype
    _check_dtype("columns", dtype)
    shape = max((array.shape for array in arrays), key=len)
    ready = []
    for i, column in enumerate(columns):
        name = f"columns[{i}]" + (f" ({names[i]})" if names else "")
        array = np.asarray(column, dtype) if np.ndim(column) == 0 else _filled(column)
        if array.dtype != dtype:
            message = f"{name}: expected dtype {dtype} as the first array has, got {array.dtype}"
            raise DtypeError(message)
        if len(shape) > 2 or (array.ndim > 0 and array.shape not in (shape, shape[-1:])):
            message = f"{name}: expected shape {shape[-2:]}, {shape[-1:]} or one number, got {array.shape}"
            raise ShapeError(message)
        ready.append(array)
    return ready, shape


def check_output(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse an output of another shape or dtype, or one that is read-only."""
    if out.dtype != dtype:
        message = f"out: expected dtype {dtype}, got {out.dtype}"
        raise DtypeError(message)
    if out.shape != shape or not out.flags.writeable:
        message = f"out: expected a writable array of shape {shape}, got {out.shape}"
        raise ShapeError(message)


def _filled(array: Any) -> NDArray[Any]:
    """Return the array itself, or a copy with NaN where it is masked."""
    if isinstance(array, np.ma.MaskedArray):
        _check_dtype("masked array", array.dtype)
        return cast("NDArray[Any]", array.filled(np.nan))
    return np.asarray(array)


def _check_dtype(name: str, dtype: np.dtype[Any]) -> None:
    if dtype not in (np.float32, np.float64):
        message = f"{name}: expected dtype float32 or float64, got {dtype}"
        raise DtypeError(message)
