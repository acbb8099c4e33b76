"""The report of a demonstration run: its figures and its page."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure

from gppcore.report import charts, style
from gppcore.report.demo_data import METHODS, SCHEMES, ReportData
from gppcore.report.page import write_page


def write_report(data: ReportData, out: Path) -> Path:
    """Write `report.html` and its figures as PNG files into a folder.

    The page holds its figures, needs no network and no script, and prints.

    Parameters
    ----------
    data : ReportData
        What to show.
    out : Path
        Folder, created if absent; earlier files of the same names are replaced.

    Returns
    -------
    Path
        The page.
    """
    drawings = {
        "annual_gpp": partial(annual_map, data),
        "july_gpp": partial(month_map, data, "july"),
        "january_gpp": partial(month_map, data, "january"),
        "difference": partial(difference_map, data),
        "zonal": partial(zonal, data),
        "scatter": partial(scatter, data),
        "seasonal": partial(seasonal, data),
        "timing": partial(timing, data),
    }
    content = {"data": data, "caveats": data.caveats, "provenance": data.provenance}
    return write_page(
        "demo.html.j2",
        drawings,
        out,
        methods=METHODS,
        schemes=[name for name in SCHEMES if name in data.skill],
        **content,
    )


def annual_map(data: ReportData) -> Figure:
    """Annual GPP of the transferred model."""
    field = data.maps["annual"]
    norm = Normalize(0.0, float(np.nanpercentile(field, 99.5)))
    label = f"GPP ({style.ANNUAL_FLUX})"
    return charts.map_figure(data.lat, data.lon, field, norm, "viridis", label, style.WIDTH, "max")


def month_map(data: ReportData, month: str) -> Figure:
    """GPP of July or January, on a scale that both share."""
    both = np.concatenate([data.maps["january"].ravel(), data.maps["july"].ravel()])
    norm = Normalize(0.0, float(np.nanpercentile(both, 99.5)))
    label = f"GPP ({style.FLUX})"
    return charts.map_figure(data.lat, data.lon, data.maps[month], norm, "viridis", label, style.HALF, "max")


def difference_map(data: ReportData) -> Figure:
    """Annual GPP of the transferred model minus that of the process model."""
    field = data.maps["difference"]
    limit = max(float(np.nanpercentile(np.abs(field), 98)), 1e-6)
    norm = TwoSlopeNorm(0.0, -limit, limit)
    label = f"transfer minus process ({style.ANNUAL_FLUX})"
    return charts.map_figure(data.lat, data.lon, field, norm, "BrBG", label, style.TWO_THIRDS, "both")


def zonal(data: ReportData) -> Figure:
    """Zonal means by method."""
    return charts.zonal_figure(data.zonal_lat, [(charts.method(name), data.zonal[name]) for name in METHODS])


def scatter(data: ReportData) -> Figure:
    """Predicted against observed tower months with the site held out, one panel per method."""
    shown = []
    for method in METHODS:
        known = np.isfinite(data.observed) & np.isfinite(data.predicted[method])
        x, y = data.observed[known], data.predicted[method][known]
        text = charts.skill_text(data.skill["site"][method])
        shown.append(charts.Points(method, style.COLOURS[method], x, y, np.ones(x.size), text))
    return charts.density_figure(shown, "observed", "predicted", "tower months")


def seasonal(data: ReportData) -> Figure:
    """Mean seasonal cycles by plant functional type, observed and by method."""
    lines = {
        pft: [(charts.OBSERVED, cycles["observed"]), *((charts.method(name), cycles[name]) for name in METHODS)]
        for pft, cycles in data.seasonal.items()
    }
    return charts.seasonal_figure(lines)


def timing(data: ReportData) -> Figure:
    """Run time of each step."""
    names, seconds = list(data.seconds), np.array(list(data.seconds.values()))
    figure = style.new_figure(style.WIDTH * 0.62, 0.55 + 0.24 * max(1, len(names)))
    axes = figure.add_subplot()
    bars = axes.barh(names, seconds, color=style.GREY, height=0.7)
    axes.bar_label(bars, [f"{value:.3g} s" if value < 100 else f"{value:.0f} s" for value in seconds], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("run time (s)")
    return figure
