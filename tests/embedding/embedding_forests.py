"""Forests of random trees for the programs."""

import numpy as np

from gppcore.forest import Forest

N_FEATURES, N_TREES = 6, 20
PREDICTORS = ("tair", "vpd", "sw", "precip", "lai", "c4_fraction")


def full_trees(n_outputs=1, n_trees=N_TREES, n_features=N_FEATURES, seed=0, **options):
    """Make full binary trees of 31 nodes, with random thresholds and leaves, dealt out to the outputs."""
    rng = np.random.default_rng(seed)
    node = np.arange(31)
    inner = node < 15
    return Forest.from_arrays(
        n_features=n_features,
        tree_begin=31 * np.arange(n_trees + 1),
        tree_output=np.arange(n_trees) % n_outputs,
        feature=np.where(inner, rng.integers(0, n_features, (n_trees, 31)), -1).ravel(),
        threshold=rng.normal(size=n_trees * 31),
        left=np.tile(np.where(inner, 2 * node + 1, 0), n_trees),
        right=np.tile(np.where(inner, 2 * node + 2, 0), n_trees),
        flags=rng.random(n_trees * 31) < 0.5,
        value=rng.normal(size=n_trees * 31),
        base=np.arange(1.0, n_outputs + 1),
        **options,
    )
