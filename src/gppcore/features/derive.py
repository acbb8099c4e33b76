"""Predictors derived from other variables, by the same rules for towers, tile stores and the demonstration.

Functions take and return arrays with months of whole years, from January on, on the first axis and places on the last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gppcore.features import place
from gppcore.features.predictors import SHARES, land_cover_fractions
from gppcore.process.daylight import mid_month_day, sw_toa
from gppcore.process.simulate.humidity import daylight_deficit, of_days
from gppcore.process.soil_water import potential_evaporation, soil_water
from gppcore.variables import MONTHS

Float = NDArray[np.float64]
Fields = Mapping[str, Float]


class Rule(NamedTuple):
    """Rule that derives predictors from other variables.

    Attributes
    ----------
    names : tuple of str
        Derived predictors.
    needs : tuple of str
        Required variables; `lat` [degrees_north] is always given.
    uses : tuple of str
        Optional variables.
    monthly : bool
        Whether the result has months.
    derive : callable
        Function of the fields, by name, and of whether they are the twelve months of a mean year.
    """

    names: tuple[str, ...]
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    monthly: bool
    derive: Callable[[Fields, bool], Fields]


def derivable(known: Collection[str], *, also: Collection[str] = ()) -> dict[str, bool]:
    """Return the predictors that follow from known variables and are not among them, and whether they have months.

    Those of `gppcore.features.place.PLACE` are included where `also` names them.
    """
    found: dict[str, bool] = {}
    for rule in _rules(also):
        if set(rule.needs) <= {*known, *found}:
            found |= {name: rule.monthly for name in rule.names if name not in known}
    return {name: monthly for name, monthly in found.items() if name not in place.PLACE or name in also}


@np.errstate(all="ignore")  # NaN and infinity stay at their elements
def derived(fields: Fields, *, mean_year: bool = False, also: Collection[str] = ()) -> dict[str, Float]:
    """Return all predictors that follow from fields and are not among them.

    Parameters
    ----------
    fields : mapping of str to ndarray
        Monthly variables, shape (months, n), static ones and `lat`, shape (n,), under their names and in their units
        of `gppcore.variables`.
    mean_year : bool, default False
        Whether the months are those of a mean year: December then comes before January.
    also : collection of str, optional
        Names out of `gppcore.features.place.PLACE` to derive too: lags and normals of places.

    Returns
    -------
    dict of str to ndarray
        Those of :func:`derivable`, of shape (months, n) or (n,).

    Raises
    ------
    RangeError
        If `igbp` holds other values than the classes 0 to 16.
    """
    found = dict(fields)
    steps = max((len(field) for field in fields.values() if field.ndim == 2), default=MONTHS)
    for rule in _rules(also):
        if set(rule.needs) <= set(found) and not set(rule.names) <= set(found):
            made = rule.derive(found, mean_year)
            if rule.monthly:
                made = {name: np.resize(field, (steps, *field.shape[1:])) for name, field in made.items()}
            found = {**made, **found}
    wanted = derivable(fields, also=also)
    return {name: found[name] for name in found if name in wanted}


def _rules(also: Collection[str]) -> Iterator[Rule]:
    """Yield the rules in order, those of places where a wanted predictor needs them."""
    needed, wanted = [], set(also)
    for rule in reversed(RULES):
        if not set(rule.names) <= set(place.PLACE) or wanted & set(rule.names):
            wanted |= set(rule.needs)
            needed.append(rule)
    yield from reversed(needed)


def soil_water_of_months(fields: Fields) -> Float:
    """Return relative soil water [1] of months of `precip` [mm d-1], `tair`, `tair_range` [degC] and `sw_toa` [W m-2].

    The share `fraction_wetland`, where it is given, is saturated: the water table is near.
    """
    tair = fields["tair"]
    light = np.resize(fields["sw_toa"], tair.shape)  # the twelve months are those of every year
    water = soil_water(fields["precip"], potential_evaporation(tair, fields["tair_range"], light), tair)
    wetland = np.nan_to_num(fields.get("fraction_wetland", np.zeros(tair.shape[1:])))
    return np.asarray(wetland + (1.0 - wetland) * water)


def mean_of_three(monthly: Float, *, mean_year: bool) -> Float:
    """Return the mean of every month and the two before it.

    In a mean year December comes before January; else the first month is repeated before the record.
    """
    before = monthly[-2:] if mean_year else monthly[[0, 0]]
    padded = np.concatenate([before, monthly])
    return np.asarray((padded[2:] + padded[1:-1] + padded[:-2]) / 3.0)


def _temperature(fields: Fields, _: bool) -> Fields:
    return {"tair": (fields["tmin"] + fields["tmax"]) / 2.0, "tair_range": fields["tmax"] - fields["tmin"]}


def _extremes(fields: Fields, _: bool) -> Fields:
    half = fields["tair_range"] / 2.0
    return {"tmin": fields["tair"] - half, "tmax": fields["tair"] + half}


def _deficit(fields: Fields, _: bool) -> Fields:
    humidity = next({name: fields[name]} for name in ("dewpoint", "rh", "specific_humidity") if name in fields)
    if "patm" in fields:
        humidity["patm"] = fields["patm"]
    vapour = of_days(humidity, fields["tair"], fields["tair_range"])["vapour_pressure"]
    return {"vpd": daylight_deficit(vapour, fields["tair"], fields["tair_range"], fields["lat"])}


def _radiation(fields: Fields, _: bool) -> Fields:
    """Return twelve months, which are those of every year."""
    return {"sw_toa": np.stack([sw_toa(fields["lat"], mid_month_day(month)) for month in range(1, MONTHS + 1)])}


def _cover(fields: Fields, _: bool) -> Fields:
    return land_cover_fractions(fields["igbp"])


def _water(fields: Fields, _: bool) -> Fields:
    return {"soil_water": soil_water_of_months(fields)}


def _rain(fields: Fields, mean_year: bool) -> Fields:
    return {"precip_3m": mean_of_three(fields["precip"], mean_year=mean_year)}


def _greenness(fields: Fields, _: bool) -> Fields:
    """Return the extremes of the months that are known; NaN where none is."""
    ndvi = fields["ndvi"]
    return {"ndvi_min": np.fmin.reduce(ndvi, axis=0), "ndvi_max": np.fmax.reduce(ndvi, axis=0)}


def _before(name: str) -> Rule:
    return Rule((f"{name}_before",), (name,), (), True, lambda fields, _: place.before(name, fields))


def _excess(time: str) -> Rule:
    names, needs = (f"lst_{time}_excess",), (f"lst_{time}", "tair")
    return Rule(names, needs, (), True, lambda fields, _: place.excess(time, fields))


RULES: tuple[Rule, ...] = (
    Rule(("tair", "tair_range"), ("tmin", "tmax"), (), True, _temperature),
    Rule(("tmin", "tmax"), ("tair", "tair_range"), (), True, _extremes),
    Rule(("vpd",), ("dewpoint", "tair", "tair_range"), (), True, _deficit),
    Rule(("vpd",), ("rh", "tair", "tair_range"), (), True, _deficit),
    Rule(("vpd",), ("specific_humidity", "patm", "tair", "tair_range"), (), True, _deficit),
    Rule(("sw_toa",), (), (), True, _radiation),
    Rule(SHARES, ("igbp",), (), False, _cover),
    Rule(("soil_water",), ("precip", "tair", "tair_range", "sw_toa"), ("fraction_wetland",), True, _water),
    Rule(("precip_3m",), ("precip",), (), True, _rain),
    Rule(("ndvi_min", "ndvi_max"), ("ndvi",), (), False, _greenness),
    Rule(("tair_mean", "tair_coldest", "tair_growing", "tair_seasonality"), ("tair",), (), False, place.warmth),
    Rule(("tair_range_mean",), ("tair_range",), (), False, place.daily_range),
    Rule(("precip_mean", "aridity"), ("precip", "tair", "tair_range", "sw_toa"), (), False, place.wetness),
    Rule(("vpd_growing", "sw_growing"), ("vpd", "sw", "tair"), (), False, place.growing_season),
    Rule(("soil_water_mean", "soil_water_growing"), ("soil_water", "tair"), (), False, place.soil),
    Rule(("lai_mean", "lai_min", "lai_max"), ("lai",), (), False, place.leaves),
    *(_before(name) for name in place.BEFORE),
    Rule(("lai_relative",), ("lai", "lai_max"), (), True, place.relative_leaves),
    Rule(("precip_6m", "precip_12m"), ("precip",), (), True, place.rain_sums),
    _excess("day"),
    _excess("night"),
    Rule(("fpar_max", "fpar_amplitude"), ("fpar",), (), False, place.absorption),
    Rule(("ndwi_max", "ndwi_growing"), ("ndwi", "tair"), (), False, place.leaf_water),
    Rule(("lst_excess_growing",), ("lst_day_excess", "tair"), (), False, place.warm_surface),
    Rule(("lai_modis_max",), ("lai_modis",), (), False, place.satellite_leaves),
)
"""In order of application: a later rule may need results of an earlier one."""

INPUTS = frozenset(name for rule in RULES for name in (*rule.needs, *rule.uses))
"""Variables that some predictor follows from."""
