"""Maps with coastlines in equal-area projections, and towers on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import ListedColormap, Normalize, TwoSlopeNorm
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from gppcore.errors import RangeError, ShapeError
from gppcore.plot.geography import (
    GLOBE,
    NO_DATA,
    NO_DATA_OF_DIFFERENCES,
    SEA,
    SEA_OF_DIFFERENCES,
    Extent,
    around,
    beside_data,
    edges,
    frame,
    projection_on,
    unknown_land,
)
from gppcore.plot.projection import Projection, Window
from gppcore.plot.style import ANNUAL_FLUX, COLOURS, DIFFERENCE_COLOURS, GPP_COLOURS, Floats, edge, new_axes

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_DETAIL = 1.2
"""Points of the image for each point of the figure, at most."""
_COARSE_COAST = 0.4
"""How far [degree] the coasts of maps may lie from those of the data."""
_UNKNOWN = 0.01
"""Share of the land that is without data before the map explains its colour."""


def limits(*fields: Any, difference: bool = False, quantile: float = 0.995) -> tuple[float, float]:
    """Return one colour scale for maps of one quantity.

    Parameters
    ----------
    *fields : array_like
        The fields of all maps; NaN is left out.
    difference : bool, default False
        Whether 0 is in the middle of the scale instead of at its end.
    quantile : float, default 0.995
        Share of the values (of their size, for a difference) inside the scale, above 0 to 1.

    Returns
    -------
    tuple of float
        The ends of the scale in the unit of the fields: 0 or minus the upper end, and the upper end.

    Raises
    ------
    RangeError
        If no value is finite.

    Examples
    --------
    >>> from gppcore import plot
    >>> plot.limits([0.0, 4.0, 8.0], [2.0, 10.0], quantile=1.0)
    (0.0, 10.0)
    >>> plot.limits([-3.0, 1.0], difference=True, quantile=1.0)
    (-3.0, 3.0)
    """
    values = np.concatenate([np.ravel(np.asarray(field, np.float64)) for field in fields])
    values = values[np.isfinite(values)]
    if not values.size:
        raise RangeError("fields: expected one finite value or more, got none")
    high = max(float(np.quantile(np.abs(values) if difference else values, quantile)), 1e-6)
    return (-high if difference else 0.0), high


def map(
    field: xr.DataArray | Any,
    lat: Any = None,
    lon: Any = None,
    *,
    label: str = f"GPP ({ANNUAL_FLUX})",
    scale: tuple[float, float] | None = None,
    difference: bool = False,
    colours: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Map a field in an equal-area projection with coastlines and a colour bar.

    Fields wider than 200 degrees are drawn as a globe in Equal Earth, others on a cylinder that is true to shape in
    the middle of the window. Land without data has a colour of its own, told in a key; zero is a colour of the scale.
    Cells without data within 0.4 degrees of others are drawn as water, for the coasts are coarse.

    Parameters
    ----------
    field : xarray.DataArray or array_like, shape (n_lat, n_lon)
        Values; a DataArray has coordinates `lat` and `lon`, or `latitude` and `longitude`. NaN is sea or unknown.
    lat, lon : array_like, shape (n_lat,), (n_lon,), optional
        Cell centres [degree], -90 to 90 and -180 to 360, each in even steps; needed unless `field` is a DataArray.
    label : str
        Quantity and unit at the colour bar.
    scale : tuple of float, optional
        Ends of the colour scale; of :func:`limits` by default. Maps of one quantity should share it.
    difference : bool, default False
        Whether the field is a difference: the scale diverges from white at 0.
    colours : str or matplotlib.colors.Colormap, optional
        Colour map; viridis, or brown to teal for differences, both perceptually uniform.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of pyplot by default.

    Returns
    -------
    matplotlib.axes.Axes
        Axes in projected coordinates; :func:`towers` draws on them.

    Raises
    ------
    ShapeError
        If coordinates are missing, do not fit the field, or have fewer than two values.
    RangeError
        If no value is finite, or a coordinate is not in even steps.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import plot
    >>> lat, lon = np.arange(-89.0, 90.0, 2.0), np.arange(-179.0, 180.0, 2.0)
    >>> gpp = 3000.0 * np.cos(np.deg2rad(lat))[:, None] ** 2 * np.ones(lon.size)
    >>> ax = plot.map(gpp, lat, lon)
    >>> ax.get_aspect()
    1.0
    """
    values, lat, lon = _gridded(field, lat, lon)
    low, high = scale or limits(values, difference=difference)
    norm = TwoSlopeNorm(0.0, low, high) if difference else Normalize(low, high)
    window = _window(lat, lon) if _step(lon) * lon.size <= 360.0 else GLOBE
    ax = new_axes(ax, 7.0, 4.2)
    figure: Any = ax.figure
    projection = frame(ax, window, difference)
    image, extent = _resample(ax, values, lat, lon, window, projection)
    drawn = ax.imshow(
        image,
        extent=extent,
        origin="lower",
        norm=norm,
        cmap=colours or (DIFFERENCE_COLOURS if difference else GPP_COLOURS),
        interpolation="nearest",
        aspect=1.0,
        zorder=2,
    )
    beside = beside_data(image, extent, max(_COARSE_COAST, 1.5 * _step(lon)))
    sea = np.where(beside, 1.0, np.nan)
    water = ListedColormap([SEA_OF_DIFFERENCES if difference else SEA])
    ax.imshow(sea, extent=extent, origin="lower", cmap=water, interpolation="nearest", aspect=1.0, zorder=1.5)
    if unknown_land(np.isnan(image) & ~beside, extent, projection) > _UNKNOWN:
        key = Patch(facecolor=NO_DATA_OF_DIFFERENCES if difference else NO_DATA, label="land without data")
        below = ax.transAxes + ScaledTranslation(0.0, -0.02 if window.is_globe else -0.22, figure.dpi_scale_trans)
        where: Any = {"loc": "upper left", "bbox_to_anchor": (0.0, 0.0), "bbox_transform": below}
        ax.legend(handles=[key], fontsize=7.5, handlelength=1.0, borderaxespad=0.0, **where)
    known = values[np.isfinite(values)]
    extend = ("neither", "max", "min", "both")[(known.max() > high) + 2 * (known.min() < low)]
    colour_bar(ax, drawn, label, extend)
    return ax


