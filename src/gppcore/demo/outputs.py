"""Outputs of a demonstration run: maps, summary and the contents of the report."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import gppcore
from gppcore import runtime
from gppcore.comparison import Comparison
from gppcore.demo.fields import HALF, SourceDomain, centres
from gppcore.demo.progress import peak_rss_gb
from gppcore.demo.results import MapSummary, seasonal_cycles, skill_table
from gppcore.demo.world import WORLD_LICENCE
from gppcore.errors import disk_errors
from gppcore.evaluation.holdout import Evaluation
from gppcore.features import Samples
from gppcore.mapping.product import write_netcdf
from gppcore.mapping.run import map_gpp
from gppcore.report import ReportData
from gppcore.tiles.store import TileStore
from gppcore.towers import Towers
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import MONTHS, attributes

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "gpp_0p05deg"
_PUBLISHED_MAXIMUM = 150.0  # Pg C yr-1
TOWER_BIAS, TOWER_MONTHS = 0.3, 5896
"""Mean of process minus tower GPP [g C m-2 d-1] and months at real towers; a test measures them, pages quote them."""
OSSE_LABEL = "Observing-system simulation experiment: synthetic towers on a model planet"

Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class DemoOptions:
    """Choices of a run; `region` is south, north, west, east in degrees."""

    out: Path
    threads: int
    region: Region | None = None
    towers: Path | None = None
    netcdf: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Run:
    """Results of a run; `truth` is GPP of the true planet [Pg C yr-1], if known."""

    options: DemoOptions
    towers: Towers
    samples: Samples
    judged: Mapping[str, Evaluation]
    mapped: MapSummary
    comparison: Comparison
    truth: float | None
    land_cells: int


def write_process_map(source: SourceDomain, simulated: xr.Dataset, out: Path) -> Path:
    """Write process GPP at 0.5 degrees as a CF product."""
    import pandas as pd
    import xarray as xr

    path = out / "process_gpp_0p5deg.zarr"
    if path.exists():
        return path
    lat, lon = centres(HALF)
    grid = np.full((MONTHS, lat.size * lon.size), np.nan, dtype=np.float32)
    grid[:, source.cells] = simulated["gpp_daily"].values
    coords = {
        "time": pd.date_range("2001-01-15", periods=MONTHS, freq=pd.DateOffset(months=1)),
        "lat": ("lat", lat, attributes("lat")),
        "lon": ("lon", lon, attributes("lon")),
    }
    field = grid.reshape(MONTHS, lat.size, lon.size)
    ds = xr.Dataset({"gpp_daily": (("time", "lat", "lon"), field, attributes("gpp_daily"))}, coords=coords)
    ds.attrs = {"Conventions": "CF-1.8", "title": "GPP of the process model", "source": source_text()}
    building = path.with_name(path.name + ".part")
    with disk_errors(path):
        ds.to_zarr(building, mode="w", zarr_format=3, consolidated=False)
        building.rename(path)
    return path


def map_products(
    models: Mapping[str, TransferModel],
    store: TileStore,
    towers: Towers,
    options: DemoOptions,
    progress: Callable[[int], None],
) -> Path:
    """Map the direct and the fine-tuned model; write the product of the latter and return its path."""
    product = options.out / f"{PRODUCT}.zarr"
    map_gpp(models["direct"], store, variable="gpp_daily_direct", n_threads=options.threads, progress=progress)
    attrs = {
        "title": "GPP of process model and towers joined by transfer learning",
        "source": source_text(towers),
        "license": WORLD_LICENCE,
    }
    map_gpp(
        models["transfer"],
        store,
        None if product.exists() else product,
        attrs=attrs,
        n_threads=options.threads,
        progress=progress,
    )
    netcdf = options.out / f"{PRODUCT}.nc"
    if options.netcdf and not netcdf.exists():
        write_netcdf(product, netcdf)
    return product


def source_text(towers: Towers | None = None) -> str:
    """Return the attribute `source` of a product."""
    base = f"gppcore {gppcore.__version__}, embedded world with demonstration forcing"
    if towers is None:
        return base
    return f"{base}; {OSSE_LABEL if towers.synthetic else 'real towers'}"


def report_data(run: Run, seconds: Mapping[str, float]) -> ReportData:
    """Gather the contents of the report."""
    options, mapped, site = run.options, run.mapped, run.judged["site"]
    return ReportData(
        experiment=OSSE_LABEL if run.towers.synthetic else run.towers.name,
        synthetic=run.towers.synthetic,
        region=options.region,
        lat=mapped.lat,
        lon=mapped.lon,
        maps=mapped.maps,
        zonal_lat=mapped.zonal_lat,
        zonal=mapped.zonal,
        observed=site.observed,
        predicted=site.predicted,
        seasonal=seasonal_cycles(run.samples, site),
        skill=skill_table(run.samples, run.judged),
        totals=mapped.totals,
        comparison=run.comparison,
        seconds=dict(seconds),
        peak_rss_gb=peak_rss_gb(),
        land_cells=run.land_cells,
        caveats=_caveats(run),
        provenance={
            "gppcore": gppcore.__version__,
            "instruction set": runtime.isa(),
            "Python": platform.python_version(),
            "numpy": np.__version__,
            "seed": str(options.seed),
            "towers": f"{run.samples.groups['site'].nunique()} sites, {len(run.samples)} months",
        },
    )


def _caveats(run: Run) -> list[str]:
    texts = [
        (
            "The forcing is modelled from monthly temperature and precipitation by published relations "
            "(demonstration forcing); it is not a reanalysis, and the maps are not a science product."
        ),
        (
            "The process model runs hour by hour on three days of different cloudiness per month with the mean "
            "Vcmax25 of each type from the literature; nothing was tuned to a global total."
        ),
        "Published global GPP is about 110 to 150 Pg C per year.",
    ]
    if run.options.region is None and run.mapped.totals["process"] > _PUBLISHED_MAXIMUM:
        texts.append(
            f"The process model exceeds that range. With these parameters it also overestimates real towers, by "
            f"{TOWER_BIAS} g C m-2 d-1 over {TOWER_MONTHS} months, most in shrubland, wetland and crops; leaf area "
            "follows multi-year extremes of NDVI, and crop rotation is not represented."
        )
    if run.towers.synthetic:
        known = "" if run.truth is None else f", whose GPP is {run.truth:.1f} Pg C per year"
        texts.insert(
            0,
            f"The towers are synthetic, sampled from a model planet{known}. Skill measures how well that planet is "
            "recovered, not the real one.",
        )
    return texts


def summary(run: Run, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return the numbers of the report for summary.json."""
    schemes = skill_table(run.samples, run.judged)
    return {
        "experiment": OSSE_LABEL if run.towers.synthetic else "real towers",
        "synthetic": run.towers.synthetic,
        "region": run.options.region,
        "global_gpp_pg_c_yr": run.mapped.totals["transfer"],
        "gpp_pg_c_yr": run.mapped.totals,
        "true_planet_gpp_pg_c_yr": run.truth,
        "land_cells": run.land_cells,
        "seconds": {**seconds, "total": round(sum(seconds.values()), 2)},
        "peak_rss_gb": round(peak_rss_gb(), 3),
        "skill": {m: {k: values[k] for k in ("r2", "rmse", "bias")} for m, values in schemes["site"].items()},
        "skill_by_scheme": schemes,
        "comparison": run.comparison.as_dict(),
    }
