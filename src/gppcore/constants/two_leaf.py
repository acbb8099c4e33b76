"""Constants of the two-leaf model, the same for all plant functional types, each with unit and source.

References
----------
.. [1] Chen, J.M. et al. (1999) Ecol. Model. 124, 99-119. doi:10.1016/S0304-3800(99)00156-8
.. [2] Chen, J.M. et al. (2012) Global Biogeochem. Cycles 26, GB1019. doi:10.1029/2010GB003996
.. [4] Harley, P.C. & Baldocchi, D.D. (1995) Plant Cell Environ. 18, 1146-1156.
.. [5] Collatz, G.J. et al. (1991) Agric. For. Meteorol. 54, 107-136. doi:10.1016/0168-1923(91)90002-8
.. [6] Collatz, G.J. et al. (1992) Aust. J. Plant Physiol. 19, 519-538. doi:10.1071/PP9920519
.. [7] Medlyn, B.E. et al. (1999) Plant Cell Environ. 22, 1475-1495.
.. [9] de Pury, D.G.G. & Farquhar, G.D. (1997) Plant Cell Environ. 20, 537-557.
.. [10] Norman, J.M. (1982) in Biometeorology in Integrated Pest Management, 65-99.
.. [11] Liu, J. et al. (2003), as cited for the understory by BEPS.
"""

from __future__ import annotations

from dataclasses import dataclass


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
"""The constants of the kernels.

>>> from gppcore.constants import TWO_LEAF_CONSTANTS
>>> TWO_LEAF_CONSTANTS.reference_temperature  # K
298.16
"""
