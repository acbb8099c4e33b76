"""The process model on the command line: the results of Python, in files."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore import simulate


def run(*arguments):
    command = [sys.executable, "-c", "from gppcore.cli.main import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def forcing(tmp_path):
    """Write a year of monthly forcing at one place."""
    time = pd.date_range("2001-01-01", periods=12, freq="MS")
    season = -np.cos(2 * np.pi * np.arange(12) / 12)
    monthly = {
        "tair": (10 + 8 * season, "degC"),
        "tair_range": (np.full(12, 9.0), "degC"),
        "vpd": (700 + 400 * season, "Pa"),
        "sw": (150 + 100 * season, "W m-2"),
        "precip": (np.full(12, 2.0), "mm d-1"),
        "lai": (2.5 + 2 * season, "m2 m-2"),
        "ca": (np.full(12, 371.0), "umol mol-1"),
    }
    fields = {name: ("time", values, {"units": unit}) for name, (values, unit) in monthly.items()}
    ds = xr.Dataset({**fields, "lat": 50.0, "pft": "dbf"}, {"time": time})
    ds.to_netcdf(tmp_path / "forcing.nc", engine="h5netcdf")
    return tmp_path / "forcing.nc"


def test_simulate_writes_what_python_returns(forcing, tmp_path):
    done = run("simulate", forcing, "--out", tmp_path / "gpp.nc")
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(forcing) as ds, xr.open_dataset(tmp_path / "gpp.nc") as found:
        np.testing.assert_array_equal(found["gpp_daily"], simulate(ds.load())["gpp_daily"])
    again = run("simulate", forcing, "--out", tmp_path / "gpp.nc")
    assert again.returncode == 1
    assert "OutputExistsError: --out" in again.stderr


def test_calibrated_parameters_reach_simulate(forcing, tmp_path, shared):
    done = run("calibrate", "--towers", shared / "towers", "--out", tmp_path / "calibration.json", "--parameters", "g1")
    assert done.returncode == 0, done.stderr
    done = run("simulate", forcing, "--out", tmp_path / "new.nc", "--calibration", tmp_path / "calibration.json")
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(forcing) as ds, xr.open_dataset(tmp_path / "new.nc") as found:
        assert not np.array_equal(found["gpp_daily"], simulate(ds.load())["gpp_daily"])
