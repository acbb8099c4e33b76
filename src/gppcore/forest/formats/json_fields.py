"""Members of a parsed JSON or UBJSON document, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from gppcore.errors import ForestFormatError
from gppcore.forest.formats.arrays import Flat

_OF_KIND: dict[type, str] = {dict: "an object", list: "a list", str: "text"}


def member_of(parent: Any, key: str, kind: type, where: str) -> Any:
    """Member `key` of the object `parent`, of the type `kind`; `where` names the object in errors."""
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, kind):
        message = f"{where}: {key}: expected {_OF_KIND[kind]}, got {type(value).__name__}"
        raise ForestFormatError(message)
    return value


def count_of(parent: dict[str, Any], key: str, where: str) -> int:
    """Non-negative integer, which XGBoost writes as text."""
    text = member_of(parent, key, str, where)
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        message = f"{where}: {key}: expected an integer from 0, got {text[:40]!r}"
        raise ForestFormatError(message)
    return int(text)


@np.errstate(over="ignore", invalid="ignore")
def numbers_of(parent: Any, key: str, where: str, n: int | None = None) -> Flat:
    """List of numbers, `n` of them if that is given, in double."""
    value = parent.get(key) if isinstance(parent, dict) else None
    try:
        numbers = np.array(value if isinstance(value, list | np.ndarray) else None, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        message = f"{where}: {key}: expected a list of numbers, got: {error}"
        raise ForestFormatError(message) from error
    if numbers.ndim != 1 or (n is not None and numbers.size != n):
        size = "" if n is None else f"{n} "
        message = f"{where}: {key}: expected a list of {size}numbers, got one of shape {numbers.shape}"
        raise ForestFormatError(message)
    return numbers


@np.errstate(over="ignore")
def singles_of(parent: Any, key: str, where: str, n: int) -> Flat:
    """Numbers that XGBoost holds in float32, in double."""
    return numbers_of(parent, key, where, n).astype(np.float32).astype(np.float64)


def integers_of(parent: Any, key: str, where: str, n: int | None = None) -> Flat:
    """List of integers of 32 bits, `n` of them if that is given."""
    numbers = numbers_of(parent, key, where, n)
    if not (np.abs(numbers) < 2**31).all() or (numbers != np.trunc(numbers)).any():
        message = f"{where}: {key}: expected integers of 32 bits"
        raise ForestFormatError(message)
    return numbers.astype(np.int64)
