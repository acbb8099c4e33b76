"""The public function: one dataset in, one dataset out, at once or lazily."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gppcore.arrays import check_type
from gppcore.constants import PFTS, PlantFunctionalType
from gppcore.errors import DtypeError, RangeError, ShapeError
from gppcore.process.parameters import covariates_of
from gppcore.process.simulate import engine
from gppcore.process.simulate.clock import Hours, months_of, steps_of
from gppcore.process.simulate.inputs import names_needed, read, space_of
from gppcore.runtime import threads
from gppcore.variables import attributes

if TYPE_CHECKING:
    import xarray as xr

OUTPUTS = ("gpp", "gpp_sunlit", "gpp_shaded", "gpp_daily", "gpp_daily_sunlit", "gpp_daily_shaded", "gpp_daily_pft")


def simulate(
    ds: xr.Dataset,
    *,
    steps: str | None = None,
    time_reference: str | float | None = None,
    time_label: str | None = None,
    means: str | None = None,
    outputs: Sequence[str] | None = None,
    pfts: Mapping[str, PlantFunctionalType] | None = None,
    cold_limit: bool = False,
    n_threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Simulate GPP from hourly, daily or monthly forcing.

    Parameters
    ----------
    ds : xarray.Dataset
        Dimension `time` (coordinate datetime64, regular steps of 1 h or a shorter part of a day, of 1 day, or months)
        and any others: a site, cells, lat and lon, or none. A variable without a dimension is constant along
        them; units are those of the table of variables, and checked. Variables:

        - `sw` [W m-2, mean of the step, nights included], `ca` [umol mol-1], `lai` [m2 m-2];
        - `tair` [degC]; with days and months also `tair_range`, or else `tmin` and `tmax` (`tair` is then optional);
        - exactly one of `rh` [%], `vpd` [Pa; with days and months the mean of daylight], `specific_humidity`
          [kg kg-1] with `patm` [Pa], `dewpoint` [degC];
        - `soil_water_stress` [1], or `soil_water` [1, relative to capacity], or `precip` [mm d-1] that fills a
          bucket; the first of them that is given is used;
        - `lat` [degrees north]; with hourly steps also `lon` [degrees east] unless time is local solar;
        - `pft`: a coordinate of a dimension `pft` with names of `pfts`, and `pft_fraction` (pft, ...) [1], their area
          shares, whose sum may be below 1, and `c4_fraction` (...) [1], the share of C4 in grass and crop; or a
          variable with one name for each place;
        - optional: `wind` [m s-1], `clumping` [1], `vcmax25` [umol m-2 s-1], `g1` [1]. These (but `wind`), `lai` and
          `soil_water_stress` may have the dimension `pft`.
    steps : {"hourly", "daily", "monthly"}, optional
        Steps of the forcing; read from `time` where there are two or more.
    time_reference : {"utc", "local_solar"} or float, optional
        For hourly steps, and needed there: the clock of `time`. "local_solar" has noon when the sun is highest;
        a number is the hours that local standard time is ahead of UTC (-6 in US Central). Days are those of `time`.
    time_label : {"start", "middle", "end"}, optional
        For hourly steps, and needed there: the part of its interval that a time stands for.
    means : {"daily", "monthly"}, optional
        Period of `gpp_daily`; monthly with monthly forcing, else daily.
    outputs : sequence of str, optional
        Of `gpp`, `gpp_sunlit`, `gpp_shaded` (at hourly steps), `gpp_daily`, `gpp_daily_sunlit`, `gpp_daily_shaded`,
        and `gpp_daily_pft` (with the dimension `pft`). By default `gpp_daily`, and `gpp_daily_pft` where it exists.
    pfts : mapping of str to PlantFunctionalType, optional
        Parameters by name.
    cold_limit : bool, default False
        Whether GPP decreases linearly with the daily minimum of `tair`, from 0 degC to zero at -8 degC.
    n_threads : int, optional
        Threads; all usable cores by default. Results do not depend on it. With lazy data each block uses that many.
    progress : callable, optional
        Called with the number of canopy hours done after each step, from any thread.

    Returns
    -------
    xarray.Dataset
        `gpp` (time, ...) [umol m-2 s-1], the area-weighted sum over types; `gpp_daily` (time, ...) [g m-2 d-1], its
        mean over whole days or months, NaN for incomplete days or months; `gpp_daily_pft` (pft, time, ...), GPP of each
        type per unit of its own area (C3 and C4 mixed by share; 0 where the type is absent). Means over more than one
        step of the forcing have the dimension `day` or `month` in place of `time`.
        float64; float32 where the steps are hourly and `sw` is float32: then leaves are solved in float32, and means
        are summed in float64. Lazy, block by block, if `ds` is.

    Raises
    ------
    ShapeError
        If a variable or dimension is missing or given twice, the steps of `time` are not regular, or lazy data are
        cut along time or pft.
    DtypeError
        If a variable is not of numbers.
    UnitsError, RangeError
        If a field is, or looks like it is, in another unit, or out of range; a type or option is unknown. Lazy data
        are checked when they are computed, for ranges.

    Notes
    -----
    Each hour is simulated with the solar position at the middle of its interval. A day is simulated at eight hours
    reconstructed from its means, a month at those of three days of different cloudiness
    (`gppcore.process.daylight`). Water and frost stress is daily (hourly and daily steps) or monthly. C3, C4 and each
    type are simulated separately; the molar mass of carbon is 12.011 g mol-1. NaN in any input of a step gives NaN at
    that step; NaN in `precip` affects all later steps.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import xarray as xr
    >>> from gppcore import simulate
    >>> season = -np.cos(2 * np.pi * (np.arange(12) + 0.5) / 12)
    >>> fields = {"tair": 9 + 9 * season, "sw": 140 + 90 * season, "vpd": 600 + 350 * season, "lai": 2.5 + 2 * season}
    >>> ds = xr.Dataset({name: ("time", field) for name, field in fields.items()})
    >>> ds = ds.assign_coords(time=pd.date_range("2015-01-01", periods=12, freq="MS"))
    >>> ds = ds.assign(tair_range=9.0, ca=400.0, soil_water_stress=1.0, lat=51.0, pft="dbf")
    >>> gpp = simulate(ds)["gpp_daily"]
    >>> gpp.sel(time="2015-07").values.round(1), gpp.attrs["units"]
    (array([10.5]), 'g m-2 d-1')
    """
    pfts = PFTS if pfts is None else pfts
    n_threads = threads(n_threads)
    if not hasattr(ds, "data_vars"):
        how = "; DataFrame.to_xarray makes one" if type(ds).__name__ == "DataFrame" else ""
        raise DtypeError(f"ds: expected an xarray.Dataset, got {type(ds).__name__}{how}")
    check_type("pfts", pfts, Mapping, "a mapping of names to types such as gppcore.PFTS")
    if "time" not in ds.dims:
        raise ShapeError(f"time: expected a dimension of that name, got {tuple(ds.dims)}")
    steps = steps_of(ds["time"].values, steps)
    hours = None
    if steps == "hourly":
        hours = Hours.read(ds["time"].values, time_reference, time_label)
    elif time_reference is not None or time_label is not None:
        raise RangeError(f"time_reference, time_label: expected none with {steps} steps, got one")
    names = names_needed(ds, steps, with_lon=time_reference != "local_solar")
    if missing := [name for name in covariates_of(pfts) if name not in ds]:
        raise ShapeError(
            f"simulate: expected the covariates {list(covariates_of(pfts))} of the parameters, got none of {missing}; "
            "derive them (gppcore.features.derive), or pass the parameters at their mean, `pfts.types`"
        )
    names = (*names, *(name for name in covariates_of(pfts) if name not in names))
    needed = ds[[*names, *(["pft"] if "pft" in ds else [])]]
    dtype = np.float32 if hours and ds["sw"].dtype == np.float32 else np.float64
    plan = engine.Plan(
        steps, hours, _monthly(steps, means), _outputs(outputs, steps, "pft" in ds.dims), pfts, cold_limit, dtype
    )
    options: dict[str, Any] = {"plan": plan, "names": names, "n_threads": n_threads, "progress": progress}
    if not needed.chunks:
        return _simulate(needed, whole=True, **options)
    if cut := [dim for dim in ("time", "pft") if len(needed.chunks.get(dim, ())) > 1]:
        raise ShapeError(f"simulate: expected lazy data in one chunk along {cut[0]}, got {len(needed.chunks[cut[0]])}")
    template = _template(needed, plan)
    lazy: xr.Dataset = needed.map_blocks(_simulate, kwargs={"whole": False, **options}, template=template)
    return lazy


