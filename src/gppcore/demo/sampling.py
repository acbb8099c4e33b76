"""The embedded world at towers, for those that have no leaf area or weather of their own."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import xarray as xr

from gppcore.demo.region import demonstration_region
from gppcore.towers.files.sampling import TowerSamples, sample_at_towers

_REACH = 0.15
"""Degrees about a tower: more than its 3 x 3 cells."""


def sample_world(sites: pd.DataFrame, *, footprint: Literal["nearest", "mean"] = "nearest") -> TowerSamples:
    """Take the embedded world at towers; see :func:`gppcore.sample_at_towers`.

    Parameters
    ----------
    sites : pandas.DataFrame
        What :func:`gppcore.read_sites` returns.
    footprint : {"nearest", "mean"}
        The nearest cell that has all fields, out of the 3 x 3 about the tower, or the mean of all of these.

    Returns
    -------
    TowerSamples
        Months of a mean year, modelled from monthly climate: no product for science.

    Raises
    ------
    RangeError
        If a tower has no land within 0.15 degrees.

    Examples
    --------
    >>> import pandas as pd
    >>> from gppcore.demo.sampling import sample_world
    >>> place = {"lat": [51.0], "lon": [10.5], "igbp": ["DBF"], "elev_m": [440.0]}
    >>> sites = pd.DataFrame(place, index=pd.Index(["DE-Hai"], name="site_id"))
    >>> sample_world(sites).fields["tair"].round(1).values[:3, 0]
    array([0.5, 1.3, 4.2])
    """
    parts = []
    for site, place in sites.iterrows():
        south, west = max(float(place["lat"]) - _REACH, -90.0), max(float(place["lon"]) - _REACH, -180.0)
        north, east = min(south + 2 * _REACH, 90.0), min(west + 2 * _REACH, 180.0)
        region = demonstration_region(south, north, west, east)
        parts.append(sample_at_towers(region, sites.loc[[site]], footprint=footprint))
    fields = xr.concat([part.fields for part in parts], "site", data_vars="minimal", join="exact")
    report = pd.concat([part.report for part in parts])
    return TowerSamples(fields, report, mean_year=True)
