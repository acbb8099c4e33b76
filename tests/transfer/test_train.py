import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from gppcore.errors import ForestFormatError, MissingFileError, OutputExistsError, RangeError, ShapeError
from gppcore.features import PREDICTORS, Samples
from gppcore.transfer.members import MEMBERS, TrainingRows, fit_member, fit_source
from gppcore.transfer.train import DIRECT_MEMBERS, direct, fine_tune, pretrain, pretrain_continue, with_process
from gppcore.transfer.transfer_model import TransferModel

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
        return pretrain(x, {"process": process_gpp(x), "light": x[:, SW]})


@pytest.fixture(scope="module")
def tuned(source):
    return fine_tune(source, towers(doubled))


def test_source_emulates_the_process_model(source):
    x = predictors(500, 9)
    error = source.predict(x) - process_gpp(x)
    assert np.sqrt(np.mean(error**2)) < 0.4
    assert source.process_weight == 1.0
    assert list(source.predict_sources(list(x.T))) == ["process", "light"]


def test_plenty_of_consistent_towers_are_trusted(source, tuned):
    assert tuned.process_weight < 0.1
    x = predictors(500, 9)
    before, after = (np.sqrt(np.mean((m.predict(x) - 2 * process_gpp(x)) ** 2)) for m in (source, tuned))
    assert after < 0.3 * before


def test_weights_make_one(tuned):
    assert all(m.weight > 0.0 for m in tuned.members)
    assert tuned.process_weight + sum(m.weight for m in tuned.members) == pytest.approx(1.0, abs=1e-12)


def test_contradictory_towers_leave_most_to_the_process_model(source):
    model = fine_tune(source, towers(contradictory, clusters=10))
    assert model.process_weight > 0.6
    x = predictors(500, 9)
    assert np.abs(model.predict(x) - source.predict(x)).mean() < 0.3


def test_one_cluster_alone_is_not_trusted(source):
    model = fine_tune(source, towers(doubled, n=200, clusters=1))
    assert model.process_weight == 1.0
    x = predictors(50, 9)
    np.testing.assert_array_equal(model.predict(x), source.predict(x))
    assert not model.has_interval
    with pytest.raises(RangeError, match="interval"):
        model.predict(x, interval=True)


def test_few_towers_are_trusted_less_than_many(source):
    few, many = (fine_tune(source, towers(doubled, n=20 * k, clusters=k)).process_weight for k in (4, 40))
    assert few > many


def test_known_years_leave_the_process_model_out(source):
    data = towers(doubled)
    data.groups["year"] = 2001 + np.arange(len(data)) % 6
    assert fine_tune(source, data, unseen="years").process_weight == 0.0
    with pytest.raises(RangeError, match="unseen: expected one of"):
        fine_tune(source, data, unseen="months")


def test_prediction_follows_the_documented_mixture(tuned):
    x = predictors(64, 9)
    sources = list(tuned.predict_sources(list(x.T)).values())
    p = sources[0]
    t = tuned.process_weight * p
    for m in tuned.members:
        v = tuned.forests[m.name].predict_columns([*x.T, *sources[: m.n_sources]])
        t = t + m.weight * {"gpp": v, "ratio": v * (p + m.offset), "residual": v + p}[m.kind]
    expected = np.maximum(p + p / (p + 0.25) * (t - p), 0.0)
    np.testing.assert_allclose(tuned.predict(x), expected, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in MEMBERS if name not in DIRECT_MEMBERS])
def test_every_member_is_usable_alone(source, name):
    model = fine_tune(source, towers(doubled), members=[name])
    assert [m.name for m in model.members] == [name]
    x = predictors(500, 9)
    better = [np.mean((m.predict(x) - 2 * process_gpp(x)) ** 2) for m in (model, source)]
    assert better[0] < 0.5 * better[1]


def test_unknown_member_and_learner_are_named(source):
    with pytest.raises(RangeError, match=r"members: expected names out of .*, got 'magic'"):
        fine_tune(source, towers(doubled), members=["magic"])
    with pytest.raises(RangeError, match=r"learner: expected one of .*, got 'magic'"):
        fine_tune(source, towers(doubled), learner="magic")


def test_lightgbm_trains_the_boosted_members(source):
    pytest.importorskip("lightgbm")
    models = [fine_tune(source, towers(doubled), learner="lightgbm") for _ in range(2)]
    x = predictors(500, 9)
    np.testing.assert_array_equal(models[0].predict(x), models[1].predict(x))
    assert np.corrcoef(models[0].predict(x), process_gpp(x))[0, 1] > 0.95


