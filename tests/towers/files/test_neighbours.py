"""Inputs akin to those that went wrong once: other columns, seasons, hours and layouts."""

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import MissingFileError, TowerFormatError, UnitsError
from gppcore.towers.files import monthly_gpp, monthly_weather, read_fluxnet
from gppcore.towers.files.months import core_sequences, site_months, usable

UMOL = 12.011e-6 * 86400.0
NAME = "FLX_DE-Mad_FLUXNET2015_FULLSET_{}_2003-2003_1-4.csv"


@pytest.fixture(scope="module")
def hours(kit):
    """One year of hours of the standard tower."""
    return kit.hours(kit.Made(years=1, minutes=60))


@pytest.fixture
def record(kit, hours, tmp_path):
    """Read the year after a change, at a step."""

    def read(change=lambda t: t, step="HR", **options):
        frame = change((hours if step == "HR" else kit.longer(hours, step)).copy())
        path = kit.write(kit.stamped(frame, step), tmp_path / NAME.format(step))
        return read_fluxnet(path, **options)

    return read


def minus(months, by):
    def change(table):
        table.loc[table.index.month.isin(months), [c for c in table if c.startswith("GPP_NT")]] -= by
        return table

    return change


@pytest.mark.parametrize("step", ["HR", "DD", "WW", "MM"])
def test_negative_seasons_of_all_steps_cost_their_months(record, step):
    by = (12.0 if step == "HR" else 12.0 * UMOL) * 1.2
    months = monthly_gpp(record(minus([6, 7, 8], by), step))
    wrong = months[months["reason"].str.contains("negative GPP|differ")]
    assert wrong["month"].tolist() == [6, 7, 8]
    assert (months["core"] == 0).tolist() == months["month"].isin([6, 7, 8]).tolist()


def test_single_month_far_below_zero_is_left_out_and_noise_is_kept(record):
    months = monthly_gpp(record(minus([1], 2.5)))
    assert months.loc[months["core"] == 0, "month"].tolist() == [1]
    months = monthly_gpp(record(minus([1, 2], 0.7)))
    assert (months["core"] == 1).all()
    assert months["gpp"].iloc[0] < 0.0


@pytest.mark.parametrize(("step", "value"), [("HR", -9.0), ("HR", 400.0), ("DD", -25.0), ("MM", -28.0), ("MM", 70.0)])
def test_badly_filled_gaps_do_not_speak_against_the_file(record, step, value):
    """A constant, far below zero or above all limits, in three months of bad quality costs these months alone."""

    def change(table):
        lost = table.index.month.isin([4, 5, 6])
        table.loc[lost, "GPP_NT_VUT_REF"] = value
        table.loc[lost, "NEE_VUT_REF_QC"] = 3.0 if step == "HR" else 0.0
        return table

    months = monthly_gpp(record(change, step))
    assert set(range(1, 13)) - set(months.loc[months["core"] == 1, "month"]) == {4, 5, 6}
    assert months["gpp"].max() < 25.0

    def spike_of_good_quality(table):
        table = change(table)
        table.loc[table.index.month.isin([4, 5, 6]), "NEE_VUT_REF_QC"] = 0.0 if step == "HR" else 1.0
        return table

    with pytest.raises((TowerFormatError, UnitsError), match="GPP_NT_VUT_REF"):
        record(spike_of_good_quality, step)


def test_gpp_of_the_other_sign_is_still_refused(record):
    with pytest.raises(TowerFormatError, match="sign of NEE"):
        record(lambda t: t.assign(GPP_NT_VUT_REF=-t["GPP_NT_VUT_REF"]))


