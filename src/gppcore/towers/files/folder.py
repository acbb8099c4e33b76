"""The folder of towers that `read_towers` reads, from records, metadata and weather."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gppcore.constants import C4_OF, IGBP
from gppcore.errors import MissingFileError, OutputExistsError, TowerFormatError
from gppcore.features.co2 import co2_monthly
from gppcore.features.koeppen import koeppen_class
from gppcore.io.durable import write_table
from gppcore.towers.files.monthly import WEATHER
from gppcore.towers.files.months import SiteMonths, site_months
from gppcore.towers.files.record import TowerRecord
from gppcore.towers.files.sampling import TowerSamples
from gppcore.towers.files.sites import clusters
from gppcore.towers.towers import CELL_VPD_TO_DAYLIGHT_VPD, W_PER_MJ_DAY
from gppcore.variables import check_field

_MONTH = ["site_id", "year", "month"]
_OF_WATER = ["tmin", "tmax", "precip"]
"""What the soil-water bucket needs in every month: a gap would make all later months unknown."""
_COLUMNS = {
    "tmin": ("cell_tmin_c", 1.0),
    "tmax": ("cell_tmax_c", 1.0),
    "sw": ("cell_sw_mj_m2_d", 1.0 / W_PER_MJ_DAY),
    "vpd": ("cell_vpd_hpa", 1.0 / CELL_VPD_TO_DAYLIGHT_VPD),
    "precip": ("cell_precip_mm_d", 1.0),
    "ca": ("cell_co2_ppm", 1.0),
    "lai": ("cell_lai_m2_m2", 1.0),
}


def write_tower_folder(
    records: Sequence[TowerRecord | SiteMonths],
    sites: pd.DataFrame,
    out: str | Path,
    *,
    weather: pd.DataFrame | None = None,
    lai: pd.DataFrame | None = None,
    samples: TowerSamples | None = None,
) -> None:
    r"""Write the three tables that :func:`gppcore.read_towers` reads.

    Parameters
    ----------
    records : sequence of TowerRecord or SiteMonths
        What :func:`gppcore.read_fluxnet` returns, or its months; several of one site must not overlap.
    sites : pandas.DataFrame
        What :func:`gppcore.read_sites` returns, with `igbp`, and `c4_percent` where grass or crop grows.
    out : str or Path
        New folder.
    weather : pandas.DataFrame, optional
        site_id, month, tmin, tmax, sw, vpd, precip, perhaps ca and lai, in our units, and year unless it is the same
        in all: `weather` of :func:`gppcore.sample_at_towers`. Without it, the weather of the records themselves.
    lai : pandas.DataFrame, optional
        site_id, month, lai [m2 m-2], and year unless it is the same in all: what
        :func:`gppcore.towers.files.read_lai` returns. It replaces the LAI of the weather.
    samples : TowerSamples, optional
        What :func:`gppcore.sample_at_towers` returns: its predictors besides weather and land cover become columns, so
        that training has the same numbers as the map.

    Raises
    ------
    OutputExistsError
        If the folder exists and is not empty.
    TowerFormatError
        If a site lacks metadata, weather or LAI, or a month comes twice.
    DiskFullError
        If there is no room.

    Notes
    -----
    The bucket of soil water must run through whole years, the same at all sites. Where temperature or precipitation
    is missing, also in years before and after a record, the mean of that calendar month at the site is written, the
    column `filled` is 1, and the month's GPP is not `core`. CO2 of months without it is that of Mauna Loa
    (:func:`gppcore.features.co2.co2_monthly`), and `co2_filled` is 1. Radiation and deficit are never filled.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gppcore
    >>> days = pd.date_range("2003-01-01", "2004-12-31", name="time")
    >>> season = -np.cos(2 * np.pi * days.day_of_year / 365.25)
    >>> weather = {"tmin": 5 + 9 * season, "tmax": 14 + 11 * season, "sw": 130 + 80 * season, "vpd": 700 + 300 * season}
    >>> table = pd.DataFrame({**weather, "precip": 2.0 + np.arange(len(days)) % 3, "gpp": 4 + 3.5 * season}, index=days)
    >>> table.to_csv("DE-Mad.csv")
    >>> _ = Path("sites.csv").write_text("site_id,lat,lon,igbp,elev_m\nDE-Mad,51.0,13.5,DBF,380\n")
    >>> sites = gppcore.read_sites("sites.csv")
    >>> record = gppcore.read_fluxnet("DE-Mad.csv", sites=sites)
    >>> lai = pd.DataFrame({"site_id": "DE-Mad", "month": range(1, 13), "lai": 2.5})
    >>> gppcore.write_tower_folder([record], sites, "towers", lai=lai)
    >>> len(gppcore.read_towers("towers").gpp)
    24
    """
    out = Path(out)
    refuse_occupied(out)
    tables = folder_tables([site_months(r) if isinstance(r, TowerRecord) else r for r in records], sites, weather, lai)
    if samples is not None:
        tables = _with_predictors(tables, samples)
    cells = tables.forcing[[*_MONTH, "filled", "co2_filled"]].copy()
    for name, (column, scale) in _COLUMNS.items():
        cells[column] = tables.forcing[name] * scale
    write_table(tables.gpp.round(5), out / "gpp_monthly.csv", index=False)
    write_table(cells.round(5), out / "cell_forcing_monthly.csv", index=False)
    write_table(tables.sites, out / "sites.csv")  # last: a folder without it is not read


def refuse_occupied(out: Path) -> None:
    """Refuse a folder that holds anything.

    Raises
    ------
    OutputExistsError
        If it does, or is a file.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputExistsError(f"tower folder: expected a new or empty folder, got {out}")


