"""Measure what days and months cost against hours, and why: `python benchmarks/rebuilt_months.py --data DIR [--json]`.

DIR holds site_hourly.csv.gz (see oracle.py). Its hours are averaged to days and months; annual GPP of these is compared
with that of the hours. The causes are found by giving the rebuilt months what the site's own days know.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import xarray as xr

from gppcore.process import daylight
from gppcore.process.daylight import saturation_vapour_pressure
from gppcore.process.simulate import simulate

TYPES = {13: "shrub", 25: "crop", 40: "crop_c4"}
SOLAR_OFFSET = {"p1": 8.04, "p3": -3.70}
"""Hours from the sites' clock to local solar time, read from their zenith angles."""
COLUMNS = {"sw": "sw_wm2", "tair": "t_air_c", "rh": "rh_pct", "lai": "lai", "soil_water_stress": "f_sw"}
FIXED = ["lat", "clumping", "ca", "pft"]
_PATM = 101325.0
_WATER_TO_AIR = 0.622


def site_years(folder: Path) -> Iterator[tuple[str, xr.Dataset, xr.DataArray]]:
    """Yield the hourly forcing of the sites, with the type that grows there, and the height of the sun."""
    for site, rows in pd.read_csv(folder / "site_hourly.csv.gz").groupby("site"):
        first, time = rows.iloc[0], pd.date_range("2001-01-01", periods=len(rows), freq="h")
        series = {name: ("time", rows[column].to_numpy()) for name, column in COLUMNS.items()}
        fixed = {"lat": first["lat"], "lon": 15.0 * SOLAR_OFFSET.get(str(site), 0.0), "clumping": first["clumping"]}
        ds = xr.Dataset({**series, **fixed, "ca": 380.0, "pft": TYPES[first["lc"]]}, coords={"time": time})
        yield str(site), ds, xr.DataArray(rows["cos_zenith"].to_numpy(), dims="time", coords={"time": time})


def days_of(ds: xr.Dataset, cos_zenith: xr.DataArray) -> xr.Dataset:
    """Return daily means of hourly forcing, with the deficit of daylight."""
    deficit = saturation_vapour_pressure(ds["tair"]) * (1.0 - ds["rh"] / 100.0).clip(0.0)
    by_day, tair = ds[["sw", "tair", "lai", "soil_water_stress"]].resample(time="D"), ds["tair"].resample(time="D")
    means = by_day.mean().assign(
        tair_range=tair.max() - tair.min(), vpd=deficit.where(cos_zenith > 0.0).resample(time="D").mean()
    )
    return means.merge(ds[FIXED])


def months_of(days: xr.Dataset) -> xr.Dataset:
    """Return monthly means of daily forcing."""
    return days.drop_vars(FIXED).resample(time="MS").mean().merge(days[FIXED])


def total(ds: xr.Dataset) -> float:
    """Return annual GPP of days or months [g m-2]."""
    gpp = simulate(ds)["gpp_daily"]
    return float((gpp * (gpp["time"].dt.days_in_month if gpp.sizes["time"] == 12 else 1)).sum())


def with_warmth_of_days(days: xr.Dataset) -> float:
    """Return annual GPP of months, half of whose days are warmer and half cooler by the days' standard deviation."""
    months = months_of(days)
    spread = days["tair"].groupby("time.month").std().values
    warm = [months["tair"] + sign * spread for sign in (-1.0, 1.0)]
    middle = np.array([daylight.mid_month_day(m) for m in range(1, 13)])
    saturated = 0.0
    for tair in warm:
        fields = [months[name].values for name in ("sw", "tair_range", "vpd")]
        lat = np.full(12, float(days["lat"]))
        light = daylight.daylight_of_month(lat, middle, fields[0], tair.values, fields[1], vpd=fields[2])
        saturated = saturated + 0.5 * light.mean(saturation_vapour_pressure(light.tair))
    vapour = np.maximum(saturated - months["vpd"].values, 1.0)
    q = ("time", _WATER_TO_AIR * vapour / (_PATM - (1.0 - _WATER_TO_AIR) * vapour))
    moist = months.drop_vars("vpd").assign(specific_humidity=q, patm=_PATM)
    return 0.5 * sum(total(moist.assign(tair=tair)) for tair in warm)


def clearness_of(days: xr.Dataset) -> Callable[[np.ndarray], np.ndarray]:
    """Return `clearness_of_days` with the standard deviation that the days of each month have."""
    published, weights = daylight.clearness_of_days, np.polynomial.legendre.leggauss(daylight.N_CLOUD_DAYS)[1] / 2.0
    lat, day = np.full(days.sizes["time"], float(days["lat"])), days["time"].dt.dayofyear.values.astype(float)
    own = (days["sw"] / daylight.sw_toa(lat, day)).groupby("time.month").std().values

    def clearness(kt: np.ndarray) -> np.ndarray:
        levels = published(kt)
        spread = np.sqrt(np.einsum("l,ln->n", weights, (levels - kt) ** 2))
        return np.clip(kt + (levels - kt) * (own / spread), 0.01, 0.8)

    return clearness


def no_clouds() -> AbstractContextManager[object]:
    """Let days be rebuilt without clouds that come and go."""
    return patch.object(daylight, "clearness_spread", np.zeros_like)


def biases(ds: xr.Dataset, cos_zenith: xr.DataArray) -> dict[str, float]:
    """Return the bias of annual GPP [%] by what the hours were replaced by."""
    hours = float(simulate(ds, time_reference="utc", time_label="middle")["gpp_daily"].sum())
    days = days_of(ds, cos_zenith)
    months = months_of(days)
    found = {"daily": total(days), "monthly": total(months), "monthly, own warmth of days": with_warmth_of_days(days)}
    for name, of_days in (("leaf area", "lai"), ("stress", "soil_water_stress")):
        smooth = months[of_days].reindex(time=days["time"], method="ffill")
        found[f"daily, {name} of months"] = total(days.assign({of_days: smooth}))
    with no_clouds():
        found["daily, no clouds within days"] = total(days)
    with patch.object(daylight, "clearness_of_days", clearness_of(days)):
        found["monthly, own clearness of days"] = total(months)
        with no_clouds():
            found["monthly, own clearness of days, no clouds within"] = total(months)
    return {"hours, g m-2": hours} | {name: 100.0 * (gpp / hours - 1.0) for name, gpp in found.items()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    table = {site: biases(ds, cos_zenith) for site, ds, cos_zenith in site_years(options.data)}
    if options.json:
        print(json.dumps(table, indent=1))
    else:
        print(pd.DataFrame(table).round(2).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
