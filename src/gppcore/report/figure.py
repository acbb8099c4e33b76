"""Figures of the pages: their widths, panels and legends, around charts of :mod:`gppcore.plot`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gppcore import plot
from gppcore.plot.agreement import skill_lines
from gppcore.plot.geography import edges
from gppcore.plot.projection import Window, projection_of
from gppcore.plot.style import Floats

WIDTH, TWO_THIRDS, HALF, THIRD, NARROW = 10.4, 6.8, 5.1, 3.4, 4.0
"""Widths of figures on the page [inch]: they share one scale, so all letters have one size; the last is of a phone."""
_BAR = 0.75
"""Height of a colour bar with its label [inch]."""


@dataclass(frozen=True)
class Drawing:
    """A figure of a page.

    Parameters
    ----------
    draw : callable
        Returns the figure of a width [inch].
    width : float
        Its width on a wide page [inch].
    seen : str
        What is seen, for those who cannot.
    """

    draw: Callable[[float], Figure]
    width: float
    seen: str


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure [inch], without pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(width: float, n: int, least: float, height: float, **shared: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with `n` axes in rows of panels that are at least `least` wide and `height` high [inch]."""
    n = max(1, n)
    columns = max(1, min(n, int(width / least)))
    rows = -(-n // columns)
    figure = new_figure(width, 0.45 + height * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False, **shared).flat)
    for empty in axes[n:]:
        empty.set_visible(False)
    for each in axes[:n]:
        each.tick_params(labelbottom=True, labelleft=True)
    return figure, axes[:n]


def legend_above(axes: Axes) -> None:
    """Put the legend of `axes` above their figure, in as many columns as have room."""
    figure: Any = axes.figure
    handles, labels = axes.get_legend_handles_labels()
    room = figure.get_figwidth() / (0.5 + 0.06 * max(map(len, labels)))
    columns = max(1, min(len(labels), int(room)))
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, handlelength=1.8, columnspacing=1.0)


def map_figure(
    lat: Floats, lon: Floats, field: Floats, width: float, label: str, scale: tuple[float, float], **options: Any
) -> Figure:
    """Draw a field, cut to the rows that hold data, on a figure of the height that it needs."""
    rows = np.flatnonzero(np.isfinite(field).any(axis=1))
    shown = slice(rows[0], rows[-1] + 1)
    figure = new_figure(width, map_height(lat[shown], lon, width))
    axes = plot.map(field[shown], lat[shown], lon, label=label, scale=scale, ax=figure.add_subplot(), **options)
    as_points(axes)
    return figure


def as_points(axes: Axes) -> None:
    """Keep what lies inside the axes of a map as points, for its lines would make the page large."""
    for artist in (*axes.patches, *axes.images, *axes.lines, *axes.collections):
        artist.set_rasterized(True)


def map_height(lat: Floats, lon: Floats, width: float) -> float:
    """Return the height of a map with its colour bar [inch], at most 1.1 times its width."""
    step = abs(float(lon[-1] - lon[0])) / max(1, lon.size - 1)
    south, north = max(float(lat.min()) - step / 2, -90.0), min(float(lat.max()) + step / 2, 90.0)
    window = Window(south, north, float(lon.min()) - step / 2, float(lon.max()) + step / 2)
    left, right, bottom, top = edges(window, projection_of(window))
    return float(np.clip((width - 0.45) * (top - bottom) / (right - left), 1.2, 1.1 * width - _BAR)) + _BAR


def towers_figure(
    lat: Floats, lon: Floats, values: Floats, width: float, label: str, *, difference: bool = False
) -> Figure:
    """Draw the number of each tower on a map around all of them."""
    figure = new_figure(width, 0.62 * width + 0.3)
    axes = plot.towers(lat, lon, values, label=label, difference=difference, ax=figure.add_subplot())
    as_points(axes)
    return figure


def scatters(
    width: float,
    shown: Sequence[tuple[str, str, Any, Any, Any, Mapping[str, float]]],
    label: tuple[str, str],
    unit: str,
) -> Figure:
    """Draw the density of pairs with one scale; each panel has a title, its colour, x, y, counts and skill."""
    figure, axes_of = panels(width, len(shown), 2.9, 3.35)
    limit = max(plot.scatter_limit(x, y, count=count) for _, _, x, y, count, _ in shown)
    for axes, (title, colour, x, y, count, skill) in zip(axes_of, shown, strict=True):
        text = skill_lines(skill["r2"], skill["rmse"], skill["bias"])
        plot.scatter(x, y, count=count, limit=limit, label=label, title=title, text=text, ax=axes)
        axes.title.set_color(colour)
        axes.collections[0].set_rasterized(True)
    plot.share_density(axes_of, unit)
    return figure
