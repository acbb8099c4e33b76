import numpy as np
import pandas as pd
import pytest

from gppcore.towers.files import monthly_gpp, monthly_weather, read_fluxnet

UMOL = 12.011e-6 * 86400.0  # g C m-2 d-1
JUNE = slice("2003-06-01", "2003-06-30 23:30")


@pytest.fixture(scope="module")
def year(half_hours):
    """Return the half-hours of one year."""
    return half_hours.loc["2003"]


@pytest.fixture
def record(kit, year, tmp_path):
    """Read the standard tower after a change, at a step."""

    def read(step="HH", change=lambda t: t):
        frame = change(year if step == "HH" else kit.longer(year, step))
        path = tmp_path / f"FLX_DE-Mad_FLUXNET2015_FULLSET_{step}_2003-2003_1-4.csv"
        return read_fluxnet(kit.write(kit.stamped(frame, step), path))

    return read


def june(table):
    return table[(table["year"] == 2003) & (table["month"] == 6)].iloc[0]


def test_year_become_monthly_means_in_grams(record, year):
    row = june(monthly_gpp(record()))
    wanted = year.loc[JUNE].mean()
    assert row["gpp_nt"] == row["gpp"] == pytest.approx(wanted["GPP_NT_VUT_REF"] * UMOL)
    assert row["gpp_dt"] == pytest.approx(wanted["GPP_DT_VUT_REF"] * UMOL)
    assert row["nee"] == pytest.approx(wanted["NEE_VUT_REF"] * UMOL)
    assert row["gpp_qc"] == pytest.approx((year.loc[JUNE, "NEE_VUT_REF_QC"] <= 1).mean())
    assert (row["gpp_method"], row["gpp_valid_day_frac"], row["core"]) == ("NT", 1.0, 1)


@pytest.mark.parametrize(("step", "tolerance"), [("DD", 1e-4), ("MM", 1e-4), ("WW", 0.3)])
def test_all_steps_of_a_tower_agree(record, step, tolerance):
    fine, coarse = monthly_gpp(record()), monthly_gpp(record(step))
    assert len(fine) == len(coarse) == 12
    for name in ("gpp_nt", "gpp_dt", "nee"):
        assert (fine[name] - coarse[name]).abs().max() < tolerance
    assert (fine["gpp_qc"] - coarse["gpp_qc"]).abs().max() < max(tolerance, 0.02 * (step == "WW"))
    assert (coarse["core"] == 1).all()


@pytest.mark.parametrize(("bad_days", "core"), [(7, 1), (8, 0)])
def test_a_month_needs_three_quarters_of_good_days(record, bad_days, core):
    def filled(table):
        table = table.copy()
        table.loc["2003-06-01" : f"2003-06-{bad_days:02d} 23:30", "NEE_VUT_REF_QC"] = 3.0
        return table

    for step in ("HH", "DD"):
        table = (lambda t: t.assign(NEE_VUT_REF_QC=filled(t)["NEE_VUT_REF_QC"] % 3)) if step == "DD" else filled
        row = june(monthly_gpp(record(step, table)))
        assert row["gpp_valid_day_frac"] == pytest.approx((30 - bad_days) / 30)
        assert row["core"] == core
        assert np.isfinite(row["gpp"])


