"""The inputs of the demonstration as files, and its experiment.toml."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from gppcore.demo.fields import QUARTER, SHAPE, World, centres, load_world
from gppcore.demo.world import WORLD_LICENCE, open_world
from gppcore.errors import OutputExistsError, RangeError, disk_errors
from gppcore.io.durable import PART, rename_durably, write_durably
from gppcore.tiles.layout import CLIMATOLOGY_YEAR, month_coordinate
from gppcore.variables import attributes

EXPERIMENT = "experiment.toml"
OSSE_LABEL = "Observing-system simulation experiment: synthetic towers on a model planet"
REAL_LABEL = "Real towers of FLUXNET2015 on the embedded world"
TRUTH = "true_gpp_0p5deg.zarr"
_CLIMATE = ("tair", "tair_range", "vpd", "sw", "precip")
_LAI_STEP = 0.025  # leaf area index per count
_CHUNK = 600
_NOTES = {
    "real": "The towers are real: monthly GPP of FLUXNET2015. Their predictors are those of the embedded world, a mean "
    "year with modelled weather and leaf area; with weather and leaf area of their own, R2 at held-out towers is near "
    "0.72 in place of 0.61. Years held out share the weather of the years learnt from.",
    "synthetic": "The towers are synthetic, sampled from a model planet whose GPP is known. Skill measures how well "
    "that planet is recovered, not the real one.",
    "own": "The towers are those of the user, with their own weather and leaf area; the map has those of a mean year.",
}

Region = tuple[float, float, float, float]


def write_demo(
    out: Path,
    *,
    region: Region | None = None,
    towers: Path | None = None,
    synthetic: bool = False,
    netcdf: bool = False,
    n_threads: int = 1,
    seed: int = 0,
) -> None:
    """Write the inputs of the demonstration and its experiment.toml into a folder; finished files are kept.

    Parameters
    ----------
    out : Path
        New folder, or one with the same experiment.
    region : tuple of float, optional
        South, north, west and east of the window to map [degrees].
    towers : Path, optional
        Folder of towers in place of those of FLUXNET2015.
    synthetic : bool
        Whether to sample towers from a model planet instead.
    netcdf : bool
        Whether the product is also written as netCDF.
    n_threads, seed : int
        Threads; seed of the model planet.

    Raises
    ------
    OutputExistsError
        If the folder holds another experiment, or other files.
    RangeError
        If there is no land in the region.
    """
    if region is not None and not _has_land(region):
        raise RangeError(f"--region: expected a window S,N,W,E with land, got {region}, which has none")
    text = _experiment(region, towers, synthetic, netcdf)
    path = out / EXPERIMENT
    if path.exists() and path.read_text("utf-8") != text:
        raise OutputExistsError(f"--out: expected a new folder or a run with the same options, got {out}")
    if not path.exists() and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputExistsError(f"--out: expected a new or empty folder, got {out}, which holds other files")
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    write_durably(path, text.encode())
    world = out / "world"
    if world.exists():
        return
    building = out / f"world{PART}"
    with disk_errors(world):
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        loaded = load_world(n_threads, lambda part: None)
        _write_fields(loaded, building)
        if synthetic:
            from gppcore.demo.osse import write_synthetic_towers

            write_synthetic_towers(loaded, building / "towers", seed)
        else:
            for name in ("gpp_monthly.csv.gz", "sites.csv"):
                with as_file(files("gppcore.demo").joinpath("data", f"towers_{name}")) as source:
                    shutil.copyfile(source, building / f"towers_{name}")
        rename_durably(building, world)


def _has_land(region: Region) -> bool:
    south, north, west, east = region
    with open_world() as world:
        lat, lon = world["lat"].values, world["lon"].values
        rows, columns = (lat >= south) & (lat <= north), (lon >= west) & (lon <= east)
        return bool(rows.any() and columns.any() and (world["igbp"][rows, columns].values > 0).any())


def _experiment(region: Region | None, towers: Path | None, synthetic: bool, netcdf: bool) -> str:
    kind = "synthetic" if synthetic else "real" if towers is None else "own"
    given = {
        "real": 'files = ["world/towers_gpp_monthly.csv.gz"]\nsites = ["world/towers_sites.csv"]',
        "synthetic": 'folder = "world/towers"\nsynthetic = true',
        "own": f'folder = "{None if towers is None else towers.resolve()}"',
    }[kind]
    values = {
        "title": OSSE_LABEL if synthetic else REAL_LABEL if towers is None else f"Towers of {towers.name}",
        "region": "" if region is None else f"region = {list(region)}  # south, north, west, east\n",
        "towers_note": _NOTES[kind],
        "towers": given,
        "netcdf": str(netcdf).lower(),
        "compare": f'compare = ["{TRUTH}"]\n' if synthetic else "",
        "licence": WORLD_LICENCE,
    }
    text = files("gppcore.experiment").joinpath("templates", "demo.toml").read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _write_fields(world: World, folder: Path) -> None:
    """Write land cover, C4 share, leaf area and climate as netCDF."""
    import xarray as xr

    fine, coarse = _coords(1), _coords(QUARTER)
    igbp = np.full(SHAPE, 255, dtype=np.uint8)
    igbp.reshape(-1)[world.land] = world.igbp
    land = xr.Dataset({"igbp": (("lat", "lon"), igbp, attributes("igbp"))}, fine)
    land.to_netcdf(folder / "land.nc", engine="h5netcdf", encoding={"igbp": _encoding(igbp, _FillValue=np.uint8(255))})
    c4 = xr.Dataset({"c4_fraction": (("lat", "lon"), world.c4, attributes("c4_fraction"))}, _coords(20))
    c4.to_netcdf(folder / "c4.nc", engine="h5netcdf")
    time, time_attrs = month_coordinate([CLIMATOLOGY_YEAR])
    months = {"time": ("time", time, time_attrs)}
    lai = np.full((len(time), *SHAPE), 255, dtype=np.uint8)
    for field, month in zip(lai.reshape(len(time), -1), world.lai, strict=True):  # all at once would be the peak
        field[world.land] = np.rint(month / _LAI_STEP)
    packed = {"scale_factor": _LAI_STEP, "_FillValue": np.uint8(255)}
    leaves = xr.Dataset({"lai": (("time", "lat", "lon"), lai, {**attributes("lai"), **packed})}, {**months, **fine})
    leaves.to_netcdf(folder / "lai.nc", engine="h5netcdf", encoding={"lai": _encoding(lai)})
    fields = {name: (("time", "lat", "lon"), world.climate[name], attributes(name)) for name in _CLIMATE}
    rows = _encoding(world.climate["tair"], shuffle=True, chunksizes=(1, 60, 1440))
    climate = xr.Dataset(fields, {**months, **coarse})
    climate.to_netcdf(folder / "climate.nc", engine="h5netcdf", encoding=dict.fromkeys(_CLIMATE, rows))


def _encoding(values: np.ndarray[Any, Any], **more: Any) -> dict[str, Any]:
    chunks = (1, _CHUNK, _CHUNK)[-values.ndim :]
    return {"zlib": True, "complevel": 1, "shuffle": False, "chunksizes": chunks, **more}


def _coords(factor: int) -> dict[str, Any]:
    lat, lon = centres(factor)
    return {"lat": ("lat", lat, attributes("lat")), "lon": ("lon", lon, attributes("lon"))}
