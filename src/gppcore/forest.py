"""Fast, exact prediction with an ensemble of regression trees that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore import _core
from gppcore.errors import DtypeError, ForestFormatError, ShapeError

__all__ = ["Forest"]

Float = TypeVar("Float", np.float32, np.float64)


class Forest:
    """An additive ensemble of regression trees: a base value plus one leaf value per tree.

    Made by `from_sklearn`, `from_arrays` or `load`; immutable, and safe to share between threads. A node
    sends ``x <= threshold`` to the left, and NaN to the side that it names. Comparisons and sums are in
    float64, the trees in their order, so that a row's prediction is the same bits for any batch, number of
    threads and instruction set.
    """

    __slots__ = ("_forest",)

    def __init__(self, forest: Any) -> None:
        self._forest = forest

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Forest:
        """Take over a fitted scikit-learn regressor.

        Parameters
        ----------
        estimator : HistGradientBoostingRegressor, GradientBoostingRegressor, RandomForestRegressor, \
ExtraTreesRegressor, DecisionTreeRegressor or ExtraTreeRegressor
            With one output, numeric features and an identity link. Predictions equal the estimator's own to
            rounding (1e-12 relative in float64).

        Raises
        ------
        ForestFormatError
            If the estimator is not fitted, or has something that a forest cannot represent.
        """
        return cls.from_arrays(**_sklearn_arrays(estimator))

    @classmethod
    def from_arrays(
        cls,
        *,
        n_features: int,
        tree_begin: ArrayLike,
        feature: ArrayLike,
        threshold: ArrayLike,
        left: ArrayLike,
        right: ArrayLike,
        value: ArrayLike,
        missing_left: ArrayLike | None = None,
        base: float = 0.0,
        feature_names: Sequence[str] | None = None,
    ) -> Forest:
        """Make a forest of flat arrays, which hold the nodes of tree after tree, each with its root first.

        Parameters
        ----------
        n_features : int
            Number of features, at least 1.
        tree_begin : array_like of int, shape (n_trees + 1,)
            Where the nodes of each tree begin; the last is n_nodes.
        feature : array_like of int, shape (n_nodes,)
            The feature that a node compares; -1 at a leaf.
        threshold : array_like of float, shape (n_nodes,)
            In the unit of the feature; not NaN. Ignored at leaves.
        left, right : array_like of int, shape (n_nodes,)
            Children, counted from the root of their tree; each comes after its parent. Ignored at leaves.
        value : array_like of float, shape (n_nodes,)
            Finite at leaves, ignored elsewhere.
        missing_left : array_like of bool, shape (n_nodes,), optional
            Whether NaN goes left; by default it goes right.
        base : float
            Added to every prediction.
        feature_names : sequence of str, optional
            Stored with the forest.

        Raises
        ------
        ForestFormatError
            If the arrays are not a forest; the message names the tree and the node.
        """
        features = np.ascontiguousarray(feature, dtype=np.int32)
        goes_left = np.zeros(features.shape, bool) if missing_left is None else np.asarray(missing_left, bool)
        return cls(
            _core.Forest.from_arrays(
                n_features,
                base,
                np.ascontiguousarray(tree_begin, dtype=np.int64),
                features,
                np.ascontiguousarray(threshold, dtype=np.float64),
                np.ascontiguousarray(left, dtype=np.int32),
                np.ascontiguousarray(right, dtype=np.int32),
                np.ascontiguousarray(goes_left, dtype=np.uint8),
                np.ascontiguousarray(value, dtype=np.float64),
                list(feature_names or ()),
            )
        )

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Forest:
        """Read a ``.gppf`` file, checking all of it.

        Raises
        ------
        MissingFileError
        ForestFormatError
            If the file is not a whole, unchanged forest file of a known version.
        """
        return cls(_core.Forest.load(fspath(path)))

    def save(self, path: str | PathLike[str]) -> None:
        """Write a ``.gppf`` file: wholly or not at all.

        Raises
        ------
        MissingFileError
            If the folder does not exist.
        ForestFormatError
            If the file cannot be written.
        """
        self._forest.save(fspath(path))

    @property
    def n_features(self) -> int:
        """Number of features."""
        return int(self._forest.n_features)

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return int(self._forest.n_trees)

    @property
    def n_leaves(self) -> int:
        """Number of leaves of all trees."""
        return int(self._forest.n_leaves)

    @property
    def base(self) -> float:
        """Value that is added to every prediction."""
        return float(self._forest.base)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in their order; empty when they were not given."""
        return tuple(self._forest.feature_names)

    def __repr__(self) -> str:
        return f"Forest(n_trees={self.n_trees}, n_leaves={self.n_leaves}, n_features={self.n_features})"

    def predict(self, rows: NDArray[Float], *, out: NDArray[Float] | None = None, n_threads: int = 1) -> NDArray[Float]:
        """Predict from a matrix.

        Parameters
        ----------
        rows : ndarray, shape (n, n_features), float32 or float64
            One row per prediction; NaN is a missing value. Copied if it is not C-contiguous.
        out : ndarray, shape (n,), optional
            C-contiguous, dtype of `rows`; made when not given.
        n_threads : int
            Threads to use; 0 means all cores. The result does not depend on it.

        Returns
        -------
        ndarray, shape (n,), dtype of `rows`
            In the unit of the target that the trees were trained on.

        Raises
        ------
        ShapeError, DtypeError
        """
        matrix = np.asarray(rows)
        _check_dtype("rows", matrix.dtype)
        if matrix.ndim != 2 or matrix.shape[1] != self.n_features:
            message = f"rows: expected shape (n, {self.n_features}), got {matrix.shape}"
            raise ShapeError(message)
        result = _output(out, matrix.shape[0], matrix.dtype)
        self._forest.predict(np.ascontiguousarray(matrix), result, n_threads)
        return result

    def predict_columns(
        self,
        columns: Sequence[NDArray[Float] | float],
        *,
        out: NDArray[Float] | None = None,
        n_threads: int = 1,
    ) -> NDArray[Float]:
        """Predict from one array per feature, without making a matrix of them.

        Parameters
        ----------
        columns : sequence of n_features
            Each an ndarray of shape (n,), float32 or float64, all of one dtype, which may be strided; or one
            number for all rows. At least one is an array.
        out : ndarray, shape (n,), optional
            C-contiguous, dtype of the columns; made when not given.
        n_threads : int
            Threads to use; 0 means all cores. The result does not depend on it.

        Returns
        -------
        ndarray, shape (n,), dtype of the columns

        Raises
        ------
        ShapeError, DtypeError
        """
        arrays = [column for column in columns if np.ndim(column) > 0]
        if len(columns) != self.n_features or not arrays:
            message = f"columns: expected {self.n_features}, at least one an array, got {len(columns)}"
            raise ShapeError(message)
        first = np.asarray(arrays[0])
        _check_dtype("columns", first.dtype)
        ready = [self._column(i, column, first) for i, column in enumerate(columns)]
        result = _output(out, first.shape[0], first.dtype)
        if first.dtype == np.float32:
            self._forest.predict_columns_f32(ready, result, n_threads)
        else:
            self._forest.predict_columns_f64(ready, result, n_threads)
        return result

    def _column(self, i: int, column: NDArray[Float] | float, first: NDArray[Any]) -> NDArray[Any]:
        name = f"columns[{i}]" + (f" ({self.feature_names[i]})" if self.feature_names else "")
        if np.ndim(column) == 0:
            return np.asarray(column, dtype=first.dtype)
        array = np.asarray(column)
        if array.dtype != first.dtype:
            message = f"{name}: expected dtype {first.dtype} as the first array has, got {array.dtype}"
            raise DtypeError(message)
        if array.ndim != 1 or array.shape != first.shape:
            message = f"{name}: expected shape (n,) = ({first.shape[0]},) or one number, got {array.shape}"
            raise ShapeError(message)
        return array


