"""Consistency of GPP with sun-induced fluorescence, an independent observation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gppcore.errors import ShapeError
from gppcore.evaluation.metrics import ROUNDING, Float
from gppcore.evaluation.table import methods_of

_LEAST_ROWS = 3


def fluorescence(predictions: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the Pearson correlation of every method's GPP with fluorescence, and of the towers' own (`observed`).

    Parameters
    ----------
    predictions : pandas.DataFrame
        As :func:`gppcore.evaluation.table.methods_of` takes it, with `csif` [mW m-2 nm-1 sr-1]; rows without it are
        left out.

    Returns
    -------
    dict of str to dict
        By method, `observed` last: `all` rows, `between_site` (means of sites), `within_site` (departures from
        them) and `by_pft`. NaN where there are fewer than 3 values or one of the two does not vary.

    Raises
    ------
    ShapeError
        If `csif` or another column is missing.
    RangeError
        If GPP or a label is missing in a row.
    """
    methods = methods_of(predictions)
    if "csif" not in predictions:
        raise ShapeError(f"predictions: expected the column csif, got {list(predictions.columns)}")
    rows = predictions[np.isfinite(predictions["csif"].to_numpy(np.float64))]
    columns = ["csif", *methods, "observed"]
    values = rows[columns].astype(np.float64)
    by_site = values.groupby(rows["site_id"].to_numpy())
    within = values - by_site.transform("mean")
    types = sorted(set(rows["pft"]))
    return {
        name: {
            "all": _correlation(values, name, values),
            "between_site": _correlation(by_site.mean(), name, values),
            "within_site": _correlation(within, name, values),
            "by_pft": {str(t): _correlation(values[rows["pft"] == t], name, values) for t in types},
        }
        for name in (*methods, "observed")
    }


def _correlation(values: pd.DataFrame, name: str, size: pd.DataFrame) -> float:
    if len(values) < _LEAST_ROWS:
        return float("nan")
    pair: Float = values[["csif", name]].to_numpy(np.float64)
    spread = np.asarray(pair.std(axis=0))
    varies = spread > ROUNDING * size[["csif", name]].abs().mean().to_numpy(np.float64)
    return float(np.asarray(np.corrcoef(pair.T))[0, 1]) if varies.all() else float("nan")
