"""GPP from net exchange: records as raw files have them, with flags, empty years and years begun late."""

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import TowerFormatError
from gppcore.towers.files import monthly_gpp, read_fluxnet

NAME = "AMF_DE-Mad_BASE_HR_1-5.csv"


@pytest.fixture(scope="module")
def hours(kit):
    """Return hours from December to the end of the next year, in which night-time fluxes fail in still air."""
    frame = kit.hours(kit.Made(minutes=60)).loc["2003-12-20":]
    rng = np.random.default_rng(3)
    frame["USTAR"] = np.abs(rng.normal(0.35, 0.15, len(frame))).round(3)
    still = (frame["SW_IN_F"] < 1.0) & (frame["USTAR"] < 0.15)
    frame["FC"] = frame["NEE_VUT_REF"].where(~still, frame["NEE_VUT_REF"] * 0.3).where(rng.random(len(frame)) > 0.2)
    frame["FC_SSITC_TEST"] = rng.choice([0, 1, 2], len(frame), p=[0.5, 0.4, 0.1])
    frame.loc[frame["FC_SSITC_TEST"] == 2, "FC"] = 60.0
    return frame


def read(kit, frame, tmp_path):
    names = {"TA_F": "TA_1_1_1", "SW_IN_F": "SW_IN_1_1_1", "VPD_F": "VPD_PI_1_1_1"}
    table = frame[[*names, "USTAR", "FC", "FC_SSITC_TEST"]].rename(columns=names)
    path = kit.write(kit.stamped(table, "HR"), tmp_path / NAME, comments=("# Site: DE-Mad", "# Version: 1-5"))
    return read_fluxnet(path, partition=True)


def test_year_that_begins_late_and_flags_of_bad_flux(kit, hours, tmp_path):
    """The first year has too few nights for a threshold of its own."""
    pytest.importorskip("hesseflux")
    record = read(kit, hours, tmp_path)
    assert any("nights of a friction velocity below" in note and "m s-1 left out" in note for note in record.notes)
    months = monthly_gpp(record)
    assert len(months) == 12
    assert (months["core"] == 1).all()
    wanted = hours["GPP_NT_VUT_REF"].resample("MS").mean().iloc[1:] * 12.011e-6 * 86400
    # hesseflux fits respiration by least absolute errors, which gives less of it and of GPP.
    assert np.abs(months["gpp"].to_numpy() - wanted.to_numpy()).max() < 0.6


def test_net_production_in_place_of_exchange_is_named(kit, hours, tmp_path):
    pytest.importorskip("hesseflux")
    with pytest.raises(TowerFormatError, match="expected NEE below 0 for uptake, got it above"):
        read(kit, hours.assign(FC=-hours["NEE_VUT_REF"]), tmp_path)


def test_record_that_cannot_be_partitioned_is_told(kit, hours, tmp_path, monkeypatch):
    hesseflux = pytest.importorskip("hesseflux")

    def fails(*_, **__):
        raise IndexError("index -1 is out of bounds")

    monkeypatch.setattr(hesseflux, "gapfill", fails)
    with pytest.raises(TowerFormatError, match="expected a record that hesseflux can partition, got: index -1"):
        read(kit, hours, tmp_path)


def test_stamps_of_the_middle_and_names_of_the_site_team_of_davos(kit, tmp_path):
    year = kit.hours(kit.Made(years=1))
    names = {"NEE_VUT_REF": "NEE_CUT_REF_f", "GPP_NT_VUT_REF": "GPP_CUT_REF_f", "GPP_DT_VUT_REF": "GPP_DT_CUT_REF"}
    table = year[[*names, "TA_F"]].rename(columns=names | {"TA_F": "Tair_f"})
    table.index = pd.Index(year.index + pd.Timedelta(minutes=15), name="TIMESTAMP_MIDDLE")
    table.to_csv(tmp_path / "CH-Dav.csv")
    record = read_fluxnet(tmp_path / "CH-Dav.csv")
    assert record.table.index.equals(year.index)
    assert {"gpp_nt", "gpp_dt", "nee"} <= set(record.table)
