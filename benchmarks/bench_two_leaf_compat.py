"""Canopy hours of BEPS mode on one thread, beside its specification compiled by numba."""

from functools import cache

import numpy as np
from compiled import compiled, hour_inputs, hours_loop

from gppcore.constants import BEPS_PFTS
from gppcore.process import reference
from gppcore.process.two_leaf import TwoLeafFlux, two_leaf_gpp

N_HOURS = 10_000
PFT = BEPS_PFTS[1].pft


@cache
def reference_loop():
    """Compile the specification and a loop over hours."""
    return hours_loop(compiled()[1].two_leaf)


def canopy_hours():
    """Return lit hours, one row per field of `reference.Hour` but the last: diffuse light comes from clearness."""
    low = [20.0, 0.0, 100.0, 0.5, 0.1, 380.0, 0.3, PFT.clumping, 0.3, PFT.vcmax25, PFT.g1]
    high = [900.0, 35.0, 2500.0, 6.0, 1.0, 420.0, 6.0, PFT.clumping, 1.0, PFT.vcmax25, PFT.g1]
    rng = np.random.default_rng(0)
    return np.stack([rng.uniform(a, b, N_HOURS) for a, b in zip(low, high, strict=True)])


def kernel(x, out):
    return two_leaf_gpp(*hour_inputs(x), PFT, mode="beps", out=out)


def numbers():
    """Return the numbers of the type, as numba takes them: floats and flags."""
    return reference.Pft(*(x if isinstance(x, bool) else float(x) for x in reference.pft_numbers(PFT)))


def measure(benchmark, function, *args):
    benchmark.pedantic(function, args, rounds=5, warmup_rounds=1)
    if benchmark.stats:  # absent when timing is switched off
        benchmark.extra_info["ns_per_canopy_hour"] = benchmark.stats["min"] / N_HOURS * 1e9


def test_compat(benchmark):
    x, out, expected = canopy_hours(), TwoLeafFlux(np.empty(N_HOURS), np.empty(N_HOURS)), np.empty((2, N_HOURS))
    reference_loop()(x, numbers(), expected)
    kernel(x, out)
    # Rounding can end a sub-step of a few hours one pass earlier or later.
    error = np.abs(np.stack([out.gpp_sunlit, out.gpp_shaded]) - expected)
    assert np.quantile(error, 0.99) < 1e-8
    measure(benchmark, kernel, x, out)


def test_compat_reference(benchmark):
    measure(benchmark, reference_loop(), canopy_hours(), numbers(), np.empty((2, N_HOURS)))
