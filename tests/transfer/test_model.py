"""Transfer models: the compiled core against the same arithmetic in numpy over single forests, and their files."""

import itertools
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gppcore.errors import DtypeError, ForestFormatError, MissingFileError, RangeError, ShapeError
from gppcore.forest import Forest
from gppcore.transfer.model import Model
from gppcore.transfer.recipe import Interval, Member, Quantity, Recipe, quantities_of, read_model, write_model
from gppcore.transfer.transfer_model import TransferModel

N_PREDICTORS = 5
RECIPE = Recipe(
    predictors=("tair", "vpd", "sw", "lai", "fraction_ENF"),
    sources=("process", "sunlit", "stress"),
    members=(
        Member("boosted", "gpp", 3, 0.3),
        Member("ratio", "ratio", 1, 0.25, 0.5),
        Member("residual", "residual", 2, 0.2),
        Member("direct", "gpp", 0, 0.1),
    ),
    process_weight=0.15,
    gate=0.25,
    interval=Interval(1.7, 0.2, 0.9, 0.1),
)
DIRECT = Recipe(RECIPE.predictors, (), (Member("a", "gpp", 0, 0.6), Member("b", "gpp", 0, 0.4)), 0.0, 0.0)


def trees(n_features, *, n_trees=12, seed=0, shift=0.3, depth=4):
    """Make full binary trees with random thresholds and leaves, a part of which is below 0."""
    rng = np.random.default_rng(seed)
    size = 2 ** (depth + 1) - 1
    node = np.arange(size)
    inner = node < size // 2
    return Forest.from_arrays(
        n_features=n_features,
        tree_begin=size * np.arange(n_trees + 1),
        feature=np.where(inner, rng.integers(0, n_features, (n_trees, size)), -1).ravel(),
        threshold=rng.normal(size=n_trees * size),
        left=np.tile(np.where(inner, 2 * node + 1, 0), n_trees),
        right=np.tile(np.where(inner, 2 * node + 2, 0), n_trees),
        flags=rng.random(n_trees * size) < 0.5,
        value=rng.normal(shift, 1.0, n_trees * size),
    )


def forests(recipe):
    sources = [trees(N_PREDICTORS, seed=k) for k in range(len(recipe.sources))]
    members = [trees(N_PREDICTORS + m.n_sources, seed=10 + j) for j, m in enumerate(recipe.members)]
    return sources, members


def made(recipe):
    return Model(recipe, *forests(recipe))


def columns(n, dtype=np.float64, n_steps=None):
    """Make columns with missing values: some of every step, one strided, one static, one a number."""
    rng = np.random.default_rng(3)
    shape = (n,) if n_steps is None else (n_steps, n)
    x = rng.normal(size=(N_PREDICTORS, *shape)).astype(dtype)
    x[rng.random(x.shape) < 0.1] = np.nan
    wide = np.repeat(x[1], 2, axis=-1)
    return [x[0], wide[..., ::2], x[2] if n_steps is None else x[2, 0], x[3], 0.25]


def composed(model, x):
    """GPP and interval by numpy over single forests, operation by operation as the core has them."""
    recipe = model.recipe
    sources = [np.maximum(forest.predict_columns(x), 0) for forest in model.sources]
    number = (sources[0] if sources else x[0]).dtype.type
    values = []
    for member, forest in zip(recipe.members, model.members, strict=True):
        v = forest.predict_columns([*x, *sources[: member.n_sources]])
        if member.kind == "ratio":
            v = v * (sources[0] + number(member.offset))
        if member.kind == "residual":
            v = v + sources[0]
        values.append(v)
    weights = [number(m.weight) for m in recipe.members]
    p = sources[0] if sources else None
    t = number(recipe.process_weight) * p if sources else number(0)
    for w, v in zip(weights, values, strict=True):
        t = t + w * v
    gpp = np.maximum(p + p / (p + number(recipe.gate)) * (t - p) if sources else t, 0)
    if recipe.interval is None:
        return (gpp,)
    square = sum((w * ((v - t) * (v - t)) for w, v in zip(weights, values, strict=True)), number(0))
    if sources:
        square = square + number(recipe.process_weight) * ((p - t) * (p - t))
    i = recipe.interval
    half = number(i.q) * (number(i.a) + number(i.b) * np.sqrt(square) + number(i.c) * gpp)
    return gpp, np.maximum(gpp - half, 0), gpp + half


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "n_steps"), [(1, None), (9000, None), (2500, 3), (20, 12)])
def test_core_equals_numpy_over_forests(dtype, n, n_steps):
    """To the last bit: each operation is rounded once, in the same order and number type."""
    model, x = made(RECIPE), columns(n, dtype, n_steps)
    got, expected = model.predict_columns(x, interval=True), composed(model, x)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == dtype
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict_columns(x), expected[0])
    if n > 100:
        assert (got[0] == 0).any()
        assert ((got[1] < got[0]) & (got[0] < got[2])).mean() > 0.5


