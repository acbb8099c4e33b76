"""Reader of XGBoost's JSON and UBJSON models."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gppcore.errors import ForestFormatError
from gppcore.forest.formats.arrays import Flat, NodeFlag, Tree, category_sets, join_trees
from gppcore.forest.formats.json_fields import count_of, integers_of, member_of, numbers_of, singles_of
from gppcore.forest.formats.rounding import less_than
from gppcore.forest.formats.source import content_of
from gppcore.forest.formats.ubjson import read_ubjson
from gppcore.io.reading import number_of

_LINKS = {
    **dict.fromkeys(("reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror"), "identity"),
    **dict.fromkeys(("reg:absoluteerror", "reg:quantileerror", "binary:logitraw"), "identity"),
    **dict.fromkeys(("rank:pairwise", "rank:ndcg", "rank:map"), "identity"),
    **dict.fromkeys(("binary:logistic", "reg:logistic"), "sigmoid"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"), "exp"),
    "multi:softprob": "softmax",
}
_MAX_CATEGORY = 2**24
_MAX_OUTPUTS = 4096  # of a forest


def read_xgboost(source: Any) -> dict[str, Any]:
    """Arguments of `Forest.from_arrays` from a path, from its content (bytes of JSON or UBJSON), or from a Booster."""
    if hasattr(source, "save_raw"):
        content = bytes(source.save_raw("ubj"))
    else:
        content = bytes(source) if isinstance(source, bytes | bytearray) else content_of(source)
    if content.lstrip()[:1] != b"{":
        message = f"XGBoost model: expected JSON or UBJSON, which begin with '{{', got {content[:20]!r}"
        raise ForestFormatError(message)
    return _learner(member_of(_document(content), "learner", dict, "model"))


def _document(content: bytes) -> Any:
    if content.lstrip()[1:].lstrip()[:1] not in (b'"', b"}"):
        return read_ubjson(content)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        message = f"XGBoost model: expected JSON, got: {error}"
        raise ForestFormatError(message) from error


def _learner(learner: dict[str, Any]) -> dict[str, Any]:
    sizes = member_of(learner, "learner_model_param", dict, "learner")
    # Absent in files of older versions.
    counts = [count_of(sizes, key, "learner_model_param") for key in ("num_class", "num_target") if key in sizes]
    n_outputs = max([1, *counts])
    if n_outputs > _MAX_OUTPUTS:
        message = f"learner_model_param: expected at most {_MAX_OUTPUTS} outputs, got {n_outputs}"
        raise ForestFormatError(message)
    objective = member_of(member_of(learner, "objective", dict, "learner"), "name", str, "objective")
    if objective not in _LINKS:
        message = f"objective: expected one of {', '.join(sorted(_LINKS))}, got {objective!r}"
        raise ForestFormatError(message)
    names = learner.get("feature_names", [])
    return join_trees(
        _trees(member_of(learner, "gradient_booster", dict, "learner"), n_outputs),
        n_features=count_of(sizes, "num_feature", "learner_model_param"),
        base=_margin(member_of(sizes, "base_score", str, "learner_model_param"), objective, n_outputs),
        link=_LINKS[objective],
        feature_names=[str(name) for name in names] if isinstance(names, list) else [],
    )


def _trees(booster: dict[str, Any], n_outputs: int) -> Iterator[Tree]:
    name = member_of(booster, "name", str, "gradient_booster")
    if name not in ("gbtree", "dart"):
        message = f"gradient_booster.name: expected gbtree or dart, got {name!r}"
        raise ForestFormatError(message)
    inner = member_of(booster, "gbtree", dict, "gradient_booster") if name == "dart" else booster
    model = member_of(inner, "model", dict, "gradient_booster")
    trees = member_of(model, "trees", list, "model")
    outputs = integers_of(model, "tree_info", "model", len(trees))
    weights = np.ones(len(trees))
    if name == "dart":
        weights = singles_of(booster, "weight_drop", "gradient_booster", len(trees))
    if outputs.size and not 0 <= outputs.min() <= outputs.max() < n_outputs:
        message = f"tree_info: expected outputs 0 to {n_outputs - 1}, got {outputs.min()} to {outputs.max()}"
        raise ForestFormatError(message)
    for i, (tree, output, weight) in enumerate(zip(trees, outputs, weights, strict=True)):
        yield _tree(tree, f"trees[{i}]", n_outputs, int(output), weight)


def _tree(tree: Any, where: str, n_outputs: int, output: int, weight: float) -> Tree:
    left = integers_of(tree, "left_children", where)
    n = left.size
    right = integers_of(tree, "right_children", where, n)
    feature = integers_of(tree, "split_indices", where, n)
    condition = singles_of(tree, "split_conditions", where, n)
    leaf = left == -1
    flags = np.where(numbers_of(tree, "default_left", where, n) != 0, NodeFlag.MISSING_LEFT, 0)
    threshold = less_than(condition)
    sets: tuple[Flat, ...] = ()
    if "split_type" in tree:  # not in old versions
        is_set = integers_of(tree, "split_type", where, n).astype(bool) & ~leaf
        sets = _sets(tree, is_set, where)
        threshold[is_set] = np.arange(len(sets))
        flags[is_set] |= NodeFlag.CATEGORICAL | NodeFlag.UNSEEN_LEFT | NodeFlag.NEGATIVE_UNSEEN
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
    return count_of(member_of(tree, "tree_param", dict, where), "size_leaf_vector", where) > 1


def _vector_leaves(tree: dict[str, Any], right: Flat, leaf: Flat, n_outputs: int, where: str) -> Flat:
    if count_of(tree["tree_param"], "size_leaf_vector", where) != n_outputs:
        message = f"{where}: size_leaf_vector: expected {n_outputs}, got {tree['tree_param']['size_leaf_vector']}"
        raise ForestFormatError(message)
    if "leaf_weights" not in tree:  # version 2: of all nodes
        return singles_of(tree, "base_weights", where, leaf.size * n_outputs).reshape(-1, n_outputs)
    value = np.zeros((leaf.size, n_outputs))
    # Leaves have their weights one after another, and in place of a right child their number among them.
    weights = singles_of(tree, "leaf_weights", where, int(leaf.sum()) * n_outputs).reshape(-1, n_outputs)
    number = right[leaf]
    if ((number < 0) | (number >= len(weights))).any():
        message = f"{where}: right_children: expected leaf numbers 0 to {len(weights) - 1}, got {number}"
        raise ForestFormatError(message)
    value[leaf] = weights[number]
    return value


def _sets(tree: dict[str, Any], is_set: Flat, where: str) -> tuple[Flat, ...]:
    """Read what goes left: all but the categories that the file lists; the unseen, too."""
    nodes = integers_of(tree, "categories_nodes", where)
    begin = integers_of(tree, "categories_segments", where, nodes.size)
    size = integers_of(tree, "categories_sizes", where, nodes.size)
    categories = integers_of(tree, "categories", where)
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
        scores = [number_of(score, float) for score in text.strip("[]").split(",")]
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
