"""Time stamps of the networks: their step; duplicates, gaps, overlaps and disorder are refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gppcore.errors import TowerFormatError
from gppcore.towers.files.content import Content

if TYPE_CHECKING:
    import pandas as pd

STAMPS = ("TIMESTAMP_START", "TIMESTAMP_END", "TIMESTAMP")
_FORMATS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
MINUTES = {"HH": 30, "HR": 60, "DD": 1440, "WW": 10080}


class NameFacts(NamedTuple):
    """Site, step and years that the name of a file states; empty where it states none."""

    site: str
    step: str
    years: tuple[int, int] | None


class Clock(NamedTuple):
    """Start of every row in local standard time, and the step."""

    start: pd.DatetimeIndex
    step: str


def name_facts(name: str) -> NameFacts:
    """Read site, step and years from a name like FLX_AT-Neu_FLUXNET2015_FULLSET_HH_2002-2012_1-4.csv."""
    site = re.search(r"(?:^|_)([A-Z]{2}-[A-Z0-9]{3})(?=[_.])", name, re.IGNORECASE)
    step = re.search(r"_(HH|HR|DD|WW|MM|YY)(?=[_.])", name, re.IGNORECASE)
    years = re.search(r"_(\d{4})-(\d{4})(?=[_.])", name)
    code = site[1] if site else ""
    code = code if code[:2].isupper() else code[:3].upper() + code[3:].capitalize()  # of a name in small letters
    return NameFacts(code, step[1].upper() if step else "", (int(years[1]), int(years[2])) if years else None)


def official_clock(content: Content, raw: pd.DataFrame, facts: NameFacts, *, gaps: bool = False) -> Clock:
    """Read the stamps of the networks (YYYYMMDDHHMM and shorter) and compare them with the name of the file.

    Parameters
    ----------
    content : Content
        The file.
    raw : pandas.DataFrame
        Rows of one site.
    facts : NameFacts
        What the name of the file states.
    gaps : bool
        Whether steps may be missing, as in tables of many sites.

    Raises
    ------
    TowerFormatError
        If a stamp is malformed, repeated, out of order or missing, or the step or years are not those of the name.
    """
    first = next(stamp for stamp in ("TIMESTAMP_START", "TIMESTAMP", "TIMESTAMP_END") if stamp in raw)
    start = _stamps(content, raw[first])
    width = len(raw[first].iloc[0].strip())
    if width >= 8:
        start, step = _steps(content, raw, first, start)
    else:
        step = {6: "MM"}.get(width, "YY")
    if step == "YY":
        raise TowerFormatError(f"{content.where}: expected steps of HH, HR, DD, WW or MM, got years")
    check_series(content, start, step, gaps=gaps, rows=raw.index.to_numpy())
    clock = Clock(start, step)
    check_name(content, clock, facts)
    return clock


def check_name(content: Content, clock: Clock, facts: NameFacts) -> None:
    """Refuse a table whose step or years are not those that the name of its file states.

    Raises
    ------
    TowerFormatError
        If they are not, or the years are not whole.
    """
    start, step = clock
    if facts.step and facts.step != step:
        raise TowerFormatError(f"{content.where}: expected steps of {facts.step} as in its name, got {step}")
    if facts.years and (got_years := (start[0].year, start[-1].year)) != facts.years:
        raise TowerFormatError(f"{content.where}: expected years {facts.years} as in its name, got {got_years}")
    if facts.years and not _whole_years(start, step):
        got = f"{start[0]} to {start[-1]}"
        raise TowerFormatError(f"{content.where}: expected whole years as in its name, got {got} (truncated?)")


def _steps(content: Content, raw: pd.DataFrame, first: str, start: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, str]:
    """Return the start of the steps and their length; stamps of days may be as long as those of half-hours."""
    import pandas as pd

    lengths = np.diff(start.to_numpy()) / np.timedelta64(1, "m")
    length = float(np.median(np.abs(lengths))) if lengths.size else 1440.0
    step = next((s for s, minutes in MINUTES.items() if minutes == length), "MM" if length >= 40320 else "")
    if not step:
        raise TowerFormatError(
            f"{content.where}: expected steps of 30 min, 1 h, 1 d, 7 d or 1 month, got {length:g} min"
        )
    if step not in ("HH", "HR"):
        return start, step
    if first == "TIMESTAMP_START" and "TIMESTAMP_END" in raw:
        minutes = np.asarray((_stamps(content, raw["TIMESTAMP_END"]) - start) / pd.Timedelta(minutes=1))
        if (wrong := minutes != length).any():
            row = int(wrong.argmax())
            got = f"{minutes[row]:g} min from {start[row]}"
            at = content.at(int(raw.index[row]))
            raise TowerFormatError(f"{at}: expected steps of {MINUTES[step]} min, got {got}")
    return (start - pd.Timedelta(minutes=MINUTES[step]) if first == "TIMESTAMP_END" else start), step


def check_series(
    content: Content, start: pd.DatetimeIndex, step: str, *, gaps: bool, rows: np.ndarray | None = None
) -> None:
    """Refuse stamps that repeat, go back, overlap or, unless `gaps`, leave some out."""
    if step == "MM":
        length = np.diff(start.year * 12 + start.month).astype(float)
    else:
        length = np.diff(start.to_numpy()) / np.timedelta64(MINUTES[step], "m")
    if step == "WW":  # the last week of a year has 8 or 9 days
        length = np.where((length > 1) & (length < 1.3) & (np.asarray(start[1:].day_of_year) == 1), 1.0, length)
    wrong = (length <= 0) | (length % 1 != 0) | ((length > 1) & (not gaps))
    if not wrong.any():
        return
    row = int(wrong.argmax())
    n = float(length[row])
    what = (
        "the same time again (a duplicate)"
        if n == 0
        else "an earlier time (out of order)"
        if n < 0
        else "an overlap"
        if n < 1
        else f"{n - 1:g} missing steps"
    )
    if n <= 0 and step in ("HH", "HR") and start[row + 1].hour in (1, 2, 3) and abs(n) <= 2:
        what += ", at the end of summer time? write standard time"
    line = row + 1 if rows is None else int(rows[row + 1])
    got = f"{start[row + 1]} after {start[row]}: {what}"
    raise TowerFormatError(f"{content.at(line)}: expected times that rise by one step ({step}), got {got}")


def _stamps(content: Content, column: pd.Series) -> pd.DatetimeIndex:
    import pandas as pd

    text = column.str.strip().str.removesuffix(".0")  # of stamps that were numbers somewhere on the way
    width = len(text.iloc[0])
    times = pd.to_datetime(text, format=_FORMATS.get(width, "%Y%m%d%H%M"), errors="coerce")
    wrong = (times.isna() | (text.str.len() != width)).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        got = "the header again" if text.iloc[row] == column.name else repr(text.iloc[row])
        at, like = content.at(int(column.index[row])), "YYYYMMDDHHMM"[: max(width, 4)]
        raise TowerFormatError(f"{at}, {column.name}: expected a time like {like}, got {got}")
    return pd.DatetimeIndex(times)


def _whole_years(start: pd.DatetimeIndex, step: str) -> bool:
    """Tell whether the series runs from the first step of a year to the last of one."""
    first = start[0].day_of_year == 1 and start[0].hour == 0 and start[0].minute == 0
    last = start[-1].month == 12
    if step in {"HH", "HR", "DD"}:
        last = last and start[-1].day == 31
    if step in {"HH", "HR"}:
        last = last and start[-1].hour == 23 and start[-1].minute == 60 - MINUTES[step]
    return bool(first and last)
