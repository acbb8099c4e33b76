"""What commands print fits a terminal of 80 columns, whole, and has no colours where there is no terminal."""

import io
import re
import threading
import time

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console
from typer.testing import CliRunner

from gppcore import Experiment
from gppcore.cli.evaluate import skill_table
from gppcore.cli.main import app
from gppcore.cli.towers import _table
from gppcore.experiment.check import Finding
from gppcore.experiment.progress import Silent, Steps
from gppcore.experiment.table import result_table

METHODS = ("process", "process_calibrated", "direct", "transfer")
SKILL = {"r2": -0.123456, "rmse": 12.3456, "bias": -10.25, "n": 123456, "groups": 109}


def printed(what, *, terminal=False):
    file = io.StringIO()
    Console(file=file, width=80, force_terminal=terminal, color_system="standard" if terminal else None).print(what)
    return file.getvalue()


def fits(text):
    return max(map(len, text.splitlines())) <= 80 and "…" not in text and "\x1b" not in text


def test_results_of_an_experiment_fit():
    summary = {
        "experiment": "Observing-system simulation experiment: synthetic towers on a model planet",
        "skill_by_scheme": {scheme: dict.fromkeys(METHODS, SKILL) for scheme in ("site", "temporal", "regional")},
        "gpp_pg_c_yr": dict.fromkeys(METHODS, 157.72),
        "land_cells": 6_543_210,
        "seconds": {"total": 123456.7},
        "peak_rss_gb": 123.4,
    }
    text = printed(result_table(summary))
    assert fits(text)
    assert "process_calibrated" in text
    assert "\x1b[" in printed(result_table(summary), terminal=True)


def test_skill_of_an_evaluation_fits():
    methods = dict.fromkeys((*METHODS, "pretrain_continue"), SKILL)
    gains = {f"transfer - {name}": {"r2": [-0.111, -0.222, -0.333]} for name in methods}
    found = {"scheme": "few_towers", "predictors": "small", "sites": 109, "methods": methods, "differences": gains}
    text = printed(skill_table(found))
    assert fits(text)
    assert "-0.111 (-0.222 to -0.333)" in text


def test_sites_of_tower_files_fit():
    lacking = "tmin in 15 of 15 months; tmax in 15 of 15 months; vpd in 15 of 15 months"
    row = {
        "site_id": "AR-SLu", "layout": "fluxnet", "step": "HH", "first": "2010-01", "last": "2011-03", "months": 150,
        "core": 150, "small": 150, "mid": 0, "full": 0, "rich": 0, "lacking": lacking,
    }  # fmt: skip
    text = printed(_table(pd.DataFrame([row, {**row, "lacking": None}])))
    assert fits(text)
    assert " ".join(text.split()).startswith("site first last months core small mid full rich lacking AR-SLu 2010-01")
    assert "tmin, tmax," in text


def test_findings_of_a_check_fit(monkeypatch):
    class Checked:
        def check(self):
            return [
                Finding("results/another/long/path/to/a/product/of/gpp_0p05deg.zarr:gpp_daily", True, "no such file"),
                Finding("tair", False, "12 steps at 0.25 degrees, -90 to 90 N; -44.3 to 40.4 degC " * 3),
            ]

    monkeypatch.setattr(Experiment, "read", lambda path: Checked())
    result = CliRunner().invoke(app, ["check", "experiment.toml"], env={"COLUMNS": "80"})
    assert result.exit_code == 1
    assert fits(result.output)
    assert "FAULT" in result.output


@pytest.mark.parametrize("n", [2, 4])
def test_comparisons_fit(tmp_path, n):
    lat, lon = np.arange(85.0, -90, -10), np.arange(-175.0, 180, 10)
    time = np.arange("2019-01", "2020-01", dtype="datetime64[M]").astype("datetime64[ns]")
    values = np.random.default_rng(0).gamma(2.0, 2.0, (12, lat.size, lon.size))
    names = [str(tmp_path / f"a_product_with_a_long_name_{i}.nc") for i in range(n)]
    for name in names:
        fields = {"gpp": (("time", "lat", "lon"), values, {"units": "g C m-2 d-1"})}
        xr.Dataset(fields, {"time": time, "lat": lat, "lon": lon}).to_netcdf(name, engine="h5netcdf")
    result = CliRunner().invoke(app, ["compare", *names], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert fits(result.output)
    assert result.output.count("Common grid") == (1 if n == 2 else n - 1)


def test_bars_of_a_run_fit():
    file = io.StringIO()
    with Steps(Console(file=file, width=80, force_terminal=False)) as steps:
        for name in ("Coarse grid: forcing and leaves", "Evaluation"):
            with steps.step(name, 10, "scheme") as advance:
                advance(10)
    assert fits(file.getvalue())
    assert "Coarse grid: forcing and leaves" in file.getvalue()


def test_a_log_tells_where_a_long_step_is_although_it_does_not_advance(caplog, monkeypatch):
    monkeypatch.setattr("gppcore.experiment.progress._EVERY", 0.05)
    with caplog.at_level("INFO", logger="gppcore"), Silent() as steps, steps.step("Training", 4, "step") as advance:
        time.sleep(0.2)
        advance(1)
        time.sleep(0.2)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "Training: begun"
    assert any(re.fullmatch(r"Training: 0 %, 0 s so far, no rate yet", line) for line in lines)
    assert any(re.fullmatch(r"Training: 25 %, 0 s so far, .*step.*, \d s left", line) for line in lines)
    assert lines[-1].startswith("Training: done in 0.")
    assert not [thread for thread in threading.enumerate() if "tell" in thread.name]


def test_bars_move_while_a_step_does_not_advance():
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True)
    with Steps(console) as steps, steps.step("Training", 4, "step"):
        time.sleep(1.3)
    frames = [line for line in file.getvalue().replace("\r", "\n").split("\n") if "Training" in line]
    assert len({re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frame) for frame in frames}) >= 8  # ten a second are drawn
