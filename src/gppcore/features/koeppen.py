"""Koeppen-Geiger classes of climates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import ShapeError
from gppcore.variables import DAYS_IN_MONTH, MONTHS

Float = NDArray[np.float64]


@np.errstate(all="ignore")  # NaN and infinity stay at their places
def koeppen_class(tair: ArrayLike, precip: ArrayLike) -> NDArray[np.str_]:
    """Return the Koeppen-Geiger classes of climates; the first letter is the main class.

    Parameters
    ----------
    tair : array_like, shape (12,) or (12, n)
        Mean air temperature of January to December [degC].
    precip : array_like, shape (12,) or (12, n)
        Mean precipitation of the months [mm d-1].

    Returns
    -------
    ndarray of str, shape () or (n,)
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
    >>> str(koeppen_class([2, 3, 5, 9, 14, 17, 19, 18, 15, 10, 5, 1], [1.7] * 12))
    'Cfb'
    """
    t, p = np.asarray(tair, dtype=np.float64), np.asarray(precip, dtype=np.float64)
    if t.shape != p.shape or t.shape[:1] != (MONTHS,) or t.ndim > 2:
        raise ShapeError(
            f"koeppen_class: expected 12 months of temperature and precipitation, got {t.shape} and {p.shape}"
        )
    shape, t = t.shape[1:], t.reshape(MONTHS, -1)
    p = p.reshape(MONTHS, -1) * DAYS_IN_MONTH[:, None]  # mm month-1
    coldest, hottest, mean, total = t.min(axis=0), t.max(axis=0), t.mean(axis=0), p.sum(axis=0)
    summer = _warmer_half(t)
    in_summer = np.where(summer, p, 0.0).sum(axis=0)
    share = np.divide(in_summer, total, out=np.full(total.shape, 0.5), where=total > 0.0)
    dryness = 2.0 * mean + np.where(share > 0.7, 28.0, np.where(share < 0.3, 0.0, 14.0))
    arid = np.char.add(np.where(total < 5.0 * dryness, "BW", "BS"), np.where(mean >= 18.0, "h", "k"))
    always_wet, monsoon = p.min(axis=0) >= 60.0, p.min(axis=0) >= 100.0 - total / 25.0
    tropical = np.select([always_wet, monsoon], ["Af", "Am"], default="Aw")
    polar = np.where(hottest > 0.0, "ET", "EF")
    rules = [np.isnan(mean + total), total < 10.0 * dryness, coldest >= 18.0, hottest <= 10.0]
    classes = np.select(rules, ["", arid, tropical, polar], default=_temperate(t, p, summer, share > 0.5))
    return classes.reshape(shape)


def _warmer_half(t: Float) -> NDArray[np.bool_]:
    """Return the months of summer, shape (12, n)."""
    april_to_september = np.isin(np.arange(MONTHS), range(3, 9))[:, None]
    northern = t[3:9].mean(axis=0) >= t[[0, 1, 2, 9, 10, 11]].mean(axis=0)
    return np.asarray(april_to_september == northern)


def _temperate(t: Float, p: Float, summer: NDArray[np.bool_], wet_summer: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Return the classes of climates with a warm summer and a cold month: C or D."""
    driest_summer, wettest_summer = np.where(summer, p, np.inf).min(axis=0), np.where(summer, p, -np.inf).max(axis=0)
    driest_winter, wettest_winter = np.where(summer, np.inf, p).min(axis=0), np.where(summer, -np.inf, p).max(axis=0)
    dry_summer = (driest_summer < 40.0) & (driest_summer < wettest_winter / 3.0)
    dry_winter = driest_winter < wettest_summer / 10.0
    both = dry_summer & dry_winter
    dry_summer, dry_winter = np.where(both, ~wet_summer, dry_summer), np.where(both, wet_summer, dry_winter)
    rain = np.select([dry_summer, dry_winter], ["s", "w"], default="f")
    warmth = np.select(
        [t.max(axis=0) >= 22.0, (t >= 10.0).sum(axis=0) >= 4, t.min(axis=0) < -38.0], ["a", "b", "d"], default="c"
    )
    main = np.where(t.min(axis=0) > 0.0, "C", "D")
    return np.char.add(np.char.add(main, rain), warmth)
