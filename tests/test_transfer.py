import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from gppcore.errors import ForestFormatError, MissingFileError, OutputExistsError, ShapeError
from gppcore.features import PREDICTORS, Samples
from gppcore.transfer import TransferModel, direct, fine_tune, pretrain

LAI, SW = PREDICTORS.index("lai"), PREDICTORS.index("sw")


def predictors(n, seed):
    x = np.random.default_rng(seed).random((n, len(PREDICTORS)))
    x[:, LAI] *= 6.0
    return x


def process_gpp(x):
    return 1.5 * x[:, LAI] * x[:, SW]


def towers(gpp, n=1200, clusters=40, seed=1):
    """Tower months whose GPP is `gpp(process GPP, random numbers)`."""
    x, rng = predictors(n, seed), np.random.default_rng(seed + 1)
    cluster = np.arange(n) % clusters
    groups = pd.DataFrame({"site": cluster, "cluster": cluster, "region": "C", "pft": "DBF", "year": 2001, "month": 1})
    return Samples(x, gpp(process_gpp(x), rng), process_gpp(x), groups)


def doubled(p, rng):
    return 2.0 * p + rng.normal(0.0, 0.1, p.size)


def contradictory(p, _):
    """Return what half of the clusters say and the other half deny."""
    return p + np.where(np.arange(p.size) % 2, 2.0, -2.0)


@pytest.fixture(scope="module")
def source():
    import sklearn.ensemble  # noqa: F401  # the limit holds for libraries that are loaded

    x = predictors(1500, 0)
    with threadpool_limits(1, "openmp"):
        return pretrain(x, process_gpp(x))


@pytest.fixture(scope="module")
def tuned(source):
    return fine_tune(source, towers(doubled))


def test_source_emulates_the_process_model(source):
    x = predictors(500, 9)
    error = source.predict(x) - process_gpp(x)
    assert np.sqrt(np.mean(error**2)) < 0.4
    assert source.weight == 0.0


def test_plenty_of_consistent_towers_are_trusted(source, tuned):
    assert tuned.weight > 0.95
    x = predictors(500, 9)
    before, after = (np.sqrt(np.mean((m.predict(x) - 2 * process_gpp(x)) ** 2)) for m in (source, tuned))
    assert after < 0.2 * before


def test_contradictory_towers_leave_the_process_model(source):
    model = fine_tune(source, towers(contradictory))
    assert model.weight < 0.1
    x = predictors(500, 9)
    assert np.abs(model.predict(x) - source.predict(x)).mean() < 0.1


def test_one_cluster_alone_is_not_trusted(source):
    model = fine_tune(source, towers(doubled, n=200, clusters=1))
    assert model.weight == 0.0
    x = predictors(50, 9)
    np.testing.assert_array_equal(model.predict(x), source.predict(x))


def test_prediction_is_process_plus_weighted_correction(tuned):
    x = predictors(64, 9)
    p = tuned.predict_source(list(x.T))
    target = tuned.target.predict_columns([*x.T, p])
    np.testing.assert_array_equal(tuned.predict(x), np.maximum((target - p) * (p / (p + 0.25) * tuned.weight) + p, 0.0))


def test_target_never_falls_with_process_gpp_or_leaves(tuned):
    x = predictors(40, 9)
    for name, low, high in (("process", 0.0, 12.0), ("lai", 0.0, 6.0)):
        steps = []
        for value in np.linspace(low, high, 60):
            rows = np.column_stack([x, process_gpp(x)])
            rows[:, -1 if name == "process" else LAI] = value
            steps.append(tuned.target.predict_columns(list(rows.T)))
        assert (np.diff(steps, axis=0) >= 0.0).all(), name
        assert (steps[-1] > steps[0]).any(), name


