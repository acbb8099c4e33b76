"""Regridding gives the same bits on every instruction set and for every number of threads."""

import os
import subprocess
import sys

import pytest

from gppcore.runtime import supported_isas

PROGRAM = """
import hashlib
import numpy as np
from gppcore.regrid import LatLonGrid, RegridPlan, aggregate, downscale
from gppcore.runtime import isa

print(isa())
for n_threads in (1, 3):
    digest = hashlib.sha256()
    for dtype in (np.float32, np.float64):
        rng = np.random.default_rng(0)
        fine = rng.gamma(0.7, size=(280, 1407)).astype(dtype)
        fine[rng.random(fine.shape) < 0.3] = np.nan
        coarse = rng.normal(size=(40, 201)).astype(dtype)
        coarse[rng.random(coarse.shape) < 0.1] = np.nan
        args = {"factor": 7, "n_threads": n_threads}
        guided = {"method": "covariate", "covariate": fine, "lat_edges": (70, 0)}
        for part in aggregate(fine, lat_edges=(70, 0), min_valid=0.3, fraction=True, **args):
            digest.update(part)
        source = LatLonGrid(np.linspace(70, 0, 281), np.linspace(-180, 180, 1408))
        for target in (LatLonGrid([-3, 11, 19.5, 71], np.linspace(0, 360, 102)), source.split(2)):
            for method in ("conservative", "bilinear"):
                plan = RegridPlan(source, target, method=method)
                for part in plan.apply(fine, min_valid=0.2, fraction=True, n_threads=n_threads):
                    digest.update(part)
        digest.update(downscale(coarse, **args))
        digest.update(downscale(coarse, method="bilinear", lon_edges=(0, 360), **args))
        digest.update(downscale(coarse, method="smooth", lat_edges=(70, 0), lon_edges=(0, 360), **args))
        digest.update(downscale(coarse, **guided, **args))
    print(digest.hexdigest())
"""


def digests(isa: str) -> tuple[str, str]:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"GPPCORE_ISA": isa},
        capture_output=True,
        text=True,
        check=True,
    )
    used, one_thread, three_threads = run.stdout.split()
    assert used == isa
    return one_thread, three_threads


@pytest.mark.parametrize("isa", supported_isas())
def test_same_bits(isa):
    baseline, _ = digests("baseline")
    assert digests(isa) == (baseline, baseline)