def _check_dtype(name: str, dtype: np.dtype[Any]) -> None:
    if dtype not in (np.float32, np.float64):
        message = f"{name}: expected dtype float32 or float64, got {dtype}"
        raise DtypeError(message)


def _output(out: NDArray[Float] | None, n: int, dtype: np.dtype[Any]) -> NDArray[Float]:
    if out is None:
        return np.empty(n, dtype=dtype)
    if out.dtype != dtype:
        message = f"out: expected dtype {dtype}, got {out.dtype}"
        raise DtypeError(message)
    if out.shape != (n,) or not out.flags.c_contiguous or not out.flags.writeable:
        message = f"out: expected a writable C-contiguous array of shape ({n},), got {out.shape}"
        raise ShapeError(message)
    return out


def _sklearn_arrays(estimator: Any) -> dict[str, Any]:
    """Arguments of `Forest.from_arrays` for a fitted scikit-learn regressor."""
    from sklearn import ensemble, tree
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    name = type(estimator).__name__
    histogram = isinstance(estimator, ensemble.HistGradientBoostingRegressor)
    gradient = isinstance(estimator, ensemble.GradientBoostingRegressor)
    averaged = isinstance(estimator, ensemble.RandomForestRegressor | ensemble.ExtraTreesRegressor)
    if not (histogram or gradient or averaged or isinstance(estimator, tree.DecisionTreeRegressor)):
        message = f"estimator: expected a tree regressor of scikit-learn, got {name}"
        raise ForestFormatError(message)
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        message = f"estimator: expected a fitted {name}, got one that is not"
        raise ForestFormatError(message) from error
    if histogram:
        base, trees = _histogram_trees(estimator)
    elif gradient:
        base = _constant_start(estimator)
        trees = [_cython_tree(t.tree_, estimator.learning_rate) for t in estimator.estimators_[:, 0]]
    elif averaged:
        base = 0.0
        trees = [_cython_tree(t.tree_, 1.0 / len(estimator.estimators_)) for t in estimator.estimators_]
    else:
        base, trees = 0.0, [_cython_tree(estimator.tree_, 1.0)]
    return {
        "n_features": int(estimator.n_features_in_),
        "base": base,
        "feature_names": [str(n) for n in getattr(estimator, "feature_names_in_", ())],
        "tree_begin": np.cumsum([0] + [t["feature"].size for t in trees]),
        **{key: np.concatenate([t[key] for t in trees]) for key in trees[0]},
    }


