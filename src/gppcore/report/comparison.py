"""The report of compared products: its figures and its page."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import gppcore
from gppcore import plot
from gppcore.comparison import REGIONS, Comparison
from gppcore.errors import disk_errors
from gppcore.io.durable import write_json
from gppcore.io.netcdf import write_netcdf4
from gppcore.plot.style import ANNUAL_FLUX, FLUX, Floats, looks
from gppcore.report import figure as figures
from gppcore.report import seen
from gppcore.report.figure import HALF, THIRD, TWO_THIRDS, WIDTH, Drawing
from gppcore.report.page import write_page
from gppcore.variables import DAYS_IN_MONTH

_YEAR = float(DAYS_IN_MONTH.sum())
_LONGEST = 30  # letters of a name that fit into a legend
_ANNUAL = f"GPP ({ANNUAL_FLUX})"


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
    drawings = {**_chart_drawings(comparisons, names), **_map_drawings(comparisons, names)}
    page = write_page(
        "comparison.html.j2",
        drawings,
        out,
        comparisons=comparisons,
        names=names,
        colours_of=[look.colour for look in looks(names[:-1]).values()],
        caveats=_caveats(comparisons[0]),
        region_keys={title: region for region, title in REGIONS.items()},
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
            (out / f"maps_{i}.nc").unlink(missing_ok=True)
            write_netcdf4(maps, out / f"maps_{i}.nc")
    return page


def short_names(names: Sequence[str]) -> list[str]:
    """Return names "file: variable" reduced to what differs, file or else variable, shortened in the middle."""
    files, variables = zip(*(name.rpartition(": ")[::2] for name in names), strict=True)
    parts = next((each for each in (files, variables) if len(set(each)) == len(names)), names)
    cut = [part if len(part) <= _LONGEST else f"{part[: _LONGEST - 12]}…{part[-11:]}" for part in parts]
    return cut if len(set(cut)) == len(names) else list(parts)


def _chart_drawings(comparisons: Sequence[Comparison], names: Sequence[str]) -> dict[str, Drawing]:
    """Return the figures of all products together."""
    first = comparisons[0]
    zonals = {names[-1]: first.other_zonal, **{name: c.zonal for name, c in zip(names, comparisons, strict=False)}}
    points = {name: each[0] for name, each in _points(comparisons, names).items()}
    scores = {name: vars(c.regions["whole"]) for name, c in zip(names, comparisons, strict=False)}
    differences = {
        f"{name}, tenth {tenth}": float((c.bins - c.other_bins)[tenth - 1])
        for name, c in zip(names, comparisons, strict=False)
        for tenth in (1, 5, 10)
    }
    drawings = {
        "zonal": Drawing(partial(zonal, comparisons, names), THIRD, seen.of_zonal(first.lat, zonals)),
        "taylor": Drawing(
            partial(taylor, comparisons, names), HALF, seen.of_numbers("Taylor diagram. Correlations", points)
        ),
        "density": Drawing(
            partial(density, comparisons, names), WIDTH if len(names) > 2 else HALF, seen.of_skill(scores)
        ),
        "bins": Drawing(
            partial(bins, comparisons, names),
            HALF,
            seen.of_numbers("Bars: product minus reference", differences, sign=True, unit=seen.FLUX),
        ),
    }
    if first.months:
        text = seen.of_seasons(_seasons(comparisons, names), first.months)
        drawings["seasonal"] = Drawing(partial(seasonal, comparisons, names), TWO_THIRDS, text)
    totals = _annual_totals(comparisons, names)
    if any(len(each) > 1 for each in totals.values()):
        drawings["annual"] = Drawing(partial(annual, comparisons, names), WIDTH, seen.of_years(totals))
    return drawings


def _map_drawings(comparisons: Sequence[Comparison], names: Sequence[str]) -> dict[str, Drawing]:
    """Return the maps of the reference and of each product."""
    first = comparisons[0]
    drawings = {"reference": _mean(first, "other_gpp_daily", comparisons)}
    for i, each in enumerate(comparisons):
        lat, lon = each.maps["lat"].values, each.maps["lon"].values
        drawings[f"gpp_{i}"] = _mean(each, "gpp_daily", comparisons)
        bias, rmse, correlation = (each.maps[name].values for name in ("bias", "rmse", "correlation"))
        text = seen.of_map(lat, lon, bias * _YEAR, seen.ANNUAL_FLUX, sign=True)
        drawings[f"bias_{i}"] = Drawing(partial(bias_map, each, comparisons), HALF, text)
        text = seen.of_map(lat, lon, rmse, seen.FLUX, digits=2)
        drawings[f"rmse_{i}"] = Drawing(partial(rmse_map, each, comparisons), HALF, text)
        if np.isfinite(correlation).any():
            text = seen.of_map(lat, lon, correlation, "", digits=2)
            drawings[f"correlation_{i}"] = Drawing(partial(correlation_map, each), HALF, text)
    return drawings


def zonal(comparisons: Sequence[Comparison], names: Sequence[str], width: float) -> Figure:
    """Zonal means of all products."""
    lines = {names[-1]: comparisons[0].other_zonal}
    lines |= {name: each.zonal for name, each in zip(names, comparisons, strict=False)}
    figure = figures.new_figure(width, 1.05 * width)
    axes = figure.add_subplot()
    plot.zonal(comparisons[0].lat, lines, reference=names[-1], ax=axes)
    figures.legend_above(axes)
    return figure


def seasonal(comparisons: Sequence[Comparison], names: Sequence[str], width: float) -> Figure:
    """Mean seasonal cycles of all products by region."""
    shown = _seasons(comparisons, names)
    figure, axes_of = figures.panels(width, len(shown), min(3.2, width / 2), 2.3, sharex=True)
    for axes, (title, lines) in zip(axes_of, shown.items(), strict=True):
        plot.season(lines, months=comparisons[0].months, reference=names[-1], title=title, label="", ax=axes)
    figure.supylabel(f"GPP ({FLUX})", fontsize=8.5)
    figures.legend_above(axes_of[0])
    return figure


def _seasons(comparisons: Sequence[Comparison], names: Sequence[str]) -> dict[str, dict[str, Floats]]:
    """Return the cycles of all products by region."""
    whole = comparisons[0].labelled_regions()
    return {
        title: {
            names[-1]: comparisons[0].other_seasonal[region],
            **{name: each.seasonal[region] for name, each in zip(names, comparisons, strict=False)},
        }
        for region, title in REGIONS.items()
        if title in whole
    }


def annual(comparisons: Sequence[Comparison], names: Sequence[str], width: float) -> Figure:
    """Totals of all products by year, each over its own cells."""
    figure = figures.new_figure(width, 3.2)
    axes = figure.add_subplot()
    totals = {name: each for name, each in _annual_totals(comparisons, names).items() if each}
    plot.years(totals, reference=names[-1], ax=axes)
    figures.legend_above(axes)
    return figure


def _annual_totals(comparisons: Sequence[Comparison], names: Sequence[str]) -> dict[str, Mapping[int, float]]:
    """Return the totals by year of the reference and of every product."""
    own = {name: each.annual_totals for name, each in zip(names, comparisons, strict=False)}
    return {names[-1]: comparisons[0].other_annual_totals, **own}


def taylor(comparisons: Sequence[Comparison], names: Sequence[str], width: float) -> Figure:
    """Taylor diagram of all products over all common cell-months."""
    figure = figures.new_figure(width, 4.3)
    axes = figure.add_subplot(projection="polar")
    plot.taylor(_points(comparisons, names), ax=axes)
    figures.legend_above(axes)
    return figure


def _points(comparisons: Sequence[Comparison], names: Sequence[str]) -> dict[str, tuple[float, float]]:
    points = {}
    for name, each in zip(names, comparisons, strict=False):
        whole = each.regions["whole"]
        ratio = whole.deviation / whole.other_deviation if whole.other_deviation else float("nan")
        points[name] = (whole.correlation, ratio)
    return points


def density(comparisons: Sequence[Comparison], names: Sequence[str], width: float) -> Figure:
    """Density of cell-months, each product against the reference."""
    shown = []
    for (name, look), each in zip(looks(list(names[:-1])).items(), comparisons, strict=True):
        row, column = np.nonzero(each.density.counts)
        product, other = ((index + 0.5) * each.density.step for index in (column, row))
        shown.append((name, look.colour, other, product, each.density.counts[row, column], vars(each.regions["whole"])))
    return figures.scatters(width, shown, (f"{names[-1]} ({FLUX})", f"product ({FLUX})"), "cell-months")


def bins(comparisons: Sequence[Comparison], names: Sequence[str], width: float) -> Figure:
    """Product minus reference in tenths of the area, ranked by the reference."""
    figure = figures.new_figure(width, 4.3)
    axes = figure.add_subplot()
    values = {name: each.bins - each.other_bins for name, each in zip(names, comparisons, strict=False)}
    groups = [f"{flux:.1f}" for flux in comparisons[0].other_bins]
    plot.bars(groups, values, label=f"product minus reference ({FLUX})", ax=axes)
    axes.set_xlabel(f"reference, means of tenths of the area ({FLUX})")
    figures.legend_above(axes)
    return figure


def bias_map(comparison: Comparison, all_of_them: Sequence[Comparison], width: float) -> Figure:
    """Annual product minus reference, on a scale that all products share."""
    scale = plot.limits(*(each.maps["bias"] * _YEAR for each in all_of_them), difference=True, quantile=0.98)
    label = f"product minus reference ({ANNUAL_FLUX})"
    return _map(comparison, comparison.maps["bias"].values * _YEAR, width, label, scale, difference=True)


def rmse_map(comparison: Comparison, all_of_them: Sequence[Comparison], width: float) -> Figure:
    """RMSE over the months, on a scale that all products share."""
    scale = plot.limits(*(each.maps["rmse"] for each in all_of_them), quantile=0.99)
    return _map(comparison, comparison.maps["rmse"].values, width, f"RMSE ({FLUX})", scale, colours="magma_r")


def correlation_map(comparison: Comparison, width: float) -> Figure:
    """Correlation over the months."""
    field = comparison.maps["correlation"].values
    return _map(comparison, field, width, "correlation over the months", (-1.0, 1.0), difference=True)


def _mean(comparison: Comparison, variable: str, all_of_them: Sequence[Comparison]) -> Drawing:
    """Annual GPP, on a scale that all products and the reference share."""
    fields = [all_of_them[0].maps["other_gpp_daily"], *(each.maps["gpp_daily"] for each in all_of_them)]
    scale = plot.limits(*(field * _YEAR for field in fields))
    lat, lon = comparison.maps["lat"].values, comparison.maps["lon"].values
    field = comparison.maps[variable].values * _YEAR
    text = seen.of_map(lat, lon, field, seen.ANNUAL_FLUX)
    return Drawing(partial(_map, comparison, field, label=_ANNUAL, scale=scale), HALF, text)


def _map(
    comparison: Comparison,
    field: Floats,
    width: float,
    label: str,
    scale: tuple[float, float],
    *,
    difference: bool = False,
    colours: str | None = None,
) -> Figure:
    lat, lon = comparison.maps["lat"].values, comparison.maps["lon"].values
    return figures.map_figure(lat, lon, field, width, label, scale, difference=difference, colours=colours)


def _caveats(comparison: Comparison) -> list[str]:
    months = f"{len(comparison.months)} calendar months" if comparison.months else "annual means"
    return [
        f"Each product is averaged over its own years to {months}; where the years differ, so does the weather.",
        (
            "A cell counts where all products are valid in at least half of it, and weighs the area valid in the least "
            "valid of them: every product is judged on the same cells."
        ),
        "The reference is no truth: where it is wrong, agreement with it is no merit.",
        "The tropics are the cells within 10 degrees of the equator; north and south are those poleward of them.",
    ]
