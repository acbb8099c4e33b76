"""Months of a record: quality over days, both partitionings, uncertainty, and the weather as towers folders give it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gppcore.towers.files.columns import GPP, PER_DAY
from gppcore.towers.files.record import TowerRecord

GOOD_DAY = 0.5
"""Share of measured and well-filled values above which a day is good."""
GOOD_MONTH = 0.75
"""Share of good days that a month needs."""
_COMPLETE_DAY = 0.9
_DISAGREEMENT = 4.0
"""Difference of night-time and day-time partitioning [g C m-2 d-1] above which neither is trusted."""
_SIGMAS_05_95 = 3.28971
_SIGMAS_25_75 = 1.34898
"""Standard deviations between the quantiles of a normal distribution."""
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
        GPP is not of day-time partitioning, at least 75 % of the days are good and both partitionings agree to
        4 g C m-2 d-1.

    Notes
    -----
    A day is good if it has GPP and at least half of its values are measured or filled well. In a file of months, the
    share of good values itself must be 0.75. A file without flags is judged by whether it has GPP; marks `core` of the
    file itself are kept.
    """
    days = _days(record)
    month = _first_of_month(days)
    out = pd.DataFrame(index=month.unique())
    gpp = [name for name in GPP if name in days]
    for name in [*gpp, *(["nee"] if "nee" in days else [])]:
        out[name] = _mean(days[name], month, record.step)
    out = out.reindex(columns=[*GPP, "nee"])
    out["gpp_method"] = np.select([out["gpp_nt"].notna(), out["gpp_dt"].notna()], ["NT", "DT"], "PI")
    stated = out["gpp"]
    out["gpp"] = out["gpp_nt"].fillna(out["gpp_dt"]).fillna(stated)
    present = days[gpp].notna().any(axis=1)
    quality = days["qc"] if "qc" in days else pd.Series(np.nan, days.index)
    out["gpp_qc"] = quality.groupby(month).mean()
    if record.step == "MM":
        out["gpp_valid_day_frac"] = days["valid_day_frac"].to_numpy() if "valid_day_frac" in days else np.nan
        judged = out["gpp_valid_day_frac"].fillna(out["gpp_qc"])
        good = judged >= GOOD_MONTH if "qc" in days or "valid_day_frac" in days else present.groupby(month).all()
    else:
        good_days = present & (quality >= GOOD_DAY) if "qc" in days else present
        share = good_days.groupby(month).sum() / pd.DatetimeIndex(out.index).days_in_month
        out["gpp_valid_day_frac"] = share if "qc" in days else np.nan
        good = share >= GOOD_MONTH
    agree = ~((out["gpp_nt"] - out["gpp_dt"]).abs() > _DISAGREEMENT)
    core = good & agree & (out["gpp_method"] != "DT")
    if "core" in days:
        core = days["core"].groupby(month).min() == 1.0
    out["core"] = (core & out["gpp"].notna()).astype(int)
    out["gpp_uncertainty"] = _uncertainty(record)
    return _with_calendar(out[out["gpp"].notna()], record.site)


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
    """
    days = _days(record)
    if PER_DAY[record.step] == 1 and record.layout != "plain":
        days = days.drop(columns="vpd", errors="ignore")  # a mean over nights too
    month = _first_of_month(days)
    out = pd.DataFrame(index=month.unique())
    for name in WEATHER:
        out[name] = _mean(days[name], month, record.step) if name in days else np.nan
    return _with_calendar(out, record.site)


def _days(record: TowerRecord) -> pd.DataFrame:
    """Return daily means, and daily extremes of temperature; files of months stay months."""
    table = record.table
    if record.step in {"DD", "MM"}:
        return table
    if record.step == "WW":  # a week's mean holds on each of its days, the last week of a year has 8 or 9
        last = pd.Timestamp(table.index[-1].year, 12, 31) if table.index[-1].day_of_year == 358 else None
        end = last or table.index[-1] + pd.Timedelta(days=6)
        return table.reindex(pd.date_range(table.index[0], end), method="ffill", limit=8)
    n = PER_DAY[record.step]
    if "vpd" in table:
        light = table["sw_toa"] > 0.0 if "sw_toa" in table else table.get("sw", pd.Series(np.nan, table.index)) > _DARK
        table = table.assign(vpd_light=table["vpd"].where(light))
    day = pd.DatetimeIndex(table.index).floor("D")
    groups = table.groupby(day)
    days = groups.mean().where(groups.count() >= _COMPLETE_DAY * n)
    if "tair" in table:
        complete = days["tair"].notna()
        days["tmin"], days["tmax"] = groups["tair"].min().where(complete), groups["tair"].max().where(complete)
    if "vpd" in table:
        days["vpd"] = groups["vpd_light"].mean().where(days["vpd"].notna())
    if "qc" in table:
        days["qc"] = table["qc"].fillna(0.0).groupby(day).mean()
    return days


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

    Where the file has no quantiles of GPP, the joint uncertainty of NEE stands for both, as if it were fully
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
