"""The figures of a report, each a function of the report's data, drawn without pyplot's global state."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gppcore.report.data import METHODS, SERIES, Floats, ReportData

STYLE: Any = {
    "axes.edgecolor": "#444444",
    "axes.labelcolor": "#222222",
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "font.family": "sans-serif",
    "font.size": 8.5,
    "figure.dpi": 160,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "xtick.color": "#444444",
    "xtick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.color": "#444444",
    "ytick.labelsize": 8,
    "ytick.major.width": 0.6,
}
# Okabe and Ito (2008): told apart with any colour vision; line styles tell them apart in grey print.
COLOURS = {"observed": "#000000", "process": "#D55E00", "direct": "#009E73", "transfer": "#0072B2"}
DASHES: dict[str, Any] = {
    "observed": "-",
    "process": (0, (4, 1.5)),
    "direct": (0, (1.2, 1.2)),
    "transfer": "-",
}
OCEAN = "#e2e5e8"
WIDTH, HALF, TWO_THIRDS, THIRD = 10.4, 5.1, 6.8, 3.4
"""Widths of figures on the page [inch]: they share one scale, so all letters have one size."""

FLUX = "g C m$^{-2}$ d$^{-1}$"
ANNUAL_FLUX = "g C m$^{-2}$ yr$^{-1}$"


def annual_map(data: ReportData) -> Figure:
    """Annual GPP of the transferred model."""
    field = data.maps["annual"]
    norm = Normalize(0.0, float(np.nanpercentile(field, 99.5)))
    return _map(data, field, norm, "viridis", f"GPP ({ANNUAL_FLUX})", WIDTH, "max")


def month_map(data: ReportData, month: str) -> Figure:
    """GPP of July or January, on a scale that both share."""
    both = np.concatenate([data.maps["january"].ravel(), data.maps["july"].ravel()])
    norm = Normalize(0.0, float(np.nanpercentile(both, 99.5)))
    return _map(data, data.maps[month], norm, "viridis", f"GPP ({FLUX})", HALF, "max")


def difference_map(data: ReportData) -> Figure:
    """Annual GPP of the transferred model minus that of the process model."""
    field = data.maps["difference"]
    limit = max(float(np.nanpercentile(np.abs(field), 98)), 1e-6)
    norm = TwoSlopeNorm(0.0, -limit, limit)
    return _map(data, field, norm, "BrBG", f"transfer minus process ({ANNUAL_FLUX})", TWO_THIRDS, "both")


def _map(
    data: ReportData, field: Floats, norm: Normalize, colours: str, label: str, width: float, extend: str
) -> Figure:
    rows = np.flatnonzero(np.isfinite(field).any(axis=1))
    lat, field = data.lat[rows[0] : rows[-1] + 1], field[rows[0] : rows[-1] + 1]
    half_lat, half_lon = abs(data.lat[1] - data.lat[0]) / 2, abs(data.lon[1] - data.lon[0]) / 2
    south, north = float(lat[-1] - half_lat), float(lat[0] + half_lat)
    west, east = float(data.lon[0] - half_lon), float(data.lon[-1] + half_lon)
    stretch = 1.0 / np.cos(np.deg2rad((south + north) / 2))
    height = float(np.clip((width - 0.5) * stretch * (north - south) / (east - west), 1.5, 0.52 * width)) + 0.85
    figure = _figure(width, height)
    axes = figure.add_subplot(facecolor=OCEAN)
    image = axes.imshow(
        field,
        extent=(west, east, south, north),
        norm=norm,
        cmap=colours,
        interpolation="nearest",
        aspect=stretch,
    )
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 1.5, 2, 3, 5, 6, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 1.5, 2, 3, 5, 6, 10]))
    axes.xaxis.set_major_formatter(lambda value, _: _degrees(value, "E", "W"))
    axes.yaxis.set_major_formatter(lambda value, _: _degrees(value, "N", "S"))
    bar = figure.colorbar(
        image, ax=axes, orientation="horizontal", extend=extend, shrink=0.5, aspect=40, pad=0.02, label=label
    )
    bar.outline.set_visible(False)
    return figure


def _degrees(value: float, positive: str, negative: str) -> str:
    value = (value + 180.0) % 360.0 - 180.0 if abs(value) > 180.0 else value
    return f"{abs(value):g}°{positive if value > 0 else negative if value < 0 else ''}"


def zonal(data: ReportData) -> Figure:
    """Zonal means by method."""
    figure = _figure(THIRD, 3.55)
    axes = figure.add_subplot()
    for method in METHODS:
        axes.plot(data.zonal[method], data.zonal_lat, color=COLOURS[method], ls=DASHES[method], label=method)
    land = np.isfinite(data.zonal["transfer"])
    axes.set_ylim(float(data.zonal_lat[land].min()), float(data.zonal_lat[land].max()))
    axes.set_xlim(left=0.0)
    axes.yaxis.set_major_formatter(lambda value, _: _degrees(value, "N", "S"))
    axes.set_xlabel(f"GPP ({ANNUAL_FLUX})")
    axes.set_ylabel("latitude")
    axes.grid(color="#dddddd", lw=0.5)
    figure.legend(loc="outside upper center", ncols=3, handlelength=1.8, columnspacing=1.0)
    return figure


def scatter(data: ReportData) -> Figure:
    """Predicted against observed tower months with the site held out, one panel per method."""
    figure = _figure(WIDTH, 3.75)
    panels = figure.subplots(1, len(METHODS), sharex=True, sharey=True)
    values = np.concatenate([data.observed, *(data.predicted[method] for method in METHODS)])
    limit = float(np.nanpercentile(values, 99.9)) * 1.03
    bins = []
    for axes, method in zip(panels, METHODS, strict=True):
        shown = np.isfinite(data.observed) & np.isfinite(data.predicted[method])
        x, y = data.observed[shown], data.predicted[method][shown]
        bins.append(
            axes.hexbin(
                x,
                y,
                gridsize=45,
                extent=(0, limit, 0, limit),
                mincnt=1,
                cmap="magma_r",
                linewidths=0.1,
                zorder=2,
            )
        )
        axes.plot([0, limit], [0, limit], color="#444444", lw=0.8, zorder=3)
        score = data.skill["site"][method]
        text = f"R$^2$ {score['r2']:.2f}\nRMSE {score['rmse']:.2f}\nbias {score['bias']:+.2f}"
        axes.text(0.04, 0.96, text, transform=axes.transAxes, va="top", linespacing=1.35, zorder=4)
        axes.set_title(method, color=COLOURS[method])
        axes.set(aspect="equal", xlim=(0, limit), ylim=(0, limit), xlabel=f"observed ({FLUX})")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    panels[0].set_ylabel(f"predicted ({FLUX})")
    most = float(np.concatenate([[2.0], *(np.asarray(each.get_array()) for each in bins)]).max())
    for each in bins:
        each.set_norm(LogNorm(0.7, most))  # below 1, so that a single month is seen on white
    bar = figure.colorbar(bins[-1], ax=list(panels), shrink=0.75, aspect=28, pad=0.01, label="tower months per hexagon")
    bar.outline.set_visible(False)
    return figure


def seasonal(data: ReportData) -> Figure:
    """Mean seasonal cycles by plant functional type, observed and by method."""
    columns = min(5, max(1, len(data.seasonal)))
    rows = max(1, -(-len(data.seasonal) // columns))
    figure = _figure(WIDTH, 0.5 + 1.75 * rows)
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    month = np.arange(1, 13)
    for axes, (pft, series) in zip(panels.flat, data.seasonal.items(), strict=False):
        for name in SERIES:
            marker = {"marker": "o", "ms": 3.2, "lw": 0.8} if name == "observed" else {"ls": DASHES[name]}
            axes.plot(month, series[name], color=COLOURS[name], label=name, **marker)
        axes.set_title(pft)
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.set_xticks(month, list("JFMAMJJASOND"))
        axes.tick_params(labelbottom=True, labelsize=7)
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    for axes in panels.flat[len(data.seasonal) :]:
        axes.set_visible(False)
    figure.supylabel(f"GPP ({FLUX})", fontsize=8.5)
    if data.seasonal:
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(SERIES))
    return figure


def timing(data: ReportData) -> Figure:
    """Run time of each step."""
    names, seconds = list(data.seconds), np.array(list(data.seconds.values()))
    figure = _figure(WIDTH * 0.62, 0.55 + 0.24 * max(1, len(names)))
    axes = figure.add_subplot()
    bars = axes.barh(names, seconds, color="#7a8794", height=0.7)
    axes.bar_label(bars, [f"{value:.3g} s" if value < 100 else f"{value:.0f} s" for value in seconds], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("run time (s)")
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
