"""The compiled kernel of BEPS mode against its scalar specification, over threads and splits."""

from dataclasses import fields

import numpy as np
import pytest

from gppcore.constants import BEPS_PFTS
from gppcore.errors import DtypeError, RangeError
from gppcore.process import reference_compat
from gppcore.process.leaf import leaf_gas_exchange
from gppcore.process.reference import Hour, pft_numbers
from gppcore.process.two_leaf import OUTPUTS, Canopy, Forcing, two_leaf_gpp

RANGES = {
    "sw": (0, 1000),
    "tair": (-15, 45),
    "vpd": (0, 4000),
    "wind": (0, 8),
    "cos_zenith": (-0.1, 1),
    "ca": (280, 800),
    "lai": (0, 12),
    "clumping": (0.4, 1),
    "soil_water_stress": (0, 1),
    "vcmax25": (0, 190),
    "g1": (2, 12),
}


def sample(n, seed=0):
    rng = np.random.default_rng(seed)
    x = {name: rng.uniform(*limits, n) for name, limits in RANGES.items()}
    x["wind"][::17] = 0.0
    return x


def gpp(x, code=1, **options):
    forcing = Forcing(**{f.name: x[f.name] for f in fields(Forcing) if f.name in x})
    canopy = Canopy(**{f.name: x[f.name] for f in fields(Canopy) if f.name in x})
    return two_leaf_gpp(forcing, canopy, BEPS_PFTS[code].pft, mode="beps", **options)


@pytest.mark.parametrize("code", BEPS_PFTS)
def test_kernel_equals_specification(code):
    x = sample(250, seed=code)
    classes = gpp(x, code, outputs=("gpp_classes",)).gpp_classes
    numbers = pft_numbers(BEPS_PFTS[code].pft)
    hours = [Hour(*(float(x[name][i]) for name in Hour._fields[:-1]), -1.0) for i in range(250)]
    expected = np.array([reference_compat.two_leaf_classes(h, numbers) for h in hours]).T
    error = np.abs(classes - expected).max(axis=0)
    # Rounding grows where two roots nearly meet, and can end a sub-step one pass earlier or later.
    assert np.median(error) < 1e-10
    assert np.quantile(error, 0.95) < 1e-8
    assert error.max() < 0.1


def test_no_hour_within_the_ranges_is_nan():
    assert not np.isnan(gpp(sample(50_000, seed=3)).gpp).any()


def test_bits_equal_over_threads_splits_and_neighbours():
    x = sample(9001)
    whole = gpp(x).gpp
    assert whole.tobytes() == gpp(x, n_threads=3).gpp.tobytes()
    assert whole[4003:4020].tobytes() == gpp({k: v[4003:4020] for k, v in x.items()}).gpp.tobytes()
    order = np.random.default_rng(1).permutation(9001)
    assert whole[order].tobytes() == gpp({k: v[order] for k, v in x.items()}).gpp.tobytes()


@pytest.mark.parametrize("name", RANGES)
def test_nan_stays_in_its_place(name):
    x = sample(19)
    clean = gpp(x).gpp
    x[name][7] = np.nan
    dirty = gpp(x).gpp
    assert np.isnan(dirty[7])
    assert np.array_equal(np.delete(dirty, 7), np.delete(clean, 7))


def test_classes_make_up_the_whole():
    x = sample(400, seed=2)
    flux = gpp(x, outputs=OUTPUTS)
    dark = (x["cos_zenith"] <= 0) | (x["sw"] <= 0)
    assert dark.any()
    np.testing.assert_array_equal(flux.gpp_classes[0] + flux.gpp_classes[2], flux.gpp_sunlit)
    np.testing.assert_array_equal(flux.gpp_classes[1] + flux.gpp_classes[3], flux.gpp_shaded)
    for name in ("gpp_classes", "conductance", "transpiration", "apar"):
        assert (getattr(flux, name)[:, dark] == 0.0).all()
    np.testing.assert_array_equal(flux.leaf_temperature[:, dark], np.broadcast_to(x["tair"][dark], (4, dark.sum())))
    assert (np.abs(flux.leaf_temperature - x["tair"]) <= 5.0 + 1e-12).all()
    assert (flux.conductance[:, ~dark].max(axis=0) > 0.0).all()


def test_what_compat_mode_cannot_do_is_refused():
    x = sample(3)
    with pytest.raises(DtypeError, match="mode: expected float64 inputs in BEPS mode, got float32"):
        gpp({k: v.astype(np.float32) for k, v in x.items()})
    with pytest.raises(RangeError, match="expected gross False and biochem_temperature air in BEPS mode"):
        gpp(x, gross=True)
    with pytest.raises(RangeError, match="biochem_temperature leaf"):
        gpp(x, biochem_temperature="leaf")
    leaf = {"vcmax25": 60.0, "ppfd": 500.0, "tair": 20.0, "humidity": 0.7, "boundary_conductance": 2.0}
    leaf |= {"ca": 400.0, "g1": 8.0, "g0": 0.0175}
    with pytest.raises(RangeError, match="expected pathway C3 and biochemistry beps in BEPS mode"):
        leaf_gas_exchange(**leaf, mode="beps", pathway="C4")
    with pytest.raises(RangeError, match="got pathway C3, biochemistry default"):
        leaf_gas_exchange(**leaf, mode="beps", biochemistry="default")
    with pytest.raises(RangeError, match="mode: expected default or beps, got 'BEPS'"):
        leaf_gas_exchange(**leaf, mode="BEPS")
