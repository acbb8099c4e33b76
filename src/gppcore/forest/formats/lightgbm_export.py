"""Writer of LightGBM's text models (version v4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gppcore.errors import ForestFormatError
from gppcore.forest.formats.arrays import Flat, NodeFlag

# Bits of decision_type.
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_ZERO, _MISSING_NAN = 1, 2, 4, 8
_EMPTY = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")


def write_lightgbm(arrays: dict[str, Any], leaves: Flat | None = None) -> str:
    """Text of a model with the trees of the arguments of `Forest.from_arrays`.

    `leaves`, shape (rows, trees), are those that the rows of a sample reach: nodes carry their numbers of rows. Without
    them each leaf counts as one row.
    """
    n_outputs = arrays["base"].size
    names = ["_".join(name.split()) for name in arrays["feature_names"]]
    names = names or [f"Column_{f}" for f in range(arrays["n_features"])]
    # Iteration by iteration, one tree for each output.
    trees = [f"Tree={i}\n{tree}\nis_linear=0\nshrinkage=1\n\n\n" for i, tree in enumerate(_in_order(arrays, leaves))]
    return "\n".join(
        [
            "tree",
            "version=v4",
            f"num_class={n_outputs}",
            f"num_tree_per_iteration={n_outputs}",
            "label_index=0",
            f"max_feature_idx={arrays['n_features'] - 1}",
            *_objective(arrays["link"], arrays["link_scale"], n_outputs),
            f"feature_names={' '.join(names)}",
            f"feature_infos={' '.join(['[-inf:inf]'] * len(names))}",
            f"tree_sizes={' '.join(str(len(tree)) for tree in trees)}",
            "",
            "".join(trees) + "end of trees",
            "",
            "feature_importances:",
            "",
            "parameters:",
            "end of parameters",
            "",
            "pandas_categorical:null",
            "",
        ]
    )


def _objective(link: str, scale: float, n_outputs: int) -> list[str]:
    if link == "identity":
        return ["objective=regression"] if n_outputs == 1 else []
    if link == "exp" and n_outputs == 1 and scale == 1.0:
        return ["objective=poisson"]
    if link == "sigmoid" and scale > 0.0:
        name = "binary" if n_outputs == 1 else f"multiclassova num_class:{n_outputs}"
        return [f"objective={name} sigmoid:{scale!r}"]
    if link == "softmax" and n_outputs > 1 and scale == 1.0:
        return [f"objective=multiclass num_class:{n_outputs}"]
    message = f"link: expected one that LightGBM has for {n_outputs} outputs, got {link} of {scale} times the sum"
    raise ForestFormatError(message)


def _in_order(arrays: dict[str, Any], leaves: Flat | None) -> Iterator[str]:
    """Give the trees as LightGBM orders them; a constant stands in for the base, and where an output has no tree."""
    n_outputs, n_rows = arrays["base"].size, 1 if leaves is None else len(leaves)
    if arrays["base"].any():
        yield from (_constant(value, n_rows) for value in arrays["base"])
    begin, output = arrays["tree_begin"], arrays["tree_output"]
    if arrays["value"].ndim == 2:
        for tree in range(output.size):
            part = slice(begin[tree], begin[tree + 1])
            yield from (_tree(arrays, part, arrays["value"][part, k], tree, leaves) for k in range(n_outputs))
        return
    waiting = [np.flatnonzero(output == k) for k in range(n_outputs)]
    for i in range(max(trees.size for trees in waiting)):
        for trees in waiting:
            if i < trees.size:
                part = slice(begin[trees[i]], begin[trees[i] + 1])
                yield _tree(arrays, part, arrays["value"][part], trees[i], leaves)
            else:
                yield _constant(0.0, n_rows)


def _constant(value: float, n_rows: int) -> str:
    empty = "".join(f"{key}=\n" for key in _EMPTY)
    return f"num_leaves=1\nnum_cat=0\n{empty}leaf_value={float(value)!r}\nleaf_weight={n_rows}\nleaf_count={n_rows}"


def _counts(arrays: dict[str, Any], part: slice, tree: int, leaves: Flat | None) -> Flat:
    """Return the rows that reach each node of a tree; children come after their parents."""
    feature, left, right = arrays["feature"][part], arrays["left"][part], arrays["right"][part]
    count = np.zeros(feature.size, int)
    is_leaf = feature < 0
    n_leaves = int(is_leaf.sum())
    count[is_leaf] = 1 if leaves is None else np.bincount(leaves[:, tree], minlength=n_leaves)
    for node in np.flatnonzero(~is_leaf)[::-1]:
        count[node] = count[left[node]] + count[right[node]]
    return count


def _tree(arrays: dict[str, Any], part: slice, value: Flat, tree: int, leaves: Flat | None) -> str:
    feature = arrays["feature"][part]
    inner = feature >= 0
    n_leaves = int((~inner).sum())
    if n_leaves == 1:
        return _constant(value[0], 1 if leaves is None else len(leaves))
    count = _counts(arrays, part, tree, leaves)
    mean = _means(arrays, part, value, count)
    number = np.where(inner, np.cumsum(inner) - 1, -np.cumsum(~inner))
    left, right = number[arrays["left"][part][inner]], number[arrays["right"][part][inner]]
    flags, threshold = arrays["flags"][part][inner], arrays["threshold"][part][inner]
    is_set = (flags & NodeFlag.CATEGORICAL).astype(bool)
    sets = [_words(arrays, int(k)) for k in threshold[is_set]]
    missing_left, unseen_left = (flags & NodeFlag.MISSING_LEFT) > 0, (flags & NodeFlag.UNSEEN_LEFT) > 0
    if (is_set & (missing_left != unseen_left)).any():
        message = (
            f"tree {tree}: expected missing values and unseen categories to take one side, "
            "since LightGBM sends both to the right, got a split that parts them"
        )
        raise ForestFormatError(message)
    # LightGBM sends what is not in a set to the right: where it belongs left, the sides change places.
    swap = is_set & missing_left
    sets = [~words if turned else words for words, turned in zip(sets, swap[is_set], strict=True)]
    sets = [words if words.size else np.zeros(1, np.uint32) for words in sets]
    left, right = np.where(swap, right, left), np.where(swap, left, right)
    missing = np.where(flags & NodeFlag.ZERO_MISSING, _MISSING_ZERO, _MISSING_NAN) + missing_left * _DEFAULT_LEFT
    zeros = " ".join(["0"] * (n_leaves - 1))
    lines = {
        "num_leaves": n_leaves,
        "num_cat": len(sets),
        "split_feature": _listed(feature[inner]),
        "split_gain": zeros,
        "threshold": _listed(np.where(is_set, np.cumsum(is_set) - 1, threshold)),
        "decision_type": _listed(np.where(is_set, _CATEGORICAL, missing)),
        "left_child": _listed(left),
        "right_child": _listed(right),
        "leaf_value": _listed(value[~inner]),
        "leaf_weight": _listed(count[~inner]),
        "leaf_count": _listed(count[~inner]),
        "internal_value": _listed(mean[inner]),
        "internal_weight": _listed(count[inner]),
        "internal_count": _listed(count[inner]),
    }
    if sets:
        lines["cat_boundaries"] = _listed(np.cumsum([0] + [words.size for words in sets]))
        lines["cat_threshold"] = _listed(np.concatenate(sets))
    return "\n".join(f"{key}={text}" for key, text in lines.items())


def _means(arrays: dict[str, Any], part: slice, value: Flat, count: Flat) -> Flat:
    """Return the mean value of the rows that reach each node; of its leaves where there are none."""
    left, right = arrays["left"][part], arrays["right"][part]
    mean = np.array(value, float)
    for node in np.flatnonzero(arrays["feature"][part] >= 0)[::-1]:
        below = [left[node], right[node]]
        weight = count[below] if count[node] else np.ones(2)
        mean[node] = np.average(mean[below], weights=weight)
    return mean


def _words(arrays: dict[str, Any], number: int) -> Flat:
    begin = arrays["set_begin"]
    words: Flat = arrays["set_words"][begin[number] : begin[number + 1]]
    return words


def _listed(numbers: Flat) -> str:
    return " ".join(map(repr, numbers.tolist()))
