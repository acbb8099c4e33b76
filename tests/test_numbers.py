"""Extreme numbers, sizes and layouts in every public function of numbers: an own error, or the rest unharmed."""

import resource
import subprocess
import sys

import numpy as np
import pytest

from gppcore import (
    PFTS,
    Canopy,
    Forcing,
    Forest,
    LatLonGrid,
    RegridPlan,
    TileStore,
    TransferModel,
    TwoLeafFlux,
    aggregate,
    downscale,
    leaf_gas_exchange,
    two_leaf_gpp,
    two_leaf_gradient,
)
from gppcore.errors import GppcoreError, RangeError, ShapeError
from gppcore.features.derive import derived
from gppcore.features.koeppen import koeppen_class
from gppcore.regrid import conservation_report

EXTREME = [np.nan, np.inf, -np.inf, 1e308, -1e308, 3.4e38, 1e20, 5e-324, -5e-324, -0.0, 2.0**31, -9999.0]
N = 60
RNG = np.random.default_rng(0)


def stumps(n_features):
    return Forest.from_arrays(
        n_features=n_features,
        tree_begin=[0, 3, 6],
        feature=[0, -1, -1, 1, -1, -1],
        threshold=[0.5, 0.0, 0.0, 0.2, 0.0, 0.0],
        left=[1, 0, 0] * 2,
        right=[2, 0, 0] * 2,
        value=[0.0, 1.0, 2.0, 0.0, 4.0, 8.0],
    )


FOREST = stumps(3)
MODEL = TransferModel.of_forest(stumps(3), ("tair", "lai", "own"))
WEATHER = {"sw": 500.0, "tair": 20.0, "vpd": 900.0, "cos_zenith": 0.7, "ca": 400.0}
LEAF = {
    "vcmax25": 60.0,
    "ppfd": 800.0,
    "tair": 20.0,
    "humidity": 0.7,
    "boundary_conductance": 1.0,
    "ca": 400.0,
    "g1": 8.0,
    "g0": 0.01,
}
EDGES = {"lat_edges": (0.0, 40.0)}
AROUND = {**EDGES, "lon_edges": (0.0, 36.0)}
FINE, COARSE = LatLonGrid(np.arange(13.0), np.arange(21.0)), LatLonGrid(np.arange(0, 13, 4.0), np.arange(0, 21, 4.0))


def hour(name):
    return lambda x: two_leaf_gpp(Forcing(**{**WEATHER, name: x}), Canopy(lai=3.0), PFTS["dbf"]).gpp


def gradient(x):
    found = two_leaf_gradient(Forcing(**{**WEATHER, "tair": x}), Canopy(lai=3.0), PFTS["dbf"], parameters=("lai", "sw"))
    return found.derivatives["lai"]


def rows(x):
    """Make rows whose first feature is attacked."""
    table = np.empty((*x.shape, 3), x.dtype)
    table[..., 0], table[..., 1], table[..., 2] = x, x.dtype.type(0.3), x.dtype.type(0.1)
    return table.reshape(-1, 3)


def field(x, shape=(12, 20)):
    return np.resize(x, shape) if x.size else np.empty((0, 0), x.dtype)


# Elementwise functions: the result at an element depends on that element alone.
ELEMENTWISE = {
    **{f"two_leaf_gpp {name}": hour(name) for name in WEATHER},
    "two_leaf_gpp lai": lambda x: two_leaf_gpp(Forcing(**WEATHER), Canopy(lai=x), PFTS["grass_c4"]).gpp,
    "two_leaf_gradient": gradient,
    **{f"leaf_gas_exchange {name}": lambda x, name=name: leaf_gas_exchange(**{**LEAF, name: x}).a_net for name in LEAF},
    "Forest.predict": lambda x: FOREST.predict(rows(x)),
    "Forest.predict_columns": lambda x: FOREST.predict_columns([x, np.full_like(x, 0.3), np.full_like(x, 0.1)]),
    "Forest.apply": lambda x: FOREST.apply(rows(x))[:, 0].astype(float),
    "TransferModel.predict": lambda x: MODEL.predict(rows(x)),
    "TransferModel.predict ignore": lambda x: MODEL.predict(rows(x), check="ignore"),
}
# Functions of fields, whose results away from an element do not depend on it.
FIELDS = {
    "aggregate": lambda f: aggregate(f, factor=4, **EDGES),
    "downscale conservative": lambda f: downscale(f, factor=2),
    "downscale bilinear": lambda f: downscale(f, factor=2, method="bilinear", lon_edges=(0.0, 36.0)),
    "downscale covariate": lambda f: downscale(
        f, factor=2, method="covariate", covariate=np.ones((24, 40), f.dtype), **EDGES
    ),
    "RegridPlan.apply": lambda f: RegridPlan(FINE, COARSE).apply(f),
    "RegridPlan.apply bilinear": lambda f: RegridPlan(FINE, COARSE, method="bilinear").apply(f),
}
HEALTHY = RNG.uniform(0.2, 0.9, N)


