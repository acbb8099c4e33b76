"""Area of applicability: how unlike a place is to the towers that a model learnt from.

The dissimilarity index of Meyer and Pebesma [1]_: distance to the nearest tower in the space of predictors, relative to
the mean distance between towers. The space is that of places in the Gaussian process (`gppcore.transfer.gaussian`),
where a predictor weighs by the length over which the residual of the process model changes with it; so this is the
distance that also widens the intervals. The area of applicability ends at the largest index of towers to those of other
folds, outliers left out: farther places are unlike every situation in which the model was judged.

References
----------
.. [1] Meyer, H. & Pebesma, E. (2021) Predicting into unknown space? Estimating the area of applicability of spatial
   prediction models. Methods in Ecology and Evolution 12, 1620-1633, doi:10.1111/2041-210X.13650.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.features import FRACTIONS
from gppcore.features.place import CLIMATE
from gppcore.transfer.gaussian import Axes

Float = NDArray[np.float64]

_BLOCK = 4096
_BEGIN = 0.7
_WHISKER = 1.5
"""Interquartile ranges above the upper quartile from which an index is an outlier."""


@dataclass(frozen=True)
class Applicability:
    """Places of the towers of a model.

    Parameters
    ----------
    axes : Axes
        Standardised predictors.
    predictors : tuple of str
        Those that it is computed from: of the place, and area shares.
    places : ndarray, shape (towers, axes)
        Where the towers are.
    spacing : float
        Mean distance between two towers.
    threshold : float
        Dissimilarity index at which the area of applicability ends [1].

    Examples
    --------
    >>> from gppcore import direct, simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.features import PREDICTOR_SETS
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing), predictors=PREDICTOR_SETS["small"])
    >>> known = direct(samples).applicability
    >>> float(known.dissimilarity(samples.x, samples.predictors).max())  # of the towers themselves
    0.0
    >>> hotter = samples.x.copy()
    >>> hotter[:, samples.predictors.index("tair_growing")] += 15.0
    >>> bool(known.dissimilarity(hotter, samples.predictors).mean() > known.threshold)
    True
    """

    axes: Axes
    predictors: tuple[str, ...]
    places: Float
    spacing: float
    threshold: float

    @classmethod
    def of(
        cls,
        axes: Axes,
        x: Float,
        predictors: Sequence[str],
        site: NDArray[np.generic],
        fold: NDArray[np.generic],
    ) -> Applicability | None:
        """Return that of tower months and the folds of their inner cross-validation.

        None if the predictors tell nothing of the climate of a place, or all towers are alike.
        """
        if not set(CLIMATE) & set(axes.columns):
            return None
        first = np.unique(site, return_index=True)[1]
        places = axes(x[first], predictors)[0]
        apart = np.sqrt(np.maximum(((places[:, None] - places) ** 2).sum(axis=2), 0.0))
        others = apart[~np.eye(len(places), dtype=bool)]
        if not others.any():
            return None
        spacing = float(others.mean())
        other_fold = fold[first][:, None] != fold[first]
        nearest = np.where(other_fold, apart, np.inf).min(axis=1)
        index = nearest[np.isfinite(nearest)] / spacing
        low, high = np.quantile(index, (0.25, 0.75)) if index.size else (0.0, 0.0)
        usual = index[index <= high + _WHISKER * (high - low)]
        names = (*axes.columns[: axes.n_place], *(name for name in FRACTIONS if name in predictors))
        return cls(axes, names, places, spacing, float(usual.max()) if usual.size else 0.0)

    @classmethod
    def from_card(cls, axes: Axes, content: Mapping[str, Any]) -> Applicability:
        """Return what :meth:`to_card` gave."""
        places = np.array(content["places"], dtype=np.float64)
        return cls(axes, tuple(content["predictors"]), places, float(content["spacing"]), float(content["threshold"]))

    def to_card(self) -> dict[str, Any]:
        """Return the numbers as the card of a model keeps them, beside the axes."""
        return {
            "predictors": list(self.predictors),
            "places": self.places.tolist(),
            "spacing": self.spacing,
            "threshold": self.threshold,
        }

    def dissimilarity(self, x: Float, predictors: Sequence[str]) -> Float:
        """Return the index of rows [1]: 0 like a tower, 1 as far from all as towers are from each other on average."""
        found = np.empty(len(x))
        for start in range(0, len(x), _BLOCK):
            rows = slice(start, start + _BLOCK)
            found[rows] = self._nearest(np.ascontiguousarray(self.axes.place(x[rows], predictors).T))
        return np.sqrt(found) / self.spacing

    def widening(self, x: Float, predictors: Sequence[str]) -> Float:
        """Return the factor of the width of intervals of rows: 1 near towers, and in proportion to the index far away.

        It begins at seven tenths of the threshold: up to there, intervals of towers on continents that were left out
        hold as many months as others.
        """
        begin = _BEGIN * self.threshold
        return np.maximum(self.dissimilarity(x, predictors) / begin, 1.0) if begin > 0.0 else np.ones(len(x))

    def _nearest(self, place: Float) -> Float:
        """Return squared distances to the nearest tower, of columns (axes, n); operations are exact in every order."""
        nearest, total, step = np.full(place.shape[1], np.inf), np.empty(place.shape[1]), np.empty(place.shape[1])
        for tower in self.places:
            total.fill(0.0)
            for own, there in zip(place, tower, strict=True):
                np.subtract(own, there, out=step)
                np.multiply(step, step, out=step)
                np.add(total, step, out=total)
            np.minimum(nearest, total, out=nearest)
        return nearest
