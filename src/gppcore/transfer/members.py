"""Members of a transfer model: the target, learner and inputs of each.

All learners are trained by scikit-learn or LightGBM and kept as :class:`gppcore.Forest`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import RangeError, missing_package
from gppcore.forest import Forest
from gppcore.forest.formats.rounding import at_most
from gppcore.runtime import interruptible
from gppcore.statistics import FOLDS, assign_folds
from gppcore.transfer.applicability import Applicability
from gppcore.transfer.gaussian import Axes, Residuals, fit_residuals, main_types
from gppcore.transfer.recipe import Member

Float = NDArray[np.float64]
Kind = Literal["gpp", "ratio", "residual"]
Learner = Literal["sklearn", "lightgbm"]
LEARNERS: tuple[Learner, ...] = ("sklearn", "lightgbm")
Unseen = Literal["places", "years"]
UNSEEN: tuple[Unseen, ...] = ("places", "years")

RATIO_OFFSET = 2.0
"""Added to process GPP in the denominator of ratios, so that winter months do not divide by zero [g m-2 d-1]."""
INCREASING = ("lai", "lai_modis", "fpar")
"""Predictors, besides the sources, in which predictions of boosted members never decrease."""
SOURCE_SETTINGS = {"max_iter": 150, "learning_rate": 0.1, "max_leaf_nodes": 63, "min_samples_leaf": 20}
DISTILLED_SETTINGS = {"max_iter": 300, "learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 10}
_ERROR_SETTINGS = {"max_iter": 100, "learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 60}
_BOOSTED = {"learning_rate": 0.05, "l2_regularization": 5.0, "max_features": 0.3}
_BOOSTED_SIZE: Mapping[Unseen, Mapping[str, int]] = {
    "places": {"max_iter": 250, "max_leaf_nodes": 8, "min_samples_leaf": 30},
    "years": {"max_iter": 500, "max_leaf_nodes": 24, "min_samples_leaf": 10},
}
_LEAF: Mapping[Unseen, int] = {"places": 10, "years": 3}
"""Months in a leaf of extremely randomised trees: other years of a tower are much like those that are known."""
N_TREES = 150
"""Extremely randomised trees of a member."""
N_TREES_JUDGED = 50
"""The same where a member is only judged at towers left out, for its weight."""
_FEW_ROWS = 600
INITIAL_SHARE = 0.25
"""Share of the emulator of process GPP at which the member `partial` starts."""


@dataclass(frozen=True)
class MemberKind:
    """How a member is trained.

    Attributes
    ----------
    kind : {"gpp", "ratio", "residual"}
        What it predicts: GPP; GPP over process GPP + 2, rows weighted by the square of that; GPP minus process GPP.
    learner : {"boosted", "trees", "leaf_update", "partial", "gaussian"}
        Boosted trees; extremely randomised trees; the emulator of process GPP with its leaves refitted; boosted trees
        that start from a share of the emulator; a Gaussian process distilled into boosted trees.
    sources : bool
        Whether the sources are inputs in addition to the predictors.
    share : float
        Prior weight relative to those of other members.
    """

    kind: Kind
    learner: Literal["boosted", "trees", "leaf_update", "partial", "gaussian"]
    sources: bool
    share: float = 1.0


MEMBERS: Mapping[str, MemberKind] = {
    "boosted": MemberKind("gpp", "boosted", True),
    "boosted_ratio": MemberKind("ratio", "boosted", True),
    "trees": MemberKind("gpp", "trees", True),
    "trees_ratio": MemberKind("ratio", "trees", True),
    "continued": MemberKind("residual", "boosted", False),
    "leaf_update": MemberKind("gpp", "leaf_update", False),
    "partial": MemberKind("gpp", "partial", True),
    "gaussian": MemberKind("residual", "gaussian", True, share=6.0),
    "direct_boosted": MemberKind("gpp", "boosted", False),
    "direct_trees": MemberKind("gpp", "trees", False),
}
"""All members by name: `continued` continues boosting from the emulator; `direct` members do not use the process
model."""


@dataclass(frozen=True)
class TrainingRows:
    """Training rows of members: predictors with their names, the sources, GPP and the emulator of process GPP.

    `site` and `cluster` say which tower a row is of, and `domain` holds predictors of the source domain; only the
    Gaussian process needs them.
    """

    x: Float
    predictors: tuple[str, ...]
    sources: Float
    gpp_daily: Float
    emulator: Forest | None
    site: NDArray[Any] | None = None
    cluster: NDArray[Any] | None = None
    domain: Float | None = None

    @property
    def process(self) -> Float:
        """Process GPP, the first source [g m-2 d-1]; zeros without sources."""
        return self.sources[:, 0] if self.sources.shape[1] else np.zeros(len(self.x))

    def take(self, rows: NDArray[Any]) -> TrainingRows:
        """Return the rows of a mask."""
        return replace(
            self,
            x=self.x[rows],
            sources=self.sources[rows],
            gpp_daily=self.gpp_daily[rows],
            site=None if self.site is None else self.site[rows],
            cluster=None if self.cluster is None else self.cluster[rows],
        )


def fit_member(
    name: str,
    rows: TrainingRows,
    *,
    unseen: Unseen = "places",
    learner: Learner = "sklearn",
    seed: int = 0,
    n_threads: int = 1,
    n_trees: int = N_TREES,
) -> Forest:
    """Train a member on towers.

    Trees are larger if only years are `unseen`, and `n_trees` is the number of extremely randomised ones.

    Raises
    ------
    RangeError
        If the name or the learner is unknown.
    """
    if learner not in LEARNERS:
        raise RangeError(f"learner: expected one of {list(LEARNERS)}, got {learner!r}")
    how = _kind(name)
    if how.learner == "gaussian":
        return distilled(rows, fit_gaussian(rows, seed=seed), seed)[0]
    process = rows.process
    target, weight = rows.gpp_daily, None
    if how.kind == "ratio":
        weight = (process + RATIO_OFFSET) ** 2
        target = target / (process + RATIO_OFFSET)
    elif how.kind == "residual":
        target = target - process
    if how.learner == "leaf_update":
        assert rows.emulator is not None
        return _refitted(rows.emulator, rows.x, target, n_threads)
    x = np.hstack([rows.x, rows.sources]) if how.sources else rows.x
    start = _start(rows, x.shape[1]) if how.learner == "partial" else None
    if start is not None:
        target = target - start.predict_columns(list(x.T), n_threads=n_threads)
    signs = [1 if p in INCREASING and how.kind == "gpp" else 0 for p in rows.predictors]
    if how.sources:
        signs += [1 if how.kind == "gpp" else 0] * rows.sources.shape[1]
    if how.learner == "trees":
        return _fit_trees(x, target, weight, unseen, n_trees, seed, n_threads)
    forest = _FIT_BOOSTED[learner](x, target, weight, signs, _boosted_settings(len(x), unseen), seed)
    return forest if start is None else forest + start


class Fits:
    """Forests of members that do not use the process model, kept so that models of the same towers share them."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], Forest] = {}

    def fit(self, name: str, rows: TrainingRows, **settings: Any) -> Forest:
        """Return :func:`fit_member` of these arguments."""
        how = _kind(name)
        if how.sources or how.kind != "gpp" or how.learner == "leaf_update":
            return fit_member(name, rows, **settings)
        contents = (hashlib.blake2b(each.tobytes()).digest() for each in (rows.x, rows.gpp_daily))
        key = (name, rows.predictors, *contents, *sorted(settings.items()))
        if key not in self._found:
            self._found[key] = fit_member(name, rows, **settings)
        return self._found[key]


