"""Units that a file states itself: in a row below its header, or as attributes of netCDF."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_NOT_ONE = {"", "-", "--", "---", "1", "#", "na", "nan", "none", "unitless"}
_UNITS = {
    "degC": ("degc", "c", "celsius", "°c", "deg_c", "degreesc", "degree_celsius", "degrees_celsius", "oc"),
    "K": ("k", "kelvin"),
    "degF": ("degf", "f", "fahrenheit"),
    "Pa": ("pa",),
    "hPa": ("hpa", "mbar", "mb"),
    "kPa": ("kpa",),
    "W m-2": ("wm-2", "w/m2", "w/m^2", "wm^-2"),
    "umol m-2 s-1": (
        "umolm-2s-1",
        "umol/m2/s",
        "umol/m^2/s",
        "umols-1m-2",
        "umolm^-2s^-1",
        "umolco2m-2s-1",
        "umol/(m2s)",
    ),
    "g C m-2 d-1": ("gcm-2d-1", "gc/m2/d", "gcm-2day-1", "gc/m2/day", "gm-2d-1", "gcd-1m-2"),
    "g C m-2 month-1": ("gcm-2month-1", "gc/m2/month", "gcm-2mon-1", "gcm-2mo-1", "gm-2month-1"),
    "g C m-2 year-1": ("gcm-2year-1", "gcm-2yr-1", "gcm-2y-1", "gcm-2a-1", "gc/m2/yr", "gc/m2/year"),
    "kg C m-2 s-1": ("kgcm-2s-1", "kgc/m2/s"),
    "mg CO2 m-2 s-1": ("mgco2m-2s-1", "mgco2/m2/s", "mgco2m^-2s^-1"),
    "nmol m-2 s-1": ("nmolm-2s-1", "nmol/m2/s"),
    "MJ m-2 d-1": ("mjm-2d-1", "mjm-2day-1", "mj/m2/d", "mj/m2/day"),
    "mm d-1": ("mmd-1", "mm/d", "mm/day", "mmday-1"),
    "kg m-2 s-1": ("kgm-2s-1", "kg/m2/s", "kg/m^2/s", "mms-1", "mm/s"),
    "depth": ("mm", "mmhh-1", "mm/30min"),
    "kg kg-1": ("kgkg-1", "kg/kg"),
    "g kg-1": ("gkg-1", "g/kg"),
    "%": ("%", "percent"),
    "umol mol-1": ("ppm", "umolmol-1", "umol/mol", "ppmv", "umolco2mol-1"),
    "m2 m-2": ("m2m-2", "m2/m2", "m^2/m^2"),
    "1": ("1", "fraction"),
}
_SPELT = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_OF_TIME = re.compile(
    r"\[?(y{2,4}|d{2}|h{1,2}|m{2})[-/:. ]?.*\]?|posix.*|decimaldays?|days?|hours?|ddd.*", re.IGNORECASE
)


def known_unit(text: str) -> str | None:
    """Return a unit in the spelling of `columns.conversions`, or None where it is unknown or none is stated."""
    plain = re.sub(r"[\s\[\]*{}]|\*\*", "", text.strip().strip('"')).replace("\u00b5", "u").replace("\u03bc", "u")
    return _SPELT.get(plain.lower().replace("+1", "").replace("_", ""))


def stated_units(header: Sequence[str], line: bytes) -> dict[str, str] | None:
    """Return the units of a row below the header, by column, or None if the row is one of values.

    Parameters
    ----------
    header : sequence of str
        Columns.
    line : bytes
        The first row; empty if there is none.
    """
    fields = [text.strip().strip('"') for text in line.decode(errors="replace").split(",")]
    if len(fields) != len(header) or any(_NUMBER.fullmatch(text) for text in fields if text != "1"):
        return None
    units = {name: unit for name, text in zip(header, fields, strict=True) if (unit := known_unit(text))}
    blank = all(text.lower() in _NOT_ONE or _OF_TIME.fullmatch(text) for text in fields)
    worded = any(re.search(r"\d{4}", text) for text in fields)  # a date: a row of values with words in it
    return units if (units or blank) and not worded and any(fields) else None
