"""What ``gppcore train`` and ``gppcore adapt`` print and write."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gppcore.errors import OutputExistsError
from gppcore.evaluation.methods import MethodSuite
from gppcore.evaluation.run import check_predictors, check_towers, predictors_of
from gppcore.process.simulate import simulate
from gppcore.towers import read_towers
from gppcore.transfer.adapt import adapt
from gppcore.transfer.transfer_model import TransferModel


def run_training(towers: Path, out: Path, predictors: str, *, seed: int, n_threads: int) -> None:
    """Train the transfer model of an evaluation on all towers, save it, and print what it is made of."""
    if out.exists():
        raise OutputExistsError(f"--out: expected a new folder or zip, got {out}, which exists")
    check_predictors(predictors)
    found = read_towers(towers)
    suite = MethodSuite(found, predictors_of(found, predictors), seed=seed, n_threads=n_threads)
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


def run_adaptation(model: Path, towers: Path, out: Path, *, seed: int, n_threads: int) -> None:
    """Adapt a saved model to all towers of a folder, and save it."""
    if out.exists():
        raise OutputExistsError(f"--out: expected a new folder or zip, got {out}, which exists")
    known, own = TransferModel.load(model), read_towers(towers)
    samples = own.samples(simulate(own.forcing, n_threads=n_threads), predictors=known.predictors)
    adapted = adapt(known, samples, seed=seed, n_threads=n_threads)
    adapted.save(out)
    print(f"Model  {out}: adapted with {len(samples)} months of {samples.groups['site'].nunique()} towers")
