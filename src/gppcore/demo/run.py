"""The demonstration: the embedded experiment, from its input files to its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gppcore.demo.inputs import EXPERIMENT, TRUTH, Region, write_demo
from gppcore.experiment import Experiment
from gppcore.experiment.progress import Silent
from gppcore.towers import read_towers


def run_demo(
    out: Path,
    *,
    region: Region | None = None,
    towers: Path | None = None,
    synthetic: bool = False,
    netcdf: bool = False,
    n_threads: int | None = None,
    progress: Silent | None = None,
) -> dict[str, Any]:
    """Run the demonstration into a folder and return what summary.json holds; parameters as of `write_demo`.

    A second run with the same options in the same folder keeps all finished work.

    Raises
    ------
    OutputExistsError
        If the folder holds anything but a run with the same options.
    RangeError
        If the region is empty or holds no land.
    MissingFileError, TowerFormatError, UnitsError
        If the towers cannot be read.
    """
    if towers is not None:
        read_towers(towers)  # an error before the world is written
    shown = progress or Silent()
    options: dict[str, Any] = {"region": region, "towers": towers, "synthetic": synthetic, "netcdf": netcdf}
    write_demo(out, n_threads=n_threads or 1, **options)
    experiment = Experiment.read(out / EXPERIMENT, out)
    if synthetic and not (out / TRUTH).exists():
        from gppcore.demo.osse import write_truth

        experiment.run(to="process", n_threads=n_threads, progress=shown)
        write_truth(out / "coarse", out / TRUTH)
    return experiment.run(n_threads=n_threads, progress=shown)
