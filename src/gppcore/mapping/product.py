"""The gridded product: variables of a tile store as CF-1.8 Zarr v3, and as netCDF4 year by year."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore import __version__
from gppcore.errors import MissingFileError, OutputExistsError, ProductFormatError, RangeError, disk_errors
from gppcore.io.durable import PART, rename_durably
from gppcore.io.manifest import check_manifest, write_manifest
from gppcore.io.mapped import whole_files
from gppcore.io.netcdf import write_netcdf4
from gppcore.mapping.geometry import GEOMETRY, coverage, time_coverage, window_edges, write_coordinates, write_time
from gppcore.tiles.store import TileStore
from gppcore.variables import MONTHS, attributes

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "lat/manifest.json"
"""In the folder of an array: beside the arrays, Zarr readers that list the group would warn about it."""
TOTALS = {"gpp": "gpp_total", "low": "gpp_total_low", "high": "gpp_total_high"}
"""Variables of the totals by column of their table."""
_PERIODS = ("south", "north", "first_year", "last_year")
"""Columns of that table which say of what a total is."""
CHUNK = 400
"""Side of the product's chunks in grid cells."""


def write_product(
    store: TileStore,
    out: Path,
    variables: Mapping[str, Mapping[str, Any]],
    *,
    attrs: Mapping[str, Any],
    totals: pd.DataFrame | None = None,
) -> None:
    """Write variables of a store as a gridded CF-1.8 Zarr v3 product.

    The folder appears under its final name only when it is complete. Memory does not depend on the number of
    years.

    Parameters
    ----------
    store : TileStore
        Finished tiles of all `variables`.
    out : Path
        New folder.
    variables : mapping of str to mapping
        CF attributes of the variables.
    attrs : mapping
        Global attributes.
    totals : pandas.DataFrame, optional
        As :func:`gppcore.mapping.totals.totals` returns them: they become `gpp_total`, `gpp_total_low` and
        `gpp_total_high` over the dimension `total`, with its regions and years as coordinates.

    Raises
    ------
    TileFormatError
        If a tile is missing or was changed.
    OutputExistsError
        If another job wrote the product meanwhile.
    StoreLockedError
        If the store has another writer.
    DiskFullError
        If there is no room.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from pathlib import Path
    >>> from gppcore import TileStore
    >>> from gppcore.mapping.product import write_product
    >>> from gppcore.variables import attributes
    >>> store = TileStore.create("tiles", np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.array([0, 1, 3]))
    >>> store.add("gpp_daily", monthly=True, attrs={"units": "g m-2 d-1"})
    >>> with store.writing():
    ...     store.write("gpp_daily", 0, np.full((12, 3), 2.5, np.float32))
    >>> write_product(store, Path("gpp.zarr"), {"gpp_daily": attributes("gpp_daily")}, attrs={})
    >>> xr.open_zarr("gpp.zarr")["gpp_daily"].isel(time=6).values
    array([[2.5, 2.5],
           [nan, 2.5]], dtype=float32)
    """
    import zarr
    from zarr.codecs import Crc32cCodec, ZstdCodec

    rows, columns = _window(store)
    lat, lon = store.lat[rows], store.lon[columns]
    has_months = any(store.is_monthly(name) for name in variables)
    # The name is that of this store: a second job, or a folder of the user's, has another.
    token = hashlib.sha256(str(store.path.resolve()).encode()).hexdigest()[:8]
    building = out.with_name(f"{out.name}.{token}{PART}")
    with disk_errors(out), store.writing():
        if building.exists():
            shutil.rmtree(building)
        # No date, so that the same model and store give identical bytes.
        origin = {
            "Conventions": "CF-1.8, ACDD-1.3",
            "title": next(iter(variables.values()))["long_name"],
            "history": f"gppcore {__version__}: written from a tile store",
        }
        described = {
            **origin,
            **coverage(*window_edges(store, rows, columns), store.years if has_months else None),
            **attrs,
        }
        group = zarr.open_group(building, mode="w", zarr_format=3, attributes=described)
        if has_months:
            write_time(group, store)
        write_coordinates(group, store, rows, columns, min(CHUNK, lat.size), min(CHUNK, lon.size))
        for name, variable_attrs in variables.items():
            monthly = store.is_monthly(name)
            space = (min(CHUNK, lat.size), min(CHUNK, lon.size))
            array = group.create_array(
                name,
                shape=(MONTHS * len(store.each_year), lat.size, lon.size) if monthly else (lat.size, lon.size),
                chunks=(MONTHS, *space) if monthly else space,
                dtype="float32",
                fill_value=np.nan,
                compressors=(ZstdCodec(), Crc32cCodec()),
                dimension_names=("time", "lat", "lon") if monthly else ("lat", "lon"),
                attributes={**variable_attrs, "cell_methods": "area: mean" + " time: mean" * monthly, **GEOMETRY},
            )
            _write_bands(store, name, array, rows, columns)
        if totals is not None:
            _write_totals(group, totals)
        with warnings.catch_warnings():
            # Readers look for it and warn where there is none; Zarr 3 has it as an extension.
            warnings.filterwarnings("ignore", message="Consolidated metadata")
            zarr.consolidate_metadata(building)
        write_manifest(building, MANIFEST)
        if out.exists():
            raise OutputExistsError(f"product: expected a new folder, got {out}, which another job wrote meanwhile")
        rename_durably(building, out)


