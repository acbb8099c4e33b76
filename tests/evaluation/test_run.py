import json

import numpy as np
import pandas as pd
import pytest

from gppcore.cli.evaluate import run_evaluation
from gppcore.errors import OutputExistsError, RangeError, TowerFormatError
from gppcore.evaluation.run import EvaluationOptions, evaluate_towers, predictors_of
from gppcore.evaluation.schemes import FewTowers
from gppcore.features import PREDICTOR_SETS
from gppcore.towers import join_towers, read_towers
from gppcore.transfer.intervals import LEVELS

METHODS = {"process", "process_beps", "process_calibrated", "direct", "pretrain_continue", "transfer"}


@pytest.fixture(scope="module")
def evaluated(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation") / "few_towers"
    run_evaluation(
        EvaluationOptions(shared / "towers", scheme="few_towers", few_towers=FewTowers((5,), draws=2)),
        folder,
        as_json=False,
    )
    return folder


@pytest.mark.slow
def test_all_methods_are_judged_side_by_side(evaluated):
    found = json.loads((evaluated / "evaluation.json").read_text())
    assert set(found["methods"]) == METHODS
    assert found["scheme"] == "few_towers"
    assert found["methods"]["process_beps"]["r2"] < found["methods"]["process"]["r2"]
    assert set(found["differences"]) == {f"transfer - {name}" for name in METHODS - {"transfer"}}
    assert found["learning_curve"][0]["towers"] == 5
    assert 0.5 < found["interval"]["coverage"] < 1.0
    nominal, observed = np.array(found["interval"]["reliability"]).T
    assert nominal.tolist() == list(LEVELS)
    assert (np.diff(observed) >= 0.0).all()
    assert found["interval"]["coverage"] == observed[list(LEVELS).index(0.9)]
    assert found["sif"]["transfer"]["all"] > 0.5
    predictions = pd.read_csv(evaluated / "predictions.csv.gz")
    assert len(predictions) == found["rows"]
    assert (predictions["transfer_low"] <= predictions["transfer"]).all()
    assert (evaluated / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_transfer_from_five_towers_beats_direct_learning(evaluated):
    found = json.loads((evaluated / "evaluation.json").read_text())
    assert found["methods"]["transfer"]["r2"] > found["methods"]["direct"]["r2"]
    assert found["methods"]["transfer"]["r2"] > found["methods"]["pretrain_continue"]["r2"]


@pytest.mark.slow
def test_finished_evaluation_is_not_written_over(evaluated, shared):
    with pytest.raises(OutputExistsError):
        run_evaluation(EvaluationOptions(shared / "towers"), evaluated, as_json=False)


@pytest.mark.slow
def test_test_towers_are_tested_alone(shared, part, tmp_path):
    sites = sorted(set(pd.read_csv(shared / "towers" / "gpp_monthly.csv.gz").query("core == 1")["site_id"]))
    train = part(shared / "towers", sites[0:40:2], tmp_path / "train")
    test = part(shared / "towers", sites[1:40:2], tmp_path / "test")
    found, predictions = evaluate_towers(EvaluationOptions(train, test))
    assert set(predictions["site_id"]) <= set(sites[1:40:2])
    assert found["folds"] == 1
    assert np.isfinite(predictions["transfer"]).all()


def test_training_towers_near_tested_ones_are_left_out(shared, part, tmp_path):
    towers = read_towers(shared / "towers")
    own = towers.sites.loc[sorted(set(towers.gpp["site_id"]))]
    pair = next(group.index for _, group in own.groupby("cluster") if len(group) > 1)
    test = read_towers(part(shared / "towers", [pair[0]], tmp_path / "test"))
    joined = join_towers(towers, test)
    assert pair[0] in joined.sites.index
    assert not set(pair[1:]) & set(joined.sites.index)
    assert joined.sites.index.is_unique
    assert joined.forcing.sizes["cell"] == len(joined.sites)


def test_unknown_predictors_are_refused(shared):
    with pytest.raises(RangeError, match=r"predictors: expected one of \['small', 'mid', 'full', 'rich'\], got 'all'"):
        evaluate_towers(EvaluationOptions(shared / "towers", predictors="all"))


@pytest.mark.parametrize(("n", "core", "got"), [(1, 1, "at 1, out of"), (3, 0, "got 0 at 0, out of 0 core months")])
def test_towers_of_one_place_or_without_core_months_are_refused(shared, part, tmp_path, n, core, got):
    sites = sorted(set(pd.read_csv(shared / "towers" / "gpp_monthly.csv.gz").query("core == 1")["site_id"]))
    folder = part(shared / "towers", sites[:n], tmp_path / "towers")
    gpp = pd.read_csv(folder / "gpp_monthly.csv.gz")
    gpp.assign(core=gpp["core"] * core).to_csv(folder / "gpp_monthly.csv.gz", index=False)
    with pytest.raises(TowerFormatError, match=f"core months with all predictors at 2 places .*{got}"):
        evaluate_towers(EvaluationOptions(folder))


def test_rich_set_is_what_the_towers_have(make_towers):
    towers = make_towers()
    found = predictors_of(towers, "rich")
    assert set(found) <= set(PREDICTOR_SETS["rich"])
    assert {"tair", "lai", "fraction_enf"} <= set(found)
    assert "ndwi" not in found
    assert predictors_of(towers, "full") == PREDICTOR_SETS["full"]
