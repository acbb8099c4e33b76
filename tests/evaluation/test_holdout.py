import numpy as np
import pandas as pd
import pytest

from gppcore.evaluation.holdout import evaluate
from gppcore.evaluation.schemes import SCHEMES, FewTowers
from gppcore.features import PREDICTORS, Samples


def samples(n=600, seed=0):
    rng = np.random.default_rng(seed)
    site = rng.integers(0, 30, n)
    groups = pd.DataFrame(
        {
            "site": site,
            "cluster": site // 2,
            "region": np.array(list("ABC"))[site // 2 % 3],
            "continent": "europe",
            "pft": "DBF",
            "year": rng.integers(2001, 2009, n),
            "month": rng.integers(1, 13, n),
            "tair_mean": site // 2 % 15,
        }
    )
    x = np.zeros((n, len(PREDICTORS)))
    x[:, 0] = np.arange(n)
    return Samples(x, rng.random(n) * 10, rng.random(n) * 10, groups)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_prediction_stays_with_its_observation(scheme):
    data = samples()
    result = evaluate({"row": lambda _, test: test.x[:, 0]}, data, scheme=scheme, few_towers=FewTowers((3,), draws=2))
    np.testing.assert_array_equal(result.predicted["row"], result.rows)
    np.testing.assert_array_equal(result.observed, data.gpp_daily[result.rows])
    table = result.table(data)
    np.testing.assert_array_equal(table["observed"], result.observed)
    np.testing.assert_array_equal(table["site_id"], data.groups["site"].to_numpy()[result.rows])
    assert table["group"].nunique() == result.folds


def test_methods_are_judged_side_by_side():
    result = evaluate({"truth": lambda _, t: t.gpp_daily, "other": lambda _, t: t.gpp_daily + 1}, samples())
    assert result.skill["truth"]["r2"] == 1.0
    assert result.skill["other"]["bias"] == pytest.approx(1.0)
    assert result.skill["other"]["n"] == 600


def test_methods_that_share_work_are_fitted_together():
    calls = []

    def both(train, test):
        calls.append(len(train))
        return {"a": test.process, "b": test.process + 1.0}

    told = []
    result = evaluate(both, samples(), progress=lambda split: told.append(split.label))
    assert len(calls) == len(told) == result.folds == 5
    np.testing.assert_allclose(result.predicted["b"] - result.predicted["a"], 1.0)
