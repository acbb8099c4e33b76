"""Forests beside their peers on the same models and rows, on one thread; equal predictions are checked first."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import lleaves_peer
import numpy as np
from forest_maps import map_columns
from timing import Case
from unpruned import Unpruned

from gppcore.forest import Forest

N_FEATURES, N_TREES = 12, 500
MOST_FOR_PEERS = 50_000  # of a million rows, which take LightGBM half a minute
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
        few = rows[:MOST_FOR_PEERS]
        expected = booster.predict(few, num_threads=1)
        np.testing.assert_allclose(self.forest.predict(rows)[: len(few)], expected, rtol=2e-6, atol=2e-6)
        self.timers = {
            "gppcore": timer(lambda: self.forest.predict(rows, out=out), 3 * repeats),
            "LightGBM": timer(lambda: booster.predict(few, num_threads=1), repeats),
        }
        if peer and peer.compiles(booster.model_to_string()):
            self.timers["lleaves"], predicted = peer.timer(booster.model_to_string(), few, repeats)
            np.testing.assert_allclose(predicted, expected, rtol=2e-6, atol=2e-6)

    def cases(self, name: str, **goals: float) -> Iterator[Case]:
        """Yield a case for each peer that a goal names; beside LightGBM without a goal if that peer is not there."""
        n = {"gppcore": len(self.rows)}
        few = min(len(self.rows), MOST_FOR_PEERS)
        best = {key: value / n.get(key, few) * 1e9 for key, value in alternate(self.timers).items()}
        ours = best.pop("gppcore")
        for i, (wanted, goal) in enumerate(goals.items()):
            peer = wanted if wanted in best else "LightGBM"
            title = name if i == 0 and peer == wanted else f"{name}, {peer}"
            yield Case(title, ours, "ns per row", best[peer] / ours, goal if peer == wanted else None, best)


def boosted(name: str, peer, rows, of: tuple, repeats: int = 1, **goals: float) -> Iterator[Case]:
    yield from Bench(model(*of), rows, peer, repeats).cases(name, **goals)


def batches(peer) -> Iterator[Case]:
    rows, missing = sample(10_000, seed=1)[0], sample(10_000, 0.2, seed=1)[0]
    numeric = "63 leaves, 12 features"
    for name, x, of, repeats, goals in (
        (f"{numeric}, 1 M rows", sample(1_000_000, seed=1)[0], (63,), 1, {"lleaves": 18, "LightGBM": 110}),
        (f"{numeric}, 10 k rows", rows, (63,), 1, {"lleaves": 18, "LightGBM": 110}),
        ("20 % missing values", missing, (63, 0.2), 1, {"lleaves": 18}),
        ("127 leaves", rows, (127,), 1, {"lleaves": 14}),
        ("100 rows", rows[:100], (63,), 20, {"lleaves": 6}),
    ):
        yield from attempt(name, partial(boosted, name, peer, x, of, repeats, **goals))
    yield from attempt("255 leaves", partial(boosted, "255 leaves", None, rows, (255,), LightGBM=50))


def categorical(peer) -> Iterator[Case]:
    name = "missing values + 2 categorical features (17 and 200 categories)"
    yield from boosted(name, peer, sample(10_000, 0.2, True, seed=1)[0], (63, 0.2, True), lleaves=11)


def attempt(name: str, make: Callable[[], Iterator[Case]]) -> Iterator[Case]:
    """Yield some cases, or one that tells that they failed: the others are timed all the same."""
    try:
        yield from make()
    except Exception as error:
        print(f"{name}: {error}", file=sys.stderr)
        yield Case(f"{name}: failed, {type(error).__name__}", 0.0, "", 0.0)


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


def random_forest(n_leaves: int, n_trees: int) -> Iterator[Case]:
    from sklearn.ensemble import RandomForestRegressor

    x, y = sample(100_000)
    rows = sample(20_000, seed=1)[0]
    options = {"max_leaf_nodes": n_leaves, "max_features": 4, "n_jobs": -1, "random_state": 0}
    estimator = RandomForestRegressor(n_trees, **options).fit(x, y)
    estimator.n_jobs = 1
    forest, out = Forest.from_sklearn(estimator), np.empty(len(rows), np.float32)
    np.testing.assert_allclose(forest.predict(rows), estimator.predict(rows), rtol=2e-6, atol=2e-6)
    timers = {
        "gppcore": timer(lambda: forest.predict(rows, out=out)),
        "scikit-learn": timer(lambda: estimator.predict(rows)),
    }
    best = {key: value / len(rows) / n_trees * 1e9 for key, value in alternate(timers).items()}
    ours, peer = best["gppcore"], best["scikit-learn"]
    name = f"random forest, {n_leaves:,} leaves per tree"
    yield Case(name, ours, "ns per row and tree", peer / ours, 5, {"scikit-learn": peer})


@cache
def unpruned_kernel() -> Unpruned:
    return Unpruned()


def adaptive() -> Iterator[Case]:
    """Random rows, where to look for rows that resemble each other is time lost."""
    forest, rows = Forest.from_lightgbm(model(63)), sample(20_480, seed=1)[0]
    out, unpruned = np.empty(len(rows), np.float32), np.empty(len(rows), np.float32)
    columns = list(rows.T.copy())
    without = unpruned_kernel().predictor(forest, columns, unpruned)
    timers = {
        "gppcore": timer(lambda: forest.predict_columns(columns, out=out), 10),
        "unpruned": timer(without, 10),
    }
    best = {key: value / len(rows) * 1e9 for key, value in alternate(timers, 6.0).items()}
    np.testing.assert_array_equal(out, unpruned)
    ours, peer = best["gppcore"], best["unpruned"]
    yield Case("random rows with the adaptive switch", ours, "ns per row", peer / ours, 0.95, {"unpruned": peer})


def maps() -> Iterator[Case]:
    """Real fields, cells listed by windows as in the tile store."""
    months, static, y = map_columns()
    n_months, n = months.shape[1:]
    rng = np.random.default_rng(0)
    some = rng.choice(n, 60_000, replace=False)
    matrix = np.concatenate([months[:, 6], static]).T
    booster = fit("map", np.ascontiguousarray(matrix[some]), y[some], 63)
    forest = Forest.from_lightgbm(booster)
    out, unpruned, by_row = (np.empty(n, np.float32) for _ in range(3))
    columns, rows = list(matrix.T.copy()), np.ascontiguousarray(matrix[:20_480])
    np.testing.assert_allclose(forest.predict(rows), booster.predict(rows), rtol=2e-6, atol=2e-6)
    yearly = np.empty((n_months, n), np.float32)
    by_month = [*months, *static]
    matrix = np.ascontiguousarray(matrix)
    # The row path: a matrix for each month, not pruned.
    without = unpruned_kernel()
    timers = {
        "windows": timer(lambda: forest.predict_columns(columns, out=out)),
        "unpruned": timer(without.predictor(forest, columns, unpruned)),
        "unpruned rows": timer(without.predictor(forest, list(matrix.T), by_row)),
        "LightGBM": timer(lambda: booster.predict(rows, num_threads=1)),
        "months": timer(lambda: forest.predict_columns(by_month, out=yearly)),
    }
    sizes = {"LightGBM": len(rows), "months": n_months * n}
    best = {key: value / sizes.get(key, n) * 1e9 for key, value in alternate(timers, 6.0).items()}
    for same in (unpruned, by_row, yearly[6]):
        np.testing.assert_array_equal(same, out)
    peers = {key: best[key] for key in ("LightGBM", "unpruned")}
    ours, name, unit = best["windows"], "coherent map windows (real grids), pruned per block", "ns per row"
    yield Case(name, ours, unit, peers["LightGBM"] / ours, 90, peers)
    yield Case(f"{name}, unpruned kernel", ours, unit, peers["unpruned"] / ours, 2, peers)
    name = "columns, 6 static + 6 monthly features, 12 months, windows"
    peers = {"unpruned rows": best["unpruned rows"]}
    yield Case(name, best["months"], unit, best["unpruned rows"] / best["months"], 3, peers)


def two_threads(n_rows: int, name: str) -> Iterator[Case]:
    """Wall time: on a machine that has two cores to give."""
    forest, rows = Forest.from_lightgbm(model(63)), sample(n_rows, seed=1)[0]
    out = np.empty(len(rows), np.float32)
    best = {n: float("inf") for n in (1, 2)}
    begin = time.perf_counter()
    while time.perf_counter() - begin < 5.0:
        for n in best:
            start = time.perf_counter()
            forest.predict(rows, out=out, n_threads=n)
            best[n] = min(best[n], (time.perf_counter() - start) / len(rows) * 1e9)
    yield Case(name, best[2], "ns per row", best[1] / best[2], 1.8, {"one thread": best[1]})


def cases() -> Iterator[Case]:
    peer = lleaves_peer.start()
    yield from batches(peer)
    for name, make in {
        "one row through the C ABI": partial(one_row, peer),
        "AVX2": partial(forced, "avx2", "AVX2 forced, 63 leaves", 12),
        "baseline": partial(forced, "baseline", "baseline forced, 63 leaves", 6),
        "random forest, 1,000 leaves": partial(random_forest, 1_000, 100),
        "random forest, 20,000 leaves": partial(random_forest, 20_000, 30),
        "random rows with the adaptive switch": adaptive,
        "maps": maps,
        "two threads, 1 M rows": partial(two_threads, 1_000_000, "two threads, 1 M rows"),
        "two threads, 20,000 rows": partial(two_threads, 20_000, "two threads, 20,000 rows"),
        "categorical features": partial(categorical, peer),  # last, as lleaves may compile it for long
    }.items():
        yield from attempt(name, make)


if __name__ == "__main__":
    main()
