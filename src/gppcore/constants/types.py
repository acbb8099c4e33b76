"""Plant functional types: their parameters, each with unit and source, and land cover classes that hold them.

References
----------
.. [2] Chen, J.M. et al. (2012) Global Biogeochem. Cycles 26, GB1019. doi:10.1029/2010GB003996
.. [3] Kattge, J. et al. (2009) Glob. Change Biol. 15, 976-991. doi:10.1111/j.1365-2486.2008.01744.x
.. [8] Ju, W. et al. (2006) Agric. For. Meteorol. 140, 181-202. doi:10.1016/j.agrformet.2006.03.016
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class PlantFunctionalType:
    """Parameters of one plant functional type (PFT).

    Examples
    --------
    >>> from dataclasses import replace
    >>> from gppcore import PFTS, Canopy, Forcing, two_leaf_gpp
    >>> noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
    >>> beech = replace(PFTS["dbf"], vcmax25=45.0)
    >>> [round(float(two_leaf_gpp(noon, Canopy(lai=3.0), pft).gpp), 1) for pft in (PFTS["dbf"], beech)]
    [21.2, 17.3]
    """

    name: str
    long_name: str
    vcmax25: float
    """Vcmax25 of leaves at the canopy top, umol m-2 s-1: the mean over the type [3]_. BEPS applies the mean plus
    one standard deviation of leaf nitrogen there [2]_ (factors 1.38 to 1.53), which overestimates GPP at towers."""
    clumping: float
    """Clumping index [2]_."""
    g1: float
    """Slope of the Ball-Berry relation [2]_."""
    g0: float
    """Residual conductance for water vapour, mol m-2 s-1."""
    albedo: float
    """Shortwave albedo of the canopy, mean of visible and near infrared."""
    height_overstory: float
    """m."""
    height_understory: float
    """m."""
    stem_area_overstory: float
    """m2 m-2."""
    stem_area_understory: float
    """m2 m-2."""
    understory: bool
    """Whether leaves of an understory add to GPP."""
    pathway: Literal["C3", "C4"]
    psi_min: float
    """Soil water suction, m, above which stomata begin to close [8]_."""
    psi_exponent: float
    """Steepness of that closure [8]_."""


def _tree(name: str, long_name: str, vcmax25: float, clumping: float, *, needle: bool) -> PlantFunctionalType:
    return PlantFunctionalType(
        name=name,
        long_name=long_name,
        vcmax25=vcmax25,
        clumping=clumping,
        g1=8.0,
        g0=0.0175,
        albedo=0.1325 if needle else 0.145,
        height_overstory=20.0 if needle else 23.0,
        height_understory=3.0,
        stem_area_overstory=0.9,
        stem_area_understory=0.48,
        understory=True,
        pathway="C3",
        psi_min=33.0 if needle else 10.0,
        psi_exponent=0.4 if needle else 1.5,
    )


def _herb(
    name: str,
    long_name: str,
    vcmax25: float,
    *,
    clumping: float = 0.80,
    g1: float = 8.0,
    pathway: Literal["C3", "C4"] = "C3",
) -> PlantFunctionalType:
    return PlantFunctionalType(
        name=name,
        long_name=long_name,
        vcmax25=vcmax25,
        clumping=clumping,
        g1=g1,
        g0=0.0175 if pathway == "C3" else 0.04,
        albedo=0.1775,
        height_overstory=4.0,
        height_understory=0.1,
        stem_area_overstory=0.9,
        stem_area_understory=0.002,
        understory=False,
        pathway=pathway,
        psi_min=33.0,
        psi_exponent=0.4,
    )


_SHRUB = PlantFunctionalType(
    name="shrub",
    long_name="shrubland",
    vcmax25=57.85,
    clumping=0.70,
    g1=8.0,
    g0=0.0175,
    albedo=0.1625,
    height_overstory=4.0,
    height_understory=0.0,
    stem_area_overstory=0.66,
    stem_area_understory=0.002,
    understory=True,
    pathway="C3",
    psi_min=33.0,
    psi_exponent=0.4,
)

_PFT_TABLE = (
    _tree("enf", "evergreen needleleaf forest", 62.5, 0.62, needle=True),
    _tree("ebf", "evergreen broadleaf forest", 41.0, 0.63, needle=False),
    _tree("dnf", "deciduous needleleaf forest", 39.1, 0.68, needle=True),
    _tree("dbf", "deciduous broadleaf forest", 57.7, 0.70, needle=False),
    _tree("mf", "mixed forest", 60.1, 0.66, needle=False),
    _SHRUB,
    _herb("grass", "C3 grass", 78.2),
    _herb("crop", "C3 crop", 100.7),
    _herb("grass_c4", "C4 grass", 36.0, clumping=0.73, g1=4.0, pathway="C4"),
    _herb("crop_c4", "C4 crop", 36.0, clumping=0.73, g1=4.0, pathway="C4"),
)

PFTS = {pft.name: pft for pft in _PFT_TABLE}
"""Plant functional types by name, with the parameters of gppcore: `PFT_NAMES`, `grass_c4` and `crop_c4`.

