"""Months of a record: quality by days, both partitionings, uncertainty, and the weather that tower folders hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.towers.files.columns import GPP, PER_DAY
from gppcore.towers.files.plausible import GOOD
from gppcore.towers.files.record import TowerRecord

Float = NDArray[np.float64]

GOOD_MONTH = 0.75
"""Share of good days that a month needs."""
_COMPLETE_DAY = 0.9
_DISAGREEMENT = 4.0
"""Difference of night-time and day-time partitioning [g C m-2 d-1] above which neither is trusted."""
_SIGMAS_05_95 = 3.28971
_SIGMAS_25_75 = 1.34898
"""Standard deviations between the quantiles of a normal distribution."""
_WHOLE_CYCLE = 0.5
"""Share of a month's days on which every hour of the day must have a value."""
_NEGATIVE_SEASON, _NEGATIVE_MONTH = -0.7, -1.4
"""Mean GPP of three months, and of one [g C m-2 d-1], below which it is no noise about zero."""
_WARM = 5.0
"""Mean temperature [degC] of a month above which GPP of exactly 0 is no observation."""
_DARK = 5.0
"""Shortwave [W m-2] below which it is no daylight."""

WEATHER = ("tmin", "tmax", "sw", "vpd", "precip", "ca", "lai")


def monthly_gpp(record: TowerRecord) -> pd.DataFrame:
    """Return the months of a record that have GPP.

    Parameters
    ----------
    record : TowerRecord
        Any step.

    Returns
    -------
    pandas.DataFrame
        One row per month: year, month; `gpp`, `gpp_nt`, `gpp_dt`, `nee`, `gpp_uncertainty` (one standard deviation)
        [g C m-2 d-1]; `gpp_method` NT, DT or PI (as the file's author partitioned); `gpp_qc`, mean share of good
        values; `gpp_valid_day_frac`, share of good days (both missing where the file has no flags); `core`, 1 where
        GPP is not of day-time partitioning, at least 75 % of the days are good, no hour of the day is missing on most
        of them, both partitionings agree to 4 g C m-2 d-1 and GPP is not below zero; `reason`, why it is not 1.

    Notes
    -----
    A day is good if it has GPP and at least half of its values are measured or filled well. In a file of months, the
    share of good values itself must be 0.75. A file without flags is judged by whether it has GPP; marks `core` of the
    file itself are kept.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from gppcore import read_fluxnet
    >>> from gppcore.towers.files import monthly_gpp
    >>> days = pd.date_range("2003-01-01", "2003-12-31", name="time")
    >>> season = 3 - 2 * np.cos(2 * np.pi * days.day_of_year / 365.25)
    >>> pd.DataFrame({"gpp": season}, index=days).to_csv("DE-Mad.csv")
    >>> monthly_gpp(read_fluxnet("DE-Mad.csv"))[["year", "month", "gpp", "core"]].head(2)
       year  month       gpp  core
    0  2003      1  1.097981     1
    1  2003      2  1.595641     1
    """
    days, cycles = _days(record)
    month = _first_of_month(days)
    out = pd.DataFrame(index=month.unique())
    gpp = [name for name in GPP if name in days]
    for name in [*gpp, *(["nee"] if "nee" in days else [])]:
        out[name] = _mean(days[name], month, record.step)
        if name in cycles:
            out[name] = cycles[name]["mean"].where(out[name].notna())
    out = out.reindex(columns=[*GPP, "nee"])
    known = [out["gpp_nt"].notna(), out["gpp"].notna() | out["gpp_dt"].isna()]
    out["gpp_method"] = np.select(known, ["NT", "PI"], "DT")
    out["gpp"] = out["gpp_nt"].fillna(out["gpp"]).fillna(out["gpp_dt"])
    present = days[gpp].notna().any(axis=1)
    quality = days["qc"] if "qc" in days else pd.Series(np.nan, days.index)
    out["gpp_qc"] = quality.groupby(month).mean()
    if record.step == "MM":
        out["gpp_valid_day_frac"] = days["valid_day_frac"].to_numpy() if "valid_day_frac" in days else np.nan
        judged = out["gpp_valid_day_frac"].fillna(out["gpp_qc"])
        good = judged >= GOOD_MONTH if "qc" in days or "valid_day_frac" in days else present.groupby(month).all()
    else:
        good_days = present & (quality >= GOOD) if "qc" in days else present
        share = good_days.groupby(month).sum() / pd.DatetimeIndex(out.index).days_in_month
        out["gpp_valid_day_frac"] = share if "qc" in days else np.nan
        good = share >= GOOD_MONTH
    out["core"], out["reason"] = _judged(out, good, days, cycles, month)
    out["gpp_uncertainty"] = _uncertainty(record)
    return _with_calendar(out[out["gpp"].notna()], record.site)


