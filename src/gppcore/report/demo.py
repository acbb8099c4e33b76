"""The report of an experiment: its figures and its page."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gppcore import plot
from gppcore.comparison import REGIONS, Comparison
from gppcore.plot.style import ANNUAL_FLUX, COLOURS, FLUX, NEUTRAL, Floats, ink
from gppcore.report import figure as figures
from gppcore.report import seen
from gppcore.report.demo_data import METHODS, SCHEMES, ReportData
from gppcore.report.figure import HALF, THIRD, TWO_THIRDS, WIDTH, Drawing
from gppcore.report.page import write_page
from gppcore.variables import DAYS_IN_MONTH

_HELD_OUT = {"site": "sites held out", "temporal": "later years held out", "regional": "regions held out"}
_ZONE = 10
"""Height of the zones whose totals are drawn [degree]."""
_BOUNDED = {(-90, 90): "all cells", (10, 90): "north of 10°N", (-10, 10): "tropics", (-90, -10): "south of 10°S"}
_YEAR = float(DAYS_IN_MONTH.sum())


def write_report(data: ReportData, out: Path, *, n_processes: int = 1) -> Path:
    """Write `report.html` and its figures as PNG files into a folder.

    The page holds its figures, needs no network and no script, and prints.

    Parameters
    ----------
    data : ReportData
        What to show.
    out : Path
        Folder, created if absent; earlier files of the same names are replaced.
    n_processes : int, default 1
        Processes that draw the figures; files do not depend on it.

    Returns
    -------
    Path
        The page.
    """
    return write_page(
        "demo.html.j2",
        {**_map_drawings(data), **_truth_drawings(data), **_tower_drawings(data), "timing": _timing(data)},
        out,
        n_processes=n_processes,
        data=data,
        caveats=data.caveats,
        provenance=data.provenance,
        methods=METHODS,
        schemes=[name for name in SCHEMES if name in data.skill],
        regions=list(_region_seasons(data)),
        held_out=_HELD_OUT,
        bounded=_bounded(data),
        region_keys={title: region for region, title in REGIONS.items()},
    )


def _of_all_years(data: ReportData) -> pd.DataFrame:
    assert data.regions is not None
    return data.regions[~data.regions.duplicated(["south", "north"])]


def _bounded(data: ReportData) -> dict[str, dict[str, float]]:
    """Return total and bounds of all cells, the tropics, and north and south of them, over all years."""
    if data.regions is None:
        return {}
    table = _of_all_years(data)
    rows = table[["south", "north", "gpp", "low", "high"]].to_numpy(float)
    found = {
        (round(row[0]), round(row[1])): dict(zip(("gpp", "low", "high"), row[2:].tolist(), strict=True)) for row in rows
    }
    return {name: found[ends] for ends, name in _BOUNDED.items() if ends in found}


def _map_drawings(data: ReportData) -> dict[str, Drawing]:
    """Return the figures of the map."""
    lat, lon, maps = data.lat, data.lon, data.maps
    lines = {name: data.zonal[name] for name in METHODS}
    drawings = {
        "annual_gpp": Drawing(
            partial(annual_map, data), TWO_THIRDS, seen.of_map(lat, lon, maps["annual"], seen.ANNUAL_FLUX)
        ),
        "zonal": Drawing(partial(zonal, data), THIRD, seen.of_zonal(data.zonal_lat, lines)),
    }
    for month in ("july", "january"):
        text = seen.of_map(lat, lon, maps[month], seen.FLUX, digits=1)
        drawings[f"{month}_gpp"] = Drawing(partial(month_map, data, month), HALF, text)
    difference = seen.of_map(lat, lon, maps["difference"], seen.ANNUAL_FLUX, sign=True)
    drawings["difference"] = Drawing(partial(difference_map, data, "difference"), HALF, difference)
    if "interval" in maps:
        text = seen.of_map(lat, lon, maps["interval"], seen.FLUX, digits=1)
        drawings["interval"] = Drawing(partial(interval_map, data), HALF, text)
    if "dissimilarity" in maps:
        text = seen.of_map(lat, lon, maps["dissimilarity"], "", digits=2)
        drawings["dissimilarity"] = Drawing(partial(dissimilarity_map, data), HALF, text)
    if "vcmax25" in maps:
        text = seen.of_map(lat, lon, maps["vcmax25"], "µmol m⁻² s⁻¹")
        drawings["vcmax25"] = Drawing(partial(vcmax25_map, data), HALF, text)
    if data.regions is not None:
        drawings["bands"] = Drawing(partial(zone_totals, data), HALF, seen.of_numbers("Totals", _zones(data)[1]))
    if regions := _region_seasons(data):
        text = seen.of_seasons(regions, data.comparison.months)
        drawings["regions"] = Drawing(partial(region_seasons, data), THIRD * len(regions), text)
    if any(len(totals) > 1 for totals in data.years.values()):
        drawings["years"] = Drawing(partial(years, data), TWO_THIRDS, seen.of_years(data.years))
    if "trend" in maps:
        text = seen.of_map(lat, lon, maps["trend"], "g C m⁻² yr⁻²", sign=True, digits=1)
        drawings["trend"] = Drawing(partial(difference_map, data, "trend"), HALF, text)
    return drawings


def _truth_drawings(data: ReportData) -> dict[str, Drawing]:
    """Return the maps of a known GPP and of what the product misses of it."""
    if data.truth is None:
        return {}
    lat, lon = (data.truth.maps[name].values for name in ("lat", "lon"))
    known, error = (data.truth.maps[name].values * _YEAR for name in ("other_gpp_daily", "bias"))
    return {
        "truth": Drawing(partial(truth_map, data), HALF, seen.of_map(lat, lon, known, seen.ANNUAL_FLUX)),
        "truth_error": Drawing(
            partial(truth_error_map, data.truth), HALF, seen.of_map(lat, lon, error, seen.ANNUAL_FLUX, sign=True)
        ),
    }


def _tower_drawings(data: ReportData) -> dict[str, Drawing]:
    """Return the figures of skill at towers."""
    table = data.towers
    place = (table["lat"].to_numpy(float), table["lon"].to_numpy(float))
    names = [str(name) for name in table.index]
    drawings = {"scatter": Drawing(partial(scatter, data), WIDTH, seen.of_skill(data.skill["site"]))}
    for column, sign in (("rmse", False), ("bias", True)):
        values = table[column].to_numpy(float)
        text = seen.of_towers(*place, values, names, seen.FLUX, sign=sign)
        drawings[f"towers_{column}"] = Drawing(partial(tower_map, data, column), HALF, text)
    if data.seasonal:
        shown = {
            title: {name: cycles[name] for name in ("observed", "transfer")} for title, cycles in data.seasonal.items()
        }
        drawings["seasonal"] = Drawing(partial(seasonal, data), WIDTH, seen.of_seasons(shown))
    return drawings


def annual_map(data: ReportData, width: float) -> Figure:
    """Annual GPP of the transferred model."""
    return figures.map_figure(
        data.lat, data.lon, data.maps["annual"], width, f"GPP ({ANNUAL_FLUX})", plot.limits(data.maps["annual"])
    )


def month_map(data: ReportData, month: str, width: float) -> Figure:
    """GPP of July or January, on a scale that both share."""
    scale = plot.limits(data.maps["january"], data.maps["july"])
    return figures.map_figure(data.lat, data.lon, data.maps[month], width, f"GPP ({FLUX})", scale)


def difference_map(data: ReportData, name: str, width: float) -> Figure:
    """Annual GPP of the transferred model minus that of the process model, or its trend."""
    label = {"difference": f"transfer minus process ({ANNUAL_FLUX})", "trend": "trend (g C m$^{-2}$ yr$^{-2}$)"}[name]
    field = data.maps[name]
    scale = plot.limits(field, difference=True, quantile=0.98)
    return figures.map_figure(data.lat, data.lon, field, width, label, scale, difference=True)


def interval_map(data: ReportData, width: float) -> Figure:
    """Mean width of the 90 % interval of a month."""
    field = data.maps["interval"]
    label = f"width of the 90 % interval ({FLUX})"
    return figures.map_figure(data.lat, data.lon, field, width, label, plot.limits(field), colours="magma_r")


def dissimilarity_map(data: ReportData, width: float) -> Figure:
    """Dissimilarity index to the nearest tower, on a scale that ends beyond the area of applicability."""
    field = data.maps["dissimilarity"]
    most = 1.5 * (data.reach or 1.0)
    label = "dissimilarity to the nearest tower (1)"
    return figures.map_figure(data.lat, data.lon, field, width, label, (0.0, most), colours="magma_r")


def vcmax25_map(data: ReportData, width: float) -> Figure:
    """Vcmax25 of the calibrated process model."""
    field = data.maps["vcmax25"]
    label = "Vcmax25 (µmol m$^{-2}$ s$^{-1}$)"
    return figures.map_figure(data.lat, data.lon, field, width, label, plot.limits(field))


def zone_totals(data: ReportData, width: float) -> Figure:
    """Totals of zones of 10 degrees with their 90 % intervals."""
    table, totals = _zones(data)
    figure = figures.new_figure(width, 0.8 + 0.24 * len(totals))
    axes = figure.add_subplot()
    reach = np.abs(np.stack([table["gpp"] - table["low"], table["high"] - table["gpp"]]))
    axes.barh(list(totals), list(totals.values()), xerr=reach, ecolor=ink(), color=COLOURS["transfer"], height=0.7)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("GPP (Pg C yr$^{-1}$)")
    return figure


def _zones(data: ReportData) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the zones of 10 degrees over all years, and their totals by name from south to north."""
    table = _of_all_years(data)
    table = table[table["north"] - table["south"] == _ZONE]
    names = [
        f"{_degrees(south)} to {_degrees(north)}" for south, north in zip(table["south"], table["north"], strict=True)
    ]
    return table, dict(zip(names, table["gpp"], strict=True))


