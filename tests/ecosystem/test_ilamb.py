"""ILAMB scores our product against another, without a network: it must read grid, months, units and land rightly."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

ILAMB = shutil.which("ilamb-run", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(ILAMB is None, reason="needs ILAMB (extra: ecosystem)")

STUDY = """\
[h1: Carbon]
[h2: Gross Primary Productivity]
variable = "truth"
alternate_vars = "model"
[reference]
source = "truth.nc"
plot_unit = "g m-2 d-1"
"""


@pytest.fixture(scope="module")
def scores(products, tmp_path_factory):
    """Run ILAMB with our product as a model; return its numbers over the globe by name."""
    folder = tmp_path_factory.mktemp("ilamb")
    (folder / "MODELS" / "gppcore").mkdir(parents=True)
    shutil.copy(products["model"], folder / "MODELS" / "gppcore" / "model.nc")
    shutil.copy(products["truth"], folder / "truth.nc")
    (folder / "study.cfg").write_text(STUDY)
    places = {"XDG_DATA_HOME": str(folder / "data"), "ILAMB_ROOT": str(folder), "MPLCONFIGDIR": str(folder / "plot")}
    environment = {**os.environ, **places, "MPLBACKEND": "Agg"}
    environment.pop("PYTHONWARNINGS", None)

    def run(*command):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, Path(__file__).with_name("natural_earth.py"))
    told = run(sys.executable, ILAMB, "--config", "study.cfg", "--model_root", "MODELS", "--build_dir", "build")
    assert "Completed" in told
    assert "Error" not in told, told
    table = pd.read_csv(folder / "build" / "scalar_database.csv")
    return table[table["Region"] == "global"].set_index("ScalarName")["Data"].astype(float)


def mean_over_land(product, name):
    """Return the mean over land and time, by area and by days."""
    with xr.open_dataset(product, engine="h5netcdf") as ds:
        area = np.sin(np.radians(ds["lat"] + 1)) - np.sin(np.radians(ds["lat"] - 1))
        return float(ds[name].weighted(area * ds["time"].dt.days_in_month).mean())


def test_means_are_those_of_the_files(scores, products):
    assert scores["Period Mean (original grids)"] == pytest.approx(mean_over_land(products["model"], "model"), rel=2e-3)
    assert scores["Benchmark Period Mean (intersection)"] == pytest.approx(
        mean_over_land(products["truth"], "truth"), rel=2e-3
    )


def test_bias_is_the_one_built_in(scores, products):
    assert scores["Bias"] == pytest.approx(-0.2 * mean_over_land(products["truth"], "truth"), rel=2e-3)


def test_season_is_in_phase(scores):
    assert scores["Phase Shift"] == pytest.approx(0.0, abs=1e-6)
    assert scores["Seasonal Cycle Score"] == pytest.approx(1.0, abs=1e-6)


def test_all_scores_are_given(scores):
    for name in ("Bias Score", "RMSE Score", "Seasonal Cycle Score", "Spatial Distribution Score", "Overall Score"):
        assert 0.0 < scores[name] <= 1.0, name
