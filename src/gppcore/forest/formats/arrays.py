"""From the trees of a trained model to the arguments of `gppcore.Forest.from_arrays`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import ForestFormatError

# Bounds the memory of sets of categories, whose size a number in a small file could decide: 64 MiB.
_MAX_SET_WORDS = 2**24

Flat = NDArray[Any]


class NodeFlag(IntFlag):
    """How an internal node treats values that its threshold or category set does not decide."""

    MISSING_LEFT = 1
    """A missing value goes left; without it, right."""
    UNSEEN_LEFT = 2
    """A category below 0, or beyond the bits of the node's set, goes left; without it, right."""
    ZERO_MISSING = 4
    """Values within 1e-35 (in float32) of zero are missing, as NaN is."""
    CATEGORICAL = 8
    """The node asks whether the value is in a set of categories."""
    NEGATIVE_UNSEEN = 16
    """A number between -1 and 0 is a category below 0; without it, category 0."""
    FRACTION_UNSEEN = 32
    """A number that is not whole is treated as a category below 0; without it, it is cut off toward zero."""


@dataclass(frozen=True)
class Tree:
    """The nodes of one tree, as `Forest.from_arrays` describes them; its category sets are counted from 0."""

    feature: Flat
    threshold: Flat
    left: Flat
    right: Flat
    flags: Flat
    value: Flat  # (n_nodes,) or (n_nodes, n_outputs)
    sets: tuple[Flat, ...] = ()
    output: int = 0


def join_trees(trees: Iterable[Tree], *, base: ArrayLike, feature_names: Iterable[str], **rest: Any) -> dict[str, Any]:
    """Arguments of `Forest.from_arrays`: trees put one after another, and what else a forest has."""
    kept = _within_memory(trees)
    names = tuple(feature_names)
    if not all(_is_text(name) for name in names):
        message = f"feature_names: expected text that UTF-8 can hold, got {names}"
        raise ForestFormatError(message)
    widths = {tree.value.shape[1:] for tree in kept}
    if len(widths) > 1:
        message = f"trees: expected leaves of one width, got {sorted(widths)}"
        raise ForestFormatError(message)
    sizes = [tree.feature.size for tree in kept]
    first_set = np.cumsum([0] + [len(tree.sets) for tree in kept])
    sets = [words for tree in kept for words in tree.sets]
    flags = _joined([tree.flags for tree in kept], np.uint8, "flags")
    threshold = _joined([tree.threshold for tree in kept], np.float64, "threshold")
    is_set = (flags & NodeFlag.CATEGORICAL).astype(bool)
    threshold[is_set] += np.repeat(first_set[:-1], sizes)[is_set]
    return {
        "base": base,
        "tree_begin": np.cumsum([0, *sizes], dtype=np.int64),
        "tree_output": np.array([tree.output for tree in kept], np.int32),
        "feature": _joined([tree.feature for tree in kept], np.int32, "feature"),
        "left": _joined([tree.left for tree in kept], np.int32, "left"),
        "right": _joined([tree.right for tree in kept], np.int32, "right"),
        "threshold": threshold,
        "value": np.concatenate([tree.value for tree in kept] or [np.empty(0)]),
        "flags": flags,
        "set_begin": np.cumsum([0] + [words.size for words in sets], dtype=np.int64),
        "set_words": _joined(sets, np.uint32, "set_words"),
        "feature_names": names,
        **rest,
    }


def category_sets(groups: list[Flat]) -> tuple[Flat, ...]:
    """Of each group of categories, whole numbers from 0, the words in which bit c % 32 of word c // 32 is set."""
    sizes = [int(categories.max(initial=-1)) // 32 + 1 for categories in groups]
    _check_words(sum(sizes))
    sets = tuple(np.zeros(size, np.uint32) for size in sizes)
    for words, categories in zip(sets, groups, strict=True):
        np.bitwise_or.at(words, categories // 32, np.uint32(1) << (categories % 32).astype(np.uint32))
    return sets


def _within_memory(trees: Iterable[Tree]) -> list[Tree]:
    kept = []
    n_words = 0
    for tree in trees:
        n_words += sum(words.size for words in tree.sets)
        _check_words(n_words)
        kept.append(tree)
    return kept


def _check_words(n_words: int) -> None:
    if n_words > _MAX_SET_WORDS:
        message = f"category sets: expected at most {_MAX_SET_WORDS} words of 32 categories, got {n_words}"
        raise ForestFormatError(message)


def _is_text(name: str) -> bool:
    try:
        return bool(name.encode("utf-8")) and "\0" not in name
    except UnicodeEncodeError:
        return False


def _joined(parts: list[Flat], dtype: type, name: str) -> Flat:
    joined = np.concatenate([np.empty(0, dtype), *parts])
    if dtype is np.int32 and (np.abs(joined) >= 2**31).any():
        message = f"{name}: expected integers of 32 bits, got {joined.min()} to {joined.max()}"
        raise ForestFormatError(message)
    return joined.astype(dtype, copy=False)
