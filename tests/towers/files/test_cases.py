"""Small files of towers that went wrong once; the note in each folder says what is right."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gppcore import read_fluxnet, read_sites, read_towers, write_tower_folder
from gppcore.errors import UnitsError
from gppcore.features.co2 import co2_monthly
from gppcore.process.simulate import simulate
from gppcore.towers.files import monthly_gpp, monthly_weather, read_lai
from gppcore.towers.files.months import site_months


@pytest.fixture(scope="module")
def case(shared, tmp_path_factory):
    """Return a copy of a case's folder, with the files that its `make.py` writes."""
    root = tmp_path_factory.mktemp("cases")

    def copy(number):
        found = sorted((shared / "cases" / "towers").glob(f"{number:02d}_*"))
        if not found:
            pytest.skip(f"no case {number} of towers in the reference data")
        shutil.copy(found[0].parent / "hh.py", root / "hh.py")
        folder = shutil.copytree(found[0], root / found[0].name, dirs_exist_ok=True)
        if (folder / "make.py").is_file():
            subprocess.run([sys.executable, "make.py"], cwd=folder, check=True)
        return folder

    return copy


def only(folder):
    """Return the tower file of a folder."""
    return next(path for path in folder.glob("*.csv") if path.name not in ("sites.csv", "lai.csv"))


@pytest.mark.parametrize(
    ("number", "reason", "months"),
    [
        (1, "too few good days; negative GPP", ["2015-11", "2015-12", "2016-01"]),
        (2, "negative GPP", ["2016-07", "2016-08", "2016-09"]),
    ],
)
def test_months_of_negative_gpp_are_left_out_and_the_rest_kept(case, number, reason, months):
    record = read_fluxnet(only(case(number)))
    table = monthly_gpp(record)
    assert len(table) == 24
    wrong = table[table["core"] == 0]
    assert [f"{y}-{m:02d}" for y, m in zip(wrong["year"], wrong["month"], strict=True)] == months
    assert set(wrong["reason"]) == {reason}
    assert any(f"3 of 24 months not core, {reason}" in note for note in site_months(record).notes)


def folder_of(case_folder, out):
    write_tower_folder(
        [read_fluxnet(only(case_folder))],
        read_sites(case_folder / "sites.csv"),
        out,
        lai=read_lai(case_folder / "lai.csv"),
    )
    return read_towers(out)


def test_column_without_values_gives_way_to_the_next(case, tmp_path):
    folder = case(4)
    record = read_fluxnet(only(folder))
    assert "P_F has no values: P is used, with 35088" in record.notes
    assert monthly_weather(record)["precip"].notna().all()
    assert len(folder_of(folder, tmp_path / "towers").gpp) == 24


def test_months_without_co2_take_that_of_the_record(case, tmp_path):
    folder = case(5)
    towers = folder_of(folder, tmp_path / "towers")
    co2 = co2_monthly(np.repeat([2015, 2016], 12), np.tile(np.arange(1, 13), 2))
    np.testing.assert_allclose(towers.forcing["ca"][:, 0], co2, atol=1e-4)
    assert len(towers.samples(simulate(towers.forcing)).gpp_daily) == 24
    assert any("CO2 missing in 24 of 24 months" in note for note in site_months(read_fluxnet(only(folder))).notes)


def test_gpp_by_day_only_says_that_nights_are_missing(case):
    months = site_months(read_fluxnet(only(case(8))))
    assert months.gpp.empty
    assert any("no month with GPP" in note and "nights are missing" in note for note in months.notes)


def test_month_without_the_same_hours_is_not_core(case):
    table = monthly_gpp(read_fluxnet(only(case(9))))
    assert len(table) == 24
    assert (table["core"] == 0).all()
    assert set(table["reason"]) == {"the same hours missing on most days"}


def test_hour_and_minute_are_read(case):
    record = read_fluxnet(only(case(11)))
    assert (record.step, len(record.table)) == ("HH", 144)
    assert record.table.index[1] == pd.Timestamp("2015-01-01 00:30")


def test_row_of_units_is_read(case):
    record = read_fluxnet(only(case(13)))
    assert record.table["tair"].tolist() == [1.2, 1.3, 1.1]


def test_names_of_reddyproc_are_read(case):
    table = read_fluxnet(only(case(14))).table
    assert {"gpp_nt", "tair", "sw", "vpd", "qc"} <= set(table)
    noon = table.loc["2015-01-01 12:00"]
    assert noon["gpp_nt"] == pytest.approx(8.0 * 12.011e-6 * 86400)
    assert (noon["tair"], noon["sw"], noon["vpd"], noon["qc"]) == (16.0, 320.0, 400.0, 1.0)


def test_monthly_totals_of_a_poor_site_are_no_daily_means(case):
    with pytest.raises(UnitsError, match="looks like g C m-2 month-1"):
        read_fluxnet(only(case(16)))
