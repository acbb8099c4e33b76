"""What is not a plain file is refused at once by every reader, and errors of the system are typed."""

import errno
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

from gppcore import read_fluxnet
from gppcore.calibration.result import Calibration
from gppcore.errors import FileAccessError, ForestFormatError, GppcoreError
from gppcore.forest import Forest
from gppcore.forest.formats.lightgbm import read_lightgbm
from gppcore.io.cf import open_cf
from gppcore.io.reading import check_file, parse_json, read_file
from gppcore.tiles.build import TileRecipe
from gppcore.tiles.store import TileStore
from gppcore.transfer.recipe import read_model
from gppcore.transfer.transfer_model import TransferModel

LIGHTGBM = Path(__file__).parents[1] / "forest" / "formats" / "lightgbm_model.txt"
READERS = {
    "forest": Forest.load,
    "LightGBM": Forest.from_lightgbm,
    "XGBoost": Forest.from_xgboost,
    "model": TransferModel.load,
    "recipe of a model": read_model,
    "recipe of tiles": TileRecipe.read,
    "calibration": Calibration.load,
    "CF file": lambda path: open_cf(path, "x"),
    "tile store": TileStore.open,
    "tower file": read_fluxnet,
}


def pipe(path):
    os.mkfifo(path)
    return path


def folder(path):
    path.mkdir()
    return path


def device(path):
    path.symlink_to("/dev/zero")
    return path


def null_in_name(path):
    return path.with_name("x\0.gppf")


@pytest.mark.parametrize("kind", [pipe, folder, device, null_in_name])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_not_a_file(reader, kind, tmp_path):
    begin = time.monotonic()
    path = kind(tmp_path / "x")
    with np.errstate(all="raise"), pytest.raises(GppcoreError):
        READERS[reader](path)
    assert time.monotonic() - begin < 5.0


@pytest.mark.parametrize("name", ["EIO", "EACCES", "EMFILE", "ENFILE", "EROFS", "ESTALE"])
def test_errors_of_the_system_are_typed(name, tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"{}")

    def fail(*_):
        raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))

    monkeypatch.setattr("gppcore._core.open_file", fail)
    with pytest.raises(FileAccessError) as raised:
        read_file(path, ForestFormatError)
    assert raised.value.errno == getattr(errno, name)


def test_size_is_bounded(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_file(path, ForestFormatError, limit=5) == b"12345"
    with pytest.raises(ForestFormatError, match="expected at most 4 bytes, got 5"):
        read_file(path, ForestFormatError, limit=4)
    check_file(path, ForestFormatError)


@pytest.mark.parametrize(
    "text", ["[" * 33 + "]" * 33, '{"a":' * 33 + "1" + "}" * 33, "[" * 10**6, "[1", "\ufeff{}", "9" * 5000]
)
def test_wrong_json(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_json_of_the_largest_depth():
    assert parse_json("[" * 32 + "]" * 32)


@pytest.mark.parametrize("number", ["1_0", "\u0661", "\uff11", "1__0", "_1", "0x1", "1e", ""])
@pytest.mark.parametrize("key", ["max_feature_idx", "num_leaves", "threshold", "leaf_value", "left_child"])
def test_numbers_are_those_of_the_format(key, number):
    text = LIGHTGBM.read_text()
    changed = re.sub(rf"^{key}=\S+", f"{key}={number}", text, count=1, flags=re.MULTILINE)
    assert changed != text
    with pytest.raises(ForestFormatError):
        read_lightgbm(re.sub(r"tree_sizes=.*\n", "", changed))
