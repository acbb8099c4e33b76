"""Two-leaf canopy hours on one thread, beside the reference equations compiled by numba."""

from functools import cache

import numpy as np
import pytest
from compiled import compiled, hour_inputs, hours_loop

from gppcore.constants import PFTS
from gppcore.process import reference
from gppcore.process.two_leaf import TwoLeafFlux, two_leaf_gpp

N_HOURS = 10_000
TYPES = {"C3": "dbf", "C4": "grass_c4"}


@cache
def reference_loop():
    """Compile the specification and a loop over hours."""
    return hours_loop(compiled()[0].two_leaf)


def canopy_hours(pft):
    """Return lit hours, one row per field of `reference.Hour` but the diffuse fraction, told from clearness."""
    low = [20.0, 0.0, 100.0, 0.5, 0.1, 380.0, 0.3, pft.clumping, 0.3, pft.vcmax25, pft.g1]
    high = [900.0, 35.0, 2500.0, 6.0, 1.0, 420.0, 6.0, pft.clumping, 1.0, pft.vcmax25, pft.g1]
    rng = np.random.default_rng(0)
    return np.stack([rng.uniform(a, b, N_HOURS) for a, b in zip(low, high, strict=True)])


def kernel(x, pft, out):
    return two_leaf_gpp(*hour_inputs(x), pft, out=out)


def measure(benchmark, pathway, function, *args):
    benchmark.group = pathway
    benchmark.pedantic(function, args, rounds=5, warmup_rounds=1)
    if benchmark.stats:  # absent when timing is switched off
        benchmark.extra_info["ns_per_canopy_hour"] = benchmark.stats["min"] / N_HOURS * 1e9


@pytest.mark.parametrize("pathway", TYPES)
def test_two_leaf(benchmark, pathway):
    pft = PFTS[TYPES[pathway]]
    x, out = canopy_hours(pft), TwoLeafFlux(np.empty(N_HOURS), np.empty(N_HOURS))
    expected = np.empty((2, N_HOURS))
    reference_loop()(x, reference.pft_numbers(pft), expected)
    kernel(x, pft, out)
    # The tolerance of the parity test: the reference bisects to the last bit.
    np.testing.assert_allclose([out.gpp_sunlit, out.gpp_shaded], expected, rtol=0, atol=2e-8)
    measure(benchmark, pathway, kernel, x, pft, out)


@pytest.mark.parametrize("pathway", TYPES)
def test_two_leaf_reference(benchmark, pathway):
    pft = PFTS[TYPES[pathway]]
    measure(benchmark, pathway, reference_loop(), canopy_hours(pft), reference.pft_numbers(pft), np.empty((2, N_HOURS)))