def _degrees(latitude: float) -> str:
    return f"{abs(latitude):.0f}°" + ("S" if latitude < 0 else "N" if latitude > 0 else "")


def truth_map(data: ReportData, width: float) -> Figure:
    """Known GPP, on the scale of the map."""
    assert data.truth is not None
    lat, lon = (data.truth.maps[name].values for name in ("lat", "lon"))
    field = data.truth.maps["other_gpp_daily"].values * _YEAR
    return figures.map_figure(lat, lon, field, width, f"true GPP ({ANNUAL_FLUX})", plot.limits(data.maps["annual"]))


def truth_error_map(truth: Comparison, width: float) -> Figure:
    """Annual GPP of the map minus the known one."""
    lat, lon = (truth.maps[name].values for name in ("lat", "lon"))
    field = truth.maps["bias"].values * _YEAR
    scale = plot.limits(field, difference=True, quantile=0.98)
    label = f"transfer minus truth ({ANNUAL_FLUX})"
    return figures.map_figure(lat, lon, field, width, label, scale, difference=True)


def zonal(data: ReportData, width: float) -> Figure:
    """Zonal means by method, with the bounds of the transferred model and the truth."""
    figure = figures.new_figure(width, 1.25 * width)
    axes = figure.add_subplot()
    bounds = {"transfer": (data.zonal["low"], data.zonal["high"])} if "low" in data.zonal else None
    plot.zonal(data.zonal_lat, {name: data.zonal[name] for name in METHODS}, intervals=bounds, ax=axes)
    if data.truth is not None:
        axes.plot(data.truth.other_zonal, data.truth.lat, color=plot.STYLE["text.color"], lw=0.9, label="truth")
    figures.legend_above(axes)
    return figure


