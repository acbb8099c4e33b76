"""Weights of source cells in target cells along one axis: by overlap, or by linear interpolation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gppcore.regrid.grid import Floats, LatLonGrid, sine_step

Measure = Callable[[Floats, Floats], Floats]
Index = NDArray[np.int64]

# An overlap below this share of a source cell is a rounding error of the edges.
_SLIVER = 1e-9


class AxisWeights(NamedTuple):
    """Target cell i takes source cells from ``first[i]`` on, with ``weight[offset[i]:offset[i + 1]]``.

    Along longitude, source indices wrap around. ``full[i]`` is the weight of a whole cell.
    """

    first: Index
    offset: Index
    weight: Floats
    full: Floats


def overlaps(target: LatLonGrid, source: LatLonGrid) -> tuple[AxisWeights, AxisWeights]:
    """Weights of rows by differences of the sine of latitude, and of columns by those of longitude."""
    lat = _overlaps(target.lat_edges, source.lat_edges, np.zeros(1), sine_step)
    lon = _overlaps(target.lon_edges, source.lon_edges, _turns(target.lon_edges, source.lon_edges), lambda a, b: b - a)
    return lat, lon


def interpolation(target: LatLonGrid, source: LatLonGrid) -> tuple[AxisWeights, AxisWeights]:
    """Weights of the two nearest centres; beyond the last source centre its weight is 1."""
    lat = _interpolation(target.lat, source.lat_edges, np.zeros(1))
    turns = _turns(target.lon_edges, source.lon_edges)
    return lat, _interpolation(target.lon, source.lon_edges, turns, periodic=source.periodic)


def _turns(target: Floats, source: Floats) -> Floats:
    first = np.floor((target.min() - source.max()) / 360.0) - 1.0
    last = np.ceil((target.max() - source.min()) / 360.0) + 1.0
    return 360.0 * np.arange(first, last + 1.0)


def _sides(edges: Floats, turns: Floats) -> tuple[Floats, Floats]:
    """Lower and upper edges of the cells in ascending order, once for every turn."""
    ascending = edges if edges[0] < edges[-1] else edges[::-1]
    low, high = (np.add.outer(turns, side).ravel() for side in (ascending[:-1], ascending[1:]))
    return low, high


def _overlaps(target: Floats, source: Floats, turns: Floats, measure: Measure) -> AxisWeights:
    low, high = np.minimum(target[:-1], target[1:]), np.maximum(target[:-1], target[1:])
    source_low, source_high = _sides(source, turns)
    sliver = _SLIVER * (source_high - source_low)
    begin = np.searchsorted(source_high - sliver, low, side="right")
    end = np.maximum(np.searchsorted(source_low + sliver, high, side="left"), begin)
    cell, target_of = _runs(begin, end)
    weight = measure(np.maximum(source_low[cell], low[target_of]), np.minimum(source_high[cell], high[target_of]))
    return _in_source_order(begin, end, weight, measure(low, high), source)


def _interpolation(target: Floats, source: Floats, turns: Floats, *, periodic: bool = False) -> AxisWeights:
    low, high = _sides(source, turns)
    centre = (low + high) / 2.0
    n = source.size - 1
    right = np.searchsorted(centre, target, side="right")
    left = np.maximum(right - 1, 0)
    right = np.minimum(right, centre.size - 1)
    # The gap between the last centre of one turn and the first of the next is covered only by periodic grids.
    apart = (left // n != right // n) & (not periodic)
    near = np.where(target <= high[left], left, right)
    left, right = np.where(apart, near, left), np.where(apart, near, right)
    covered = (target >= low[left]) & (target <= high[right])
    gap = np.where(left == right, 1.0, centre[right] - centre[left])
    share = np.where(left == right, 0.0, (target - centre[left]) / gap)
    begin, end = left, np.where(covered, np.where(share > 0.0, right, left) + 1, left)
    cell, target_of = _runs(begin, end)
    weight = np.where(cell == left[target_of], 1.0 - share[target_of], share[target_of])
    return _in_source_order(begin, end, weight, np.ones(target.size), source)


def _runs(begin: Index, end: Index) -> tuple[Index, Index]:
    """All of begin[i], begin[i] + 1, ..., end[i] - 1, and the i that they belong to."""
    count = end - begin
    owner = np.repeat(np.arange(count.size), count)
    within = np.arange(owner.size) - np.repeat(np.cumsum(count) - count, count)
    return begin[owner] + within, owner


def _in_source_order(begin: Index, end: Index, weight: Floats, full: Floats, source: Floats) -> AxisWeights:
    """Count cells as the source does, which may descend."""
    n = source.size - 1
    offset = np.concatenate([[0], np.cumsum(end - begin)]).astype(np.int64)
    first = begin % n
    if source[0] > source[-1]:
        first = n - 1 - (end - 1) % n
        place, owner = _runs(np.zeros_like(begin), end - begin)
        weight = weight[offset[owner + 1] - 1 - place]
    first = np.where(end > begin, first, 0).astype(np.int64)
    return AxisWeights(first, offset, np.ascontiguousarray(weight), np.ascontiguousarray(full))
