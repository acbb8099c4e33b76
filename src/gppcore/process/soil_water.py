"""Soil-water bucket of days or months, and the stress that dry or frozen soil puts on stomata.

References
----------
.. [1] Manabe, S. (1969) Mon. Weather Rev. 97, 739-774 (bucket).
.. [2] Hargreaves, G.H. & Samani, Z.A. (1985) Appl. Eng. Agric. 1, 96-99 (potential evaporation).
.. [3] Clapp, R.B. & Hornberger, G.M. (1978) Water Resour. Res. 14, 601-604 (suction; loam).
.. [4] Ju, W. et al. (2006) Agric. For. Meteorol. 140, 181-202, eqs 12-14 (stress).
.. [5] Zheng, D., Hunt, E.R. & Running, S.W. (1993) Clim. Res. 2, 183-191. (soil temperature
   from the mean of 11 days of air; without their regional regression).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gppcore import _core
from gppcore.constants import PlantFunctionalType
from gppcore.variables import DAYS_IN_MONTH, SECONDS_PER_DAY

Float = NDArray[np.float64]

CAPACITY = 150.0
"""Plant-available water of the rooting zone, mm [1]_."""
_STEPS_IN_MONTH = 10
_SOIL_MEMORY = 11  # days of air temperature that soil temperature follows [5]
_MELT_PER_DEGREE = 3.0  # mm d-1 degC-1, degree-day factor of snow
_SPIN_UPS = 3
_LATENT_HEAT = 2.45e6  # J kg-1, FAO-56
_WATER_PER_W = SECONDS_PER_DAY / _LATENT_HEAT  # mm d-1 per W m-2
# Loam [3]: suction at saturation (m), exponent, and relative wetness at wilting point (150 m) and field capacity
# (3.4 m), between which the plant-available water lies.
_PSI_SATURATED, _B = 0.478, 5.39
_WILTING, _FIELD = (_PSI_SATURATED / 150.0) ** (1.0 / _B), (_PSI_SATURATED / 3.4) ** (1.0 / _B)
_MIN_STRESS = 0.1


def potential_evaporation(tair: Float, tair_range: Float, sw_toa: Float) -> Float:
    """Return potential evaporation [mm d-1] of Hargreaves & Samani from degC, degC and W m-2."""
    warmth = np.maximum(tair + 17.8, 0.0) * np.sqrt(np.maximum(tair_range, 0.0))
    evaporation: Float = 0.0023 * (sw_toa * _WATER_PER_W) * warmth
    return evaporation


def soil_water(precip: Float, evaporation: Float, tair: Float, *, daily: bool = False, n_threads: int = 1) -> Float:
    """Run the bucket over months or days and return soil water relative to its capacity.

    Parameters
    ----------
    precip, evaporation : ndarray, shape (times, n)
        Precipitation and potential evaporation [mm d-1]: months (complete years from January), or days.
    tair : ndarray, shape (times, n)
        Air temperature [degC]: below 0 precipitation stays as snow.
    daily : bool, default False
        Whether the times are days.
    n_threads : int, default 1
        Threads; the result does not depend on it.

    Returns
    -------
    ndarray, shape (times, n)
        Mean soil water of each time [1], 0 to 1. The first year is repeated three times for spin-up.
    """
    out = np.empty(precip.shape)
    steps = 1 if daily else _STEPS_IN_MONTH
    _core.soil_water(
        np.ascontiguousarray(precip, dtype=np.float64),
        np.ascontiguousarray(evaporation, dtype=np.float64),
        np.ascontiguousarray(tair, dtype=np.float64),
        capacity=CAPACITY,
        melt_per_degree=_MELT_PER_DEGREE,
        days_in_step=1.0 if daily else float(DAYS_IN_MONTH.mean()) / steps,
        steps_in_time=steps,
        spin_up_times=min(365 if daily else 12, len(precip)),
        spin_ups=_SPIN_UPS,
        out=out,
        n_threads=n_threads,
    )
    return out


def soil_temperature(tair: Float) -> Float:
    """Return soil temperature [degC] of days: the mean of the air temperature of 11 days up to each [5]_.

    Parameters
    ----------
    tair : ndarray, shape (days, n)
        Daily mean air temperature [degC]; missing days are skipped.
    """
    total, count = np.zeros(tair.shape), np.zeros(tair.shape)
    known, value = ~np.isnan(tair), np.nan_to_num(tair)
    for back in range(min(_SOIL_MEMORY, len(tair))):
        now, then = slice(back, None), slice(0, len(tair) - back)
        total[now] += value[then]
        count[now] += known[then]
    with np.errstate(invalid="ignore"):
        mean: Float = total / count
    return mean


def stress(soil_water: Float, tair: Float, pft: PlantFunctionalType) -> Float:
    """Return the soil-water stress factor f of a plant functional type.

    Parameters
    ----------
    soil_water : ndarray
        Relative plant-available water [1], 0 to 1.
    tair : ndarray
        Soil temperature [degC]: from :func:`soil_temperature`, or the monthly mean of air; frozen soil supplies none.
    pft : PlantFunctionalType
        Suction where closure begins and its steepness.

    Returns
    -------
    ndarray
        0.1 to 1 [4]_.
    """
    dry = 1.0 / (1.0 + _excess(soil_water, pft) ** pft.psi_exponent)
    factor: Float = np.maximum(dry * _thawed(tair), _MIN_STRESS)
    return factor


def stress_by_exponent(soil_water: Float, tair: Float, pft: PlantFunctionalType) -> Float:
    """Return the derivative of :func:`stress` by `psi_exponent`; parameters as there."""
    excess = _excess(soil_water, pft)
    power = excess**pft.psi_exponent
    dry, thawed = 1.0 / (1.0 + power), _thawed(tair)
    # The power dominates the logarithm: the derivative is zero where stomata are open.
    slope = -(dry**2) * power * np.log(np.where(excess > 0.0, excess, 1.0)) * thawed
    return np.where(dry * thawed < _MIN_STRESS, 0.0, slope)


def _excess(soil_water: Float, pft: PlantFunctionalType) -> Float:
    """Return suction over that where closure begins, less 1 and at least 0."""
    wetness = _WILTING + (_FIELD - _WILTING) * soil_water
    excess: Float = np.maximum(_PSI_SATURATED * wetness**-_B / pft.psi_min - 1.0, 0.0)
    return excess


def _thawed(tair: Float) -> Float:
    thawed: Float = 1.0 - np.exp(-0.02 * np.maximum(tair, 0.0) ** 2)
    return thawed
