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
x = np.random.default_rng(0).normal(size=(6007, 4))
x[::7] = np.nan
for n_threads, size in ((1, 6007), (3, 6007), (2, 10), (1, 700)):
    digest = hashlib.sha256()
    for path in sys.argv[1:]:
        forest = Forest.load(path)
        for dtype in (np.float32, np.float64):
            batches = np.split(x.astype(dtype), range(size, len(x), size))
            digest.update(np.concatenate([forest.predict(b, n_threads=n_threads) for b in batches]))
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
        "walked": RandomForestRegressor(7, random_state=0),
    }
    with threadpool_limits(1, "openmp"):
        for name, estimator in estimators.items():
            Forest.from_sklearn(estimator.fit(x, y)).save(folder / name)
    return [str(folder / name) for name in estimators]


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
    assert digests(isa, files) == 4 * digests("baseline", files)[:1]