def _judged(
    out: pd.DataFrame, good: pd.Series, days: pd.DataFrame, cycles: Mapping[str, pd.DataFrame], month: pd.DatetimeIndex
) -> tuple[pd.Series, pd.Series]:
    """Return `core` and, in words, why a month is not; marks of the file itself outweigh all but negative GPP."""
    source = out["gpp_method"].map({"NT": "gpp_nt", "DT": "gpp_dt", "PI": "gpp"})
    lacking = pd.Series(False, out.index)
    for name, cycle in cycles.items():
        lacking |= (source == name) & ~cycle["whole"]
    faults = {
        "GPP of day-time partitioning alone": out["gpp_method"] == "DT",
        "too few good days": ~good,
        "the same hours missing on most days": lacking,
        "both partitionings differ": (out["gpp"] - out["gpp_dt"]).abs() > _DISAGREEMENT,
    }
    if "core" in days:
        faults = {"marked by the file": days["core"].groupby(month).min() != 1.0}
    faults["negative GPP"] = _negative(out["gpp"])
    if "tair" in days:
        faults["GPP of exactly 0 in warmth"] = (out["gpp"] == 0.0) & (days["tair"].groupby(month).mean() > _WARM)
    reason = pd.Series("", out.index)
    for text, wrong in faults.items():
        reason = reason.where(~wrong, reason.str.cat([text] * len(reason), sep="; ").str.removeprefix("; "))
    return ((reason == "") & out["gpp"].notna()).astype(int), reason


def _negative(gpp: pd.Series) -> pd.Series:
    """Return the months of a season, or single ones, of GPP below zero by more than noise."""
    whole = gpp.reindex(pd.date_range(gpp.index[0], gpp.index[-1], freq="MS"))
    season = whole.rolling(3, min_periods=2).mean() < _NEGATIVE_SEASON
    within = season | season.shift(-1, fill_value=False) | season.shift(-2, fill_value=False)
    negative = (within & (whole < 0.0)) | (whole < _NEGATIVE_MONTH)
    return negative.reindex(gpp.index)


def monthly_weather(record: TowerRecord) -> pd.DataFrame:
    """Return the weather of every month of a record, missing where less than three quarters of its days are known.

    Parameters
    ----------
    record : TowerRecord
        Half-hours or hours, or a plain table with `tmin`, `tmax` and the mean `vpd` of daylight.

    Returns
    -------
    pandas.DataFrame
        One row per month: year, month; `tmin`, `tmax`, monthly means of the daily extremes [degC]; `sw` [W m-2];
        `vpd`, mean of daylight [Pa]; `precip` [mm d-1]; `ca` [umol mol-1]; `lai` [m2 m-2].

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from gppcore import read_fluxnet
    >>> from gppcore.towers.files import monthly_weather
    >>> days = pd.date_range("2003-01-01", "2003-12-31", name="time")
    >>> season = 3 - 2 * np.cos(2 * np.pi * days.day_of_year / 365.25)
    >>> table = pd.DataFrame({"gpp": season, "tmin": 2 * season, "tmax": 5 * season}, index=days)
    >>> table.to_csv("DE-Mad.csv")
    >>> monthly_weather(read_fluxnet("DE-Mad.csv"))[["year", "month", "tmin", "tmax"]].head(2).round(1)
       year  month  tmin  tmax
    0  2003      1   2.2   5.5
    1  2003      2   3.2   8.0
    """
    days, cycles = _days(record)
    month = _first_of_month(days)
    out = pd.DataFrame(index=month.unique())
    for name in WEATHER:
        out[name] = _mean(days[name], month, record.step) if name in days else np.nan
        cycle = cycles.get("tair" if name in ("tmin", "tmax") else name)
        if cycle is not None and name != "precip":  # rain falls at any hour
            out[name] = out[name].where(cycle["whole"])
    return _with_calendar(out, record.site)


