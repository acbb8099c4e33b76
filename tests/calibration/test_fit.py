import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gppcore.calibration.fit import calibrate
from gppcore.calibration.priors import PRIORS, Prior, tightened
from gppcore.calibration.problem import Problem
from gppcore.calibration.result import Calibration
from gppcore.constants import PFTS
from gppcore.errors import CalibrationFormatError, MissingFileError, RangeError, ShapeError
from gppcore.evaluation.holdout import evaluate
from gppcore.process.parameters import CalibratedParameters, Covariate
from gppcore.process.simulate import simulate
from gppcore.towers import read_towers
from gppcore.towers.process import process_gpp

ALL = tuple(PRIORS)
ARIDITY = Covariate("aridity", mean=0.1, sd=0.8, slope=0.15)
TRUE = {"enf": 0.8, "dbf": 1.25, "mf": 0.9, "grass": 0.7, "crop": 1.1, "grass_c4": 1.2, "crop_c4": 0.6, "ebf": 1.4}
LOOSE = {name: Prior(type_sd=3.0, common_sd=3.0) for name in PRIORS}
TIGHT = {name: Prior(type_sd=1e-3, common_sd=1e-3) for name in PRIORS}


def multiplied(parameter, factors):
    return {n: replace(p, **{parameter: getattr(p, parameter) * factors.get(n, 1.0)}) for n, p in PFTS.items()}


def with_gpp(towers, pfts):
    return replace(towers, gpp=towers.gpp.assign(gpp_daily=process_gpp(towers, pfts)))


def values(calibration, parameter="vcmax25"):
    return {name: own[parameter].value for name, own in calibration.estimates.items()}


@pytest.fixture(scope="module")
def towers(make_towers):
    """Towers whose GPP comes from known Vcmax25."""
    return with_gpp(make_towers(), multiplied("vcmax25", TRUE))


@pytest.fixture(scope="module")
def fitted(towers):
    return calibrate(towers, parameters=("vcmax25", "g1"))


def problem(towers, parameters=ALL):
    return Problem.of(towers, PFTS, parameters, PRIORS, residual_sd=1.5, correlation=0.3, n_threads=1)


def test_known_parameters_are_recovered(towers):
    found = calibrate(towers, priors=LOOSE, residual_sd=0.01)
    for name, factor in TRUE.items():
        estimate = found.estimates[name]["vcmax25"]
        # The priors pull by about (residual_sd / information)^2.
        assert estimate.value == pytest.approx(PFTS[name].vcmax25 * factor, rel=2e-3), name
        assert found.pfts[name].vcmax25 == estimate.value
        assert found.pfts[name].g1 == PFTS[name].g1
    assert found.cost_after < 1e-3 * found.cost_before


@pytest.fixture(scope="module")
def placed(make_towers):
    """Towers whose Vcmax25 follows aridity."""
    towers = make_towers(igbp=("ENF", "DBF", "MF") * 8)
    rng = np.random.default_rng(4)
    values = {"aridity": rng.normal(0.0, 0.8, 24), "lai_max": rng.uniform(1.0, 6.0, 24)}
    forcing = towers.forcing.assign({name: ("cell", of_cell) for name, of_cell in values.items()})
    return with_gpp(replace(towers, forcing=forcing), CalibratedParameters(PFTS, (ARIDITY,)))


def test_effect_of_the_place_is_recovered(placed):
    found = calibrate(placed, residual_sd=0.05)
    names = {c.name: c for c in found.pfts.covariates}
    assert set(names) == {"aridity", "lai_max"}
    slope = {name: c.slope / c.sd for name, c in names.items()}
    # With 24 towers, what they share is not yet told from what is peculiar to each.
    assert 0.3 < slope["aridity"] / (ARIDITY.slope / ARIDITY.sd) < 1.0
    assert abs(slope["lai_max"]) < 0.02
    assert found.pfts["dbf"].vcmax25 == found.estimates["dbf"]["vcmax25"].value
    alone = calibrate(placed, covariates=(), residual_sd=0.05)
    gpp = placed.gpp["gpp_daily"].to_numpy()
    error = [np.std(process_gpp(placed, fit.pfts) - gpp) for fit in (found, alone)]
    assert error[0] < 0.75 * error[1]


