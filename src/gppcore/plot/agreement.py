"""Agreement of predictions with observations: density of points, Taylor diagram and reliability of intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import Formatter, MaxNLocator

from gppcore.errors import RangeError, ShapeError
from gppcore.plot.style import COLOURS, FLUX, Floats, edge, ink, looks, new_axes, text_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEXAGONS = 45
_SHOWN = 0.999
"""Share of the points inside the axes."""


def scatter(
    x: Any,
    y: Any,
    *,
    count: Any = None,
    limit: float | None = None,
    label: tuple[str, str] = (f"observed GPP ({FLUX})", f"predicted GPP ({FLUX})"),
    title: str = "",
    text: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw pairs of GPP as a density of hexagons around the 1:1 line.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Observed and predicted values, 0 or more; pairs with NaN are left out.
    count : array_like, shape (n,), optional
        How often each pair occurs, 1 or more; once by default.
    limit : float, optional
        End of both axes; :func:`scatter_limit` of the data by default.
    label : (str, str)
        Quantity and unit of x and y.
    title : str
        Title of the axes.
    text : str, optional
        In the corner; R2, RMSE and bias of the pairs by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; several of them share colours by :func:`share_density`.

    Raises
    ------
    ShapeError
        If the arrays do not have one length.
    RangeError
        If no pair is finite.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import plot
    >>> rng = np.random.default_rng(0)
    >>> observed = rng.gamma(2.0, 2.0, 2000)
    >>> ax = plot.scatter(observed, observed + rng.normal(size=2000))
    >>> ax.get_aspect()
    1.0
    """
    x, y, n = _pairs(x, y, count)
    limit = limit or scatter_limit(x, y, count=n)
    ax = new_axes(ax, 4.2, 3.8)
    cells = ax.hexbin(
        x,
        y,
        C=n,
        reduce_C_function=np.sum,
        gridsize=_HEXAGONS,
        extent=(0, limit, 0, limit),
        cmap="viridis_r",
        linewidths=0.1,
        zorder=2,
    )
    _share([cells])
    ax.plot([0, limit], [0, limit], color=ink(), lw=0.8, zorder=3)
    shown = skill_text(x, y, n) if text is None else text
    ax.text(0.04, 0.96, shown, transform=ax.transAxes, va="top", linespacing=1.35, zorder=4)
    ax.set_title(title)
    ax.set(aspect="equal", xlim=(0, limit), ylim=(0, limit), xlabel=label[0], ylabel=label[1])
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return ax


def scatter_limit(x: Any, y: Any, *, count: Any = None) -> float:
    """Return the end of the axes of a scatter: the 99.9 % quantile of both variables, with a margin.

    Parameters
    ----------
    x, y, count
        As of :func:`scatter`.

    Returns
    -------
    float
        In the unit of the data.

    Raises
    ------
    RangeError
        If no pair is finite.

    Examples
    --------
    >>> from gppcore import plot
    >>> round(plot.scatter_limit([1.0, 2.0], [1.0, 10.0]), 1)
    10.3
    """
    x, y, n = _pairs(x, y, count)
    ends = []
    for values in (x, y):
        order = np.argsort(values)
        share = np.cumsum(n[order]) / n.sum()
        ends.append(float(values[order][min(np.searchsorted(share, _SHOWN), share.size - 1)]))
    return max(max(ends) * 1.03, 1e-6)


def share_density(axes: Sequence[Axes], unit: str) -> None:
    """Give several scatters one colour scale, and a colour bar.

    Parameters
    ----------
    axes : sequence of matplotlib.axes.Axes
        What :func:`scatter` returned, of one figure.
    unit : str
        What a point is, in the plural.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.scatter([1.0, 2.0, 2.0], [1.0, 2.5, 2.5])
    >>> plot.share_density([ax], "tower months")
    """
    drawn = [ax.collections[0] for ax in axes]
    _share(drawn)
    figure: Any = axes[0].figure
    grid = axes[0].get_gridspec()
    below = grid is not None and grid.ncols == 1 and len(axes) > 1
    where: Any = {"location": "bottom", "aspect": 36} if below else {"location": "right", "aspect": 28}
    bar = figure.colorbar(drawn[-1], ax=list(axes), shrink=0.75, pad=0.01, label=f"{unit} per hexagon", **where)
    edge(bar)


def skill_text(x: Any, y: Any, count: Any = None) -> str:
    """Return R2, RMSE and bias of predicted y against observed x, one to a line.

    Examples
    --------
    >>> from gppcore import plot
    >>> print(plot.skill_text([1.0, 2.0, 3.0], [1.5, 2.5, 3.5]))
    R$^2$ 0.62
    RMSE 0.50
    bias +0.50
    """
    x, y, n = _pairs(x, y, count)
    error, mean = y - x, np.average(x, weights=n)
    square, spread = np.average(error**2, weights=n), np.average((x - mean) ** 2, weights=n)
    r2 = 1.0 - square / spread if spread > 0 else np.nan
    return skill_lines(r2, np.sqrt(square), np.average(error, weights=n))


def skill_lines(r2: float, rmse: float, bias: float) -> str:
    """Return the text of skill in the corner of a chart, with the minus sign of the numbers of axes."""
    return Formatter.fix_minus(f"R$^2$ {r2:.2f}\nRMSE {rmse:.2f}\nbias {bias:+.2f}")


