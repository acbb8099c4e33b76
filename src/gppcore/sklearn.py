"""Forests and transfer models as estimators of scikit-learn: for pipelines, partial dependence and importances."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gppcore.errors import RangeError
from gppcore.forest import Forest
from gppcore.transfer.transfer_model import TransferModel

__all__ = ["ForestRegressor", "TransferRegressor"]


class _Predictor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What the adapters share: an estimator that predicts with what was trained elsewhere."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.regressor_tags.poor_score = True  # it learns nothing from the data of a check
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def _trained(self) -> Any:
        raise NotImplementedError

    def _names(self) -> tuple[str, ...]:
        raise NotImplementedError

    def fit(self, X: Any, y: Any) -> Any:
        """Check that rows fit what was trained; nothing is learned from them.

        Parameters
        ----------
        X : array_like or DataFrame, shape (rows, features)
            NaN is a missing value. Columns of a DataFrame are taken in their order.
        y : array_like, shape (rows,)
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` has another number of features than the model, or other names.
        """
        X, _ = validate_data(self, X, y, ensure_all_finite="allow-nan", y_numeric=True)
        names = self._names()
        if X.shape[1] != len(names):
            del self.n_features_in_
            raise ValueError(f"X: expected {len(names)} features, got {X.shape[1]}")
        own = getattr(self, "feature_names_in_", None)
        if own is not None and all(names) and tuple(own) != names:
            del self.n_features_in_
            raise ValueError(f"X: expected columns {list(names)}, got {list(own)}")
        return self

    def _rows(self, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        rows = validate_data(
            self, X, reset=False, ensure_all_finite="allow-nan", dtype=[np.float64, np.float32], order="C"
        )
        return np.asarray(rows)


class ForestRegressor(_Predictor):
    """A forest of one output as a regressor of scikit-learn.

    Parameters
    ----------
    forest : Forest
        Trained elsewhere.
    n_threads : int, default 1
        Threads; 0 means all usable cores.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import Forest
    >>> forest = Forest.from_arrays(n_features=2, tree_begin=[0, 3], feature=[1, -1, -1], threshold=[0.5, 0, 0],
    ...                             left=[1, 0, 0], right=[2, 0, 0], value=[0.0, 1.0, 2.0])
    >>> x = np.array([[0.0, 0.0], [0.0, 1.0]])
    >>> ForestRegressor(forest).fit(x, [1.0, 2.0]).predict(x)
    array([1., 2.])
    """

    def __init__(self, forest: Forest | None = None, *, n_threads: int = 1) -> None:
        self.forest = forest
        self.n_threads = n_threads

    def _names(self) -> tuple[str, ...]:
        if not isinstance(self.forest, Forest) or self.forest.n_outputs != 1:
            raise RangeError(f"forest: expected a Forest of one output, got {self.forest!r}")
        return self.forest.feature_names or ("",) * self.forest.n_features

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict rows with the forest."""
        rows = self._rows(X)
        assert self.forest is not None
        return np.asarray(self.forest.predict(rows, n_threads=self.n_threads))


class TransferRegressor(_Predictor):
    """A transfer model as a regressor of scikit-learn.

    Parameters
    ----------
    model : TransferModel
        Trained elsewhere.
    check : {"raise", "warn", "ignore"}
        What to do with values outside the valid range of their predictor. Methods that move predictors, such as
        partial dependence, may leave it.
    n_threads : int, default 1
        Threads; 0 means all usable cores.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import Forest, TransferModel
    >>> from gppcore.sklearn import TransferRegressor
    >>> stump = {"feature": [0, -1, -1], "threshold": [2.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> forest = Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 3.0, 9.0], **stump)
    >>> model = TransferModel.of_forest(forest, ["lai"])
    >>> TransferRegressor(model).fit(np.ones((2, 1)), [3.0, 3.0]).predict(np.array([[1.0], [4.0]]))
    array([3., 9.])
    """

    def __init__(self, model: TransferModel | None = None, *, check: str = "ignore", n_threads: int = 1) -> None:
        self.model = model
        self.check = check
        self.n_threads = n_threads

    def _names(self) -> tuple[str, ...]:
        if not isinstance(self.model, TransferModel):
            raise RangeError(f"model: expected a TransferModel, got {self.model!r}")
        return self.model.predictors

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict GPP of rows [g m-2 d-1]."""
        rows = self._rows(X)
        assert self.model is not None
        return np.asarray(self.model.predict(rows, check=self.check, n_threads=self.n_threads))
