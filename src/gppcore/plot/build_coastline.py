"""Makes `data/coastline_110m.npz` of Natural Earth's countries at 1:110 million: ``python -m ... SHAPEFILE``.

The shapefile is `geopandas/datasets/naturalearth_lowres/naturalearth_lowres.shp` of the Python package geopandas
0.14.4, which later versions do not hold; pyshp reads it. An edge that two countries share is a border, any other one
a coast, so coasts need no geometry library.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np

Point = tuple[float, float]
OUT = Path(__file__).parent / "data" / "coastline_110m.npz"


def land_rings(countries: list[list[Point]]) -> list[list[Point]]:
    """Return the closed outlines of land, given those of countries."""
    edges = Counter(frozenset(edge) for ring in countries for edge in pairwise(ring))
    after = {a: b for ring in countries for a, b in pairwise(ring) if edges[frozenset((a, b))] == 1}
    rings = []
    while after:
        first, point = after.popitem()
        ring = [first, point]
        while point != first:
            point = after.pop(point)
            ring.append(point)
        rings.append(ring)
    return sorted(rings, key=lambda ring: (-len(ring), ring[0]))


def main(shapefile: str) -> None:
    """Write the file."""
    import shapefile as pyshp

    countries = []
    for shape in pyshp.Reader(shapefile).shapes():
        ends = [*shape.parts, len(shape.points)]
        countries += [[(float(x), float(y)) for x, y in shape.points[a:b]] for a, b in pairwise(ends)]
    rings = land_rings(countries)
    hundredths = np.rint(100 * np.concatenate([np.array(ring) for ring in rings])).astype(np.int16)
    np.savez_compressed(OUT, lon_lat=hundredths, start=np.cumsum([0, *map(len, rings)]).astype(np.int32))


if __name__ == "__main__":
    main(sys.argv[1])
