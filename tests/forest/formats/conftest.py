"""Rows that show whether a forest compares as its trainer does."""

import numpy as np
import pytest

from gppcore.forest.forest import NodeFlag

ZERO = float(np.float32(1e-35))  # at most this is zero for LightGBM
TINY = [0.0, -0.0, 5e-324, 1e-45, 1e-40, 1e-36, -1e-36, 1e-35, -1e-35, ZERO, -ZERO]
CATEGORIES = [-1.0, -7.0, -1e10, 1e10, 2.0**31, 2.0**31 - 1, -(2.0**31), 2.0**32, 1e300, 300.0]


@pytest.fixture(scope="session")
def edge_rows():
    """Make rows of the thresholds of a forest, their neighbours, and numbers that are treated in some special way."""

    def make(forest, n=400, *, seed=0, dtype=np.float64, infinite=True, fractions=()):
        arrays = forest.arrays()
        rng = np.random.default_rng(seed)
        inner = arrays["feature"] >= 0
        is_set = (arrays["flags"] & NodeFlag.CATEGORICAL).astype(bool)
        columns = []
        for f in range(forest.n_features):
            of_f = inner & (arrays["feature"] == f)
            t = np.unique(arrays["threshold"][of_f & ~is_set])
            single = t.astype(np.float32)
            with np.errstate(over="ignore"):
                near = [t, np.nextafter(t, -np.inf), np.nextafter(t, np.inf), single]
                near += [np.nextafter(single, np.float32(s)) for s in (-np.inf, np.inf)]
            pool = np.concatenate([*near, TINY, [np.nan] * 3, [-1e30, 1e30], rng.normal(size=20)])
            if (of_f & is_set).any():
                pool = np.concatenate([np.arange(0, 80), CATEGORIES, fractions, [np.nan] * 5])
            pool = np.append(pool, [np.inf, -np.inf])
            pool = pool if infinite else pool[np.isnan(pool) | (np.abs(pool) < 3e38)]
            with np.errstate(over="ignore"):
                columns.append(rng.choice(pool, n).astype(dtype))
        return np.stack(columns, 1)

    return make


@pytest.fixture(scope="session")
def walk():
    """Predict raw sums in plain Python, as the documentation of the arrays tells: the oracle of the readers."""

    def leaf(a, tree, row):
        root = a["tree_begin"][tree]
        k = root
        while a["feature"][k] >= 0:
            x, flags, t = float(row[a["feature"][k]]), int(a["flags"][k]), a["threshold"][k]
            zero = flags & NodeFlag.ZERO_MISSING and abs(x) <= ZERO
            if np.isnan(x) or zero:
                left = flags & NodeFlag.MISSING_LEFT
            elif flags & NodeFlag.CATEGORICAL:
                words = a["set_words"][a["set_begin"][int(t)] : a["set_begin"][int(t) + 1]]
                category = -1 if np.isinf(x) else int(x)
                if (flags & NodeFlag.NEGATIVE_UNSEEN and x < 0) or (flags & NodeFlag.FRACTION_UNSEEN and x != category):
                    category = -1
                seen = 0 <= category < 32 * len(words)
                left = int(words[category // 32]) >> category % 32 & 1 if seen else flags & NodeFlag.UNSEEN_LEFT
            else:
                left = x <= t
            k = root + (a["left"][k] if left else a["right"][k])
        return k

    def sums(arrays, rows):
        out = np.tile(np.atleast_1d(np.asarray(arrays["base"], float)), (len(rows), 1))
        for i, row in enumerate(rows):
            for tree, output in enumerate(arrays["tree_output"]):
                value = arrays["value"][leaf(arrays, tree, row)]
                out[i, slice(None) if np.ndim(value) else output] += value
        return out

    return sums
