"""Style shared by all figures: fonts, colours, widths, and figures without pyplot's global state."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

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
OBSERVED = "#000000"
# Okabe and Ito (2008): distinguishable with any colour vision; line styles distinguish them in grey print.
COLOURS = {
    "process": "#D55E00",
    "process_beps": "#999999",
    "process_calibrated": "#E69F00",
    "direct": "#009E73",
    "pretrain_continue": "#CC79A7",
    "transfer": "#0072B2",
}
DASHES: dict[str, Any] = {
    "process": (0, (4, 1.5)),
    "process_beps": (0, (1, 3)),
    "process_calibrated": (0, (6, 1.2, 1.2, 1.2)),
    "direct": (0, (1.2, 1.2)),
    "pretrain_continue": (0, (3, 1, 1, 1, 1, 1)),
    "transfer": "-",
}
MARKERS = {
    "process": "s",
    "process_beps": "P",
    "process_calibrated": "D",
    "direct": "^",
    "pretrain_continue": "v",
    "transfer": "o",
}
GREY = "#7a8794"
OCEAN = "#e2e5e8"
GRID: Any = {"color": "#dddddd", "lw": 0.5}
WIDTH, TWO_THIRDS, HALF, THIRD = 10.4, 6.8, 5.1, 3.4
"""Widths of figures on the page [inch]: they share one scale, so all letters have one size."""

FLUX = "g C m$^{-2}$ d$^{-1}$"
ANNUAL_FLUX = "g C m$^{-2}$ yr$^{-1}$"


def label(method: str) -> str:
    """Return the name of a method as it is printed."""
    return method.replace("_", " ")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure [inch]."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(figure: Figure, n: int, columns: int, **shared: Any) -> list[Axes]:
    """Return `n` axes in rows of up to `columns`; places left over stay empty."""
    columns = max(1, min(columns, n))
    axes = list(figure.subplots(-(-max(1, n) // columns), columns, squeeze=False, **shared).flat)
    for empty in axes[n:]:
        empty.set_visible(False)
    return axes[:n]


def legend_above(figure: Figure, axes: Axes) -> None:
    """Put the legend of `axes` above the figure, in as many columns as have room."""
    handles, labels = axes.get_legend_handles_labels()
    room = figure.get_figwidth() / (0.5 + 0.06 * max(map(len, labels)))
    columns = max(1, min(len(labels), int(room)))
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, handlelength=1.8, columnspacing=1.0)


def degrees(value: float, positive: str, negative: str) -> str:
    """Return a coordinate as it is printed on an axis."""
    value = (value + 180.0) % 360.0 - 180.0 if abs(value) > 180.0 else value
    return f"{abs(value):g}°{positive if value > 0 else negative if value < 0 else ''}"
