"""Thresholds for double input, of trainers that round their input to float32 first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


@np.errstate(over="ignore")
def at_most(threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest double x with float32(x) <= threshold.

    Float32 values compare with it as with the threshold itself.
    """
    below = threshold.astype(np.float32)
    return _largest_that_rounds_to(np.where(below > threshold, np.nextafter(below, np.float32(-np.inf)), below))


@np.errstate(over="ignore")
def less_than(threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest double x with float32(x) < float32(threshold)."""
    return _largest_that_rounds_to(np.nextafter(threshold.astype(np.float32), np.float32(-np.inf)))


def _largest_that_rounds_to(value: NDArray[np.float32]) -> NDArray[np.float64]:
    above = np.nextafter(value, np.float32(np.inf)).astype(np.float64)
    below = value.astype(np.float64)
    # Rounding takes the place of infinity for the power of two that would follow the largest number.
    above[np.isinf(above) & np.isfinite(below)] = 2.0**128
    below[np.isneginf(below)] = -(2.0**128)
    middle = (below + above) / 2.0
    ties_stay = value.view(np.uint32) % 2 == 0  # a tie goes to the even significand
    return np.where(ties_stay, middle, np.nextafter(middle, -np.inf))
