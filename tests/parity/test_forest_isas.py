"""The forest gives the same bits on every instruction set, for every number of threads and batch."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from threadpoolctl import threadpool_limits

from gppcore.forest import Forest
from gppcore.runtime import supported_isas

PROGRAM = """
import hashlib, sys
import numpy as np
from gppcore.forest import Forest
from gppcore.runtime import isa

print(isa())
rng = np.random.default_rng(0)
x = rng.normal(size=(6007, 4))
x[::7] = np.nan
x[2048:] = x[2048] + 0.01 * x[2048:]  # alike, so that nodes are pruned
x[4096:] = x[4096] + 0.2 * (x[4096:] - x[4096])  # less so, which leaves more leaves alive
x[:, 3] = np.floor(8 * np.abs(x[:, 3]))  # categories
x[3::11, 3] -= 0.5
for n_threads, size in ((1, 6007), (3, 6007), (2, 10), (1, 700), (1, 2049)):
    digest = hashlib.sha256()
    for path in sys.argv[1:]:
        forest = Forest.load(path)
        for dtype in (np.float32, np.float64):
            for run in (forest.predict, forest.apply):
                batches = np.split(x.astype(dtype), range(size, len(x), size))
                digest.update(np.concatenate([run(b, n_threads=n_threads) for b in batches]))
    print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forests")
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2000, 4)), rng.normal(size=2000)
    x[rng.random(x.shape) < 0.1] = np.nan
    estimators = {
        "masks": HistGradientBoostingRegressor(max_iter=50, early_stopping=False),
        "walked": RandomForestRegressor(20, random_state=0),
    }
    with threadpool_limits(1, "openmp"):
        for name, estimator in estimators.items():
            Forest.from_sklearn(estimator.fit(x, y)).save(folder / name)
    classes().save(folder / "classes")
    return [str(folder / name) for name in (*estimators, "classes")]


def classes():
    """Trees of sets and thresholds for three classes, with zeros that are missing."""
    rng = np.random.default_rng(2)
    n_trees, depth = 30, 5
    n_splits = 2**depth - 1
    split = np.arange(n_trees * (2 * n_splits + 1)) % (2 * n_splits + 1)
    inner = split < n_splits
    sets = inner & (rng.random(split.size) < 0.3)
    return Forest.from_arrays(
        n_features=4,
        tree_begin=np.arange(n_trees + 1) * (2 * n_splits + 1),
        feature=np.where(inner, np.where(sets, 3, rng.integers(0, 4, split.size)), -1),
        threshold=np.where(sets, np.cumsum(sets) - 1.0, rng.normal(size=split.size)),
        left=2 * split + 1,
        right=2 * split + 2,
        value=rng.normal(size=split.size),
        flags=np.where(sets, 8, 0) + rng.integers(0, 8, split.size) + 16 * rng.integers(0, 4, split.size),
        set_begin=np.arange(sets.sum() + 1),
        set_words=rng.integers(0, 2**32, sets.sum(), dtype=np.uint32),
        base=[0.0, 0.5, -0.5],
        tree_output=np.arange(n_trees) % 3,
        link="softmax",
    )


def digests(isa, files):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *files],
        env=os.environ | {"GPPCORE_ISA": isa},
        capture_output=True,
        text=True,
        check=True,
    )
    used, *rest = run.stdout.split()
    assert used == isa
    return rest


@pytest.mark.parametrize("isa", supported_isas())
def test_same_bits(isa, files):
    assert digests(isa, files) == 5 * digests("baseline", files)[:1]
