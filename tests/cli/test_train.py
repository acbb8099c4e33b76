"""One command makes the model that `gppcore map` takes."""

import numpy as np
import pandas as pd
import pytest

from gppcore import TransferModel, read_towers, simulate
from gppcore.cli.train import run_adaptation, run_training
from gppcore.constants import PFTS
from gppcore.errors import OutputExistsError, RangeError, TowerFormatError
from gppcore.features import PREDICTOR_SETS
from gppcore.towers.process import COVARIATES


@pytest.fixture(scope="module")
def some_towers(shared, part, tmp_path_factory):
    """Return a folder of twelve towers."""
    own = pd.read_csv(shared / "towers" / "gpp_monthly.csv.gz").query("core == 1")["site_id"].unique()
    return part(shared / "towers", sorted(own)[:24:2], tmp_path_factory.mktemp("train") / "towers")


@pytest.mark.slow
def test_a_model_is_trained_and_saved(some_towers, tmp_path, capsys):
    model = tmp_path / "model.zip"
    run_training(some_towers, model, "small", seed=0, n_threads=2)
    loaded = TransferModel.load(model)
    assert loaded.predictors == PREDICTOR_SETS["small"]
    towers = read_towers(some_towers)
    samples = towers.samples(simulate(towers.forcing), predictors=loaded.predictors)
    observed = samples.gpp_daily
    assert f"{len(loaded.predictors)} predictors, {len(observed)} months of 12 towers" in capsys.readouterr().out
    r2 = 1.0 - np.mean((loaded.predict(samples.x, n_threads=1) - observed) ** 2) / np.var(observed)
    assert r2 > 0.7  # of the training months
    assert loaded.parameters.names == COVARIATES
    assert loaded.parameters["enf"].vcmax25 != PFTS["enf"].vcmax25
    adapted = tmp_path / "adapted"
    run_adaptation(model, some_towers, adapted, seed=0, n_threads=2)
    assert f"adapted with {len(observed)} months of 12 towers" in capsys.readouterr().out
    better = TransferModel.load(adapted).predict(samples.x, n_threads=1)
    assert 1.0 - np.mean((better - observed) ** 2) / np.var(observed) > r2
    with pytest.raises(OutputExistsError, match="--out: expected a new folder or zip"):
        run_adaptation(model, some_towers, adapted, seed=0, n_threads=2)


def test_what_cannot_be_trained_is_refused_first(some_towers, tmp_path):
    with pytest.raises(RangeError, match=r"predictors: expected one of \['small', 'mid', 'full', 'rich'\], got 'all'"):
        run_training(some_towers, tmp_path / "model", "all", seed=0, n_threads=1)
    with pytest.raises(OutputExistsError, match="--out: expected a new folder or zip"):
        run_training(some_towers, tmp_path, "small", seed=0, n_threads=1)
    gpp = pd.read_csv(some_towers / "gpp_monthly.csv.gz")
    gpp.assign(core=0).to_csv(some_towers / "gpp_monthly.csv.gz", index=False)
    with pytest.raises(TowerFormatError, match="core months with all predictors at 2 places"):
        run_training(some_towers, tmp_path / "model", "small", seed=0, n_threads=1)
    assert not (tmp_path / "model").exists()
