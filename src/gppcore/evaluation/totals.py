"""Coverage of the 90 % intervals of means over months and towers that were held out together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gppcore.evaluation.holdout import Evaluation
from gppcore.features import Samples
from gppcore.statistics import NORMAL_90
from gppcore.transfer.error_covariance import calendar
from gppcore.transfer.transfer_model import TransferModel

Float = NDArray[np.float64]

_LEAST_MONTHS = 10  # of a year of a tower
_GROUPS = (5, 10)  # towers in random groups
_DRAWS = 40
_QUARTERS = (0.0, 0.3, 0.5, 0.7, np.inf)
"""Classes of the dissimilarity index, relative to the threshold of the area of applicability."""


def coverage_of_means(
    found: Evaluation, models: Sequence[TransferModel], samples: Samples, *, seed: int = 0
) -> dict[str, list[float]]:
    """Return the share of observed means inside their intervals, and how many there are, by what they are means of.

    Parameters
    ----------
    found : Evaluation
        Predictions of `transfer` with the bounds `transfer_low` and `transfer_high`.
    models : sequence of TransferModel
        One for each split.
    samples : Samples
        Those that were evaluated, with lat and lon.
    seed : int
        Of the random groups of towers, 40 of each size and split.

    Returns
    -------
    dict of str to list
        ``{"years of a tower": [share, number], ...}``: of years and records of a tower, and of means over the towers of
        a type or of a random group in a split, in which every tower counts once. Empty if the models lack the
        covariance of errors.
    """
    inside: dict[str, list[bool]] = {}
    for rows, model in zip(found.slices, models, strict=True):
        errors = model.errors
        if errors is None or "lat" not in samples.groups:
            continue
        groups = samples.groups.iloc[found.rows[rows]]
        site = groups["site"].to_numpy()
        month = calendar(groups["year"].to_numpy(), groups["month"].to_numpy())
        half = found.predicted["transfer_high"][rows] - found.predicted["transfer"][rows]
        error = found.observed[rows] - found.predicted["transfer"][rows]
        lat, lon = (groups[name].to_numpy(float) for name in ("lat", "lon"))
        for kind, weight in _means(site, groups["year"].to_numpy(), groups["pft"].to_numpy(), seed):
            of = np.flatnonzero(weight)  # few of the months: the covariance of all takes minutes
            part = weight[of] * half[of]
            sd = np.sqrt(max(float(part @ errors.between(lat[of], lon[of], month[of], site[of]) @ part), 0.0))
            inside.setdefault(kind, []).append(bool(abs(weight @ error) <= NORMAL_90 * sd))
    return {kind: [float(np.mean(each)), len(each)] for kind, each in inside.items()}


def _means(
    site: NDArray[np.generic], year: NDArray[np.generic], pft: NDArray[np.generic], seed: int
) -> Iterator[tuple[str, Float]]:
    """Yield what a mean is of, and the weight of every row."""
    names, of_row, count = np.unique(site, return_inverse=True, return_counts=True)
    each = 1.0 / count[of_row]
    for k in range(len(names)):
        own = of_row == k
        yield "records of a tower", own / own.sum()
        for one in np.unique(year[own]):
            months = own & (year == one)
            if months.sum() >= _LEAST_MONTHS:
                yield "years of a tower", months / months.sum()
    for name in np.unique(pft):
        if len(np.unique(of_row[pft == name])) > 1:
            yield "towers of a type", _normalised(each * (pft == name))
    rng = np.random.default_rng([seed, 37])
    for number in _GROUPS:
        for _ in range(_DRAWS if len(names) > number else 0):
            drawn = np.isin(of_row, rng.choice(len(names), number, replace=False))
            yield f"groups of {number} towers", _normalised(each * drawn)


def _normalised(weight: Float) -> Float:
    return np.asarray(weight / weight.sum())


def coverage_by_dissimilarity(
    found: Evaluation, models: Sequence[TransferModel], samples: Samples
) -> dict[str, list[float]]:
    """Return the share of months inside their intervals, RMSE [g C m-2 d-1] and rows by class of dissimilarity.

    Classes are those of the index relative to the threshold of the area of applicability of each split's model; empty
    if the models do not know the places of their towers.
    """
    parts = []
    for rows, model in zip(found.slices, models, strict=True):
        known = model.applicability
        if known is None or known.threshold <= 0.0:
            return {}
        tested = samples.x[found.rows[rows]]
        parts.append(known.dissimilarity(tested, samples.predictors) / known.threshold)
    if not parts:
        return {}
    index = np.concatenate(parts)
    error = found.observed - found.predicted["transfer"]
    inside = np.abs(error) <= found.predicted["transfer_high"] - found.predicted["transfer"]
    result = {}
    for low, high in pairwise(_QUARTERS):
        here = (index >= low) & (index < high)
        if here.any():
            label = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more"
            result[label] = [float(inside[here].mean()), float(np.sqrt(np.mean(error[here] ** 2))), int(here.sum())]
    return result
