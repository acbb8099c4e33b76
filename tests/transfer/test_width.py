import numpy as np
import pandas as pd
import pytest

from gppcore.features import PREDICTORS, Samples
from gppcore.transfer.train import fine_tune, pretrain
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
