"""Read the results of an evaluation: its numbers and the predictions for held-out tower months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gppcore.errors import MissingFileError, RangeError
from gppcore.evaluation.result import NUMBERS, PREDICTIONS
from gppcore.evaluation.schemes import EVALUATIONS
from gppcore.io.reading import parse_json, read_file
from gppcore.plot.style import COLOURS

_HEAD = ("scheme", "by", "predictors", "towers", "rows", "sites", "clusters", "folds", "seed", "methods", "differences")
_LIMIT = 2**28
"""Largest file of numbers [bytes]."""
_METRICS = ("r2", "rmse", "bias")
_INTERVAL = ("nominal", "coverage", "by_pft")


@dataclass(frozen=True)
class Results:
    """A saved evaluation.

    Parameters
    ----------
    numbers : mapping
        The content of `evaluation.json`; a missing figure is NaN.
    predictions : pandas.DataFrame
        Tower months: `site_id`, `pft`, `month`, `observed` and one column for each method [g C m-2 d-1].
    methods : tuple of str
        Methods judged, in the order to show.
    """

    numbers: Mapping[str, Any]
    predictions: pd.DataFrame
    methods: tuple[str, ...]

    @property
    def main(self) -> str:
        """Method of the maps of towers: transfer, or else the last one."""
        return "transfer" if "transfer" in self.methods else self.methods[-1]


def read_results(folder: Path) -> Results:
    """Read `evaluation.json` and `predictions.csv.gz`.

    Raises
    ------
    MissingFileError
        If one of them is missing.
    RangeError
        If an entry or column is missing, or a method or scheme is unknown.
    """
    for name in (NUMBERS, PREDICTIONS):
        if not (folder / name).is_file():
            raise MissingFileError(f"evaluation: expected {name} in {folder}, got none")
    try:
        numbers = parse_json(read_file(folder / NUMBERS, RangeError, limit=_LIMIT))
    except ValueError as error:
        raise RangeError(f"{folder / NUMBERS}: expected JSON, got: {error}") from error
    where = str(folder / NUMBERS)
    _check(where, "entries", numbers, _HEAD)
    if not numbers["methods"] or not set(numbers["methods"]) <= set(COLOURS):
        raise RangeError(f"{where}: expected methods out of {list(COLOURS)}, got {list(numbers['methods'])}")
    if numbers["scheme"] not in EVALUATIONS:
        raise RangeError(f"{where}: expected a scheme out of {list(EVALUATIONS)}, got {numbers['scheme']!r}")
    if numbers.get("interval"):
        _check(where, "entries of interval", numbers["interval"], _INTERVAL)
    for method, skill in numbers["methods"].items():
        _check(where, f"skill of {method}", skill, _METRICS)
    methods = tuple(method for method in COLOURS if method in numbers["methods"])
    predictions = pd.read_csv(folder / PREDICTIONS, dtype={"site_id": str, "pft": str})
    columns = ("site_id", "pft", "month", "observed", *methods)
    _check(str(folder / PREDICTIONS), "columns", predictions.columns, columns)
    head = {name: numbers[name] for name in _HEAD[:-2]}
    return Results({**_numbers(numbers), **head}, predictions, methods)


def _check(where: str, what: str, got: Iterable[str], expected: tuple[str, ...]) -> None:
    if missing := [name for name in expected if name not in got]:
        raise RangeError(f"{where}: expected the {what} {list(expected)}, got none of {missing}")


def _numbers(value: Any) -> Any:
    """Return the content of a JSON file with NaN for null."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return float("nan") if value is None else value
