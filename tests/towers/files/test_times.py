"""Forms in which plain tables write their time."""

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import TowerFormatError
from gppcore.towers.files import read_fluxnet
from gppcore.towers.files.months import site_months
from gppcore.towers.files.sun import Place, top_of_atmosphere

STEPS = pd.date_range("2003-01-01", "2003-03-31 23:30", freq="30min")
MONTHS = pd.date_range("2003-01-01", periods=24, freq="MS")
PLACE = pd.DataFrame({"lat": 51.0, "lon": 13.5, "utc_offset": 1.0}, index=["DE-Mad"])


def values(index):
    return np.maximum(0.0, 9.0 * np.sin((index.hour + index.minute / 60 - 6) * np.pi / 12)) + index.day / 50


def read(tmp_path, columns, index=STEPS, **options):
    table = pd.DataFrame(columns).assign(gpp=2.0 + np.arange(len(index)) % 7 if index is MONTHS else values(index))
    table.to_csv(tmp_path / "DE-Mad.csv", index=False)
    return read_fluxnet(tmp_path / "DE-Mad.csv", **options)


def parts(index, **names):
    return {name: getattr(index, part) for part, name in names.items()}


ENDS = STEPS + pd.Timedelta(minutes=30)
MIDNIGHT = ENDS.floor("D") == ENDS
CIVIL = STEPS.tz_localize("Etc/GMT-1").tz_convert("Europe/Berlin")
DAY = {"Year": STEPS.year, "Month": STEPS.month, "Day": STEPS.day}

FORMS = {
    "hours and minutes beside a date": {"date": STEPS.strftime("%Y-%m-%d"), "hour": STEPS.hour, "minute": STEPS.minute},
    "decimal hours beside a date": {"date": STEPS.strftime("%d/%m/%Y"), "Hour": STEPS.hour + STEPS.minute / 60},
    "HHMM beside a date": {"date": STEPS.strftime("%Y%m%d"), "HHMM": STEPS.strftime("%H%M")},
    "HHMM beside parts": {**DAY, "hhmm": STEPS.strftime("%H%M")},
    "a time beside parts": {**DAY, "time": STEPS.strftime("%H:%M")},
    "seconds beside parts": {**DAY, "time": STEPS.strftime("%H:%M:%S")},
    "yyyy to mm": parts(STEPS, year="yyyy", month="mo", day="dd", hour="hh", minute="mm"),
    "yyyy, mm, dd": parts(STEPS, year="yyyy", month="mm", day="dd", hour="hh", minute="min"),
    "year and day of the year": {"year": STEPS.year, "day": STEPS.day_of_year, "hour": STEPS.hour + STEPS.minute / 60},
    "dates beside parts": {**DAY, "time": STEPS.strftime("%Y-%m-%d %H:%M")},
    "24:00 ends a day": {
        "time": np.where(
            MIDNIGHT, (ENDS - pd.Timedelta(days=1)).strftime("%Y-%m-%d 24:00"), ENDS.strftime("%Y-%m-%d %H:%M")
        )
    },
    "middle of the step": {"time": STEPS + pd.Timedelta(minutes=15)},
    "ends by name": {"TIMESTAMP_END": ENDS.strftime("%Y-%m-%d %H:%M:%S")},
    "starts by name": {"TIMESTAMP_START": STEPS.strftime("%m/%d/%Y %H:%M")},
    "am and pm": {"time": STEPS.strftime("%m/%d/%Y %I:%M:%S %p")},
    "offset from UTC": {"time": [stamp.isoformat() for stamp in STEPS.tz_localize("Etc/GMT-1")]},
    "offsets of summer and winter": {"time": [stamp.isoformat() for stamp in CIVIL]},
}


@pytest.mark.parametrize("form", FORMS)
def test_half_hours(tmp_path, form):
    record = read(tmp_path, FORMS[form])
    assert record.step == "HH"
    assert record.table.index.equals(STEPS)


@pytest.mark.parametrize(
    "stamps",
    [
        {"date": MONTHS.strftime("%b-%Y")},
        {"date": MONTHS.strftime("%Y-%m")},
        {"date": MONTHS.strftime("%m/%Y")},
        {"time": MONTHS + pd.Timedelta(days=14, hours=12)},
        {"time": MONTHS + pd.offsets.MonthEnd(0)},
        {"year": MONTHS.year, "month": MONTHS.strftime("%b")},
        {"Year": MONTHS.year, "Month": MONTHS.strftime("%B")},
    ],
)
def test_months(tmp_path, stamps):
    record = read(tmp_path, stamps, MONTHS)
    assert record.step == "MM"
    assert record.table.index.to_period("M").equals(MONTHS.to_period("M"))


@pytest.mark.parametrize("form", ["%Y%j", "%Y-%m-%d 12:00", "%d-%b-%Y"])
def test_days(tmp_path, form):
    days = pd.date_range("2003-12-01", "2004-03-31")
    record = read(tmp_path, {"date": days.strftime(form)}, days)
    assert record.step == "DD"
    assert record.table.index.normalize().equals(days)


def light(index):
    """Return half the light above the atmosphere, about which hours are centred."""
    return 0.5 * top_of_atmosphere(index, "HH", Place(51.0, 13.5, 1.0))


def test_zone_that_reddyproc_writes_is_left_out_where_the_sun_confirms_the_hours(tmp_path):
    """R writes Z behind any time; where the light contradicts, or nothing can tell, the file is refused."""
    stamps = {"DateTime": STEPS.strftime("%Y-%m-%dT%H:%M:%SZ"), "sw": light(STEPS)}
    assert read(tmp_path, stamps, sites=PLACE).table.index.equals(STEPS)
    with pytest.raises(TowerFormatError, match="without a zone, got UTC; with light and a table of sites"):
        read(tmp_path, stamps)
    with pytest.raises(TowerFormatError, match="days centred"):
        read(tmp_path, {**stamps, "sw": light(STEPS.shift(-10))}, sites=PLACE)


def test_hour_that_comes_again_in_autumn_names_summer_time(tmp_path):
    year = pd.date_range("2003-10-01", "2003-11-30 23:30", freq="30min", tz="Etc/GMT-1")
    stamps = year.tz_convert("Europe/Berlin").tz_localize(None)
    with pytest.raises(TowerFormatError, match="at the end of summer time"):
        read(tmp_path, {"time": stamps}, stamps)


@pytest.mark.parametrize(
    ("hours", "told"), [([*range(7), *range(18, 24)], "nights are missing"), ([5, 6, 7], "5, 6, 7")]
)
def test_rows_that_are_left_out_at_the_same_hours_are_named(tmp_path, hours, told):
    kept = STEPS[~STEPS.hour.isin(hours)]
    months = site_months(read(tmp_path, {"time": kept}, kept))
    assert months.gpp.empty
    assert any(told in note for note in months.notes)
