"""Commands of the process model: ``gppcore simulate | calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gppcore.errors import OutputExistsError, disk_errors

Threads = Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads; by default all usable cores.")]


def simulate(
    forcing: Annotated[str, typer.Argument(help="CF file, Zarr store or address with the forcing (docs/simulate.md).")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="New netCDF file.")],
    calibration: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Parameters, as `gppcore calibrate` writes them.")
    ] = None,
    steps: Annotated[
        str | None,
        typer.Option(metavar="STEP", help="hourly, daily or monthly; by default what the times of the file tell."),
    ] = None,
    threads: Threads = None,
) -> None:
    """Run the process model on your own forcing and write its GPP."""
    from gppcore.calibration.result import Calibration
    from gppcore.io.cf import open_cf
    from gppcore.io.sources import located
    from gppcore.process.simulate import simulate as run

    if out.exists():
        raise OutputExistsError(f"--out: expected a new file, got {out}, which exists")
    pfts = None if calibration is None else Calibration.load(calibration).pfts
    with open_cf(located(forcing, Path()), "forcing") as ds:
        found = run(ds.load(), steps=steps, pfts=pfts, n_threads=threads)
    with disk_errors(out):
        found.to_netcdf(out, engine="h5netcdf")
    typer.echo(f"GPP  {out}: {', '.join(str(name) for name in found.data_vars)}, {dict(found.sizes)}")


def calibrate(
    towers: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder of towers, as `gppcore towers import` writes it.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="New JSON file.")],
    parameters: Annotated[
        str, typer.Option(metavar="NAME,...", help="Parameters to fit, separated by commas.")
    ] = "vcmax25,psi_exponent",
    threads: Threads = None,
) -> None:
    """Fit parameters of the process model to towers.

    Every plant functional type with towers gets its own; `gppcore simulate --calibration` uses them.
    """
    from gppcore.calibration.fit import calibrate as fit
    from gppcore.towers import read_towers

    if out.exists():
        raise OutputExistsError(f"--out: expected a new file, got {out}, which exists")
    found = fit(
        read_towers(towers), parameters=tuple(name.strip() for name in parameters.split(",")), n_threads=threads
    )
    with disk_errors(out):
        found.save(out)
    typer.echo(f"Calibration  {out}: {', '.join(found.pfts)}")
