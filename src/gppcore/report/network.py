"""The page of a tower network: where the towers stand, what they observe, and in which climates."""

from __future__ import annotations

import platform
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import gppcore
from gppcore.constants import IGBP
from gppcore.report import style
from gppcore.report.page import write_page
from gppcore.towers import Towers
from gppcore.variables import MONTHS

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
_MARKERS = ("o", "s", "^")
_ROW = 0.16
"""Height of a tower in the figure of years [inches]."""


def write_network_report(towers: Towers, out: Path) -> Path:
    """Write `report.html` and its figures as PNG into a folder.

    Parameters
    ----------
    towers : Towers
        What :func:`gppcore.read_towers` returned.
    out : Path
        Folder, created if absent; earlier files of the same names are replaced.

    Returns
    -------
    Path
        The page.
    """
    table = network_table(towers)
    drawings = {
        "places": partial(_scatter, table, "lon", "lat", ("longitude", "latitude")),
        "climate": partial(
            _scatter, table, "tair", "precip", ("mean temperature (°C)", "precipitation (mm yr$^{-1}$)")
        ),
        "types": partial(_types, table),
        "years": partial(_years, towers, table),
    }
    provenance = {"towers": towers.name, "gppcore": gppcore.__version__, "Python": platform.python_version()}
    rows = table.reset_index(names="site").to_dict("records")
    caveats = [
        "Months are those that models use: core months where the folder marks some, else all.",
        "Temperature and precipitation are means over all months of the folder's forcing, filled ones included.",
    ]
    return write_page(
        "network.html.j2", drawings, out, rows=rows, name=towers.name, caveats=caveats, provenance=provenance
    )


def network_table(towers: Towers) -> pd.DataFrame:
    """Return what each tower of a network has.

    Returns
    -------
    pandas.DataFrame
        By site_id: igbp, region, lat, lon [degrees]; `months` with GPP that models use, `first` and `last` year of
        them and their mean `gpp_daily` [g C m-2 d-1], 0 or NaN where there are none; where the folder has it,
        `gpp_uncertainty` [g C m-2 d-1], the mean standard deviation of a month; `tair` [degC] and `precip` [mm yr-1],
        means of the forcing.
    """
    groups = towers.gpp.groupby("site_id")
    found = groups.agg(months=("year", "size"), first=("year", "min"), last=("year", "max"), gpp=("gpp_daily", "mean"))
    table = towers.sites[["igbp", "region", "lat", "lon"]].join(found.rename(columns={"gpp": "gpp_daily"}))
    table["months"] = table["months"].fillna(0).astype(int)
    if "gpp_uncertainty" in towers.gpp:
        table["gpp_uncertainty"] = groups["gpp_uncertainty"].mean()
    days = towers.forcing["time"].dt.days_in_month.values
    monthly = towers.forcing["precip"].transpose("time", "cell").values * days[:, None]
    table["precip"] = monthly.mean(axis=0) * MONTHS
    table["tair"] = towers.forcing["tair"].transpose("time", "cell").values.mean(axis=0)
    return table


def _looks(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each land cover, in the order of IGBP."""
    shown = [land_class.acronym for land_class in IGBP if land_class.acronym in set(table["igbp"])]
    return {name: (_COLOURS[i % 7], _MARKERS[i // 7]) for i, name in enumerate(shown)}


def _scatter(table: pd.DataFrame, x: str, y: str, labels: tuple[str, str]) -> Figure:
    """Draw towers by two of their numbers, larger with more months."""
    figure = style.new_figure(style.HALF, 3.4)
    axes = figure.add_subplot()
    for name, (colour, marker) in _looks(table).items():
        part = table[table["igbp"] == name]
        size = 12.0 + 0.5 * np.minimum(part["months"], 120)
        axes.scatter(part[x], part[y], size, c=colour, marker=marker, alpha=0.8, linewidths=0.0, label=name)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(color="#dddddd", lw=0.4)
    axes.legend(ncols=7, loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=7, handletextpad=0.1, columnspacing=0.8)
    return figure


def _types(table: pd.DataFrame) -> Figure:
    """Draw the months of each land cover."""
    figure = style.new_figure(style.WIDTH, 2.6)
    axes = figure.add_subplot()
    looks = _looks(table)
    months, sites = table.groupby("igbp")["months"].sum(), table["igbp"].value_counts()
    bars = axes.bar(list(looks), [months[name] for name in looks], color=[colour for colour, _ in looks.values()])
    axes.bar_label(bars, [f"{sites[name]} {'site' if sites[name] == 1 else 'sites'}" for name in looks], fontsize=6.5)
    axes.set_ylabel("months with GPP")
    axes.tick_params("x", rotation=45)
    return figure


def _years(towers: Towers, table: pd.DataFrame) -> Figure:
    """Draw the number of months of each tower and year."""
    counts = towers.gpp.groupby(["site_id", "year"]).size().unstack(fill_value=0)
    counts = counts.reindex(index=[site for site in table.index if table["months"][site]])
    counts = counts.reindex(columns=range(int(counts.columns.min()), int(counts.columns.max()) + 1), fill_value=0)
    figure = style.new_figure(style.WIDTH, 0.9 + _ROW * len(counts))
    axes = figure.add_subplot()
    drawn = axes.imshow(
        counts.where(counts > 0), cmap="viridis_r", vmin=1, vmax=MONTHS, aspect="auto", interpolation="none"
    )
    axes.set_yticks(range(len(counts)), counts.index, fontsize=6.5)
    step = max(1, len(counts.columns) // 15)
    axes.set_xticks(range(0, len(counts.columns), step), counts.columns[::step])
    figure.colorbar(drawn, ax=axes, shrink=min(1.0, 12 / len(counts)), label="months")
    return figure
