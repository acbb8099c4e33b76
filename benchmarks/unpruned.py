"""The forest without pruning, compiled from the library's own sources, as a peer of the forest that prunes."""

from __future__ import annotations

import ctypes
import subprocess
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gppcore import runtime
from gppcore.forest import Forest

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parent / "cpp" / "src"
# As in cpp/cmake/isa.cmake.
COMMON = (
    "-std=gnu++17 -O3 -DNDEBUG -fPIC -shared -pthread -ffp-contract=off -fno-trapping-math -fno-math-errno "
    "-fschedule-insns -fsched-pressure -Wno-psabi"
)
AVX512 = "-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mpopcnt -mbmi -mbmi2 -mprefer-vector-width=512"
OF_ISA = {
    "baseline": "-DGPPCORE_VECTOR_BYTES=16",
    "avx2": "-DGPPCORE_VECTOR_BYTES=32 -mavx2 -mfma -mpopcnt -mbmi -mbmi2",
    "avx512": f"-DGPPCORE_VECTOR_BYTES=64 {AVX512}",
    "avx512_vbmi": f"-DGPPCORE_VECTOR_BYTES=64 {AVX512} -mavx512vbmi -mavx512vbmi2",
}


class Unpruned:
    """Compiles and loads the library; a forest of it predicts from columns."""

    def __init__(self) -> None:
        compiler = (sysconfig.get_config_var("CXX") or "c++").split()[0]
        isa = runtime.isa()
        sources = [HERE / "unpruned.cpp", SOURCES / "parallel.cpp"]
        sources += sorted(SOURCES.glob("forest*.cpp"))
        sources += [SOURCES / "io" / f"{name}.cpp" for name in ("crc32c", "forest_format", "mapping")]
        includes = [f"-I{SOURCES}", f"-I{SOURCES.parent / 'include'}"]
        with TemporaryDirectory() as folder:
            library = Path(folder) / "libunpruned.so"
            flags = f"{COMMON} {OF_ISA[isa]} -DGPPCORE_ISA={isa}".split()
            subprocess.run([compiler, *flags, *includes, *sources, "-o", library], check=True)
            self._library = ctypes.CDLL(str(library))
        self._library.unpruned_load.restype = ctypes.c_void_p

    def predictor(self, forest: Forest, columns: Sequence[np.ndarray], out: np.ndarray) -> Callable[[], object]:
        """Return a function that predicts from float32 columns to `out`."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "forest.gppf"
            forest.save(path)
            loaded = ctypes.c_void_p(self._library.unpruned_load(str(path).encode()))
        pointers = (ctypes.c_void_p * len(columns))(*(column.ctypes.data for column in columns))
        strides = (ctypes.c_int64 * len(columns))(*(column.strides[0] // column.itemsize for column in columns))
        n = ctypes.c_int64(out.size)
        to = ctypes.c_void_p(out.ctypes.data)
        return lambda: self._library.unpruned_predict(loaded, pointers, strides, n, to)
