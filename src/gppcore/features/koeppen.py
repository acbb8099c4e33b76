"""Koeppen-Geiger classes from twelve months of temperature and precipitation: of a place, or main classes of many."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import ShapeError
from gppcore.variables import DAYS_IN_MONTH

Float = NDArray[np.float64]


def koeppen_class(tair: ArrayLike, precip: ArrayLike) -> str:
    """Return the Koeppen-Geiger class of a climate.

    Parameters
    ----------
    tair : array_like, shape (12,)
        Mean temperature of January to December [degC].
    precip : array_like, shape (12,)
        Mean precipitation of the months [mm month-1].

    Returns
    -------
    str
        One of the 30 classes, such as Cfb; empty where a month is unknown.

    Raises
    ------
    ShapeError
        If there are not twelve months of both.

    Notes
    -----
    Rules of Table 2 of Beck et al. [1]_, after Peel et al. [2]_ with 0 degC between C and D. Summer is the warmer
    half out of April to September and October to March. Where both the summer and the winter test hold, the drier
    half decides.

    References
    ----------
    .. [1] Beck et al. (2018), Scientific Data 5, 180214. doi:10.1038/sdata.2018.214
    .. [2] Peel et al. (2007), Hydrol. Earth Syst. Sci. 11, 1633-1644. doi:10.5194/hess-11-1633-2007

    Examples
    --------
    >>> koeppen_class([2, 3, 5, 9, 14, 17, 19, 18, 15, 10, 5, 1], [50] * 12)
    'Cfb'
    """
    t, p = np.asarray(tair, dtype=float), np.asarray(precip, dtype=float)
    if t.shape != (12,) or p.shape != (12,):
        raise ShapeError(
            f"koeppen_class: expected 12 months of temperature and precipitation, got {t.shape}, {p.shape}"
        )
    if np.isnan(t).any() or np.isnan(p).any():
        return ""
    half = np.zeros(12, dtype=bool)
    half[3:9] = True
    summer = half if t[half].mean() >= t[~half].mean() else ~half
    mean, total = t.mean(), p.sum()
    share = p[summer].sum() / total if total > 0.0 else 0.5
    dryness = 2.0 * mean + (28.0 if share > 0.7 else 0.0 if share < 0.3 else 14.0)
    if total < 10.0 * dryness:
        return ("BW" if total < 5.0 * dryness else "BS") + ("h" if mean >= 18.0 else "k")
    if t.min() >= 18.0:
        return "Af" if p.min() >= 60.0 else "Am" if p.min() >= 100.0 - total / 25.0 else "Aw"
    if t.max() <= 10.0:
        return "ET" if t.max() > 0.0 else "EF"
    return _temperate(t, p, summer, share > 0.5)


def _temperate(t: Float, p: Float, summer: NDArray[np.bool_], wet_summer: bool) -> str:
    """Return the class of a climate with a warm summer and a cold month: C or D."""
    dry_summer = p[summer].min() < 40.0 and p[summer].min() < p[~summer].max() / 3.0
    dry_winter = p[~summer].min() < p[summer].max() / 10.0
    if dry_summer and dry_winter:
        dry_summer, dry_winter = not wet_summer, wet_summer
    rain = "s" if dry_summer else "w" if dry_winter else "f"
    warmth = "a" if t.max() >= 22.0 else "b" if (t >= 10.0).sum() >= 4 else "d" if t.min() < -38.0 else "c"
    return ("C" if t.min() > 0.0 else "D") + rain + warmth


def koeppen_main(tair: ArrayLike, precip: ArrayLike) -> NDArray[np.str_]:
    """Classify climates into the main classes of Koeppen and Geiger.

    Parameters
    ----------
    tair : array_like (12, n)
        Monthly air temperature, degC.
    precip : array_like (12, n)
        Monthly precipitation, mm d-1.

    Returns
    -------
    array (n,) of '<U1'
        A tropical, B arid, C temperate, D cold, E polar, and '' where a value is NaN; the rules of Peel,
        Finlayson & McMahon (2007), Hydrol. Earth Syst. Sci. 11:1633-1644, Table 1, arid first. Summer is
        the warmer half of the year (April to September, or October to March).
    """
    tair = np.asarray(tair, dtype=np.float64)
    monthly = np.asarray(precip, dtype=np.float64) * DAYS_IN_MONTH[:, None]
    coldest, hottest, mean = tair.min(axis=0), tair.max(axis=0), tair.mean(axis=0)
    april = slice(3, 9)
    annual = monthly.sum(axis=0)
    april_half = monthly[april].sum(axis=0)
    northern = tair[april].mean(axis=0) >= mean
    summer = np.where(northern, april_half, annual - april_half)
    seasonal = np.where(summer >= 0.7 * annual, 28.0, np.where(summer <= 0.3 * annual, 0.0, 14.0))
    arid = annual < 10 * (2 * mean + seasonal)
    classes = [np.isnan(mean + annual), arid, coldest >= 18, hottest <= 10, coldest > 0]
    return np.select(classes, ["", "B", "A", "E", "C"], default="D")
