"""What forests and models predict from: rows or columns, by position or by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import floats, is_dataset, is_frame, same_type
from gppcore.errors import DtypeError, ShapeError


def row_columns(x: Any, n_features: int, names: Sequence[str]) -> list[NDArray[Any]]:
    """Return the columns of rows: of a table by name, where the model has names, else by position.

    Parameters
    ----------
    x : array_like, shape (n, n_features), or pandas.DataFrame
        An unknown or missing column of a table is an error.
    n_features : int
        Features of the model.
    names : sequence of str
        Their names; empty where they were not given.

    Raises
    ------
    ShapeError, DtypeError
    """
    if is_dataset(x):
        raise DtypeError("x: expected an array or a DataFrame, got a Dataset, which `TransferModel.predict` takes")
    if is_frame(x):
        if names:
            check_names("x", [str(name) for name in x.columns], names)
            x = x[list(names)]
        columns = {f"x[{name!r}]": floats(f"x[{name!r}]", x[name].to_numpy()) for name in x.columns}
        if len(columns) != n_features:
            raise ShapeError(f"x: expected {n_features} columns, got {list(x.columns)}")
        single = all(column.dtype == np.float32 for column in columns.values())
        return [column.astype(np.float32 if single else np.float64, copy=False) for column in columns.values()]
    matrix = floats("x", x)
    if matrix.ndim != 2 or matrix.shape[1] != n_features:
        hint = f"; the features are {list(names)}" if names else ""
        raise ShapeError(f"x: expected shape (n, {n_features}), got {matrix.shape}{hint}")
    return list(matrix.T)


def check_names(what: str, given: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise a ShapeError that lists missing, unknown and repeated names."""
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    repeated = sorted({name for name in given if given.count(name) > 1} if isinstance(given, list) else ())
    if missing or unknown or repeated:
        parts = [("no", missing), ("unknown", unknown), ("repeated", repeated)]
        got = ", ".join(f"{word} {names}" for word, names in parts if names)
        raise ShapeError(f"{what}: expected the columns {list(wanted)} in any order, got {got}")


def checked_columns(columns: Any, n_features: int, names: Sequence[str]) -> tuple[list[NDArray[Any]], tuple[int, ...]]:
    """Return arrays of one number type with shape (), (n,) or (n_steps, n), and the shape that they broadcast to."""
    if isinstance(columns, np.ndarray) and columns.ndim > 1:
        columns = list(columns)
    if isinstance(columns, str | bytes) or not isinstance(columns, Sequence):
        raise ShapeError(f"columns: expected a list of {n_features} arrays, got {type(columns).__name__}")
    label = [f"columns[{i}]" + (f" ({names[i]})" if i < len(names) else "") for i in range(len(columns))]
    arrays = [floats(name, column) for name, column in zip(label, columns, strict=True)]
    if len(columns) != n_features or not any(array.ndim for array in arrays):
        raise ShapeError(f"columns: expected {n_features}, at least one an array, got {len(columns)}")
    dtype = same_type(dict(zip(label, arrays, strict=True)))
    shape = max((array.shape for array in arrays), key=len)
    for name, array in zip(label, arrays, strict=True):
        if len(shape) > 2 or (array.ndim > 0 and array.shape not in (shape, shape[-1:])):
            raise ShapeError(f"{name}: expected shape {shape[-2:]}, {shape[-1:]} or one number, got {array.shape}")
    return [array.astype(dtype, copy=False) for array in arrays], shape