class FolderTables(NamedTuple):
    """The three tables of a folder, forcing under the names of `monthly.WEATHER`."""

    gpp: pd.DataFrame
    sites: pd.DataFrame
    forcing: pd.DataFrame


def folder_tables(
    records: Sequence[SiteMonths], sites: pd.DataFrame, weather: pd.DataFrame | None, lai: pd.DataFrame | None
) -> FolderTables:
    """Make the tables that :func:`write_tower_folder` writes; parameters and errors are its own."""
    names = sorted({record.site for record in records})
    if not names:
        raise TowerFormatError("records: expected at least one, got none")
    gpp = pd.concat([record.gpp for record in records], ignore_index=True)
    if gpp.empty:
        reasons = sorted({f"{record.site}: {note}" for record in records for note in record.notes})
        raise TowerFormatError(f"records: expected months with GPP, got none ({'; '.join(reasons)})")
    _refuse_repeated(gpp, "records")
    forcing = _forcing(_weather(records, names, weather, lai, gpp["year"]), names, weather is None)
    filled = pd.MultiIndex.from_frame(forcing.loc[forcing["filled"] == 1, _MONTH])
    without = pd.MultiIndex.from_frame(gpp[_MONTH]).isin(filled)
    gpp.loc[without & (gpp["core"] == 1), "reason"] = "weather filled"
    gpp.loc[without, "core"] = 0
    return FolderTables(gpp, _site_table(sites, names, forcing), forcing)


def _with_predictors(tables: FolderTables, samples: TowerSamples) -> FolderTables:
    """Add the sampled predictors as columns, monthly ones to GPP and static ones to the sites."""
    monthly, static = samples.predictors
    keys = [key for key in _MONTH if key in monthly]
    gpp = tables.gpp.merge(monthly.drop_duplicates(keys), how="left", on=keys)
    sites = tables.sites.join(static.set_index("site_id"), how="left")
    return tables._replace(gpp=gpp, sites=sites)


def read_lai(path: str | Path) -> pd.DataFrame:
    r"""Read LAI by month: a CSV with site_id, month, lai [m2 m-2], and year unless it is the same in all.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TowerFormatError
        If a column is missing, a value is no LAI, or a month comes twice.

    Examples
    --------
    >>> from pathlib import Path
    >>> from gppcore.towers.files import read_lai
    >>> _ = Path("lai.csv").write_text("site_id,month,lai\nDE-Mad,6,4.1\nDE-Mad,7,4.4\n")
    >>> read_lai("lai.csv")
      site_id  month  lai
    0  DE-Mad      6  4.1
    1  DE-Mad      7  4.4
    """
    table = _read_months(path, "lai", ("lai",))
    if not table["lai"].dropna().between(0.0, 15.0).all():
        raise TowerFormatError(f"{path}: expected lai of 0 to 15 m2 m-2, got other values")
    return table


def read_weather(path: str | Path) -> pd.DataFrame:
    r"""Read monthly weather, as `gppcore towers sample` writes it.

    Parameters
    ----------
    path : str or Path
        CSV with site_id, month, tmin, tmax [degC], sw [W m-2], vpd, mean of daylight [Pa], precip [mm d-1]; perhaps
        ca [umol mol-1] and lai [m2 m-2]; and year unless it is the same in all.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TowerFormatError
        If a column is missing or not of numbers, or a month comes twice.
    RangeError, UnitsError
        If a value is out of range, or looks like it is in another unit.

    Examples
    --------
    >>> from pathlib import Path
    >>> from gppcore.towers.files import read_weather
    >>> _ = Path("weather.csv").write_text("site_id,month,tmin,tmax,sw,vpd,precip\nDE-Mad,7,12.5,24.0,220,900,2.1\n")
    >>> read_weather("weather.csv")["sw"].tolist()
    [220]
    """
    table = _read_months(path, "weather", ("tmin", "tmax", "sw", "vpd", "precip"))
    for name in WEATHER:
        if name in table:
            check_field(name, table[name].to_numpy(float), where=str(path))
    return table


