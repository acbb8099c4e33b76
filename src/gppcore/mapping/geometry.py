"""Coordinates of a gridded product: centres, bounds, areas, land and reference system, and what it covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import EARTH_RADIUS
from gppcore.regrid import cell_area
from gppcore.regrid.grid import edges
from gppcore.tiles.layout import CLIMATOLOGY_YEAR, month_coordinate
from gppcore.tiles.store import TileStore
from gppcore.variables import MONTHS, attributes

GEOMETRY = {"grid_mapping": "crs", "cell_measures": "area: area", "coverage_content_type": "modelResult"}
"""Attributes of every gridded variable."""
_CRS = {
    "grid_mapping_name": "latitude_longitude",
    "earth_radius": EARTH_RADIUS,
    "longitude_of_prime_meridian": 0.0,
}


def window_edges(store: TileStore, rows: slice, columns: slice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the edges of the rows and columns of a window, of one row or column or more [degrees]."""
    lat, lon = np.clip(edges(store.lat), -90.0, 90.0), edges(store.lon)
    return lat[rows.start : rows.stop + 1], lon[columns.start : columns.stop + 1]


def coverage(lat_edges: NDArray[Any], lon_edges: NDArray[Any], years: Sequence[int] | None) -> dict[str, Any]:
    """Return the discovery attributes (ACDD 1.3) of a grid and its years; those of time only for calendar years."""
    south, north = np.sort(lat_edges)[[0, -1]]
    west, east = np.sort(lon_edges)[[0, -1]]
    found: dict[str, Any] = {
        "summary": "Monthly gross primary production of land, predicted by a model that was trained with flux towers",
        "keywords": "gross primary production, carbon, vegetation, land",
        "standard_name_vocabulary": "CF Standard Name Table v85",
        "geospatial_lat_min": round(float(south), 6),
        "geospatial_lat_max": round(float(north), 6),
        "geospatial_lon_min": round(float(west), 6),
        "geospatial_lon_max": round(float(east), 6),
        "geospatial_lat_units": "degrees_north",
        "geospatial_lon_units": "degrees_east",
    }
    return found | (time_coverage(years) if years else {})


def time_coverage(years: Sequence[int]) -> dict[str, str]:
    """Return the attributes of ACDD for calendar years that follow each other."""
    return {
        "time_coverage_start": f"{min(years)}-01-01",
        "time_coverage_end": f"{max(years)}-12-31",
        "time_coverage_duration": f"P{len(years)}Y",
        "time_coverage_resolution": "P1M",
    }


def write_time(group: Any, store: TileStore) -> None:
    """Write the months of a store and their bounds."""
    years = store.years or (CLIMATOLOGY_YEAR,)
    time, time_attrs = month_coordinate(years)
    first = [np.datetime64(f"{year}-{month:02d}-01", "D") for year in years for month in range(1, MONTHS + 1)]
    bounds = [(day, (day.astype("M8[M]") + np.timedelta64(1, "M")).astype("M8[D]")) for day in first]
    since = (np.array(bounds) - np.datetime64(f"{years[0]}-01-01", "D")).astype(np.int32)
    group.create_array("time", data=time, dimension_names=("time",), attributes={**time_attrs, "bounds": "time_bnds"})
    group.create_array("time_bnds", data=since, dimension_names=("time", "bnds"), attributes={})


def write_coordinates(
    group: Any, store: TileStore, rows: slice, columns: slice, chunk_rows: int, chunk_columns: int
) -> None:
    """Write the coordinates of a window of a store, their bounds, the area of the cells and which are land."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    lat, lon = store.lat[rows], store.lon[columns]
    lat_edges, lon_edges = window_edges(store, rows, columns)
    for name, dims, values, attrs in (
        ("lat", ("lat",), lat, {**attributes("lat"), "axis": "Y", "bounds": "lat_bnds"}),
        ("lat_bnds", ("lat", "bnds"), np.column_stack([lat_edges[:-1], lat_edges[1:]]), {}),
        ("lon", ("lon",), lon, {**attributes("lon"), "axis": "X", "bounds": "lon_bnds"}),
        ("lon_bnds", ("lon", "bnds"), np.column_stack([lon_edges[:-1], lon_edges[1:]]), {}),
        ("crs", (), np.array(0, dtype=np.int32), _CRS),
    ):
        group.create_array(name, data=values, dimension_names=dims, attributes=attrs)
    row, column = np.divmod(store.index, store.shape[1])
    land = np.zeros((lat.size, lon.size), dtype=np.float32)
    land[row - rows.start, column - columns.start] = 1.0
    area = np.repeat(cell_area(lat_edges, lon_edges[:2]), lon.size, axis=1).astype(np.float32)
    for name, field, attrs in (
        ("area", area, {"standard_name": "cell_area", "long_name": "area of the cell", "units": "m2"}),
        (
            "land_fraction",
            land,
            {"standard_name": "land_area_fraction", "long_name": "1 where the map has land, else 0", "units": "1"},
        ),
    ):
        group.create_array(
            name,
            data=field,
            chunks=(chunk_rows, chunk_columns),
            compressors=(ZstdCodec(), Crc32cCodec()),
            dimension_names=("lat", "lon"),
            attributes={**attrs, "grid_mapping": "crs", "coverage_content_type": "auxiliaryInformation"},
        )
