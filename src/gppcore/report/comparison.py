"""The report of compared products: its figures and its page."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure

import gppcore
from gppcore.comparison import REGIONS, Comparison
from gppcore.errors import disk_errors
from gppcore.io.durable import write_json
from gppcore.io.netcdf import write_netcdf4
from gppcore.report import charts, style
from gppcore.report.charts import Series
from gppcore.report.page import write_page
from gppcore.variables import DAYS_IN_MONTH

_YEAR = float(DAYS_IN_MONTH.sum())
_LONGEST = 30  # letters of a name that fit into a legend
_LOOKS = ("transfer", "process", "direct", "pretrain_continue", "process_calibrated")


def write_comparison_report(comparisons: Sequence[Comparison], out: Path) -> Path:
    """Write `report.html`, its figures as PNG, the numbers as `comparison.json` and the maps as netCDF into a folder.

    Parameters
    ----------
    comparisons : sequence of Comparison
        What :func:`gppcore.compare` returned.
    out : Path
        Folder, created if absent; earlier files of the same names are replaced.

    Returns
    -------
    Path
        The page.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import xarray as xr
    >>> from pathlib import Path
    >>> from gppcore import compare
    >>> from gppcore.report import write_comparison_report
    >>> coords = {"time": pd.date_range("2001-01-15", periods=12, freq="30D"), "lat": [5, -5], "lon": [10, 20, 30]}
    >>> gpp = xr.DataArray(np.random.default_rng(0).gamma(2, 2, (12, 2, 3)), coords, attrs={"units": "g C m-2 d-1"})
    >>> mine, other = (gpp + 1).assign_attrs(gpp.attrs).to_dataset(name="gpp"), gpp.to_dataset(name="gpp")
    >>> write_comparison_report(compare(mine, other), Path("comparison")).name
    'report.html'
    """
    names = short_names([*(each.product for each in comparisons), comparisons[0].other])
    drawings: dict[str, Callable[[], Figure]] = {
        "reference": partial(_mean_map, comparisons[0], "other_gpp_daily", comparisons),
        "zonal": partial(zonal, comparisons, names),
        "taylor": partial(taylor, comparisons, names),
        "density": partial(density, comparisons, names),
        "bins": partial(bins, comparisons, names),
    }
    if comparisons[0].months:
        drawings["seasonal"] = partial(seasonal, comparisons, names)
    if any(len(totals) > 1 for totals in _annual_totals(comparisons)):
        drawings["annual"] = partial(annual, comparisons, names)
    for i, each in enumerate(comparisons):
        drawings[f"gpp_{i}"] = partial(_mean_map, each, "gpp_daily", comparisons)
        drawings[f"bias_{i}"] = partial(bias_map, each, comparisons)
        drawings[f"rmse_{i}"] = partial(rmse_map, each, comparisons)
        if np.isfinite(each.maps["correlation"]).any():
            drawings[f"correlation_{i}"] = partial(correlation_map, each)
    page = write_page(
        "comparison.html.j2",
        drawings,
        out,
        comparisons=comparisons,
        names=names,
        series=[_series(i, name) for i, name in enumerate(names[:-1])],
        caveats=_caveats(comparisons[0]),
        provenance={
            **dict(
                zip(
                    names, [*(each.product for each in comparisons), f"{comparisons[0].other} (reference)"], strict=True
                )
            ),
            "gppcore": gppcore.__version__,
            "Python": platform.python_version(),
            "numpy": np.__version__,
        },
    )
    write_json(out / "comparison.json", [each.as_dict() for each in comparisons])
    for i, each in enumerate(comparisons):
        maps = each.maps.assign_attrs(Conventions="CF-1.8", title=f"{each.product} against {each.other}")
        with disk_errors(out):
            write_netcdf4(maps, out / f"maps_{i}.nc")
    return page


def short_names(names: Sequence[str]) -> list[str]:
    """Return names "file: variable" reduced to what differs, file or else variable, shortened in the middle."""
    files, variables = zip(*(name.rpartition(": ")[::2] for name in names), strict=True)
    parts = next((each for each in (files, variables) if len(set(each)) == len(names)), names)
    cut = [part if len(part) <= _LONGEST else f"{part[: _LONGEST - 12]}…{part[-11:]}" for part in parts]
    return cut if len(set(cut)) == len(names) else list(parts)


def zonal(comparisons: Sequence[Comparison], names: Sequence[str]) -> Figure:
    """Zonal means of all products."""
    lines = [(_series(i, name), each.zonal) for i, (each, name) in enumerate(zip(comparisons, names, strict=False))]
    return charts.zonal_figure(comparisons[0].lat, [(_reference(names), comparisons[0].other_zonal), *lines])


def seasonal(comparisons: Sequence[Comparison], names: Sequence[str]) -> Figure:
    """Mean seasonal cycles of all products by region."""
    whole = comparisons[0].labelled_regions()
    shown = {
        title: [
            (_reference(names), comparisons[0].other_seasonal[region]),
            *((_series(i, names[i]), each.seasonal[region]) for i, each in enumerate(comparisons)),
        ]
        for region, title in REGIONS.items()
        if title in whole
    }
    return charts.seasonal_figure(shown, months=comparisons[0].months, width=style.TWO_THIRDS, columns=2)


def annual(comparisons: Sequence[Comparison], names: Sequence[str]) -> Figure:
    """Totals of all products by year, each over its own cells."""
    lines = [_reference(names), *(_series(i, name) for i, name in enumerate(names[:-1]))]
    return charts.annual_figure(list(zip(lines, _annual_totals(comparisons), strict=True)))


def _annual_totals(comparisons: Sequence[Comparison]) -> list[Mapping[int, float]]:
    """Return the totals by year of the reference and of every product."""
    return [comparisons[0].other_annual_totals, *(each.annual_totals for each in comparisons)]


def taylor(comparisons: Sequence[Comparison], names: Sequence[str]) -> Figure:
    """Taylor diagram of all products over all common cell-months."""
    points = []
    for i, each in enumerate(comparisons):
        whole = each.regions["whole"]
        ratio = whole.deviation / whole.other_deviation if whole.other_deviation else float("nan")
        points.append((_series(i, names[i]), whole.correlation, ratio))
    return charts.taylor_figure(points, style.HALF)


def density(comparisons: Sequence[Comparison], names: Sequence[str]) -> Figure:
    """Density of cell-months, each product against the reference."""
    shown = []
    for i, each in enumerate(comparisons):
        row, column = np.nonzero(each.density.counts)
        y, x = ((index + 0.5) * each.density.step for index in (column, row))
        whole = each.regions["whole"]
        text = charts.skill_text({"r2": whole.r2, "rmse": whole.rmse, "bias": whole.bias})
        shown.append(charts.Points(names[i], _series(i, "").colour, x, y, each.density.counts[row, column], text))
    return charts.density_figure(shown, names[-1], "product", "cell-months")


def bins(comparisons: Sequence[Comparison], names: Sequence[str]) -> Figure:
    """Product minus reference in tenths of the area, ranked by the reference."""
    figure = style.new_figure(style.HALF, 4.3)
    axes = figure.add_subplot()
    x = np.arange(comparisons[0].bins.size)
    width = 0.8 / len(comparisons)
    for i, each in enumerate(comparisons):
        offset = x + (i + 0.5) * width - 0.4
        axes.bar(offset, each.bins - each.other_bins, width, color=_series(i, "").colour, label=names[i])
    axes.axhline(0.0, color="#444444", lw=0.6)
    axes.set_xticks(x, [f"{flux:.1f}" for flux in comparisons[0].other_bins])
    axes.set_xlabel(f"reference, means of tenths of the area ({style.FLUX})")
    axes.set_ylabel(f"product minus reference ({style.FLUX})")
    axes.grid(axis="y", **style.GRID)
    axes.set_axisbelow(True)
    style.legend_above(figure, axes)
    return figure


def bias_map(comparison: Comparison, all_of_them: Sequence[Comparison]) -> Figure:
    """Annual product minus reference, on a scale that all products share."""
    field = comparison.maps["bias"].values * _YEAR
    limit = max(float(np.nanpercentile(np.abs(each.maps["bias"]), 98)) for each in all_of_them) * _YEAR
    limit = max(limit, 1e-6)
    norm = TwoSlopeNorm(0.0, -limit, limit)
    return _map(comparison, field, norm, "BrBG", f"product minus reference ({style.ANNUAL_FLUX})", "both")


def rmse_map(comparison: Comparison, all_of_them: Sequence[Comparison]) -> Figure:
    """RMSE over the months, on a scale that all products share."""
    most = max(float(np.nanpercentile(each.maps["rmse"], 99)) for each in all_of_them)
    norm = Normalize(0.0, max(most, 1e-6))
    return _map(comparison, comparison.maps["rmse"].values, norm, "magma_r", f"RMSE ({style.FLUX})", "max")


def correlation_map(comparison: Comparison) -> Figure:
    """Correlation over the months."""
    norm = Normalize(-1.0, 1.0)
    return _map(
        comparison, comparison.maps["correlation"].values, norm, "PuOr", "correlation over the months", "neither"
    )


def _mean_map(comparison: Comparison, variable: str, all_of_them: Sequence[Comparison]) -> Figure:
    """Annual GPP, on a scale that all products and the reference share."""
    fields = [all_of_them[0].maps["other_gpp_daily"], *(each.maps["gpp_daily"] for each in all_of_them)]
    most = max(float(np.nanpercentile(field, 99.5)) for field in fields) * _YEAR
    field = comparison.maps[variable].values * _YEAR
    return _map(comparison, field, Normalize(0.0, max(most, 1e-6)), "viridis", f"GPP ({style.ANNUAL_FLUX})", "max")


def _map(
    comparison: Comparison, field: charts.Floats, norm: Normalize, colours: str, label: str, extend: str
) -> Figure:
    lat, lon = comparison.maps["lat"].values, comparison.maps["lon"].values
    return charts.map_figure(lat, lon, field, norm, colours, label, style.HALF, extend)


def _series(index: int, name: str) -> Series:
    method = _LOOKS[index % len(_LOOKS)]
    return Series(name, style.COLOURS[method], style.DASHES[method], style.MARKERS[method])


def _reference(names: Sequence[str]) -> Series:
    return Series(names[-1], style.OBSERVED, marker="o")


def _caveats(comparison: Comparison) -> list[str]:
    months = f"{len(comparison.months)} calendar months" if comparison.months else "annual means"
    return [
        f"Each product is averaged over its own years to {months}; where the years differ, so does the weather.",
        (
            "A cell counts where all products are valid in at least half of it, and weighs the area valid in the least "
            "valid of them: every product is judged on the same cells."
        ),
        "The reference is no truth: where it is wrong, agreement with it is no merit.",
    ]
