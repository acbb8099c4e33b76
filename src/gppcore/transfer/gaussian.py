"""A Gaussian process on what the process model misses at towers: smooth in climate, leaves, land cover and season.

The residual of process GPP, relative to its size, is the sum of a function of the place, of one of place and season,
and of one of the season. Towers also differ from each other and in their seasons for reasons that no predictor has;
that is noise here, so that it does not teach the functions a pattern. The noise is wider for types of land cover whose
towers differ more, such as cropland.

References
----------
.. [1] Rasmussen, C.E. & Williams, C.K.I. (2006) Gaussian Processes for Machine Learning, algorithm 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gppcore.features import FRACTIONS
from gppcore.variables import VARIABLES

Float = NDArray[np.float64]

PLACE = (
    "tair_growing",
    "aridity",
    "lai_max",
    "tair_seasonality",
    "vpd_growing",
    "lai_mean",
    "fraction_wetland",
    "c4_fraction",
)
"""Predictors of the place, besides the area shares of the types."""
SEASON = ("tair", "vpd", "soil_water", "sw_toa", "lai", "sw")
"""Predictors of the month."""
_LOGARITHMIC = ("lai", "lai_mean")
_LEAST_LEAVES = 0.1  # m2 m-2, added before the logarithm
_SHARE_WEIGHT = 1.5
_FARTHEST = 3.0  # standard deviations that a predictor may be from its mean
_MOST_ROWS, _MOST_ANCHORS = 4000, 800
_BLOCK = 250  # rows whose kernels fit into the cache
_TYPE_CLUSTERS = 4.0  # clusters of all types that the variance of a type is mixed with

SD_PLACE, SD_BOTH, SD_SEASON = 0.3, 0.3, 0.2
"""Prior standard deviations of the three functions, relative to the size of GPP."""
LENGTH_PLACE, LENGTH_SEASON = 3.0, 2.5
"""Distances in predictor space, in standard deviations, over which they change."""
SD_SITE, SD_SITE_SEASON, SD_NOISE, LENGTH_SITE_SEASON = 0.35, 0.3, 0.4, 1.5
_OWN_VARIANCE = SD_SITE**2 + SD_SITE_SEASON**2 + SD_NOISE**2


SCALE_CONSTANT, SCALE_SLOPE = 0.6, 0.35
"""Size of residuals at zero GPP [g m-2 d-1], and its increase with GPP."""


def scale(process: Float) -> Float:
    """Return the size of residuals [g m-2 d-1] where process GPP is `process`."""
    return np.asarray(SCALE_CONSTANT + SCALE_SLOPE * np.maximum(process, 0.0))


@dataclass(frozen=True)
class Axes:
    """Standardised predictors: where rows lie in the space of places and in that of seasons."""

    columns: tuple[str, ...]
    mean: Float
    sd: Float
    n_place: int

    @classmethod
    def of(cls, x: Float, predictors: Sequence[str]) -> Axes:
        """Return the axes of training rows."""
        place = tuple(name for name in PLACE if name in predictors)
        season = tuple(name for name in SEASON if name in predictors)
        values = _columns(x, predictors, (*place, *season))
        known = np.isfinite(values)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, values, 0.0).sum(axis=0) / count
        sd = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / count)
        return cls((*place, *season), mean, np.where(sd > 0.0, sd, 1.0), len(place))

    def to_card(self) -> dict[str, Any]:
        """Return the axes as the card of a model keeps them."""
        numbers = {"mean": self.mean.tolist(), "sd": self.sd.tolist()}
        return {"columns": list(self.columns), "n_place": self.n_place, **numbers}

    @classmethod
    def from_card(cls, content: Mapping[str, Any]) -> Axes:
        """Return what :meth:`to_card` gave."""
        mean, sd = np.array(content["mean"], dtype=np.float64), np.array(content["sd"], dtype=np.float64)
        return cls(tuple(content["columns"]), mean, sd, int(content["n_place"]))

    def standardised(self, x: Float, predictors: Sequence[str]) -> Float:
        """Return the columns in standard deviations from their mean; 0, the mean, where a predictor is unknown."""
        z = (_columns(x, predictors, self.columns) - self.mean) / self.sd
        return np.where(np.isfinite(z), np.clip(z, -_FARTHEST, _FARTHEST), 0.0)

    def values(self, z: Float) -> dict[str, Float]:
        """Return the predictors, by name, of standardised ones."""
        found = {}
        for j, name in enumerate(self.columns):
            column = z[:, j] * self.sd[j] + self.mean[j]
            if name in _LOGARITHMIC:
                column = np.exp(column) - _LEAST_LEAVES
            found[name] = np.clip(column, *VARIABLES[name].valid_range)
        return found

    def place(self, x: Float, predictors: Sequence[str]) -> Float:
        """Return positions of rows by place; needs no predictor of the season."""
        n = self.n_place
        alone = replace(self, columns=self.columns[:n], mean=self.mean[:n], sd=self.sd[:n])
        return self._place(alone.standardised(x, predictors), x, predictors)

    def __call__(self, x: Float, predictors: Sequence[str]) -> tuple[Float, Float]:
        """Return positions of rows by place and by season."""
        z = self.standardised(x, predictors)
        return self._place(z[:, : self.n_place], x, predictors), z[:, self.n_place :]

    def _place(self, z: Float, x: Float, predictors: Sequence[str]) -> Float:
        return np.hstack([z, _SHARE_WEIGHT * _shares(x, predictors)])


@dataclass(frozen=True)
class Residuals:
    """Posterior mean of the residual function, fitted to towers, and standard deviation of tower months about it."""

    axes: Axes
    place: Float
    season: Float
    weight: Float
    predictors: tuple[str, ...]
    anchors: Anchors

    @property
    def inputs(self) -> tuple[str, ...]:
        """Predictors that it uses."""
        return (*self.axes.columns, *(name for name in FRACTIONS if name in self.predictors))

    def predict(self, x: Float, process: Float) -> Float:
        """Return the residual of process GPP of rows [g m-2 d-1]."""
        found = np.empty(len(x))
        with threadpool_limits(1, "blas"):
            for start in range(0, len(x), _BLOCK):
                rows = slice(start, start + _BLOCK)
                place, season = self.axes(x[rows], self.predictors)
                kernel = _kernel(squares(place, self.place), squares(season, self.season))
                found[rows] = kernel @ self.weight
        return np.asarray(found * scale(process))

    def sd(self, x: Float, process: Float) -> Float:
        """Return the standard deviation of a month at an unseen tower [g m-2 d-1].

        It grows with the distance from all towers, and is larger for types whose towers differ more.
        """
        variance = np.empty(len(x))
        with threadpool_limits(1, "blas"):
            for start in range(0, len(x), _BLOCK):
                rows = slice(start, start + _BLOCK)
                variance[rows] = self.anchors.variance(*self.axes(x[rows], self.predictors))
        main = main_types(x, self.predictors)
        own = np.array([self.anchors.spread.get(int(name), 1.0) for name in main])
        return np.asarray(np.sqrt(variance + own * _OWN_VARIANCE) * scale(process))


@dataclass(frozen=True)
class Anchors:
    """Some of the rows, which tell how well the residual function is known, and the variances of types."""

    place: Float
    season: Float
    root: Float
    """Lower triangle of the Cholesky factorisation of their covariance."""
    spread: Mapping[int, float]
    """Of towers of a type, by its number, over that of all towers."""

    def variance(self, place: Float, season: Float) -> Float:
        """Return the posterior variance of the residual function."""
        from scipy.linalg import solve_triangular

        between = _kernel(squares(self.place, place), squares(self.season, season))
        explained = (solve_triangular(self.root, between, lower=True) ** 2).sum(axis=0)
        prior = SD_PLACE**2 + SD_BOTH**2 + SD_SEASON**2
        return np.asarray(np.maximum(prior - explained, 0.0))


def fit_residuals(
    x: Float,
    predictors: tuple[str, ...],
    residual: Float,
    process: Float,
    site: NDArray[np.generic],
    cluster: NDArray[np.generic],
    *,
    seed: int = 0,
) -> Residuals:
    """Fit the residual function to tower months.

    Parameters
    ----------
    x : ndarray, shape (rows, predictors)
        Predictors.
    predictors : tuple of str
        Their names; those of `PLACE` and `SEASON` and the area shares are used.
    residual, process : ndarray, shape (rows,)
        Tower GPP less process GPP, and process GPP as it is at towers that it was not calibrated to [g m-2 d-1].
    site, cluster : ndarray, shape (rows,)
        Tower and cluster of towers of each row.
    seed : int
        Seed of the draw of rows: of more than 4,000, those of long records are thinned.
    """
    from scipy.linalg import cho_solve

    rows = _thinned(site, _MOST_ROWS, seed)
    x, z, site = x[rows], (residual / scale(process))[rows], site[rows]
    main = main_types(x, predictors)
    spread = spread_of_types(z, main, cluster[rows])
    of_row = np.array([spread[int(name)] for name in main])
    axes = Axes.of(x, predictors)
    place, season = axes(x, predictors)
    few = _thinned(site, _MOST_ANCHORS, seed)
    with threadpool_limits(1, "blas"):  # its results depend on its threads
        weight = cho_solve((_root(place, season, site, of_row), True), z)
        anchors = Anchors(place[few], season[few], _root(place[few], season[few], site[few], of_row[few]), spread)
    return Residuals(axes, place, season, weight, predictors, anchors)


def _root(place: Float, season: Float, site: NDArray[np.generic], spread: Float) -> Float:
    """Return the lower triangle of the factorised covariance of tower months."""
    from scipy.linalg import cholesky

    covariance = np.empty((len(site), len(site)), order="F")  # LAPACK factorises it in place, and reads the lower half
    for start in range(0, len(site), _BLOCK):
        rows, before = slice(start, start + _BLOCK), slice(start + _BLOCK)
        between = squares(season[rows], season[before])
        block = _kernel(squares(place[rows], place[before]), between)
        same = np.nonzero(site[rows, None] == site[before])
        own = SD_SITE**2 + SD_SITE_SEASON**2 * np.exp(between[same] / (-2.0 * LENGTH_SITE_SEASON**2))
        block[same] += own * np.sqrt(np.outer(spread[rows], spread[before])[same])
        covariance[rows, before] = block
    covariance[np.diag_indices(len(site))] += SD_NOISE**2 * spread
    return np.asarray(cholesky(covariance, lower=True, overwrite_a=True, check_finite=False))


def _kernel(place: Float, season: Float) -> Float:
    """Return the prior covariance of the three functions from squared distances."""
    of_place = np.exp(place / (-2.0 * LENGTH_PLACE**2))
    of_season = np.exp(season / (-2.0 * LENGTH_SEASON**2))
    return np.asarray(SD_PLACE**2 * of_place + (SD_BOTH**2 * of_place + SD_SEASON**2) * of_season)


def squares(a: Float, b: Float) -> Float:
    """Return squared distances between rows of two matrices."""
    distance = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2.0 * a @ b.T
    return np.asarray(np.maximum(distance, 0.0))


def _columns(x: Float, predictors: Sequence[str], names: Sequence[str]) -> Float:
    found = np.empty((len(x), len(names)))
    for j, name in enumerate(names):
        column = x[:, list(predictors).index(name)]
        found[:, j] = np.log(np.maximum(column, 0.0) + _LEAST_LEAVES) if name in _LOGARITHMIC else column
    return found


def _shares(x: Float, predictors: Sequence[str]) -> Float:
    at = [list(predictors).index(name) for name in FRACTIONS if name in predictors]
    return np.nan_to_num(x[:, at])


def _thinned(site: NDArray[np.generic], most: int, seed: int) -> NDArray[np.int64]:
    """Return at most so many rows: those of long records are cut to the same number."""
    _, number, count = np.unique(site, return_inverse=True, return_counts=True)
    if len(site) <= most:
        return np.arange(len(site))
    each = max(1, max(n for n in range(1, count.max() + 1) if np.minimum(count, n).sum() <= most or n == 1))
    order = np.random.default_rng([seed, 23]).permutation(len(site))
    ranked = order[np.argsort(number[order], kind="stable")]
    first = np.cumsum(count) - count
    rank = np.arange(len(site)) - first[number[ranked]]
    return np.sort(ranked[rank < each])[:most]


def main_types(x: Float, predictors: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of the type of the largest share, by row."""
    shares = _shares(x, predictors)
    return shares.argmax(axis=1) if shares.shape[1] else np.zeros(len(shares), dtype=np.int64)


def spread_of_types(z: Float, main: NDArray[np.int64], cluster: NDArray[np.generic]) -> dict[int, float]:
    """Return the variance of the residuals of each main type over that of all."""
    total = float(np.mean(z**2)) or 1.0
    spread = {}
    for name in np.unique(main):
        own = main == name
        n = len(np.unique(cluster[own]))
        spread[int(name)] = float((n * np.mean(z[own] ** 2) / total + _TYPE_CLUSTERS) / (n + _TYPE_CLUSTERS))
    return spread
