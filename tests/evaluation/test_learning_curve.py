"""Learning curves: means over draws and their spread."""

import numpy as np
import pytest
from scipy.stats import ttest_rel
from sklearn.metrics import r2_score, root_mean_squared_error

from gppcore.errors import RangeError
from gppcore.evaluation.learning_curve import learning_curve


@pytest.fixture(name="draws")
def _draws(predictions):
    rng = np.random.default_rng(1)
    tables = [predictions.assign(transfer=predictions["observed"] + rng.normal(0, 1 + i / 8, 480)) for i in range(8)]
    return [(10, tables[0]), *((5, table.sample(200, random_state=i)) for i, table in enumerate(tables))]


def test_curve_equals_the_skill_of_every_draw(draws):
    ten, five = learning_curve(draws)[::-1]
    assert [(point["towers"], point["draws"]) for point in (five, ten)] == [(5, 8), (10, 1)]
    tables = [table for towers, table in draws if towers == 5]
    for metric, figure in (("r2", r2_score), ("rmse", root_mean_squared_error)):
        each = {name: [figure(t["observed"], t[name]) for t in tables] for name in ("process", "direct", "transfer")}
        for name, values in each.items():
            want = [np.mean(values), *np.quantile(values, (0.05, 0.95))]
            assert five["methods"][name][metric] == pytest.approx(want)
        for name in ("process", "direct"):
            ours = five["differences"][f"transfer - {name}"][metric]
            t_interval = ttest_rel(each["transfer"], each[name]).confidence_interval(0.9)
            want = [np.mean(each["transfer"]) - np.mean(each[name]), t_interval.low, t_interval.high]
            assert ours == pytest.approx(want)


def test_one_draw_has_no_interval_of_differences(draws):
    (point,) = learning_curve(draws[:1])
    value, low, high = point["differences"]["transfer - direct"]["r2"]
    assert np.isfinite(value)
    assert np.isnan([low, high]).all()


def test_draws_without_variance_are_left_out_of_r2(draws):
    flat = draws[0][1].assign(observed=1.0)
    (point,) = learning_curve([draws[0], (10, flat)])
    assert point["methods"]["direct"]["r2"] == learning_curve(draws[:1])[0]["methods"]["direct"]["r2"]
    (alone,) = learning_curve([(10, flat)])
    assert np.isnan(alone["methods"]["direct"]["r2"]).all()
    assert np.isnan(alone["differences"]["transfer - direct"]["r2"]).all()


def test_methods_that_change_between_draws_are_refused(draws):
    with pytest.raises(RangeError, match="draws of 10 towers"):
        learning_curve([draws[0], (10, draws[0][1].drop(columns="process"))])
    without = [(10, draws[0][1].drop(columns="transfer"))]
    assert learning_curve(without)[0]["differences"] == {}
