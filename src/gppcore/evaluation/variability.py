"""How well methods follow what changes between years: anomalies of months, trends of towers, and bias by decile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.evaluation.table import methods_of

Float = NDArray[np.float64]

LEAST_YEARS = 3
"""Years of a calendar month at a tower from which its mean is known."""
LEAST_TREND_YEARS = 10
_LEAST_MONTHS = 6  # of a year that counts for a trend
_DECILES = 10


def variability(predictions: pd.DataFrame) -> dict[str, Any]:
    """Return figures of anomalies, trends and deciles for every method.

    Parameters
    ----------
    predictions : pandas.DataFrame
        As :func:`gppcore.evaluation.table.methods_of` takes it; a tower month may be predicted once.

    Returns
    -------
    dict
        By method:

        - r2_anomalies : R2 of the departures of months from the mean of their calendar month at the tower, where that
          has three years or more; NaN where there are none;
        - trend_towers : towers with ten years or more of six months or more;
        - trend_bias, trend_rmse : of their linear trends in the mean anomaly of a year [g C m-2 d-1 yr-1]; NaN without
          towers;
        - trend_sign : share of them where the sign of the trend is that of the tower;
        - bias_by_decile : mean error [g C m-2 d-1] of the tenths of observed GPP, from the lowest.

    Raises
    ------
    ShapeError, RangeError
        As :func:`gppcore.evaluation.table.methods_of`.
    """
    methods = methods_of(predictions)
    table = predictions.reset_index(drop=True)
    known = table.groupby(["site_id", "month"])["year"].transform("nunique").to_numpy() >= LEAST_YEARS
    observed = _anomalies(table, "observed")
    trend = _trends(table, observed, known)
    rank = pd.qcut(table["observed"].rank(method="first"), min(_DECILES, len(table)), labels=False).to_numpy()
    found = {}
    for name in methods:
        anomaly = _anomalies(table, name)
        error = table[name].to_numpy(float) - table["observed"].to_numpy(float)
        own = _trends(table, anomaly, known).reindex(trend.index)
        total = float(np.sum(observed[known] ** 2))
        found[name] = {
            "r2_anomalies": 1.0 - float(np.sum((anomaly - observed)[known] ** 2)) / total if total > 0.0 else np.nan,
            "trend_towers": len(trend),
            "trend_bias": float((own - trend).mean()) if len(trend) else np.nan,
            "trend_rmse": float(np.sqrt(((own - trend) ** 2).mean())) if len(trend) else np.nan,
            "trend_sign": float((np.sign(own) == np.sign(trend)).mean()) if len(trend) else np.nan,
            "bias_by_decile": [float(error[rank == k].mean()) for k in range(rank.max() + 1)],
        }
    return found


def _anomalies(table: pd.DataFrame, name: str) -> Float:
    mean = table.groupby(["site_id", "month"])[name].transform("mean")
    return np.asarray(table[name] - mean, dtype=np.float64)


def _trends(table: pd.DataFrame, anomaly: Float, known: NDArray[np.bool_]) -> pd.Series:
    """Return linear trends of the yearly mean anomalies, by tower."""
    rows = table.loc[known, ["site_id", "year"]].assign(anomaly=anomaly[known])
    of_years = rows.groupby(["site_id", "year"])["anomaly"].agg(["mean", "size"])
    years = of_years.loc[of_years["size"] >= _LEAST_MONTHS, "mean"]
    found = {
        site: np.polyfit(own.index.get_level_values("year").to_numpy(float), own.to_numpy(), 1)[0]
        for site, own in years.groupby("site_id")
        if len(own) >= LEAST_TREND_YEARS
    }
    return pd.Series(found, dtype=np.float64)
