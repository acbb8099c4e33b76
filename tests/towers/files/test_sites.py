import zipfile

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import MissingFileError, ShapeError, TowerFormatError
from gppcore.features.koeppen import koeppen_class
from gppcore.towers.files import clusters, read_sites
from gppcore.variables import DAYS_IN_MONTH

BADM = [
    ("DE-Tha", 1, "GRP_LOCATION", "LOCATION_LAT", "50.9626"),
    ("DE-Tha", 1, "GRP_LOCATION", "LOCATION_LONG", "13.5651"),
    ("DE-Tha", 1, "GRP_LOCATION", "LOCATION_ELEV", "385"),
    ("DE-Tha", 2, "GRP_IGBP", "IGBP", "ENF"),
    ("DE-Tha", 3, "GRP_UTC_OFFSET", "UTC_OFFSET", "1"),
    ("DE-Tha", 4, "GRP_SITE_DESC", "SITE_DESC", "old spruce, planted 1887"),
    ("US-Ne1", 5, "GRP_LOCATION", "LOCATION_LAT", "41.1651"),
    ("US-Ne1", 5, "GRP_LOCATION", "LOCATION_LONG", "-96.4766"),
    ("US-Ne1", 6, "GRP_IGBP", "IGBP", "GRA"),
    ("US-Ne1", 7, "GRP_IGBP", "IGBP", "CRO"),
    ("US-Ne1", 8, "GRP_CLIM_AVG", "CLIMATE_KOEPPEN", "Dfa"),
]


def badm(rows):
    return pd.DataFrame(rows, columns=["SITE_ID", "GROUP_ID", "VARIABLE_GROUP", "VARIABLE", "DATAVALUE"])


def check_badm(table):
    assert table.loc["DE-Tha", ["lat", "lon", "elev_m", "utc_offset"]].tolist() == [50.9626, 13.5651, 385.0, 1.0]
    assert table["igbp"].to_dict() == {"DE-Tha": "ENF", "US-Ne1": "CRO"}
    assert table.loc["US-Ne1", "koeppen"] == "Dfa"
    assert np.isnan(table.loc["US-Ne1", "utc_offset"])


def test_badm_as_csv(tmp_path):
    badm(BADM).to_csv(tmp_path / "BIF.csv", index=False, encoding="utf-8-sig")
    check_badm(read_sites(tmp_path / "BIF.csv"))


def test_badm_as_spreadsheet(tmp_path):
    pytest.importorskip("openpyxl")
    badm(BADM).to_excel(tmp_path / "BIF.xlsx", index=False)
    check_badm(read_sites(tmp_path / "BIF.xlsx"))


def test_second_file_adds_what_the_first_lacks(tmp_path):
    badm(BADM).to_csv(tmp_path / "BIF.csv", index=False)
    (tmp_path / "more.csv").write_text("site,c4_percent,IGBP\nUS-Ne1,100,GRA\n")
    table = read_sites(tmp_path / "BIF.csv", tmp_path / "more.csv")
    check_badm(table)
    assert table.loc["US-Ne1", "c4_percent"] == 100.0


def test_badm_within_archives_of_a_folder(tmp_path):
    for site, lat in (("DE-Tha", 50.9626), ("US-Ne1", 41.1651)):
        rows = badm([row for row in BADM if row[0] == site]).to_csv(index=False)
        with zipfile.ZipFile(tmp_path / f"AMF_{site}_FLUXNET_2001-2012_v1.3_r1.zip", "w") as archive:
            archive.writestr(f"x/AMF_{site}_FLUXNET_BIF_2001-2012_v1.3_r1.csv", rows)
            archive.writestr(f"x/AMF_{site}_FLUXNET_BIFVARINFO_HH_2001-2012_v1.3_r1.csv", "A,B\n1,2\n")
        found = read_sites(tmp_path / f"AMF_{site}_FLUXNET_2001-2012_v1.3_r1.zip")
        assert found["lat"].tolist() == [lat]
    check_badm(read_sites(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(TowerFormatError, match="expected BADM exports"):
        read_sites(tmp_path / "empty")


@pytest.mark.parametrize("header", ["SITE_ID,LOCATION_LAT,LOCATION_LONG", "site,Latitude,Longitude", "site_id,lat,lon"])
def test_names_of_columns(tmp_path, header):
    (tmp_path / "sites.csv").write_text(f"{header}\nAU-Dry,-15.26,132.37\n")
    assert read_sites(tmp_path / "sites.csv").loc["AU-Dry", ["lat", "lon"]].tolist() == [-15.26, 132.37]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("DE-Tha,13.56,50.96", "DE-Tha: expected 47 to 56 N, 5 to 16 E .* got 13.56, 50.96 .coordinates swapped"),
        ("US-Ha1,42.5,72.2", "US-Ha1: .*coordinates of wrong sign"),
        ("AU-Dry,15.26,132.4", "AU-Dry: .*coordinates of wrong sign"),
        ("BR-Sa1,2.86,54.96", "BR-Sa1: .*coordinates of wrong sign"),
        ("BR-Sa1,50.0,-54.96", r"BR-Sa1: .*got 50, -54.96$"),
        ("AU-Dry,132.4,-15.26", "lat in .*AU-Dry: expected -90 to 90 .*swapped"),
        ("DE-Tha,50.96,", "DE-Tha: expected lat and lon, got 50.96 and nan"),
        ("DE-Tha,50.96,-9999", "DE-Tha: expected lat and lon"),
        ('DE-Tha,"50,96",13.56', "DE-Tha, lat: expected a number, got '50,96'"),
        ("DE-Tha,50.96,13.56\nDE-Tha,50.97,13.56", "expected one row per site, got DE-Tha again"),
    ],
)
def test_position_that_cannot_be(tmp_path, rows, message):
    (tmp_path / "sites.csv").write_text(f"site_id,lat,lon\n{rows}\n")
    with pytest.raises(TowerFormatError, match=message):
        read_sites(tmp_path / "sites.csv")


