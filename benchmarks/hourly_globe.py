"""Run every hour of a year on the 0.5 degree land: `python benchmarks/hourly_globe.py [--pfts one|all] [--cells N]`.

The monthly forcing of the demonstration's coarse grid (folder GPPCORE_DEMO, default gppcore-demo) is expanded to hours
block by block (a month of some cells at a time), and each block goes through `simulate`; nothing is kept but the annual
GPP. The expansion is part of the time told.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from gppcore import runtime
from gppcore.constants import PFT_NAMES
from gppcore.demo.osse import CA
from gppcore.experiment.coarse import coarse_dataset
from gppcore.process.daylight import (
    clearness_of_days,
    hourly_cos_zenith,
    normal_radiation,
    saturation_vapour_pressure,
    temperature_at,
)
from gppcore.process.simulate import simulate
from gppcore.tiles.store import TileStore

BLOCK = 1024
"""Cells of a block, from all latitudes, so that blocks take equal times."""
ONE = "dbf"
CLOUDS = np.array([0, 1, 2, 1, 0, 2, 1])  # which of the three days of a month a day is like, again and again


def source_fields() -> dict[str, np.ndarray]:
    """Return the fields of the source domain by cell, with the longitude and the mean leaf area of each cell."""
    store = TileStore.open(Path(os.environ.get("GPPCORE_DEMO", "gppcore-demo")) / "coarse")
    fields = {str(name): field.values for name, field in coarse_dataset(store, None).items()}
    share = fields["pft_fraction"][:, None]
    lai = (share * fields["lai"]).sum(axis=0) / np.maximum(share.sum(axis=0), 1e-9)
    return {**fields, "lon": store.lon[store.index % store.shape[1]], "lai_of_cell": lai}


def hours_of(fields: dict[str, np.ndarray], month: int, cells: slice, pfts: str) -> xr.Dataset:
    """Expand the forcing of a month to UTC hours, float32."""
    start = pd.Timestamp(2019, month + 1, 1)
    time_ = pd.date_range(start, start + pd.offsets.MonthBegin(1), freq="h", inclusive="left")
    f = {n: v[month, cells] for n, v in fields.items() if v.shape[0] == 12 and v.ndim == 2}
    lat, lon = fields["lat"][cells], fields["lon"][cells]
    day = time_.day_of_year.to_numpy() + (time_.hour.to_numpy() - 11.5) / 24.0
    angle = (time_.hour.to_numpy() - 11.5) * (np.pi / 12.0)
    beam = np.maximum(hourly_cos_zenith(lat, lon, day, angle), 0.0).astype(np.float32)
    beam *= normal_radiation(day)[:, None].astype(np.float32)
    kt = np.minimum(f["sw"] / np.maximum(beam.mean(axis=0), 1.0), 0.8)
    sky = clearness_of_days(kt).astype(np.float32)[CLOUDS[(time_.day.to_numpy() - 1) % CLOUDS.size]]
    beam *= sky
    course = temperature_at((np.arange(24) + 0.5)[:, None] + lon / 15.0, f["tair"], f["tair_range"]).astype(np.float32)
    vapour = saturation_vapour_pressure(f["tair"] + 0.225 * f["tair_range"]) - f["vpd"]
    vpd = np.maximum(saturation_vapour_pressure(course) - vapour.astype(np.float32), 0.0)
    days, both = time_.size // 24, ("time", "cell")
    variables = {
        "sw": (both, beam),
        "tair": (both, np.tile(course, (days, 1))),
        "vpd": (both, np.tile(vpd, (days, 1))),
        "soil_water": ("cell", f["soil_water"]),
        "lat": ("cell", lat),
        "lon": ("cell", lon),
        "ca": CA,
    }
    if pfts == "one":
        return xr.Dataset({**variables, "lai": ("cell", f["lai_of_cell"]), "pft": ONE}, coords={"time": time_})
    types = {
        "lai": (("pft", "cell"), fields["lai"][:, month, cells]),
        "pft_fraction": (("pft", "cell"), fields["pft_fraction"][:, cells]),
        "c4_fraction": ("cell", fields["c4_fraction"][cells]),
    }
    return xr.Dataset({**variables, **types}, coords={"time": time_, "pft": list(PFT_NAMES)})


def run(fields: dict[str, np.ndarray], pfts: str, threads: int) -> dict[str, object]:
    """Simulate the year and tell what it took."""
    n = fields["lat"].size
    n_blocks = -(-n // BLOCK)
    annual, lit, preparing = np.zeros(n), [], []

    def work(task: tuple[int, int]) -> None:
        cells = slice(task[1], None, n_blocks)
        start = time.thread_time()
        ds = hours_of(fields, task[0], cells, pfts)
        preparing.append(time.thread_time() - start)
        gpp = simulate(
            ds, time_reference="utc", time_label="start", means="monthly", outputs=["gpp_daily"], progress=lit.append
        )
        totals[task] = gpp["gpp_daily"].values[0] * (ds.sizes["time"] // 24)

    totals: dict[tuple[int, int], np.ndarray] = {}
    tasks = [(month, cell) for cell in range(n_blocks) for month in range(12)]
    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, tasks))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    for month, cell in tasks:
        annual[cell::n_blocks] += totals[month, cell]
    types = n if pfts == "one" else int((fields["pft_fraction"] > 0.0).sum())
    return {
        "pfts": pfts,
        "cells": n,
        "threads": threads,
        "isa": runtime.isa(),
        "canopy_hours": types * 8760,
        "lit_canopy_hours": sum(lit),
        "wall_s": wall,
        "cpu_s": cpu,
        "expansion_cpu_s": sum(preparing),
        "canopy_hours_per_s": types * 8760 / wall,
        "canopy_hours_per_cpu_s": types * 8760 / cpu,
        "mean_gpp_g_m2_a": float(annual.mean()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pfts", choices=("one", "all"), default="one", help=f"{ONE} everywhere, or what grows there")
    parser.add_argument("--cells", type=int, help="cells to run, spread evenly; default all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        fields = pool.submit(source_fields).result()
    n = fields["lat"].size
    chosen = np.linspace(0, n, options.cells, endpoint=False).astype(int) if options.cells else np.arange(n)
    fields = {name: np.ascontiguousarray(values[..., chosen]) for name, values in fields.items()}
    result = run(fields, options.pfts, options.threads)
    for name, who in (("peak_rss_gb", resource.RUSAGE_SELF), ("peak_rss_gb_of_world", resource.RUSAGE_CHILDREN)):
        result[name] = resource.getrusage(who).ru_maxrss * 1024 / 1e9
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        print(
            "\n".join(
                f"{name:24s} {value:,.6g}" if isinstance(value, float) else f"{name:24s} {value}"
                for name, value in result.items()
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
