import numpy as np
import pytest

from gppcore.demo.fields import SHAPE, load_world, monthly_at, static_at
from gppcore.demo.region import demonstration_region
from gppcore.errors import RangeError
from gppcore.variables import VARIABLES, check_range


def test_fields_are_in_their_units_and_on_land_only():
    ds = demonstration_region(43.0, 44.5, 4.0, 6.0)
    assert dict(ds.sizes) == {"time": 12, "lat": 30, "lon": 40}
    assert ds["lat"].values[[0, -1]] == pytest.approx([44.475, 43.025])
    assert ds["lon"].values[[0, -1]] == pytest.approx([4.025, 5.975])
    assert ds["time"].dt.month.values.tolist() == list(range(1, 13))
    sea = np.isnan(ds["igbp"].values)
    assert 0.05 < sea.mean() < 0.5  # the Gulf of Lion
    for name, field in ds.items():
        assert field.attrs["units"] == VARIABLES[name].unit
        assert field.dtype == np.float32
        check_range(name, field.values)
        assert (np.isnan(field.values) == sea).all()
    assert (ds["tair"][6] > ds["tair"][0]).where(~sea, True).all()


@pytest.mark.slow
def test_region_is_a_window_of_the_demonstration():
    world = load_world(2, lambda _: None)
    ds = demonstration_region(-35.0, -33.0, 17.0, 20.0)
    row, column = np.divmod(world.land, SHAPE[1])
    lat, lon = 90.0 - 0.05 * (row + 0.5), -180.0 + 0.05 * (column + 0.5)
    here = np.flatnonzero((lat > -35.0) & (lat < -33.0) & (lon > 17.0) & (lon < 20.0))
    window = (row[here] - 2460, column[here] - 3940)  # the borders are 33 S and 17 E
    assert here.size == int(ds["igbp"].notnull().sum())
    for name in ("tair", "tair_range", "vpd", "sw", "precip", "lai"):
        np.testing.assert_array_equal(ds[name].values[:, *window], monthly_at(world, name, [here])[0])
    np.testing.assert_array_equal(ds["igbp"].values[window], world.igbp[here])
    np.testing.assert_array_equal(ds["c4_fraction"].values[window], static_at(world, here)["c4_fraction"])


@pytest.mark.parametrize(
    ("borders", "message"),
    [
        ((51.0, 48.0, 8.0, 13.0), "expected south < north and west < east"),
        ((48.0, 91.0, 8.0, 13.0), "expected south < north and west < east"),
        ((0.0, 5.0, -40.0, -35.0), "expected one with land"),
        ((48.0, 48.01, 8.0, 13.0), "expected one with land"),
    ],
)
def test_wrong_regions_are_told(borders, message):
    with pytest.raises(RangeError, match=message):
        demonstration_region(*borders)
