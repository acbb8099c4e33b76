"""Metadata of sites: from BADM exports of the networks or plain tables, with coordinates compared with the country."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.errors import MissingFileError, RangeError, TowerFormatError
from gppcore.towers.files.content import members_of
from gppcore.towers.files.countries import country_box
from gppcore.towers.files.sun import Place
from gppcore.towers.towers import CLUSTER_KM, distance_km
from gppcore.variables import check_range

_ALIASES = {
    "lat": ("lat", "latitude", "location_lat", "latitude (degrees)", "lat_deg"),
    "lon": ("lon", "long", "longitude", "location_long", "longitude (degrees)", "lon_deg"),
    "igbp": (
        "igbp",
        "igbp_class",
        "vegetation_igbp",
        "igbp_land_use",
        "igbp_veg_short",
        "vegetation abbreviation (igbp)",
    ),
    "elev_m": ("elev_m", "elevation", "elev", "elv", "location_elev", "elevation (m)"),
    "utc_offset": ("utc_offset", "utc_offset_h", "timezone"),
    "koeppen": (
        "koeppen",
        "koppen",
        "koeppen_cedar",
        "koeppen_code",
        "climate_koeppen",
        "climate class abbreviation (koeppen)",
        "grid_koeppen_main",
    ),
    "c4_percent": ("c4_percent",),
    "cluster50km": ("cluster50km",),
}
"""By our names, those of BADM, FluxDataKit, ingestr, AmeriFlux, ICOS and PLUMBER2, in lower case."""
_SITE = ("site_id", "sitename", "site", "site id", "site_code", "site_name_short", "fluxnet_id", "station_id", "id")
_TEXT = ("igbp", "koeppen", "cluster50km")
_BIF = re.compile(r"_(BIF|BADM)(?=[_.]).*\.csv$", re.IGNORECASE)
_BADM = ("SITE_ID", "VARIABLE", "DATAVALUE")


def read_sites(*paths: str | Path) -> pd.DataFrame:
    r"""Read the metadata of sites from one or more files; what an earlier one lacks, a later one adds.

    Parameters
    ----------
    *paths : str or Path
        BADM exports (SITE_ID, GROUP_ID, VARIABLE, DATAVALUE; CSV, or XLSX with openpyxl) or CSV tables with one row
        per site, such as the snapshot of the FLUXNET shuttle; equal rows count once. Archives of the networks and
        folders of them, of which the BADM exports (BIF) are read.

    Returns
    -------
    pandas.DataFrame
        By site_id: lat, lon [degrees], and igbp, elev_m [m], utc_offset [h], koeppen, c4_percent [%], cluster50km;
        missing where no file has them.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TowerFormatError
        If a file is no such table, or coordinates are missing, not numbers, or outside the country of the site.

    Examples
    --------
    >>> from pathlib import Path
    >>> import gppcore
    >>> _ = Path("sites.csv").write_text("site_id,lat,lon,igbp,elev_m\nDE-Mad,51.0,13.5,DBF,380\n")
    >>> gppcore.read_sites("sites.csv")[["lat", "lon", "igbp"]]
              lat   lon igbp
    site_id
    DE-Mad   51.0  13.5  DBF
    """
    table = read_site_table(*paths)
    for site, row in table.iterrows():
        check_position(str(site), row["lat"], row["lon"], str(paths[0]))
    return table


def read_site_table(*paths: str | Path) -> pd.DataFrame:
    """Read what :func:`read_sites` reads, with coordinates that may be faulty: see :func:`check_position`."""
    table: pd.DataFrame | None = None
    for path in paths:
        for where, source in _sources(Path(path)):
            found = _read(where, source)
            table = found if table is None else table.combine_first(found)
    if table is None:
        raise TowerFormatError("sites: expected a file, got none")
    return table.reindex(columns=list(_ALIASES))


def place_of(sites: pd.DataFrame, site: str, where: str) -> Place:
    """Return the position of a site.

    Raises
    ------
    TowerFormatError
        If the table has no such site.
    """
    if site not in sites.index:
        raise TowerFormatError(f"{where}: expected a site of the site table, got {site}; add a row for it")
    lat, lon, utc_offset = map(float, sites.loc[[site], ["lat", "lon", "utc_offset"]].to_numpy(float)[0])
    return Place(lat, lon, utc_offset)


def clusters(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return numbers of the groups of sites that single links of at most 50 km join.

    Parameters
    ----------
    lat, lon : ndarray, shape (n,)
        Positions [degrees].

    Returns
    -------
    ndarray of int, shape (n,)
        Numbers from 0, in the order of the first site of each group.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore.towers.files import clusters
    >>> clusters(np.array([47.21, 47.28, 51.32]), np.array([8.41, 7.73, 4.52]))
    array([0, 1, 2])
    """
    from scipy.sparse.csgraph import connected_components

    places = {"lat": lat, "lon": lon}
    linked = distance_km(places, places) <= CLUSTER_KM
    labels: NDArray[np.int64] = connected_components(linked)[1].astype(np.int64)
    return labels