@pytest.mark.parametrize("interval", [None, Interval(1.0, 0.1, 0.5, 0.0)])
def test_direct_model_equals_numpy(interval):
    model, x = made(replace(DIRECT, interval=interval)), columns(3000)
    got = model.predict_columns(x, interval=True) if interval else (model.predict_columns(x),)
    for a, b in zip(got, composed(model, x), strict=True):
        np.testing.assert_array_equal(a, b)


def test_process_alone_is_the_source():
    recipe = Recipe(RECIPE.predictors, ("process",), (), 1.0, 0.25)
    model, x = made(recipe), columns(500)
    np.testing.assert_array_equal(model.predict_columns(x), np.maximum(model.sources[0].predict_columns(x), 0))


@pytest.mark.parametrize("n_steps", [None, 5])
def test_same_bits_for_any_split_and_threads(n_steps):
    model, x = made(RECIPE), columns(20_011, n_steps=n_steps)
    whole = np.stack(model.predict_columns(x, interval=True))
    np.testing.assert_array_equal(np.stack(model.predict_columns(x, interval=True, n_threads=3)), whole)
    for begin, end in ((0, 1), (1, 7000), (7000, 20_011)):
        part = [c[..., begin:end] if np.ndim(c) else c for c in x]
        np.testing.assert_array_equal(np.stack(model.predict_columns(part, interval=True)), whole[..., begin:end])


def test_overflow_stays_in_its_pixel():
    huge = Forest.from_arrays(
        n_features=N_PREDICTORS,
        tree_begin=[0, 3],
        feature=[0, -1, -1],
        threshold=[0.0, 0, 0],
        left=[1, 0, 0],
        right=[2, 0, 0],
        value=[0.0, 1.0, 1e30],
    )
    recipe = replace(DIRECT, members=(Member("a", "gpp", 0, 1e10),), interval=Interval(1.0, 0.0, 1.0, 0.0))
    x = [np.array([-1.0, 1.0, -1.0], np.float32), *[0.0] * (N_PREDICTORS - 1)]
    gpp, low, high = Model(recipe, (), [huge]).predict_columns(x, interval=True)
    assert np.isinf(gpp).tolist() == [False, True, False]
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [False, True, False]  # infinity minus infinity


LONG_CALL = """
import sys
sys.path.insert(0, sys.argv[2])
import numpy as np
from test_model import DIRECT, N_PREDICTORS, trees
from gppcore.transfer.model import Model

model = Model(DIRECT, (), [trees(N_PREDICTORS, n_trees=1000, depth=9), trees(N_PREDICTORS)])
columns = list(np.random.default_rng(0).random((N_PREDICTORS, 4_000_000), dtype=np.float32))
print("ready", flush=True)
try:
    model.predict_columns(columns, n_threads=int(sys.argv[1]))
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("finished", flush=True)
"""


@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_a_long_call(n_threads):
    command = [sys.executable, "-c", LONG_CALL, str(n_threads), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"


def test_saved_model_is_the_same(tmp_path):
    model, x = made(RECIPE), columns(1000)
    model.save(tmp_path)
    again = Model.load(tmp_path)
    assert again.recipe == RECIPE == read_model(tmp_path / "model.gppm")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *(f"member_{m}.gppf" for m in ("boosted", "direct", "ratio", "residual")),
        "model.gppm",
        *(f"source_{s}.gppf" for s in ("process", "stress", "sunlit")),
    ]
    for a, b in zip(again.predict_columns(x, interval=True), model.predict_columns(x, interval=True), strict=True):
        np.testing.assert_array_equal(a, b)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"model\.gppm"):
        Model.load(tmp_path)
    with pytest.raises(MissingFileError, match="no_such"):
        made(DIRECT).save(tmp_path / "no_such")
    made(DIRECT).save(tmp_path)
    (tmp_path / "member_b.gppf").unlink()
    with pytest.raises(MissingFileError, match=r"member_b\.gppf"):
        Model.load(tmp_path)


