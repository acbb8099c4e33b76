"""Seasons and years of two maps: amplitude and phase of the seasonal cycle, trend and interannual variability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gppcore.variables import DAYS_IN_MONTH, MONTHS

Floats = NDArray[np.float64]
_LEAST_YEARS = 5


@dataclass(frozen=True)
class Season:
    """Mean seasonal cycles of two maps in one region.

    Parameters
    ----------
    amplitude, other_amplitude : float
        Highest minus lowest month [g C m-2 d-1].
    peak, other_peak : float
        Time of the maximum of the annual harmonic [months since the beginning of January, 0 to 12].
    shift : float
        Peak of the product minus that of the reference [d], within half a year.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore.comparison.variability import season
    >>> wave = np.cos(2 * np.pi * (np.arange(12) + 0.5 - 6.5) / 12)
    >>> round(season(wave, np.roll(wave, 1)).shift)
    -30
    """

    amplitude: float
    other_amplitude: float
    peak: float
    other_peak: float
    shift: float


@dataclass(frozen=True)
class Variability:
    """Annual totals of two maps in the years that both have; NaN with fewer than 5.

    Parameters
    ----------
    years : tuple of int
        Years in common.
    trend, other_trend : float
        Slope of a line through the annual totals [Pg C yr-2].
    deviation, other_deviation : float
        Standard deviation of the annual totals about that line [Pg C yr-1].
    correlation : float
        Of the departures of both from their lines [1].

    Examples
    --------
    >>> from gppcore.comparison.variability import variability
    >>> totals = {2001: 120.0, 2002: 121.5, 2003: 121.9, 2004: 123.2, 2005: 124.0}
    >>> found = variability(totals, dict.fromkeys(totals, 110.0))
    >>> round(found.trend, 2), found.other_trend, len(found.years)
    (0.97, 0.0, 5)
    """

    years: tuple[int, ...]
    trend: float
    other_trend: float
    deviation: float
    other_deviation: float
    correlation: float


def season(cycle: Floats, other: Floats) -> Season:
    """Return what two mean seasonal cycles of 12 months differ in."""
    peaks = [_peak(each) for each in (cycle, other)]
    shift = (peaks[0] - peaks[1] + MONTHS / 2) % MONTHS - MONTHS / 2
    days = shift * float(DAYS_IN_MONTH.sum()) / MONTHS
    return Season(float(np.ptp(cycle)), float(np.ptp(other)), peaks[0], peaks[1], days)


def seasons(cycles: Mapping[str, Floats], others: Mapping[str, Floats], months: Sequence[int]) -> dict[str, Season]:
    """Return the seasons of every region, where all 12 months are common."""
    return {name: season(cycles[name], others[name]) for name in cycles} if len(months) == MONTHS else {}


def _peak(cycle: Floats) -> float:
    angle = 2.0 * np.pi * (np.arange(MONTHS) + 0.5) / MONTHS
    east, north = (cycle * np.cos(angle)).sum(), (cycle * np.sin(angle)).sum()
    if np.hypot(east, north) <= 1e-9 * np.abs(cycle).sum():
        return float("nan")  # no annual wave
    return float(np.arctan2(north, east) / (2.0 * np.pi) * MONTHS % MONTHS)


def variability(totals: Mapping[int, float], others: Mapping[int, float]) -> Variability:
    """Return trend and variability of the annual totals [Pg C yr-1] of two maps in the years that both have."""
    years = tuple(sorted(set(totals) & set(others)))
    if len(years) < _LEAST_YEARS:
        return Variability(years, *[float("nan")] * 5)
    time = np.array(years, dtype=float)
    both = np.array([[each[year] for year in years] for each in (totals, others)])
    slopes = ((time - time.mean()) * (both - both.mean(axis=1, keepdims=True))).sum(axis=1)
    slopes /= ((time - time.mean()) ** 2).sum()
    rest = both - both.mean(axis=1, keepdims=True) - slopes[:, None] * (time - time.mean())
    spread = np.sqrt((rest**2).sum(axis=1) / (len(years) - 2))
    flat = (spread <= 1e-9 * np.abs(both).max(axis=1)).any()
    correlation = float("nan") if flat else float((rest[0] * rest[1]).sum() / np.sqrt((rest**2).sum(axis=1).prod()))
    return Variability(years, float(slopes[0]), float(slopes[1]), float(spread[0]), float(spread[1]), correlation)
