"""Months of a record, those that learners can use, and what is missing in the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gppcore.features import PREDICTOR_SETS
from gppcore.features.derive import RULES
from gppcore.towers.files.columns import GPP, PER_DAY
from gppcore.towers.files.monthly import GOOD_MONTH, monthly_gpp, monthly_weather
from gppcore.towers.files.record import TowerRecord
from gppcore.variables import MONTHS

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "tair": ("tmin", "tmax"),
    "soil_water": ("tmin", "tmax", "precip"),
    "aridity": ("tmin", "tmax", "precip"),
    "tair_range": ("tmin", "tmax"),
    **{name: (name,) for name in ("tmin", "tmax", "vpd", "sw", "precip", "lai", "ndvi_min", "ndvi_max")},
}
"""Weather that a predictor is made of, where the rules of `gppcore.features.derive` do not tell."""
_WEATHER = ("tmin", "tmax", "vpd", "sw", "precip", "lai")
_OF_ANY_SITE = ("sw_toa", "ca", "c4_fraction")
"""Predictors that follow from the place and the time."""


@dataclass(frozen=True)
class SiteMonths:
    """Months of one record.

    Attributes
    ----------
    site, where, layout, step : str
        As in :class:`TowerRecord`.
    first, last : pandas.Timestamp
        Start of its first and last step.
    gpp, weather : pandas.DataFrame
        What :func:`monthly_gpp` and :func:`monthly_weather` return.
    notes : tuple of str
        Warnings: what the reader decided, and why months are not `core`.
    """

    site: str
    where: str
    layout: str
    step: str
    first: pd.Timestamp
    last: pd.Timestamp
    gpp: pd.DataFrame
    weather: pd.DataFrame
    notes: tuple[str, ...]


def site_months(record: TowerRecord) -> SiteMonths:
    """Return the months of a record, with warnings."""
    gpp, weather = monthly_gpp(record), monthly_weather(record)
    first, last = record.table.index[0], record.table.index[-1]
    notes = (*record.notes, *_warnings(record, gpp))
    sets = usable(gpp, weather, given=("lai", "ca"))
    if gpp["core"].any() and not sets["months"].any():
        notes += (
            f"no core month has all weather (missing: {sets['lacking'].iloc[0]}); sample it from a grid (--weather)",
        )
    if len(gpp) and (n := int(weather["ca"].isna().sum())):
        notes += (f"CO2 missing in {n} of {len(weather)} months: that of Mauna Loa is used",)
    return SiteMonths(record.site, record.where, record.layout, record.step, first, last, gpp, weather, notes)


def usable(gpp: pd.DataFrame, weather: pd.DataFrame, *, given: Sequence[str] = ()) -> pd.DataFrame:
    """Return, by predictor set, how many months of a site it can use and what is missing in the others.

    Parameters
    ----------
    gpp, weather : pandas.DataFrame
        Months of one site, see :class:`SiteMonths`; of `gpp`, any other columns are predictors too.
    given : sequence of str
        Weather that is known in all months, whatever `weather` says.

    Returns
    -------
    pandas.DataFrame
        By name of the set: `months`, number of core months with all predictors; `lacking`, in words, the weather
        that is missing in some core months, and predictors that no table has.
    """
    core = gpp.loc[gpp["core"] == 1, ["year", "month"]].merge(weather, how="left", on=["year", "month"])
    rows = {}
    for name, predictors in PREDICTOR_SETS.items():
        made_of = dict.fromkeys(part for p in predictors for part in _made_of(p))
        needs = [part for part in made_of if part in _WEATHER and part not in given]
        absent = [part for part in made_of if part not in _WEATHER and part not in gpp]
        missing = {need: int(core[need].isna().sum()) if need in core else len(core) for need in needs}
        texts = [f"{need} in {n} of {len(core)} months" for need, n in missing.items() if n]
        texts += [f"columns {', '.join(absent[:3])}{' and others' if len(absent) > 3 else ''}"] if absent else []
        known = [need for need in needs if need in core]
        n = int(core[known].notna().all(axis=1).sum()) if len(known) == len(needs) and not absent else 0
        rows[name] = {"months": n, "lacking": "; ".join(texts)}
    return pd.DataFrame.from_dict(rows, orient="index")


def _made_of(predictor: str) -> tuple[str, ...]:
    """Return the weather that a predictor follows from at any site, else the columns that it needs."""
    if predictor in _OF_ANY_SITE or predictor.startswith("fraction_"):
        return ()
    if predictor in _NEEDS:
        return _NEEDS[predictor]
    for rule in RULES:
        if predictor in rule.names:
            return tuple(part for need in rule.needs for part in _made_of(need))
    return (predictor,)


def core_sequences(gpp: pd.DataFrame) -> pd.DataFrame:
    """Return the unbroken sequences of core months.

    Parameters
    ----------
    gpp : pandas.DataFrame
        site_id, year, month and core: what :func:`monthly_gpp` returns, of any number of sites.

    Returns
    -------
    pandas.DataFrame
        site_id; `first` and `last` month, like 2015-01; `months`, their number; the longest of each site first.
    """
    core = gpp[gpp["core"] == 1].sort_values(["site_id", "year", "month"])
    count = core["year"] * MONTHS + core["month"] - 1
    run = (count.diff() != 1) | (core["site_id"] != core["site_id"].shift())
    ends = core.assign(month=core["year"].astype(str) + "-" + core["month"].astype(str).str.zfill(2))
    found = ends.groupby(["site_id", run.cumsum()])["month"].agg(first="first", last="last", months="size")
    return found.reset_index("site_id").sort_values(["site_id", "months"], ascending=[True, False], ignore_index=True)


def _warnings(record: TowerRecord, gpp: pd.DataFrame) -> list[str]:
    """Return, in words, why months are missing or not core, the most frequent reason first."""
    if gpp.empty:
        return [f"no month with GPP: {_why_none(record)}"]
    notes = []
    held = [f"{year}-{month:02d}" for year, month in zip(gpp["year"], gpp["month"], strict=True)]
    every = list(dict.fromkeys(pd.DatetimeIndex(record.table.index).strftime("%Y-%m")))
    if lost := [month for month in every if month not in set(held)]:
        few = f"GPP on less than {GOOD_MONTH:.0%} of their days"
        notes.append(f"{len(lost)} of {len(every)} months left out, {few}: {_few(lost)}")
    for reason, months in gpp[gpp["reason"] != ""].groupby("reason"):
        dates = [f"{y}-{m:02d}" for y, m in zip(months["year"], months["month"], strict=True)]
        notes.append(f"{len(dates)} of {len(gpp)} months not core, {reason}: {_few(dates)}")
    if not gpp["core"].any():
        notes.append("no core month: `evaluate` and `fine_tune` cannot use this record")
    return notes


def _few(dates: Sequence[str]) -> str:
    return ", ".join(dates[:4]) + (f" and {len(dates) - 4} more" if len(dates) > 4 else "")


def _why_none(record: TowerRecord) -> str:
    text = f"GPP on less than {GOOD_MONTH:.0%} of the days of every month"
    table = record.table
    known = table[[name for name in GPP if name in table]].notna().any(axis=1)
    if not known.any():
        return "no value of GPP"
    if PER_DAY[record.step] == 1:
        return text
    start = pd.DatetimeIndex(table.index)
    by_hour = known.groupby(start.hour).sum().reindex(range(24), fill_value=0)
    if by_hour.loc[[22, 23, 0, 1, 2]].mean() < 0.5 * by_hour.loc[10:14].mean():
        return f"{text}: nights are missing (unfilled GPP by day only?)"
    if (lost := by_hour.index[by_hour < 0.5 * by_hour.max()]).size:
        return f"{text}: hours of the day are missing ({', '.join(map(str, lost))})"
    return text
