"""Physically sensible records of made-up towers, written in the layouts of the networks."""

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib
import pytest

from gppcore import _core
from gppcore.cli.main import main


@dataclass(frozen=True)
class Made:
    """A made-up tower; `year` is the first of two."""

    site: str = "DE-Mad"
    lat: float = 51.0
    lon: float = 13.5
    utc_offset: float = 1.0
    mean: float = 9.0  # degC
    season: float = 10.0  # half the range of the year, degC
    daily: float = 5.0  # half the range of the day, degC
    rain: float = 2.2  # mm d-1
    dryness: float = 1.0
    leaves: float = 22.0  # highest GPP, umol m-2 s-1
    year: int = 2003
    years: int = 2
    minutes: int = 30
    seed: int = 1


def hours(made: Made) -> pd.DataFrame:
    """Make the series of a tower under names and units of FLUXNET half-hours."""
    rng = np.random.default_rng(made.seed)
    step = pd.Timedelta(minutes=made.minutes)
    start = pd.date_range(f"{made.year}-01-01", f"{made.year + made.years}-01-01", freq=step, inclusive="left")
    per_day, n = 1440 // made.minutes, len(start)
    middle = start + step / 2 - pd.Timedelta(hours=made.utc_offset)
    sun = pvlib.solarposition.get_solarposition(middle.tz_localize("UTC"), made.lat, made.lon, method="nrel_numpy")
    cosine = np.maximum(np.cos(np.radians(sun["zenith"].to_numpy())), 0.0)
    toa = pvlib.irradiance.get_extra_radiation(middle.day_of_year.to_numpy()) * cosine
    wet = rng.random(n // per_day) < 0.35
    clearness = np.where(wet, rng.uniform(0.15, 0.5, wet.size), rng.uniform(0.5, 0.77, wet.size))
    sw = toa * np.repeat(clearness, per_day) * rng.uniform(0.93, 1.03, n)
    phase = 2 * np.pi * (start.day_of_year - (20 if made.lat >= 0 else 202)) / 365.25
    slow = np.convolve(rng.normal(0, 3, wet.size + 6), np.ones(7) / 7, "valid")
    hour = (start.hour + start.minute / 60).to_numpy() - 12.0 + made.lon / 15.0 - made.utc_offset
    swing = made.daily * np.repeat(np.where(wet, 0.5, 1.0), per_day)
    tair = made.mean - made.season * np.cos(phase) + np.repeat(slow, per_day) + swing * np.cos((hour - 2) * np.pi / 12)
    tair = tair.to_numpy() + rng.normal(0, 0.2, n)
    saturation = 6.1078 * np.exp(17.3 * tair / (237.3 + tair))
    coldest = pd.Series(saturation).groupby(np.arange(n) // per_day).transform("min").to_numpy()
    vpd = np.maximum(saturation - coldest * 0.92 / made.dryness, 0.02 * saturation)
    rain = np.where(np.repeat(wet, per_day) & (rng.random(n) < 0.2), rng.gamma(0.7, 1.0, n), 0.0)
    rain *= made.rain * 365.25 * made.years / rain.sum()
    warm = np.clip((tair - 1.0) / 15.0, 0.0, 1.0)
    gpp = made.leaves * warm * sw / (sw + 250.0)
    reco = made.leaves / 9.0 * np.exp(0.05 * np.clip(tair, -10, 35))
    noise = rng.normal(0, 0.6, n)
    random = 0.5 + 0.05 * gpp
    columns = {
        "TA_F": tair,
        "SW_IN_POT": toa,
        "SW_IN_F": sw,
        "VPD_F": vpd,
        "PA_F": 98.0 + rng.normal(0, 0.4, n),
        "P_F": rain,
        "CO2_F_MDS": 385.0 + rng.normal(0, 4, n) - 3 * np.cos(phase).to_numpy(),
        "NEE_VUT_REF": reco - gpp - noise,
        "NEE_VUT_REF_QC": rng.choice([0.0, 1.0, 2.0, 3.0], n, p=[0.6, 0.3, 0.07, 0.03]),
        "NEE_VUT_REF_RANDUNC": random,
        "NEE_VUT_REF_JOINTUNC": random * 1.2,
        "GPP_NT_VUT_REF": gpp + noise,
        "GPP_NT_VUT_05": 0.9 * gpp + noise - 0.1,
        "GPP_NT_VUT_25": 0.97 * gpp + noise - 0.05,
        "GPP_NT_VUT_75": 1.03 * gpp + noise + 0.05,
        "GPP_NT_VUT_95": 1.1 * gpp + noise + 0.1,
        "GPP_DT_VUT_REF": gpp * 1.03,
    }
    return pd.DataFrame(columns, index=start).round(4)


_FLUX = ("GPP", "NEE")


def longer(frame: pd.DataFrame, step: str) -> pd.DataFrame:
    """Aggregate half-hours to days, weeks or months in the units of FLUXNET."""
    per_day = (frame.index[:100].date == frame.index[0].date()).sum()
    frame = frame.copy()
    frame["P_F"] *= per_day
    frame["NEE_VUT_REF_QC"] = (frame["NEE_VUT_REF_QC"] <= 1).astype(float)
    for column in [c for c in frame if c.startswith(_FLUX) and not c.endswith("QC")]:
        frame[column] *= 12.011e-6 * 86400
    if step == "WW":
        day = np.minimum((frame.index.day_of_year - 1) // 7, 51)
        grouped = frame.groupby([frame.index.year, day])
        out = grouped.mean()
        out.index = pd.DatetimeIndex(
            [pd.Timestamp(year, 1, 1) + pd.Timedelta(days=7 * week) for year, week in out.index]
        )
        return out.round(5)
    return frame.resample({"DD": "D", "MM": "MS"}[step]).mean().round(5)


def stamped(frame: pd.DataFrame, step: str) -> pd.DataFrame:
    """Put the time stamps of a step in front."""
    start, out = frame.index, frame.copy()
    if step in {"HH", "HR"}:
        end = start + pd.Timedelta(minutes=30 if step == "HH" else 60)
        out.insert(0, "TIMESTAMP_END", end.strftime("%Y%m%d%H%M"))
        out.insert(0, "TIMESTAMP_START", start.strftime("%Y%m%d%H%M"))
    elif step == "WW":
        end = start + pd.Timedelta(days=6)
        out.insert(0, "TIMESTAMP_END", end.strftime("%Y%m%d"))
        out.insert(0, "TIMESTAMP_START", start.strftime("%Y%m%d"))
    else:
        out.insert(0, "TIMESTAMP", start.strftime("%Y%m%d" if step == "DD" else "%Y%m"))
    return out


def write(frame: pd.DataFrame, path, *, comments=()):
    """Write a table with -9999 for missing values."""
    with path.open("w", newline="") as file:
        file.writelines(f"{line}\n" for line in comments)
        frame.to_csv(file, index=False, na_rep="-9999", lineterminator="\n")
    return path


@pytest.fixture(scope="session")
def half_hours():
    """Half-hours of the standard tower, made once."""
    return hours(Made())


@pytest.fixture(scope="session")
def kit():
    """Return the functions of this file."""
    return type("Kit", (), {"Made": Made, "hours": hours, "longer": longer, "stamped": stamped, "write": write})


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; returns exit code and output."""

    def leave(message, code):
        sys.stderr.write(message.decode())
        sys.exit(code)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["gppcore", "towers", *map(str, arguments)])
        monkeypatch.setattr(_core, "end_after_interrupt", lambda *given: None)
        monkeypatch.setattr(_core, "end_process", leave)
        monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, *capsys.readouterr()

    return call
