from dataclasses import replace

import numpy as np
import pytest

from gppcore.calibration.cross_fit import cross_fitted_gpp
from gppcore.calibration.fit import calibrate
from gppcore.constants import PFTS
from gppcore.errors import ShapeError
from gppcore.statistics import assign_folds
from gppcore.towers.process import process_gpp


@pytest.fixture(scope="module")
def towers(make_towers):
    """Towers of one type in four clusters, each with a Vcmax25 of its own."""
    towers = make_towers(igbp=("ENF",) * 4)
    gpp = towers.gpp.assign(gpp_daily=process_gpp(towers))
    for i, site in enumerate(towers.sites.index):
        gpp.loc[gpp["site_id"] == site, "gpp_daily"] *= 0.6 + 0.2 * i
    return replace(towers, gpp=gpp.sample(frac=1.0, random_state=0).reset_index(drop=True))


def test_every_cluster_gets_what_the_others_tell(towers):
    found = cross_fitted_gpp(towers)
    cluster = towers.sites["cluster"].loc[towers.gpp["site_id"]].to_numpy()
    fold = assign_folds(cluster, 4)
    for name in np.unique(cluster):
        own = cluster == name
        left_out = fold == fold[own][0]
        pfts = calibrate(replace(towers, gpp=towers.gpp[~left_out])).pfts
        expected = process_gpp(replace(towers, gpp=towers.gpp[own]), pfts)
        np.testing.assert_array_equal(found[own], expected)
    # Towers that are more productive than the others were calibrated by less productive ones, and the other way round.
    bias = [np.mean(found[cluster == name] - towers.gpp["gpp_daily"][cluster == name]) for name in (0, 3)]
    fit = process_gpp(towers, calibrate(towers).pfts) - towers.gpp["gpp_daily"].to_numpy()
    assert bias[0] > fit[cluster == 0].mean() > 0.0 > fit[cluster == 3].mean() > bias[1]


def test_it_takes_the_options_of_calibrate(towers):
    both = cross_fitted_gpp(towers, parameters=("vcmax25", "g1"), n_threads=2)
    assert (both != cross_fitted_gpp(towers)).any()
    halved = {name: replace(pft, vcmax25=pft.vcmax25 / 2) for name, pft in PFTS.items()}
    assert cross_fitted_gpp(towers, pfts=halved).mean() < cross_fitted_gpp(towers).mean()


def test_one_cluster_cannot_be_left_out(make_towers):
    with pytest.raises(ShapeError, match="two clusters or more, got 1"):
        cross_fitted_gpp(make_towers(igbp=("ENF",)))


def test_clusters_are_dealt_evenly_and_never_parted():
    cluster = np.repeat(np.arange(6), (50, 40, 30, 20, 10, 10))
    fold = assign_folds(cluster, 3)
    assert all(np.unique(fold[cluster == name]).size == 1 for name in range(6))
    assert sorted(np.bincount(fold)) == [50, 50, 60]
