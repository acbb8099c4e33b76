"""The .gppf file: every field is kept, arrays are aligned, and what is wrong is named."""

import struct

import numpy as np
import pytest

from gppcore.errors import ForestFormatError
from gppcore.forest import Forest


@pytest.fixture
def everything(random_forest):
    return random_forest(
        n_leaves=(1, 9, 40, 300),
        n_outputs=3,
        wide=True,
        link="softmax",
        link_scale=0.5,
        feature_names=["ä", "b", "c", "d"],
    )


def test_every_field_is_kept(everything, random_rows, tmp_path):
    everything.save(tmp_path / "f.gppf")
    again = Forest.load(tmp_path / "f.gppf")
    for name, array in everything.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
    x = random_rows(800)
    np.testing.assert_array_equal(again.predict(x), everything.predict(x))
    again.save(tmp_path / "g.gppf")
    assert (tmp_path / "g.gppf").read_bytes() == (tmp_path / "f.gppf").read_bytes()


def test_arrays_lie_in_the_mapped_file(everything, tmp_path):
    everything.save(tmp_path / "f.gppf")
    again = Forest.load(tmp_path / "f.gppf")
    content = (tmp_path / "f.gppf").read_bytes()
    for name, array in again.arrays().items():
        if isinstance(array, np.ndarray):
            assert array.ctypes.data % 64 == 0, name
            assert array.tobytes() in content
            assert not array.flags.writeable


def test_a_replaced_file_does_not_touch_the_loaded_forest(everything, random_forest, random_rows, tmp_path):
    path, x = tmp_path / "f.gppf", random_rows(100)
    everything.save(path)
    loaded, expected = Forest.load(path), everything.predict(x)
    random_forest().save(path)
    np.testing.assert_array_equal(loaded.predict(x), expected)
    np.testing.assert_array_equal(loaded.arrays()["value"], everything.arrays()["value"])
    path.unlink()
    np.testing.assert_array_equal(loaded.predict(x), expected)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def edited(content, offset, layout, value):
    """Change one number of the header and make the checksum right again."""
    content = bytearray(content)
    struct.pack_into(layout, content, offset, value)
    struct.pack_into("<I", content, 12, crc32c(content[16:]))
    return bytes(content)


@pytest.mark.parametrize(
    ("offset", "layout", "value", "message"),
    [
        (0, "<8s", b"GPPX\r\n\x1a\n", "another format"),
        (8, "<I", 1, "version: expected 2, got 1"),
        (8, "<I", 3, "version: expected 2, got 3"),
        (16, "<Q", 5, "size: expected 5 bytes"),
        (24, "<q", 0, "n_features: expected 1 to 32768, got 0"),
        (24, "<q", 32769, "n_features: expected 1 to 32768, got 32769"),
        (32, "<Q", 2**63, "sizes in the header exceed"),
        (40, "<Q", 2, "expected 1 or n_outputs = 1, got 2|sizes in the header"),
        (40, "<Q", 2**62, "does not fit 64 bits"),
        (48, "<Q", 2**64 - 1, "sizes in the header"),
        (56, "<Q", 2**61, "sizes in the header"),
        (64, "<Q", 2**64 - 1, "sizes in the header"),
        (80, "<Q", 1, "sizes in the header|feature_names"),
        (88, "<d", np.nan, "link_scale: expected a finite number"),
        (96, "<I", 4, "link: expected 0 to 3, got 4"),
    ],
)
def test_a_wrong_header_is_named(random_forest, tmp_path, offset, layout, value, message):
    path = tmp_path / "f.gppf"
    random_forest(n_leaves=(3,)).save(path)
    content = path.read_bytes()
    assert edited(content, 24, "<q", 4) == content  # the checksum here is that of the file
    path.write_bytes(edited(content, offset, layout, value))
    with pytest.raises(ForestFormatError, match=f"f.gppf: .*({message})"):
        Forest.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"link": "probit"}, "link: expected one of"),
        ({"flags": [64, 0, 0]}, "flags: expected 0 to 63, got 64"),
        ({"flags": [8, 0, 0], "threshold": [3, 0, 0]}, "number of a category set, less than 3, got 3"),
        ({"flags": [8, 0, 0], "threshold": [0.5, 0, 0]}, "number of a category set"),
        ({"flags": [8, 0, 0], "threshold": [-1, 0, 0]}, "number of a category set"),
        ({"set_begin": [0, 4, 2, 6]}, "set_begin: expected ascending"),
        ({"set_begin": [0, 2]}, "set_begin: expected 0 first and 6 last"),
        ({"base": np.zeros(4097)}, "n_outputs: expected 1 to 4096, got 4097"),
        ({"tree_output": [1]}, "tree 0: output: expected 0 to 0, got 1"),
        ({"tree_output": [0, 0]}, "tree_output: expected 1 values, got 2"),
        ({"value": np.zeros((3, 2))}, "leaf_width: expected 1 or n_outputs = 1, got 2"),
        ({"value": [0, 1e308, 0], "base": 1e308}, "sum is finite|finite sum"),
        ({"feature_names": ["a", "b", "c", "d\0"]}, "no NUL byte"),
    ],
)
def test_arrays_that_are_no_forest(random_forest, changes, message):
    options = {
        "feature": [0, -1, -1],
        "left": [1, 0, 0],
        "right": [2, 0, 0],
        "threshold": [0.0, 0, 0],
        "flags": [0] * 3,
    }
    with pytest.raises(ForestFormatError, match=message):
        random_forest(n_leaves=(2,), **(options | changes))


def test_bytes_of_a_file_are_the_same_forest(everything, tmp_path):
    everything.save(tmp_path / "a.gppf")
    data = (tmp_path / "a.gppf").read_bytes()
    again = Forest.load(data)
    assert again == everything
    again.save(tmp_path / "b.gppf")
    assert (tmp_path / "b.gppf").read_bytes() == data
    with pytest.raises(ForestFormatError, match=r"checksum|size"):
        Forest.load(data[:-1])
