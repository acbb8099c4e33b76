"""Gridded CF files of other producers: lazy opening and coordinates."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import GppcoreError, MissingFileError, ProductFormatError, ShapeError
from gppcore.io.gdal import with_attributes
from gppcore.io.reading import check_file
from gppcore.io.sources import Source, access, is_address, kind, there

if TYPE_CHECKING:
    import xarray as xr


def open_cf(source: Source, what: str) -> xr.Dataset:
    """Open a CF file, a Zarr store or a kerchunk reference set; values are read when they are needed.

    The caller closes it.

    Parameters
    ----------
    source : Path or str
        A file that xarray reads, the folder of a Zarr store, or references to parts of such files; or an address of one
        of these, such as ``s3://bucket/store.zarr``.
    what : str
        What the file is for, for messages.

    Raises
    ------
    MissingFileError
        If there is nothing under the path or address.
    MissingPackageError
        If the package for this kind of address is not installed.
    FileAccessError
        If an address cannot be reached.
    ProductFormatError
        If it cannot be read.
    """
    import xarray as xr

    if not there(source):
        raise MissingFileError(f"{what}: expected a netCDF file or Zarr store, got no such file {source}")
    sort = kind(source)
    if isinstance(source, Path) and sort != "zarr" and not source.is_dir():
        check_file(source, ProductFormatError)
    try:
        stored, close = _opened(source, sort)
        ds = xr.decode_cf(with_attributes(_with_days(stored)), decode_timedelta=False)
        ds.set_close(close)
        return ds
    except GppcoreError:
        raise
    except (ValueError, OSError, KeyError, OverflowError, TypeError, RuntimeError) as error:
        raise ProductFormatError(
            f"{source}: expected a readable CF netCDF file or Zarr store, got: {_format_of(source) or error}"
        ) from error


def _opened(source: Source, sort: str) -> tuple[xr.Dataset, Callable[[], None]]:
    """Return what is stored, and the function that closes all of it."""
    import xarray as xr

    options: dict[str, Any] = {"chunks": None, "decode_times": False, "mask_and_scale": False}
    # Zarr 3 does not specify consolidated metadata, and stores gain little from it.
    as_zarr: dict[str, Any] = {"engine": "zarr", "consolidated": False, **options}
    if sort == "file" and is_address(source):
        with access(str(source)) as (files, path):
            file = files.open(path, "rb")
        ds = xr.open_dataset(file, **options)

        def close() -> None:
            ds.close()
            file.close()

        return ds, close
    if sort == "reference":
        with access(str(source)):  # an error if the packages are missing
            pass
        ds = xr.open_dataset("reference://", storage_options={"fo": str(source)}, **as_zarr)
    else:
        ds = xr.open_dataset(source, **(as_zarr if sort == "zarr" else {**options, **reader(source)}))
    return ds, ds.close


def reader(source: Source) -> dict[str, Any]:
    """Return the options of xarray that read a netCDF file by libraries that lock themselves.

    Where netCDF4 is installed, xarray takes it unasked, and two threads that open files at once end the program: its C
    library does not lock, and xarray locks only the reading of values.
    """
    with Path(source).open("rb") as file:
        begin = file.read(8)
    if begin == b"\x89HDF\r\n\x1a\n":
        return {"engine": "h5netcdf", "phony_dims": "access"}
    return {"engine": "scipy"} if begin[:4] in (b"CDF\x01", b"CDF\x02") else {}


_FORMATS = (
    (
        b"GRIB",
        "GRIB: install its reader by pip install 'gppcore[grib]', or convert it, as `cdo -f nc copy IN OUT.nc` does",
    ),
    (
        b"\x0e\x03\x13\x01",
        "HDF4: convert it, as `gdal_translate -of netCDF 'HDF4_EOS:EOS_GRID:\"IN\":GRID:FIELD' OUT.nc` does",
    ),
    (
        (b"II*\0", b"MM\0*"),
        "GeoTIFF: install its reader by pip install 'gppcore[geotiff]', or convert it by `gdal_translate -of netCDF`",
    ),
)
"""First bytes of files of other formats, and what makes them readable."""


def _format_of(source: Source) -> str | None:
    if kind(source) != "file":
        return None
    if isinstance(source, Path):
        with source.open("rb") as file:
            begin = file.read(4)
    else:
        with access(source) as (files, path):
            begin = files.cat_file(path, 0, 4)
    return next((told for mark, told in _FORMATS if begin.startswith(mark)), None)


def _with_days(ds: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose times in months since a date have become days since it, which xarray decodes."""
    for name, variable in ds.variables.items():
        match = re.match(r"months? since (\d+)-(\d+)(?:-(\d+))?", str(variable.attrs.get("units", "")).strip())
        if match is None:
            continue
        year, month, day = (int(part or 1) for part in match.groups())
        first = np.datetime64(f"{year:04d}-{month:02d}", "M")
        whole = np.floor(variable.values)
        months = first + whole.astype("m8[M]")
        begin = months.astype("M8[D]")
        length = ((months + np.timedelta64(1, "M")).astype("M8[D]") - begin).astype(float)
        since = (begin - first.astype("M8[D]")).astype(float) + (variable.values - whole) * length + (day - 1)
        attrs = {**variable.attrs, "units": f"days since {year:04d}-{month:02d}-01", "calendar": "standard"}
        ds = ds.assign({name: (variable.dims, since, attrs)})
    return ds


