"""The demonstration end to end: one run of a small window for all tests, and a second one in the same folder."""

import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from gppcore.demo.inputs import OSSE_LABEL, REAL_LABEL

pytestmark = pytest.mark.slow  # minutes, most of them for training models at held-out towers

METHODS = ("process", "direct", "transfer")


def demo(out, *arguments):
    command = [sys.executable, "-c", "from gppcore.cli.main import main; main()", "demo", "--threads", "2"]
    options = ["--region", "46,54,4,16", "--netcdf", "--out", out.name, *arguments]
    return subprocess.run([*command, *options], cwd=out.parent, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def out(tmp_path_factory):
    """Folder of a finished run."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    done = demo(folder)
    assert done.returncode == 0, done.stderr
    # Libraries may say something of their own (matplotlib, that it builds its font cache); gppcore and Python not.
    assert "gppcore" not in done.stderr
    assert "Warning" not in done.stderr
    assert REAL_LABEL in done.stdout
    return folder


@pytest.fixture(scope="session")
def summary(out):
    return json.loads((out / "summary.json").read_text())


@pytest.fixture(scope="session")
def product(out):
    with xr.open_zarr(out / "gpp_0p05deg.zarr", chunks=None, consolidated=False) as ds:
        yield ds.load()


def test_run_leaves_its_results_and_nothing_half_done(out):
    names = {p.name for p in out.iterdir()}
    assert names >= {"report.html", "summary.json", "gpp_0p05deg.zarr", "process_gpp_0p5deg.zarr", "models", "tiles"}
    figures = [p for p in out.glob("*.png") if p.read_bytes().startswith(b"\x89PNG")]
    assert len(figures) >= 5
    assert [p for p in out.rglob("*") if p.name.endswith(".part")] == []


def test_netcdf_and_zarr_compare(out):
    code = "from gppcore.cli.main import main; main()"
    files = [str(out / "gpp_0p05deg.nc"), str(out / "process_gpp_0p5deg.zarr")]
    command = [sys.executable, "-c", code, "compare", *files, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (numbers,) = json.loads(done.stdout)
    assert len(numbers["months"]) == 12


def test_summary_has_its_numbers(summary):
    assert summary["region"] == [46, 54, 4, 16]
    assert summary["land_cells"] > 30_000
    assert summary["seconds"]["total"] > 0
    assert 0.1 < summary["peak_rss_gb"] < 8
    assert summary["global_gpp_pg_c_yr"] == summary["gpp_pg_c_yr"]["transfer"]
    for method in METHODS:
        assert set(summary["skill"][method]) == {"r2", "rmse", "bias"}
        assert all(np.isfinite(list(summary["skill"][method].values())))
        # Central Europe, 0.8 million km2 of land: 1 to 2 kg C m-2 yr-1.
        assert 0.8 < summary["gpp_pg_c_yr"][method] < 2.0
    assert set(summary["skill_by_scheme"]) == {"site", "temporal", "regional"}


def test_transfer_beats_the_process_model_at_unseen_towers(summary):
    skill = summary["skill"]
    assert skill["transfer"]["rmse"] < skill["process"]["rmse"]
    assert skill["transfer"]["rmse"] < 1.05 * skill["direct"]["rmse"], "and is hardly worse than towers alone"


def test_towers_are_real_and_called_so(out, summary, product):
    assert summary["synthetic"] is False
    assert summary["experiment"] == product.attrs["title"] == REAL_LABEL
    assert REAL_LABEL in (out / "report.html").read_text()
    assert "MCD12C1" in product.attrs["license"]
    assert "109 sites" in (out / "report.html").read_text()


def test_inputs_are_an_experiment_that_users_can_change(out):
    from gppcore import Experiment

    findings = Experiment.read(out / "experiment.toml", out).check()
    assert not [f for f in findings if f.fault], findings


def test_synthetic_towers_are_called_so_and_the_truth_is_shown(tmp_path):
    folder = tmp_path / "synthetic"
    done = demo(folder, "--synthetic")
    assert done.returncode == 0, done.stderr
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["synthetic"] is True
    assert summary["experiment"] == OSSE_LABEL
    assert OSSE_LABEL in (folder / "report.html").read_text()
    (truth,) = summary["compared"].values()
    assert 0.5 < truth["regions"]["whole"]["r2"] <= 1.0


def test_product_has_the_cells_and_the_total_of_the_summary(out, summary, product):
    gpp = product["gpp_daily"]
    assert int(np.isfinite(gpp[6]).sum()) == summary["land_cells"]
    row = np.cos(np.radians(gpp["lat"])) * (np.radians(0.05) * 6_371_007.2) ** 2
    days = xr.DataArray([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dims="time")
    total = float((gpp * days * row).sum()) / 1e15
    assert total == pytest.approx(summary["global_gpp_pg_c_yr"], rel=1e-5)
    assert float(gpp[6].mean()) > 3 * float(gpp[0].mean())


def state(folder):
    """Return age and size of all files, but for the lock, which tells of the last writer."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix != ".lock")
    return {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in files}


def test_run_with_other_options_is_refused(out):
    before = state(out)
    for other in (["--region", "46,54,4,17"], ["--synthetic"]):
        done = demo(out, *other)
        assert done.returncode == 1
        assert done.stderr.startswith("gppcore: OutputExistsError: --out: expected a new folder or a run with the same")
        assert len(done.stderr.splitlines()) == 1
    assert state(out) == before


def test_second_run_keeps_tiles_models_and_totals(out, summary):
    before = {name: state(out / name) for name in ("tiles", "models", "gpp_0p05deg.zarr")}
    done = demo(out)
    assert done.returncode == 0, done.stderr
    assert {name: state(out / name) for name in before} == before
    again = json.loads((out / "summary.json").read_text())
    for key in ("gpp_pg_c_yr", "skill", "skill_by_scheme", "land_cells", "comparison"):
        assert again[key] == summary[key], key