def _kind(name: str) -> MemberKind:
    if name not in MEMBERS:
        raise RangeError(f"members: expected names out of {list(MEMBERS)}, got {name!r}")
    return MEMBERS[name]


def fit_gaussian(rows: TrainingRows, *, seed: int = 0) -> Residuals:
    """Fit the Gaussian process of the member `gaussian`."""
    own = np.arange(len(rows.x))
    site = own if rows.site is None else rows.site
    cluster = site if rows.cluster is None else rows.cluster
    residual = rows.gpp_daily - rows.process
    return fit_residuals(rows.x, rows.predictors, residual, rows.process, site, cluster, seed=seed)


def spread(
    rows: TrainingRows, residuals: Residuals, x: Float, process: Float, wider: Mapping[int, float] | None = None
) -> Float:
    """Return the standard deviation of a month [g m-2 d-1] of a Gaussian process fitted to `rows`.

    It is wider far from all towers, and by the factors `wider` of the number of the main type.
    """
    known = applicability(rows)
    sd = residuals.sd(x, process)
    if wider:
        sd = sd * np.array([wider.get(int(name), 1.0) for name in main_types(x, rows.predictors)])
    return sd if known is None else sd * known.widening(x, rows.predictors)


def applicability(rows: TrainingRows) -> Applicability | None:
    """Return the places of the towers of training rows."""
    if rows.site is None or rows.cluster is None:
        return None
    fold = assign_folds(rows.cluster, FOLDS)
    return Applicability.of(Axes.of(rows.x, rows.predictors), rows.x, rows.predictors, rows.site, fold)


