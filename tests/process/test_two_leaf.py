import numpy as np
import pytest

from gppcore.constants import PFTS
from gppcore.errors import DtypeError, RangeError, ShapeError, UnitsError
from gppcore.process.two_leaf import Canopy, Forcing, TwoLeafFlux, two_leaf_gpp

NOON = {"sw": 600.0, "tair": 22.0, "vpd": 1000.0, "cos_zenith": 0.8, "ca": 400.0}


def gpp(pft="dbf", lai=3.0, **changes):
    return two_leaf_gpp(Forcing(**{**NOON, **changes}), Canopy(lai=lai), PFTS[pft])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"tair": 295.0}, UnitsError, "tair: expected degC, got values up to 295, which look like K"),
        ({"sw": -5.0}, RangeError, "sw: expected 0 to 1500 W m-2, got -5 to -5"),
        ({"sw": np.inf}, RangeError, "sw: expected finite values or NaN, got infinity"),
        ({"sw": np.zeros(3), "tair": np.zeros(4)}, ShapeError, r"do not broadcast .* sw \(3,\), tair \(4,\)"),
        ({"sw": np.zeros(3), "ca": np.zeros(3, np.float32)}, DtypeError, "ca: expected float64, as sw is, got float32"),
        ({"sw": np.zeros(3, np.float16)}, DtypeError, "sw: expected float64, float32 or integers, got float16"),
    ],
)
def test_bad_input_is_named(changes, error, message):
    with pytest.raises(error, match=message):
        gpp(**changes)


@pytest.mark.parametrize("bad", [-1.0, 1501.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_value_out_of_range_is_found_wherever_it_lies(dtype, bad):
    for place in range(150):
        sw = np.full(150, np.nan, dtype)
        assert np.isnan(gpp(sw=sw).gpp).all()
        sw[place] = bad
        with pytest.raises(RangeError, match="sw: expected 0 to 1500"):
            gpp(sw=sw)


def test_outputs_are_written_in_place():
    out = TwoLeafFlux(np.empty(3), np.empty(3))
    result = two_leaf_gpp(
        Forcing(**{**NOON, "sw": np.array([0.0, 300.0, 600.0])}), Canopy(lai=3.0), PFTS["dbf"], out=out
    )
    assert result is out
    assert out.gpp[0] == 0
    assert out.gpp[2] == gpp().gpp
    with pytest.raises(ShapeError, match=r"out.gpp_sunlit: expected a .* array of shape \(4,\), got \(3,\)"):
        two_leaf_gpp(Forcing(**{**NOON, "sw": np.zeros(4)}), Canopy(lai=3.0), PFTS["dbf"], out=out)


def test_empty_input_gives_empty_output():
    assert gpp(sw=np.zeros(0)).gpp.shape == (0,)
