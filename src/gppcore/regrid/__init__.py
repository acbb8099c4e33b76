"""Area-weighted regridding on latitude-longitude grids: aggregation, downscaling, and between any two grids.

Every field is (..., lat, lon) with NaN where it is missing, or an xarray object; latitude may ascend or descend.
Cell areas are exact on the sphere: proportional to the difference of the sines of the latitude edges.
``lat_edges`` of `aggregate` and `downscale` are always those of the fine grid, in degrees: all n_lat + 1 of them,
or (first, last) of a regular grid, such as ``(90, -90)``.
"""

from gppcore.regrid.conservation import ConservationReport, conservation_report
from gppcore.regrid.grid import LatLonGrid, cell_area, edges
from gppcore.regrid.labelled import grid_of
from gppcore.regrid.nested import aggregate, downscale
from gppcore.regrid.plan import RegridPlan

__all__ = [
    "ConservationReport",
    "LatLonGrid",
    "RegridPlan",
    "aggregate",
    "cell_area",
    "conservation_report",
    "downscale",
    "edges",
    "grid_of",
]
