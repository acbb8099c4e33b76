"""Good files of many layouts, climates, hemispheres, time zones and steps are read without a false alarm."""

import gzip
import zipfile
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import TowerFormatError
from gppcore.towers.files import read_fluxnet, read_records, read_sites

# site: lat, lon, hours ahead of UTC, mean of the year, half its range, half the range of a day, rain, dryness, leaves
PLACES = {
    "DE-Mad": (51.0, 13.5, 1.0, 9.0, 10.0, 5.0, 2.2, 1.0, 22.0),
    "FI-Mad": (67.4, 26.6, 2.0, -1.0, 13.0, 3.5, 1.4, 1.0, 10.0),
    "GL-Mad": (74.5, -20.6, 0.0, -9.0, 13.0, 2.0, 0.6, 1.0, 3.0),
    "SJ-Mad": (78.2, 15.9, 1.0, -4.0, 10.0, 1.5, 0.5, 1.0, 2.5),
    "BR-Mad": (-3.0, -60.2, -4.0, 26.5, 1.0, 4.0, 6.5, 1.0, 35.0),
    "AU-Mad": (-12.5, 131.2, 9.5, 27.0, 3.0, 6.0, 4.5, 1.3, 16.0),
    "NZ-Mad": (-43.5, 171.9, 12.0, 11.0, 6.0, 5.0, 2.0, 1.0, 20.0),
    "US-Mad": (31.8, -110.9, -7.0, 18.0, 9.0, 8.0, 0.8, 2.5, 6.0),
    "CN-Mad": (43.8, 87.6, 8.0, 7.0, 18.0, 6.0, 0.7, 1.6, 9.0),
    "ES-Mad": (42.0, -7.5, 1.0, 13.0, 8.0, 6.0, 2.5, 1.2, 14.0),
    "AR-Mad": (-33.5, -66.5, -3.0, 16.0, 8.0, 8.0, 1.3, 1.6, 8.0),
    "IS-Mad": (64.8, -21.3, 0.0, 4.0, 6.0, 2.0, 2.8, 1.0, 12.0),
    "IN-Mad": (23.1, 80.0, 5.5, 25.0, 7.0, 6.0, 3.4, 1.5, 18.0),
}
SUBSET = ["TA_F", "SW_IN_POT", "SW_IN_F", "VPD_F", "PA_F", "P_F", "CO2_F_MDS", "NEE_VUT_REF", "NEE_VUT_REF_QC"]
SUBSET += ["NEE_VUT_REF_RANDUNC", "GPP_NT_VUT_REF", "GPP_NT_VUT_25", "GPP_NT_VUT_75", "GPP_DT_VUT_REF"]


def made(kit, site, minutes=60, years=1, seed=5):
    lat, lon, zone, mean, season, daily, rain, dryness, leaves = PLACES[site]
    return kit.Made(site, lat, lon, zone, mean, season, daily, rain, dryness, leaves, 2005, years, minutes, seed)


@pytest.fixture(scope="module")
def two_years(kit):
    """Return the hours of a site, made once."""
    return lru_cache(lambda site: kit.hours(made(kit, site, years=2, seed=6)))


def metadata(site, *, zone=True):
    lat, lon, offset = PLACES[site][:3]
    return pd.DataFrame({"lat": lat, "lon": lon, "utc_offset": offset if zone else np.nan}, index=[site])


@pytest.mark.parametrize("site", PLACES)
def test_hours_of_all_climates(kit, tmp_path, site):
    path = tmp_path / f"FLX_{site}_FLUXNET2015_FULLSET_HR_2005-2005_1-4.csv"
    kit.write(kit.stamped(kit.hours(made(kit, site)), "HR"), path)
    for sites in (metadata(site), metadata(site, zone=False)):
        record = read_fluxnet(path, sites=sites)
        assert (record.site, record.layout, record.step, len(record.table)) == (site, "fluxnet", "HR", 8760)


