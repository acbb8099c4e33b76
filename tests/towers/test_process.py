import numpy as np
import pandas as pd
import pytest

from gppcore.constants import PFTS
from gppcore.errors import RangeError
from gppcore.process.simulate import simulate
from gppcore.towers import Towers
from gppcore.towers.process import process_gpp


def test_tower_months_get_what_the_simulation_of_whole_fields_gives(make_towers):
    towers = make_towers()
    rows = towers.gpp.sample(frac=0.4, random_state=0)
    some = Towers("some", True, towers.sites, rows, towers.forcing)
    whole = simulate(towers.forcing)["gpp_daily"].transpose("cell", "time").values.ravel()
    np.testing.assert_allclose(process_gpp(some), whole[rows.index], rtol=1e-12)
    assert (process_gpp(some)[rows["site_id"] == "T06"] == 0.0).all()  # bare ground
    assert process_gpp(some, n_threads=2).tobytes() == process_gpp(some).tobytes()


def test_months_without_forcing_are_unknown(make_towers):
    towers = make_towers()
    towers.forcing["lai"][0, 0] = np.nan
    more = pd.DataFrame({"site_id": ["T00", "none"], "year": [1999, 2005], "month": [1, 1], "gpp_daily": 1.0})
    gpp = pd.concat([towers.gpp, more])
    found = process_gpp(Towers("more", True, towers.sites, gpp, towers.forcing))
    assert np.isnan(found).nonzero()[0].tolist() == [0, len(gpp) - 2, len(gpp) - 1]


def test_parameters_of_every_type_are_needed(make_towers):
    with pytest.raises(RangeError, match=r"pft: expected names out of \['enf'\], got \['crop'"):
        process_gpp(make_towers(), {"enf": PFTS["enf"]})