VERSIONS = "expver"
"""Dimension of ERA5 files that hold both final and preliminary months, each missing where the other is."""


def variable_of(ds: xr.Dataset, name: str, label: str, *, versions: bool = False) -> xr.DataArray:
    """Return a variable of a file with at most one dimension besides latitude and longitude.

    With `versions`, the dimension `VERSIONS` may come last beside it.

    Raises
    ------
    ShapeError
        If there is no such variable, or it has more dimensions of a size above 1.
    """
    if name not in ds.data_vars:
        raise ShapeError(f"{label}: expected a variable {name!r}, got {sorted(map(str, ds.data_vars))}")
    data = ds[name]
    space = axes(ds)
    if missing := [dim for dim in space if dim not in data.dims]:
        raise ShapeError(f"{label}: {name}: expected dimensions of latitude and longitude, got no {missing}")
    data = data.squeeze([dim for dim in data.dims if dim not in space and data.sizes[dim] == 1])
    if versions and VERSIONS in data.dims:
        data = data.transpose(..., VERSIONS)
    if data.ndim > 3 + (versions and VERSIONS in data.dims):
        raise ShapeError(
            f"{label}: {name}: expected latitude, longitude and at most one more dimension, got {dict(data.sizes)}; "
            "select one of the others first"
        )
    return data


def masked(values: NDArray[Any], data: xr.DataArray) -> NDArray[Any]:
    """Return values of a variable with NaN outside its CF valid range (`valid_range`, `valid_min`, `valid_max`).

    The range of packed data is that of the packed numbers (CF 2.5.1).
    """
    low, high = _valid_limits(data)
    if low is None and high is None:
        return values
    outside = np.zeros(values.shape, dtype=bool)
    if low is not None:
        outside |= values < low
    if high is not None:
        outside |= values > high
    numbers = values if values.dtype.kind == "f" else values.astype(np.float64)
    return np.where(outside, np.nan, numbers)


def _valid_limits(data: xr.DataArray) -> tuple[float | None, float | None]:
    pair = np.atleast_1d(data.attrs.get("valid_range", (None, None)))
    low = data.attrs.get("valid_min", pair[0])
    high = data.attrs.get("valid_max", pair[-1])
    stored = np.dtype(data.encoding.get("dtype", data.dtype))
    packed = stored.kind in "iu"
    if str(data.encoding.get("_Unsigned", data.attrs.get("_Unsigned", "false"))).lower() == "true":
        # Attributes of unsigned bytes may be written with a sign, as the bytes are: -36 is 220.
        low, high = (x if x is None or x >= 0 else x + 256.0**stored.itemsize for x in (low, high))
    scale, offset = (float(data.encoding.get(key, x)) for key, x in (("scale_factor", 1.0), ("add_offset", 0.0)))
    step = abs(scale) / 2.0 if packed else 0.0  # half a packed number: rounding must not mask the ends

    def unpacked(limit: Any, margin: float) -> float | None:
        if limit is None:
            return None
        return float(limit) * scale + offset + margin if packed else float(limit)

    ends = unpacked(low, -step), unpacked(high, step)
    return ends if scale >= 0.0 else (unpacked(high, -step), unpacked(low, step))


