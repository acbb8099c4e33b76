import numpy as np
import pandas as pd
import pytest

from gppcore.errors import RangeError
from gppcore.evaluation.methods import MethodSuite
from gppcore.evaluation.own import _records, evaluate_own, own_skill
from gppcore.evaluation.result import write
from gppcore.evaluation.run import EvaluationOptions, evaluate_towers
from gppcore.features import PREDICTORS, Samples
from gppcore.report.evaluation import write_evaluation_report
from gppcore.towers import read_towers


def test_first_months_of_a_record_are_told_from_its_rest():
    year, month = np.divmod(np.arange(20), 12)
    groups = pd.DataFrame({"site": "A", "cluster": 0, "year": 2001 + year, "month": month + 1})
    groups = pd.concat([groups, groups.head(11).assign(site="B")], ignore_index=True).sample(frac=1.0, random_state=1)
    n = len(groups)
    samples = Samples(np.zeros((n, len(PREDICTORS))), np.zeros(n), np.zeros(n), groups.reset_index(drop=True))
    found = list(_records(samples, np.arange(n), 6))
    assert len(found) == 1  # the other has five months left
    own, rest = (samples.groups.iloc[rows] for rows in found[0])
    assert set(own["site"]) == set(rest["site"]) == {"A"}
    assert own["month"].tolist() == [1, 2, 3, 4, 5, 6]
    assert len(rest) == 14
    assert (rest["year"] * 12 + rest["month"]).min() > (own["year"] * 12 + own["month"]).max()


@pytest.mark.slow
def test_own_months_gain_skill_at_real_towers(shared, part, tmp_path, monkeypatch):
    sites = pd.read_csv(shared / "towers" / "gpp_monthly.csv.gz").query("core == 1")["site_id"].unique()
    towers = read_towers(part(shared / "towers", sorted(sites)[::7], tmp_path / "towers"))
    suite = MethodSuite(towers, members=("trees", "gaussian"))
    found = evaluate_own(suite, months=(12,), n_processes=2)
    skill = found.skill
    assert skill["transfer"]["r2"] > skill["unadapted"]["r2"] + 0.03
    assert skill["transfer"]["r2"] > skill["climatology"]["r2"]
    table = own_skill(found.table(suite.samples))
    assert list(table) == ["12 months"]
    assert table["12 months"]["rows"] == len(found.rows)
    inside = (found.predicted["transfer_low"] <= found.observed) & (found.observed <= found.predicted["transfer_high"])
    assert 0.75 < inside.mean() < 0.99
    with pytest.raises(RangeError, match="months: expected numbers of at least 1"):
        evaluate_own(suite, months=(0,))
    with pytest.raises(RangeError, match="own: expected a tower with 10006 months or more"):
        evaluate_own(suite, months=(10_000,))
    # the same as a command, up to its page
    monkeypatch.setattr("gppcore.evaluation.run.evaluate_own", lambda *_, **__: found)
    monkeypatch.setattr("gppcore.evaluation.run.MethodSuite", lambda *_, **__: suite)
    write(tmp_path / "out", *evaluate_towers(EvaluationOptions(tmp_path / "towers", scheme="own")))
    assert "12 months" in write_evaluation_report(tmp_path / "out").read_text()
