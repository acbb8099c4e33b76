"""A transfer model in one call beside the same arithmetic in numpy over single forests, on one thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache, partial

import numpy as np
from timing import Case, fastest

from gppcore.forest import Forest
from gppcore.transfer.model import Model
from gppcore.transfer.recipe import Interval, Member, Recipe

N_SOURCES, N_CELLS = 6, 32_768
KINDS = ("gpp", "ratio", "residual", "gpp")
SOURCE = {"max_iter": 100, "max_leaf_nodes": 63}
MEMBER = {"max_iter": 100, "max_leaf_nodes": 8}


def fit(x: np.ndarray, y: np.ndarray, seed: int, settings: dict[str, int]) -> Forest:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return Forest.from_sklearn(HistGradientBoostingRegressor(**settings, max_features=0.5, random_state=seed).fit(x, y))


@cache
def fields() -> tuple[np.ndarray, np.ndarray]:
    """Return six monthly predictors (6, 12, n) and six fixed ones (6, n): smooth in space, with some noise."""
    rng = np.random.default_rng(0)
    place = np.linspace(0, 1, N_CELLS)
    wave = np.sin(2 * np.pi * (place * rng.uniform(1, 9, (12, 1)) + rng.random((12, 1))))
    season = np.cos(2 * np.pi * (np.arange(12) / 12 + rng.random((6, 1))))
    monthly = wave[:6, None] + season[:, :, None] + rng.normal(0, 0.1, (6, 12, N_CELLS))
    return monthly.astype(np.float32), (wave[6:] + rng.normal(0, 0.1, (6, N_CELLS))).astype(np.float32)


@cache
def model() -> Model:
    """Six sources and four members of every kind, trained on July at 5,000 cells."""
    monthly, static = fields()
    x = np.column_stack([*monthly[:, 6], *static])[np.random.default_rng(1).choice(N_CELLS, 5000, replace=False)]
    y = np.abs(3 * x[:, 0] * x[:, 6] + 2 * np.sin(3 * x[:, 1]) + x[:, 2:6].sum(1) + np.abs(x[:, 7]) * x[:, 8])
    sources = [fit(x, y, seed, SOURCE) for seed in range(N_SOURCES)]
    known = [np.maximum(source.predict(x), 0) for source in sources]
    members, fitted = [], []
    for j, kind in enumerate(KINDS):
        n_sources = (N_SOURCES, 1, 2, 0)[j]
        wanted = {"gpp": y, "ratio": y / (known[0] + 0.5), "residual": y - known[0]}[kind]
        members.append(Member(f"m{j}", kind, n_sources, 0.2, 0.5))
        fitted.append(fit(np.column_stack([x, *known[:n_sources]]), wanted, j, MEMBER))
    names = tuple(f"x{i}" for i in range(x.shape[1]))
    interval = Interval(1.5, 0.1, 1.0, 0.1)
    return Model(
        Recipe(names, tuple(f"s{k}" for k in range(N_SOURCES)), tuple(members), 0.2, 0.25, interval), sources, fitted
    )


def in_numpy(columns: list[np.ndarray], interval: bool) -> tuple[np.ndarray, ...]:
    """Predict operation by operation, over whole arrays."""
    recipe, number = model().recipe, columns[0].dtype.type
    sources = [np.maximum(forest.predict_columns(columns), number(0)) for forest in model().sources]
    p, values = sources[0], []
    t = number(recipe.process_weight) * p
    for member, forest in zip(recipe.members, model().members, strict=True):
        v = forest.predict_columns([*columns, *sources[: member.n_sources]])
        if member.kind == "ratio":
            v *= p + number(member.offset)
        elif member.kind == "residual":
            v += p
        t += number(member.weight) * v
        values.append(v)
    gpp = np.maximum(p + p / (p + number(recipe.gate)) * (t - p), number(0))
    if not interval:
        return (gpp,)
    spread = np.zeros_like(t)
    for member, v in zip(recipe.members, values, strict=True):
        spread += number(member.weight) * (v - t) ** 2
    spread = np.sqrt(spread + number(recipe.process_weight) * (p - t) ** 2)
    q, a, b, c = (number(x) for x in (recipe.interval.q, recipe.interval.a, recipe.interval.b, recipe.interval.c))
    half = q * (a + b * spread + c * gpp)
    return gpp, np.maximum(gpp - half, number(0)), gpp + half


def in_one_call(columns: list[np.ndarray], interval: bool) -> tuple[np.ndarray, ...]:
    if interval:
        return model().predict_columns(columns, interval=True)
    return (model().predict_columns(columns),)


def cases() -> Iterator[Case]:
    monthly, static = fields()
    inputs = {"July": [*monthly[:, 6], *static], "a year": [*monthly, *static]}
    for name, columns in inputs.items():
        for interval in (False, True):
            ours, theirs = partial(in_one_call, columns, interval), partial(in_numpy, columns, interval)
            for a, b in zip(ours(), theirs(), strict=True):
                np.testing.assert_array_equal(a, b)
            best = fastest({"gppcore": ours, "numpy over forests": theirs}, seconds=5.0, clock=time.thread_time)
            best = {key: 1e9 * seconds / columns[0].size for key, seconds in best.items()}
            mine = best.pop("gppcore")
            title = f"{N_CELLS:,} cells, {name}{', with interval' if interval else ''}"
            yield Case(title, mine, "ns per value", best["numpy over forests"] / mine, 1.0, best)
