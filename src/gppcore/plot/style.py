"""Colours, letters and line styles of all charts, in a light and a dark style."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar

Floats = NDArray[np.floating]

FLUX = "g C m$^{-2}$ d$^{-1}$"
ANNUAL_FLUX = "g C m$^{-2}$ yr$^{-1}$"
TOTAL = "Pg C yr$^{-1}$"


def _style(paper: str, ink: str, soft: str, grid: str) -> dict[str, Any]:
    return {
        "axes.axisbelow": True,
        "axes.edgecolor": soft,
        "axes.facecolor": paper,
        "axes.labelcolor": ink,
        "axes.labelsize": 8.5,
        "axes.linewidth": 0.6,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "figure.dpi": 160,
        "figure.facecolor": paper,
        "font.family": "sans-serif",
        "font.size": 8.5,
        "grid.color": grid,
        "grid.linewidth": 0.5,
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "lines.linewidth": 1.5,
        "savefig.facecolor": paper,
        "text.color": ink,
        "xtick.color": soft,
        "xtick.labelcolor": ink,
        "xtick.labelsize": 8,
        "xtick.major.width": 0.6,
        "ytick.color": soft,
        "ytick.labelcolor": ink,
        "ytick.labelsize": 8,
        "ytick.major.width": 0.6,
    }


PAPER, DARK_PAPER = "#ffffff", "#171b20"
STYLE: Any = _style(PAPER, "#1d2329", "#4d565f", "#dcdfe2")
"""Settings of matplotlib for light paper.

>>> import matplotlib.pyplot as plt
>>> from gppcore.plot import STYLE
>>> with plt.rc_context(STYLE):
...     figure, ax = plt.subplots()
>>> ax.spines["top"].get_visible()
False
"""
DARK: Any = _style(DARK_PAPER, "#e8eaed", "#aab2ba", "#363d45")
"""The same for a dark page.

>>> from gppcore.plot import DARK
>>> DARK["axes.facecolor"]
'#171b20'
"""

# After Okabe and Ito (2008), distinguishable with any colour vision; the two pale ones are darkened to 3:1 on white.
# Line styles and markers distinguish them in grey print.
COLOURS = {
    "process": "#D55E00",
    "process_beps": "#808080",
    "process_calibrated": "#B37A00",
    "direct": "#009E73",
    "pretrain_continue": "#C471A2",
    "transfer": "#0072B2",
    "unadapted": "#8E62B5",
    "climatology": "#8A7A5C",
    "xgboost": "#5B8C2A",
    "group_dro": "#A8514F",
}
_DASHES: dict[str, Any] = {
    "process": (0, (4, 1.5)),
    "process_beps": (0, (1, 3)),
    "process_calibrated": (0, (6, 1.2, 1.2, 1.2)),
    "direct": (0, (1.2, 1.2)),
    "pretrain_continue": (0, (3, 1, 1, 1, 1, 1)),
    "transfer": "-",
    "unadapted": (0, (5, 1, 1, 1)),
    "climatology": (0, (2, 2)),
    "xgboost": (0, (8, 2)),
    "group_dro": (0, (8, 2, 2, 2)),
}
_MARKERS = dict(zip(COLOURS, "sPD^voX*dp", strict=True))
_CYCLE = ("transfer", "process", "direct", "pretrain_continue", "process_calibrated", "process_beps")
_LONG_NAMES = [name for name in COLOURS if "_" in name]
REFERENCES = ("observed", "truth", "reference")
"""Names of series that are drawn as what the others are judged by: in ink, with points."""
NEUTRAL = "#6f7c88"


@dataclass(frozen=True)
class Look:
    """How a series is drawn."""

    colour: str
    dash: Any
    marker: str


def look(name: str, position: int = 0, reference: str | None = None) -> Look:
    """Return how a series is drawn: methods by their name, the reference in ink, others by their position."""
    if name == reference or name in REFERENCES:
        return Look(ink(), "-", "o")
    method = name if name in COLOURS else _CYCLE[position % len(_CYCLE)]
    return Look(COLOURS[method], _DASHES[method], _MARKERS[method])


def looks(names: list[str], reference: str | None = None) -> dict[str, Look]:
    """Return how each of several series is drawn."""
    others = [name for name in names if name != reference and name not in REFERENCES]
    return {name: look(name, others.index(name) if name in others else 0, reference) for name in names}


def ink() -> str:
    """Return the colour of letters in the style in use."""
    return str(mpl.rcParams["text.color"])


def edge(bar: Colorbar) -> None:
    """Draw the edge of a colour bar: its dark end would merge with a dark page, its light end with a white one."""
    bar.outline.set(edgecolor=mpl.rcParams["axes.edgecolor"], linewidth=0.5)


def text_of(name: str) -> str:
    """Return the name of a series as it is printed: names of methods without underscores."""
    return re.sub("|".join(_LONG_NAMES), lambda found: found[0].replace("_", " "), name)


def new_axes(ax: Axes | None, width: float = 5.1, height: float = 3.4, **options: Any) -> Axes:
    """Return `ax`, or the axes of a new figure [inch] of pyplot."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    axes: Axes = plt.figure(figsize=(width, height), layout="constrained").add_subplot(**options)
    return axes


def degrees(value: float, positive: str, negative: str) -> str:
    """Return a coordinate as it is printed on an axis."""
    value = (value + 180.0) % 360.0 - 180.0 if abs(value) > 180.0 else value
    return f"{abs(value):g}°{positive if value > 0 else negative if value < 0 else ''}"


def _srgb(lab: Floats) -> Floats:
    """Return sRGB in 0 to 1 of CIELAB (D65), cut to the gamut."""
    f = (lab[:, 0] + 16.0) / 116.0
    f = np.stack([f + lab[:, 1] / 500.0, f, f - lab[:, 2] / 200.0], axis=1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * (0.95047, 1.0, 1.08883)
    matrix = [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    linear = np.clip(xyz @ np.array(matrix).T, 0.0, 1.0)
    return np.asarray(np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear))


def _diverging() -> ListedColormap:
    """Return brown, white, teal on straight lines through CIELAB: equal steps of a value look equal."""
    brown, white, teal = np.array([[32.0, 22.0, 38.0], [97.0, 0.0, 0.0], [32.0, -24.0, -12.0]])
    along = np.linspace(-1.0, 1.0, 255)[:, None]
    lab = white + np.maximum(-along, 0) * (brown - white) + np.maximum(along, 0) * (teal - white)
    return ListedColormap(_srgb(lab), "gppcore_difference")


GPP_COLOURS = mpl.colormaps["viridis"]
DIFFERENCE_COLOURS = _diverging()