def attempt(call, *arguments):
    """Return the result, or None for an error of gppcore; numpy raises where it would warn."""
    try:
        with np.errstate(all="raise"):
            return np.asarray(call(*arguments))
    except GppcoreError:
        return None


def healthy(name, dtype):
    scale = {"vpd": 1000.0, "ca": 900.0, "sw": 900.0, "tair": 40.0, "vcmax25": 100.0, "ppfd": 1500.0}
    return (HEALTHY * scale.get(name.split()[-1], 1.0)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_extreme_element_harms_no_other(name, dtype):
    call, x = ELEMENTWISE[name], healthy(name, dtype)
    expected = call(x)
    assert np.isfinite(expected).all()
    for value in EXTREME:
        attacked = x.copy()
        with np.errstate(over="ignore"):
            attacked[7] = value
        found = attempt(call, attacked)
        if found is None:
            assert not np.isnan(value), "NaN is a missing value and never an error"
            continue
        np.testing.assert_array_equal(np.delete(found, 7), np.delete(expected, 7), err_msg=f"{value}")


@pytest.mark.parametrize("name", FIELDS)
def test_an_extreme_cell_harms_no_far_one(name):
    call, x = FIELDS[name], RNG.uniform(0.2, 0.9, (12, 20))
    expected = call(x)
    far = np.ones(expected.shape, bool)
    far[: expected.shape[0] // 2 + 1, : expected.shape[1] // 2 + 1] = False
    for dtype in (np.float64, np.float32):
        reference = call(x.astype(dtype))
        for value in EXTREME:
            attacked = x.astype(dtype)
            with np.errstate(over="ignore"):
                attacked[1, 1] = value
            found = attempt(call, attacked)
            if found is not None:
                np.testing.assert_array_equal(found[far], reference[far], err_msg=f"{value}")


@pytest.mark.parametrize("name", [*ELEMENTWISE, *FIELDS])
def test_order_of_bytes_and_elements_does_not_matter(name):
    call = {**ELEMENTWISE, **FIELDS}[name]
    x = healthy(name, np.float64).reshape(6, 10) if name in ELEMENTWISE else RNG.uniform(0.2, 0.9, (12, 20))
    expected = call(x)
    with_gaps = np.zeros((2 * x.shape[0], 3 * x.shape[1]))
    with_gaps[::2, ::3] = x
    backwards = np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    locked = x.copy()
    locked.flags.writeable = False
    for changed in (x.astype(">f8"), np.asfortranarray(x), with_gaps[::2, ::3], backwards, locked):
        np.testing.assert_array_equal(call(changed), expected)
    row = np.broadcast_to(x[0], x.shape)  # a stride of zero
    np.testing.assert_array_equal(call(row), call(row.copy()))


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("n", [0, 1])
def test_no_element_and_one(name, n):
    x = healthy(name, np.float64)
    found = attempt(ELEMENTWISE[name], x[:n])
    np.testing.assert_array_equal(found, ELEMENTWISE[name](x)[:n])


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("shape", [(0, 20), (12, 0), (0, 12, 20), (1, 1)])
def test_fields_without_cells_are_refused_or_empty(name, shape):
    found = attempt(FIELDS[name], np.ones(shape))
    assert found is None or found.size == 0 or np.isfinite(found).all()


def others(fields):
    """Derive all that can be derived, of the cells that are not attacked."""
    return np.concatenate([v[..., [0, 2]].ravel() for v in derived(fields, mean_year=True).values()])


@pytest.mark.parametrize("value", EXTREME)
def test_extreme_weather_in_derived_predictors(value):
    fields = {name: np.full((12, 3), 5.0) for name in ("tmin", "tmax", "precip")}
    fields["tmax"] = fields["tmax"] + 9.0
    fields |= {"lat": np.array([10.0, 20.0, 30.0]), "igbp": np.array([1.0, 4.0, 10.0])}
    expected = others(fields)
    for name in ("tmin", "precip"):
        attacked = {**fields, name: fields[name].copy()}
        attacked[name][3, 1] = value
        found = attempt(others, attacked)
        if found is not None:
            np.testing.assert_array_equal(found, expected)
    attempt(koeppen_class, np.full((12, 2), value), np.full((12, 2), 2.0))


@pytest.mark.parametrize("value", EXTREME)
def test_extreme_values_in_a_report_and_in_tiles(value, tmp_path):
    before, after = np.full((12, 20), 1.0), np.full((3, 5), 1.0)
    before[1, 1] = value
    attempt(lambda: conservation_report(before, FINE, after, COARSE).relative_error)
    store = TileStore.create(tmp_path / "store", 89.5 - np.arange(40.0), np.arange(80.0), np.arange(10))
    store.add("own", monthly=False, attrs={})
    with np.errstate(over="ignore"):
        values = np.full(10, value, np.float32)
    store.write("own", 0, values)
    np.testing.assert_array_equal(store.read("own", 0), values)


@pytest.mark.parametrize("method", ["conservative", "bilinear", "smooth"])
@pytest.mark.parametrize("factor", [2**31, 2**40, 2**62])
def test_factors_beyond_all_memory_are_refused(method, factor):
    options = {"bilinear": {"lon_edges": (0.0, 36.0)}, "smooth": AROUND}.get(method, {})
    with pytest.raises(ShapeError, match="out: expected at most"):
        downscale(np.ones((3, 3)), factor=factor, method=method, **options)


def test_outputs_that_share_memory():
    n = 20_000
    sw = RNG.uniform(0.0, 1000.0, n)
    expected = two_leaf_gpp(Forcing(**{**WEATHER, "sw": sw}), Canopy(lai=3.0), PFTS["dbf"], n_threads=3).gpp
    buffer = np.empty(n + 1)
    buffer[1:] = sw
    out = TwoLeafFlux(gpp_sunlit=buffer[:-1], gpp_shaded=np.empty(n))
    found = two_leaf_gpp(Forcing(**{**WEATHER, "sw": buffer[1:]}), Canopy(lai=3.0), PFTS["dbf"], out=out, n_threads=3)
    np.testing.assert_array_equal(found.gpp, expected)
    same = np.empty(n)
    with pytest.raises(ShapeError, match=r"out.gpp_shaded: expected memory of its own, got that of out.gpp_sunlit"):
        two_leaf_gpp(Forcing(**WEATHER), Canopy(lai=sw / 200), PFTS["dbf"], out=TwoLeafFlux(same, same))


def test_whole_numbers_of_threads_only():
    for wrong in (-1, 1.5, True, "2", 2**31, np.nan):
        with pytest.raises(RangeError, match="n_threads: expected a whole number"):
            FOREST.predict(np.zeros((2, 3)), n_threads=wrong)


MANY = """
import numpy as np
from gppcore import aggregate
n = 47_104  # n * n is more than 2**31
field = np.broadcast_to(np.float32(0.25), (n, n))
mean = aggregate(field, factor=n // 8, lat_edges=(-90.0, 90.0), n_threads=2)
assert mean.shape == (8, 8) and (mean == np.float32(0.25)).all(), mean
"""


@pytest.mark.slow
def test_more_elements_than_int32_counts():
    """The field has strides of zero; a copy of it takes 9 GB where the system has them."""
    with open("/proc/meminfo") as file:  # noqa: PTH123
        free = int(next(line for line in file if line.startswith("MemAvailable")).split()[1]) * 1024
    if free < 12 * 2**30 or resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        pytest.skip("needs 12 GB of memory")
    subprocess.run([sys.executable, "-c", MANY], check=True)
