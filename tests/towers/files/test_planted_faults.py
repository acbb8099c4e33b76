"""Faults planted in good files are caught, each by an error that names the file and tells what was expected and got."""

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest

from gppcore import read_towers
from gppcore.errors import TowerFormatError, UnitsError
from gppcore.towers.files import read_fluxnet

SITE = "DE-Mad"
NAME = f"FLX_{SITE}_FLUXNET2015_FULLSET_{{}}_2003-2003_1-4.csv"
GPP = [f"GPP_{kind}_VUT_{what}" for kind in ("NT", "DT") for what in ("REF", "05", "25", "75", "95")]
PLACE = {"lat": 51.0, "lon": 13.5, "utc_offset": 1.0}


def scaled(columns, scale, offset=0.0):
    columns = [columns] if isinstance(columns, str) else columns
    return lambda t: t.assign(**{c: t[c] * scale + offset for c in columns if c in t})


def cells(column, rows, value):
    """Set some cells; text makes a column of text."""

    def change(table):
        values = table[column].astype(object if isinstance(value, str) else float)
        values.iloc[rows] = value
        return table.assign(**{column: values})

    return change


def rolled(columns, steps, when=slice(None)):
    """Move columns to later rows, all round the year."""

    def change(table):
        out = table.copy()
        for column in columns:
            moved = np.roll(table[column].to_numpy(), steps)
            out.iloc[when, out.columns.get_loc(column)] = moved[when]
        return out

    return change


def swapped(a, b):
    return lambda t: t.rename(columns={a: b, b: a})


SUMMER = slice(85 * 24, 300 * 24)
CARBON = 12.011e-6 * 3600  # g C m-2 h-1 in umol m-2 s-1
WEATHER = ["SW_IN_F", "SW_IN_POT", "TA_F", "VPD_F"]

