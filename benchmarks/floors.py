"""The memory floor: times of loops that only read, write or copy, compiled from floors.c with the C compiler."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

LINE_BYTES = 64


def aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of float32 ones that begins at a cache line."""
    size = int(np.prod(shape))
    raw = np.ones(size + LINE_BYTES // 4, np.float32)
    begin = -raw.ctypes.data % LINE_BYTES // 4
    return raw[begin : begin + size].reshape(shape)


def floors(shape: tuple[int, ...]) -> dict[str, Callable[[], object]]:
    """Return functions that read, write and copy a field of float32 of this shape."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "floors.so"
        source = Path(__file__).with_suffix(".c")
        options = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
        subprocess.run([os.environ.get("CC", "cc"), *options, source, "-o", library], check=True)
        code = ctypes.CDLL(library)
    one, other = aligned(shape), aligned(shape)
    a, b = (ctypes.c_void_p(field.ctypes.data) for field in (one, other))
    n, value = ctypes.c_int64(one.size), ctypes.c_float(2.0)
    code.floor_read.restype = ctypes.c_float
    assert code.floor_read(a, n) > 0.0
    code.floor_write(b, n, value)
    assert other.min() == other.max() == 2.0
    code.floor_copy(b, a, n)
    assert other.min() == other.max() == 1.0
    keep = (one, other)  # the functions hold the fields
    return {
        "read": lambda: (keep, code.floor_read(a, n)),
        "write": lambda: code.floor_write(b, n, value),
        "copy": lambda: code.floor_copy(b, a, n),
    }
