"""Universal Binary JSON: the types that XGBoost writes, and documents that are damaged."""

import numpy as np
import pytest

from gppcore.errors import ForestFormatError
from gppcore.forest.formats.ubjson import read_ubjson


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"i\xff", -1),
        (b"U\xff", 255),
        (b"I\x01\x00", 256),
        (b"l\x00\x01\x00\x00", 65536),
        (b"L" + (2**40).to_bytes(8, "big"), 2**40),
        (b"d\x3f\x80\x00\x00", 1.0),
        (b"D\x40\x00" + bytes(6), 2.0),
        (b"Z", None),
        (b"NNT", True),
        (b"F", False),
        (b"Cx", "x"),
        (b"Si\x02\xc3\xa9", "é"),
        (b"[i\x01i\x02]", [1, 2]),
        (b"[#i\x02TF", [True, False]),
        (b"{i\x01a[]i\x01bZ}", {"a": [], "b": None}),
        (b"{#i\x01i\x01aT", {"a": True}),
    ],
)
def test_values(content, value):
    assert read_ubjson(content) == value


def test_typed_arrays_are_native_arrays():
    found = read_ubjson(b"[$I#i\x03\x00\x01\x00\x02\xff\xff")
    assert found.dtype == np.dtype("i2")
    assert found.tolist() == [1, 2, -1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected 1 bytes, got 0 to the end"),
        (b"Q", "expected a type, got 'Q'"),
        (b"TT", "expected the end at byte 1, got 1 more"),
        (b"Si\xff", "expected a size of at least 0, got -1"),
        (b"ST", "expected an integer size, got 'T'"),
        (b"Si\x01\xff", "expected UTF-8"),
        (b"[$I\x00", "expected a size behind a type"),
        (b"[$S#i\x01", "expected an array of numbers behind a type, got 'S'"),
        (b"{$i#i\x01", "expected an object without a type"),
        (b"[$L#l\x7f\xff\xff\xff", "bytes, got 0 to the end"),
        (b"[" * 40, "expected at most 32 levels"),
    ],
)
def test_damage_is_named(content, message):
    with pytest.raises(ForestFormatError, match=f"^UBJSON: .*{message}"):
        read_ubjson(content)
