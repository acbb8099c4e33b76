"""The contents of a report: arrays and numbers, checked for shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.comparison import Comparison
from gppcore.errors import RangeError, ShapeError
from gppcore.evaluation.schemes import Scheme

Floats = NDArray[np.floating]

METHODS = ("process", "direct", "transfer")
"""The process model, the machine learning model fitted to towers alone, and the transferred one."""
SERIES = ("observed", *METHODS)
MAPS = ("annual", "january", "july", "difference")
MORE_MAPS = ("interval", "dissimilarity", "vcmax25", "trend")
BOUNDS = ("low", "high")
TOWERS = ("lat", "lon", "n", "bias", "rmse")
SCHEMES: tuple[Scheme, ...] = ("site", "temporal", "regional")
METRICS = ("r2", "rmse", "bias", "n", "groups")


@dataclass(frozen=True)
class ReportData:
    """The contents of a report.

    Parameters
    ----------
    experiment : str
        Name of the run; with real towers, the name of the file or folder they come from.
    synthetic : bool
        Whether the towers are sampled from a model planet.
    region : tuple of float or None
        South, north, west and east of a window [degree]; None for the globe.
    inputs : mapping of str to str
        What was run on which data: a label and a sentence each.
    lat, lon : ndarray (n_lat,), (n_lon,)
        Cell centres of the display grid [degree], latitude descending, longitude ascending.
    maps : mapping of str to ndarray (n_lat, n_lon)
        "annual" [g C m-2 yr-1], "january", "july" [g C m-2 d-1] of the transferred model, and "difference",
        the annual transfer minus process [g C m-2 yr-1]; optional "interval", the mean width of the 90 % interval of a
        month [g C m-2 d-1], "dissimilarity" to the nearest tower [1], "vcmax25" [umol m-2 s-1] and
        "trend" [g C m-2 yr-2]. NaN is ocean.
    zonal_lat : ndarray (n,)
        Latitude of the zonal means [degree].
    zonal : mapping of str to ndarray (n,)
        Zonal mean by method [g C m-2 yr-1], optional "low" and "high" of the transferred model; NaN without land.
    totals : mapping of str to float
        GPP of the globe or window by method [Pg C yr-1], optional "low" and "high" as sums of the bounds of the cells.
    years : mapping of str to mapping of int to float
        Total of each year by method [Pg C yr-1]; empty for a mean year.
    observed : ndarray (n,)
        GPP of tower months [g C m-2 d-1].
    predicted : mapping of str to ndarray (n,)
        The same months as each method predicts them with their site held out [g C m-2 d-1].
    seasonal : mapping of str to mapping of str to ndarray (12,)
        Mean seasonal cycle at towers by plant functional type and hemisphere, and series: "observed", or a method with
        the site held out [g C m-2 d-1]; optional "transfer_low" and "transfer_high". NaN where no month was observed.
    skill : mapping of str to mapping of str to mapping of str to float
        By scheme, "site" and perhaps "temporal" and "regional", and method: "r2" [1], "rmse", "bias" [g C m-2 d-1], "n"
        (rows scored) and "groups" (sites, years or regions held out in turn).
    differences : mapping of str to mapping of str to mapping of str to sequence of float
        By scheme and pair of methods the difference of "r2" [1] and "rmse" [g C m-2 d-1] with the ends of its 90 %
        interval.
    coverage : mapping of str to float
        By scheme the share of the held-out months inside their 90 % interval [1]; empty without intervals.
    towers : pandas.DataFrame
        By site: `lat`, `lon` [degree], months `n`, `bias` and `rmse` of the transferred model with the site held out
        [g C m-2 d-1].
    comparison : Comparison
        The map set against that of the process model.
    compared : sequence of Comparison
        The map set against other products.
    truth : Comparison or None
        The map set against the known GPP of a model planet.
    seconds : mapping of str to float
        Run time by step [s], in the order to show.
    peak_rss_gb : float
        Highest resident memory of the run [GB].
    land_cells : int
        Land cells mapped.
    caveats : sequence of str
        Methods and caveats of the report, one paragraph each.
    provenance : mapping of str to str
        Versions, seed and the like.
    regions : pandas.DataFrame, optional
        Totals of the transferred model by region and year with their 90 % intervals, as
        :func:`gppcore.mapping.totals.totals` returns them.
    reach : float, optional
        Dissimilarity at which the area of applicability ends [1].
    outside : float, optional
        Share of the land outside it [1].

    Raises
    ------
    ShapeError
        If arrays do not fit together.
    RangeError
        If an entry is missing or unknown, a coordinate is out of order, a map holds no land cell, or no tower
        month was observed.
    """

    experiment: str
    synthetic: bool
    region: tuple[float, float, float, float] | None
    inputs: Mapping[str, str]
    lat: Floats
    lon: Floats
    maps: Mapping[str, Floats]
    zonal_lat: Floats
    zonal: Mapping[str, Floats]
    totals: Mapping[str, float]
    years: Mapping[str, Mapping[int, float]]
    observed: Floats
    predicted: Mapping[str, Floats]
    seasonal: Mapping[str, Mapping[str, Floats]]
    skill: Mapping[str, Mapping[str, Mapping[str, float]]]
    differences: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
    coverage: Mapping[str, float]
    towers: pd.DataFrame
    comparison: Comparison
    compared: Sequence[Comparison]
    truth: Comparison | None
    seconds: Mapping[str, float]
    peak_rss_gb: float
    land_cells: int
    caveats: Sequence[str]
    provenance: Mapping[str, str]
    regions: pd.DataFrame | None = None
    reach: float | None = None
    outside: float | None = None

    def __post_init__(self) -> None:
        _check_keys("maps", self.maps, MAPS, MORE_MAPS)
        _check_keys("zonal", self.zonal, METHODS, BOUNDS)
        _check_keys("predicted", self.predicted, METHODS)
        _check_keys("totals", self.totals, METHODS, BOUNDS)
        _check_keys("towers", dict.fromkeys(map(str, self.towers.columns)), TOWERS)
        if not {"site"} <= set(self.skill) <= set(SCHEMES):
            raise RangeError(f"skill: expected `site` and schemes out of {list(SCHEMES)}, got {list(self.skill)}")
        for name, values in (("lat", -self.lat), ("lon", self.lon)):
            if values.ndim != 1 or values.size < 2 or not np.all(np.diff(values) > 0):
                order = "descending" if name == "lat" else "ascending"
                raise RangeError(f"{name}: expected two centres or more, {order}, got shape {values.shape}")
        for name, field in self.maps.items():
            _check_shape(f"maps[{name!r}]", field, (self.lat.size, self.lon.size))
            if not np.isfinite(field).any():
                raise RangeError(f"maps[{name!r}]: expected one land cell or more, got NaN everywhere")
        for name, mean in self.zonal.items():
            _check_shape(f"zonal[{name!r}]", mean, self.zonal_lat.shape)
        if not np.isfinite(self.observed).any():
            raise RangeError("observed: expected one tower month or more, got none")
        for name, values in self.predicted.items():
            _check_shape(f"predicted[{name!r}]", values, self.observed.shape)
        for pft, series in self.seasonal.items():
            _check_keys(f"seasonal[{pft!r}]", series, SERIES, ("transfer_low", "transfer_high"))
            for name, cycle in series.items():
                _check_shape(f"seasonal[{pft!r}][{name!r}]", cycle, (12,))
        for scheme, methods in self.skill.items():
            _check_keys(f"skill[{scheme!r}]", methods, METHODS)
            for method, metrics in methods.items():
                _check_keys(f"skill[{scheme!r}][{method!r}]", metrics, METRICS)


def _check_keys(
    name: str, mapping: Mapping[str, object], expected: Sequence[str], optional: Sequence[str] = ()
) -> None:
    if not set(expected) <= set(mapping) <= {*expected, *optional}:
        raise RangeError(f"{name}: expected the entries {sorted(expected)}, got {sorted(mapping)}")


def _check_shape(name: str, values: Floats, expected: tuple[int, ...]) -> None:
    if values.shape != expected:
        raise ShapeError(f"{name}: expected shape {expected}, got {values.shape}")
