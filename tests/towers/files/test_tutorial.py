"""The tutorial's code runs from files to a map, and the map is that of the planet on which the towers stand."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore import TileStore, read_fluxnet, read_sites, read_towers, sample_at_towers, write_tower_folder
from gppcore.constants import IGBP, PFT_NAMES, PFTS
from gppcore.demo.region import demonstration_region
from gppcore.features import pft_fractions
from gppcore.mapping.product import write_netcdf
from gppcore.process.simulate import simulate

pytestmark = pytest.mark.slow  # trains and maps, as the page does

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tutorials" / "towers_to_map.md"
BLOCKS = re.findall(r"(not run: .*?-->\n)?^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
CODE = [block for told, block in BLOCKS if not told]
REGION = (48.0, 51.0, 8.0, 13.0)
FARMED = [c.code for c in IGBP if c.acronym in ("CRO", "CVM")]
COVER = ("ENF", "MF", "DBF", "GRA", "CRO", "CVM") * 2
TRUTH = {name: replace(pft, vcmax25=1.3 * pft.vcmax25, g1=0.9 * pft.g1) for name, pft in PFTS.items()}


def places(world):
    """Choose cells of the wanted classes with green leaves, far from each other."""
    codes = {c.acronym: c.code for c in IGBP}
    rng, found = np.random.default_rng(4), []
    for acronym in COVER:
        cells = np.argwhere((world["igbp"].values == codes[acronym]) & (world["lai"].values.max(axis=0) > 1.5))
        far = [c for c in rng.permutation(cells) if all(np.abs(c - d).max() > 12 for d in found)]
        found.append(far[0])
    return [world.isel(lat=row, lon=column).load() for row, column in found]


def unknown(igbp, vpd):
    """Return the factor on GPP that no parameter of the process model can tell: closure in dry air, and farming."""
    return np.exp(-0.5 * np.maximum(vpd / 1000.0 - 0.7, 0.0)) * np.where(np.isin(igbp, FARMED), 1.4, 1.0)


def truth(world, cells):
    """Simulate the planet of the towers at cells in the mean year of the map: (12, cells)."""
    here = {name: field.values[..., cells] for name, field in world.items()}
    igbp = here.pop("igbp").astype(int)
    fields = {name: (("time", "cell")[2 - field.ndim :], field.astype(float)) for name, field in here.items()}
    cover = {"pft_fraction": (("pft", "cell"), pft_fractions(igbp).astype(float)), "soil_water_stress": 1.0}
    lat = np.broadcast_to(world["lat"].values[:, None], cells.shape)[cells]
    ds = xr.Dataset({**fields, **cover, "lat": ("cell", lat)}, {"time": world["time"], "pft": list(PFT_NAMES)})
    gpp = simulate(ds, outputs=["gpp_daily"], pfts=TRUTH)["gpp_daily"].transpose("time", "cell").values
    return gpp * unknown(igbp, here["vpd"])


def hourly(kit, site, place, seed):
    """Make hours of weather around the climate of a place, and GPP that other parameters give there."""
    warm, mean = place["tair"].values, float(place["tair"].mean())
    made = kit.Made(
        site, float(place["lat"]), float(place["lon"]), 1.0, mean, (warm.max() - warm.min()) / 2,
        float(place["tair_range"].mean()) / 2, float(place["precip"].mean()), minutes=60, seed=seed,
    )  # fmt: skip
    frame = kit.hours(made)
    month = frame.index.month.to_numpy() - 1
    igbp = np.array([int(place["igbp"])])
    ds = xr.Dataset(
        {
            "tair": ("time", frame["TA_F"]),
            "sw": ("time", frame["SW_IN_F"]),
            "vpd": ("time", 100.0 * frame["VPD_F"]),
            "ca": ("time", frame["CO2_F_MDS"]),
            "lai": ("time", place["lai"].values[month].astype(float)),
            "soil_water_stress": 1.0,
            "lat": made.lat,
            "lon": made.lon,
            "pft_fraction": ("pft", pft_fractions(igbp)[:, 0].astype(float)),
            "c4_fraction": float(place["c4_fraction"]),
        },
        {"time": frame.index, "pft": list(PFT_NAMES)},
    )
    gpp = simulate(ds, time_reference=made.utc_offset, time_label="start", outputs=["gpp"], pfts=TRUTH)["gpp"].values
    rng = np.random.default_rng(seed)
    gpp = gpp * unknown(igbp, frame["VPD_F"].to_numpy() * 100.0) * np.exp(rng.normal(0.0, 0.05))
    noise = rng.normal(0.0, 0.5, gpp.size)
    weather = frame[["TA_F", "SW_IN_POT", "SW_IN_F", "VPD_F", "PA_F", "P_F", "CO2_F_MDS"]]
    return weather.assign(NEE_VUT_REF_QC=0.0, GPP_NT_VUT_REF=gpp + noise, GPP_DT_VUT_REF=1.02 * gpp)


@pytest.fixture(scope="module")
def finished(kit, tmp_path_factory):
    """Return the folder in which the code of the page has run, and what it printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "fluxnet").mkdir()
    rows = []
    for i, place in enumerate(places(demonstration_region(*REGION))):
        site = f"DE-T{i:02d}"
        frame = hourly(kit, site, place, i)
        kit.write(
            kit.stamped(frame.round(4), "HR"),
            folder / "fluxnet" / f"FLX_{site}_FLUXNET2015_SUBSET_HR_2003-2004_1-4.csv",
        )
        rows.append((site, float(place["lat"]), float(place["lon"]), COVER[i]))
    pd.DataFrame(rows, columns=["site_id", "lat", "lon", "igbp"]).to_csv(folder / "sites.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(CODE)],
        cwd=folder, env={**os.environ, "MPLBACKEND": "agg"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_page_is_one_page_of_code(finished):
    lines = [line for block in CODE for line in block.splitlines() if line.strip()]
    assert len(CODE) == 6
    assert len(lines) <= 60


def test_tower_folder_holds_all_months(finished):
    gpp = pd.read_csv(finished[0] / "towers" / "gpp_monthly.csv")
    assert (gpp["core"] == 1).sum() == 12 * 24
    assert pd.read_csv(finished[0] / "towers" / "sites.csv")["c4_percent"].between(0.0, 20.0).all()


def test_weather_of_the_grid_serves_files_of_months(finished, kit, tmp_path):
    sites = read_sites(finished[0] / "sites.csv")
    sites["c4_percent"] = 0.0
    records = []
    for file in sorted((finished[0] / "fluxnet").iterdir()):
        frame = pd.read_csv(file)
        start = pd.to_datetime(frame["TIMESTAMP_START"].astype("str"), format="%Y%m%d%H%M")
        months = kit.longer(frame.set_index(start)[["P_F", "NEE_VUT_REF_QC", "GPP_NT_VUT_REF"]], "MM")
        path = tmp_path / file.name.replace("_HR_", "_MM_")
        records.append(read_fluxnet(kit.write(kit.stamped(months, "MM"), path), sites=sites))
    at_towers = sample_at_towers(TileStore.open(finished[0] / "tiles"), sites)
    write_tower_folder(records, sites, tmp_path / "towers", weather=at_towers.weather)
    towers = read_towers(tmp_path / "towers")
    assert len(towers.samples(simulate(towers.forcing))) == 12 * 24
    hours = read_towers(finished[0] / "towers").gpp
    np.testing.assert_allclose(towers.gpp["gpp_daily"], hours["gpp_daily"], rtol=0.01, atol=0.02)


def test_learning_beats_the_process_model_at_towers_left_out(finished):
    found = re.findall(r"^(\w+) +R2 (-?[\d.]+)  RMSE ([\d.]+)", finished[1], re.MULTILINE)
    r2 = {method: float(value) for method, value, _ in found}
    rmse = {method: float(value) for method, _, value in found}
    assert set(r2) == {"process", "process_calibrated", "direct", "transfer"}
    assert r2["transfer"] > 0.95
    # On twelve towers, all alike, direct learning may be a little better.
    assert rmse["transfer"] < 1.25 * rmse["direct"]
    assert rmse["transfer"] < 0.7 * rmse["process"]
    assert rmse["process_calibrated"] < 0.75 * rmse["process"]


def test_map_is_the_planet_of_the_towers(finished):
    """Against the truth itself at every cell of one type of cover: position, season and size."""
    ds = xr.open_dataset(finished[0] / "gpp.zarr", engine="zarr", consolidated=False)
    world = demonstration_region(*REGION).sel(lat=ds["lat"], lon=ds["lon"], method="nearest", tolerance=1e-6)
    assert ds.attrs["Conventions"] == "CF-1.8, ACDD-1.3"
    assert ds["gpp_daily"].attrs["standard_name"] == "gross_primary_productivity_of_biomass_expressed_as_carbon"
    land = world["igbp"].notnull().values
    gpp = ds["gpp_daily"].values
    assert np.isfinite(gpp[:, land]).all()
    assert np.isnan(gpp[:, ~land]).all()
    assert gpp[:, land].min() >= 0.0
    assert gpp[:, land].max() < 25.0
    for bound, sign in (("gpp_daily_low", 1.0), ("gpp_daily_high", -1.0)):
        assert (sign * (gpp - ds[bound].values)[:, land] >= 0.0).all()
    grown = np.isin(world["igbp"].values, [c.code for c in IGBP if c.acronym in COVER])
    expected = truth(world, grown)
    error = gpp[:, grown] - expected
    assert 1.0 - (error**2).mean() / expected.var() > 0.93
    # The towers answer to the air of hours, this truth to its mean in months: they differ by some percent.
    assert abs(error.mean()) < 0.15 * expected.mean()
    annual = np.corrcoef(gpp[:, grown].mean(axis=0), expected.mean(axis=0))[0, 1]
    assert annual > 0.95


def test_model_is_one_file_and_the_plot_is_drawn(finished, tmp_path):
    write_netcdf(finished[0] / "gpp.zarr", tmp_path / "gpp.nc")
    with xr.open_dataset(tmp_path / "gpp.nc", engine="h5netcdf") as ds:
        assert ds["gpp_daily"].notnull().sum() > 12 * 5000
    assert (finished[0] / "model.zip").stat().st_size > 10_000
    assert plt.imread(finished[0] / "gpp.png").std() > 0.1
