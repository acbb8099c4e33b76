"""Hold-out schemes: splits of tower months into training and test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import RangeError
from gppcore.statistics import assign_folds

if TYPE_CHECKING:
    import pandas as pd

Mask = NDArray[np.bool_]
Scheme = Literal["site", "temporal", "regional", "few_towers", "warmer", "own"]
By = Literal["koeppen", "continent", "pft"]
SCHEMES: tuple[Scheme, ...] = ("site", "temporal", "regional", "few_towers", "warmer")
"""Schemes of :func:`splits`."""
EVALUATIONS: tuple[Scheme, ...] = (*SCHEMES, "own")
"""All that ``gppcore evaluate`` knows; for the last see `gppcore.evaluation.own`."""
_COLUMN = {"koeppen": "region", "continent": "continent", "pft": "pft"}

_FOLDS = 5
_MIN_REGION_ROWS = 30
_EARLY = 2.0 / 3.0  # share of a tower's years that trains where years are held out
_MIN_YEARS = 3
_WARM = 0.75  # share of the clusters that are colder than those held out


@dataclass(frozen=True)
class Split:
    """One training set and its test set.

    Attributes
    ----------
    label : str
        What is held out: a fold, a region, the later years, or the number and the draw of towers that train.
    train, test : ndarray of bool, shape (rows,)
        Rows of the samples.
    towers : int
        Number of clusters that train.
    """

    label: str
    train: Mask
    test: Mask
    towers: int


@dataclass(frozen=True)
class FewTowers:
    """Numbers of training towers in the scheme `few_towers`.

    Attributes
    ----------
    numbers : tuple of int
        Numbers of towers, each of another cluster.
    draws : int
        Random choices for each number.
    seed : int
        Seed of the choices.

    Examples
    --------
    >>> from gppcore import FewTowers, evaluate, simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing))
    >>> few = FewTowers(numbers=(2, 4), draws=2)
    >>> process = {"process": lambda train, test: test.process}
    >>> [split.label for split in evaluate(process, samples, scheme="few_towers", few_towers=few).splits][:2]
    ['2 towers, draw 1', '2 towers, draw 2']
    """

    numbers: tuple[int, ...] = (5, 10, 20)
    draws: int = 8
    seed: int = 0


def splits(
    groups: pd.DataFrame,
    scheme: Scheme,
    *,
    by: By = "koeppen",
    few_towers: FewTowers | None = None,
    tested: Mask | None = None,
) -> list[Split]:
    """Return the splits of a scheme; clusters of towers are split only in the scheme `temporal`.

    Parameters
    ----------
    groups : pandas.DataFrame
        Columns site, cluster, year, and that of `by`: region (Koeppen main class), continent or pft.
    scheme : {"site", "temporal", "regional", "few_towers", "warmer"}
        - site: five folds of clusters of towers within 50 km;
        - temporal: the last third of every tower's years, of towers with at least 3 years; all others train;
        - regional: one class of `by` after the other, without the clusters that reach into it; classes of fewer than
          30 rows are not held out;
        - few_towers: all clusters but those of a few towers drawn at random;
        - warmer: the warmest quarter of the clusters that may be tested, by mean annual temperature, the column
          tair_mean of `groups`.
    by : {"koeppen", "continent", "pft"}, default "koeppen"
        Classes that are held out in the scheme `regional`.
    few_towers : FewTowers, optional
        Numbers and draws of the scheme `few_towers`.
    tested : ndarray of bool, shape (rows,), optional
        Rows that may be tested; all others train only. With it the scheme `site` is one split.

    Raises
    ------
    RangeError
        If an option is unknown, or nothing can be held out.

    Examples
    --------
    >>> from gppcore import simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.evaluation.schemes import splits
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing))
    >>> [int(split.test.sum()) for split in splits(samples.groups, "site")]
    [312, 253, 191, 100, 99]
    """
    if scheme not in SCHEMES:
        raise RangeError(f"scheme: expected one of {list(SCHEMES)}, got {scheme!r}")
    if by not in _COLUMN:
        raise RangeError(f"by: expected one of {list(_COLUMN)}, got {by!r}")
    cluster = groups["cluster"].to_numpy()
    may = np.ones(len(groups), dtype=bool) if tested is None else tested
    if scheme == "site":
        masks = [("test towers", may)] if tested is not None else list(_folds(cluster))
    elif scheme == "temporal":
        masks = [("later years", _later_years(groups))]
    elif scheme == "warmer":
        masks = [("warmer climates", _warm(groups, may))]
    elif scheme == "regional":
        masks = list(_classes(groups[_COLUMN[by]].to_numpy()))
    else:
        return list(_few(groups, few_towers or FewTowers(), may, tested is not None))
    found = []
    for label, held in masks:
        test = held & may
        # A cluster on the border of two regions is in neither training nor, with its other part, in the test.
        train = ~held if scheme == "temporal" else ~held & ~np.isin(cluster, cluster[test])
        if test.any() and train.any():
            found.append(Split(label, train, test, len(np.unique(cluster[train]))))
    if not found or (tested is None and scheme in ("site", "regional") and len(found) < 2):
        raise RangeError(f"scheme {scheme}: expected at least 2 groups of samples, got {len(found)}")
    return found


def _folds(cluster: NDArray[Any]) -> Iterator[tuple[str, Mask]]:
    fold = assign_folds(cluster, _FOLDS)
    for k in range(_FOLDS):
        yield f"fold {k + 1}", fold == k


def _later_years(groups: pd.DataFrame) -> Mask:
    years = groups.groupby("site")["year"]
    rank = years.rank(method="dense")
    count = years.transform("nunique")
    later: Mask = ((rank > np.ceil(count * _EARLY)) & (count >= _MIN_YEARS)).to_numpy()
    return later


def _warm(groups: pd.DataFrame, may: Mask) -> Mask:
    if "tair_mean" not in groups:
        raise RangeError(f"scheme warmer: expected the column tair_mean of the samples' groups, got {list(groups)}")
    mean = groups[may].groupby("cluster")["tair_mean"].mean()
    warm: Mask = groups["cluster"].isin(mean.index[mean > mean.quantile(_WARM)]).to_numpy()
    return warm


def _classes(label: NDArray[Any]) -> Iterator[tuple[str, Mask]]:
    for name in sorted(set(label)):
        if (label == name).sum() >= _MIN_REGION_ROWS:
            yield str(name), label == name


def _few(groups: pd.DataFrame, few_towers: FewTowers, may: Mask, apart: bool) -> Iterator[Split]:
    cluster, site = groups["cluster"].to_numpy(), groups["site"].to_numpy()
    # Towers that may be tested are not drawn where they are a set of their own.
    candidates = np.unique(cluster[~may] if apart else cluster)
    for number in few_towers.numbers:
        if not 0 < number < len(candidates):
            raise RangeError(f"few_towers: expected 1 to {len(candidates) - 1} towers to train, got {number}")
        for draw in range(few_towers.draws):
            rng = np.random.default_rng([few_towers.seed, number, draw])
            chosen = rng.choice(candidates, number, replace=False)
            towers = [rng.choice(np.unique(site[cluster == name])) for name in chosen]
            train = np.isin(site, towers)
            yield Split(f"{number} towers, draw {draw + 1}", train, may & ~np.isin(cluster, chosen), number)
