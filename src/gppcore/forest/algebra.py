"""Sums, multiples and pruning of forests, as the arguments of `gppcore.Forest.from_arrays`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import ForestFormatError
from gppcore.forest.formats.arrays import NodeFlag


def added(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both forests' trees, the bases added: raw predictions add up."""
    for name in ("n_features", "link", "link_scale"):
        if first[name] != second[name]:
            message = f"{name}: expected {first[name]!r} as the first forest has, got {second[name]!r}"
            raise ForestFormatError(message)
    if first["base"].size != second["base"].size:
        message = f"outputs: expected {first['base'].size} as the first forest has, got {second['base'].size}"
        raise ForestFormatError(message)
    names = first["feature_names"] or second["feature_names"]
    if second["feature_names"] and names != second["feature_names"]:
        message = f"feature_names: expected {names} as the first forest has, got {second['feature_names']}"
        raise ForestFormatError(message)
    if first["value"].ndim != second["value"].ndim:
        first, second = _wide(first), _wide(second)
    is_set = (second["flags"] & NodeFlag.CATEGORICAL).astype(bool)
    threshold = second["threshold"] + is_set * (first["set_begin"].size - 1)
    plain = ("feature", "left", "right", "value", "flags", "tree_output", "set_words")
    return {
        **first,
        **{name: np.concatenate([first[name], second[name]]) for name in plain},
        "threshold": np.concatenate([first["threshold"], threshold]),
        "tree_begin": _continued(first["tree_begin"], second["tree_begin"]),
        "set_begin": _continued(first["set_begin"], second["set_begin"]),
        "base": first["base"] + second["base"],
        "feature_names": names,
    }


def scaled(arrays: dict[str, Any], factor: float) -> dict[str, Any]:
    """Raw predictions times `factor`."""
    return {**arrays, "base": arrays["base"] * factor, "value": arrays["value"] * factor}


def pruned(arrays: dict[str, Any]) -> dict[str, Any]:
    """Without trees of one leaf, whose values go to the base, and without category sets that no node asks."""
    begin = arrays["tree_begin"]
    single = np.diff(begin) == 1
    base = arrays["base"].copy()
    values = arrays["value"][begin[:-1][single]]
    if values.ndim == 2:
        base += values.sum(axis=0)
    else:
        np.add.at(base, arrays["tree_output"][single], values)
    keep = np.repeat(~single, np.diff(begin))
    nodes = ("feature", "threshold", "left", "right", "value", "flags")
    kept = {name: arrays[name][keep] for name in nodes}
    asks = (kept["feature"] >= 0) & (kept["flags"] & NodeFlag.CATEGORICAL).astype(bool)
    sets, number = np.unique(kept["threshold"][asks].astype(np.int64), return_inverse=True)
    kept["threshold"][asks] = number
    spans = [arrays["set_words"][slice(*arrays["set_begin"][s : s + 2])] for s in sets]
    return {
        **arrays,
        **kept,
        "base": base,
        "tree_begin": np.concatenate([[0], np.cumsum(np.diff(begin)[~single])]),
        "tree_output": arrays["tree_output"][~single],
        "set_begin": np.cumsum([0] + [words.size for words in spans]),
        "set_words": np.concatenate([np.empty(0, np.uint32), *spans]),
    }


def _wide(arrays: dict[str, Any]) -> dict[str, Any]:
    """Give every leaf a value for each output."""
    if arrays["value"].ndim == 2:
        return arrays
    outputs = np.repeat(arrays["tree_output"], np.diff(arrays["tree_begin"]))
    value = np.zeros((arrays["value"].size, arrays["base"].size))
    value[np.arange(outputs.size), outputs] = arrays["value"]
    return {**arrays, "value": value, "tree_output": np.zeros_like(arrays["tree_output"])}


def _continued(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([first, second[1:] + first[-1]])