def region_seasons(data: ReportData, width: float) -> Figure:
    """Mean seasonal cycles of the map by region."""
    shown = _region_seasons(data)
    figure, axes_of = figures.panels(width, len(shown), 2.6, 2.3, sharex=True)
    for axes, (title, lines) in zip(axes_of, shown.items(), strict=True):
        plot.season(lines, months=data.comparison.months, title=title, label="", ax=axes)
    figure.supylabel(f"GPP ({FLUX})", fontsize=8.5)
    figures.legend_above(axes_of[0])
    return figure


def _region_seasons(data: ReportData) -> dict[str, dict[str, Floats]]:
    """Return by region that has cells the cycles of the map, the process model and the truth."""
    compared = data.comparison
    shown: dict[str, dict[str, Floats]] = {}
    if not compared.months:
        return shown
    for region, title in REGIONS.items():
        if region == "whole" or not compared.regions[region].n:
            continue
        lines: dict[str, Floats] = {"process": compared.other_seasonal[region], "transfer": compared.seasonal[region]}
        if data.truth is not None and data.truth.months == compared.months and data.truth.regions[region].n:
            lines["truth"] = data.truth.other_seasonal[region]
        shown[title] = lines
    return shown


def years(data: ReportData, width: float) -> Figure:
    """Totals by year and their trends."""
    figure = figures.new_figure(width, 3.2)
    axes = figure.add_subplot()
    plot.years(data.years, ax=axes)
    figures.legend_above(axes)
    return figure