def predict_member(forest: Forest, name: str, rows: TrainingRows) -> Float:
    """Return GPP [g m-2 d-1] of rows from a member."""
    value = forest.predict_columns(list(np.hstack([rows.x, rows.sources]).T)[: forest.n_features])
    return np.asarray(combine(name, value, rows.process))


def distilled(
    rows: TrainingRows, residuals: Residuals, seed: int, wider: Mapping[int, float] | None = None
) -> tuple[Forest, Forest]:
    """Return forests of the mean and the :func:`spread` of a Gaussian process, over source domain and towers."""
    x, process = rows.x, rows.process
    if rows.domain is not None and rows.emulator is not None:
        of_domain = np.maximum(rows.emulator.predict_columns(list(rows.domain.T)), 0.0)
        x, process = np.vstack([x, rows.domain]), np.append(process, of_domain)
    sources = np.zeros((len(x), rows.sources.shape[1]))
    sources[:, 0] = process
    mean, sd = residuals.predict(x, process), spread(rows, residuals, x, process, wider)
    of_mean, of_sd = (distil(x, rows.predictors, residuals.inputs, sources, y, seed) for y in (mean, sd))
    return of_mean, of_sd


def fit_error_size(rows: TrainingRows, error: Float, fold: NDArray[np.int64], seed: int) -> tuple[Float, Forest]:
    """Fit how large errors are, since towers of some types and seasons are hit worse than others.

    Parameters
    ----------
    rows : TrainingRows
        Rows that were held out.
    error : ndarray, shape (rows,)
        Tower minus predicted GPP [g m-2 d-1].
    fold : ndarray, shape (rows,)
        Which of them were held out together.
    seed : int
        Seed of the learner.

    Returns
    -------
    size : ndarray, shape (rows,)
        Size of the errors [g m-2 d-1] as the other folds tell it.
    forest : Forest
        Size of the errors from all of them, of predictors and sources.
    """
    x, size = np.hstack([rows.x, rows.sources]), np.empty(len(error))

    def fit(here: NDArray[Any]) -> Forest:
        return _emulated(x[here], np.abs(error[here]), _ERROR_SETTINGS, seed)

    for k in range(fold.max() + 1):
        here = fold == k
        size[here] = fit(~here).predict_columns(list(x[here].T))
    return np.maximum(size, 0.0), fit(np.ones(len(error), dtype=bool))


def distil(
    x: Float, predictors: Sequence[str], inputs: Sequence[str], sources: Float, target: Float, seed: int
) -> Forest:
    """Return a forest of a function of the predictors `inputs` and of sources, given its values at rows.

    Other predictors do not split: the source domain lacks some of them.
    """
    seen = [name in inputs for name in predictors]
    return _emulated(np.hstack([np.where(seen, x, 0.0), sources]), target, DISTILLED_SETTINGS, seed)


def member(name: str, n_sources: int, weight: float) -> Member:
    """Return how the forest of a member enters a model with `n_sources` sources."""
    how = MEMBERS[name]
    offset = RATIO_OFFSET if how.kind == "ratio" else 0.0
    return Member(name, how.kind, n_sources if how.sources else 0, weight, offset)


def combine(name: str, value: NDArray[Any], process: NDArray[Any]) -> NDArray[Any]:
    """Return GPP from what a member predicts."""
    kind = MEMBERS[name].kind
    if kind == "ratio":
        return np.asarray(value * (process + process.dtype.type(RATIO_OFFSET)))
    return np.asarray(value + process) if kind == "residual" else value


def _refitted(emulator: Forest, x: Float, target: Float, n_threads: int) -> Forest:
    """Refit the leaves of the emulator to towers; leaves with few tower months stay close to their old values."""
    return emulator.refit_leaves(x, target, shrinkage=50.0, rate=0.1, n_threads=n_threads)


def _start(rows: TrainingRows, n_features: int) -> Forest:
    """Return the share of the emulator that boosting starts from, as a forest that takes the sources too."""
    assert rows.emulator is not None
    return INITIAL_SHARE * Forest.from_arrays(**{**rows.emulator.arrays(), "n_features": n_features})


