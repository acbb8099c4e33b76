"""Gridded files of others, opened lazily: netCDF, HDF5 and Zarr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gppcore.errors import MissingFileError, ProductFormatError

if TYPE_CHECKING:
    import xarray as xr


def open_cf(path: Path, what: str) -> xr.Dataset:
    """Open a CF file or a Zarr store; values are read when they are needed, and the caller closes it.

    Parameters
    ----------
    path : Path
        A file that xarray reads, or the folder of a Zarr store.
    what : str
        What it is for, for the message.

    Raises
    ------
    MissingFileError
        If there is nothing under the path.
    ProductFormatError
        If it cannot be read.
    """
    import xarray as xr

    if not path.exists():
        raise MissingFileError(f"{what}: expected a netCDF file or Zarr store, got no such file {path}")
    try:
        if path.is_dir():
            # Zarr 3 does not specify consolidated metadata, and a local store gains little by them.
            return xr.open_dataset(path, engine="zarr", consolidated=False, chunks=None)
        return xr.open_dataset(path, chunks=None)
    except (ValueError, OSError, KeyError) as error:
        raise ProductFormatError(f"{path}: expected a readable CF netCDF file or Zarr store, got: {error}") from error