def test_other_tables_are_refused(tmp_path):
    with pytest.raises(MissingFileError, match=r"none.csv"):
        read_sites(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_text("name,height\nDE-Tha,30\n")
    with pytest.raises(TowerFormatError, match="expected columns site_id, lat and lon"):
        read_sites(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes(b"")
    with pytest.raises(TowerFormatError, match=r"b.csv: expected a table of sites"):
        read_sites(tmp_path / "b.csv")
    badm(BADM[3:4]).assign(VARIABLE="TEAM").to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(TowerFormatError, match="expected BADM variables"):
        read_sites(tmp_path / "c.csv")
    badm([*BADM, ("DE-Tha", 9, "GRP_LOCATION", "LOCATION_LAT", "-50.9626")]).to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(TowerFormatError, match="DE-Tha: expected one LOCATION_LAT, got several 101"):
        read_sites(tmp_path / "d.csv")
    with pytest.raises(TowerFormatError, match="expected a file, got none"):
        read_sites()


def test_clusters_link_neighbours_of_neighbours():
    lat = np.array([50.0, 50.4, 50.8, 52.0, -50.0, 0.0, 0.0])
    lon = np.array([10.0, 10.0, 10.0, 10.0, 10.0, 179.8, -179.9])
    assert clusters(lat, lon).tolist() == [0, 0, 0, 1, 2, 3, 3]
    lat[1] = 50.46
    assert clusters(lat, lon).tolist() == [0, 1, 1, 2, 3, 4, 4]


def test_clusters_of_real_towers_are_those_published_with_them(shared):
    table = read_sites(shared / "towers" / "sites.csv")
    pairs = pd.DataFrame(
        {"ours": clusters(table["lat"].to_numpy(), table["lon"].to_numpy()), "there": table["cluster50km"]}
    )
    assert len(table) == 129
    assert pairs["ours"].nunique() == pairs["there"].nunique() == len(pairs.drop_duplicates()) == 78


# Mean temperature [degC] and precipitation [mm] of the months; climate normals, rounded.
CLIMATES = {
    "Af": (
        [26, 27, 27, 28, 28, 28, 28, 28, 27, 27, 27, 26],
        [235, 113, 170, 154, 171, 131, 154, 149, 156, 154, 259, 319],
    ),
    "Am": ([27, 27, 28, 28, 28, 28, 27, 27, 27, 27, 27, 27], [20, 30, 50, 150, 300, 650, 720, 400, 280, 300, 160, 50]),
    "Aw": ([25, 26, 28, 30, 31, 29, 28, 28, 28, 28, 27, 25], [1, 1, 1, 2, 15, 500, 800, 530, 310, 60, 10, 3]),
    "BWh": ([14, 15, 18, 22, 25, 28, 28, 28, 26, 24, 19, 15], [5, 4, 4, 1, 1, 0, 0, 0, 0, 1, 4, 6]),
    "BSk": ([0, 1, 5, 9, 14, 20, 24, 23, 18, 11, 4, 0], [10, 10, 23, 43, 55, 50, 55, 43, 33, 25, 15, 9]),
    "Csa": ([8, 9, 11, 13, 18, 22, 25, 25, 21, 17, 12, 9], [67, 73, 58, 81, 53, 34, 19, 37, 73, 113, 115, 81]),
    "Cwa": ([21, 21, 21, 20, 18, 15, 15, 18, 22, 24, 23, 21], [245, 186, 105, 24, 5, 0, 0, 0, 3, 17, 92, 206]),
    "Cfb": ([5, 5, 7, 10, 13, 16, 19, 18, 16, 12, 8, 6], [55, 41, 42, 44, 49, 45, 45, 50, 49, 69, 59, 55]),
    "Dfb": ([-6, -6, -1, 7, 14, 17, 20, 18, 12, 6, -1, -5], [53, 44, 39, 37, 61, 77, 84, 78, 66, 70, 52, 51]),
    "Dwa": ([-3, 0, 7, 15, 21, 25, 27, 26, 21, 14, 5, -1], [3, 5, 9, 21, 34, 78, 185, 160, 46, 22, 7, 3]),
    "Dfc": ([-22, -19, -11, 1, 9, 16, 17, 14, 7, -4, -16, -20], [15, 11, 6, 8, 15, 35, 55, 48, 28, 21, 17, 16]),
    "Dfd": ([-40, -35, -20, -5, 7, 15, 18, 14, 6, -8, -28, -39], [9, 8, 7, 8, 18, 36, 39, 37, 31, 18, 16, 10]),
    "ET": ([-25, -26, -25, -16, -6, 2, 5, 4, 0, -8, -17, -22], [3, 4, 3, 4, 5, 9, 22, 27, 18, 10, 5, 4]),
    "EF": ([-27, -38, -50, -55, -57, -58, -60, -60, -58, -51, -37, -27], [1] * 12),
}


def climate(name):
    """Return temperature [degC] and precipitation [mm d-1] of a place."""
    tair, precip = CLIMATES[name]
    return np.array(tair), np.array(precip) / DAYS_IN_MONTH


@pytest.mark.parametrize("name", CLIMATES)
def test_koeppen_classes_of_known_climates(name):
    assert koeppen_class(*climate(name)) == name


def test_southern_summer_is_found_by_warmth():
    tair, precip = (np.roll(values, 6) for values in climate("Csa"))
    assert koeppen_class(tair, precip) == "Csa"


def test_koeppen_class_needs_twelve_known_months():
    tair, precip = climate("Cfb")
    assert koeppen_class([np.nan, *tair[1:]], precip) == ""
    with pytest.raises(ShapeError, match="expected 12 months"):
        koeppen_class(tair[:6], precip[:6])


def test_koeppen_of_tower_cells_agrees_with_the_published_map(shared):
    rows = pd.read_csv(shared / "towers" / "cell_forcing_monthly.csv.gz")
    rows["tair"] = (rows["cell_tmin_c"] + rows["cell_tmax_c"]) / 2
    means = rows.groupby(["site_id", "month"])[["tair", "cell_precip_mm_d"]].mean()
    published = read_sites(shared / "towers" / "sites.csv")["koeppen"].dropna()
    same, n = 0, 0
    for site, name in published.items():
        if site in means.index:
            found = koeppen_class(means.loc[site, "tair"], means.loc[site, "cell_precip_mm_d"])
            same, n = same + (str(found)[0] == name[0]), n + 1
    # 2001-2016 is warmer than the years of the map: 12 sites at 0 to 3 degC in the coldest month move from D to C.
    assert n == 122
    assert same / n > 0.75


TABLES = {
    "FluxDataKit": (
        "sitename,lon,lat,elv,year_start,year_end,koeppen_code,igbp_land_use,whc,product\n"
        "DE-Tha,13.5652,50.9624,385,1996,2020,Cfb,ENF,200,icos\n"
    ),
    "AmeriFlux": (
        "Site ID\tName\tVegetation Abbreviation (IGBP)\tClimate Class Abbreviation (Koeppen)\tLatitude (degrees)\t"
        "Longitude (degrees)\tElevation (m)\nDE-Tha\tTharandt\tENF\tCfb\t50.9624\t13.5652\t385\n"
    ),
    "ICOS": (
        "uri,id,name,country,lat,lon,elevation,siteType\n"
        "http://x/ES_DE-Tha,DE-Tha,Tharandt,DE,50.9624,13.5652,385,forest\n"
    ),
}


@pytest.mark.parametrize("producer", TABLES)
def test_tables_of_the_producers(tmp_path, producer):
    (tmp_path / "sites.csv").write_text(TABLES[producer])
    site = read_sites(tmp_path / "sites.csv").loc["DE-Tha"]
    assert site[["lat", "lon", "elev_m"]].tolist() == [50.9624, 13.5652, 385.0]
    if producer != "ICOS":
        assert site[["igbp", "koeppen"]].tolist() == ["ENF", "Cfb"]


SNAPSHOT = (
    "data_hub,site_id,site_name,location_lat,location_long,igbp,network,team_member_name,team_member_role,"
    "team_member_email,first_year,last_year,download_link,fluxnet_product_name,product_citation,product_id,"
    "oneflux_code_version,product_source_network\n"
)


def test_snapshot_of_the_fluxnet_shuttle(tmp_path):
    """Its columns, and a site with a row for each of two products."""
    row = '{0},US-Var,Vaira Ranch,38.4133,-120.9508,GRA,AmeriFlux,"A; B",PI,a@b.org,2000,{1},'
    row += 'https://x/y.zip,{0}_US-Var.zip,"C (2025), D",1,1.3,AMF\n'
    path = tmp_path / "fluxnet_shuttle_snapshot_20260624T095651.csv"
    path.write_text(SNAPSHOT + row.format("AMF", 2021) + row.format("FLX", 2014))
    sites = read_sites(path)
    assert sites.loc["US-Var", ["lat", "lon"]].tolist() == [38.4133, -120.9508]
    assert sites.loc["US-Var", "igbp"] == "GRA"
    path.write_text(SNAPSHOT + row.format("AMF", 2021) + row.format("FLX", 2014).replace("38.4133", "38.9"))
    with pytest.raises(TowerFormatError, match="expected one row per site, got US-Var again"):
        read_sites(path)
