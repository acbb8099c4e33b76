"""Forests beside their peers on the same models and rows, on one thread; equal predictions are checked first."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import lleaves_peer
import numpy as np
from forest_maps import map_columns
from timing import Case

from gppcore.forest import Forest

N_FEATURES, N_TREES = 12, 500
Timer = Callable[[], float]


def timer(function: Callable[[], object], repeats: int = 1) -> Timer:
    """Return a function that gives the shortest CPU time of this thread over some calls."""

    def shortest() -> float:
        best = float("inf")
        for _ in range(repeats):
            start = time.thread_time()
            function()
            best = min(best, time.thread_time() - start)
        return best

    return shortest


def alternate(timers: dict[str, Timer], seconds: float = 3.0) -> dict[str, float]:
    """Return the shortest time of each, measured in turn so that a busy machine is fair to all."""
    best = dict.fromkeys(timers, float("inf"))
    begin, rounds = time.perf_counter(), 0
    while rounds < 3 or time.perf_counter() - begin < seconds:
        for name, measure in timers.items():
            best[name] = min(best[name], measure())
        rounds += 1
    return best


def sample(n: int, missing: float = 0.0, categories: bool = False, seed: int = 0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    y = 3 * x[:, 0] * x[:, 1] + 4 * np.sin(3 * x[:, 2]) + x[:, 3:8].sum(1) + np.abs(x[:, 8]) * x[:, 9] + 10
    if categories:
        x[:, 10], x[:, 11] = rng.integers(0, 17, n), rng.integers(0, 200, n)
        y = y + 2 * np.sin(7 * x[:, 10]) + 2 * np.cos(13 * x[:, 11])
    y = y + rng.normal(scale=0.3, size=n)
    x[rng.random(x.shape) < missing] = np.nan
    return x, y


def fit(name: str, x, y, n_leaves: int, **options):
    """Train a model, or take it from the cache."""
    import lightgbm

    path = lleaves_peer.cache() / f"{name}.txt"
    if path.exists():
        return lightgbm.Booster(model_file=path)

    parameters = {
        "objective": "regression",
        "num_leaves": n_leaves,
        "learning_rate": 0.05,
        "min_data_in_leaf": 5,
        "seed": 0,
        "deterministic": True,
        "num_threads": 1,
        "verbose": -1,
    }
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, y, **options), N_TREES)
    path.parent.mkdir(parents=True, exist_ok=True)
    booster.save_model(path)
    return lightgbm.Booster(model_file=path)


@cache
def model(n_leaves: int, missing: float = 0.0, categories: bool = False):
    x, y = sample(60_000, missing, categories)
    name = f"model-{n_leaves}-{missing}-{categories}"
    return fit(name, x, y, n_leaves, categorical_feature=[10, 11] if categories else "auto")


class Bench:
    """One model and rows, with a timer for gppcore and for each peer that is wanted."""

    def __init__(self, booster, rows, peer, repeats: int = 1) -> None:
        self.forest = Forest.from_lightgbm(booster)
        self.rows, self.repeats = rows, repeats
        out = np.empty(len(rows), rows.dtype)
        expected = booster.predict(rows, num_threads=1)
        np.testing.assert_allclose(self.forest.predict(rows), expected, rtol=2e-6, atol=2e-6)
        self.timers = {
            "gppcore": timer(lambda: self.forest.predict(rows, out=out), 3 * repeats),
            "LightGBM": timer(lambda: booster.predict(rows, num_threads=1), repeats),
        }
        if peer and peer.compiles(booster.model_to_string()):
            self.timers["lleaves"], predicted = peer.timer(booster.model_to_string(), rows, repeats)
            np.testing.assert_allclose(predicted, expected, rtol=2e-6, atol=2e-6)

    def cases(self, name: str, **goals: float) -> Iterator[Case]:
        """Yield a case for each peer that a goal names; beside LightGBM without a goal if that peer is not there."""
        best = {key: value / len(self.rows) * 1e9 for key, value in alternate(self.timers).items()}
        ours = best.pop("gppcore")
        for i, (wanted, goal) in enumerate(goals.items()):
            peer = wanted if wanted in best else "LightGBM"
            title = name if i == 0 else f"{name}, {peer}"
            yield Case(title, ours, "ns per row", best[peer] / ours, goal if peer == wanted else None, best)


def batches(peer) -> Iterator[Case]:
    for n, name in ((1_000_000, "1 M"), (10_000, "10 k")):
        bench = Bench(model(63), sample(n, seed=1)[0], peer)
        yield from bench.cases(f"63 leaves, 12 features, {name} rows", lleaves=18, LightGBM=110)
    rows = sample(10_000, missing=0.2, seed=1)[0]
    yield from Bench(model(63, 0.2), rows, peer).cases("20 % missing values", lleaves=18)
    rows = sample(10_000, 0.2, True, seed=1)[0]
    yield from Bench(model(63, 0.2, True), rows, peer).cases(
        "missing values + 2 categorical features (17 and 200 categories)", lleaves=11
    )
    rows = sample(10_000, seed=1)[0]
    yield from Bench(model(127), rows, peer).cases("127 leaves", lleaves=14)
    yield from Bench(model(255), rows, None).cases("255 leaves", LightGBM=50)
    yield from Bench(model(63), rows[:100], peer, repeats=20).cases("100 rows", lleaves=6)


def one_row(peer) -> Iterator[Case]:
    """One row through the C interface, called from C so that no Python is in the figure."""
    from one_row import time_one_row

    row = sample(1, seed=1)[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forest.gppf"
        forest = Forest.from_lightgbm(model(63))
        forest.save(path)
        microseconds, predicted = time_one_row(path, row)
        np.testing.assert_array_equal(predicted, forest.predict(row))
    peers = {"LightGBM": 1e6 * alternate({"": timer(lambda: model(63).predict(row, num_threads=1), 200)}, 1.0)[""]}
    if peer and peer.compiles(model(63).model_to_string()):
        measure, _ = peer.timer(model(63).model_to_string(), row, 500)
        peers["lleaves"] = 1e6 * alternate({"": measure}, 1.0)[""]
        yield Case("one row through the C ABI", microseconds, "us", peers["lleaves"] / microseconds, 5, peers)
    yield Case("one row through the C ABI, 2.5 us", microseconds, "us", 2.5 / microseconds, 1, peers)


def forced(isa: str, name: str, goal: float) -> Iterator[Case]:
    """Run this file again with an instruction set forced: it is chosen once in a process."""
    run = subprocess.run(
        [sys.executable, __file__, name, str(goal)],
        env=os.environ | {"GPPCORE_ISA": isa},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for line in run.stdout.splitlines():
        fields = line.split("\t")
        peers = {key: float(value) for key, value in (pair.split("=") for pair in fields[4:])}
        yield Case(fields[0], float(fields[1]), "ns per row", float(fields[2]), float(fields[3]), peers)


def main() -> None:
    name, goal = sys.argv[1:]
    bench = Bench(model(63), sample(10_000, seed=1)[0], lleaves_peer.start())
    for case in bench.cases(name, lleaves=float(goal)):
        peers = "\t".join(f"{key}={value}" for key, value in case.peers.items())
        print(case.name, case.ours, case.ratio, case.goal, peers, sep="\t")


def random_forests() -> Iterator[Case]:
    from sklearn.ensemble import RandomForestRegressor

    x, y = sample(100_000)
    rows = sample(20_000, seed=1)[0]
    for n_leaves, n_trees in ((1_000, 100), (20_000, 30)):
        options = {"max_leaf_nodes": n_leaves, "max_features": 4, "n_jobs": -1, "random_state": 0}
        estimator = RandomForestRegressor(n_trees, **options).fit(x, y)
        estimator.n_jobs = 1
        forest, out = Forest.from_sklearn(estimator), np.empty(len(rows), np.float32)
        np.testing.assert_allclose(forest.predict(rows), estimator.predict(rows), rtol=2e-6, atol=2e-6)
        timers = {
            "gppcore": timer(lambda f=forest, o=out: f.predict(rows, out=o)),
            "scikit-learn": timer(lambda e=estimator: e.predict(rows)),
        }
        best = {key: value / len(rows) / n_trees * 1e9 for key, value in alternate(timers).items()}
        ours, peer = best["gppcore"], best["scikit-learn"]
        name = f"random forest, {n_leaves:,} leaves per tree"
        yield Case(name, ours, "ns per row and tree", peer / ours, 5, {"scikit-learn": peer})


def maps() -> Iterator[Case]:
    """Real fields, cells listed by windows as in the tile store; the same rows shuffled are not pruned."""
    months, static, y = map_columns()
    n_months, n = months.shape[1:]
    rng = np.random.default_rng(0)
    some = rng.choice(n, 60_000, replace=False)
    matrix = np.concatenate([months[:, 6], static]).T
    booster = fit("map", np.ascontiguousarray(matrix[some]), y[some], 63)
    forest, out = Forest.from_lightgbm(booster), np.empty(n, np.float32)
    columns, shuffled = list(matrix.T.copy()), list(matrix[rng.permutation(n)].T.copy())
    rows = np.ascontiguousarray(matrix[:20_480])
    np.testing.assert_allclose(forest.predict(rows), booster.predict(rows), rtol=2e-6, atol=2e-6)
    yearly = np.empty((n_months, n), np.float32)
    by_month = [*months, *static]
    random_rows = np.ascontiguousarray(matrix[rng.permutation(n)])
    timers = {
        "windows": timer(lambda: forest.predict_columns(columns, out=out)),
        "unpruned": timer(lambda: forest.predict_columns(shuffled, out=out)),
        "unpruned rows": timer(lambda: forest.predict(random_rows, out=out)),
        "LightGBM": timer(lambda: booster.predict(rows, num_threads=1)),
        "months": timer(lambda: forest.predict_columns(by_month, out=yearly)),
    }
    sizes = {"LightGBM": len(rows), "months": n_months * n}
    best = {key: value / sizes.get(key, n) * 1e9 for key, value in alternate(timers, 6.0).items()}
    peers = {key: best[key] for key in ("LightGBM", "unpruned")}
    ours, name, unit = best["windows"], "coherent map windows (real grids), pruned per block", "ns per row"
    yield Case(name, ours, unit, peers["LightGBM"] / ours, 90, peers)
    yield Case(f"{name}, unpruned kernel", ours, unit, peers["unpruned"] / ours, 2, peers)
    name = "columns, 6 static + 6 monthly features, 12 months, windows"
    peers = {"unpruned rows": best["unpruned rows"]}
    yield Case(name, best["months"], unit, best["unpruned rows"] / best["months"], 3, peers)


def two_threads() -> Iterator[Case]:
    forest, rows = Forest.from_lightgbm(model(63)), sample(1_000_000, seed=1)[0]
    out = np.empty(len(rows), np.float32)
    best = {n: float("inf") for n in (1, 2)}
    for _ in range(10):
        for n in best:
            start = time.perf_counter()
            forest.predict(rows, out=out, n_threads=n)
            best[n] = min(best[n], (time.perf_counter() - start) / len(rows) * 1e9)
    yield Case("two threads", best[2], "ns per row", best[1] / best[2], 1.8, {"one thread": best[1]})


def cases() -> Iterator[Case]:
    peer = lleaves_peer.start()
    yield from batches(peer)
    yield from one_row(peer)
    yield from forced("avx2", "AVX2 forced, 63 leaves", 12)
    yield from forced("baseline", "baseline forced, 63 leaves", 6)
    yield from random_forests()
    yield from maps()
    yield from two_threads()


if __name__ == "__main__":
    main()
