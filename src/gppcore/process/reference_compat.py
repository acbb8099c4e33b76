"""BEPS as published, in plain scalar Python: the readable specification of ``mode="beps"``.

Equations continue the numbers of :mod:`gppcore.process.reference`, whose functions serve where both models agree.
What differs is what BEPS does, also where it is wrong: a rate chosen before the leaf is solved, the roots of its
cubic sorted by sign, 273.13 K, a latent heat fed with degC. Written from a description of the published model
and from tables of its results; no line of BEPS is used.
"""

from __future__ import annotations

from math import acos, cos, exp, log, pi, sqrt
from typing import NamedTuple

from gppcore.constants import TWO_LEAF_CONSTANTS as K
from gppcore.process.reference import (
    ZERO_CELSIUS,
    Air,
    Hour,
    Layer,
    Pft,
    aerodynamic_resistances,
    air_properties,
    arrhenius,
    clamp,
    leaf_nitrogen,
    net_longwave,
    overstory_layer,
    peaked,
    understory_layer,
)

N_STEPS = 10
MAX_PASSES = 23
CONVERGED = 0.02
"""Change in leaf temperature, K, below which a sub-step ends."""
WARM_BIAS = -0.02
"""BEPS takes 0 degC as 273.13 K in leaves: the air seems 0.02 K cooler."""
FIRST_HEAT = 1.0
"""Initial sensible heat per degree of air temperature, W m-2 K-1, as in BEPS."""
THIN_LAI = 1e-3
"""Minimum LAI of the nitrogen profile, which loses all precision below it."""
ANY_SCATTER = -1e300
"""Multiple scattering may be negative, as it is for a plant area above 11."""
FIRST_CI = 0.7
"""CO2 inside the leaf over that of the air as a sub-step begins."""
VAPORISATION_AT_ZERO = 3149333.0
"""Latent heat at 0 K, J kg-1, of which BEPS takes 2370 per degC."""
STILL_RESISTANCE = 200.0
"""Every resistance of the air in calm, s m-1."""


class Biochemistry(NamedTuple):
    """State of a leaf at one temperature and light: rates in umol m-2 s-1, mole fractions in umol mol-1."""

    vcmax: float
    electron: float
    rd: float
    k: float
    gamma_star: float


class Exchange(NamedTuple):
    """Gas exchange of a leaf: net assimilation, conductance for vapour in mol m-2 s-1, intercellular CO2."""

    assimilation: float
    conductance: float
    ci: float


def diffuse_share(sw: float, cos_zenith: float) -> float:
    """Return the diffuse share of shortwave (E22): the polynomial of E2, without its floor, and 0.13 above kt 0.8."""
    kt = 0.0 if cos_zenith < K.low_sun else sw / (K.solar_constant * cos_zenith)
    if kt > K.clear_clearness:
        return K.clear_diffuse
    return K.diffuse_0 + kt * (K.diffuse_1 + kt * (K.diffuse_2 + kt * (K.diffuse_3 + kt * K.diffuse_4)))


def understory_lai(lai: float, understory: bool) -> float:
    """Return LAI of the understory (E23): E3 without fading; 0.01 where there is none or it exceeds the overstory."""
    lu = K.understory_scale * exp(-K.understory_decay * lai)
    return lu if understory and lu <= lai else K.absent_understory


def biochemistry(vcmax25: float, ppfd: float, tair: float) -> Biochemistry:
    """Return the state of a leaf (E24): E8 with thresholds of light, and Jmax25 below 0 for Vcmax25 under 5.94."""
    t = tair + WARM_BIAS
    factor = peaked(t)
    light = 0.0 if 2.0 * ppfd < 1.0 else ppfd
    jmax = (K.jmax_slope * vcmax25 + K.jmax_offset) * factor
    electron = jmax * light / (light + K.jmax_saturation * jmax) if light > 0.0 else 0.0
    rd = K.rd_to_vcmax * vcmax25 * arrhenius(K.rd_energy, t)
    if 2.0 * light > K.rd_light_ppfd:
        rd *= K.rd_light_share
    kc = K.kc25 * arrhenius(K.kc_energy, t)
    ko = K.ko25 * arrhenius(K.ko_energy, t)
    gamma_star = 500.0 * K.oxygen / (K.tau25 * arrhenius(K.tau_energy, t))
    return Biochemistry(vcmax25 * factor, electron, rd, kc * (1.0 + K.oxygen / ko), gamma_star)


