"""The soil-water bucket in NumPy: what its kernel is tested against and timed beside."""

import numpy as np
from numpy.typing import NDArray

from gppcore.variables import DAYS_IN_MONTH

Float = NDArray[np.float64]


def by_equations(precip: Float, evaporation: Float, tair: Float, daily: bool = False) -> Float:
    """Return soil water by the equations, one step of all cells after the other."""
    steps = 1 if daily else 10
    days = 1.0 if daily else float(DAYS_IN_MONTH.mean()) / steps
    water, snow, out = np.full(precip.shape[1], 75.0), np.zeros(precip.shape[1]), np.empty(precip.shape)
    for t in [*list(range(min(365 if daily else 12, len(precip)))) * 3, *range(len(precip))]:
        total, frozen = np.zeros_like(water), tair[t] < 0.0
        for _ in range(steps):
            melt = np.minimum(snow, np.maximum(tair[t], 0.0) * 3.0 * days)
            snow = np.where(frozen, snow + precip[t] * days, snow - melt)
            rain = np.where(frozen, 0.0, precip[t] * days + melt)
            dry = np.minimum(1.0, water / (0.75 * 150.0))
            water = np.clip(water + rain - evaporation[t] * days * dry, 0.0, 150.0)
            total += water
        out[t] = total / (steps * 150.0)
    return out