_USUAL_NAMES = {
    "latitude": ("lat", "latitude", "y", "nav_lat"),
    "longitude": ("lon", "longitude", "x", "nav_lon"),
}
_UNITS = {  # all spellings of CF 4.1 and 4.2
    "latitude": {f"degree{plural}{end}" for plural in ("s", "") for end in ("_north", "_N", "N")},
    "longitude": {f"degree{plural}{end}" for plural in ("s", "") for end in ("_east", "_E", "E")},
}
_PLAIN_UNITS = (None, "", "degrees", "degree", "deg")


def coordinates(data: xr.DataArray | xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the one-dimensional coordinates of latitude and longitude.

    They are found by CF standard name, else by CF unit, else by a usual name: lat, latitude, y, nav_lat, and so for
    longitude, unless its unit is that of another quantity.

    Raises
    ------
    ShapeError
        If there is not one of each, or they are not one-dimensional on dimensions of their own.
    """
    lat, lon = _coordinate(data, "latitude"), _coordinate(data, "longitude")
    if lat.dims == lon.dims:
        raise ShapeError(
            f"latitude, longitude: expected two dimensions, got the one dimension {lat.dims[0]!r} for both, a list of "
            "places; bring it to a grid first"
        )
    return lat, lon


def axes(data: xr.DataArray | xr.Dataset) -> tuple[Hashable, Hashable]:
    """Return the names of the dimensions of latitude and longitude; errors are those of :func:`coordinates`."""
    lat, lon = coordinates(data)
    return lat.dims[0], lon.dims[0]


def bounds(data: xr.DataArray | xr.Dataset, coordinate: xr.DataArray) -> NDArray[np.generic] | None:
    """Return the CF bounds of a coordinate, shape (n, 2); None if the data have none."""
    name = coordinate.attrs.get("bounds", coordinate.encoding.get("bounds"))
    if name is None or (name not in data.coords and name not in getattr(data, "data_vars", ())):
        return None
    pairs: NDArray[np.generic] = data[name].values
    if pairs.shape != (coordinate.size, 2):
        raise ShapeError(f"{name}: expected shape ({coordinate.size}, 2), got {pairs.shape}")
    return pairs


def _coordinate(data: xr.DataArray | xr.Dataset, standard_name: str) -> xr.DataArray:
    for matches in _matches(data, standard_name):
        flat = [name for name in matches if data[name].ndim == 1]
        if len(flat) == 1:
            return data[flat[0]]
        if len(flat) > 1:
            raise ShapeError(f"{standard_name}: expected one coordinate, got {flat}; drop or rename the others")
        if matches:
            raise ShapeError(
                f"{standard_name}: expected one dimension, got {data[matches[0]].dims} for {matches[0]!r}; regrid the "
                "file to a latitude-longitude grid first, for instance with `cdo remapcon`"
            )
    raise ShapeError(
        f"{standard_name}: expected one dimension with that coordinate, by CF attributes or named "
        f"{', '.join(_USUAL_NAMES[standard_name])}, got dimensions {tuple(data.dims)}"
    )


def _matches(data: xr.DataArray | xr.Dataset, standard_name: str) -> Iterator[list[Hashable]]:
    """Yield the variables that may be the coordinate, the most certain ones first."""
    names: list[Hashable] = [*data.coords, *getattr(data, "data_vars", ())]
    names = [name for name in names if 0 < data[name].ndim <= 2]
    yield [name for name in names if data[name].attrs.get("standard_name") == standard_name]
    yield [name for name in names if data[name].attrs.get("units") in _UNITS[standard_name]]
    yield [
        name
        for name in names
        if str(name).lower() in _USUAL_NAMES[standard_name] and data[name].attrs.get("units") in _PLAIN_UNITS
    ]
