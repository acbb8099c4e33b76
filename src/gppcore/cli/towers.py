"""Commands for observation files of towers: ``gppcore towers check | import | sample | report``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from gppcore.errors import RangeError, TowerFormatError
from gppcore.io.durable import write_table

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from gppcore.towers.files.batch import FileReading
    from gppcore.towers.files.months import SiteMonths

app = typer.Typer(help="Check and import files of flux towers.", no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE", help="Files, folders or patterns: FLUXNET, ICOS, AmeriFlux, OzFlux or plain tables."
    ),
]
_SITES_HELP = (
    "Site metadata: CSV or BADM, or a folder or archive with BADM. May be repeated; a later file adds what an earlier "
    "one lacks."
)
Drop = Annotated[
    list[str] | None,
    typer.Option(metavar="PERIOD", help="Leave out a period of a site: SITE:2013-07..2013-09. May be repeated."),
]
Processes = Annotated[
    int | None, typer.Option(metavar="N", help="Files to read at the same time; by default one per core.")
]
Partition = Annotated[
    bool, typer.Option("--partition", help="Derive GPP from NEE where a file has none (needs gppcore[partition]).")
]


class Given(NamedTuple):
    """Months that the user gives for all towers."""

    weather: pd.DataFrame | None
    lai: pd.DataFrame | None


@app.command()
def check(
    files: Files,
    sites: Annotated[list[Path] | None, typer.Option(metavar="FILE", help=_SITES_HELP)] = None,
    drop: Drop = None,
    partition: Partition = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV file for the table of sites, warnings and faults.")
    ] = None,
    processes: Processes = None,
) -> None:
    """Read files and report what they hold and what is wrong.

    The exit code is 1 if there is a fault.
    """
    from gppcore.towers.files.sites import read_site_table

    readings = _read(files, read_site_table(*sites) if sites else None, drop, partition, processes)
    _show(readings, report)
    if any(reading.faults for reading in readings):
        raise typer.Exit(1)


@app.command("import")
def import_(
    files: Files,
    sites: Annotated[list[Path], typer.Option(metavar="FILE", help=_SITES_HELP)],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="New folder of towers.")],
    lai: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV of monthly leaf area: site_id, month, lai and, optionally, year."),
    ] = None,
    weather: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV of monthly weather from `towers sample`, in place of the files' own."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Write nothing if any file or site has a fault.")] = False,
    drop: Drop = None,
    partition: Partition = False,
    processes: Processes = None,
) -> None:
    """Turn files into a folder of towers, for all other commands.

    Sites with faults are left out. In Python, `gppcore.read_towers` reads the folder.
    """
    import pandas as pd

    from gppcore.towers.files import read_lai, read_weather, write_tower_folder
    from gppcore.towers.files.batch import without_faults
    from gppcore.towers.files.folder import refuse_occupied
    from gppcore.towers.files.months import core_sequences
    from gppcore.towers.files.sites import read_site_table

    refuse_occupied(out)
    table = read_site_table(*sites)
    given = Given(read_weather(weather) if weather else None, read_lai(lai) if lai else None)
    readings = _read(files, table, drop, partition, processes)
    good = without_faults(readings, table, given.weather, given.lai)
    summary = _show(readings, None)
    n = sum(len(reading.faults) for reading in readings)
    if n and (strict or not good):
        raise TowerFormatError(f"towers: expected files without faults, got {n} in {len(readings)} files; see above")
    write_tower_folder(good, table, out, weather=given.weather, lai=given.lai)
    write_table(summary, out / "import_report.csv", index=False)
    sequences = core_sequences(pd.concat([months.gpp for months in good]))
    write_table(sequences, out / "sequences.csv", index=False)
    if _places(good, table, given) < 2:
        typer.echo("warn   usable months at fewer than 2 places 50 km apart: `evaluate` and `fine_tune` need more")
    left = f"; {n} faults, see import_report.csv" if n else ""
    typer.echo(f"Towers  {out}: {len({months.site for months in good})} sites{left}")


@app.command()
def sample(
    source: Annotated[str, typer.Argument(help="Tile store, CF file, or `world` for that of the demonstration.")],
    sites: Annotated[list[Path], typer.Option(metavar="FILE", help=_SITES_HELP)],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="New folder for weather.csv and sites.csv.")],
    footprint: Annotated[
        str,
        typer.Option(metavar="WAY", help="nearest: the nearest cell; mean: the 3 x 3 cells around the tower."),
    ] = "nearest",
) -> None:
    """Sample weather and leaf area at towers from a grid.

    `gppcore towers import` takes both files, of weather and of sites with their share of C4 plants.
    """
    from gppcore.demo.sampling import sample_world
    from gppcore.towers.files import read_sites, sample_at_towers
    from gppcore.towers.files.folder import refuse_occupied
    from gppcore.towers.files.gridded import open_gridded

    refuse_occupied(out)
    table = read_sites(*sites)
    if footprint not in ("nearest", "mean"):
        raise RangeError(f"footprint: expected nearest or mean, got {footprint!r}")
    way: Literal["nearest", "mean"] = "mean" if footprint == "mean" else "nearest"
    samples = (
        sample_world(table, footprint=way)
        if source == "world"
        else sample_at_towers(open_gridded(Path(source)), table, footprint=way)
    )
    for site, row in samples.report.iterrows():
        if row["mismatch"]:
            typer.echo(f"warn   {site}: {row['mismatch']}")
    write_table(samples.weather, out / "weather.csv", index=False)
    write_table(samples.sites, out / "sites.csv")
    typer.echo(f"Sample  {out}: {len(samples.report)} sites")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Tower folder.")],
    out: Annotated[Path, typer.Argument(help="Folder for report.html and its figures.")],
) -> None:
    """Write a page about a folder of towers.

    It has a map, climates, land cover, years and a table of sites.
    """
    from gppcore.report.network import write_network_report
    from gppcore.towers import read_towers

    towers = read_towers(folder)
    if towers.gpp.empty:
        raise TowerFormatError(f"towers {folder}: expected core months of GPP, got none; {towers.why_left_out()}")
    typer.echo(f"Report  {write_network_report(towers, out)}")


def _read(
    files: list[str], sites: pd.DataFrame | None, drop: list[str] | None, partition: bool, processes: int | None
) -> list[FileReading]:
    """Read all files with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from gppcore.towers.files.batch import read_files, tower_files
    from gppcore.towers.files.periods import read_period

    paths = tower_files(files, passed=lambda path: typer.echo(f"skip   {path}: no column of GPP or NEE"))
    periods = [read_period(text) for text in drop or ()]
    read = partial(read_files, paths, sites=sites, drop=periods, partition=partition, n_processes=processes)
    console = Console(stderr=True)
    if not console.is_terminal:  # there, even a bar that is switched off prints an empty line with rich before 14.3
        return read()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Files", total=len(paths))
        return read(done=lambda reading: bar.advance(task))