def test_jacobian_with_covariates_equals_central_differences(placed):
    names = ("aridity", "lai_max")
    fit = Problem.of(placed, PFTS, ("vcmax25", "psi_exponent"), PRIORS, 1.5, 0.3, 1, names)
    x = np.random.default_rng(1).normal(0.0, 0.1, fit.prior.shape[1])
    exact, step = fit.jacobian(x), 1e-5
    assert x.size == 4 + 2 * len(PFTS) + 2 + 24
    for j in range(x.size):
        up, down = x.copy(), x.copy()
        up[j], down[j] = x[j] + step, x[j] - step
        differences = (fit.residuals(up) - fit.residuals(down)) / (2.0 * step)
        np.testing.assert_allclose(exact[:, j], differences, atol=2e-5 * max(1.0, np.abs(exact[:, j]).max()))


def test_few_towers_move_the_literature_less(placed):
    assert tightened(10)["vcmax25"].type_sd < 0.6 * PRIORS["vcmax25"].type_sd
    assert tightened(400)["vcmax25"].type_sd > 0.95 * PRIORS["vcmax25"].type_sd
    more = replace(placed, gpp=placed.gpp.assign(gpp_daily=1.3 * placed.gpp["gpp_daily"]))
    change = [values(calibrate(more, priors=p))["dbf"] / PFTS["dbf"].vcmax25 - 1.0 for p in (None, PRIORS)]
    assert 0.0 < change[0] < change[1]


def test_a_covariate_of_the_month_is_recovered_and_an_unknown_month_has_its_mean(placed):
    """NDWI, which a third of the months lack."""
    rng = np.random.default_rng(8)
    shape = (placed.forcing.sizes["time"], placed.forcing.sizes["cell"])
    ndwi = np.where(rng.random(shape) < 1 / 3, np.nan, rng.normal(0.1, 0.2, shape))
    forcing = placed.forcing.assign(ndwi=(("time", "cell"), ndwi))
    true = CalibratedParameters(PFTS, (Covariate("ndwi", mean=0.1, sd=0.2, slope=0.1),))
    towers = with_gpp(replace(placed, forcing=forcing), true)
    assert "ndwi" not in {c.name for c in calibrate(towers).pfts.covariates}, "only if asked for"
    found = calibrate(towers, covariates=("aridity", "ndwi"), residual_sd=0.05).pfts
    aridity, by_month = found.covariates
    assert by_month.slope / by_month.sd == pytest.approx(0.5, rel=0.05)
    assert abs(aridity.slope) < 0.02
    unknown = np.isnan(towers.forcing_at("ndwi", *towers.positions()))
    at_mean = replace(towers, forcing=forcing.fillna({"ndwi": by_month.mean}))
    np.testing.assert_allclose(process_gpp(towers, found)[unknown], process_gpp(at_mean, found)[unknown], rtol=1e-12)


def test_calibration_of_places_survives_a_file(placed, tmp_path):
    found = calibrate(placed)
    found.save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == found


def test_interval_of_a_place_is_that_of_drawn_parameters(placed):
    found = calibrate(placed).pfts
    place = {"fraction_enf": [0.5, 0.0, 0.0], "fraction_grass": [0.25, 0.0, 1.0], "c4_fraction": [0.4, 0.0, np.nan]}
    place |= {"aridity": [0.7, 0.0, -9.0], "lai_max": [5.0, 3.0, np.nan]}
    mean, low, high = found.canopy_vcmax25(place)
    of = {name: found.vcmax25(name, place) for name in ("enf", "grass", "grass_c4")}
    assert mean[0] == pytest.approx((0.5 * of["enf"] + 0.15 * of["grass"] + 0.1 * of["grass_c4"])[0] / 0.75)
    assert mean[2] == of["grass"][2]
    assert np.isnan([mean[1], low[1], high[1]]).all(), "nothing grows there"
    # The same by 20,000 draws of the parameters and of what is peculiar to a place.
    rng, names = np.random.default_rng(0), list(found)
    draws = rng.multivariate_normal(np.zeros(len(found.covariance)), found.covariance, 20_000)
    z = [c.standardised(place[c.name])[0] for c in found.covariates]
    log = draws[:, len(names) :] @ z + rng.normal(0.0, found.site_sd, len(draws))
    drawn = sum(
        share * of[name][0] * np.exp(draws[:, names.index(name)])
        for name, share in (("enf", 0.5), ("grass", 0.15), ("grass_c4", 0.1))
    )
    expected = np.quantile(drawn / 0.75 * np.exp(log), (0.05, 0.95))
    np.testing.assert_allclose([low[0], high[0]], expected, rtol=0.03)