def taylor(points: Mapping[str, tuple[float, float]], *, ax: Axes | None = None) -> Axes:
    """Draw a Taylor diagram (Taylor 2001, doi:10.1029/2000JD900719).

    Parameters
    ----------
    points : mapping of str to (float, float)
        By product the correlation, -1 to 1, and the standard deviation over that of the reference, 0 or more.
    ax : matplotlib.axes.Axes, optional
        Polar axes (``projection="polar"``); of a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes. The distance to the star is the RMSE without bias, over the standard deviation of the reference.

    Raises
    ------
    ShapeError
        If `ax` is not polar.
    RangeError
        If a correlation is outside -1 to 1.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.taylor({"process": (0.8, 1.2), "transfer": (0.9, 0.95)})
    """
    for name, (correlation, _) in points.items():
        if abs(correlation) > 1.0:
            raise RangeError(f"points[{name!r}]: expected a correlation of -1 to 1, got {correlation:g}")
    polar: Any = new_axes(ax, 5.1, 4.3, projection="polar")
    if polar.name != "polar":
        raise ShapeError(f'ax: expected polar axes, add_subplot(projection="polar"), got {polar.name}')
    radius = 1.15 * max([1.3, *(ratio for _, ratio in points.values() if np.isfinite(ratio))])
    negative = any(correlation < 0 for correlation, _ in points.values())
    polar.set(thetamin=0.0, thetamax=180.0 if negative else 90.0, ylim=(0.0, radius))
    ticks = np.array([0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1])
    ticks = np.concatenate([-ticks[:0:-1], ticks]) if negative else ticks
    polar.set_thetagrids(np.rad2deg(np.arccos(ticks)), [f"{tick:g}" for tick in ticks])
    polar.set_rlabel_position(0)
    theta, r = np.meshgrid(np.linspace(0, np.pi if negative else np.pi / 2, 181), np.linspace(0, radius, 181))
    distance, levels = np.sqrt(1 + r**2 - 2 * r * np.cos(theta)), MaxNLocator(6).tick_values(0.0, radius)[1:]
    lines = polar.contour(theta, r, distance, levels=levels, colors="#8f8468", linewidths=0.6, linestyles="--")
    polar.clabel(lines, fontsize=7, fmt="%g")
    polar.plot(np.linspace(0, np.pi, 181), np.ones(181), color="#808890", lw=0.7)
    polar.grid(True)
    polar.plot(0.0, 1.0, "*", color=ink(), ms=11, clip_on=False, label="reference")
    for name, look in looks(list(points)).items():
        correlation, ratio = points[name]
        polar.plot(np.arccos(correlation), ratio, look.marker, color=look.colour, ms=7, mec="white", mew=0.6,
                   label=text_of(name), zorder=5)  # fmt: skip
    polar.text(np.pi / 4, radius * 1.14, "correlation", ha="center", va="center", rotation=-45, fontsize=8.5)
    polar.set_xlabel("standard deviation over that of the reference", labelpad=16)
    return polar  # type: ignore[no-any-return]


def reliability(nominal: Any, observed: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the share of observations inside prediction intervals over the nominal share.

    Parameters
    ----------
    nominal, observed : array_like, shape (n,)
        Shares, 0 to 1.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; on the line, intervals are as wide as they say.

    Raises
    ------
    ShapeError
        If the arrays do not have one shape.
    RangeError
        If a share is outside 0 to 1.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.reliability([0.5, 0.8, 0.9], [0.46, 0.77, 0.88])
    """
    nominal, observed = np.asarray(nominal, np.float64), np.asarray(observed, np.float64)
    if nominal.shape != observed.shape:
        raise ShapeError(f"observed: expected the shape of nominal, {nominal.shape}, got {observed.shape}")
    if np.any((nominal < 0) | (nominal > 1)) or np.any((observed < 0) | (observed > 1)):
        raise RangeError("nominal, observed: expected shares of 0 to 1, got values outside")
    ax = new_axes(ax, 3.4, 3.4)
    ax.plot([0, 1], [0, 1], color=ink(), lw=0.8)
    ax.plot(nominal, observed, "o-", color=COLOURS["transfer"], ms=4)
    ax.set(aspect="equal", xlim=(0, 1), ylim=(0, 1), xlabel="nominal share", ylabel="observed share inside")
    ax.grid(True)
    return ax


def _share(drawn: Sequence[Any]) -> None:
    most = float(np.concatenate([[2.0], *(np.asarray(each.get_array()) for each in drawn)]).max())
    for each in drawn:
        each.set_norm(LogNorm(0.7, most))  # below 1, so that a single pair is seen on paper


def _pairs(x: Any, y: Any, count: Any) -> tuple[Floats, Floats, Floats]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    n = np.ones(x.shape) if count is None else np.asarray(count, np.float64)
    for name, each in (("y", y), ("count", n)):
        if each.shape != x.shape or x.ndim != 1:
            raise ShapeError(f"{name}: expected one dimension and the shape of x, {x.shape}, got {each.shape}")
    known = np.isfinite(x) & np.isfinite(y) & (n > 0)
    if not known.any():
        raise RangeError("x, y: expected one finite pair or more, got none")
    return x[known], y[known], n[known]
