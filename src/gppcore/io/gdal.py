"""What GDAL makes of HDF4 and HDF5: one variable `Band1`, whose attributes it keeps as texts in other places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

BAND = "Band1"
_KEYS = ("scale_factor", "add_offset", "_FillValue", "valid_range", "units")


def with_attributes(ds: xr.Dataset) -> xr.Dataset:
    """Return a dataset, not decoded, whose `Band1` has the attributes of the data that GDAL translated.

    Those of HDF4 become attributes of the file, ``GDAL_valid_range = "0, 100"``, and those of HDF5 attributes of the
    band with the path in front; `valid_range` of the band itself is the range of its type.
    """
    if BAND not in ds.data_vars or "GDAL" not in ds.attrs:
        return ds
    band = ds[BAND]
    attrs = dict(band.attrs)
    for key in _KEYS:
        if (text := _text(ds, band, key)) is None:
            continue
        if key == "units":
            attrs.setdefault(key, text)
        elif key == "valid_range" or key not in attrs:
            attrs[key] = _numbers(text, band, key)
    return ds.assign({BAND: band.assign_attrs(attrs)})


def _text(ds: xr.Dataset, band: xr.DataArray, key: str) -> str | None:
    """Return the text in which GDAL kept an attribute, if there is one."""
    found = [value for name, value in band.attrs.items() if str(name).endswith(f"_{key}") and name != key]
    if f"GDAL_{key}" in ds.attrs:
        found.append(ds.attrs[f"GDAL_{key}"])
    return str(found[0]).strip() if len(found) == 1 else None


def _numbers(text: str, band: xr.DataArray, key: str) -> Any:
    values = np.array([float(part) for part in re.split(r"[,\s]+", text.strip("{} "))])
    if key in ("scale_factor", "add_offset"):
        return values[0]
    unsigned = str(band.attrs.get("_Unsigned", "false")).lower() == "true"
    kind = np.dtype(f"u{band.dtype.itemsize}") if unsigned else band.dtype
    stored = values.astype(kind)
    # xarray compares with what is stored, which netCDF 3 and classic netCDF 4 hold with a sign.
    return stored[0].astype(band.dtype) if key == "_FillValue" else stored
