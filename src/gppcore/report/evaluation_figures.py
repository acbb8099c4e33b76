"""The figures of an evaluation, each a function of its results and a width [inch]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gppcore import plot
from gppcore.plot.style import COLOURS, FLUX, Floats, ink, text_of
from gppcore.report import figure as figures
from gppcore.report.evaluation_data import Results
from gppcore.variables import VARIABLES

MIN_SITES = 3
"""Minimum number of sites for a plant functional type to be shown separately."""
_MOST_PREDICTORS, _MOST_CURVES, _MOST_ON_A_MAP = 20, 12, 28
_METRICS = {"r2": "R$^2$", "rmse": f"RMSE ({FLUX})"}
_LEAST_R2 = -0.5  # worse is cut, so that one bad bar does not flatten the others


def scatter(results: Results, width: float) -> Figure:
    """Predicted against observed tower months, one panel per method."""
    rows = results.predictions
    skill = results.numbers["methods"]
    shown = [
        (text_of(name), COLOURS[name], rows["observed"], rows[name], None, skill[name]) for name in results.methods
    ]
    return figures.scatters(width, shown, (f"observed ({FLUX})", f"predicted ({FLUX})"), "tower months")


def taylor(results: Results, width: float) -> Figure:
    """Taylor diagram of all methods over all tower months."""
    figure = figures.new_figure(width, 4.3)
    axes = figure.add_subplot(projection="polar")
    plot.taylor(taylor_points(results), ax=axes)
    figures.legend_above(axes)
    return figure


def taylor_points(results: Results) -> dict[str, tuple[float, float]]:
    """Return correlation and relative standard deviation by method."""
    points = {}
    for method in results.methods:
        observed, predicted = results.predictions[["observed", method]].dropna().to_numpy().T
        ratio = float(predicted.std() / observed.std())
        points[method] = (float(np.corrcoef(observed, predicted)[0, 1]), ratio)
    return points


def differences(results: Results, width: float) -> Figure:
    """Differences between methods with their intervals."""
    figure = figures.new_figure(width, 4.3)
    rows = {name: values["r2"] for name, values in results.numbers["differences"].items() if "r2" in values}
    plot.intervals(rows, label="difference of R$^2$", ax=figure.add_subplot())
    return figure


def skill_by(results: Results, width: float, *, key: str) -> Figure:
    """R2 and RMSE by method in every group or plant functional type, in descending order of rows."""
    skill = results.numbers["methods"]
    first = skill[results.methods[0]][key]
    groups = sorted(first, key=lambda group: -first[group]["n"])
    figure = figures.new_figure(width, 4.6)
    axes_of = figure.subplots(2, 1, sharex=True)
    for axes, metric in zip(axes_of, _METRICS, strict=True):
        values = {
            method: [_value(skill[method][key].get(group, {}).get(metric)) for group in groups]
            for method in results.methods
        }
        least = _LEAST_R2 if metric == "r2" else None
        plot.bars(groups, values, label=_METRICS[metric], least=least, ax=axes)
    few = len(groups) > 1.3 * width
    axes_of[-1].set_xticks(
        range(len(groups)),
        groups if few else [f"{group}\nn = {first[group]['n']:,}" for group in groups],
        rotation=90 if few else 0,
    )
    figures.legend_above(axes_of[0])
    return figure


def _value(value: float | None) -> float:
    return float("nan") if value is None else value


def learning(results: Results, width: float) -> Figure:
    """Skill and its difference to the direct method over the number of towers, with intervals."""
    curve = sorted(results.numbers["learning_curve"], key=lambda point: point["towers"])
    towers = [point["towers"] for point in curve]
    pairs = [name for name in curve[0].get("differences", {}) if "r2" in curve[0]["differences"][name]]
    figure, axes_of = figures.panels(width, 2 + bool(pairs), 2.9, 3.2)
    for axes, metric in zip(axes_of, _METRICS, strict=False):
        points = {name: [each["methods"].get(name, {}).get(metric) for each in curve] for name in results.methods}
        lines, bands = _bands(points)
        plot.learning_curve(towers, lines, intervals=bands, label="", title=_METRICS[metric], ax=axes)
    if pairs:
        differ = {
            f"minus {name.partition(' - ')[2]}": [each["differences"].get(name, {}).get("r2") for each in curve]
            for name in pairs
        }
        lines, bands = _bands(differ)
        title = f"R$^2$: {text_of(pairs[0].partition(' - ')[0])} minus others"
        plot.learning_curve(towers, lines, intervals=bands, label="", title=title, ax=axes_of[-1])
        axes_of[-1].axhline(0.0, color=ink(), lw=0.8)
    figures.legend_above(axes_of[0])
    return figure


def _bands(
    points: Mapping[str, Sequence[Sequence[float] | None]],
) -> tuple[dict[str, Floats], dict[str, tuple[Any, Any]]]:
    """Return means and their intervals; a series without any point is left out."""
    lines: dict[str, Floats] = {}
    bands = {}
    for name, values in points.items():
        if any(values):
            lines[name], low, high = np.array([value or [np.nan] * 3 for value in values], float).T
            bands[name] = (low, high)
    return lines, bands


def shown_types(results: Results) -> dict[str, int]:
    """Return the towers of each plant functional type that has enough of them, in descending order of rows."""
    types = results.predictions.groupby("pft")["site_id"].agg(["size", "nunique"]).sort_values("size", ascending=False)
    return {str(pft): int(sites) for pft, sites in types["nunique"].items() if sites >= MIN_SITES}


def cycles(results: Results) -> dict[str, dict[str, Floats]]:
    """Return mean seasonal cycles by plant functional type, and by hemisphere where places are known."""
    rows = results.predictions
    places = results.numbers.get("places")
    south = rows["site_id"].map({site: place[0] < 0.0 for site, place in places.items()}) if places else None
    found = {}
    for pft in shown_types(results):
        for side in (False, True) if south is not None else (None,):
            own = rows[(rows["pft"] == pft) & (True if side is None else south == side)]
            sites = own["site_id"].nunique()
            if sites >= MIN_SITES:
                cycle = own.groupby("month")[["observed", *results.methods]].mean().reindex(range(1, 13))
                where = "" if side is None else ", south" if side else ", north"
                found[f"{pft}{where} ({sites} towers)"] = {str(name): cycle[name].to_numpy(float) for name in cycle}
    return found


def seasonal(results: Results, width: float) -> Figure:
    """Mean seasonal cycles by plant functional type."""
    shown = cycles(results)
    figure, axes_of = figures.panels(width, len(shown), 2.0, 1.75, sharex=True)
    for axes, (title, lines) in zip(axes_of, shown.items(), strict=True):
        plot.season(lines, title=title, label="", ax=axes)
        axes.tick_params(labelsize=7)
    figure.supylabel(f"GPP ({FLUX})", fontsize=8.5)
    figures.legend_above(axes_of[0])
    return figure


def by_tower(results: Results, column: str) -> tuple[Floats, Floats, Floats, list[str]]:
    """Return places, and RMSE or bias of the main method at each tower, and the names of towers."""
    error = (results.predictions[results.main] - results.predictions["observed"]).groupby(
        results.predictions["site_id"]
    )
    found = error.mean() if column == "bias" else error.apply(lambda each: float(np.sqrt((each**2).mean())))
    places = np.array([results.numbers["places"][site] for site in found.index], float)
    return places[:, 0], places[:, 1], found.to_numpy(float), list(found.index)


def tower_map(results: Results, width: float, *, column: str) -> Figure:
    """RMSE or bias of the main method at each tower."""
    label = {"rmse": f"RMSE ({FLUX})", "bias": f"predicted minus observed ({FLUX})"}[column]
    lat, lon, values, _ = by_tower(results, column)
    return figures.towers_figure(lat, lon, values, width, label, difference=column == "bias")


def group_of_towers(results: Results) -> pd.Series | None:
    """Return the group with which each tower was held out, if it was with one, and there are few enough to show."""
    if "group" not in results.predictions:
        return None
    groups = results.predictions.groupby("site_id")["group"].agg(["first", "nunique"])
    if (groups["nunique"] > 1).any() or not 2 <= groups["first"].nunique() <= _MOST_ON_A_MAP:
        return None
    return groups["first"].astype(str).sort_values(key=lambda names: names.str.zfill(9))


def group_map(results: Results, groups: pd.Series, width: float) -> Figure:
    """Towers on a map by the group with which they were held out."""
    figure = figures.new_figure(width, 0.55 * width + 0.4)
    places = np.array([results.numbers["places"][site] for site in groups.index], float)
    axes = plot.towers(places[:, 0], places[:, 1], groups=list(groups), ax=figure.add_subplot())
    figures.as_points(axes)
    return figure


def deciles(results: Results, width: float) -> Figure:
    """Bias of every method in tenths of the observed GPP."""
    figure = figures.new_figure(width, 3.6)
    axes = figure.add_subplot()
    bias = {name: results.numbers["variability"][name]["bias_by_decile"] for name in results.methods}
    tenths = [str(i + 1) for i in range(len(next(iter(bias.values()))))]
    plot.bars(tenths, bias, label=f"predicted minus observed ({FLUX})", ax=axes)
    axes.set_xlabel("tenths of the observed GPP, from the lowest")
    figures.legend_above(axes)
    return figure


def importance(results: Results, width: float) -> Figure:
    """Loss of R2 when a predictor is permuted."""
    ranked = ranked_predictors(results)
    figure = figures.new_figure(width, 0.7 + 0.24 * max(4, len(ranked)))
    plot.intervals(ranked, label="loss of R$^2$ when permuted", ax=figure.add_subplot())
    return figure


def ranked_predictors(results: Results) -> dict[str, list[float]]:
    """Return loss of R2 and its interval, the most important predictors first."""
    rank = sorted(results.numbers["importance"].items(), key=lambda item: -item[1][0])
    return dict(rank[:_MOST_PREDICTORS])


def partial_dependence(results: Results, width: float) -> Figure:
    """Mean GPP over the values of a predictor, all others unchanged; the most important predictors first."""
    curves = results.numbers["partial_dependence"]
    rank = results.numbers.get("importance", {})
    names = sorted(curves, key=lambda name: -rank.get(name, [0.0])[0])[:_MOST_CURVES]
    figure, axes_of = figures.panels(width, len(names), 1.9, 1.6, sharey=True)
    for axes, name in zip(axes_of, names, strict=True):
        unit = f" ({VARIABLES[name].unit})" if name in VARIABLES else ""
        plot.response(curves[name]["x"], curves[name]["gpp_daily"], f"{name}{unit}", ax=axes)
    figure.supylabel(f"GPP ({FLUX})", fontsize=8.5)
    return figure


def reliability(results: Results, width: float) -> Figure:
    """Share of observations inside the intervals by plant functional type, and over the nominal share if known."""
    interval = results.numbers["interval"]
    wide = width > figures.HALF
    if levels := interval.get("reliability"):
        figure = figures.new_figure(width, 3.5 if wide else 6.5)
        layout: Any = {"ncols": 2, "width_ratios": (1, 2.2)} if wide else {"nrows": 2, "height_ratios": (1.2, 1)}
        left, right = figure.subplots(**layout)
        plot.reliability(*np.array(levels, float).T, ax=left)
    else:
        figure = figures.new_figure(width, 3.5)
        right = figure.subplots()
    types = sorted(interval["by_pft"].items(), key=lambda item: -item[1][1])
    right.plot(range(len(types)), [coverage for _, (coverage, _) in types], "o", color=COLOURS["transfer"])
    right.axhline(interval["nominal"], color=ink(), lw=0.8)
    right.axhline(interval["coverage"], color=COLOURS["transfer"], lw=0.8, ls="--")
    right.set_xticks(range(len(types)), [f"{pft}\n{n:,}" for pft, (_, n) in types], fontsize=7.5 if wide else 6.5)
    right.set_xlabel("land cover and its months")
    right.set(xlim=(-0.6, len(types) - 0.4), ylabel=f"share inside the {interval['nominal']:.0%} interval")
    right.set_ylim(top=1.0)
    right.grid(True, axis="y")
    return figure
