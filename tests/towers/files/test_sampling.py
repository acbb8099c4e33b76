import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore import TileStore, sample_at_towers
from gppcore.constants import PFT_NAMES
from gppcore.errors import RangeError, ShapeError, UnitsError
from gppcore.features import pft_fractions
from gppcore.variables import attributes

LAT, LON = np.arange(89.0, -90.0, -2.0), np.arange(-179.0, 180.0, 2.0)
GRASS, WATER, FOREST = 10, 0, 4


@pytest.fixture
def world():
    """Fields of two years on a grid of 2 degrees: forest in the north, grass in the south, ocean west of 0."""
    time = pd.date_range("2003-01-01", periods=24, freq="MS") + pd.Timedelta(days=14)
    months = np.arange(24.0)[:, None, None]
    tair = 10.0 + months + 0.1 * LAT[:, None] + 0.01 * LON
    cover = np.where(LAT[:, None] > 0, FOREST, GRASS) * np.ones(LON.size)
    land = (LON > 0) | (LON < -160)
    dims = ("lat", "lon")
    return xr.Dataset(
        {
            "tair": (("time", *dims), np.where(land, tair, np.nan), attributes("tair")),
            "tair_range": (("time", *dims), np.full(tair.shape, 8.0)),
            "igbp": (dims, cover),
            "elevation": (dims, np.full(cover.shape, 500.0)),
            "humus": (dims, cover),
        },
        coords={"time": time, "lat": LAT, "lon": LON},
    )


def table(**rows):
    return pd.DataFrame.from_dict(rows, orient="index", columns=["lat", "lon", "igbp", "elev_m"])


def expected(lat, lon):
    return 10.0 + np.arange(24.0) + 0.1 * lat + 0.01 * lon


def test_nearest_cell(world):
    found = sample_at_towers(world, table(A=(50.4, 13.9, "DBF", 480.0), B=(-20.9, 100.1, "GRA", 500.0)))
    np.testing.assert_allclose(found.fields["tair"].sel(site="A"), expected(51, 13))
    np.testing.assert_allclose(found.fields["tair"].sel(site="B"), expected(-21, 101))
    assert "humus" in found.fields  # a predictor of one's own
    report = found.report
    assert report["n_cells"].tolist() == [1, 1]
    assert report["pft_overlap"].tolist() == [1.0, 1.0]
    assert report["mismatch"].tolist() == ["", ""]
    north = np.hypot(0.6, 0.9 * np.cos(np.radians(50.4))) * np.pi / 180 * 6371.0072
    assert report.loc["A", "distance_km"] == pytest.approx(north)


def test_mean_of_the_footprint(world):
    found = sample_at_towers(world, table(A=(50.4, 13.9, "DBF", 480.0), B=(0.2, 100.1, "DBF", 500.0)), footprint="mean")
    np.testing.assert_allclose(found.fields["tair"].sel(site="A"), expected(51, 13))
    assert found.report["n_cells"].tolist() == [9, 9]
    assert found.fields["fraction_dbf"].values.tolist() == pytest.approx([1.0, 2 / 3])
    assert found.report.loc["B", "pft_overlap"] == pytest.approx(2 / 3)


def test_coast_takes_the_nearest_land_and_the_open_ocean_none(world):
    found = sample_at_towers(world, table(A=(50.4, -0.4, "DBF", 480.0), B=(50.4, -40.0, "DBF", 480.0)))
    np.testing.assert_allclose(found.fields["tair"].sel(site="A"), expected(51, 1))
    assert found.fields["tair"].sel(site="B").isnull().all()
    assert found.report["mismatch"].tolist() == ["", "no cell with values near the tower"]


def test_window_goes_over_the_date_line(world):
    found = sample_at_towers(world, table(A=(50.4, 179.9, "DBF", 480.0)), footprint="mean")
    assert found.report.loc["A", "n_cells"] == 9
    np.testing.assert_allclose(
        found.fields["tair"].sel(site="A"), np.mean([expected(51, x) for x in (177, 179, -179)], 0)
    )


def test_place_beyond_the_grid_has_no_values(world):
    window = world.sel(lat=slice(60, 40), lon=slice(0, 30))
    found = sample_at_towers(
        window, table(A=(20.0, 13.0, "DBF", 480.0), B=(59.9, 29.9, "DBF", 480.0)), footprint="mean"
    )
    assert found.report["n_cells"].tolist() == [0, 4]
    assert found.fields["tair"].sel(site="A").isnull().all()


def test_other_cover_or_height_is_reported(world):
    found = sample_at_towers(world, table(A=(50.4, 13.9, "GRA", 1200.0), B=(50.4, 13.9, "WSA", 301.0)))
    assert found.report["pft_overlap"].tolist() == [0.0, 0.0]
    assert found.report["elevation_difference_m"].tolist() == [-700.0, 199.0]
    assert found.report["mismatch"].tolist() == [
        "cover: 0% in common; elevation: -700 m",
        "cover: 0% in common",
    ]