def _write_totals(group: Any, totals: pd.DataFrame) -> None:
    borders = {"units": "degrees_north", "long_name": "border of the region"}
    for column in _PERIODS:
        described = borders if column in ("south", "north") else {"long_name": f"{column} of the total; 0: a mean year"}
        values = totals[column].to_numpy(np.int32)
        group.create_array(f"total_{column}", data=values, dimension_names=("total",), attributes=described)
    coordinates = " ".join(f"total_{column}" for column in _PERIODS)
    for column, name in TOTALS.items():
        values = totals[column].to_numpy(np.float32)
        described = {**attributes(name), "coordinates": coordinates}
        group.create_array(name, data=values, dimension_names=("total",), attributes=described)


def read_totals(product: Path) -> pd.DataFrame | None:
    """Return the totals of a product with their 90 % intervals; None if it has none.

    Returns
    -------
    pandas.DataFrame or None
        As :func:`gppcore.mapping.totals.totals`.

    Examples
    --------
    >>> import numpy as np
    >>> from pathlib import Path
    >>> from gppcore import TileStore
    >>> from gppcore.mapping.product import read_totals, write_product
    >>> from gppcore.mapping.totals import BlockSums, totals
    >>> from gppcore.transfer.error_covariance import ErrorCovariance
    >>> store = TileStore.create("tiles", np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.array([0, 1, 3]))
    >>> with store.writing():
    ...     for name, value in (("gpp_daily", 2.0), ("gpp_daily_high", 3.0)):
    ...         store.add(name, monthly=True, attrs={"units": "g m-2 d-1"})
    ...         store.write(name, 0, np.full((12, 3), value, np.float32))
    >>> errors = ErrorCovariance(0.004, 0.02, lasting=0.12, season=0.16, passing=0.3, local=0.5)
    >>> found = totals(BlockSums.of_store(store, "gpp_daily"), errors)
    >>> write_product(store, Path("gpp.zarr"), {"gpp_daily": {"long_name": "GPP"}}, attrs={}, totals=found)
    >>> round(float(read_totals(Path("gpp.zarr"))["gpp"].iloc[0]), 4)  # Pg yr-1
    0.0174
    """
    import pandas as pd
    import xarray as xr

    with xr.open_zarr(product, chunks=None, consolidated=False, decode_times=False) as ds:
        if not set(TOTALS.values()) <= set(ds.data_vars):
            return None
        edges_of = {name: ds[f"total_{name}"].values for name in _PERIODS}
        return pd.DataFrame({**edges_of, **{column: ds[name].values for column, name in TOTALS.items()}})


def verify_product(path: Path) -> int:
    """Read every file of a product and compare its checksum with the manifest; return the number of files.

    Raises
    ------
    MissingFileError
        If there is no product.
    ProductFormatError
        If a file is missing or damaged, or the product has no manifest.
    """
    if not (path / "zarr.json").is_file():
        raise MissingFileError(f"product: expected a folder with zarr.json, got {path}")
    n = check_manifest(path, MANIFEST, content=True)
    if not n:
        raise ProductFormatError(f"{path}: expected a product with a manifest, {MANIFEST}, got none")
    return n


def _window(store: TileStore) -> tuple[slice, slice]:
    """Return the smallest window that holds all cells."""
    row, column = np.divmod(store.index, store.shape[1])
    return slice(row.min(), row.max() + 1), slice(column.min(), column.max() + 1)


