"""The process model over datasets: monthly forcing in, monthly GPP out (the source domain)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gppcore import soil_water
from gppcore.constants import PFTS, PlantFunctionalType
from gppcore.daylight import Daylight, daylight_of_month, mid_month_day
from gppcore.errors import RangeError, ShapeError
from gppcore.two_leaf import Canopy, Forcing, two_leaf_gpp
from gppcore.variables import G_C_PER_UMOL, attributes, check_field, check_range, check_unit

if TYPE_CHECKING:
    import xarray as xr

Float = NDArray[np.float64]

C4_OF = {"grass": "grass_c4", "crop": "crop_c4"}
"""C4 counterpart of the types that `c4_fraction` splits."""

_MONTHLY = ("tair", "tair_range", "vpd", "sw", "ca", "soil_water")


def simulate(
    ds: xr.Dataset,
    *,
    pfts: Mapping[str, PlantFunctionalType] = PFTS,
    n_threads: int = 1,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Simulate monthly GPP of cells that hold several plant functional types.

    Parameters
    ----------
    ds : xarray.Dataset
        Dimensions `time` (months, coordinate datetime64), `cell` and `pft`. Variables:

        - `tair`, `tair_range` [degC], `sw` [W m-2, nights included], `vpd` [Pa, daylight mean],
          `ca` [umol mol-1], `soil_water` [1, relative to capacity]: (time, cell) or what broadcasts to it;
        - `lai` [m2 m-2]: (time, cell) or (pft, time, cell);
        - `lat` [degrees north]: (cell,);
        - `pft_fraction` [1]: (pft, cell), area shares, whose sum may be below 1; coordinate `pft` holds names of
          `pfts`; `c4_fraction` [1]: (cell,), the share of C4 in grass and crop.
    pfts : mapping of str to PlantFunctionalType, optional
        Parameters by name.
    n_threads : int, default 1
        Threads of the kernel; 0 means all cores. Results do not depend on it.
    progress : callable, optional
        Called with the number of canopy hours done after each step.

    Returns
    -------
    xarray.Dataset
        `gpp_daily` (time, cell), the area-weighted sum, and `gpp_daily_pft` (pft, time, cell), GPP of each type
        per unit of its own area (C3 and C4 mixed by share; 0 where the type is absent) [g m-2 d-1].

    Raises
    ------
    ShapeError
        If a variable, a dimension or the dates of `time` are missing.
    UnitsError, RangeError
        If a field is, or looks like it is, in another unit, or out of range; a type is unknown.

    Notes
    -----
    Every month is run hour by hour on three days of different cloudiness (`gppcore.daylight`); C3 and C4 and
    every type are runs of their own; carbon is 12.011 g mol-1.
    """
    import xarray as xr

    fields = _fields(ds)
    names = [str(name) for name in ds["pft"].values]
    if unknown := sorted(set(names) - set(pfts)):
        raise RangeError(f"pft: expected names out of {sorted(pfts)}, got {unknown}")
    days = [mid_month_day(int(month)) for month in ds["time"].dt.month.values]
    fraction = check_range("c4_fraction", ds["pft_fraction"].transpose("pft", "cell").values).astype(np.float64)
    c4, lat = _cells(ds, "c4_fraction"), _cells(ds, "lat")
    gpp_pft = np.zeros((len(names), len(days), ds.sizes["cell"]))
    gpp = np.zeros(gpp_pft.shape[1:])
    for p, name in enumerate(names):
        cells = np.flatnonzero(fraction[p] > 0.0)
        for t, day in enumerate(days):
            if not cells.size:
                break
            month = {k: v[t, cells] for k, v in fields.items() if k != "lai"}
            lai = fields["lai"][p, t, cells] if fields["lai"].ndim == 3 else fields["lai"][t, cells]
            light = daylight_of_month(lat[cells], day, month["sw"], month["tair"], month["tair_range"], month["vpd"])
            done = _run_type(pfts, name, month, lai, c4[cells], light, n_threads)
            gpp_pft[p, t, cells] = done
            if progress:
                progress(light.sw.size)
        gpp += fraction[p] * gpp_pft[p]
    dims = ("pft", "time", "cell")
    return xr.Dataset(
        {
            "gpp_daily": (dims[1:], gpp, attributes("gpp_daily")),
            "gpp_daily_pft": (dims, gpp_pft, attributes("gpp_daily")),
        },
        coords={k: ds.coords[k] for k in ("pft", "time", "cell") if k in ds.coords},
    )


def _run_type(
    pfts: Mapping[str, PlantFunctionalType],
    name: str,
    month: Mapping[str, Float],
    lai: Float,
    c4: Float,
    light: Daylight,
    n_threads: int,
) -> Float:
    """Return daily GPP [g m-2 d-1] of one type at n cells; C4 only where there is some."""
    c3_gpp = _run_pathway(pfts[name], month, lai, light, n_threads)
    if name not in C4_OF or (c4 == 0.0).all():
        return c3_gpp
    c4_gpp = _run_pathway(pfts[C4_OF[name]], month, lai, light, n_threads)
    return (1.0 - c4) * c3_gpp + c4 * c4_gpp


def _run_pathway(
    pft: PlantFunctionalType, month: Mapping[str, Float], lai: Float, light: Daylight, n_threads: int
) -> Float:
    leaves = Canopy(lai=lai, soil_water_stress=soil_water.stress(month["soil_water"], month["tair"], pft))
    total = np.zeros_like(lai)
    for sw in light.sw:
        weather = Forcing(sw, light.tair, light.vpd, light.cos_zenith, month["ca"])
        total += light.mean(two_leaf_gpp(weather, leaves, pft, n_threads=n_threads).gpp)
    return total * (light.seconds * G_C_PER_UMOL / len(light.sw))


def _fields(ds: xr.Dataset) -> dict[str, Float]:
    """Check the forcing and return it as (time, cell) arrays; `lai` as (pft, time, cell) if it has types."""
    for dim in ("time", "cell", "pft"):
        if dim not in ds.dims:
            raise ShapeError(f"simulate: expected a dimension {dim!r}, got {tuple(ds.dims)}")
    if ds["time"].dtype.kind != "M":
        raise ShapeError(f"time: expected a coordinate of datetime64, got {ds['time'].dtype}")
    missing = [v for v in (*_MONTHLY, "lai", "lat", "pft_fraction", "c4_fraction") if v not in ds]
    if missing:
        raise ShapeError(f"simulate: expected variables {missing}, got {sorted(map(str, ds.variables))}")
    shape = {"time": ds.sizes["time"], "cell": ds.sizes["cell"]}
    fields = {}
    for name in (*_MONTHLY, "lai"):
        check_unit(name, ds[name].attrs.get("units"))
        dims = ("pft", "time", "cell") if "pft" in ds[name].dims else ("time", "cell")
        array = (
            ds[name].broadcast_like(ds["pft_fraction"], exclude=("pft",)) if "cell" not in ds[name].dims else ds[name]
        )
        array = array.expand_dims({k: n for k, n in shape.items() if k not in array.dims}).transpose(*dims)
        fields[name] = np.asarray(check_field(name, array.values), dtype=np.float64)
    return fields


def _cells(ds: xr.Dataset, name: str) -> Float:
    return np.asarray(check_range(name, ds[name].values), dtype=np.float64)
