"""The page of a tower network: where the towers stand, what they observe, and in which climates."""

from __future__ import annotations

import platform
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

import gppcore
from gppcore import plot
from gppcore.constants import IGBP
from gppcore.plot.maps import group_looks
from gppcore.report import figure as figures
from gppcore.report import seen
from gppcore.report.figure import HALF, WIDTH, Drawing
from gppcore.report.page import write_page
from gppcore.towers import Towers
from gppcore.variables import MONTHS

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
    drawings = _drawings(towers, table)
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


def _drawings(towers: Towers, table: pd.DataFrame) -> dict[str, Drawing]:
    lat, lon, months = (table[name].to_numpy(float) for name in ("lat", "lon", "months"))
    names = [str(name) for name in table.index]
    sites = {str(name): float(count) for name, count in table["igbp"].value_counts().items()}
    climate = f"from {table['tair'].min():.0f} to {table['tair'].max():.0f} °C and "
    climate += f"{table['precip'].min():.0f} to {table['precip'].max():.0f} mm yr⁻¹"
    years = towers.gpp["year"]
    return {
        "places": Drawing(partial(places, table), HALF, seen.of_towers(lat, lon, months, names, "months")),
        "climate": Drawing(partial(climates, table), HALF, f"Points: towers lie in climates {climate}."),
        "types": Drawing(partial(types, table), WIDTH, seen.of_numbers("Bars. Sites by land cover", sites, 0)),
        "years": Drawing(
            partial(coverage, towers, table),
            WIDTH,
            f"Table of {len(years)} months from {years.min()} to {years.max()}.",
        ),
    }


def _sizes(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the areas of symbols, larger with more months."""
    return np.asarray(12.0 + 0.5 * np.minimum(table["months"], 120), np.float64)


def _classes(table: pd.DataFrame) -> list[str]:
    """Return the land cover of the towers in the order of IGBP."""
    return [land_class.acronym for land_class in IGBP if land_class.acronym in set(table["igbp"])]


def places(table: pd.DataFrame, width: float) -> Figure:
    """Towers on a map by land cover, larger with more months."""
    figure = figures.new_figure(width, 0.62 * width + 0.4)
    order = table.iloc[np.argsort([_classes(table).index(name) for name in table["igbp"]], kind="stable")]
    axes = plot.towers(
        order["lat"], order["lon"], groups=list(order["igbp"]), size=_sizes(order), ax=figure.add_subplot()
    )
    figures.as_points(axes)
    return figure


def climates(table: pd.DataFrame, width: float) -> Figure:
    """Towers by temperature and precipitation, larger with more months."""
    figure = figures.new_figure(width, 3.4)
    axes = figure.add_subplot()
    sizes = _sizes(table)
    for name, (colour, marker) in group_looks(_classes(table)).items():
        own = (table["igbp"] == name).to_numpy()
        part = table[own]
        axes.scatter(part["tair"], part["precip"], sizes[own], color=colour, marker=marker, alpha=0.85, lw=0)
    axes.set_xlabel("mean temperature (°C)")
    axes.set_ylabel("precipitation (mm yr$^{-1}$)")
    axes.grid(True)
    return figure


def types(table: pd.DataFrame, width: float) -> Figure:
    """Months of each land cover."""
    figure = figures.new_figure(width, 2.6)
    axes = figure.add_subplot()
    classes = _classes(table)
    months, sites = table.groupby("igbp")["months"].sum(), table["igbp"].value_counts()
    groups = [f"{name}\n{sites[name]}" for name in classes]
    plot.bars(groups, {"transfer": [months[name] for name in classes]}, label="months with GPP", ax=axes)
    axes.set_xlabel("land cover and its sites")
    axes.tick_params("x", labelsize=7 if width > HALF else 5.5)
    return figure


def coverage(towers: Towers, table: pd.DataFrame, width: float) -> Figure:
    """Months of each tower and year."""
    counts = towers.gpp.groupby(["site_id", "year"]).size().unstack(fill_value=0)
    counts = counts.reindex(index=[site for site in table.index if table["months"][site]])
    counts = counts.reindex(columns=range(int(counts.columns.min()), int(counts.columns.max()) + 1), fill_value=0)
    figure = figures.new_figure(width, 0.9 + _ROW * len(counts))
    plot.coverage(counts, ax=figure.add_subplot())
    return figure
