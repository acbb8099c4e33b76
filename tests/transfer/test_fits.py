"""What fits of members save, and that it changes nothing."""

import numpy as np
import pandas as pd
import pytest

from gppcore import Forest, direct, fine_tune, pretrain
from gppcore.features import Samples
from gppcore.transfer.members import SOURCE_SETTINGS, Fits, TrainingRows, distil, fit_member, fit_source

NAMES = ("tair", "vpd", "sw", "lai")


def rows(n=700, seed=0):
    x = np.random.default_rng(seed).random((n, len(NAMES))) * [20.0, 900.0, 300.0, 6.0]
    process = x[:, 2] * x[:, 3] / 200.0
    return TrainingRows(x, NAMES, process[:, None], 1.5 * process, None)


def samples(seed=0):
    each = rows(seed=seed)
    cluster = np.arange(len(each.x)) % 20
    groups = pd.DataFrame({"site": cluster, "cluster": cluster, "region": "C", "pft": "DBF", "year": 2001, "month": 1})
    return Samples(each.x, each.gpp_daily, each.process, groups, NAMES)


def test_models_of_the_same_towers_share_what_needs_no_process_model():
    towers, fits = samples(), Fits()
    source = pretrain(towers.x, {"process": towers.process}, predictors=NAMES, n_threads=1)
    members = ("trees", "direct_trees")
    baseline = direct(towers, fits=fits, n_threads=1)
    shared = fine_tune(source, towers, members=members, fits=fits, n_threads=1)
    assert shared.forests["direct_trees"] is baseline.forests["direct_trees"]
    alone = fine_tune(source, towers, members=members, n_threads=1)
    assert {name: forest.digest for name, forest in shared.forests.items()} == {
        name: forest.digest for name, forest in alone.forests.items()
    }
    assert shared.members == alone.members


def test_other_rows_settings_and_members_are_fitted_anew():
    fits, known = Fits(), rows()
    first = fits.fit("direct_boosted", known, seed=0)
    assert fits.fit("direct_boosted", rows(), seed=0) is first
    others = (
        fits.fit("direct_boosted", known, seed=1),
        fits.fit("direct_boosted", rows(seed=1), seed=0),
        fits.fit("direct_trees", known, seed=0),
        fits.fit("boosted", known, seed=0),
    )
    assert all(other is not first for other in others)
    # those with process GPP are not kept: it differs between models of the same towers
    assert fits.fit("boosted", known, seed=0) is not others[-1]


def test_columns_without_information_do_not_change_an_emulator():
    known = rows(3000)
    wide = np.full((len(known.x), 7), 3.0)
    wide[:, 6] = np.nan
    wide[:, [1, 2, 4, 5]] = known.x
    y = known.process
    narrow, with_them = (fit_source(x, y, seed=0, n_threads=1) for x in (known.x, wide))
    probe = rows(400, 1).x
    spread = np.full((len(probe), 7), 8.0)
    spread[:, [1, 2, 4, 5]] = probe
    assert with_them.n_features == 7
    np.testing.assert_array_equal(with_them.predict(spread), narrow.predict(probe))


def test_an_unknown_predictor_of_a_distilled_function_is_no_fault():
    known = rows(400)
    x = known.x.copy()
    x[:, 1] = np.nan
    forest = distil(x, NAMES, NAMES, known.sources, known.gpp_daily, 0)
    found = forest.predict_columns(list(np.hstack([x, known.sources]).T))
    assert np.corrcoef(found, known.gpp_daily)[0, 1] > 0.99


def test_the_emulator_of_a_constant_is_that_constant():
    known = rows(SOURCE_SETTINGS["min_samples_leaf"] * 4)
    flat = fit_source(np.ones_like(known.x), np.full(len(known.x), 2.5), seed=0, n_threads=1)
    np.testing.assert_allclose(flat.predict(known.x), 2.5)


def test_bins_of_weighted_rows_are_those_of_all_values():
    """A ratio is learnt where its rows weigh little, too, and gaps stay gaps."""
    known = rows(2000)
    holes = known.x.copy()
    holes[::5, 0] = np.nan
    known = TrainingRows(holes, NAMES, known.sources, known.gpp_daily, None)
    forest = fit_member("boosted_ratio", known)
    assert isinstance(forest, Forest)
    features = list(np.column_stack([known.x, known.sources]).T)
    process = known.process
    expected = known.gpp_daily / (process + 2.0)
    found = forest.predict_columns(features)
    light = process < 1.0
    assert light.sum() > 100
    assert np.abs(found - expected)[light].mean() < 0.1
    assert np.sqrt(np.mean((found - expected) ** 2)) == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("name", ["direct_boosted", "direct_trees"])
def test_trees_are_larger_where_only_years_are_unseen(name):
    """Towers whose level no predictor tells: a model for other years must remember them."""
    known = rows(2400)
    site = np.arange(len(known.x)) % 60
    place = np.random.default_rng(3).random((60, 2))[site] * 100.0
    own = np.random.default_rng(4).normal(0.0, 2.0, 60)[site]
    x = np.column_stack([known.x[:, :2], place])
    towers = TrainingRows(x, NAMES, known.sources, 5.0 + own, None)
    train, test = towers.take(np.arange(2400) < 1800), towers.take(np.arange(2400) >= 1800)
    error = {}
    for unseen in ("places", "years"):
        forest = fit_member(name, train, unseen=unseen)
        found = forest.predict_columns(list(test.x.T))
        error[unseen] = np.sqrt(np.mean((found - test.gpp_daily) ** 2))
    assert error["years"] < 0.8 * error["places"]
