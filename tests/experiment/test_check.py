"""The check of an experiment: every fault of the inputs before anything is computed."""

import pytest
import xarray as xr

from gppcore import Experiment


def found(folder):
    return {f.item: f for f in Experiment.read(folder / "experiment.toml").check()}


def change(folder, file, edit):
    with xr.open_dataset(folder / file) as ds:
        ds = ds.load()
    edit(ds).to_netcdf(folder / file, engine="h5netcdf")


def test_good_inputs(world):
    findings = found(world)
    assert not [f for f in findings.values() if f.fault], findings
    assert "6 sites in 6 files, 144 core months" in findings["towers"].text
    assert "of 0.1 degrees" in findings["cells"].text
    assert not (world / "results").exists()


def test_missing_file(world):
    (world / "lai.nc").unlink()
    findings = found(world)
    assert findings["lai"].fault
    assert "lai.nc" in findings["lai"].text
    assert not findings["sw"].fault


def test_missing_months(world):
    change(world, "era5.nc", lambda ds: ds.isel(valid_time=slice(0, 20)))
    assert "month 9 of 2002" in found(world)["tmin"].text


def test_wrong_unit(world):
    change(world, "era5.nc", lambda ds: ds.assign(mn2t=ds["mn2t"].assign_attrs(units="hPa")))
    finding = found(world)["tmin"]
    assert finding.fault
    assert "UnitsError" in finding.text


def test_values_out_of_range(world):
    change(world, "lai.nc", lambda ds: ds.assign(LAI=ds["LAI"] + 250.0))
    assert "RangeError" in found(world)["lai"].text


def test_lacking_predictor_says_what_to_add(world):
    path = world / "experiment.toml"
    path.write_text(path.read_text().replace('predictors = "small"', 'predictors = ["tair", "evi"]'))
    finding = found(world)["predictors"]
    assert finding.fault
    assert "[variables.evi]" in finding.text


def test_faulty_tower_file_is_left_out_and_told(world):
    (world / "gpp" / "broken.csv").write_text("a,b\n1,2\n")
    findings = found(world)
    assert not findings["towers"].fault
    assert "left out" in findings["towers: broken.csv"].text


@pytest.mark.parametrize("file", ["sites.csv", "cover.nc"])
def test_missing_inputs_of_all_kinds(world, file):
    (world / file).unlink()
    assert any(f.fault and file in f.text for f in found(world).values())


def test_years_of_land_cover_are_told(world):
    with xr.open_dataset(world / "cover.nc") as ds:
        ds = ds.load()
    for year in (2000, 2001):
        ds.to_netcdf(world / f"cover_{year}.nc", engine="h5netcdf")
    path = world / "experiment.toml"
    path.write_text(
        path.read_text().replace('[variables.igbp]\npath = "cover.nc"', '[variables.igbp]\npath = "cover_*.nc"')
    )
    findings = found(world)
    assert "; files of 2000-2001, averaged over the years; 2002: that of the nearest year" in findings["igbp"].text
