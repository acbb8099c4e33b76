"""Fast, exact prediction with an ensemble of regression trees that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore import _core
from gppcore.arrays import check_output, overlaps
from gppcore.errors import DtypeError, ForestFormatError, RangeError
from gppcore.forest.algebra import added, pruned, scaled
from gppcore.forest.checks import checked_columns, row_columns
from gppcore.forest.formats.arrays import NodeFlag
from gppcore.forest.formats.lightgbm import read_lightgbm
from gppcore.forest.formats.lightgbm_export import write_lightgbm
from gppcore.forest.formats.sklearn import read_sklearn
from gppcore.forest.formats.xgboost import read_xgboost
from gppcore.forest.identity import Identity
from gppcore.forest.inputs import core_arguments, refit_targets
from gppcore.runtime import threads

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Forest", "NodeFlag"]

Float = TypeVar("Float", np.float32, np.float64)

_LINKS = ("identity", "exp", "sigmoid", "softmax")


class Forest(Identity):
    """An additive ensemble of trees: ``link(link_scale * (base + sum of one leaf per tree))``.

    Made by `from_lightgbm`, `from_xgboost`, `from_sklearn`, `from_arrays` or `load`; immutable, and safe to share
    between threads. A row's prediction is the same bits for any batch, number of threads and instruction set.

    A numeric node sends a missing value to the side that it names, else ``x <= threshold`` (in float64) to the
    left. A categorical node sends NaN to the side that it names, and else asks its set for the category trunc(x);
    `NodeFlag` determines how numbers outside the categories are handled.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> from gppcore import Forest
    >>> x = np.random.default_rng(0).random((500, 3))
    >>> learner = HistGradientBoostingRegressor(max_iter=20).fit(x, x[:, 0] * x[:, 1])
    >>> forest = Forest.from_sklearn(learner)
    >>> forest.n_trees, forest.n_features
    (20, 3)
    >>> bool(np.allclose(forest.predict(x), learner.predict(x), rtol=1e-12))
    True
    >>> forest.save("gpp.gppf")
    >>> Forest.load("gpp.gppf") == forest
    True
    """

    __slots__ = ("_forest",)

    def __init__(self, forest: Any, *, path: str | None = None) -> None:
        self._forest, self._path, self._digest = forest, path, ""

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Forest:
        """Take over fitted trees of scikit-learn.

        Parameters
        ----------
        estimator : regressor or classifier
            HistGradientBoosting, GradientBoosting, RandomForest, ExtraTrees, DecisionTree or ExtraTree. Trained
            categories are whole numbers from 0.

        Returns
        -------
        Forest
            Predicts as `estimator.predict` of a regressor and `predict_proba` of a classifier, to rounding
            (1e-12 relative in float64); raw as `decision_function` of boosted classifiers. A binary classifier
            that is boosted has one output, the probability of ``classes_[1]``; those that average have one per
            class (and target). Leaves of `apply` are in the order of scikit-learn's nodes.

        Raises
        ------
        ForestFormatError
            If the estimator is not fitted, or has something that a forest cannot represent.
        """
        return cls.from_arrays(**read_sklearn(estimator))

    @classmethod
    def from_lightgbm(cls, source: Any) -> Forest:
        """Read a LightGBM model; LightGBM itself is not needed.

        Parameters
        ----------
        source : path, str or lightgbm.Booster
            A text model (v2 to v4): its path, its text (a str with line ends), or a Booster, which gives its best
            iteration, if it stopped early.

        Returns
        -------
        Forest
            Predicts as `Booster.predict`, to the last bit in float64 without a link; leaves of `apply` have the
            numbers of ``pred_leaf``. Raw output of a random forest is the mean over its trees.

        Raises
        ------
        MissingFileError
        ForestFormatError
            If it is not a whole model, or has linear leaves or an objective that a forest cannot represent.
        """
        return cls.from_arrays(**read_lightgbm(source))

    @classmethod
    def from_xgboost(cls, source: Any) -> Forest:
        """Read an XGBoost model; XGBoost itself is not needed.

        Parameters
        ----------
        source : path, bytes or xgboost.Booster
            A JSON or UBJSON model: its path, its content, or a Booster. All trees are taken, as `Booster.predict`
            does, whatever the best iteration.

        Returns
        -------
        Forest
            Predicts as `Booster.predict`, within its rounding of sums to float32; float64 input is compared as if
            rounded to float32, as XGBoost does. Leaves of `apply` are in the order of XGBoost's nodes.

        Raises
        ------
        MissingFileError
        ForestFormatError
            If it is not a whole model, or has a booster or an objective that a forest cannot represent.
        """
        return cls.from_arrays(**read_xgboost(source))

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
        flags: ArrayLike | None = None,
        set_begin: ArrayLike = (0,),
        set_words: ArrayLike = (),
        base: ArrayLike = 0.0,
        tree_output: ArrayLike | None = None,
        link: str = "identity",
        link_scale: float = 1.0,
        feature_names: Sequence[str] = (),
    ) -> Forest:
        """Make a forest of flat arrays, which hold the nodes of tree after tree, each with its root first.

        Parameters
        ----------
        n_features : int
            Number of features, 1 to 32768.
        tree_begin : array_like of int, shape (n_trees + 1,)
            Where the nodes of each tree begin; the last is n_nodes.
        feature : array_like of int, shape (n_nodes,)
            The feature that a node compares; -1 at a leaf.
        threshold : array_like of float, shape (n_nodes,)
            In the unit of the feature; not NaN. Of a categorical node: the number of its set. Ignored at leaves.
        left, right : array_like of int, shape (n_nodes,)
            Children, counted from the root of their tree; each comes after its parent. Ignored at leaves.
        value : array_like of float, shape (n_nodes,) or (n_nodes, n_outputs)
            What a leaf adds to the output of its tree, or to each output. Finite at leaves, ignored elsewhere.
        flags : array_like of NodeFlag, shape (n_nodes,), optional
            None set by default: numeric nodes, NaN goes right. Ignored at leaves.
        set_begin : array_like of int, shape (n_sets + 1,), optional
            Where the words of each category set begin.
        set_words : array_like of uint32, optional
            Category c goes left if bit c % 32 of word c // 32 of the set is 1.
        base : float or array_like of float, shape (n_outputs,)
            Added to the sum of leaves; its size is the number of outputs, 1 to 4096.
        tree_output : array_like of int, shape (n_trees,), optional
            The output that a tree adds to, where leaves hold one value; 0 by default.
        link : {"identity", "exp", "sigmoid", "softmax"}
            Link function applied to the raw sums.
        link_scale : float
            Multiplies raw sums before the link.
        feature_names : sequence of str, optional
            Stored with the forest.

        Raises
        ------
        ForestFormatError
            If the arrays are not a forest; the message names the tree and the node.
        """
        if link not in _LINKS:
            message = f"link: expected one of {_LINKS}, got {link!r}"
            raise ForestFormatError(message)
        arguments = core_arguments(
            n_features=n_features,
            tree_begin=tree_begin,
            feature=feature,
            threshold=threshold,
            left=left,
            right=right,
            value=value,
            flags=flags,
            set_begin=set_begin,
            set_words=set_words,
            base=base,
            tree_output=tree_output,
            link_scale=link_scale,
            feature_names=feature_names,
            link=_LINKS.index(link),
        )
        return cls(_core.Forest.from_arrays(*arguments))

    def arrays(self) -> dict[str, Any]:
        """Arguments of `from_arrays` that make this forest again; arrays are read-only and not copied."""
        names = ("tree_begin", "feature", "threshold", "left", "right", "flags", "set_begin", "set_words", "base")
        core = self._forest
        return {
            "n_features": self.n_features,
            **{name: getattr(core, name) for name in (*names, "tree_output")},
            "value": core.value if core.leaf_width == 1 else core.value.reshape(-1, core.leaf_width),
            "link": self.link,
            "link_scale": core.link_scale,
            "feature_names": self.feature_names,
        }

    @classmethod
    def load(cls, path: str | PathLike[str] | bytes) -> Forest:
        """Map a ``.gppf`` file into memory, or copy its bytes, checking all of it.

        The file must not be changed in place afterwards; replacing it, as `save` does, is safe.

        Raises
        ------
        MissingFileError, FileAccessError
        ForestFormatError
            If the file is not a whole, unchanged forest file of a known version.
        """
        if isinstance(path, bytes):
            return cls(_core.Forest.from_bytes(path))
        if not isinstance(path, str | PathLike):
            raise DtypeError(f"path: expected a path or bytes, got {type(path).__name__}")
        return cls(_core.Forest.load(fspath(path)), path=str(Path(path).resolve()))

    def save(self, path: str | PathLike[str]) -> None:
        """Write a ``.gppf`` file: wholly or not at all.

        Raises
        ------
        MissingFileError
            If the folder does not exist.
        DiskFullError
            If there is no room; an older file of that name stays.
        FileAccessError
            If the file cannot be written.
        """
        self._forest.save(fspath(path))

    def to_lightgbm(self, x: NDArray[Any] | pd.DataFrame | None = None) -> str:
        """Write the forest as a LightGBM text model, which LightGBM, and whatever reads its models, predicts with.

        Parameters
        ----------
        x : ndarray or DataFrame, shape (rows, features), optional
            Rows to count in each node, such as those of the training. SHAP values by path weigh with these numbers.
            None: each leaf counts as one row.

        Returns
        -------
        str
            Version v4. The base becomes a first tree of one leaf; vector leaves, a tree for each output. LightGBM
            takes inputs of at most 1e-35 in size for 0.

        Raises
        ------
        ForestFormatError
            If LightGBM has no such link, or a split by category sends NaN and unseen categories to two sides.
        """
        return write_lightgbm(self.arrays(), None if x is None else self.apply(x))

    @property
    def n_features(self) -> int:
        """Number of features."""
        return int(self._forest.n_features)

    @property
    def n_outputs(self) -> int:
        """Number of values that each row gets."""
        return int(self._forest.n_outputs)

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return int(self._forest.n_trees)

    @property
    def n_leaves(self) -> int:
        """Number of leaves of all trees."""
        return int(self._forest.n_leaves)

    @property
    def base(self) -> NDArray[np.float64]:
        """Values that are added to every raw prediction, shape (n_outputs,)."""
        return cast("NDArray[np.float64]", self._forest.base)

    @property
    def link(self) -> str:
        """Link function applied to the raw sums: identity, exp, sigmoid or softmax."""
        return _LINKS[self._forest.link]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in their order; empty when they were not given."""
        return tuple(self._forest.feature_names)

    def predict(
        self,
        x: NDArray[Float] | pd.DataFrame,
        *,
        raw: bool = False,
        out: NDArray[Float] | None = None,
        n_threads: int = 1,
    ) -> NDArray[Float]:
        """Predict from a matrix.

        Parameters
        ----------
        x : array_like, shape (n, n_features), or pandas.DataFrame
            One row per prediction, float32 or float64; NaN, or masked, is a missing value. May be strided. The columns
            of a DataFrame are taken by name, in any order, where the forest has `feature_names`; an array and a forest
            without names go by position.
        raw : bool
            Leave out the link and its scale.
        out : ndarray, shape (n,), or (n, n_outputs) with several outputs, optional
            Dtype of `x`; made when not given. May overlap `x`.
        n_threads : int
            Threads to use; 0 means all cores. The result does not depend on it.

        Returns
        -------
        ndarray, shape (n,), or (n, n_outputs) with several outputs, dtype of `x`
            In the unit of the target that the trees were trained on.

        Raises
        ------
        ShapeError, DtypeError
            Names that are missing or unknown are listed.
        """
        columns = row_columns(x, self.n_features, self.feature_names)
        return self._run(columns, columns[0].shape, out, raw, n_threads)

    def predict_columns(
        self,
        columns: Sequence[NDArray[Float] | float],
        *,
        raw: bool = False,
        out: NDArray[Float] | None = None,
        n_threads: int = 1,
    ) -> NDArray[Float]:
        """Predict from one array per feature, without making a matrix of them.

        Parameters
        ----------
        columns : sequence of n_features
            Each an ndarray of shape (n,), float32 or float64, all of one dtype, which may be strided; or one
            number for all rows. At least one is an array. Some may have shape (n_steps, n), as the months of a
            year: the others are the same at all steps, and are ranked only once.
        raw, out, n_threads
            As for `predict`.

        Returns
        -------
        ndarray, shape (n,) or (n_steps, n), with several outputs (..., n_outputs), dtype of the columns

        Raises
        ------
        ShapeError, DtypeError
        """
        ready, shape = checked_columns(columns, self.n_features, self.feature_names)
        return self._run(ready, shape, out, raw, n_threads)

    def apply(self, x: NDArray[Float] | pd.DataFrame, *, n_threads: int = 1) -> NDArray[np.int32]:
        """Return the leaf that each row reaches in each tree.

        Parameters
        ----------
        x : array_like, shape (n, n_features), or pandas.DataFrame
            As for `predict`.
        n_threads : int
            Threads to use; 0 means all cores.

        Returns
        -------
        ndarray of int32, shape (n, n_trees)
            Leaves of a tree are counted in the order of the arrays that it was made of.

        Raises
        ------
        ShapeError, DtypeError
        """
        columns = row_columns(x, self.n_features, self.feature_names)
        leaves = np.empty((columns[0].size, self.n_trees), np.int32)
        self._of("apply", columns[0].dtype)(columns, leaves, threads(n_threads))
        return leaves

    def refit_leaves(
        self,
        x: NDArray[Float] | pd.DataFrame,
        y: ArrayLike,
        *,
        weight: ArrayLike | None = None,
        shrinkage: float = 5.0,
        rate: float = 1.0,
        n_threads: int = 1,
    ) -> Forest:
        """Fit the leaves to other data; the structure stays.

        Tree after tree, with r = y - the raw prediction so far, each leaf moves by ``rate * n / (n + shrinkage) *
        mean(r)`` over the n samples that it holds. Leaves without samples stay.

        Parameters
        ----------
        x : array_like, shape (n, n_features), or pandas.DataFrame
            As for `predict`.
        y : array_like, shape (n,), or (n, n_outputs) with several outputs
            Targets of raw predictions, in their unit (before the link); finite. Samples with a masked one are left out.
        weight : array_like, shape (n,), optional
            Weights of the samples, at least 0; n and the mean above are then weighted.
        shrinkage : float
            Prior weight of the existing leaf value, in samples; at least 0.
        rate : float
            Share of the step to take.
        n_threads : int
            Threads to use; 0 means all cores. The result does not depend on it.

        Returns
        -------
        Forest

        Raises
        ------
        ShapeError, DtypeError, RangeError
        """
        columns = row_columns(x, self.n_features, self.feature_names)
        n = columns[0].size
        target, weights = refit_targets(y, weight, self._shape(n))
        if not shrinkage >= 0.0:
            raise RangeError(f"shrinkage: expected at least 0, got {shrinkage}")
        refit = self._of("refit_leaves", columns[0].dtype)
        value = refit(columns, target.reshape(n, self.n_outputs), weights, shrinkage, rate, threads(n_threads))
        arrays = self.arrays()
        return Forest.from_arrays(**{**arrays, "value": value.reshape(arrays["value"].shape)})

    def __add__(self, other: Forest) -> Forest:
        """Add up the raw predictions of two forests that have features, outputs and link in common."""
        return Forest.from_arrays(**added(self.arrays(), other.arrays()))

    def __mul__(self, factor: float) -> Forest:
        """Multiply raw predictions: leaves and base."""
        return Forest.from_arrays(**scaled(self.arrays(), float(factor)))

    __rmul__ = __mul__

    def pruned(self) -> Forest:
        """Drop trees of a single leaf: the base takes their values. Predictions stay the same to rounding."""
        return Forest.from_arrays(**pruned(self.arrays()))

    def _shape(self, *shape: int) -> tuple[int, ...]:
        return shape if self.n_outputs == 1 else (*shape, self.n_outputs)

    def _of(self, name: str, dtype: np.dtype[Any]) -> Any:
        return getattr(self._forest, f"{name}_f{8 * dtype.itemsize}")

    def _run(
        self, columns: list[NDArray[Any]], shape: tuple[int, ...], out: NDArray[Float] | None, raw: bool, n_threads: int
    ) -> NDArray[Float]:
        dtype = columns[0].dtype
        if out is not None:
            check_output("out", out, self._shape(*shape), dtype)
        # A strided output, or one that covers the input, is filled at the end.
        direct = out is not None and out.flags.c_contiguous and not overlaps(out, columns)
        result = out if out is not None and direct else np.empty(self._shape(*shape), dtype)
        n_steps = shape[0] if len(shape) == 2 else 1
        self._of("predict", dtype)(columns, result.reshape(n_steps, shape[-1], self.n_outputs), raw, threads(n_threads))
        if out is None or direct:
            return result
        out[...] = result
        return out
