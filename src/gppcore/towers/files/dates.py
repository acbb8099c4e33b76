"""Time of plain tables: one column of dates, or columns of year, month, day, day of the year, hour and minute."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from gppcore.errors import TowerFormatError
from gppcore.towers.files.clock import MINUTES, Clock, check_series
from gppcore.towers.files.content import Content

if TYPE_CHECKING:
    import pandas as pd

_STAMPS = (
    "timestamp_start",
    "timestamp_middle",
    "timestamp_end",
    "time",
    "date",
    "datetime",
    "timestamp",
    "date time",
    "date_time",
)
_PARTS = {
    "year": ("year", "yr", "yyyy"),
    "month": ("month", "mo", "mon"),
    "day": ("day", "dom", "day_of_month", "dd"),
    "doy": ("doy", "day_of_year", "dayofyear", "yday", "julian_day", "jday"),
    "hour": ("hour", "hr", "hh", "hhmm", "hour_minute", "hourmin"),
    "minute": ("minute", "min", "mi"),
}
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y")
_HOURS = (" %H:%M", "", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DIGITS = ("%Y%m%d%H%M", "%Y%m%d %H:%M", "%Y%m%d", "%Y%m", "%Y%j")
_MONTHS = ("%b-%Y", "%b %Y", "%B %Y", "%Y-%b", "%b-%y", "%m/%Y")
_MIDNIGHT = r"(?<=[ T])24(?=:00(?::00)?$)"
"""End of a day in the manner of ISO 8601."""
_DATED = re.compile(r"\d{1,4}[-/.]\w{1,9}[-/.]\d{1,4}|\d{8}")
"""What a column of whole dates holds, and one of the time of day does not."""
_OFFSET = r"[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[-+]\d{2}:?(?:\d{2})?)$"
_UTC = {"Z", "+00:00", "+0000", "+00"}
_SERIAL = re.compile(r"[34]\d{4}(\.\d+)?")
_REGULAR = 0.9
"""Share of equal steps above which an order of day and month is believed."""


class TimeColumns:
    """Which columns of a plain table hold its time.

    Attributes
    ----------
    parts : mapping of str to str
        Column of `year`, `month`, `day`, `doy`, `hour`, `minute`; beside a column of dates only the latter two.
    stamps : tuple of str
        Column of dates, and perhaps one of the time of day beside it.
    ends : bool
        Whether the file says that they mark the end of a step.
    """

    def __init__(self, content: Content) -> None:
        """Find them.

        Raises
        ------
        TowerFormatError
            If there is neither a column of dates nor a year with a month or day of the year.
        """
        lower = {column.lower(): column for column in reversed(content.header)}
        found = [lower[name] for name in _STAMPS if name in lower]
        self.stamps: tuple[str, ...] = (lower["date"], lower["time"]) if {"date", "time"} <= set(lower) else ()
        self.stamps = self.stamps or tuple(found[:1])
        self.ends = self.stamps[:1] == ("TIMESTAMP_END",) or {"date", "time", "DOY", "daytime"} <= set(content.header)
        parts = {part: next((lower[n] for n in names if n in lower), "") for part, names in _PARTS.items()}
        parts = {part: column for part, column in parts.items() if column}
        if "mm" in lower and not {"month", "minute"} <= set(parts):
            parts["minute" if "month" in parts else "month"] = lower["mm"]
        if "year" in parts and "day" in parts and not {"month", "doy"} & set(parts):
            parts["doy"] = parts.pop("day")
        dated = any(_DATED.search(content.first_value(column)) for column in self.stamps)
        if not dated and "year" in parts and {"month", "doy"} & set(parts):
            if "hour" not in parts and "time" in lower:
                parts["hour"] = lower["time"]
            self.stamps, self.parts = (), parts
        elif not self.stamps:
            raise TowerFormatError(
                f"{content.where}: expected TIMESTAMP_START or TIMESTAMP, columns year and month (and day, hour, "
                f"minute) or year and DoY, or a column time, got {list(content.header[:8])}"
            )
        else:
            of_day = "hour" in parts and len(self.stamps) == 1
            self.parts = {part: parts[part] for part in ("hour", "minute") if of_day and part in parts}


def plain_clock(content: Content, raw: pd.DataFrame, columns: TimeColumns, *, zone: bool = False) -> Clock:
    """Read the time of the rows of one site.

    Parameters
    ----------
    content : Content
        The file.
    raw : pandas.DataFrame
        Rows of one site.
    columns : TimeColumns
        Where its time stands.
    zone : bool
        Whether stamps may name a zone, which is left out: R and REddyProc write Z behind local standard time.

    Raises
    ------
    TowerFormatError
        If a time is malformed, ambiguous, repeated or out of order, or the step is none of HH, HR, DD, WW, MM.
    """
    start = _from_stamps(content, raw, columns) if columns.stamps else _from_parts(content, raw, columns.parts)
    if start.tz is not None and not zone:
        raise TowerFormatError(
            f"{content.where}: expected local standard time without a zone, got {start.tz}; with light and a table of "
            "sites the zone is left out and the hours are compared with the sun"
        )
    start = start.tz_localize(None)
    if (wrong := np.asarray(start.isna())).any():
        row = int(wrong.argmax())
        got = " ".join(str(raw[column].iloc[row]) for column in (*columns.parts.values(), *columns.stamps))
        serial = " (a serial number of a spreadsheet? write dates as text)" if _SERIAL.fullmatch(got) else ""
        raise TowerFormatError(
            f"{content.at(int(raw.index[row]))}: expected a calendar date like 2015-01-31, got {got!r}{serial}"
        )
    lengths = np.diff(start.to_numpy()) / np.timedelta64(1, "m")
    length = float(np.median(np.abs(lengths))) if lengths.size else 43200.0
    if not columns.stamps and not {"day", "doy"} & set(columns.parts):
        step = "MM"
    else:
        step = next((s for s, minutes in MINUTES.items() if minutes == length), "MM" if length >= 40320 else "")
    if not step:
        read = [*columns.parts.values(), *columns.stamps]
        raise TowerFormatError(
            f"{content.where}: expected a step of 30 min, 1 h, 1 d, 7 d or 1 month, got {length:g} min; "
            f"the time was read from {', '.join(read)}"
        )
    start = _starts(start, step, ends=columns.ends)
    check_series(content, start, step, gaps=True, rows=raw.index.to_numpy())
    return Clock(start, step)


def _from_parts(content: Content, raw: pd.DataFrame, parts: Mapping[str, str]) -> pd.DatetimeIndex:
    """Join year, month and day, or year and day of the year, with hour and minute; an hour of 24 ends the day."""
    import pandas as pd

    number = {part: content.numbers(raw[column]) for part, column in parts.items() if part in ("year", "doy", "day")}
    date = pd.DataFrame({"year": number["year"], "month": 1, "day": 1})
    if "month" in parts:
        date["month"], date["day"] = _month(content, raw[parts["month"]]), number.get("day", 1)
    whole = date.where(np.isfinite(date) & (date % 1 == 0))
    start = pd.to_datetime(whole, errors="coerce")
    if "month" not in parts:
        start = start + pd.to_timedelta(number["doy"] // 1 - 1, unit="D")
    return pd.DatetimeIndex(start + _of_day(content, raw, parts))


def _month(content: Content, column: pd.Series) -> pd.Series:
    """Return the numbers of months, which may stand by name."""
    import pandas as pd

    named = pd.to_datetime(column.astype("str").str.strip().str[:3], format="%b", errors="coerce")
    return content.numbers(column) if named.isna().any() else named.dt.month.astype(float)


def _of_day(content: Content, raw: pd.DataFrame, parts: Mapping[str, str]) -> pd.TimedeltaIndex:
    """Return the time of the day, of hours and minutes, decimal hours, 1530 or 15:30."""
    import pandas as pd

    if "hour" not in parts:
        return pd.TimedeltaIndex(np.zeros(len(raw), dtype="m8[s]"))
    column = raw[parts["hour"]]
    text = column.astype("str").str.strip()
    if text.iloc[:1].str.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?").all():
        return pd.TimedeltaIndex(pd.to_timedelta(text.where(text.str.count(":") == 2, text + ":00"), errors="coerce"))
    hour: pd.Series = content.numbers(column)
    minute = content.numbers(raw[parts["minute"]]) if "minute" in parts else 0.0
    if ((hour > 100.0) & (hour % 100.0 < 60.0)).any() and "minute" not in parts:
        hour, minute = hour // 100.0, hour % 100.0
    return pd.TimedeltaIndex(pd.to_timedelta(((hour * 60.0 + minute) * 60.0).round(), unit="s"))


def _from_stamps(content: Content, raw: pd.DataFrame, columns: TimeColumns) -> pd.DatetimeIndex:
    """Join a column of dates with the time of the day beside it, if there is one."""
    import pandas as pd

    text = raw[columns.stamps[0]].str.strip()
    if len(columns.stamps) == 2:
        clock = raw[columns.stamps[1]].str.strip()
        text = text + " " + clock if clock.str.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?").all() else clock
    late = text.str.contains(_MIDNIGHT, na=False).to_numpy()
    if late.any():
        text = text.str.replace(_MIDNIGHT, "00", regex=True)
    start = _dates(content, text.rename(columns.stamps[0]), within_days=bool(columns.parts))
    start = start + pd.TimedeltaIndex(late.astype("m8[D]").astype("m8[s]")) if late.any() else start
    if columns.parts and start.has_duplicates and start.equals(start.normalize()):
        start = start + _of_day(content, raw, columns.parts)
    return start


def _dates(content: Content, text: pd.Series, *, within_days: bool) -> pd.DatetimeIndex:
    """Read dates, ISO 8601 or in the order that gives a rising, regular time; `within_days` each may come again."""
    import pandas as pd

    offsets = text.str.extract(_OFFSET)[0].dropna().unique()
    if len(offsets) and len(offsets) <= 2 and not set(offsets) <= _UTC:
        return _standard(text, sorted(offsets, key=_hours))
    start = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=len(offsets) > 0)
    if not start.isna().all():
        return pd.DatetimeIndex(start)
    whole = text.str.len().max()
    text = text.where((text.str.len() > 10) | (whole <= 10), text + " 00:00")  # R leaves out midnight
    readings = []
    sample = text.iloc[np.linspace(0, len(text) - 1, min(len(text), 200)).astype(int)]
    for form in (*(days + hours for days, hours in product(_DAYS, _HOURS)), *_DIGITS, *_MONTHS):
        if pd.to_datetime(sample, errors="coerce", format=form).isna().any():
            continue
        found = pd.to_datetime(text, errors="coerce", format=form)
        if not found.isna().any():
            readings.append((form, pd.DatetimeIndex(found)))
    if not readings:
        return pd.DatetimeIndex(pd.to_datetime(text, errors="coerce", format="mixed") if _one_wrong(text) else start)
    regular = [_regularity(times.unique() if within_days else times) for _, times in readings]
    best = max(regular)
    kept = [reading for reading, r in zip(readings, regular, strict=True) if r == best or best < _REGULAR]
    if len(kept) > 1 and any(not times.equals(kept[0][1]) for _, times in kept):
        orders = " or ".join(form for form, _ in kept)
        raise TowerFormatError(
            f"{content.where}: {text.name}: expected dates of one order, got {text.iloc[0]!r}, which may be {orders}; "
            "write dates as 2015-01-31"
        )
    return kept[0][1]


def _standard(text: pd.Series, offsets: Sequence[str]) -> pd.DatetimeIndex:
    """Return the time of the first of the offsets from UTC that the stamps name; summer time has the second."""
    import pandas as pd

    start = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
    return pd.DatetimeIndex(start).tz_localize(None) + pd.Timedelta(hours=_hours(offsets[0]))


def _hours(offset: str) -> float:
    sign, digits = (-1.0 if offset[0] == "-" else 1.0), offset[1:].replace(":", "")
    return sign * (float(digits[:2]) + float(digits[2:] or 0) / 60.0) if digits else 0.0


def _one_wrong(text: pd.Series) -> bool:
    """Return whether most texts look like dates, so that single ones are at fault."""
    return bool(text.str.fullmatch(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*").mean() > 0.5)


def _regularity(times: pd.DatetimeIndex) -> float:
    """Return the share of steps of one length, those of months taken as one; 0 where times do not rise."""
    lengths = np.diff(times.to_numpy()).astype("m8[m]").astype(float)
    if not lengths.size:
        return 1.0
    if lengths.min() <= 0:
        return 0.0
    months = (lengths >= 40320) & (lengths <= 44640)
    return float(max(months.mean(), (lengths == np.median(lengths)).mean()))


def _starts(stamps: pd.DatetimeIndex, step: str, *, ends: bool) -> pd.DatetimeIndex:
    """Return the start of each step, of stamps that may be those of its middle or, over whole days, its end."""
    import pandas as pd

    if step not in ("HH", "HR"):
        return stamps
    length = pd.Timedelta(minutes=MINUTES[step])
    offset = stamps[0] - stamps[0].floor(length)
    if offset == length / 2:
        return stamps - offset
    from_midnight = stamps[0] - stamps[0].floor("D")
    return stamps - length if ends or (from_midnight == length and stamps[-1] == stamps[-1].floor("D")) else stamps
