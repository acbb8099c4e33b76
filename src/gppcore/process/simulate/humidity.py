"""Conversion of humidity variables to vapour pressure or vapour pressure deficit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gppcore.process.daylight import saturation_vapour_pressure, temperature_at

Float = NDArray[np.float64]

HUMIDITIES = ("rh", "vpd", "specific_humidity", "dewpoint")
"""Variables of which a dataset has exactly one; `specific_humidity` needs `patm`."""
_WATER_TO_AIR = 0.622  # ratio of the molar masses
_HOURS = np.arange(0.5, 24.0)


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


def _vapour_pressure(humidity: Mapping[str, Float]) -> Float:
    if "dewpoint" in humidity:
        return saturation_vapour_pressure(humidity["dewpoint"])
    q = humidity["specific_humidity"]
    pressure: Float = q * humidity["patm"] / (_WATER_TO_AIR + (1.0 - _WATER_TO_AIR) * q)
    return pressure
