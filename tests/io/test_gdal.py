"""Attributes that GDAL keeps as texts in other places when it translates HDF4 and HDF5 to netCDF."""

import shutil
import subprocess

import numpy as np
import pytest
import xarray as xr

from gppcore.io.cf import masked, open_cf

VALUES = np.full((6, 8), 30, "u1")
VALUES[0, :3] = 255, 249, 100
GROUP = "HDFEOS/GRIDS/VIIRS_Grid_8Day_VNP15A2H/Data Fields"
GDAL = shutil.which("gdal_translate")


def write(path, band, whole):
    attrs = {"_Unsigned": "true", "valid_range": np.array([0, 255], "i2"), **band}
    axes = {"lat": np.arange(6.0), "lon": np.arange(8.0)}
    ds = xr.Dataset({"Band1": (("lat", "lon"), VALUES.view("i1"), attrs)}, axes, {"GDAL": "GDAL 3.6.2", **whole})
    ds.to_netcdf(path, engine="h5netcdf")


def leaf_area(path):
    with open_cf(path, "lai") as ds:
        return masked(ds["Band1"].values, ds["Band1"]), ds["Band1"].attrs.get("units")


@pytest.mark.parametrize(
    ("band", "whole"),
    [
        ({"scale_factor": 0.1}, {"GDAL_valid_range": "0, 100", "GDAL__FillValue": "255", "GDAL_units": "m^2/m^2"}),
        ({}, {"GDAL_scale_factor": "0.1", "GDAL_valid_range": "0, 100", "GDAL_units": "m^2/m^2"}),
        (
            {},
            {
                "GDAL_scale_factor": np.float32(0.1),
                "GDAL_valid_range": "0, 100",
                "GDAL__FillValue": np.int32(255),
                "GDAL_units": "m^2/m^2",
            },
        ),
        ({"X_Lai_scale_factor": "0.1 ", "X_Lai_valid_range": "0 100 ", "X_Lai_units": "m^2/m^2"}, {}),
        ({"X_Lai_scale_factor": "0.1 ", "X_Lai_valid_range": "{0, 100}", "units": "m^2/m^2"}, {}),
    ],
    ids=["gdal_translate", "scale as text", "gdalwarp", "HDF5", "braces"],
)
def test_scale_range_and_unit_are_those_of_the_data(tmp_path, band, whole):
    write(tmp_path / "a.nc", band, whole)
    values, unit = leaf_area(tmp_path / "a.nc")
    assert unit == "m^2/m^2"
    assert np.isnan(values[0, :2]).all()
    np.testing.assert_allclose(values[0, 2], 10.0)
    np.testing.assert_allclose(values[1:], 3.0)


def test_a_fill_value_alone_is_enough(tmp_path):
    write(tmp_path / "a.nc", {}, {"GDAL__FillValue": "255"})
    values, _ = leaf_area(tmp_path / "a.nc")
    assert np.argwhere(np.isnan(values)).tolist() == [[0, 0]]
    assert values[0, 1] == 249.0


def test_attributes_of_two_fields_are_not_mixed(tmp_path):
    write(tmp_path / "a.nc", {"X_Lai_valid_range": "0 100", "X_Fpar_valid_range": "0 40"}, {})
    values, _ = leaf_area(tmp_path / "a.nc")
    assert np.isfinite(values).all()


def test_other_files_are_left_alone(tmp_path):
    ds = xr.Dataset({"Band1": (("lat", "lon"), VALUES)}, {"lat": np.arange(6.0), "lon": np.arange(8.0)})
    ds.assign_attrs(GDAL_valid_range="0, 100").to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    values, _ = leaf_area(tmp_path / "a.nc")
    assert np.isfinite(values).all()


@pytest.mark.skipif(GDAL is None, reason="needs gdal_translate")
def test_what_gdal_writes_is_read(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "VNP15A2H.h5", "w") as file:
        data = file.create_group(GROUP).create_dataset("Lai", data=VALUES)
        file[GROUP].create_dataset("FparLai_QC", data=VALUES)  # one more, as in the product
        data.attrs.update(scale_factor=[0.1], add_offset=[0.0], units=np.bytes_("m^2/m^2"))
        data.attrs["valid_range"], data.attrs["_FillValue"] = np.array([0, 100], "u1"), np.array([255], "u1")
    field = f'HDF5:"{tmp_path / "VNP15A2H.h5"}"://{GROUP.replace(" ", "_")}/Lai'
    place = ("-a_srs", "EPSG:4326", "-a_ullr", "5", "50", "9", "47")
    subprocess.run([GDAL, "-q", "-of", "netCDF", *place, field, tmp_path / "a.nc"], check=True)
    values, unit = leaf_area(tmp_path / "a.nc")
    assert unit == "m^2/m^2"
    assert np.isnan(values[-1, :2]).all()
    np.testing.assert_allclose(values[:-1], 3.0)
