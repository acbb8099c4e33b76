"""What a place and the months before tell of its plants: normals of climate, leaves and satellite data, and lags.

Functions take fields of shape (months, n), months of whole years from January on, and return them or normals of shape
(n,). Normals are taken over all known months; NaN where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gppcore.process.soil_water import potential_evaporation
from gppcore.variables import MONTHS

Float = NDArray[np.float64]
Fields = Mapping[str, Float]

CLIMATE = (
    "tair_mean",
    "tair_coldest",
    "tair_growing",
    "tair_seasonality",
    "tair_range_mean",
    "precip_mean",
    "aridity",
    "vpd_growing",
    "sw_growing",
    "soil_water_mean",
    "soil_water_growing",
    "lai_mean",
    "lai_min",
    "lai_max",
)
"""Normals of forcing and leaf area. `growing`: means weighted by temperature above 0 degC."""
BEFORE = ("tair", "sw", "vpd", "soil_water", "lai")
"""Forcing whose value of the month before is a predictor, `<name>_before`."""
SEASON = (*(f"{name}_before" for name in BEFORE), "lai_relative", "precip_6m", "precip_12m")
"""The months before, and leaf area relative to its yearly maximum."""
SATELLITE = (
    "lst_day_excess",
    "lst_night_excess",
    "fpar_max",
    "fpar_amplitude",
    "ndwi_max",
    "ndwi_growing",
    "lst_excess_growing",
    "lai_modis_max",
)
"""Satellite data relative to the air, and their normals."""
PLACE = (*CLIMATE, *SEASON, *SATELLITE)
MONTHLY_COVARIATES = ("ndwi",)
"""Satellite data that parameters of the process model may follow; where a month lacks them, they have their mean."""

_FREEZING = 273.15
_LEAST_WEIGHT = 1e-6
_LEAST_WATER = 0.05  # mm d-1, so that the logarithm of a desert's aridity is finite
_LEAST_LEAVES = 0.1  # m2 m-2, of the maximum that leaf area is divided by


def mean_year_of(monthly: Float) -> Float:
    """Return the mean of every calendar month over its known years, shape (12, n)."""
    years = monthly.reshape(-1, MONTHS, *monthly.shape[1:])
    known = np.isfinite(years)
    count = known.sum(axis=0)
    total = np.where(known, years, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def running_mean(monthly: Float, months: int) -> Float:
    """Return the mean of every month and those before it; before the record stands its mean year."""
    padded = np.concatenate([mean_year_of(monthly)[MONTHS + 1 - months :], monthly])
    total = padded[months - 1 :].copy()
    for back in range(1, months):
        total += padded[months - 1 - back : len(padded) - back]
    return total / months


def month_before(monthly: Float) -> Float:
    """Return the value of the month before; before the record stands its mean December."""
    return np.concatenate([mean_year_of(monthly)[-1:], monthly[:-1]])


def growing_mean(monthly: Float, tair: Float) -> Float:
    """Return the mean over known months weighted by temperature above 0 degC, shape (n,)."""
    weight = np.where(np.isfinite(monthly) & np.isfinite(tair), np.maximum(tair, 0.0) + _LEAST_WEIGHT, 0.0)
    total = weight.sum(axis=0)
    weighted = (np.where(weight > 0.0, monthly, 0.0) * weight).sum(axis=0)
    return np.where(total > 0.0, weighted / np.where(total > 0.0, total, 1.0), np.nan)


def warmth(fields: Fields, _: bool) -> Fields:
    """Return normals of temperature [degC]."""
    tair = fields["tair"]
    cycle = mean_year_of(tair)
    coldest, warmest = np.fmin.reduce(cycle, axis=0), np.fmax.reduce(cycle, axis=0)
    return {
        "tair_mean": _mean(cycle),
        "tair_coldest": coldest,
        "tair_growing": growing_mean(tair, tair),
        "tair_seasonality": warmest - coldest,
    }


def wetness(fields: Fields, _: bool) -> Fields:
    """Return mean precipitation [mm d-1] and the logarithm of its ratio to potential evaporation [1]."""
    light = np.resize(fields["sw_toa"], fields["tair"].shape)  # the twelve months are those of every year
    evaporation = potential_evaporation(fields["tair"], fields["tair_range"], light)
    rain = _mean(mean_year_of(fields["precip"]))
    demand = _mean(mean_year_of(evaporation))
    return {"precip_mean": rain, "aridity": np.log((rain + _LEAST_WATER) / (demand + _LEAST_WATER))}


def daily_range(fields: Fields, _: bool) -> Fields:
    """Return the mean diurnal range of temperature [degC]."""
    return {"tair_range_mean": _mean(mean_year_of(fields["tair_range"]))}


def growing_season(fields: Fields, _: bool) -> Fields:
    """Return means of the growing season of vapour pressure deficit [Pa] and shortwave radiation [W m-2]."""
    return {f"{name}_growing": growing_mean(fields[name], fields["tair"]) for name in ("vpd", "sw")}


def soil(fields: Fields, _: bool) -> Fields:
    """Return means of relative soil water [1], of the year and of the growing season."""
    water = fields["soil_water"]
    return {
        "soil_water_mean": _mean(mean_year_of(water)),
        "soil_water_growing": growing_mean(water, fields["tair"]),
    }


def leaves(fields: Fields, _: bool) -> Fields:
    """Return mean, lowest and highest month of the mean year of leaf area [m2 m-2]."""
    cycle = mean_year_of(fields["lai"])
    low, high = np.fmin.reduce(cycle, axis=0), np.fmax.reduce(cycle, axis=0)
    return {"lai_mean": _mean(cycle), "lai_min": low, "lai_max": high}


def relative_leaves(fields: Fields, _: bool) -> Fields:
    """Return leaf area over its yearly maximum [1]."""
    return {"lai_relative": fields["lai"] / np.maximum(fields["lai_max"], _LEAST_LEAVES)}


def before(name: str, fields: Fields) -> Fields:
    """Return a field one month before."""
    return {f"{name}_before": month_before(fields[name])}


def rain_sums(fields: Fields, _: bool) -> Fields:
    """Return mean precipitation of half a year and a year [mm d-1]."""
    return {f"precip_{months}m": running_mean(fields["precip"], months) for months in (6, 12)}


def excess(time: str, fields: Fields) -> Fields:
    """Return the surface temperature by day or night less that of the air [K]."""
    return {f"lst_{time}_excess": fields[f"lst_{time}"] - _FREEZING - fields["tair"]}


def warm_surface(fields: Fields, _: bool) -> Fields:
    """Return the growing-season mean of :func:`excess` by day [K]."""
    return {"lst_excess_growing": growing_mean(fields["lst_day_excess"], fields["tair"])}


def absorption(fields: Fields, _: bool) -> Fields:
    """Return maximum and amplitude of the mean year of fPAR [1]."""
    cycle = mean_year_of(fields["fpar"])
    high = np.fmax.reduce(cycle, axis=0)
    return {"fpar_max": high, "fpar_amplitude": high - np.fmin.reduce(cycle, axis=0)}


def leaf_water(fields: Fields, _: bool) -> Fields:
    """Return maximum and growing-season mean of NDWI [1]."""
    high = np.fmax.reduce(mean_year_of(fields["ndwi"]), axis=0)
    return {"ndwi_max": high, "ndwi_growing": growing_mean(fields["ndwi"], fields["tair"])}


def satellite_leaves(fields: Fields, _: bool) -> Fields:
    """Return the highest month of the mean year of the leaf area of MODIS [m2 m-2]."""
    return {"lai_modis_max": np.fmax.reduce(mean_year_of(fields["lai_modis"]), axis=0)}


def _mean(cycle: Float) -> Float:
    """Return the mean of the known months of a mean year; NaN where none is."""
    known = np.isfinite(cycle)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, cycle, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
