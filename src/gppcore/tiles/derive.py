"""Predictors that follow from other variables of a tile store: the step between files of forcing and a map."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import IGBP
from gppcore.errors import OutputExistsError, RangeError, TileFormatError
from gppcore.features import FRACTIONS, with_cover
from gppcore.process import soil_water
from gppcore.process.daylight import mid_month_day, sw_toa
from gppcore.tiles.store import MONTHS, TileStore
from gppcore.variables import attributes

Float = NDArray[np.float64]
Fields = Mapping[str, Float]
Rule = Callable[[Fields], Fields]

_WETLAND = next(land_class.code for land_class in IGBP if land_class.acronym == "WET")
_BLOCK = 8192  # cells: all months of many years of them are in memory at once


def derive_predictors(store: TileStore) -> tuple[str, ...]:
    """Add to a store the predictors that follow from its variables, where it does not have them.

    ========================================  ================================
    predictor                                 follows from
    ========================================  ================================
    `tair`, `tair_range`                      `tmin`, `tmax`
    `sw_toa`                                  latitude
    `fraction_<pft>`, `fraction_wetland`      `igbp`
    `soil_water`                              `precip`, `tair`, `tair_range`
    ========================================  ================================

    They are what :func:`gppcore.read_towers` makes of a tower folder. Wetlands have a soil water of 1 where `igbp` is
    known. Finished tiles are kept, so that a stopped run goes on where it was.

    Parameters
    ----------
    store : TileStore
        With finished tiles.

    Returns
    -------
    tuple of str
        What this call, or an earlier one, has added.

    Raises
    ------
    RangeError
        If `igbp` holds other numbers than classes 0 to 16.
    StoreLockedError, DiskFullError
    """
    added: list[str] = []
    with store.writing():
        for names, inputs, monthly, rule in _RULES:
            if not all(_has(store, name) for name in inputs):
                continue
            missing = [name for name in names if _declare(store, name, monthly)]
            known = [name for name in {*inputs, "igbp"} if _has(store, name)]
            for tile in range(store.n_tiles if missing else 0):
                _fill(store, tile, missing, known, monthly, rule)
            added += missing
    return tuple(added)


def _has(store: TileStore, name: str) -> bool:
    try:
        store.is_monthly(name)
    except TileFormatError:
        return False
    return True


def _declare(store: TileStore, name: str, monthly: bool) -> bool:
    """Declare a variable, unless the store has it from elsewhere."""
    attrs = {**attributes(name, own_unit="1"), "comment": "derived from other variables of the store"}
    try:
        store.add(name, monthly=monthly, attrs=attrs)
    except OutputExistsError:
        return False
    return True


def _fill(store: TileStore, tile: int, names: list[str], inputs: list[str], monthly: bool, rule: Rule) -> None:
    """Write the unfinished chunks of one tile."""
    years = store.n_years if monthly else 1
    wanted = [(name, year) for name in names for year in range(years) if not store.has(name, tile, year)]
    if not wanted:
        return
    n, steps = store.n_cells(tile), MONTHS * years
    lat = store.lat[store.index[store.cells(tile)] // store.shape[1]]
    whole = {name: np.empty((steps, n) if monthly else n, dtype=np.float32) for name in names}
    for start in range(0, n, _BLOCK):
        block = slice(start, start + _BLOCK)
        fields = {name: _all_months(store, name, tile, block) for name in inputs}
        for name, values in rule({**fields, "lat": lat[block]}).items():
            if name in whole:
                whole[name][..., block] = np.resize(values, (steps, *values.shape[1:])) if monthly else values
    for name, year in wanted:
        of_year = slice(MONTHS * year, MONTHS * (year + 1)) if monthly else slice(None)
        store.write(name, tile, whole[name][of_year], year)


def _all_months(store: TileStore, name: str, tile: int, block: slice) -> Float:
    if not store.is_monthly(name):
        return store.read(name, tile)[block].astype(np.float64)
    return np.concatenate([store.read(name, tile, year)[:, block] for year in range(store.n_years)], dtype=np.float64)


def _temperature(fields: Fields) -> Fields:
    return {"tair": (fields["tmin"] + fields["tmax"]) / 2.0, "tair_range": fields["tmax"] - fields["tmin"]}


def _radiation(fields: Fields) -> Fields:
    """Return twelve months, which are those of all years."""
    return {"sw_toa": np.stack([sw_toa(fields["lat"], mid_month_day(month)) for month in range(1, MONTHS + 1)])}


def _cover(fields: Fields) -> Fields:
    igbp = fields["igbp"]
    known = igbp[np.isfinite(igbp)]
    if len(wrong := known[(known != np.rint(known)) | (known < 0) | (known > 16)]):
        raise RangeError(f"igbp: expected classes 0 to 16 on the grid of the store, got {wrong[0]:g}")
    wetland = np.where(np.isfinite(igbp), igbp == _WETLAND, np.nan)
    return {**with_cover({"igbp": igbp}), "fraction_wetland": wetland}


def _bucket(fields: Fields) -> Fields:
    tair, tair_range, precip = (fields[name] for name in ("tair", "tair_range", "precip"))
    light = np.resize(_radiation(fields)["sw_toa"], tair.shape)
    water = soil_water.soil_water(precip, soil_water.potential_evaporation(tair, tair_range, light), tair)
    if "igbp" in fields:
        water[np.isfinite(water) & (fields["igbp"] == _WETLAND)] = 1.0  # the water table is near
    return {"soil_water": water}


_RULES: tuple[tuple[tuple[str, ...], tuple[str, ...], bool, Rule], ...] = (
    (("tair", "tair_range"), ("tmin", "tmax"), True, _temperature),
    (("sw_toa",), (), True, _radiation),
    ((*FRACTIONS, "fraction_wetland"), ("igbp",), False, _cover),
    (("soil_water",), ("precip", "tair", "tair_range"), True, _bucket),
)
"""Names, what they follow from, whether they are monthly, and how they follow."""
