"""Skill as a function of the number of training towers, over random draws of towers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from gppcore.errors import RangeError
from gppcore.evaluation.bootstrap import FIRST, TAILS
from gppcore.evaluation.metrics import skill
from gppcore.evaluation.table import methods_of

_METRICS = ("r2", "rmse")


def learning_curve(draws: Iterable[tuple[int, pd.DataFrame]]) -> list[dict[str, Any]]:
    """Return skill over the number of towers, with its spread over draws.

    Parameters
    ----------
    draws : iterable of (int, pandas.DataFrame)
        Towers learnt from, and the predictions for others (as :func:`gppcore.evaluation.table.methods_of` takes them).

    Returns
    -------
    list of dict
        For every number of towers in ascending order `towers`, `draws`, `methods` and `differences`. `methods` has
        r2 and rmse [g C m-2 d-1] of each method as [mean, 5th, 95th percentile over draws]; `differences` those of
        `transfer` minus each other method, in the same draws, as [mean, low, high of its 90 % Student t interval]
        (NaN for one draw). Draws where a figure has no value are left out of it.

    Raises
    ------
    ShapeError, RangeError
        If a table lacks something, or the methods differ between the draws of one number of towers.
    """
    tables: dict[int, list[pd.DataFrame]] = defaultdict(list)
    for towers, predictions in draws:
        figures = {name: skill(predictions["observed"], predictions[name]) for name in methods_of(predictions)}
        tables[towers].append(pd.DataFrame(figures).loc[list(_METRICS)])
    return [_point(towers, tables[towers]) for towers in sorted(tables)]


def _point(towers: int, tables: list[pd.DataFrame]) -> dict[str, Any]:
    names = list(tables[0].columns)
    if any(list(table.columns) != names for table in tables):
        raise RangeError(f"draws of {towers} towers: expected the methods {names} in each, got others")
    # One row per draw and one column per method, by metric.
    by_metric = {metric: pd.DataFrame([table.loc[metric] for table in tables]) for metric in _METRICS}
    others = [name for name in names if name != FIRST] if FIRST in names else []
    return {
        "towers": towers,
        "draws": len(tables),
        "methods": {name: {metric: _spread(rows[name]) for metric, rows in by_metric.items()} for name in names},
        "differences": {
            f"{FIRST} - {name}": {metric: _mean(rows[FIRST] - rows[name]) for metric, rows in by_metric.items()}
            for name in others
        },
    }


def _spread(values: pd.Series) -> list[float]:
    known = values.dropna().to_numpy(np.float64)
    return [float(known.mean()), *np.quantile(known, TAILS).tolist()] if known.size else [np.nan] * 3


def _mean(values: pd.Series) -> list[float]:
    known = values.dropna().to_numpy(np.float64)
    if known.size < 2:
        return [float(known.mean()) if known.size else np.nan, np.nan, np.nan]
    reach = float(student.ppf(TAILS[1], known.size - 1)) * known.std(ddof=1) / np.sqrt(known.size)
    return [float(known.mean()), float(known.mean() - reach), float(known.mean() + reach)]
