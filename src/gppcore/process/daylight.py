"""Solar geometry, and daylight hours reconstructed from daily or monthly means.

GPP is not linear in light, so the two-leaf model must never run on mean radiation. A day becomes eight
Gauss-Legendre nodes of its daylight hours, with varying cloudiness; a month becomes three such days of different
cloudiness, with a wider temperature range on clearer days.

References
----------
.. [1] Spencer, J.W. (1971) Search 2, 172 (declination, eccentricity, equation of time; through pvlib).
.. [2] Bendt, P., Collares-Pereira, M. & Rabl, A. (1981) Sol. Energy 27, 1-5. doi:10.1016/0038-092X(81)90013-5
.. [3] Herzog, M.E. (1985), in Duffie, J.A. & Beckman, W.A. (2013) Solar Engineering of Thermal Processes,
   section 2.9. doi:10.1002/9781118671603
.. [4] Hollands, K.G.T. & Huget, R.G. (1983) Sol. Energy 30, 195-209. doi:10.1016/0038-092X(83)90149-4
.. [5] Graham, V.A. & Hollands, K.G.T. (1990) Sol. Energy 44, 333-341. doi:10.1016/0038-092X(90)90137-2
.. [6] Campbell, G.S. & Norman, J.M. (1998) An Introduction to Environmental Biophysics, eq. 2.2.
   doi:10.1007/978-1-4612-1626-1
.. [7] Bristow, K.L. & Campbell, G.S. (1984) Agric. For. Meteorol. 31, 159-166. doi:10.1016/0168-1923(84)90017-0
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import TWO_LEAF_CONSTANTS as K
from gppcore.errors import ShapeError
from gppcore.variables import DAYS_IN_MONTH, SECONDS_PER_DAY

Float = NDArray[np.float64]

N_CLOUD_DAYS = 3
"""Days of different cloudiness in a month."""
N_NODES = 8
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(N_NODES)
_LEVELS, _LEVEL_WEIGHTS = np.polynomial.legendre.leggauss(N_CLOUD_DAYS)
_KT_MIN, _KT_MAX = 0.05, 0.8
_RANGE_EXPONENT = 2.4  # of clearness over diurnal range [7]


def mid_month_day(month: int) -> float:
    """Return the day of the year in the middle of a month (1-12); 1 is noon of 1 January."""
    return float(DAYS_IN_MONTH[:month].sum() - DAYS_IN_MONTH[month - 1] / 2.0 + 0.5)


def normal_radiation(day: float | Float) -> Float:
    """Return shortwave at the top of the atmosphere on a plane that faces the sun [W m-2], shape of `day`."""
    from pvlib.irradiance import get_extra_radiation

    return np.asarray(get_extra_radiation(day, solar_constant=K.solar_constant, method="spencer"))


def cos_zenith(lat: Float, day: float | Float, hour_angle: Float) -> Float:
    """Return the cosine of the solar zenith angle, negative at night.

    Parameters
    ----------
    lat : ndarray
        Latitude [degrees north], -90 to 90.
    day : float or ndarray
        Day of the year, 1 to 366.
    hour_angle : ndarray
        Hour angle [rad], 0 at noon; all three broadcast.
    """
    from pvlib.solarposition import declination_spencer71

    declination, phi = declination_spencer71(day), np.radians(lat)
    cosine: Float = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    return cosine


def sunset_hour_angle(lat: Float, day: float | Float) -> Float:
    """Return the hour angle of sunset [rad]: 0 in polar night, pi in polar day.

    Parameters
    ----------
    lat : ndarray
        Latitude [degrees north], -90 to 90.
    day : float or ndarray
        Day of the year, 1 to 366; broadcasts with `lat`.
    """
    from pvlib.solarposition import declination_spencer71

    ratio = -np.tan(np.radians(lat)) * np.tan(declination_spencer71(day))
    angle: Float = np.arccos(np.clip(ratio, -1.0, 1.0))
    return angle


def sw_toa(lat: Float, day: float | Float) -> Float:
    """Return the daily mean of shortwave at the top of the atmosphere [W m-2]; `lat` and `day` broadcast."""
    from pvlib.solarposition import declination_spencer71

    declination, h = declination_spencer71(day), sunset_hour_angle(lat, day)
    phi = np.radians(lat)
    mean = h * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(h)
    # Rounding leaves tiny negatives at the edge of the polar night; maximum keeps NaN.
    daily: Float = np.maximum(normal_radiation(day) * mean / np.pi, 0.0)
    return daily


def hourly_cos_zenith(lat: Float, lon: Float, day: Float, hour_angle: Float) -> Float:
    """Return the cosine of the solar zenith angle at all times and places, negative at night.

    Terms in time and location are separated, so that an element costs three products and no trigonometry.

    Parameters
    ----------
    lat, lon : ndarray, shape (n,)
        Latitude and longitude [degrees].
    day : ndarray, shape (times,)
        Day of the year, 1 to 366; fractions are taken.
    hour_angle : ndarray, shape (times,)
        Hour angle [rad] of the true sun at longitude 0; with `lon` 0, of the true sun at the place.

    Returns
    -------
    ndarray, shape (times, n)
    """
    from pvlib.solarposition import declination_spencer71

    declination, phi, lam = declination_spencer71(day)[:, None], np.radians(lat), np.radians(lon)
    sine, cosine = np.sin(declination), np.cos(declination)
    mu: Float = sine * np.sin(phi)
    mu = mu + (cosine * np.cos(hour_angle[:, None])) * (np.cos(phi) * np.cos(lam))
    mu -= (cosine * np.sin(hour_angle[:, None])) * (np.cos(phi) * np.sin(lam))
    return mu


def equation_of_time(day: Float) -> Float:
    """Return true minus mean solar time [h] on days of the year."""
    from pvlib.solarposition import equation_of_time_spencer71

    return np.asarray(equation_of_time_spencer71(day)) / 60.0


def clearness_of_days(kt: Float) -> Float:
    """Return the clearness index of the days that represent a month; their mean by Gauss weights is the month's.

    Parameters
    ----------
    kt : ndarray, shape (n,)
        Mean clearness index of the month [1].

    Returns
    -------
    ndarray, shape (3, n)
        Cloudy, middle and clear day: the Gauss-Legendre nodes, in probability, of the exponential distribution of
        daily clearness of Bendt et al. [2]_ with the parameter of Herzog [3]_ and the upper limit of [4]_,
        scaled to the mean.
    """
    mean = np.clip(kt, _KT_MIN + 0.02, 0.75)
    top = 0.6313 + 0.267 * mean - 11.9 * (mean - 0.75) ** 8
    xi = (top - _KT_MIN) / (top - mean)
    gamma = -1.498 + (1.184 * xi - 27.182 * np.exp(-1.5 * xi)) / (top - _KT_MIN)
    gamma = np.where(np.abs(gamma) < 1e-3, 1e-3, gamma)
    share = 0.5 * (_LEVELS[:, None] + 1.0)
    low, high = np.exp(gamma * _KT_MIN), np.exp(gamma * top)
    days = np.log((1.0 - share) * low + share * high) / gamma
    clearness: Float = np.minimum(days * (kt / _weighted_sum(_LEVEL_WEIGHTS / 2.0, days)), _KT_MAX)
    return clearness


def clearness_spread(kt: Float) -> Float:
    """Return the standard deviation of the clearness index of hours about that of their day [5]_, at most `kt`."""
    spread: Float = np.minimum(0.16 * np.sin(np.pi / 0.9 * np.clip(kt, 0.0, 0.9)), kt)
    return spread


def range_of_days(kt: Float, tair_range: Float) -> Float:
    """Return the diurnal range of temperature [K] of the days that represent a month, conserving the mean range.

    Parameters
    ----------
    kt : ndarray, shape (3, n)
        Clearness index of the days [1], :func:`clearness_of_days`.
    tair_range : ndarray, shape (n,)
        Mean diurnal range of the month [K].

    Returns
    -------
    ndarray, shape (3, n)
        Clear days have the wider range: the relation of Bristow & Campbell [7]_, kt = 0.8 (1 - exp(-B range^2.4)).
        B follows from the mean.
    """
    # At the limit the warm part of the day would never end.
    relative = (-np.log(1.0 - np.clip(kt / _KT_MAX, 0.02, 0.98))) ** (1.0 / _RANGE_EXPONENT)
    ranges: Float = relative * (tair_range / _weighted_sum(_LEVEL_WEIGHTS / 2.0, relative))
    return ranges


@dataclass(frozen=True)
class Daylight:
    """Daylight of n days or months; the mean over a day is ``seconds / 86400 * mean(values)``.

    Attributes
    ----------
    sw, tair, vpd : ndarray, shape (levels, 8, n)
        Shortwave [W m-2], air temperature [degC] and vapour pressure deficit [Pa] at the nodes of days of different
        cloudiness.
    cos_zenith : ndarray, shape (8, n)
        Cosine of the solar zenith angle [1].
    level_weights : ndarray, shape (levels,)
        Weights of the days [1]; their sum is 1.
    weights : ndarray, shape (8,)
        Weights of the nodes [1]; their sum is 1.
    seconds : ndarray, shape (n,)
        Length of the day [s].
    """

    sw: Float
    tair: Float
    vpd: Float
    cos_zenith: Float
    level_weights: Float
    weights: Float
    seconds: Float

    def mean(self, values: Float) -> Float:
        """Return the mean over the daylight hours, shape (n,), of values at the nodes, shape (levels, 8, n)."""
        return _weighted_sum(self.weights, _weighted_sum(self.level_weights, values))


def _weighted_sum(weights: Float, values: Float) -> Float:
    # Summed term by term: in a matrix product the order, and so the last bit, depends on the number of cells.
    total = np.zeros(values.shape[1:])
    for weight, value in zip(weights, values, strict=True):
        total += weight * value
    return total


def saturation_vapour_pressure(tair: Float) -> Float:
    """Return saturation vapour pressure [Pa] at `tair` [degC] (equation E1 of the two-leaf model)."""
    return 1000.0 * K.saturation_pressure * np.exp(K.saturation_slope * tair / (K.saturation_offset + tair))


def temperature_at(hour: float | Float, tair: Float, tair_range: Float) -> Float:
    """Return air temperature [degC] at an hour of local solar time from its mean and range over the day.

    The course of Campbell & Norman [6]_: coldest at 4.5 h, warmest at 14 h.
    """
    angle = hour * (np.pi / 12.0)
    course: Float = tair + tair_range * (0.11 * np.sin(2.0 * angle + 0.9) - 0.46 * np.sin(angle + 0.9))
    return course


def daylight_of_month(
    lat: Float,
    day: float | Float,
    sw: Float,
    tair: Float,
    tair_range: Float,
    *,
    vpd: Float | None = None,
    vapour_pressure: Float | None = None,
) -> Daylight:
    """Reconstruct the daylight hours of months from their means.

    Parameters
    ----------
    lat : ndarray, shape (n,)
        Latitude [degrees north].
    day : float or ndarray, shape (n,)
        Day of the year that represents the month.
    sw : ndarray, shape (n,)
        Mean shortwave, nights included [W m-2].
    tair, tair_range : ndarray, shape (n,)
        Mean and mean diurnal range of air temperature [degC].
    vpd, vapour_pressure : ndarray, shape (n,)
        One of the two: mean vapour pressure deficit of the daylight hours, or mean vapour pressure [Pa].

    Returns
    -------
    Daylight
        Three days of different clearness. Shortwave follows the sun; the clearness of the hours alternates about
        that of their day by the standard deviation of [5]_, so that cloudiness varies while the daily radiation
        is conserved. Temperature has a diurnal course, wider on clear days; vapour pressure is constant.
    """
    kt = clearness_of_days(_clearness(lat, day, sw, _KT_MAX))
    ranges = range_of_days(kt, tair_range)
    return _rebuild(lat, day, kt, _LEVEL_WEIGHTS / 2.0, tair, ranges, vpd, vapour_pressure)


def daylight_of_day(
    lat: Float,
    day: float | Float,
    sw: Float,
    tair: Float,
    tair_range: Float,
    *,
    vpd: Float | None = None,
    vapour_pressure: Float | None = None,
) -> Daylight:
    """Reconstruct the daylight hours of days from their means; as :func:`daylight_of_month` with one day each."""
    kt = _clearness(lat, day, sw, 1.0)
    return _rebuild(lat, day, kt[None], np.ones(1), tair, tair_range[None], vpd, vapour_pressure)


def _clearness(lat: Float, day: float | Float, sw: Float, highest: float) -> Float:
    toa = sw_toa(lat, day)
    with np.errstate(divide="ignore", invalid="ignore"):
        kt = np.where(toa > 1.0, np.minimum(sw / toa, highest), 0.0)
    return np.where(np.isnan(sw), np.nan, kt)


def _rebuild(
    lat: Float,
    day: float | Float,
    kt: Float,
    level_weights: Float,
    tair: Float,
    tair_range: Float,
    vpd: Float | None,
    vapour_pressure: Float | None,
) -> Daylight:
    sunset = sunset_hour_angle(lat, day)
    angle = sunset * _NODES[:, None]
    mu = np.maximum(cos_zenith(lat, day, angle), 0.0)
    # Morning and afternoon nodes of equal elevation have opposite signs, which conserves the daily total exactly.
    sky = (-1.0) ** np.arange(len(_NODES))[:, None]
    clearness = kt[:, None, :] + sky * clearness_spread(kt)[:, None, :]
    temperature = temperature_at(12.0 + angle * (12.0 / np.pi), tair, tair_range[:, None, :])
    es, weights = saturation_vapour_pressure(temperature), _WEIGHTS / 2.0
    if vpd is not None and vapour_pressure is None:
        pressure = _weighted_sum(weights, _weighted_sum(level_weights, es)) - vpd
    elif vapour_pressure is not None and vpd is None:
        pressure = vapour_pressure
    else:
        raise ShapeError("daylight: expected one of vpd and vapour_pressure, got both or neither")
    return Daylight(
        sw=clearness * (normal_radiation(day) * mu),
        tair=temperature,
        vpd=np.minimum(np.maximum(es - pressure, 0.0), 0.99 * es),
        cos_zenith=mu,
        level_weights=level_weights,
        weights=weights,
        seconds=sunset * (SECONDS_PER_DAY / np.pi),
    )
