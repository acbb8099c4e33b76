"""The table of columns: which names of the networks hold a quantity, in which unit, and the units mistaken for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gppcore.variables import G_C_PER_UMOL, SECONDS_PER_DAY

PER_DAY = {"HH": 48, "HR": 24, "DD": 1, "WW": 1, "MM": 1}
"""Steps of a day; fluxes and precipitation of longer steps are given per day."""

_STEP_UNIT = {"HH": "(30 min)-1", "HR": "h-1", "DD": "d-1", "WW": "d-1", "MM": "d-1"}
_DAYS_PER_MONTH = 365.25 / 12.0


class Source(NamedTuple):
    """Name of a column elsewhere and its unit; "flux" and "depth" depend on the step (see `declared_unit`)."""

    name: str
    unit: str


class Conversion(NamedTuple):
    """Canonical value = scale * value + offset."""

    scale: float
    offset: float = 0.0


def _all(unit: str, *names: str) -> tuple[Source, ...]:
    return tuple(Source(name, unit) for name in names)


SOURCES: Mapping[str, tuple[Source, ...]] = {
    "tair": _all("degC", "TA_F", "TA_F_MDS", "TA_PI_F", "TA", "tair", "twr_tair_c"),
    "tmin": _all("degC", "tmin"),
    "tmax": _all("degC", "tmax"),
    "sw_toa": _all("W m-2", "SW_IN_POT", "sw_toa"),
    "sw": _all("W m-2", "SW_IN_F", "SW_IN_F_MDS", "SW_IN_PI_F", "SW_IN", "sw", "twr_sw_w_m2"),
    "vpd": (*_all("hPa", "VPD_F", "VPD_F_MDS", "VPD_PI_F", "VPD_PI", "VPD", "twr_vpd_hpa"), Source("vpd", "Pa")),
    "patm": (*_all("kPa", "PA_F", "PA_PI_F", "PA"), Source("patm", "Pa")),
    "precip": (*_all("depth", "P_F", "P_PI_F", "P"), *_all("mm d-1", "precip", "twr_precip_mm_d")),
    "ca": _all("umol mol-1", "CO2_F_MDS", "CO2_PI_F", "CO2", "ca", "twr_co2_ppm"),
    "nee": _all("flux", "NEE_VUT_REF", "NEE_CUT_REF", "NEE_PI_F", "NEE_PI", "NEE", "nee"),
    "gpp_nt": _all("flux", "GPP_NT_VUT_REF", "GPP_NT_CUT_REF", "gpp_nt"),
    "gpp_dt": _all("flux", "GPP_DT_VUT_REF", "GPP_DT_CUT_REF", "gpp_dt"),
    "gpp": (*_all("flux", "GPP_PI_F", "GPP_PI", "GPP", "gpp"), Source("gpp_daily", "g C m-2 d-1")),
    "gpp_05": _all("flux", "GPP_NT_VUT_05", "GPP_NT_CUT_05"),
    "gpp_95": _all("flux", "GPP_NT_VUT_95", "GPP_NT_CUT_95"),
    "gpp_25": _all("flux", "GPP_NT_VUT_25", "GPP_NT_CUT_25"),
    "gpp_75": _all("flux", "GPP_NT_VUT_75", "GPP_NT_CUT_75"),
    "nee_random": _all("flux", "NEE_VUT_REF_RANDUNC", "NEE_CUT_REF_RANDUNC"),
    "nee_joint": _all("flux", "NEE_VUT_REF_JOINTUNC", "NEE_CUT_REF_JOINTUNC"),
    "qc": _all("1", "NEE_VUT_REF_QC", "NEE_CUT_REF_QC", "gpp_qc"),
    "valid_day_frac": _all("1", "gpp_valid_day_frac"),
    "core": _all("1", "core"),
    "lai": _all("m2 m-2", "lai", "LAI", "modis_lai_m2_m2"),
}
"""By the names of this package, the first source that a file has; temperature comes first, others are judged by it."""

GPP = ("gpp_nt", "gpp_dt", "gpp")


def sources_in(header: Sequence[str]) -> dict[str, Source]:
    """Return the column that holds each quantity; AmeriFlux positions (TA_1_1_1) count as the plain name."""
    found = {}
    for name, sources in SOURCES.items():
        for source in sources:
            pattern = re.compile(rf"{source.name}(_\d+){{0,3}}")
            if columns := sorted((c for c in header if pattern.fullmatch(c)), key=lambda c: (len(c), c)):
                found[name] = Source(columns[0], source.unit)
                break
    return found


def declared_unit(source: Source, step: str) -> str:
    """Return the unit that the layout gives a column at a step."""
    if source.unit == "flux":
        return "umol m-2 s-1" if PER_DAY[step] > 1 else "g C m-2 d-1"
    return f"mm {_STEP_UNIT[step]}" if source.unit == "depth" else source.unit


def conversions(name: str, step: str) -> dict[str, Conversion]:
    """Return the units in which a quantity comes or is mistaken for, each with its way to ours.

    Ours are those of :mod:`gppcore.variables`; carbon fluxes are in g C m-2 d-1 at every step, precipitation in
    mm d-1.
    """
    per_day, per_step = PER_DAY[step], _STEP_UNIT[step]
    if name in {"tair", "tmin", "tmax"}:
        return {"degC": Conversion(1.0), "K": Conversion(1.0, -273.15), "degF": Conversion(5 / 9, -160 / 9)}
    if name in {"vpd", "patm"}:
        return {"Pa": Conversion(1.0), "hPa": Conversion(100.0), "kPa": Conversion(1000.0)}
    if name in {"sw", "sw_toa"}:
        megajoule = 1e6 / SECONDS_PER_DAY
        return {
            "W m-2": Conversion(1.0),
            "MJ m-2 d-1": Conversion(megajoule),
            f"MJ m-2 {per_step}": Conversion(megajoule * per_day),
            f"kJ m-2 {per_step}": Conversion(megajoule * per_day / 1e3),
            f"J m-2 {per_step}": Conversion(megajoule * per_day / 1e6),
            "umol m-2 s-1 of photons": Conversion(1.0 / 2.0),
        }
    if name == "precip":
        return {
            f"mm {per_step}": Conversion(float(per_day)),
            "mm d-1": Conversion(1.0),
            f"m {per_step}": Conversion(1e3 * per_day),
            "mm month-1": Conversion(1.0 / _DAYS_PER_MONTH),
            "kg m-2 s-1": Conversion(SECONDS_PER_DAY),
        }
    if name == "ca":
        units = {"umol mol-1": 1.0, "nmol mol-1 (ppb)": 1e-3, "mol mol-1": 1e6, "Pa": 1e6 / 101325.0}
        return {unit: Conversion(scale) for unit, scale in units.items()}
    if name.startswith(("gpp", "nee")):
        umol = G_C_PER_UMOL * SECONDS_PER_DAY
        return {
            "umol m-2 s-1": Conversion(umol),
            "g C m-2 d-1": Conversion(1.0),
            f"g C m-2 {per_step}": Conversion(float(per_day)),
            "g C m-2 month-1": Conversion(1.0 / _DAYS_PER_MONTH),
            "g C m-2 year-1": Conversion(1.0 / 365.25),
            "kg C m-2 s-1": Conversion(1e3 * SECONDS_PER_DAY),
            "nmol m-2 s-1": Conversion(umol / 1e3),
        }
    return {"m2 m-2": Conversion(1.0), "1": Conversion(1.0)}
