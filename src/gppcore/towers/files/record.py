"""Records of towers: one site's series from a file of FLUXNET, ICOS or AmeriFlux, or from a plain table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.errors import TowerFormatError
from gppcore.towers.files.clock import (
    PLAIN_STAMPS,
    STAMPS,
    Clock,
    NameFacts,
    name_facts,
    official_clock,
    plain_clock,
)
from gppcore.towers.files.columns import GPP, SOURCES, Source, sources_in
from gppcore.towers.files.content import Content, open_content
from gppcore.towers.files.plausible import converted
from gppcore.towers.files.series import check_series, good_share, without_missing
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
        `vpd`, `patm` [Pa], `precip` [mm d-1], `ca` [umol mol-1], `lai` [m2 m-2].
    """

    site: str
    where: str
    layout: Layout
    step: str
    table: pd.DataFrame


def read_fluxnet(path: str | Path, *, sites: pd.DataFrame | None = None, step: str | None = None) -> TowerRecord:
    """Read the record of one site and refuse a file that cannot be right.

    Parameters
    ----------
    path : str or Path
        CSV file, plain or gzipped, or the zip archive in which networks distribute it: FLUXNET2015, ICOS and
        AmeriFlux FLUXNET files (FULLSET or SUBSET; HH, HR, DD, WW, MM), AmeriFlux BASE, or a plain table whose
        columns have names of :mod:`gppcore.variables` or of FLUXNET.
    sites : pandas.DataFrame, optional
        What :func:`read_sites` returns; light is then held against the coordinates too.
    step : {"HH", "HR", "DD", "WW", "MM"}, optional
        Which table of an archive; without it the finest.

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
    """
    records = read_records(path, sites=sites, step=step)
    if len(records) > 1:
        names = [record.site for record in records]
        raise TowerFormatError(f"{path}: expected one site, got {len(names)}: {', '.join(names[:5])}")
    return records[0]


def read_records(path: str | Path, *, sites: pd.DataFrame | None = None, step: str | None = None) -> list[TowerRecord]:
    """Read all sites of a file: one, or those of a plain table with a column `site_id`.

    Parameters and errors are those of :func:`read_fluxnet`.
    """
    content = open_content(path, step)
    facts = name_facts(content.name)
    official = any(stamp in content.header for stamp in STAMPS)
    if official and content.marked:
        raise TowerFormatError(f"{content.where}: expected plain text, got a byte-order mark (saved by a spreadsheet?)")
    sources = sources_in(content.header)
    if not any(name in sources for name in GPP):
        wanted = [source.name for name in GPP for source in SOURCES[name]]
        raise TowerFormatError(f"{content.where}: expected a column of GPP out of {wanted}, got none")
    named = [column for column in _SITE if column in content.header][:1]
    if official:
        words = [c for c in STAMPS if c in content.header] + named
        raw = content.read([s.name for s in sources.values()], words, official=True)
        site, clock = _official_site(content, facts, raw, named), official_clock(content, raw, facts)
        layout: Layout = "base" if content.comments else "fluxnet"
        records = [_record(content, site, layout, clock, raw, sources, sites)]
    else:
        records = _plain_records(content, facts, named, sources, sites)
    if step and records[0].step != step:
        raise TowerFormatError(f"{content.where}: expected steps of {step}, got {records[0].step}")
    return records


def _plain_records(
    content: Content,
    facts: NameFacts,
    named: list[str],
    sources: dict[str, Source],
    sites: pd.DataFrame | None,
) -> list[TowerRecord]:
    parts = [c for c in ("year", "month", "day") if c in content.header]
    stamps = [c for c in PLAIN_STAMPS if c in content.header][:1]
    if parts[:2] != ["year", "month"] and not stamps:
        raise TowerFormatError(
            f"{content.where}: expected TIMESTAMP_START or TIMESTAMP, year and month, or a column time, "
            f"got {list(content.header[:6])}"
        )
    times, words = (parts, named) if parts[:2] == ["year", "month"] else ([], stamps + named)
    raw = content.read([*times, *(s.name for s in sources.values())], words, official=False)
    if named and (unnamed := raw[named[0]].isna().to_numpy()).any():
        raise TowerFormatError(f"{content.at(int(unnamed.argmax()))}: expected a site in {named[0]}, got none")
    groups = raw.groupby(named[0], sort=False) if named else [(facts.site or Path(content.name).stem, raw)]
    records = []
    for site, rows in groups:
        clock = plain_clock(content, rows)
        records.append(_record(content, str(site), "plain", clock, rows, sources, sites))
    return records


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
    sources: dict[str, Source],
    sites: pd.DataFrame | None,
) -> TowerRecord:
    """Convert and check the columns of one site."""
    place = place_of(sites, site, content.where) if sites is not None else None
    rows = raw.index.to_numpy(np.int64)
    known: dict[str, NDArray[np.float64]] = {}
    for name in SOURCES:
        if name not in sources:
            continue
        if name == "sw":
            known.update(_toa(known, clock, place))
        values = without_missing(raw[sources[name].name].to_numpy(float), sources[name], content, rows)
        known[name] = converted(name, sources[name], values, clock.step, content, rows, known)
        if name == "qc":
            known[name] = good_share(known[name], clock.step, sources[name], content, rows)
    known.pop("toa", None)
    table = pd.DataFrame(known, index=clock.start)
    where = content.where if layout != "plain" else f"{content.where}: {site}"
    check_series(table, clock.step, sources, where)
    check_sun(table, clock.step, place, where)
    return TowerRecord(site, content.where, layout, clock.step, table)


def _toa(known: dict[str, NDArray[np.float64]], clock: Clock, place: Place | None) -> dict[str, NDArray[np.float64]]:
    if "sw_toa" in known:
        return {"toa": known["sw_toa"]}
    return {"toa": top_of_atmosphere(clock.start, clock.step, place)} if place else {}
