"""Lines: by latitude, by month, by year, by number of towers and over a predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, NullFormatter

from gppcore.errors import RangeError, ShapeError
from gppcore.plot.style import ANNUAL_FLUX, COLOURS, FLUX, TOTAL, Floats, degrees, ink, looks, new_axes, text_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Intervals = Mapping[str, tuple[Any, Any]]
_FEWEST_YEARS = 5
"""Years from which a trend is drawn."""


def zonal(
    lat: Any,
    lines: Mapping[str, Any],
    *,
    reference: str | None = None,
    intervals: Intervals | None = None,
    label: str = f"GPP ({ANNUAL_FLUX})",
    ax: Axes | None = None,
) -> Axes:
    """Draw zonal means against latitude.

    Parameters
    ----------
    lat : array_like, shape (n,)
        Latitude [degree], -90 to 90.
    lines : mapping of str to array_like, shape (n,)
        Zonal mean of each product in the unit of `label`; NaN leaves a gap. Names of methods have their own colours.
    reference : str, optional
        Name of the line that the others are judged by, drawn in ink; "observed", "truth" and "reference" always are.
    intervals : mapping of str to (low, high), optional
        Bands around lines, two arrays of shape (n,) each.
    label : str
        Quantity and unit.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ShapeError
        If a line does not have the shape of `lat`.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import plot
    >>> lat = np.arange(-55.0, 80.0)
    >>> gpp = 2500.0 * np.cos(np.deg2rad(lat)) ** 2
    >>> ax = plot.zonal(lat, {"process": 1.1 * gpp, "transfer": gpp})
    >>> [line.get_label() for line in ax.lines]
    ['process', 'transfer']
    """
    lat = np.asarray(lat, np.float64)
    drawn = _checked(lines, lat.shape, "lat")
    ax = new_axes(ax, 3.4, 3.6)
    for name, look in looks(list(drawn), reference).items():
        if intervals and name in intervals:
            low, high = (np.asarray(each, np.float64) for each in intervals[name])
            ax.fill_betweenx(lat, low, high, color=look.colour, alpha=0.16, lw=0)
        ax.plot(drawn[name], lat, color=look.colour, ls=look.dash, label=text_of(name))
    land = np.isfinite(list(drawn.values())).any(axis=0)
    if land.sum() > 1:
        ax.set_ylim(float(lat[land].min()), float(lat[land].max()))
    ax.set_xlim(left=0.0)
    ax.yaxis.set_major_formatter(lambda value, _: degrees(value, "N", "S"))
    ax.set_xlabel(label)
    ax.set_ylabel("latitude")
    ax.grid(True)
    return ax


def season(
    lines: Mapping[str, Any],
    *,
    months: Sequence[int] = range(1, 13),
    reference: str | None = None,
    intervals: Intervals | None = None,
    label: str = f"GPP ({FLUX})",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw mean seasonal cycles.

    Parameters
    ----------
    lines : mapping of str to array_like, shape (n_months,)
        Monthly means of each product in the unit of `label`; NaN leaves a gap.
    months : sequence of int, default 1 to 12
        Calendar months of the values.
    reference, intervals, ax
        As of :func:`zonal`.
    label : str
        Quantity and unit; empty leaves the axis without.
    title : str
        Region, type or site.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ShapeError
        If a line does not have one value for each month.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import plot
    >>> cycle = 4.0 - 3.5 * np.cos(2 * np.pi * np.arange(12) / 12)
    >>> ax = plot.season(
    ...     {"observed": cycle, "transfer": 0.9 * cycle},
    ...     intervals={"transfer": (0.6 * cycle, 1.2 * cycle)},
    ...     title="forests",
    ... )
    """
    drawn = _checked(lines, (len(months),), "months")
    ax = new_axes(ax, 3.4, 2.6)
    for name, look in looks(list(drawn), reference).items():
        own = {"marker": "o", "ms": 3.2, "lw": 0.8} if look.colour == ink() else {"ls": look.dash}
        if intervals and name in intervals:
            low, high = (np.asarray(each, np.float64) for each in intervals[name])
            ax.fill_between(months, low, high, color=look.colour, alpha=0.16, lw=0)
        ax.plot(months, drawn[name], color=look.colour, label=text_of(name), **own)
    ax.set_title(title)
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    ax.set_xticks(list(months), ["JFMAMJJASOND"[month - 1] for month in months])
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.set_ylabel(label)
    ax.grid(True, axis="y")
    return ax


