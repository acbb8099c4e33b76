import json

import numpy as np
import pandas as pd
import pytest

from gppcore.cli.evaluate import run_protocol
from gppcore.errors import RangeError
from gppcore.evaluation.metrics import skill_over_sites
from gppcore.evaluation.peers import PEERS, predict_peer
from gppcore.evaluation.protocol import FIGURES, PROTOCOLS, summarise
from gppcore.evaluation.result import assemble
from gppcore.evaluation.run import EvaluationOptions
from gppcore.features import Samples

META = {"scheme": "site", "by": None, "predictors": "small", "towers": "towers", "folds": 5, "seed": 7}


@pytest.fixture(scope="module")
def rows():
    """Towers of two kinds: many whose GPP rises with x, and few where it falls."""
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(20), 40)
    x = rng.random((800, 2))
    x[:, 1] = rng.normal(0.0, 1.0, 800)
    odd = cluster >= 18
    gpp = 5.0 + np.where(odd, -4.0, 4.0) * x[:, 0] + rng.normal(0.0, 0.1, 800)
    groups = pd.DataFrame({"site": cluster, "cluster": cluster, "pft": "ENF", "year": 2001, "month": 1})
    return Samples(x, gpp, gpp, groups, ("lai", "own")), odd


def test_peers_learn(rows):
    pytest.importorskip("xgboost")
    samples, odd = rows
    for name, least in zip(PEERS, (0.9, 0.3), strict=True):
        found = predict_peer(name, samples, samples)
        assert np.corrcoef(found[~odd], samples.gpp_daily[~odd])[0, 1] > least
        np.testing.assert_array_equal(predict_peer(name, samples, samples), found)


def test_group_dro_serves_the_worst_towers(rows):
    pytest.importorskip("xgboost")
    samples, odd = rows
    plain, robust = (np.abs(predict_peer(name, samples, samples) - samples.gpp_daily)[odd].mean() for name in PEERS)
    assert robust < 0.8 * plain


def test_summary_has_the_tail_of_towers(predictions):
    result = assemble(predictions, META)
    found = summarise("fluxtrapolation", {"site": result})
    assert found["held_out"]["site"]["towers"] == 20
    figures = found["held_out"]["site"]["methods"]["direct"]
    assert set(figures) == set(FIGURES)
    want = skill_over_sites(predictions["observed"], predictions["direct"], predictions["site_id"])
    assert figures["site_r2_p10"] == want["site_r2_p10"]
    assert want["site_r2_p10"] < want["site_r2_median"] < want["site_r2_p90"]


def test_unknown_protocols_are_refused(tmp_path):
    with pytest.raises(RangeError, match=r"--protocol: expected one of \['fluxtrapolation'\], got 'other'"):
        run_protocol("other", EvaluationOptions(tmp_path), tmp_path / "out", as_json=False)


@pytest.mark.slow
def test_protocol_judges_each_hold_out_in_a_folder_of_its_own(shared, part, tmp_path, capsys, monkeypatch):
    """One of its three hold-outs and half of the methods: the others are tested by themselves."""
    pytest.importorskip("xgboost")
    monkeypatch.setitem(PROTOCOLS, "fluxtrapolation", ("warmer",))
    monkeypatch.setattr("gppcore.cli.evaluate.METHODS", ("process", "direct", "transfer"))
    own = pd.read_csv(shared / "towers" / "gpp_monthly.csv.gz").query("core == 1")["site_id"].value_counts()
    towers = part(shared / "towers", sorted(own.index[:8]), tmp_path / "towers")
    run_protocol("fluxtrapolation", EvaluationOptions(towers), tmp_path / "out", as_json=False)
    assert "warmer climates" in capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "protocol.json").read_text())["held_out"]
    assert set(found["warmer"]["methods"]) == {*PEERS, "process", "direct", "transfer"}
    assert (tmp_path / "out" / "warmer" / "report.html").is_file()
    interval = json.loads((tmp_path / "out" / "warmer" / "evaluation.json").read_text())["interval"]
    assert interval["means"]["records of a tower"][1] == found["warmer"]["towers"]
    assert sum(rows for _, _, rows in interval["by_dissimilarity"].values()) == found["warmer"]["months"]
