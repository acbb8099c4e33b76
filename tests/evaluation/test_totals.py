from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gppcore.evaluation.holdout import Evaluation
from gppcore.evaluation.schemes import Split
from gppcore.evaluation.totals import coverage_by_dissimilarity, coverage_of_means
from gppcore.features import Samples
from gppcore.transfer.error_covariance import ErrorCovariance

SITES, MONTHS = 60, 36
ERRORS = ErrorCovariance(0.0, 0.0, lasting=0.1, season=0.1, passing=0.17, local=1.0)


@pytest.fixture(scope="module")
def drawn():
    """Errors of towers that are drawn from a known covariance, in one split."""
    rng = np.random.default_rng(5)
    site, month = np.repeat(np.arange(SITES), MONTHS), np.tile(np.arange(MONTHS), SITES)
    covariance = sum(ERRORS.months(np.arange(MONTHS))) + 1e-9 * np.eye(MONTHS)
    error = (rng.normal(size=(SITES, MONTHS)) @ np.linalg.cholesky(covariance).T).ravel()
    half = rng.uniform(1.0, 3.0, error.size)
    groups = pd.DataFrame(
        {
            "site": site,
            "pft": np.array(["ENF", "GRA", "CRO"])[site % 3],
            "year": 2001 + month // 12,
            "month": 1 + month % 12,
            "lat": site % 30 - 10.0,
            "lon": 3.0 * site,
        }
    )
    n = error.size
    samples = Samples(np.linspace(0.0, 1.0, n)[:, None], 20.0 + error * half, np.zeros(n), groups, ("lai",))
    split = Split("all", np.zeros(n, bool), np.ones(n, bool), SITES)
    predicted = {"transfer": np.full(n, 20.0), "transfer_high": 20.0 + half}
    return Evaluation("site", (split,), np.arange(n), samples.gpp_daily, predicted), samples


def test_means_are_inside_as_often_as_their_intervals_say(drawn):
    found, samples = drawn
    result = coverage_of_means(found, [SimpleNamespace(errors=ERRORS)], samples)
    assert result["records of a tower"][1] == SITES
    assert result["years of a tower"][1] == 3 * SITES
    assert result["towers of a type"][1] == 3
    for kind in ("records of a tower", "years of a tower"):
        assert result[kind][0] == pytest.approx(0.9, abs=0.07)
    assert {"groups of 5 towers", "groups of 10 towers"} <= set(result)


def test_errors_taken_for_independent_give_intervals_that_are_too_narrow(drawn):
    found, samples = drawn
    independent = replace(ERRORS, lasting=0.0, season=0.0, passing=0.001)
    result = coverage_of_means(found, [SimpleNamespace(errors=independent)], samples)
    assert result["records of a tower"][0] < 0.3


def test_models_that_do_not_know_their_errors_have_no_coverage(drawn):
    found, samples = drawn
    assert coverage_of_means(found, [SimpleNamespace(errors=None)], samples) == {}
    assert coverage_by_dissimilarity(found, [SimpleNamespace(applicability=None)], samples) == {}


def test_coverage_by_class_of_dissimilarity(drawn):
    found, samples = drawn
    known = SimpleNamespace(threshold=0.5, dissimilarity=lambda x, names: x[:, 0])
    result = coverage_by_dissimilarity(found, [SimpleNamespace(applicability=known)], samples)
    assert list(result) == ["0 to 0.3", "0.3 to 0.5", "0.5 to 0.7", "0.7 and more"]
    rows = [each[2] for each in result.values()]
    assert sum(rows) == len(samples)
    assert rows[0] == pytest.approx(0.15 * len(samples), abs=2)
    error = np.abs(samples.gpp_daily - 20.0)[samples.x[:, 0] >= 0.35]
    assert result["0.7 and more"][1] == pytest.approx(np.sqrt(np.mean(error**2)))
