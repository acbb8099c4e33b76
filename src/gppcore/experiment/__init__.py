"""An experiment: one TOML file names all inputs, from files to models, a map with its evaluation, and a report."""

from __future__ import annotations

from gppcore.experiment.experiment import Experiment

__all__ = ["Experiment"]
