"""Records of towers: one site's series from a file of FLUXNET, ICOS or AmeriFlux, or from a plain table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.errors import GppcoreError, TowerFormatError
from gppcore.process.daylight import saturation_vapour_pressure
from gppcore.towers.files.clock import STAMPS, Clock, NameFacts, name_facts, official_clock
from gppcore.towers.files.columns import GPP, PER_DAY, Source, candidates_in, chosen
from gppcore.towers.files.content import Content, open_content
from gppcore.towers.files.dates import TimeColumns, plain_clock
from gppcore.towers.files.netcdf import netcdf_content
from gppcore.towers.files.partition import partitioned
from gppcore.towers.files.periods import Period, in_periods
from gppcore.towers.files.plausible import converted
from gppcore.towers.files.series import MISSING, check_series, good_share, without_missing
from gppcore.towers.files.sites import place_of
from gppcore.towers.files.sun import Place, check_sun, top_of_atmosphere

Layout = Literal["fluxnet", "base", "plain"]

_SITE = ("site_id", "SITE_ID", "site", "Site", "sitename")


@dataclass(frozen=True)
class TowerRecord:
    """Series of one site.

    Attributes
    ----------
    site : str
        Name of the site.
    where : str
        File it came from.
    layout : {"fluxnet", "base", "plain"}
        ONEFlux products (FLUXNET2015, ICOS, AmeriFlux FLUXNET), AmeriFlux BASE, or a plain table.
    step : {"HH", "HR", "DD", "WW", "MM"}
        Half-hours, hours, days, weeks or months.
    table : pandas.DataFrame
        By start of the step in local standard time. Columns, those that the file has: `gpp_nt`, `gpp_dt`, `gpp`,
        `nee`, their quantiles `gpp_05`, `gpp_25`, `gpp_75`, `gpp_95` and uncertainties `nee_random`, `nee_joint`
        [g C m-2 d-1]; `qc`, the share of good values [1]; `tair`, `tmin`, `tmax` [degC], `sw`, `sw_toa` [W m-2],
        `vpd`, `patm` [Pa], `rh` [%], `precip` [mm d-1], `ca` [umol mol-1], `lai` [m2 m-2].
    notes : tuple of str
        What the reader decided, in words: columns that it passed over, a deficit that it computed, periods left out.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from gppcore import read_fluxnet
    >>> days = pd.date_range("2003-01-01", "2003-12-31", name="time")
    >>> season = 3 - 2 * np.cos(2 * np.pi * days.day_of_year / 365.25)
    >>> pd.DataFrame({"gpp": season}, index=days).to_csv("DE-Mad.csv")
    >>> record = read_fluxnet("DE-Mad.csv")
    >>> record.site, record.step, record.layout, list(record.table)
    ('DE-Mad', 'DD', 'plain', ['gpp'])
    """

    site: str
    where: str
    layout: Layout
    step: str
    table: pd.DataFrame
    notes: tuple[str, ...] = ()


class Asked(NamedTuple):
    """What the caller asks for: metadata, periods to leave out, and whether GPP is made of NEE."""

    sites: pd.DataFrame | None
    drop: Sequence[Period]
    partition: bool


@dataclass(frozen=True)
class Reading:
    """What a file gave: the records of its good sites, and the faults of the others.

    Attributes
    ----------
    records : list of TowerRecord
        One for each good site.
    faults : list of GppcoreError
        One for each other site.
    """

    records: list[TowerRecord] = field(default_factory=list)
    faults: list[GppcoreError] = field(default_factory=list)


def read_fluxnet(
    path: str | Path,
    *,
    sites: pd.DataFrame | None = None,
    step: str | None = None,
    drop: Sequence[Period] = (),
    partition: bool = False,
) -> TowerRecord:
    """Read the record of one site and refuse a file that cannot be right.

    Parameters
    ----------
    path : str or Path
        CSV file, plain or gzipped, or the zip archive in which networks distribute it: FLUXNET2015, ICOS and
        AmeriFlux FLUXNET files (FULLSET or SUBSET; HH, HR, DD, WW, MM), AmeriFlux BASE, or a plain table whose
        columns have names of :mod:`gppcore.variables` or of FLUXNET.
    sites : pandas.DataFrame, optional
        What :func:`read_sites` returns; light is then compared with the coordinates too.
    step : {"HH", "HR", "DD", "WW", "MM"}, optional
        Which table of an archive; without it the finest.
    drop : sequence of Period
        Times whose values count as missing, so that faults in them do not affect the rest.
    partition : bool, default False
        Whether GPP is made of NEE where the file has none (extra `gppcore[partition]`, see
        :func:`gppcore.towers.files.partition.partitioned`); else such a file is refused.

    Returns
    -------
    TowerRecord

    Raises
    ------
    MissingFileError
        If there is no such file.
    TowerFormatError
        If it is damaged, is no such table, holds several sites, or its times or values cannot be right.
    UnitsError
        If a column is in another unit than its layout gives it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from gppcore import read_fluxnet
    >>> days = pd.date_range("2003-01-01", "2004-12-31", name="time")
    >>> season = -np.cos(2 * np.pi * days.day_of_year / 365.25)
    >>> pd.DataFrame({"gpp": 4 + 3 * season, "tmin": 4 + 9 * season}, index=days).to_csv("DE-Mad.csv")
    >>> record = read_fluxnet("DE-Mad.csv")
    >>> record.step, float(record.table["gpp"].max().round(1))
    ('DD', 7.0)
    """
    records = read_records(path, sites=sites, step=step, drop=drop, partition=partition)
    if len(records) > 1:
        names = [record.site for record in records]
        raise TowerFormatError(f"{path}: expected one site, got {len(names)}: {', '.join(names[:5])}")
    return records[0]


def read_records(
    path: str | Path,
    *,
    sites: pd.DataFrame | None = None,
    step: str | None = None,
    drop: Sequence[Period] = (),
    partition: bool = False,
) -> list[TowerRecord]:
    """Read all sites of a file: one, or those of a plain table with a column `site_id`.

    Parameters and errors are those of :func:`gppcore.read_fluxnet`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from gppcore.towers.files import read_records
    >>> names = ["site_id", "year", "month"]
    >>> months = pd.MultiIndex.from_product([["AA-One", "AA-Two"], [2003], range(1, 13)], names=names)
    >>> pd.DataFrame({"gpp": 3 + np.sin(np.arange(24))}, index=months).to_csv("network.csv")
    >>> [record.site for record in read_records("network.csv")]
    ['AA-One', 'AA-Two']
    """
    reading = read_good_records(path, sites=sites, step=step, drop=drop, partition=partition)
    if reading.faults:
        raise reading.faults[0]
    return reading.records


def read_good_records(
    path: str | Path,
    *,
    sites: pd.DataFrame | None = None,
    step: str | None = None,
    drop: Sequence[Period] = (),
    partition: bool = False,
) -> Reading:
    """Read the sites of a file that are right, and collect the faults of the others.

    Parameters and errors are those of :func:`read_fluxnet`; errors of the whole file are raised.
    """
    content = netcdf_content(Path(path)) if _is_netcdf(path) else open_content(path, step)
    facts = name_facts(content.name)
    official = any(stamp in content.header for stamp in STAMPS)
    if official and content.marked:
        raise TowerFormatError(f"{content.where}: expected plain text, got a byte-order mark (saved by a spreadsheet?)")
    candidates = candidates_in(content.header, content.units)
    if not partition or "nee" not in candidates:
        _refuse_without_gpp(content, candidates)
    asked = Asked(sites, drop, partition)
    named = [column for column in _SITE if column in content.header][:1]
    columns = [source.name for sources in candidates.values() for source in sources]
    if official:
        words = [c for c in STAMPS if c in content.header] + named
        raw = content.read(columns, words, official=True)
        content = replace(content, text=b"")  # hundreds of megabytes that nothing needs any more
        site, clock = _official_site(content, facts, raw, named), official_clock(content, raw, facts)
        layout: Layout = "base" if content.comments else "fluxnet"
        reading = Reading([_record(content, site, layout, clock, raw, candidates, asked)])
    else:
        reading = _plain_records(content, facts, named, candidates, asked)
    if step and (other := [r.step for r in reading.records if r.step != step]):
        raise TowerFormatError(f"{content.where}: expected steps of {step}, got {other[0]}")
    return reading


def _is_netcdf(path: str | Path) -> bool:
    return Path(path).suffix == ".nc" and Path(path).is_file()


def _refuse_without_gpp(content: Content, candidates: Mapping[str, Sequence[Source]]) -> None:
    if any(name in candidates for name in GPP):
        return
    like = [column for column in content.header if "gpp" in column.lower()]
    got = f"only {like}" if like else "none"
    if "nee" in candidates:
        got = f"net exchange alone ({candidates['nee'][0].name}); make GPP of it by --partition"
    raise TowerFormatError(
        f"{content.where}: expected a column of GPP such as GPP_NT_VUT_REF, GPP_PI, GPP_f or gpp (docs/towers.md), "
        f"got {got}"
    )


def _plain_records(
    content: Content,
    facts: NameFacts,
    named: list[str],
    candidates: Mapping[str, Sequence[Source]],
    asked: Asked,
) -> Reading:
    times = TimeColumns(content)
    columns = [source.name for found in candidates.values() for source in found]
    raw = content.read([*times.parts.values(), *columns], [*times.stamps, *named], official=False)
    if named and (unnamed := raw[named[0]].isna().to_numpy()).any():
        raise TowerFormatError(f"{content.at(int(unnamed.argmax()))}: expected a site in {named[0]}, got none")
    groups = list(raw.groupby(named[0], sort=False)) if named else [(facts.site or Path(content.name).stem, raw)]
    reading = Reading()
    for site, rows in groups:
        try:
            clock = plain_clock(content, rows, times)
            reading.records.append(_record(content, str(site), "plain", clock, rows, candidates, asked))
        except GppcoreError as error:
            reading.faults.append(_of_site(error, str(site)))
    return reading


def _of_site(error: GppcoreError, site: str) -> GppcoreError:
    """Return an error whose message names the site."""
    return error if site in str(error) else type(error)(f"{site}: {error}")


def _official_site(content: Content, facts: NameFacts, raw: pd.DataFrame, named: list[str]) -> str:
    """Return the site that name, comments and columns agree on."""
    stated = {match[1] for line in content.comments if (match := re.match(r"#\s*Site:\s*(\S+)", line))}
    stated |= set(raw[named[0]].str.strip()) if named else set()
    stated |= {facts.site} if facts.site else set()
    if len(stated) != 1:
        got = f"several: {sorted(stated)}" if stated else "none in its name"
        raise TowerFormatError(f"{content.where}: expected one site in name and rows (like AT-Neu), got {got}")
    return stated.pop()


def _record(
    content: Content,
    site: str,
    layout: Layout,
    clock: Clock,
    raw: pd.DataFrame,
    candidates: Mapping[str, Sequence[Source]],
    asked: Asked,
) -> TowerRecord:
    """Choose, convert and check the columns of one site."""
    place = place_of(asked.sites, site, content.where) if asked.sites is not None else None
    rows = raw.index.to_numpy(np.int64)
    sources, notes = chosen(candidates, _counts(raw, candidates))
    dropped = in_periods(asked.drop, site, clock.start)
    known: dict[str, NDArray[np.float64]] = {}
    for name, source in sources.items():
        if name == "sw":
            known.update(_toa(known, clock, place))
        values = content.numbers(raw[source.name]).to_numpy(float)
        values = without_missing(np.where(dropped, np.nan, values), source, content, rows)
        known[name] = converted(name, source, values, clock.step, content, rows, known)
        if name == "qc":
            known[name] = good_share(known[name], clock.step, source, content, rows)
    known.pop("toa", None)
    if dropped.any():
        notes += (f"{dropped.sum()} steps of {site} left out as asked",)
    if (filled := _deficit_of_humidity(known, clock.step)).any():
        sources = {"vpd": sources["rh"]} | sources
        notes += (f"vapour pressure deficit of {filled.mean():.0%} of all steps from {sources['rh'].name} and TA",)
    table = pd.DataFrame(known, index=clock.start)
    where = content.where if layout != "plain" else f"{content.where}: {site}"
    if asked.partition and not any(name in table for name in GPP) and "nee" in table:
        table, note = partitioned(table, where)
        sources = {"gpp_nt": sources["nee"], "gpp_dt": sources["nee"]} | sources
        notes += (note,)
    elif "qc" not in table and "core" not in table and "valid_day_frac" not in table:
        notes += ("no quality flags: a day counts as good where it has GPP",)
    check_series(table, clock.step, sources, where, site)
    check_sun(table, clock.step, place, where)
    return TowerRecord(site, content.where, layout, clock.step, table, notes)


def _counts(raw: pd.DataFrame, candidates: Mapping[str, Sequence[Source]]) -> dict[str, int]:
    """Return how many numbers other than -9999 each column has."""
    names = {source.name for found in candidates.values() for source in found}
    values = {name: pd.to_numeric(raw[name], errors="coerce") for name in names}
    return {name: int((column.notna() & (column != MISSING)).sum()) for name, column in values.items()}


def _deficit_of_humidity(known: dict[str, NDArray[np.float64]], step: str) -> NDArray[np.bool_]:
    """Fill the deficit of half-hours and hours from relative humidity; longer means do not follow from means."""
    n = len(next(iter(known.values()), ()))
    if PER_DAY[step] == 1 or not {"rh", "tair"} <= set(known):
        return np.zeros(n, dtype=bool)
    deficit = saturation_vapour_pressure(known["tair"]) * np.clip(1.0 - known["rh"] / 100.0, 0.0, None)
    measured = known.get("vpd", np.full(n, np.nan))
    known["vpd"] = np.where(np.isnan(measured), deficit, measured)
    filled: NDArray[np.bool_] = np.isnan(measured) & np.isfinite(deficit)
    return filled


def _toa(known: dict[str, NDArray[np.float64]], clock: Clock, place: Place | None) -> dict[str, NDArray[np.float64]]:
    if "sw_toa" in known:
        return {"toa": known["sw_toa"]}
    return {"toa": top_of_atmosphere(clock.start, clock.step, place)} if place else {}