def leaf_surface_humidity(e: float, tair: float, t_leaf: float, latent_heat: float, resistance: float) -> float:
    """Return relative humidity at the leaf surface (E25): E20 with latent heat evaluated in degC; not limited."""
    tk = tair + WARM_BIAS + ZERO_CELSIUS
    vapour = latent_heat * resistance / (VAPORISATION_AT_ZERO - K.vaporisation_slope * t_leaf)
    vapour += 10.0 * K.vapour_density * e / tk
    saturated = exp(K.saturation_a - K.saturation_b / tk - K.saturation_c * log(tk))
    return vapour * tk / K.vapour_density / saturated


def residual_root(a: float, b: float, d: float, rd: float, g0: float, gb: float, ca: float) -> float:
    """Return net assimilation at the residual conductance (E26): smaller root of a quadratic, at least 0."""
    g = g0 * gb / (g0 + gb)
    linear = g * (ca + b) - rd + a
    constant = g * (a * (ca - d) - rd * (ca + b))
    return max(0.5 * (linear - sqrt(max(linear * linear - 4.0 * constant, 0.0))), 0.0)


def sorted_root(p: float, q: float, r: float) -> float:
    """Return the root of A^3 + p A^2 + q A + r that BEPS takes by the signs of all three (E27; Baldocchi 1994).

    0 stands for none: for signs that no rule covers, and where two roots are complex and the discriminant negative.
    If roots are complex, the cosine is limited to [-1, 1]; the result is then not a root.
    """
    h = (p * p - 3.0 * q) / 9.0
    if not h > 0.0:
        return 0.0
    u = (2.0 * p * p * p - 9.0 * p * q + 27.0 * r) / 54.0
    angle = acos(clamp(u / sqrt(h * h * h), -1.0, 1.0))
    scale, shift = -2.0 * sqrt(h), -p / 3.0
    # By construction low <= middle <= high for an angle in [0, pi].
    low = scale * cos(angle / 3.0) + shift
    middle = scale * cos((angle - 2.0 * pi) / 3.0) + shift
    high = scale * cos((angle + 2.0 * pi) / 3.0) + shift
    if low > 0.0:
        return low
    if low < 0.0 and middle < 0.0:
        return max(high, 0.0)
    if low < 0.0 and middle > 0.0:
        return middle
    return 0.0


def exchange(leaf: Biochemistry, slope: float, g0: float, gb: float, ca: float, ci: float) -> Exchange:
    """Return assimilation, stomatal conductance and CO2 of a leaf (E28; Baldocchi 1994).

    Parameters
    ----------
    leaf : Biochemistry
        Rates at the leaf's temperature and light.
    slope : float
        Ball-Berry slope g1 f h_s / 1.6, for CO2.
    g0, gb : float
        Residual and boundary-layer conductance for CO2, mol m-2 s-1.
    ca : float
        CO2 of the air, umol mol-1.
    ci : float
        Guess of CO2 inside the leaf, which alone decides the limiting rate.
    """
    rubisco = leaf.vcmax * (ci - leaf.gamma_star) / (ci + leaf.k)
    light = leaf.electron * (ci - leaf.gamma_star) / (4.0 * ci + 8.0 * leaf.gamma_star)
    a, b = leaf.vcmax, leaf.k
    if light < rubisco:
        a, b = 0.25 * leaf.electron, 2.0 * leaf.gamma_star
    d, rd = leaf.gamma_star, leaf.rd
    net = 0.0
    if min(light, rubisco) > rd:
        alpha = 1.0 + g0 / gb - slope
        beta = ca * (gb * slope - 2.0 * g0 - gb)
        gamma = ca * ca * gb * g0
        theta = gb * slope - g0
        p = (beta + b * theta + (rd - a) * alpha) / alpha
        q = (gamma + b * gamma / ca + (rd - a) * beta + (a * d + rd * b) * theta) / alpha
        r = ((rd - a) * gamma + (a * d + rd * b) * gamma / ca) / alpha
        net = sorted_root(p, q, r)
    if not net > 0.0:
        net = residual_root(a, b, d, rd, g0, gb, ca)
    net = max(min(net, K.sink_limit * leaf.vcmax - rd), 0.0)
    cs = ca - net / gb
    conductance = slope * net / cs + g0
    return Exchange(net, K.h2o_to_co2 * conductance, cs - net / conductance)