def test_places_have_intervals_only_with_a_covariance():
    with pytest.raises(RangeError, match="kept its covariance, got none; calibrate again"):
        CalibratedParameters(PFTS, (ARIDITY,)).canopy_vcmax25({"aridity": 0.0, "fraction_enf": 1.0})
    with pytest.raises(ShapeError, match=r"covariance: expected shape \(11, 11\), .* got \(1, 1\)"):
        CalibratedParameters(PFTS, (ARIDITY,), covariance=((1.0,),))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covariates": ("wind",)}, r"covariates: expected .* names out of the forcing .*\['wind'\]"),
        ({"covariates": "aridity"}, r"covariates: expected a sequence .*'aridity'"),
        ({"covariates": ("aridity",), "parameters": ("g1",)}, "covariates: expected vcmax25 among the parameters"),
    ],
)
def test_wrong_covariates_are_refused(placed, options, message):
    with pytest.raises(RangeError, match=message):
        calibrate(placed, **options)


def test_jacobian_equals_central_differences(towers):
    fit = problem(towers)
    x = np.random.default_rng(1).normal(0.0, 0.1, fit.prior.shape[1])
    exact = fit.jacobian(x)
    step = 1e-5
    for j in range(x.size):
        up, down = x.copy(), x.copy()
        up[j], down[j] = x[j] + step, x[j] - step
        differences = (fit.residuals(up) - fit.residuals(down)) / (2.0 * step)
        # Rounding of the kernel's iterations (2e-8 umol m-2 s-1) over the step, and the third derivative.
        np.testing.assert_allclose(exact[:, j], differences, atol=2e-5 * max(1.0, np.abs(exact[:, j]).max()))
    assert (np.abs(exact[:, len(fit.common) :]).max(axis=0) > 0.1).all()


def test_loss_has_the_derivatives_it_tells(towers):
    fit = problem(towers)
    squares = np.linspace(0.0, 30.0, len(fit.residuals(np.zeros(fit.prior.shape[1]))))
    step = 1e-4
    first = (fit.loss(squares + step)[0] - fit.loss(squares)[0]) / step
    second = (fit.loss(squares + step)[1] - fit.loss(squares)[1]) / step
    loss = fit.loss(squares + step / 2.0)
    np.testing.assert_allclose(loss[1], first, rtol=1e-5)
    np.testing.assert_allclose(loss[2], second, rtol=1e-4, atol=1e-9)
    assert (loss[0][-len(fit.prior) :] == squares[-len(fit.prior) :] + step / 2.0).all()  # priors are not robust


def test_prior_dominates_where_it_is_narrow(towers):
    found = calibrate(towers, parameters=ALL, priors=TIGHT)
    for name, own in found.estimates.items():
        for parameter, estimate in own.items():
            assert estimate.value == pytest.approx(getattr(PFTS[name], parameter), rel=1e-3)
            assert estimate.sd == pytest.approx(math.sqrt(2e-6) * estimate.value, rel=0.01)


def test_type_without_towers_follows_the_common_multiplier(make_towers):
    towers = with_gpp(make_towers(), multiplied("vcmax25", dict.fromkeys(PFTS, 0.75)))
    found = calibrate(towers).estimates
    factor = {name: found[name]["vcmax25"].value / PFTS[name].vcmax25 for name in ("dnf", "shrub")}
    assert factor["dnf"] == pytest.approx(factor["shrub"], rel=1e-9)
    assert 0.75 < factor["dnf"] < 0.9
    sd = {name: found[name]["vcmax25"].sd / found[name]["vcmax25"].value for name in ("dnf", "enf")}
    prior = PRIORS["vcmax25"]
    assert sd["enf"] < prior.type_sd < sd["dnf"] < math.hypot(prior.type_sd, prior.common_sd)


def test_bounds_are_those_of_the_variables(make_towers):
    towers = with_gpp(make_towers(), multiplied("clumping", dict.fromkeys(PFTS, 1.2)))
    towers = replace(towers, gpp=towers.gpp.assign(gpp_daily=1.3 * towers.gpp["gpp_daily"]))
    found = values(calibrate(towers, parameters=("clumping",), priors=LOOSE, residual_sd=0.01), "clumping")
    assert max(found.values()) == pytest.approx(1.0, rel=1e-6)
    assert all(0.1 <= value <= 1.0 for value in found.values())


