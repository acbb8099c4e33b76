import numpy as np
import pandas as pd
import pytest

from gppcore.errors import RangeError, ShapeError
from gppcore.evaluate import SCHEMES, evaluate, skill
from gppcore.features import PREDICTORS, Samples

HELD = {"site": "cluster", "temporal": "year", "regional": "region"}


def samples(n=600, seed=0):
    rng = np.random.default_rng(seed)
    site = rng.integers(0, 30, n)
    groups = pd.DataFrame(
        {
            "site": site,
            "cluster": site // 2,
            "region": np.array(list("ABC"))[site % 3],
            "pft": "DBF",
            "year": rng.integers(2001, 2009, n),
            "month": rng.integers(1, 13, n),
        }
    )
    x = np.zeros((n, len(PREDICTORS)))
    x[:, 0] = np.arange(n)
    return Samples(x, rng.random(n) * 10, rng.random(n) * 10, groups)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_group_is_in_training_and_test_at_once(scheme):
    held, tested = HELD[scheme], []

    def method(train, test):
        assert not set(train.groups[held]) & set(test.groups[held])
        assert len(train) + len(test) == 600
        tested.append(set(test.groups[held]))
        return test.process

    result = evaluate({"process": method}, samples(), scheme=scheme)
    assert result.folds == len(tested) == {"site": 5, "temporal": 5, "regional": 3}[scheme]
    assert sum(map(len, tested)) == len(set.union(*tested)), "a group is held out once"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_row_is_predicted_once_and_stays_with_its_observation(scheme):
    data = samples()
    result = evaluate({"row": lambda _, test: test.x[:, 0]}, data, scheme=scheme)
    assert sorted(result.rows) == list(range(600))
    np.testing.assert_array_equal(result.predicted["row"], result.rows)
    np.testing.assert_array_equal(result.observed, data.gpp_daily[result.rows])


def test_temporal_folds_are_consecutive_years():
    sizes = []

    def method(_, test):
        years = sorted(set(test.groups["year"]))
        assert years == list(range(years[0], years[-1] + 1))
        sizes.append(len(years))
        return test.process

    evaluate({"process": method}, samples(), scheme="temporal")
    assert sorted(sizes) == [1, 1, 2, 2, 2]


def test_small_regions_train_but_are_not_held_out():
    data = samples()
    data.groups.loc[:28, "region"] = "E"
    result = evaluate({"process": lambda train, test: test.process}, data, scheme="regional")
    assert result.folds == 3
    assert "E" not in set(data.groups["region"].iloc[result.rows])


def test_methods_are_judged_side_by_side():
    result = evaluate({"truth": lambda _, t: t.gpp_daily, "other": lambda _, t: t.gpp_daily + 1}, samples())
    assert result.skill["truth"] == {"r2": 1.0, "rmse": 0.0, "bias": 0.0, "n": 600}
    assert result.skill["other"]["bias"] == pytest.approx(1.0)
    assert result.skill["other"]["rmse"] == pytest.approx(1.0)


def test_skill_by_hand():
    # Errors 1, 0, -1, 2: mean 0.5, mean square 1.5; the variance of 1, 2, 3, 4 is 1.25.
    found = skill(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 2.0, 6.0]))
    assert found == pytest.approx({"r2": 1 - 1.5 / 1.25, "rmse": 1.5**0.5, "bias": 0.5})


def test_bad_requests_are_refused():
    with pytest.raises(RangeError, match=r"scheme: expected one of \['site', 'temporal', 'regional'\], got 'random'"):
        evaluate({}, samples(), scheme="random")
    data = samples()
    data.groups["region"] = "C"
    with pytest.raises(RangeError, match="scheme regional: expected at least 2 groups of samples, got 1"):
        evaluate({}, data, scheme="regional")
    with pytest.raises(ShapeError, match=r"expected two equal lengths of at least 2, got \(3,\), \(2,\)"):
        skill(np.zeros(3), np.zeros(2))
    with pytest.raises(ShapeError, match="at least 2"):
        skill(np.zeros(1), np.zeros(1))