def _fit_trees(
    x: Float, target: Float, weight: Float | None, unseen: Unseen, n_trees: int, seed: int, n_threads: int
) -> Forest:
    from sklearn.ensemble import ExtraTreesRegressor

    leaf = _LEAF[unseen] if len(x) > _FEW_ROWS else max(3, len(x) // 60)
    learner = ExtraTreesRegressor(n_trees, max_features=0.4, min_samples_leaf=leaf, random_state=seed, n_jobs=n_threads)
    return Forest.from_sklearn(interruptible(lambda: learner.fit(_training_rows(x), target, sample_weight=weight)))


def _training_rows(x: Float) -> Float:
    """Return x in float32, as maps hold it, with empty columns replaced by zeros, which no split can use."""
    x = x.astype(np.float32).astype(np.float64)
    empty = np.isnan(x).all(axis=0)
    return np.where(empty, 0.0, x) if empty.any() else x


def _fit_boosted(
    x: Float, target: Float, weight: Float | None, signs: Sequence[int], settings: Mapping[str, Any], seed: int
) -> Forest:
    from sklearn.ensemble import HistGradientBoostingRegressor

    learner = HistGradientBoostingRegressor(
        **settings, early_stopping=False, random_state=seed, monotonic_cst=list(signs)
    )
    x = _training_rows(x)
    if weight is not None:  # the bins of weighted rows take scikit-learn longer than the trees
        x = np.column_stack([_rounded(column) for column in x.T])
    return Forest.from_arrays(**_boosted_arrays(learner, x, target, weight))


def _rounded(column: Float) -> Float:
    """Return a column in which every value is the nearest of at most 255 of them, so that each is a bin."""
    levels = np.unique(np.nanquantile(column, np.linspace(0.0, 1.0, 255), method="nearest"))
    nearest = levels[np.searchsorted((levels[:-1] + levels[1:]) / 2.0, column)]
    return np.where(np.isnan(column), np.nan, nearest)


def _fit_lightgbm(
    x: Float, target: Float, weight: Float | None, signs: Sequence[int], settings: Mapping[str, Any], seed: int
) -> Forest:
    try:
        import lightgbm
    except ImportError as error:
        raise missing_package("learner", error, extra="lightgbm") from error
    parameters = {
        "learning_rate": settings["learning_rate"],
        "num_leaves": settings["max_leaf_nodes"],
        "min_data_in_leaf": settings["min_samples_leaf"],
        "lambda_l2": settings["l2_regularization"],
        "feature_fraction": settings["max_features"],
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "extra_trees": True,
        "path_smooth": 20.0,
        "monotone_constraints": list(signs),
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
    data = lightgbm.Dataset(x, target, weight=weight)
    n_rounds = int(settings["max_iter"])
    return Forest.from_lightgbm(interruptible(lambda: lightgbm.train(parameters, data, num_boost_round=n_rounds)))


_FIT_BOOSTED: Mapping[str, Callable[..., Forest]] = {"sklearn": _fit_boosted, "lightgbm": _fit_lightgbm}


def _boosted_settings(n: int, unseen: Unseen) -> dict[str, Any]:
    """Return smaller trees, and fewer, where there are few rows."""
    few = {"max_iter": 120, "max_leaf_nodes": 6, "min_samples_leaf": max(5, n // 30)}
    return {**_BOOSTED, **(_BOOSTED_SIZE[unseen] if n > _FEW_ROWS else few)}


def fit_source(x: Float, target: Float, *, seed: int, n_threads: int) -> Forest:
    """Train the emulator of a quantity of the process model."""
    return _emulated(x, target, SOURCE_SETTINGS, seed, n_threads)


def _emulated(x: Float, target: Float, settings: Mapping[str, Any], seed: int, n_threads: int = 1) -> Forest:
    """Return boosted trees of a function of many rows."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    x = _training_rows(x)
    varies = np.flatnonzero((x != x[:1]).any(axis=0))  # no tree splits the other columns, but each would take its time
    if not varies.size:
        varies = np.arange(x.shape[1])
    learner = HistGradientBoostingRegressor(**settings, early_stopping=False, random_state=seed)
    arrays = _boosted_arrays(learner, x[:, varies], target, None, n_threads)
    feature = np.where(arrays["feature"] < 0, -1, varies[arrays["feature"]])
    return Forest.from_arrays(**{**arrays, "n_features": x.shape[1], "feature": feature})


def _boosted_arrays(learner: Any, x: Float, target: Float, weight: Float | None, n_threads: int = 1) -> dict[str, Any]:
    """Fit boosted trees, and return the arrays of their forest, which rounds doubles to float32 as these rows were.

    Where many rows share a value, it is a threshold itself, and maps would go to the other side of a double.
    """
    from threadpoolctl import threadpool_limits

    # A small fit gains nothing from several threads and waits for busy cores. The limit applies to libraries that
    # are already loaded, as that of the learner is.
    def fit() -> Any:
        with threadpool_limits(n_threads, "openmp"):
            return learner.fit(x, target, sample_weight=weight)

    arrays = Forest.from_sklearn(interruptible(fit)).arrays()
    leaf = arrays["feature"] < 0
    return {**arrays, "threshold": np.where(leaf, arrays["threshold"], at_most(arrays["threshold"]))}
