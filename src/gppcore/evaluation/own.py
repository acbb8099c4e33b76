"""Evaluation of models that are adapted to a held-out tower with the first months of its own record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import RangeError
from gppcore.evaluation.holdout import Evaluation
from gppcore.evaluation.metrics import skill
from gppcore.evaluation.schemes import Split, splits
from gppcore.evaluation.table import methods_of
from gppcore.features import Samples
from gppcore.runtime import in_processes
from gppcore.towers.process import process_gpp
from gppcore.transfer.adapt import adapt
from gppcore.transfer.transfer_model import TransferModel

if TYPE_CHECKING:
    import pandas as pd

    from gppcore.evaluation.methods import MethodSuite

Float = NDArray[np.float64]
Index = NDArray[np.int64]

OWN_MONTHS = (6, 12, 24)
"""Numbers of own months; the rest of the record is judged."""
_LEAST_REST = 6
_BOUNDS = ("transfer_low", "transfer_high")


def evaluate_own(
    suite: MethodSuite,
    *,
    months: Sequence[int] = OWN_MONTHS,
    tested: NDArray[np.bool_] | None = None,
    n_processes: int = 1,
    progress: Callable[[Split], None] | None = None,
) -> Evaluation:
    """Hold towers out in folds of clusters, adapt to their first months and predict the rest of their records.

    Parameters
    ----------
    suite : MethodSuite
        Fits the model without the towers of a fold.
    months : sequence of int, default (6, 12, 24)
        Numbers of own months, above 0. A tower counts if six months or more are left.
    tested : ndarray of bool, optional
        Samples that may be tested, as in :func:`gppcore.evaluation.schemes.splits`.
    n_processes : int
        Folds at the same time.
    progress : callable, optional
        Called with each split.

    Returns
    -------
    Evaluation
        A split for each number of months and fold, labelled by the number. Methods are `process_calibrated` and
        `unadapted`, which know nothing of the tower; `climatology`, the mean of the own months of the calendar month,
        where there are some; and `transfer`, the adapted model, with its interval.

    Raises
    ------
    RangeError
        If a number of months is below 1, or no tower has a record that is long enough.
    """
    if not months or min(months) < 1:
        raise RangeError(f"months: expected numbers of at least 1, got {tuple(months)}")
    folds = splits(suite.samples.groups, "site", tested=tested)
    fitted = in_processes(_fold, ((suite, split, tuple(months)) for split in folds), n_processes)
    held_out: list[Split] = []
    parts: dict[str, list[Float]] = {}
    for found, split in zip(fitted, folds, strict=True):
        for label, rows, predicted in found:
            test = np.zeros(len(suite.samples), dtype=bool)
            test[rows] = True
            held_out.append(Split(label, split.train, test, split.towers))
            order = np.argsort(rows)
            for name, values in predicted.items():
                parts.setdefault(name, []).append(values[order])
        if progress:
            progress(split)
    if not held_out:
        raise RangeError(f"own: expected a tower with {min(months) + _LEAST_REST} months or more, got none")
    rows = np.concatenate([np.flatnonzero(split.test) for split in held_out])
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    return Evaluation("own", tuple(held_out), rows, suite.samples.gpp_daily[rows], joined)


def _fold(suite: MethodSuite, split: Split, months: tuple[int, ...]) -> list[tuple[str, Index, dict[str, Float]]]:
    """Return label, rows and predictions for every number of months."""
    train = suite.samples.take(split.train)
    pfts = suite.calibrated(train)
    model = suite.transfer(train, pfts)
    found = []
    for number in months:
        parts = [
            (rest, _tower(suite, model, own, rest))
            for own, rest in _records(suite.samples, np.flatnonzero(split.test), number)
        ]
        if not parts:
            continue
        rows = np.concatenate([rest for rest, _ in parts])
        predicted = {name: np.concatenate([each[name] for _, each in parts]) for name in parts[0][1]}
        test = suite.samples.take(rows)
        alone = {
            "process_calibrated": process_gpp(suite.towers.at(test), pfts, n_threads=suite.n_threads),
            "unadapted": model.predict(test.x, n_threads=suite.n_threads),
        }
        unknown = np.isnan(predicted["climatology"])
        predicted["climatology"] = np.where(unknown, alone["unadapted"], predicted["climatology"])
        found.append((f"{number} months", rows, alone | predicted))
    return found


def _records(samples: Samples, rows: Index, number: int) -> Iterator[tuple[Index, Index]]:
    """Yield the first months of every tower, and the rest of its record."""
    groups = samples.groups.iloc[rows]
    order = np.lexsort([groups["month"], groups["year"], groups["site"]])
    rows, site = rows[order], groups["site"].to_numpy()[order]
    for name in dict.fromkeys(site):
        own = rows[site == name]
        if len(own) >= number + _LEAST_REST:
            yield own[:number], own[number:]


def _tower(suite: MethodSuite, model: TransferModel, own: Index, rest: Index) -> dict[str, Float]:
    """Return predictions for the rest of a record from its first months."""
    known, test = suite.samples.take(own), suite.samples.take(rest)
    adapted = adapt(model, known, seed=suite.seed, n_threads=suite.n_threads)
    gpp, low, high = adapted.predict(test.x, interval=True, n_threads=suite.n_threads)
    mean = known.groups.assign(gpp=known.gpp_daily).groupby("month")["gpp"].mean()
    climatology = mean.reindex(test.groups["month"]).to_numpy(float)
    return {"climatology": climatology, "transfer": gpp, **dict(zip(_BOUNDS, (low, high), strict=True))}


def own_skill(predictions: pd.DataFrame) -> dict[str, Any]:
    """Return towers, months and R2 and RMSE [g C m-2 d-1] of every method by number of own months."""
    found: dict[str, Any] = {}
    for label, table in predictions.groupby("group", sort=False):
        skills = {name: skill(table["observed"], table[name]) for name in methods_of(table)}
        found[str(label)] = {
            "sites": int(table["site_id"].nunique()),
            "rows": len(table),
            "methods": {name: {key: each[key] for key in ("r2", "rmse")} for name, each in skills.items()},
        }
    return found
