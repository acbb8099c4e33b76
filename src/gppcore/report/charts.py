"""Charts of more than one report: maps, lines by latitude, densities, seasons and Taylor diagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gppcore.report import style

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Series:
    """A line or point with its legend text and style."""

    label: str
    colour: str
    dash: Any = "-"
    marker: str | None = None


OBSERVED = Series("observed", style.OBSERVED, marker="o")


def method(name: str) -> Series:
    """Return the series of a method of learning."""
    return Series(style.label(name), style.COLOURS[name], style.DASHES[name], style.MARKERS[name])


def map_figure(
    lat: Floats, lon: Floats, field: Floats, norm: Normalize, colours: str, label: str, width: float, extend: str
) -> Figure:
    """Draw a field (lat descending, lon ascending), cut to the rows that hold data; NaN is grey."""
    rows = np.flatnonzero(np.isfinite(field).any(axis=1))
    half_lat, half_lon = _half_step(lat, lon), _half_step(lon, lat)
    lat, field = lat[rows[0] : rows[-1] + 1], field[rows[0] : rows[-1] + 1]
    south, north = float(lat[-1] - half_lat), float(lat[0] + half_lat)
    west, east = float(lon[0] - half_lon), float(lon[-1] + half_lon)
    stretch = 1.0 / np.cos(np.deg2rad((south + north) / 2))
    height = float(np.clip((width - 0.5) * stretch * (north - south) / (east - west), 1.5, 0.52 * width)) + 0.85
    figure = style.new_figure(width, height)
    axes = figure.add_subplot(facecolor=style.OCEAN)
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
    axes.xaxis.set_major_formatter(lambda value, _: style.degrees(value, "E", "W"))
    axes.yaxis.set_major_formatter(lambda value, _: style.degrees(value, "N", "S"))
    bar = figure.colorbar(
        image, ax=axes, orientation="horizontal", extend=extend, shrink=0.5, aspect=40, pad=0.02, label=label
    )
    bar.outline.set_visible(False)
    return figure


def _half_step(centres: Floats, others: Floats) -> float:
    """Half the size of a cell; a single row is as high as columns are wide."""
    steps = np.abs(np.diff(centres if centres.size > 1 else others))
    return float(steps[0]) / 2 if steps.size else 0.5


def zonal_figure(lat: Floats, lines: Sequence[tuple[Series, Floats]]) -> Figure:
    """Draw zonal means [g C m-2 yr-1] against latitude."""
    figure = style.new_figure(style.THIRD, 3.55)
    axes = figure.add_subplot()
    for series, values in lines:
        axes.plot(values, lat, color=series.colour, ls=series.dash, label=series.label)
    land = np.any([np.isfinite(values) for _, values in lines], axis=0)
    if land.sum() > 1:
        axes.set_ylim(float(lat[land].min()), float(lat[land].max()))
    axes.set_xlim(left=0.0)
    axes.yaxis.set_major_formatter(lambda value, _: style.degrees(value, "N", "S"))
    axes.set_xlabel(f"GPP ({style.ANNUAL_FLUX})")
    axes.set_ylabel("latitude")
    axes.grid(**style.GRID)
    style.legend_above(figure, axes)
    return figure


@dataclass(frozen=True)
class Points:
    """Pairs of GPP [g C m-2 d-1] of one panel, each counted `count` times, and the text in its corner."""

    title: str
    colour: str
    x: Floats
    y: Floats
    count: NDArray[np.number]
    text: str


def density_figure(shown: Sequence[Points], x_label: str, y_label: str, unit: str) -> Figure:
    """Draw the density of points around the 1:1 line, panels in rows of up to three with one scale."""
    rows = -(-len(shown) // 3)
    figure = style.new_figure(style.WIDTH if len(shown) > 1 else style.HALF, 0.4 + 3.35 * rows)
    axes_of = style.panels(figure, len(shown), 3, sharex=True, sharey=True)
    limit = max(_upper(each) for each in shown)
    drawn = []
    for axes, points in zip(axes_of, shown, strict=True):
        drawn.append(
            axes.hexbin(
                points.x,
                points.y,
                C=points.count,
                reduce_C_function=np.sum,
                gridsize=45,
                extent=(0, limit, 0, limit),
                cmap="magma_r",
                linewidths=0.1,
                zorder=2,
            )
        )
        axes.plot([0, limit], [0, limit], color="#444444", lw=0.8, zorder=3)
        axes.text(0.04, 0.96, points.text, transform=axes.transAxes, va="top", linespacing=1.35, zorder=4)
        axes.set_title(points.title, color=points.colour)
        axes.set(aspect="equal", xlim=(0, limit), ylim=(0, limit), xlabel=f"{x_label} ({style.FLUX})")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.tick_params(labelbottom=True, labelleft=True)
    for axes in axes_of[::3]:
        axes.set_ylabel(f"{y_label} ({style.FLUX})")
    most = float(np.concatenate([[2.0], *(np.asarray(each.get_array()) for each in drawn)]).max())
    for each in drawn:
        each.set_norm(LogNorm(0.7, most))  # below 1, so that a single month is seen on white
    bar = figure.colorbar(drawn[-1], ax=axes_of, shrink=0.75, aspect=28, pad=0.01, label=f"{unit} per hexagon")
    bar.outline.set_visible(False)
    return figure


def skill_text(score: Mapping[str, float]) -> str:
    """Return the text for the corner of a panel: R2, RMSE and bias."""
    return f"R$^2$ {score['r2']:.2f}\nRMSE {score['rmse']:.2f}\nbias {score['bias']:+.2f}"


def _upper(points: Points) -> float:
    """99.9 % quantile of the fluxes, with a margin."""
    ends = []
    for values in (points.x, points.y):
        order = np.argsort(values)
        share = np.cumsum(points.count[order]) / points.count.sum()
        ends.append(float(values[order][np.searchsorted(share, 0.999)]))
    return max(ends) * 1.03


def seasonal_figure(
    shown: Mapping[str, Sequence[tuple[Series, Floats]]],
    *,
    months: Sequence[int] = range(1, 13),
    width: float = style.WIDTH,
    columns: int = 5,
) -> Figure:
    """Draw mean seasonal cycles [g C m-2 d-1], one panel each, with separate scales."""
    rows = -(-max(1, len(shown)) // columns)
    columns = min(columns, max(1, len(shown)))
    figure = style.new_figure(width, 0.5 + min(3.05, max(1.75, 0.75 * width / columns)) * rows)
    axes_of = style.panels(figure, len(shown), columns, sharex=True)
    for axes, (title, lines) in zip(axes_of, shown.items(), strict=True):
        for series, values in lines:
            look = {"marker": "o", "ms": 3.2, "lw": 0.8} if series.colour == style.OBSERVED else {"ls": series.dash}
            axes.plot(months, values, color=series.colour, label=series.label, **look)
        axes.set_title(title)
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.set_xticks(months, ["JFMAMJJASOND"[month - 1] for month in months])
        axes.tick_params(labelbottom=True, labelsize=7)
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    figure.supylabel(f"GPP ({style.FLUX})", fontsize=8.5)
    if axes_of:
        style.legend_above(figure, axes_of[0])
    return figure


def annual_figure(lines: Sequence[tuple[Series, Mapping[int, float]]]) -> Figure:
    """Draw totals by year [Pg C yr-1]."""
    figure = style.new_figure(style.WIDTH, 3.2)
    axes = figure.add_subplot()
    for series, totals in lines:
        if totals:
            axes.plot(
                list(totals),
                list(totals.values()),
                color=series.colour,
                ls=series.dash,
                marker=series.marker or "o",
                ms=4,
                label=series.label,
            )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("GPP (Pg C yr$^{-1}$)")
    axes.grid(**style.GRID)
    style.legend_above(figure, axes)
    return figure


def taylor_figure(points: Sequence[tuple[Series, float, float]], width: float) -> Figure:
    """Draw a Taylor diagram: of each series the correlation and the standard deviation over that of the reference."""
    figure = style.new_figure(width, 4.3)
    axes: Any = figure.add_subplot(projection="polar")
    radius = 1.15 * max([1.3, *(ratio for _, _, ratio in points if np.isfinite(ratio))])
    negative = any(r < 0 for _, r, _ in points)
    axes.set(thetamin=0.0, thetamax=180.0 if negative else 90.0, ylim=(0.0, radius))
    ticks = np.array([0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1])
    ticks = np.concatenate([-ticks[:0:-1], ticks]) if negative else ticks
    axes.set_thetagrids(np.rad2deg(np.arccos(ticks)), [f"{tick:g}" for tick in ticks])
    axes.set_rlabel_position(0)
    theta, r = np.meshgrid(np.linspace(0, np.pi if negative else np.pi / 2, 181), np.linspace(0, radius, 181))
    distance, levels = np.sqrt(1 + r**2 - 2 * r * np.cos(theta)), MaxNLocator(6).tick_values(0.0, radius)[1:]
    lines = axes.contour(theta, r, distance, levels=levels, colors="#b0a48a", linewidths=0.6, linestyles="--")
    axes.clabel(lines, fontsize=7, fmt="%g")
    axes.plot(np.linspace(0, np.pi, 181), np.ones(181), color="#888888", lw=0.7)
    axes.grid(color="#e6e6e6", lw=0.5)
    axes.plot(0.0, 1.0, "*", color=style.OBSERVED, ms=11, clip_on=False, label="reference")
    for series, correlation, ratio in points:
        axes.plot(np.arccos(correlation), ratio, series.marker, color=series.colour, ms=7, mec="white", mew=0.6,
                  label=series.label, zorder=5)  # fmt: skip
    axes.text(np.pi / 4, radius * 1.14, "correlation", ha="center", va="center", rotation=-45, fontsize=8.5)
    axes.set_xlabel("standard deviation over that of the reference", labelpad=16)
    style.legend_above(figure, axes)
    return figure