def test_forests_that_do_not_fit_are_refused(tmp_path):
    sources, members = forests(RECIPE)
    with pytest.raises(ForestFormatError, match="member boosted: expected 8 features, got 6"):
        Model(RECIPE, sources, [members[1], *members[1:]])
    with pytest.raises(ForestFormatError, match="a forest for each source and member, got 2 and 4"):
        Model(RECIPE, sources[:2], members)
    two = Forest.from_arrays(
        n_features=5,
        tree_begin=[0, 1],
        feature=[-1],
        threshold=[0.0],
        left=[0],
        right=[0],
        value=[1.0],
        base=[0.0, 0.0],
    )
    with pytest.raises(ForestFormatError, match="source sunlit: expected 1 output, got 2"):
        Model(RECIPE, [sources[0], two, sources[2]], members)
    made(RECIPE).save(tmp_path)
    sources[0].save(tmp_path / "member_boosted.gppf")
    with pytest.raises(ForestFormatError, match="member boosted: expected 8 features, got 5"):
        Model.load(tmp_path)


def with_member(**changes):
    return replace(RECIPE, members=(replace(RECIPE.members[0], **changes), *RECIPE.members[1:]))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (replace(RECIPE, predictors=()), "predictors: expected 1 to 32768, got 0"),
        (replace(RECIPE, predictors=("a", "a")), "got a twice"),
        (replace(RECIPE, sources=("a/b",)), "sources: expected a name"),
        (replace(RECIPE, sources=("",)), "sources: expected a name"),
        (replace(RECIPE, sources=("a" * 48,)), "sources: expected a name"),
        (replace(RECIPE, sources=("a\0b",)), "sources: expected a name"),
        (replace(RECIPE, members=RECIPE.members[:1] * 2), "got boosted twice"),
        (replace(RECIPE, sources=(), members=(), process_weight=0.0), "expected 1 to 256 forests, got 0"),
        (with_member(name="ä"), "members: expected a name"),
        (with_member(kind="sum"), "kind: expected one of"),
        (with_member(n_sources=4), "n_sources: expected 0 to 3, got 4"),
        (with_member(n_sources=-1), "n_sources: expected 0 to 3, got -1"),
        (with_member(weight=float("nan")), "weight: expected a finite number"),
        (with_member(weight=-0.1), "weight: expected a finite number"),
        (with_member(offset=1e39), "offset: expected a finite number"),
        (replace(RECIPE, gate=0.0), "gate: expected more than 0"),
        (replace(RECIPE, gate=1e-60), "gate: expected more than 0"),
        (replace(RECIPE, gate=float("inf")), "gate: expected a finite number"),
        (replace(RECIPE, process_weight=float("nan")), "process_weight: expected a finite number"),
        (replace(DIRECT, process_weight=0.5), "process_weight: expected 0 without sources"),
        (replace(DIRECT, members=(Member("a", "ratio", 0, 1.0),)), "expected a source"),
        (replace(RECIPE, interval=Interval(1.0, 0.0, -1.0, 0.0)), "interval: b: expected a finite number"),
        (replace(RECIPE, interval=Interval(float("inf"), 0.0, 1.0, 0.0)), "interval: q: expected a finite number"),
    ],
)
def test_wrong_recipes_are_refused(recipe, message, tmp_path):
    with pytest.raises(ForestFormatError, match=message):
        write_model(tmp_path / "model.gppm", recipe)
    assert list(tmp_path.iterdir()) == []


def test_wrong_input_is_refused():
    model, x = made(replace(RECIPE, interval=None)), columns(10)
    with pytest.raises(RangeError, match="interval: expected a model that has one"):
        model.predict_columns(x, interval=True)
    with pytest.raises(ShapeError, match="columns: expected 5"):
        model.predict_columns(x[:4])
    with pytest.raises(ShapeError, match=r"columns\[3\] \(lai\)"):
        model.predict_columns([*x[:3], x[3][:9], x[4]])
    with pytest.raises(DtypeError, match=r"columns\[3\] \(lai\)"):
        model.predict_columns([*x[:3], x[3].astype(np.float32), x[4]])
    assert model.predict_columns(columns(0)).shape == (0,)
    assert model.predict_columns([np.zeros((0, 3)), *[np.zeros(3)] * 4]).shape == (0, 3)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def test_every_damaged_byte_and_every_cut_is_refused(tmp_path):
    path = tmp_path / "model.gppm"
    write_model(path, RECIPE)
    content = path.read_bytes()
    assert len(content) == 96 + 48 * 8 + 72 * 4
    for i, bit in itertools.product(range(len(content)), (1, 128)):
        damaged = bytearray(content)
        damaged[i] ^= bit
        path.write_bytes(damaged)
        with pytest.raises(ForestFormatError):
            read_model(path)
    for damaged in [*(content[:i] for i in range(len(content))), content + b"\0"]:
        path.write_bytes(damaged)
        with pytest.raises(ForestFormatError):
            read_model(path)


