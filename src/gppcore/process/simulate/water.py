"""Water and cold: the stress of leaves from soil water or precipitation, and the reduction by night frost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import PlantFunctionalType
from gppcore.process import soil_water
from gppcore.process.daylight import mid_month_day, sw_toa
from gppcore.process.simulate.clock import Hours, day_of_year, mean_of_steps
from gppcore.process.simulate.inputs import Inputs

Float = NDArray[np.float64]
Stress = Callable[[PlantFunctionalType], Float]

COLD_RANGE = 8.0
"""Degrees below freezing of the daily minimum at which GPP ends."""


class Weather:
    """Daily or monthly means from which water and cold stress are computed, each of shape (times, cells).

    Parameters
    ----------
    inputs : Inputs
        Forcing; hourly where `hours` are given.
    hours : Hours or None
        The days that the hours fall into.
    monthly : bool
        Whether the times are months.
    """

    def __init__(self, inputs: Inputs, hours: Hours | None, *, monthly: bool) -> None:
        self.inputs, self.hours, self.monthly = inputs, hours, monthly

    @cached_property
    def tair(self) -> Float:
        """Mean air temperature [degC]."""
        return self.mean("tair")

    @cached_property
    def extremes(self) -> tuple[Float, Float]:
        """Lowest and highest air temperature of the day [degC]."""
        if self.hours:
            tair = self._by_day("tair")
            return np.fmin.reduce(tair, axis=1), np.fmax.reduce(tair, axis=1)
        half = 0.5 * self.mean("tair_range")
        return self.tair - half, self.tair + half

    def mean(self, name: str) -> Float:
        """Return the mean of a field over days, of the steps that are known; months and days are means already."""
        if not self.hours:
            return self.inputs.full(name, slice(0, self.inputs.time.size))
        if self.inputs.fields[name].shape[1] == 1:
            return self.inputs.full(name, slice(0, self.hours.days.size))
        values = self._by_day(name)
        known = ~np.isnan(values)
        if known.all():
            return mean_of_steps(values)
        with np.errstate(invalid="ignore"):
            mean: Float = mean_of_steps(np.where(known, values, 0.0)) / mean_of_steps(known.astype(np.float64))
        return mean

    def _by_day(self, name: str) -> Float:
        assert self.hours
        return self.hours.by_day(self.inputs.full(name, slice(0, self.hours.n)), slice(0, self.hours.days.size))

    def stress(self) -> Stress:
        """Return the stress factor as a function of the type; precipitation fills a bucket first."""
        soil = self.tair if self.monthly else soil_water.soil_temperature(self.tair)
        water = self.mean("soil_water") if "soil_water" in self.inputs.fields else self._bucket()
        return lambda pft: soil_water.stress(water, soil, pft)

    def _bucket(self) -> Float:
        times = self.hours.days if self.hours else self.inputs.time
        if self.monthly:
            day = np.array([mid_month_day(int(m) % 12 + 1) for m in times.astype("M8[M]").astype(np.int64)])
        else:
            day = day_of_year(times)
        toa = sw_toa(self.inputs.of_cells("lat"), day[:, None])
        low, high = self.extremes
        evaporation = soil_water.potential_evaporation(self.tair, high - low, toa)
        return soil_water.soil_water(self.mean("precip"), evaporation, self.tair, daily=not self.monthly)

    def cold(self) -> Float:
        """Return the factor [1] of night frost: 1 at a minimum of 0 degC, 0 at -8 degC and below."""
        factor: Float = np.clip(1.0 + self.extremes[0] / COLD_RANGE, 0.0, 1.0)
        return factor