def test_unknown_cover_and_height_are_no_mismatch(world):
    found = sample_at_towers(world, table(A=(50.4, 13.9, None, np.nan)))
    assert found.report["mismatch"].tolist() == [""]
    assert found.report[["pft_overlap", "elevation_difference_m"]].isna().all(axis=None)


def test_weather_has_the_columns_of_the_folder(world):
    weather = sample_at_towers(world, table(A=(50.4, 13.9, "DBF", 480.0))).weather
    assert set(weather) == {"site_id", "year", "month", "tmin", "tmax"}
    assert len(weather) == 24
    row = weather[(weather["year"] == 2004) & (weather["month"] == 3)].iloc[0]
    assert row["tmax"] - row["tmin"] == pytest.approx(8.0)
    assert (row["tmax"] + row["tmin"]) / 2 == pytest.approx(expected(51, 13)[14])


def test_weather_of_a_mean_year_has_no_year(world):
    weather = sample_at_towers(
        world.isel(time=slice(12)).drop_vars("time"), table(A=(50.4, 13.9, "DBF", 480.0))
    ).weather
    assert set(weather) == {"site_id", "month", "tmin", "tmax"}
    assert weather["month"].tolist() == list(range(1, 13))


def test_tile_store_gives_what_the_dataset_gives(world, tmp_path):
    shares = pft_fractions(world["igbp"].values.astype(int).ravel()).reshape(-1, *world["igbp"].shape)
    covered = world.drop_vars("igbp").assign(
        {f"fraction_{name}": (("lat", "lon"), share) for name, share in zip(PFT_NAMES, shares, strict=True)}
    )
    land = np.flatnonzero(world["tair"][0].notnull().values)
    store = TileStore.create(tmp_path / "tiles", LAT, LON, land, years=(2003, 2004))
    for name in ("tair", "tair_range", "elevation", *(f"fraction_{name}" for name in PFT_NAMES)):
        values = covered[name].values.astype(np.float32)
        store.add(name, monthly=values.ndim == 3, attrs={})
        flat = values.reshape(*values.shape[:-2], -1)[..., store.index]
        if values.ndim == 2:
            store.write(name, 0, flat)
            continue
        for number, year in enumerate(store.each_year):
            store.write(name, 0, flat[12 * number : 12 * number + 12], year)
    sites = table(A=(50.4, 179.9, "DBF", 480.0), B=(-20.9, 0.3, "GRA", 900.0), C=(50.4, -40.0, "DBF", 480.0))
    for footprint in ("nearest", "mean"):
        ours = sample_at_towers(store, sites, footprint=footprint)
        theirs = sample_at_towers(covered, sites, footprint=footprint)
        pd.testing.assert_frame_equal(ours.report, theirs.report)
        xr.testing.assert_allclose(ours.fields.drop_vars("time"), theirs.fields.drop_vars("time")[list(ours.fields)])
        pd.testing.assert_frame_equal(ours.weather, theirs.weather)


@pytest.mark.filterwarnings("default")  # libraries of the cluster warn of their own
def test_workers_of_a_cluster_sample_the_same(world, tmp_path):
    distributed = pytest.importorskip("distributed")
    land = np.flatnonzero(world["tair"][0].notnull().values)
    store = TileStore.create(tmp_path / "tiles", LAT, LON, land, years=(2003, 2004))
    for name in ("tair", "elevation"):
        values = world[name].values.astype(np.float32)
        store.add(name, monthly=values.ndim == 3, attrs={})
        flat = values.reshape(*values.shape[:-2], -1)[..., store.index]
        for number, year in enumerate(store.each_year if values.ndim == 3 else (None,)):
            store.write(name, 0, flat if year is None else flat[12 * number : 12 * number + 12], year)
    rng = np.random.default_rng(1)
    sites = table(**{f"S{i}": (rng.uniform(-30, 50), rng.uniform(0, 90), "DBF", 480.0) for i in range(20)})
    alone = sample_at_towers(store, sites)
    with (
        distributed.LocalCluster(n_workers=2, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        together = sample_at_towers(store, sites, client=client)
        with pytest.raises(RangeError, match="source: expected a tile store, which workers"):
            sample_at_towers(world, sites, client=client)
    xr.testing.assert_identical(together.fields, alone.fields)
    pd.testing.assert_frame_equal(together.report, alone.report)


def test_what_cannot_be_sampled_is_refused(world):
    sites = table(A=(50.4, 13.9, "DBF", 480.0))
    with pytest.raises(RangeError, match="footprint: expected nearest or mean, got 'all'"):
        sample_at_towers(world, sites, footprint="all")
    with pytest.raises(ShapeError, match="expected fields of latitude, longitude and perhaps time, got none"):
        sample_at_towers(world[[]].assign_coords(world.coords), sites)
    with pytest.raises(UnitsError, match="tair in source: expected degC, got K"):
        sample_at_towers(world.assign(tair=world["tair"].assign_attrs(units="K")), sites)
    with pytest.raises(UnitsError, match=r"tair in source: .*look like K"):
        sample_at_towers(world.assign(tair=world["tair"] + 273.15), sites)
