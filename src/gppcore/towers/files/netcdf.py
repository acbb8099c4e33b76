"""NetCDF files of one site (OzFlux L6, PLUMBER2, FluxDataKit), brought to the text of a plain table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gppcore.errors import TowerFormatError
from gppcore.io.cf import reader
from gppcore.towers.files.columns import candidates_in
from gppcore.towers.files.content import Content
from gppcore.towers.files.stated import known_unit

if TYPE_CHECKING:
    import xarray as xr

_SITE = ("site_code", "fluxnet_id", "site_id", "site_name")


def netcdf_content(path: Path) -> Content:
    """Return the variables of a netCDF file that the table of columns has, with the units that they state.

    Raises
    ------
    TowerFormatError
        If the file is damaged, or has no time or no such variable.
    """
    data = _opened(path)
    if (weather := weather_beside(path)) != path and weather.is_file():
        data = data.merge(_opened(weather), compat="override", join="left", combine_attrs="override")
    wanted = {source.name for found in candidates_in([str(n) for n in data.data_vars], {}).values() for source in found}
    series = [name for name in data.data_vars if name in wanted and data[name].size == data["time"].size]
    if (many := {str(d): n for d, n in data.sizes.items() if d != "time" and n > 1}) and not series:
        raise TowerFormatError(f"{path}: expected one site, got dimensions {many}; write a file for each")
    if not series:
        raise TowerFormatError(
            f"{path}: expected variables such as GPP and Tair, got {sorted(map(str, data.data_vars))}"
        )
    table = data[series].squeeze(drop=True).to_dataframe()[series]
    table.index.name = "time"
    units = {str(name): unit for name in series if (unit := known_unit(str(data[name].attrs.get("units", ""))))}
    text = table.to_csv(date_format="%Y-%m-%d %H:%M", float_format="%.7g").encode()
    site = _site(data.attrs, path)
    header = ("time", *map(str, series))
    return Content(str(path), f"{site}.nc", (), header, 2, text, units=units)


def weather_beside(path: Path) -> Path:
    """Return the file of weather that PLUMBER2 and FluxDataKit distribute beside that of fluxes, else the path."""
    return path.with_name(path.name.replace("_Flux.nc", "_Met.nc"))


def _opened(path: Path) -> xr.Dataset:
    import xarray as xr

    try:
        with xr.open_dataset(path, **reader(path)) as data:
            data.load()
    except (ValueError, OSError, KeyError) as error:
        raise TowerFormatError(f"{path}: expected a netCDF file, got: {error}") from None
    if "time" not in data.coords or not np.issubdtype(data["time"].dtype, np.datetime64):
        raise TowerFormatError(f"{path}: expected a coordinate time of the standard calendar, got {list(data.coords)}")
    return data


def _site(attributes: dict[str, object], path: Path) -> str:
    named: Sequence[object] = [attributes[key] for key in _SITE if attributes.get(key)]
    return str(named[0]).strip() if named else path.name.split("_")[0].removesuffix(".nc")
