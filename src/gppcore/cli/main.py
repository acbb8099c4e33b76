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
from gppcore.cli import process
from gppcore.cli import towers as towers_commands
from gppcore.errors import GppcoreError, RangeError, missing_package
from gppcore.io.reading import number_of

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
tiles_app = typer.Typer(help="Tile stores of predictors.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(tiles_app, name="tiles")
app.add_typer(towers_commands.app, name="towers")

for command in (experiments.init, experiments.check, experiments.run, process.simulate, process.calibrate):
    app.command()(command)

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
    """Gross primary production: two-leaf photosynthesis, downscaling and transfer learning from towers."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for all results; an interrupted run in it is resumed.")] = Path(
        "gppcore-demo"
    ),
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all usable cores by default.")] = None,
    region: Annotated[
        str | None, typer.Option(metavar="S,N,W,E", help="Map this window only (degrees), e.g. 35,60,-10,30.")
    ] = None,
    towers: Annotated[
        Path | None,
        typer.Option(help="Folder of your own towers (docs/towers.md), in place of FLUXNET2015."),
    ] = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Towers of a model planet, whose GPP is known, in place of real ones.")
    ] = False,
    netcdf: Annotated[bool, typer.Option("--netcdf", help="Also write the product as one netCDF4 file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Run the embedded experiment: process model, transfer learning from towers of FLUXNET2015, map and report."""
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


@app.command()
def train(
    towers: Annotated[Path, typer.Option(help="Folder of towers (see docs/towers.md).")],
    out: Annotated[Path, typer.Option(help="New folder of the model, or one file if it ends with .zip.")],
    predictors: Annotated[str, typer.Option(help="Set of predictors: small, mid, full or rich.")] = "small",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the learners.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all usable cores by default.")] = None,
) -> None:
    """Calibrate the process model, pre-train on it, fine-tune with all towers, and save the model for `map`."""
    from gppcore.cli.train import run_training
    from gppcore.runtime import threads as usable

    run_training(towers, out, predictors, seed=seed, n_threads=usable(threads))


@app.command()
def adapt(
    model: Annotated[Path, typer.Argument(help="Folder or zip of a saved model.")],
    towers: Annotated[Path, typer.Option(help="Folder of one or more towers with months of their own.")],
    out: Annotated[Path, typer.Option(help="New folder of the adapted model, or one file if it ends with .zip.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the learner.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all usable cores by default.")] = None,
) -> None:
    """Adapt a model to towers with a few months of their own, and save the model for these and similar places."""
    from gppcore.cli.train import run_adaptation
    from gppcore.runtime import threads as usable

    run_adaptation(model, towers, out, seed=seed, n_threads=usable(threads))


@app.command("map")
def map_(
    model: Annotated[Path, typer.Argument(help="Folder or zip of a saved model.")],
    tiles: Annotated[Path, typer.Argument(help="Tile store with the predictors.")],
    out: Annotated[Path, typer.Argument(help="New folder for the Zarr product.")],
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all usable cores by default.")] = None,
    variable: Annotated[str, typer.Option(help="Name of the predictions in the store.")] = "gpp_daily",
    check: Annotated[
        str, typer.Option(help="What to do with predictors outside their valid range: raise, warn or ignore.")
    ] = "raise",
    uncertainty: Annotated[
        bool, typer.Option(help="Write bounds, dissimilarity and intervals of totals, where the model has them.")
    ] = True,
    netcdf: Annotated[bool, typer.Option("--netcdf", help="Also write one netCDF4 file per calendar year.")] = False,
) -> None:
    """Predict every cell of a tile store with a saved model and write the gridded product."""
    from rich.progress import Progress

    from gppcore.mapping.run import map_gpp
    from gppcore.tiles.store import TileStore
    from gppcore.transfer.transfer_model import TransferModel

    predictor, store = TransferModel.load(model), TileStore.open(tiles)
    with Progress() as bar:
        task = bar.add_task("Cells", total=store.index.size * len(store.each_year))
        map_gpp(
            predictor,
            store,
            out,
            variable=variable,
            uncertainty=uncertainty,
            check=check,
            n_threads=threads,
            progress=lambda n: bar.update(task, advance=n),
        )
    typer.echo(f"Map  {out}")
    if netcdf:
        from gppcore.mapping.product import write_netcdf

        for year in store.each_year:
            file = out.with_name(f"{out.stem}{'' if year is None else f'_{year}'}.nc")
            write_netcdf(out, file, year=year)
            typer.echo(f"Map  {file}")


@tiles_app.command("build")
def build_tiles(
    recipe: Annotated[Path, typer.Argument(help="TOML file that names cells and variables.")],
    out: Annotated[Path, typer.Argument(help="Folder of the store; an unfinished store is resumed.")],
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all usable cores by default.")] = None,
) -> None:
    """Build a tile store of predictors from gridded CF files, on whatever grids they are."""
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
    towers: Annotated[Path, typer.Option(help="Folder of towers (see docs/towers.md).")],
    out: Annotated[Path, typer.Option(help="New folder for evaluation.json, predictions.csv.gz and the report.")],
    test_towers: Annotated[
        Path | None, typer.Option(help="Folder of towers to test on; without it, --towers are held out in turn.")
    ] = None,
    scheme: Annotated[
        str, typer.Option(help="What is held out: site, temporal, regional, few_towers (or few), warmer, own.")
    ] = "site",
    by: Annotated[str, typer.Option(help="Regions of the scheme regional: koeppen, continent or pft.")] = "koeppen",
    predictors: Annotated[str, typer.Option(help="Set of predictors: small, mid, full or rich.")] = "small",
    protocol: Annotated[
        str | None,
        typer.Option(help="Evaluate all hold-outs of a protocol, beside XGBoost and group DRO: fluxtrapolation."),
    ] = None,
    numbers: Annotated[str, typer.Option(help="Numbers of towers of the scheme few_towers.")] = "5,10,20",
    draws: Annotated[int, typer.Option(min=2, help="Random choices per number of towers.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of learners and draws.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all usable cores by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Evaluate process model, direct learning and transfer learning at held-out towers."""
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
            metavar="PRODUCT...",
            help="Two or more CF GPP files, FILE or FILE:VARIABLE, also quoted patterns; the last is the reference.",
        ),
    ],
    years: Annotated[
        str | None, typer.Option(metavar="FIRST,LAST", help="Compare these calendar years only, e.g. 2001,2010.")
    ] = None,
    land_fraction: Annotated[
        str | None, typer.Option(metavar="FILE:VARIABLE", help="Weigh cells by their share of land.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(metavar="FILE:VARIABLE", help="Agreement by class too, such as land cover or regions.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for comparison.json, maps and the report page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with all numbers.")] = False,
) -> None:
    """Set GPP maps against the last one on their common grid: totals, agreement, tropics, high and low GPP."""
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
    product: Annotated[str, typer.Argument(help="CF file or Zarr product of monthly GPP, FILE or FILE:VARIABLE.")],
    out: Annotated[
        Path | None, typer.Option(help="HTML file; by default named like the product, in this folder.")
    ] = None,
    towers: Annotated[
        Path | None, typer.Option(help="Tower folder to show; by default `towers` beside the product, if there is one.")
    ] = None,
) -> None:
    """Write one HTML file to look at a product: months, seasonal cycle of a clicked cell, towers; no network."""
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
    product: Annotated[Path | None, typer.Argument(help="Zarr product of `gppcore map`, to describe.")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every file of the product with its checksum.")
    ] = False,
) -> None:
    """Print versions, instruction set and the paths of header and library; or describe a product."""
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
    libs: Annotated[bool, typer.Option("--libs", help="Flags to link with; they tell programs the folder.")] = False,
    cmakedir: Annotated[bool, typer.Option("--cmakedir", help="Folder for CMake's gppcore_DIR.")] = False,
    fortran: Annotated[bool, typer.Option("--fortran", help="Source of the Fortran module.")] = False,
) -> None:
    """Print what compilers and CMake need to build C, C++ and Fortran programs with this installation."""
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


def _last_line(message: str) -> bytes:
    shown = "\x1b[?25h" if sys.stderr.isatty() else ""  # the cursor, which progress bars hide
    return f"{shown}gppcore: {message}\n".encode()
