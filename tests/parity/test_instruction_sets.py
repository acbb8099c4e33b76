"""All kernels give the same bits on every instruction set, for every number of threads and size of batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from threadpoolctl import threadpool_limits

from gppcore.forest import Forest
from gppcore.runtime import supported_isas
from gppcore.transfer.model import Model
from gppcore.transfer.recipe import Interval, Member, Recipe

SCRIPT = Path(__file__).with_name("digests.py")
RECIPE = Recipe(
    predictors=("a", "b", "c"),
    sources=("process",),
    members=(
        Member("direct", "gpp", 0, 0.3),
        Member("ratio", "ratio", 1, 0.4, 0.5),
        Member("rest", "residual", 1, 0.2),
    ),
    process_weight=0.1,
    gate=0.25,
    interval=Interval(1.7, 0.2, 0.9, 0.1),
)


@pytest.fixture(scope="module")
def digests(tmp_path_factory):
    """Digests by instruction set, each from one process."""
    folder = tmp_path_factory.mktemp("forests")
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2000, 4)), rng.normal(size=2000)
    x[rng.random(x.shape) < 0.1] = np.nan
    with threadpool_limits(1, "openmp"):
        boosted = HistGradientBoostingRegressor(max_iter=50, early_stopping=False)
        Forest.from_sklearn(boosted.fit(x, y)).save(folder / "masks")
        Forest.from_sklearn(RandomForestRegressor(20, random_state=0).fit(x, y)).save(folder / "walked")
        one, two = (
            Forest.from_sklearn(HistGradientBoostingRegressor(max_iter=20).fit(x[:, :n], y + 2.0)) for n in (3, 4)
        )
    classes().save(folder / "classes")
    (folder / "model").mkdir()
    Model(RECIPE, [one], [one, two, two]).save(folder / "model")
    found = {}
    for isa in supported_isas():
        environment = os.environ | {"GPPCORE_ISA": isa}
        run = subprocess.run([sys.executable, SCRIPT, folder], env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        found[isa] = json.loads(run.stdout)
    return found


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


def test_the_instruction_set_is_the_forced_one(digests):
    assert {isa: found["isa"] for isa, found in digests.items()} == {isa: isa for isa in supported_isas()}


@pytest.mark.parametrize("kernel", ["two_leaf", "gradient", "beps", "regridding", "forests", "model"])
def test_same_bits(digests, kernel):
    first = digests["baseline"][kernel][0]
    assert {isa: found[kernel] for isa, found in digests.items()} == {
        isa: [first] * len(found[kernel]) for isa, found in digests.items()
    }
