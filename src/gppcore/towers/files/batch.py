"""Many files at once: which files a folder or pattern means, and what each gave, read side by side."""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from gppcore.errors import GppcoreError, MissingFileError, RangeError, TowerFormatError
from gppcore.features import PREDICTOR_SETS
from gppcore.towers.files.clock import name_facts
from gppcore.towers.files.columns import GPP, candidates_in
from gppcore.towers.files.content import finest, header_of, is_table
from gppcore.towers.files.folder import folder_tables
from gppcore.towers.files.months import SiteMonths, site_months, usable
from gppcore.towers.files.netcdf import weather_beside
from gppcore.towers.files.periods import Period
from gppcore.towers.files.record import read_good_records
from gppcore.towers.files.sites import check_position


@dataclass(frozen=True)
class FileReading:
    """What one file gave.

    Attributes
    ----------
    path : Path
        The file.
    months : list of SiteMonths
        Months of its good sites.
    faults : list of GppcoreError or OSError
        Faults of the file, or of its other sites.
    """

    path: Path
    months: list[SiteMonths] = field(default_factory=list)
    faults: list[GppcoreError | OSError] = field(default_factory=list)


def tower_files(paths: Iterable[str | Path], *, passed: Callable[[Path], None] = lambda path: None) -> list[Path]:
    """Return the files that paths, folders and patterns mean.

    Parameters
    ----------
    paths : iterable of str or Path
        Files; folders, of whose tables, and of those below, the networks' are taken in their finest step; or patterns
        with * and ?.
    passed : callable
        Called with every table of a folder that has no flux, such as one of sites or leaf area.

    Raises
    ------
    MissingFileError
        If a folder has no table, or a pattern matches none.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            tables = _tables(path)
            inside = [table for table in tables if _may_hold_fluxes(table)] or tables
            for table in tables:
                if table not in inside:
                    passed(table)
            if not inside:
                got = sorted(p.name for p in path.iterdir())[:5]
                raise MissingFileError(f"towers: expected tables (.csv, .csv.gz, .zip, .txt, .nc) in {path}, got {got}")
            found |= dict.fromkeys(inside)
        elif not path.exists() and re.search(r"[*?\[]", str(path)):
            fixed = next(parent for parent in path.parents if not re.search(r"[*?\[]", str(parent)))
            matches = sorted(fixed.glob(str(path.relative_to(fixed))))
            if not matches:
                raise MissingFileError(f"towers: expected files like {path}, got none")
            found |= dict.fromkeys(matches)
        else:
            found[path] = None
    return list(found)


def read_files(
    paths: Sequence[Path],
    *,
    sites: pd.DataFrame | None = None,
    drop: Sequence[Period] = (),
    partition: bool = False,
    n_processes: int | None = None,
    done: Callable[[FileReading], None] = lambda reading: None,
) -> list[FileReading]:
    """Read files, in their order; faults are collected, not raised.

    Parameters
    ----------
    paths : sequence of Path
        Files, see :func:`tower_files`.
    sites, drop, partition
        As in :func:`read_fluxnet`.
    n_processes : int, optional
        Processes; without it one for each processor, at most one for each file.
    done : callable
        Called with every reading as it is finished.

    Raises
    ------
    RangeError
        If `n_processes` is below 1.
    """
    if n_processes is not None and n_processes < 1:
        raise RangeError(f"n_processes: expected 1 or more, got {n_processes}")
    n = min(n_processes or len(os.sched_getaffinity(0)), len(paths))
    read = partial(_read, sites=sites, drop=tuple(drop), partition=partition)
    if n <= 1:
        readings = []
        for path in paths:
            readings.append(read(path))
            done(readings[-1])
        return readings
    with ProcessPoolExecutor(n, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(read, path) for path in paths]
        for future in as_completed(futures):
            done(future.result())
        return [future.result() for future in futures]


def without_faults(
    readings: Sequence[FileReading], sites: pd.DataFrame, weather: pd.DataFrame | None, lai: pd.DataFrame | None
) -> list[SiteMonths]:
    """Return the months of sites that can stand in a folder; what keeps a site from it becomes a fault of its file.

    Parameters
    ----------
    readings : sequence of FileReading
        What :func:`read_files` returns.
    sites, weather, lai
        As of :func:`write_tower_folder`.
    """
    of_site: dict[str, list[tuple[FileReading, SiteMonths]]] = {}
    for reading in readings:
        for months in reading.months:
            of_site.setdefault(months.site, []).append((reading, months))
    for site, several in of_site.items():
        of_site[site] = _once(several) if len(several) > 1 else several
    good = []
    for parts in of_site.values():
        together = [months for _, months in parts]
        try:
            folder_tables(together, sites, weather, lai)
        except GppcoreError as error:
            parts[-1][0].faults.append(error)
        else:
            good += together
    return good


def _once(parts: Sequence[tuple[FileReading, SiteMonths]]) -> list[tuple[FileReading, SiteMonths]]:
    """Keep each month of a site once, from the file that has most core months with weather; the others say so."""
    best_first = sorted(
        parts,
        key=lambda part: (
            -int(usable(part[1].gpp, part[1].weather, given=("lai", "ca"))["months"].max()),
            -int(part[1].gpp["core"].sum()),
        ),
    )
    kept: list[tuple[FileReading, SiteMonths]] = []
    for reading, months in best_first:
        held = [other for _, other in kept]
        gpp, weather = months.gpp, months.weather
        for other in held:
            gpp, weather = _without(gpp, other.gpp), _without(weather, other.weather)
        if lost := len(months.gpp) - len(gpp):
            there = ", ".join(dict.fromkeys(Path(other.where).name for other in held))
            note = f"{lost} of {len(months.gpp)} months left out: {there} has them too"
            found = replace(months, gpp=gpp, weather=weather, notes=(*months.notes, note))
            reading.months[[m is months for m in reading.months].index(True)] = found
            months = found
        kept.append((reading, months))
    return [(reading, months) for reading, months in kept if len(months.gpp)] or kept


def _without(months: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    keys = ["year", "month"]
    return months[~pd.MultiIndex.from_frame(months[keys]).isin(pd.MultiIndex.from_frame(other[keys]))]


def report(readings: Sequence[FileReading]) -> pd.DataFrame:
    """Return a table of sites and faults.

    Parameters
    ----------
    readings : sequence of FileReading
        What :func:`read_files` returns.

    Returns
    -------
    pandas.DataFrame
        One row for each site of a file, and for each fault: file, site_id, layout, step, first, last, `months` with
        GPP, `core` ones, for each predictor set the core months that it can use if leaf area is given, `lacking`,
        `warnings` and `fault`, in words.
    """
    rows: list[dict[str, object]] = []
    for reading in readings:
        for months in reading.months:
            sets = usable(months.gpp, months.weather, given=("lai", "ca"))
            rows.append(
                {
                    "file": reading.path.name,
                    "site_id": months.site,
                    "layout": months.layout,
                    "step": months.step,
                    "first": f"{months.first:%Y-%m}",
                    "last": f"{months.last:%Y-%m}",
                    "months": len(months.gpp),
                    "core": int(months.gpp["core"].sum()),
                    **sets["months"],
                    "lacking": sets["lacking"].iloc[0],
                    "warnings": "; ".join(months.notes),
                }
            )
        rows += [{"file": reading.path.name, "fault": f"{type(e).__name__}: {e}"} for e in reading.faults]
    columns = ["file", "site_id", "layout", "step", "first", "last", "months", "core", *PREDICTOR_SETS]
    table = pd.DataFrame(rows, columns=[*columns, "lacking", "warnings", "fault"])
    numbers = ["months", "core", *PREDICTOR_SETS]
    return table.astype(dict.fromkeys(numbers, "Int64"))


def _read(path: Path, *, sites: pd.DataFrame | None, drop: Sequence[Period], partition: bool) -> FileReading:
    try:
        reading = read_good_records(path, sites=sites, drop=drop, partition=partition)
        found = FileReading(path, [], [*reading.faults])
        for record in reading.records:
            try:
                if sites is not None:
                    lat, lon = map(float, sites.loc[record.site, ["lat", "lon"]])
                    check_position(record.site, lat, lon, "sites")
                found.months.append(site_months(record))
            except GppcoreError as error:
                found.faults.append(error)
        return found
    except (GppcoreError, OSError) as error:
        return FileReading(path, [], [error])
    except MemoryError:
        return FileReading(path, [], [TowerFormatError(f"{path}: expected a table that fits into memory")])


def _may_hold_fluxes(path: Path) -> bool:
    """Return whether a file of a folder has a flux, or the name of a network's table, or cannot be looked into."""
    header, facts = header_of(path), name_facts(path.name)
    found = candidates_in(header, {})
    return header == ("",) or bool(facts.site and facts.step) or any(name in found for name in (*GPP, "nee"))


def _tables(folder: Path) -> list[Path]:
    """Return the finest tables of each product in a folder and those below it, without weather beside fluxes."""
    inside = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    seen = [path for name, path in inside.items() if not any(part.startswith((".", "__")) for part in name.parts)]
    tables = [path for path in seen if is_table(path.name)]
    with_fluxes = {weather_beside(path) for path in tables if path != weather_beside(path)}
    names = finest([str(path) for path in tables if path not in with_fluxes])
    return [Path(name) for name in names]
