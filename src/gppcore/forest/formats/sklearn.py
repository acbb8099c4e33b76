"""Reader of fitted scikit-learn trees."""

from __future__ import annotations

from typing import Any

import numpy as np

from gppcore.errors import ForestFormatError
from gppcore.forest.formats.arrays import Flat, NodeFlag, Tree, category_sets, join_trees
from gppcore.forest.formats.rounding import at_most

_MAX_CATEGORY = 2**24


def read_sklearn(estimator: Any) -> dict[str, Any]:
    """Arguments of `Forest.from_arrays` from a fitted estimator."""
    from sklearn import ensemble, tree
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    readers: dict[Any, Any] = {
        (ensemble.HistGradientBoostingRegressor, ensemble.HistGradientBoostingClassifier): _histogram_boosting,
        (ensemble.GradientBoostingRegressor, ensemble.GradientBoostingClassifier): _gradient_boosting,
        (ensemble.RandomForestRegressor, ensemble.RandomForestClassifier): _average,
        (ensemble.ExtraTreesRegressor, ensemble.ExtraTreesClassifier): _average,
        (tree.DecisionTreeRegressor, tree.DecisionTreeClassifier): _one_tree,
    }
    name = type(estimator).__name__
    reader = next((reader for kinds, reader in readers.items() if isinstance(estimator, kinds)), None)
    if reader is None:
        message = f"estimator: expected a tree regressor or classifier of scikit-learn, got {name}"
        raise ForestFormatError(message)
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        message = f"estimator: expected a fitted {name}, got one that is not"
        raise ForestFormatError(message) from error
    names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    return join_trees(**reader(estimator), n_features=int(estimator.n_features_in_), feature_names=names)


def _one_tree(estimator: Any) -> dict[str, Any]:
    values = _leaf_values(estimator)
    return {"trees": [_node_tree(estimator.tree_, values)], "base": np.zeros(_width(values))}


def _average(estimator: Any) -> dict[str, Any]:
    n = len(estimator.estimators_)
    trees = [_node_tree(member.tree_, _leaf_values(member) / n) for member in estimator.estimators_]
    return {"trees": trees, "base": np.zeros(_width(trees[0].value))}


def _leaf_values(estimator: Any) -> Flat:
    """Per node: the value, or one per output, or of classifiers the share of each class, target after target."""
    value = estimator.tree_.value
    if hasattr(estimator, "classes_"):
        counts = np.atleast_1d(estimator.n_classes_)
        return np.concatenate([value[:, k, :count] for k, count in enumerate(counts)], axis=1)
    single: Flat = value[:, :, 0] if value.shape[1] > 1 else value[:, 0, 0]
    return single


def _width(values: Flat) -> int:
    return int(values.shape[1]) if values.ndim == 2 else 1


def _node_tree(tree: Any, value: Flat, output: int = 0) -> Tree:
    leaf = tree.children_left < 0
    return Tree(
        feature=np.where(leaf, -1, tree.feature),
        threshold=np.where(leaf, 0.0, at_most(tree.threshold)),  # input is rounded to float32
        left=tree.children_left,
        right=tree.children_right,
        flags=np.asarray(tree.missing_go_to_left) * NodeFlag.MISSING_LEFT,
        value=value,
        output=output,
    )


def _gradient_boosting(estimator: Any) -> dict[str, Any]:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    start = estimator.init_
    if start != "zero" and not isinstance(start, DummyRegressor | DummyClassifier):
        message = f"estimator: expected a constant initial prediction, got {type(start).__name__}"
        raise ForestFormatError(message)
    if getattr(start, "strategy", "") in ("stratified", "uniform"):
        message = f"estimator: expected a constant initial prediction, got one that is {start.strategy}"
        raise ForestFormatError(message)
    trees = [
        _node_tree(member.tree_, estimator.learning_rate * member.tree_.value[:, 0, 0], output)
        for stage in estimator.estimators_
        for output, member in enumerate(stage)
    ]
    base = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))[0]
    if not hasattr(estimator, "classes_"):
        return {"trees": trees, "base": base}
    # The exponential loss is one of half the log-odds.
    scale = 2.0 if estimator.loss == "exponential" else 1.0
    return {"trees": trees, "base": base, "link": _class_link(base), "link_scale": scale}


