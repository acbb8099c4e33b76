"""Metrics against hand-made numbers and the formulas of other libraries."""

import numpy as np
import pytest
from scipy.stats import linregress
from sklearn.metrics import r2_score, root_mean_squared_error

from gppcore.errors import RangeError, ShapeError
from gppcore.evaluation.metrics import skill, skill_by, skill_over_sites


@pytest.fixture(name="rows")
def _rows():
    rng = np.random.default_rng(5)
    site = np.repeat([f"s{i:02}" for i in range(12)], [3, 11, 12, 13, 24, 36, 12, 48, 20, 14, 15, 60])
    observed = rng.gamma(2.0, 2.0, site.size) + np.repeat(rng.random(12) * 4, np.unique(site, return_counts=True)[1])
    return observed, 0.7 * observed + rng.normal(0.5, 1.0, site.size), site


def test_figures_by_hand():
    got = skill([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 3.0, 5.0])
    assert got["r2"] == pytest.approx(1 - 2 / 5)
    assert got["rmse"] == pytest.approx(0.5**0.5)
    assert got["rmse_monthly"] == pytest.approx(0.5**0.5 * 30.4375)
    assert got["bias"] == pytest.approx(0.5)
    assert got["ubrmse"] == pytest.approx(0.5)
    assert got["slope"] == pytest.approx(1.0)
    assert got["bias_top_decile"] == pytest.approx(1.0)
    assert got["bias_bottom_quartile"] == pytest.approx(1.0)
    assert got["n"] == 4


def test_figures_equal_those_of_other_libraries(rows):
    o, p, _ = rows
    got = skill(o, p)
    assert got["r2"] == pytest.approx(r2_score(o, p), rel=1e-12)
    assert got["rmse"] == pytest.approx(root_mean_squared_error(o, p), rel=1e-12)
    assert got["slope"] == pytest.approx(linregress(o, p).slope, rel=1e-12)
    assert got["ubrmse"] ** 2 + got["bias"] ** 2 == pytest.approx(got["rmse"] ** 2, rel=1e-12)
    r = np.corrcoef(o, p)[0, 1]
    terms = [(r - 1) ** 2, (np.std(p) / np.std(o) - 1) ** 2, (np.mean(p) / np.mean(o) - 1) ** 2]
    assert got["kge"] == pytest.approx(1 - np.sqrt(sum(terms)), rel=1e-12)
    top = np.argsort(o)[-int(np.ceil(o.size / 10)) :]
    assert got["bias_top_decile"] == pytest.approx(np.mean(p[top] - o[top]))


def test_perfect_prediction_has_every_best_figure(rows):
    o, _, site = rows
    got = {**skill(o, o), **skill_over_sites(o, o, site)}
    for name in ("r2", "kge", "slope", "r2_between_site", "r2_within_site", "site_r2_median", "site_r2_p90"):
        assert got[name] == pytest.approx(1.0)
    assert got["rmse"] == got["bias"] == got["ubrmse"] == got["site_rmse_median"] == 0.0


def test_figures_over_sites_equal_a_loop_over_sites(rows):
    o, p, site = rows
    got = skill_over_sites(o, p, site)
    each = [(o[site == s], p[site == s]) for s in np.unique(site)]
    assert got["r2_between_site"] == pytest.approx(r2_score([a.mean() for a, _ in each], [b.mean() for _, b in each]))
    anomalies = [np.concatenate([part[i] - part[i].mean() for part in each]) for i in (0, 1)]
    assert got["r2_within_site"] == pytest.approx(r2_score(*anomalies))
    long = [(a, b) for a, b in each if len(a) >= 12]
    assert len(long) == len(each) - 2
    r2, rmse = [r2_score(*s) for s in long], [root_mean_squared_error(*s) for s in long]
    assert got["site_r2_median"] == pytest.approx(np.median(r2))
    assert got["site_r2_p90"] == pytest.approx(np.percentile(r2, 90))
    assert got["site_rmse_median"] == pytest.approx(np.median(rmse))
    assert got["site_rmse_p90"] == pytest.approx(np.percentile(rmse, 90))


def test_figures_by_group_equal_those_of_the_group_alone(rows):
    o, p, site = rows
    got = skill_by(o, p, site)
    assert list(got) == sorted(set(site))
    for name, figures in got.items():
        alone = skill(o[site == name], p[site == name])
        assert figures == {metric: pytest.approx(alone[metric], rel=1e-9) for metric in ("r2", "rmse", "bias", "n")}


def test_sites_without_variance_have_no_skill_of_their_own():
    site = np.repeat(["flat", "varied"], 12)
    o = np.concatenate([np.full(12, 0.1), np.arange(12.0)])
    p = o + np.repeat([5.0, 1.0], 12)
    got = skill_over_sites(o, p, site)
    assert got["site_rmse_median"] == got["site_rmse_p90"] == pytest.approx(1.0)
    assert got["site_r2_median"] == pytest.approx(r2_score(o[12:], p[12:]))
    assert got["r2_within_site"] == pytest.approx(1.0)


def test_one_site_says_nothing_between_sites():
    o = np.arange(12.0)
    got = skill_over_sites(o, o + 1, np.full(12, "a"))
    assert np.isnan(got["r2_between_site"])
    assert got["r2_within_site"] == pytest.approx(1.0)
    assert got["site_r2_median"] == got["site_r2_p90"]


def test_no_site_of_twelve_months_leaves_no_skill_over_sites():
    got = skill_over_sites([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], ["a", "a", "b"])
    assert all(np.isnan(got[name]) for name in got if name.startswith("site_"))


@pytest.mark.parametrize("value", [0.1, 0.0, 7.3])
def test_constant_observed_has_no_relative_figure(value):
    o = np.full(7, value)
    got = skill(o, o + np.arange(7.0))
    assert all(np.isnan(got[name]) for name in ("r2", "kge", "slope"))
    assert got["bias"] == pytest.approx(3.0)
    assert np.isnan(skill_by(o, o + 1, np.full(7, "a"))["a"]["r2"])


def test_constant_predicted_has_r2_but_no_kge():
    o = np.arange(7.0)
    got = skill(o, np.full(7, 0.1))
    assert np.isfinite(got["r2"])
    assert got["slope"] == pytest.approx(0.0)
    assert np.isnan(got["kge"])


@pytest.mark.parametrize("judge", [skill, lambda o, p: skill_over_sites(o, p, ["a"] * len(o)),
                                   lambda o, p: skill_by(o, p, ["a"] * len(o))])  # fmt: skip
def test_what_cannot_be_judged_is_refused(judge):
    with pytest.raises(RangeError, match="finite values, got 2"):
        judge([1.0, np.nan, 2.0], [1.0, 2.0, np.inf])
    with pytest.raises(ShapeError, match=r"\(3,\), \(2,\)"):
        judge([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ShapeError, match="at least 2"):
        judge([1.0], [1.0])


def test_labels_of_another_length_are_refused():
    with pytest.raises(ShapeError, match="site: expected one label for each of 2 rows"):
        skill_over_sites([1.0, 2.0], [1.0, 2.0], ["a"])
    with pytest.raises(ShapeError, match="group: expected one label for each of 2 rows"):
        skill_by([1.0, 2.0], [1.0, 2.0], ["a", "b", "c"])