@pytest.mark.parametrize(
    ("empty", "other", "quantity"),
    [
        ("TA_F", "TA_F_MDS", "tair"),
        ("SW_IN_F", "SW_IN_F_MDS", "sw"),
        ("VPD_F", "VPD_F_MDS", "vpd"),
        ("CO2_F_MDS", "CO2", "ca"),
        ("GPP_NT_VUT_REF", "GPP_NT_CUT_REF", "gpp_nt"),
        ("GPP_NT_VUT_REF", "GPP_NT_VUT_USTAR50", "gpp_nt"),
        ("GPP_DT_VUT_REF", "GPP_DT_CUT_REF", "gpp_dt"),
        ("NEE_VUT_REF_QC", "NEE_CUT_REF_QC", "qc"),
    ],
)
@pytest.mark.parametrize("left", [0, 100])
def test_fuller_column_is_used_where_the_better_one_is_empty(record, hours, empty, other, quantity, left):
    def change(table):
        table[other] = table[empty]
        table.loc[table.index[left:], empty] = np.nan
        return table

    found = record(change)
    factor = {"vpd": 100.0, "gpp_nt": UMOL, "gpp_dt": UMOL}.get(quantity, 1.0)
    wanted = (hours[empty] <= 1).mean() if quantity == "qc" else hours[empty].mean() * factor
    assert found.table[quantity].mean() == pytest.approx(wanted)
    assert any(f"{empty} has" in note and other in note for note in found.notes)


def test_sensor_with_values_is_used_and_gaps_alone_change_nothing(kit, hours, tmp_path):
    table = hours[["TA_F", "GPP_NT_VUT_REF"]].set_axis(["TA_1_2_1", "GPP_PI"], axis=1)
    table.insert(0, "TA_1_1_1", np.nan)
    path = tmp_path / "AMF_US-Mad_BASE_HR_1-5.csv"
    kit.write(kit.stamped(table, "HR"), path, comments=("# Site: US-Mad", "# Version: 1-5"))
    assert read_fluxnet(path).table["tair"].mean() == pytest.approx(hours["TA_F"].mean())
    table["TA_1_1_1"] = (table["TA_1_2_1"] + 0.5).where(np.arange(len(table)) % 4 > 0)
    kit.write(kit.stamped(table, "HR"), path, comments=("# Site: US-Mad", "# Version: 1-5"))
    assert read_fluxnet(path).table["tair"].mean() == pytest.approx(table["TA_1_1_1"].mean())


def test_quality_and_spread_follow_the_threshold_of_gpp(record):
    def change(table):
        for name in [c for c in table if c.startswith(("GPP_NT", "NEE"))]:
            table[name.replace("VUT", "CUT")] = table[name]
        table["GPP_NT_VUT_REF"] = np.nan
        table["NEE_VUT_REF_QC"] = 3.0
        return table

    assert (monthly_gpp(record(change))["core"] == 1).all()


@pytest.mark.parametrize("name", ["RH", "RH_1_1_1"])
def test_deficit_follows_from_relative_humidity(record, hours, name):
    saturation = 6.1078 * np.exp(17.269 * hours["TA_F"] / (237.3 + hours["TA_F"]))

    def change(table):
        table[name] = (100.0 * (1.0 - table["VPD_F"] / saturation)).clip(1.0, 100.0).round(2)
        return table.drop(columns="VPD_F")

    found = record(change)
    assert any("vapour pressure deficit of 100% of all steps" in note for note in found.notes)
    np.testing.assert_allclose(monthly_weather(found)["vpd"], monthly_weather(record())["vpd"], rtol=0.02)


def test_gaps_of_the_deficit_are_filled_from_humidity_and_wrong_humidity_is_refused(record, hours):
    def change(table):
        table["RH"] = 60.0 + 30.0 * np.sin(np.arange(len(table)) / 4.0)
        table.loc[table.index[1000:2000], "VPD_F"] = np.nan
        return table

    found = record(change).table
    assert found["vpd"].notna().all()
    np.testing.assert_allclose(found["vpd"].iloc[:1000], hours["VPD_F"].iloc[:1000] * 100.0)
    with pytest.raises(UnitsError, match=r"RH: expected %, .*looks like 1"):
        record(lambda t: change(t).assign(RH=lambda u: u["RH"] / 100.0))


def without_hours(which, columns):
    def change(table):
        table.loc[table.index.hour.isin(which), [c for c in table if c.startswith(columns)]] = np.nan
        return table

    return change


@pytest.mark.parametrize("which", [[0, 1], [12, 13], [23]])
@pytest.mark.parametrize("method", ["GPP_NT", "GPP"])
def test_hours_that_are_always_missing_keep_months_out_of_core(record, which, method):
    months = monthly_gpp(record(without_hours(which, method)))
    assert len(months) == 12
    assert (months["core"] == 0).all()
    assert months["reason"].str.contains("the same hours missing").all()


