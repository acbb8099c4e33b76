"""A small world in the structure of its producers, and the experiment that reads it."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

YEARS = (2001, 2002)
EXPERIMENT = """
title = "A small world"
years = [2001, 2002]

[cells]
path = "cover.nc"
variable = "class"
exclude = [0]

[variables.igbp]
path = "cover.nc"
variable = "class"
static = true

[variables.tmin]
path = "era5.nc"
variable = "mn2t"
method = "bilinear"

[variables.tmax]
path = "era5.nc"
variable = "mx2t"
method = "bilinear"

[variables.dewpoint]
path = "era5.nc"
variable = "d2m"
method = "bilinear"

[variables.sw]
path = "era5.nc"
variable = "ssrd"
units = "J m-2 d-1"
method = "bilinear"

[variables.precip]
path = "era5.nc"
variable = "tp"
units = "m d-1"
method = "bilinear"

[variables.ca]
path = "co2.csv"
variable = "average"

[variables.lai]
path = "lai.nc"
variable = "LAI"

[variables.c4_fraction]
value = 0.1
static = true

[process]
resolution = 0.5

[towers]
files = ["gpp/*.csv"]
sites = ["sites.csv"]

[learning]
predictors = "small"
cells = 60
rows = 600
calibrate = false
members = ["trees"]

[evaluation]
schemes = ["site"]
methods = ["process", "direct", "transfer"]
"""


def write_world(folder, seed=0):
    """Write forcing at 0.25, land cover and leaves at 0.1 degrees, and a table of GPP for each of six towers."""
    rng = np.random.default_rng(seed)
    time = pd.date_range("2001-01-01", "2002-12-01", freq="MS")
    season = -np.cos(2 * np.pi * (time.month.to_numpy() - 0.7) / 12)[:, None, None]
    lat, lon = np.arange(49.0, 44.9, -0.25), np.arange(5.0, 9.1, 0.25)
    tair = 9 + 9 * season - 0.6 * (lat[:, None] - 47) + rng.normal(0, 0.5, (time.size, lat.size, lon.size))
    flat = np.ones_like(tair)
    fields = {
        "mn2t": (tair - 4 + 273.15, "K"),
        "mx2t": (tair + 5 + 273.15, "K"),
        "d2m": (tair - 5 + 273.15, "K"),
        "ssrd": ((160 + 110 * season) * 86400 * flat, "J m**-2"),
        "tp": (0.0025 * rng.uniform(0.5, 1.5, tair.shape), "m"),
    }
    dims = ("valid_time", "latitude", "longitude")
    axes = {"latitude": ("latitude", lat, {"units": "degrees_north"})}
    axes["longitude"] = ("longitude", lon, {"units": "degrees_east"})
    variables = {name: (dims, values.astype("f4"), {"units": unit}) for name, (values, unit) in fields.items()}
    xr.Dataset(variables, {"valid_time": time, **axes}).to_netcdf(folder / "era5.nc", engine="h5netcdf")
    y, x = np.arange(47.95, 46.0, -0.1), np.arange(6.05, 8.0, 0.1)
    axes = {"lat": ("lat", y, {"units": "degrees_north"}), "lon": ("lon", x, {"units": "degrees_east"})}
    cover = rng.choice([0, 1, 4, 10, 12], p=[0.1, 0.2, 0.3, 0.2, 0.2], size=(y.size, x.size)).astype("u1")
    xr.Dataset({"class": (("lat", "lon"), cover)}, axes).to_netcdf(folder / "cover.nc", engine="h5netcdf")
    lai = (cover > 0) * np.clip(2.5 + 1.8 * season, 0.3, None) * rng.uniform(0.8, 1.2, cover.shape)
    leaves = {"LAI": (("time", "lat", "lon"), lai.astype("f4"), {"units": "m^2/m^2"})}
    xr.Dataset(leaves, {"time": time, **axes}).to_netcdf(folder / "lai.nc", engine="h5netcdf")
    pd.DataFrame({"year": time.year, "month": time.month, "average": 371 + 0.15 * np.arange(time.size)}).to_csv(
        folder / "co2.csv", index=False
    )
    _write_towers(folder, cover, y, x, season.ravel(), rng)


def _write_towers(folder, cover, y, x, season, rng):
    land = np.argwhere(cover > 0)
    picks = land[np.linspace(0, len(land) - 1, 6).astype(int)]
    acronym = {1: "ENF", 4: "DBF", 10: "GRA", 12: "CRO"}
    (folder / "gpp").mkdir()
    rows = []
    for number, (i, j) in enumerate(picks):
        site = f"XX-{number:03d}"
        rows.append((site, y[i] + 0.01, x[j] - 0.01, acronym[cover[i, j]], 300.0))
        gpp = np.clip((4.5 + 4 * season) * rng.uniform(0.7, 1.3) + rng.normal(0, 0.3, season.size), 0.05, None)
        months = pd.DataFrame({"site_id": site, "year": np.repeat(YEARS, 12), "month": np.tile(range(1, 13), 2)})
        months.assign(gpp_daily=gpp.round(4)).to_csv(folder / "gpp" / f"{site}.csv", index=False)
    pd.DataFrame(rows, columns=["site_id", "lat", "lon", "igbp", "elev_m"]).to_csv(folder / "sites.csv", index=False)


@pytest.fixture
def world(tmp_path):
    """Return the folder of a world with its experiment.toml."""
    write_world(tmp_path)
    (tmp_path / "experiment.toml").write_text(EXPERIMENT)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Return the folder of a world whose experiment was run."""
    from gppcore import Experiment

    folder = tmp_path_factory.mktemp("experiment")
    write_world(folder)
    (folder / "experiment.toml").write_text(EXPERIMENT)
    Experiment.read(folder / "experiment.toml").run(n_threads=1)
    return folder
