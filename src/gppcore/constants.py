"""Constants of the two-leaf model and the table of plant functional types, each with unit and source.

``python -m gppcore.constants`` prints the C++ header with the same numbers (cpp/src/kernels/constants.hpp), and
``python -m gppcore.constants pfts`` that of the types (cpp/src/pfts.hpp); a test compares them with the files.

References
----------
.. [1] Chen, J.M. et al. (1999) Ecol. Model. 124, 99-119. doi:10.1016/S0304-3800(99)00156-8
.. [2] Chen, J.M. et al. (2012) Global Biogeochem. Cycles 26, GB1019. doi:10.1029/2010GB003996
.. [3] Kattge, J. et al. (2009) Glob. Change Biol. 15, 976-991. doi:10.1111/j.1365-2486.2008.01744.x
.. [4] Harley, P.C. & Baldocchi, D.D. (1995) Plant Cell Environ. 18, 1146-1156.
.. [5] Collatz, G.J. et al. (1991) Agric. For. Meteorol. 54, 107-136. doi:10.1016/0168-1923(91)90002-8
.. [6] Collatz, G.J. et al. (1992) Aust. J. Plant Physiol. 19, 519-538. doi:10.1071/PP9920519
.. [7] Medlyn, B.E. et al. (1999) Plant Cell Environ. 22, 1475-1495.
.. [8] Ju, W. et al. (2006) Agric. For. Meteorol. 140, 181-202. doi:10.1016/j.agrformet.2006.03.016
.. [9] de Pury, D.G.G. & Farquhar, G.D. (1997) Plant Cell Environ. 20, 537-557.
.. [10] Norman, J.M. (1982) in Biometeorology in Integrated Pest Management, 65-99.
.. [11] Liu, J. et al. (2003), as cited for the understory by BEPS.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

EARTH_RADIUS = 6371007.2
"""Radius of the sphere with the surface of the GRS80 ellipsoid, m (Moritz 2000, J. Geodesy 74, 128-133)."""


@dataclass(frozen=True)
class TwoLeafConstants:
    """Constants shared by all plant functional types: leaves, air, light and wind.

    Rates refer to 25 degC, energies are activation energies. "Two-leaf conventions" are relations that published
    two-leaf codes share without citing a paper.

    Examples
    --------
    >>> from gppcore.constants import TwoLeafConstants
    >>> TwoLeafConstants().ppfd_per_shortwave
    2.275
    """

    # Biochemistry of leaves (E5-E11).

    gas_constant: float = 8.314
    """J mol-1 K-1."""
    zero_celsius: float = 273.15
    """K."""
    reference_temperature: float = 298.16
    """K; of the Arrhenius functions [4]_."""
    kc25: float = 274.6
    """Michaelis constant for CO2, umol mol-1 [4]_."""
    kc_energy: float = 80500.0
    """J mol-1 [4]_."""
    ko25: float = 419.8
    """Michaelis constant for O2, mmol mol-1 [4]_."""
    ko_energy: float = 14500.0
    """J mol-1 [4]_."""
    oxygen: float = 210.0
    """O2 mole fraction, mmol mol-1."""
    tau25: float = 2904.12
    """Specificity of Rubisco [4]_."""
    tau_energy: float = -29000.0
    """J mol-1 [4]_."""
    rd_energy: float = 38000.0
    """Dark respiration, J mol-1 [4]_."""
    rd_to_vcmax: float = 0.004657
    """Dark respiration over Vcmax at 25 degC, C3 [4]_."""
    rd_light_share: float = 0.4
    """Respiration left in light [2]_; reached at `rd_light_ppfd`."""
    rd_light_ppfd: float = 10.0
    """Absorbed PPFD, umol m-2 s-1, where the inhibition of respiration is full."""
    peak_energy: float = 55000.0
    """Vcmax and Jmax below their optimum, J mol-1 [4]_."""
    peak_deactivation: float = 200000.0
    """Vcmax and Jmax above their optimum, J mol-1 [4]_."""
    peak_temperature: float = 301.0
    """Optimum of Vcmax and Jmax, K [4]_."""
    jmax_slope: float = 2.39
    """Jmax25 = slope Vcmax25 + offset [7]_."""
    jmax_offset: float = -14.2
    """umol m-2 s-1 [7]_."""
    jmax_saturation: float = 2.1
    """J = Jmax I / (I + 2.1 Jmax) [1]_."""
    sink_limit: float = 0.5
    """Sucrose-limited rate over Vcmax [5]_."""
    ppfd_per_shortwave: float = 2.275
    """umol J-1: half of shortwave is photosynthetically active, 4.55 umol J-1 [1]_."""
    nitrogen_decay: float = 0.3
    """Decay of leaf nitrogen per unit LAI [2]_, [9]_."""
    h2o_to_co2: float = 1.6
    """Ratio of the diffusivities of water vapour and CO2."""
    c4_quantum_yield: float = 0.05
    """mol CO2 per mol absorbed photons [6]_."""
    c4_pep_slope: float = 0.02
    """Initial slope of the CO2 response over Vcmax25, (umol mol-1)-1 [6]_."""
    c4_q10: float = 2.0
    """[6]_."""
    c4_rd_to_vcmax: float = 0.025
    """[6]_."""
    c4_theta: float = 0.80
    """Co-limitation of Rubisco and light [6]_."""
    c4_beta: float = 0.95
    """Co-limitation with PEP carboxylase [6]_."""

    # Air: vapour pressure, heat, longwave (E1, E13, E20).
    saturation_pressure: float = 0.61078
    """Saturation vapour pressure at 0 degC, kPa (Murray type)."""
    saturation_slope: float = 17.3
    """Exponent of saturation over T / (T + `saturation_offset`); two-leaf conventions."""
    saturation_offset: float = 237.3
    """degC."""
    derivative_scale: float = 2503.0
    """kPa K: of the slope of saturation over temperature; two-leaf conventions."""
    derivative_slope: float = 17.27
    """Exponent of that slope over T / (T + `saturation_offset`)."""
    least_humidity: float = 0.01
    """Least vapour pressure over saturation."""
    saturation_a: float = 54.8781919
    """log e = a - b / T - c log(T), e in hPa and T and b in K (E20); two-leaf conventions."""
    saturation_b: float = 6790.4985
    saturation_c: float = 5.02808
    vapour_density: float = 0.2165
    """Density of vapour times T over vapour pressure, kg m-3 K hPa-1: molar mass over R."""
    vaporisation_at_zero: float = 3149000.0
    """Latent heat of vaporisation extrapolated to 0 K, J kg-1; two-leaf conventions."""
    vaporisation_slope: float = 2370.0
    """Its decrease with temperature, J kg-1 K-1."""
    psychrometer: float = 0.066
    """Psychrometric constant, kPa K-1."""
    air_density: float = 1.292
    """At 0 degC, kg m-3."""
    air_heat: float = 1004.65
    """Specific heat of dry air, J kg-1 K-1."""
    vapour_heat: float = 0.84
    """Specific heat of vapour over that of dry air, less 1."""
    vapour_mass: float = 0.622
    """Molar mass of vapour over that of dry air."""
    air_pressure: float = 101.35
    """kPa."""
    emissivity_scale: float = 1200.0
    """K: emissivity of the air is 1 - exp(-(10 e)^(T / scale)); two-leaf conventions."""
    least_emissivity: float = 0.7
    """Of the air."""
    stefan_boltzmann: float = 5.67e-8
    """W m-2 K-4."""
    leaf_emissivity: float = 0.98
    """Two-leaf conventions."""
    ground_emissivity: float = 0.96
    """Two-leaf conventions."""
    molar_volume: float = 0.022624
    """m3 mol-1 at `molar_temperature` and 1 bar; two-leaf conventions."""
    molar_temperature: float = 273.16
    """K."""
    air_pressure_bar: float = 1.013
    """bar."""

    # Light and leaf area (E2-E4, E14, E16, E17, E22, E23).
    solar_constant: float = 1367.0
    """W m-2."""
    clearness_limit: float = 0.7591
    """Clearness at which the polynomial of the diffuse share is least."""
    diffuse_0: float = 0.943
    """Diffuse share of shortwave over clearness, coefficients of powers 0 to 4 [1]_."""
    diffuse_1: float = 0.734
    diffuse_2: float = -4.9
    diffuse_3: float = 1.796
    diffuse_4: float = 2.058
    clear_clearness: float = 0.8
    """Clearness above which BEPS takes a diffuse share of `clear_diffuse` (E22)."""
    clear_diffuse: float = 0.13
    low_sun: float = 0.001
    """Cosine of the zenith angle below which BEPS takes clearness 0, and the least in default mode."""
    min_lai: float = 0.1
    """Least LAI whose light is computed, m2 m-2."""
    understory_scale: float = 1.18
    """LAI of the understory is scale exp(-decay LAI) [11]_, m2 m-2."""
    understory_decay: float = 0.99
    understory_fade: float = 0.4
    """LAI of the overstory at which the understory fades in, m2 m-2."""
    absent_understory: float = 0.01
    """LAI of an understory that is absent (E23), m2 m-2."""
    leaf_projection: float = 0.5
    """Projection of spherically distributed leaves [10]_."""
    diffuse_path: float = 0.537
    """Cosine of the mean path of diffuse light at LAI 0 [1]_."""
    diffuse_path_slope: float = 0.025
    """Its increase per LAI [1]_."""
    scatter_over: float = 0.07
    """Multiple scattering of beams in the overstory [1]_."""
    scatter_under: float = 0.05
    """The same in the understory [1]_."""
    scatter_offset: float = 1.1
    """Multiple scattering falls with plant area: offset - slope P [1]_."""
    scatter_slope: float = 0.1
    beam_limit: float = 1362.0
    """Solar constant that bounds beams on a leaf, W m-2; two-leaf conventions."""
    beam_share: float = 0.7
    """Largest beam on a leaf over `beam_limit`."""

    # Wind and resistances (E15, E19).
    reference_height: float = 30.0
    """Height of the wind, m."""
    displacement: float = 0.8
    """Displacement height over canopy height."""
    roughness: float = 0.08
    """Roughness length over canopy height."""
    von_karman: float = 0.4
    """Of the wind profile."""
    von_karman_canopy: float = 0.41
    """Of diffusion inside the canopy."""
    canopy_diffusion: float = 0.2
    """Diffusivity over friction velocity, canopy height and `von_karman_canopy`."""
    canopy_top_wind: float = 1.1
    """Wind at the canopy top: this over log profile times the wind."""
    least_wind: float = 0.05
    """m s-1."""
    gravity: float = 9.8
    """m s-2."""
    stability_density: float = 1.225
    """Density of air in the Obukhov length, kg m-3."""
    stability_heat: float = 1010.0
    """Specific heat of air in the Obukhov length, J kg-1 K-1."""
    stability_zero: float = 273.3
    """0 degC in the Obukhov length, K; two-leaf conventions."""
    stable_slope: float = 5.0
    """Stability function of stable air, 1 + slope z / L."""
    unstable_slope: float = 16.0
    """Of unstable air, (1 - slope z / L)^(-1/2)."""
    stable_limit: float = 10.0
    """Largest stability function."""
    least_inverse_length: float = -2.0
    """Least inverse Obukhov length, m-1."""
    least_heat: float = -200.0
    """Least sensible heat, W m-2."""
    least_air_resistance: float = 2.0
    """s m-1."""
    largest_air_resistance: float = 100.0
    """s m-1."""
    viscosity: float = 13.3
    """Kinematic viscosity of air at 0 degC, 1e-6 m2 s-1."""
    viscosity_slope: float = 0.07
    """Per degC."""
    diffusivity: float = 18.9
    """Diffusivity of heat at 0 degC, 1e-6 m2 s-1."""
    diffusivity_slope: float = 0.07
    """Per degC."""
    leaf_size: float = 0.1
    """m."""
    leaf_boundary: float = 0.05
    """m: `leaf_size` over the Nusselt factor 2."""
    largest_leaf_resistance: float = 40.0
    """Of the boundary layer, s m-1."""
    wind_decay: float = 0.167
    """Decay of wind in the overstory (plant area x clumping)^(1/3) times decay + slope u."""
    wind_decay_slope: float = 0.179
    """s m-1."""
    overstory_depth: float = 0.2
    """Depth of overstory leaves below the top over canopy height."""
    understory_decay_offset: float = 0.1
    """Decay of wind below the overstory: offset + P^(3/4)."""

    # Leaves in the energy balance (E20, E21).
    first_resistance_over: float = 200.0
    """Of stomata for vapour at the start, over- and understory, s m-1."""
    first_resistance_under: float = 300.0
    first_warmth: float = -0.5
    """Leaf minus air temperature at the start, K."""
    coolest_leaf: float = -3.0
    """Least leaf minus air temperature, K."""
    warmest_leaf: float = 5.0
    """Largest leaf minus air temperature, K."""
    least_leaf_humidity: float = 0.05
    """Least relative humidity at the leaf surface."""
    c4_reference: float = 25.0
    """Temperature of the rates of C4 leaves, degC [6]_."""
    c4_hot: float = 40.0
    """degC where Vcmax of C4 leaves is halved by heat [6]_."""
    c4_hot_slope: float = 0.3
    """K-1 [6]_."""
    c4_cold: float = 15.0
    """degC where it is halved by cold [6]_."""
    c4_cold_slope: float = 0.2
    """K-1 [6]_."""


TWO_LEAF_CONSTANTS = TwoLeafConstants()


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
"""Plant functional types by name, with the parameters of gppcore: `PFT_NAMES`, `grass_c4` and `crop_c4`."""


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
leaves with other parameters."""