@pytest.mark.parametrize("site", PLACES)
@pytest.mark.parametrize("step", ["DD", "WW", "MM"])
def test_longer_steps_of_all_climates(kit, two_years, tmp_path, site, step):
    path = tmp_path / f"FLX_{site}_FLUXNET2015_SUBSET_{step}_2005-2006_1-4.csv"
    frame = kit.longer(two_years(site), step)
    kit.write(kit.stamped(frame[SUBSET], step), path)
    assert read_fluxnet(path, sites=metadata(site)).step == step
    kit.write(kit.stamped(frame[SUBSET].drop(columns="SW_IN_POT"), step), path)
    assert len(read_fluxnet(path, sites=metadata(site)).table) == {"DD": 730, "WW": 104, "MM": 24}[step]


def with_gaps(frame):
    """Take out a month of carbon and ten days of weather, as raw files lack them."""
    frame = frame.copy()
    carbon = [c for c in frame if c.startswith(("NEE", "GPP", "CO2"))]
    frame.loc[frame.index[2000:2700], carbon] = np.nan
    frame.loc[frame.index[5000:5240], ["TA_F", "VPD_F", "SW_IN_F"]] = np.nan
    return frame


@pytest.mark.parametrize(
    ("name", "site", "minutes"),
    [
        ("FLX_DE-Mad_FLUXNET2015_FULLSET_HH_2005-2005_beta-3.csv", "DE-Mad", 30),
        ("ICOSETC_FI-Mad_FLUXNET_HH_L2.csv", "FI-Mad", 30),
        ("AMF_US-Mad_FLUXNET_SUBSET_HR_2005-2005_3-5.csv", "US-Mad", 60),
        ("AMF_US-Mad_FLUXNET_FLUXMET_HH_2005-2005_v1.3_r1.csv", "US-Mad", 30),
    ],
)
def test_names_of_all_networks(kit, tmp_path, name, site, minutes):
    frame = with_gaps(kit.hours(made(kit, site, minutes)))
    kit.write(kit.stamped(frame, "HH" if minutes == 30 else "HR"), tmp_path / name)
    record = read_fluxnet(tmp_path / name, sites=metadata(site))
    assert record.site == site
    assert record.table["gpp_nt"].isna().sum() == 700


def base(kit, frame):
    """Rename columns to those of AmeriFlux BASE, which has one GPP of the site's team and positions of sensors."""
    names = {"TA_F": "TA_1_1_1", "SW_IN_F": "SW_IN_1_1_1", "VPD_F": "VPD_PI_1_1_1", "PA_F": "PA_1_1_1", "P_F": "P"}
    names |= {"CO2_F_MDS": "CO2_1_1_1", "NEE_VUT_REF": "NEE_PI", "GPP_NT_VUT_REF": "GPP_PI"}
    return kit.stamped(frame[list(names)].rename(columns=names), "HH")


def test_ameriflux_base_with_its_comments(kit, tmp_path):
    frame = with_gaps(kit.hours(made(kit, "US-Mad", 30)))
    path = tmp_path / "AMF_US-Mad_BASE_HH_13-5.csv"
    kit.write(base(kit, frame), path, comments=("# Site: US-Mad", "# Version: 13-5"))
    for sites in (metadata("US-Mad"), metadata("US-Mad", zone=False)):
        record = read_fluxnet(path, sites=sites)
        assert (record.layout, record.step) == ("base", "HH")
        assert {"gpp", "tair", "sw", "vpd"} <= set(record.table)


