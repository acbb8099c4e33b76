"""Arrays that make a forest, and targets that refit its leaves: checked before anything is narrowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.arrays import floats, whole_numbers
from gppcore.errors import DtypeError, ForestFormatError, RangeError, ShapeError


def core_arguments(
    *,
    n_features: int,
    tree_begin: ArrayLike,
    feature: ArrayLike,
    threshold: ArrayLike,
    left: ArrayLike,
    right: ArrayLike,
    value: ArrayLike,
    flags: ArrayLike | None,
    set_begin: ArrayLike,
    set_words: ArrayLike,
    base: ArrayLike,
    tree_output: ArrayLike | None,
    link: int,
    link_scale: float,
    feature_names: Sequence[str],
) -> tuple[Any, ...]:
    """Return the arguments of the compiled core for those of `Forest.from_arrays`.

    Raises
    ------
    ForestFormatError
        If an array holds something else than numbers, or numbers beyond the range of its type.
    """
    try:
        features = whole_numbers("feature", feature, np.int32)
        begins = whole_numbers("tree_begin", tree_begin, np.int64)
        outputs = np.zeros(max(begins.size - 1, 0), np.int32) if tree_output is None else tree_output
        values = np.ascontiguousarray(floats("value", value), dtype=np.float64)
        bases = np.atleast_1d(np.ascontiguousarray(floats("base", base), dtype=np.float64))
        return (
            whole_numbers("n_features", n_features, np.int32).item(),
            bases.size,
            values.shape[1] if values.ndim == 2 else 1,
            link,
            floats("link_scale", link_scale).item(),
            bases,
            begins,
            whole_numbers("tree_output", outputs, np.int32),
            features,
            whole_numbers("left", left, np.int32),
            whole_numbers("right", right, np.int32),
            np.ascontiguousarray(floats("threshold", threshold), dtype=np.float64),
            values,
            whole_numbers("flags", np.zeros(features.shape, np.uint8) if flags is None else flags, np.uint8),
            whole_numbers("set_begin", set_begin, np.int64),
            whole_numbers("set_words", set_words, np.uint32),
            list(feature_names),
        )
    except (DtypeError, RangeError) as error:
        raise ForestFormatError(f"from_arrays: {error}") from None


def refit_targets(
    y: ArrayLike, weight: ArrayLike | None, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return targets and weights of samples; those with a masked target weigh 0.

    Raises
    ------
    ShapeError, DtypeError
    RangeError
        If a target is not finite, or a weight is below 0 or not finite.
    """
    n = shape[0]
    target = np.array(floats("y", y), np.float64)
    weights = np.ones(n) if weight is None else np.array(floats("weight", weight), np.float64)
    for name, array, wanted in (("y", target, shape), ("weight", weights, (n,))):
        if array.shape != wanted:
            raise ShapeError(f"{name}: expected shape {wanted}, got {array.shape}")
    if np.ma.is_masked(y):
        left_out = np.ma.getmaskarray(np.ma.asarray(y)).reshape(n, -1).any(axis=1)
        target[left_out], weights[left_out] = 0.0, 0.0
    if not np.isfinite(target).all():
        raise RangeError("y: expected finite numbers, got NaN or infinity; mask what is missing")
    if not (weights.min(initial=0.0) >= 0.0 and np.isfinite(weights).all()):
        raise RangeError("weight: expected finite numbers of at least 0, got others")
    return target, weights