def years(
    lines: Mapping[str, Mapping[int, float]],
    *,
    reference: str | None = None,
    label: str = f"GPP ({TOTAL})",
    ax: Axes | None = None,
) -> Axes:
    """Draw totals by year, and their trends where there are five years or more.

    The trend is that of least squares; the legend tells it with its 90 % confidence interval, which takes years as
    independent.

    Parameters
    ----------
    lines : mapping of str to mapping of int to float
        By product the total of each year in the unit of `label`.
    reference, label, ax
        As of :func:`zonal`.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.years({"transfer": {2001: 118.0, 2002: 119.5, 2003: 119.0, 2004: 121.0, 2005: 120.8}})
    >>> ax.lines[0].get_label()
    'transfer: +0.71 [+0.23, +1.19] per year'
    """
    ax = new_axes(ax, 6.8, 3.2)
    for name, look in looks(list(lines), reference).items():
        year, total = np.array(sorted(lines[name].items()), np.float64).reshape(-1, 2).T
        text = text_of(name)
        if year.size >= _FEWEST_YEARS and np.isfinite(total).all():
            slope, level, reach = trend(year, total)
            text += f": {slope:+.2f} [{slope - reach:+.2f}, {slope + reach:+.2f}] per year"
        ax.plot(year, total, color=look.colour, ls=look.dash, marker=look.marker, ms=4, lw=1.1, label=text)
        if ":" in text[len(text_of(name)) :]:
            ax.plot(year, level + slope * (year - year.mean()), color=look.colour, lw=0.8, alpha=0.7)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylabel(label)
    ax.grid(True)
    return ax


def trend(year: Floats, total: Floats) -> tuple[float, float, float]:
    """Return the slope of least squares, the mean, and the half width of the slope's 90 % confidence interval."""
    from scipy.stats import linregress, t

    fit = linregress(year, total)
    return float(fit.slope), float(total.mean()), float(fit.stderr * t.ppf(0.95, year.size - 2))


def learning_curve(
    towers: Sequence[int],
    lines: Mapping[str, Any],
    *,
    intervals: Intervals | None = None,
    label: str = "R$^2$",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw skill over the number of towers that methods learned from.

    Parameters
    ----------
    towers : sequence of int, length n
        Numbers of towers, 1 or more, in ascending order.
    lines : mapping of str to array_like, shape (n,)
        Skill of each method; NaN leaves a gap.
    intervals, ax
        As of :func:`zonal`.
    label : str
        The measure of skill and its unit.
    title : str
        Title of the axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ShapeError
        If a line does not have one value for each number of towers.
    RangeError
        If numbers of towers are below 1 or not ascending.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.learning_curve([5, 20, 80], {"direct": [0.2, 0.5, 0.6], "transfer": [0.5, 0.6, 0.65]})
    """
    counts = np.asarray(towers)
    if counts.size and (counts[0] < 1 or np.any(np.diff(counts) <= 0)):
        raise RangeError(f"towers: expected ascending numbers from 1 on, got {list(towers)}")
    drawn = _checked(lines, counts.shape, "towers")
    ax = new_axes(ax, 3.4, 3.2)
    for name, look in looks([name.removeprefix("minus ") for name in drawn]).items():
        key = name if name in drawn else f"minus {name}"
        if intervals and key in intervals:
            low, high = (np.asarray(each, np.float64) for each in intervals[key])
            ax.fill_between(counts, low, high, color=look.colour, alpha=0.15, lw=0)
        style = {"color": look.colour, "ls": look.dash, "marker": look.marker, "ms": 4}
        ax.plot(counts, drawn[key], label=text_of(key), **style)
    ax.set_xscale("log")
    ax.minorticks_off()
    ax.set_xticks(counts, [str(n) for n in counts])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="towers to learn from", ylabel=label)
    ax.set_title(title)
    ax.grid(True)
    return ax


def response(x: Any, gpp: Any, label: str, *, ax: Axes | None = None) -> Axes:
    """Draw GPP over the values of a predictor.

    Parameters
    ----------
    x, gpp : array_like, shape (n,)
        Values of the predictor in the unit of `label`, and GPP there [g C m-2 d-1].
    label : str
        Name and unit of the predictor.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.response([0.0, 2.0, 4.0, 6.0], [0.1, 3.0, 4.5, 5.0], "LAI (m2 m-2)")
    """
    ax = new_axes(ax, 3.4, 2.6)
    ax.plot(x, gpp, color=COLOURS["transfer"])
    ax.set_xlabel(label)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(True)
    return ax


def _checked(lines: Mapping[str, Any], shape: tuple[int, ...], of: str) -> dict[str, Floats]:
    found: dict[str, Floats] = {name: np.asarray(values, np.float64) for name, values in lines.items()}
    if not found:
        raise ShapeError("lines: expected one line or more, got none")
    for name, values in found.items():
        if values.shape != shape:
            raise ShapeError(f"lines[{name!r}]: expected the shape of {of}, {shape}, got {values.shape}")
    return found
