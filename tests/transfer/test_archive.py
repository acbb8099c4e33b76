"""Models saved as one zip: the same bits come back, or an error that names the zip."""

import io
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from gppcore.errors import ForestFormatError, MissingFileError, OutputExistsError, RangeError
from gppcore.forest import Forest
from gppcore.tiles.store import TileStore
from gppcore.transfer.model import Model
from gppcore.transfer.recipe import Interval, Member
from gppcore.transfer.transfer_model import TransferModel

PREDICTORS = ("tair", "lai")


def stumps(n_features, *, seed, n=200):
    rng = np.random.default_rng(seed)
    feature = np.full((n, 3), -1)
    feature[:, 0] = rng.integers(0, n_features, n)
    return Forest.from_arrays(
        n_features=n_features,
        tree_begin=3 * np.arange(n + 1),
        feature=feature.ravel(),
        threshold=rng.normal(size=3 * n),
        left=[1, 0, 0] * n,
        right=[2, 0, 0] * n,
        value=rng.normal(0.5, 0.3, 3 * n),
    )


@pytest.fixture(scope="module")
def model():
    return TransferModel(
        PREDICTORS,
        {"process": stumps(2, seed=0)},
        (Member("boosted", "gpp", 1, 0.6),),
        {"boosted": stumps(3, seed=1)},
        0.4,
        {"pretrain": {"rows": 20}},
        Interval(1.0, 0.2, 0.5, 0.1),
    )


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model.zip")
    return tmp_path / "model.zip"


def rows(dtype=np.float64):
    return list(np.random.default_rng(3).normal(size=(2, 500)).astype(dtype))


