"""The page of an evaluation."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import gppcore
from gppcore.report import evaluation_figures as figures
from gppcore.report.evaluation_data import Results, read_results
from gppcore.report.page import write_page

_SCHEMES = {
    "site": "towers held out",
    "temporal": "later years of known towers held out",
    "regional": "whole regions held out",
    "few_towers": "few towers to learn from",
    "own": "later months of towers with some months of their own",
}
_GROUPS = {"koeppen": "Koeppen class", "pft": "plant functional type"}

_MOST_GROUPS = 16


def write_evaluation_report(folder: Path) -> Path:
    """Write `report.html` and its figures as PNG next to the results of an evaluation.

    Parameters
    ----------
    folder : Path
        Holds `evaluation.json` and `predictions.csv.gz`, as ``gppcore evaluate --out`` writes them. Learning curves,
        intervals, importance, partial dependence and consistency with fluorescence are shown where they are there.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    MissingFileError
        If one of the two files is missing.
    RangeError
        If an entry or column is missing, or a method is unknown.
    """
    results = read_results(folder)
    numbers = results.numbers
    skill = numbers["methods"][results.methods[0]]
    groups = skill.get("by_group") or {}
    by_group = groups if len(groups) <= _MOST_GROUPS else None  # the draws of a learning curve would be unreadable
    optional: dict[str, tuple[object, Callable[[Results], Figure]]] = {
        "differences": (numbers["differences"], figures.differences),
        "by_group": (by_group, partial(figures.skill_by, key="by_group")),
        "by_pft": (skill.get("by_pft"), partial(figures.skill_by, key="by_pft")),
        "seasonal": (figures.shown_types(results), figures.seasonal),
        "learning": (numbers.get("learning_curve"), figures.learning),
        "importance": (numbers.get("importance"), figures.importance),
        "partial_dependence": (numbers.get("partial_dependence"), figures.partial_dependence),
        "reliability": (numbers.get("interval"), figures.reliability),
    }
    drawn: dict[str, Callable[[Results], Figure]] = {"scatter": figures.scatter, "taylor": figures.taylor}
    drawn |= {name: draw for name, (content, draw) in optional.items() if content}
    return write_page(
        "evaluation.html.j2",
        {name: partial(draw, results) for name, draw in drawn.items()},
        folder,
        numbers=numbers,
        methods=results.methods,
        scheme=_SCHEMES[numbers["scheme"]],
        group=_GROUPS.get(numbers["by"], numbers["by"] or "group"),
        caveats=_caveats(results),
        provenance={
            "gppcore": gppcore.__version__,
            "Python": platform.python_version(),
            "numpy": np.__version__,
            "towers": str(numbers["towers"]),
            "seed": str(numbers["seed"]),
        },
    )


def _caveats(results: Results) -> list[str]:
    numbers = results.numbers
    texts = [
        (
            "Every prediction is of a model that was fitted without the held-out towers, their neighbours within the "
            "same cluster, or the held-out years; calibration, weights and choice of members are made inside the "
            "training data."
        ),
        "Intervals are of a bootstrap over clusters of towers: months of one tower are not independent.",
        "Towers are not a random sample of land: skill at towers is not skill on the map, least of all in the tropics.",
    ]
    if few := sorted(set(results.predictions["pft"]) - set(figures.shown_types(results))):
        texts.append(
            f"Types with fewer than {figures.MIN_SITES} towers are left out of the seasonal cycles, and their skill "
            f"is uncertain: {', '.join(few)}."
        )
    if numbers["scheme"] == "few_towers" and (curve := numbers.get("learning_curve")):
        draws = sorted({point["draws"] for point in curve})
        spread = str(draws[0]) if len(draws) == 1 else f"{draws[0]} to {draws[-1]}"
        texts.append(f"Learning curves are means over {spread} draws of towers for each number of towers.")
    if numbers["scheme"] == "temporal":
        texts.append("All towers are in training: this scheme does not measure skill at places without towers.")
    return texts
