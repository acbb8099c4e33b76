import numpy as np
import pandas as pd
import pytest

from gppcore.constants import IGBP, PFT_NAMES
from gppcore.errors import RangeError, ShapeError
from gppcore.features import PREDICTORS, Samples, igbp_codes, pft_fractions, predictor_matrix


def samples(n=6):
    x = np.arange(n * len(PREDICTORS), dtype=float).reshape(n, -1)
    return Samples(x, np.arange(n) * 1.0, np.arange(n) * 2.0, pd.DataFrame({"site": list("abcdef")[:n]}))


def test_codes_of_acronyms_go_round():
    codes = igbp_codes([["ENF", "GRA"], ["WAT", "ENF"]])
    assert codes.shape == (2, 2)
    assert [IGBP[c].acronym for c in codes.ravel()] == ["ENF", "GRA", "WAT", "ENF"]


def test_unknown_class_is_named():
    with pytest.raises(RangeError, match=r"igbp: expected classes out of .*, got \['XYZ'\]"):
        igbp_codes(["ENF", "XYZ"])
    for code in (-1, 17):
        with pytest.raises(RangeError, match="igbp: expected classes 0 to 16"):
            pft_fractions([1, code])


def test_shares_are_whole_where_something_grows():
    shares = pft_fractions(np.arange(17))
    assert shares.shape == (len(PFT_NAMES), 17)
    grown = [bool(c.mixture) for c in IGBP]
    np.testing.assert_allclose(shares.sum(axis=0)[grown].max(), 1.0)
    assert (shares.sum(axis=0)[np.logical_not(grown)] == 0).all()
    assert pft_fractions(igbp_codes(["ENF"]))[PFT_NAMES.index("enf"), 0] == 1.0


def test_matrix_has_the_order_of_the_predictors():
    columns = {name: np.array([i, i + 0.5]) for i, name in reversed(list(enumerate(PREDICTORS)))}
    np.testing.assert_array_equal(predictor_matrix(columns)[0], np.arange(len(PREDICTORS)))
    del columns["lai"]
    with pytest.raises(ShapeError, match=r"got no \['lai'\]"):
        predictor_matrix(columns)


@pytest.mark.parametrize("rows", [np.array([False, True, False, True, False, False]), np.array([1, 3])])
def test_take_keeps_rows_together(rows):
    taken = samples().take(rows)
    assert taken.gpp_daily.tolist() == [1, 3]
    assert taken.process.tolist() == [2, 6]
    assert taken.x[:, 0].tolist() == [len(PREDICTORS), 3 * len(PREDICTORS)]
    assert taken.groups["site"].tolist() == ["b", "d"]


def test_rows_that_do_not_fit_are_refused():
    good = samples()
    for change in ({"x": good.x[:, 1:]}, {"process": good.process[1:]}, {"groups": good.groups[1:]}):
        fields = {"x": good.x, "gpp_daily": good.gpp_daily, "process": good.process, "groups": good.groups}
        with pytest.raises(ShapeError, match="Samples: expected 6 rows"):
            Samples(**{**fields, **change})
