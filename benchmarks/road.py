"""Time the steps of an experiment on a part of the globe: `python benchmarks/road.py OUT [--share S] [--years N]`.

The land about 48 N, 8 E that holds the share S of all land cells of 0.05 degrees gets forcing at 0.25 degrees and leaf
area at 0.05 degrees of N years up to 2014, a file each: the embedded world, whose mean year varies from year to year by
numbers drawn here. `gppcore run` goes through the steps one by one, each in a process of its own, with the towers of
FLUXNET2015 in the window. Told are seconds, the largest process and the disk of each step, and the time of the whole
globe: steps over cells take 1/S times as long, steps at towers as long as here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gppcore.demo.inputs import write_demo
from gppcore.runtime import threads

LAST_YEAR = 2014
CENTRE = (48.0, 8.0)
ASPECT = 1.5  # degrees of longitude to one of latitude
STEPS = ("tiles", "process", "towers", "train", "evaluate", "map", "report")
AT_TOWERS = ("towers", "train", "evaluate")
MONTHS = 12


def window(land: xr.DataArray, share: float) -> tuple[float, float, float, float]:
    """Return south, north, west and east of the window about the centre that holds a share of the land cells."""
    lat, lon = np.meshgrid(land["lat"], land["lon"], indexing="ij")
    known = land.notnull().values
    far = np.maximum(np.abs(lat - CENTRE[0]), np.abs(lon - CENTRE[1]) / ASPECT)[known]
    half = float(np.partition(far, round(share * far.size))[round(share * far.size)])
    half = round(half * 4.0) / 4.0
    south, north = max(CENTRE[0] - half, -60.0), min(CENTRE[0] + half, 84.0)
    return south, north, CENTRE[1] - ASPECT * half, CENTRE[1] + ASPECT * half


def write_years(world: Path, region: tuple[float, float, float, float], years: range) -> None:
    """Write leaf area and climate of years in the window; those of the world are the mean year."""
    south, north, west, east = region
    rng = np.random.default_rng(0)
    with xr.open_dataset(world / "lai.nc") as lai, xr.open_dataset(world / "climate.nc") as climate:
        box = {"lat": slice(north + 0.5, south - 0.5), "lon": slice(west - 0.5, east + 0.5)}
        lai, climate = lai.sel(box).load(), climate.sel(box).load()
    for year in years:
        date = pd.date_range(f"{year}-01-01", periods=MONTHS, freq="MS")
        warm = rng.normal(0.03 * (year - years[0]), 0.5, (MONTHS, 1, 1)).astype("f4")
        wet = rng.lognormal(0.0, 0.2, (MONTHS, 1, 1)).astype("f4")
        weather = climate.assign_coords(time=date)
        changed = {"tair": weather.tair + warm, "precip": weather.precip * wet, "sw": weather.sw / wet**0.2}
        for name, field in changed.items():
            weather[name] = field.assign_attrs(weather[name].attrs)
        weather.drop_encoding().to_netcdf(world / f"climate_{year}.nc", engine="h5netcdf")
        leaves = lai.assign_coords(time=date)
        leaves["lai"] = (leaves["lai"] * rng.normal(1.0, 0.03)).clip(0.0, 6.3).assign_attrs(lai["lai"].attrs)
        packed = {"dtype": "u1", "scale_factor": 0.025, "_FillValue": 255, "zlib": True, "complevel": 1}
        leaves.drop_encoding().to_netcdf(world / f"lai_{year}.nc", engine="h5netcdf", encoding={"lai": packed})


def write_experiment(out: Path, share: float, n_years: int) -> dict[str, Any]:
    """Write the inputs and experiment.toml; return what they hold."""
    write_demo(out, n_threads=threads(None))
    world, years = out / "world", range(LAST_YEAR - n_years + 1, LAST_YEAR + 1)
    with xr.open_dataset(world / "land.nc") as ds:
        region, cells = window(ds["igbp"], share), int(ds["igbp"].notnull().sum())
    write_years(world, region, years)
    sites = pd.read_csv(world / "towers_sites.csv")
    south, north, west, east = region
    inside = sites["lat"].between(south, north) & sites["lon"].between(west, east)
    sites[inside].to_csv(world / "sites.csv", index=False)
    gpp = pd.read_csv(world / "towers_gpp_monthly.csv.gz")
    gpp = gpp[gpp["site_id"].isin(sites.loc[inside, "site_id"]) & gpp["year"].between(years[0], years[-1])]
    gpp.to_csv(world / "gpp.csv", index=False)
    path = out / "experiment.toml"
    text = path.read_text("utf-8")
    for old, new in (
        ("\nnotes = [", f"\nyears = [{years[0]}, {years[-1]}]\nregion = {list(region)}\nnotes = ["),
        ("world/climate.nc", "world/climate_*.nc"),
        ("world/lai.nc", "world/lai_*.nc"),
        ("world/towers_gpp_monthly.csv.gz", "world/gpp.csv"),
        ("world/towers_sites.csv", "world/sites.csv"),
    ):
        if old not in text:
            raise SystemExit(f"experiment.toml of the demonstration: expected {old!r} in it")
        text = text.replace(old, new)
    a, b = text.index("[variables.ca]"), text.index("[process]")
    (out / "road.toml").write_text(text[:a] + text[b:], "utf-8")
    return {
        "globe_cells": cells,
        "region": region,
        "years": [years[0], years[-1]],
        "towers": int(inside.sum()),
        "tower_months": len(gpp),
    }


def run_step(out: Path, name: str, n_threads: int) -> dict[str, float]:
    """Run one step in a process of its own; return its seconds and the memory of its largest process."""
    command = [sys.executable, "-m", "gppcore", "run", out / "road.toml", "--only", name, "--threads", str(n_threads)]
    before, begun = disk(out / "results"), time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{name}: `gppcore run` ended with {child.returncode}")
    return {
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_rss_gb": round(used.ru_maxrss * 1024 / 1e9, 2),
        "disk_gb": round((disk(out / "results") - before) / 1e9, 3),
    }


def disk(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="new folder; it keeps inputs and results")
    parser.add_argument("--share", type=float, default=0.1, help="of the land cells of the globe")
    parser.add_argument("--years", type=int, default=20, help="3 or more, some of which are held out")
    parser.add_argument("--threads", type=int, default=threads(None))
    options = parser.parse_args()
    begun = time.perf_counter()
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn")
    ) as pool:  # a child starts with the memory of its parent
        told = pool.submit(write_experiment, options.out, options.share, options.years).result()
    print(f"inputs: {time.perf_counter() - begun:.0f} s, {told}", flush=True)
    steps = {}
    for name in STEPS:
        steps[name] = run_step(options.out, name, options.threads)
        print(f"{name:<10} {steps[name]}", flush=True)
    summary = json.loads((options.out / "results" / "summary.json").read_text("utf-8"))
    share = summary["land_cells"] / told["globe_cells"]
    globe = {n: s["seconds"] * (1.0 if n in AT_TOWERS else 1.0 / share) for n, s in steps.items()}
    total = sum(step["seconds"] for step in steps.values())
    print(f"{summary['land_cells']:,} cells, {share:.4f} of the globe: {total:.0f} s in all")
    print(f"the whole globe, on {options.threads} threads: {sum(globe.values()) / 3600.0:.1f} h, {globe}")
    numbers = {
        **told,
        "land_cells": summary["land_cells"],
        "threads": options.threads,
        "steps": steps,
        "globe_seconds": globe,
    }
    (options.out / "road.json").write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
