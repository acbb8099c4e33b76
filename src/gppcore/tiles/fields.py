"""Monthly fields of a variable from files of other producers, on the grid of a tile store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import MissingFileError, ShapeError, UnitsError
from gppcore.features.co2 import co2_monthly
from gppcore.io.cf import VERSIONS, axes, masked, open_cf, variable_of
from gppcore.io.sources import Source, located, remote_errors, sources, there
from gppcore.io.time import Step, composite_steps, day_in_name, time_steps, yearly_steps
from gppcore.io.units import conversion
from gppcore.regrid import LatLonGrid, RegridPlan, grid_of
from gppcore.variables import MONTHS, VARIABLES, check_range

if TYPE_CHECKING:
    import xarray as xr

    from gppcore.tiles.store import TileStore

MAUNA_LOA = "mauna-loa"
"""Path of the embedded record of CO2."""
_COVERED = (0.8, 1.25)
"""Least and greatest duration of the steps of a month over that of the month."""


def _plus(month: NDArray[Any], part: NDArray[Any]) -> NDArray[Any]:
    return np.where(np.isnan(month), part, np.where(np.isnan(part), month, month + part))


_COMBINED: dict[str, Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]] = {
    "mean": _plus,
    "sum": _plus,
    "min": np.fmin,
    "max": np.fmax,
}
_LEAST_KNOWN = 0.5  # share of a month's duration with values
_SHORTEST_MONTH = 25.0  # d
_PIECE_VALUES = 2**25
"""Values of a file in memory at once: 128 MiB in float32."""


@dataclass(frozen=True)
class VariableSource:
    """Where a variable comes from: value = scale * field + offset, in the unit of `gppcore.variables`.

    Parameters
    ----------
    path : str
        CF files (netCDF, HDF5), Zarr stores or kerchunk references, on this machine or at an address of fsspec such as
        ``s3://bucket/tair_*.nc``; may be a pattern. A CSV table with the columns `year` and `month` gives one value
        for all cells, such as CO2; ``"mauna-loa"`` is CO2 of the embedded record.
    variable : str
        Name of the field in them, or of the column.
    value : float, optional
        One value for all cells and months, in place of files.
    static : bool
        Whether it is constant in time. Files of several years, such as yearly land cover, are averaged over the years
        of the store; a year without a file has that of the nearest year. The year is that of the time in a file, or
        the one in its name.
    method : {"conservative", "bilinear", "lapse"}
        How the field is regridded to the cells; see :class:`gppcore.RegridPlan`. "lapse" is for temperatures:
        bilinear at sea level, then brought to the `elevation` of the cells by 6.5 K km-1.
    scale, offset : float
        With the defaults the values are converted by their unit.
    units : str, optional
        Unit of the values in the files; by default that of the attribute `units`. Required for predictors of your
        own, which `gppcore.variables` does not list.
    time : {"mean", "sum", "min", "max"}
        How several steps of a month combine: averaged by duration, added, or their extreme.
    legend : {"igbp", "esa-cci", "glass"}, optional
        Of `igbp` alone: the classes of the files, IGBP by default. Cells get the class of the largest area, and the
        area shares ``fraction_<pft>`` and `fraction_wetland`, whatever the resolution of the files.
    orography : str
        Of the method "lapse" alone: ``"FILE:VARIABLE"``, the height [m] or geopotential [m2 s-2] of the files' grid.
    gaps : {"mean-year"}, optional
        Whether missing months are filled: with the mean of the same month in other years of the cell, and where no year
        has it, between the neighbouring months of the mean year, of which six must be known.

    Examples
    --------
    >>> from gppcore.tiles.fields import VariableSource
    >>> era5 = VariableSource("era5_*.nc", "t2m", method="bilinear")  # K, converted
    >>> VariableSource(value=420.0).value  # CO2 of all cells and months
    420.0
    """

    path: str = ""
    variable: str = ""
    value: float | None = None
    static: bool = False
    method: Literal["conservative", "bilinear", "lapse"] = "conservative"
    scale: float = 1.0
    offset: float = 0.0
    units: str | None = None
    time: Literal["mean", "sum", "min", "max"] = "mean"
    legend: str | None = None
    orography: str = ""
    gaps: Literal["mean-year"] | None = None


class FieldStep(NamedTuple):
    """A time step of a file, whose values are read when they are needed.

    Attributes
    ----------
    data : xarray.DataArray
        The variable of the file.
    grid, step, unit, path
        Its grid, the time step, the unit of the values and the file.
    time : str or None
        Dimension of the time steps; None if there is but one.
    number : int
        Number of the step along it.
    """

    data: xr.DataArray
    grid: LatLonGrid
    step: Step
    unit: str | None
    path: str
    time: str | None = None
    number: int = 0


class _Run:
    """Successive steps of a file that know the same cells, averaged by duration or added."""

    def __init__(self, plan: RegridPlan, values: NDArray[np.float32], days: np.float32, *, mean: bool) -> None:
        self.plan, self.days, self._mean = plan, days, mean
        self._first = values
        self._total: NDArray[np.float64] | None = None  # of two steps or more

    def _weight(self, days: np.float32) -> np.float64:
        return np.float64(days if self._mean else 1.0)

    def knows(self, plan: RegridPlan, values: NDArray[np.float32]) -> bool:
        """Whether a step knows the same cells."""
        return plan is self.plan and np.array_equal(np.isnan(self._first), np.isnan(values))

    def add(self, values: NDArray[np.float32], days: np.float32) -> None:
        """Add a step."""
        if self._total is None:
            self._total = self._first * self._weight(self.days)
        self._total += values * self._weight(days)
        self.days += days

    @property
    def values(self) -> NDArray[np.float32]:
        """The mean or the sum of the steps."""
        if self._total is None:
            return np.ascontiguousarray(self._first)
        return (self._total / np.float64(self.days) if self._mean else self._total).astype(np.float32)


class Series:
    """One value for all cells, constant or by month: the part of :class:`Fields` for CSV tables and numbers."""

    def __init__(self, name: str, source: VariableSource, folder: Path) -> None:
        self.name, self.source = name, source
        self.names: tuple[str, ...] = (name,)
        self._months: dict[tuple[int, int], float] = {}
        if source.value is None and source.path != MAUNA_LOA:
            self._read(located(source.path, folder))

    def _read(self, path: Source) -> None:
        import pandas as pd

        if not there(path):
            raise MissingFileError(f"{self.name}: expected a table, got no such file {path}")
        # Tables of NOAA begin with lines of comments.
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
        if missing := sorted({"year", "month", self.source.variable} - set(table)):
            raise ShapeError(f"{path}: expected columns year, month, {self.source.variable}, got no {missing}")
        if table.duplicated(["year", "month"]).any():
            raise ShapeError(f"{path}: expected one row per month, got some twice")
        self._months = {
            (int(year), int(month)): float(value)
            for year, month, value in table[["year", "month", self.source.variable]].itertuples(index=False)
        }

    def month(self, year: int | None, month: int) -> float:
        """Return the value of a month."""
        if self.source.value is not None:
            return self.source.value
        if year is None:
            raise ShapeError(
                f"{self.name}: expected years in the recipe, since {self.source.path} is a table of calendar months; "
                "give a mean year one number, as value = 410.0"
            )
        if self.source.path == MAUNA_LOA:
            return float(co2_monthly(year, month)[0])
        if (year, month) not in self._months:
            raise ShapeError(f"{self.name}: expected month {month} of {year} in {self.source.path}, got none")
        return self._months[year, month]

    def bands(self, year: int | None, grid: LatLonGrid, rows: slice, n_threads: int) -> Iterator[NDArray[np.float32]]:
        """Yield rows of the grid that all have the value of a month, in the unit of its name."""
        for month in range(1, 2 if self.source.static else MONTHS + 1):
            yield self._band(self.month(year, month), grid, rows)

    def at_cells(self, store: TileStore, tile: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values that the cells of a tile get."""
        return values

    def _band(self, value: float, grid: LatLonGrid, rows: slice) -> NDArray[np.float32]:
        scale, offset = self.source.scale, self.source.offset
        if self.name in VARIABLES and self.source.units is not None and (scale, offset) == (1.0, 0.0):
            scale, offset = conversion(self.name, self.source.units, days=None, month_days=None, where=self.source.path)
        values = np.full(grid.rows(rows).shape, value * scale + offset, dtype=np.float32)
        return check_range(self.name, values, where=self.source.path) if self.name in VARIABLES else values


