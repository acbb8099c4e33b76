import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from gppcore.errors import ShapeError
from gppcore.features import PREDICTOR_SETS, PREDICTORS
from gppcore.towers import read_towers
from gppcore.towers.process import PHYSICS, physics_features, process_gpp
from gppcore.transfer.source_domain import source_rows
from gppcore.transfer.train import pretrain


@pytest.fixture(scope="module")
def towers(shared):
    return read_towers(shared / "towers")


def test_rows_are_what_the_process_model_gives(towers):
    rows = source_rows(towers.forcing.isel(cell=slice(0, 6)), PREDICTORS, n_rows=500)
    assert rows.x.shape == (500, len(PREDICTORS))
    assert tuple(rows.physics) == PHYSICS
    np.testing.assert_array_equal(rows.physics["process"], process_gpp(rows.months))
    assert np.isfinite(rows.x).all()
    again = source_rows(towers.forcing.isel(cell=slice(0, 6)), PREDICTORS, n_rows=500, n_threads=2)
    np.testing.assert_array_equal(again.x, rows.x)
    for name in PHYSICS:
        np.testing.assert_array_equal(again.physics[name], rows.physics[name])


def test_physics_bounds_process_gpp(towers):
    found = physics_features(towers)
    known = np.isfinite(found["process"])
    assert known.sum() > 5000
    p = found["process"][known]
    for name, sign in (("rubisco_limited", -1), ("shaded", -1), ("unstressed", 1)):
        assert (sign * (found[name][known] - p) >= -1e-9).all(), name
    # More Vcmax25 respires more too: in dim months it gains nothing.
    assert np.mean(found["light_limited"][known] >= p) > 0.9


def test_no_emulator_uses_predictors_without_forcing(towers):
    names = PREDICTOR_SETS["full"]
    rows = source_rows(towers.forcing.isel(cell=slice(0, 6)), names, n_rows=500)
    unknown = np.isnan(rows.x).all(axis=0)
    assert {"fpar", "lst_night"} <= set(np.array(names)[unknown])
    assert "tair" not in set(np.array(names)[unknown])
    model = pretrain(rows.x, {"process": rows.physics["process"]}, predictors=names)
    observed = np.where(unknown, 290.0, rows.x)
    np.testing.assert_array_equal(model.predict(observed, check="ignore"), model.predict(rows.x))


def test_emulator_of_exchanged_cells_holds_for_unseen_ones(towers):
    names = PREDICTOR_SETS["small"]
    order = np.random.default_rng(1).permutation(towers.forcing.sizes["cell"])
    rows = source_rows(towers.forcing.isel(cell=order[25:]), names, n_rows=30_000)
    learner = HistGradientBoostingRegressor(max_iter=150, max_leaf_nodes=63, min_samples_leaf=20)
    learner.fit(rows.x, rows.physics["process"])
    samples = towers.at(towers_samples(towers, order[:25])).samples(simulated(towers), predictors=names)
    error = learner.predict(samples.x) - samples.process
    assert 1.0 - np.mean(error**2) / np.var(samples.process) > 0.97


def simulated(towers):
    from gppcore.process.simulate import simulate

    return simulate(towers.forcing)


def towers_samples(towers, cells):
    samples = towers.samples(simulated(towers), predictors=PREDICTOR_SETS["small"])
    return samples.take(samples.groups["site"].isin(towers.sites.index[cells]).to_numpy())


def test_unknown_forcing_is_refused(towers):
    nothing = towers.forcing.isel(cell=slice(0, 2))
    nothing["lai"] = nothing["lai"] * np.nan
    with pytest.raises(ShapeError, match="expected months whose forcing is all known"):
        source_rows(nothing, PREDICTORS)


def test_months_without_satellite_data_stay_in_the_source_domain(towers):
    cells = towers.forcing.isel(cell=slice(0, 6))
    assert np.isnan(cells["ndwi"]).mean() > 0.5
    rows = source_rows(cells, (*PREDICTORS, "ndwi"), n_rows=500)
    assert rows.x.shape[0] == 500
    assert 0.0 < np.isfinite(rows.x[:, -1]).mean() < 0.5
