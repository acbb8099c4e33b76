"""Read GPP from any CF file: identify the variable, its coordinates, months and unit."""

from __future__ import annotations

import re
from collections.abc import Hashable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gppcore.errors import ProductFormatError, RangeError, ShapeError, UnitsError
from gppcore.io.cf import axes, open_cf
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
    data: xr.DataArray
    """(time, lat, lon), in the unit of the file."""
    grid: LatLonGrid
    months: tuple[int, ...]
    """Calendar month of every time step; 0 is an annual mean."""
    years: tuple[int, ...]
    """Year of every time step; empty if the file does not state it."""
    factors: NDArray[np.float64]
    """Factor to g C m-2 d-1 of every time step."""
    chunks: tuple[int, int]
    """Time steps and rows of a chunk."""

    @property
    def annual(self) -> bool:
        """Whether the file has annual means only."""
        return 0 in self.months


def read(source: str | Path | xr.Dataset, stack: ExitStack) -> Field:
    """Open `source` and describe its GPP; files are closed with `stack`. A path may end with ":VARIABLE"."""
    wanted = None
    if isinstance(source, xr.Dataset):
        dataset, label = source, str(source.attrs.get("title", "dataset"))
    else:
        path = Path(source)
        front, _, back = str(source).rpartition(":")
        if not path.exists() and front:
            path, wanted = Path(front), back
        dataset, label = stack.enter_context(open_cf(path, "product")), path.name
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
        data=data[:, turn[0], turn[1]],
        grid=LatLonGrid(grid.lat_edges[turn[0]], grid.lon_edges[turn[1]]),
        months=months,
        years=years,
        factors=amount / days if per == "month" else np.full(len(months), amount * _PER_DAY[per]),
        chunks=(stored.get(time[0], 1) if time else 1, stored.get(y, 1)),
    )


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
