"""The page of an evaluation."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import gppcore
from gppcore.report import evaluation_figures as figures
from gppcore.report import seen
from gppcore.report.evaluation_data import Results, read_results
from gppcore.report.figure import HALF, TWO_THIRDS, WIDTH, Drawing
from gppcore.report.page import write_page

_SCHEMES = {
    "site": "towers held out",
    "temporal": "later years of known towers held out",
    "regional": "whole regions held out",
    "warmer": "warmer climates held out",
    "few_towers": "few towers to learn from",
    "own": "later months of towers with some months of their own",
}
_GROUPS = {"koeppen": "Koeppen class", "pft": "plant functional type"}

_MOST_GROUPS = 16


def write_evaluation_report(folder: Path, *, n_processes: int = 1) -> Path:
    """Write `report.html` and its figures as PNG next to the results of an evaluation.

    Parameters
    ----------
    folder : Path
        Holds `evaluation.json` and `predictions.csv.gz`, as ``gppcore evaluate --out`` writes them. Learning curves,
        intervals, importance, partial dependence and consistency with fluorescence are shown where they are there.
    n_processes : int, default 1
        Processes that draw the figures; files do not depend on it.

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
    return write_page(
        "evaluation.html.j2",
        _drawings(results),
        folder,
        n_processes=n_processes,
        numbers=numbers,
        methods=results.methods,
        main=results.main,
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


def _drawings(results: Results) -> dict[str, Drawing]:
    """Return the figures of what the results hold."""
    numbers = results.numbers
    methods = {name: numbers["methods"][name] for name in results.methods}
    skill = methods[results.methods[0]]
    groups = skill.get("by_group") or {}
    points = {name: point[0] for name, point in figures.taylor_points(results).items()}

    def of(name: str, *path: str) -> dict[str, float]:
        return {method: _at(each, path).get(name, float("nan")) for method, each in methods.items()}

    def drawing(draw: Callable[..., Figure], width: float, text: str, **more: Any) -> Drawing:
        return Drawing(partial(draw, results, **more), width, text)

    drawn = {
        "scatter": drawing(figures.scatter, WIDTH, seen.of_skill(methods)),
        "taylor": drawing(figures.taylor, HALF, seen.of_numbers("Taylor diagram. Correlations", points)),
    }
    if gains := {name: each["r2"][0] for name, each in numbers["differences"].items() if "r2" in each}:
        drawn["differences"] = drawing(
            figures.differences, HALF, seen.of_numbers("Differences of R²", gains, 3, sign=True)
        )
    # The draws of a learning curve, which are groups too, would be unreadable.
    for key, parts in (("by_group", groups if len(groups) <= _MOST_GROUPS else {}), ("by_pft", skill.get("by_pft"))):
        if parts:
            texts = [seen.of_numbers(f"{part}, R²", of("r2", key, part)) for part in parts]
            drawn[key] = drawing(figures.skill_by, WIDTH, f"Bars by group. {' '.join(texts)}", key=key)
    if numbers.get("places") and (held_out := figures.group_of_towers(results)) is not None:
        counts = held_out.value_counts(sort=False)
        text = f"Map of {len(held_out)} towers by group: {', '.join(f'{name}: {n}' for name, n in counts.items())}."
        drawn["towers_group"] = Drawing(partial(figures.group_map, results, held_out), WIDTH, text)
    for column, sign in (("rmse", False), ("bias", True)) if numbers.get("places") else ():
        lat, lon, values, names = figures.by_tower(results, column)
        text = seen.of_towers(lat, lon, values, names, seen.FLUX, sign=sign)
        drawn[f"towers_{column}"] = drawing(figures.tower_map, HALF, text, column=column)
    if years := numbers.get("variability"):
        ends = {
            f"{name}, {end} tenth": years[name]["bias_by_decile"][i]
            for name in methods
            for end, i in (("lowest", 0), ("highest", -1))
        }
        text = seen.of_numbers("Bars. Bias", ends, sign=True, unit=seen.FLUX)
        drawn["deciles"] = drawing(figures.deciles, TWO_THIRDS, text)
    if shown := figures.cycles(results):
        drawn["seasonal"] = drawing(figures.seasonal, WIDTH, seen.of_seasons(shown))
    if curve := numbers.get("learning_curve"):
        last = max(curve, key=lambda point: point["towers"])
        ends = {name: each["r2"][0] for name, each in last["methods"].items() if each.get("r2")}
        text = seen.of_numbers(f"Curves over the number of towers. R² with {last['towers']} towers", ends)
        drawn["learning"] = drawing(figures.learning, WIDTH, text)
    if numbers.get("importance"):
        losses = {name: values[0] for name, values in figures.ranked_predictors(results).items()}
        drawn["importance"] = drawing(figures.importance, HALF, seen.of_numbers("Loss of R²", losses, 3))
    if curves := numbers.get("partial_dependence"):
        reach = {name: max(each["gpp_daily"]) - min(each["gpp_daily"]) for name, each in curves.items()}
        text = seen.of_numbers("Curves. Range of the mean GPP over each predictor", reach, unit=seen.FLUX)
        drawn["partial_dependence"] = drawing(figures.partial_dependence, TWO_THIRDS, text)
    if interval := numbers.get("interval"):
        levels = interval.get("reliability", [[interval["nominal"], interval["coverage"]]])
        shares = {f"{nominal:.0%} intervals": inside for nominal, inside in levels}
        drawn["reliability"] = drawing(figures.reliability, WIDTH, seen.of_numbers("Shares inside", shares))
    return drawn


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        tree = tree.get(key) or {}
    return tree


def _caveats(results: Results) -> list[str]:
    numbers = results.numbers
    texts = [
        (
            "Every prediction is of a model that was fitted without the held-out towers, their neighbours within the "
            "same cluster, or the held-out years; calibration, weights and choice of members are made inside the "
            "training data."
        ),
        "Intervals hold 90 % and are of a bootstrap over clusters of towers: months of one tower are not independent.",
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
