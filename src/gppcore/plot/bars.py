"""Bars by group, numbers with their intervals, and the months of a tower network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gppcore.errors import ShapeError
from gppcore.plot.style import COLOURS, NEUTRAL, ink, looks, new_axes, text_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def bars(
    groups: Sequence[str],
    values: Mapping[str, Any],
    *,
    label: str,
    least: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw numbers of several products or methods in groups, side by side.

    Parameters
    ----------
    groups : sequence of str, length n
        Names below the bars.
    values : mapping of str to array_like, shape (n,)
        By product the number of each group; NaN leaves a gap.
    label : str
        Quantity and unit.
    least : float, optional
        Lower numbers are cut there.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ShapeError
        If a product does not have one number for each group.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.bars(["ENF", "GRA"], {"direct": [0.6, 0.5], "transfer": [0.7, 0.6]}, label="R2")
    """
    ax = new_axes(ax, 5.1, 3.0)
    width = 0.8 / max(1, len(values))
    for i, (name, look) in enumerate(looks(list(values)).items()):
        own = np.asarray(values[name], np.float64)
        if own.shape != (len(groups),):
            raise ShapeError(f"values[{name!r}]: expected one number for each of {len(groups)} groups, got {own.shape}")
        cut = own if least is None else np.maximum(own, least)
        place = np.arange(len(groups)) + (i + 0.5) * width - 0.4
        ax.bar(place, cut, width * 0.92, color=look.colour, label=text_of(name))
    ax.axhline(0.0, color=ink(), lw=0.6)
    ax.set_xticks(range(len(groups)), list(groups))
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel(label)
    ax.grid(True, axis="y")
    return ax


def intervals(rows: Mapping[str, Sequence[float]], *, label: str, digits: int = 3, ax: Axes | None = None) -> Axes:
    """Draw numbers with their intervals, one to a row; an interval that holds 0 is grey.

    Parameters
    ----------
    rows : mapping of str to (value, low, high)
        Numbers from top to bottom.
    label : str
        Quantity and unit.
    digits : int, default 3
        Decimals of the numbers beside the intervals.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.intervals({"transfer - direct": (0.05, 0.01, 0.09)}, label="difference of R2")
    """
    ax = new_axes(ax, 5.1, 0.8 + 0.4 * max(2, len(rows)))
    for i, (value, low, high) in enumerate(rows.values()):
        colour = COLOURS["transfer"] if low > 0 else COLOURS["process"] if high < 0 else NEUTRAL
        ax.plot([low, high], [i, i], lw=2.2, solid_capstyle="butt", color=colour)
        ax.plot(value, i, "o", ms=5, color=colour)
        ax.annotate(
            f"{value:+.{digits}f}", (max(high, value), i), (5, 0), textcoords="offset points", va="center", fontsize=8
        )
    ax.axvline(0.0, color=ink(), lw=0.8)
    ax.set_yticks(range(len(rows)), [text_of(name).replace(" - ", "\nminus ") for name in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.margins(x=0.2)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(label)
    ax.grid(True, axis="x")
    return ax


def coverage(counts: pd.DataFrame, *, label: str = "months", ax: Axes | None = None) -> Axes:
    """Draw how many months each tower has in each year.

    Parameters
    ----------
    counts : pandas.DataFrame
        Months, 0 to 12, by tower (rows) and year (columns).
    label : str
        What is counted.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Examples
    --------
    >>> import pandas as pd
    >>> from gppcore import plot
    >>> ax = plot.coverage(pd.DataFrame({2004: [12, 0], 2005: [7, 12]}, index=["DE-Hai", "FI-Hyy"]))
    """
    ax = new_axes(ax, 6.8, 0.9 + 0.16 * len(counts))
    drawn = ax.imshow(counts.where(counts > 0), cmap="viridis_r", vmin=1, vmax=12, aspect="auto", interpolation="none")
    ax.set_yticks(range(len(counts)), list(counts.index), fontsize=6.5)
    figure: Any = ax.figure
    step = max(1, -(-len(counts.columns) // max(1, int(2 * figure.get_figwidth()))))
    ax.set_xticks(range(0, len(counts.columns), step), list(counts.columns[::step]))
    figure.colorbar(drawn, ax=ax, shrink=min(1.0, 12 / len(counts)), label=label)
    return ax
