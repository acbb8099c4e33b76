import numpy as np
import pytest
import xarray as xr

from gppcore.constants import PFTS
from gppcore.errors import RangeError, ShapeError, UnitsError
from gppcore.process.simulate import simulate

TYPES = ["dbf", "grass", "crop"]
CELLS = 4


def forcing(fraction=((0.5, 1.0, 0.0, 0.2), (0.3, 0.0, 0.6, 0.2), (0.2, 0.0, 0.4, 0.2)), c4=0.4, **changes):
    """Make three summer months at four cells; `changes` replace variables."""
    months = ("time", "cell")
    sun = np.linspace(150.0, 280.0, 3)[:, None]
    ds = xr.Dataset(
        {
            "tair": (months, np.linspace(12.0, 24.0, 12).reshape(3, CELLS)),
            "tair_range": (months, np.full((3, CELLS), 10.0)),
            "vpd": (months, np.full((3, CELLS), 900.0)),
            "sw": (months, sun + np.zeros(CELLS)),
            "ca": 400.0,
            "soil_water": (months, np.full((3, CELLS), 0.6)),
            "lai": (("pft", *months), np.linspace(1.0, 5.0, 36).reshape(3, 3, CELLS)),
            "lat": ("cell", np.linspace(-10.0, 50.0, CELLS)),
            "c4_fraction": ("cell", np.broadcast_to(c4, CELLS).astype(float)),
            "pft_fraction": (("pft", "cell"), np.array(fraction)),
        },
        coords={"time": np.array(["2019-06-15", "2019-07-15", "2019-08-15"], "M8[ns]"), "pft": TYPES},
    )
    return ds.assign(changes)


@pytest.fixture(scope="module")
def simulated():
    return simulate(forcing())


def test_gpp_is_of_a_plausible_size_with_cf_attributes(simulated):
    gpp = simulated["gpp_daily"]
    assert gpp.dims == ("time", "cell")
    assert gpp.attrs["units"] == "g m-2 d-1"
    assert 2.0 < float(gpp.min()) < float(gpp.max()) < 20.0


def test_cell_is_the_area_weighted_sum_of_its_types(simulated):
    expected = (forcing()["pft_fraction"] * simulated["gpp_daily_pft"]).sum("pft")
    np.testing.assert_allclose(simulated["gpp_daily"], expected.transpose("time", "cell"), rtol=1e-14)


def test_type_alone_gives_what_it_gives_in_a_mixture(simulated):
    alone = simulate(forcing(fraction=((0.0,) * 4, (1.0,) * 4, (0.0,) * 4)))
    shared = simulated["gpp_daily_pft"].sel(pft="grass")[:, [0, 2, 3]]
    np.testing.assert_array_equal(alone["gpp_daily"][:, [0, 2, 3]], shared)


def test_cell_does_not_depend_on_its_neighbours(simulated):
    for cell in range(CELLS):
        alone = simulate(forcing().isel(cell=[cell]))
        np.testing.assert_array_equal(alone["gpp_daily"][:, 0], simulated["gpp_daily"][:, cell])


def test_absent_type_and_bare_cell_give_nothing(simulated):
    assert (simulated["gpp_daily_pft"].sel(pft="dbf")[:, 2] == 0).all()
    bare = simulate(forcing(fraction=np.zeros((3, CELLS))))
    assert (bare["gpp_daily"] == 0).all()


def test_mixture_of_c3_and_c4_is_linear_in_the_share():
    c3, half, c4 = (simulate(forcing(c4=share))["gpp_daily_pft"].sel(pft="grass") for share in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half, (c3 + c4) / 2, rtol=1e-12)
    assert (np.abs(c4 - c3)[:, 0] > 0.1).all()


def test_c4_leaves_trees_alone():
    a, b = (simulate(forcing(c4=share))["gpp_daily_pft"].sel(pft="dbf") for share in (0.0, 1.0))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [0, 2, 3])
def test_threads_do_not_change_a_bit(simulated, threads):
    xr.testing.assert_identical(simulate(forcing(), n_threads=threads), simulated)


