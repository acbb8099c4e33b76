"""The result of comparing two GPP maps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gppcore.comparison.variability import Season, Variability

Floats = NDArray[np.float64]

REGIONS = {
    "whole": "common cells",
    "tropics": "tropics",
    "north": "north of the tropics",
    "south": "south of the tropics",
}
"""Regions of rows of cells and their names in tables.

>>> from gppcore.comparison.result import REGIONS
>>> REGIONS["north"]
'north of the tropics'
"""


@dataclass(frozen=True)
class Agreement:
    """Agreement of two maps in one region; cell-months are weighted by area and days.

    Parameters
    ----------
    n : int
        Cell-months (cells, if annual means are compared).
    total, other_total : float
        GPP of both over the common cells [Pg C yr-1].
    r2 : float
        Fraction of the variance of `other` that the product explains, 1 - SSE / SST [1].
    correlation : float
        Pearson correlation [1].
    rmse, bias : float
        Root mean square and mean of product minus other [g C m-2 d-1].
    ubrmse : float
        RMSE without the bias (centred root mean square difference) [g C m-2 d-1].
    deviation, other_deviation : float
        Standard deviations of both [g C m-2 d-1]; with `correlation` and `ubrmse` the sides and the angle of a
        Taylor diagram (Taylor 2001, J. Geophys. Res. 106, 7183).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import xarray as xr
    >>> from gppcore import compare
    >>> coords = {"time": pd.date_range("2001-01-15", periods=12, freq="30D"), "lat": [5, -5], "lon": [10, 20, 30]}
    >>> gpp = xr.DataArray(np.random.default_rng(0).gamma(2, 2, (12, 2, 3)), coords, attrs={"units": "g C m-2 d-1"})
    >>> mine, other = (gpp + 1).assign_attrs(gpp.attrs).to_dataset(name="gpp"), gpp.to_dataset(name="gpp")
    >>> agreement = compare(mine, other)[0].regions["whole"]
    >>> round(agreement.bias, 2), round(agreement.rmse, 2), agreement.n
    (1.0, 1.0, 72)
    """

    n: int
    total: float
    other_total: float
    r2: float
    correlation: float
    rmse: float
    bias: float
    ubrmse: float
    deviation: float
    other_deviation: float


@dataclass(frozen=True)
class Interval:
    """Ends of the 90 % intervals of one region; NaN with fewer than 5 blocks.

    Parameters
    ----------
    r2 : tuple of float
        Of `Agreement.r2` [1].
    rmse, bias : tuple of float
        Of RMSE and bias [g C m-2 d-1].
    total_difference : tuple of float
        Of the total of the product minus that of the reference, over the common cells [Pg C yr-1].

    Examples
    --------
    >>> from gppcore.comparison import Interval
    >>> Interval((0.7, 0.8), (1.1, 1.3), (-0.1, 0.2), (-2.0, 4.1)).bias
    (-0.1, 0.2)
    """

    r2: tuple[float, float]
    rmse: tuple[float, float]
    bias: tuple[float, float]
    total_difference: tuple[float, float]


@dataclass(frozen=True)
class Density:
    """Counts of cell-months in square bins of both fluxes.

    Parameters
    ----------
    step : float
        Width of a bin [g C m-2 d-1]; the first begins at 0. Fluxes beyond the ends are in the outer bins.
    counts : ndarray (bins, bins)
        Cell-months by the flux of `other` (rows) and of the product (columns).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import xarray as xr
    >>> from gppcore import compare
    >>> coords = {"time": pd.date_range("2001-01-15", periods=12, freq="30D"), "lat": [5, -5], "lon": [10, 20, 30]}
    >>> gpp = xr.DataArray(np.random.default_rng(0).gamma(2, 2, (12, 2, 3)), coords, attrs={"units": "g C m-2 d-1"})
    >>> mine, other = (gpp + 1).assign_attrs(gpp.attrs).to_dataset(name="gpp"), gpp.to_dataset(name="gpp")
    >>> density = compare(mine, other)[0].density
    >>> density.step, int(density.counts.sum())
    (0.05, 72)
    """

    step: float
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """Comparison of a product with the reference, `other`. Statistics without data are NaN.

    Parameters
    ----------
    product, other : str
        Names of the two: file and variable.
    months : tuple of int
        Calendar months compared (1-12); empty if annual means are compared.
    resolution : tuple of float
        Cell height and width of the common grid, the coarser of the two [degree].
    own_total, other_own_total : float
        GPP over the valid cells of each product inside the overlap of the two grids [Pg C yr-1].
    own_interval, other_own_interval : tuple of float
        Ends of the 90 % interval of the total that the file of each states, as those of `gppcore map` do
        [Pg C yr-1]; NaN without, or where only a part of its cells is compared.
    annual_totals, other_annual_totals : mapping of int to float
        The same by year [Pg C], of the years whose 12 months are in the file; empty without them, or where a
        calendar month is not common.
    regions : mapping of str to Agreement
        "whole", all common cells; "tropics", those with abs(lat) < 10 degrees; "north" and "south" of them.
    intervals : mapping of str to Interval
        90 % intervals of the agreement by region, by bootstrap of blocks of 10 x 10 degrees.
    classes : mapping of str to Agreement
        By class of `classes` of :func:`gppcore.compare`, such as land cover; empty without.
    seasons : mapping of str to Season
        Amplitude and phase of the seasonal cycles by region; empty without 12 common months.
    variability : Variability
        Trend and interannual variability of the annual totals, over each product's own cells.
    high_bias, low_bias : float
        Mean of product minus other where the mean flux of `other` is in its top tenth and in its bottom
        quarter by area [g C m-2 d-1].
    bins, other_bins : ndarray (10,)
        Mean flux of both in tenths of the area, ranked by the mean flux of `other` [g C m-2 d-1].
    lat : ndarray (n,)
        Centres of the rows of the common grid, descending [degrees north].
    zonal, other_zonal : ndarray (n,)
        Zonal means of both over the common cells [g C m-2 yr-1].
    seasonal, other_seasonal : mapping of str to ndarray (m,)
        Mean flux of both by region and month of `months` [g C m-2 d-1]; one value where annual means are compared.
    density : Density
        Cell-months by both fluxes.
    maps : xarray.Dataset
        (lat, lon): mean `gpp_daily` and `other_gpp_daily`, `bias` (product minus other), `rmse` [g C m-2 d-1] and
        `correlation` over the months [1], NaN where fewer than 6 months are common. Grids of more than 1440
        columns are pooled in blocks of cells, so that correlation and RMSE are then over months and cells.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import xarray as xr
    >>> from gppcore import compare
    >>> coords = {"time": pd.date_range("2001-01-15", periods=12, freq="30D"), "lat": [5, -5], "lon": [10, 20, 30]}
    >>> gpp = xr.DataArray(np.random.default_rng(0).gamma(2, 2, (12, 2, 3)), coords, attrs={"units": "g C m-2 d-1"})
    >>> mine, other = (gpp + 1).assign_attrs(gpp.attrs).to_dataset(name="gpp"), gpp.to_dataset(name="gpp")
    >>> (found,) = compare(mine, other)
    >>> found.months[:3], list(found.regions)[:2]
    ((1, 2, 3), ['whole', 'tropics'])
    """

    product: str
    other: str
    months: tuple[int, ...]
    resolution: tuple[float, float]
    own_total: float
    other_own_total: float
    own_interval: tuple[float, float]
    other_own_interval: tuple[float, float]
    annual_totals: Mapping[int, float]
    other_annual_totals: Mapping[int, float]
    regions: Mapping[str, Agreement]
    intervals: Mapping[str, Interval]
    classes: Mapping[str, Agreement]
    seasons: Mapping[str, Season]
    variability: Variability
    high_bias: float
    low_bias: float
    bins: Floats
    other_bins: Floats
    lat: Floats
    zonal: Floats
    other_zonal: Floats
    seasonal: Mapping[str, Floats]
    other_seasonal: Mapping[str, Floats]
    density: Density = field(repr=False)
    maps: xr.Dataset = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return all but maps and density as plain lists, numbers and None (for NaN), ready for JSON."""
        names = [each.name for each in fields(self) if each.name not in ("density", "maps")]
        return {name: _plain(getattr(self, name)) for name in names}

    def own_totals(self) -> tuple[str, str]:
        """Return the totals over the own cells of both as text, with their intervals where they are known."""
        pairs = ((self.own_total, self.own_interval), (self.other_own_total, self.other_own_interval))
        first, second = (
            f"{total:.2f} ({low:.2f} to {high:.2f})" if math.isfinite(low) else f"{total:.2f}"
            for total, (low, high) in pairs
        )
        return first, second

    def labelled_regions(self) -> dict[str, Agreement]:
        """Return the agreement by printed name: all common cells, and each region that contains only some of them."""
        parts = {
            REGIONS[name]: region for name, region in self.regions.items() if 0 < region.n < self.regions["whole"].n
        }
        return {REGIONS["whole"]: self.regions["whole"], **parts}

    def table(self) -> list[tuple[str, str]]:
        """Return the headline figures as rows of label and value, for printing."""
        rows = [
            ("Product", self.product),
            ("Other (reference)", self.other),
            ("Compared", f"{len(self.months)} calendar months" if self.months else "annual means"),
            ("Common grid", f"{self.resolution[0]:.3g} x {self.resolution[1]:.3g} degrees"),
            ("Total, own cells", f"{' against '.join(self.own_totals())} Pg C yr-1"),
        ]
        for label, region in self.labelled_regions().items():
            rows += [
                (f"Total, {label}", f"{region.total:.2f} against {region.other_total:.2f} Pg C yr-1"),
                (f"R2, {label}", f"{region.r2:.3f} (correlation {region.correlation:.3f})"),
                (f"RMSE, {label}", f"{region.rmse:.3f} g C m-2 d-1 (without bias {region.ubrmse:.3f})"),
                (f"Bias, {label}", f"{region.bias:+.3f} g C m-2 d-1"),
            ]
        whole = self.intervals.get("whole")
        if whole is not None and math.isfinite(whole.bias[0]):
            rows += [
                ("90 % interval of R2", f"{whole.r2[0]:.3f} to {whole.r2[1]:.3f}"),
                ("90 % interval of bias", f"{whole.bias[0]:+.3f} to {whole.bias[1]:+.3f} g C m-2 d-1"),
                (
                    "90 % interval of the difference of totals",
                    f"{whole.total_difference[0]:+.2f} to {whole.total_difference[1]:+.2f} Pg C yr-1",
                ),
            ]
        for name, each in self.classes.items():
            totals = f"{each.total:.2f} against {each.other_total:.2f} Pg C yr-1"
            rows.append((f"{name}: R2, bias, total", f"{each.r2:.3f}, {each.bias:+.3f} g C m-2 d-1, {totals}"))
        for name, season in self.seasons.items():
            if math.isfinite(season.shift) and self.regions[name].n < self.regions["whole"].n:
                height = f"amplitude {season.amplitude:.2f} against {season.other_amplitude:.2f} g C m-2 d-1"
                rows.append((f"Season, {REGIONS[name]}", f"{height}, peak {season.shift:+.0f} d"))
        years = self.variability
        if math.isfinite(years.trend):
            trends = f"{years.trend:+.3f} against {years.other_trend:+.3f} Pg C yr-2"
            spreads = f"{years.deviation:.2f} against {years.other_deviation:.2f} Pg C yr-1"
            rows.append(("Trend", f"{trends}, {years.years[0]}-{years.years[-1]}"))
            rows.append(("Interannual variability", f"{spreads} (correlation {years.correlation:.2f})"))
        rows.append(("Bias, top tenth", f"{self.high_bias:+.3f} g C m-2 d-1"))
        rows.append(("Bias, bottom quarter", f"{self.low_bias:+.3f} g C m-2 d-1"))
        return rows


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value
