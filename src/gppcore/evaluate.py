"""Judging models by towers, years and regions that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import RangeError, ShapeError
from gppcore.features import Samples

Float = NDArray[np.float64]
Scheme = Literal["site", "temporal", "regional"]
SCHEMES: tuple[Scheme, ...] = ("site", "temporal", "regional")
Method = Callable[[Samples, Samples], Float]
"""Takes training and test samples; returns GPP of the test samples [g m-2 d-1]."""

_FOLDS = 5
_MIN_REGION_ROWS = 30


@dataclass(frozen=True)
class Evaluation:
    """Predictions for held-out rows and their skill.

    Attributes
    ----------
    scheme : str
        What was held out: site, temporal or regional.
    rows : ndarray of int
        Rows of the samples that were predicted.
    observed : ndarray
        Tower GPP of these rows [g m-2 d-1].
    predicted : dict of str to ndarray
        Predictions by method.
    folds : int
        Number of groups held out in turn.
    """

    scheme: str
    rows: NDArray[np.int64]
    observed: Float
    predicted: Mapping[str, Float]
    folds: int

    @property
    def skill(self) -> dict[str, dict[str, float]]:
        """Skill of every method over all held-out rows; see :func:`skill`."""
        return {name: {**skill(self.observed, p), "n": len(p)} for name, p in self.predicted.items()}


def skill(observed: Float, predicted: Float) -> dict[str, float]:
    """Return r2 (1 - squared error over variance), rmse and bias [g m-2 d-1].

    Raises
    ------
    ShapeError
        If the arrays differ in length or hold fewer than two values.
    """
    if observed.shape != predicted.shape or observed.size < 2:
        raise ShapeError(f"skill: expected two equal lengths of at least 2, got {observed.shape}, {predicted.shape}")
    error = predicted - observed
    return {
        "r2": float(1.0 - np.mean(error**2) / np.var(observed)),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "bias": float(error.mean()),
    }


def evaluate(methods: Mapping[str, Method], samples: Samples, *, scheme: Scheme = "site") -> Evaluation:
    """Predict every tower month with models that were fitted without its group.

    Parameters
    ----------
    methods : mapping of str to callable
        Each fits on training samples and predicts test samples.
    samples : Samples
        Tower months.
    scheme : {"site", "temporal", "regional"}
        - site: five folds of towers; towers within 50 km (`cluster`) are never parted;
        - temporal: five folds of consecutive years;
        - regional: one Koeppen main class after the other; classes of fewer than 30 rows are not held out.

    Raises
    ------
    RangeError
        If the scheme is unknown or leaves fewer than two groups.
    """
    if scheme not in SCHEMES:
        raise RangeError(f"scheme: expected one of {list(SCHEMES)}, got {scheme!r}")
    held_out = list(_groups(samples, scheme))
    if len(held_out) < 2:
        raise RangeError(f"scheme {scheme}: expected at least 2 groups of samples, got {len(held_out)}")
    parts: dict[str, list[Float]] = {name: [] for name in methods}
    for test in held_out:
        train = samples.take(~test)
        for name, method in methods.items():
            parts[name].append(np.asarray(method(train, samples.take(test)), dtype=np.float64))
    rows = np.concatenate([np.flatnonzero(test) for test in held_out])
    predicted = {name: np.concatenate(p) for name, p in parts.items()}
    return Evaluation(scheme, rows, samples.gpp_daily[rows], predicted, len(held_out))


def _groups(samples: Samples, scheme: Scheme) -> Iterator[NDArray[np.bool_]]:
    if scheme == "regional":
        region = samples.groups["region"].to_numpy()
        for name in sorted(set(region)):
            if (region == name).sum() >= _MIN_REGION_ROWS:
                yield region == name
        return
    group = samples.groups["cluster" if scheme == "site" else "year"].to_numpy()
    names, size = np.unique(group, return_counts=True)
    if scheme == "site":
        # Shuffled once, so that neighbouring numbers do not share a fold; the order is part of the scheme.
        order = np.random.default_rng(0).permutation(len(names))
        names, size = names[order], size[order]
    fold = np.minimum(np.cumsum(size) * _FOLDS // size.sum(), _FOLDS - 1)
    for k in range(_FOLDS):
        if (test := np.isin(group, names[fold == k])).any():
            yield test