@pytest.mark.parametrize("name", ["tair", "tair_range", "vpd", "sw", "soil_water", "lai"])
def test_missing_month_is_missing_there_only(simulated, name):
    ds = forcing()
    hole = (ds["time"].dt.month == 7) & (xr.DataArray(np.arange(CELLS), dims="cell") == 1)
    ds[name] = ds[name].where(~hole)
    gpp = simulate(ds)["gpp_daily"].values
    holes = np.isnan(gpp)
    assert holes[1, 1]
    assert holes.sum() == 1
    np.testing.assert_array_equal(gpp[~holes], simulated["gpp_daily"].values[~holes])


@pytest.mark.parametrize("others", [0.0, 0.4])
def test_missing_c4_share_is_missing_where_grass_or_crop_grows(others):
    """Also where no other cell has C4 plants."""
    gpp = simulate(forcing(c4=[np.nan, np.nan, others, others]))["gpp_daily"].values
    np.testing.assert_array_equal(np.isnan(gpp), [[True, False, False, False]] * 3)


def test_order_of_types_and_dimensions_does_not_matter(simulated):
    turned = simulate(forcing().isel(pft=[2, 0, 1]).transpose("cell", ...))
    np.testing.assert_allclose(turned["gpp_daily"], simulated["gpp_daily"], rtol=1e-13)


def test_leaf_area_without_types_and_constant_forcing_broadcast():
    lai = ("time", "cell"), np.full((3, CELLS), 3.0)
    wide = simulate(forcing(lai=lai, ca=(("time", "cell"), np.full((3, CELLS), 400.0))))
    each = simulate(forcing(lai=(("pft", "time", "cell"), np.full((3, 3, CELLS), 3.0))))
    xr.testing.assert_identical(wide, each)


def test_own_parameters_replace_the_table(simulated):
    lazy = {**PFTS, "dbf": PFTS["enf"]}
    assert (simulate(forcing(), pfts=lazy)["gpp_daily"][:, 1] != simulated["gpp_daily"][:, 1]).all()


def test_own_parameters_need_the_c4_plants_that_grow():
    c3 = {name: pft for name, pft in PFTS.items() if pft.pathway == "C3"}
    with pytest.raises(RangeError, match=r"pft: expected names out of .*, got \['crop_c4', 'grass_c4'\]"):
        simulate(forcing(), pfts=c3)
    xr.testing.assert_identical(simulate(forcing(c4=0.0), pfts=c3), simulate(forcing(c4=0.0)))


def test_progress_adds_up_to_all_canopy_hours():
    done = []
    simulate(forcing(), progress=done.append)
    assert sum(done) == 3 * 24 * (3 + 3 + 3)  # months, hours, cells that hold dbf, grass and crop


@pytest.mark.parametrize(
    ("name", "change", "error", "message"),
    [
        ("tair", lambda v: v + 273.15, UnitsError, "tair: expected degC, got values up to 297.15, which look like K"),
        ("vpd", lambda v: v / 100, UnitsError, "vpd: expected Pa, got values up to 9, which look like hPa"),
        ("sw", lambda v: v * 0.0864, UnitsError, "sw: expected W m-2, got values up to 24.192, which look like MJ"),
        ("lai", lambda v: -v, RangeError, "lai: expected 0 to 15 m2 m-2, got -5"),
        ("pft_fraction", lambda v: v * 2, RangeError, "expected 0 to 1"),
        ("lat", lambda v: v + 60, RangeError, "lat: expected -90 to 90"),
        ("tair", lambda v: v.assign_attrs(units="K"), UnitsError, "tair: expected degC, got K"),
        ("pft", lambda v: ["dbf", "grass", "moss"], RangeError, r"pft: expected names out of .*, got \['moss'\]"),
        ("time", lambda v: [6, 7, 8], ShapeError, "time: expected a coordinate of datetime64, got int64"),
    ],
)
def test_bad_input_is_named(name, change, error, message):
    ds = forcing()
    with pytest.raises(error, match=message):
        simulate(ds.assign({name: change(ds[name])}))


@pytest.mark.parametrize("name", ["tair", "lai", "lat", "pft_fraction", "c4_fraction"])
def test_missing_variable_is_named(name):
    with pytest.raises(ShapeError, match=rf"expected variables \['{name}'\], got"):
        simulate(forcing().drop_vars(name))


@pytest.mark.parametrize("dim", ["time", "pft"])
def test_missing_dimension_is_named(dim):
    with pytest.raises(ShapeError, match=f"{dim}: expected a dimension"):
        simulate(forcing().isel({dim: 0}))
