"""Draw coastlines where cartopy looks before it downloads any: `XDG_DATA_HOME=DIR python natural_earth.py`.

They are the public-domain shapes of Natural Earth that pyogrio bundles for its own tests.
"""

import importlib.util
import os
from pathlib import Path

import shapefile
from shapely.geometry import LineString, box, mapping, shape
from shapely.ops import unary_union

BUNDLED = "tests/fixtures/naturalearth_lowres/naturalearth_lowres.shp"


def main() -> None:
    """Write land, coastline and ocean, and files without lakes and rivers."""
    target = Path(os.environ["XDG_DATA_HOME"]) / "cartopy/shapefiles/natural_earth/physical"
    target.mkdir(parents=True, exist_ok=True)
    countries = shapefile.Reader(str(Path(importlib.util.find_spec("pyogrio").origin).parent / BUNDLED)).shapes()
    land = unary_union([shape(country.__geo_interface__).buffer(0) for country in countries])
    ocean = box(-180, -90, 180, 90).difference(land)
    for name, kind, shapes in (
        ("land", shapefile.POLYGON, [mapping(part) for part in land.geoms]),
        ("ocean", shapefile.POLYGON, [mapping(part) for part in getattr(ocean, "geoms", [ocean])]),
        ("coastline", shapefile.POLYLINE, [mapping(LineString(part.exterior)) for part in land.geoms]),
        ("lakes", shapefile.POLYGON, []),  # pyogrio has none
        ("rivers_lake_centerlines", shapefile.POLYLINE, []),
    ):
        with shapefile.Writer(str(target / f"ne_110m_{name}"), shapeType=kind) as writer:
            writer.field("id", "N")
            for i, geometry in enumerate(shapes):
                writer.shape(geometry)
                writer.record(i)


if __name__ == "__main__":
    main()
