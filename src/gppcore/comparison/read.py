"""Read GPP from any CF file: identify the variable, its coordinates, months and unit."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gppcore.errors import ProductFormatError, RangeError, ShapeError, UnitsError
from gppcore.io.cf import axes, open_cf
from gppcore.io.sources import sources, split_variable
from gppcore.io.time import time_steps
from gppcore.regrid import LatLonGrid, grid_of
from gppcore.variables import DAYS_IN_MONTH, G_C_PER_UMOL, SECONDS_PER_DAY, VARIABLES

YEAR_DAYS = float(DAYS_IN_MONTH.sum())

_AMOUNTS = {"g": 1.0, "kg": 1e3, "mg": 1e-3, "umol": G_C_PER_UMOL, "mol": G_C_PER_UMOL * 1e6}
_PER_DAY = {"s": SECONDS_PER_DAY, "h": 24.0, "d": 1.0, "month": float("nan"), "yr": 1.0 / YEAR_DAYS}
_WORDS = {"s": "s sec second", "h": "h hr hour", "d": "d day", "month": "month mon", "yr": "yr y a year"}
_TIMES = {word: unit for unit, words in _WORDS.items() for word in words.split()}
_KNOWN_UNITS = "g, kg or mg (carbon), umol or mol (CO2), m-2, per s, h, d, month or yr"


@dataclass(frozen=True)
class Field:
    """A GPP variable on disk, oriented from north to south and eastward; values are read in pieces."""

    name: str
    parts: tuple[xr.DataArray, ...]
    """(time, lat, lon) of each file, one after another, in the unit of the files."""
    grid: LatLonGrid
    months: tuple[int, ...]
    """Calendar month of every time step; 0 is an annual mean."""
    years: tuple[int, ...]
    """Year of every time step; empty if the file does not state it."""
    factors: NDArray[np.float64]
    """Factor to g C m-2 d-1 of every time step."""
    chunks: tuple[int, int]
    """Time steps and rows of a chunk."""
    total: tuple[float, float, float] | None = None
    """Total of all cells and years with the ends of its 90 % interval [Pg C yr-1], if the file states it."""

    @property
    def annual(self) -> bool:
        """Whether the file has annual means only."""
        return 0 in self.months

    def cut(self, rows: slice, columns: NDArray[np.int64], grid: LatLonGrid) -> Field:
        """Return the field on a part of its grid."""
        return replace(self, parts=tuple(part[:, rows, columns] for part in self.parts), grid=grid)

    def of_years(self, first: int, last: int) -> Field:
        """Return the field with the steps of some years; one without years stays as it is.

        Raises
        ------
        ProductFormatError
            If it has none of them.
        """
        if not self.years:
            return self
        chosen = np.array([first <= year <= last for year in self.years])
        if not chosen.any():
            got = f"{min(self.years)} to {max(self.years)}"
            raise ProductFormatError(f"{self.name}: expected years from {first} to {last}, got {got}")
        ends = np.cumsum([0, *(len(part) for part in self.parts)])
        parts = [part[chosen[a:b]] for part, a, b in zip(self.parts, ends[:-1], ends[1:], strict=True)]
        months, years = np.array(self.months)[chosen], np.array(self.years)[chosen]
        return replace(
            self,
            total=self.total if chosen.all() else None,
            parts=tuple(part for part in parts if len(part)),
            months=tuple(months.tolist()),
            years=tuple(years.tolist()),
            factors=self.factors[chosen],
        )


def read(source: str | Path | xr.Dataset, stack: ExitStack) -> Field:
    """Open `source` and describe its GPP; files are closed with `stack`.

    A path or address may be a pattern of files that follow each other in time, and may end with ":VARIABLE".
    """
    if isinstance(source, xr.Dataset):
        return _of_dataset(source, None, str(source.attrs.get("title", "dataset")))
    text, wanted = split_variable(str(source))
    files = sources(text, Path()) or [Path(text)]
    fields = [
        _of_dataset(stack.enter_context(open_cf(file, "product")), wanted, str(file).rpartition("/")[2])
        for file in files
    ]
    return fields[0] if len(fields) == 1 else _joined(str(source), fields)


def _joined(name: str, fields: Sequence[Field]) -> Field:
    """Return the fields of several files as one.

    Raises
    ------
    ProductFormatError
        If their grids differ, one has no years, or two have a step in common.
    """
    first, label = fields[0], f"{Path(name).name.rpartition(':')[0] or Path(name).name}: {fields[0].parts[0].name}"
    for field in fields[1:]:
        if not field.grid.same_cells(first.grid):
            shapes = f"{first.grid.shape} cells, got {field.grid.shape}"
            raise ProductFormatError(f"{field.name}: expected the grid of {first.name}, {shapes}")
    steps = [(year, month) for field in fields for year, month in zip(field.years, field.months, strict=False)]
    if len(steps) != sum(len(field.months) for field in fields):
        raise ProductFormatError(f"{label}: expected times with years in every file, got some without")
    seen: set[tuple[int, int]] = set()
    for field in fields:
        own = set(zip(field.years, field.months, strict=True))
        if both := sorted(seen & own):
            raise ProductFormatError(f"{label}: expected every month in one file, got {both[0]} in two")
        seen |= own
    return replace(
        first,
        total=None,
        name=label,
        parts=tuple(part for field in fields for part in field.parts),
        months=tuple(month for field in fields for month in field.months),
        years=tuple(year for field in fields for year in field.years),
        factors=np.concatenate([field.factors for field in fields]),
    )


def _of_dataset(dataset: xr.Dataset, wanted: str | None, label: str) -> Field:
    try:
        (y, x), grid = axes(dataset), grid_of(dataset)
    except (ShapeError, RangeError) as error:
        raise ProductFormatError(f"{label}: {error}") from None
    name = _variable(dataset, wanted, (str(y), str(x)), label)
    return _field(dataset, name, (str(y), str(x)), grid, f"{label}: {name}")


def _variable(dataset: xr.Dataset, wanted: str | None, dims: tuple[str, str], label: str) -> str:
    gridded = [str(v) for v in dataset.data_vars if set(dims) <= set(dataset[v].dims)]
    if wanted is not None:
        if wanted not in gridded:
            raise ProductFormatError(f"{label}: expected the variable {wanted} on the grid, got {gridded}")
        return wanted
    standard_name = VARIABLES["gpp_daily"].standard_name
    found = [v for v in gridded if dataset[v].attrs.get("standard_name") == standard_name]
    found = found or [v for v in gridded if "gpp" in v.lower()]
    if len(found) != 1:
        raise ProductFormatError(
            f"{label}: expected one GPP variable (standard_name {standard_name}, or gpp in its name), "
            f"got {found or gridded}; name the one to use, FILE:VARIABLE"
        )
    return found[0]


def _field(dataset: xr.Dataset, name: str, dims: tuple[str, str], grid: LatLonGrid, label: str) -> Field:
    y, x = dims
    data = dataset[name].squeeze(_single(dataset[name], (y, x)))
    time = [str(d) for d in data.dims if d not in (y, x)]
    if len(time) > 1:
        raise ProductFormatError(f"{label}: expected dimensions time, {y} and {x}, got {data.dims}")
    data = data.transpose(*time, y, x) if time else data.transpose(y, x).expand_dims("time")
    amount, per = _unit(data.attrs.get("units"), label)
    steps = time_steps(dataset, dataset[name].squeeze(_single(dataset[name], (y, x))), annual=per == "yr")
    months = tuple(step.month for step in steps)
    years = tuple(step.year for step in steps if step.year is not None)
    days = np.array([DAYS_IN_MONTH[month - 1] if month else YEAR_DAYS / 12 for month in months])
    north_first, eastward = grid.lat_edges[0] > grid.lat_edges[-1], grid.lon_edges[0] < grid.lon_edges[-1]
    turn = slice(None, None, 1 if north_first else -1), slice(None, None, 1 if eastward else -1)
    stored = dataset[name].encoding.get("preferred_chunks", {})
    return Field(
        name=label,
        parts=(data[:, turn[0], turn[1]],),
        grid=LatLonGrid(grid.lat_edges[turn[0]], grid.lon_edges[turn[1]]),
        months=months,
        years=years,
        factors=amount / days if per == "month" else np.full(len(months), amount * _PER_DAY[per]),
        chunks=(stored.get(time[0], 1) if time else 1, stored.get(y, 1)),
        total=_total(dataset) if name == "gpp_daily" else None,
    )


def _total(dataset: xr.Dataset) -> tuple[float, float, float] | None:
    """Return the total that `gppcore map` states first, that of all cells and years."""
    names = ("gpp_total", "gpp_total_low", "gpp_total_high")
    if not set(names) <= set(dataset.data_vars) or not dataset.sizes.get("total"):
        return None
    total, low, high = (float(dataset[name].values[0]) for name in names)
    return total, low, high


def _single(data: xr.DataArray, space: tuple[str, str]) -> list[Hashable]:
    """Return the dimensions of length 1 besides latitude and longitude."""
    return [dim for dim in data.dims if dim not in space and data.sizes[dim] == 1]


def _unit(units: str | None, label: str) -> tuple[float, str]:
    """Return grams of carbon in the amount, and the unit of time: 'kg C m-2 s-1' gives (1000.0, 's')."""
    plain = re.sub(r"\*\*|\^|[{}() .*]", "", (units or "").replace("µ", "u").replace("μ", "u").lower())
    plain = re.sub(r"/([a-z]+)(\d?)", lambda m: f"{m[1]}-{m[2] or 1}", plain.replace("micromol", "umol"))
    match = re.fullmatch(r"(umol|mol)(?:co2|c)?m-2([a-z]+)-1|(g|kg|mg)c?m-2([a-z]+)-1", plain)
    if match:
        amount, time = match[1] or match[3], (match[2] or match[4]).removesuffix("s") or "s"
        if time in _TIMES:
            return _AMOUNTS[amount], _TIMES[time]
    raise UnitsError(f"{label}: expected {_KNOWN_UNITS}, got {units!r}")
