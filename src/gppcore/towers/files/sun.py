"""Light of a record compared with the light at the top of the atmosphere, by time, place and season."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.errors import TowerFormatError
from gppcore.process import daylight
from gppcore.towers.files.columns import PER_DAY

Float = NDArray[np.float64]

_SHIFT = 0.6
"""Hours that the centre of the day may lie off: less than a wrong time zone, more than slopes and fog make."""
_CIVIL = (-1.2, 3.6)
"""Range of civil time zones about solar time [h]: the west of China keeps the time of its east."""


class Place(NamedTuple):
    """Position of a tower [degrees] and its standard time, hours ahead of UTC; NaN where unknown."""

    lat: float
    lon: float
    utc_offset: float = np.nan


def top_of_atmosphere(start: pd.DatetimeIndex, step: str, place: Place) -> Float:
    """Return shortwave at the top of the atmosphere [W m-2], the mean of each step.

    Without a known time zone, the one by longitude is taken: good for sums over days, not for hours.
    """
    lat = np.array(place.lat)
    if PER_DAY[step] == 1:
        middle = {"DD": 0.5, "WW": 3.5, "MM": 15.2}[step]
        return daylight.sw_toa(lat, start.day_of_year.to_numpy() + middle)
    zone = place.utc_offset if np.isfinite(place.utc_offset) else place.lon / 15.0
    hour = (start.hour + start.minute / 60.0).to_numpy() + 12.0 / PER_DAY[step]
    day = start.day_of_year.to_numpy() + hour / 24.0
    solar = hour - zone + place.lon / 15.0 + daylight.equation_of_time(day)
    cosine = daylight.cos_zenith(lat, day, (solar - 12.0) * (np.pi / 12.0))
    light: Float = daylight.normal_radiation(day) * np.maximum(cosine, 0.0)
    return light


def check_sun(table: pd.DataFrame, step: str, place: Place | None, where: str) -> None:
    """Refuse a record whose light does not fit its times or its place.

    Parameters
    ----------
    table : pandas.DataFrame
        By time in local standard time; `sw` and, where the file has it, `sw_toa` [W m-2].
    step : str
        HH, HR, DD, WW or MM.
    place : Place, optional
        Where the tower stands.
    where : str
        File, for messages.

    Raises
    ------
    TowerFormatError
        If the days are centred at another hour, light falls at night or exceeds that above the atmosphere, or the
        seasons are those of another latitude.
    """
    start = pd.DatetimeIndex(table.index)
    computed = pd.Series(top_of_atmosphere(start, step, place), start) if place else None
    stated = table.get("sw_toa")
    if place and stated is not None and computed is not None:
        _check_stated(stated, computed, step, place, where)
    toa = stated if stated is not None else computed
    if "sw" not in table or toa is None or not table["sw"].notna().any():
        return
    sw = table["sw"]
    exact = PER_DAY[step] == 1 or stated is not None or (place is not None and bool(np.isfinite(place.utc_offset)))
    if PER_DAY[step] > 1:
        _check_hours(sw, toa, step, (-_SHIFT, _SHIFT) if exact else _CIVIL, where)
    _check_seasons(sw, toa, step, place, where)
    if not exact:  # the hours of an unknown time zone are no measure, its days are
        sw, toa, step = sw.resample("D").mean(), toa[sw.notna()].resample("D").mean(), "DD"
    _check_bound(sw, toa.reindex(sw.index), step, where)


def _check_hours(sw: pd.Series, toa: pd.Series, step: str, allowed: tuple[float, float], where: str) -> None:
    """Compare the hour about which bright days are centred, month by month."""
    shift = _day_shift(sw, toa, step)
    off = (shift < allowed[0]) | (shift > allowed[1])
    years = pd.DatetimeIndex(shift.index).year.to_numpy()
    for year, months in off.groupby(years):
        if len(months) >= 3 and months.mean() >= 0.4:
            expected = f"days centred {allowed[0]:+.1f} to {allowed[1]:+.1f} h about the sun's"
            middle = shift[off & (years == year)].median()
            got = f"{middle:+.1f} h in {year} (another time zone, UTC or summer time?)"
            raise TowerFormatError(f"{where}: expected {expected}, got {got}")
    if allowed != _CIVIL:
        night = toa.rolling(3, center=True, min_periods=1).max() <= 0.0
        bright = (sw > 20.0)[night & sw.notna()]
        if len(bright) and bright.mean() > 0.02:
            got = f"more than 20 W m-2 in {bright.mean():.0%} of nights, first at {bright.idxmax()}"
            raise TowerFormatError(f"{where}: expected darkness while the sun is down, got {got}")


def _day_shift(sw: pd.Series, toa: pd.Series, step: str) -> pd.Series:
    """Return by month how much later [h] the bright days are centred than those above the atmosphere."""
    start = pd.DatetimeIndex(sw.index)
    slot = (start.hour * 60 + start.minute) / 1440.0
    month = start.to_period("M")
    known = sw.notna().to_numpy()
    keys = [month[known], slot[known]]
    bright = sw[known].groupby(keys).quantile(0.9).unstack().fillna(0.0).clip(lower=0.0)
    sun = toa[known].groupby(keys).quantile(0.9).unstack().fillna(0.0).clip(lower=0.0)
    turn = np.exp(2j * np.pi * bright.columns.to_numpy(float))
    centre = np.angle(bright.to_numpy() @ turn) - np.angle(sun.to_numpy() @ turn)
    shift = pd.Series((centre * 12.0 / np.pi + 12.0) % 24.0 - 12.0, pd.PeriodIndex(bright.index).to_timestamp())
    days = pd.Series(known, month).groupby(level=0).sum().loc[bright.index].to_numpy() / PER_DAY[step]
    # Polar nights have no centre of the day, and summers without one have a weak one.
    contrast = np.abs(sun.to_numpy() @ turn) / np.maximum(sun.to_numpy().sum(axis=1), 1e-9)
    enough = (days >= 10) & (bright.to_numpy().mean(axis=1) > 20.0) & (contrast > 0.3)
    return pd.Series(shift[enough])


def _check_stated(stated: pd.Series, computed: pd.Series, step: str, place: Place, where: str) -> None:
    """Compare the light above the atmosphere that the file states with that of the coordinates."""
    days = pd.DataFrame({"stated": stated, "computed": computed}).dropna()
    months = days.groupby(pd.DatetimeIndex(days.index).to_period("M")).mean()
    error = float(np.sqrt(((months["stated"] - months["computed"]) ** 2).mean()) / months["computed"].mean())
    if error > 0.1:
        got = f"one that differs by {error:.0%} (coordinates swapped, of wrong sign or of another site?)"
        raise TowerFormatError(f"{where}: expected SW_IN_POT of {place.lat:g}, {place.lon:g}, got {got}")
    if PER_DAY[step] > 1:
        allowed = (-_SHIFT, _SHIFT) if np.isfinite(place.utc_offset) else _CIVIL
        shift = float(_day_shift(stated, computed, step).median())
        if not allowed[0] <= shift <= allowed[1]:
            got = f"{shift:+.1f} h off (longitude of wrong sign, or another time zone?)"
            raise TowerFormatError(
                f"{where}: expected SW_IN_POT centred at noon of {place.lon:g} degrees east, got {got}"
            )


def _check_seasons(sw: pd.Series, toa: pd.Series, step: str, place: Place | None, where: str) -> None:
    """Refuse a latitude of the wrong sign; within the tropics and their monsoons, seasons of light are no evidence."""
    if place is None or abs(place.lat) < 24.0:
        return
    start = pd.DatetimeIndex(sw.index)
    other = pd.Series(top_of_atmosphere(start, step, place._replace(lat=-place.lat)), start)
    months = (
        pd.DataFrame({"sw": sw, "toa": toa, "other": other})
        .dropna()
        .groupby(start[sw.notna() & toa.notna()].to_period("M"))
        .mean()
    )
    if len(months) < 6:
        return
    r = months.corr()["sw"]
    if r["other"] > r["toa"] + 0.5:
        got = f"correlation {r['toa']:.2f}, and {r['other']:.2f} with those of {-place.lat:g}"
        raise TowerFormatError(f"{where}: expected the seasons of light of latitude {place.lat:g}, got {got}")


def _check_bound(sw: pd.Series, toa: pd.Series, step: str, where: str) -> None:
    """Refuse light above that at the top of the atmosphere in more than single bright gaps between clouds."""
    short = PER_DAY[step] > 1
    lit = sw.notna() & (toa > 100.0)
    over = (sw > (1.1 if short else 1.02) * toa + (30.0 if short else 8.0)) & lit
    if lit.any() and over.sum() > 0.02 * lit.sum():
        i = int(over.to_numpy().argmax())
        share = over.sum() / lit.sum()
        got = f"{sw.iloc[i]:.0f} of {toa.iloc[i]:.0f} W m-2 at {sw.index[i]}, and {share:.0%} of all above"
        raise TowerFormatError(f"{where}: expected SW_IN below the light at the top of the atmosphere, got {got}")