def towers(
    lat: Any,
    lon: Any,
    values: Any = None,
    *,
    label: str = "",
    scale: tuple[float, float] | None = None,
    difference: bool = False,
    groups: Sequence[str] | None = None,
    size: Any = 22.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw towers on a map: one that :func:`map` returned, or an empty one around them.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
        Places [degree], -90 to 90 and -180 to 360.
    values : array_like, shape (n,), optional
        Number of each tower, for its colour.
    label : str
        Quantity and unit at the colour bar of `values`.
    scale, difference
        As of :func:`map`.
    groups : sequence of str, length n, optional
        Name of each tower's group, for its colour and symbol instead of `values`; told in a legend.
    size : float or array_like, shape (n,)
        Area of the symbols [point2].
    ax : matplotlib.axes.Axes, optional
        Axes of a map; by default, or without a map, an empty map is drawn.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ShapeError
        If the arrays do not have one length, or there is no tower.

    Examples
    --------
    >>> from gppcore import plot
    >>> ax = plot.towers([61.8, 51.1, 48.7], [24.3, 10.5, 7.1], [1.2, 0.9, 1.4], label="RMSE (g C m-2 d-1)")
    """
    lat, lon = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
    for name, each in (("lon", lon), ("values", values), ("groups", groups)):
        if each is not None and np.shape(each) != lat.shape:
            raise ShapeError(f"{name}: expected the shape of lat, {lat.shape}, got {np.shape(each)}")
    if lat.ndim != 1 or not lat.size:
        raise ShapeError(f"lat: expected one tower or more, got shape {lat.shape}")
    ax = new_axes(ax, 7.0, 4.2)
    projection = projection_on(ax) or frame(ax, around(lat, lon), difference=False)
    x, y = projection.forward(lat, lon)
    options: dict[str, Any] = {"edgecolors": "#1d2329", "linewidths": 0.5, "zorder": 5}
    if groups is not None:
        for group, (colour, marker) in group_looks(groups).items():
            own = np.array([each == group for each in groups])
            area = np.broadcast_to(size, lat.shape)[own]
            ax.scatter(x[own], y[own], area, color=colour, marker=marker, label=group, **options)
        ax.legend(
            ncols=7, loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=7, handletextpad=0.1, columnspacing=0.8
        )
        return ax
    if values is None:
        ax.scatter(x, y, size, color=COLOURS["process"], **options)
        return ax
    values = np.asarray(values, np.float64)
    low, high = scale or limits(values, difference=difference, quantile=0.95)
    norm = TwoSlopeNorm(0.0, low, high) if difference else Normalize(low, high)
    order = np.argsort(np.abs(values))
    colours = DIFFERENCE_COLOURS if difference else "magma_r"
    drawn = ax.scatter(
        x[order], y[order], np.broadcast_to(size, lat.shape)[order], values[order], cmap=colours, norm=norm, **options
    )
    extend = ("neither", "max", "min", "both")[(np.nanmax(values) > high) + 2 * (np.nanmin(values) < low)]
    colour_bar(ax, drawn, label, extend)
    return ax


_GROUP_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")


def group_looks(groups: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and symbol of each group, in the order of first appearance."""
    return {group: (_GROUP_COLOURS[i % 7], "os^D"[i // 7 % 4]) for i, group in enumerate(dict.fromkeys(groups))}


def colour_bar(ax: Axes, drawn: Any, label: str, extend: str) -> None:
    """Draw a colour bar below the axes."""
    figure: Any = ax.figure
    bar = figure.colorbar(
        drawn, ax=ax, orientation="horizontal", extend=extend, shrink=0.6, aspect=36, pad=0.02, label=label
    )
    edge(bar)
    bar.ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))


def _gridded(field: Any, lat: Any, lon: Any) -> tuple[Floats, Floats, Floats]:
    """Return values and coordinates, latitude and longitude ascending."""
    if lat is None and hasattr(field, "coords"):
        names = [
            next((n for n in pair if n in field.coords), None) for pair in (("lat", "latitude"), ("lon", "longitude"))
        ]
        if None in names:
            raise ShapeError(f"field: expected coordinates lat and lon, got {list(field.coords)}")
        if field.ndim != 2:
            raise ShapeError(
                f"field: expected the two dimensions {names}, got {list(field.dims)}; take a month or a mean"
            )
        field = field.transpose(*names)
        lat, lon = field[names[0]].values, field[names[1]].values
    if lat is None or lon is None:
        raise ShapeError("lat, lon: expected the cell centres of an array without coordinates, got None")
    values, lat, lon = (np.asarray(each, np.float64) for each in (field, lat, lon))
    if values.shape != (lat.size, lon.size) or min(lat.size, lon.size) < 1:
        raise ShapeError(f"field: expected shape {(lat.size, lon.size)} of lat and lon, got {values.shape}")
    for name, each in (("lat", lat), ("lon", lon)):
        steps = np.diff(each)
        if steps.size and not (np.all(np.sign(steps) == np.sign(steps[0])) and np.ptp(steps) < 0.02 * abs(steps[0])):
            raise RangeError(f"{name}: expected even steps, got {steps.min():g} to {steps.max():g}")
    if lat.size > 1 and lat[0] > lat[-1]:
        lat, values = lat[::-1], values[::-1]
    if lon.size > 1 and lon[0] > lon[-1]:
        lon, values = lon[::-1], values[:, ::-1]
    known = np.flatnonzero(np.isfinite(values).any(axis=1))
    if not known.size:
        raise RangeError("field: expected one finite value or more, got none")
    return values, lat, lon


def _step(centres: Floats) -> float:
    return float(abs(centres[-1] - centres[0]) / (centres.size - 1)) if centres.size > 1 else 1.0


def _window(lat: Floats, lon: Floats) -> Window:
    half_lat, half_lon = _step(lat) / 2, _step(lon) / 2
    south, north = max(lat[0] - half_lat, -90.0), min(lat[-1] + half_lat, 90.0)
    return Window(float(south), float(north), float(lon[0] - half_lon), float(lon[-1] + half_lon))


def _resample(
    ax: Axes, values: Floats, lat: Floats, lon: Floats, window: Window, projection: Projection
) -> tuple[Floats, Extent]:
    """Return the field on even steps of the projected plane, and their edges: west, east, south, north."""
    west, east, south, north = edges(window, projection)
    figure: Any = ax.figure
    width = ax.get_position().width * figure.get_figwidth() * figure.dpi
    columns = int(np.clip(_DETAIL * width, 400, 2400))
    rows = max(2, round(columns * (north - south) / (east - west)))
    x = west + (np.arange(columns) + 0.5) * (east - west) / columns
    y = south + (np.arange(rows) + 0.5) * (north - south) / rows
    at_lat, at_lon = projection.inverse(*np.meshgrid(x, y))
    factor = max(1, int(lon.size // columns))
    values, lat, lon = _blocks(values, factor), lat[: lat.size], lon
    step_lat, step_lon = factor * _step(lat), factor * _step(lon)
    with np.errstate(invalid="ignore"):
        row = np.floor((at_lat - (lat[0] - _step(lat) / 2)) / step_lat)
        column = np.floor(np.mod(at_lon - (lon[0] - _step(lon) / 2), 360.0) / step_lon)
        inside = (row >= 0) & (row < values.shape[0]) & (column >= 0) & (column < values.shape[1])
    image = np.full(at_lat.shape, np.nan)
    image[inside] = values[row[inside].astype(int), column[inside].astype(int)]
    return image, (west, east, south, north)


def _blocks(values: Floats, factor: int) -> Floats:
    """Average blocks of cells, so that a fine field is not drawn from single cells; NaN is left out."""
    if factor == 1:
        return values
    padding = [(0, -size % factor) for size in values.shape]
    blocks = np.pad(values, padding, constant_values=np.nan)
    blocks = blocks.reshape(blocks.shape[0] // factor, factor, -1, factor)
    known = np.isfinite(blocks)
    n = known.sum(axis=(1, 3))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, blocks, 0.0).sum(axis=(1, 3)) / n)