def _read_months(path: str | Path, what: str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a CSV of months with these columns of numbers."""
    if not Path(path).is_file():
        raise MissingFileError(f"{what}: expected a file, got no such file {path}")
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
    except ValueError as error:
        raise TowerFormatError(f"{path}: expected a CSV table, got {error}") from None
    if missing := sorted({"site_id", "month", *columns} - set(table)):
        raise TowerFormatError(f"{path}: expected columns site_id, month, {', '.join(columns)}, got no {missing}")
    for name in columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise TowerFormatError(f"{path}: expected numbers in column {name}, got {table[name].dtype}")
    _refuse_repeated(table, str(path))
    return table


def _weather(
    records: Sequence[SiteMonths],
    names: Sequence[str],
    weather: pd.DataFrame | None,
    lai: pd.DataFrame | None,
    observed: pd.Series,
) -> pd.DataFrame:
    """Return the given weather, in all observed years if it has none, or that of the records, with the given LAI."""
    if weather is None:
        weather = pd.concat([record.weather for record in records], ignore_index=True)
    _refuse_repeated(weather, "weather")
    weather = weather[weather["site_id"].isin(names)]
    if "year" not in weather:
        weather = weather.merge(pd.DataFrame({"year": observed.unique()}), how="cross")
    if lai is None:
        return weather
    keys = [key for key in _MONTH if key in lai]
    return weather.drop(columns="lai", errors="ignore").merge(lai[[*keys, "lai"]], on=keys, how="left")


def _forcing(weather: pd.DataFrame, names: Sequence[str], own: bool) -> pd.DataFrame:
    """Bring weather to whole years at all sites and fill what soil water needs; see `write_tower_folder`."""
    years = range(int(weather["year"].min()), int(weather["year"].max()) + 1) if len(weather) else range(0)
    index = pd.MultiIndex.from_product([names, years, range(1, 13)], names=_MONTH)
    full = weather.set_index(_MONTH).reindex(index).reindex(columns=list(WEATHER))
    climate = full.groupby(["site_id", "month"])[_OF_WATER].transform("mean")
    lacking = full[_OF_WATER].isna().any(axis=1)
    filled = full[_OF_WATER].fillna(climate)
    if len(gaps := filled[filled.isna().any(axis=1)]):
        sites = ", ".join(sorted({str(site) for site in gaps.index.get_level_values(0)}))
        lost = [name for name in _OF_WATER if gaps[name].isna().any()]
        got = f"no {', '.join(lost)} in some" if own else "gaps"
        if own and set(lost) == set(_OF_WATER[:2]):
            got += " (files of days or longer have no daily extremes; give sampled weather)"
        elif own:
            got += " (give sampled weather)"
        raise TowerFormatError(f"weather: expected tmin, tmax and precip of all calendar months, got {got}: {sites}")
    full[_OF_WATER] = filled
    if len(bare := full["lai"].groupby("site_id").count().loc[lambda n: n == 0]):
        raise TowerFormatError(
            f"lai: expected LAI by month, got none at {', '.join(map(str, bare.index))}; give a table (--lai), or "
            "take it from a grid (gppcore towers sample)"
        )
    without_co2 = full["ca"].isna()
    lacks = full.index[without_co2].to_frame()
    full.loc[without_co2, "ca"] = co2_monthly(lacks["year"], lacks["month"])
    return full.assign(filled=lacking.astype(int), co2_filled=without_co2.astype(int)).reset_index()


def _site_table(sites: pd.DataFrame, names: Sequence[str], forcing: pd.DataFrame) -> pd.DataFrame:
    if missing := sorted(set(names) - set(sites.index)):
        raise TowerFormatError(f"sites: expected all sites of the records, got no {missing}")
    table = sites.loc[list(names)].copy()
    known = {land_class.acronym: land_class for land_class in IGBP}
    if unknown := [f"{site}: {value}" for site, value in table["igbp"].items() if value not in known]:
        raise TowerFormatError(f"sites: expected igbp out of {sorted(known)}, got {unknown}")
    herbs = table["igbp"].map(lambda acronym: bool(set(known[acronym].mixture) & set(C4_OF)))
    if len(unstated := table.index[herbs & table["c4_percent"].isna()]):
        raise TowerFormatError(f"sites: expected c4_percent where grass or crop grows, got none at {list(unstated)}")
    table["c4_percent"] = table["c4_percent"].fillna(0.0)
    climate = forcing.assign(tair=(forcing["tmin"] + forcing["tmax"]) / 2.0).groupby(["site_id", "month"])
    mean = climate[["tair", "precip"]].mean().unstack("month")
    computed = pd.Series(koeppen_class(mean["tair"].T, mean["precip"].T), mean.index, dtype=object)
    table["koeppen_cedar"] = table["koeppen"].astype(object).fillna(computed)
    table["cluster50km"] = clusters(table["lat"].to_numpy(float), table["lon"].to_numpy(float))
    table.index.name = "site_id"
    return table[["lat", "lon", "igbp", "elev_m", "koeppen_cedar", "c4_percent", "cluster50km"]]


def _refuse_repeated(table: pd.DataFrame, what: str) -> None:
    keys = [key for key in _MONTH if key in table]
    if len(again := table[table.duplicated(keys)]):
        first = " ".join(map(str, again[keys].iloc[0]))
        raise TowerFormatError(f"{what}: expected one row per site and month, got {first} again")