def test_order_of_rows_and_threads_do_not_matter(towers, fitted):
    shuffled = replace(towers, gpp=towers.gpp.sample(frac=1.0, random_state=3))
    other = calibrate(shuffled, parameters=("g1", "vcmax25"), n_threads=2)
    for parameter in ("vcmax25", "g1"):
        assert values(other, parameter) == pytest.approx(values(fitted, parameter), rel=1e-8)
    assert other.sites == fitted.sites


def test_unknown_months_are_left_out(towers, fitted):
    more = pd.DataFrame({"site_id": ["T00", "none"], "year": [1999, 2005], "month": [1, 1], "gpp_daily": 1.0})
    gpp = pd.concat([towers.gpp, more, towers.gpp.head(1).assign(gpp_daily=np.nan)])
    found = calibrate(replace(towers, gpp=gpp), parameters=("vcmax25", "g1"))
    assert found.rows == fitted.rows == len(towers.gpp)
    assert values(found) == pytest.approx(values(fitted), rel=1e-12)


def test_long_record_counts_by_its_independent_months(towers):
    twice = replace(towers, gpp=pd.concat([towers.gpp, towers.gpp[towers.gpp["site_id"] == "T02"]]))
    alone, again = (values(calibrate(t, correlation=1.0)) for t in (towers, twice))
    assert again == pytest.approx(alone, rel=1e-7)
    alone, again = (values(calibrate(t, correlation=0.0)) for t in (towers, twice))
    assert again["dbf"] > 1.001 * alone["dbf"]


def test_wrong_months_hardly_count(towers):
    wrong = towers.gpp["gpp_daily"].to_numpy().copy()
    wrong[::20] += 30.0
    clean, dirty = (
        values(calibrate(replace(towers, gpp=towers.gpp.assign(gpp_daily=gpp)), residual_sd=0.2))
        for gpp in (towers.gpp["gpp_daily"], wrong)
    )
    assert dirty["dbf"] == pytest.approx(clean["dbf"], rel=0.1)


def test_calibration_survives_a_file(fitted, tmp_path):
    fitted.save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == fitted
    assert [p.name for p in tmp_path.iterdir()] == ["c.json"]


def test_damaged_files_are_refused(fitted, tmp_path):
    with pytest.raises(MissingFileError, match="expected a file"):
        Calibration.load(tmp_path / "none.json")
    path = tmp_path / "c.json"
    fitted.save(path)
    text = path.read_text()
    for wrong in (
        text[:-40],
        "[]",
        "{}",
        text.replace('"vcmax25"', '"vmax"'),
        text.replace("calibration 1", "calibration 9"),
    ):
        path.write_text(wrong)
        with pytest.raises(CalibrationFormatError, match=r"c\.json: expected"):
            Calibration.load(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": ("vmax",)}, r"parameters: expected names out of .*got \['vmax'\]"),
        ({"parameters": ()}, r"parameters: expected a sequence"),
        ({"parameters": "g1"}, r"parameters: expected a sequence"),
        ({"priors": {}}, r"priors: expected a prior of every parameter, got none of \['vcmax25'\]"),
        ({"pfts": {"enf": PFTS["enf"]}}, r"pft: expected names out of \['enf'\], got \['crop'"),
        ({"pfts": {**PFTS, "enf": replace(PFTS["enf"], vcmax25=0.0)}}, "vcmax25 of enf: expected .* above 0"),
        ({"residual_sd": 0.0}, "residual_sd: expected a value above 0, got 0"),
        ({"correlation": 1.5}, "correlation: expected 0 to 1, got 1.5"),
    ],
)
def test_wrong_options_are_refused(towers, options, message):
    with pytest.raises(RangeError, match=message):
        calibrate(towers, **options)


def test_too_few_towers_are_refused(towers):
    with pytest.raises(ShapeError, match=r"at least 12 months .* got 11"):
        calibrate(replace(towers, gpp=towers.gpp.head(11)))
    with pytest.raises(ShapeError, match="got 0"):
        calibrate(replace(towers, gpp=towers.gpp.head(0)))
    with pytest.raises(RangeError, match="prior: expected standard deviations above 0"):
        Prior(0.0, 1.0)


def test_skill_at_real_towers_that_the_fit_has_not_seen_improves(shared):
    towers = read_towers(shared / "towers")
    samples = towers.samples(simulate(towers.forcing))

    def calibrated(train, test):
        return process_gpp(towers.at(test), calibrate(towers.at(train)).pfts)

    found = evaluate({"before": lambda _, test: test.process, "after": calibrated}, samples).skill
    assert found["after"]["r2"] > found["before"]["r2"] + 0.015
    assert abs(found["after"]["bias"]) < 0.2
