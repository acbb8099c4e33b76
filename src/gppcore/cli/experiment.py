"""Commands for experiments: ``gppcore init | check | run``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gppcore.cli.process import Threads
from gppcore.errors import OutputExistsError, RangeError, disk_errors

if TYPE_CHECKING:
    from gppcore.experiment.progress import Silent

EXPERIMENT = "experiment.toml"
TEMPLATES = ("era5-modis", "era5land-viirs", "cru-glass", "cru-globmap", "demo")

File = Annotated[Path, typer.Argument(help="experiment.toml, or its folder.")]
Out = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder for the results; by default `results` beside the file.")
]


def init(
    name: Annotated[Path, typer.Argument(help="New folder.")],
    like: Annotated[
        str,
        typer.Option(metavar="TEMPLATE", help=f"{', '.join(TEMPLATES[:-1])}, or demo, which also writes its inputs."),
    ] = TEMPLATES[0],
) -> None:
    """Write a commented experiment.toml into a new folder."""
    if like not in TEMPLATES:
        raise RangeError(f"--like: expected one of {list(TEMPLATES)}, got {like!r}")
    if (name / EXPERIMENT).exists():
        raise OutputExistsError(f"NAME: expected a folder without {EXPERIMENT}, got {name}")
    if like == "demo":
        from gppcore.demo.inputs import write_demo

        write_demo(name)
    else:
        with disk_errors(name):
            name.mkdir(parents=True, exist_ok=True)
            text = files("gppcore.experiment").joinpath("templates", f"{like}.toml").read_text("utf-8")
            (name / EXPERIMENT).write_text(text, "utf-8")
    typer.echo(f"Edit {name / EXPERIMENT}, then: gppcore check {name / EXPERIMENT}")


def check(experiment: File) -> None:
    """Check all inputs of an experiment, without computing.

    The exit code is 1 if a run would fail.
    """
    from rich.console import Console
    from rich.table import Table

    from gppcore.experiment import Experiment

    findings = Experiment.read(_file(experiment)).check()
    table = Table(show_edge=False)
    table.add_column("input", overflow="fold", max_width=28)
    table.add_column("", no_wrap=True)
    table.add_column("found, or what to do", overflow="fold")
    for finding in findings:
        table.add_row(finding.item, "FAULT" if finding.fault else "ok", finding.text)
    Console().print(table)
    faults = sum(finding.fault for finding in findings)
    typer.echo(f"{faults} faults" if faults else "ready to run")
    if faults:
        raise typer.Exit(1)


def run(
    experiment: File,
    out: Out = None,
    to: Annotated[str | None, typer.Option(metavar="STEP", help="Last step to run.")] = None,
    only: Annotated[str | None, typer.Option(metavar="STEP", help="The only step to run.")] = None,
    threads: Threads = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler to compute on; training and evaluation run here."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Run an experiment, from its inputs to a map and its report.

    The steps are tiles, process, towers, train, evaluate, map and report. Finished steps are kept; a step runs again if
    its settings, its input files or a step before it changed.
    """
    from rich.console import Console

    from gppcore.experiment import Experiment
    from gppcore.experiment.table import result_table

    found = Experiment.read(_file(experiment), out)
    client = None
    if scheduler is not None:
        from distributed import Client

        client = Client(scheduler)  # type: ignore[no-untyped-call]
    summary = found.run(to=to, only=only, n_threads=threads, client=client, progress=progress(quiet))
    if summary and not quiet:
        Console().print(result_table(summary))
        typer.echo(f"Report   {found.folder / 'report.html'}\nNumbers  {found.folder / 'summary.json'}")


def progress(quiet: bool) -> Silent:
    """Return bars on a terminal, lines on a log, or silence."""
    import logging

    from rich.console import Console

    from gppcore.experiment.progress import LOG, Silent, Steps

    console = Console(stderr=True)
    if quiet or console.is_terminal:
        return Silent() if quiet else Steps(console)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    return Silent()


def _file(path: Path) -> Path:
    return path / EXPERIMENT if path.is_dir() else path