class Sky(NamedTuple):
    """Quantities that are constant within an hour."""

    air: Air
    over: Layer
    under: Layer


def sky(h: Hour, p: Pft) -> Sky:
    """Return air, light and boundary layers of one hour (E29): E13 to E17 with E22 and E23."""
    mu, lai = h.cos_zenith, max(h.lai, K.min_lai)
    z = K.reference_height - K.displacement * p.height_overstory
    wind_top = K.canopy_top_wind * max(h.wind, K.least_wind) / log(z / (K.roughness * p.height_overstory))
    share = clamp(diffuse_share(h.sw, mu), 0.0, 1.0) if h.diffuse_fraction < 0.0 else h.diffuse_fraction
    diffuse = share * h.sw
    over = overstory_layer(h, p, mu, lai, diffuse, ANY_SCATTER, wind_top)
    lu = understory_lai(lai, p.understory)
    under = understory_layer(h, p, mu, lai, lu, diffuse, ANY_SCATTER, over, wind_top)
    return Sky(air_properties(h.tair, h.vpd), over, under)


class Paths(NamedTuple):
    """Resistances of the air, s m-1: from each layer to 30 m, and of the boundary layer of its leaves."""

    ra_over: float
    ra_under: float
    rb_over: float
    rb_under: float


def paths(h: Hour, p: Pft, s: Sky, heat: float) -> Paths:
    """Return the resistances of the air (E30): E15 and E19, all the same in calm."""
    if h.wind == 0.0:
        return Paths(STILL_RESISTANCE, STILL_RESISTANCE, STILL_RESISTANCE, STILL_RESISTANCE)
    ra_over, ra_under = aerodynamic_resistances(h, p, max(h.lai, K.min_lai), heat)
    return Paths(ra_over, ra_under, s.over.leaf_resistance, s.under.leaf_resistance)


def longwave(s: Sky, t: list[float]) -> tuple[float, float]:
    """Return net longwave of the leaves of both layers, W m-2 leaf, at leaf temperatures `t` degC (E18)."""
    plant_over = s.over.plant_sunlit + s.over.plant_shaded
    plant_under = s.under.plant_sunlit + s.under.plant_shaded
    t_over = (t[0] * s.over.plant_sunlit + t[1] * s.over.plant_shaded) / plant_over
    t_under = (t[2] * s.under.plant_sunlit + t[3] * s.under.plant_shaded) / plant_under
    black = K.leaf_emissivity * K.stefan_boltzmann
    b_over, b_under = black * (t_over + ZERO_CELSIUS) ** 4, black * (t_under + ZERO_CELSIUS) ** 4
    n_over, n_under = net_longwave(s.air, s.over.transmission, s.under.transmission, b_over, b_under)
    return n_over / plant_over, n_under / plant_under


class Leaves(NamedTuple):
    """State of the four leaf classes, changed by each pass."""

    assimilation: list[float]
    conductance: list[float]
    """For vapour, m s-1."""
    ci: list[float]
    temperature: list[float]
    """degC."""


def energy_pass(
    h: Hour, p: Pft, s: Sky, leaves: list[Biochemistry], w: Paths, before: list[float], state: Leaves
) -> None:
    """Solve all leaf classes and their temperatures once (E31), from the temperatures `before` and the last stomata."""
    # From mol m-2 s-1 to m s-1.
    per_mol = (h.tair + WARM_BIAS + ZERO_CELSIUS) * K.molar_volume / (K.molar_temperature * K.air_pressure_bar)
    air, per_gamma = s.air, s.air.heat_capacity / K.psychrometer
    n_over, n_under = longwave(s, before)
    absorbed = (s.over.absorbed_sunlit, s.over.absorbed_shaded, s.under.absorbed_sunlit, s.under.absorbed_shaded)
    for i in range(4):
        ra, rb = (w.ra_over, w.rb_over) if i < 2 else (w.ra_under, w.rb_under)
        vapour = 1.0 / (ra + rb + 1.0 / state.conductance[i])
        latent_heat = vapour * (air.deficit + air.slope * (before[i] - h.tair)) * per_gamma
        hs = leaf_surface_humidity(air.e, h.tair, before[i], latent_heat, rb)
        slope = h.g1 * h.soil_water_stress * hs / K.h2o_to_co2
        gb = 1.0 / (rb * K.h2o_to_co2 * per_mol)
        x = exchange(leaves[i], slope, p.g0 / K.h2o_to_co2, gb, h.ca, state.ci[i])
        state.assimilation[i], state.ci[i] = x.assimilation, x.ci
        state.conductance[i] = x.conductance * per_mol
        vapour = 1.0 / (ra + rb + 1.0 / state.conductance[i])
        radiation = absorbed[i] + (n_over if i < 2 else n_under)
        gained = radiation - air.deficit * per_gamma * vapour
        lost = air.heat_capacity / (ra + 0.5 * rb) + per_gamma * air.slope * vapour
        state.temperature[i] = h.tair + clamp(gained / lost, K.coolest_leaf, K.warmest_leaf)


