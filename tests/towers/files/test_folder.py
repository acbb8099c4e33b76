import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore import read_fluxnet, read_sites, read_towers, sample_at_towers, write_tower_folder
from gppcore.errors import OutputExistsError, TowerFormatError
from gppcore.features.co2 import co2_monthly
from gppcore.process.simulate import simulate
from gppcore.towers.files import monthly_gpp, monthly_weather, read_lai
from gppcore.towers.towers import CELL_VPD_TO_DAYLIGHT_VPD, W_PER_MJ_DAY


@pytest.fixture(scope="module")
def records(kit, half_hours, tmp_path_factory):
    """Two towers: 2003-2004 in the north and, without the June of 2005, 2005 in the south."""
    folder = tmp_path_factory.mktemp("files")
    first = folder / "FLX_DE-Mad_FLUXNET2015_FULLSET_HH_2003-2004_1-4.csv"
    kit.write(kit.stamped(half_hours, "HH"), first)
    south = kit.Made("AU-Mad", -37.0, 145.0, 10.0, 13.0, 6.0, 6.0, 1.8, 1.3, 18.0, 2004, 2, 60, 4)
    hours = kit.hours(south)
    hours.loc["2005-06", ["TA_F", "SW_IN_F"]] = np.nan
    second = folder / "AMF_AU-Mad_FLUXNET_FULLSET_HR_2004-2005_1-5.csv"
    kit.write(kit.stamped(hours, "HR"), second)
    return [read_fluxnet(first), read_fluxnet(second)]


