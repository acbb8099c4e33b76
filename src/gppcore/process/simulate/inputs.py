"""The variables of a dataset, checked and arranged as arrays over type, time and cell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import C4_OF, PlantFunctionalType
from gppcore.errors import DtypeError, RangeError, ShapeError
from gppcore.process.daylight import sw_toa
from gppcore.process.simulate.clock import day_of_year
from gppcore.process.simulate.humidity import HUMIDITIES
from gppcore.variables import VARIABLES, check_field, check_range, check_unit

if TYPE_CHECKING:
    import xarray as xr

Float = NDArray[np.float64]

OF_LEAVES = ("lai", "soil_water_stress", "clumping", "vcmax25", "g1")
"""Variables that may differ between the types of a cell."""
WATER = ("soil_water_stress", "soil_water", "precip")
"""Sources of water stress; the first one present is used."""
_MUCH_LIGHT = 250.0  # W m-2, daily mean at the top of the atmosphere: more than 50 reach the ground on some day
_WARM = 10.0  # degC: the deficit passes 1 hPa at some time
_OPTIONAL = ("clumping", "vcmax25", "g1", "wind")


@dataclass(frozen=True)
class Inputs:
    """Forcing of cells that hold several types.

    Attributes
    ----------
    time : ndarray of datetime64, shape (times,)
    types : tuple of str
        Names of the plant functional types.
    fraction : ndarray, shape (types, cells)
        Their area shares.
    c4 : ndarray, shape (cells,)
        Share of C4 plants in grass and crop.
    fields : dict of str to ndarray, each of shape (types or 1, times or 1, cells or 1)
    n_cells : int
    """

    time: NDArray[np.datetime64]
    types: tuple[str, ...]
    fraction: Float
    c4: Float
    fields: Mapping[str, NDArray[Any]]
    n_cells: int

    def cells(self, part: slice) -> Inputs:
        """Return the inputs of some of the cells."""
        fields = {k: f[:, :, part] if f.shape[2] > 1 else f for k, f in self.fields.items()}
        n = part.stop - part.start
        return replace(self, fraction=self.fraction[:, part], c4=self.c4[part], fields=fields, n_cells=n)

    def at(self, name: str, steps: slice, type_: int = 0) -> NDArray[Any]:
        """Return a field at some time steps, shape (steps or 1, cells or 1), for one type."""
        field = self.fields[name]
        of_type: NDArray[Any] = field[type_ if field.shape[0] > 1 else 0]
        return of_type[steps] if len(of_type) > 1 else of_type

    def full(self, name: str, steps: slice) -> Float:
        """Return a field without types as float64 of shape (steps, cells)."""
        shape = (steps.stop - steps.start, self.n_cells)
        return np.broadcast_to(self.at(name, steps), shape).astype(np.float64)

    def of_cells(self, name: str) -> Float:
        """Return a field without time as float64 of shape (cells,)."""
        return np.broadcast_to(self.fields[name][0, 0], self.n_cells).astype(np.float64)


def space_of(ds: xr.Dataset) -> tuple[Hashable, ...]:
    """Return the dimensions of a dataset that are neither time nor type."""
    return tuple(dim for dim in ds.dims if dim not in ("time", "pft"))


def names_needed(ds: xr.Dataset, steps: str, *, with_lon: bool) -> tuple[str, ...]:
    """Return the names of the variables to read.

    Raises
    ------
    ShapeError
        If some are missing, all of which the message names, or humidity is given in no way or in two.
    """
    needed = ["sw", "ca", "lai", "lat"]
    if steps == "hourly":
        needed += ["tair"] + (["lon"] if with_lon else [])
    else:
        extremes = "tair_range" not in ds and ("tmin" in ds or "tmax" in ds)
        needed += ["tmin", "tmax"] if extremes else ["tair_range"]
        needed += ["tair"] if "tair" in ds or not extremes else []
    humidity = [name for name in HUMIDITIES if name in ds]
    if len(humidity) > 1:
        raise ShapeError(f"humidity: expected exactly one of {', '.join(HUMIDITIES)}, got {humidity}; drop the others")
    needed += humidity + (["patm"] if humidity == ["specific_humidity"] else [])
    water = next((name for name in WATER if name in ds), None)
    needed += [water] if water else []
    if "pft" in ds.dims:
        needed += ["pft_fraction", "c4_fraction"]
    elif "pft" in ds and "pft_fraction" in ds:
        raise ShapeError(f"pft: expected a dimension, since pft_fraction is given, got {_shown(ds)}")
    missing = [str([name for name in needed if name not in ds])] if any(name not in ds for name in needed) else []
    for names, given in ((HUMIDITIES, humidity), (WATER, water)):
        missing += [] if given else ["one of " + ", ".join(f"{name} [{VARIABLES[name].unit}]" for name in names)]
    missing += [] if "pft" in ds else ["a dimension 'pft' or a variable of names of types"]
    if missing:
        aliases = {alias for name in (*needed, *HUMIDITIES) for alias in VARIABLES[name].aliases if alias in ds}
        hint = f"; {', '.join(sorted(aliases))} may be it, in another unit and under another name" if aliases else ""
        raise ShapeError(f"simulate: expected variables {', '.join(missing)}, got {_shown(ds)}{hint}")
    optional = [*_OPTIONAL] + (["c4_fraction"] if "pft" not in ds.dims else [])
    return (*needed, *(name for name in optional if name in ds))


def read(ds: xr.Dataset, names: tuple[str, ...], pfts: Mapping[str, PlantFunctionalType], *, whole: bool) -> Inputs:
    """Check the variables and lay them out over type, time and cell.

    Parameters
    ----------
    whole : bool
        Whether these are all values of the dataset, which the check for another unit needs.
    """
    space = space_of(ds)
    n_cells = int(np.prod([ds.sizes[dim] for dim in space], dtype=np.intp))
    fields = {name: _laid_out(ds[name], name, ds, space) for name in names}
    small = _small_of_themselves(ds["time"].values, fields)
    for name, field in fields.items():
        check_unit(name, ds[name].attrs.get("units"))
        (check_field if whole and name not in small else check_range)(name, field)
    lat_like = ("lat", "lon", "c4_fraction")
    if bad := [name for name in (*lat_like, "pft_fraction") if name in fields and fields[name].shape[1] > 1]:
        raise ShapeError(f"{bad[0]}: expected no dimension time, got {ds[bad[0]].dims}")
    types, fraction = _types(ds, fields, space, n_cells)
    c4 = np.broadcast_to(fields.pop("c4_fraction", np.zeros((1, 1, 1)))[0, 0], n_cells).astype(np.float64)
    split = {C4_OF[name] for name in types if name in C4_OF} if (c4 != 0.0).any() else set()
    if unknown := sorted({*types, *split} - set(pfts)):
        raise RangeError(f"pft: expected names out of {sorted(pfts)}, got {unknown}")
    if "tmin" in fields:
        low, high = fields.pop("tmin"), fields.pop("tmax")
        if (low > high).any():
            raise RangeError("tmin: expected values not above tmax, got some above")
        fields.setdefault("tair", (low + high) / 2.0)
        fields["tair_range"] = high - low
    return Inputs(ds["time"].values, types, fraction, c4, fields, n_cells)


def _small_of_themselves(time: NDArray[np.datetime64], fields: Mapping[str, NDArray[Any]]) -> set[str]:
    """Return variables whose values can be as small as in another unit: radiation in winter, VPD of cold air."""
    lat, warmest = fields["lat"], fields["tair" if "tair" in fields else "tmax"]
    if not lat.size or not time.size:
        return set()
    south, north = np.fmin.reduce(lat, axis=None), np.fmax.reduce(lat, axis=None)
    sun = sw_toa(np.array([south, north, np.clip(0.0, south, north)]), np.unique(day_of_year(time))[:, None])
    small = {"sw"} if not np.fmax.reduce(sun, axis=None) >= _MUCH_LIGHT else set()
    return small | ({"vpd"} if not np.fmax.reduce(warmest, axis=None) >= _WARM else set())


def _laid_out(variable: xr.DataArray, name: str, ds: xr.Dataset, space: tuple[Hashable, ...]) -> NDArray[Any]:
    """Return the values in the shape (types or 1, times or 1, cells or 1)."""
    leading = [dim for dim in ("pft", "time") if dim in variable.dims]
    if "pft" in leading and name not in (*OF_LEAVES, "pft_fraction"):
        raise ShapeError(f"{name}: expected no dimension pft, got {variable.dims}")
    order: list[Hashable] = [*leading]
    if any(dim in space for dim in variable.dims):
        variable = _over_space(variable, ds, space)
        order += space
    values = variable.transpose(*order).values
    shape = (ds.sizes["pft"] if "pft" in leading else 1, ds.sizes["time"] if "time" in leading else 1, -1)
    if values.dtype.kind not in "fiu":
        raise DtypeError(f"{name}: expected numbers, got {values.dtype}")
    return values.reshape(shape) if values.size else values.reshape(*shape[:2], 0)


def _over_space(variable: xr.DataArray, ds: xr.Dataset, space: tuple[Hashable, ...]) -> xr.DataArray:
    return variable.expand_dims({dim: ds.sizes[dim] for dim in space if dim not in variable.dims})


def _types(
    ds: xr.Dataset, fields: dict[str, NDArray[Any]], space: tuple[Hashable, ...], n_cells: int
) -> tuple[tuple[str, ...], Float]:
    """Return the names of the types and their area shares, shape (types, cells)."""
    if "pft" in ds.dims:
        types = tuple(str(name) for name in ds["pft"].values)
        fraction = fields.pop("pft_fraction")[:, 0]
        return types, np.broadcast_to(fraction, (len(types), n_cells)).astype(np.float64)
    named = ds["pft"]
    if "time" in named.dims:
        raise ShapeError(f"pft: expected no dimension time, got {named.dims}")
    names = _over_space(named, ds, space).transpose(*space).values.astype(str).reshape(-1)
    types = tuple(sorted({str(name) for name in names}))
    return types, np.array([names == name for name in types], dtype=np.float64).reshape(len(types), n_cells)


def _shown(ds: xr.Dataset) -> list[str]:
    return sorted(map(str, ds.variables))