def test_hours_missing_now_and_then_are_averaged_by_hour_of_day(record, hours):
    """Nights that are missing on two days of five make a plain mean of the days too high, that by hour not."""

    def change(table):
        lost = table.index.hour.isin([0, 1]) & (table.index.day_of_year % 5 < 2)
        table.loc[lost, [c for c in table if c.startswith("GPP_NT")]] = np.nan
        return table

    months = monthly_gpp(record(change))
    truth = monthly_gpp(record())
    assert (months["core"] == 1).all()
    np.testing.assert_allclose(months["gpp"], truth["gpp"], rtol=0.004, atol=0.02)
    lost = hours.index.hour.isin([0, 1]) & (hours.index.day_of_year % 5 < 2)
    plain = hours["GPP_NT_VUT_REF"].where(~lost).resample("D").mean().resample("MS").mean() * UMOL
    assert (plain.to_numpy()[3:9] / truth["gpp"].to_numpy()[3:9]).min() > 1.02


def test_weather_of_hours_that_are_always_missing_is_missing(record):
    weather = monthly_weather(record(without_hours([12, 13], ("TA_F", "SW_IN_F"))))
    assert weather[["tmin", "tmax", "sw"]].isna().all(axis=None)
    assert weather["precip"].notna().all()


def test_months_by_predictor_set_name_what_is_missing(record):
    months = site_months(record(lambda t: t.drop(columns=["VPD_F"])))
    sets = usable(months.gpp, months.weather, given=("lai",))
    assert sets["months"].tolist() == [0, 0, 0, 0]
    assert sets.loc["small", "lacking"] == "vpd in 12 of 12 months"
    assert (
        "no core month has all weather (missing: vpd in 12 of 12 months); sample it from a grid (--weather)"
        in months.notes
    )
    assert "columns ndwi, fpar, lst_day and others" in sets.loc["mid", "lacking"]
    whole = site_months(record())
    assert usable(whole.gpp, whole.weather, given=("lai",)).loc["small", "months"] == 12
    assert usable(whole.gpp, whole.weather).loc["small", "lacking"] == "lai in 12 of 12 months"


def test_only_day_time_partitioning_says_so(record):
    months = site_months(record(lambda t: t.drop(columns=[c for c in t if c.startswith("GPP_NT")])))
    assert any("12 of 12 months not core, GPP of day-time partitioning alone" in note for note in months.notes)
    assert any("no core month" in note for note in months.notes)


def test_net_exchange_alone_points_to_partitioning(record):
    with pytest.raises(TowerFormatError, match=r"net exchange alone \(NEE_VUT_REF\); make GPP of it by --partition"):
        record(lambda t: t.drop(columns=[c for c in t if c.startswith("GPP")]))


def test_partitioning_needs_weather_and_a_year(record):
    pytest.importorskip("hesseflux")
    gpp = ["GPP_NT_VUT_REF", "GPP_DT_VUT_REF"]
    with pytest.raises(TowerFormatError, match=r"expected NEE, TA, SW_IN and VPD for partitioning, got no \['VPD'\]"):
        record(lambda t: t.drop(columns=[*gpp, "VPD_F"]), partition=True)


@pytest.mark.parametrize(("step", "factor"), [("MM", 30.4), ("WW", 7.0)])
@pytest.mark.parametrize("site", ["rich", "poor"])
def test_totals_are_no_daily_means(record, step, factor, site):
    by = factor * (1.0 if site == "rich" else 0.3 if step == "MM" else 0.9)

    def change(table):
        for column in [c for c in table if c.startswith(("GPP", "NEE")) and not c.endswith("QC")]:
            table[column] *= by
        return table

    with pytest.raises((UnitsError, TowerFormatError), match=r"(GPP_NT|NEE)_VUT_REF: expected"):
        record(change, step)


def plain(tmp_path, text):
    path = tmp_path / "tower.csv"
    path.write_text(text)
    return path


