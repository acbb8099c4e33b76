import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore import read_towers


@pytest.fixture
def files(kit, half_hours, tmp_path):
    """Write a good file, a faulty one, and the metadata and leaf area of the site."""
    good = tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_HH_2003-2004_1-4.csv"
    kit.write(kit.stamped(half_hours, "HH"), good)
    bad = tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_MM_2003-2004_1-4.csv"
    months = kit.longer(half_hours, "MM")
    kit.write(kit.stamped(months.assign(TA_F=months["TA_F"] + 273.15), "MM"), bad)
    (tmp_path / "sites.csv").write_text("site_id,lat,lon,igbp,utc_offset\nDE-Mad,51.0,13.5,GRA,1\n")
    (tmp_path / "more.csv").write_text("site_id,c4_percent,elev_m\nDE-Mad,0,300\n")
    pd.DataFrame({"site_id": "DE-Mad", "month": range(1, 13), "lai": 2.0}).to_csv(tmp_path / "lai.csv", index=False)
    return good, bad, tmp_path


def test_check_says_a_line_of_each_file_and_a_table_of_sites(run, files):
    good, bad, folder = files
    arguments = ("--sites", folder / "sites.csv", "--report", folder / "report.csv")
    code, out, _ = run("check", good, bad, folder / "none.csv", *arguments)
    assert code == 1
    first, second, third, *table = out.splitlines()
    assert first == f"ok     {good}: DE-Mad, fluxnet HH, 2003-01 to 2004-12, 24 months with GPP, 24 core"
    assert second.startswith(f"FAULT  UnitsError: {bad}: TA_F: expected degC")
    assert third.startswith("FAULT  MissingFileError")
    assert "small  mid  full" in table[2]
    assert table[3].split()[:7] == ["DE-Mad", "2003-01", "2004-12", "24", "24", "24", "0"]
    report = pd.read_csv(folder / "report.csv")
    assert report["core"].tolist()[:1] == [24]
    assert report["fault"].notna().tolist() == [False, True, True]
    assert run("check", good)[0] == 0


def test_import_keeps_good_files_and_says_what_it_left_out(run, files):
    good, bad, folder = files
    sites = ("--sites", folder / "sites.csv", "--sites", folder / "more.csv", "--lai", folder / "lai.csv")
    code, out, _ = run("import", good, *sites, "--out", folder / "towers")
    assert code == 0
    assert out.splitlines()[-1] == f"Towers  {folder / 'towers'}: 1 sites"
    assert len(read_towers(folder / "towers").gpp) == 24
    code, out, _ = run("import", good, bad, *sites, "--out", folder / "other")
    assert code == 0
    assert "FAULT  UnitsError" in out
    assert out.splitlines()[-1].endswith("1 sites; 1 faults, see import_report.csv")
    assert len(read_towers(folder / "other").gpp) == 24
    assert pd.read_csv(folder / "other" / "import_report.csv")["fault"].notna().sum() == 1
    code, _, err = run("import", good, bad, *sites, "--out", folder / "strict", "--strict")
    assert code == 1
    assert "expected files without faults, got 1 in 2 files" in err
    assert not (folder / "strict").exists()


def test_import_of_faults_alone_writes_nothing(run, files):
    _, bad, folder = files
    code, _, err = run("import", bad, "--sites", folder / "sites.csv", "--out", folder / "towers")
    assert code == 1
    assert "expected files without faults" in err
    assert not (folder / "towers").exists()


def test_site_that_cannot_stand_in_a_folder_costs_itself_alone(run, files, kit, half_hours):
    good, _, folder = files
    kit.write(kit.stamped(half_hours, "HH"), folder / "FLX_DE-Oth_FLUXNET2015_FULLSET_HH_2003-2004_1-4.csv")
    with (folder / "sites.csv").open("a") as file:
        file.write("DE-Oth,51.0,13.5,DBF,1\n")
    sites = ("--sites", folder / "sites.csv", "--sites", folder / "more.csv", "--lai", folder / "lai.csv")
    code, out, _ = run("import", good, folder / "FLX_DE-Oth*.csv", *sites, "--out", folder / "towers")
    assert code == 0
    assert "FAULT  TowerFormatError: lai: expected LAI by month, got none at DE-Oth" in out
    assert read_towers(folder / "towers").sites.index.tolist() == ["DE-Mad"]


def test_frozen_sensor_of_one_site_leaves_the_others_of_its_table(run, tmp_path):
    months = pd.MultiIndex.from_product([range(2001, 2004), range(1, 13)], names=["year", "month"]).to_frame(
        index=False
    )
    season = 4.0 - 3.5 * np.cos(2 * np.pi * (months["month"] - 0.5) / 12)
    parts = [months.assign(site_id=f"S{i:02d}", gpp=season * (1 + i / 50) + months["year"] / 1e4) for i in range(20)]
    parts[7].loc[10:20, "gpp"] = 2.5
    pd.concat(parts).to_csv(tmp_path / "many.csv", index=False)
    code, out, _ = run("check", tmp_path / "many.csv")
    assert code == 1
    assert "19 sites, plain MM" in out
    assert "S07: gpp: expected changing values, got 2.5" in out
    assert "--drop S07:2001-11-01..2002-09-01" in out
    code, out, _ = run("check", tmp_path / "many.csv", "--drop", "S07:2001-11..2002-09")
    assert code == 0
    assert "11 steps of S07 left out as asked" in out