def test_damage_under_a_right_checksum_is_refused_or_another_recipe(tmp_path):
    """One recipe has one file: what is read writes the same bytes again."""
    path, again = tmp_path / "model.gppm", tmp_path / "again.gppm"
    write_model(path, RECIPE)
    content, rng, outcomes = path.read_bytes(), np.random.default_rng(0), {True: 0, False: 0}
    for i in range(16, len(content)):
        damaged = bytearray(content)
        damaged[i] = (damaged[i] + rng.integers(1, 256)) % 256
        struct.pack_into("<I", damaged, 12, crc32c(damaged[16:]))
        path.write_bytes(damaged)
        try:
            recipe = read_model(path)
        except ForestFormatError:
            outcomes[False] += 1
            continue
        outcomes[True] += 1
        write_model(again, recipe)
        assert again.read_bytes() == damaged
    assert min(outcomes.values()) > 20, outcomes


@pytest.mark.parametrize(
    ("offset", "layout", "value", "message"),
    [
        (0, "<8s", b"GPPF\r\n\x1a\n", "another format"),
        (8, "<I", 3, "version: expected 1 or 2, got 3"),
        (16, "<Q", 5, "size: expected"),
        (24, "<I", 0xFFFFFFFF, "size: expected"),
        (36, "<I", 2, "has_interval: expected 0 or 1, got 2"),
        (36, "<I", 0, "expected zeros in unused bytes"),
        (88, "<B", 1, "expected zeros in unused bytes"),
        (96 + 10, "<B", 97, "expected zeros in unused bytes"),
        (96 + 48 * 8 + 48, "<I", 3, "kind: expected 0 to 2, got 3"),
    ],
)
def test_faults_are_named(offset, layout, value, message, tmp_path):
    path = tmp_path / "model.gppm"
    write_model(path, RECIPE)
    content = bytearray(path.read_bytes())
    struct.pack_into(layout, content, offset, value)
    struct.pack_into("<I", content, 12, crc32c(content[16:]))
    path.write_bytes(content)
    with pytest.raises(ForestFormatError, match=rf"model\.gppm: .*{message}"):
        read_model(path)


def test_units_and_ranges_are_kept_and_files_without_them_still_load(tmp_path):
    known = replace(RECIPE, quantities=quantities_of(RECIPE.predictors))
    for recipe, version in ((RECIPE, 1), (known, 2)):
        path = tmp_path / f"{version}.gppm"
        write_model(path, recipe)
        assert struct.unpack_from("<I", path.read_bytes(), 8) == (version,)
        assert read_model(path) == recipe
    strange = replace(RECIPE, quantities=(Quantity("x" * 32),) * len(RECIPE.predictors))
    with pytest.raises(ForestFormatError, match="unit: expected up to 31 characters"):
        write_model(tmp_path / "unit.gppm", strange)
    strange = replace(RECIPE, quantities=(Quantity("1", 2.0, 1.0),) * len(RECIPE.predictors))
    with pytest.raises(ForestFormatError, match="range: expected a lower bound"):
        write_model(tmp_path / "range.gppm", strange)
    with pytest.raises(ForestFormatError, match="quantities: expected one for each predictor"):
        write_model(tmp_path / "few.gppm", replace(RECIPE, quantities=(Quantity("1"),)))


def test_a_row_of_which_nothing_is_known_is_missing():
    x = np.full((4, 3), np.nan)
    x[1, 2] = 1.0
    forest = Forest.from_arrays(
        n_features=3, tree_begin=[0, 3], feature=[0, -1, -1], threshold=[0.5, 0, 0], left=[1, 0, 0], right=[2, 0, 0],
        value=[0.0, 1.0, 2.0],
    )  # fmt: skip
    model = TransferModel.of_forest(forest, ("tair", "vpd", "lai"))
    assert np.isnan(model.predict(x)).tolist() == [True, False, True, True]
    steps = [np.stack([column, np.zeros(4)]) for column in x.T]
    assert np.isnan(model.predict_columns(steps)).tolist() == [[True, False, True, True], [False] * 4]


def test_a_model_for_another_unit_is_refused(tmp_path):
    forest = Forest.from_arrays(
        n_features=1, tree_begin=[0, 1], feature=[-1], threshold=[0], left=[0], right=[0], value=[1.0]
    )
    TransferModel.of_forest(forest, ("tair",)).save(tmp_path)
    recipe = read_model(tmp_path / "model.gppm")
    assert recipe.quantities == (Quantity("degC", -90.0, 65.0),)
    write_model(tmp_path / "model.gppm", replace(recipe, quantities=()))
    assert TransferModel.load(tmp_path).predict([[20.0]]) == [1.0]
    write_model(tmp_path / "model.gppm", replace(recipe, quantities=(Quantity("K", 180.0, 340.0),)))
    with pytest.raises(ForestFormatError, match="tair: expected a model for degC, got one for K"):
        TransferModel.load(tmp_path)