class Fields:
    """The files of one variable: the monthly fields on the grid of the store.

    Attributes
    ----------
    names : tuple of str
        Variables that the files give.
    """

    def __init__(
        self,
        name: str,
        source: VariableSource,
        folder: Path,
        stack: ExitStack,
        *,
        years: tuple[int, int] | None = None,
    ) -> None:
        self.name, self.source = name, source
        self.names: tuple[str, ...] = (name,)
        self._years = years
        paths = [path for path in sources(source.path, folder) if there(path)]
        if not paths:
            raise MissingFileError(f"{name}: expected files {located(source.path, folder)}, got none")
        self._fields: dict[tuple[int | None, int], list[FieldStep]] = {}
        self._plans: dict[tuple[int, int, bytes], tuple[slice, RegridPlan]] = {}
        self._composites: dict[np.datetime64, FieldStep] = {}
        for path in paths:
            self._list(path, stack)
        days = sorted(self._composites)
        for day, step in zip(days, composite_steps(days), strict=True):
            self._fields.setdefault((step.year, step.month), []).append(self._composites[day]._replace(step=step))

    def _list(self, path: Source, stack: ExitStack) -> None:
        """Add the time steps of a file, or its field as a composite if only its name tells the time."""
        ds = stack.enter_context(open_cf(path, self.name))
        data, grid = variable_of(ds, self.source.variable, str(path), versions=True), grid_of(ds)
        unit = self._unit(data, str(path))
        times = [dim for dim in data.dims if dim not in (*axes(data), VERSIONS)]
        steps = yearly_steps(ds, data, path) if self.source.static else time_steps(ds, data, undated=True)
        undated = not times and steps[0].year is None and not self.source.static
        if undated and (day := day_in_name(path)) is not None:
            if day in self._composites:
                raise ShapeError(
                    f"{self.name}: expected one file of {day}, got {self._composites[day].path} and {path}"
                )
            self._composites[day] = FieldStep(data, grid, steps[0], unit, str(path))
            return
        for number, step in enumerate(steps):
            if not self.source.static and step.month == 0:
                raise ShapeError(f"{path}: {data.name}: expected months or shorter steps, got a step of a year")
            key = (step.year, 0) if self.source.static else (step.year, step.month)
            field = FieldStep(data, grid, step, unit, str(path), str(times[0]) if times else None, number)
            self._fields.setdefault(key, []).append(field)

    def _unit(self, data: xr.DataArray, where: str) -> str | None:
        """Return the unit of the values; None where scale and offset convert them."""
        if (self.source.scale, self.source.offset) != (1.0, 0.0):
            return None
        stated = data.attrs.get("units")
        if self.name in VARIABLES:
            conversion(self.name, self.source.units or stated, days=1.0, where=where)  # an error for unknown units
        elif stated not in (None, self.source.units):
            raise UnitsError(f"{self.name} ({where}): expected {self.source.units}, got {stated}")
        return self.source.units or stated

    def month(self, year: int | None, month: int) -> list[FieldStep]:
        """Return the fields of a month; for a mean year, of whichever year the files hold.

        Of a static variable, the fields of all years that the store needs.
        """
        if self.source.static:
            return [field for field, _ in self.yearly()]
        keys = [key for key in self._fields if key[1] == month and (year is None or key[0] in (year, None))]
        when = f"month {month}" + (f" of {year}" if year else "")
        if len(keys) != 1:
            years = sorted(key[0] for key in keys if key[0] is not None)
            got = f"those of the years {years}" if years else "none"
            raise ShapeError(f"{self.name}: expected the fields of {when} in {self.source.path}, got {got}")
        found = self._fields[keys[0]]
        covered, needed = sum(field.step.days for field in found), found[0].step.month_days
        longest = max(field.step.days for field in found)  # one that belongs to a neighbouring month for the most part
        partly = longest if len(found) > 1 else 0.0
        if covered + partly < _COVERED[0] * needed or covered - partly > _COVERED[1] * needed:
            raise ShapeError(
                f"{self.name}: expected steps that cover {when} in {self.source.path}, got {len(found)} steps of "
                f"{covered:.0f} days in all for its {needed:.0f}"
            )
        return found

    @property
    def years(self) -> tuple[int, ...]:
        """Years that the files of a static variable state."""
        return tuple(sorted(year for year, _ in self._fields if year is not None))

    def yearly(self) -> list[tuple[FieldStep, float]]:
        """Return the fields of a static variable, each with the share of the store's years for which it stands.

        A year without a field of its own has that of the nearest year. Without years of the store all count alike.
        """
        fields = [field for parts in self._fields.values() for field in parts]
        if len(fields) == 1:
            return [(fields[0], 1.0)]
        if len(self.years) != len(fields):
            raise ShapeError(
                f"{self.name}: expected one field in {self.source.path}, or one for each year, got {len(fields)} with "
                f"the years {list(self.years)}"
            )
        first, last = self._years or (None, None)
        wanted = self.years if first is None or last is None else range(first, last + 1)
        nearest = [min(self.years, key=lambda has: (abs(has - year), has)) for year in wanted]
        return [(self._fields[year, 0][0], nearest.count(year) / len(nearest)) for year in sorted(set(nearest))]

    def bands(self, year: int | None, grid: LatLonGrid, rows: slice, n_threads: int) -> Iterator[NDArray[np.float32]]:
        """Yield some rows of every month on the grid of the store: its steps averaged by duration, or their extreme."""
        self._plans.clear()  # bands follow each other: plans of one are needed at a time
        if self.source.static:
            yield self._mean_of_years(grid, rows, n_threads)
            return
        for month in range(1, MONTHS + 1):
            yield self._band(self.month(year, month), grid, rows, n_threads)

    def _mean_of_years(self, grid: LatLonGrid, rows: slice, n_threads: int) -> NDArray[np.float32]:
        fields = self.yearly()
        if len(fields) == 1:
            return self._regridded(fields[0][0], grid, rows, n_threads)
        total, known = (np.zeros(grid.rows(rows).shape) for _ in range(2))
        for field, share in fields:
            values = self._regridded(field, grid, rows, n_threads)
            here = ~np.isnan(values)
            total[here] += share * values[here]
            known[here] += share
        with np.errstate(invalid="ignore"):
            return np.asarray(total / known, dtype=np.float32)

    def _band(self, fields: Sequence[FieldStep], grid: LatLonGrid, rows: slice, n_threads: int) -> NDArray[np.float32]:
        if len(fields) == 1:
            return self._regridded(fields[0], grid, rows, n_threads)
        return np.concatenate(
            [self._month(fields, grid, piece, n_threads) for piece in self.pieces(fields[0], grid, rows)]
        )

    def _month(self, fields: Sequence[FieldStep], grid: LatLonGrid, rows: slice, n_threads: int) -> NDArray[np.float32]:
        """Return rows of a month from its steps: their mean by duration, their sum or their extreme."""
        month = np.full(grid.rows(rows).shape, np.nan, dtype=np.float32)
        known_days, all_days = np.zeros_like(month), np.float32(0.0)
        combine, mean = _COMBINED[self.source.time], self.source.time == "mean"
        for run in self._runs(fields, grid, rows):
            part = run.plan.apply(run.values, n_threads=n_threads)
            known_days += ~np.isnan(part) * run.days
            all_days += run.days
            month = combine(month, part * run.days if mean else part)
        with np.errstate(invalid="ignore"):
            if mean:
                month = month / known_days
        return np.where(known_days / all_days >= _LEAST_KNOWN, month, np.nan).astype(np.float32)

    def _runs(self, fields: Sequence[FieldStep], grid: LatLonGrid, rows: slice) -> Iterator[_Run]:
        """Yield steps on the grid of their file; successive ones that know the same cells are one.

        So hundreds of hours are regridded once. Extremes are those of the cells of the store: their steps stay apart.
        """
        run: _Run | None = None
        mean, apart = self.source.time == "mean", self.source.time in ("min", "max")
        for field, plan, values in self._steps(fields, grid, rows):
            days = np.float32(field.step.days)
            if run is not None and not apart and run.knows(plan, values):
                run.add(values, days)
                continue
            if run is not None:
                yield run
            run = _Run(plan, values, days, mean=mean)
        if run is not None:
            yield run

    def _steps(
        self, fields: Sequence[FieldStep], grid: LatLonGrid, rows: slice
    ) -> Iterator[tuple[FieldStep, RegridPlan, NDArray[np.float32]]]:
        """Yield every step with its values; those that follow each other in a file are read together."""
        start = 0
        while start < len(fields):
            field = fields[start]
            used, plan = self.plan(field, grid, rows)
            most = max(1, _PIECE_VALUES // max(1, (used.stop - used.start) * field.grid.shape[1]))
            end = start + 1
            while end < min(len(fields), start + most) and _follows(fields[end - 1], fields[end]):
                end += 1
            for each, stored in zip(fields[start:end], self._stored(field, end - start, used), strict=True):
                values = self.converted(stored, each, used)
                if self.name in VARIABLES:
                    check_range(self.name, values, where=each.path)
                yield each, plan, values
            start = end

    def _regridded(self, field: FieldStep, grid: LatLonGrid, rows: slice, n_threads: int) -> NDArray[np.float32]:
        parts = []
        for piece in self.pieces(field, grid, rows):
            used, plan = self.plan(field, grid, piece)
            values = self.values(field, used)
            if self.name in VARIABLES:
                check_range(self.name, values, where=field.path)
            parts.append(plan.apply(np.ascontiguousarray(values), n_threads=n_threads))
        return np.concatenate(parts)

    def pieces(self, field: FieldStep, grid: LatLonGrid, rows: slice) -> Iterator[slice]:
        """Yield parts of rows of the grid of the store under which few enough values of a field lie."""
        used = field.grid.rows_over(grid.rows(rows))
        n = -(-(used.stop - used.start) * field.grid.shape[1] // _PIECE_VALUES)
        edges = np.linspace(rows.start, rows.stop, min(max(n, 1), rows.stop - rows.start) + 1).astype(int)
        yield from (slice(int(first), int(last)) for first, last in pairwise(edges))

    def plan(self, field: FieldStep, grid: LatLonGrid, rows: slice) -> tuple[slice, RegridPlan]:
        """Return the rows of a field that lie under rows of the grid of the store, and the weights between them."""
        target, source = grid.rows(rows), field.grid
        key = (rows.start, rows.stop, source.lat_edges.tobytes() + source.lon_edges.tobytes())
        if key not in self._plans:
            used = source.rows_over(target, margin=1)
            if used.start == used.stop:
                expected, got = (f"{g.lat_edges.min():g} to {g.lat_edges.max():g}" for g in (target, source))
                raise ShapeError(f"{self.name}: expected latitudes {expected} in {field.path}, got {got}")
            method: Any = "bilinear" if self.source.method == "lapse" else self.source.method
            self._plans[key] = used, RegridPlan(source.rows(used), target, method=method)
        return self._plans[key]

    def at_cells(self, store: TileStore, tile: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values that the cells of a tile get."""
        return values

    def values(self, field: FieldStep, rows: slice) -> NDArray[np.float32]:
        """Return rows of a field on its own grid, in our unit, NaN where it is missing."""
        return self.converted(self._stored(field, 1, rows)[0], field, rows)

    def _stored(self, field: FieldStep, n: int, rows: slice) -> NDArray[Any]:
        """Return rows of a field and of those that follow it in its file, n in all, NaN where they are missing."""
        lat, lon = axes(field.data)
        steps = {} if field.time is None else {field.time: slice(field.number, field.number + n)}
        with remote_errors(field.path):
            data = field.data.isel({lat: rows, **steps}).transpose(*steps, ..., lat, lon)
            found = masked(data.values, field.data)
        found = found if steps else found[None]
        for version in range(1, found.shape[1]) if found.ndim > 3 else ():
            found[:, 0] = np.where(np.isnan(found[:, 0]), found[:, version], found[:, 0])
        return found if found.ndim == 3 else found[:, 0]

    def converted(self, values: NDArray[Any], field: FieldStep, rows: slice) -> NDArray[np.float32]:
        """Return stored values of rows of a field in our unit."""
        scale, offset = self.source.scale, self.source.offset
        if field.unit is not None and self.name in VARIABLES:
            step = field.step
            # An amount per step is a rate where steps are shorter than months; producers of monthly means differ.
            days = step.days if 0.0 < step.days < _SHORTEST_MONTH else None
            scale, offset = conversion(
                self.name, field.unit, days=days, month_days=step.month_days or None, where=field.path
            )
        if (scale, offset) == (1.0, 0.0):
            return values.astype(np.float32, copy=False)
        return (values * scale + offset).astype(np.float32, copy=False)


def _follows(field: FieldStep, following: FieldStep) -> bool:
    """Whether a step is the next one of the same file."""
    return following.data is field.data and following.time is not None and following.number == field.number + 1
