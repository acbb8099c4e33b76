import numpy as np
import pandas as pd
import pytest

from gppcore.evaluation.variability import variability


@pytest.fixture
def table():
    """Two towers of twelve years with opposite trends, and one of two years."""
    rng = np.random.default_rng(0)
    parts = []
    for site, years, trend in (("A", 12, 0.1), ("B", 12, -0.05), ("C", 2, 0.0)):
        year, month = (a.ravel() for a in np.meshgrid(2001 + np.arange(years), np.arange(1, 13), indexing="ij"))
        season = 5.0 - 4.0 * np.cos(2 * np.pi * month / 12)
        anomaly = trend * (year - 2006) + rng.normal(0.0, 0.5, year.size)
        part = pd.DataFrame(
            {"site_id": site, "cluster": site, "pft": "ENF", "group": "1", "year": year, "month": month}
        )
        parts.append(
            part.assign(observed=season + anomaly, half=season + 0.5 * anomaly, mean=season, more=season + 1.0)
        )
    return pd.concat(parts, ignore_index=True)


def test_anomalies_do_not_count_the_season(table):
    found = variability(table)
    assert found["half"]["r2_anomalies"] == pytest.approx(0.75)
    assert found["mean"]["r2_anomalies"] == pytest.approx(0.0, abs=1e-9)
    assert found["more"]["r2_anomalies"] == pytest.approx(0.0, abs=1e-9)  # a bias is none


def test_trends_are_those_of_long_records(table):
    found = variability(table)
    assert found["half"]["trend_towers"] == 2
    assert found["half"]["trend_sign"] == 1.0
    opposite = table.assign(opposite=table["mean"] - (table["observed"] - table["mean"]))
    assert variability(opposite)["opposite"]["trend_sign"] == 0.0
    slopes = [np.polyfit(own["year"], own["observed"], 1)[0] for _, own in table.groupby("site_id") if len(own) > 100]
    assert found["mean"]["trend_rmse"] == pytest.approx(np.sqrt(np.mean(np.square(slopes))))
    assert found["half"]["trend_bias"] == pytest.approx(-0.5 * np.mean(slopes))


def test_bias_by_decile_goes_from_low_to_high(table):
    found = variability(table)["mean"]["bias_by_decile"]
    assert len(found) == 10
    assert found[0] > 0.1 > -0.1 > found[-1]
    assert np.mean(variability(table)["more"]["bias_by_decile"]) == pytest.approx(
        np.mean(table["more"] - table["observed"]), abs=0.02
    )


def test_short_records_have_neither(table):
    found = variability(table[table["site_id"] == "C"])["half"]
    assert found["trend_towers"] == 0
    assert np.isnan([found["r2_anomalies"], found["trend_bias"], found["trend_rmse"], found["trend_sign"]]).all()
