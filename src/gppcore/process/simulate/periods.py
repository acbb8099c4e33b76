"""Rows for the kernel: daylight hours of hourly forcing, or hours reconstructed from days and months."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import PlantFunctionalType
from gppcore.process.daylight import Daylight, daylight_of_day, daylight_of_month, mid_month_day
from gppcore.process.simulate import humidity
from gppcore.process.simulate.clock import Hours, day_of_year
from gppcore.process.simulate.inputs import Inputs
from gppcore.process.two_leaf import Canopy, Forcing, TwoLeafFlux, two_leaf_gpp
from gppcore.variables import SECONDS_PER_DAY

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Leaves = Mapping[str, Float]

_WEATHER = ("sw", "tair", "ca", "wind", *humidity.HUMIDITIES, "patm")


class ForcingRows(Protocol):
    """Weather of some of the (time, cell) pairs of a block.

    Attributes
    ----------
    index : ndarray of int, shape (n,)
        Flat positions of the pairs in the block; GPP is 0 elsewhere.
    canopy_hours : int
        Hours that the kernel is run on for one type that grows everywhere.
    """

    index: Index
    canopy_hours: int

    def flux(self, pft: PlantFunctionalType, leaves: Leaves, rows: Index | None, n_threads: int) -> TwoLeafFlux:
        """Return mean GPP [umol m-2 s-1] of all rows, or of some."""


def gather(field: NDArray[Any], shape: tuple[int, int], index: Index, dtype: type[np.floating[Any]]) -> NDArray[Any]:
    """Return the values of a field, which broadcasts to `shape`, at flat positions; a constant stays one value."""
    if field.size == 1:
        return field.reshape(()).astype(dtype)
    return np.broadcast_to(field, shape).reshape(-1)[index].astype(dtype, copy=False)


def _take(field: Float, rows: Index | None) -> Float:
    return field if rows is None or not field.ndim else field[..., rows]


class LitHours:
    """The hours with light of a block of hourly forcing."""

    def __init__(self, inputs: Inputs, hours: Hours, steps: slice, dtype: type[np.floating[Any]]) -> None:
        lon = inputs.of_cells("lon") if "lon" in inputs.fields else None
        mu = hours.cos_zenith(inputs.of_cells("lat"), lon, steps)
        # Hours with missing light or location count as daylight, so that the kernel propagates NaN.
        self.index = np.flatnonzero(~((mu <= 0.0) | (inputs.at("sw", steps) <= 0.0)))
        self.canopy_hours = self.index.size
        shape = mu.shape
        found = {n: gather(inputs.at(n, steps), shape, self.index, dtype) for n in _WEATHER if n in inputs.fields}
        moist = {n: found.pop(n) for n in (*humidity.HUMIDITIES, "patm") if n in found}
        self.weather = {
            **found,
            "vpd": humidity.deficit(moist, found["tair"]),
            "cos_zenith": mu.reshape(-1)[self.index].astype(dtype, copy=False),
        }

    def flux(self, pft: PlantFunctionalType, leaves: Leaves, rows: Index | None, n_threads: int) -> TwoLeafFlux:
        """Return GPP [umol m-2 s-1] of all rows, or of some."""
        weather = Forcing(**{name: _take(field, rows) for name, field in self.weather.items()})
        return two_leaf_gpp(weather, Canopy(**leaves), pft, n_threads=n_threads)


class RebuiltDays:
    """Days, or the days that represent months, reconstructed from means."""

    def __init__(self, inputs: Inputs, steps: slice, *, monthly: bool) -> None:
        shape = (steps.stop - steps.start, inputs.n_cells)
        self.index = np.arange(shape[0] * shape[1])
        time = inputs.time[steps]
        if monthly:
            day = np.array([mid_month_day(int(m) % 12 + 1) for m in time.astype("M8[M]").astype(np.int64)])
        else:
            day = day_of_year(time)
        names = ("sw", "tair", "tair_range", *humidity.HUMIDITIES, "patm", "lat")
        flat = {n: inputs.full(n, steps).reshape(-1) for n in names if n in inputs.fields}
        moist = {n: flat[n] for n in (*humidity.HUMIDITIES, "patm") if n in flat}
        air = humidity.of_days(moist, flat["tair"], flat["tair_range"])
        rebuild = daylight_of_month if monthly else daylight_of_day
        days = np.repeat(day, inputs.n_cells)
        self.light: Daylight = rebuild(flat["lat"], days, flat["sw"], flat["tair"], flat["tair_range"], **air)
        self.canopy_hours = self.light.sw.size
        given = {n: inputs.at(n, steps) for n in ("ca", "wind") if n in inputs.fields}
        self.other = {n: gather(field, shape, self.index, np.float64) for n, field in given.items()}

    def flux(self, pft: PlantFunctionalType, leaves: Leaves, rows: Index | None, n_threads: int) -> TwoLeafFlux:
        """Return GPP [umol m-2 s-1], nights included, of all rows, or of some."""
        light, other = self.light, {name: _take(field, rows) for name, field in self.other.items()}
        mu, canopy = _take(light.cos_zenith, rows), Canopy(**leaves)
        days = []
        for level in zip(light.sw, light.tair, light.vpd, strict=True):
            sw, tair, vpd = (_take(field, rows) for field in level)
            days.append(two_leaf_gpp(Forcing(sw, tair, vpd, mu, **other), canopy, pft, n_threads=n_threads))
        share = _take(light.seconds, rows) / SECONDS_PER_DAY
        sunlit, shaded = (
            light.mean(np.stack([getattr(day, name) for day in days])) * share for name in ("gpp_sunlit", "gpp_shaded")
        )
        return TwoLeafFlux(sunlit, shaded)