def rows(stamp, n=60):
    days = pd.date_range("2015-01-01", periods=n)
    return "\n".join(f"{stamp(day)},{1.0 + i % 7}" for i, day in enumerate(days))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,gpp\n" + rows(str), "expected TIMESTAMP_START or TIMESTAMP, columns year and month .*or a column time"),
        ("year,hour,gpp\n2015,1,1.0\n", "year and DoY"),
        (
            "date,gpp\n" + rows(lambda d: d.strftime("%d/%m/%Y"), 5),
            "may be %d/%m/%Y or %m/%d/%Y; write dates as 2015-01-31",
        ),
        (
            "date,gpp\n" + rows(lambda d: d.strftime("%d/%m/%Y")) + "\n31/02/2015,3.0",
            "line 62: expected a calendar date",
        ),
        ("time,gpp\n" + "\n".join(f"{i},{r}" for i, r in enumerate(rows(str).split("\n"))), "row.names = FALSE"),
        ("year,month,day,hour,gpp\n2015,1,1,0,1.0\n2015,1,1,0,2.0\n", "the same time again|a step of"),
    ],
)
def test_hints_of_plain_tables_say_what_to_do(tmp_path, text, message):
    with pytest.raises(TowerFormatError, match=message):
        read_fluxnet(plain(tmp_path, text))


def test_months_in_the_order_of_day_month_year(tmp_path):
    months = pd.date_range("2015-01-01", periods=24, freq="MS").strftime("%d/%m/%Y")
    text = "date,gpp\n" + "\n".join(f"{m},{2 + i % 12 / 4}" for i, m in enumerate(months))
    found = read_fluxnet(plain(tmp_path, text))
    assert (found.step, len(found.table), found.table.index[1].month) == ("MM", 24, 2)


def test_folder_is_no_file(tmp_path):
    with pytest.raises(MissingFileError, match="expected a file, got the folder"):
        read_fluxnet(tmp_path)


def test_months_without_enough_gpp_are_named(record):
    def change(table):
        table.loc[table.index.month.isin([2, 3]), [c for c in table if c.startswith("GPP")]] = np.nan
        return table

    notes = site_months(record(change)).notes
    assert "2 of 12 months left out, GPP on less than 75% of their days: 2003-02, 2003-03" in notes


def test_exact_zeros_are_no_observations(record):
    """GPP of 0 may last in winter but not in June; net exchange and temperature may not stay at 0 at all."""

    def zero(months, columns):
        def change(table):
            table.loc[table.index.month.isin(months), [c for c in table if c.startswith(columns)]] = 0.0
            return table

        return change

    months = monthly_gpp(record(zero([1, 6], "GPP")))
    assert months.loc[months["core"] == 0, "month"].tolist() == [6]
    assert "GPP of exactly 0 in warmth" in months["reason"].iloc[5]
    for columns, month in (("NEE_VUT_REF", 7), ("TA_F", 12)):
        with pytest.raises(TowerFormatError, match=rf"{columns}: expected changing values, got 0 for 744 steps"):
            record(lambda t, columns=columns, month=month: zero([month], columns)(t).assign(NEE_VUT_REF_QC=0.0))


def test_light_that_is_not_recorded_at_night_is_zero(record, hours):
    found = record(lambda t: t.assign(SW_IN_F=t["SW_IN_F"].where(t["SW_IN_POT"] > 0)))
    np.testing.assert_allclose(monthly_weather(found)["sw"], monthly_weather(record())["sw"])


def test_sequences_of_core_months_break_at_gaps_and_sites():
    months = pd.DataFrame({"year": [2001] * 12 + [2002] * 12, "month": [*range(1, 13)] * 2})
    first = months.assign(site_id="A", core=1)
    first.loc[[3, 15], "core"] = 0
    second = months.drop(index=[20]).assign(site_id="B", core=1)
    found = core_sequences(pd.concat([second, first]))
    assert found.to_numpy().tolist() == [
        ["A", "2001-05", "2002-03", 11],
        ["A", "2002-05", "2002-12", 8],
        ["A", "2001-01", "2001-03", 3],
        ["B", "2001-01", "2002-08", 20],
        ["B", "2002-10", "2002-12", 3],
    ]
    assert core_sequences(months.assign(site_id="A", core=0)).empty