def test_boosted_members_never_fall_with_process_gpp_or_leaves(tuned):
    x = predictors(40, 9)
    forest = tuned.forests["boosted"]
    for name in ("process", "lai"):
        steps = []
        for value in np.linspace(0.0, 8.0 if name == "process" else 6.0, 60):
            rows = np.column_stack([x, process_gpp(x), x[:, SW]])
            rows[:, len(PREDICTORS) if name == "process" else LAI] = value
            steps.append(forest.predict_columns(list(rows.T)))
        assert (np.diff(steps, axis=0) >= 0.0).all(), name
    assert (steps[-1] > steps[0]).any()


def test_literal_scheme_goes_on_from_the_emulator(source):
    model = pretrain_continue(source, towers(doubled))
    assert [(m.name, m.kind, m.weight) for m in model.members] == [("continued", "residual", 1.0)]
    x = predictors(500, 9)
    assert np.mean((model.predict(x) - 2 * process_gpp(x)) ** 2) < 0.2 * np.mean(process_gpp(x) ** 2)


@pytest.mark.parametrize("learner", ["sklearn", "lightgbm"])
def test_partial_member_starts_from_a_quarter_of_the_emulator(source, learner):
    """Where trees cannot split, what remains is a quarter of the emulator and a constant."""
    pytest.importorskip(learner)
    x, emulator = predictors(8, 3), source.sources["process"]
    gpp = 3.0 + process_gpp(x)
    rows = TrainingRows(x, PREDICTORS, np.column_stack(list(source.predict_sources(list(x.T)).values())), gpp, emulator)
    forest = fit_member("partial", rows, learner=learner)
    probe = predictors(300, 9)
    found = forest.predict_columns([*probe.T, process_gpp(probe), probe[:, SW]])
    part = 0.25 * emulator.predict_columns(list(probe.T))
    assert np.ptp(part) > 0.5
    constant = gpp.mean() - 0.25 * emulator.predict_columns(list(x.T)).mean()
    np.testing.assert_allclose(found - part, constant, rtol=1e-6)


def test_process_emulator_is_replaced_alone(source):
    x = predictors(1500, 0)
    other = with_process(source, x, 3.0 * process_gpp(x))
    probe = predictors(200, 9)
    assert np.corrcoef(other.predict(probe), process_gpp(probe))[0, 1] > 0.95
    assert other.predict(probe).mean() == pytest.approx(3.0 * source.predict(probe).mean(), rel=0.1)
    assert other.sources["light"] is source.sources["light"]


def test_intervals_hold_unseen_clusters(source):
    def noisy(p, rng):
        by_cluster = rng.normal(1.0, 0.15, 60)[np.arange(p.size) % 60]
        return np.maximum(p * by_cluster + rng.normal(0.0, 0.5, p.size), 0.0)

    model = fine_tune(source, towers(noisy, n=1800, clusters=60))
    new = towers(noisy, n=1800, clusters=60, seed=50)
    gpp, low, high = model.predict(new.x, interval=True)
    np.testing.assert_array_equal(gpp, model.predict(new.x))
    assert (low <= gpp).all()
    assert (gpp <= high).all()
    assert 0.85 < np.mean((new.gpp_daily >= low) & (new.gpp_daily <= high)) < 0.95


def test_fine_tuning_is_decided_by_its_seed(source, tuned):
    x = predictors(200, 9)
    again, other = fine_tune(source, towers(doubled)), fine_tune(source, towers(doubled), seed=1)
    assert again.members == tuned.members
    np.testing.assert_array_equal(again.predict(x), tuned.predict(x))
    assert (other.predict(x) != tuned.predict(x)).any()
    assert other.card["fine_tune"]["seed"] == 1


def test_towers_with_other_predictors_are_refused(source):
    data = towers(doubled)
    other = Samples(data.x[:, 1:], data.gpp_daily, data.process, data.groups, PREDICTORS[1:])
    with pytest.raises(ShapeError, match="samples: expected predictors"):
        fine_tune(source, other)
    with pytest.raises(RangeError, match="expected process GPP as its first quantity"):
        pretrain(data.x, {"light": data.x[:, SW]})
    with pytest.raises(ShapeError, match="x: expected shape"):
        pretrain(data.x[:, 1:], {"process": data.process})


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
    with pytest.raises(ShapeError, match=f"{len(PREDICTORS)}"):
        tuned.predict_columns(list(x.T[:3].copy()))


