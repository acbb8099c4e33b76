"""Kernels in functions that numba compiles: the bits of Python, in prange, and from the cache of another process."""

import os
import subprocess
import sys

import numpy as np
import pytest

from gppcore import PFTS, Canopy, Forcing, Forest, TransferModel, two_leaf_gpp
from gppcore.errors import KernelError, RangeError

numba = pytest.importorskip("numba")
njit = pytest.importorskip("gppcore.njit")


@pytest.fixture(scope="module")
def forest():
    rng = np.random.default_rng(0)
    nodes = {"feature": [0, -1, -1] * 50, "left": [1, 0, 0] * 50, "right": [2, 0, 0] * 50}
    return Forest.from_arrays(
        n_features=3,
        tree_begin=3 * np.arange(51),
        **{name: np.array(values) for name, values in nodes.items() if name != "feature"},
        feature=np.where(np.arange(150) % 3 == 0, rng.integers(0, 3, 150), -1),
        threshold=rng.normal(size=150),
        value=rng.normal(size=150),
    )


@numba.njit(parallel=True)
def in_blocks(model, rows, out):
    blocks = (rows.shape[0] + 99) // 100
    for i in numba.prange(blocks):
        work = njit.model_workspace(model)
        njit.predict_model(model, work, rows[100 * i : 100 * (i + 1)], out[100 * i : 100 * (i + 1)])
        njit.free_workspace(work)


def test_forest_and_model(forest):
    rows = np.random.default_rng(1).normal(size=(1234, 3))
    rows[::7, 1] = np.nan
    handle, out = njit.Handle(forest), np.empty(1234)
    work = njit.forest_workspace(handle.address)
    njit.predict_forest(handle.address, work, rows, out)
    assert out.tobytes() == forest.predict(rows).tobytes()
    with pytest.raises(ValueError, match="gppcore: expected"):
        njit.predict_forest(handle.address, work, np.ascontiguousarray(rows[:, :2]), out)
    njit.free_workspace(work)
    model = TransferModel.of_forest(forest, ("a", "b", "c"))
    expected, handle = model.predict(rows).tobytes(), njit.Handle(model)
    for layout in (rows, np.asfortranarray(rows)):
        got = np.empty(1234)
        in_blocks(handle.address, layout, got)
        assert got.tobytes() == expected
    with pytest.raises(KernelError, match=r"nowhere/model\.gppm"):
        njit.Handle("nowhere")


def test_two_leaf():
    n = 100
    inputs = np.full((12, n), np.nan)
    inputs[0], inputs[1], inputs[2], inputs[4] = np.linspace(0, 900, n), 22.0, 1000.0, 0.8
    inputs[5], inputs[6] = 410.0, 3.0
    out = np.empty((2, n))
    njit.two_leaf(njit.pft_parameters("dbf"), inputs, out)
    flux = two_leaf_gpp(Forcing(inputs[0], 22.0, 1000.0, 0.8, 410.0), Canopy(3.0), PFTS["dbf"])
    assert out.tobytes() == flux.gpp_sunlit.tobytes() + flux.gpp_shaded.tobytes()
    inputs[1] = 295.0
    with pytest.raises(ValueError, match="gppcore: expected"):
        njit.two_leaf(njit.pft_parameters("dbf"), inputs, out)
    with pytest.raises(RangeError, match="name: expected one of"):
        njit.pft_parameters("oak")


CODE = """
import numpy as np
from numba import njit
from gppcore.njit import pft_parameters, two_leaf

@njit(cache=True)
def noon(pft):
    inputs = np.full((12, 1), np.nan)
    inputs[:7, 0] = [600.0, 22.0, 1000.0, 2.5, 0.8, 410.0, 3.0]
    out = np.empty((2, 1))
    two_leaf(pft, inputs, out)
    return out.sum()

print(noon(pft_parameters("dbf")), sum(noon.stats.cache_hits.values()))
"""


def test_compiled_functions_come_from_the_cache_of_another_process(tmp_path):
    (tmp_path / "host.py").write_text(CODE)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    printed = [
        subprocess.run(
            [sys.executable, tmp_path / "host.py"], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert [hits for _, hits in printed] == ["0", "1"]
    assert printed[0][0] == printed[1][0]
