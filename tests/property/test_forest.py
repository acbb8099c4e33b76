"""Forests of random trees equal a walk in plain Python, by every path of the kernels."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gppcore.forest.forest import Forest, NodeFlag

THRESHOLDS = [-np.inf, -1.0, -0.0, 0.1, 1.0, 1e-45, np.inf]
VALUES = [*THRESHOLDS, np.nan, 0.5, 1e-36, -1e-35, np.float32(0.1), 3.0, 7.9, 31.0, 32.0, 64.0, 300.0, -2.0, -0.5]
N_FEATURES = 3


@st.composite
def splits(draw):
    """Draw (feature, flags, threshold or set of categories)."""
    flags = NodeFlag(draw(st.integers(0, 63)))
    if NodeFlag.CATEGORICAL in flags:
        test = draw(st.frozensets(st.sampled_from([0, 1, 3, 7, 31, 32, 40, 64]), min_size=1))
    else:
        test = draw(st.sampled_from(THRESHOLDS))
    return draw(st.integers(0, N_FEATURES - 1)), flags, test


def trees(leaves):
    """Draw a tree as nested tuples (split, left, right), or a leaf."""
    return st.recursive(leaves, lambda child: st.tuples(splits(), child, child), max_leaves=30)


def bits(categories):
    words = np.zeros(max(categories) // 32 + 1, np.uint32)
    for c in categories:
        words[c // 32] |= np.uint32(1) << np.uint32(c % 32)
    return words


def goes_left(split, x):
    _, flags, test = split
    if NodeFlag.CATEGORICAL in flags:
        if np.isnan(x):
            return NodeFlag.MISSING_LEFT in flags
        c = np.trunc(x)
        if (NodeFlag.NEGATIVE_UNSEEN in flags and x < 0) or (NodeFlag.FRACTION_UNSEEN in flags and c != x):
            c = -1
        if not 0 <= c < 32 * bits(test).size:
            return NodeFlag.UNSEEN_LEFT in flags
        return c in test
    if np.isnan(x) or (NodeFlag.ZERO_MISSING in flags and abs(x) <= np.float64(np.float32(1e-35))):
        return NodeFlag.MISSING_LEFT in flags
    return x <= test


class Flat:
    """The arrays of `Forest.from_arrays`."""

    def __init__(self, forest):
        self.feature, self.threshold, self.flags, self.left, self.right, self.value = [], [], [], [], [], []
        self.begin, self.sets = [0], []
        for tree in forest:
            self.root = len(self.feature)
            self.add(tree)
            self.begin.append(len(self.feature))

    def add(self, tree):
        """Append a tree of which self.root is the first node."""
        i = len(self.feature)
        split, *children = tree if isinstance(tree, tuple) else (None,)
        self.feature.append(split[0] if split else -1)
        self.flags.append(int(split[1]) if split else 0)
        self.threshold.append(0.0)
        self.left.append(0)
        self.right.append(0)
        self.value.append(0.0 if split else tree)
        if split is None:
            return
        if NodeFlag.CATEGORICAL in split[1]:
            self.threshold[i] = len(self.sets)
            self.sets.append(bits(split[2]))
        else:
            self.threshold[i] = split[2]
        for side, child in zip((self.left, self.right), children, strict=True):
            side[i] = len(self.feature) - self.root
            self.add(child)

    def forest(self, **options):
        """Make the forest."""
        return Forest.from_arrays(
            n_features=N_FEATURES,
            tree_begin=self.begin,
            feature=self.feature,
            threshold=self.threshold,
            left=self.left,
            right=self.right,
            value=self.value,
            flags=self.flags,
            set_begin=np.cumsum([0, *(words.size for words in self.sets)]),
            set_words=np.concatenate(self.sets or [np.empty(0, np.uint32)]),
            **options,
        )


def walk(tree, row):
    while isinstance(tree, tuple):
        split, left, right = tree
        tree = left if goes_left(split, float(row[split[0]])) else right
    return tree


def rows(dtype, seed):
    return np.random.default_rng(seed).choice(VALUES, (150, N_FEATURES)).astype(dtype)


def assert_equals(got, expected):
    """Double sums are the same to the last bit; float ones within the step of fixed point and a rounding."""
    if got.dtype == np.float64:
        np.testing.assert_array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=2e-5)


@settings(max_examples=80, deadline=None)
@given(st.lists(trees(st.floats(-10, 10)), max_size=9), st.sampled_from([np.float32, np.float64]), st.integers(0, 99))
def test_equals_a_plain_walk(forest, dtype, seed):
    compiled, x = Flat(forest).forest(base=0.5), rows(dtype, seed)
    expected = [
        reduce(add, (walk(tree, row) for tree in forest), 0.5) for row in x
    ]  # sum() compensates since Python 3.12
    got = compiled.predict(x)
    assert_equals(got, expected)
    for n in (1, 5, 40):  # few rows take other paths
        np.testing.assert_array_equal(compiled.predict(x[:n]), got[:n])


@settings(max_examples=40, deadline=None)
@given(st.lists(trees(st.integers(0, 2**20).map(float)), min_size=1, max_size=5), st.integers(0, 99))
def test_whole_leaf_values_stay_whole_in_float32(forest, seed):
    x = rows(np.float32, seed)
    expected = [sum(walk(tree, row) for tree in forest) for row in x]
    np.testing.assert_array_equal(Flat(forest).forest().predict(x), np.float32(expected))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(trees(st.floats(-5, 5)), st.integers(0, 2)), min_size=1, max_size=9),
    st.sampled_from(["identity", "exp", "sigmoid", "softmax"]),
    st.integers(0, 99),
)
def test_outputs_and_links(forest, link, seed):
    x, base = rows(np.float64, seed), np.array([0.25, -1.0, 0.5])
    options = {"base": base, "tree_output": [k for _, k in forest]}
    compiled = Flat([tree for tree, _ in forest]).forest(**options, link=link, link_scale=0.5)
    raw = np.tile(base, (len(x), 1))
    for tree, k in forest:
        raw[:, k] += [walk(tree, row) for row in x]
    np.testing.assert_array_equal(compiled.predict(x, raw=True), raw)
    half = 0.5 * raw
    expected = {
        "identity": half,
        "exp": np.exp(half),
        "sigmoid": 1 / (1 + np.exp(-half)),
        "softmax": np.exp(half) / np.exp(half).sum(axis=1, keepdims=True),
    }
    np.testing.assert_allclose(compiled.predict(x), expected[link], rtol=1e-14)


@settings(max_examples=40, deadline=None)
@given(st.lists(trees(st.just(0.0)), min_size=1, max_size=9), st.sampled_from([np.float32, np.float64]))
def test_apply_counts_leaves_in_the_order_of_the_arrays(forest, dtype):
    flat, x = Flat(forest), rows(dtype, 0)
    n = 0
    for i, feature in enumerate(flat.feature):
        n = 0 if i in flat.begin else n
        flat.value[i] = n
        n += feature < 0
    leaves = flat.forest().apply(x)
    for t, begin in enumerate(flat.begin[:-1]):
        for row, leaf in zip(x, leaves[:, t], strict=True):
            i = begin
            while flat.feature[i] >= 0:
                test = flat.threshold[i]
                if flat.flags[i] & NodeFlag.CATEGORICAL:
                    words = flat.sets[int(test)]
                    test = frozenset(c for c in range(32 * words.size) if words[c // 32] >> np.uint32(c % 32) & 1)
                split = flat.feature[i], NodeFlag(flat.flags[i]), test
                i = begin + (flat.left[i] if goes_left(split, float(row[split[0]])) else flat.right[i])
            assert leaf == flat.value[i]


@pytest.mark.parametrize("n", [1, 200])
def test_a_set_of_many_categories_is_walked(n):
    split = 0, NodeFlag.CATEGORICAL, frozenset(range(0, 1000, 3))
    x = np.arange(5.0, 5.0 + n)[:, None].repeat(N_FEATURES, 1)
    np.testing.assert_array_equal(Flat([(split, 1.0, 2.0)]).forest().predict(x), np.where(x[:, 0] % 3 == 0, 1.0, 2.0))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(trees(st.floats(-5, 5)), min_size=1, max_size=9),
    st.sampled_from([np.float32, np.float64]),
    st.booleans(),
    st.sampled_from([1, 50, 600, 2048, 5000]),
)
def test_steps_equal_one_call_each(forest, dtype, alike, n):
    rng = np.random.default_rng(n)
    monthly, static = rng.choice(VALUES, (2, 4, n)).astype(dtype), rng.choice(VALUES, n).astype(dtype)
    if alike:  # blocks of rows that resemble each other are pruned
        monthly[:], static[:] = monthly[..., :1], static[0]
        monthly[0, 2, ::3] = 0.5
    compiled = Flat(forest).forest()
    got = compiled.predict_columns([monthly[0], static, monthly[1]])
    for step in range(4):
        columns = [monthly[0, step], static, monthly[1, step]]
        np.testing.assert_array_equal(got[step], compiled.predict_columns(columns))
        shuffled = rng.permutation(n)
        np.testing.assert_array_equal(got[step, shuffled], compiled.predict_columns([c[shuffled] for c in columns]))
