"""Commands for observation files of towers: ``gppcore towers check | import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gppcore.errors import GppcoreError, TowerFormatError

if TYPE_CHECKING:
    import pandas as pd

    from gppcore.towers.files import TowerRecord

app = typer.Typer(help="Observation files of flux towers.", no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[list[Path], typer.Argument(help="Files of FLUXNET, ICOS, AmeriFlux, or plain tables.")]
_SITES_HELP = "Metadata of sites, BADM or CSV; may be given several times, a later file adds what an earlier one lacks."


@app.command()
def check(
    files: Files,
    sites: Annotated[list[Path] | None, typer.Option(help=_SITES_HELP)] = None,
) -> None:
    """Read every file and tell in one line what it holds or what is wrong; the exit code is 1 if anything is."""
    faults = len(_read(files, sites)[1])
    if faults:
        raise typer.Exit(1)


@app.command("import")
def import_(
    files: Files,
    sites: Annotated[list[Path], typer.Option(help=_SITES_HELP)],
    out: Annotated[Path, typer.Option(help="New folder.")],
    lai: Annotated[Path | None, typer.Option(help="CSV of LAI by month: site_id, month, lai and perhaps year.")] = None,
) -> None:
    """Turn files of half-hours or hours into a folder that `gppcore demo --towers` and `read_towers` read."""
    from gppcore.towers.files import read_lai, read_sites, write_tower_folder

    records, faults = _read(files, sites)
    if faults:
        raise TowerFormatError(f"towers: expected files without faults, got {len(faults)} of {len(files)} with some")
    write_tower_folder(records, read_sites(*sites), out, lai=read_lai(lai) if lai else None)
    typer.echo(f"Towers  {out}: {len({record.site for record in records})} sites")


def _read(files: list[Path], sites: list[Path] | None) -> tuple[list[TowerRecord], list[Path]]:
    """Read all files, print a line for each, and return the records and the files with faults."""
    from gppcore.towers.files import read_records, read_sites

    table: pd.DataFrame | None = read_sites(*sites) if sites else None
    records, faults = [], []
    for file in files:
        try:
            found = read_records(file, sites=table)
        except (GppcoreError, OSError) as error:
            faults.append(file)
            typer.echo(f"FAULT  {type(error).__name__}: {error}")
            continue
        records += found
        typer.echo(f"ok     {file}: {_line(found)}")
    return records, faults


def _line(found: list[TowerRecord]) -> str:
    from gppcore.towers.files import monthly_gpp

    months = [monthly_gpp(record) for record in found]
    first, last = min(r.table.index[0] for r in found), max(r.table.index[-1] for r in found)
    names = found[0].site if len(found) == 1 else f"{len(found)} sites"
    n, core = sum(len(m) for m in months), sum(int(m["core"].sum()) for m in months)
    return (
        f"{names}, {found[0].layout} {found[0].step}, {first:%Y-%m} to {last:%Y-%m}, {n} months with GPP, {core} core"
    )
