"""The compiled two-leaf kernel against the scalar reference, over threads and splits."""

import numpy as np
import pytest

from gppcore.constants import PFTS
from gppcore.process import reference
from gppcore.process.two_leaf import Canopy, Forcing, two_leaf_gpp

RANGES = {
    "sw": (0, 1000),
    "tair": (-15, 45),
    "vpd": (0, 4000),
    "wind": (0.0, 8),
    "cos_zenith": (-0.1, 1),
    "ca": (280, 800),
    "lai": (0, 8),
    "clumping": (0.4, 1),
    "soil_water_stress": (0.0, 1),
    "vcmax25": (0, 130),
    "g1": (2, 12),
    "diffuse_fraction": (0.0, 1.0),
}
OPTIONS = [{}, {"biochem_temperature": "leaf"}, {"gross": True}, {"biochem_temperature": "leaf", "gross": True}]


def sample(n, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(*limits, n) for name, limits in RANGES.items()}


def split(x):
    weather = ("sw", "tair", "vpd", "cos_zenith", "ca", "wind", "diffuse_fraction")
    return Forcing(**{k: x[k] for k in weather}), Canopy(
        **{k: x[k] for k in ("lai", "soil_water_stress", "clumping", "vcmax25", "g1")}
    )


def reference_gpp(x, pft, options):
    numbers = reference.pft_numbers(pft)
    leaf, gross = options.get("biochem_temperature") == "leaf", options.get("gross", False)
    hours = [reference.Hour(*(float(x[k][i]) for k in reference.Hour._fields)) for i in range(x["sw"].size)]
    return np.array([reference.two_leaf(h, numbers, leaf, gross) for h in hours]).T


@pytest.mark.parametrize("clearness", [True, False], ids=["clearness", "diffuse_fraction"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", ["dbf", "grass", "grass_c4"])
def test_kernel_equals_reference(name, options, clearness):
    x = sample(101)
    if clearness:
        x["diffuse_fraction"] = None
    flux = two_leaf_gpp(*split(x), PFTS[name], **options)
    if clearness:
        x["diffuse_fraction"] = np.full(101, -1.0)
    # The reference bisects to the last bit; the kernel stops after a fixed number of steps.
    np.testing.assert_allclose([flux.gpp_sunlit, flux.gpp_shaded], reference_gpp(x, PFTS[name], options), 0, 2e-8)


@pytest.mark.parametrize("name", PFTS)
def test_float32_is_close_to_float64(name):
    x = sample(20000)
    single = {k: v.astype(np.float32) for k, v in x.items()}
    double = {k: v.astype(np.float64) for k, v in single.items()}
    for options in OPTIONS[:2]:
        gpp, exact = (two_leaf_gpp(*split(y), PFTS[name], **options).gpp for y in (single, double))
        assert gpp.dtype == np.float32
        error = np.abs(gpp - exact)
        assert np.quantile(error / np.maximum(exact, 1.0), 0.99) < 1e-4
        assert error.max() < 0.1


def test_bits_equal_over_threads_and_splits():
    x = sample(20011)
    forcing, canopy = split(x)
    whole = two_leaf_gpp(forcing, canopy, PFTS["dbf"])
    threaded = two_leaf_gpp(forcing, canopy, PFTS["dbf"], n_threads=3)
    part = two_leaf_gpp(*split({k: v[5003:5020] for k, v in x.items()}), PFTS["dbf"])
    assert whole.gpp_sunlit.tobytes() == threaded.gpp_sunlit.tobytes()
    assert whole.gpp_shaded.tobytes() == threaded.gpp_shaded.tobytes()
    assert whole.gpp_sunlit[5003:5020].tobytes() == part.gpp_sunlit.tobytes()


def test_broadcast_and_strides_equal_full_arrays():
    x = sample(60)
    hours = {k: v.reshape(4, 15) for k, v in x.items()}
    for k in ("lai", "soil_water_stress", "clumping"):
        hours[k] = hours[k][0]
    hours["sw"] = np.asfortranarray(hours["sw"])
    hours["ca"] = 400.0
    full = {k: np.ascontiguousarray(np.broadcast_to(v, (4, 15))) for k, v in hours.items()}
    assert np.array_equal(two_leaf_gpp(*split(hours), PFTS["enf"]).gpp, two_leaf_gpp(*split(full), PFTS["enf"]).gpp)


def test_columns_of_packed_records_equal_arrays():
    x = sample(20)
    records = np.zeros(20, [(name, "f8") for name in x] + [("quality", "u1")])
    for name, values in x.items():
        records[name] = values
    packed = two_leaf_gpp(*split({name: records[name] for name in x}), PFTS["enf"])
    assert np.array_equal(packed.gpp, two_leaf_gpp(*split(x), PFTS["enf"]).gpp)


@pytest.mark.parametrize("name", RANGES)
def test_nan_stays_in_its_place(name):
    x = sample(19)
    clean = two_leaf_gpp(*split(x), PFTS["mf"]).gpp
    x[name][7] = np.nan
    gpp = two_leaf_gpp(*split(x), PFTS["mf"]).gpp
    assert np.isnan(gpp[7])
    assert np.array_equal(np.delete(gpp, 7), np.delete(clean, 7))