# step, change, error, part of the message
VALUES = {
    "vpd in Pa": ("HR", scaled("VPD_F", 100), UnitsError, "VPD_F: expected hPa, .*looks like Pa"),
    "vpd in kPa": ("HR", scaled("VPD_F", 0.1), UnitsError, "VPD_F: expected hPa, .*looks like kPa"),
    "daily vpd in Pa": ("DD", scaled("VPD_F", 100), UnitsError, "looks like Pa"),
    "monthly vpd in kPa": ("MM", scaled("VPD_F", 0.1), UnitsError, "looks like kPa"),
    "vpd in kPa without temperature": (
        "HR",
        lambda t: t.drop(columns="TA_F").assign(VPD_F=t["VPD_F"] / 10),
        UnitsError,
        "looks like kPa",
    ),
    "temperature in K": ("HR", scaled("TA_F", 1, 273.15), UnitsError, "TA_F: expected degC, .*looks like K"),
    "weekly temperature in K": ("WW", scaled("TA_F", 1, 273.15), UnitsError, "looks like K"),
    "monthly temperature in K": ("MM", scaled("TA_F", 1, 273.15), UnitsError, "looks like K"),
    "temperature in degF": ("HR", scaled("TA_F", 1.8, 32), UnitsError, "looks like degF"),
    "temperature in K from summer on": (
        "HR",
        lambda t: t.assign(TA_F=t["TA_F"] + np.where(np.arange(len(t)) < 5000, 0, 273.15)),
        TowerFormatError,
        "line 5002: TA_F: expected -90 to 65",
    ),
    "daily light in MJ": ("DD", scaled("SW_IN_F", 0.0864), UnitsError, "SW_IN_F: expected W m-2, .*MJ m-2 d-1"),
    "monthly light in MJ": ("MM", scaled("SW_IN_F", 0.0864), UnitsError, "MJ m-2 d-1"),
    "hourly light in MJ": ("HR", scaled("SW_IN_F", 0.0036), UnitsError, "MJ m-2 h-1"),
    "hourly light in kJ": ("HR", scaled("SW_IN_F", 3.6), UnitsError, "kJ m-2 h-1"),
    "light in photons": ("HR", scaled("SW_IN_F", 2.04), UnitsError, "photons"),
    "daily light in MJ without potential": (
        "DD",
        lambda t: t.drop(columns="SW_IN_POT").assign(SW_IN_F=t["SW_IN_F"] * 0.0864),
        UnitsError,
        "MJ m-2 d-1",
    ),
    "hourly gpp in g C": ("HR", scaled(GPP, CARBON), UnitsError, "GPP_NT_VUT_REF: .*looks like g C m-2 h-1"),
    "half-hourly gpp in g C": ("HH", scaled(GPP, CARBON / 2), UnitsError, r"looks like g C m-2 \(30 min\)-1"),
    "one gpp in g C": ("HR", scaled("GPP_DT_VUT_REF", CARBON), UnitsError, "GPP_DT_VUT_REF: .*looks like g C m-2 h-1"),
    "all carbon in g C": ("HR", scaled([*GPP, "NEE_VUT_REF"], CARBON), UnitsError, "looks like g C m-2 h-1"),
    "monthly totals of gpp": ("MM", scaled(GPP, 30.4), UnitsError, "looks like g C m-2 month-1"),
    "gpp in kg m-2 s-1": ("DD", scaled(GPP, 1 / 8.64e7), UnitsError, "looks like kg C m-2 s-1"),
    "gpp in nmol": ("HR", scaled(GPP, 1000), UnitsError, "looks like .*nmol"),
    "pressure in hPa": ("HR", scaled("PA_F", 10), UnitsError, "PA_F: expected kPa, .*looks like hPa"),
    "pressure in Pa": ("DD", scaled("PA_F", 1000), UnitsError, "PA_F: expected kPa, .*looks like Pa"),
    "rain in m": ("HR", scaled("P_F", 0.001), UnitsError, r"P_F: expected mm h-1, .*looks like m h-1"),
    "daily rain in m": ("DD", scaled("P_F", 0.001), UnitsError, "looks like m d-1"),
    "hourly rain as a daily rate": ("HR", scaled("P_F", 24), UnitsError, "looks like mm d-1"),
    "monthly totals of rain": ("MM", scaled("P_F", 30.4), UnitsError, "looks like mm month-1"),
    "rain in kg m-2 s-1": ("DD", scaled("P_F", 1 / 86400), UnitsError, "looks like .*kg m-2 s-1"),
    "co2 in ppb": ("HR", scaled("CO2_F_MDS", 1000), UnitsError, r"CO2_F_MDS: expected umol mol-1, .*ppb"),
    "relative humidity as a share": (
        "HR",
        lambda t: t.assign(RH=0.5 + 0.3 * np.sin(np.arange(len(t)) / 4.0)),
        UnitsError,
        "RH: expected %, .*looks like 1",
    ),
    "weekly totals of gpp": ("WW", scaled([*GPP, "NEE_VUT_REF"], 7.0), UnitsError, "expected g C m-2 d-1"),
    "co2 in mol mol-1": ("MM", scaled("CO2_F_MDS", 1e-6), UnitsError, "looks like mol mol-1"),
    "temperature and deficit swapped": ("HR", swapped("TA_F", "VPD_F"), TowerFormatError, "VPD_F: .*columns swapped"),
    "monthly temperature and deficit swapped": ("MM", swapped("TA_F", "VPD_F"), TowerFormatError, "swapped"),
    "temperature and pressure swapped": ("HR", swapped("TA_F", "PA_F"), TowerFormatError, "TA_F: expected -90 to 65"),
    "light and its potential swapped": ("HR", swapped("SW_IN_F", "SW_IN_POT"), UnitsError, "SW_IN_F: expected W m-2"),
    "spike of temperature": ("HR", cells("TA_F", 4000, 85.0), TowerFormatError, "line 4002: TA_F: .*got 85"),
    "spike of deficit": ("DD", cells("VPD_F", 200, 500.0), TowerFormatError, "line 202: VPD_F"),
    "infinity": ("HR", cells("GPP_NT_VUT_REF", 7, np.inf), TowerFormatError, "line 9: GPP_NT_VUT_REF: .*infinity"),
    "flag out of range": ("HR", cells("NEE_VUT_REF_QC", 70, 7.0), TowerFormatError, "line 72: NEE_VUT_REF_QC"),
    "flag between flags": ("HR", cells("NEE_VUT_REF_QC", 70, 0.5), TowerFormatError, "flags 0, 1, 2 or 3, got 0.5"),
    "share of flags in percent": ("DD", scaled("NEE_VUT_REF_QC", 100), TowerFormatError, "QC: expected 0 to 1"),
    "-6999": ("HR", cells("GPP_NT_VUT_REF", 9, -6999.0), TowerFormatError, "line 11: .*-9999 for missing.*-6999"),
    "-999.9": ("DD", cells("TA_F", slice(9, 12), -999.9), TowerFormatError, "line 11: TA_F: .*-999.9"),
    "word in place of a number": (
        "HR",
        cells("TA_F", 30, "bad"),
        TowerFormatError,
        "line 32, TA_F: .*number, got 'bad'",
    ),
    "fault of a spreadsheet": (
        "MM",
        cells("GPP_NT_VUT_REF", 3, "#DIV/0!"),
        TowerFormatError,
        "line 5, GPP_NT.*#DIV/0!",
    ),
    "decimal comma in quotes": ("DD", cells("TA_F", 3, "7,25"), TowerFormatError, "line 5, TA_F.*decimal comma"),
    "stuck temperature": ("HR", cells("TA_F", slice(500, 740), 7.31), TowerFormatError, "TA_F: .*7.31 for 240 steps"),
    "stuck light": ("HR", cells("SW_IN_F", slice(500, 740), 31.0), TowerFormatError, "SW_IN_F: .*31 for 240 steps"),
    "stuck daily gpp": ("DD", cells("GPP_NT_VUT_REF", slice(90, 120), 2.5), TowerFormatError, "2.5 for 30 steps"),
    "stuck monthly deficit": ("MM", cells("VPD_F", slice(2, 8), 4.5), TowerFormatError, "VPD_F: .*for 6 steps"),
    "gpp of the other sign": ("HR", scaled(GPP[:5], -1), TowerFormatError, "GPP_NT_VUT_REF: .*sign of NEE"),
    "monthly gpp of the other sign": ("MM", scaled("GPP_DT_VUT_REF", -1), TowerFormatError, "GPP_DT.*sign of NEE"),
    "exchange in place of gpp": (
        "DD",
        lambda t: t.assign(GPP_DT_VUT_REF=t["NEE_VUT_REF"]),
        TowerFormatError,
        r"GPP_DT_VUT_REF: .*positive GPP|values of net exchange",
    ),
    "uptake in place of gpp": (
        "HR",
        lambda t: t.assign(GPP_NT_VUT_REF=-t["NEE_VUT_REF"]),
        TowerFormatError,
        "GPP_NT_VUT_REF: expected GPP, got the values of net exchange",
    ),
    "quantiles crossed": ("HR", swapped("GPP_NT_VUT_05", "GPP_NT_VUT_95"), TowerFormatError, "got them crossed"),
    "no gpp": (
        "HR",
        lambda t: t.drop(columns=[c for c in GPP if c in t]),
        TowerFormatError,
        "expected a column of GPP",
    ),
    "gpp missing throughout": (
        "DD",
        lambda t: t.drop(columns=[c for c in GPP if c in t]).assign(GPP_NT_VUT_REF=np.nan),
        TowerFormatError,
        "values of GPP, got none",
    ),
    "light an hour late": ("HR", rolled(["SW_IN_F"], 1), TowerFormatError, r"about the sun's, got \+0?1.0 h in 2003"),
    "light in the time of New York": ("HR", rolled(["SW_IN_F"], -6), TowerFormatError, r"got -6.0 h"),
    "light of the night": ("HR", rolled(["SW_IN_F"], 12), TowerFormatError, r"got [+-]1[12]\.\d h"),
    "summer time": ("HR", rolled(["SW_IN_F"], 1, SUMMER), TowerFormatError, "summer time"),
    "half-hours two hours early": ("HH", rolled(["SW_IN_F"], -4), TowerFormatError, "got -2.0 h"),
    "light too strong": ("HR", scaled("SW_IN_F", 1.6), TowerFormatError, "below the light at the top"),
    "daily light too strong": ("DD", scaled("SW_IN_F", 1.5), TowerFormatError, "below the light at the top"),
    "lamp at night": (
        "HR",
        lambda t: t.assign(SW_IN_F=t["SW_IN_F"] + np.where(t["SW_IN_POT"] > 0, 0.0, 45.0)),
        TowerFormatError,
        "expected darkness",
    ),
}