@pytest.fixture
def sites():
    """Metadata of the two towers and of one without a record."""
    rows = {
        "AU-Mad": (-37.0, 145.0, "GRA", 120.0, 10.0, None, 30.0, None),
        "DE-Mad": (51.0, 13.5, "DBF", 300.0, 1.0, "Cfb", np.nan, None),
        "US-Non": (40.0, -90.0, "CRO", 200.0, -6.0, None, np.nan, None),
    }
    columns = ["lat", "lon", "igbp", "elev_m", "utc_offset", "koeppen", "c4_percent", "cluster50km"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


LAI = pd.DataFrame({"site_id": np.repeat(["AU-Mad", "DE-Mad"], 12), "month": [*range(1, 13)] * 2, "lai": 1.5})


def test_folder_is_what_read_towers_reads(records, sites, tmp_path):
    write_tower_folder(records, sites, tmp_path / "towers", lai=LAI)
    towers = read_towers(tmp_path / "towers")
    assert towers.sites["region"].to_dict() == {"AU-Mad": "C", "DE-Mad": "C"}
    assert towers.sites["igbp"].to_dict() == {"AU-Mad": "GRA", "DE-Mad": "DBF"}
    assert towers.sites["cluster"].nunique() == 2
    assert dict(towers.forcing.sizes) == {"time": 36, "cell": 2, "pft": 8}
    weather = monthly_weather(records[0])
    there = towers.forcing.isel(cell=1, time=slice(0, 24))
    np.testing.assert_allclose(there["vpd"], weather["vpd"], atol=0.01)
    np.testing.assert_allclose(there["sw"], weather["sw"], atol=0.01)
    np.testing.assert_allclose(there["tair"], (weather["tmin"] + weather["tmax"]) / 2, atol=1e-4)
    np.testing.assert_allclose(there["tair_range"], weather["tmax"] - weather["tmin"], atol=1e-4)
    rows = towers.samples(simulate(towers.forcing))
    assert rows.groups["site"].value_counts().to_dict() == {"DE-Mad": 24, "AU-Mad": 23}


def test_months_of_gpp_carry_their_quality(records, sites, tmp_path):
    write_tower_folder(records, sites, tmp_path, lai=LAI)
    gpp = pd.read_csv(tmp_path / "gpp_monthly.csv")
    wanted = {"gpp_nt", "gpp_dt", "gpp_method", "gpp_qc", "gpp_valid_day_frac", "core", "gpp_uncertainty", "nee"}
    assert wanted <= set(gpp)
    assert len(gpp) == 48
    own = monthly_gpp(records[0])
    np.testing.assert_allclose(gpp.loc[gpp["site_id"] == "DE-Mad", "gpp"], own["gpp"], atol=1e-5)


def test_only_what_soil_water_needs_is_filled_and_told(records, sites, tmp_path):
    write_tower_folder(records, sites, tmp_path, lai=LAI)
    forcing = pd.read_csv(tmp_path / "cell_forcing_monthly.csv").set_index(["site_id", "year", "month"])
    assert len(forcing) == 2 * 36
    assert (forcing.loc["DE-Mad"].loc[2003:2004, "filled"] == 0).all()
    outside = forcing.loc["DE-Mad"].loc[2005]
    assert (outside["filled"] == 1).all()
    assert outside[["cell_sw_mj_m2_d", "cell_vpd_hpa"]].isna().all(axis=None)
    assert (outside["co2_filled"] == 1).all()
    np.testing.assert_allclose(outside["cell_co2_ppm"], co2_monthly(2005, np.arange(1, 13)))
    assert (forcing.loc["DE-Mad"].loc[2003:2004, "co2_filled"] == 0).all()
    mean = forcing.loc["DE-Mad"].loc[2003:2004].groupby("month")["cell_tmin_c"].mean()
    np.testing.assert_allclose(outside["cell_tmin_c"], mean, atol=1e-4)
    gap = forcing.loc["AU-Mad", 2005, 6]
    assert gap["filled"] == 1
    assert gap["cell_tmin_c"] == forcing.loc["AU-Mad", 2004, 6]["cell_tmin_c"]
    assert np.isnan(gap["cell_sw_mj_m2_d"])
    gpp = pd.read_csv(tmp_path / "gpp_monthly.csv").set_index(["site_id", "year", "month"])
    assert gpp.loc["AU-Mad", 2005, 6]["core"] == 0
    assert gpp["core"].sum() == 47


def test_predictors_of_ones_own_go_the_same_way_as_to_a_map(records, sites, tmp_path):
    lat, lon = np.arange(60.25, -60.0, -0.5), np.arange(0.25, 360.0, 0.5)
    month = np.arange(24)[:, None, None] + np.zeros((24, lat.size, lon.size))
    grid = xr.Dataset(
        {
            "evi": (("time", "lat", "lon"), month / 100.0),
            "canopy_height": (("lat", "lon"), np.add.outer(lat, lon)),
            "tair": (("time", "lat", "lon"), np.full(month.shape, 9.0), {"units": "degC"}),
        },
        {"time": pd.date_range("2003-01-15", periods=24, freq=pd.DateOffset(months=1)), "lat": lat, "lon": lon},
    )
    grid["lat"].attrs["units"], grid["lon"].attrs["units"] = "degrees_north", "degrees_east"
    write_tower_folder(records, sites, tmp_path, lai=LAI, samples=sample_at_towers(grid, sites))
    towers = read_towers(tmp_path)
    samples = towers.samples(simulate(towers.forcing), predictors=("tair", "evi", "canopy_height"))
    known = samples.groups["year"] < 2005
    since = (samples.groups["year"] - 2003) * 12 + samples.groups["month"] - 1
    np.testing.assert_allclose(samples.x[known, 1], since[known] / 100.0, atol=1e-6)
    assert np.isfinite(samples.x[:, 2]).all()
    assert np.isnan(samples.x[~known, 1]).all()


def test_koeppen_class_is_computed_where_it_is_not_given(records, sites, tmp_path):
    write_tower_folder(records, sites, tmp_path, lai=LAI)
    table = pd.read_csv(tmp_path / "sites.csv", index_col="site_id")
    assert table["koeppen_cedar"].to_dict() == {"AU-Mad": "Cfb", "DE-Mad": "Cfb"}
    assert table["c4_percent"].to_dict() == {"AU-Mad": 30.0, "DE-Mad": 0.0}


def test_leaf_area_may_differ_by_year(records, sites, tmp_path):
    years = LAI.merge(pd.DataFrame({"year": [2003, 2004, 2005]}), how="cross")
    years["lai"] += years["year"] - 2003
    years.to_csv(tmp_path / "lai.csv", index=False)
    write_tower_folder(records, sites, tmp_path / "towers", lai=read_lai(tmp_path / "lai.csv"))
    towers = read_towers(tmp_path / "towers")
    assert towers.forcing["lai"][:, 1].values[:24].tolist() == [1.5] * 12 + [2.5] * 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.drop("DE-Mad"), r"expected all sites of the records, got no \['DE-Mad'\]"),
        (lambda s: s.assign(c4_percent=np.nan), r"c4_percent where grass or crop grows, got none at \['AU-Mad'\]"),
        (lambda s: s.assign(igbp="OAK"), "expected igbp out of .*AU-Mad: OAK"),
    ],
)
def test_site_without_metadata_is_refused_and_nothing_written(records, sites, tmp_path, change, message):
    with pytest.raises(TowerFormatError, match=message):
        write_tower_folder(records, change(sites), tmp_path / "towers", lai=LAI)
    assert not (tmp_path / "towers").exists()


