"""Conversion of humidity variables to vapour pressure or vapour pressure deficit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gppcore.process.daylight import (
    mid_month_day,
    saturation_vapour_pressure,
    sunset_hour_angle,
    temperature_at,
)

Float = NDArray[np.float64]

HUMIDITIES = ("rh", "vpd", "specific_humidity", "dewpoint")
"""Variables of which a dataset has exactly one; `specific_humidity` needs `patm`."""
_WATER_TO_AIR = 0.622  # ratio of the molar masses
_HOURS = np.arange(0.5, 24.0)
_NODES = np.polynomial.legendre.leggauss(8)
"""Of daylight, from -1 at sunrise to 1 at sunset."""


def deficit(humidity: Mapping[str, Float], tair: Float) -> Float:
    """Return the vapour pressure deficit [Pa], at least 0, of air at `tair` [degC].

    Parameters
    ----------
    humidity : mapping of str to ndarray
        One of `HUMIDITIES`, with `patm` where it is needed; of the time of `tair`.
    tair : ndarray
        Air temperature [degC].
    """
    if "vpd" in humidity:
        return humidity["vpd"]
    saturated = saturation_vapour_pressure(tair)
    if "rh" in humidity:
        dry: Float = saturated * np.maximum(1.0 - 0.01 * humidity["rh"], 0.0)
        return dry
    missing: Float = np.maximum(saturated - _vapour_pressure(humidity), 0.0)
    return missing


def of_days(humidity: Mapping[str, Float], tair: Float, tair_range: Float) -> dict[str, Float]:
    """Return the argument `vpd` or `vapour_pressure` of the reconstructed day from means over the day.

    Parameters
    ----------
    humidity : mapping of str to ndarray, shape (n,)
        One of `HUMIDITIES`; `vpd` is a mean over daylight, the others over 24 hours.
    tair, tair_range : ndarray, shape (n,)
        Mean and range of air temperature [degC].

    Notes
    -----
    With a constant vapour pressure e, the mean relative humidity is e times the mean of 1 / saturation pressure.
    """
    if "vpd" in humidity:
        return {"vpd": humidity["vpd"]}
    if "rh" in humidity:
        inverse = np.zeros_like(tair)
        for hour in _HOURS:
            inverse += 1.0 / saturation_vapour_pressure(temperature_at(hour, tair, tair_range))
        return {"vapour_pressure": 0.01 * humidity["rh"] * len(_HOURS) / inverse}
    return {"vapour_pressure": _vapour_pressure(humidity)}


def daylight_deficit(vapour_pressure: Float, tair: Float, tair_range: Float, lat: Float) -> Float:
    """Return the vapour pressure deficit of daylight, mean from sunrise to sunset at the middle of the month [Pa].

    Parameters
    ----------
    vapour_pressure : ndarray, shape (months, n)
        Vapour pressure [Pa], constant over the day.
    tair, tair_range : ndarray, shape (months, n)
        Mean and range of air temperature [degC]; the months are those of whole years from January on.
    lat : ndarray, shape (n,)
        Latitude [degrees north]; in the polar night the deficit is that of noon.
    """
    deficit = np.empty(tair.shape)
    for month in range(12):
        part, day = slice(month, None, 12), mid_month_day(month + 1)
        deficit[part] = deficit_of_daylight(vapour_pressure[part], tair[part], tair_range[part], lat, day)
    return deficit


def deficit_of_daylight(
    vapour_pressure: Float, tair: Float, tair_range: Float, lat: Float, day: float | Float
) -> Float:
    """Return the mean deficit from sunrise to sunset of days [Pa], as :func:`daylight_deficit` does of months.

    Parameters
    ----------
    vapour_pressure, tair, tair_range : ndarray
        As there, of one shape.
    lat, day : ndarray or float
        Latitude [degrees north] and day of the year, which broadcast to that shape.
    """
    half_day = sunset_hour_angle(lat, day) * (12.0 / np.pi)
    total = np.zeros(tair.shape)
    for node, weight in zip(*_NODES, strict=True):
        air = temperature_at(12.0 + node * half_day, tair, tair_range)
        total += 0.5 * weight * np.maximum(saturation_vapour_pressure(air) - vapour_pressure, 0.0)
    return total


def _vapour_pressure(humidity: Mapping[str, Float]) -> Float:
    if "dewpoint" in humidity:
        return saturation_vapour_pressure(humidity["dewpoint"])
    q = humidity["specific_humidity"]
    pressure: Float = q * humidity["patm"] / (_WATER_TO_AIR + (1.0 - _WATER_TO_AIR) * q)
    return pressure
