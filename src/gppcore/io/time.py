"""Time steps of foreign files: the calendar month of each, by the middle of its bounds, and its duration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gppcore.errors import ProductFormatError
from gppcore.io.cf import axes, bounds
from gppcore.io.sources import Source
from gppcore.variables import DAYS_IN_MONTH, MONTHS

if TYPE_CHECKING:
    import xarray as xr

_YEAR_DAYS = 300.0
"""Duration from which a step is a year."""


class Step(NamedTuple):
    """A time step of a file.

    Attributes
    ----------
    year : int or None
        Calendar year; None where the file does not state one.
    month : int
        Calendar month, 1 to 12, that holds the middle of the step; 0 for an annual mean.
    days : float
        Duration [d].
    month_days : float
        Days of that month in the calendar of the file.
    """

    year: int | None
    month: int
    days: float
    month_days: float


def time_steps(ds: xr.Dataset, data: xr.DataArray, *, annual: bool = False, undated: bool = False) -> tuple[Step, ...]:
    """Return the time steps of a variable along its dimension besides latitude and longitude.

    Parameters
    ----------
    ds : xarray.Dataset
        The file, with bounds.
    data : xarray.DataArray
        A variable of it with at most one dimension besides latitude and longitude.
    annual : bool, default False
        Whether a single step without bounds is a year.
    undated : bool, default False
        Whether twelve steps without a coordinate are the months of a mean year.

    Raises
    ------
    ProductFormatError
        If the steps are neither CF times nor the calendar months 1 to 12.
    """
    dims = [dim for dim in data.dims if dim not in axes(data)]
    if not dims and "time" not in data.coords:
        return (Step(None, 0, 365.25, 365.25),)
    time = _time_of(data, dims)
    if undated and time is None and dims and dims[0] not in data.coords and data.sizes[dims[0]] == MONTHS:
        return tuple(_mean_month(month) for month in range(1, MONTHS + 1))
    if time is None:
        raise ProductFormatError(
            f"{data.name}: expected CF times, or a coordinate `month` from 1 to 12, got neither; state `units` and "
            "`calendar` of the time coordinate, for instance with `ncatted`"
        )
    values = np.atleast_1d(time.values)
    if time.dtype.kind in "iuf":
        return tuple(_mean_month(int(month)) for month in values)
    pairs = bounds(ds, time) if time.ndim else _single_bounds(ds, time)
    if pairs is not None:
        middle = [low + (high - low) / 2 for low, high in pairs]
        days = [_days(high - low) for low, high in pairs]
    else:
        middle, days = list(values), _spacing(values, annual)
    return tuple(_step(when, length) for when, length in zip(middle, days, strict=True))


_YEAR_IN_NAME = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?=(?:[0-9]{3})?(?![0-9]))")
"""A year, alone or with the day of the year, as in ``MCD12C1.A2001001.061``."""


def yearly_steps(ds: xr.Dataset, data: xr.DataArray, source: Source) -> tuple[Step, ...]:
    """Return the steps of a variable that has at most one field a year, such as land cover.

    The year is that of the time; one field without a time has the year in the name of its file, or none.

    Raises
    ------
    ProductFormatError
        If there are several fields without times.
    """
    single = data.ndim == 2
    try:
        steps = time_steps(ds, data, annual=True)
    except ProductFormatError:
        if not single:
            raise
        steps = (Step(None, 0, 365.25, 365.25),)
    if single and steps[0].year is None:
        years = {int(year) for year in _YEAR_IN_NAME.findall(str(source).rpartition("/")[2])}
        steps = (steps[0]._replace(year=years.pop() if len(years) == 1 else None),)
    return tuple(step._replace(month=0) for step in steps)


_DAY_IN_NAME = re.compile(r"A((?:19|20)[0-9]{2})([0-9]{3})(?![0-9])")
_COMPOSITE = 8.0
"""Days of a composite of MODIS, VIIRS and GLASS."""


def day_in_name(source: Source) -> np.datetime64 | None:
    """Return the first day of a composite from the name of its file, as in ``MOD15A2H.A2001009.h18v04.nc``."""
    match = _DAY_IN_NAME.search(str(source).rpartition("/")[2])
    return np.datetime64(match[1], "D") + (int(match[2]) - 1) if match else None


def composite_steps(days: Sequence[np.datetime64]) -> list[Step]:
    """Return the steps of composites by their first days, sorted: each lasts until the next, or to the end of the year.

    Where a file is missing, the composite before it lasts as long as usual.
    """
    gaps = [_days(b - a) for a, b in pairwise(days)]
    usual = float(np.median(gaps)) if gaps else _COMPOSITE
    steps = []
    for number, day in enumerate(days):
        left = _days((day.astype("M8[Y]") + 1).astype("M8[D]") - day)
        known = gaps[number] if number < len(gaps) and gaps[number] < 1.5 * usual else usual
        steps.append(
            _step(day.astype("M8[s]") + np.timedelta64(int(43200.0 * min(known, left)), "s"), min(known, left))
        )
    return steps


def _mean_month(month: int) -> Step:
    days = float(DAYS_IN_MONTH[month - 1])
    return Step(None, month, days, days)


def _time_of(data: xr.DataArray, dims: list[Any]) -> xr.DataArray | None:
    """Return the coordinate that dates the steps: CF times, else calendar months as whole numbers."""
    wanted = tuple(dims[:1])
    for coordinate in sorted(data.coords.values(), key=lambda each: -each.ndim):
        if coordinate.dims not in (wanted, ()):
            continue
        dated = coordinate.dtype.kind == "M" or (coordinate.dtype.kind == "O" and _is_cftime(coordinate))
        if dated and (coordinate.dims or not dims):
            found: xr.DataArray = coordinate
            return found
    for coordinate in data.coords.values():
        whole = coordinate.dims == wanted and coordinate.dtype.kind in "iuf"
        if whole and str(coordinate.name).startswith(("month", "time")) and _are_months(coordinate):
            months: xr.DataArray = coordinate
            return months
    return None


def _are_months(coordinate: xr.DataArray) -> bool:
    plain = coordinate.attrs.get("units") in (None, "", "1", "month", "months")
    return plain and bool(np.isin(coordinate.values, np.arange(1, MONTHS + 1)).all())


def _is_cftime(coordinate: xr.DataArray) -> bool:
    first = next(iter(np.atleast_1d(coordinate.values).ravel()), None)
    return hasattr(first, "daysinmonth")


def _single_bounds(ds: xr.Dataset, time: xr.DataArray) -> Any:
    name = time.attrs.get("bounds", time.encoding.get("bounds"))
    return np.asarray(ds[name].values).reshape(1, 2) if name is not None and name in ds.variables else None


def _spacing(values: np.ndarray[Any, Any], annual: bool) -> list[float]:
    """Return the durations of steps without bounds: months where labels are months apart, else the usual distance."""
    if values.size == 1:
        return [365.25 if annual else _month_days(values[0])]
    usual = float(np.median([_days(b - a) for a, b in pairwise(values)]))
    if 25.0 <= usual <= 35.0:
        return [_month_days(when) for when in values]
    return [usual] * values.size


def _step(when: Any, days: float) -> Step:
    year, month = _year_month(when)
    return Step(year, 0 if days > _YEAR_DAYS else month, days, _month_days(when))


def _year_month(when: Any) -> tuple[int, int]:
    if isinstance(when, np.datetime64):
        months = int(when.astype("M8[M]").astype(int))
        return 1970 + months // MONTHS, months % MONTHS + 1
    return int(when.year), int(when.month)


def _month_days(when: Any) -> float:
    if isinstance(when, np.datetime64):
        first = when.astype("M8[M]")
        return _days((first + np.timedelta64(1, "M")).astype("M8[D]") - first.astype("M8[D]"))
    return float(when.daysinmonth)


def _days(span: Any) -> float:
    if isinstance(span, np.timedelta64):
        return float(span / np.timedelta64(1, "s")) / 86400.0
    return float(span.total_seconds()) / 86400.0
