"""An experiment whose source domain is the product of another process model."""

import json

import numpy as np
import pytest
import xarray as xr

from gppcore import Experiment, TileStore
from gppcore.experiment.coarse import PROCESS

pytestmark = pytest.mark.slow  # a whole experiment

COARSE = """
[process]
product = "other_model.nc"
variable = "gpp"
"""


@pytest.fixture
def foreign(world, finished):
    """Return a world with the GPP of another model, in kg m-2 s-1, and the experiment that learns from it."""
    with xr.open_zarr(finished / "results" / "process_gpp_0p5deg.zarr", chunks=None) as ds:
        gpp = (ds["gpp_daily"].load() * 0.8 / 1000.0 / 86400.0).assign_attrs(units="kg m-2 s-1")
    gpp.name = "gpp"
    gpp.encoding = {}
    gpp.to_netcdf(world / "other_model.nc", engine="h5netcdf")
    text = (world / "experiment.toml").read_text()
    text = text.replace("\n[process]\nresolution = 0.5\n", COARSE)
    text = text.replace("[learning]\n", '[learning]\nsource = "downscaled"\n')
    (world / "experiment.toml").write_text(text)
    return world


def test_the_other_model_is_downscaled_learnt_from_and_judged(foreign):
    experiment = Experiment.read(foreign / "experiment.toml")
    assert not [finding for finding in experiment.check() if finding.fault]
    numbers = experiment.run(n_threads=1)
    results = foreign / "results"
    store = TileStore.open(results / "tiles")
    row, column = np.divmod(store.index, store.shape[1])
    with xr.open_dataset(foreign / "other_model.nc") as ds:
        inside = ds["gpp"].interp(lat=store.lat, lon=store.lon).values[12:, row, column] * 1000.0 * 86400.0
    got = store.read(PROCESS, 0, 2002)
    known = np.isfinite(inside)
    assert known.mean() > 0.3
    np.testing.assert_allclose(got[known], inside[known], rtol=1e-4, atol=1e-4)
    assert set(numbers["skill"]) == {"process", "direct", "transfer"}
    assert not (results / "coarse").exists()
    assert json.loads((results / "summary.json").read_text())["gpp_pg_c_yr"]["transfer"] > 0.0
