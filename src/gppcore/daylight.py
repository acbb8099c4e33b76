"""Hours of daylight rebuilt from monthly means: the sun's course, cloudiness of days, temperature and humidity.

GPP is not linear in light, so that the two-leaf model must never run on mean radiation. A month becomes three
synthetic days of different cloudiness, each sampled at the Gauss-Legendre nodes of its daylight hours.

References
----------
.. [1] Spencer, J.W. (1971) Search 2, 172 (declination, eccentricity; through pvlib).
.. [2] Bendt, P., Collares-Pereira, M. & Rabl, A. (1981) Sol. Energy 27, 1-5. doi:10.1016/0038-092X(81)90013-5
.. [3] Herzog, M.E. (1985), in Duffie, J.A. & Beckman, W.A. (2013) Solar Engineering of Thermal Processes,
   section 2.9. doi:10.1002/9781118671603
.. [4] Hollands, K.G.T. & Huget, R.G. (1983) Sol. Energy 30, 195-209. doi:10.1016/0038-092X(83)90149-4
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gppcore.variables import DAYS_IN_MONTH, SECONDS_PER_DAY

Float = NDArray[np.float64]

SOLAR_CONSTANT = 1367.0
"""W m-2."""
N_CLOUD_DAYS = 3
N_NODES = 8
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(N_NODES)
_KT_MIN, _KT_MAX = 0.05, 0.8
_WARMEST_HOUR = 14.0


def mid_month_day(month: int) -> float:
    """Return the day of the year in the middle of a month (1-12); 1 is noon of 1 January."""
    return float(DAYS_IN_MONTH[:month].sum() - DAYS_IN_MONTH[month - 1] / 2.0 + 0.5)


def normal_radiation(day: float | Float) -> Float:
    """Return shortwave at the top of the atmosphere on a plane that faces the sun [W m-2], shape of `day`."""
    from pvlib.irradiance import get_extra_radiation

    return np.asarray(get_extra_radiation(day, solar_constant=SOLAR_CONSTANT, method="spencer"))


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


def clearness_of_days(kt: Float) -> Float:
    """Return the clearness index of equally likely days of a month, whose mean is the month's.

    Parameters
    ----------
    kt : ndarray, shape (n,)
        Mean clearness index of the month [1].

    Returns
    -------
    ndarray, shape (3, n)
        Cloudy, middle and clear day: medians of the thirds of the exponential distribution of daily clearness
        of Bendt et al. [2]_ with the parameter of Herzog [3]_ and the upper limit of [4]_, scaled to the mean.
    """
    mean = np.clip(kt, _KT_MIN + 0.02, 0.75)
    top = 0.6313 + 0.267 * mean - 11.9 * (mean - 0.75) ** 8
    xi = (top - _KT_MIN) / (top - mean)
    gamma = -1.498 + (1.184 * xi - 27.182 * np.exp(-1.5 * xi)) / (top - _KT_MIN)
    gamma = np.where(np.abs(gamma) < 1e-3, 1e-3, gamma)
    share = ((np.arange(N_CLOUD_DAYS) + 0.5) / N_CLOUD_DAYS)[:, None]
    low, high = np.exp(gamma * _KT_MIN), np.exp(gamma * top)
    days = np.log((1.0 - share) * low + share * high) / gamma
    clearness: Float = np.minimum(days * (kt / days.mean(axis=0)), _KT_MAX)
    return clearness


@dataclass(frozen=True)
class Daylight:
    """Daylight of one month at n cells; GPP of a day is ``seconds * mean(gpp)``.

    Attributes
    ----------
    sw : ndarray, shape (3, 8, n)
        Shortwave of the three days at the nodes [W m-2].
    cos_zenith, tair, vpd : ndarray, shape (8, n)
        Cosine of the solar zenith angle [1], air temperature [degC] and vapour pressure deficit [Pa].
    weights : ndarray, shape (8,)
        Weights of the nodes [1]; their sum is 1.
    seconds : ndarray, shape (n,)
        Length of the day [s].
    """

    sw: Float
    cos_zenith: Float
    tair: Float
    vpd: Float
    weights: Float
    seconds: Float

    def mean(self, values: Float) -> Float:
        """Return the mean over the daylight hours of values at the nodes, shape (8, n)."""
        return _daylight_mean(self.weights, values)


def _daylight_mean(weights: Float, values: Float) -> Float:
    # Node after node: the order of a matrix product, and so its last bit, depends on the number of cells.
    total = np.zeros(values.shape[1:])
    for weight, value in zip(weights, values, strict=True):
        total += weight * value
    return total


def saturation_vapour_pressure(tair: Float) -> Float:
    """Return saturation vapour pressure [Pa] at `tair` [degC] (equation E1 of the two-leaf model)."""
    return 610.78 * np.exp(17.3 * tair / (237.3 + tair))


def daylight_of_month(lat: Float, day: float, sw: Float, tair: Float, tair_range: Float, vpd: Float) -> Daylight:
    """Rebuild the daylight hours of a month from its means.

    Parameters
    ----------
    lat : ndarray, shape (n,)
        Latitude [degrees north].
    day : float
        Day of the year that stands for the month.
    sw : ndarray, shape (n,)
        Mean shortwave, nights included [W m-2].
    tair, tair_range : ndarray, shape (n,)
        Mean and mean diurnal range of air temperature [degC].
    vpd : ndarray, shape (n,)
        Mean vapour pressure deficit of the daylight hours [Pa].

    Returns
    -------
    Daylight
        Shortwave follows the sun at the clearness of the day; temperature is a sine with its maximum at 14 h;
        vapour pressure is constant and gives the daylight mean of `vpd`.
    """
    sunset = sunset_hour_angle(lat, day)
    angle = sunset * _NODES[:, None]
    mu = np.maximum(cos_zenith(lat, day, angle), 0.0)
    toa = sw_toa(lat, day)
    with np.errstate(divide="ignore", invalid="ignore"):
        kt = np.where(toa > 1.0, np.minimum(sw / toa, _KT_MAX), 0.0)
    kt = np.where(np.isnan(sw), np.nan, kt)
    beam = normal_radiation(day) * mu
    hour = 12.0 + angle * (12.0 / np.pi)
    temperature = tair + 0.5 * tair_range * np.cos((hour - _WARMEST_HOUR) * (np.pi / 12.0))
    es, weights = saturation_vapour_pressure(temperature), _WEIGHTS / 2.0
    deficit = np.maximum(es - (_daylight_mean(weights, es) - vpd), 0.0)
    return Daylight(
        sw=clearness_of_days(kt)[:, None, :] * beam,
        cos_zenith=mu,
        tair=temperature,
        vpd=np.minimum(deficit, 0.99 * es),
        weights=weights,
        seconds=sunset * (SECONDS_PER_DAY / np.pi),
    )
