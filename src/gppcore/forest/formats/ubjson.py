"""Reader of Universal Binary JSON (draft 12, big-endian), the default format of XGBoost."""

from __future__ import annotations

from typing import Any

import numpy as np

from gppcore.errors import ForestFormatError

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_LITERALS = {"Z": None, "T": True, "F": False}
# XGBoost nests its models nine deep.
_MAX_DEPTH = 32


def read_ubjson(content: bytes) -> Any:
    """Value of a document: dict, list, ndarray (a typed array of numbers), str, int, float, bool or None."""
    reader = _Reader(content)
    value = reader.value(reader.marker(), 0)
    if reader.at != len(content):
        message = f"UBJSON: expected the end at byte {reader.at}, got {len(content) - reader.at} more"
        raise ForestFormatError(message)
    return value


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def fail(self, expected: str, got: Any) -> ForestFormatError:
        return ForestFormatError(f"UBJSON: byte {self.at}: expected {expected}, got {got}")

    def take(self, n: int) -> bytes:
        rest = len(self.content) - self.at
        if not 0 <= n <= rest:
            raise self.fail(f"{n} bytes", f"{rest} to the end")
        self.at += n
        return self.content[self.at - n : self.at]

    def marker(self) -> str:
        while True:
            marker = chr(self.take(1)[0])
            if marker != "N":  # no operation
                return marker

    def peek(self) -> str:
        return chr(self.content[self.at]) if self.at < len(self.content) else ""

    def value(self, marker: str, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise self.fail(f"at most {_MAX_DEPTH} levels", "more")
        if marker in _NUMBERS:
            return self.numbers(marker, 1)[0].item()
        if marker in _LITERALS:
            return _LITERALS[marker]
        if marker == "S":
            return self.string()
        if marker == "C":
            return chr(self.take(1)[0])
        if marker == "[":
            return self.array(depth)
        if marker == "{":
            return self.object(depth)
        raise self.fail("a type", repr(marker))

    def numbers(self, marker: str, n: int) -> Any:
        kind = np.dtype(_NUMBERS[marker])
        return np.frombuffer(self.take(n * kind.itemsize), kind).astype(kind.newbyteorder("="))

    def size(self) -> int:
        marker = self.marker()
        if marker not in "iUIlL":
            raise self.fail("an integer size", repr(marker))
        n = int(self.numbers(marker, 1)[0])
        if n < 0:
            raise self.fail("a size of at least 0", n)
        return n

    def string(self) -> str:
        try:
            return self.take(self.size()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.fail("UTF-8", repr(error.object[:40])) from error

    def length(self) -> tuple[str, int | None]:
        """Type and number of the elements of a container, each if stated."""
        kind = ""
        if self.peek() == "$":
            self.take(1)
            kind = self.marker()
            if self.peek() != "#":
                raise self.fail("a size behind a type", repr(self.peek()))
        if self.peek() != "#":
            return kind, None
        self.take(1)
        return kind, self.size()

    def array(self, depth: int) -> Any:
        kind, n = self.length()
        if kind in _NUMBERS and n is not None:
            return self.numbers(kind, n)
        if kind:
            raise self.fail("an array of numbers behind a type", repr(kind))
        values: list[Any] = []
        # Each element takes a byte at least, so that no size makes this longer than the file.
        while n is None or len(values) < n:
            marker = self.marker()
            if n is None and marker == "]":
                break
            values.append(self.value(marker, depth + 1))
        return values

    def object(self, depth: int) -> dict[str, Any]:
        kind, n = self.length()
        if kind:
            raise self.fail("an object without a type", repr(kind))
        members: dict[str, Any] = {}
        count = 0
        while n is None or count < n:
            if n is None and self.peek() == "}":
                self.take(1)
                break
            key = self.string()
            members[key] = self.value(self.marker(), depth + 1)
            count += 1
        return members
