"""OpenBench judges our product by another, without a network: it must read grid, months, units and land rightly."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gppcore.mapping.product import write_netcdf

OPENBENCH = shutil.which("openbench", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(OPENBENCH is None, reason="needs OpenBench (extra: ecosystem)")

STUDY = """\
project: {name: study, output_dir: out, years: [2001, 2002], min_year_threshold: 1, lat_range: [-90, 90],
  lon_range: [-180, 180], tim_res: Month, grid_res: 2.0, weight: area, num_cores: 1, generate_report: false}
evaluation: {variables: [Gross_Primary_Productivity]}
reference: {Gross_Primary_Productivity: Truth}
simulation:
  gppcore:
    model: gppcore
    root_dir: model
    data_type: grid
    tim_res: Month
    data_groupby: Year
    grid_res: 2.0
    prefix: gpp_
    suffix: ""
metrics: [bias, RMSE, correlation]
scores: [Overall_Score]
comparison: {enabled: false}
statistics: {enabled: false}
"""


@pytest.fixture(scope="module")
def metrics(products, tmp_path_factory):
    """Run OpenBench on yearly files of our product; return its maps by name."""
    folder = tmp_path_factory.mktemp("openbench")
    for name, product in products.items():
        (folder / name).mkdir()
        for year in (2001, 2002):
            write_netcdf(product.with_suffix(".zarr"), folder / name / f"gpp_{year}.nc", year=year)
    (folder / "openbench.yaml").write_text(STUDY)
    places = {"HOME": "home", "OPENBENCH_HOME": "home", "XDG_DATA_HOME": "data", "MPLCONFIGDIR": "plot"}
    environment = {**os.environ, **{name: str(folder / where) for name, where in places.items()}, "MPLBACKEND": "Agg"}
    environment.pop("PYTHONWARNINGS", None)
    (folder / "home").mkdir()

    def run(*command):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run(sys.executable, Path(__file__).with_name("natural_earth.py"))
    kind = ("--data-type", "grid", "--tim-res", "Month", "--grid-res", "2.0", "--category", "Carbon")
    # A profile of its own: those of models may shift times, as that of CLM5 does, whose files label the end of a month.
    model = "Gross_Primary_Productivity:model:gC m-2 d-1"
    run(OPENBENCH, "model", "register", "gppcore", *kind[:6], "-v", model)
    variable = "Gross_Primary_Productivity:truth:gC m-2 d-1:gpp_"
    run(
        OPENBENCH,
        "ref",
        "register",
        "Truth",
        "--root-dir",
        folder / "truth",
        *kind,
        "--years",
        "2001",
        "2002",
        "-v",
        variable,
    )
    assert "Config valid" in run(OPENBENCH, "check", "openbench.yaml")
    run(OPENBENCH, "run", "openbench.yaml")
    found = {}
    for name in ("bias", "RMSE", "correlation"):
        (file,) = (folder / "out" / "study" / "metrics").glob(f"*_{name}.nc")
        with xr.open_dataset(file) as ds:
            found[name] = ds[name].load()
    return found


def on_grid(product, name, metric):
    """Return the mean of a product over the months, at the cells of a metric."""
    with xr.open_dataset(product, engine="h5netcdf") as ds:
        mean = ds[name].mean("time").load()
    return mean.reindex(lat=metric["lat"], lon=metric["lon"], method="nearest", tolerance=0.1)


def test_bias_is_the_one_built_in(metrics, products):
    expected = -0.2 * on_grid(products["truth"], "truth", metrics["bias"])
    np.testing.assert_array_equal(np.isfinite(metrics["bias"]), np.isfinite(expected))
    np.testing.assert_allclose(metrics["bias"], expected, rtol=1e-4, atol=1e-4)


def test_months_are_those_of_the_files(metrics):
    correlation = metrics["correlation"].values
    assert np.isfinite(correlation).sum() > 7000
    assert np.nanmin(correlation) > 0.9999
