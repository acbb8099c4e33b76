"""Units of foreign files, parsed by pint with the CF registry of cf-xarray and converted by meaning."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from gppcore.errors import UnitsError
from gppcore.variables import SECONDS_PER_DAY, VARIABLES

_ALIASES = {
    "fraction": "1",
    "unitless": "1",
    "-": "1",
    "percent": "%",
    "kelvin": "K",
    "degrees kelvin": "K",
    "celsius": "degC",
    "deg c": "degC",
    "degree c": "degC",
    "degrees c": "degC",
    "degrees celsius": "degC",
    "m of water equivalent": "m",
    "mm of water": "mm",
}
_MEAN_MONTH = 365.25 / 12.0  # d, the month of the registry
_DIFFERENCES = {"tair_range"}
"""Differences of temperature: a kelvin is a degree."""
_WATER = {"precip", "precip_3m", "pet"}
"""Variables whose mass of water per area is a depth: 1 kg m-2 is 1 mm."""


def conversion(
    name: str, unit: str | None, *, days: float | None = None, month_days: float | None = None, where: str = ""
) -> tuple[float, float]:
    """Return scale and offset that convert a unit to that of a variable of `gppcore.variables`.

    Parameters
    ----------
    name : str
        Name of the variable.
    unit : str or None
        Unit of the values; None means that of the variable.
    days : float, optional
        Duration of the step [d], where amounts per step (J m-2, mm) are to become rates.
    month_days : float, optional
        Days of the step's calendar month, where the unit is per month; the mean month by default.
    where : str
        File, for messages.

    Returns
    -------
    scale, offset : float
        ``value * scale + offset`` is in the variable's unit.

    Raises
    ------
    UnitsError
        If the unit is unknown, measures another quantity, or is an amount whose duration is unknown.
    """
    wanted = VARIABLES[name].unit
    if unit is None or unit == wanted:
        return 1.0, 0.0
    place = f" in {where}" if where else ""
    factor, parsed = _parsed(unit)
    if month_days is not None and "month" in str(parsed):
        factor *= _MEAN_MONTH / month_days
    if parsed is None:
        raise UnitsError(
            f"{name}{place}: expected {wanted}, got the unknown unit {unit!r}; state `units` in the recipe"
        )
    for scale, other in _meanings(name, parsed, days):
        if other.is_compatible_with(_parsed(wanted)[1]):
            return _linear(other, wanted, factor * scale, offset=scale == 1.0 and name not in _DIFFERENCES)
    if days is None and _meanings(name, parsed, 1.0)[-1][1].is_compatible_with(_parsed(wanted)[1]):
        raise UnitsError(
            f"{name}{place}: expected {wanted}, got {unit!r}, an amount over an unknown time; state `units` with the "
            f"time over which it accumulates, for instance {unit + ' d-1'!r}"
        )
    raise UnitsError(f"{name}{place}: expected {wanted} or a unit that converts to it, got {unit!r}")


def _meanings(name: str, unit: Any, days: float | None) -> list[tuple[float, Any]]:
    """Return readings of a unit: as it stands, as a depth of water, and as an amount per step."""
    registry = _registry()
    found = [(1.0, unit)]
    if name in _WATER:
        found.append((1e-3, unit / registry.Unit("kg m-3")))
    if days is not None:
        found += [(scale / (days * SECONDS_PER_DAY), each / registry.Unit("s")) for scale, each in found]
    return found


def _linear(unit: Any, wanted: str, factor: float, *, offset: bool) -> tuple[float, float]:
    registry = _registry()
    zero, one = (registry.Quantity(x, unit).to(_parsed(wanted)[1]).magnitude for x in (0.0, 1.0))
    return (float(one - zero) * factor, float(zero) if offset else 0.0)


def _parsed(unit: str) -> tuple[float, Any]:
    """Return the number in front of a unit and the unit; None for one that is unknown."""
    text = unit.replace("\u00b5", "u").replace("\u03bc", "u").strip()
    text = _ALIASES.get(text.lower(), text)
    match = re.match(r"^([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(.*)$", text)
    number, rest = (float(match[1]), match[2].strip()) if match else (1.0, text)
    try:
        return number, _registry().Unit(rest or "dimensionless")
    except Exception:  # pint raises many kinds for what it cannot parse
        return number, None


@cache
def _registry() -> Any:
    from cf_xarray.units import units

    return units