def test_archive_of_a_network_gives_the_finest_or_the_wanted_table(kit, tmp_path):
    frame = kit.hours(made(kit, "ES-Mad"))
    path = tmp_path / "FLX_ES-Mad_FLUXNET2015_FULLSET_2005-2005_1-4.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for step in ("MM", "DD", "HR"):
            part = frame if step == "HR" else kit.longer(frame, step)
            name = f"FLX_ES-Mad_FLUXNET2015_FULLSET_{step}_2005-2005_1-4.csv"
            archive.write(kit.write(kit.stamped(part, step), tmp_path / name), name)
        for product in ("ERAI_HH_1989-2014", "AUXMETEO_2005-2005", "FULLSET_YY_2005-2005"):
            archive.writestr(f"FLX_ES-Mad_FLUXNET2015_{product}_1-4.csv", "A,B\n1,2\n")
    assert read_fluxnet(path).step == "HR"
    assert read_fluxnet(path, step="MM").step == "MM"
    assert "FULLSET_DD" in read_fluxnet(path, step="DD").where


def plain(frame):
    """Give daily values the names and units of this package."""
    return pd.DataFrame(
        {
            "tair": frame["TA_F"],
            "sw": frame["SW_IN_F"],
            "vpd": frame["VPD_F"] * 100.0,
            "patm": frame["PA_F"] * 1000.0,
            "precip": frame["P_F"],
            "ca": frame["CO2_F_MDS"],
            "gpp_daily": frame["GPP_NT_VUT_REF"],
        }
    ).rename_axis("time")


def test_plain_days_with_gaps_a_mark_and_empty_cells(kit, tmp_path):
    days = plain(kit.longer(kit.hours(made(kit, "AR-Mad")), "DD"))
    days.iloc[40:60, 0] = np.nan
    path = tmp_path / "AR-Mad.csv"
    days.drop(days.index[100:130]).to_csv(path, encoding="utf-8-sig")
    record = read_fluxnet(path, sites=metadata("AR-Mad"))
    assert (record.site, record.layout, record.step, len(record.table)) == ("AR-Mad", "plain", "DD", 335)


def test_plain_hours_zipped_by_gzip(kit, tmp_path):
    hours = kit.hours(made(kit, "NZ-Mad"))
    table = plain(hours).drop(columns=["gpp_daily", "precip"])
    table["gpp"] = hours["GPP_NT_VUT_REF"]
    path = tmp_path / "NZ-Mad.csv.gz"
    path.write_bytes(gzip.compress(table.to_csv().encode()))
    record = read_fluxnet(path, sites=metadata("NZ-Mad"))
    assert record.step == "HR"
    assert record.table["gpp"].mean() == pytest.approx(hours["GPP_NT_VUT_REF"].mean() * 12.011e-6 * 86400)


def test_monthly_table_of_many_sites(kit, tmp_path):
    parts = []
    for site in ("DE-Mad", "BR-Mad", "GL-Mad"):
        months = kit.longer(kit.hours(made(kit, site, years=2)), "MM")
        table = pd.DataFrame({"site_id": site, "year": months.index.year, "month": months.index.month})
        table["gpp"] = months["GPP_NT_VUT_REF"].to_numpy()
        parts.append(table[table["gpp"] > 0.0])
    path = tmp_path / "fluxval.csv"
    pd.concat(parts).sample(frac=1.0, random_state=1).sort_values(["year", "month"]).to_csv(path, index=False)
    records = read_records(path)
    assert {r.site: len(r.table) for r in records} == {p["site_id"].iloc[0]: len(p) for p in parts}
    assert {r.step for r in records} == {"MM"}


def test_monthly_table_of_real_towers(shared, tmp_path):
    """Only records that hold a frozen value are refused; a summer of negative GPP costs its months."""
    sites, refused = read_sites(shared / "towers" / "sites.csv"), {}
    for site, rows in pd.read_csv(shared / "towers" / "gpp_monthly.csv.gz").groupby("site_id"):
        path = tmp_path / f"{site}.csv"
        rows.to_csv(path, index=False)
        try:
            assert len(read_fluxnet(path, sites=sites).table) == len(rows)
        except TowerFormatError as error:
            refused[site] = str(error)
    assert sorted(refused) == ["GL-ZaH", "IT-Ren"]
    assert "changing values, got 0.01102 for 24 steps" in refused["IT-Ren"]
