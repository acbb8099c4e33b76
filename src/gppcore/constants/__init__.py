"""Constants of the two-leaf model and the table of plant functional types, each with unit and source."""

from gppcore.constants.two_leaf import TWO_LEAF_CONSTANTS, TwoLeafConstants
from gppcore.constants.types import (
    BEPS_PFTS,
    C4_OF,
    IGBP,
    PFT_NAMES,
    PFTS,
    BepsType,
    IgbpClass,
    PlantFunctionalType,
)

__all__ = [
    "BEPS_PFTS",
    "C4_OF",
    "EARTH_RADIUS",
    "IGBP",
    "PFTS",
    "PFT_NAMES",
    "TWO_LEAF_CONSTANTS",
    "BepsType",
    "IgbpClass",
    "PlantFunctionalType",
    "TwoLeafConstants",
]

EARTH_RADIUS = 6371007.2
"""Radius of the sphere with the surface of the GRS80 ellipsoid, m (Moritz 2000, J. Geodesy 74, 128-133).

>>> import math
>>> from gppcore.constants import EARTH_RADIUS
>>> round(4 * math.pi * EARTH_RADIUS**2 / 1e12, 2)  # 10^6 km2
510.07
"""
