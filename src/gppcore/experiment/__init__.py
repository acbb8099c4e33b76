"""An experiment: one TOML file names all inputs of the road from files to models, a judged map and a report."""

from __future__ import annotations

from gppcore.experiment.experiment import Experiment

__all__ = ["Experiment"]
