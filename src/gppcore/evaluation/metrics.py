"""Skill of predicted GPP against towers: over all rows, over sites and by group."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.statistics import labels, series

Float = NDArray[np.float64]

DAYS_PER_MONTH = 365.25 / 12
"""Turns g C m-2 d-1 into g C m-2 month-1: the mean month has 30.4375 days."""
ROUNDING = 1e-12
"""Relative size below which a spread or mean counts as rounding error and is not used as a divisor."""
MIN_SITE_MONTHS = 12
"""Minimum number of months for the skill of a site."""


def skill(observed: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Return the agreement of two series of GPP.

    Parameters
    ----------
    observed, predicted : array_like, shape (n,)
        GPP [g C m-2 d-1], n at least 2.

    Returns
    -------
    dict of str to float
        - r2 : 1 - sum of squared errors / sum of squares of observed about its mean (negative if worse than the mean);
        - rmse, bias (predicted minus observed), ubrmse (rmse without bias) [g C m-2 d-1];
        - rmse_monthly : rmse x 365.25 / 12 [g C m-2 month-1];
        - kge : Kling-Gupta efficiency, 1 - distance of (r, ratio of standard deviations, ratio of means) from (1, 1, 1)
          (Gupta et al. 2009, 10.1016/j.jhydrol.2009.08.003);
        - slope : of the regression of predicted on observed;
        - bias_top_decile, bias_bottom_quartile : bias of the rows where observed is at least its 90th, at most its
          25th percentile [g C m-2 d-1];
        - n : rows.

        NaN where the figure has no value: r2 and slope of a constant `observed`, kge if either is constant.

    Raises
    ------
    ShapeError
        If the arrays differ in length or hold fewer than two values.
    RangeError
        If a value is not finite.

    Examples
    --------
    >>> from gppcore.evaluation.metrics import skill
    >>> found = skill([1.0, 4.0, 9.0, 6.0], [2.0, 4.0, 8.0, 7.0])
    >>> round(found["r2"], 3), round(found["rmse"], 3), found["bias"]
    (0.912, 0.866, 0.25)
    """
    o, p = series("skill", observed, predicted)
    error, from_mean = p - o, o - o.mean()
    mse, total = float(np.mean(error**2)), float(np.mean(from_mean**2))
    covariance = float(np.mean(from_mean * (p - p.mean())))
    size, square = float(np.mean(np.abs(o))), float(np.mean(o**2))
    parts = (
        _ratio(covariance, o.std() * p.std(), size * float(np.mean(np.abs(p)))),
        _ratio(p.std(), o.std(), size),
        _ratio(p.mean(), o.mean(), size),
    )
    low, high = np.quantile(o, (0.25, 0.9))
    figures = {
        "r2": 1.0 - _ratio(mse, total, square),
        "rmse": np.sqrt(mse),
        "rmse_monthly": np.sqrt(mse) * DAYS_PER_MONTH,
        "bias": error.mean(),
        "ubrmse": error.std(),
        "kge": 1.0 - np.sqrt(sum((part - 1.0) ** 2 for part in parts)),
        "slope": _ratio(covariance, total, square),
        "bias_top_decile": error[o >= high].mean(),
        "bias_bottom_quartile": error[o <= low].mean(),
    }
    return {**{name: float(value) for name, value in figures.items()}, "n": len(o)}


def skill_over_sites(observed: ArrayLike, predicted: ArrayLike, site: ArrayLike) -> dict[str, float]:
    """Return skill between sites, within sites, and its spread over sites.

    Parameters
    ----------
    observed, predicted : array_like, shape (n,)
        GPP [g C m-2 d-1].
    site : array_like, shape (n,)
        Name or number of the site of each row.

    Returns
    -------
    dict of str to float
        - r2_between_site : r2 of the means of sites, each site counting once;
        - r2_within_site : r2 of the departures from the means of sites, all rows together;
        - site_r2_median, site_r2_p90, site_rmse_median, site_rmse_p90 : median and 90th percentile of r2 and rmse
          over sites of at least 12 months whose `observed` varies: for r2 the best tenth of the sites lies above the
          90th percentile, for rmse the worst; site_r2_p10 : below it lies the worst tenth.

        NaN where there is no such site, or only one for r2_between_site.

    Raises
    ------
    ShapeError, RangeError
        As :func:`skill`; if `site` has another length.
    """
    o, p = series("skill_over_sites", observed, predicted)
    _, index, count = labels("site", site, len(o))
    mean_o, mean_p = np.bincount(index, o) / count, np.bincount(index, p) / count
    within, error = o - mean_o[index], p - o
    size, total = np.bincount(index, o**2), np.bincount(index, within**2)
    known = (count >= MIN_SITE_MONTHS) & (total > ROUNDING * size)
    site_error = np.bincount(index, error**2)[known]
    within_error = error - (mean_p - mean_o)[index]
    between = np.sum((mean_o - mean_o.mean()) ** 2)
    figures = {
        "r2_between_site": 1.0 - _ratio(np.sum((mean_p - mean_o) ** 2), between, np.sum(mean_o**2)),
        "r2_within_site": 1.0 - _ratio(np.sum(within_error**2), total.sum(), size.sum()),
    }
    for name, values in (("r2", 1.0 - site_error / total[known]), ("rmse", np.sqrt(site_error / count[known]))):
        figures[f"site_{name}_median"] = np.percentile(values, 50) if known.any() else np.nan
        figures[f"site_{name}_p90"] = np.percentile(values, 90) if known.any() else np.nan
    figures["site_r2_p10"] = np.percentile(1.0 - site_error / total[known], 10) if known.any() else np.nan
    return {name: float(value) for name, value in figures.items()}


def skill_by(observed: ArrayLike, predicted: ArrayLike, group: ArrayLike) -> dict[str, dict[str, float]]:
    """Return r2, rmse, bias and n, as of :func:`skill`, of every group of rows, by its name in ascending order.

    Parameters
    ----------
    observed, predicted : array_like, shape (n,)
        GPP [g C m-2 d-1].
    group : array_like, shape (n,)
        Name of the group of each row. A group of one row has no r2 (NaN).

    Raises
    ------
    ShapeError, RangeError
        As :func:`skill`; if `group` has another length.
    """
    o, p = series("skill_by", observed, predicted)
    names, index, count = labels("group", group, len(o))
    size, squares = np.bincount(index, o**2), np.bincount(index, (p - o) ** 2)
    total = np.bincount(index, (o - (np.bincount(index, o) / count)[index]) ** 2)
    bias = np.bincount(index, p - o) / count
    return {
        name: {
            "r2": float(1.0 - _ratio(squares[i], total[i], size[i])),
            "rmse": float(np.sqrt(squares[i] / count[i])),
            "bias": float(bias[i]),
            "n": int(count[i]),
        }
        for i, name in enumerate(names)
    }


def _ratio(value: float, by: float, size: float) -> float:
    """Return value / by; NaN if `by` is within rounding of zero relative to `size`, the size of its terms."""
    return value / by if abs(by) > ROUNDING * size else np.nan
