"""Canopy hours per second of the two-leaf kernel: instruction sets, number types, derivatives, options.

Each instruction set runs in a process of its own, on one thread, in turn with the reference equations under numba on
the same hours. Where a case is named by a cost factor, its ratio is the inverse of that factor, and its goal too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import bench_two_leaf_compat
import numpy as np
from bench_two_leaf import canopy_hours, kernel, reference_loop
from compiled import hour_inputs
from timing import Case, fastest

from gppcore import _core
from gppcore.constants import PFTS
from gppcore.process import reference
from gppcore.process.two_leaf import TwoLeafFlux, two_leaf_gpp, two_leaf_gradient

FACTORS = {"gradient_4": 6.0, "leaf_temperature": 2.0, "c4": 2.0, "c4_leaf_temperature": 2.0}
"""Cost over plain hours of C3 leaves, at most."""
COMPAT = 10.0
"""Ratio of BEPS mode to its specification under numba: the 5e5 hours per second wanted are ten times its 5e4."""
PARAMETERS = ("vcmax25", "g1", "clumping", "soil_water_stress")


def measure() -> dict[str, float]:
    """Return hours per second of each function on the instruction set of this process."""
    c3, c4 = PFTS["dbf"], PFTS["grass_c4"]
    x, numbers = canopy_hours(c3), reference.pft_numbers(c3)
    n, expected = x.shape[1], np.empty((2, x.shape[1]))
    reference_loop()(x, numbers, expected)
    out = TwoLeafFlux(np.empty(n), np.empty(n))
    kernel(x, c3, out)
    np.testing.assert_allclose([out.gpp_sunlit, out.gpp_shaded], expected, rtol=0, atol=2e-8)
    beps, beps_numbers = bench_two_leaf_compat.canopy_hours(), bench_two_leaf_compat.numbers()
    double, single, other = hour_inputs(x), hour_inputs(x.astype(np.float32)), hour_inputs(canopy_hours(c4))
    functions = {
        "float64": lambda: two_leaf_gpp(*double, c3, out=out),
        "reference": lambda: reference_loop()(x, numbers, expected),
        "float32": lambda: two_leaf_gpp(*single, c3),
        "gradient_4": lambda: two_leaf_gradient(*double, c3, parameters=PARAMETERS),
        "leaf_temperature": lambda: two_leaf_gpp(*double, c3, biochem_temperature="leaf"),
        "c4": lambda: two_leaf_gpp(*other, c4),
        "c4_leaf_temperature": lambda: two_leaf_gpp(*other, c4, biochem_temperature="leaf"),
        "beps": lambda: bench_two_leaf_compat.kernel(beps, out),
        "compat_reference": lambda: bench_two_leaf_compat.reference_loop()(beps, beps_numbers, expected),
    }
    return {name: n / t for name, t in fastest(functions, seconds=6.0, clock=time.thread_time).items()}


def cases() -> Iterator[Case]:
    for isa in reversed(_core.supported_isas()):
        done = subprocess.run(
            [sys.executable, __file__],
            env={**os.environ, "GPPCORE_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        )
        rate = json.loads(done.stdout)
        peers = {"reference.py under numba": rate["reference"]}
        for dtype in ("float64", "float32"):
            yield Case(
                f"{isa}_{dtype}_robust", rate[dtype], "canopy hours/s", rate[dtype] / rate["reference"], 40.0, peers
            )
        beps = rate["beps"] / rate["compat_reference"]
        peers = {"reference_compat.py under numba": rate["compat_reference"]}
        yield Case(f"{isa}_float64_beps", rate["beps"], "canopy hours/s", beps, COMPAT, peers)
        for name, factor in FACTORS.items():
            plain = {"plain": rate["float64"]}
            yield Case(
                f"{isa}_float64_{name}", rate[name], "canopy hours/s", rate[name] / rate["float64"], 1 / factor, plain
            )


if __name__ == "__main__":
    print(json.dumps(measure()))