def _histogram_trees(estimator: Any) -> tuple[float, list[dict[str, NDArray[Any]]]]:
    # The log link of count losses would need an exponential of the sum.
    if estimator.loss in ("poisson", "gamma"):
        message = f"estimator: expected a loss with an identity link, got {estimator.loss!r}"
        raise ForestFormatError(message)
    trees = []
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        if nodes["is_categorical"].any():
            message = "estimator: expected numeric splits only, got a split by category"
            raise ForestFormatError(message)
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            {
                "feature": np.where(leaf, -1, nodes["feature_idx"]),
                "threshold": np.where(leaf, 0.0, nodes["num_threshold"]),
                "left": nodes["left"].astype(np.int32),
                "right": nodes["right"].astype(np.int32),
                "missing_left": nodes["missing_go_to_left"].astype(bool),
                "value": nodes["value"],
            }
        )
    return float(np.ravel(estimator._baseline_prediction)[0]), trees


def _constant_start(estimator: Any) -> float:
    from sklearn.dummy import DummyRegressor

    if estimator.init_ == "zero":
        return 0.0
    if not isinstance(estimator.init_, DummyRegressor):
        message = f"estimator: expected a constant initial prediction, got {type(estimator.init_).__name__}"
        raise ForestFormatError(message)
    return float(np.ravel(estimator.init_.constant_)[0])


def _cython_tree(tree: Any, scale: float) -> dict[str, NDArray[Any]]:
    if tree.n_outputs != 1:
        message = f"estimator: expected one output, got {tree.n_outputs}"
        raise ForestFormatError(message)
    leaf = tree.children_left < 0
    return {
        "feature": np.where(leaf, -1, tree.feature),
        "threshold": np.where(leaf, 0.0, _threshold_before_rounding(tree.threshold)),
        "left": tree.children_left,
        "right": tree.children_right,
        "missing_left": np.asarray(tree.missing_go_to_left, bool),
        "value": scale * tree.value[:, 0, 0],
    }


def _threshold_before_rounding(threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest double that is still <= threshold after rounding to float32.

    These estimators round their input so. Float32 values compare with it as with the threshold itself.
    """
    below = threshold.astype(np.float32)
    below = np.where(below > threshold, np.nextafter(below, np.float32(-np.inf)), below)
    above = np.nextafter(below, np.float32(np.inf))
    middle = (below.astype(np.float64) + above.astype(np.float64)) / 2.0
    ties_go_below = below.view(np.uint32) % 2 == 0  # to the even significand
    return np.where(ties_go_below, middle, np.nextafter(middle, -np.inf))
