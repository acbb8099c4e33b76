"""Print a table of the bits of all kernels: `python bits.py`, by instruction set and, with --beside, by compiler.

`--beside NAME=FOLDER` adds the package in FOLDER, for instance one that another compiler built. Exit code 1 if any bit
differs; `--json` prints the digests.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
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


def make(folder):
    """Save the forests and the model that are predicted."""
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    packages = {"this": None} | dict(text.split("=", 1) for text in options.beside)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        for name, package in packages.items():
            for isa in supported_isas():
                environment = os.environ | {"GPPCORE_ISA": isa} | ({"PYTHONPATH": package} if package else {})
                run = subprocess.run([sys.executable, SCRIPT, folder], env=environment, capture_output=True, text=True)
                if run.returncode:
                    sys.exit(run.stderr)
                found[f"{name}, {isa}"] = json.loads(run.stdout)
    if options.json:
        print(json.dumps(found))
        return 0
    kernels = [kernel for kernel in next(iter(found.values())) if kernel != "isa"]
    print("| | " + " | ".join(kernels) + " |")
    print("|---|" + "---|" * len(kernels))
    for name, digests in found.items():
        cells = [", ".join(sorted({digest[:8] for digest in digests[kernel]})) for kernel in kernels]
        print(f"| {name} | " + " | ".join(f"`{cell}`" for cell in cells) + " |")
    seen = {kernel: {digest for digests in found.values() for digest in digests[kernel]} for kernel in kernels}
    return int(any(len(digests) > 1 for digests in seen.values()))


if __name__ == "__main__":
    sys.exit(main())
