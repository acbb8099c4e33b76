"""What must hold for any valid input of the two-leaf model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gppcore.constants import PFTS
from gppcore.process.leaf import leaf_gas_exchange
from gppcore.process.two_leaf import OUTPUTS, Canopy, Forcing, two_leaf_gpp, two_leaf_gradient

pfts = st.sampled_from(sorted(PFTS))
hour = st.fixed_dictionaries(
    {
        "sw": st.floats(0, 1200),
        "tair": st.floats(-60, 60),
        "vpd": st.floats(0, 12000),
        "cos_zenith": st.floats(-1, 1),
        "ca": st.floats(50, 2000),
        "wind": st.floats(0, 40),
    }
)
canopy = st.fixed_dictionaries(
    {
        "lai": st.floats(0, 15),
        "soil_water_stress": st.floats(0, 1),
        "clumping": st.floats(0.1, 1),
        "vcmax25": st.floats(0, 400),
        "g1": st.floats(0, 30),
    }
)


@given(hour, canopy, pfts)
def test_finite_and_not_negative(weather, leaves, pft):
    flux = two_leaf_gpp(Forcing(**weather), Canopy(**leaves), PFTS[pft])
    for part in (flux.gpp_sunlit, flux.gpp_shaded):
        assert np.isfinite(part)
        assert part >= 0
    assert flux.gpp == flux.gpp_sunlit + flux.gpp_shaded


@given(hour, canopy, pfts, st.sampled_from(["air", "leaf"]), st.floats(0, 1), st.sampled_from([np.float32, np.float64]))
def test_every_output_is_finite(weather, leaves, pft, kind, diffuse, dtype):
    forcing = Forcing(
        **{k: np.full(1, v, dtype) for k, v in weather.items()}, diffuse_fraction=np.full(1, diffuse, dtype)
    )
    state = Canopy(**{k: np.full(1, v, dtype) for k, v in leaves.items()})
    flux = two_leaf_gpp(forcing, state, PFTS[pft], biochem_temperature=kind, gross=True, outputs=OUTPUTS)
    for name, values in vars(flux).items():
        assert np.isfinite(values).all(), name
    net = two_leaf_gpp(forcing, state, PFTS[pft], biochem_temperature=kind)
    assert flux.gpp >= net.gpp * (1 - 1e-6) - 1e-12  # rounding is all that is left of GPP without soil water
    np.testing.assert_allclose(flux.gpp_classes.sum(0), flux.gpp, rtol=1e-6, atol=1e-30)


@given(hour, canopy, pfts)
def test_derivatives_are_finite(weather, leaves, pft):
    gradient = two_leaf_gradient(Forcing(**weather), Canopy(**leaves), PFTS[pft])
    for name, d in gradient.derivatives.items():
        assert np.isfinite(d), name


@given(hour, canopy, pfts)
def test_zero_without_leaves_or_light(weather, leaves, pft):
    dark = {**weather, "sw": 0.0}
    night = {**weather, "cos_zenith": -abs(weather["cos_zenith"])}
    assert two_leaf_gpp(Forcing(**dark), Canopy(**leaves), PFTS[pft]).gpp == 0
    assert two_leaf_gpp(Forcing(**night), Canopy(**leaves), PFTS[pft]).gpp == 0
    assert two_leaf_gpp(Forcing(**weather), Canopy(**{**leaves, "lai": 0.0}), PFTS[pft]).gpp == 0


@given(hour, canopy, pfts)
def test_little_leaf_area_gives_little_gpp(weather, leaves, pft):
    thin = two_leaf_gpp(Forcing(**weather), Canopy(**{**leaves, "lai": 1e-6}), PFTS[pft])
    assert thin.gpp < 1e-3


SHORTWAVE = np.linspace(0.0, 1200.0, 100)


@pytest.mark.parametrize("pathway", ["C3", "C4"])
def test_more_light_never_lowers_assimilation_of_a_leaf(pathway):
    rng = np.random.default_rng(3)
    low_high = {
        "vcmax25": (0, 400),
        "tair": (-60, 60),
        "humidity": (0, 1),
        "boundary_conductance": (0.05, 10),
        "ca": (50, 2000),
        "g1": (0, 30),
        "g0": (0, 0.1),
        "soil_water_stress": (0, 1),
    }
    state = {name: rng.uniform(*limits, (5000, 1)) for name, limits in low_high.items()}
    a_net = leaf_gas_exchange(ppfd=np.linspace(0.0, 2500.0, 60), pathway=pathway, **state).a_net
    assert (np.diff(a_net) >= 0).all()


@given(hour, canopy, pfts, st.floats(0, 1))
def test_more_light_of_one_quality_gives_more_gpp(weather, leaves, pft, diffuse):
    weather = {**weather, "sw": SHORTWAVE, "diffuse_fraction": diffuse}
    gpp = two_leaf_gpp(Forcing(**weather), Canopy(**leaves), PFTS[pft]).gpp
    # Dips larger than this are rare: docs/equations.md has their share and size.
    assert (np.diff(gpp) >= -1.5e-2).all()


@given(hour, st.floats(8, 40), canopy, pfts, st.floats(0, 1))
def test_more_light_of_one_quality_gives_more_gpp_in_wind(weather, wind, leaves, pft, diffuse):
    weather = {**weather, "wind": wind, "sw": SHORTWAVE, "diffuse_fraction": diffuse}
    gpp = two_leaf_gpp(Forcing(**weather), Canopy(**leaves), PFTS[pft]).gpp
    assert (np.diff(gpp) >= -1e-9).all()


@pytest.mark.parametrize("pft", PFTS)
def test_more_light_of_one_quality_hardly_ever_gives_less_gpp(pft):
    # With little wind, light that warms the leaves above the air turns it from stable to unstable: docs/equations.md.
    rng = np.random.default_rng(1)
    n = 2000
    low_high = {"tair": (0, 40), "vpd": (0, 4000), "wind": (0, 5), "cos_zenith": (0.05, 1), "ca": (300, 800)}
    weather = {name: rng.uniform(*limits, (n, 1)) for name, limits in low_high.items()}
    leaves = {"lai": rng.uniform(0, 8, (n, 1)), "soil_water_stress": rng.uniform(0, 1, (n, 1))}
    forcing = Forcing(**weather, sw=SHORTWAVE, diffuse_fraction=rng.uniform(0, 1, (n, 1)))
    fall = -np.diff(two_leaf_gpp(forcing, Canopy(**leaves), PFTS[pft]).gpp).min(axis=1)
    assert np.mean(fall > 1e-3) < 2e-3
    assert fall.max() < 1e-2


@pytest.mark.parametrize("pft", PFTS)
def test_responses_have_the_known_sign(pft):
    noon = {"sw": 700.0, "tair": 22.0, "vpd": 1000.0, "cos_zenith": 0.8, "ca": 400.0}
    grid = {
        "ca": np.linspace(200, 1000, 30),
        "lai": np.linspace(0.1, 6, 30),
        "soil_water_stress": np.linspace(0.05, 1, 30),
        "vcmax25": np.linspace(5, 150, 30),
    }
    for name, values in grid.items():
        weather = {**noon, **({name: values} if name == "ca" else {})}
        leaves = {"lai": 3.0, **({name: values} if name != "ca" else {})}
        gpp = two_leaf_gpp(Forcing(**weather), Canopy(**leaves), PFTS[pft]).gpp
        assert (np.diff(gpp) >= -0.02).all(), name
        assert gpp[-1] > gpp[0], name
    dry = two_leaf_gpp(Forcing(**{**noon, "vpd": np.linspace(100, 2500, 30)}), Canopy(lai=3.0), PFTS[pft]).gpp
    assert dry[-1] < dry[0]
