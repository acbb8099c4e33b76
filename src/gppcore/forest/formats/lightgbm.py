"""Reader of LightGBM's text models (versions v2 to v4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gppcore.errors import ForestFormatError
from gppcore.forest.formats.arrays import Flat, NodeFlag, Tree, join_trees
from gppcore.forest.formats.source import content_of
from gppcore.io.reading import number_of

# LightGBM's kZeroThreshold, a float32 constant: numbers of at most this size are read as 0.
ZERO = float(np.float32(1e-35))
_IDENTITY = {"regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg", "custom"}
_EXPONENTIAL = {"poisson", "gamma", "tweedie"}
# Bits of a node's decision_type.
_IS_CATEGORICAL, _DEFAULT_LEFT, _MISSING_ZERO, _MISSING_NAN = 1, 2, 1, 2
_REQUIRED = {"num_leaves", "leaf_value", "shrinkage"}


def read_lightgbm(source: Any) -> dict[str, Any]:
    """Arguments of `Forest.from_arrays` from a path, from its text (a str with line ends), or from a Booster."""
    if hasattr(source, "model_to_string"):
        return _model(source.model_to_string())
    if isinstance(source, str) and "\n" in source:
        return _model(source)
    try:
        return _model(content_of(source).decode("utf-8"))
    except UnicodeDecodeError as error:
        message = f"{source}: expected LightGBM text in UTF-8, got byte {error.object[error.start]:#x}"
        raise ForestFormatError(message) from error


def _model(text: str) -> dict[str, Any]:
    head, *blocks = text.replace("\r\n", "\n").split("\nTree=")
    header = _fields(head)
    if not head.startswith("tree\n") or header.get("version") not in ("v2", "v3", "v4"):
        message = f"LightGBM text: expected 'tree' and version=v2 to v4 first, got {head[:40]!r}"
        raise ForestFormatError(message)
    n_features = int(_integers(header, "max_feature_idx", 1, "header")[0]) + 1
    n_outputs = int(_integers(header, "num_tree_per_iteration", 1, "header")[0])
    sizes = header.get("tree_sizes", "").split()
    if len(sizes) != len(blocks) or not 1 <= n_outputs <= len(blocks) or len(blocks) % n_outputs:
        message = (
            f"LightGBM text: expected {len(sizes)} trees as in tree_sizes, a multiple of "
            f"num_tree_per_iteration = {n_outputs}, got {len(blocks)}"
        )
        raise ForestFormatError(message)
    link, scale = _link(header.get("objective", "custom"), n_outputs)
    # A random forest's prediction is the mean over its iterations.
    weight = n_outputs / len(blocks) if "average_output" in header else 1.0
    trees = (_tree(_tree_fields(block, i), f"tree {i}", i % n_outputs, weight) for i, block in enumerate(blocks))
    return join_trees(
        trees,
        n_features=n_features,
        base=[0.0] * n_outputs,
        link=link,
        link_scale=scale,
        feature_names=header.get("feature_names", "").split(),
    )


def _link(objective: str, n_outputs: int) -> tuple[str, float]:
    name, *options = objective.split() or ["custom"]
    values = dict(option.partition(":")[::2] for option in options)
    if name in _IDENTITY and "sqrt" not in options:
        return "identity", 1.0
    if name in _EXPONENTIAL:
        return "exp", 1.0
    if name in ("cross_entropy", "xentropy"):
        return "sigmoid", 1.0
    if name in ("binary", "multiclassova"):
        return "sigmoid", float(_numbers(values, "sigmoid", 1, "objective")[0])
    if name == "multiclass" and values.get("num_class") == str(n_outputs):
        return "softmax", 1.0
    message = (
        f"objective: expected one whose output is an identity, exponential, sigmoid or softmax of "
        f"{n_outputs} sums, got {objective!r}"
    )
    raise ForestFormatError(message)


def _fields(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition("=") for line in text.split("\n"))}


def _tree_fields(block: str, i: int) -> dict[str, str]:
    number, _, rest = block.partition("\n")
    # A blank line ends the tree; behind the last one come sections of no interest.
    fields = _fields(rest.partition("\n\n")[0])
    if number != str(i):
        message = f"LightGBM text: expected Tree={i}, got Tree={number[:40]}"
        raise ForestFormatError(message)
    return fields


def _tree(fields: dict[str, str], where: str, output: int, weight: float) -> Tree:
    absent = _REQUIRED - fields.keys()
    if absent:
        message = f"{where}: expected a line {min(absent)}=, got none"
        raise ForestFormatError(message)
    if fields.get("is_linear", "0") != "0":
        message = f"{where}: is_linear: expected constant leaves, got linear ones, which a forest cannot represent"
        raise ForestFormatError(message)
    n_leaves = int(_integers(fields, "num_leaves", 1, where)[0])
    value = _numbers(fields, "leaf_value", n_leaves, where) * weight
    if n_leaves == 1:
        zero = np.zeros(1, np.int32)
        return Tree(zero - 1, zero, zero, zero, zero, value, output=output)
    n_splits = n_leaves - 1
    threshold = _numbers(fields, "threshold", n_splits, where)
    decision = _integers(fields, "decision_type", n_splits, where)
    n_sets = int(_integers(fields, "num_cat", 1, where)[0])
    sets = _sets(fields, n_sets, where) if n_sets > 0 else ()
    threshold, flags = _decisions(threshold, decision, n_sets, where)
    leaves = np.zeros(n_leaves, np.int64)
    return Tree(
        feature=np.concatenate([_integers(fields, "split_feature", n_splits, where), leaves - 1]),
        threshold=np.concatenate([threshold, leaves]),
        left=np.concatenate([_children(fields, "left_child", n_leaves, where), leaves]),
        right=np.concatenate([_children(fields, "right_child", n_leaves, where), leaves]),
        flags=np.concatenate([flags, leaves]),
        value=np.concatenate([np.zeros(n_splits), value]),
        sets=sets,
        output=output,
    )


def _children(fields: dict[str, str], key: str, n_leaves: int, where: str) -> Flat:
    """Leaf ~c of the file follows the internal nodes, so that leaves keep LightGBM's numbers."""
    child = _integers(fields, key, n_leaves - 1, where)
    if ((child < -n_leaves) | (child >= n_leaves - 1)).any():
        message = f"{where}: {key}: expected {-n_leaves} to {n_leaves - 2}, got {child.min()} to {child.max()}"
        raise ForestFormatError(message)
    return np.where(child < 0, n_leaves - 2 - child, child)


