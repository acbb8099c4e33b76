"""The table of columns: names of each quantity in files of the networks, their units, and units mistaken for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gppcore.variables import G_C_PER_UMOL, SECONDS_PER_DAY

PER_DAY = {"HH": 48, "HR": 24, "DD": 1, "WW": 1, "MM": 1}
"""Steps of a day; fluxes and precipitation of longer steps are given per day."""

_STEP_UNIT = {"HH": "(30 min)-1", "HR": "h-1", "DD": "d-1", "WW": "d-1", "MM": "d-1"}
_C_IN_CO2 = 12.011 / 44.009
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
    "tair": (
        *_all(
            "degC", "TA_F", "TA_F_MDS", "TA_PI_F", "TA", "tair", "Tair_f", "Ta_f", "Tair", "Ta", "TA_EP", "twr_tair_c"
        ),
        Source("air_temperature", "K"),
    ),
    "tmin": _all("degC", "tmin", "TMIN_F_MDS"),
    "tmax": _all("degC", "tmax", "TMAX_F_MDS"),
    "sw_toa": _all("W m-2", "SW_IN_POT", "sw_toa", "PotRad"),
    "sw": _all(
        "W m-2", "SW_IN_F", "SW_IN_F_MDS", "SW_IN_PI_F", "SW_IN", "sw", "Rg_f", "Rg", "SWdown", "Fsd", "twr_sw_w_m2"
    ),
    "rh": _all("%", "RH_F", "RH_PI_F", "RH", "rH", "rH_f", "rh", "RH_EP"),
    "vpd": (
        *_all(
            "hPa", "VPD_DAY_F_MDS", "VPD_F", "VPD_F_MDS", "VPD_PI_F", "VPD_PI", "VPD", "VPD_f", "VPD_EP", "twr_vpd_hpa"
        ),
        Source("vpd", "Pa"),
    ),
    "patm": (*_all("kPa", "PA_F", "PA_PI_F", "PA", "ps"), *_all("Pa", "patm", "Psurf", "air_pressure")),
    "precip": (
        *_all("depth", "P_F", "P_PI_F", "P", "P_RAIN", "Precip_f", "precip_f", "Precip"),
        *_all("mm d-1", "precip", "twr_precip_mm_d"),
    ),
    "specific_humidity": _all("kg kg-1", "Qair", "specific_humidity", "SH"),
    "ustar": _all("m s-1", "USTAR", "Ustar", "ustar", "u*"),
    "ca": _all("umol mol-1", "CO2_F_MDS", "CO2_PI_F", "CO2", "ca", "CO2air", "co2_mole_fraction", "twr_co2_ppm"),
    "qc": _all(
        "1",
        *(f"NEE_{kind}_{what}_QC" for what in ("REF", "USTAR50", "MEAN") for kind in ("VUT", "CUT")),
        *("NEE_uStar_fqc", "NEE_U50_fqc", "NEE_fqc", "GPP_fqc", "NEE_fqcOK", "NEE_GPP_fqcOK", "NEE_qc", "gpp_qc"),
        *("Fco2_QCFlag", "Fc_QCFlag", "NEE_SOLO_QCFlag", "NEE_LT_QCFlag"),
        *("flag_GPP_f", "flag_GPP_PI_f", "flag_NEE_f", "flag_NEE_PI_f", "flag_FC_f"),
    ),
    "nee": _all(
        "flux",
        *(f"NEE_{kind}_{what}" for what in ("REF", "USTAR50", "MEAN") for kind in ("VUT", "CUT")),
        *("NEE_CUT_REF_f", "NEE_PI_F", "NEE_uStar_f", "NEE_U50_f", "NEE_f", "NEE_PI_f", "FC_f"),
        *("NEE_PI", "NEE", "nee", "FC", "Fco2", "co2_flux"),
    ),
    "flux_flag": _all("1", "qc_co2_flux", "FC_SSITC_TEST", "NEE_SSITC_TEST", "QCF_NEE"),
    "gpp_nt": _all(
        "flux",
        *(f"GPP_NT_{kind}_{what}" for what in ("REF", "USTAR50", "MEAN") for kind in ("VUT", "CUT")),
        *("GPP_CUT_REF_f", "GPP_uStar_f", "GPP_U50_f", "GPP_f", "GPP_NT", "GPP_LT", "GPP_SOLO", "gpp_nt"),
    ),
    "gpp_dt": _all(
        "flux",
        *(f"GPP_DT_{kind}_{what}" for what in ("REF", "USTAR50", "MEAN") for kind in ("VUT", "CUT")),
        *("GPP_DT_uStar", "GPP_DT_U50", "GPP_DT", "GPP_LL", "gpp_dt", "GPP_f_1_1_2", "GPP_PI_f_1_1_2"),
    ),
    "gpp": (
        *_all("flux", "GPP_PI_F", "GPP_PI", "GPP", "gpp"),
        Source("gpp_daily", "g C m-2 d-1"),
    ),
    **{
        f"gpp_{share}": _all("flux", f"GPP_NT_VUT_{share}", f"GPP_NT_CUT_{share}", f"GPP_U{share}_f")
        for share in ("05", "95", "25", "75")
    },
    "nee_random": _all("flux", "NEE_VUT_REF_RANDUNC", "NEE_CUT_REF_RANDUNC", "NEE_uStar_fsd", "NEE_U50_fsd", "NEE_fsd"),
    "nee_joint": _all("flux", "NEE_VUT_REF_JOINTUNC", "NEE_CUT_REF_JOINTUNC"),
    "valid_day_frac": _all("1", "gpp_valid_day_frac"),
    "core": _all("1", "core"),
    "lai": _all("m2 m-2", "lai", "LAI", "modis_lai_m2_m2"),
}
"""For each quantity of this package its columns in files, best first. Temperature comes first and quality before
fluxes: others are checked with them."""

GPP = ("gpp_nt", "gpp_dt", "gpp")
_OF_GPP = ("nee", "qc", "gpp_05", "gpp_25", "gpp_75", "gpp_95", "nee_random", "nee_joint")
"""Quantities that must come from the same friction threshold as GPP where a file has several."""
_THRESHOLD = re.compile(r"_(VUT|CUT)_(REF|USTAR50|MEAN)?")


def candidates_in(header: Sequence[str], units: Mapping[str, str]) -> dict[str, list[Source]]:
    """Return the columns that may hold each quantity, best first.

    Parameters
    ----------
    header : sequence of str
        Columns of a file; AmeriFlux positions (TA_1_1_1) count as the plain name, and so do names in other case
        where only one quantity and unit has such a name.
    units : mapping of str to str
        Units that the file itself states, by column; where they can be those of the quantity, they hold.
    """
    found = {}
    for name, sources in SOURCES.items():
        columns: dict[str, Source] = {}
        for source, flags in [(s, re.NOFLAG) for s in sources] + [(s, re.IGNORECASE) for s in sources if _plain(s)]:
            pattern = re.compile(rf"{re.escape(source.name)}((_\d+){{0,3}}|(_\d+){{2}}_A)", flags)
            for column in sorted((c for c in header if pattern.fullmatch(c)), key=lambda c: (len(c), c)):
                stated = units.get(column)
                fits = stated == source.unit or stated in conversions(name, "HH")
                columns.setdefault(column, Source(column, stated if stated and fits else source.unit))
        if columns:
            found[name] = list(columns.values())
    return found


def _plain(source: Source) -> bool:
    """Return whether a name means the same in any case; vpd is in Pa here and VPD in hPa elsewhere."""
    same = {s.unit for sources in SOURCES.values() for s in sources if s.name.lower() == source.name.lower()}
    return len(source.name) > 2 and len(same) == 1


def chosen(
    candidates: Mapping[str, Sequence[Source]], counts: Mapping[str, int]
) -> tuple[dict[str, Source], tuple[str, ...]]:
    """Choose one column for each quantity: the best that has values, and half as many as the fullest.

    Parameters
    ----------
    candidates : mapping of str to sequence of Source
        What :func:`candidates_in` returns.
    counts : mapping of str to int
        Number of values of each column.

    Returns
    -------
    tuple
        The columns that were chosen, by quantity, and a note for each better column that was passed over.
    """
    found: dict[str, Source] = {}
    notes = []
    for name in (*GPP, *(n for n in candidates if n not in GPP)):
        columns = list(candidates.get(name, ()))
        if name in _OF_GPP:
            of_gpp = next((_threshold(found[gpp]) for gpp in GPP if gpp in found), ("", ""))
            columns.sort(key=lambda source: _apart(_threshold(source), of_gpp))
        fullest = max((counts[source.name] for source in columns), default=0)
        for source in columns:
            if 0 < counts[source.name] >= fullest / 2:
                found[name] = source
                break
        if name in found and columns[0] != found[name]:
            passed, taken = columns[0].name, found[name].name
            held = f"{counts[passed]} values" if counts[passed] else "no values"
            notes.append(f"{passed} has {held}: {taken} is used, with {counts[taken]}")
    return {name: found[name] for name in SOURCES if name in found}, tuple(notes)


def _threshold(source: Source) -> tuple[str, str]:
    match = _THRESHOLD.search(source.name)
    return (match[1], match[2] or "") if match else ("", "")


def _apart(threshold: tuple[str, str], other: tuple[str, str]) -> tuple[bool, bool]:
    return threshold[0] != other[0], threshold[1] not in ("", other[1])


def declared_unit(source: Source, step: str) -> str:
    """Return the unit that the layout, or the file itself, gives a column at a step."""
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
    if name == "rh":
        return {"%": Conversion(1.0), "1": Conversion(100.0)}
    if name == "ca":
        units = {"umol mol-1": 1.0, "nmol mol-1 (ppb)": 1e-3, "mol mol-1": 1e6, "Pa": 1e6 / 101325.0}
        return {unit: Conversion(scale) for unit, scale in units.items()}
    if name.startswith(("gpp", "nee")):
        umol = G_C_PER_UMOL * SECONDS_PER_DAY
        return {
            "umol m-2 s-1": Conversion(umol),
            "g C m-2 d-1": Conversion(1.0),
            f"g C m-2 {per_step}": Conversion(float(per_day)),
            **({"g C m-2 week-1": Conversion(1.0 / 7.0)} if step == "WW" else {}),
            "g C m-2 month-1": Conversion(1.0 / _DAYS_PER_MONTH),
            "g C m-2 year-1": Conversion(1.0 / 365.25),
            "kg C m-2 s-1": Conversion(1e3 * SECONDS_PER_DAY),
            "mg CO2 m-2 s-1": Conversion(1e-3 * _C_IN_CO2 * SECONDS_PER_DAY),
            "nmol m-2 s-1": Conversion(umol / 1e3),
        }
    if name == "specific_humidity":
        return {"kg kg-1": Conversion(1.0), "g kg-1": Conversion(1e-3)}
    return {"m2 m-2": Conversion(1.0), "m s-1": Conversion(1.0), "1": Conversion(1.0)}
