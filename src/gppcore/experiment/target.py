"""The target domain of an experiment: towers from their files, with leaves and weather of the grid."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gppcore.errors import RangeError, TowerFormatError
from gppcore.experiment.coarse import PROCESS
from gppcore.experiment.inputs import found
from gppcore.experiment.settings import Settings
from gppcore.tiles.build import build_tiles, read_cells
from gppcore.tiles.store import TileStore
from gppcore.towers.files import read_sites, sample_at_towers, write_tower_folder
from gppcore.towers.files.batch import read_files, report, tower_files, without_faults
from gppcore.towers.files.periods import read_period
from gppcore.towers.files.sites import read_site_table

if TYPE_CHECKING:
    from distributed import Client


def site_table(settings: Settings) -> pd.DataFrame:
    """Return the metadata of the sites."""
    return read_sites(*(path for text in settings.towers.sites for path in found(text, settings.recipe.folder)))


def tower_tiles(settings: Settings, out: Path, *, n_threads: int, client: Client | None = None) -> TileStore:
    """Build tiles of the 3 x 3 cells about every tower, for maps of a region that does not hold them all.

    Raises
    ------
    RangeError
        If no tower lies on the grid.
    """
    recipe = replace(settings.recipe, region=None)
    if not out.exists():
        grid, cells = read_cells(recipe)
        sites = site_table(settings)
        rows, columns = grid.shape
        row = np.abs(grid.lat[:, None] - sites["lat"].to_numpy(float)).argmin(axis=0)
        distance = (grid.lon[:, None] - sites["lon"].to_numpy(float) + 180.0) % 360.0 - 180.0
        column = np.abs(distance).argmin(axis=0)
        near = {
            int((r + dy) * columns + (c + dx) % columns)
            for r, c in zip(row, column, strict=True)
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if 0 <= r + dy < rows
        }
        chosen = cells[np.isin(cells, sorted(near))]
        if not chosen.size:
            raise RangeError("towers: expected some on the grid of the cells, got none; see their lat and lon")
        years = range(recipe.years[0], recipe.years[1] + 1) if recipe.years else None
        TileStore.create(out, grid.lat, grid.lon, chosen, years=years)
    return build_tiles(recipe, TileStore.open(out), n_threads=n_threads, client=client)


def sampled_towers(
    settings: Settings, store: TileStore, out: Path, *, n_processes: int, client: Client | None = None
) -> None:
    """Read tower files, sample the store at them and write a folder of towers with a report of both.

    Raises
    ------
    TowerFormatError
        If no site is without faults; single faults are listed in ``import_report.csv``.
    """
    base, chosen = settings.recipe.folder, settings.towers
    paths = tower_files([path for text in chosen.files for path in found(text, base)])
    table = read_site_table(*(path for text in chosen.sites for path in found(text, base)))
    readings = read_files(
        paths,
        sites=table,
        drop=[read_period(text) for text in chosen.drop],
        partition=chosen.partition,
        n_processes=n_processes,
    )
    names = sorted({months.site for reading in readings for months in reading.months})
    placed = site_table(settings)
    there = placed.loc[[name for name in names if name in placed.index]]
    samples = sample_at_towers(store, there, client=client)
    outputs = [name for name in samples.fields if str(name).startswith("gpp_daily") or name == PROCESS]
    samples = replace(samples, fields=samples.fields.drop_vars(outputs))
    weather = samples.weather.dropna(subset=["lai"])
    c4 = samples.sites["c4_percent"]
    table["c4_percent"] = table["c4_percent"].fillna(c4.reindex(table.index))
    on_grid = chosen.weather == "grid"
    keys = [key for key in ("site_id", "year", "month") if key in weather]
    given = (weather, None) if on_grid else (None, weather[[*keys, "lai"]])
    good = without_faults(readings, table, *given)
    if not good:
        faults = "; ".join(str(fault) for reading in readings for fault in reading.faults[:1])
        raise TowerFormatError(f"towers: expected sites without faults, got none of {len(names)}: {faults}")
    shutil.rmtree(out, ignore_errors=True)
    write_tower_folder(good, table, out, weather=given[0], lai=given[1], samples=samples)
    report(readings).to_csv(out / "import_report.csv", index=False)
    samples.report.to_csv(out / "sampling_report.csv")