def _class_link(base: Flat) -> str:
    return "sigmoid" if base.size == 1 else "softmax"


def _histogram_boosting(estimator: Any) -> dict[str, Any]:
    base = np.ravel(estimator._baseline_prediction)
    features, categories = _original_features(estimator)
    known = estimator._bin_mapper.make_known_categories_bitsets()
    trees = [
        _histogram_tree(predictor, features, categories, known, output)
        for stage in estimator._predictors
        for output, predictor in enumerate(stage)
    ]
    if hasattr(estimator, "classes_"):
        return {"trees": trees, "base": base, "link": _class_link(base)}
    return {"trees": trees, "base": base, "link": "exp" if estimator.loss in ("poisson", "gamma") else "identity"}


def _original_features(estimator: Any) -> tuple[Flat, list[Flat]]:
    """Column of the input for each feature of the trees, and the categories of those that come first."""
    if estimator._preprocessor is None:
        return np.arange(estimator.n_features_in_), []
    is_categorical = estimator.is_categorical_
    features = np.concatenate([np.flatnonzero(is_categorical), np.flatnonzero(~is_categorical)])
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    return features, [_whole_numbers(categories) for categories in encoder.categories_]


def _whole_numbers(categories: Flat) -> Flat:
    try:
        numbers = categories.astype(np.float64)
        numbers = numbers[~np.isnan(numbers)]  # which come last, and have no code
        if ((numbers >= 0) & (numbers < _MAX_CATEGORY) & (numbers == np.trunc(numbers))).all():
            return numbers.astype(np.int64)
    except (TypeError, ValueError):
        pass
    message = f"estimator: categories: expected whole numbers from 0 to {_MAX_CATEGORY - 1}, got {categories[:20]}"
    raise ForestFormatError(message)


def _histogram_tree(predictor: Any, features: Flat, categories: list[Flat], known: Any, output: int) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    is_set = nodes["is_categorical"].astype(bool) & ~leaf
    missing_left = nodes["missing_go_to_left"].astype(bool)
    threshold = np.where(leaf, 0.0, nodes["num_threshold"])
    threshold[is_set] = np.arange(is_set.sum())
    # A number that training has not seen as a category takes the side of missing values.
    unseen = (NodeFlag.CATEGORICAL | NodeFlag.FRACTION_UNSEEN) + missing_left * NodeFlag.UNSEEN_LEFT
    known_bits, known_row = known
    groups = [
        _left_categories(
            categories[node["feature_idx"]],
            _bits(predictor.raw_left_cat_bitsets[node["bitset_idx"]]),
            _bits(known_bits[known_row[node["feature_idx"]]]),
            bool(node["missing_go_to_left"]),
        )
        for node in nodes[is_set]
    ]
    return Tree(
        feature=np.where(leaf, -1, features[np.where(leaf, 0, nodes["feature_idx"])]),
        threshold=threshold,
        left=nodes["left"].astype(np.int32),
        right=nodes["right"].astype(np.int32),
        flags=missing_left * NodeFlag.MISSING_LEFT + np.where(is_set, unseen, 0),
        value=nodes["value"],
        sets=category_sets(groups),
        output=output,
    )


def _bits(words: Flat) -> Flat:
    return np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little").astype(bool)


def _left_categories(categories: Flat, left: Flat, known: Flat, missing_left: bool) -> Flat:
    """Categories that go left: those of the set, and where missing values go left all numbers that are not known."""
    codes = np.arange(categories.size)
    if not missing_left:
        return categories[left[codes]]
    goes_left = np.ones((int(categories.max(initial=-1)) // 32 + 1) * 32, bool)  # to the end of the last word
    goes_left[categories] = left[codes] | ~known[codes]
    return np.flatnonzero(goes_left)
