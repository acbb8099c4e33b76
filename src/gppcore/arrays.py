"""Conversion of arguments to plain arrays, the same for all of gppcore, with typed errors.

Masked elements become NaN; foreign byte orders and unaligned memory are copied; integers become float64. Nothing else
is converted: float16, complex numbers, text and objects are refused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import DtypeError, RangeError, ShapeError

Floats = NDArray[Any]
"""float64 or float32."""

_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def floats(name: str, value: ArrayLike) -> Floats:
    """Return `value` as an array of float64 or float32 in native byte order, a view where it is one already.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array_like
        Numbers; masked elements become NaN, integers float64.

    Raises
    ------
    DtypeError
        If the elements are neither float64, float32 nor integers.
    """
    if isinstance(value, np.ma.MaskedArray) or (isinstance(value, Sequence) and _holds_masked(value)):
        return _unmasked(name, np.ma.asarray(value))
    return _plain(name, np.asarray(value))


def same_type(arrays: Mapping[str, Floats]) -> np.dtype[Any]:
    """Return the common number type of arrays; single numbers adapt to it.

    Raises
    ------
    DtypeError
        If some arrays are float64 and others float32.
    """
    common, first = _FLOATS[0], ""
    for name, array in arrays.items():
        if array.ndim == 0:
            continue
        if first and array.dtype != common:
            raise DtypeError(
                f"{name}: expected {common}, as {first} is, got {array.dtype}; convert one of them with astype"
            )
        common, first = array.dtype, first or name
    return common


def whole_numbers(name: str, value: ArrayLike, dtype: type[np.integer[Any]]) -> NDArray[Any]:
    """Return `value` as a contiguous array of an integer type, after checking that it holds every element.

    Raises
    ------
    DtypeError
        If the elements are no numbers.
    RangeError
        If an element is not whole, missing, or beyond the range of the type.
    """
    if np.ma.is_masked(value):
        raise RangeError(f"{name}: expected whole numbers, got masked elements")
    array = np.asarray(value)
    if array.size == 0:
        return np.ascontiguousarray(array, dtype=dtype)
    if array.dtype.kind not in "biuf":
        raise DtypeError(f"{name}: expected whole numbers, got {array.dtype}")
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    least, most = array.min(), array.max()
    broken = array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.rint(array)).all())
    if broken:
        raise RangeError(f"{name}: expected whole numbers, got others, between {least:g} and {most:g}")
    # Compared as Python integers: a bound of int64 is no float64.
    if int(least) < low or int(most) > high:
        raise RangeError(f"{name}: expected {low} to {high}, got {int(least)} to {int(most)}")
    return np.ascontiguousarray(array.astype(dtype, copy=False))


def check_output(
    name: str, out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], *, contiguous: bool = False
) -> None:
    """Refuse an output that is no writable array of this shape and type.

    Raises
    ------
    DtypeError, ShapeError
    """
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray) or out.dtype != dtype:
        masked = isinstance(out, np.ma.MaskedArray)
        got = "a masked array" if masked else getattr(out, "dtype", type(out).__name__)
        raise DtypeError(f"{name}: expected an ndarray of {dtype}, got {got}")
    if out.shape != shape or not out.flags.writeable or (contiguous and not out.flags.c_contiguous):
        faults = {"read-only": not out.flags.writeable, "strided": not out.flags.c_contiguous}
        got = " ".join([*(word for word, wrong in faults.items() if wrong), str(out.shape)])
        kind = "writable C-contiguous" if contiguous else "writable"
        raise ShapeError(f"{name}: expected a {kind} array of shape {shape}, got {got}")


def check_type(name: str, value: object, kind: type, how: str) -> None:
    """Refuse an argument of another type.

    Raises
    ------
    DtypeError
        Which says how to make one: `how`.
    """
    if not isinstance(value, kind):
        raise DtypeError(f"{name}: expected {kind.__name__}, for instance {how}, got {type(value).__name__}")


def overlaps(out: NDArray[Any], others: Iterable[NDArray[Any]]) -> bool:
    """Whether an output may share memory with other arrays, so that it has to be written last."""
    return any(np.may_share_memory(out, other) for other in others)


def is_frame(value: object) -> bool:
    """Whether it is a pandas DataFrame; does not import pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_dataset(value: object) -> bool:
    """Whether it is an xarray Dataset; does not import xarray."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(value, xarray.Dataset)


def _holds_masked(value: Sequence[Any]) -> bool:
    return any(isinstance(each, np.ma.MaskedArray) for each in value)


def _unmasked(name: str, array: np.ma.MaskedArray[Any, Any]) -> Floats:
    numbers: Any = array.astype(np.float64) if array.dtype.kind in "iub" else array
    _check(name, numbers.dtype)
    return _plain(name, numbers.filled(np.nan))


def _plain(name: str, array: NDArray[Any]) -> Floats:
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    _check(name, array.dtype)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return native if native.flags.aligned else native.copy()


def _check(name: str, dtype: np.dtype[Any]) -> None:
    if dtype.newbyteorder("=") in _FLOATS:
        return
    how = "; use NaN for missing values" if dtype.kind == "O" else "; convert it with astype(float)"
    raise DtypeError(f"{name}: expected float64, float32 or integers, got {dtype}{how}")