def _monthly(steps: str, means: str | None) -> bool:
    allowed = ("monthly",) if steps == "monthly" else ("daily", "monthly")
    if means is not None and means not in allowed:
        raise RangeError(f"means: expected {' or '.join(allowed)} with {steps} forcing, got {means!r}")
    return means == "monthly" and steps != "monthly"


def _outputs(outputs: Sequence[str] | None, steps: str, with_types: bool) -> tuple[str, ...]:
    if outputs is None:
        return ("gpp_daily", "gpp_daily_pft") if with_types else ("gpp_daily",)
    allowed = [name for name in OUTPUTS if "daily" in name or steps == "hourly"]
    if not with_types:
        allowed.remove("gpp_daily_pft")
    if not outputs or (unknown := sorted(set(outputs) - set(allowed))):
        raise RangeError(f"outputs: expected names out of {allowed}, got {unknown if outputs else 'none'}")
    return tuple(name for name in OUTPUTS if name in outputs)


def _simulate(ds: xr.Dataset, *, plan: engine.Plan, names: tuple[str, ...], whole: bool, **run: Any) -> xr.Dataset:
    results = engine.run(read(ds, names, plan.pfts, whole=whole), plan, **run)
    sizes = tuple(ds.sizes[dim] for dim in space_of(ds))
    return _dataset(ds, plan, {name: values.reshape(values.shape[:-1] + sizes) for name, values in results.items()})


