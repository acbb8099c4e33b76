"""No name of a variable or of a part of a model leads out of its folder, whatever it holds."""

import numpy as np
import pytest

from gppcore.errors import GppcoreError
from gppcore.forest import Forest
from gppcore.io.names import is_name
from gppcore.mapping import map_gpp
from gppcore.tiles import TileStore
from gppcore.tiles.build import Cells, TileRecipe, VariableSource, build_tiles
from gppcore.transfer.recipe import Member
from gppcore.transfer.transfer_model import TransferModel

UP = ["..", "../x", "../../x", "a/../../x", "a/..", "./x", "x/..", "x/.", ".", "....//x", "..\\x", "a\\..\\x", "..;/x"]
ROOTS = [
    "/",
    "//",
    "/x",
    "//x",
    "/etc/passwd",
    "/tmp/x",
    "\\x",
    "C:\\x",
    "C:x",
    "~",
    "~/x",
    "~root",
    "$HOME",
    "file:///x",
]
HIDDEN = [".x", "..x", "...", ".zarr", ".zgroup", ".zattrs", ".git", "..zarr.json"]
CODED = ["%2e%2e%2fx", "%2e%2e/x", "..%2fx", "..%c0%afx", "%00", "&#46;&#46;/x", "\\u002e\\u002e/x", "0x2e0x2e"]
WIDE = [
    "\uff0e\uff0e\uff0fx",
    "\u2024\u2024/x",
    "\u2215x",
    "\u2044x",
    "\u00e9",
    "\u0301x",
    "\u200bx",
    "x\u200b",
    "\u202ex",
    "\U0001f333",
    "\ufeffx",
    "\u0430",
    "x\u00a0y",
    "\u0660",
]
CONTROL = [f"x{chr(code)}y" for code in (*range(32), *range(127, 161), 0x2000, 0x2028, 0x2029)]
ENDS = [f"x{c}" for c in "\0\n\r\t /\\"] + [f"{c}x" for c in "\0\n\r\t /\\"]
SIGNS = [f"x{c}y" for c in " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~"]
SIGNS += list(" !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~")
COMMANDS = [
    "$(id)",
    "`id`",
    "x;id",
    "x|id",
    "x&&id",
    "x>y",
    "{x}",
    "{0}",
    "%s",
    "%n",
    "x' or '1",
    "<x>",
    "__import__('os')",
]
LONG = ["x" * n for n in (48, 100, 255, 256, 4096, 100_000)] + ["../" * n + "x" for n in (1, 10, 1000)]
EMPTY = ["", " ", "  ", "\n", "\0", "\0\0"]
SURROGATES = ["\ud800", "x\udcff", "\udc2e\udc2e/x"]
HOSTILE = sorted(
    {*UP, *ROOTS, *HIDDEN, *WIDE, *CONTROL, *ENDS, *SIGNS, *COMMANDS, *LONG, *EMPTY, *SURROGATES, *CODED} - {"0x2e0x2e"}
)
OTHERS = [None, 1, 1.5, b"x", ("x",), ["x"], {"x": 1}]


def test_the_list_is_long_and_no_name_in_it_is_accepted():
    assert len(HOSTILE) >= 200
    assert [name for name in HOSTILE if is_name(name)] == []


@pytest.fixture
def store(tmp_path):
    return TileStore.create(tmp_path / "deep" / "er" / "store", [1.0, 0.0], [0.0, 1.0], np.array([0]))


def files(folder):
    return sorted(str(path) for path in folder.rglob("*") if not path.name.endswith(".lock"))


def refused(action):
    with pytest.raises(GppcoreError, match=r"expected (a name|names|a variable)"):
        action()


def test_variables_of_a_store(store, tmp_path):
    before = files(tmp_path)
    for name in [*HOSTILE, *OTHERS]:
        refused(lambda name=name: store.add(name, monthly=False, attrs={}))
        refused(lambda name=name: store.attributes(name))
        refused(lambda name=name: store.write(name, 0, np.zeros(1, np.float32)))
        refused(lambda name=name: store.read(name, 0))
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["time", "lat", "lon", "cell", "x.part"])
def test_names_that_the_store_uses_itself(store, name):
    refused(lambda: store.add(name, monthly=False, attrs={}))


def stump():
    tree = {"tree_begin": [0, 3], "feature": [0, -1, -1], "threshold": [0.5, 0, 0], "value": [0.0, 1, 2]}
    return Forest.from_arrays(n_features=1, left=[1, 0, 0], right=[2, 0, 0], **tree)


def test_variables_of_a_map(store):
    store.add("a", monthly=True, attrs={})
    store.write("a", 0, np.zeros((12, 1), np.float32))
    for name in HOSTILE:
        refused(lambda name=name: map_gpp(TransferModel.of_forest(stump(), ("a",)), store, variable=name))


def test_keys_of_a_recipe(tmp_path):
    for name in HOSTILE:
        source = VariableSource(path="x.nc", variable="x", units="1")
        refused(
            lambda name=name, source=source: build_tiles(TileRecipe(Cells("x.nc", "x"), {name: source}), tmp_path / "s")
        )


def test_parts_of_a_model(tmp_path):
    for name in HOSTILE:
        member = Member(name, "gpp", 0, 1.0)
        models = (
            TransferModel(("a",), {}, (member,), {name: stump()}, 0.0, {}),
            TransferModel(("a",), {name: stump()}, (), {}, 1.0, {}),
            TransferModel.of_forest(stump(), (name,)),
        )
        for model in models:
            refused(lambda model=model: model.save(tmp_path / "model"))
    assert not (tmp_path / "model" / "model.json").exists()


def test_path_with_nul_is_not_cut(tmp_path):
    for action in (stump().save, Forest.load, TransferModel.load):
        with pytest.raises(GppcoreError, match=r"NUL|expected"):
            action(f"{tmp_path}/x.gppf\0.txt")
    assert files(tmp_path) == []
