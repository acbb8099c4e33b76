"""A transfer model as the compiled core runs it: forests and the recipe that combines them."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore import _core
from gppcore.forest import Forest
from gppcore.forest.checks import checked_columns
from gppcore.runtime import threads
from gppcore.transfer.recipe import Recipe, numbers, recipe_of

__all__ = ["Model"]


class Model:
    """Forests and their recipe; immutable, and safe to share between threads.

    Predictions are the same bits for any batch, number of threads and instruction set, from Python, C and Fortran.

    Parameters
    ----------
    recipe : Recipe
        How the forests are combined.
    sources, members : sequence of Forest
        In the order of the recipe.

    Raises
    ------
    ForestFormatError
        If the recipe is wrong, or a forest does not fit it.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import Forest, TransferModel
    >>> from gppcore.transfer.model import Model
    >>> stump = {"feature": [0, -1, -1], "threshold": [2.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> forest = Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 3.0, 9.0], **stump)
    >>> TransferModel.of_forest(forest, ["lai"]).save("model")
    >>> Model.load("model").predict_columns([np.array([1.0, 4.0])])
    array([3., 9.])
    """

    __slots__ = ("_model",)

    def __init__(self, recipe: Recipe, sources: Sequence[Forest], members: Sequence[Forest]) -> None:
        self._model: Any = _core.Model(numbers(recipe), [f._forest for f in sources], [f._forest for f in members])

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Model:
        """Read a folder that :meth:`save` wrote, checking every file.

        Raises
        ------
        MissingFileError
        ForestFormatError
            If a file is not whole and unchanged, or a forest does not fit the recipe.
        """
        model = cls.__new__(cls)
        model._model = _core.Model.load(fspath(folder))
        return model

    def save(self, folder: str | PathLike[str]) -> None:
        """Write ``source_<name>.gppf``, ``member_<name>.gppf`` and, last, ``model.gppm`` to an existing folder.

        Raises
        ------
        MissingFileError
            If the folder does not exist.
        DiskFullError, FileAccessError
            If there is no room, or a file cannot be written.
        """
        self._model.save(fspath(folder))

    @property
    def recipe(self) -> Recipe:
        """How the forests are combined."""
        return recipe_of(self._model.recipe)

    @property
    def sources(self) -> tuple[Forest, ...]:
        """Forests of process GPP."""
        return tuple(Forest(f) for f in self._model.sources)

    @property
    def members(self) -> tuple[Forest, ...]:
        """Forests that were fitted to towers."""
        return tuple(Forest(f) for f in self._model.members)

    def predict_columns(
        self, columns: Sequence[NDArray[Any] | float], *, n_threads: int = 1, interval: bool = False
    ) -> Any:
        """Predict GPP from one array per predictor.

        Parameters
        ----------
        columns : sequence, one per predictor
            As for `Forest.predict_columns`: arrays of shape (n,) or (n_steps, n), float32 or float64, all of one
            dtype, or one number for all rows; NaN is a missing value.
        n_threads : int
            Threads to use; 0 means all cores. The result does not depend on it.
        interval : bool
            Return the bounds of the prediction interval too.

        Returns
        -------
        ndarray, or three of them with `interval`: GPP, low, high
            Shape (n,) or (n_steps, n), dtype of the columns; at least 0, in the unit that the forests predict.

        Raises
        ------
        ShapeError, DtypeError
        RangeError
            If an interval is wanted that the model does not have.
        """
        names = tuple(self._model.recipe[0])
        ready, shape = checked_columns(columns, len(names), names)
        dtype = ready[0].dtype
        n_steps = shape[0] if len(shape) == 2 else 1
        out = np.empty((3 if interval else 1, n_steps, shape[-1]), dtype)
        predict = self._model.predict_f32 if dtype == np.float32 else self._model.predict_f64
        predict(ready, out, threads(n_threads))
        result = tuple(part.reshape(shape) for part in out)
        return result if interval else result[0]
