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

_STAMPS = ("time", "date", "datetime", "timestamp", "date time", "date_time")
_PARTS = {
    "year": ("year", "yr", "yyyy"),
    "month": ("month", "mo", "mon"),
    "day": ("day", "dom", "day_of_month"),
    "doy": ("doy", "day_of_year", "dayofyear", "yday", "julian_day", "jday"),
    "hour": ("hour", "hr", "hh"),
    "minute": ("minute", "min"),
}
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y")
_HOURS = (" %H:%M", "", " %H:%M:%S", " %I:%M %p")
_DIGITS = ("%Y%m%d%H%M", "%Y%m%d %H:%M", "%Y%m%d", "%Y%m")
_SERIAL = re.compile(r"[34]\d{4}(\.\d+)?")
_REGULAR = 0.9
"""Share of equal steps above which an order of day and month is believed."""


class TimeColumns:
    """Which columns of a plain table hold its time.

    Attributes
    ----------
    parts : mapping of str to str
        Column of `year`, `month`, `day`, `doy`, `hour`, `minute`.
    stamps : tuple of str
        Column of dates, and perhaps one of the time of day beside it.
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
        with_time = [lower["date"], lower["time"]] if {"date", "time"} <= set(lower) else found[:1]
        parts = {part: next((lower[n] for n in names if n in lower), "") for part, names in _PARTS.items()}
        self.parts: Mapping[str, str] = {part: column for part, column in parts.items() if column}
        if "year" in self.parts and ({"month", "doy"} & set(self.parts)):
            with_time = []
            if "doy" in self.parts and "hour" not in self.parts and "time" in lower:  # La Thuile
                self.parts = {**self.parts, "hour": lower["time"]}
        elif not with_time:
            raise TowerFormatError(
                f"{content.where}: expected TIMESTAMP_START or TIMESTAMP, columns year and month (and day, hour, "
                f"minute) or year and DoY, or a column time, got {list(content.header[:8])}"
            )
        else:
            self.parts = {}
        self.stamps: tuple[str, ...] = tuple(with_time)


def plain_clock(content: Content, raw: pd.DataFrame, columns: TimeColumns) -> Clock:
    """Read the time of the rows of one site.

    Raises
    ------
    TowerFormatError
        If a time is malformed, ambiguous, repeated or out of order, or the step is none of HH, HR, DD, WW, MM.
    """
    start = _from_parts(content, raw, columns.parts) if columns.parts else _from_stamps(content, raw, columns.stamps)
    if start.tz is not None:
        raise TowerFormatError(f"{content.where}: expected local standard time without a zone, got {start.tz}")
    if (wrong := np.asarray(start.isna())).any():
        row = int(wrong.argmax())
        got = " ".join(str(raw[column].iloc[row]) for column in (*columns.parts.values(), *columns.stamps))
        serial = " (a serial number of a spreadsheet? write dates as text)" if _SERIAL.fullmatch(got) else ""
        raise TowerFormatError(
            f"{content.at(int(raw.index[row]))}: expected a calendar date like 2015-01-31, got {got!r}{serial}"
        )
    lengths = np.diff(start.to_numpy()) / np.timedelta64(1, "m")
    length = float(np.median(np.abs(lengths))) if lengths.size else 43200.0
    if columns.parts and not {"day", "doy"} & set(columns.parts):
        step = "MM"
    else:
        step = next((s for s, minutes in MINUTES.items() if minutes == length), "MM" if length >= 40320 else "")
    if not step:
        read = [*columns.parts.values(), *columns.stamps]
        raise TowerFormatError(
            f"{content.where}: expected a step of 30 min, 1 h, 1 d, 7 d or 1 month, got {length:g} min; "
            f"the time was read from {', '.join(read)}"
        )
    start = _starts(start, step, ends={"date", "time", "DOY", "daytime"} <= set(content.header))  # EddyPro
    check_series(content, start, step, gaps=True, rows=raw.index.to_numpy())
    return Clock(start, step)


def _from_parts(content: Content, raw: pd.DataFrame, parts: Mapping[str, str]) -> pd.DatetimeIndex:
    """Join year, month and day, or year and day of the year, with hour and minute; an hour of 24 ends the day."""
    import pandas as pd

    number = {part: content.numbers(raw[column]) for part, column in parts.items()}
    date = pd.DataFrame({"year": number["year"], "month": number.get("month", 1), "day": 1})
    if "month" in number:
        date["day"] = number.get("day", 1)
    whole = date.where(np.isfinite(date) & (date % 1 == 0))
    start = pd.to_datetime(whole, errors="coerce")
    if "month" not in number:
        start = start + pd.to_timedelta(number["doy"] // 1 - 1, unit="D")
    if "hour" in number:
        hour, minute = number["hour"], number.get("minute", 0.0)
        if ((hour > 100.0) & (hour % 100.0 < 60.0)).any() and "minute" not in number:
            hour, minute = hour // 100.0, hour % 100.0  # 1530 is half past three
        start = start + pd.to_timedelta(((hour * 60.0 + minute) * 60.0).round(), unit="s")
    return pd.DatetimeIndex(start)


def _from_stamps(content: Content, raw: pd.DataFrame, columns: Sequence[str]) -> pd.DatetimeIndex:
    """Read one column of dates, ISO 8601 or in the order that alone gives a rising, regular time."""
    import pandas as pd

    text = raw[columns[0]].str.strip()
    if len(columns) == 2:
        clock = raw[columns[1]].str.strip()
        text = text + " " + clock if clock.str.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?").all() else clock
    start = pd.to_datetime(text, errors="coerce", format="ISO8601")
    if not start.isna().all():
        return pd.DatetimeIndex(start)
    whole = text.str.len().max()
    text = text.where((text.str.len() > 10) | (whole <= 10), text + " 00:00")  # R leaves out midnight
    readings = []
    for form in (*(days + hours for days, hours in product(_DAYS, _HOURS)), *_DIGITS):
        found = pd.to_datetime(text, errors="coerce", format=form)
        if not found.isna().any():
            readings.append((form, pd.DatetimeIndex(found)))
    if not readings:
        return pd.DatetimeIndex(pd.to_datetime(text, errors="coerce", format="mixed") if _one_wrong(text) else start)
    regular = [_regularity(times) for _, times in readings]
    best = max(regular)
    kept = [reading for reading, r in zip(readings, regular, strict=True) if r == best or best < _REGULAR]
    if len(kept) > 1 and any(not times.equals(kept[0][1]) for _, times in kept):
        orders = " or ".join(form for form, _ in kept)
        raise TowerFormatError(
            f"{content.where}: {columns[0]}: expected dates of one order, got {text.iloc[0]!r}, which may be {orders}; "
            "write dates as 2015-01-31"
        )
    return kept[0][1]


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