def test_what_cannot_make_a_folder_is_refused(kit, half_hours, records, sites, tmp_path):
    with pytest.raises(TowerFormatError, match="at least one, got none"):
        write_tower_folder([], sites, tmp_path / "a", lai=LAI)
    with pytest.raises(TowerFormatError, match=r"one row per site and month, got .*DE-Mad.* again"):
        write_tower_folder([*records, records[0]], sites, tmp_path / "a", lai=LAI)
    with pytest.raises(TowerFormatError, match="expected LAI by month, got none at AU-Mad, DE-Mad"):
        write_tower_folder(records, sites, tmp_path / "a")
    days = tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_DD_2003-2004_1-4.csv"
    record = read_fluxnet(kit.write(kit.stamped(kit.longer(half_hours, "DD"), "DD"), days))
    with pytest.raises(
        TowerFormatError, match=r"no tmin, tmax in some .*no daily extremes; give sampled weather.*: DE-Mad"
    ):
        write_tower_folder([record], sites, tmp_path / "a", lai=LAI)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="expected a new or empty folder"):
        write_tower_folder(records, sites, tmp_path / "full", lai=LAI)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("site_id,month\nA,1\n", r"got no \['lai'\]"),
        ("site_id,month,lai\nA,1,40\n", "0 to 15"),
        ("site_id,month,lai\nA,1,x\n", "expected numbers in column lai"),
        ("site_id,month,lai\nA,1,2\nA,1,2\n", "got A 1 again"),
        ("", "CSV table"),
    ],
)
def test_table_of_leaf_area_that_cannot_be(tmp_path, text, message):
    (tmp_path / "lai.csv").write_text(text)
    with pytest.raises(TowerFormatError, match=message):
        read_lai(tmp_path / "lai.csv")


def test_real_months_survive_the_way_through_records(shared, tmp_path):
    """What is read from the real monthly table and written with its cells' forcing is read back the same."""
    sites = read_sites(shared / "towers" / "sites.csv")
    cells = pd.read_csv(shared / "towers" / "cell_forcing_monthly.csv.gz")
    weather = cells[["site_id", "year", "month"]].assign(
        tmin=cells["cell_tmin_c"],
        tmax=cells["cell_tmax_c"],
        sw=cells["cell_sw_mj_m2_d"] * W_PER_MJ_DAY,
        vpd=cells["cell_vpd_hpa"] * CELL_VPD_TO_DAYLIGHT_VPD,
        precip=cells["cell_precip_mm_d"],
        ca=cells["cell_co2_ppm"],
        lai=cells["cell_lai_m2_m2"],
    )
    months = pd.read_csv(shared / "towers" / "gpp_monthly.csv.gz")
    names = ["FI-Hyy", "US-MMS", "FR-Pue", "AU-How", "CZ-wet"]
    records = []
    for name in names:
        months[months["site_id"] == name].to_csv(tmp_path / f"{name}.csv", index=False)
        records.append(read_fluxnet(tmp_path / f"{name}.csv", sites=sites))
    write_tower_folder(records, sites, tmp_path / "towers", weather=weather)
    ours, theirs = read_towers(tmp_path / "towers"), read_towers(shared / "towers")
    assert sorted(ours.sites.index) == sorted(names)
    pairs = ours.gpp.merge(theirs.gpp, on=["site_id", "year", "month"], suffixes=("", "_there"))
    assert len(pairs) == len(ours.gpp) > 300
    np.testing.assert_allclose(pairs["gpp_daily"], pairs["gpp_daily_there"], atol=1e-4)
    assert ours.sites["region"].to_dict() == theirs.sites.loc[ours.sites.index, "region"].to_dict()
    where = [theirs.sites.index.get_loc(name) for name in ours.sites.index]
    for name in ("tair", "sw", "vpd", "precip"):
        np.testing.assert_allclose(ours.forcing[name], theirs.forcing[name][:, where], rtol=1e-4, atol=1e-4)


def test_weather_of_a_mean_year_stands_for_all_years(records, sites, tmp_path):
    weather = pd.DataFrame({"month": range(1, 13), "tmin": 4.0, "tmax": 15.0, "sw": 150.0, "vpd": 700.0, "ca": 400.0})
    weather["precip"] = np.arange(12) / 2
    weather = weather.merge(pd.DataFrame({"site_id": ["AU-Mad", "DE-Mad", "US-Non"]}), how="cross")
    lai = LAI.merge(pd.DataFrame({"year": [2003, 2004, 2005]}), how="cross")
    lai["lai"] += lai["year"] - 2003
    write_tower_folder(records, sites, tmp_path, weather=weather, lai=lai)
    forcing = pd.read_csv(tmp_path / "cell_forcing_monthly.csv").set_index(["site_id", "year", "month"])
    assert len(forcing) == 2 * 36
    assert (forcing["filled"] == 0).all()
    for year in (2003, 2004, 2005):
        np.testing.assert_allclose(forcing.loc["DE-Mad", year]["cell_precip_mm_d"], np.arange(12) / 2)
        np.testing.assert_allclose(forcing.loc["AU-Mad", year]["cell_lai_m2_m2"], 1.5 + year - 2003)
    assert len(read_towers(tmp_path).gpp) == 48
