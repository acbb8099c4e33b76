"""Random forests that use all that a forest can hold, and rows for them."""

import numpy as np
import pytest

from gppcore.forest.forest import Forest, NodeFlag

N_FEATURES = 4


def random_tree(rng, n_leaves, n_sets):
    """Split random leaves; about a third of the nodes ask for a category of feature 0 or 1."""
    nodes = [[-1, 0.0, 0, 0, 0]]
    leaves = [0]
    while len(leaves) < n_leaves:
        i = leaves.pop(rng.integers(len(leaves)))
        category = n_sets > 0 and rng.random() < 1 / 3
        feature = rng.integers(2) if category else rng.integers(N_FEATURES)
        threshold = rng.integers(n_sets) if category else rng.normal()
        flags = rng.integers(8) | (NodeFlag.CATEGORICAL if category else 0)
        nodes[i] = [feature, threshold, len(nodes), len(nodes) + 1, flags]
        leaves += [len(nodes), len(nodes) + 1]
        nodes += [[-1, 0.0, 0, 0, 0], [-1, 0.0, 0, 0, 0]]
    return nodes


@pytest.fixture(scope="session")
def random_forest():
    def make(seed=0, *, n_leaves=(9,) * 12, n_outputs=1, wide=False, n_sets=3, **options):
        rng = np.random.default_rng(seed)
        trees = [random_tree(rng, n, n_sets) for n in n_leaves]
        begin = np.cumsum([0] + [len(nodes) for nodes in trees])
        nodes = np.array([node for nodes in trees for node in nodes]).reshape(-1, 5)
        arrays = {
            "n_features": N_FEATURES,
            "tree_begin": begin,
            "tree_output": np.arange(len(trees)) % (1 if wide else n_outputs),
            **dict(zip(("feature", "threshold", "left", "right", "flags"), nodes.T, strict=True)),
            "value": rng.normal(size=(begin[-1], n_outputs) if wide else begin[-1]),
            "set_begin": 2 * np.arange(n_sets + 1),
            "set_words": rng.integers(0, 2**32, 2 * n_sets, dtype=np.uint32),
            "base": rng.normal(size=n_outputs),
        }
        return Forest.from_arrays(**(arrays | options))

    return make


@pytest.fixture(scope="session")
def random_rows():
    """Make rows of numbers and categories, with missing values and zeros."""

    def make(n, seed=1, dtype=np.float64):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(n, N_FEATURES))
        rows[:, :2] = np.where(rng.random((n, 2)) < 0.5, rng.integers(-2, 70, (n, 2)), rows[:, :2])
        rows[rng.random(rows.shape) < 0.1] = np.nan
        rows[rng.random(rows.shape) < 0.05] = 0.0
        return rows.astype(dtype)

    return make
