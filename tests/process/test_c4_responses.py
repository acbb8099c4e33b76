"""C4 leaves against the published maize leaf of Collatz et al. (1992) and measured quantum yields."""

import numpy as np
import pytest

from gppcore.process.leaf import leaf_gas_exchange

# Collatz, G.J. et al. (1992) Aust. J. Plant Physiol. 19, 519-538: capacity, initial slope of the CO2 response
# (mol m-2 s-1), curvatures of light and CO2, respiration at 25 degC. The model takes 0.02 of capacity as the slope,
# 0.80 and 0.95 as curvatures and 0.025 of capacity as respiration, as land models do; both take 0.05 as quantum yield.
VMAX, SLOPE, THETA, BETA, RD, QUANTUM_YIELD = 39.0, 0.7, 0.83, 0.93, 0.8, 0.05


def maize(ppfd, ci):
    """Return the net assimilation of the published leaf at 25 degC, by the roots of its two quadratics."""
    # Capacity is limited at 13 and 36 degC, by 0.063 at 25 degC.
    capacity = VMAX / ((1.0 + np.exp(0.3 * (13.0 - 25.0))) * (1.0 + np.exp(0.3 * (25.0 - 36.0))))
    light = np.roots([THETA, -(capacity + QUANTUM_YIELD * ppfd), capacity * QUANTUM_YIELD * ppfd]).real.min()
    return np.roots([BETA, -(light + SLOPE * ci), light * SLOPE * ci]).real.min() - RD


def leaf(ppfd, ca, tair=25.0, vcmax25=VMAX):
    """Return (assimilation, ci) of leaves with open stomata in still moist air."""
    flux = leaf_gas_exchange(
        vcmax25=vcmax25,
        ppfd=np.asarray(ppfd, dtype=np.float64),
        tair=tair,
        humidity=0.8,
        boundary_conductance=10.0,
        ca=np.asarray(ca, dtype=np.float64),
        g1=4.0,
        g0=0.08,
        soil_water_stress=1.0,
        pathway="C4",
    )
    return flux.a_net, flux.ci


def test_carbon_dioxide_response_is_the_published_one():
    ca = np.array([50.0, 60.0, 75.0, 100.0, 150.0, 200.0, 330.0, 600.0])
    a, ci = leaf(np.full(ca.size, 2000.0), ca)
    published = np.array([maize(2000.0, c) for c in ci])
    assert ci[0] < 30.0
    assert (np.diff(a) > 0.0).all()
    np.testing.assert_allclose(a, published, rtol=0.11)
    # Linear at first, with 0.7 mol m-2 s-1 in the paper, and nearly saturated at the ci of today's air.
    assert (a[0] + 0.025 * VMAX) / ci[0] == pytest.approx(SLOPE, rel=0.08)
    assert a[ci > 100.0].min() > 0.95 * a[-1]


def test_light_response_is_the_published_one():
    ppfd = np.array([100.0, 200.0, 400.0, 800.0, 1200.0, 1600.0, 2000.0])
    a, ci = leaf(ppfd, np.full(ppfd.size, 330.0))
    published = np.array([maize(i, c) for i, c in zip(ppfd, ci, strict=True)])
    assert (np.diff(a) > 0.0).all()
    np.testing.assert_allclose(a, published, rtol=0.10)


def test_quantum_yield_is_near_the_measured_ones_and_does_not_depend_on_warmth_or_carbon_dioxide():
    # Ehleringer & Pearcy (1983) Plant Physiol. 73, 555-559: 0.053 to 0.065 mol mol-1 of absorbed light in groups of C4
    # plants at 30 degC and 330 umol mol-1, whatever the temperature. The model stays 0.003 below the lowest group.
    # A capacity at which light alone limits, and light above the compensation point.
    yields = np.array(
        [
            np.diff(leaf([220.0, 260.0], [ca, ca], tair, vcmax25=200.0)[0])[0] / 40.0
            for tair in (20.0, 30.0, 35.0)
            for ca in (330.0, 700.0)
        ]
    )
    assert yields.max() < QUANTUM_YIELD
    np.testing.assert_allclose(yields, QUANTUM_YIELD, rtol=0.06)
