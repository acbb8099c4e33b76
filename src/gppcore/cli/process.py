"""Commands of the process model: ``gppcore simulate | calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gppcore.errors import OutputExistsError, disk_errors

Threads = Annotated[int | None, typer.Option(min=1, help="Threads; all usable cores by default.")]


def simulate(
    forcing: Annotated[
        str, typer.Argument(help="CF file or Zarr store, or an address, with the variables of docs/simulate.md.")
    ],
    out: Annotated[Path, typer.Option(help="New netCDF file.")],
    calibration: Annotated[Path | None, typer.Option(help="Parameters that `calibrate` wrote.")] = None,
    steps: Annotated[str | None, typer.Option(help="hourly, daily or monthly; by default as the times say.")] = None,
    threads: Threads = None,
) -> None:
    """Run the process model on forcing of your own and write its GPP."""
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
    towers: Annotated[Path, typer.Option(help="Folder of towers (see docs/towers.md).")],
    out: Annotated[Path, typer.Option(help="New JSON file.")],
    parameters: Annotated[str, typer.Option(help="Parameters to fit, with commas.")] = "vcmax25,psi_exponent",
    threads: Threads = None,
) -> None:
    """Fit parameters of the plant functional types to towers and write them, for `simulate` and Python."""
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
