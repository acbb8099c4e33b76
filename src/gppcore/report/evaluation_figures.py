"""The figures of an evaluation, each a function of its results."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from gppcore.report import charts, style
from gppcore.report.evaluation_data import Results
from gppcore.variables import VARIABLES

MIN_SITES = 3
"""Minimum number of sites for a plant functional type to be shown separately."""
_MOST_PREDICTORS, _MOST_CURVES = 20, 12
_METRICS = {"r2": "R$^2$", "rmse": f"RMSE ({style.FLUX})"}
_LEAST_R2 = -0.5  # worse is cut, so that one bad bar does not flatten the others


def scatter(results: Results) -> Figure:
    """Predicted against observed tower months, one panel per method."""
    shown = []
    for method in results.methods:
        known = results.predictions[["observed", method]].dropna().to_numpy()
        title, text = style.label(method), charts.skill_text(results.numbers["methods"][method])
        ones = np.ones(len(known))
        shown.append(charts.Points(title, style.COLOURS[method], known[:, 0], known[:, 1], ones, text))
    return charts.density_figure(shown, "observed", "predicted", "tower months")


def taylor(results: Results) -> Figure:
    """Taylor diagram of all methods over all tower months."""
    points = []
    for method in results.methods:
        observed, predicted = results.predictions[["observed", method]].dropna().to_numpy().T
        ratio = predicted.std() / observed.std()
        points.append((charts.method(method), float(np.corrcoef(observed, predicted)[0, 1]), float(ratio)))
    return charts.taylor_figure(points, style.HALF)


def differences(results: Results) -> Figure:
    """Differences between methods with their intervals."""
    rows = {name: values for name, values in results.numbers["differences"].items() if "r2" in values}
    figure = style.new_figure(style.HALF, 4.3)
    axes = figure.add_subplot()
    for i, values in enumerate(rows.values()):
        value, low, high = values["r2"]
        colour = style.COLOURS["transfer"] if low > 0 else style.COLOURS["process"] if high < 0 else style.GREY
        axes.plot([low, high], [i, i], lw=2.2, solid_capstyle="butt", color=colour)
        axes.plot(value, i, "o", ms=6, color=colour)
        axes.annotate(f"{value:+.3f}", (high, i), (5, 0), textcoords="offset points", va="center", fontsize=8)
    axes.axvline(0.0, color="#444444", lw=0.8)
    axes.set_yticks(range(len(rows)), [style.label(name).replace(" - ", "\nminus ") for name in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.margins(x=0.18)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("difference of R$^2$")
    axes.grid(axis="x", **style.GRID)
    axes.set_axisbelow(True)
    return figure


def skill_by(results: Results, key: str) -> Figure:
    """R2 and RMSE by method in every group or plant functional type, in descending order of rows."""
    skill = results.numbers["methods"]
    first = skill[results.methods[0]][key]
    groups = sorted(first, key=lambda group: -first[group]["n"])
    figure = style.new_figure(style.WIDTH, 4.6)
    panels = style.panels(figure, 2, 1, sharex=True)
    width = 0.8 / len(results.methods)
    for axes, metric in zip(panels, _METRICS, strict=True):
        for i, method in enumerate(results.methods):
            values = np.array([skill[method][key].get(group, {}).get(metric, np.nan) for group in groups], float)
            cut = np.maximum(values, _LEAST_R2) if metric == "r2" else values
            x = np.arange(len(groups)) + (i + 0.5) * width - 0.4
            axes.bar(x, cut, width * 0.92, color=style.COLOURS[method], label=style.label(method))
        axes.axhline(0.0, color="#444444", lw=0.6)
        axes.set_ylabel(_METRICS[metric])
        axes.grid(axis="y", **style.GRID)
        axes.set_axisbelow(True)
    panels[-1].set_xticks(range(len(groups)), [f"{group}\nn = {first[group]['n']:,}" for group in groups])
    panels[-1].tick_params(axis="x", length=0)
    style.legend_above(figure, panels[0])
    return figure


def learning(results: Results) -> Figure:
    """Skill and its difference to the direct method over the number of towers, with intervals."""
    curve = sorted(results.numbers["learning_curve"], key=lambda point: point["towers"])
    towers = [point["towers"] for point in curve]
    pairs = [name for name in curve[0].get("differences", {}) if "r2" in curve[0]["differences"][name]]
    figure = style.new_figure(style.WIDTH, 3.6)
    panels = style.panels(figure, 2 + bool(pairs), 3)
    for axes, metric in zip(panels, _METRICS, strict=False):
        for method in results.methods:
            look = charts.method(method)
            _band(axes, towers, [point["methods"].get(method, {}).get(metric) for point in curve], look)
        axes.set_title(_METRICS[metric])
    for name in pairs:
        look = charts.method(name.partition(" - ")[2])
        look = charts.Series(f"minus {look.label}", look.colour, look.dash, look.marker)
        _band(panels[-1], towers, [point["differences"].get(name, {}).get("r2") for point in curve], look)
    if pairs:
        panels[-1].axhline(0.0, color="#444444", lw=0.8)
        panels[-1].set_title(f"R$^2$: {style.label(pairs[0].partition(' - ')[0])} minus the others")
    for axes in panels:
        axes.set_xscale("log")
        axes.set_xticks(towers, [str(n) for n in towers])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.minorticks_off()
        axes.set_xlabel("towers to learn from")
        axes.grid(**style.GRID)
    style.legend_above(figure, panels[0])
    return figure


def _band(axes: Axes, x: Sequence[float], points: Sequence[Sequence[float] | None], look: charts.Series) -> None:
    """Draw a line of means with the band from low to high; places without a point are left out."""
    if not any(points):
        return
    mean, low, high = np.array([point or [np.nan] * 3 for point in points], float).T
    axes.fill_between(x, low, high, color=look.colour, alpha=0.13, lw=0)
    axes.plot(x, mean, color=look.colour, ls=look.dash, marker=look.marker, ms=4, label=look.label)


def shown_types(results: Results) -> dict[str, int]:
    """Return the towers of each plant functional type that has enough of them, in descending order of rows."""
    types = results.predictions.groupby("pft")["site_id"].agg(["size", "nunique"]).sort_values("size", ascending=False)
    return {str(pft): int(sites) for pft, sites in types["nunique"].items() if sites >= MIN_SITES}


def seasonal(results: Results) -> Figure:
    """Mean seasonal cycles by plant functional type, observed and of every method."""
    shown = {}
    for pft, sites in shown_types(results).items():
        rows = results.predictions[results.predictions["pft"] == pft]
        cycle = rows.groupby("month")[["observed", *results.methods]].mean().reindex(range(1, 13))
        lines = [(charts.method(method), cycle[method].to_numpy()) for method in results.methods]
        shown[f"{pft} ({sites} towers)"] = [(charts.OBSERVED, cycle["observed"].to_numpy()), *lines]
    return charts.seasonal_figure(shown)


def importance(results: Results) -> Figure:
    """Loss of R2 when a predictor is permuted."""
    table = pd.DataFrame(results.numbers["importance"], index=["loss", "low", "high"], dtype=float).T
    table = table.sort_values("loss", ascending=False).head(_MOST_PREDICTORS)
    figure = style.new_figure(style.HALF, 0.7 + 0.24 * max(4, len(table)))
    axes = figure.add_subplot()
    y = np.arange(len(table))
    reach = np.abs(table[["low", "high"]].to_numpy().T - table["loss"].to_numpy())
    axes.barh(y, table["loss"], xerr=reach, color=style.COLOURS["transfer"], height=0.7, ecolor="#444444",
              error_kw={"lw": 0.9})  # fmt: skip
    axes.set_yticks(y, table.index)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.axvline(0.0, color="#444444", lw=0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("loss of R$^2$ when permuted")
    return figure


def partial_dependence(results: Results) -> Figure:
    """Mean GPP over the values of a predictor, all others unchanged; the most important predictors first."""
    curves = results.numbers["partial_dependence"]
    rank = results.numbers.get("importance", {})
    names = sorted(curves, key=lambda name: -rank.get(name, [0.0])[0])[:_MOST_CURVES]
    columns = 3
    figure = style.new_figure(style.TWO_THIRDS, 0.3 + 1.6 * -(-len(names) // columns))
    panels = style.panels(figure, len(names), columns, sharey=True)
    for axes, name in zip(panels, names, strict=True):
        axes.plot(curves[name]["x"], curves[name]["gpp_daily"], color=style.COLOURS["transfer"])
        unit = f" ({VARIABLES[name].unit})" if name in VARIABLES else ""
        axes.set_xlabel(f"{name}{unit}")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.grid(**style.GRID)
    figure.supylabel(f"GPP ({style.FLUX})", fontsize=8.5)
    return figure


def reliability(results: Results) -> Figure:
    """Share of observations inside the intervals over the nominal share, and by plant functional type."""
    interval = results.numbers["interval"]
    figure = style.new_figure(style.WIDTH, 3.5)
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.2))
    left.plot([0, 1], [0, 1], color="#444444", lw=0.8)
    nominal, observed = np.array(interval["reliability"], float).T
    left.plot(nominal, observed, "o-", color=style.COLOURS["transfer"], ms=4)
    left.set(aspect="equal", xlim=(0, 1), ylim=(0, 1), xlabel="nominal share", ylabel="observed share inside")
    left.grid(**style.GRID)
    types = sorted(interval["by_pft"].items(), key=lambda item: -item[1][1])
    right.plot(range(len(types)), [coverage for _, (coverage, _) in types], "o", color=style.COLOURS["transfer"])
    right.axhline(interval["nominal"], color="#444444", lw=0.8)
    right.axhline(interval["coverage"], color=style.COLOURS["transfer"], lw=0.8, ls="--")
    right.set_xticks(range(len(types)), [f"{pft}\n{n:,}" for pft, (_, n) in types], fontsize=7.5)
    right.set_xlabel("land cover and its months")
    right.set(xlim=(-0.6, len(types) - 0.4), ylabel=f"share inside the {interval['nominal']:.0%} interval")
    right.set_ylim(top=1.0)
    right.grid(axis="y", **style.GRID)
    return figure
