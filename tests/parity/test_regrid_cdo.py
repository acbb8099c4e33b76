"""Regridding gives what the Climate Data Operators give."""

import shutil
import subprocess

import numpy as np
import pytest
import xarray as xr

from gppcore.regrid import LatLonGrid, RegridPlan

pytestmark = pytest.mark.skipif(shutil.which("cdo") is None, reason="cdo is not on PATH")


def axis(rng, low, high, n):
    """Draw edges of n cells between low and high, none narrower than a quarter of the mean."""
    width = rng.uniform(0.5, 2.0, n)
    edges = low + (high - low) * np.concatenate([[0.0], np.cumsum(width)]) / width.sum()
    edges[-1] = high
    return edges


def grids(rng):
    """Draw a source and a target: the globe or a window, in any direction, of even or uneven cells."""
    west = rng.choice([-180.0, 0.0, 20.0])
    even = rng.random() < 0.5
    n_lat, n_lon = rng.integers(8, 40, 2)
    if even:
        lat, lon = np.linspace(-90, 90, n_lat + 1), np.linspace(west, west + 360, n_lon + 1)
    else:
        lat, lon = axis(rng, -90, 90, n_lat), axis(rng, west, west + 360, n_lon)
    source = LatLonGrid(lat[:: rng.choice([-1, 1])], lon)
    n_lat, n_lon = rng.integers(4, 40, 2)
    if rng.random() < 0.5:
        target = LatLonGrid(np.linspace(90, -90, n_lat + 1), np.linspace(-180, 180, n_lon + 1))
    else:
        target = LatLonGrid(axis(rng, -60, 70, n_lat)[:: rng.choice([-1, 1])], axis(rng, 15, 200, n_lon))
    return source, target


def dataset(grid, field=None):
    coords = {}
    for name, centres, edges, unit in (
        ("lat", grid.lat, grid.lat_edges, "degrees_north"),
        ("lon", grid.lon, grid.lon_edges, "degrees_east"),
    ):
        coords[name] = (name, centres, {"units": unit, "standard_name": name + "itude", "bounds": f"{name}_bnds"})
        coords[f"{name}_bnds"] = ((name, "bnds"), np.stack([edges[:-1], edges[1:]], axis=1))
    values = np.zeros(grid.shape) if field is None else field
    return xr.Dataset({"field": (("lat", "lon"), values)}, coords)


def cdo_remapcon(folder, field, source, target):
    dataset(source, field).to_netcdf(folder / "source.nc", engine="h5netcdf", encoding={"field": {"_FillValue": -1e30}})
    dataset(target).to_netcdf(folder / "target.nc", engine="h5netcdf")
    command = ["cdo", "-s", "-b", "F64", f"remapcon,{folder / 'target.nc'}", folder / "source.nc", folder / "out.nc"]
    subprocess.run(command, check=True, capture_output=True)
    with xr.open_dataset(folder / "out.nc", engine="h5netcdf") as out:
        return out["field"].values


@pytest.mark.parametrize("seed", range(12))
def test_conservative_is_remapcon(seed, tmp_path):
    rng = np.random.default_rng(seed)
    source, target = grids(rng)
    field = rng.normal(20.0, 5.0, source.shape)
    field[rng.random(source.shape) < rng.choice([0.0, 0.3, 0.8])] = np.nan
    expected = cdo_remapcon(tmp_path, field, source, target)
    mean, share = RegridPlan(source, target).apply(field, fraction=True)
    # CDO drops overlaps that it holds for rounding errors.
    real = share > 1e-9
    np.testing.assert_array_equal(np.isnan(mean), share == 0.0)
    np.testing.assert_allclose(mean[real], expected[real], rtol=1e-6)
    assert np.isnan(expected[share == 0.0]).all()
    single = RegridPlan(source, target).apply(field.astype(np.float32))
    np.testing.assert_allclose(single[real], expected[real], rtol=1e-6)
