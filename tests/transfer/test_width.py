from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gppcore.features import PREDICTORS, Samples
from gppcore.transfer.members import TrainingRows, fit_gaussian, spread
from gppcore.transfer.train import _wider, direct, fine_tune, pretrain
from gppcore.transfer.transfer_model import TransferModel
from gppcore.transfer.width import NAMES

LAI, SW = PREDICTORS.index("lai"), PREDICTORS.index("sw")
GRASS, CROP = (PREDICTORS.index(f"fraction_{name}") for name in ("grass", "crop"))


@pytest.fixture(scope="module")
def samples():
    """Towers of grass and of crop; those of crop differ from each other, and no predictor tells why."""
    rng = np.random.default_rng(0)
    n, towers = 1200, 40
    site = np.arange(n) % towers
    x = rng.random((n, len(PREDICTORS)))
    x[:, LAI] *= 6.0
    x[:, PREDICTORS.index("c4_fraction") + 1 :] = 0.0
    crop = site % 2 == 1
    x[crop, CROP], x[~crop, GRASS] = 1.0, 1.0
    process = 1.0 + x[:, LAI] * x[:, SW]
    own = np.where(crop, 1.0, 0.1) * rng.normal(size=towers)[site]
    gpp = np.maximum(process * (1.0 + 0.4 * own) + rng.normal(0.0, 0.2, n), 0.0)
    groups = pd.DataFrame({"site": site, "cluster": site, "region": "C", "pft": np.where(crop, "CRO", "GRA")})
    return Samples(x, gpp, process, groups.assign(year=2001, month=1))


@pytest.fixture(scope="module")
def tuned(samples):
    source = pretrain(samples.x, {"process": samples.process}, n_threads=1)
    return fine_tune(source, samples, process=samples.process, members=("trees", "gaussian"), n_threads=1)


def test_intervals_are_wider_where_towers_differ(tuned, samples):
    _, low, high = tuned.predict(samples.x, interval=True)
    crop = (samples.groups["pft"] == "CRO").to_numpy()
    width = high - low
    assert width[crop].mean() > 1.5 * width[~crop].mean()
    inside = (low <= samples.gpp_daily) & (samples.gpp_daily <= high)
    assert inside[crop].mean() > 0.75


def test_types_that_err_more_than_expected_are_widened():
    relative = np.concatenate([np.full(200, 0.4), np.full(200, 1.2), np.full(10, 3.0)])
    main, cluster = np.repeat([0, 1, 2], [200, 200, 10]), np.concatenate([np.arange(400) // 20, np.full(10, 99)])
    found = _wider(relative, main, cluster)
    assert found[0] == 1.0, "a type that errs less keeps its width"
    ratio = 1.44 / np.mean(relative**2)
    assert found[1] == pytest.approx(np.sqrt((10 * ratio + 4) / 14))
    assert 1.0 < found[2] < np.sqrt(9.0 / np.mean(relative**2)), "one cluster tells little"


def test_places_unlike_all_towers_have_wide_intervals(samples):
    """Climate far from that of the towers: intervals widen in proportion to the dissimilarity index."""
    rng = np.random.default_rng(3)
    climate = rng.normal(10.0, 2.0, 40)
    x = np.hstack([samples.x, climate[np.arange(len(samples)) % 40][:, None]])
    groups = samples.groups.assign(lat=40.0, lon=np.arange(len(samples)) % 40)
    moved = replace(samples, x=x, groups=groups, predictors=(*PREDICTORS, "tair_growing"))
    model = direct(moved, n_threads=1)
    assert model.errors is not None
    known = model.applicability
    far, rows = x.copy(), np.arange(40)
    far[:, -1] = 20.0
    near_index, far_index = (known.dissimilarity(each[rows], moved.predictors) for each in (x, far))
    np.testing.assert_array_equal(known.widening(x[rows], moved.predictors), 1.0)
    factor = known.widening(far[rows], moved.predictors)
    assert (near_index == 0.0).all()
    np.testing.assert_allclose(factor, np.maximum(far_index / (0.7 * known.threshold), 1.0))
    trained = TrainingRows(x, moved.predictors, np.zeros((len(x), 0)), moved.gpp_daily, None, *_towers(groups))
    residuals = fit_gaussian(trained)
    process = np.full(len(rows), 5.0)
    np.testing.assert_allclose(
        spread(trained, residuals, far[rows], process), residuals.sd(far[rows], process) * factor
    )


def _towers(groups):
    return groups["site"].to_numpy(), groups["cluster"].to_numpy()


def test_the_pair_adds_nothing_to_gpp(tuned, samples):
    pair = [m for m in tuned.members if m.name in NAMES]
    assert len(pair) == 2
    assert sum(m.weight for m in tuned.members) + tuned.process_weight == pytest.approx(1.0)
    values = [tuned.forests[m.name].predict_columns([*samples.x.T, samples.process]) for m in pair]
    np.testing.assert_allclose(values[0], -values[1], rtol=1e-12)
    assert (values[0] > 0.0).all()


def test_float32_and_files_keep_it(tuned, samples, tmp_path):
    tuned.save(tmp_path / "model")
    loaded = TransferModel.load(tmp_path / "model")
    # Rows that no tree saw: rounding moves those of training, which splits can equal, to the other side.
    x = samples.x + 1e-4 * np.random.default_rng(5).random(samples.x.shape)
    double = loaded.predict(x, interval=True, check="ignore")
    single = loaded.predict(x.astype(np.float32), interval=True, check="ignore")
    for wide, narrow, before in zip(double, single, tuned.predict(x, interval=True, check="ignore"), strict=True):
        np.testing.assert_array_equal(wide, before)
        assert np.mean(np.abs(wide - narrow) < 1e-4 * (1.0 + wide)) > 0.97


def test_intervals_of_other_years_are_wider_where_years_differ(samples):
    """Crops whose GPP differs from year to year, and grass that has the same every year."""
    rng, n = np.random.default_rng(5), len(samples)
    year = 2001 + np.arange(n) // 40 % 8
    crop = (samples.groups["pft"] == "CRO").to_numpy()
    of_year = rng.normal(size=(8, 40))[year - 2001, samples.groups["site"]]
    gpp = np.maximum(5.0 + np.where(crop, 2.5, 0.3) * of_year + rng.normal(0.0, 0.2, n), 0.0)
    data = replace(samples, gpp_daily=gpp, groups=samples.groups.assign(year=year))
    early = year <= 2006
    model = direct(data.take(early), unseen="years", n_threads=1)
    assert {member.name for member in model.members} >= set(NAMES)
    found, low, high = model.predict(data.x, interval=True)
    inside = (low <= gpp) & (gpp <= high)
    assert (high - low)[crop].mean() > 3.0 * (high - low)[~crop].mean()
    for which in (crop, ~crop):
        assert inside[which & ~early].mean() > 0.8
    bare = replace(model, members=model.members[:-2], forests=dict(list(model.forests.items())[:-2]))
    np.testing.assert_allclose(found, bare.predict(data.x), atol=1e-6)
