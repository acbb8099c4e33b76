"""What forests predict from and into: masks, strides, steps, outputs; and Ctrl-C."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from gppcore.errors import DtypeError, ShapeError

SHAPES = [{}, {"n_outputs": 3, "link": "softmax"}, {"n_outputs": 2, "wide": True, "link": "sigmoid"}]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strides_and_outputs_do_not_matter(random_forest, random_rows, shape, dtype):
    forest, x = random_forest(**shape), random_rows(900, dtype=dtype)
    expected = forest.predict(x)
    assert expected.shape == (900, *((forest.n_outputs,) if forest.n_outputs > 1 else ()))
    big = np.full((1800, 9), np.nan, dtype)
    big[::-2, 1::2] = x
    np.testing.assert_array_equal(forest.predict(big[::-2, 1::2]), expected)
    np.testing.assert_array_equal(forest.predict(np.asfortranarray(x)), expected)
    np.testing.assert_array_equal(forest.predict_columns(list(x.T)), expected)
    strided = np.zeros((900, 2, *expected.shape[1:]), dtype)
    assert forest.predict(x, out=strided[:, 1]).base is strided
    np.testing.assert_array_equal(strided[:, 1], expected)
    assert not strided[:, 0].any()


def test_output_over_the_input(random_forest, random_rows):
    forest, x = random_forest(), random_rows(900)
    expected = forest.predict(x)
    np.testing.assert_array_equal(forest.predict(x, out=x[:, 2]), expected)
    columns = np.ascontiguousarray(random_rows(900).T)
    np.testing.assert_array_equal(forest.predict_columns(columns, out=columns[2]), expected)


def test_masked_is_missing(random_forest, random_rows):
    forest, x = random_forest(), random_rows(400)
    masked = np.ma.masked_array(np.nan_to_num(x, nan=7.0), np.isnan(x))
    np.testing.assert_array_equal(forest.predict(masked), forest.predict(x))
    np.testing.assert_array_equal(forest.apply(masked), forest.apply(x))
    np.testing.assert_array_equal(forest.predict_columns(list(masked.T)), forest.predict(x))
    with pytest.raises(DtypeError, match="x: expected float64, float32 or integers, got <U1"):
        forest.predict(np.ma.masked_array(np.full((4, 4), "a"), False))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_threads", [1, 3])
def test_steps_equal_one_call_each(random_forest, random_rows, shape, n_threads):
    forest = random_forest(**shape)
    static, monthly = random_rows(5000), np.stack([random_rows(5000, seed) for seed in range(3)])
    columns = [static[:, 0], monthly[:, :, 1], 0.25, monthly[:, ::-1, 3]]
    got = forest.predict_columns(columns, n_threads=n_threads)
    for step in range(3):
        one = [c[step] if np.ndim(c) == 2 else c for c in columns]
        np.testing.assert_array_equal(got[step], forest.predict_columns(one))


def test_steps_of_other_shapes_are_refused(random_forest):
    a, b = np.zeros((3, 5)), np.zeros(5)
    for columns in ([a, b, b, np.zeros(3)], [a, np.zeros((2, 5)), b, b], [a, b, b, np.zeros((3, 1, 5))]):
        with pytest.raises(ShapeError, match=r"columns\[\d\]: expected shape"):
            random_forest().predict_columns(columns)


def test_raw_leaves_out_the_link(random_forest, random_rows):
    x = random_rows(100)
    plain = random_forest(n_outputs=3).predict(x)
    scaled = {"n_outputs": 3, "link_scale": 2.0}
    np.testing.assert_array_equal(random_forest(link="exp", **scaled).predict(x, raw=True), plain)
    np.testing.assert_allclose(random_forest(link="exp", **scaled).predict(x), np.exp(2 * plain), rtol=1e-12)
    np.testing.assert_allclose(random_forest(link="sigmoid", **scaled).predict(x), 1 / (1 + np.exp(-2 * plain)), 1e-12)
    power = np.exp(2 * plain)
    expected = power / power.sum(1, keepdims=True)
    np.testing.assert_allclose(random_forest(link="softmax", **scaled).predict(x), expected, rtol=1e-12)


LONG_CALL = """
import sys
import numpy as np
from gppcore.forest import Forest

node, inner = np.arange(1023), np.arange(1023) < 511
n_trees, rng = 2000, np.random.default_rng(0)
forest = Forest.from_arrays(
    n_features=4,
    tree_begin=1023 * np.arange(n_trees + 1),
    feature=np.tile(np.where(inner, node % 4, -1), n_trees),
    threshold=rng.random(1023 * n_trees),
    left=np.tile(np.where(inner, 2 * node + 1, 0), n_trees),
    right=np.tile(np.where(inner, 2 * node + 2, 0), n_trees),
    value=rng.random(1023 * n_trees),
)
rows = rng.random((4_000_000, 4), dtype=np.float32)
print("ready", flush=True)
try:
    forest.predict(rows, n_threads=int(sys.argv[1]))
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("finished", flush=True)
"""


@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_a_long_call(n_threads):
    command = [sys.executable, "-c", LONG_CALL, str(n_threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        begin = time.perf_counter()
        assert process.stdout.readline() == "interrupted\n"
        # 0.2 s on a machine of its own: here other processes may hold the cores.
        assert time.perf_counter() - begin < 5.0
