"""Gridded files open in several threads at once."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from gppcore.io.cf import open_cf

AT_ONCE = """
import sys, threading
from pathlib import Path
from gppcore.io.cf import open_cf

def read():
    for _ in range(20):
        for path in sorted(Path(sys.argv[1]).glob("*.nc")):
            with open_cf(path, "product") as ds:
                ds.gpp.values

threads = [threading.Thread(target=read) for _ in range(4)]
[each.start() for each in threads]
[each.join() for each in threads]
"""


def fluxes():
    return xr.Dataset({"gpp": (("time", "y", "x"), np.random.default_rng(1).random((12, 18, 36), "f4"))})


def test_files_open_in_threads_at_once(tmp_path):
    pytest.importorskip("netCDF4")  # which xarray would take, and which crashes the program
    for number in range(6):
        fluxes().to_netcdf(tmp_path / f"{number}.nc", engine="h5netcdf")
    done = subprocess.run([sys.executable, "-c", AT_ONCE, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])


@pytest.mark.parametrize(
    ("form", "engine"),
    [
        ("NETCDF3_CLASSIC", "scipy"),
        ("NETCDF3_64BIT", "scipy"),
        ("NETCDF3_64BIT_DATA", "netcdf4"),
        ("NETCDF4_CLASSIC", "netcdf4"),
        ("NETCDF4", "h5netcdf"),
    ],
)
def test_all_forms_of_netcdf_are_read(tmp_path, form, engine):
    if engine == "netcdf4":
        pytest.importorskip("netCDF4")
    expected = fluxes()
    expected.to_netcdf(tmp_path / "gpp.nc", format=form, engine=engine)
    with open_cf(tmp_path / "gpp.nc", "product") as ds:
        xr.testing.assert_identical(ds.load(), expected)
