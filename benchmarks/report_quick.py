"""Kernels beside their peers in half a minute, on one thread: what `ratios.py` compares with its baseline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import bench_forest
import bench_regrid
import numpy as np
from bucket import by_equations
from threadpoolctl import threadpool_limits
from timing import Case, fastest

from gppcore.forest import Forest
from gppcore.process.soil_water import soil_water
from gppcore.regrid import aggregate, downscale

Function = Callable[[], object]


def beside(name: str, ours: Function, peer_name: str, peer: Function) -> Case:
    """Time both in turn by the processor time of this thread."""
    best = fastest({"gppcore": ours, peer_name: peer}, seconds=2.0, clock=time.thread_time)
    mine, other = 1e3 * best["gppcore"], 1e3 * best[peer_name]
    return Case(name, mine, "ms", other / mine, None, {peer_name: other})


def forests() -> Iterator[Case]:
    model = bench_forest.model(63)
    x = np.random.default_rng(1).normal(size=(5000, bench_forest.N_FEATURES))
    forest = Forest.from_sklearn(model)
    for dtype in (np.float32, np.float64):
        rows = x.astype(dtype)
        np.testing.assert_allclose(forest.predict(rows), model.predict(rows), rtol=0, atol=1e-4)
        name = f"forest of 500 x 63 leaves, 5,000 rows, {np.dtype(dtype).name}"
        yield beside(
            name, lambda rows=rows: forest.predict(rows), "scikit-learn", lambda rows=rows: model.predict(rows)
        )


def water() -> Case:
    rng = np.random.default_rng(0)
    months = rng.gamma(1, 2, (12, 8192)), rng.uniform(0, 8, (12, 8192)), rng.normal(5, 12, (12, 8192))
    np.testing.assert_array_equal(soil_water(*months), by_equations(*months))
    return beside("soil water, 8,192 cells", lambda: soil_water(*months), "NumPy", lambda: by_equations(*months))


def regridding() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    fine = rng.random((3600, 7200), np.float32)
    fine[:, 2000:] = np.where(rng.random((3600, 5200)) < 0.95, np.nan, fine[:, 2000:])
    coarse = rng.random((360, 720), np.float32)
    nested = {"factor": bench_regrid.FACTOR, **bench_regrid.GLOBE}
    covariate = {**nested, "method": "covariate", "covariate": fine}
    np.testing.assert_allclose(aggregate(fine, **nested), bench_regrid.numpy_aggregate(fine), rtol=1e-6)
    yield beside(
        "aggregate 0.05 to 0.5 degrees",
        lambda: aggregate(fine, n_threads=1, **nested),
        "NumPy",
        lambda: bench_regrid.numpy_aggregate(fine),
    )
    expected = bench_regrid.numpy_covariate(coarse, fine)
    np.testing.assert_allclose(downscale(coarse, **covariate), expected, rtol=1e-6)
    yield beside(
        "downscale by a covariate",
        lambda: downscale(coarse, n_threads=1, **covariate),
        "NumPy",
        lambda: bench_regrid.numpy_covariate(coarse, fine),
    )


def cases() -> Iterator[Case]:
    with threadpool_limits(1, "openmp"):
        yield from forests()
    yield water()
    yield from regridding()