PFT_NAMES = ("enf", "ebf", "dnf", "dbf", "mf", "shrub", "grass", "crop")
"""Types that land cover distinguishes; grass and crop are C3 or C4 by `c4_fraction`."""

C4_OF = {"grass": "grass_c4", "crop": "crop_c4"}
"""C4 counterpart of the types that `c4_fraction` splits."""


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
"""Classes of the IGBP legend in the order of their codes."""


def cpp_header() -> str:
    """Return the C++ header that holds the numbers of :class:`TwoLeafConstants`."""
    lines = [
        "// Made by `python -m gppcore.constants` from src/gppcore/constants.py, where units and sources stand.",
        "#pragma once",
        "",
        "namespace gppcore::constants {",
        "",
        *(f"constexpr double {f.name} = {getattr(TWO_LEAF_CONSTANTS, f.name)!r};" for f in fields(TwoLeafConstants)),
        "",
        "}  // namespace gppcore::constants",
    ]
    return "\n".join(lines)


def cpp_pfts() -> str:
    """Return the C++ header that holds :data:`PFTS`."""

    def literal(value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return f'"{value}"' if isinstance(value, str) else repr(value)

    numbers = [f for f in fields(PlantFunctionalType) if f.name not in ("name", "long_name", "understory", "pathway")]
    lines = [
        "// Made by `python -m gppcore.constants pfts` from src/gppcore/constants.py, where units and sources stand.",
        "#pragma once",
        "",
        "namespace gppcore {",
        "",
        "struct Pft {",
        "  const char* name;",
        *(f"  double {f.name};" for f in numbers),
        "  bool understory, c4;",
        "};",
        "",
        "constexpr Pft kPfts[] = {",
        *(
            "    {"
            + ", ".join(
                literal(value)
                for value in (p.name, *(getattr(p, f.name) for f in numbers), p.understory, p.pathway == "C4")
            )
            + "},"
            for p in _PFT_TABLE
        ),
        "};",
        "",
        "}  // namespace gppcore",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(cpp_pfts() if sys.argv[1:] == ["pfts"] else cpp_header())
