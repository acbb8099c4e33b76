"""From net exchange to GPP by the library hesseflux: filter of friction velocity, gap filling, partitioning."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.errors import TowerFormatError
from gppcore.variables import G_C_PER_UMOL, SECONDS_PER_DAY

Float = NDArray[np.float64]

_NEEDED = {"nee": "NEE", "tair": "TA", "sw": "SW_IN", "vpd": "VPD"}
_MISSING = -9999.0
_LEAST_USTAR = 0.01
_LEAST_NIGHTS = 20
"""Days' worth of steps at night that a year needs for a threshold of its own."""
_NIGHT = 10.0
"""Shortwave [W m-2] below which it is night."""
_BRIGHT = 300.0
"""Shortwave [W m-2] above which leaves take up carbon."""
_UMOL = G_C_PER_UMOL * SECONDS_PER_DAY
_YEAR = 360.0


def partitioned(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, str]:
    """Return a record with GPP made of its net exchange by night-time and by day-time partitioning.

    Parameters
    ----------
    table : pandas.DataFrame
        Half-hours or hours of a year or more, with `nee` [g C m-2 d-1], `tair` [degC], `sw` [W m-2], `vpd` [Pa] and,
        to filter calm nights, `ustar` [m s-1]; where `flux_flag` says that the flux is not to be used (2 of 0 to 2, 7
        and more of 1 to 9), it is left out.
    where : str
        The file, for messages.

    Returns
    -------
    tuple
        The table with `gpp_nt`, `gpp_dt` and filled `nee` [g C m-2 d-1], and `qc`, 1 where NEE is measured or filled
        from like weather within days; and a note that says how.

    Raises
    ------
    TowerFormatError
        If hesseflux is not installed, a column is missing, or the record is shorter than a year.

    Notes
    -----
    Filter of friction velocity: Papale et al. (2006), Biogeosciences 3, 571-583. Gap filling by marginal distribution
    sampling, and partitioning by night: Reichstein et al. (2005), Global Change Biology 11, 1424-1439. Partitioning by
    day, which months are compared with: Lasslop et al. (2010), Global Change Biology 16, 187-208.
    """
    if importlib.util.find_spec("hesseflux") is None:
        raise TowerFormatError(
            f"{where}: expected hesseflux for partitioning, got none; install it by pip install 'gppcore[partition]'"
        )
    if missing := [column for name, column in _NEEDED.items() if name not in table]:
        raise TowerFormatError(f"{where}: expected NEE, TA, SW_IN and VPD for partitioning, got no {missing}")
    if (days := (table.index[-1] - table.index[0]).days) < _YEAR:
        raise TowerFormatError(f"{where}: expected a year or more for partitioning, got {days} days")
    light = table["sw"]
    if table.loc[light < _NIGHT, "nee"].median() < 0.0 < table.loc[light > _BRIGHT, "nee"].median():
        raise TowerFormatError(f"{where}: expected NEE below 0 for uptake, got it above (NEP? change its sign)")
    try:
        with _of_its_time():
            return _partitioned(table)
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise TowerFormatError(f"{where}: expected a record that hesseflux can partition, got: {error}") from error


@contextmanager
def _of_its_time() -> Iterator[None]:
    """Let hesseflux 5.0 run: it uses aliases that numpy 1.24 dropped, and writes into columns, as before pandas 3."""
    to_numpy = pd.Series.to_numpy

    def writable(self: pd.Series, *args: Any, **options: Any) -> NDArray[Any]:
        return np.array(to_numpy(self, *args, **options))

    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        # Of numpy and scipy inside the library, about empty classes; and of numpy 1 about names that it had.
        warnings.simplefilter("ignore")
        for name, kind in (("float", float), ("int", int), ("bool", bool)):
            if not hasattr(np, name):
                stack.enter_context(patch.object(np, name, kind, create=True))
        stack.enter_context(patch.object(pd.Series, "to_numpy", writable))
        stack.enter_context(np.errstate(all="ignore"))
        yield