def _dataset(ds: xr.Dataset, plan: engine.Plan, results: Mapping[str, Any]) -> xr.Dataset:
    """Add dimensions, coordinates and attributes to the results."""
    import xarray as xr

    space, (period, times) = space_of(ds), _means_axis(ds, plan)
    variables = {}
    for name, values in results.items():
        leading = ("pft",) * (name == "gpp_daily_pft") + (period if "daily" in name else "time",)
        variables[name] = ((*leading, *space), values, _attributes(name))
    out = xr.Dataset(variables)
    coords = {k: c for k, c in ds.coords.items() if set(c.dims) <= set(out.dims)}
    return out.assign_coords({**coords, **({} if period == "time" else {period: times})})


def _means_axis(ds: xr.Dataset, plan: engine.Plan) -> tuple[str, Any]:
    """Return the dimension of means and its dates: that of the forcing where the means are its own steps."""
    days = plan.hours.days if plan.hours else ds["time"].values.astype("M8[D]")
    if plan.monthly_means:
        return "month", months_of(days)[0].astype("M8[ns]")
    return ("day", days.astype("M8[ns]")) if plan.hours else ("time", None)


def _attributes(name: str) -> dict[str, str]:
    quantity = "gpp_daily" if "daily" in name else "gpp"
    attrs = attributes(quantity)
    leaves = name.removeprefix(quantity)
    if leaves in ("_sunlit", "_shaded"):
        attrs["long_name"] += f" of {leaves[1:]} leaves"
        attrs.pop("standard_name", None)
    return attrs


def _template(ds: xr.Dataset, plan: engine.Plan) -> xr.Dataset:
    """Return the lazy shape of the result."""
    import dask.array as da

    _, times = _means_axis(ds, plan)
    n_means = ds.sizes["time"] if times is None else len(times)
    space = tuple(ds.chunks.get(dim, (ds.sizes[dim],)) for dim in space_of(ds))
    empty = {}
    for name in plan.outputs:
        times_of = (n_means if "daily" in name else ds.sizes["time"],)
        types_of = ((ds.sizes["pft"],),) if name == "gpp_daily_pft" else ()
        chunks = (*types_of, times_of, *space)
        empty[name] = da.zeros(tuple(sum(c) for c in chunks), chunks=chunks, dtype=plan.dtype)
    return _dataset(ds, plan, empty)