def test_day_is_good_from_half_of_its_values(record):
    def flags(good):
        pattern = np.where(np.arange(48) < good, 1.0, 2.0)
        return lambda t: t.assign(NEE_VUT_REF_QC=np.tile(pattern, len(t) // 48))

    assert (monthly_gpp(record(change=flags(24)))["gpp_valid_day_frac"] == 1.0).all()
    assert (monthly_gpp(record(change=flags(23)))["gpp_valid_day_frac"] == 0.0).all()


def test_month_without_enough_values_is_left_out(record):
    def lacking(days):
        def change(table):
            table = table.copy()
            carbon = [c for c in table if c.startswith(("GPP", "NEE"))]
            table.loc["2003-06-01" : f"2003-06-{days:02d} 23:30", carbon] = np.nan
            return table

        return change

    months = monthly_gpp(record(change=lacking(8)))
    assert len(months) == 11
    assert not ((months["year"] == 2003) & (months["month"] == 6)).any()
    months = monthly_gpp(record(change=lacking(7)))
    assert june(months)["gpp_valid_day_frac"] == pytest.approx(23 / 30)


def test_months_where_partitionings_disagree_are_not_core(record, year):
    def apart(table):
        table = table.copy()
        table.loc[JUNE, "GPP_DT_VUT_REF"] += 4.3 / UMOL
        return table

    months = monthly_gpp(record(change=apart))
    row = june(months)
    assert abs(row["gpp_nt"] - row["gpp_dt"]) > 4.0
    assert row["core"] == 0
    assert months["core"].sum() == 11


def test_day_time_partitioning_alone_is_not_core(record):
    months = monthly_gpp(record(change=lambda t: t.drop(columns=[c for c in t if c.startswith("GPP_NT")])))
    assert (months["gpp_method"] == "DT").all()
    assert (months["gpp"] == months["gpp_dt"]).all()
    assert (months["core"] == 0).all()


def test_file_without_flags_is_judged_by_its_values(record):
    months = monthly_gpp(record("DD", lambda t: t.drop(columns="NEE_VUT_REF_QC")))
    assert months["gpp_qc"].isna().all()
    assert months["gpp_valid_day_frac"].isna().all()
    assert (months["core"] == 1).all()


def test_monthly_file_is_judged_by_its_share_of_good_values(record):
    months = monthly_gpp(record("MM", lambda t: t.assign(NEE_VUT_REF_QC=np.where(np.arange(12) < 5, 0.74, 0.75))))
    assert months["core"].tolist() == [0] * 5 + [1] * 7


def test_uncertainty_joins_random_error_and_spread_of_thresholds(record, year):
    def uncertainty(*dropped):
        # Random errors of half-hours hardly count in a month; these are 20 times as large.
        change = year["NEE_VUT_REF_RANDUNC"] * 20
        return june(monthly_gpp(record(change=lambda t: t.assign(NEE_VUT_REF_RANDUNC=change).drop(columns=[*dropped]))))

    part = year.loc[JUNE] * UMOL
    random = 20 * np.sqrt((part["NEE_VUT_REF_RANDUNC"] ** 2).sum()) / len(part)
    spread = (part["GPP_NT_VUT_95"] - part["GPP_NT_VUT_05"]).mean() / (2 * 1.644854)
    assert 0.5 < random / spread < 2.0
    assert uncertainty()["gpp_uncertainty"] == pytest.approx(np.hypot(spread, random), rel=1e-5)
    outer, inner = ["GPP_NT_VUT_05", "GPP_NT_VUT_95"], ["GPP_NT_VUT_25", "GPP_NT_VUT_75"]
    spread = (part["GPP_NT_VUT_75"] - part["GPP_NT_VUT_25"]).mean() / (2 * 0.674490)
    assert uncertainty(*outer)["gpp_uncertainty"] == pytest.approx(np.hypot(spread, random), rel=1e-5)
    joint = part["NEE_VUT_REF_JOINTUNC"].mean()
    assert uncertainty(*outer, *inner)["gpp_uncertainty"] == pytest.approx(joint)


def test_weather_has_daily_extremes_and_the_deficit_of_daylight(record, year):
    row = june(monthly_weather(record()))
    part = year.loc[JUNE]
    days = part["TA_F"].resample("D")
    assert row["tmin"] == pytest.approx(days.min().mean())
    assert row["tmax"] == pytest.approx(days.max().mean())
    assert row["sw"] == pytest.approx(part["SW_IN_F"].mean())
    assert row["precip"] == pytest.approx(part["P_F"].mean() * 48)
    light = part["VPD_F"].where(part["SW_IN_POT"] > 0).resample("D").mean()
    assert row["vpd"] == pytest.approx(light.mean() * 100)
    assert row["vpd"] > 110 * part["VPD_F"].mean()


def test_days_of_the_networks_have_neither_extremes_nor_daylight(record):
    weather = monthly_weather(record("DD"))
    assert weather[["tmin", "tmax", "vpd"]].isna().all(axis=None)
    assert weather[["sw", "precip", "ca"]].notna().all(axis=None)


def test_weather_of_a_month_with_gaps_is_missing(record):
    def lacking(table):
        table = table.copy()
        table.loc["2003-06-01":"2003-06-08 23:30", "TA_F"] = np.nan
        return table

    row = june(monthly_weather(record(change=lacking)))
    assert row[["tmin", "tmax"]].isna().all()
    assert row[["sw", "precip"]].notna().all()


def test_marks_of_core_in_a_plain_table_are_kept(tmp_path):
    table = pd.DataFrame({"year": 2001, "month": range(1, 13), "gpp": np.arange(12) + 0.5, "core": [1, 0] * 6})
    table.to_csv(tmp_path / "XX-One.csv", index=False)
    months = monthly_gpp(read_fluxnet(tmp_path / "XX-One.csv"))
    assert months["core"].tolist() == [1, 0] * 6
    assert (months["gpp_method"] == "PI").all()
