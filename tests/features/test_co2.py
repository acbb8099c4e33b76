import numpy as np
import pandas as pd
import pytest

from gppcore.errors import RangeError
from gppcore.features.co2 import co2_is_measured, co2_monthly


def test_months_of_the_record_are_those_of_its_file(shared):
    table = pd.read_csv(shared / "co2" / "co2_monthly_mauna_loa.csv")
    np.testing.assert_array_equal(co2_monthly(table["year"], table["month"]), table["co2_umol_mol-1"])
    assert co2_is_measured(table["year"], table["month"]).all()


def test_years_and_months_broadcast():
    field = co2_monthly(np.array([2000, 2010])[:, None], np.arange(1, 13))
    assert field.shape == (2, 12)
    assert field[1, 4] == pytest.approx(393.2, abs=0.3)  # May 2010 at Mauna Loa


def test_months_outside_the_record_continue_trend_and_season():
    months = np.arange(1, 13)
    later = co2_monthly(np.array([2022, 2024, 2025])[:, None], months)
    assert not co2_is_measured(2024, 1)
    growth = np.diff(later.mean(axis=1))
    assert 4.0 < growth[0] < 6.5
    assert 2.0 < growth[1] < 2.8
    assert later[2].argmax() == later[0].argmax() == 4
    assert np.ptp(later[2]) == pytest.approx(np.ptp(later[0]), abs=2.0)
    assert co2_monthly(1957, 6)[0] == pytest.approx(317.0, abs=1.5)


def test_trend_predicts_years_that_were_left_out(monkeypatch):
    """Cut at 2015, the record continues to within 1 % of what was measured five years later."""
    from gppcore.features import co2

    first, record = co2._record()
    years, months = np.full(12, 2020), np.arange(1, 13)
    measured = co2_monthly(years, months)
    cut = record[: 2016 * 12 - first]
    monkeypatch.setattr(co2, "_record", lambda: (first, cut))
    assert not co2_is_measured(2020, 6).any()
    assert np.abs(co2_monthly(years, months) / measured - 1.0).max() < 0.01


@pytest.mark.parametrize(("year", "month"), [(1947, 1), (2034, 1), (2000, 0), (2000, 13)])
def test_month_that_cannot_be_told_is_refused(year, month):
    with pytest.raises(RangeError, match="expected"):
        co2_monthly(year, month)