@pytest.fixture(scope="module")
def good(kit):
    """One year of the standard tower at every step."""
    hours = kit.hours(kit.Made(years=1, minutes=60))
    tables = {step: kit.longer(hours, step) for step in ("DD", "WW", "MM")}
    return {"HR": hours, "HH": kit.hours(kit.Made(years=1)), **tables}


@pytest.mark.parametrize("fault", VALUES)
def test_value_that_cannot_be(kit, good, tmp_path, fault):
    step, change, error, message = VALUES[fault]
    path = kit.write(kit.stamped(change(good[step]), step), tmp_path / NAME.format(step))
    with pytest.raises(error, match=message) as caught:
        read_fluxnet(path)
    assert str(path) in str(caught.value)
    assert "expected" in str(caught.value)


# lat, lon, hours ahead of UTC, mean, half the range of the year and of the day, rain, dryness, leaves; what is missed
CLIMATES = {
    "Amazon": ((-3.0, -60.2, -4.0, 26.5, 1.0, 4.0, 6.5, 1.0, 35.0), set()),
    "desert": (
        (31.8, -110.9, -7.0, 18.0, 9.0, 8.0, 0.8, 2.5, 6.0),
        {
            "vpd in kPa without temperature",
            "temperature and deficit swapped",
            "monthly temperature and deficit swapped",
            "weekly totals of gpp",  # seven times 0.8 g C m-2 d-1 is a rate of many places
        },
    ),
    "Svalbard": (
        (78.2, 15.9, 1.0, -4.0, 10.0, 1.5, 0.5, 1.0, 2.5),
        {"weekly totals of gpp", "monthly totals of gpp", "hourly rain as a daily rate", "monthly totals of rain"},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("climate", CLIMATES)
def test_faults_in_other_climates(kit, tmp_path, climate):
    """Few faults hide in extreme climates; these are known."""
    numbers, known = CLIMATES[climate]
    hours = kit.hours(kit.Made(SITE, *numbers, years=1, minutes=60, seed=7))
    tables = {"HR": hours, **{step: kit.longer(hours, step) for step in ("DD", "WW", "MM")}}
    missed = set()
    for fault, (step, change, _, _) in VALUES.items():
        if step == "HH":
            continue
        path = kit.write(kit.stamped(change(tables[step]), step), tmp_path / NAME.format(step))
        try:
            read_fluxnet(path)
            missed.add(fault)
        except (TowerFormatError, UnitsError):
            pass
    assert missed <= known


def row_again(table):
    return pd.concat([table.iloc[:50], table.iloc[49:]])


def exchanged(table):
    order = np.arange(len(table))
    order[[20, 40]] = order[[40, 20]]
    return table.iloc[order]


def later(column, row, text):
    return lambda t: t.assign(**{column: np.where(np.arange(len(t)) == row, text, t[column])})


# step, change of the stamped table, name of the file or None, part of the message
STAMPS = {
    "duplicate row": ("HR", row_again, None, "line 52: .*the same time again"),
    "duplicate day": ("DD", row_again, None, "line 52: .*the same time again"),
    "shuffled rows": ("HR", exchanged, None, "line 22: .*20 missing steps|out of order"),
    "shuffled months": ("MM", lambda t: t.sample(frac=1.0, random_state=3), None, "expected times that rise"),
    "newest first": ("DD", lambda t: t.iloc[::-1], None, "out of order"),
    "missing hours": ("HR", lambda t: t.drop(t.index[60:63]), None, "line 62: .*3 missing steps"),
    "missing day": ("DD", lambda t: t.drop(t.index[60]), None, "1 missing steps"),
    "missing month": ("MM", lambda t: t.drop(t.index[6]), None, "1 missing steps"),
    "missing week": ("WW", lambda t: t.drop(t.index[6]), None, "1 missing steps"),
    "spring hour of summer time": ("HR", lambda t: t.drop(t.index[2114]), None, "1 missing steps"),
    "overlapping steps": (
        "HR",
        lambda t: pd.concat([t.iloc[:9], t.iloc[9:].pipe(moved, 30)]),
        None,
        "line 11: .*0.5 missing steps|an overlap",
    ),
    "step ends late": ("HR", later("TIMESTAMP_END", 7, "200301010900"), None, "line 9: .*steps of 60 min, got 120"),
    "stamp of a spreadsheet": ("HR", later("TIMESTAMP_START", 7, "2.00301E+11"), None, "line 9, TIMESTAMP_START"),
    "month 13": ("MM", later("TIMESTAMP", 4, "200313"), None, "line 6, TIMESTAMP: .*'200313'"),
    "31 February": ("DD", later("TIMESTAMP", 40, "20030231"), None, "line 42, TIMESTAMP: .*'20030231'"),
    "dashes in a stamp": ("DD", later("TIMESTAMP", 3, "2003-01-04"), None, "expected a time like"),
    "hours under the name of half-hours": ("HR", lambda t: t, NAME.format("HH"), "steps of HH as in its name, got HR"),
    "days under the name of months": ("DD", lambda t: t, NAME.format("MM"), "steps of MM as in its name, got DD"),
    "years under the name of days": (
        "DD",
        lambda t: t.iloc[:1].assign(TIMESTAMP="2003"),
        NAME.format("DD"),
        "got years",
    ),
    "other years than in the name": ("DD", lambda t: t, NAME.format("DD").replace("2003-2003", "2004-2006"), "years"),
    "end is missing": ("HR", lambda t: t.iloc[:8000], None, "whole years as in its name"),
    "no site in the name": ("DD", lambda t: t, "FULLSET_DD_2003-2003.csv", "one site .* got none"),
    "two sites in rows": ("DD", lambda t: t.assign(SITE_ID=["DE-Mad"] * 99 + ["DE-Tha"] * 266), None, "got several"),
    "other site in rows": ("DD", lambda t: t.assign(SITE_ID="DE-Tha"), None, r"got several: \['DE-Mad', 'DE-Tha'\]"),
}


def moved(table, minutes):
    time = pd.to_datetime(table["TIMESTAMP_START"], format="%Y%m%d%H%M")
    return table.assign(
        TIMESTAMP_START=(time + pd.Timedelta(minutes=minutes)).dt.strftime("%Y%m%d%H%M"),
        TIMESTAMP_END=(time + pd.Timedelta(minutes=minutes + 60)).dt.strftime("%Y%m%d%H%M"),
    )


@pytest.mark.parametrize("fault", STAMPS)
def test_time_or_name_that_cannot_be(kit, good, tmp_path, fault):
    step, change, name, message = STAMPS[fault]
    path = kit.write(change(kit.stamped(good[step], step)), tmp_path / (name or NAME.format(step)))
    with pytest.raises(TowerFormatError, match=message) as caught:
        read_fluxnet(path)
    assert str(path) in str(caught.value)


def third_line(change):
    def apply(text):
        lines = text.split("\n")
        lines[2] = change(lines[2])
        return "\n".join(lines).encode()

    return apply


BYTES = {
    "empty": (lambda t: b"", "an empty file"),
    "blank lines": (lambda t: b"\n\n \n", "an empty file"),
    "header alone": (lambda t: t.split("\n")[0].encode(), "rows below the header, got none"),
    "cut in a row": (lambda t: t[: len(t) * 2 // 3].rpartition(",")[0].encode(), "truncated"),
    "page of a login": (lambda t: b"<!DOCTYPE html>\n<html><body>Please, log in</body></html>", "HTML"),
    "bars": (lambda t: t.replace(",", "|").encode(), r"parted by commas, got '\|'"),
    "spaces": (lambda t: t.replace(",", " ").encode(), "parted by commas, got ' '"),
    "decimal commas": (lambda t: t.replace(".", ",").encode(), "decimal commas"),
    "UTF-16": (lambda t: t.encode("utf-16"), "UTF-16"),
    "zero bytes": (lambda t: t.encode() + b"\0" * 40, "binary data"),
    "header twice": (lambda t: (t + t).encode(), "the header again"),
    "field too many": (third_line(lambda line: line + ",7"), "line 3: expected 18 fields, got 19"),
    "field too few": (third_line(lambda line: line.rpartition(",")[0]), "line 3: expected 18 fields, got 17"),
    "column twice": (lambda t: t.replace("VPD_F", "TA_F", 1).encode(), r"each column once, got \['TA_F'\]"),
    "unclosed quote": (third_line(lambda line: line.replace(",", ',"', 1)), "expected"),
}


@pytest.mark.parametrize("fault", BYTES)
def test_text_that_is_no_table(kit, good, tmp_path, fault):
    change, message = BYTES[fault]
    path = kit.write(kit.stamped(good["DD"], "DD"), tmp_path / NAME.format("DD"))
    text = path.read_text()
    assert len(text.split("\n")[0].split(",")) == 18
    path.write_bytes(change(text))
    with pytest.raises(TowerFormatError, match=message) as caught:
        read_fluxnet(path)
    assert str(path) in str(caught.value)


def test_damaged_or_wrong_archives(kit, good, tmp_path):
    csv = kit.write(kit.stamped(good["MM"], "MM"), tmp_path / NAME.format("MM"))
    whole = tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_2003-2003_1-4.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(csv, csv.name)
    content = bytearray(whole.read_bytes())
    faults = {"cut.zip": bytes(content[:900]), "cut.csv.gz": gzip.compress(csv.read_bytes())[:-40], "no.csv.gz": b"no"}
    content[200] ^= 0xFF
    faults["flipped.zip"] = bytes(content)
    for name, data in faults.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TowerFormatError, match=rf"{name}.*expected a whole archive"):
            read_fluxnet(tmp_path / name)
    for name, member, message in (
        ("book.csv", "xl/workbook.xml", "got a spreadsheet"),
        ("other.zip", "FLX_DE-Mad_FLUXNET2015_AUXNEE_2003-2003_1-4.csv", "expected a table of HH, HR, DD, WW, MM"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, "A,B\n1,2\n")
        with pytest.raises(TowerFormatError, match=message):
            read_fluxnet(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for site in ("DE-Mad", "DE-Tha"):
            archive.write(csv, csv.name.replace("DE-Mad", site))
    with pytest.raises(TowerFormatError, match=r"expected one site, got 2: DE-Mad, DE-Tha"):
        read_fluxnet(tmp_path / "two.zip")
    with pytest.raises(TowerFormatError, match="expected a table of DD"):
        read_fluxnet(whole, step="DD")
    assert read_fluxnet(whole).step == "MM"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_that_unpack_to_far_more_are_refused(tmp_path, method):
    name = NAME.format("MM")
    rows = b"TIMESTAMP,GPP_NT_VUT_REF\n" + b"200301,1.0\n" * 2_000_000
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", method) as archive:
        archive.writestr(name, rows)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(rows, mtime=0) if method == zipfile.ZIP_DEFLATED else b"")
    with pytest.raises(
        TowerFormatError, match=r"bomb.zip: .*: expected \d+ bytes that unpack to at most \d+, got more"
    ):
        read_fluxnet(tmp_path / "bomb.zip")
    if method == zipfile.ZIP_DEFLATED:
        with pytest.raises(TowerFormatError, match="unpack to at most"):
            read_fluxnet(tmp_path / f"{name}.gz")
        folder = tmp_path / "towers"
        folder.mkdir()
        (folder / "gpp_monthly.csv.gz").write_bytes(gzip.compress(b"\0" * 20_000_000))
        with pytest.raises(TowerFormatError, match=r"gpp_monthly.csv.gz: expected .* unpack to at most"):
            read_towers(folder)


NO_POTENTIAL = ["SW_IN_POT"]
# step, columns to drop, what is wrong about the place, part of the message
PLACES = {
    "south for north": ("HR", [], {"lat": -51.0}, "SW_IN_POT of -51, 13.5"),
    "daily south for north": ("DD", [], {"lat": -51.0}, "SW_IN_POT of -51, 13.5"),
    "latitude and longitude swapped": ("HR", [], {"lat": 13.5, "lon": 51.0}, "coordinates swapped"),
    "monthly latitude and longitude swapped": ("MM", [], {"lat": 13.5, "lon": 51.0}, "coordinates swapped"),
    "west for east": ("HR", [], {"lon": -13.5}, r"-1.8 h off \(longitude of wrong sign"),
    "times in UTC": ("HR", [], {"utc_offset": 8.0}, "another time zone"),
    "south for north without potential": ("HR", NO_POTENTIAL, {"lat": -51.0}, "darkness while the sun is down"),
    "daily seasons of the south": ("DD", NO_POTENTIAL, {"lat": -40.0}, "seasons of light of latitude -40"),
    "monthly seasons of the south": ("MM", NO_POTENTIAL, {"lat": -35.0}, "seasons of light of latitude -35"),
    "west for east without potential": ("HR", NO_POTENTIAL, {"lon": -13.5}, "days centred"),
    "other zone without potential": ("HR", NO_POTENTIAL, {"utc_offset": 3.0}, r"got -2\.\d h"),
}


@pytest.mark.parametrize("fault", PLACES)
def test_place_that_cannot_be(kit, good, tmp_path, fault):
    step, dropped, wrong, message = PLACES[fault]
    path = kit.write(kit.stamped(good[step].drop(columns=dropped), step), tmp_path / NAME.format(step))
    assert read_fluxnet(path, sites=pd.DataFrame(PLACE, index=[SITE])).site == SITE
    with pytest.raises(TowerFormatError, match=message):
        read_fluxnet(path, sites=pd.DataFrame(PLACE | wrong, index=[SITE]))


PLAIN = {
    "deficit in hPa": (scaled("vpd", 0.01), UnitsError, "vpd: expected Pa, .*looks like hPa"),
    "pressure in hPa": (scaled("patm", 0.01), UnitsError, "patm: expected Pa, .*looks like hPa"),
    "pressure in kPa": (scaled("patm", 0.001), UnitsError, "patm: expected Pa, .*looks like kPa"),
    "temperature in K": (scaled("tair", 1, 273.15), UnitsError, "tair: expected degC, .*looks like K"),
    "duplicate day": (row_again, TowerFormatError, "line 52: .*the same time again"),
    "gap within a step": (
        lambda t: t.assign(
            time=[*t["time"][:70], *(pd.to_datetime(t["time"][70:]) + pd.Timedelta(hours=6)).astype(str)]
        ),
        TowerFormatError,
        "line 72: .*missing steps",
    ),
    "no date": (later("time", 5, "spring"), TowerFormatError, "line 7: expected a calendar date"),
    "time with a zone": (lambda t: t.assign(time=t["time"] + "T00:00Z"), TowerFormatError, "without a zone, got UTC"),
    "row without a site": (
        lambda t: t.assign(site_id=["A"] * 50 + [""] + ["A"] * 314),
        TowerFormatError,
        "line 52: expected a site in site_id",
    ),
    "no column of time": (lambda t: t.rename(columns={"time": "when"}), TowerFormatError, "or a column time"),
    "lowest above highest": (lambda t: t.assign(tmin=t["tair"] + 5, tmax=t["tair"]), TowerFormatError, "above tmax"),
    "lai in percent": (lambda t: t.assign(lai=55.0), TowerFormatError, "lai: expected 0 to 15"),
    "two sites": (lambda t: t.assign(site_id=["A"] * 180 + ["B"] * 185), TowerFormatError, "one site, got 2: A, B"),
}


@pytest.mark.parametrize("fault", PLAIN)
def test_plain_table_that_cannot_be(good, tmp_path, fault):
    change, error, message = PLAIN[fault]
    days = good["DD"]
    table = pd.DataFrame(
        {
            "time": days.index.strftime("%Y-%m-%d"),
            "tair": days["TA_F"].to_numpy(),
            "vpd": days["VPD_F"].to_numpy() * 100,
            "patm": days["PA_F"].to_numpy() * 1000,
            "gpp_daily": days["GPP_NT_VUT_REF"].to_numpy(),
        }
    )
    path = tmp_path / "plain.csv"
    table.to_csv(path, index=False)
    assert len(read_fluxnet(path).table) == 365
    change(table).to_csv(path, index=False)
    with pytest.raises(error, match=message):
        read_fluxnet(path)


def test_comments_of_base_must_name_the_site_of_the_file(kit, good, tmp_path):
    frame = good["HH"][["TA_F", "GPP_NT_VUT_REF"]].set_axis(["TA", "GPP_PI"], axis=1)
    path = tmp_path / "AMF_US-Mad_BASE_HH_1-5.csv"
    kit.write(kit.stamped(frame, "HH"), path, comments=("# Site: US-Oth", "# Version: 1-5"))
    with pytest.raises(TowerFormatError, match=r"got several: \['US-Mad', 'US-Oth'\]"):
        read_fluxnet(path)


def test_text_deep_in_a_long_file_is_found_without_a_warning(kit, tmp_path):
    days = pd.date_range("1951-01-01", "2050-12-31")
    table = pd.DataFrame({"TA_F": 8.0 + np.arange(len(days)) % 7, "GPP_NT_VUT_REF": 2.0}, index=days).astype(object)
    table.iloc[30000, 0] = "bad"
    wide = kit.stamped(table, "DD").assign(**{f"X{i}": -9999 for i in range(60)})
    path = kit.write(wide, tmp_path / NAME.format("DD").replace("2003-2003", "1951-2050"))
    with pytest.raises(TowerFormatError, match="line 30002, TA_F: expected a number, got 'bad'"):
        read_fluxnet(path)


def test_at_least_120_faults_are_planted():
    assert len(VALUES) + len(STAMPS) + len(BYTES) + len(PLACES) + len(PLAIN) >= 120