def _decisions(threshold: Flat, decision: Flat, n_sets: int, where: str) -> tuple[Flat, Flat]:
    missing = decision >> 2
    if ((decision < 0) | (missing > _MISSING_NAN)).any():
        message = f"{where}: decision_type: expected 0 to 11, got {decision.min()} to {decision.max()}"
        raise ForestFormatError(message)
    is_set = (decision & _IS_CATEGORICAL).astype(bool)
    number = threshold[is_set]
    if not ((number >= 0) & (number < n_sets) & (number == np.trunc(number))).all():
        message = f"{where}: threshold: expected the number of one of num_cat = {n_sets} sets at a split by category"
        raise ForestFormatError(message)
    # Tiny numbers take the side of 0.
    numeric = np.where((threshold >= 0) & (threshold < ZERO), ZERO, threshold)
    numeric = np.where((threshold < 0) & (threshold >= -ZERO), np.nextafter(-ZERO, -1.0), numeric)
    # Where nothing was missing in training, a missing value is read as 0.
    left = np.where(missing > 0, (decision & _DEFAULT_LEFT) > 0, threshold >= 0)
    flags = left * NodeFlag.MISSING_LEFT + (missing == _MISSING_ZERO) * NodeFlag.ZERO_MISSING
    # Of a split by category, everything that is not in the set goes right.
    return np.where(is_set, threshold, numeric), np.where(is_set, NodeFlag.CATEGORICAL, flags)


def _sets(fields: dict[str, str], n_sets: int, where: str) -> tuple[Flat, ...]:
    begin = _integers(fields, "cat_boundaries", n_sets + 1, where)
    words = _integers(fields, "cat_threshold", len(fields.get("cat_threshold", "").split()), where)
    if begin[0] != 0 or (np.diff(begin) < 0).any() or begin[-1] != words.size:
        message = f"{where}: cat_boundaries: expected ascending numbers from 0 to the {words.size} of cat_threshold"
        raise ForestFormatError(message)
    if ((words < 0) | (words >= 2**32)).any():
        message = f"{where}: cat_threshold: expected words of 32 bits, got {words.min()} to {words.max()}"
        raise ForestFormatError(message)
    return tuple(np.split(words.astype(np.uint32), begin[1:-1]))


def _integers(fields: dict[str, str], key: str, n: int, where: str) -> Flat:
    return _parsed(fields, key, n, where, int, np.int64)


def _numbers(fields: dict[str, str], key: str, n: int, where: str) -> Flat:
    return _parsed(fields, key, n, where, float, np.float64)


def _parsed(fields: dict[str, str], key: str, n: int, where: str, parse: Any, dtype: type) -> Flat:
    parts = fields.get(key, "").split()
    if len(parts) != n:
        message = f"{where}: {key}: expected {n} numbers, got {len(parts)}"
        raise ForestFormatError(message)
    try:
        return np.fromiter((number_of(part, parse) for part in parts), dtype, n)
    except (ValueError, OverflowError) as error:
        message = f"{where}: {key}: expected numbers, got: {error}"
        raise ForestFormatError(message) from error
