import numpy as np
import pytest

from gppcore.constants import PFTS
from gppcore.errors import CalibrationFormatError, RangeError, ShapeError
from gppcore.process.parameters import CalibratedParameters, Covariate
from gppcore.process.simulate import simulate
from gppcore.towers.process import physics_features, process_gpp

ARIDITY = Covariate("aridity", mean=0.5, sd=2.0, slope=0.2)


@pytest.fixture(scope="module")
def towers(make_towers):
    towers = make_towers()
    values = np.linspace(-1.0, 1.5, towers.forcing.sizes["cell"])
    values[2] = np.nan
    towers.forcing["aridity"] = ("cell", values)
    return towers


def test_vcmax25_follows_the_place():
    parameters = CalibratedParameters(PFTS, (ARIDITY,))
    factor = parameters.factor({"aridity": [0.5, 2.5, np.nan, 1e9]})
    np.testing.assert_allclose(factor, np.exp([0.0, 0.2, 0.0, 0.6]), rtol=1e-14)
    np.testing.assert_array_equal(parameters.vcmax25("enf", {"aridity": 2.5}), PFTS["enf"].vcmax25 * np.exp(0.2))
    assert parameters["enf"] is PFTS["enf"]
    assert set(parameters) == set(PFTS)
    assert "aridity +0.200" in repr(parameters)
    assert CalibratedParameters.from_json(parameters.to_json()) == parameters


def test_process_model_takes_them_everywhere(towers):
    parameters = CalibratedParameters(PFTS, (ARIDITY,))
    found = process_gpp(towers, parameters)
    plain = process_gpp(towers)
    t, cell = towers.positions()
    simulated = simulate(towers.forcing, pfts=parameters)["gpp_daily"].transpose("time", "cell").values[t, cell]
    np.testing.assert_allclose(found, simulated, rtol=1e-12)
    np.testing.assert_array_equal(physics_features(towers, parameters)["process"], found)
    assert (found[cell == 2] == plain[cell == 2]).all()  # an unknown covariate counts as the mean
    assert (found[cell == 0] < plain[cell == 0]).mean() > 0.5
    assert (found[cell == 4] > plain[cell == 4]).mean() > 0.5
    assert process_gpp(towers, parameters, n_threads=2).tobytes() == found.tobytes()
    none = CalibratedParameters(PFTS)
    assert process_gpp(towers, none).tobytes() == plain.tobytes()


def test_missing_covariates_are_refused(make_towers):
    parameters = CalibratedParameters(PFTS, (ARIDITY,))
    with pytest.raises(ShapeError, match=r"parameters: expected the covariates \['aridity'\]"):
        process_gpp(make_towers(), parameters)
    with pytest.raises(ShapeError, match=r"simulate: expected the covariates \['aridity'\]"):
        simulate(make_towers().forcing, pfts=parameters)


def test_wrong_content_is_refused():
    with pytest.raises(RangeError, match="covariate aridity: expected finite numbers and sd above 0"):
        Covariate("aridity", 0.0, 0.0, 0.1)
    for wrong in ({}, [], {"types": {}, "covariates": [{"name": "x"}]}, {"types": {"enf": {"vcmax": 1}}}):
        with pytest.raises(CalibrationFormatError, match="parameters: expected calibrated parameters"):
            CalibratedParameters.from_json(wrong)
