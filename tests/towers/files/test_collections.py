"""Archives, folders and tables of many sites: every good record once, whatever lies beside it."""

import gzip
import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from gppcore import read_towers
from gppcore.errors import TowerFormatError
from gppcore.towers.files import read_fluxnet, read_records
from gppcore.towers.files.batch import read_files, tower_files

NAME = "FLX_{}_FLUXNET2015_FULLSET_{}_2003-2003_1-4.csv"


@pytest.fixture(scope="module")
def hours(kit):
    return kit.hours(kit.Made(years=1, minutes=60))


@pytest.fixture(scope="module")
def days(kit, hours):
    return kit.stamped(kit.longer(hours, "DD"), "DD").to_csv(index=False, na_rep="-9999").encode()


def archive(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return content.getvalue()


def sites_of(paths, **options):
    readings = read_files(tower_files(paths), n_processes=1, **options)
    assert not [fault for reading in readings for fault in reading.faults]
    return [months.site for reading in readings for months in reading.months]


def test_archive_holds_folders_archives_and_several_sites(days, tmp_path):
    first, second = NAME.format("DE-Mad", "DD"), NAME.format("DE-Oth", "DD")
    inner = archive({f"x/{second}": days, "x/FLX_AA-Flx_BIF_2003-2003.csv": b"A,B\n"})
    (tmp_path / "all.zip").write_bytes(archive({"a/b/": b"", f"a/b/{first}": days, "a/one.zip": inner}))
    assert sites_of([tmp_path]) == ["DE-Mad", "DE-Oth"]


def test_faulty_table_of_an_archive_leaves_the_others(days, tmp_path):
    first, second, third = (NAME.format(site, "DD") for site in ("DE-Mad", "DE-Oth", "DE-Thi"))
    (tmp_path / "all.zip").write_bytes(archive({first: b"", second: days, third: days[:5000]}))
    reading = read_files([tmp_path / "all.zip"], n_processes=1)[0]
    assert [months.site for months in reading.months] == ["DE-Oth"]
    assert ["empty file" in str(reading.faults[0]), "truncated" in str(reading.faults[1])] == [True, True]
    with pytest.raises(TowerFormatError, match="empty file"):
        read_records(tmp_path / "all.zip")


def test_folder_of_unpacked_archives_with_other_tables(days, tmp_path):
    for site in ("DE-Mad", "DE-Oth"):
        folder = tmp_path / f"FLX_{site}_FLUXNET2015_FULLSET_2003-2003_1-4" / "data"
        folder.mkdir(parents=True)
        (folder / NAME.format(site, "DD")).write_bytes(days)
        (folder / NAME.format(site, "MM")).write_bytes(days)
        (folder / f"FLX_{site}_FLUXNET2015_ERAI_DD_1989-2014_1-4.csv").write_text("A,B\n1,2\n")
    (tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_2003-2003_1-4.zip").write_bytes(
        archive({NAME.format("DE-Mad", "DD"): days})
    )
    (tmp_path / "sites.csv").write_text("site_id,lat,lon\nDE-Mad,51,13.5\n")
    (tmp_path / "lai.csv").write_text("site_id,month,lai\nDE-Mad,1,2\n")
    (tmp_path / "fluxnet_shuttle_snapshot_20260624T095651.csv").write_text("data_hub,site_id\nAMF,US-Var\n")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / NAME.format("DE-Mad", "DD")).write_bytes(b"\0")
    passed = []
    assert len(tower_files([tmp_path], passed=passed.append)) == 2  # DE-Mad is there packed and unpacked
    assert [path.name for path in passed] == ["lai.csv", "sites.csv"]


def test_years_in_files_of_their_own_are_all_read(hours, tmp_path):
    """La Thuile has a file for each year, whose names differ behind the first dot."""
    for year in (2003, 2004):
        table = pd.DataFrame({"Year": year, "DoY": hours.index.day_of_year, "Time": hours.index.hour + 1.0})
        table["GPP_f"] = hours["GPP_NT_VUT_REF"].to_numpy()
        table.to_csv(tmp_path / f"DE-Mad.{year}.synth.hourly.allvars.csv", index=False)
    assert sites_of([tmp_path]) == ["DE-Mad", "DE-Mad"]


@pytest.mark.parametrize("step", ["MM", "DD", "HR"])
@pytest.mark.parametrize("column", ["SITE_ID", "siteID", "sitename"])
@pytest.mark.parametrize("order", ["one below the other", "side by side"])
def test_table_of_many_sites_with_stamps_of_the_networks(kit, hours, tmp_path, step, column, order):
    part = kit.stamped(hours if step == "HR" else kit.longer(hours, step), step)
    table = pd.concat([part.assign(**{column: site}) for site in ("DE-Mad", "DE-Oth")])
    table = table.sort_index(kind="stable") if order == "side by side" else table
    table.reset_index(drop=True).drop(index=5).to_csv(tmp_path / "all.csv", index=False, na_rep="-9999")
    records = read_records(tmp_path / "all.csv")
    assert [(record.site, record.step) for record in records] == [("DE-Mad", step), ("DE-Oth", step)]
    assert len(records[0].table) + len(records[1].table) == 2 * len(part) - 1


def test_gzip_in_capital_letters(days, tmp_path):
    path = tmp_path / (NAME.format("DE-Mad", "DD") + ".GZ")
    path.write_bytes(gzip.compress(days))
    assert len(read_fluxnet(path).table) == 365


@pytest.fixture
def run(run):
    """Run the command line in this process; returns its output, all else being silent."""

    def call(*arguments):
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        return out

    return call


def test_site_in_several_files_is_imported_once(run, kit, hours, days, tmp_path):
    """Hours, which have weather, win over days; a later version adds the year that only it has."""
    kit.write(kit.stamped(hours, "HR"), tmp_path / NAME.format("DE-Mad", "HR"))
    (tmp_path / NAME.format("DE-Mad", "DD").replace("FULL", "SUB")).write_bytes(days)
    both = kit.longer(kit.hours(kit.Made(years=2, minutes=60)), "MM")
    kit.write(kit.stamped(both, "MM"), tmp_path / "AMF_DE-Mad_FLUXNET_SUBSET_MM_2003-2004_3-5.csv")
    (tmp_path / "sites.csv").write_text("site_id,lat,lon,igbp,utc_offset\nDE-Mad,51.0,13.5,DBF,1\n")
    pd.DataFrame({"site_id": "DE-Mad", "month": range(1, 13), "lai": 2.0}).to_csv(tmp_path / "lai.csv", index=False)
    tables = [tmp_path, "--sites", tmp_path / "sites.csv", "--lai", tmp_path / "lai.csv"]
    out = run("import", *tables, "--out", tmp_path / "towers")
    assert f"skip   {tmp_path / 'lai.csv'}: no column of GPP or NEE" in out
    assert "12 of 12 months left out" in out
    assert "12 of 24 months left out" in out
    months = pd.read_csv(tmp_path / "towers" / "gpp_monthly.csv")
    assert len(months) == 24
    assert not months.duplicated(["year", "month"]).any()
    assert len(read_towers(tmp_path / "towers").gpp) == 12  # the other year has no weather: it was filled
    wanted = hours["GPP_NT_VUT_REF"].resample("MS").mean().to_numpy() * 12.011e-6 * 86400
    np.testing.assert_allclose(months.loc[months["year"] == 2003, "gpp"], wanted, rtol=1e-3, atol=1e-3)
