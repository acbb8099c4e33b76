"""The time axis of a dataset: its steps, the days and months they fall into, and the position of the sun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import RangeError, ShapeError
from gppcore.process.daylight import equation_of_time, hourly_cos_zenith

Float = NDArray[np.float64]
Time = NDArray[np.datetime64]

STEPS = ("hourly", "daily", "monthly")
LABELS = {"start": 0.5, "middle": 0.0, "end": -0.5}
_HOUR, _DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")


def steps_of(time: NDArray[Any], steps: str | None) -> str:
    """Return the kind of the time steps, checked against `steps` where that is given.

    Raises
    ------
    ShapeError
        If `time` is not of datetime64, does not increase, or its steps are not those of any kind.
    RangeError
        If `steps` is unknown, contradicts `time`, or is needed.
    """
    if time.dtype.kind != "M":
        raise ShapeError(f"time: expected a coordinate of datetime64, got {time.dtype}")
    if steps is not None and steps not in STEPS:
        raise RangeError(f"steps: expected one of {', '.join(STEPS)}, got {steps!r}")
    if time.size < 2:
        if steps is None or steps == "hourly":
            raise RangeError(f"steps: fewer than two times have no step, expected daily or monthly, got {steps}")
        return steps
    delta = np.diff(time)
    least, most = delta.min(), delta.max()
    found = None
    if least == most and np.timedelta64(0, "ns") < least <= _HOUR and _DAY % least == np.timedelta64(0, "ns"):
        found = "hourly"
    elif least == most == _DAY:
        found = "daily"
    elif 28 * _DAY <= least <= 31 * _DAY:
        found = "monthly"
    if found is None:
        shown = [str(d.astype("timedelta64[m]")) for d in (least, most)]
        raise ShapeError(
            "time: expected regular steps of 1 h (or a shorter part of a day) or 1 day, or steps of a month, "
            f"got steps of {shown[0]} to {shown[1]}"
        )
    if steps is not None and steps != found:
        raise RangeError(f"steps: expected {found}, which the steps of time are, got {steps}")
    return found


@dataclass(frozen=True)
class Hours:
    """Time steps of an hour or less, arranged in whole days.

    Attributes
    ----------
    days : ndarray of datetime64[D], shape (days,)
        The days, of the time in which the dataset is given.
    per_day : int
        Steps in a day.
    lead : int
        Steps missing at the start of the first day.
    n : int
        Steps.
    day_of_year, hour_angle : ndarray, shape (n,)
        Of the middle of each step, as :func:`gppcore.process.daylight.hourly_cos_zenith` takes them.
    local : bool
        Whether time is local solar time, which makes longitude irrelevant.
    """

    days: Time
    per_day: int
    lead: int
    n: int
    day_of_year: Float
    hour_angle: Float
    local: bool

    @classmethod
    def read(cls, time: Time, reference: str | float | None, label: str | None) -> Hours:
        """Make the hours of a regular time axis; `reference` and `label` as in :func:`simulate`."""
        if label not in LABELS:
            raise RangeError(f"time_label: expected start, middle or end with hourly forcing, got {label!r}")
        number = isinstance(reference, (int, float)) and not isinstance(reference, bool)
        if not (reference in ("utc", "local_solar") or (number and -14 <= float(reference or 0) <= 14)):
            raise RangeError(
                "time_reference: expected utc, local_solar, or the hours (-14 to 14) that local time is ahead of UTC, "
                f"with hourly forcing, got {reference!r}"
            )
        time = time.astype("M8[ns]")
        step = time[1] - time[0]
        middle = time + np.timedelta64(round(LABELS[label] * step.astype(np.int64)), "ns")
        first = middle[0].astype("M8[D]")
        ahead = float(reference) if number and reference is not None else 0.0
        solar = middle - np.timedelta64(round(ahead * 3600), "s")
        day = (solar - solar.astype("M8[Y]")) / _DAY + 0.5
        hour = (solar - solar.astype("M8[D]")) / _HOUR
        local = reference == "local_solar"
        if not local:
            hour = hour + equation_of_time(day)
        return cls(
            days=np.arange(first, middle[-1].astype("M8[D]") + _DAY),
            per_day=int(_DAY // step),
            lead=int((middle[0] - first) // step),
            n=time.size,
            day_of_year=day,
            hour_angle=(hour - 12.0) * (np.pi / 12.0),
            local=local,
        )

    def cos_zenith(self, lat: Float, lon: Float | None, steps: slice) -> Float:
        """Return the cosine of the zenith angle, shape (steps, cells)."""
        if self.local or lon is None:
            lon = np.zeros_like(lat)
        return hourly_cos_zenith(lat, lon, self.day_of_year[steps], self.hour_angle[steps])

    def steps_in(self, days: slice) -> slice:
        """Return the steps that fall into a slice of days."""
        return slice(max(days.start * self.per_day - self.lead, 0), min(days.stop * self.per_day - self.lead, self.n))

    def by_day(self, values: Float, days: slice) -> Float:
        """Lay the values of the steps in `days`, shape (steps, n), as (days, per_day, n); NaN for missing steps."""
        n = days.stop - days.start
        if len(values) == n * self.per_day:
            return values.reshape(n, self.per_day, values.shape[1])
        full = np.full((n * self.per_day, values.shape[1]), np.nan)
        start = self.steps_in(days).start + self.lead - days.start * self.per_day
        full[start : start + len(values)] = values
        return full.reshape(n, self.per_day, values.shape[1])

    def repeat(self, daily: Float, days: slice) -> Float:
        """Repeat the values of days, shape (days, n), for the steps in them."""
        steps = self.steps_in(days)
        start = steps.start + self.lead - days.start * self.per_day
        repeated: Float = np.repeat(daily, self.per_day, axis=0)
        return repeated[start : start + steps.stop - steps.start]


def mean_of_steps(values: Float) -> Float:
    """Return the mean over axis 1 of (days, steps, n); the order of the sum does not depend on n."""
    total = np.zeros((values.shape[0], values.shape[2]))
    for k in range(values.shape[1]):
        total += values[:, k]
    mean: Float = total / values.shape[1]
    return mean


def months_of(days: Time) -> tuple[Time, NDArray[np.intp], NDArray[np.bool_]]:
    """Return the months of consecutive days, the month that each day falls into, and which months are whole."""
    month = days.astype("M8[M]")
    months, index, count = np.unique(month, return_inverse=True, return_counts=True)
    length = (((months + np.timedelta64(1, "M")).astype("M8[D]") - months.astype("M8[D]")) / _DAY).astype(int)
    return months, index, count == length


def monthly_means(daily: Float, days: Time) -> Float:
    """Return means over months, shape (..., months, n), of daily values (..., days, n); NaN for incomplete months."""
    months, index, whole = months_of(days)
    count = np.bincount(index)
    out = np.zeros((*daily.shape[:-2], months.size, daily.shape[-1]))
    for day, month in enumerate(index):
        out[..., month, :] += daily[..., day, :]
    out /= count[:, None]
    out[..., ~whole, :] = np.nan
    return out


def day_of_year(time: Time) -> Float:
    """Return the day of the year of dates, 1 to 366."""
    day = time.astype("M8[D]")
    since: Float = (day - day.astype("M8[Y]")) / _DAY + 1.0
    return since
