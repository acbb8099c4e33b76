"""The embedded towers within borders, with weather and leaves of the embedded world, for examples and lessons."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from gppcore.demo.region import demonstration_region
from gppcore.errors import RangeError
from gppcore.towers import Towers, read_towers
from gppcore.towers.files import read_records, read_sites, sample_at_towers, write_tower_folder

_RIM = 0.15
"""Degrees about the outermost towers: more than their 3 x 3 cells."""


def write_demonstration_towers(out: str | Path, south: float, north: float, west: float, east: float) -> None:
    """Write the folder of :func:`demonstration_towers`, with its parameters and errors."""
    with as_file(files("gppcore.demo").joinpath("data")) as data:
        sites = read_sites(data / "towers_sites.csv")
        inside = sites[sites["lat"].between(south, north) & sites["lon"].between(west, east)]
        if inside.empty:
            raise RangeError(f"region: expected borders around a tower, got {south}, {north}, {west}, {east}")
        gpp = pd.read_csv(data / "towers_gpp_monthly.csv.gz")
    with TemporaryDirectory(prefix="gppcore-") as folder:
        table = Path(folder, "gpp_monthly.csv")
        gpp[gpp["site_id"].isin(inside.index)].to_csv(table, index=False)
        records = read_records(table, sites=inside)
    lat, lon = inside["lat"], inside["lon"]
    around = (
        max(lat.min() - _RIM, -90.0),
        min(lat.max() + _RIM, 90.0),
        max(lon.min() - _RIM, -180.0),
        min(lon.max() + _RIM, 180.0),
    )
    samples = replace(sample_at_towers(demonstration_region(*around), inside), mean_year=True)
    inside = inside.assign(c4_percent=inside["c4_percent"].fillna(samples.sites["c4_percent"]))
    write_tower_folder(records, inside, out, weather=samples.weather)


def demonstration_towers(south: float, north: float, west: float, east: float) -> Towers:
    """Return the embedded towers of FLUXNET2015 within borders.

    GPP is observed; weather and leaf area are those of the embedded world, a mean year modelled from monthly climate
    (:func:`gppcore.demo.region.demonstration_region`), so results are no product for science.

    Parameters
    ----------
    south, north, west, east : float
        Borders [degrees], -90 to 90 and -180 to 180.

    Returns
    -------
    Towers
        Monthly GPP [g m-2 d-1] and the forcing of the cell of each tower.

    Raises
    ------
    RangeError
        If there is no tower inside.

    Examples
    --------
    >>> from gppcore.demo.towers import demonstration_towers
    >>> demonstration_towers(45, 48, 5, 12)
    Towers('FLUXNET2015 on the embedded world', 11 sites, 955 months)
    """
    with TemporaryDirectory(prefix="gppcore-") as folder:
        write_demonstration_towers(Path(folder, "towers"), south, north, west, east)
        return replace(read_towers(Path(folder, "towers")), name="FLUXNET2015 on the embedded world")
