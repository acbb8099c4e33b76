"""Limits of memory, in which predictions still run, and of the size of the library."""

import subprocess
import sys
from pathlib import Path

import pytest

from gppcore.runtime import get_library

CODE = """
import resource
import numpy as np
from gppcore.forest import Forest
n_trees, n = 200, 300_000
rng = np.random.default_rng(0)
roots = np.ravel([[t, 0, 0] for t in rng.normal(size=n_trees)])
forest = Forest.from_arrays(
    n_features=2, tree_begin=np.arange(n_trees + 1) * 3, feature=[0, -1, -1] * n_trees, threshold=roots,
    left=[1, 0, 0] * n_trees, right=[2, 0, 0] * n_trees, value=[0.0, 1.0, 2.0] * n_trees)
x = rng.normal(size=(n, 2))
wanted = forest.predict(x)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
limit = used + 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for _ in range(3):
    assert np.array_equal(forest.predict(x, n_threads=200), wanted)
print("same")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and a limit of the address space")
def test_too_little_memory_for_the_threads_costs_nothing_but_time():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "same\n"), done.stderr[-500:]


def test_library_is_below_9_mb():
    assert Path(get_library()).stat().st_size < 9e6, "the derivatives are most of it (cpp/src/parts/gradient_*.cpp)"
