"""From a model and a tile store to a global product: tile by tile, resumable, CF-compliant."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import OutputExistsError, TileFormatError, disk_errors
from gppcore.features import MONTHLY_PREDICTORS, PREDICTORS
from gppcore.tiles import MONTHS, WINDOW, TileStore
from gppcore.variables import attributes

Progress = Callable[[int], None]
CHUNK = 400
"""Side of the product's chunks in grid cells: a multiple of the window height, so that rows of windows nest."""
_CLIMATOLOGY_YEAR = 2001
assert CHUNK % WINDOW[0] == 0


class Model(Protocol):
    """What maps: anything that predicts rows from one column per predictor and can be told from another."""

    @property
    def digest(self) -> str:
        """Short text that differs between models."""

    def predict_columns(self, columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Predict GPP [g m-2 d-1] of rows."""


def map_gpp(
    model: Model,
    store: TileStore,
    out: str | Path | None = None,
    *,
    variable: str = "gpp_daily",
    attrs: Mapping[str, Any] | None = None,
    n_threads: int = 2,
    progress: Progress | None = None,
) -> None:
    """Predict 12 months of GPP at every cell of a store and write the gridded product.

    Parameters
    ----------
    model : Model
        Usually a :class:`gppcore.transfer.TransferModel`.
    store : TileStore
        Holds the variables of `gppcore.features.PREDICTORS`; the predictions are added to it as `variable`.
        Tiles that are finished already are kept, so that a killed run goes on where it stopped.
    out : str or Path, optional
        New folder of the Zarr product; without it the predictions stay in the store.
    variable : str, default "gpp_daily"
        Name of the predictions.
    attrs : mapping, optional
        Global attributes of the product.
    n_threads : int, default 2
        Tiles predicted at the same time. The result does not depend on it.
    progress : callable, optional
        Called with the number of cells after each tile.

    Raises
    ------
    OutputExistsError
        If `out` exists, or `variable` holds the predictions of another model.
    TileFormatError
        If a predictor is missing.
    DiskFullError
        If there is no room; finished tiles stay.
    """
    if out is not None and Path(out).exists():
        raise OutputExistsError(f"product: expected a new folder, got {out}, which exists")
    store.add(variable, monthly=True, attrs={**attributes("gpp_daily"), "model": model.digest})

    def predict(tile: int) -> None:
        if not store.has(variable, tile):
            fields = {name: store.read(name, tile) for name in PREDICTORS}
            gpp = [model.predict_columns(_month(fields, month)) for month in range(MONTHS)]
            store.write(variable, tile, np.stack(gpp).astype(np.float32, copy=False))
        if progress:
            span = store.cells(tile)
            progress(span.stop - span.start)

    with ThreadPoolExecutor(max(n_threads, 1)) as pool:
        tasks = [pool.submit(predict, tile) for tile in range(store.n_tiles)]
        try:
            done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for task in done:
            task.result()
    if out is not None:
        write_product(store, Path(out), {variable: attributes("gpp_daily")}, attrs=attrs or {})


def _month(fields: Mapping[str, NDArray[np.float32]], month: int) -> list[NDArray[np.float32]]:
    return [fields[name][month] if name in MONTHLY_PREDICTORS else fields[name] for name in PREDICTORS]


def write_product(
    store: TileStore, out: Path, variables: Mapping[str, Mapping[str, str]], *, attrs: Mapping[str, Any]
) -> None:
    """Write monthly variables of a store as a gridded CF-1.8 Zarr v3 product of 12 months.

    The folder gets its name when all is written: what exists under that name is complete.

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
    """
    import zarr

    lat, lon, rows, columns = _window(store)
    building = out.with_name(out.name + ".part")
    with disk_errors(out):
        if building.exists():
            shutil.rmtree(building)
        group = zarr.open_group(building, mode="w", zarr_format=3, attributes={"Conventions": "CF-1.8", **attrs})
        _write_coordinates(group, lat, lon)
        for name, variable_attrs in variables.items():
            array = group.create_array(
                name,
                shape=(MONTHS, lat.size, lon.size),
                chunks=(MONTHS, min(CHUNK, lat.size), min(CHUNK, lon.size)),
                dtype="float32",
                fill_value=np.nan,
                dimension_names=("time", "lat", "lon"),
                attributes={**variable_attrs, "cell_methods": "area: mean time: mean"},
            )
            _write_bands(store, name, array, rows, columns)
        building.rename(out)


def _window(store: TileStore) -> tuple[NDArray[Any], NDArray[Any], slice, slice]:
    """Return the smallest window of whole tile windows that holds all cells."""
    row, column = np.divmod(store.index, store.shape[1])
    rows = slice(row.min() // WINDOW[0] * WINDOW[0], min(-(-(row.max() + 1) // WINDOW[0]) * WINDOW[0], store.shape[0]))
    columns = slice(column.min(), column.max() + 1)
    return store.lat[rows], store.lon[columns], rows, columns


def _write_coordinates(group: Any, lat: NDArray[Any], lon: NDArray[Any]) -> None:
    days = np.array([np.datetime64(f"{_CLIMATOLOGY_YEAR}-{m:02d}-15", "D") for m in range(1, MONTHS + 1)])
    since = (days - np.datetime64(f"{_CLIMATOLOGY_YEAR}-01-01", "D")).astype(np.int32)
    for name, values, attrs in (
        (
            "time",
            since,
            {"units": f"days since {_CLIMATOLOGY_YEAR}-01-01", "calendar": "standard", "axis": "T"},
        ),
        ("lat", lat, {**attributes("lat"), "axis": "Y"}),
        ("lon", lon, {**attributes("lon"), "axis": "X"}),
    ):
        group.create_array(name, data=values, dimension_names=(name,), attributes=attrs)


def _write_bands(store: TileStore, name: str, array: Any, rows: slice, columns: slice) -> None:
    """Scatter the cells band by band of chunk rows; windows are in order, so a band is one run of cells."""
    row_of = store.index // store.shape[1]
    for start in range(rows.start, rows.stop, CHUNK):
        stop = min(start + CHUNK, rows.stop)
        inside = np.flatnonzero((row_of >= start) & (row_of < stop))
        band = np.full((MONTHS, stop - start, columns.stop - columns.start), np.nan, dtype=np.float32)
        if inside.size:
            first, last = inside[0], inside[-1] + 1
            row, column = np.divmod(store.index[first:last], store.shape[1])
            band[:, row - start, column - columns.start] = _run(store, name, first, last)
        array[:, start - rows.start : stop - rows.start, :] = band


def _run(store: TileStore, name: str, first: int, last: int) -> NDArray[np.float32]:
    """Read cells first to last of a monthly variable."""
    parts = []
    for tile in range(store.n_tiles):
        span = store.cells(tile)
        low, high = max(first, span.start), min(last, span.stop)
        if low < high:
            if not store.has(name, tile):
                raise TileFormatError(f"{store.path}: expected a finished tile {tile} of {name!r}, got none")
            parts.append(store.read(name, tile)[:, low - span.start : high - span.start])
    return np.concatenate(parts, axis=1)


def write_netcdf(product: Path, out: Path) -> None:
    """Copy a Zarr product to one compressed netCDF4 file, which gets its name when it is complete.

    Raises
    ------
    OutputExistsError
        If `out` exists.
    """
    import xarray as xr

    if out.exists():
        raise OutputExistsError(f"product: expected a new file, got {out}, which exists")
    building = out.with_name(out.name + ".part")
    with xr.open_zarr(product, chunks=None, consolidated=False) as ds, disk_errors(out):
        chunks = {
            "chunksizes": (1, min(CHUNK, ds.sizes["lat"]), min(CHUNK, ds.sizes["lon"])),
            "zlib": True,
            "complevel": 1,
        }
        ds.drop_encoding().to_netcdf(building, engine="h5netcdf", encoding=dict.fromkeys(ds.data_vars, chunks))
        building.rename(out)
