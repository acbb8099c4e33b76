"""Reader of XGBoost's JSON and UBJSON models."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gppcore.errors import ForestFormatError
from gppcore.forest_formats.arrays import Flat, NodeFlag, Tree, category_sets, join_trees
from gppcore.forest_formats.rounding import less_than
from gppcore.forest_formats.source import content_of
from gppcore.forest_formats.ubjson import read_ubjson

_LINKS = {
    **dict.fromkeys(("reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror"), "identity"),
    **dict.fromkeys(("reg:absoluteerror", "reg:quantileerror", "binary:logitraw"), "identity"),
    **dict.fromkeys(("rank:pairwise", "rank:ndcg", "rank:map"), "identity"),
    **dict.fromkeys(("binary:logistic", "reg:logistic"), "sigmoid"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"), "exp"),
    "multi:softprob": "softmax",
}
_MAX_CATEGORY = 2**24
_MAX_OUTPUTS = 65536
_OF_KIND: dict[type, str] = {dict: "an object", list: "a list", str: "text"}


def read_xgboost(source: Any) -> dict[str, Any]:
    """Arguments of `Forest.from_arrays` from a path, from its content (bytes of JSON or UBJSON), or from a Booster."""
    if hasattr(source, "save_raw"):
        content = bytes(source.save_raw("ubj"))
    else:
        content = bytes(source) if isinstance(source, bytes | bytearray) else content_of(source)
    if content.lstrip()[:1] != b"{":
        message = f"XGBoost model: expected JSON or UBJSON, which begin with '{{', got {content[:20]!r}"
        raise ForestFormatError(message)
    return _learner(_member(_document(content), "learner", dict, "model"))


def _document(content: bytes) -> Any:
    if content.lstrip()[1:].lstrip()[:1] not in (b'"', b"}"):
        return read_ubjson(content)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        message = f"XGBoost model: expected JSON, got: {error}"
        raise ForestFormatError(message) from error


def _learner(learner: dict[str, Any]) -> dict[str, Any]:
    sizes = _member(learner, "learner_model_param", dict, "learner")
    # Absent in files of older versions.
    counts = [_count(sizes, key, "learner_model_param") for key in ("num_class", "num_target") if key in sizes]
    n_outputs = max([1, *counts])
    if n_outputs > _MAX_OUTPUTS:
        message = f"learner_model_param: expected at most {_MAX_OUTPUTS} outputs, got {n_outputs}"
        raise ForestFormatError(message)
    objective = _member(_member(learner, "objective", dict, "learner"), "name", str, "objective")
    if objective not in _LINKS:
        message = f"objective: expected one of {', '.join(sorted(_LINKS))}, got {objective!r}"
        raise ForestFormatError(message)
    names = learner.get("feature_names", [])
    return join_trees(
        _trees(_member(learner, "gradient_booster", dict, "learner"), n_outputs),
        n_features=_count(sizes, "num_feature", "learner_model_param"),
        base=_margin(_member(sizes, "base_score", str, "learner_model_param"), objective, n_outputs),
        link=_LINKS[objective],
        feature_names=[str(name) for name in names] if isinstance(names, list) else [],
    )


def _trees(booster: dict[str, Any], n_outputs: int) -> Iterator[Tree]:
    name = _member(booster, "name", str, "gradient_booster")
    if name not in ("gbtree", "dart"):
        message = f"gradient_booster.name: expected gbtree or dart, got {name!r}"
        raise ForestFormatError(message)
    inner = _member(booster, "gbtree", dict, "gradient_booster") if name == "dart" else booster
    model = _member(inner, "model", dict, "gradient_booster")
    trees = _member(model, "trees", list, "model")
    outputs = _integers(model, "tree_info", "model", len(trees))
    weights = np.ones(len(trees))
    if name == "dart":
        weights = _singles(booster, "weight_drop", "gradient_booster", len(trees))
    if outputs.size and not 0 <= outputs.min() <= outputs.max() < n_outputs:
        message = f"tree_info: expected outputs 0 to {n_outputs - 1}, got {outputs.min()} to {outputs.max()}"
        raise ForestFormatError(message)
    for i, (tree, output, weight) in enumerate(zip(trees, outputs, weights, strict=True)):
        yield _tree(tree, f"trees[{i}]", n_outputs, int(output), weight)


def _tree(tree: Any, where: str, n_outputs: int, output: int, weight: float) -> Tree:
    left = _integers(tree, "left_children", where)
    n = left.size
    right = _integers(tree, "right_children", where, n)
    feature = _integers(tree, "split_indices", where, n)
    condition = _singles(tree, "split_conditions", where, n)
    leaf = left == -1
    flags = np.where(_numbers(tree, "default_left", where, n) != 0, NodeFlag.MISSING_LEFT, 0)
    threshold = less_than(condition)
    sets: tuple[Flat, ...] = ()
    if "split_type" in tree:  # not in old versions
        is_set = _integers(tree, "split_type", where, n).astype(bool) & ~leaf
        sets = _sets(tree, is_set, where)
        threshold[is_set] = np.arange(len(sets))
        flags[is_set] |= NodeFlag.CATEGORICAL | NodeFlag.UNSEEN_LEFT
    value = _vector_leaves(tree, right, leaf, n_outputs, where) if _is_vector(tree, where) else condition
    keep = _kept(left, right, leaf, where)
    number = np.cumsum(keep) - 1
    child = np.where(leaf, 0, left)[keep], np.where(leaf, 0, right)[keep]
    return Tree(
        feature=np.where(leaf, -1, feature)[keep],
        threshold=np.where(leaf, 0.0, threshold)[keep],
        left=number[child[0]],
        right=number[child[1]],
        flags=np.where(leaf, 0, flags)[keep],
        value=value[keep] * weight,
        sets=sets,
        output=output,
    )


def _kept(left: Flat, right: Flat, leaf: Flat, where: str) -> Flat:
    """Which nodes are in the tree; pruned ones stay in the file, as leaves without a parent."""
    n = left.size
    child = np.concatenate([left[~leaf], right[~leaf]])
    if n == 0 or (child < 0).any() or (child >= n).any():
        message = f"{where}: left_children, right_children: expected nodes 0 to {n - 1}, got {child}"
        raise ForestFormatError(message)
    keep = np.zeros(n, bool)
    keep[0] = True
    keep[child] = True
    return keep


def _is_vector(tree: dict[str, Any], where: str) -> bool:
    return _count(_member(tree, "tree_param", dict, where), "size_leaf_vector", where) > 1


def _vector_leaves(tree: dict[str, Any], right: Flat, leaf: Flat, n_outputs: int, where: str) -> Flat:
    if _count(tree["tree_param"], "size_leaf_vector", where) != n_outputs:
        message = f"{where}: size_leaf_vector: expected {n_outputs}, got {tree['tree_param']['size_leaf_vector']}"
        raise ForestFormatError(message)
    if "leaf_weights" not in tree:  # version 2: of all nodes
        return _singles(tree, "base_weights", where, leaf.size * n_outputs).reshape(-1, n_outputs)
    value = np.zeros((leaf.size, n_outputs))
    # Leaves have their weights one after another, and in place of a right child their number among them.
    weights = _singles(tree, "leaf_weights", where, int(leaf.sum()) * n_outputs).reshape(-1, n_outputs)
    number = right[leaf]
    if ((number < 0) | (number >= len(weights))).any():
        message = f"{where}: right_children: expected leaf numbers 0 to {len(weights) - 1}, got {number}"
        raise ForestFormatError(message)
    value[leaf] = weights[number]
    return value


def _sets(tree: dict[str, Any], is_set: Flat, where: str) -> tuple[Flat, ...]:
    """Read what goes left: all but the categories that the file lists; the unseen, too."""
    nodes = _integers(tree, "categories_nodes", where)
    begin = _integers(tree, "categories_segments", where, nodes.size)
    size = _integers(tree, "categories_sizes", where, nodes.size)
    categories = _integers(tree, "categories", where)
    if not np.array_equal(nodes, np.flatnonzero(is_set)):
        message = f"{where}: categories_nodes: expected {np.flatnonzero(is_set)}, got {nodes}"
        raise ForestFormatError(message)
    if (size < 0).any() or not np.array_equal(np.append(begin, categories.size), np.append(0, np.cumsum(size))):
        message = f"{where}: categories_segments: expected ranges of categories_sizes one after another"
        raise ForestFormatError(message)
    if ((categories < 0) | (categories >= _MAX_CATEGORY)).any():
        message = f"{where}: categories: expected 0 to {_MAX_CATEGORY - 1}, got {categories}"
        raise ForestFormatError(message)
    return tuple(~words for words in category_sets(np.split(categories, begin[1:])))


def _margin(text: str, objective: str, n_outputs: int) -> list[float]:
    """Turn the base score from predictions, which the file has, to sums."""
    try:
        scores = [float(score) for score in text.strip("[]").split(",")]
        if _LINKS[objective] == "sigmoid":
            scores = [-math.log(1.0 / score - 1.0) for score in scores]
        elif _LINKS[objective] == "exp":
            scores = [math.log(score) for score in scores]
    except (ValueError, ZeroDivisionError) as error:
        message = f"base_score: expected numbers that objective {objective} allows, got {text[:80]!r}"
        raise ForestFormatError(message) from error
    if len(scores) not in (1, n_outputs):
        message = f"base_score: expected 1 or {n_outputs} numbers, got {len(scores)}"
        raise ForestFormatError(message)
    return scores if len(scores) == n_outputs else scores * n_outputs


def _member(parent: Any, key: str, kind: type, where: str) -> Any:
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, kind):
        message = f"{where}: {key}: expected {_OF_KIND[kind]}, got {type(value).__name__}"
        raise ForestFormatError(message)
    return value


def _count(parent: dict[str, Any], key: str, where: str) -> int:
    """Non-negative integer, which XGBoost writes as text."""
    text = _member(parent, key, str, where)
    if not text.isdecimal() or len(text) > 9:
        message = f"{where}: {key}: expected an integer from 0, got {text[:40]!r}"
        raise ForestFormatError(message)
    return int(text)


@np.errstate(over="ignore", invalid="ignore")
def _numbers(parent: Any, key: str, where: str, n: int | None = None) -> Flat:
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
def _singles(parent: Any, key: str, where: str, n: int) -> Flat:
    """Numbers that XGBoost holds in float32, in double."""
    return _numbers(parent, key, where, n).astype(np.float32).astype(np.float64)


def _integers(parent: Any, key: str, where: str, n: int | None = None) -> Flat:
    numbers = _numbers(parent, key, where, n)
    if not (np.abs(numbers) < 2**31).all() or (numbers != np.trunc(numbers)).any():
        message = f"{where}: {key}: expected integers of 32 bits"
        raise ForestFormatError(message)
    return numbers.astype(np.int64)
