"""The last step of an experiment: comparison with other products, the report and summary.json."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import gppcore
from gppcore import runtime
from gppcore.comparison import Comparison, compare
from gppcore.evaluation.result import NUMBERS, PREDICTIONS
from gppcore.experiment.progress import peak_rss_gb
from gppcore.experiment.results import seasonal_cycles, skill_by_tower, skill_table, summarise_map
from gppcore.experiment.settings import Settings
from gppcore.io.durable import write_json
from gppcore.io.sources import Source, located, split_variable
from gppcore.mapping.product import read_totals
from gppcore.report import ReportData, write_report
from gppcore.report.demo_data import METHODS
from gppcore.tiles.store import TileStore
from gppcore.towers import Towers

if TYPE_CHECKING:
    from distributed import Client


def report(
    settings: Settings,
    folder: Path,
    store: TileStore,
    towers: Towers,
    seconds: Mapping[str, float],
    *,
    n_threads: int,
    client: Client | None = None,
) -> None:
    """Compare the product with that of the process model and others, and write `report.html` and `summary.json`."""
    product = next(folder.glob("gpp_*deg.zarr"))
    base = settings.recipe.folder
    if settings.process.product:
        other, variable = located(settings.process.product, base), settings.process.variable
        reference = _comparison(product, other, variable, client)
    else:
        reference = _comparison(product, next(folder.glob("process_gpp_*deg.zarr")), None, client)
    compared = {text: _of_text(product, text, base, client) for text in settings.map.compare}
    predictions: dict[str, pd.DataFrame] = {
        scheme: pd.read_csv(folder / "evaluation" / scheme / PREDICTIONS) for scheme in settings.evaluation.schemes
    }
    differences = {
        scheme: json.loads((folder / "evaluation" / scheme / NUMBERS).read_text("utf-8"))["differences"]
        for scheme in predictions
    }
    data = _data(settings, store, towers, seconds, predictions, differences, reference, list(compared.values()))
    data = replace(data, regions=read_totals(product))
    write_report(data, folder, n_processes=n_threads)
    write_json(folder / "summary.json", _summary(data, {text: c.as_dict() for text, c in compared.items()}))


def _comparison(product: Path, other: Source, variable: str | None, client: Client | None) -> Comparison:
    (found,) = compare(product, f"{other}:{variable}" if variable else other, client=client)
    return found


def _of_text(product: Path, text: str, base: Path, client: Client | None) -> Comparison:
    path, variable = split_variable(text)
    return _comparison(product, located(path, base), variable, client)


def _data(
    settings: Settings,
    store: TileStore,
    towers: Towers,
    seconds: Mapping[str, float],
    predictions: Mapping[str, pd.DataFrame],
    differences: Mapping[str, Any],
    comparison: Comparison,
    compared: Sequence[Comparison],
) -> ReportData:
    site = predictions["site"]
    mapped = summarise_map(store)
    bounds = [name for name in ("transfer_low", "transfer_high") if name in site]
    return ReportData(
        experiment=settings.title,
        synthetic=settings.towers.synthetic,
        region=settings.recipe.region,
        inputs=_inputs(settings, store, site),
        lat=mapped.lat,
        lon=mapped.lon,
        maps=mapped.maps,
        zonal_lat=mapped.zonal_lat,
        zonal=mapped.zonal,
        totals=mapped.totals,
        reach=mapped.reach,
        outside=mapped.outside,
        years=mapped.years,
        observed=site["observed"].to_numpy(float),
        predicted={name: site[name].to_numpy(float) for name in METHODS},
        seasonal=seasonal_cycles(site, [*METHODS, *bounds], towers.sites["lat"]),
        skill=skill_table(predictions, METHODS),
        differences=differences,
        coverage={
            scheme: float(rows["observed"].between(rows["transfer_low"], rows["transfer_high"]).mean())
            for scheme, rows in predictions.items()
            if bounds
        },
        towers=skill_by_tower(site, towers.sites),
        comparison=comparison,
        compared=compared,
        truth=compared[0] if settings.towers.synthetic and compared else None,
        seconds={name: value for name, value in seconds.items() if value},
        peak_rss_gb=peak_rss_gb(),
        land_cells=store.index.size,
        caveats=list(settings.notes),
        provenance={
            "gppcore": gppcore.__version__,
            "instruction set": runtime.isa(),
            "Python": platform.python_version(),
            "numpy": np.__version__,
            "seed": str(settings.learning.seed),
            "towers": f"{site['site_id'].nunique()} sites, {len(site)} months",
            "years": _years(store),
        },
    )


def _years(store: TileStore) -> str:
    return "a mean year" if store.years is None else f"{store.years[0]} to {store.years[-1]}"


def _inputs(settings: Settings, store: TileStore, site: pd.DataFrame) -> dict[str, str]:
    """Say what was run on which data."""
    learning, process = settings.learning, settings.process
    files = sorted({Path(source.path).name for source in settings.recipe.variables.values() if source.path})
    chosen = f"set {learning.predictors}: " if isinstance(learning.predictors, str) else ""
    first, last = site["year"].min(), site["year"].max()
    model = f"two-leaf model on cells of {process.resolution:g}°, downscaled to those of the map"
    kind = "synthetic, sampled from a model planet" if settings.towers.synthetic else "real"
    return {
        "Map": f"{store.index.size:,} land cells of {abs(store.lat[1] - store.lat[0]):.3g}°, {_years(store)}",
        "Inputs": ", ".join(files),
        "Process model": f"GPP of {Path(process.product).name}" if process.product else model,
        "Towers": f"{kind}: {site['site_id'].nunique()} sites, {len(site):,} months of {first} to {last}",
        "Predictors": f"{chosen}{', '.join(learning.names)}",
    }


def _summary(data: ReportData, compared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of the report."""
    site = data.skill["site"]
    return {
        "experiment": data.experiment,
        "synthetic": data.synthetic,
        "region": data.region,
        "global_gpp_pg_c_yr": data.totals["transfer"],
        "gpp_pg_c_yr": {name: data.totals[name] for name in METHODS},
        "outside_area_of_applicability": data.outside,
        "totals": [] if data.regions is None else json.loads(data.regions.round(6).to_json(orient="records")),
        "land_cells": data.land_cells,
        "seconds": {**data.seconds, "total": round(sum(data.seconds.values()), 2)},
        "peak_rss_gb": round(data.peak_rss_gb, 3),
        "skill": {name: {key: values[key] for key in ("r2", "rmse", "bias")} for name, values in site.items()},
        "skill_by_scheme": data.skill,
        "comparison": data.comparison.as_dict(),
        "compared": dict(compared),
    }
