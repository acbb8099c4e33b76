"""Exact derivatives against central differences, and the same bits as without derivatives."""

import numpy as np
import pytest

from gppcore.constants import PFTS
from gppcore.errors import RangeError
from gppcore.process.two_leaf import INPUTS, Canopy, Forcing, two_leaf_gpp, two_leaf_gradient

LIMITS = {
    "sw": (50, 950),
    "tair": (2, 38),
    "vpd": (200, 3000),
    "wind": (0.5, 6),
    "cos_zenith": (0.15, 0.95),
    "ca": (300, 700),
    "lai": (0.5, 6),
    "clumping": (0.5, 0.95),
    "soil_water_stress": (0.3, 0.95),
    "vcmax25": (20, 120),
    "g1": (4, 11),
    "diffuse_fraction": (0.2, 0.9),
}
STEP = {name: 1e-5 * (high - low) for name, (low, high) in LIMITS.items()}
OPTIONS = [{}, {"biochem_temperature": "leaf"}, {"gross": True}]


def hours(n=400):
    rng = np.random.default_rng(3)
    return {name: rng.uniform(*limits, n) for name, limits in LIMITS.items()}


def split(x):
    weather = ("sw", "tair", "vpd", "cos_zenith", "ca", "wind", "diffuse_fraction")
    leaves = ("lai", "soil_water_stress", "clumping", "vcmax25", "g1")
    return Forcing(**{k: x[k] for k in weather}), Canopy(**{k: x[k] for k in leaves})


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("pft", ["dbf", "grass_c4"])
def test_equal_to_central_differences(pft, options):
    x = hours()
    gradient = two_leaf_gradient(*split(x), PFTS[pft], parameters=INPUTS, **options)
    for name in INPUTS:
        up, down = ({**x, name: x[name] + sign * STEP[name]} for sign in (1, -1))
        difference = two_leaf_gpp(*split(up), PFTS[pft], **options).gpp
        difference = (difference - two_leaf_gpp(*split(down), PFTS[pft], **options).gpp) / (2 * STEP[name])
        size = np.abs(difference).max()
        error = np.abs(gradient.derivatives[name] - difference) / size
        # Hours at a bound of the model have one-sided derivatives; all others agree to the error of the difference.
        assert np.quantile(error, 0.97) < 2e-6, name
        assert np.median(error) < 1e-8, name


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_flux_is_the_same_bits(options):
    x = hours(37)
    gradient = two_leaf_gradient(*split(x), PFTS["enf"], parameters=("g1",), **options)
    flux = two_leaf_gpp(*split(x), PFTS["enf"], **options)
    assert gradient.flux.gpp_sunlit.tobytes() == flux.gpp_sunlit.tobytes()
    assert gradient.flux.gpp_shaded.tobytes() == flux.gpp_shaded.tobytes()


def test_order_and_company_do_not_change_a_derivative():
    x = hours(50)
    whole = two_leaf_gradient(*split(x), PFTS["mf"], parameters=INPUTS)
    for name in INPUTS:
        alone = two_leaf_gradient(*split(x), PFTS["mf"], parameters=(name,)).derivatives[name]
        assert alone.tobytes() == whole.derivatives[name].tobytes(), name


def test_night_gives_zero_and_nan_stays_in_its_place():
    x = hours(20)
    x["sw"][3] = 0.0
    x["vpd"][5] = np.nan
    derivatives = two_leaf_gradient(*split(x), PFTS["dbf"]).derivatives
    for d in derivatives.values():
        assert d[3] == 0
        assert np.isnan(d[5])
        assert np.isfinite(np.delete(d, 5)).all()


def test_unknown_parameters_are_named():
    x = hours(3)
    with pytest.raises(RangeError, match=r"parameters: expected names of sw, .* got 'albedo'"):
        two_leaf_gradient(*split(x), PFTS["dbf"], parameters=("albedo",))
    x["diffuse_fraction"] = None
    with pytest.raises(RangeError, match="diffuse_fraction"):
        two_leaf_gradient(*split(x), PFTS["dbf"], parameters=("diffuse_fraction",))