def _places(found: list[SiteMonths], sites: pd.DataFrame, given: Given) -> int:
    """Return at how many places 50 km apart there are core months with weather."""
    from gppcore.towers.files import clusters
    from gppcore.towers.files.monthly import WEATHER
    from gppcore.towers.files.months import usable

    known = ("lai", "ca") if given.weather is None else WEATHER
    used = sorted({m.site for m in found if usable(m.gpp, m.weather, given=known)["months"].any()})
    position = sites.loc[used, ["lat", "lon"]].to_numpy(float)
    return len(set(clusters(position[:, 0], position[:, 1]))) if used else 0


def _show(readings: list[FileReading], to: Path | None) -> pd.DataFrame:
    """Print a line for each file, warning and fault, then the table of sites, which is returned and may be written."""
    from rich.console import Console

    from gppcore.towers.files.batch import report

    for reading in readings:
        if reading.months:
            status = "ok  " if any(months.gpp["core"].any() for months in reading.months) else "warn"
            typer.echo(f"{status}   {reading.path}: {_line(reading.months)}")
        for months in reading.months:
            for note in months.notes:
                typer.echo(f"warn   {reading.path}: {months.site}: {note}")
        for fault in reading.faults:
            typer.echo(f"FAULT  {type(fault).__name__}: {fault}")
    table = report(readings)
    sites = table[table["site_id"].notna()].drop(columns=["file", "warnings", "fault"])
    if len(sites):
        typer.echo(
            "\nCore months that each set of predictors can use, leaf area given (docs/evaluation.md has the sets):"
        )
        Console().print(_table(sites))
        typer.echo(
            "mid and full need columns that no tower file has, such as ndwi and fpar: add them to gpp_monthly.csv"
        )
    if to is not None:
        write_table(table, to, index=False)
    return table


def _table(sites: pd.DataFrame) -> Table:
    """Return the sites as a table for a terminal: without layout and step, which the lines of the files tell."""
    from rich.table import Table

    shown = sites.drop(columns=["layout", "step"]).rename(columns={"site_id": "site"}).fillna("")
    shown["lacking"] = shown["lacking"].str.replace(r" in \d+ of \d+ months?", "", regex=True).str.replace(";", ",")
    table = Table(box=None, pad_edge=False)
    for name in map(str, shown):
        number = name not in ("site", "lacking")
        table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=number)
    for row in shown.itertuples(index=False):
        table.add_row(*(f"{value:g}" if isinstance(value, float) else str(value) for value in row))
    return table


def _line(found: list[SiteMonths]) -> str:
    first, last = min(m.first for m in found), max(m.last for m in found)
    names = found[0].site if len(found) == 1 else f"{len(found)} sites"
    n, core = sum(len(m.gpp) for m in found), sum(int(m.gpp["core"].sum()) for m in found)
    return (
        f"{names}, {found[0].layout} {found[0].step}, {first:%Y-%m} to {last:%Y-%m}, {n} months with GPP, {core} core"
    )
