"""A look at the inputs of an experiment before any computing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import numpy as np

from gppcore.errors import GppcoreError, MissingFileError, ShapeError
from gppcore.experiment.inputs import found, process_files, product_files
from gppcore.experiment.settings import Settings
from gppcore.experiment.target import site_table
from gppcore.features.derive import derivable
from gppcore.io.sources import sources, there
from gppcore.regrid import LatLonGrid
from gppcore.tiles.build import open_fields, read_cells
from gppcore.tiles.fields import Fields
from gppcore.towers import read_towers
from gppcore.towers.files.batch import read_files, report, tower_files
from gppcore.towers.files.periods import read_period
from gppcore.towers.files.sites import read_site_table
from gppcore.transfer.source_tiles import FORCING
from gppcore.variables import MONTHS, VARIABLES, check_range

_CHUNK = 400  # rows and columns of a field that are looked at


class Finding(NamedTuple):
    """What a check found in one input.

    Attributes
    ----------
    item : str
        Input, or thing to do.
    fault : bool
        Whether a run would fail.
    text : str
        What is there, or what is wrong and how to go on.
    """

    item: str
    fault: bool
    text: str


def check(settings: Settings) -> list[Finding]:
    """Look at every input; faults are collected, not raised."""
    findings = [_found("cells", lambda: _cells(settings))]
    for name in settings.recipe.variables:
        findings.append(_found(name, partial(_variable, settings, name)))
    findings.append(_found("predictors", lambda: _predictors(settings)))
    findings += _towers(settings)
    for text in (*process_files(settings), *product_files(settings)):
        findings.append(_found(text, partial(_there, text, settings)))
    return findings


def _there(text: str, settings: Settings) -> str:
    files = sources(text, settings.recipe.folder)
    if missing := [str(source) for source in files if not there(source)]:
        raise MissingFileError(f"no such file {missing[0]}")
    if not files:
        raise MissingFileError(f"no files {text}")
    return "there"


def _found(item: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(item, False, look())
    except (GppcoreError, OSError) as error:
        return Finding(item, True, f"{type(error).__name__}: {error}")


def _cells(settings: Settings) -> str:
    grid, cells = read_cells(settings.recipe)
    step = abs(grid.lat[1] - grid.lat[0])
    return (
        f"{cells.size:,} cells of {step:g} degrees, {grid.lat_edges.min():g} to {grid.lat_edges.max():g} N, "
        f"{grid.lon_edges.min():g} to {grid.lon_edges.max():g} E"
    )


def _variable(settings: Settings, name: str) -> str:
    """Open the files of a variable, see that all months are there and look at the values of two of them."""
    recipe = settings.recipe
    source = recipe.variables[name]
    years = [None] if recipe.years is None else list(range(recipe.years[0], recipe.years[1] + 1))
    months = [(year, month) for year in years for month in range(1, MONTHS + 1)]
    with ExitStack() as stack:
        files = open_fields(name, recipe, stack)
        if not isinstance(files, Fields):
            values = np.array([files.month(year, month) for year, month in months])
            return f"{values.min():g} to {values.max():g}, one value for all cells"
        wanted = [(None, 0)] if source.static else months
        steps = [step for year, month in wanted for step in files.month(year, month)]
        low, high = np.inf, -np.inf
        for step in steps[:: max(1, len(steps) // 5)]:
            values = files.values(step, slice(None, None, max(1, step.grid.shape[0] // _CHUNK)))
            if name in VARIABLES:
                check_range(name, values, where=step.path)
            low, high = min(low, float(np.nanmin(values))), max(high, float(np.nanmax(values)))
        grid: LatLonGrid = steps[0].grid
        unit = VARIABLES[name].unit if name in VARIABLES else source.units
        unit = "" if unit == "1" else f" {unit}"
        return (
            f"{len(steps)} steps at {abs(grid.lat[1] - grid.lat[0]):g} degrees, "
            f"{grid.lat_edges.min():g} to {grid.lat_edges.max():g} N; {low:.4g} to {high:.4g}{unit}"
            f"{_years_of(files, recipe.years) if source.static and len(files.years) > 1 else ''}"
        )


def _years_of(files: Fields, years: tuple[int, int] | None) -> str:
    """Return which years a static variable has, and which years of the experiment take the nearest of them."""
    text = f"; files of {_runs(files.years)}"
    lacking = sorted(set(range(years[0], years[1] + 1)) - set(files.years)) if years else []
    return f"{text}, averaged over the years" + (f"; {_runs(lacking)}: that of the nearest year" if lacking else "")


def _runs(years: Sequence[int]) -> str:
    """Return years as runs: 2001-2003, 2005."""
    first = [year for year in years if year - 1 not in years]
    last = [year for year in years if year + 1 not in years]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(first, last, strict=True))


def _predictors(settings: Settings) -> str:
    """See that the files give, or give rise to, all predictors and inputs of the process model."""
    given = set(settings.recipe.variables)
    known = given | set(derivable(given, also={*settings.learning.names, *FORCING}))
    needed = {*settings.learning.names, *FORCING, "igbp"}
    if missing := sorted(needed - known):
        raise ShapeError(
            f"expected all predictors and {list(FORCING)}, got no {missing}; add files of them as "
            f"[variables.{missing[0]}], or choose other predictors"
        )
    return f"{len(settings.learning.names)} predictors, {len(known - given)} of them and of the forcing derived"


def _towers(settings: Settings) -> Iterator[Finding]:
    base, towers = settings.recipe.folder, settings.towers
    if towers.folder:
        yield _found("towers", lambda: repr(read_towers(base / towers.folder)))
        return
    yield _found("sites", lambda: f"{len(site_table(settings))} sites with a position")
    try:
        table = read_site_table(*(path for text in towers.sites for path in found(text, base)))
        paths = tower_files([path for text in towers.files for path in found(text, base)])
        drop = [read_period(text) for text in towers.drop]
        readings = read_files(paths, sites=table, drop=drop, partition=towers.partition)
    except (GppcoreError, OSError) as error:
        yield Finding("towers", True, f"{type(error).__name__}: {error}")
        return
    seen = report(readings)
    sites = seen[seen["site_id"].notna()]
    text = f"{sites['site_id'].nunique()} sites in {len(paths)} files, {int(sites['core'].sum()):,} core months of GPP"
    if not paths:
        text = f"no such files {', '.join(towers.files)}"
    yield Finding("towers", not len(sites), text)
    for reading in readings:
        for fault in reading.faults:
            yield Finding(f"towers: {reading.path.name}", False, f"left out: {type(fault).__name__}: {fault}")
