import csv
import gzip

import numpy as np
import pytest

from gppcore.errors import RangeError, ShapeError
from gppcore.process.leaf import leaf_gas_exchange
from gppcore.process.reference import demand, leaf_c3, leaf_c4

LIMITS = {
    "vcmax25": (0, 200),
    "ppfd": (0, 2000),
    "tair": (-10, 48),
    "humidity": (0.05, 1.0),
    "boundary_conductance": (0.3, 10),
    "ca": (200, 1000),
    "g1": (2, 12),
    "soil_water_stress": (0.1, 1),
}


def sample(n=3000):
    rng = np.random.default_rng(7)
    return {name: rng.uniform(*limits, n) for name, limits in LIMITS.items()}


@pytest.mark.parametrize("pathway", ["C3", "C4"])
def test_supply_meets_demand(pathway):
    x = sample()
    flux = leaf_gas_exchange(**x, g0=0.0175, pathway=pathway)
    leaf = leaf_c3 if pathway == "C3" else leaf_c4
    capacity = x["vcmax25"] * (x["soil_water_stress"] if pathway == "C4" else 1.0)
    wanted = np.array(
        [demand(leaf(v, i, t), ci) for v, i, t, ci in zip(capacity, x["ppfd"], x["tair"], flux.ci, strict=True)]
    )
    open_ = flux.a_net > 0
    assert open_.mean() > 0.5
    # ci is the supply side: air less what the boundary layer and the stomata take.
    np.testing.assert_allclose(flux.a_net[open_], wanted[open_], rtol=0, atol=1e-8)
    assert (wanted[~open_] <= 1e-8).all()


def test_ball_berry_holds():
    x = sample()
    flux = leaf_gas_exchange(**x, g0=0.01)
    cs = x["ca"] - 1.6 / x["boundary_conductance"] * flux.a_net
    expected = 0.01 + x["g1"] * x["soil_water_stress"] * x["humidity"] * flux.a_net / cs
    np.testing.assert_allclose(flux.conductance, expected, rtol=1e-12)


def test_agrees_with_the_exact_leaf_of_published_cases(shared):
    """Leaves of the real BEPS solved exactly at the same humidity; its zero point is 273.13 K, ours 273.15 K."""
    with gzip.open(shared / "oracle" / "leaf.csv.gz", "rt") as file:
        rows = [
            {k: float(v) for k, v in row.items() if k not in ("set", "limit_state")} for row in csv.DictReader(file)
        ]
    errors = []
    for r in rows:
        ppfd = 2.275 * r["rad_abs_wm2"]
        # Respiration in little light and the capacity of weak leaves differ by design: a ramp, and never below 0.
        if ppfd < 10.0 or 2.39 * r["vcmax25"] < 14.2:
            continue
        flux = leaf_gas_exchange(
            vcmax25=r["vcmax25"],
            ppfd=ppfd,
            tair=r["t_biochem_c"] - 0.02,
            humidity=r["rh_leaf"],
            boundary_conductance=r["gb_w_ms"] * (273.16 * 1.013) / ((r["t_biochem_c"] + 273.13) * 0.022624),
            ca=r["co2_ppm"],
            g1=r["m_bb"],
            g0=r["g0_mol"],
            soil_water_stress=r["f_sw"],
        )
        errors.append(abs(float(flux.a_net) - r["a_net_robust"]))
    assert len(errors) > 5000
    assert max(errors) < 1e-3


def test_bad_input_is_named():
    x = sample(4)
    with pytest.raises(RangeError, match=r"humidity: expected 0 to 2 1, got"):
        leaf_gas_exchange(**{**x, "humidity": 50.0}, g0=0.02)
    with pytest.raises(RangeError, match="pathway: expected C3 or C4, got 'CAM'"):
        leaf_gas_exchange(**x, g0=0.02, pathway="CAM")
    with pytest.raises(ShapeError, match="do not broadcast"):
        leaf_gas_exchange(**{**x, "ca": np.full(3, 400.0)}, g0=0.02)


def test_nan_stays_in_its_place():
    x = sample(19)
    x["ppfd"][7] = np.nan
    a = leaf_gas_exchange(**x, g0=0.02).a_net
    assert np.isnan(a[7])
    assert np.isfinite(np.delete(a, 7)).all()
