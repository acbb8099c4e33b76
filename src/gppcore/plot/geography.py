"""What lies under a map: sea, land, coasts and coordinates, in the projection of its axes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gppcore.plot.projection import Projection, Window, projection_of
from gppcore.plot.style import Floats, degrees

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Extent = tuple[float, float, float, float]
SEA, NO_DATA, COAST = "#dbe4ec", "#a5abb1", "#333b42"
SEA_OF_DIFFERENCES, NO_DATA_OF_DIFFERENCES = "#76828e", "#43494f"
"""Sea and unknown land of difference maps: dark, because no difference is white."""
GLOBE = Window(-90.0, 90.0, -180.0, 180.0)

_projections: WeakKeyDictionary[Axes, Projection] = WeakKeyDictionary()


def projection_on(ax: Axes) -> Projection | None:
    """Return the projection of axes that hold a map."""
    return _projections.get(ax)


def around(lat: Floats, lon: Floats) -> Window:
    """Return a window with a margin around places; a globe where they are far apart."""
    margin = max(2.0, 0.06 * np.ptp(lon), 0.06 * np.ptp(lat))
    south, north = max(lat.min() - margin, -90.0), min(lat.max() + margin, 90.0)
    window = Window(float(south), float(north), float(lon.min() - margin), float(lon.max() + margin))
    return GLOBE if window.east - window.west > 120.0 else window


def edges(window: Window, projection: Projection) -> Extent:
    """Return west, east, south and north of a map in projected coordinates; a globe without data ends at 60 S."""
    if window.is_globe:
        window = Window(-60.0 if window.south > -61.0 else -90.0, 90.0, -180.0, 180.0)
        x, _ = projection.forward(np.zeros(2), np.array([window.west, window.east]))
    else:
        x, _ = projection.forward(np.full(2, window.south), np.array([window.west, window.east]))
    _, y = projection.forward(np.array([window.south, window.north]), np.zeros(2))
    return float(x[0]), float(x[1]), float(y[0]), float(y[1])


def frame(ax: Axes, window: Window, difference: bool) -> Projection:
    """Draw sea, land and coast, and set up the axes."""
    projection = _projections[ax] = projection_of(window)
    west, east, south, north = edges(window, projection)
    sea, land = (SEA_OF_DIFFERENCES, NO_DATA_OF_DIFFERENCES) if difference else (SEA, NO_DATA)
    shifts = (0.0,) if window.is_globe else (-360.0, 0.0, 360.0)
    ax.set(xlim=(west, east), ylim=(south, north), aspect=1.0)
    if window.is_globe:
        bottom = float(projection.inverse(np.zeros(1), np.array([south]))[0][0])
        side = np.linspace(bottom, 90.0, 91)
        around = np.concatenate([side, side[::-1]]), np.repeat([-180.0, 180.0], 91)
        outline = PathPatch(Path(np.stack(projection.forward(*around), 1), closed=True), fc=sea, ec=COAST, lw=0.5)
        outline.set_clip_on(False)
        ax.add_patch(outline)
        ax.set_axis_off()
        clip: Any = outline
        _graticule(ax, projection, bottom)
    else:
        ax.set_facecolor(sea)
        clip = ax.patch
        _coordinates(ax, window, projection)
    for shift in shifts:
        filled, lines = coasts(shift)
        if not window.is_globe:
            lines = [line for line in lines if _overlaps(line, window)]
        if not lines:
            continue
        patch = PathPatch(_projected(filled, projection), fc=land, ec="none", zorder=1)
        ax.add_patch(patch)
        coast = LineCollection(
            [np.stack(projection.forward(line[:, 1], line[:, 0]), 1) for line in lines],
            colors=COAST,
            linewidths=0.45,
            zorder=4,
        )
        ax.add_collection(coast, autolim=False)
        for artist in (patch, coast):
            artist.set_clip_path(clip)
    return projection


def _overlaps(line: NDArray[np.float64], window: Window) -> bool:
    (west, south), (east, north) = line.min(axis=0), line.max(axis=0)
    return bool(west < window.east and east > window.west and south < window.north and north > window.south)


def _graticule(ax: Axes, projection: Projection, bottom: float) -> None:
    """Draw parallels with their latitude, and meridians of a globe."""
    for parallel in range(-60, 61, 30):
        if parallel >= bottom:
            x, y = projection.forward(np.full(181, parallel), np.linspace(-180, 180, 181))
            ax.plot(x, y, color=COAST, lw=0.3, alpha=0.35, zorder=3)
            ax.text(x[0] - 0.03, y[0], degrees(parallel, "N", "S"), ha="right", va="center", fontsize=7.5)
    for meridian in range(-120, 121, 60):
        x, y = projection.forward(np.linspace(bottom, 90, 91), np.full(91, meridian))
        ax.plot(x, y, color=COAST, lw=0.3, alpha=0.35, zorder=3)


def _coordinates(ax: Axes, window: Window, projection: Projection) -> None:
    """Label the axes of a window in degrees."""
    steps = [1, 1.5, 2, 3, 5, 6, 10]
    lon = [
        v for v in MaxNLocator(6, steps=steps).tick_values(window.west, window.east) if window.west <= v <= window.east
    ]
    lat = [
        v
        for v in MaxNLocator(5, steps=steps).tick_values(window.south, window.north)
        if window.south <= v <= window.north
    ]
    x, _ = projection.forward(np.zeros(len(lon)), np.array(lon))
    _, y = projection.forward(np.array(lat), np.zeros(len(lat)))
    ax.set_xticks(x, [degrees(v, "E", "W") for v in lon])
    ax.set_yticks(y, [degrees(v, "N", "S") for v in lat])


@cache
def coasts(shift: float) -> tuple[Path, list[NDArray[np.float64]]]:
    """Return land as one path of longitude and latitude, and its coasts without the edges of the plane."""
    with np.load(str(files("gppcore.plot").joinpath("data", "coastline_110m.npz"))) as stored:
        points, start = stored["lon_lat"] / 100.0, stored["start"]
    edge = (np.abs(points[:, 0]) >= 180.0) | (points[:, 1] <= -90.0)
    points[:, 0] += shift
    codes = np.full(len(points), Path.LINETO, np.uint8)
    codes[start[:-1]] = Path.MOVETO
    codes[start[1:] - 1] = Path.CLOSEPOLY
    lines = []
    for a, b in pairwise(start):
        cut = np.flatnonzero(edge[a : b - 1] & edge[a + 1 : b]) + 1
        lines += [part for part in np.split(points[a:b], cut) if len(part) > 1]
    return Path(points, codes), lines


def _projected(path: Path, projection: Projection) -> Path:
    vertices = np.asarray(path.vertices)
    return Path(np.stack(projection.forward(vertices[:, 1], vertices[:, 0]), 1), path.codes)


def beside_data(image: Floats, extent: Extent, reach: float) -> NDArray[np.bool_]:
    """Return where an image has no value but one within `reach` [degree]: water, and land that coarse coasts claim."""
    from scipy.ndimage import maximum_filter

    west, east, _, _ = extent
    known = np.isfinite(image)
    size = 2 * max(1, round(np.deg2rad(reach) / (east - west) * image.shape[1])) + 1
    return np.asarray(maximum_filter(known, size) & ~known, bool)


def unknown_land(unknown: NDArray[np.bool_], extent: Extent, projection: Projection) -> float:
    """Return the share of the land in an image that is unknown, sampled every few points."""
    every = max(1, unknown.shape[1] // 60)
    sampled = unknown[every // 2 :: every, every // 2 :: every]
    west, east, south, north = extent
    x = west + (every // 2 + np.arange(sampled.shape[1]) * every + 0.5) * (east - west) / unknown.shape[1]
    y = south + (every // 2 + np.arange(sampled.shape[0]) * every + 0.5) * (north - south) / unknown.shape[0]
    path, _ = coasts(0.0)
    places = np.stack([each.ravel() for each in projection.inverse(*np.meshgrid(x, y))[::-1]], 1)
    land = path.contains_points(np.nan_to_num(places, nan=-999.0)).reshape(sampled.shape)
    return float(sampled[land].mean()) if land.any() else 0.0