def leaf_assimilation(h: Hour, p: Pft, s: Sky, leaves: list[Biochemistry]) -> list[float]:
    """Return net assimilation of the leaf classes after ten sub-steps of the energy balance (E32).

    A sub-step forgets stomata and CO2 but keeps leaf temperatures and heat. It ends when no temperature changes by
    0.02 K, and then keeps those that its last pass began with; without that after 23 passes, leaves start at air
    temperature again.
    """
    before = [h.tair + K.first_warmth, h.tair + K.first_warmth, h.tair + K.first_warmth, h.tair + K.first_warmth]
    state = Leaves([0.0] * 4, [0.0] * 4, [0.0] * 4, [0.0] * 4)
    heat = FIRST_HEAT * h.tair
    for _ in range(N_STEPS):
        for i in range(4):
            state.conductance[i] = 1.0 / K.first_resistance_over if i < 2 else 1.0 / K.first_resistance_under
            state.ci[i] = FIRST_CI * h.ca
        for _ in range(MAX_PASSES):
            w = paths(h, p, s, heat)
            energy_pass(h, p, s, leaves, w, before, state)
            t = state.temperature
            gained = (t[0] - h.tair) * s.over.plant_sunlit + (t[1] - h.tair) * s.over.plant_shaded
            heat = gained * s.air.heat_capacity / (w.ra_over + 0.5 * w.rb_over)
            change = 0.0
            for i in range(4):
                change = max(change, abs(t[i] - before[i]))
            if change < CONVERGED:
                break
            for i in range(4):
                before[i] = t[i]
        else:
            for i in range(4):
                before[i] = h.tair
        heat = max(heat, K.least_heat)
    return state.assimilation


def two_leaf_classes(h: Hour, p: Pft) -> tuple[float, float, float, float]:
    """Return GPP of one hour by leaf class, umol m-2 s-1 (E33): over- then understory, sunlit then shaded.

    Parameters
    ----------
    h : Hour
        Forcing and canopy. `vcmax25` is that at the canopy top.
    p : Pft
        Parameters of the plant functional type. Its pathway has no effect: all leaves are C3.
    """
    if not (h.cos_zenith > 0.0 and h.sw > 0.0 and h.lai > 0.0):
        return 0.0, 0.0, 0.0, 0.0
    s = sky(h, p)
    sun, shade = leaf_nitrogen(max(h.lai, THIN_LAI), h.clumping, h.cos_zenith)
    per_rad = K.ppfd_per_shortwave
    leaves = [
        biochemistry(h.vcmax25 * sun, per_rad * s.over.absorbed_sunlit, h.tair),
        biochemistry(h.vcmax25 * shade, per_rad * s.over.absorbed_shaded, h.tair),
        biochemistry(h.vcmax25 * sun, per_rad * s.under.absorbed_sunlit, h.tair),
        biochemistry(h.vcmax25 * shade, per_rad * s.under.absorbed_shaded, h.tair),
    ]
    a = leaf_assimilation(h, p, s, leaves)
    return (
        a[0] * s.over.lai_sunlit,
        a[1] * s.over.lai_shaded,
        a[2] * s.under.lai_sunlit,
        a[3] * s.under.lai_shaded,
    )


def two_leaf(h: Hour, p: Pft) -> tuple[float, float]:
    """Return sunlit and shaded GPP of one hour, umol m-2 s-1: :func:`two_leaf_classes` over both layers."""
    over_sun, over_shade, under_sun, under_shade = two_leaf_classes(h, p)
    return over_sun + under_sun, over_shade + under_shade
