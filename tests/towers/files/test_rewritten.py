"""Files of the networks that spreadsheets, R or Python wrote again mean the same."""

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import TowerFormatError, UnitsError
from gppcore.towers.files import monthly_gpp, monthly_weather, read_fluxnet
from gppcore.towers.files.batch import read_files

NAME = "FLX_DE-Mad_FLUXNET2015_FULLSET_{}_2003-2003_1-4.csv"


@pytest.fixture(scope="module")
def days(kit):
    """Days of the standard tower, of which some values are missing."""
    table = kit.longer(kit.hours(kit.Made(years=1, minutes=60)), "DD")
    lost = np.random.default_rng(1).random(table.shape) < 0.01
    return kit.stamped(table.mask(lost), "DD")


@pytest.fixture(scope="module")
def truth(kit, days, tmp_path_factory):
    """Months of these days as the network writes them."""
    return read_fluxnet(kit.write(days, tmp_path_factory.mktemp("truth") / NAME.format("DD")))


def csv(table, **options):
    return table.to_csv(**({"index": False, "na_rep": "-9999"} | options))


def dated(table, form):
    return table.assign(TIMESTAMP=pd.to_datetime(table["TIMESTAMP"]).dt.strftime(form))


WAYS = {
    "byte-order mark": lambda t: "\ufeff" + csv(t),
    "semicolons": lambda t: csv(t, sep=";"),
    "semicolons and decimal commas": lambda t: csv(t, sep=";", decimal=","),
    "tabs and decimal commas": lambda t: csv(t, sep="\t", decimal=","),
    "lines of Windows": lambda t: csv(t, lineterminator="\r\n"),
    "lines of an old Mac": lambda t: csv(t, lineterminator="\r"),
    "blanks behind commas": lambda t: csv(t).replace(",", ", "),
    "empty lines at the end": lambda t: csv(t) + "\n\n",
    "NaN": lambda t: csv(t, na_rep="NaN"),
    "NA, quotes and names of rows": lambda t: csv(t, na_rep="NA", quoting=2, index=True),
    "empty cells": lambda t: csv(t, na_rep=""),
    "stamps as numbers": lambda t: csv(t.assign(TIMESTAMP=t["TIMESTAMP"].astype(float))),
    "small letters": lambda t: csv(t.rename(columns=str.lower)),
    "dates of ISO 8601": lambda t: csv(dated(t, "%Y-%m-%d")),
    "dates of a spreadsheet": lambda t: csv(dated(t, "%d/%m/%Y")),
}


@pytest.mark.parametrize("way", WAYS)
def test_same_months_come_back(days, truth, tmp_path, way):
    path = tmp_path / NAME.format("DD")
    path.write_bytes(WAYS[way](days).encode())
    record = read_fluxnet(path)
    pd.testing.assert_frame_equal(record.table, truth.table, check_freq=False, check_names=False)
    pd.testing.assert_frame_equal(monthly_gpp(record), monthly_gpp(truth))
    pd.testing.assert_frame_equal(monthly_weather(record), monthly_weather(truth))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("n", [90, 400])
def test_units_and_remarks_in_the_encoding_of_windows(tmp_path, encoding, n):
    """Means of days in umol, by the sign of micro, and a remark far below."""
    days = pd.date_range("2003-01-01", periods=n)
    rows = [f"{day:%Y-%m-%d},{i % 11},{2 + i % 5}," + ("trüb" if i == n - 5 else "") for i, day in enumerate(days)]
    text = "time,tair,gpp,remark\n-,°C,µmol m-2 s-1,-\n" + "\n".join(rows) + "\n"
    (tmp_path / "DE-Mad.csv").write_bytes(text.encode(encoding))
    table = read_fluxnet(tmp_path / "DE-Mad.csv").table
    np.testing.assert_allclose(table["gpp"].iloc[0], 2 * 12.011e-6 * 86400, rtol=1e-3)
    assert len(table) == n


@pytest.mark.parametrize("name", ["flx_de-mad_fluxnet2015_fullset_dd_2003-2003_1-4.csv", "DE-Mad.CSV"])
def test_names_of_files_in_other_case(kit, days, truth, tmp_path, name):
    record = read_fluxnet(kit.write(days, tmp_path / name))
    assert record.site == "DE-Mad"
    pd.testing.assert_frame_equal(record.table, truth.table)


def test_names_that_mean_two_units_keep_their_case(tmp_path):
    """VPD is in hPa and vpd in Pa; Vpd is neither."""
    table = pd.DataFrame({"time": pd.date_range("2003-01-01", periods=90), "tair": np.arange(90.0) % 13, "gpp": 2.0})
    table["gpp"] += np.arange(90) % 5
    for name in ("VPD", "vpd", "Vpd"):
        table.assign(**{name: 3.0 + np.arange(90) % 4 if name != "vpd" else 300.0 + np.arange(90) % 4}).to_csv(
            tmp_path / "a.csv", index=False
        )
        found = read_fluxnet(tmp_path / "a.csv").table
        assert ("vpd_mean" in found, "vpd" in found) == (name == "VPD", name == "vpd")


def test_decimal_commas_between_commas_and_faults_of_a_spreadsheet_are_refused(days, tmp_path):
    path = tmp_path / NAME.format("DD")
    for text, message in (
        (csv(days).replace(".", ","), "decimal commas"),
        (csv(days, na_rep="#DIV/0!"), "expected a number, got '#DIV/0!'"),
        (csv(days.assign(TIMESTAMP="2.00301E+07")), "expected a time like"),
        (csv(days, na_rep="-6999"), "expected -9999 for missing values, got -6999"),
    ):
        path.write_text(text)
        with pytest.raises(TowerFormatError, match=message):
            read_fluxnet(path)


def test_all_faulty_columns_of_a_file_are_told(kit, days, tmp_path):
    wrong = days.assign(TA_F=days["TA_F"] + 273.15, VPD_F=days["VPD_F"] * 100.0, P_F=days["P_F"] / 1000.0)
    path = kit.write(wrong, tmp_path / NAME.format("DD"))
    faults = read_files([path], n_processes=1)[0].faults
    assert [type(fault) for fault in faults] == [UnitsError] * 3
    for fault, column in zip(faults, ("TA_F", "VPD_F", "P_F"), strict=True):
        assert f"{column}: expected" in str(fault)


def test_all_frozen_sensors_are_told_with_the_way_on(kit, days, tmp_path):
    frozen = days.copy()
    frozen.loc[frozen.index[30:60], "TA_F"] = 7.3
    frozen.loc[frozen.index[200:230], "SW_IN_F"] = 81.0
    path = kit.write(frozen, tmp_path / NAME.format("DD"))
    faults = [str(fault) for fault in read_files([path], n_processes=1)[0].faults]
    assert len(faults) == 2
    assert "--drop DE-Mad:2003-01-31..2003-03-01" in faults[0]
    assert "SW_IN_F" in faults[1]


def test_quantiles_of_months_whose_gpp_failed_do_not_speak_against_the_file(kit, days, tmp_path):
    """The sign of bad months turns the order of quantiles too."""
    turned = days.copy()
    bad = turned["TIMESTAMP"].str[4:6].isin(["07", "08", "09"])
    columns = [c for c in turned if c.startswith("GPP_NT")]
    turned.loc[bad, columns] *= -1.0
    months = monthly_gpp(read_fluxnet(kit.write(turned, tmp_path / NAME.format("DD"))))
    assert months.loc[months["core"] == 0, "month"].tolist() == [7, 8, 9]