def files(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_loaded_model_has_the_same_bits(model, saved):
    loaded = TransferModel.load(saved)
    assert loaded.recipe == model.recipe
    assert loaded.card == model.card
    assert loaded.digest == model.digest
    for dtype in (np.float32, np.float64):
        x = rows(dtype)
        for found, wanted in zip(
            loaded.predict_columns(x, interval=True), model.predict_columns(x, interval=True), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)


def test_zip_is_the_folder_in_one_file(model, saved, tmp_path):
    model.save(tmp_path / "model")
    folder = {file.name: file.read_bytes() for file in (tmp_path / "model").iterdir()}
    assert files(saved) == folder
    assert set(folder) == {"model.json", "model.gppm", "source_process.gppf", "member_boosted.gppf"}
    with zipfile.ZipFile(saved) as archive:
        archive.extractall(tmp_path / "unpacked")
    x = rows()
    np.testing.assert_array_equal(Model.load(tmp_path / "unpacked").predict_columns(x), model.predict_columns(x))


def test_same_model_makes_the_same_file_and_leaves_no_other(model, saved, tmp_path):
    model.save(tmp_path / "again" / "model.ZIP")
    assert (tmp_path / "again" / "model.ZIP").read_bytes() == saved.read_bytes()
    assert [p.name for p in (tmp_path / "again").iterdir()] == ["model.ZIP"]


def test_zip_is_not_written_over(model, saved):
    before = saved.read_bytes()
    with pytest.raises(OutputExistsError, match=r"expected a new zip, got .*model\.zip"):
        model.save(saved)
    assert saved.read_bytes() == before


def test_loading_leaves_nothing_behind(saved, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    loaded = TransferModel.load(saved)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert np.isfinite(loaded.predict_columns(rows())).all()


def test_missing_zip_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.zip"):
        TransferModel.load(tmp_path / "none.zip")


def test_zip_cut_anywhere_is_refused(saved):
    content = saved.read_bytes()
    for length in range(0, len(content), 37):
        saved.write_bytes(content[:length])
        with pytest.raises(ForestFormatError, match=r"model\.zip: expected a whole zip of a saved model"):
            TransferModel.load(saved)


def test_flipped_bits_are_refused_where_they_change_a_file(saved):
    """Others lie in dates, say, or behind the end of a compressed file."""
    before, content = files(saved), bytearray(saved.read_bytes())
    loaded = 0
    for at in range(0, len(content), 3):
        content[at] ^= 1 << at % 8
        saved.write_bytes(content)
        content[at] ^= 1 << at % 8
        try:
            TransferModel.load(saved)
        except ForestFormatError:
            continue
        assert files(saved) == before
        loaded += 1
    assert loaded < 0.05 * len(content) / 3


@pytest.mark.parametrize("name", ["model.json", "model.gppm", "source_process.gppf", "member_boosted.gppf"])
def test_missing_file_is_named_as_one_of_the_zip(saved, name):
    rewrite(saved, {k: v for k, v in files(saved).items() if k != name})
    with pytest.raises(ForestFormatError, match=rf"model\.zip.*{name}|{name}.*model\.zip"):
        TransferModel.load(saved)


def test_damaged_file_under_a_right_checksum_is_named_as_one_of_the_zip(saved):
    content = files(saved)
    content["source_process.gppf"] = content["source_process.gppf"][:-1]
    rewrite(saved, content)
    with pytest.raises(ForestFormatError, match=r"model\.zip.source_process\.gppf"):
        TransferModel.load(saved)


@pytest.mark.parametrize(
    "name",
    [
        "../model.json",
        "/tmp/source_x.gppf",
        "a/model.json",
        "..",
        "member_a/b.gppf",
        "source_\u00e9.gppf",
        "read.me",
        "member_x.gppf",
    ],
)
def test_files_that_no_model_has_are_refused(saved, tmp_path, name):
    rewrite(saved, {**files(saved), name: b"stray"})
    before = sorted(p for p in tmp_path.parent.rglob("*"))
    with pytest.raises(ForestFormatError, match=r"got: a file .*, which its recipe does not name"):
        TransferModel.load(saved)
    assert sorted(p for p in tmp_path.parent.rglob("*")) == before


def test_two_files_of_one_name_are_refused(saved):
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("model.json", "{}")
    with pytest.raises(ForestFormatError, match="two files of one name"):
        TransferModel.load(saved)


def test_bombs_are_refused_before_they_are_unpacked(saved):
    content = files(saved)
    for name in (*content, "member_x.gppf"):
        with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
            for other, data in {**content, name: bytes(2**27)}.items():
                archive.writestr(other, data)
        tracemalloc.start()
        with pytest.raises(ForestFormatError, match=r"unpacks to|more than"):
            TransferModel.load(saved)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**24


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_stored_and_deflated_files_are_read(saved, method):
    content = files(saved)
    with zipfile.ZipFile(saved, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    with pytest.raises(ForestFormatError, match="neither stored nor deflated"):
        TransferModel.load(saved)


def test_name_with_nul_is_not_cut(saved):
    content = files(saved)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, data in content.items():
            archive.writestr(name.replace("model.json", "model.jsonXevil"), data)
    saved.write_bytes(saved.read_bytes().replace(b"model.jsonXevil", b"model.json\0evil"))
    with pytest.raises(ForestFormatError, match="which its recipe does not name"):
        TransferModel.load(saved)


def test_model_is_unpacked_for_its_user_alone(saved, monkeypatch):
    seen = []
    load = Model.load

    def look(folder):
        seen.append([folder.stat().st_mode & 0o777, *(file.stat().st_mode & 0o777 for file in folder.iterdir())])
        return load(folder)

    monkeypatch.setattr("gppcore.transfer.transfer_model.Model.load", look)
    TransferModel.load(saved)
    assert seen == [[0o700, 0o600, 0o600, 0o600, 0o600]]


@pytest.mark.parametrize("card", [{"x": float("nan")}, {"x": object()}, {"x": "y" * 2**20}])
def test_card_that_could_not_be_read_is_not_saved(model, tmp_path, card):
    with pytest.raises(RangeError, match="card: expected"):
        replace(model, card=card).save(tmp_path / "model")
    assert not (tmp_path / "model" / "model.json").exists()


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "model.zip"
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for content in (b"", b"text", empty.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ForestFormatError, match=r"model\.zip"):
            TransferModel.load(path)


def test_command_maps_with_a_zip(model, saved, tmp_path):
    lat, lon = 89.75 - 0.5 * np.arange(360), -179.75 + 0.5 * np.arange(720)
    store = TileStore.create(tmp_path / "tiles", lat, lon, np.arange(100_000, 100_500))
    tair, lai = rows(np.float32)
    with store.writing():
        for name, values in zip(PREDICTORS, (np.tile(tair, (12, 1)), lai), strict=True):
            store.add(name, monthly=values.ndim == 2, attrs={})
            store.write(name, 0, values, check="ignore")
    command = [sys.executable, "-c", "from gppcore.cli.main import main; main()", "map"]
    command += [saved, store.path, tmp_path / "gpp.zarr", "--check", "ignore"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(
        TileStore.open(store.path).read_field("gpp_daily", 4), model.predict_columns([tair, lai])
    )
