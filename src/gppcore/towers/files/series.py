"""Faults that a whole series shows: other marks of missing values, flags, stuck sensors, net exchange as GPP."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.errors import TowerFormatError
from gppcore.towers.files.columns import GPP, PER_DAY, Source
from gppcore.towers.files.content import Content
from gppcore.towers.files.plausible import GOOD

MISSING = -9999.0
_OTHER_MARKS = (-6999.0, -9999.9, -9999.99, -999.0, -999.9, -999.99, -99.9, -99.99, -7777.0, -8888.0, -99999.0, 9999.0)
_STUCK_DAYS = {"HH": 7, "HR": 7, "DD": 14, "WW": 28, "MM": 120}
_NEVER_ZERO = ("tair", "tmin", "tmax", "nee")
"""Of which exactly 0 may not last either; rain, light, deficit and GPP may be 0 for weeks."""
_STUCK = ("tair", "tmin", "tmax", "vpd", "vpd_mean", "sw", "precip", "nee", *GPP)


def without_missing(
    raw: NDArray[np.float64], source: Source, content: Content, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return a column with NaN for -9999; refuse the marks that other formats use.

    Raises
    ------
    TowerFormatError
        If a value is such a mark.
    """
    if (other := np.isin(raw, _OTHER_MARKS)).any():
        row = int(other.argmax())
        at = content.at(int(rows[row]))
        raise TowerFormatError(f"{at}: {source.name}: expected -9999 for missing values, got {raw[row]:g}")
    return np.where(raw == MISSING, np.nan, raw)


def good_share(
    flags: NDArray[np.float64], step: str, source: Source, content: Content, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the share of good values: of flags 0 to 3 of sub-daily files, or as longer steps give it.

    Raises
    ------
    TowerFormatError
        If a sub-daily flag is none of 0, 1, 2, 3.
    """
    if PER_DAY[step] == 1:
        return flags
    if (wrong := np.isfinite(flags) & ~np.isin(flags, (0, 1, 2, 3))).any():
        row = int(wrong.argmax())
        at = content.at(int(rows[row]))
        raise TowerFormatError(f"{at}: {source.name}: expected flags 0, 1, 2 or 3, got {flags[row]:g}")
    if source.name.endswith("OK"):  # La Thuile: 1 where the value is measured or filled well
        return np.where(np.isnan(flags), np.nan, (flags == 1).astype(float))
    return np.where(np.isnan(flags), np.nan, (flags <= 1).astype(float))


def flags_of_ozflux(flags: NDArray[np.float64], step: str) -> NDArray[np.float64]:
    """Bring flags of PyFluxPro to those of FLUXNET.

    Flags of 0 to 20 are measured values, perhaps corrected: 0. Those above are filled and do not say how well: 1, or 3
    where a quarter at most of the two weeks about a value is measured.
    """
    measured = np.isin(flags, (0.0, 10.0, 20.0))
    if PER_DAY[step] == 1:
        return np.where(np.isnan(flags), np.nan, measured.astype(float))
    share = pd.Series(measured.astype(float)).rolling(14 * PER_DAY[step], min_periods=1, center=True).mean()
    quality = np.where(measured, 0.0, np.where(share.to_numpy() > 0.25, 1.0, 3.0))
    return np.where(np.isnan(flags), np.nan, quality)


def series_faults(
    table: pd.DataFrame, step: str, sources: Mapping[str, Source], where: str, site: str
) -> list[TowerFormatError]:
    """Return the faults of a record whose series cannot be: stuck sensors, crossed quantiles, net exchange as GPP.

    Parameters
    ----------
    table : pandas.DataFrame
        Quantities in our units, by time.
    step : str
        HH, HR, DD, WW or MM.
    sources : mapping of str to Source
        Columns of the file, for messages.
    where, site : str
        The file and the site, for messages.
    """
    gpp = [name for name in GPP if name in table]
    if not gpp or not table[gpp].notna().any(axis=None):
        return [TowerFormatError(f"{where}: expected values of GPP, got none")]
    checks = [partial(_check_exchange, table, name, f"{where}: {sources[name].name}") for name in gpp]
    for name in (name for name in _STUCK if name in table):
        fluxes = name in ("nee", *GPP) and "qc" in table
        judged = table[name].mask(table["qc"] < GOOD) if fluxes else table[name]
        checks.append(partial(_check_stuck, name, judged, step, f"{where}: {sources[name].name}", site))
    checks.append(partial(_check_order, table, sources, where))
    faults = []
    for check in checks:
        try:
            check()
        except TowerFormatError as error:
            faults.append(error)
    return faults


def _check_order(table: pd.DataFrame, sources: Mapping[str, Source], where: str) -> None:
    """Refuse quantiles and extremes that are crossed, other than those of bad values and of a sign that failed."""
    good = table["qc"] >= GOOD if "qc" in table else pd.Series(True, table.index)
    if "gpp_nt" in table:
        good &= table["gpp_nt"] > 0.0
    for low, high in (("gpp_05", "gpp_95"), ("gpp_25", "gpp_75")):
        if low in table and high in table and (table[low] > table[high] + 1e-6)[good].mean() > 0.01:
            names = f"{sources[low].name}, {sources[high].name}"
            raise TowerFormatError(f"{where}: {names}: expected the first below the second, got them crossed")
    if "tmin" in table and "tmax" in table and (crossed := table["tmin"] > table["tmax"]).any():
        raise TowerFormatError(f"{where}: tmin, {crossed.idxmax()}: expected not above tmax, got above")


def _check_exchange(table: pd.DataFrame, name: str, where: str) -> None:
    """Refuse net exchange, of either sign, under the name of GPP."""
    if "nee" not in table:
        return
    both = table[[name, "nee"]].dropna()
    same = ((both[name].abs() - both["nee"].abs()).abs() < 1e-6) & (both["nee"] != 0.0)
    if len(both) and same.mean() > 0.9:
        raise TowerFormatError(f"{where}: expected GPP, got the values of net exchange (NEE)")


def _check_stuck(name: str, values: pd.Series, step: str, where: str, site: str) -> None:
    """Refuse a value that stays exactly the same for weeks; see `_NEVER_ZERO`."""
    days = _STUCK_DAYS[step]
    run = days * PER_DAY[step] // {"WW": 7, "MM": 30}.get(step, 1)
    array = values.to_numpy()
    same = (np.diff(array) == 0.0) & ((array[1:] != 0.0) | (name in _NEVER_ZERO))
    last = np.flatnonzero(~np.concatenate([[False], same, [False]]))
    lengths = np.diff(last)
    if lengths.size and lengths.max() >= run:
        at = int(last[lengths.argmax()])
        first, last = values.index[at], values.index[at + int(lengths.max()) - 1]
        raise TowerFormatError(
            f"{where}: expected changing values, got {array[at]:g} for {lengths.max()} steps from {first}; "
            f"to go on without them use --drop {site}:{first:%Y-%m-%d}..{last:%Y-%m-%d}"
        )