def _partitioned(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    import hesseflux

    data = pd.DataFrame({column: table[name] for name, column in _NEEDED.items()})
    data["NEE"] /= _UMOL
    if "flux_flag" in table:
        worst = 2.0 if table["flux_flag"].max() <= 2.0 else 7.0
        data.loc[table["flux_flag"] >= worst, "NEE"] = np.nan
    data["VPD"] /= 100.0
    is_day = (data["SW_IN"] > _NIGHT).to_numpy(copy=True)
    calm, threshold = _calm(data, table.get("ustar"), is_day)
    data.loc[calm, "NEE"] = np.nan
    measured = data["NEE"].notna()
    filled, quality = hesseflux.gapfill(*_flagged(data), undef=_MISSING)
    filled = filled.where(filled != _MISSING)
    for_fit = filled.assign(TA=filled["TA"] + 273.15, NEE=data["NEE"])
    respiration = _respiration(for_fit, is_day, "reichstein")
    for_fit["VPD"] *= 100.0
    by_day = _respiration(for_fit, is_day, "lasslop")
    good = (measured | (quality["NEE"] == 1)).astype(float)
    out = table.assign(
        nee=filled["NEE"] * _UMOL,
        gpp_nt=(respiration - filled["NEE"]) * _UMOL,
        gpp_dt=(by_day - filled["NEE"]) * _UMOL,
        qc=good.where(filled["NEE"].notna()),
    )
    note = f"GPP by night-time partitioning of NEE (hesseflux {hesseflux.__version__}), {threshold}"
    return out, note


def _respiration(data: pd.DataFrame, is_day: NDArray[np.bool_], method: str) -> pd.Series:
    """Return ecosystem respiration by a method of hesseflux; missing where it finds none."""
    import hesseflux

    try:
        result = hesseflux.nee2gpp(*_flagged(data), isday=is_day, undef=_MISSING, method=method)
    except (ValueError, IndexError, RuntimeError, np.linalg.LinAlgError):
        if method == "reichstein":
            raise
        return pd.Series(np.nan, data.index)  # the light responses of some days cannot be fitted
    respiration: pd.Series = result["RECO"]
    return respiration.where(respiration != _MISSING)


def _calm(data: pd.DataFrame, ustar: pd.Series | None, is_day: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], str]:
    """Return the nights whose air is too still for the measured flux, and a text with the thresholds."""
    none = np.zeros(len(data), dtype=bool)
    if ustar is None or not ustar.notna().any():
        return none, "without a filter of friction velocity (no USTAR)"
    frame = data[["NEE", "TA"]].assign(USTAR=ustar)
    year = pd.DatetimeIndex(data.index).year
    night = frame.notna().all(axis=1).to_numpy() & ~is_day
    per_day = round(pd.Timedelta(days=1) / (data.index[1] - data.index[0]))
    known = [y for y in year.unique() if night[year == y].sum() >= _LEAST_NIGHTS * per_day]
    if not known:
        return none, f"without a filter of friction velocity (no year has {_LEAST_NIGHTS} days of nights with it)"
    limit = pd.Series({y: _threshold(frame[year == y], is_day[year == y], y) for y in known})
    limits = limit.reindex(year).fillna(limit.median()).to_numpy()
    low, high = limit.min(), limit.max()
    of_years = f"{low:.2f} m s-1" if high - low < 0.005 else f"{low:.2f} to {high:.2f} m s-1, by year,"
    calm = (ustar.to_numpy() < limits) & ~is_day
    return calm, f"nights of a friction velocity below {of_years} left out"


def _threshold(frame: pd.DataFrame, is_day: NDArray[np.bool_], year: int) -> float:
    """Return the threshold of one year, whose steps before and after the record are missing."""
    import hesseflux

    step = frame.index[1] - frame.index[0]
    whole = pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq=step, inclusive="left")
    flagged = _flagged(frame.reindex(whole))
    day = pd.Series(is_day, frame.index).reindex(whole, fill_value=False).to_numpy()
    thresholds, _ = hesseflux.ustarfilter(*flagged, isday=day, ustarmin=_LEAST_USTAR, undef=_MISSING)
    return float(thresholds[1])


def _flagged(data: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table and the flags that hesseflux takes: 2 where a value is missing."""
    flag = data.isna().astype(int) * 2
    return data.fillna(_MISSING), flag
