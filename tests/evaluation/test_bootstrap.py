"""Intervals of differences: their values by a plain loop, and how often they hold the truth."""

import numpy as np
import pytest
from sklearn.metrics import r2_score, root_mean_squared_error

from gppcore.errors import RangeError, ShapeError
from gppcore.evaluation.bootstrap import DRAWS, cluster_draws, differences


def world(rng, clusters=40, months=20):
    """Rows of a world where the errors of a cluster have a part in common."""
    cluster = np.repeat(np.arange(clusters), months)
    observed = rng.normal(4.0, 2.0, clusters)[cluster] + rng.normal(0.0, 2.0, cluster.size)
    shared = rng.normal(0.0, 1.0, (2, clusters))[:, cluster]
    errors = shared * np.array([[1.0], [1.3]]) + rng.normal(0.0, 0.7, (2, cluster.size))
    return observed, {"direct": observed + errors[1], "transfer": observed + errors[0]}, cluster


def test_intervals_equal_a_loop_that_copies_the_rows_of_drawn_clusters():
    observed, predicted, cluster = world(np.random.default_rng(0), clusters=6, months=4)
    got = differences(observed, predicted, cluster, seed=3)
    assert list(got) == ["transfer - direct"]
    counts = cluster_draws(6, 3).astype(int)
    for metric, figure in (("r2", r2_score), ("rmse", root_mean_squared_error)):

        def change(rows, figure=figure):
            return figure(observed[rows], predicted["transfer"][rows]) - figure(
                observed[rows], predicted["direct"][rows]
            )

        drawn = [
            change(np.concatenate([np.tile(np.flatnonzero(cluster == c), k) for c, k in enumerate(row)]))
            for row in counts
        ]
        want = [change(np.arange(len(cluster))), *np.quantile(drawn, (0.05, 0.95))]
        np.testing.assert_allclose(got["transfer - direct"][metric], want, rtol=1e-9)


def test_every_draw_takes_as_many_clusters_as_there_are():
    draws = cluster_draws(7, 0)
    assert draws.shape == (DRAWS, 7)
    assert (draws.sum(axis=1) == 7).all()
    np.testing.assert_allclose(draws.mean(axis=0), 1.0, atol=0.15)


def test_intervals_hold_the_true_difference_in_nine_worlds_of_ten():
    # r2 of an infinite world: variance 8; errors 1 + 0.49 and 1.69 + 0.49.
    truth = {"r2": (1.69 - 1.0) / 8.0, "rmse": np.sqrt(1.49) - np.sqrt(2.18)}
    held, by_rows = dict.fromkeys(truth, 0), 0
    for i in range(200):
        observed, predicted, cluster = world(np.random.default_rng(i))
        got = differences(observed, predicted, cluster)["transfer - direct"]
        for metric, value in truth.items():
            held[metric] += got[metric][1] <= value <= got[metric][2]
        if i < 40:
            low, high = differences(observed, predicted, np.arange(len(cluster)))["transfer - direct"]["rmse"][1:]
            by_rows += low <= truth["rmse"] <= high
    for metric in truth:
        assert 0.82 <= held[metric] / 200 <= 0.95, metric
    assert by_rows / 40 < 0.6, "rows drawn singly promise too much"


def test_each_other_method_is_compared_and_the_seed_decides():
    observed, predicted, cluster = world(np.random.default_rng(1))
    predicted = {"process": predicted["direct"] + 1, **predicted}
    got = differences(observed, predicted, cluster, seed=1)
    assert list(got) == ["transfer - process", "transfer - direct"]
    assert got == differences(observed, predicted, cluster, seed=1)
    assert got != differences(observed, predicted, cluster, seed=2)
    assert got["transfer - process"]["r2"][1] > 0.0


def test_order_of_rows_and_names_of_clusters_do_not_matter():
    observed, predicted, cluster = world(np.random.default_rng(2))
    rows = np.random.default_rng(0).permutation(len(cluster))
    named = np.array([f"c{c:03}" for c in cluster])
    got = differences(observed[rows], {name: p[rows] for name, p in predicted.items()}, named[rows])
    for metric, values in differences(observed, predicted, cluster)["transfer - direct"].items():
        np.testing.assert_allclose(got["transfer - direct"][metric], values, rtol=1e-9)


def test_one_cluster_has_a_difference_but_no_interval():
    observed, predicted, cluster = world(np.random.default_rng(3), clusters=1)
    value, low, high = differences(observed, predicted, cluster)["transfer - direct"]["rmse"]
    assert np.isfinite(value)
    assert np.isnan([low, high]).all()


def test_constant_observed_has_no_difference_of_r2():
    _, predicted, cluster = world(np.random.default_rng(4))
    got = differences(np.full(len(cluster), 0.1), predicted, cluster)["transfer - direct"]
    assert np.isnan(got["r2"]).all()
    assert np.isfinite(got["rmse"]).all()


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(RangeError, match="expected the method 'transfer'"):
        differences([1.0, 2.0], {"direct": [1.0, 2.0]}, [0, 1])
    with pytest.raises(RangeError, match="finite"):
        differences([1.0, 2.0], {"transfer": [1.0, np.nan]}, [0, 1])
    with pytest.raises(ShapeError, match="cluster"):
        differences([1.0, 2.0], {"transfer": [1.0, 1.0]}, [0])
