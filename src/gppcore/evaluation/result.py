"""The result of an evaluation: its numbers in one dictionary, and the two files it is saved in."""

from __future__ import annotations

import gzip
import json
import math
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gppcore.errors import OutputExistsError, RangeError, disk_errors
from gppcore.evaluation.bootstrap import FIRST, differences
from gppcore.evaluation.metrics import skill, skill_by, skill_over_sites
from gppcore.evaluation.table import methods_of
from gppcore.io.durable import PART, rename_durably

NUMBERS = "evaluation.json"
PREDICTIONS = "predictions.csv.gz"
META = ("scheme", "by", "predictors", "towers", "folds", "seed")


def assemble(
    predictions: pd.DataFrame, meta: Mapping[str, Any], parts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the numbers of an evaluation.

    Parameters
    ----------
    predictions : pandas.DataFrame
        As :func:`gppcore.evaluation.table.methods_of` takes it.
    meta : mapping
        `scheme`, `by`, `predictors`, `towers`, `folds` and `seed`, which also draws the clusters.
    parts : mapping, optional
        Further results, stored unchanged: `places` (latitude and longitude by site), `variability`,
        `learning_curve`, `interval`, `importance`, `partial_dependence`, `sif`.

    Returns
    -------
    dict
        `meta`; `rows`, `sites`, `clusters`; `methods` with the figures of :func:`~gppcore.evaluation.metrics.skill` and
        :func:`~gppcore.evaluation.metrics.skill_over_sites`, `by_pft` and `by_group`; `differences` (empty without the
        method `transfer`); and the parts. A figure without a value is NaN.

    Raises
    ------
    ShapeError, RangeError
        If `predictions` or `meta` is incomplete.
    """
    methods = methods_of(predictions)
    if missing := [name for name in META if name not in meta]:
        raise RangeError(f"meta: expected {list(META)}, got none of {missing}")
    observed = predictions["observed"]
    return {
        **meta,
        "rows": len(predictions),
        "sites": int(predictions["site_id"].nunique()),
        "clusters": int(predictions["cluster"].nunique()),
        "methods": {
            name: {
                **skill(observed, predictions[name]),
                **skill_over_sites(observed, predictions[name], predictions["site_id"]),
                "by_pft": skill_by(observed, predictions[name], predictions["pft"]),
                "by_group": skill_by(observed, predictions[name], predictions["group"]),
            }
            for name in methods
        },
        "differences": differences(
            observed, {name: predictions[name] for name in methods}, predictions["cluster"], seed=meta["seed"]
        )
        if FIRST in methods
        else {},
        **(parts or {}),
    }


def check_new(folder: Path) -> None:
    """Check that an evaluation can be written to a folder: it is absent or empty.

    Raises
    ------
    OutputExistsError
        If it is neither.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputExistsError(f"{folder}: expected a new or empty folder, got one that holds something")


def write(folder: Path, result: Mapping[str, Any], predictions: pd.DataFrame) -> Path:
    """Write `evaluation.json` and `predictions.csv.gz` to a new folder, atomically.

    Parameters
    ----------
    folder : Path
        Absent or empty.
    result : mapping
        As :func:`assemble` returns it. Numbers are kept to 6 significant digits, NaN and infinity as null.
    predictions : pandas.DataFrame
        The table of the result, kept to 6 significant digits.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputExistsError
        If the folder is not empty.
    DiskFullError
        If there is no room; nothing is left.
    """
    check_new(folder)
    numbers = json.dumps(_rounded(result), indent=2, allow_nan=False) + "\n"
    # No time of writing in the file: the same evaluation gives the same bytes.
    table = gzip.compress(predictions.to_csv(index=False, float_format="%.6g").encode(), mtime=0)
    building = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}{PART}")
    try:
        with disk_errors(folder):
            building.mkdir(parents=True)
            (building / NUMBERS).write_text(numbers, "utf-8")
            (building / PREDICTIONS).write_bytes(table)
            rename_durably(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return folder


def _rounded(value: Any) -> Any:
    """Return a value as JSON takes it, floats to 6 significant digits and without NaN."""
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_rounded(item) for item in value]
    if hasattr(value, "tolist"):  # numbers and arrays of numpy
        return _rounded(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
