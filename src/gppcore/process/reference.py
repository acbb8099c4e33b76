"""The equations of the two-leaf model in plain scalar Python: the readable specification and the tests' oracle.

Every function takes and returns floats and compiles unchanged under ``numba.njit``. The leaf is solved here by
bisection, so that the compiled kernel, which solves a cubic, is checked against another method. Equation
numbers (E1 ...) are repeated in ``cpp/src/kernels``.

The model is the two-leaf canopy of Chen et al. (1999, 2012) with Farquhar C3 or Collatz C4 leaves and
Ball-Berry stomata. Biochemistry runs at air temperature by default; leaf temperature acts through the
humidity at the leaf surface, longwave radiation and stability. The result is defined by `N_PASSES` passes of the energy
balance, not by its convergence.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

from gppcore.constants import TWO_LEAF_CONSTANTS as K
from gppcore.constants import PlantFunctionalType

N_PASSES = 3
GAS_CONSTANT, ZERO_CELSIUS, T_REF = K.gas_constant, K.zero_celsius, K.reference_temperature


class Hour(NamedTuple):
    """Inputs of one canopy hour, in the units of ``gppcore.variables``."""

    sw: float
    tair: float
    vpd: float
    wind: float
    cos_zenith: float
    ca: float
    lai: float
    clumping: float
    soil_water_stress: float
    vcmax25: float
    g1: float
    diffuse_fraction: float
    """Negative: from clearness."""


class Pft(NamedTuple):
    """The numbers of a :class:`gppcore.constants.PlantFunctionalType` that the equations use."""

    g0: float
    albedo: float
    height_overstory: float
    height_understory: float
    stem_area_overstory: float
    stem_area_understory: float
    understory: bool
    c4: bool


class Leaf(NamedTuple):
    """Biochemical state of a leaf at one temperature and light: rates in umol m-2 s-1."""

    vcmax: float
    electron: float
    rd: float
    k: float
    gamma_star: float
    pep_slope: float
    c4: bool


def pft_numbers(pft: PlantFunctionalType) -> Pft:
    """Take the numbers of a plant functional type that the equations use."""
    return Pft(
        pft.g0,
        pft.albedo,
        pft.height_overstory,
        pft.height_understory,
        pft.stem_area_overstory,
        pft.stem_area_understory,
        pft.understory,
        pft.pathway == "C4",
    )


def clamp(x: float, low: float, high: float) -> float:
    """Limit x to [low, high]; NaN stays NaN."""
    if x < low:
        return low
    if x > high:
        return high
    return x


def saturation_vapour_pressure(tair: float) -> float:
    """Return es in kPa at `tair` degC (E1; Murray type)."""
    return K.saturation_pressure * exp(K.saturation_slope * tair / (K.saturation_offset + tair))


def diffuse_share(sw: float, cos_zenith: float) -> float:
    """Return the diffuse share of shortwave from clearness (E2; Chen et al. 1999), 0.13 to 0.97.

    The published polynomial rises again beyond its minimum and then jumps; here it stays at the minimum.
    """
    kt = clamp(sw / (K.solar_constant * cos_zenith), 0.0, K.clearness_limit)
    return K.diffuse_0 + kt * (K.diffuse_1 + kt * (K.diffuse_2 + kt * (K.diffuse_3 + kt * K.diffuse_4)))


def understory_lai(lai: float) -> float:
    """Return LAI of the understory (E3; Liu et al. 2003), fading out smoothly below an overstory of 0.9."""
    w = clamp((lai - K.understory_fade) * 2.0, 0.0, 1.0)
    return K.understory_scale * exp(-K.understory_decay * lai) * w * w * (3.0 - 2.0 * w)


def sunlit(area: float, clumping: float, mu: float) -> float:
    """Return the sunlit part of a leaf area (E4; Norman 1982), spherical leaf angles."""
    return 2.0 * mu * (1.0 - exp(-K.leaf_projection * clumping * area / mu))


def leaf_nitrogen(lai: float, clumping: float, mu: float) -> tuple[float, float]:
    """Return Vcmax of sunlit and shaded leaves over that at the canopy top (E5; Chen et al. 2012)."""
    k, kn = K.leaf_projection * clumping / mu, K.nitrogen_decay
    a1 = 1.0 - exp(-k * lai)
    a2 = (1.0 - exp(-kn * lai)) / kn
    a3 = (1.0 - exp(-(k + kn) * lai)) / (k + kn)
    return k * a3 / a1, (a2 - a3) / (lai - a1 / k)


def arrhenius(energy: float, tair: float) -> float:
    """Return the Arrhenius factor relative to 25 degC (E6)."""
    t = tair + ZERO_CELSIUS
    return exp((t - T_REF) * energy / (T_REF * GAS_CONSTANT * t))


def peaked(tair: float) -> float:
    """Return the temperature factor of Vcmax and Jmax, 1 at 301 K (E7; Harley & Baldocchi 1995)."""
    t = tair + ZERO_CELSIUS
    x = (t - K.peak_temperature) / (GAS_CONSTANT * K.peak_temperature * t)
    hd, ea = K.peak_deactivation, K.peak_energy
    return hd * exp(ea * x) / (hd - ea * (1.0 - exp(hd * x)))


def leaf_c3(vcmax25: float, ppfd: float, tair: float) -> Leaf:
    """Return the state of a C3 leaf (E8; Farquhar et al. 1980, Chen et al. 1999)."""
    factor = peaked(tair)
    vcmax = vcmax25 * factor
    jmax = max(K.jmax_slope * vcmax25 + K.jmax_offset, 0.0) * factor
    electron = jmax * ppfd / max(ppfd + K.jmax_saturation * jmax, 1e-20)
    in_light = 1.0 - (1.0 - K.rd_light_share) * clamp(ppfd / K.rd_light_ppfd, 0.0, 1.0)
    rd = K.rd_to_vcmax * vcmax25 * arrhenius(K.rd_energy, tair) * in_light
    kc = K.kc25 * arrhenius(K.kc_energy, tair)
    ko = K.ko25 * arrhenius(K.ko_energy, tair)
    gamma_star = 500.0 * K.oxygen / (K.tau25 * arrhenius(K.tau_energy, tair))
    return Leaf(vcmax, electron, rd, kc * (1.0 + K.oxygen / ko), gamma_star, 0.0, False)


def leaf_c4(vcmax25: float, ppfd: float, tair: float) -> Leaf:
    """Return the state of a C4 leaf (E9; Collatz et al. 1992)."""
    q10 = K.c4_q10 ** ((tair - K.c4_reference) / 10.0)
    hot, cold = exp(K.c4_hot_slope * (tair - K.c4_hot)), exp(K.c4_cold_slope * (K.c4_cold - tair))
    vcmax = vcmax25 * q10 / ((1.0 + hot) * (1.0 + cold))
    light = K.c4_quantum_yield * ppfd
    return Leaf(vcmax, light, K.c4_rd_to_vcmax * vcmax25 * q10, 0.0, 0.0, K.c4_pep_slope * vcmax25 * q10, True)


def smaller_root(theta: float, a: float, b: float) -> float:
    """Return the smaller root x of theta x^2 - (a + b) x + a b = 0: smooth minimum of a and b (E10)."""
    s = a + b
    return 2.0 * a * b / max(s + sqrt(max(s * s - 4.0 * theta * a * b, 0.0)), 1e-30)


def demand(leaf: Leaf, ci: float) -> float:
    """Return the biochemical demand, net assimilation at `ci` (E11)."""
    if leaf.c4:
        m = smaller_root(K.c4_theta, leaf.vcmax, leaf.electron)
        return smaller_root(K.c4_beta, m, leaf.pep_slope * max(ci, 0.0)) - leaf.rd
    rubisco = leaf.vcmax * (ci - leaf.gamma_star) / (ci + leaf.k)
    light = leaf.electron * (ci - leaf.gamma_star) / (4.0 * ci + 8.0 * leaf.gamma_star)
    return min(rubisco, light, K.sink_limit * leaf.vcmax) - leaf.rd


def solve_leaf(leaf: Leaf, slope: float, g0: float, resistance: float, ca: float) -> float:
    """Return net assimilation where supply meets demand, at least 0 (E12).

    Parameters
    ----------
    leaf : Leaf
        Biochemical state.
    slope : float
        Ball-Berry slope g1 f h_s / 1.6, for CO2.
    g0 : float
        Residual conductance for CO2, mol m-2 s-1.
    resistance : float
        Boundary-layer resistance for CO2, m2 s mol-1.
    ca : float
        CO2 of the air, umol mol-1.
    """
    if not demand(leaf, ca) > 0.0:
        return 0.0
    low, high = 0.0, min(demand(leaf, 1e9), ca / resistance)
    for _ in range(200):
        a = 0.5 * (low + high)
        cs = ca - resistance * a
        ci = cs * ((slope - 1.0) * a + g0 * cs) / (slope * a + g0 * cs)
        if ci > leaf.gamma_star and a < demand(leaf, ci):
            low = a
        else:
            high = a
    return low


def gross_rate(leaf: Leaf, net: float, ca: float) -> float:
    """Return assimilation before respiration at `net`, which is 0 where respiration is the larger (E34)."""
    return min(net + leaf.rd, max(demand(leaf, ca) + leaf.rd, 0.0))


class Air(NamedTuple):
    """Air properties of one hour."""

    e: float
    deficit: float
    slope: float
    heat_capacity: float
    longwave_air: float
    longwave_ground: float


def air_properties(tair: float, vpd: float) -> Air:
    """Return vapour pressure, deficit and slope in kPa, heat capacity, longwave (E13; two-leaf conventions)."""
    es = saturation_vapour_pressure(tair)
    e = max(es - 1e-3 * vpd, K.least_humidity * es)
    dry = K.air_pressure - (1.0 - K.vapour_mass) * e
    cp = K.air_heat * (1.0 + K.vapour_heat * K.vapour_mass * e / dry)
    from_zero = tair + K.saturation_offset
    slope = K.derivative_scale / from_zero**2 * exp(K.derivative_slope * tair / from_zero)
    tk = tair + ZERO_CELSIUS
    emissivity = clamp(1.0 - exp(-exp(tk / K.emissivity_scale * log(10.0 * e))), K.least_emissivity, 1.0)
    black = K.stefan_boltzmann * tk**4
    return Air(e, es - e, slope, K.air_density * cp, emissivity * black, K.ground_emissivity * black)


class Layer(NamedTuple):
    """One layer of the canopy: overstory or understory."""

    lai_sunlit: float
    lai_shaded: float
    plant_sunlit: float
    plant_shaded: float
    absorbed_sunlit: float
    absorbed_shaded: float
    transmission: float
    leaf_resistance: float


def diffuse_transmission(area: float, lai: float, clumping: float) -> float:
    """Return the transmission of diffuse light through `area` (E14; Chen et al. 1999)."""
    return exp(-K.leaf_projection * clumping * area / (K.diffuse_path + K.diffuse_path_slope * lai))


def leaf_boundary_resistance(tair: float, wind: float) -> float:
    """Return the boundary-layer resistance of leaves for vapour, s m-1, at a wind inside the canopy (E15)."""
    viscosity = (K.viscosity + K.viscosity_slope * tair) * 1e-6
    diffusivity = (K.diffusivity + K.diffusivity_slope * tair) * 1e-6
    return min(K.largest_leaf_resistance, K.leaf_boundary / (diffusivity * sqrt(K.leaf_size * wind / viscosity)))


def overstory_layer(
    h: Hour, p: Pft, mu: float, lai: float, diffuse: float, least_scatter: float, wind_top: float
) -> Layer:
    """Return areas, absorbed shortwave and boundary layer of the overstory (E16)."""
    beam = h.sw - diffuse
    plant = lai + p.stem_area_overstory
    scatter = K.scatter_over * beam * max(K.scatter_offset - K.scatter_slope * plant, least_scatter) * exp(-mu)
    shade = diffuse * (1.0 - diffuse_transmission(plant, lai, h.clumping)) / plant + scatter
    sun = min(K.leaf_projection * beam / mu, K.beam_share * K.beam_limit) + shade
    lai_sun, plant_sun = sunlit(lai, h.clumping, mu), sunlit(plant, h.clumping, mu)
    decay = (K.wind_decay + K.wind_decay_slope * wind_top) * (plant * h.clumping) ** (1.0 / 3.0)
    return Layer(
        lai_sun,
        max(lai - lai_sun, 0.0),
        plant_sun,
        max(plant - plant_sun, 0.0),
        sun * (1.0 - p.albedo),
        shade * (1.0 - p.albedo),
        diffuse_transmission(lai, lai, h.clumping),
        leaf_boundary_resistance(h.tair, wind_top * exp(-K.overstory_depth * decay)),
    )


def understory_layer(
    h: Hour,
    p: Pft,
    mu: float,
    lai: float,
    lu: float,
    diffuse: float,
    least_scatter: float,
    over: Layer,
    wind_top: float,
) -> Layer:
    """Return areas, absorbed shortwave and boundary layer of the understory (E17)."""
    beam = h.sw - diffuse
    plant_over, plant = lai + p.stem_area_overstory, lu + p.stem_area_understory
    through = exp(-K.leaf_projection * h.clumping * lai / mu)
    scatter = (
        K.scatter_under * beam * through * max(K.scatter_offset - K.scatter_slope * plant, least_scatter) * exp(-mu)
    )
    shade = diffuse * over.transmission * (1.0 - diffuse_transmission(plant, lu, h.clumping)) / plant + scatter
    sun = min(K.leaf_projection * beam / mu, K.beam_share * K.beam_limit) + shade
    lai_sun = sunlit(lai + lu, h.clumping, mu) - over.lai_sunlit
    plant_sun = sunlit(plant_over + plant, h.clumping, mu) - over.plant_sunlit
    decay = K.understory_decay_offset + plant_over**0.75
    wind = wind_top * exp(-decay * (1.0 - K.displacement * p.height_understory / p.height_overstory))
    return Layer(
        lai_sun,
        max(lu - lai_sun, 0.0),
        plant_sun,
        max(plant - plant_sun, 0.0),
        sun * (1.0 - p.albedo),
        shade * (1.0 - p.albedo),
        diffuse_transmission(lu, lu, h.clumping),
        leaf_boundary_resistance(h.tair, wind),
    )


def net_longwave(air: Air, go: float, gu: float, bo: float, bu: float) -> tuple[float, float]:
    """Return net longwave of over- and understory, W m-2 ground, from black-body fluxes bo, bu (E18)."""
    down = air.longwave_air * go + bo * (1.0 - go)
    up = bu * (1.0 - gu) + air.longwave_ground * gu
    eps = K.leaf_emissivity
    over = (eps * (air.longwave_air + up) - 2.0 * bo) * (1.0 - go) + eps * (1.0 - eps) * (1.0 - gu) * down
    under = (
        (eps * (down + air.longwave_ground) - 2.0 * bu) * (1.0 - gu)
        + 2.0 * (1.0 - eps) * (down * gu + bu * (1.0 - gu))
        + eps * (1.0 - eps) * up * (1.0 - go)
    )
    return over, under


def aerodynamic_resistances(h: Hour, p: Pft, lai: float, heat: float) -> tuple[float, float]:
    """Return the resistances from over- and understory to 30 m, s m-1, with stability from `heat` (E19)."""
    z, ho = K.reference_height - K.displacement * p.height_overstory, p.height_overstory
    profile = log(z / (K.roughness * ho))
    friction = K.von_karman * max(h.wind, K.least_wind) / profile
    buoyancy = -K.von_karman * K.gravity * heat
    inertia = K.stability_density * K.stability_heat * (h.tair + K.stability_zero) * friction**3
    inverse_length = max(K.least_inverse_length, buoyancy / inertia)
    over = (profile + K.stable_slope * z * inverse_length) / (K.von_karman * friction)
    over = clamp(over, K.least_air_resistance, K.largest_air_resistance)
    decay = K.understory_decay_offset + (lai + p.stem_area_overstory) ** 0.75
    if inverse_length > 0.0:
        psi = min(K.stable_limit, 1.0 + K.stable_slope * z * inverse_length)
    else:
        psi = 1.0 / sqrt(1.0 - K.unstable_slope * z * inverse_length)
    diffusion = K.von_karman_canopy * friction * K.canopy_diffusion * ho / psi
    under = ho / (decay * diffusion) * (exp(decay * (1.0 - p.height_understory / ho)) - 1.0)
    return over, over + under


def leaf_surface_humidity(air: Air, tair: float, latent_heat: float, resistance: float) -> float:
    """Return relative humidity (0.05-1) at the leaf surface from `latent_heat` W m-2 leaf (E20)."""
    tk = tair + ZERO_CELSIUS
    vapour = latent_heat * resistance / (K.vaporisation_at_zero - K.vaporisation_slope * tk)
    vapour += 10.0 * K.vapour_density * air.e / tk
    saturated = exp(K.saturation_a - K.saturation_b / tk - K.saturation_c * log(tk))
    return clamp(vapour * tk / K.vapour_density / saturated, K.least_leaf_humidity, 1.0)


def two_leaf(h: Hour, p: Pft, leaf_temperature: bool = False, gross: bool = False) -> tuple[float, float]:
    """Return sunlit and shaded GPP of one hour, umol m-2 s-1 (E21).

    Parameters
    ----------
    h : Hour
        Forcing and canopy; with NaN anywhere the result is NaN.
    p : Pft
        Parameters of the plant functional type.
    leaf_temperature : bool
        Biochemistry at the temperature of each leaf class in the pass before, instead of the air's.
    gross : bool
        GPP before respiration of the leaves (E34).
    """
    if not (h.cos_zenith > 0.0 and h.sw > 0.0 and h.lai > 0.0):
        return 0.0, 0.0
    mu, lai = max(h.cos_zenith, K.low_sun), max(h.lai, K.min_lai)
    stress = h.soil_water_stress
    air = air_properties(h.tair, h.vpd)
    z = K.reference_height - K.displacement * p.height_overstory
    wind_top = K.canopy_top_wind * max(h.wind, K.least_wind) / log(z / (K.roughness * p.height_overstory))
    diffuse = (diffuse_share(h.sw, mu) if h.diffuse_fraction < 0.0 else h.diffuse_fraction) * h.sw
    over = overstory_layer(h, p, mu, lai, diffuse, 0.0, wind_top)
    under = understory_layer(h, p, mu, lai, understory_lai(lai), diffuse, 0.0, over, wind_top)
    sun_share, shade_share = leaf_nitrogen(lai, h.clumping, mu)
    top = h.vcmax25
    # C4 photosynthesis barely responds to a lower Ci, so drought must also act on capacity (Sellers et al. 1996).
    if p.c4:
        top *= stress
    # Resistances in s m-1 times this are those for CO2 in m2 s mol-1.
    per_co2 = K.h2o_to_co2 * (h.tair + ZERO_CELSIUS) * K.molar_volume / (K.molar_temperature * K.air_pressure_bar)
    g0 = p.g0 / K.h2o_to_co2 * (stress if p.c4 else 1.0)
    layers = (over, over, under, under)
    absorbed = (over.absorbed_sunlit, over.absorbed_shaded, under.absorbed_sunlit, under.absorbed_shaded)
    areas = (over.lai_sunlit, over.lai_shaded, under.lai_sunlit, under.lai_shaded)
    v25 = (top * sun_share, top * shade_share, top * sun_share, top * shade_share)
    g_over, g_under = 1.0 / K.first_resistance_over, 1.0 / K.first_resistance_under
    g = [g_over, g_over, g_under, g_under]  # vapour, m s-1
    warm = [K.first_warmth, K.first_warmth, K.first_warmth, K.first_warmth]  # leaf minus air, K
    a = [0.0, 0.0, 0.0, 0.0]
    flux = [0.0, 0.0, 0.0, 0.0]
    heat = 0.0
    for i_pass in range(N_PASSES):
        ra_over, ra_under = aerodynamic_resistances(h, p, lai, heat)
        plant_over = over.plant_sunlit + over.plant_shaded
        plant_under = under.plant_sunlit + under.plant_shaded
        t_over = (warm[0] * over.plant_sunlit + warm[1] * over.plant_shaded) / plant_over
        t_under = (warm[2] * under.plant_sunlit + warm[3] * under.plant_shaded) / plant_under
        black = K.leaf_emissivity * K.stefan_boltzmann
        b_over = black * (h.tair + ZERO_CELSIUS + t_over) ** 4
        b_under = black * (h.tair + ZERO_CELSIUS + t_under) ** 4
        n_over, n_under = net_longwave(air, over.transmission, under.transmission, b_over, b_under)
        for i in range(4):
            ra, rb = (ra_over if i < 2 else ra_under), layers[i].leaf_resistance
            radiation = absorbed[i] + (n_over / plant_over if i < 2 else n_under / plant_under)
            conductance = 1.0 / (ra + rb + 1.0 / g[i])
            per_gamma = air.heat_capacity / K.psychrometer
            latent_heat = conductance * (air.deficit + air.slope * warm[i]) * per_gamma
            hs = leaf_surface_humidity(air, h.tair, latent_heat, rb)
            slope = h.g1 * stress * hs / K.h2o_to_co2
            t_leaf = h.tair + warm[i] if leaf_temperature else h.tair
            ppfd = K.ppfd_per_shortwave * absorbed[i]
            leaf = leaf_c4(v25[i], ppfd, t_leaf) if p.c4 else leaf_c3(v25[i], ppfd, t_leaf)
            a[i] = solve_leaf(leaf, slope, g0, rb * per_co2, h.ca)
            flux[i] = gross_rate(leaf, a[i], h.ca) if gross else a[i]
            cs = h.ca - rb * per_co2 * a[i]
            g[i] = max((slope * a[i] / cs + g0) * per_co2, 1e-12)
            conductance = 1.0 / (ra + rb + 1.0 / g[i])
            sensible = 1.0 / (ra + 0.5 * rb)
            gained = radiation - air.deficit * per_gamma * conductance
            lost = air.heat_capacity * sensible + per_gamma * air.slope * conductance
            warm[i] = clamp(gained / lost, K.coolest_leaf, K.warmest_leaf)
        if i_pass == 0:
            # Later passes keep it: in weak wind an update would let the resistance oscillate between its bounds from
            # pass to pass, and GPP would decrease with light.
            heat = warm[0] * over.plant_sunlit + warm[1] * over.plant_shaded
            heat = max(K.least_heat, heat * air.heat_capacity / (ra_over + 0.5 * over.leaf_resistance))
    thin = min(h.lai / K.min_lai, 1.0)
    with_understory = 1.0 if p.understory else 0.0
    sun = areas[0] * flux[0] + with_understory * areas[2] * flux[2]
    shade = areas[1] * flux[1] + with_understory * areas[3] * flux[3]
    return thin * sun, thin * shade
