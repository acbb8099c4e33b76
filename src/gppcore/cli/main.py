"""The command line: ``gppcore demo | tiles | towers | train | map | evaluate | compare | info``."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gppcore import _core
from gppcore.cli import experiment as experiments
from gppcore.cli import mapping, process
from gppcore.cli import towers as towers_commands
from gppcore.errors import GppcoreError, RangeError, missing_package
from gppcore.io.reading import number_of

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
tiles_app = typer.Typer(
    help="Build tile stores: predictors for every cell of a map.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(tiles_app, name="tiles")
app.add_typer(towers_commands.app, name="towers")

Threads = process.Threads
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Random seed.")]
Towers = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of towers, as `gppcore towers import` writes it.")]
NewModel = Annotated[Path, typer.Option(metavar="PATH", help="New folder for the model, or one file ending with .zip.")]
Predictors = Annotated[str, typer.Option(metavar="SET", help="Set of predictors: small, mid, full or rich.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")]

_INTERRUPTED = 130
_KEPT = "interrupted; finished work is kept, and the same command resumes it"
_SIDE_BY_SIDE = 2
"""Comparisons in one table."""
_GRACE = 0.05
"""Seconds after Ctrl-C in which temporary files may be removed."""


def _print_version(wanted: bool) -> None:
    if wanted:
        import gppcore

        typer.echo(gppcore.__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Estimate gross primary production (GPP): photosynthesis, downscaling, transfer learning from flux towers.

    Start with `gppcore demo`, or with `gppcore init` for files of your own. `gppcore COMMAND --help` tells the options.
    """


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for all results; resumes an interrupted run.")
    ] = Path("gppcore-demo"),
    threads: Threads = None,
    region: Annotated[
        str | None, typer.Option(metavar="S,N,W,E", help="Map only this window, in degrees, e.g. 35,60,-10,30.")
    ] = None,
    towers: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of your own towers, in place of FLUXNET2015."),
    ] = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Use towers of a model planet, whose GPP is known.")
    ] = False,
    netcdf: Annotated[bool, typer.Option("--netcdf", help="Also write the product as one netCDF4 file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Run the whole framework once, on data inside the package.

    The process model, transfer learning from 109 towers of FLUXNET2015, a global map at 0.05 degrees and a report.
    """
    window = _region(region)
    from rich.console import Console

    from gppcore.demo.run import run_demo
    from gppcore.experiment.table import result_table
    from gppcore.runtime import threads as usable

    if towers is not None and synthetic:
        raise RangeError("--synthetic: expected it without --towers, got both")
    summary = run_demo(
        out,
        region=window,
        towers=towers,
        synthetic=synthetic,
        netcdf=netcdf,
        n_threads=usable(threads),
        progress=experiments.progress(quiet),
    )
    if not quiet:
        Console().print(result_table(summary))
        typer.echo(
            f"Report   {out / 'report.html'}\nNumbers  {out / 'summary.json'}\nMap      {out / 'gpp_0p05deg.zarr'}"
        )


for command in (experiments.init, experiments.check, experiments.run, process.simulate, process.calibrate):
    app.command()(command)


@app.command()
def train(
    towers: Towers,
    out: NewModel,
    predictors: Predictors = "small",
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Train a transfer model on towers, for `gppcore map`.

    Calibrates the process model, pre-trains on its results, and fine-tunes with all towers.
    """
    from gppcore.cli.train import run_training
    from gppcore.runtime import threads as usable

    run_training(towers, out, predictors, seed=seed, n_threads=usable(threads))


@app.command()
def adapt(
    model: Annotated[Path, typer.Argument(help="Saved model: a folder or zip file.")],
    towers: Towers,
    out: NewModel,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Adapt a model to towers of your own with a few months of data.

    The adapted model suits these and similar places.
    """
    from gppcore.cli.train import run_adaptation
    from gppcore.runtime import threads as usable

    run_adaptation(model, towers, out, seed=seed, n_threads=usable(threads))


app.command("map")(mapping.map_)


@tiles_app.command("build")
def build_tiles(
    recipe: Annotated[Path, typer.Argument(help="TOML file that names cells and variables.")],
    out: Annotated[Path, typer.Argument(help="Folder of the store; resumes an unfinished one.")],
    threads: Threads = None,
) -> None:
    """Build a tile store from gridded files of any resolution."""
    from rich.progress import Progress

    from gppcore.tiles.build import TileRecipe, build_tiles
    from gppcore.tiles.derive import derive_predictors

    read = TileRecipe.read(recipe)
    with Progress() as bar:
        task = bar.add_task("Tiles", total=None)
        store = build_tiles(read, out, n_threads=threads, progress=lambda cells: bar.update(task, advance=cells))
        derive_predictors(store)
    typer.echo(f"Tiles  {out}: {store.index.size} cells, {len(store.each_year)} years, {len(read.variables)} variables")


@app.command("evaluate")
def evaluate_(
    towers: Towers,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="New folder for the report, evaluation.json and predictions.csv.gz.")
    ],
    test_towers: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Towers to test on; without it, parts of --towers are held out in turn."),
    ] = None,
    scheme: Annotated[
        str, typer.Option(metavar="NAME", help="What is held out: site, temporal, regional, few_towers, warmer or own.")
    ] = "site",
    by: Annotated[
        str, typer.Option(metavar="NAME", help="Regions of --scheme regional: koeppen, continent or pft.")
    ] = "koeppen",
    predictors: Predictors = "small",
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Run all schemes of a protocol, beside XGBoost and group DRO: fluxtrapolation."
        ),
    ] = None,
    numbers: Annotated[
        str, typer.Option(metavar="N,N,...", help="Numbers of towers to learn from, with --scheme few_towers.")
    ] = "5,10,20",
    draws: Annotated[int, typer.Option(min=2, metavar="N", help="Random choices of towers for each of --numbers.")] = 8,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Test all methods at towers that were held out.

    The methods are the process model, direct learning from towers, and transfer learning.
    """
    from gppcore.cli.evaluate import run_evaluation, run_protocol
    from gppcore.evaluation.run import EvaluationOptions
    from gppcore.evaluation.schemes import FewTowers
    from gppcore.runtime import threads as usable

    few_towers = FewTowers(_numbers("--numbers", numbers, "5,10,20"), draws, seed)
    scheme = "few_towers" if scheme == "few" else scheme
    options = EvaluationOptions(towers, test_towers, scheme, by, predictors, few_towers, seed, usable(threads))  # type: ignore[arg-type]
    if protocol is not None:
        run_protocol(protocol, options, out, as_json=as_json)
        return
    run_evaluation(options, out, as_json=as_json)


@app.command()
def compare(
    products: Annotated[
        list[str],
        typer.Argument(
            metavar="PRODUCT",
            help="Two or more: FILE, FILE:VARIABLE or a quoted pattern of files; the last is the reference.",
        ),
    ],
    years: Annotated[
        str | None, typer.Option(metavar="FIRST,LAST", help="Compare only these calendar years, e.g. 2001,2010.")
    ] = None,
    land_fraction: Annotated[
        str | None, typer.Option(metavar="FILE:VARIABLE", help="Weight cells by their share of land.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(metavar="FILE:VARIABLE", help="Also compare by class, such as land cover or regions.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for comparison.json, maps and the report.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare GPP maps with the last one given, on a common grid.

    Prints totals and agreement, everywhere, in the tropics, and where GPP is high or low.
    """
    from gppcore.comparison import compare as compare_products

    first_last = None if years is None else _numbers("--years", years, "2001,2010")
    if first_last is not None and len(first_last) != 2:
        raise RangeError(f"--years: expected the first and the last year such as 2001,2010, got {years!r}")
    comparisons = compare_products(*products, years=first_last, land_fraction=land_fraction, classes=classes)
    if out is not None:
        from gppcore.report import write_comparison_report

        write_comparison_report(comparisons, out)
    if as_json:
        typer.echo(json.dumps([each.as_dict() for each in comparisons], indent=2))
        return
    from rich.console import Console
    from rich.table import Column, Table

    tables = [each.table() for each in comparisons]
    # Side by side as long as a terminal of 80 columns has room for whole numbers, else one below the other.
    for shown in [tables] if len(tables) <= _SIDE_BY_SIDE else [[each] for each in tables]:
        table = Table(*(Column(overflow="fold") for _ in ("label", *shown)), show_header=False, box=None)
        for rows in zip(*shown, strict=True):
            table.add_row(rows[0][0], *(value for _, value in rows))
        Console().print(table)
    if out is not None:
        typer.echo(f"Report  {out / 'report.html'}")


@app.command()
def view(
    product: Annotated[str, typer.Argument(help="CF file or Zarr store of monthly GPP: FILE or FILE:VARIABLE.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="HTML file; by default in this folder, with the name of the product."),
    ] = None,
    towers: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Towers to show; by default the folder `towers` beside the product."),
    ] = None,
) -> None:
    """Write one HTML page in which to explore a product.

    It has a slider of months, the seasonal cycle of the cell that you click, and towers, and needs no network.
    """
    from gppcore.io.sources import split_variable
    from gppcore.report.viewer import write_viewer
    from gppcore.towers import read_towers

    path = Path(split_variable(product)[0])
    beside = path.parent / "towers"
    if towers is None and (beside / "sites.csv").exists():
        towers = beside
    page = write_viewer(product, out or Path(f"{path.stem}.html"), None if towers is None else read_towers(towers))
    typer.echo(f"Page  {page}")


@app.command()
def info(
    product: Annotated[Path | None, typer.Argument(help="Zarr product of `gppcore map` to describe.")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every file of the product with its checksum.")
    ] = False,
) -> None:
    """Print version and paths, or describe a product.

    The paths are those of the header and the library for C and Fortran; the instruction set is printed, too.
    """
    if product is not None:
        _describe(product, verify)
        return
    import gppcore
    from gppcore import runtime

    lines = {
        "gppcore": gppcore.__version__,
        "instruction set": f"{runtime.isa()} (supported: {', '.join(runtime.supported_isas())})",
        "library": runtime.get_library(),
        "header": runtime.get_include(),
    }
    for name, value in lines.items():
        typer.echo(f"{name:<16} {value}")


@app.command()
def config(
    cflags: Annotated[bool, typer.Option("--cflags", help="Flags to compile with.")] = False,
    libs: Annotated[bool, typer.Option("--libs", help="Flags to link with; programs then find the library.")] = False,
    cmakedir: Annotated[bool, typer.Option("--cmakedir", help="Folder to give CMake as gppcore_DIR.")] = False,
    fortran: Annotated[bool, typer.Option("--fortran", help="Source of the Fortran module.")] = False,
) -> None:
    """Print flags and paths to compile C, C++ and Fortran programs."""
    from gppcore import runtime

    library = Path(runtime.get_library())
    lines = {
        f"-I{runtime.get_include()}": cflags,
        f"-L{library.parent} -Wl,-rpath,{library.parent} -lgppcore": libs,
        runtime.get_cmake_dir(): cmakedir,
        f"{runtime.get_include()}/gppcore/gppcore.f90": fortran,
    }
    wanted = [line for line, chosen in lines.items() if chosen]
    if not wanted:
        raise RangeError("config: expected --cflags, --libs, --cmakedir or --fortran, got none")
    typer.echo(" ".join(wanted))


def _describe(product: Path, verify: bool) -> None:
    from gppcore.io.cf import open_cf
    from gppcore.mapping.product import TOTALS, verify_product

    files = verify_product(product) if verify else 0
    with open_cf(product, "product") as ds:
        for name, text in ds.attrs.items():
            typer.echo(f"{name:<16} {text}")
        for name, field in ds.data_vars.items():
            typer.echo(f"{name!s:<16} {dict(field.sizes)}, {field.attrs.get('units', 'no unit')}")
        if set(TOTALS.values()) <= set(ds.data_vars):
            total, low, high = (float(ds[name].values[0]) for name in TOTALS.values())
            typer.echo(f"{'total':<16} {total:.3f} Pg C yr-1 (90 % interval {low:.3f} to {high:.3f})")
    if verify:
        typer.echo(f"{'verified':<16} {files} files")


def _numbers(option: str, text: str, example: str) -> tuple[int, ...]:
    try:
        return tuple(int(number_of(part.strip(), int)) for part in text.split(","))
    except ValueError:
        raise RangeError(f"{option}: expected numbers such as {example}, got {text!r}") from None


def _region(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        south, north, west, east = (number_of(part.strip(), float) for part in text.split(","))
    except ValueError:
        raise RangeError(f"--region: expected S,N,W,E in degrees, got {text!r}") from None
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise RangeError(f"--region: expected -90 <= S < N <= 90 and -180 <= W < E <= 180, got {text!r}")
    return south, north, west, east


def main() -> NoReturn:
    """Run the command line; an expected error is one line, and the exit code is 1 (130 after Ctrl-C)."""
    # OpenMP threads that spin long while they wait make training many times slower when other programs use the cores;
    # threads that never spin make it several times slower when none does.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the caller wants it ignored
        # A library may swallow the exception, or wait for threads that are at work.
        _core.end_after_interrupt(_GRACE, _last_line(_KEPT), _INTERRUPTED)
        sys.unraisablehook = _unraisable
    try:
        code = app(standalone_mode=False)
    except (GppcoreError, OSError) as error:  # an OSError (no permission, say) names its file itself
        _fail(f"{type(error).__name__}: {error}", 1)
    except ModuleNotFoundError as error:
        _fail(str(missing_package("this command", error)), 1)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except Exception as error:
        # Usage errors of the command line library carry their own exit code and text.
        if not hasattr(error, "format_message"):
            raise
        _fail(error.format_message(), getattr(error, "exit_code", 2))
    if code == _INTERRUPTED:
        _fail(_KEPT, _INTERRUPTED)
    sys.exit(code)


def _fail(message: str, code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # a reader that is gone
            stream.flush()
    # Worker threads may still be inside a tile: nothing half-written counts, so there is nothing to wait for.
    _core.end_process(_last_line(message), code)
    while True:  # another thread, or the signal, came first and ends the process
        time.sleep(1)


def _unraisable(given: sys.UnraisableHookArgs) -> None:
    # In a callback or destructor Python can only print Ctrl-C and go on; the signal ends the process all the same.
    if not issubclass(given.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(given)


def _last_line(message: str) -> bytes:
    shown = "\x1b[?25h" if sys.stderr.isatty() else ""  # the cursor, which progress bars hide
    return f"{shown}gppcore: {message}\n".encode()