def test_fine_tuning_is_decided_by_its_seed(source, tuned):
    x = predictors(200, 9)
    again, other = fine_tune(source, towers(doubled)), fine_tune(source, towers(doubled), seed=1)
    assert again.weight == tuned.weight
    np.testing.assert_array_equal(again.predict(x), tuned.predict(x))
    assert (other.predict(x) != tuned.predict(x)).any()
    assert other.card["fine_tune"]["seed"] == 1


def test_gpp_is_not_negative_and_keeps_the_number_type(tuned):
    low = direct(towers(lambda p, rng: -p))
    for model in (tuned, low):
        for dtype in (np.float32, np.float64):
            gpp = model.predict(predictors(100, 9).astype(dtype))
            assert gpp.dtype == dtype
            assert gpp.min() >= 0.0


def test_rows_columns_and_threads_agree(tuned):
    x = predictors(3000, 9)
    x[::7, LAI] = np.nan
    expected = tuned.predict(x)
    for threads in (0, 2, 3):
        np.testing.assert_array_equal(tuned.predict_columns(list(x.T.copy()), n_threads=threads), expected)
    with pytest.raises(ShapeError, match=f"expected {len(PREDICTORS)} predictors, got 3"):
        tuned.predict_columns(list(x.T[:3].copy()))


def test_direct_model_knows_towers_only():
    model = direct(towers(doubled))
    x = predictors(500, 9)
    assert np.corrcoef(model.predict(x), process_gpp(x))[0, 1] > 0.95
    with pytest.raises(ShapeError, match="expected a model with a source forest, got a direct model"):
        model.predict_source(list(x.T.copy()))


@pytest.mark.parametrize("kind", ["source", "tuned", "direct"])
def test_saved_model_predicts_the_same_bits(kind, source, tuned, tmp_path):
    model = {"source": source, "tuned": tuned, "direct": direct(towers(doubled))}[kind]
    model.save(tmp_path / "model")
    loaded = TransferModel.load(tmp_path / "model")
    assert loaded.weight == model.weight
    assert loaded.card == model.card
    for dtype in (np.float32, np.float64):
        x = predictors(500, 9).astype(dtype)
        np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_loading_and_predicting_need_no_scikit_learn(tuned, tmp_path):
    tuned.save(tmp_path / "model")
    x = predictors(20, 9)
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import numpy as np\nfrom gppcore import TransferModel\n"
        "np.save('y.npy', TransferModel.load('model').predict(np.load('x.npy')))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=os.environ)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), tuned.predict(x))


@pytest.fixture
def saved(tuned, tmp_path):
    tuned.save(tmp_path / "model")
    return tmp_path / "model"


def test_model_is_not_saved_over_another(tuned, saved):
    with pytest.raises(OutputExistsError, match=r"expected a folder without a model"):
        tuned.save(saved)


def test_missing_model_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"expected a folder with model.json, got .*none"):
        TransferModel.load(tmp_path / "none")


def change(**fields):
    return lambda text: json.dumps(json.loads(text) | fields)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (change(predictors=["tair"]), r"expected predictors \['tair', 'vpd'.*, got \['tair'\]"),
        (lambda text: text[:50], "expected a model card, got JSONDecodeError"),
        (lambda text: "{}", "expected a model card, got KeyError"),
    ],
)
def test_damaged_card_is_refused(saved, harm, message):
    card = saved / "model.json"
    card.write_text(harm(card.read_text()))
    with pytest.raises(ForestFormatError, match=message):
        TransferModel.load(saved)


@pytest.mark.parametrize("name", ["source", "target"])
def test_model_without_one_of_its_forests_is_refused(saved, name):
    (saved / f"{name}.gppf").unlink()
    with pytest.raises(MissingFileError, match=f"{name}.gppf"):
        TransferModel.load(saved)


def test_forest_left_by_an_interrupted_save_is_not_taken_for_the_models(source, tmp_path):
    source.source.save(tmp_path / "source.gppf")
    direct(towers(doubled)).save(tmp_path)
    assert TransferModel.load(tmp_path).source is None
