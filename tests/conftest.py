"""Fixtures shared by all tests."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import settings

from gppcore.constants import PFT_NAMES
from gppcore.features import igbp_codes, pft_fractions
from gppcore.towers import Towers

ROOT = Path(__file__).resolve().parents[1]

# A shell starts background jobs with interrupts ignored, and the processes that tests interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A commit passes or fails for what it changed: the same examples in every run.
settings.register_profile("repeatable", derandomize=True, max_examples=60, deadline=None)
settings.register_profile("thorough", derandomize=True, max_examples=400, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("repeatable")


def pytest_configure(config):
    """Give each of several workers one OpenMP thread: more threads than cores wait for each other.

    Where a test asks for two, those that wait leave the core to the others, as `gppcore` has them do.
    """
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference data that is not part of the repository."""
    folder = Path(os.environ.get("GPPCORE_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder}; set GPPCORE_SHARED")
    return folder


@pytest.fixture(scope="session")
def run_on_isa():
    """Run a piece of Python in a new process with one instruction set forced; returns what it prints."""

    def run(isa: str, code: str) -> str:
        environment = {**os.environ, "GPPCORE_ISA": isa}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def make_towers():
    """Make towers of given classes, each a cluster of its own, in mid latitudes; GPP of every month is 5."""

    def make(igbp=("ENF", "EBF", "DBF", "SAV", "CRO", "WET", "BSV"), months=24, seed=0) -> Towers:
        rng = np.random.default_rng(seed)
        n = len(igbp)
        time = pd.date_range("2005-01-15", periods=months, freq="MS")
        season = -np.cos(2 * np.pi * (np.arange(months) - 0.5) / 12)[:, None]
        dims = ("time", "cell")

        def field(mean, amplitude, spread):
            return dims, mean + amplitude * season + rng.uniform(-spread, spread, (months, n))

        names = [f"T{i:02d}" for i in range(n)]
        sites = pd.DataFrame(
            {"lat": np.linspace(35, 55, n), "lon": 10.0, "igbp": igbp, "region": "C", "cluster": np.arange(n)},
            index=pd.Index(names, name="site_id"),
        )
        forcing = xr.Dataset(
            {
                "tair": field(13.0, 10.0, 3.0),
                "tair_range": field(10.0, 2.0, 2.0),
                "sw": field(165.0, 90.0, 25.0),
                "vpd": field(800.0, 400.0, 200.0),
                "ca": (dims, np.full((months, n), 385.0)),
                "soil_water": field(0.6, -0.2, 0.15),
                "lai": field(2.5, 1.5, 0.8),
                "lat": ("cell", sites["lat"].to_numpy()),
                "c4_fraction": ("cell", np.linspace(0.0, 0.6, n)),
                "pft_fraction": (("pft", "cell"), pft_fractions(igbp_codes(igbp)).astype(float)),
            },
            coords={"time": time.to_numpy(), "pft": list(PFT_NAMES)},
        )
        gpp = pd.DataFrame(
            {
                "site_id": np.repeat(names, months),
                "year": np.tile(time.year, n),
                "month": np.tile(time.month, n),
                "gpp_daily": 5.0,
            }
        )
        return Towers("made up", True, sites, gpp, forcing)

    return make


@pytest.fixture(scope="session")
def part():
    """Write the part of a tower folder that holds some sites."""

    def write(towers, sites, folder):
        folder.mkdir()
        for name in ("gpp_monthly.csv.gz", "sites.csv", "cell_forcing_monthly.csv.gz"):
            table = pd.read_csv(towers / name)
            table[table["site_id"].isin(sites)].to_csv(folder / name, index=False)
        return folder

    return write
