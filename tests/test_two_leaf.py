import numpy as np
import pytest

from gppcore.constants import PFTS
from gppcore.errors import DtypeError, RangeError, ShapeError, UnitsError
from gppcore.two_leaf import Canopy, Forcing, TwoLeafFlux, two_leaf_gpp

NOON = {"sw": 600.0, "tair": 22.0, "vpd": 1000.0, "cos_zenith": 0.8, "ca": 400.0}


def gpp(pft="dbf", lai=3.0, **changes):
    return two_leaf_gpp(Forcing(**{**NOON, **changes}), Canopy(lai=lai), PFTS[pft])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"tair": 295.0}, UnitsError, "tair: expected degC, got values up to 295, which look like K"),
        ({"sw": -5.0}, RangeError, "sw: expected 0 to 1500 W m-2, got -5 to -5"),
        ({"sw": np.inf}, RangeError, "sw: expected finite values or NaN, got infinity"),
        ({"sw": np.zeros(3), "tair": np.zeros(4)}, ShapeError, r"do not broadcast .* \(3,\), \(4,\)"),
        ({"sw": np.zeros(3), "ca": np.zeros(3, np.float32)}, DtypeError, "ca: expected float64, as sw is, got float32"),
        ({"sw": np.zeros(3, np.float16)}, DtypeError, "sw: expected float64 or float32, got float16"),
    ],
)
def test_bad_input_is_named(changes, error, message):
    with pytest.raises(error, match=message):
        gpp(**changes)


def test_outputs_are_written_in_place():
    out = TwoLeafFlux(np.empty(3), np.empty(3))
    result = two_leaf_gpp(
        Forcing(**{**NOON, "sw": np.array([0.0, 300.0, 600.0])}), Canopy(lai=3.0), PFTS["dbf"], out=out
    )
    assert result is out
    assert out.gpp[0] == 0
    assert out.gpp[2] == gpp().gpp
    with pytest.raises(ShapeError, match=r"out.gpp_sunlit: expected shape \(4,\), got \(3,\)"):
        two_leaf_gpp(Forcing(**{**NOON, "sw": np.zeros(4)}), Canopy(lai=3.0), PFTS["dbf"], out=out)


def test_empty_input_gives_empty_output():
    assert gpp(sw=np.zeros(0)).gpp.shape == (0,)


def test_agrees_with_the_published_model(shared):
    """Real BEPS canopy hours: the robust model differs by design, but little."""
    import pandas as pd

    rows = pd.read_csv(shared / "oracle" / "canopy.csv.gz")
    rows = rows[(rows.clean == 1) & (rows.dry == 1)]
    # The published model scales Vcmax25 by leaf nitrogen at the canopy top (Chen et al. 2012).
    top = {
        "enf": 20.72 * 4.45 / 62.5,
        "dnf": 22.05 * 2.45 / 39.1,
        "dbf": 33.79 * 2.45 / 57.7,
        "ebf": 14.02 * 2.97 / 29.0,
        "shrub": 0.5669 * 2.695,
    }
    for code, name in {1: "enf", 2: "dnf", 6: "dbf", 9: "ebf", 13: "shrub"}.items():
        r = {k: v.to_numpy(float) for k, v in rows[rows.lc == code].items()}
        es = 610.78 * np.exp(17.3 * r["t_air_c"] / (237.3 + r["t_air_c"]))
        vpd = np.maximum(es * (1 - r["rh_pct"] / 100), 0)
        forcing = Forcing(r["sw_wm2"], r["t_air_c"], vpd, r["cos_zenith"], r["co2_ppm"], r["wind_ms"])
        leaves = Canopy(r["lai"], r["f_sw"], r["clumping"], r["vcmax25"] * top[name], r["m_bb"])
        error = two_leaf_gpp(forcing, leaves, PFTS[name]).gpp - r["gpp_total_robust"]
        assert np.abs(error).mean() < 0.15, name
        assert 1 - error.var() / r["gpp_total_robust"].var() > 0.998, name