def _write_bands(store: TileStore, name: str, array: Any, rows: slice, columns: slice) -> None:
    """Scatter the cells in bands of chunk rows, each from the contiguous run of cells that covers it."""
    row_of = store.index // store.shape[1]
    if not store.is_monthly(name):
        field = np.full((rows.stop - rows.start, columns.stop - columns.start), np.nan, dtype=np.float32)
        field[row_of - rows.start, store.index % store.shape[1] - columns.start] = store.read_field(name)
        array[:] = field
        return
    # One band for all: fresh memory of this size costs more than filling it. What a run holds of other bands goes to
    # a row of its own.
    whole = np.empty((MONTHS, min(CHUNK, rows.stop - rows.start) + 1, columns.stop - columns.start), dtype=np.float32)
    for start in range(rows.start, rows.stop, CHUNK):
        stop = min(start + CHUNK, rows.stop)
        inside = np.flatnonzero((row_of >= start) & (row_of < stop))
        band = whole[:, : stop - start + 1]
        first, last = (int(inside[0]), int(inside[-1]) + 1) if inside.size else (0, 0)
        row, column = np.divmod(store.index[first:last], store.shape[1])
        row = np.where((row >= start) & (row < stop), row - start, stop - start)
        for number, year in enumerate(store.each_year):
            band.fill(np.nan)
            if inside.size:
                band[:, row, column - columns.start] = _run(store, name, year, first, last)
            array[number * MONTHS : (number + 1) * MONTHS, start - rows.start : stop - rows.start, :] = band[:, :-1]


@whole_files()
def _run(store: TileStore, name: str, year: int | None, first: int, last: int) -> NDArray[np.float32]:
    """Read cells first to last of a monthly variable."""
    parts = []
    for tile in range(first // store.tile_cells, (last - 1) // store.tile_cells + 1):
        span = store.cells(tile)
        low, high = max(first, span.start), min(last, span.stop)
        parts.append(store.read(name, tile, year)[:, low - span.start : high - span.start])
    return np.concatenate(parts, axis=1)


def write_netcdf(product: str | Path, out: str | Path, *, year: int | None = None) -> None:
    """Copy a Zarr product, or one year of it, to a compressed netCDF4 file, which appears only when complete.

    Parameters
    ----------
    product : str or Path
        Zarr product of :func:`gppcore.mapping.product.write_product`.
    out : str or Path
        New file.
    year : int, optional
        Calendar year to copy; without it all of the product goes to the one file.

    Raises
    ------
    OutputExistsError
        If `out` exists.
    RangeError
        If the product does not have the year.

    Examples
    --------
    >>> import numpy as np
    >>> from pathlib import Path
    >>> from gppcore import TileStore
    >>> from gppcore.mapping.product import write_netcdf, write_product
    >>> from gppcore.variables import attributes
    >>> store = TileStore.create("tiles", np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.array([0, 1, 3]))
    >>> store.add("gpp_daily", monthly=True, attrs={"units": "g m-2 d-1"})
    >>> with store.writing():
    ...     store.write("gpp_daily", 0, np.full((12, 3), 2.5, np.float32))
    >>> write_product(store, Path("gpp.zarr"), {"gpp_daily": attributes("gpp_daily")}, attrs={})
    >>> write_netcdf("gpp.zarr", "gpp.nc")
    >>> Path("gpp.nc").is_file()
    True
    """
    import xarray as xr

    product, out = Path(product), Path(out)
    if out.exists():
        raise OutputExistsError(f"product: expected a new file, got {out}, which exists")
    check_manifest(product, MANIFEST, content=False)
    building = out.with_name(f"{out.name}.{secrets.token_hex(4)}{PART}")
    # Times stay numbers: what was written is copied, units included.
    with disk_errors(out), xr.open_zarr(product, chunks=None, consolidated=False, decode_times=False) as ds:
        if year is not None:
            years = xr.decode_cf(ds[["time"]])["time"].dt.year.values
            if year not in years:
                raise RangeError(f"year: expected {years.min()} to {years.max()}, got {year}")
            ds = ds.isel(time=years == year).assign_attrs(time_coverage([year]))
        chunks = {
            "chunksizes": (1, min(CHUNK, ds.sizes["lat"]), min(CHUNK, ds.sizes["lon"])),
            "zlib": True,
            "complevel": 1,
        }
        gridded = [name for name, array in ds.data_vars.items() if array.dims == ("time", "lat", "lon")]
        plain = {name: {"_FillValue": None} for name in ds.variables if name not in gridded}
        encoding: dict[str, dict[str, Any]] = {**plain, **dict.fromkeys(gridded, chunks)}
        try:
            write_netcdf4(ds.drop_encoding(), building, encoding)
            rename_durably(building, out)
        except BaseException:
            building.unlink(missing_ok=True)
            raise