def _days(record: TowerRecord) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return daily means and daily extremes of temperature, and of half-hours and hours what `_cycle` returns.

    Files of months stay months.
    """
    table = record.table
    if record.step in {"DD", "MM"}:
        return table, {}
    if record.step == "WW":  # a week's mean holds on each of its days, the last week of a year has 8 or 9
        last = pd.Timestamp(table.index[-1].year, 12, 31) if table.index[-1].day_of_year == 358 else None
        end = last or table.index[-1] + pd.Timedelta(days=6)
        return table.reindex(pd.date_range(table.index[0], end), method="ffill", limit=8), {}
    n = PER_DAY[record.step]
    start, end = table.index[0].floor("D"), table.index[-1].floor("D") + pd.Timedelta(days=1)
    whole = table.reindex(pd.date_range(start, end, periods=(end - start).days * n + 1)[:-1])
    grids = {str(name): column.to_numpy().reshape(-1, n) for name, column in whole.items()}
    complete = {name: np.isfinite(grid).sum(axis=1) >= _COMPLETE_DAY * n for name, grid in grids.items()}
    index = pd.date_range(start, periods=(end - start).days)
    means = {name: _mean_of_days(grid, complete[name]) for name, grid in grids.items()}
    cycles = {name: _cycle(grids[name], complete[name], index) for name in (*GPP, "nee", "tair", "sw") if name in grids}
    if "tair" in grids:
        known = np.where(np.isfinite(grids["tair"]), grids["tair"], np.inf)
        means["tmin"] = np.where(complete["tair"], known.min(axis=1), np.nan)
        known = np.where(np.isfinite(grids["tair"]), grids["tair"], -np.inf)
        means["tmax"] = np.where(complete["tair"], known.max(axis=1), np.nan)
    if "vpd" in grids:
        light = (
            grids["sw_toa"] > 0.0 if "sw_toa" in grids else grids.get("sw", np.full_like(grids["vpd"], np.nan)) > _DARK
        )
        by_day = np.where(light, grids["vpd"], np.nan)
        means["vpd"] = _mean_of_days(by_day, complete["vpd"] & np.isfinite(by_day).any(axis=1))
        cycles["vpd"] = _cycle(by_day, complete["vpd"], index, light)
    if "qc" in grids:
        means["qc"] = np.nan_to_num(grids["qc"]).mean(axis=1)
    return pd.DataFrame(means, index), cycles


def _mean_of_days(grid: Float, complete: NDArray[np.bool_]) -> Float:
    values = np.isfinite(grid)
    total, n = np.where(values, grid, 0.0).sum(axis=1), values.sum(axis=1)
    mean: Float = np.where(complete, total / np.maximum(n, 1), np.nan)
    return mean


def _cycle(
    grid: Float, complete: NDArray[np.bool_], days: pd.DatetimeIndex, wanted: NDArray[np.bool_] | None = None
) -> pd.DataFrame:
    """Average each hour of the day over the complete days of a month, then the hours, so that gaps weigh alike.

    Returns
    -------
    pandas.DataFrame
        By first of the month: `mean`; `whole`, whether every hour has a value on half of these days, or on half of
        those on which one is `wanted`.
    """
    values = np.isfinite(grid) & complete[:, None]
    needed = np.broadcast_to(complete[:, None], grid.shape) if wanted is None else wanted & complete[:, None]
    month = days.to_period("M")
    first = np.flatnonzero(np.concatenate([[True], month[1:] != month[:-1]]))
    n = np.add.reduceat(values.astype(float), first)
    total = np.add.reduceat(np.where(values, grid, 0.0), first)
    slot = np.divide(total, n, out=np.full_like(total, np.nan), where=n > 0)
    lacking = n < _WHOLE_CYCLE * np.add.reduceat(needed.astype(float), first)
    known = np.isfinite(slot)
    mean = np.where(known, slot, 0.0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    index = month[first].to_timestamp()
    return pd.DataFrame({"mean": mean, "whole": ~lacking.any(axis=1)}, index)


def _first_of_month(days: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(days.index).to_period("M").to_timestamp()


def _mean(days: pd.Series, month: pd.DatetimeIndex, step: str) -> pd.Series:
    """Average days to months that have three quarters of them."""
    groups = days.groupby(month)
    if step == "MM":
        return groups.mean()
    mean = groups.mean()
    return mean.where(groups.count() >= GOOD_MONTH * pd.DatetimeIndex(mean.index).days_in_month)


def _uncertainty(record: TowerRecord) -> pd.Series:
    """Join the random error of NEE, independent from step to step, and the spread of GPP over friction thresholds.

    Where the file has no quantiles of GPP, the joint uncertainty of NEE replaces both, as if it were fully
    correlated over the month.
    """
    table, month = record.table, _first_of_month(record.table)
    spread = next(
        (
            (table[high] - table[low]) / sigmas
            for low, high, sigmas in (("gpp_05", "gpp_95", _SIGMAS_05_95), ("gpp_25", "gpp_75", _SIGMAS_25_75))
            if low in table and high in table
        ),
        None,
    )
    if spread is None:
        return table["nee_joint"].groupby(month).mean() if "nee_joint" in table else pd.Series(np.nan, month.unique())
    correlated = spread.groupby(month).mean()
    if "nee_random" not in table:
        return correlated
    steps = (table["nee_random"] ** 2).groupby(month)
    return pd.Series(np.hypot(correlated, np.sqrt(steps.sum()) / steps.count()), correlated.index)


def _with_calendar(months: pd.DataFrame, site: str) -> pd.DataFrame:
    index = pd.DatetimeIndex(months.index)
    out = months.reset_index(drop=True)
    out.insert(0, "month", index.month)
    out.insert(0, "year", index.year)
    out.insert(0, "site_id", site)
    return out
