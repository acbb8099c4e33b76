"""Units by plausibility: limits of each series, and the unit that explains a series outside them.

Every test takes a whole series in our units. The limits are wide: they separate units, which differ by factors of 10 to
1000 or an offset of 273, not usual from unusual years.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import TowerFormatError, UnitsError
from gppcore.process.daylight import saturation_vapour_pressure
from gppcore.towers.files.columns import PER_DAY, Source, conversions, declared_unit
from gppcore.towers.files.content import Content
from gppcore.variables import VARIABLES

Float = NDArray[np.float64]
Known = Mapping[str, Float]

_MUCH_UPTAKE = 3.0
"""NEE [g C m-2 d-1] that no noise reaches."""
GOOD = 0.5
"""Share of measured and well-filled values from which on a step is good."""
_SPIKES = 0.005
"""Share of values below which those out of range are spikes, which no unit explains."""
_HIGHEST_WEEK, _HIGHEST_MONTH, _HIGHEST_YEAR = 30.0, 25.0, 13.0
"""Mean GPP [g C m-2 d-1] that no vegetation exceeds: 24.1 is the highest month of 204 towers."""
_MIN_DAYS = 60.0
"""Days of values that a test of totals needs."""


class Misfit(NamedTuple):
    """Why a series cannot be right: what was expected, what came, the first row that shows it, and if few rows do."""

    expected: str
    got: str
    row: int | None = None
    single: bool = False


def converted(
    name: str, source: Source, raw: Float, step: str, content: Content, rows: NDArray[np.int64], known: Known
) -> Float:
    """Bring a column to our unit and refuse it if it cannot be in the unit that its layout gives it.

    Parameters
    ----------
    name : str
        Quantity, a key of `columns.SOURCES`.
    source : Source
        Its column.
    raw : ndarray, shape (n,)
        Its values, NaN where missing.
    step : str
        HH, HR, DD, WW or MM.
    content : Content
        The file, for messages.
    rows : ndarray of int, shape (n,)
        Rows of the file, for messages.
    known : mapping of str to ndarray
        Quantities that were read before, in our units.

    Raises
    ------
    UnitsError
        If another unit explains the values.
    TowerFormatError
        If none does.
    """
    units, declared = conversions(name, step), declared_unit(source, step)
    everything: Float = raw * units[declared].scale + units[declared].offset
    raw = _good(name, raw, known)
    values: Float = raw * units[declared].scale + units[declared].offset
    misfit = _misfit(name, values, step, known)
    if misfit is None:
        low, high = _limits(name, step)
        return np.where(np.isnan(values) & ~((everything >= low) & (everything <= high)), np.nan, everything)
    seen = raw[np.isfinite(raw)]
    got = f"{seen.min():g} to {seen.max():g}, median {np.median(seen):g}" if seen.size else "no number"
    explained = [
        unit
        for unit, (scale, offset) in units.items()
        if unit != declared and not misfit.single and _misfit(name, raw * scale + offset, step, known) is None
    ]
    if explained:
        looks = " or ".join(explained)
        raise UnitsError(f"{content.where}: {source.name}: expected {declared}, got {got}, which looks like {looks}")
    if name == "vpd" and "tair" in known and _vpd(known["tair"] * 100.0, step, {"tair": values / 100.0}) is None:
        raise TowerFormatError(
            f"{content.where}: {source.name}: expected a deficit, got the temperature: columns swapped"
        )
    where = content.where if misfit.row is None else content.at(int(rows[misfit.row]))
    raise TowerFormatError(f"{where}: {source.name}: expected {misfit.expected}, got {misfit.got}")


def _good(name: str, values: Float, known: Known) -> Float:
    """Return fluxes without those that were filled badly: these must not speak against the file."""
    if not name.startswith(("gpp", "nee")) or "qc" not in known:
        return values
    return np.where(known["qc"] < GOOD, np.nan, values)


def _misfit(name: str, values: Float, step: str, known: Known) -> Misfit | None:
    finite = values[np.isfinite(values)]
    if np.isinf(values).any():
        return Misfit("finite numbers", "infinity", int(np.isinf(values).argmax()))
    if finite.size == 0:
        return None
    low, high = _limits(name, step)
    outside = (values < low) | (values > high)
    if outside.any():
        row = int(outside.argmax())
        few = name != "precip" and bool(outside.sum() < _SPIKES * finite.size)  # rain itself is rare
        return Misfit(f"{low:g} to {high:g} in our unit", f"{values[row]:g}", row, few)
    check = _CHECKS.get(name)
    return check(values, step, known) if check and finite.size / PER_DAY[step] * _days(step) >= _MIN_DAYS else None


def _days(step: str) -> float:
    return {"WW": 7.0, "MM": 30.0}.get(step, 1.0)


def _limits(name: str, step: str) -> tuple[float, float]:
    """Return what single values may reach, in our units; sub-daily fluxes scatter about zero."""
    short = PER_DAY[step] > 1
    if name.startswith(("gpp", "nee")):
        longest = {"WW": _HIGHEST_WEEK, "MM": _HIGHEST_MONTH}.get(step, VARIABLES["gpp_daily"].valid_range[1])
        return (-160.0, 220.0) if short else (-30.0, longest)
    if name in {"sw", "sw_toa"}:
        return (-60.0, 1500.0) if short else (-10.0, 600.0)
    if name == "precip":
        return (-1e-6, 200.0 * PER_DAY[step]) if short else (-1e-6, 1900.0)
    if name in {"qc", "valid_day_frac", "core"}:
        return (0.0, 3.0) if name == "qc" and short else (0.0, 1.0)
    if name == "flux_flag":
        return (0.0, 9.0)
    if name == "ustar":
        return (-0.01, 15.0)
    low, high = VARIABLES[name].valid_range
    if name == "vpd":  # sensors drift about saturation; means over days hardly
        return (-150.0 if short else -50.0), high
    return low, high


def _high(values: Float, share: float = 0.99) -> float:
    return float(np.nanquantile(values, share))


def _tair(values: Float, step: str, known: Known) -> Misfit | None:
    spread = _high(values) - _high(values, 0.01)
    if PER_DAY[step] == 1 or spread >= 3.0:
        return None
    return Misfit("temperatures that vary by 3 degC between nights and days", f"{spread:.2g} degC")


def _vpd(values: Float, step: str, known: Known) -> Misfit | None:
    """Refuse a deficit above saturation pressure, or one that never reaches a tenth of it."""
    if "tair" in known and np.isfinite(known["tair"] + values).any():
        saturation = saturation_vapour_pressure(known["tair"])
        over = values > 1.25 * saturation + 150.0
        if np.mean(over[np.isfinite(values)]) > 0.02:
            row = int(over.argmax())
            return Misfit("a deficit below saturation pressure", f"{values[row]:g} Pa of {saturation[row]:.0f} Pa", row)
        if (ratio := _high(values / saturation)) < 0.1:
            return Misfit("above a tenth of saturation pressure at some time", f"{ratio:.3f} at most")
        return None
    lowest = 300.0 if PER_DAY[step] > 1 else 40.0
    high = _high(values)
    return None if lowest <= high <= 12000.0 else Misfit(f"highest values of {lowest:g} to 12000 Pa", f"{high:g} Pa")


def _rh(values: Float, step: str, known: Known) -> Misfit | None:
    high = _high(values)
    return None if high > 5.0 else Misfit("relative humidity above 5 % at some time", f"{high:.3g} at most")


def _sw(values: Float, step: str, known: Known) -> Misfit | None:
    """Refuse light of which less than an eighth or more than nine tenths reach the ground."""
    if "toa" not in known:
        high, lowest = _high(values), 250.0 if PER_DAY[step] > 1 else 60.0
        return None if high >= lowest else Misfit(f"highest values above {lowest:g} W m-2", f"{high:g}")
    both = np.isfinite(values) & np.isfinite(known["toa"])
    light = known["toa"][both].sum()
    if light <= 0.0:
        return None
    clearness = float(values[both].sum() / light)
    expected = "0.12 to 0.92 of the light at the top of the atmosphere"
    return None if 0.12 <= clearness <= 0.92 else Misfit(expected, f"{clearness:.3g}")


def _precip(values: Float, step: str, known: Known) -> Misfit | None:
    total = float(np.nanmean(values)) * 365.25
    return None if 6.0 <= total <= 6500.0 else Misfit("6 to 6500 mm of precipitation a year", f"{total:.3g} mm")


def _ca(values: Float, step: str, known: Known) -> Misfit | None:
    middle = float(np.nanmedian(values))
    return None if 280.0 <= middle <= 600.0 else Misfit("a median of 280 to 600 umol mol-1", f"{middle:.4g}")


def _patm(values: Float, step: str, known: Known) -> Misfit | None:
    low, high = float(np.nanquantile(values, 0.01)), _high(values)
    return None if high / low < 1.25 else Misfit("pressure within a quarter", f"{low:.0f} to {high:.0f} Pa")


def _gpp(values: Float, step: str, known: Known) -> Misfit | None:
    """Refuse highest GPP above that of any vegetation, below that of bare ground, or far below uptake."""
    short, high, uptake = PER_DAY[step] > 1, _high(values), 0.0
    # In the Arctic a canopy hardly takes up more than towers elsewhere scatter.
    cold = "tair" in known and np.isfinite(known["tair"]).any() and _high(known["tair"]) < 15.0
    lowest, highest = ((0.45 if cold else 1.6), 110.0) if short else (0.02, 35.0)
    if high < 0.3 * _high(-values):
        return Misfit("positive GPP", f"{high:.3g} at most, and {-_high(-values):.3g} at least (the sign of NEE?)")
    if not lowest <= high <= highest:
        return Misfit(f"highest GPP of {lowest:g} to {highest:g} g C m-2 d-1", f"{high:.3g}")
    days = np.isfinite(values).sum() / PER_DAY[step] * _days(step)
    if days >= 300.0 and (mean := float(np.nanmean(values))) > _HIGHEST_YEAR:
        return Misfit(f"a mean GPP of a year up to {_HIGHEST_YEAR:g} g C m-2 d-1", f"{mean:.3g}")
    if "nee" in known and np.isfinite(known["nee"]).any():
        uptake = _high(-known["nee"])
    if uptake > _MUCH_UPTAKE and high < 0.25 * uptake:
        return Misfit("highest GPP not far below the uptake of NEE", f"{high:.3g} and {uptake:.3g} g C m-2 d-1")
    return None


_CHECKS: Mapping[str, Callable[[Float, str, Known], Misfit | None]] = {
    "tair": _tair,
    "vpd": _vpd,
    "rh": _rh,
    "sw": _sw,
    "precip": _precip,
    "ca": _ca,
    "patm": _patm,
    "gpp": _gpp,
    "gpp_nt": _gpp,
    "gpp_dt": _gpp,
}
