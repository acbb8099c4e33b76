"""Run the kernel over blocks of cells and times, for each type and pathway, and sum by area."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import C4_OF, PlantFunctionalType
from gppcore.process.parameters import covariates_of, vcmax25_of
from gppcore.process.simulate.clock import Hours, mean_of_steps, monthly_means
from gppcore.process.simulate.inputs import OF_LEAVES, Inputs
from gppcore.process.simulate.periods import ForcingRows, LitHours, RebuiltDays, gather
from gppcore.process.simulate.water import Stress, Weather
from gppcore.runtime import in_threads
from gppcore.variables import G_C_PER_UMOL, SECONDS_PER_DAY

Float = NDArray[np.float64]
Results = dict[str, Float]

PARTS = ("gpp", "gpp_sunlit", "gpp_shaded")
_DAILY = SECONDS_PER_DAY * G_C_PER_UMOL
_ROWS = {"hourly": 65536, "daily": 2048, "monthly": 2048}  # of a block, whose fields then fit into the cache
_CELLS, _ELEMENTS = 512, 1 << 22  # of the part of a thread: at most so many cells, and cells times steps


@dataclass(frozen=True)
class Plan:
    """Settings of a simulation.

    Attributes
    ----------
    steps : str
        hourly, daily or monthly.
    hours : Hours or None
        Calendar of hourly steps.
    monthly_means : bool
        Whether days are averaged to months.
    outputs : tuple of str
        Names of the results.
    pfts : mapping of str to PlantFunctionalType
    cold_limit : bool
    dtype : type
        Number type of the results, and of hourly forcing in the kernel: float64 or float32.
    """

    steps: str
    hours: Hours | None
    monthly_means: bool
    outputs: tuple[str, ...]
    pfts: Mapping[str, PlantFunctionalType]
    cold_limit: bool
    dtype: type[np.floating[Any]]


def run(inputs: Inputs, plan: Plan, n_threads: int, progress: Callable[[int], None] | None) -> Results:
    """Return the results, each of shape (times, cells) or (types, times, cells); they do not depend on threads."""
    threads = n_threads if n_threads > 0 else len(os.sched_getaffinity(0))
    size = max(1, min(_CELLS, _ELEMENTS // max(1, inputs.time.size)))
    parts = [slice(c, min(c + size, inputs.n_cells)) for c in range(0, inputs.n_cells, size)]
    parts = parts or [slice(0, 0)]
    # With few cells, the kernel uses the threads instead.
    inside = threads if len(parts) == 1 else 1

    def work(number: int) -> tuple[int, Results]:
        return number, _Block(inputs.cells(parts[number]), plan, inside, progress).run()

    numbers = range(len(parts))
    found = dict(in_threads(work, numbers, threads) if min(len(parts), threads) > 1 else map(work, numbers))
    done = [found[number] for number in numbers]
    return {name: np.concatenate([d[name] for d in done], axis=-1, dtype=plan.dtype) for name in done[0]}


class _Block:
    """Some cells over all times."""

    def __init__(self, inputs: Inputs, plan: Plan, n_threads: int, progress: Callable[[int], None] | None) -> None:
        self.inputs, self.plan, self.n_threads, self.progress = inputs, plan, n_threads, progress
        self.n_days = plan.hours.days.size if plan.hours else inputs.time.size
        stressed = "soil_water_stress" in inputs.fields
        weather = None
        if plan.cold_limit or not stressed:
            weather = Weather(inputs, plan.hours, monthly=plan.steps == "monthly")
        self.stress: Stress | None = None if stressed or weather is None else cache(weather.stress())
        self.cold = weather.cold() if weather and plan.cold_limit else None
        self.place = [name for name in covariates_of(plan.pfts) if "vcmax25" not in inputs.fields]
        # An unknown covariate is no hole: the type then has its mean parameters.
        fields = {name: field for name, field in inputs.fields.items() if name not in self.place}
        self.holes = [name for name, field in fields.items() if np.isnan(field).any()]
        self.leaf_fields = [name for name in OF_LEAVES if name in inputs.fields]

    def run(self) -> Results:
        """Return the results of these cells."""
        plan, cells, n_types = self.plan, self.inputs.n_cells, len(self.inputs.types)
        n_steps, per_type = self.inputs.time.size, "gpp_daily_pft" in plan.outputs
        parts = [part for part in PARTS if part in plan.outputs or part.replace("gpp", "gpp_daily") in plan.outputs]
        parts = parts or ["gpp"]
        out = {name: np.zeros((n_steps, cells)) for name in parts if name in plan.outputs}
        daily = {part.replace("gpp", "gpp_daily"): np.zeros((self.n_days, cells)) for part in parts}
        if per_type:
            daily["gpp_daily_pft"] = np.zeros((n_types, self.n_days, cells))
        per_day = plan.hours.per_day if plan.hours else 1
        size = max(1, _ROWS[plan.steps] // max(1, per_day * cells))
        for start in range(0, self.n_days, size):
            days = slice(start, min(start + size, self.n_days))
            steps = plan.hours.steps_in(days) if plan.hours else days
            rows = self._rows(steps)
            for p in range(n_types):
                flux = self._type(p, rows, days, steps, parts)
                if flux is None:
                    continue
                fraction = self.inputs.fraction[p]
                for part, values in flux.items():
                    if part in out:
                        out[part][steps] += fraction * values
                    mean = self._mean(values, days)
                    daily[part.replace("gpp", "gpp_daily")][days] += fraction * mean
                    if per_type and part == "gpp":
                        daily["gpp_daily_pft"][p, days] = mean
        if plan.monthly_means:
            daily = {name: monthly_means(values, self._dates()) for name, values in daily.items()}
        out.update(daily)
        return {name: out[name] for name in plan.outputs}

    def _rows(self, steps: slice) -> ForcingRows:
        if self.plan.hours:
            return LitHours(self.inputs, self.plan.hours, steps, self.plan.dtype)
        return RebuiltDays(self.inputs, steps, monthly=self.plan.steps == "monthly")

    def _dates(self) -> NDArray[np.datetime64]:
        return self.plan.hours.days if self.plan.hours else self.inputs.time.astype("M8[D]")

    def _mean(self, values: Float, days: slice) -> Float:
        """Return GPP of days [g m-2 d-1] from that of the steps [umol m-2 s-1]."""
        if self.plan.hours:
            values = mean_of_steps(self.plan.hours.by_day(values, days))
        return values * _DAILY

    def _type(self, p: int, rows: ForcingRows, days: slice, steps: slice, parts: list[str]) -> dict[str, Float] | None:
        """Return GPP [umol m-2 s-1] of one type per unit of its area, shape (steps, cells); None if it occurs nowhere.

        C3 and C4 plants run separately, each only where it occurs.
        """
        inputs, name = self.inputs, self.inputs.types[p]
        grows = ~(inputs.fraction[p] <= 0.0)
        if not grows.any():
            return None
        shape = (steps.stop - steps.start, inputs.n_cells)
        total = {part: np.zeros(shape) for part in parts}
        c4 = inputs.c4 if name in C4_OF else np.zeros(inputs.n_cells)
        for pathway, share in ((name, 1.0 - c4), (C4_OF.get(name), c4)):
            here = np.where(grows, share, 0.0)
            if pathway is None or (here == 0.0).all():
                continue
            some = None if (here != 0.0).all() else np.flatnonzero((here != 0.0)[rows.index % inputs.n_cells])
            index = rows.index if some is None else rows.index[some]
            pft = self.plan.pfts[pathway]
            flux = rows.flux(pft, self._leaves(p, pathway, shape, index, days, steps), some, self.n_threads)
            weight = 1.0 if (here == 1.0).all() else here[index % inputs.n_cells]
            for part, values in total.items():
                values.reshape(-1)[index] += weight * getattr(flux, part)
        if self.progress:
            self.progress(rows.canopy_hours * int(grows.sum()) // inputs.n_cells)
        self._finish(p, total, days, steps, grows)
        return total

    def _leaves(
        self,
        p: int,
        type_name: str,
        shape: tuple[int, int],
        index: NDArray[np.intp],
        days: slice,
        steps: slice,
    ) -> dict[str, Float]:
        """Return the fields of :class:`gppcore.Canopy` at flat positions of the block."""
        dtype = self.plan.dtype
        leaves = {name: gather(self.inputs.at(name, steps, p), shape, index, dtype) for name in self.leaf_fields}
        if self.stress:
            given = self.stress(self.plan.pfts[type_name])[days]
            given = self.plan.hours.repeat(given, days) if self.plan.hours else given
            leaves["soil_water_stress"] = gather(given, shape, index, dtype)
        if self.place:
            place = {name: self.inputs.at(name, steps) for name in self.place}
            of_place = vcmax25_of(self.plan.pfts, type_name, place)
            assert of_place is not None
            leaves["vcmax25"] = gather(of_place, shape, index, dtype)
        return leaves

    def _finish(self, p: int, total: dict[str, Float], days: slice, steps: slice, grows: NDArray[np.bool_]) -> None:
        """Apply the cold limit, and set results to NaN where input is missing at night."""
        cold = None if self.cold is None else self.cold[days]
        if cold is not None and self.plan.hours:
            cold = self.plan.hours.repeat(cold, days)
        holes = [np.isnan(self.inputs.at(name, steps, p)) for name in self.holes]
        if self.inputs.types[p] in C4_OF:
            holes.append(np.isnan(self.inputs.c4))
        for values in total.values():
            if cold is not None:
                values *= np.where(grows, cold, 1.0)
            for hole in holes:
                values[np.broadcast_to(hole & grows, values.shape)] = np.nan