def test_direct_model_knows_towers_only():
    model = direct(towers(doubled))
    x = predictors(500, 9)
    assert np.corrcoef(model.predict(x), process_gpp(x))[0, 1] > 0.95
    assert model.predict_sources(list(x.T)) == {}
    assert {m.name for m in model.members} <= set(DIRECT_MEMBERS)


@pytest.mark.parametrize("kind", ["source", "tuned", "direct"])
def test_saved_model_predicts_the_same_bits(kind, source, tuned, tmp_path):
    model = {"source": source, "tuned": tuned, "direct": direct(towers(doubled))}[kind]
    model.save(tmp_path / "model")
    loaded = TransferModel.load(tmp_path / "model")
    assert loaded.recipe == model.recipe
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
    with pytest.raises(MissingFileError, match=r"expected a folder with model.json, or its zip, got .*none"):
        TransferModel.load(tmp_path / "none")


def change(**fields):
    return lambda text: json.dumps(json.loads(text) | fields)


def without_checksum(text):
    return json.dumps({key: value for key, value in json.loads(text).items() if key != "crc32"})


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (change(format="another"), "expected a card of gppcore transfer model 2, got 'another'"),
        (lambda text: text[:50], "expected a JSON file, got"),
        (lambda text: "{}", "expected a card of"),
        (lambda text: "[]", "expected a card of"),
        (change(card=None), "expected a card of"),
        (change(card={"seed": 7}), "got another checksum"),
        (without_checksum, "got another checksum"),
        (change(predictors=["other"]), "got another predictors"),
        (change(unknown=1), "got another unknown"),
        (lambda text: text[:-2] + ',"deep":' + "[" * 40 + "]" * 40 + "}", "more than 32 nested"),
        (lambda text: text[:-2] + ',"deep":' + "[" * 50000 + "]" * 50000 + "}", "more than 32 nested"),
        (lambda text: text + " " * 2**20, "expected at most 1048576 bytes"),
    ],
)
def test_damaged_card_is_refused(saved, harm, message):
    card = saved / "model.json"
    card.write_text(harm(card.read_text()))
    with pytest.raises(ForestFormatError, match=message):
        TransferModel.load(saved)


@pytest.mark.parametrize("name", ["source_process", "member_trees", "model"])
def test_model_without_one_of_its_files_is_refused(saved, name):
    (saved / f"{name}.{'gppm' if name == 'model' else 'gppf'}").unlink()
    with pytest.raises(MissingFileError, match=name):
        TransferModel.load(saved)


def test_files_left_by_an_interrupted_save_are_not_taken_for_the_models(source, tmp_path):
    source.sources["process"].save(tmp_path / "source_process.gppf")
    direct(towers(doubled)).save(tmp_path)
    assert TransferModel.load(tmp_path).sources == {}


def test_process_that_was_calibrated_to_the_towers_is_not_trusted(source):
    """The emulator fits the towers, but the process model of places without a tower does not."""
    known = towers(lambda p, _: p.copy())
    rng = np.random.default_rng(0)
    elsewhere = known.gpp_daily * rng.uniform(0.5, 1.5, len(known))
    told, trusting = fine_tune(source, known, process=elsewhere), fine_tune(source, known)
    assert told.process_weight < trusting.process_weight
    (_, low, high), (_, near_low, near_high) = (m.predict(known.x, interval=True) for m in (told, trusting))
    assert np.mean(high - low) > np.mean(near_high - near_low)
    with pytest.raises(ShapeError, match=r"process: expected shape \(1200,\), got \(3,\)"):
        fine_tune(source, known, process=elsewhere[:3])


def test_a_model_that_was_not_pretrained_cannot_be_fine_tuned(source):
    alone = replace(source, sources={})
    with pytest.raises(ShapeError, match="expected emulators of the process model"):
        fine_tune(alone, towers(doubled))


def test_doubles_and_their_float32_follow_the_same_branches():
    # More values than bins, which many rows share: thresholds are values, half of which rise when rounded to float32.
    samples = towers(doubled)
    x = np.round(samples.x * 100.0) / 100.0
    emulator = fit_source(x, process_gpp(x), seed=0, n_threads=1)
    model = direct(replace(samples, x=x))
    for predict in (emulator.predict, model.predict):
        np.testing.assert_allclose(predict(x.astype(np.float32)), predict(x), atol=1e-5)
