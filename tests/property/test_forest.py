import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gppcore.forest import Forest

VALUES = [-np.inf, -1.0, -0.0, 0.1, 1.0, 1e-45, np.inf]


@st.composite
def trees(draw):
    """Draw a tree as nested tuples (feature, threshold, missing_left, left, right), or a leaf value."""
    leaf = st.floats(-10, 10)
    split = st.tuples(st.integers(0, 2), st.sampled_from(VALUES), st.booleans())
    return draw(st.recursive(leaf, lambda child: st.tuples(split, child, child), max_leaves=30))


def flatten(tree, nodes):
    i = len(nodes)
    nodes.append(None)
    if isinstance(tree, float):
        nodes[i] = (-1, 0.0, False, 0, 0, tree)
    else:
        split, left, right = tree
        flatten(left, nodes)
        middle = len(nodes)
        flatten(right, nodes)
        nodes[i] = (*split, i + 1, middle, 0.0)
    return nodes


def walk(tree, row):
    while not isinstance(tree, float):
        (feature, threshold, missing_left), left, right = tree
        x = float(row[feature])
        tree = left if (missing_left if np.isnan(x) else x <= threshold) else right
    return tree


@settings(max_examples=60, deadline=None)
@given(st.lists(trees(), max_size=9), st.sampled_from([np.float32, np.float64]), st.integers(0, 2**31))
def test_equals_a_plain_walk(forest, dtype, seed):
    flat = [flatten(tree, []) for tree in forest]
    begin = np.cumsum([0] + [len(nodes) for nodes in flat])
    fields = zip(*(node for nodes in flat for node in nodes), strict=True) if forest else [()] * 6
    names = ("feature", "threshold", "flags", "left", "right", "value")
    arrays = dict(zip(names, map(list, fields), strict=True))
    compiled = Forest.from_arrays(n_features=3, tree_begin=begin, base=0.5, **arrays)
    rng = np.random.default_rng(seed)
    rows = rng.choice([*VALUES, np.nan, 0.5, np.float32(0.1)], (40, 3)).astype(dtype)
    expected = [sum((walk(tree, row) for tree in forest), start=0.5) for row in rows]
    np.testing.assert_array_equal(compiled.predict(rows), np.asarray(expected, dtype))
    np.testing.assert_array_equal(compiled.predict(rows[:5]), np.asarray(expected[:5], dtype))
