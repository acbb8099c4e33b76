"""From net exchange to GPP by the library hesseflux: filter of friction velocity, gap filling, partitioning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.errors import RangeError, TowerFormatError
from gppcore.variables import G_C_PER_UMOL, SECONDS_PER_DAY

Float = NDArray[np.float64]

METHODS: Mapping[str, tuple[str, str]] = {"night": ("gpp_nt", "reichstein"), "day": ("gpp_dt", "lasslop")}
"""Name of the result, and the method in hesseflux: Reichstein et al. (2005), Lasslop et al. (2010)."""
_NEEDED = {"nee": "NEE", "tair": "TA", "sw": "SW_IN", "vpd": "VPD"}
_MISSING = -9999.0
_LEAST_USTAR = 0.01
_SWITCH = 10.0
"""Shortwave [W m-2] below which it is night."""
_UMOL = G_C_PER_UMOL * SECONDS_PER_DAY
_YEAR = 360.0


def partitioned(table: pd.DataFrame, method: Literal["night", "day"], where: str) -> tuple[pd.DataFrame, str]:
    """Return a record with GPP made of its net exchange.

    Parameters
    ----------
    table : pandas.DataFrame
        Half-hours or hours of a year or more, with `nee` [g C m-2 d-1], `tair` [degC], `sw` [W m-2], `vpd` [Pa] and,
        to filter calm nights, `ustar` [m s-1].
    method : {"night", "day"}
        Night-time (Reichstein et al. 2005) or day-time (Lasslop et al. 2010) partitioning.
    where : str
        The file, for messages.

    Returns
    -------
    tuple
        The table with `gpp_nt` or `gpp_dt`, filled `nee`, and `qc`, 1 where NEE is measured or filled from like
        weather within days; and a note that says how.

    Raises
    ------
    RangeError
        If the method is unknown.
    TowerFormatError
        If hesseflux is not installed, a column is missing, or the record is shorter than a year.

    Notes
    -----
    Filter: Papale et al. (2006); filling: marginal distribution sampling, Reichstein et al. (2005). Biogeosciences 3,
    571-583; Global Change Biology 11, 1424-1439.
    """
    if method not in METHODS:
        raise RangeError(f"partition: expected night or day, got {method!r}")
    try:
        import hesseflux
    except ImportError:
        raise TowerFormatError(
            f"{where}: expected hesseflux for partitioning, got none; install it by pip install 'gppcore[partition]'"
        ) from None
    if missing := [column for name, column in _NEEDED.items() if name not in table]:
        raise TowerFormatError(f"{where}: expected NEE, TA, SW_IN and VPD for partitioning, got no {missing}")
    if (days := (table.index[-1] - table.index[0]).days) < _YEAR:
        raise TowerFormatError(f"{where}: expected a year or more for partitioning, got {days} days")
    data = pd.DataFrame({column: table[name] for name, column in _NEEDED.items()})
    data["NEE"] /= _UMOL
    data["VPD"] /= 100.0
    is_day = (data["SW_IN"] > _SWITCH).to_numpy()
    calm, threshold = _calm(data, table.get("ustar"), is_day)
    measured = data["NEE"].notna().to_numpy() & ~calm
    data.loc[calm, "NEE"] = np.nan
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of numpy and scipy inside the library, about empty classes
        filled, quality = hesseflux.gapfill(*_flagged(data), undef=_MISSING)
        data = filled.where(filled != _MISSING)
        for_fit = data.assign(TA=data["TA"] + 273.15, VPD=data["VPD"] * 100.0)
        for_fit["NEE"] = for_fit["NEE"].where(measured)
        gpp = _gpp(hesseflux, for_fit, data["NEE"], is_day, METHODS[method][1])
    name = METHODS[method][0]
    good = measured | (quality["NEE"].to_numpy() == 1)
    out = table.assign(nee=data["NEE"] * _UMOL, qc=np.where(data["NEE"].notna(), good.astype(float), np.nan))
    out[name] = gpp * _UMOL
    note = f"GPP by {method}-time partitioning of NEE (hesseflux {hesseflux.__version__}), {threshold}"
    return out, note


def _calm(data: pd.DataFrame, ustar: pd.Series | None, is_day: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], str]:
    """Return the nights whose air is too still for the measured flux, and a text with the threshold."""
    import hesseflux

    none = np.zeros(len(data), dtype=bool)
    if ustar is None or not ustar.notna().any():
        return none, "without a filter of friction velocity (no USTAR)"
    frame = data[["NEE", "TA"]].assign(USTAR=ustar)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        threshold, _ = hesseflux.ustarfilter(*_flagged(frame), isday=is_day, ustarmin=_LEAST_USTAR, undef=_MISSING)
    limit = float(np.atleast_1d(threshold)[len(np.atleast_1d(threshold)) // 2])
    calm = (ustar < limit).to_numpy() & ~is_day
    return calm, f"nights of a friction velocity below {limit:.2f} m s-1 left out"


def _gpp(library: object, data: pd.DataFrame, nee: pd.Series, is_day: NDArray[np.bool_], method: str) -> pd.Series:
    """Fit respiration to measured NEE; GPP of all steps is respiration less filled NEE."""
    frame, flag = _flagged(data)
    result = library.nee2gpp(frame, flag, isday=is_day, undef=_MISSING, method=method)  # type: ignore[attr-defined]
    respiration = result["RECO"].where(result["RECO"] != _MISSING)
    if method == "lasslop":
        gpp = result["GPP"].where(result["GPP"] != _MISSING)
        return gpp.fillna(respiration - nee)
    return respiration - nee


def _flagged(data: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table and the flags that hesseflux takes: 2 where a value is missing."""
    flag = data.isna().astype(int) * 2
    return data.fillna(_MISSING), flag