def test_folder_without_tables_and_period_that_is_none_are_refused(run, tmp_path):
    (tmp_path / "notes.md").write_text("x")
    assert "expected tables" in run("check", tmp_path)[2]
    assert "expected files like" in run("check", tmp_path / "*.csv")[2]
    for drop in ("US-CRT", "US-CRT:2013-13", "US-CRT:2013-09..2013-07", "US-CRT:July"):
        code, _, err = run("check", tmp_path / "a.csv", "--drop", drop)
        assert code == 1
        assert "expected SITE:FIRST..LAST like US-CRT:2013-07..2013-09" in err


def test_sampled_weather_serves_files_of_days(run, kit, half_hours, tmp_path):
    """A CF file is sampled at the towers, and daily files take their weather and leaf area from it."""
    time = pd.date_range("2003-01-01", periods=24, freq="MS")
    lat, lon = np.arange(49.0, 54.0), np.arange(11.0, 17.0)
    season = -np.cos(2 * np.pi * (np.arange(24) + 0.5) / 12)
    fields = {"tmin": 4 + 9 * season, "tmax": 14 + 11 * season, "sw": 130 + 80 * season, "vpd": 700 + 300 * season}
    fields |= {"precip": 2 + 0.5 * season, "lai": 2.5 + 1.5 * season}
    units = {"tmin": "degC", "tmax": "degC", "sw": "W m-2", "vpd": "Pa", "precip": "mm d-1", "lai": "m2 m-2"}
    data = {
        name: (("time", "lat", "lon"), np.broadcast_to(v[:, None, None], (24, 5, 6)).copy(), {"units": units[name]})
        for name, v in fields.items()
    }
    xr.Dataset(data, {"time": time, "lat": lat, "lon": lon}).to_netcdf(tmp_path / "grid.nc", engine="h5netcdf")
    days = kit.write(
        kit.stamped(kit.longer(half_hours, "DD"), "DD"),
        tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_DD_2003-2004_1-4.csv",
    )
    (tmp_path / "sites.csv").write_text("site_id,lat,lon,igbp,elev_m\nDE-Mad,51.0,13.5,DBF,300\n")
    sites = ("--sites", tmp_path / "sites.csv")
    code, out, err = run("sample", tmp_path / "grid.nc", *sites, "--out", tmp_path / "grid")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"Sample  {tmp_path / 'grid'}: 1 sites"
    weather = ("--weather", tmp_path / "grid" / "weather.csv")
    code, out, err = run("import", days, *sites, *weather, "--out", tmp_path / "towers")
    assert (code, err) == (0, "")
    towers = read_towers(tmp_path / "towers")
    assert len(towers.gpp) == 24
    np.testing.assert_allclose(towers.forcing["lai"][:, 0], fields["lai"], atol=1e-4)
    np.testing.assert_allclose(towers.forcing["sw"][:, 0], fields["sw"], atol=0.1)


def test_world_gives_leaf_area_and_c4_of_a_meadow(run, files, tmp_path):
    good, _, folder = files
    code, _, err = run("sample", "world", "--sites", folder / "sites.csv", "--out", tmp_path / "world")
    assert (code, err) == (0, "")
    weather = pd.read_csv(tmp_path / "world" / "weather.csv")
    assert weather["month"].tolist() == list(range(1, 13))
    assert "ca" not in weather
    assert weather["lai"].between(0.0, 10.0).all()
    sites = ("--sites", folder / "sites.csv", "--sites", tmp_path / "world" / "sites.csv")
    code, _, err = run(
        "import", good, *sites, "--lai", tmp_path / "world" / "weather.csv", "--out", tmp_path / "towers"
    )
    assert (code, err) == (0, "")
    towers = read_towers(tmp_path / "towers")
    assert len(towers.gpp) == 24
    np.testing.assert_allclose(towers.forcing["lai"][:12, 0], weather["lai"], atol=1e-4)


def test_wrong_position_of_one_site_leaves_the_others_of_the_table(run, files):
    good, _, folder = files
    with (folder / "sites.csv").open("a") as file:
        file.write("US-Oth,51.0,13.5,DBF,1\nFR-Non,,,DBF,1\n")
    assert run("check", good, "--sites", folder / "sites.csv")[0] == 0
    months = pd.DataFrame({"site_id": "US-Oth", "year": 2003, "month": range(1, 13)})
    months["gpp"] = 3.0 - 2.0 * np.cos(months["month"] / 2)
    months.to_csv(folder / "other.csv", index=False)
    code, out, _ = run("check", good, folder / "other.csv", "--sites", folder / "sites.csv")
    assert code == 1
    assert "FAULT  TowerFormatError: sites: US-Oth: expected" in out
    assert "ok     " in out
