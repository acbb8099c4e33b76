"""The embedded towers of a region."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from gppcore import process_gpp
from gppcore.demo.towers import demonstration_towers
from gppcore.errors import RangeError


def test_gpp_is_that_of_the_embedded_file_and_forcing_is_known():
    towers = demonstration_towers(45, 48, 5, 12)
    whole = pd.read_csv(files("gppcore.demo").joinpath("data", "towers_gpp_monthly.csv.gz"))
    whole = whole.set_index(["site_id", "year", "month"])["gpp_daily"]
    own = towers.gpp.set_index(["site_id", "year", "month"])["gpp_daily"]
    np.testing.assert_allclose(own, whole.loc[own.index], atol=1e-5)
    assert towers.sites["lat"].between(45, 48).all()
    assert towers.sites["lon"].between(5, 12).all()
    assert np.isfinite(process_gpp(towers)).all()


def test_borders_without_towers_are_refused():
    with pytest.raises(RangeError, match="expected borders around a tower"):
        demonstration_towers(0, 1, 10, 11)