def scatter(data: ReportData, width: float) -> Figure:
    """Predicted against observed tower months with the site held out, one panel per method."""
    skill = data.skill["site"]
    shown = [(name, COLOURS[name], data.observed, data.predicted[name], None, skill[name]) for name in METHODS]
    return figures.scatters(width, shown, (f"observed ({FLUX})", f"predicted ({FLUX})"), "tower months")


def tower_map(data: ReportData, column: str, width: float) -> Figure:
    """RMSE or bias of the transferred model at each tower."""
    table = data.towers
    label = {"rmse": f"RMSE ({FLUX})", "bias": f"predicted minus observed ({FLUX})"}[column]
    place = (table["lat"].to_numpy(float), table["lon"].to_numpy(float), table[column].to_numpy(float))
    return figures.towers_figure(*place, width, label, difference=column == "bias")


def seasonal(data: ReportData, width: float) -> Figure:
    """Mean seasonal cycles by plant functional type and hemisphere, observed and by method."""
    figure, axes_of = figures.panels(width, len(data.seasonal), 1.75, 1.75, sharex=True)
    for axes, (title, cycles) in zip(axes_of, data.seasonal.items(), strict=True):
        bounds = {"transfer": (cycles["transfer_low"], cycles["transfer_high"])} if "transfer_low" in cycles else None
        lines = {name: cycles[name] for name in ("observed", *METHODS)}
        plot.season(lines, intervals=bounds, title=title, label="", ax=axes)
        axes.tick_params(labelsize=7)
    figure.supylabel(f"GPP ({FLUX})", fontsize=8.5)
    figures.legend_above(axes_of[0])
    return figure


def _timing(data: ReportData) -> Drawing:
    text = seen.of_numbers("Bars: run time by step", data.seconds, 1, unit="s")
    return Drawing(partial(timing, data), HALF, text)


def timing(data: ReportData, width: float) -> Figure:
    """Run time of each step."""
    names, seconds = list(data.seconds), np.array(list(data.seconds.values()))
    figure = figures.new_figure(width, 0.55 + 0.24 * max(1, len(names)))
    axes = figure.add_subplot()
    bars = axes.barh(names, seconds, color=NEUTRAL, height=0.7)
    axes.bar_label(bars, [f"{value:.3g} s" if value < 100 else f"{value:.0f} s" for value in seconds], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("run time (s)")
    return figure