>>> from gppcore import PFTS
>>> PFTS["dbf"].vcmax25  # umol m-2 s-1
57.7
"""


@dataclass(frozen=True)
class BepsType:
    """A land cover type of BEPS v4.11 with its own parameters, for ``mode="beps"``.

    Examples
    --------
    >>> from gppcore.constants import BEPS_PFTS
    >>> evergreen = BEPS_PFTS[1]
    >>> evergreen.pft.name, evergreen.pft.vcmax25
    ('enf', 92.204)
    """

    code: int
    """Land cover code of BEPS."""
    vcmax25_mean: float
    """Vcmax25 of the type, umol m-2 s-1 [3]_."""
    nitrogen_factor: float
    """Vcmax25 at the canopy top over `vcmax25_mean`: slope of Vcmax25 on leaf nitrogen [3]_ times nitrogen at the
    mean plus one standard deviation [2]_, over the mean."""
    pft: PlantFunctionalType
    """The type for :func:`gppcore.two_leaf_gpp`; its `vcmax25` is that at the canopy top."""


def _beps(code: int, pft: PlantFunctionalType, vcmax25: float, factor: float, clumping: float) -> BepsType:
    top = replace(pft, vcmax25=vcmax25 * factor, clumping=clumping, g0=0.0175, pathway="C3")
    return BepsType(code, vcmax25, factor, top)


_SHRUB_SLOPE = 0.5 * (32.09 / 61.7 + 33.14 / 54.0)
_HERB_SLOPE = 0.5 * (45.29 / 78.2 + 62.75 / 100.7)
"""Means over evergreen and deciduous shrubs, C3 herbs and crops of slope over Vcmax25 [3]_."""

BEPS_PFTS = {
    beps.code: beps
    for beps in (
        _beps(1, PFTS["enf"], 62.5, 20.72 / 62.5 * 4.45, 0.62),
        _beps(2, PFTS["dnf"], 39.1, 22.05 / 39.1 * 2.45, 0.68),
        _beps(6, PFTS["dbf"], 57.7, 33.79 / 57.7 * 2.45, 0.70),
        _beps(9, PFTS["ebf"], 29.0, 14.02 / 29.0 * 2.97, 0.63),
        _beps(13, PFTS["shrub"], 57.85, _SHRUB_SLOPE * 2.695, 0.70),
        _beps(25, PFTS["grass"], 89.45, _HERB_SLOPE * 2.37, 0.80),
        _beps(40, PFTS["crop_c4"], 30.0, 0.31 * 2.375, 0.73),
    )
}
"""Types of BEPS by its land cover code; 25 stands for grass, C3 crops and all other cover. Leaves of 40, C4, are C3
leaves with other parameters.

>>> from gppcore.constants import BEPS_PFTS
>>> {code: beps.pft.name for code, beps in BEPS_PFTS.items()}
{1: 'enf', 2: 'dnf', 6: 'dbf', 9: 'ebf', 13: 'shrub', 25: 'grass', 40: 'crop_c4'}
"""


PFT_NAMES = ("enf", "ebf", "dnf", "dbf", "mf", "shrub", "grass", "crop")
"""Types that land cover distinguishes; grass and crop are C3 or C4 by `c4_fraction`.

>>> from gppcore.constants import PFT_NAMES
>>> PFT_NAMES
('enf', 'ebf', 'dnf', 'dbf', 'mf', 'shrub', 'grass', 'crop')
"""

C4_OF = {"grass": "grass_c4", "crop": "crop_c4"}
"""C4 counterpart of the types that `c4_fraction` splits.

>>> from gppcore.constants import C4_OF
>>> C4_OF["crop"]
'crop_c4'
"""


@dataclass(frozen=True)
class IgbpClass:
    """A class of the IGBP land cover legend and the plant functional types that it holds.

    Examples
    --------
    >>> from gppcore.constants import IGBP
    >>> savanna = next(each for each in IGBP if each.acronym == "SAV")
    >>> savanna.code, savanna.long_name, dict(savanna.mixture)
    (9, 'savanna', {'mf': 0.2, 'grass': 0.8})
    """

    code: int
    acronym: str
    long_name: str
    mixture: Mapping[str, float]
    """Area shares; mid-values of the tree and crop cover by which the legend defines the class."""


IGBP = (
    IgbpClass(0, "WAT", "water", {}),
    IgbpClass(1, "ENF", "evergreen needleleaf forest", {"enf": 1.0}),
    IgbpClass(2, "EBF", "evergreen broadleaf forest", {"ebf": 1.0}),
    IgbpClass(3, "DNF", "deciduous needleleaf forest", {"dnf": 1.0}),
    IgbpClass(4, "DBF", "deciduous broadleaf forest", {"dbf": 1.0}),
    IgbpClass(5, "MF", "mixed forest", {"mf": 1.0}),
    IgbpClass(6, "CSH", "closed shrubland", {"shrub": 1.0}),
    IgbpClass(7, "OSH", "open shrubland", {"shrub": 1.0}),
    IgbpClass(8, "WSA", "woody savanna", {"mf": 0.45, "grass": 0.55}),
    IgbpClass(9, "SAV", "savanna", {"mf": 0.2, "grass": 0.8}),
    IgbpClass(10, "GRA", "grassland", {"grass": 1.0}),
    IgbpClass(11, "WET", "permanent wetland", {"grass": 1.0}),
    IgbpClass(12, "CRO", "cropland", {"crop": 1.0}),
    IgbpClass(13, "URB", "urban", {}),
    IgbpClass(14, "CVM", "cropland and natural vegetation", {"crop": 0.5, "grass": 0.5}),
    IgbpClass(15, "SNO", "snow and ice", {}),
    IgbpClass(16, "BSV", "barren", {}),
)
"""Classes of the IGBP legend in the order of their codes.

>>> from gppcore.constants import IGBP
>>> IGBP[8].long_name, IGBP[8].mixture
('woody savanna', {'mf': 0.45, 'grass': 0.55})
"""