def _sources(path: Path) -> Iterator[tuple[str, Path | BytesIO]]:
    """Return the tables of metadata that a path means, with their names for messages."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        yield str(path), path
        return
    found = False
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix.lower() == ".zip":
            for where, text in members_of(file, _BIF):
                yield where, BytesIO(text)
                found = True
        elif _BIF.search(file.name):
            yield str(file), file
            found = True
    if not found:
        raise TowerFormatError(f"{path}: expected BADM exports (..._BIF_...csv) in it, got none; name a table of sites")


def _read(where: str, source: Path | BytesIO) -> pd.DataFrame:
    if isinstance(source, Path) and not source.is_file():
        raise MissingFileError(f"sites: expected a file, got no such file {where}")
    try:
        raw = (
            pd.read_excel(source, dtype="str")
            if where.lower().endswith((".xlsx", ".xls"))
            else pd.read_csv(
                source,
                dtype="str",
                encoding="utf-8-sig",
                keep_default_na=False,
                na_values=["", "NA", "-9999"],
                sep=_separator(source),
            )
        )
    except (ValueError, OSError, ImportError) as error:
        raise TowerFormatError(f"{where}: expected a table of sites, got: {error}") from None
    if set(_BADM) <= set(raw):
        raw = _wide(raw, where)
    names = {str(column).strip().lower(): column for column in raw}
    site = next((names[alias] for alias in _SITE if alias in names), None)
    found = {key: names[alias] for key, aliases in _ALIASES.items() for alias in aliases[::-1] if alias in names}
    if site is None or not found:
        raise TowerFormatError(f"{where}: expected columns site_id, lat and lon, got {list(raw)[:8]}")
    table = raw.set_index(raw[site].str.strip())[list(found.values())].set_axis(list(found), axis=1)
    table.index.name = "site_id"
    table = table.reset_index().drop_duplicates().set_index("site_id")  # a snapshot has a row for each product
    if table.index.has_duplicates:
        raise TowerFormatError(
            f"{where}: expected one row per site, got {table.index[table.index.duplicated()][0]} again"
        )
    for column in [c for c in table if c not in _TEXT]:
        numbers = pd.to_numeric(table[column], errors="coerce")
        if (wrong := numbers.isna() & table[column].notna()).any():
            row = int(wrong.to_numpy().argmax())
            at, got = table.index[row], table[column].iloc[row]
            raise TowerFormatError(f"{where}: {at}, {column}: expected a number, got {got!r}")
        table[column] = numbers
    return table


def _separator(source: Path | BytesIO) -> str:
    """Return what parts the columns of a site table: a comma, or the tabs and semicolons of web pages."""
    if isinstance(source, BytesIO):
        return ","
    with source.open(encoding="utf-8-sig", errors="replace") as file:
        head = file.readline()
    return max(",\t;", key=head.count)


def _wide(raw: pd.DataFrame, where: str) -> pd.DataFrame:
    """Turn the long rows of BADM to one row per site; of values that were reported again, the last holds."""
    wanted = {alias.upper() for aliases in _ALIASES.values() for alias in aliases}
    rows = raw[raw["VARIABLE"].isin(wanted)]
    if rows.empty:
        raise TowerFormatError(f"{where}: expected BADM variables such as LOCATION_LAT, got none")
    for variable in ("LOCATION_LAT", "LOCATION_LONG"):
        spread = pd.to_numeric(rows.loc[rows["VARIABLE"] == variable, "DATAVALUE"], errors="coerce")
        by_site = spread.groupby(rows["SITE_ID"])
        if ((apart := by_site.max() - by_site.min()) > 0.1).any():
            raise TowerFormatError(
                f"{where}: {apart.idxmax()}: expected one {variable}, got several {apart.max():g} apart"
            )
    wide = rows.groupby(["SITE_ID", "VARIABLE"])["DATAVALUE"].last().unstack()
    return wide.reset_index()


def check_position(site: str, lat: float, lon: float, where: str) -> None:
    """Refuse coordinates that are missing, out of range or outside the country that the name of the site begins with.

    Raises
    ------
    TowerFormatError
        If they are.
    """
    if not (np.isfinite(lat) and np.isfinite(lon)):
        raise TowerFormatError(f"{where}: {site}: expected lat and lon, got {lat} and {lon}")
    try:
        check_range("lat", lat, where=f"{where}: {site}")
        check_range("lon", lon, where=f"{where}: {site}")
    except RangeError as error:
        raise TowerFormatError(f"{error} (lat and lon swapped?)") from None
    box = country_box(site[:2]) if site[2:3] == "-" else None
    if box is None or _inside(box, lat, lon):
        return
    causes: Sequence[tuple[str, float, float]] = (
        ("swapped", lon, lat),
        ("of wrong sign", lat, -lon),
        ("of wrong sign", -lat, lon),
        ("of wrong sign", -lat, -lon),
    )
    cause = next((f" (coordinates {what}?)" for what, y, x in causes if _inside(box, y, x)), "")
    south, north, west, east = box
    expected = f"{south} to {north} N, {west} to {east} E as its name tells"
    raise TowerFormatError(f"{where}: {site}: expected {expected}, got {lat:g}, {lon:g}{cause}")


def _inside(box: tuple[int, int, int, int], lat: float, lon: float) -> bool:
    return box[0] <= lat <= box[1] and box[2] <= lon <= box[3]
