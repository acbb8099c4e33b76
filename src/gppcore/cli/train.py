"""What ``gppcore train`` prints and writes."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gppcore.errors import OutputExistsError
from gppcore.evaluation.methods import MethodSuite
from gppcore.evaluation.run import check_predictors, check_towers
from gppcore.towers import read_towers


def run_training(towers: Path, out: Path, predictors: str, *, seed: int, n_threads: int) -> None:
    """Train the transfer model of an evaluation on all towers, save it, and print what it is made of."""
    if out.exists():
        raise OutputExistsError(f"--out: expected a new folder or zip, got {out}, which exists")
    suite = MethodSuite(read_towers(towers), check_predictors(predictors), seed=seed, n_threads=n_threads)
    progress = Console(stderr=True)
    with progress.status("Process model at the towers") as status:
        samples = suite.samples
        check_towers(suite.towers, samples)
        status.update("Calibration of the process model")
        pfts = suite.calibrated(samples)
        status.update("Emulators of the process model")
        suite.prepare()
        status.update("Fine-tuning with the towers")
        model = suite.transfer(samples, pfts)
    model.save(out)
    n_towers = samples.groups["site"].nunique()
    print(f"Model  {out}: {len(model.predictors)} predictors, {len(samples.groups)} months of {n_towers} towers")
