"""Demonstration forcing, modelled from the temperature and precipitation of the embedded world.

Each function cites its published relation, but together they give a climate for demonstration,
not a science product. Arrays are (12, n): months, January first, by locations. NaN gives NaN at
that element.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pvlib
from numpy.typing import ArrayLike, NDArray

from gppcore.demo.world import linke_turbidity
from gppcore.errors import ShapeError
from gppcore.process.daylight import (
    cos_zenith,
    mid_month_day,
    normal_radiation,
    saturation_vapour_pressure,
    sunset_hour_angle,
    sw_toa,
)
from gppcore.process.soil_water import potential_evaporation
from gppcore.variables import DAYS_IN_MONTH, check_range

Floats = NDArray[np.float64]

ANGSTROM = (0.25, 0.50)
"""Share of the shortwave that passes an overcast sky, and that full sunshine adds (FAO-56 eq. 35)."""

HARGREAVES_K = 0.16
"""Hargreaves coefficient of inland places, K-0.5 (FAO-56 eq. 50)."""

HIGHEST_EVAPORATIVE_RATIO = 0.2
"""Daily potential evapotranspiration over annual precipitation, d-1, at which the dew point is capped."""

NDVI_OF_BARE_SOIL = 0.05
"""NDVI at which no light is intercepted (Fisher et al. 2008)."""

HIGHEST_INTERCEPTION = 0.95
"""Intercepted fraction of PAR at which NDVI saturates; limits leaf area index to 6.0."""

EXTINCTION = 0.5
"""Extinction coefficient of PAR in the canopy (Fisher et al. 2008)."""

FIRST_RANGE = 10.0
"""Diurnal temperature range, K, at which the humidity-cloud iteration starts."""

ITERATIONS = 8
"""Steps of the humidity-cloud iteration."""

NODES_PER_HALF_DAY = 5
"""Gauss-Legendre nodes between noon and sunset; the daily mean is then right to 0.1 %."""

_MID_MONTH_DAYS = np.array([[mid_month_day(month)] for month in range(1, 13)])
_MODELLED = ("sw", "sw_toa", "tair_range", "vpd", "relative_gsi", "cloud_fraction")
_BLOCK = 4096  # locations whose fields fit into the processor's cache
_TRACE = 1e-6  # mm, avoids division by zero without precipitation
_KELVIN = 273.15


def day_length(lat: ArrayLike) -> Floats:
    """Length of the day at the middle of each month.

    Parameters
    ----------
    lat : array_like (n,)
        Latitude, -90 to 90 degrees.

    Returns
    -------
    array (12, n)
        Hours, 0 to 24; from the sunset hour angle of FAO-56 eq. 25 and 34 (Allen et al. 1998).
    """
    return 24 / np.pi * sunset_hour_angle(np.asarray(lat, dtype=np.float64), _MID_MONTH_DAYS)


def clear_sky_sw(lat: ArrayLike, turbidity: ArrayLike) -> Floats:
    """Daily-mean shortwave under a clear sky at sea level at the middle of each month.

    Parameters
    ----------
    lat : array_like (n,)
        Latitude, -90 to 90 degrees.
    turbidity : array_like (12, n)
        Linke turbidity, 1 or more.

    Returns
    -------
    array (12, n)
        W m-2; Ineichen & Perez (2002) as in pvlib, air mass of Kasten & Young (1989), integrated over
        the hour angle from noon to sunset by Gauss-Legendre quadrature.
    """
    turbidity = np.asarray(turbidity, dtype=np.float64)
    lat = np.asarray(lat, dtype=np.float64)
    sunset, normal = sunset_hour_angle(lat, _MID_MONTH_DAYS), normal_radiation(_MID_MONTH_DAYS)
    total = np.zeros(sunset.shape)
    for node, weight in zip(*np.polynomial.legendre.leggauss(NODES_PER_HALF_DAY), strict=True):
        mu = cos_zenith(lat, _MID_MONTH_DAYS, sunset * (node + 1) / 2)
        # Air mass is undefined in polar night, but its weight is zero: any angle above the horizon works.
        zenith = np.minimum(np.degrees(np.arccos(np.clip(mu, -1, 1))), 89.99)
        airmass = pvlib.atmosphere.get_relative_airmass(zenith)
        sky = pvlib.clearsky.ineichen(zenith, airmass, turbidity, altitude=0, dni_extra=normal)
        total += weight * sky["ghi"]
    return total * sunset / (2 * np.pi)


def cloud_fraction(vapour_pressure: ArrayLike, precip_month_mm: ArrayLike) -> Floats:
    """Monthly cloudiness from humidity and precipitation.

    Parameters
    ----------
    vapour_pressure : array_like
        Pa, above 0.
    precip_month_mm : array_like
        Precipitation, mm per month, 0 or more.

    Returns
    -------
    array
        0 (clear) to 1; Nikolov & Zeller (1992), Ecol. Model. 61:149-168: 10 - 1.155 (e/P)^0.5 tenths.
    """
    ratio = np.asarray(vapour_pressure) / np.maximum(precip_month_mm, _TRACE)
    return np.clip(1 - 0.1155 * np.sqrt(ratio), 0, 1)


def cloudy_share(cloud: ArrayLike) -> Floats:
    """Shortwave under clouds over its value at the top of the atmosphere, 1.

    FAO-56 eq. 35 (Allen et al. 1998) with the relative duration of sunshine taken as 1 - `cloud` (0-1).
    """
    return ANGSTROM[0] + ANGSTROM[1] * (1 - np.asarray(cloud))


def diurnal_range(cloud: ArrayLike) -> Floats:
    """Diurnal range of the air temperature from cloudiness.

    Parameters
    ----------
    cloud : array_like
        Cloud fraction, 0-1.

    Returns
    -------
    array
        K, 2.4 (overcast) to 22.0 (clear); Hargreaves & Samani's radiation formula solved for the range
        (FAO-56 eq. 50, Allen et al. 1998).
    """
    return (cloudy_share(cloud) / HARGREAVES_K) ** 2


def dew_point(tmin: ArrayLike, tair_range: ArrayLike, evaporative_ratio: ArrayLike) -> Floats:
    """Dew point from the daily minimum temperature and aridity.

    Parameters
    ----------
    tmin : array_like
        Daily minimum of the air temperature, degC.
    tair_range : array_like
        Diurnal range, K.
    evaporative_ratio : array_like
        Daily potential evapotranspiration over annual precipitation, d-1; used up to 0.2.

    Returns
    -------
    array
        degC, at most `tmin`; Kimball, Running & Nemani (1997), Agric. For. Meteorol. 85:87-98.
    """
    ratio = np.clip(evaporative_ratio, 0, HIGHEST_EVAPORATIVE_RATIO)
    aridity = 1.003 - ratio * (1.444 - ratio * (12.312 - 32.766 * ratio))
    share = -0.127 + 1.121 * aridity + 0.0006 * np.asarray(tair_range)
    return (np.asarray(tmin) + _KELVIN) * np.minimum(share, 1.0) - _KELVIN


def humidity_and_cloud(tair: Floats, precip: Floats, toa: Floats) -> tuple[Floats, Floats, Floats]:
    """Mutually consistent vapour pressure, cloud fraction and diurnal range.

    Humidity depends on night temperature, cloud on humidity, and the diurnal range on cloud:
    a fixed number of steps from a range of 10 K.

    Parameters
    ----------
    tair, precip, toa : array (12, n)
        Air temperature, degC; precipitation, mm d-1; shortwave at the top of the atmosphere, W m-2.

    Returns
    -------
    vapour_pressure, cloud, tair_range : array (12, n)
        Pa, 0-1 and K.
    """
    monthly = precip * DAYS_IN_MONTH[:, None]
    annual = np.maximum(monthly.sum(axis=0), _TRACE)
    tair_range = np.full(tair.shape, FIRST_RANGE)
    for _ in range(ITERATIONS):
        evaporative_ratio = potential_evaporation(tair, tair_range, toa) / annual
        vapour_pressure = saturation_vapour_pressure(dew_point(tair - tair_range / 2, tair_range, evaporative_ratio))
        cloud = cloud_fraction(vapour_pressure, monthly)
        tair_range = diurnal_range(cloud)
    return vapour_pressure, cloud, tair_range


def daylight_vpd(tair: ArrayLike, tair_range: ArrayLike, vapour_pressure: ArrayLike) -> Floats:
    """Mean vapour pressure deficit of the daylight hours.

    Parameters
    ----------
    tair : array_like
        Mean air temperature, degC.
    tair_range : array_like
        Diurnal range, K.
    vapour_pressure : array_like
        Pa, constant over the day.

    Returns
    -------
    array
        Pa, 0 or more, at the daylight temperature of MTCLIM, mean + 0.45 (maximum - mean); Running,
        Nemani & Hungerford (1987), Can. J. For. Res. 17:472-483.
    """
    daylight = np.asarray(tair, dtype=np.float64) + 0.45 * np.asarray(tair_range) / 2
    deficit: Floats = np.maximum(saturation_vapour_pressure(daylight) - np.asarray(vapour_pressure), 0.0)
    return deficit


def growing_season_index(tmin: ArrayLike, vpd: ArrayLike, hours: ArrayLike) -> Floats:
    """Growing-season index from minimum temperature, vapour pressure deficit and day length.

    Parameters
    ----------
    tmin : array_like
        Minimum temperature, degC: 0 at -2, 1 at 5.
    vpd : array_like
        Pa: 1 at 900, 0 at 4100.
    hours : array_like
        Day length, h: 0 at 10, 1 at 11.

    Returns
    -------
    array
        Product of the three ramps, 0-1; Jolly, Nemani & Running (2005), Glob. Change Biol. 11:619-632.
    """
    return _ramp(tmin, -2.0, 5.0) * (1 - _ramp(vpd, 900.0, 4100.0)) * _ramp(hours, 10.0, 11.0)


def relative_to_annual_maximum(gsi: Floats) -> Floats:
    """Growing-season index (12, n) over its annual maximum, 0-1.

    Where the index is 0 all year there is no growing season: the result is 0, and leaf area at its minimum.
    """
    highest = gsi.max(axis=0)
    return gsi / np.where(highest == 0, 1.0, highest)


def leaf_area_index(
    ndvi_min: NDArray[np.floating[Any]],
    ndvi_max: NDArray[np.floating[Any]],
    relative_gsi: NDArray[np.floating[Any]],
) -> NDArray[np.floating[Any]]:
    """Leaf area index from the extremes of NDVI and the season.

    Parameters
    ----------
    ndvi_min, ndvi_max : array
        Lowest and highest NDVI of the year, 1.
    relative_gsi : array
        Growing-season index over its annual maximum, 0-1; NDVI goes from its lowest to its highest with it.

    Returns
    -------
    array
        m2 m-2, 0 to 6.0, in the number type of the input; intercepted PAR is NDVI - 0.05, within 0 and
        0.95, and the extinction coefficient 0.5: Fisher, Tu & Baldocchi (2008), Remote Sens. Environ.
        112:901-919.
    """
    intercepted = (ndvi_max - ndvi_min) * relative_gsi + (ndvi_min - NDVI_OF_BARE_SOIL)
    np.clip(intercepted, 0.0, HIGHEST_INTERCEPTION, out=intercepted)
    lai: NDArray[np.floating[Any]] = np.log1p(-intercepted) / -EXTINCTION
    return lai


def demonstration_forcing(lat: ArrayLike, lon: ArrayLike, tair: ArrayLike, precip: ArrayLike) -> dict[str, Floats]:
    """Model the forcing that is not embedded, for demonstration only.

    Parameters
    ----------
    lat, lon : array_like (n,)
        Latitude -90 to 90 and longitude -180 to 360, degrees.
    tair : array_like (12, n)
        Monthly air temperature, degC.
    precip : array_like (12, n)
        Monthly precipitation, mm d-1.

    Returns
    -------
    dict of array (12, n)
        ``sw``, ``sw_toa`` (W m-2, daily means), ``tair_range`` (K), ``vpd`` (Pa, daylight mean),
        ``relative_gsi`` and ``cloud_fraction`` (0-1). NaN where an input is NaN, in all months.

    Raises
    ------
    ShapeError
        If the shapes do not fit together.
    RangeError, UnitsError
        If a value is out of range or looks like another unit.
    """
    lat = np.asarray(lat, dtype=np.float64)
    tair = check_range("tair", np.asarray(tair, dtype=np.float64))
    precip = check_range("precip", np.asarray(precip, dtype=np.float64))
    if lat.ndim != 1 or tair.shape != (12, *lat.shape) or precip.shape != tair.shape:
        raise ShapeError(f"tair, precip: expected (12, n) for lat (n,), got {tair.shape}, {precip.shape}, {lat.shape}")
    turbidity = linke_turbidity(lat, lon)
    forcing = {name: np.empty(tair.shape) for name in _MODELLED}
    for start in range(0, lat.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        fields = _model(lat[block], turbidity[:, block], tair[:, block], precip[:, block])
        for name in _MODELLED:
            forcing[name][:, block] = fields[name]
    return forcing


def _model(lat: Floats, turbidity: Floats, tair: Floats, precip: Floats) -> dict[str, Floats]:
    toa = sw_toa(lat, _MID_MONTH_DAYS)
    vapour_pressure, cloud, tair_range = humidity_and_cloud(tair, precip, toa)
    vpd = daylight_vpd(tair, tair_range, vapour_pressure)
    gsi = growing_season_index(tair - tair_range / 2, vpd, day_length(lat))
    fields = {
        "sw": clear_sky_sw(lat, turbidity) * cloudy_share(cloud) / sum(ANGSTROM),
        "sw_toa": toa,
        "tair_range": tair_range,
        "vpd": vpd,
        "relative_gsi": relative_to_annual_maximum(gsi),
        "cloud_fraction": cloud,
    }
    missing = np.isnan(tair + precip + turbidity).any(axis=0)
    for field in fields.values():
        field[:, missing] = np.nan
    return fields


def _ramp(values: ArrayLike, start: float, end: float) -> Floats:
    ramp: Floats = np.clip((np.asarray(values, dtype=np.float64) - start) / (end - start), 0, 1)
    return ramp
