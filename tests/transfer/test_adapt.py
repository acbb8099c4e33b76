from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import RangeError, ShapeError
from gppcore.features import PREDICTORS, Samples
from gppcore.transfer.adapt import adapt
from gppcore.transfer.train import direct, fine_tune, pretrain
from gppcore.transfer.transfer_model import TransferModel

TAIR, SW, LAI, C4 = (PREDICTORS.index(name) for name in ("tair", "sw", "lai", "c4_fraction"))
GRASS, CROP = (PREDICTORS.index(f"fraction_{name}") for name in ("grass", "crop"))


def process_gpp(x):
    return 0.01 * x[:, LAI] * x[:, SW]


def months(site, n=36, *, factor=1.0, crop=0.0, seed=0):
    """Months of one tower, whose GPP is process GPP times a factor."""
    rng = np.random.default_rng([seed, site])
    month = np.arange(n) % 12 + 1
    season = 0.5 - 0.5 * np.cos(2 * np.pi * (month - 0.5) / 12)
    x = np.zeros((n, len(PREDICTORS)))
    x[:, TAIR] = 2.0 + 18.0 * season + rng.normal(0, 1, n)
    x[:, SW] = 80.0 + 180.0 * season + rng.normal(0, 10, n)
    x[:, LAI] = 0.5 + 3.0 * season + 0.05 * site
    x[:, CROP], x[:, GRASS] = crop, 1.0 - crop
    gpp = np.maximum(factor * process_gpp(x) + rng.normal(0, 0.2, n), 0.0)
    groups = pd.DataFrame(
        {"site": f"S{site}", "cluster": site, "region": "C", "pft": "GRA", "year": 2000 + np.arange(n) // 12}
    )
    return Samples(x, gpp, process_gpp(x), groups.assign(month=month))


def joined(parts):
    groups = pd.concat([p.groups for p in parts], ignore_index=True)
    x, gpp, process = (np.concatenate([getattr(p, name) for p in parts]) for name in ("x", "gpp_daily", "process"))
    return Samples(x, gpp, process, groups)


@pytest.fixture(scope="module")
def others():
    factors = np.random.default_rng(3).uniform(0.7, 1.3, 12)
    return joined([months(i, factor=f, crop=float(i % 2)) for i, f in enumerate(factors)])


@pytest.fixture(scope="module")
def tuned(others):
    x = np.vstack([others.x] * 3)
    x[:, LAI] *= np.random.default_rng(0).uniform(0.5, 1.5, len(x))
    source = pretrain(x, {"process": process_gpp(x)}, n_threads=1)
    return fine_tune(source, others, members=("trees", "gaussian"), n_threads=1)


@pytest.fixture(scope="module")
def alone(others):
    return direct(others, n_threads=1)


@pytest.mark.parametrize("kind", ["tuned", "alone"])
def test_own_months_tell_of_the_others(kind, request):
    model = request.getfixturevalue(kind)
    tower = months(40, factor=1.6)
    first, rest = tower.take(np.arange(12)), tower.take(np.arange(12, 36))
    adapted = adapt(model, first, n_threads=1)
    error = [np.sqrt(np.mean((m.predict(rest.x) - rest.gpp_daily) ** 2)) for m in (model, adapted)]
    assert error[1] < 0.6 * error[0]
    gpp, low, high = adapted.predict(rest.x, interval=True)
    assert (low <= gpp).all()
    assert (gpp <= high).all()
    assert np.mean((low <= rest.gpp_daily) & (rest.gpp_daily <= high)) > 0.8
    erratic = replace(first, gpp_daily=np.maximum(first.gpp_daily + np.tile([3.0, -3.0], 6), 0.0))
    _, low_erratic, high_erratic = adapt(model, erratic, n_threads=1).predict(rest.x, interval=True)
    assert np.mean(high_erratic - low_erratic) > 1.3 * np.mean(high - low)
    # Half a year tells less than a year, and more than nothing.
    half = adapt(model, tower.take(np.arange(6)), n_threads=1)
    assert error[1] < np.sqrt(np.mean((half.predict(rest.x) - rest.gpp_daily) ** 2)) < error[0]


def test_other_places_stay_as_they_were(tuned):
    adapted = adapt(tuned, months(40, factor=1.6), n_threads=1)
    elsewhere = months(41, crop=1.0)
    here = months(40)
    change = [np.abs(adapted.predict(s.x) - tuned.predict(s.x)).mean() for s in (elsewhere, here)]
    assert change[0] < 0.15 * change[1]


def test_adapted_model_survives_a_file(tuned, tmp_path):
    tower = months(40, factor=1.6)
    adapted = adapt(tuned, tower, n_threads=1)
    adapted.save(tmp_path / "model")
    loaded = TransferModel.load(tmp_path / "model")
    assert loaded == adapted
    assert loaded.card["adapt"] == {"sites": ["S40"], "months": 36}
    np.testing.assert_array_equal(loaded.predict(tower.x), adapted.predict(tower.x))
    assert adapt(tuned, tower, n_threads=2) == adapted
    tuned.save(tmp_path / "before")
    assert adapt(TransferModel.load(tmp_path / "before"), tower, n_threads=1) == adapted


def test_wrong_models_and_months_are_refused(tuned):
    tower = months(40)
    with pytest.raises(ShapeError, match="samples: expected months of the towers, got none"):
        adapt(tuned, tower.take(np.arange(0)))
    with pytest.raises(ShapeError, match="samples: expected predictors"):
        adapt(tuned, Samples(tower.x[:, :2], tower.gpp_daily, tower.process, tower.groups, PREDICTORS[:2]))
    with pytest.raises(RangeError, match="adapted yet"):
        adapt(adapt(tuned, tower, n_threads=1), tower)
    bare = pretrain(tower.x, {"process": tower.process}, n_threads=1)
    with pytest.raises(RangeError, match="without their axes"):
        adapt(bare, tower)
