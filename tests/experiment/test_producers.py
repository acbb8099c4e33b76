"""Files in the structure of their producers, read by the templates of `gppcore init`: only the years are edited."""

import tomllib
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore import Experiment, TileStore
from gppcore.cli.experiment import TEMPLATES
from gppcore.tiles.build import build_tiles

YEAR = 2015
SOUTH, NORTH, WEST, EAST = 46.0, 48.0, 6.0, 8.0
DAYS = pd.date_range(f"{YEAR}-01-01", f"{YEAR}-12-31")
COMPOSITES = [f"{YEAR}{day:03d}" for day in range(1, 366, 8)]
GPP = (0.2, 0.3, 1.1, 3.0, 6.2, 8.1, 8.0, 6.9, 4.2, 2.1, 0.8, 0.3)
CLASSES = np.array([4, 4, 10, 12], "u1")  # IGBP of the quarters of a cell: DBF, DBF, GRA, CRO


def centres(step, margin=0.0, *, north_first=True):
    """Return latitudes and longitudes of a grid over the region and a margin."""
    lat = np.arange(SOUTH - margin + step / 2, NORTH + margin, step)
    return (lat[::-1] if north_first else lat), np.arange(WEST - margin + step / 2, EAST + margin, step)


def write(ds, path, **options):
    path.parent.mkdir(exist_ok=True)
    ds.to_netcdf(path, engine="h5netcdf", **options)


# Reanalyses


def era5(folder, key, step, *, monthly, sums=None):
    """Write monthly means and daily extremes as the CDS delivers them since 2024: valid_time, number, expver."""
    lat, lon = np.arange(50, 43.9, -step), np.arange(4, 10.1, step)
    months = pd.date_range(f"{YEAR}-01-01", periods=12, freq="MS")
    fields = {
        "d2m": (278.15, "K"),
        "t2m": (283.15, "K"),
        "ssrd": (1.2e7, "J m**-2"),
        "tp": (0.002, "m"),
    }
    files = {monthly: fields} if sums is None else {monthly: ("d2m", "t2m"), sums: ("ssrd", "tp")}
    for path, names in files.items():
        shape = (12, lat.size, lon.size)
        variables = {
            name: (
                ("valid_time", "latitude", "longitude"),
                np.full(shape, fields[name][0], "f4"),
                {"units": fields[name][1]},
            )
            for name in names
        }
        write(of_cds(variables, months, lat, lon), folder / path, encoding=seconds())
    for name, kelvin in (("min", 278.15), ("max", 288.15)):
        values = np.full((DAYS.size, lat.size, lon.size), kelvin, "f4")
        ds = of_cds({"t2m": (("valid_time", "latitude", "longitude"), values, {"units": "K"})}, DAYS, lat, lon)
        ds = ds.drop_vars("expver")
        encoding = {"valid_time": {"units": f"days since {YEAR}-01-01", "dtype": "i8"}}
        write(ds, folder / f"{key}_daily_{name}_{YEAR}.nc", encoding=encoding)


def of_cds(variables, time, lat, lon):
    axes = {
        "valid_time": ("valid_time", time, {"long_name": "time", "standard_name": "time"}),
        "latitude": (
            "latitude",
            lat,
            {"units": "degrees_north", "standard_name": "latitude", "stored_direction": "decreasing"},
        ),
        "longitude": ("longitude", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        "number": ((), 0, {"units": "1", "standard_name": "realization"}),
        "expver": ("valid_time", np.full(time.size, "0001")),
    }
    return xr.Dataset(variables, axes, {"Conventions": "CF-1.7", "GRIB_centre": "ecmf"}).set_coords(
        ["number", "expver"]
    )


def seconds():
    return {"valid_time": {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian", "dtype": "i8"}}


def cru(folder):
    """Write 6-hourly fields of a year without leap day at half a degree, from south to north, and daily extremes."""
    lat, lon = np.arange(44.25, 50, 0.5), np.arange(4.25, 10, 0.5)
    steps = np.arange(4 * 365) / 4.0 + 365.0 * (YEAR - 1901)
    fields = {
        "spfh": (0.006, "kg/kg", f"crujra.v2.5.5d.spfh.{YEAR}.365d.noc.nc"),
        "pres": (95000.0, "Pa", f"crujra.v2.5.5d.pres.{YEAR}.365d.noc.nc"),
        "dswrf": (1.2e7 / 4.0, "J/m2", f"crujra.v2.5.5d.dswrf.{YEAR}.365d.noc.nc"),
        "pre": (0.5, "mm/6h", f"crujra.v2.5.5d.pre.{YEAR}.365d.noc.nc"),
        "tmin": (278.15, "Degrees Kelvin", f"crujra_tmin_daily_{YEAR}.nc"),
        "tmax": (288.15, "Degrees Kelvin", f"crujra_tmax_daily_{YEAR}.nc"),
    }
    for name, (value, unit, path) in fields.items():
        time = steps[2::4] if "daily" in path else steps
        attrs = {"units": unit, "long_name": name}
        values = np.full((time.size, lat.size, lon.size), value, "f4")
        values[:, :2, :2] = np.nan  # sea
        axes = {
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
            "time": ("time", time, {"units": "days since 1901-1-1 00:00:00", "calendar": "365_day"}),
        }
        ds = xr.Dataset({name: (("time", "lat", "lon"), values, attrs)}, axes)
        write(
            ds,
            folder / path,
            encoding={name: {"_FillValue": np.float32(-9.99e8), "missing_value": np.float32(-9.99e8)}},
        )


# What GDAL 3.6 makes of HDF4 and HDF5 (`gdal_translate`, `gdalwarp`)


def gdal(path, values, step, attrs, *, scale=None, group=None):
    """Write bytes as `Band1`, signed in the file, from south to north; attributes are texts where GDAL leaves them."""
    lat, lon = centres(step)
    band = {"long_name": "GDAL Band Number 1", "_Unsigned": "true", "valid_range": np.array([0, 255], "i2")}
    band |= {"grid_mapping": "crs"} | ({"scale_factor": scale} if scale and group is None else {})
    kept = attrs | ({"scale_factor": f"{scale}", "add_offset": "0"} if scale else {})
    band |= {f"{group}_{key}": f"{text} " for key, text in kept.items()} if group else {}
    whole = {} if group else {f"GDAL_{key}": text for key, text in kept.items()}
    axes = {
        "lat": ("lat", lat[::-1], {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"}),
        "lon": ("lon", lon, {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"}),
    }
    variables = {
        "crs": (
            (),
            b"",
            {"grid_mapping_name": "latitude_longitude", "GeoTransform": f"{WEST} {step} 0 {NORTH} 0 -{step} "},
        ),
        "Band1": (("lat", "lon"), values[::-1].astype("u1").view("i1"), band),
    }
    write(xr.Dataset(variables, axes, {"Conventions": "CF-1.5", "GDAL": "GDAL 3.6.2", **whole}), path)


def leaf_area(step):
    """Return packed leaf area of 3.0 with fill values and codes of cloud and water."""
    values = np.full([centres(step)[0].size, centres(step)[1].size], 30)
    values[0, :8] = 255, 254, 253, 252, 251, 250, 249, 255
    return values


def modis(folder):
    attrs = {
        "units": "m^2/m^2",
        "valid_range": "0, 100",
        "_FillValue": "255",
        "long_name": "MOD15A2H Gridded 500M Leaf Area",
    }
    for day in COMPOSITES:
        gdal(folder / f"MOD15A2H.A{day}.nc", leaf_area(0.025), 0.025, attrs, scale=0.1)


def viirs(folder):
    group = "HDFEOS_GRIDS_VIIRS_Grid_LAIFPAR_Data_Fields_Lai"
    attrs = {"units": "m^2/m^2", "valid_range": "0 100", "_FillValue": "255"}
    for day in COMPOSITES:
        gdal(folder / f"VNP15A2H.A{day}.nc", leaf_area(0.025), 0.025, attrs, scale=0.1, group=group)


def glass(folder):
    attrs = {"units": "m^2/m^2", "valid_range": "0, 100", "_FillValue": "255"}
    for day in COMPOSITES:
        gdal(folder / f"GLASS01B01.V60.A{day}.2022010.nc", leaf_area(0.05), 0.05, attrs, scale=0.1)


def globmap(folder):
    """Write GeoTIFF of 16 bits without scale, one every eight days."""
    rasterio = pytest.importorskip("rasterio")
    pytest.importorskip("rioxarray")
    step = 4.0 / 55.0
    shape = (28, 28)
    where = rasterio.transform.from_origin(WEST, NORTH, step, step)
    options = {"height": shape[0], "width": shape[1], "count": 1, "dtype": "int16", "crs": "EPSG:4326"}
    for day in COMPOSITES:
        with rasterio.open(
            folder / f"GlobMapLAIV3.A{day}.Global.LAI.tif", "w", driver="GTiff", transform=where, **options
        ) as f:
            f.write(np.full((1, *shape), 300, "i2"))


def quarters(step):
    """Return IGBP classes that differ in the quarters of every cell of 0.1 degrees."""
    n = centres(step)[0].size
    half = round(0.05 / step)
    number = (np.arange(n) // half % 2)[:, None] * 2 + (np.arange(n) // half % 2)[None]
    return CLASSES[number]


def mcd12c1(folder):
    """Write the majority classes of three years at 0.05 degrees."""
    attrs = {
        "units": "class number",
        "valid_range": "0, 16",
        "_FillValue": "255",
        "long_name": "Majority_Land_Cover_Type_1",
    }
    for year in (2010, YEAR, YEAR + 1):
        gdal(folder / f"MCD12C1.A{year}001.nc", quarters(0.05), 0.05, attrs)


def mcd12q1(folder):
    attrs = {"units": "class", "valid_range": "1, 17", "_FillValue": "255"}
    for year in (YEAR - 1, YEAR):
        gdal(folder / f"MCD12Q1.A{year}001.nc", quarters(0.025), 0.025, attrs)


def esa(folder):
    """Write classes with bounds and a time of one step; ESA CCI has bytes with a sign, C3S has unsigned ones."""
    lat, lon = centres(1 / 360)
    to_esa = np.zeros(256, "u1")
    to_esa[[4, 10, 12]] = 60, 130, 10
    classes = np.kron(to_esa[CLASSES].reshape(2, 2), np.ones((18, 18), "u1"))
    classes = np.tile(classes, (lat.size // 36, lon.size // 36))
    classes[0, 0] = 220
    half = 0.5 / 360
    for year, path in (
        (YEAR - 1, f"ESACCI-LC-L4-LCCS-Map-300m-P1Y-{YEAR - 1}-v2.0.7cds.nc"),
        (YEAR, f"C3S-LC-L4-LCCS-Map-300m-P1Y-{YEAR}-v2.1.1.nc"),
    ):
        signed = path.startswith("ESACCI")
        ends = (np.int8(1), np.int8(-36)) if signed else (np.uint8(1), np.uint8(220))
        attrs = {"standard_name": "land_cover_lccs", "valid_min": ends[0], "valid_max": ends[1]}
        attrs |= {"_Unsigned": "true"} if signed else {}
        days = (pd.Timestamp(year, 1, 1) - pd.Timestamp(1970, 1, 1)).days
        ds = xr.Dataset(
            {
                "lccs_class": (("time", "lat", "lon"), classes.view("i1" if signed else "u1")[None], attrs),
                "lat_bounds": (("lat", "bounds"), np.stack([lat + half, lat - half], 1)),
                "lon_bounds": (("lon", "bounds"), np.stack([lon - half, lon + half], 1)),
                "time_bounds": (("time", "bounds"), [[float(days), days + 364.0]]),
            },
            {
                "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude", "bounds": "lat_bounds"}),
                "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude", "bounds": "lon_bounds"}),
                "time": (
                    "time",
                    [float(days)],
                    {"units": "days since 1970-01-01", "calendar": "standard", "bounds": "time_bounds"},
                ),
            },
        )
        write(ds, folder / path)


# Other inputs and the tests


def others(folder):
    """Write land, C4 share and towers."""
    lat, lon = centres(0.1)
    axes = {"lat": ("lat", lat, {"units": "degrees_north"}), "lon": ("lon", lon, {"units": "degrees_east"})}
    land = np.ones((lat.size, lon.size), "f4")
    write(xr.Dataset({"topo": (("lat", "lon"), land)}, axes), folder / "land.nc")
    write(xr.Dataset({"c4_fraction": (("lat", "lon"), 10.0 * land, {"units": "%"})}, axes), folder / "c4.nc")
    (folder / "fluxnet").mkdir()
    rows = {"site_id": "XX-One", "year": YEAR, "month": range(1, 13), "gpp_daily": GPP}
    pd.DataFrame(rows).to_csv(folder / "fluxnet" / "XX-One.csv", index=False)
    site = {"site_id": ["XX-One"], "lat": [47.0], "lon": [7.0], "igbp": ["GRA"], "elev_m": [400.0]}
    pd.DataFrame(site).to_csv(folder / "sites.csv", index=False)


PRODUCERS = {
    "era5-modis": (
        lambda folder: era5(folder, "era5", 0.25, monthly=f"era5_avgua_{YEAR}.nc", sums=f"era5_avgad_{YEAR}.nc"),
        modis,
        mcd12c1,
    ),
    "era5land-viirs": (
        lambda folder: era5(folder, "era5land", 0.1, monthly=f"era5land_monthly_{YEAR}.nc"),
        viirs,
        esa,
    ),
    "cru-glass": (cru, glass, mcd12q1),
    "cru-globmap": (cru, globmap, esa),
}


def test_every_template_is_tried():
    assert set(PRODUCERS) == set(TEMPLATES) - {"demo"}


pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of rasterio


@pytest.fixture(params=PRODUCERS)
def experiment(request, tmp_path):
    """Return the experiment of a template on files of its producers, its years set to the one that they hold."""
    for producer in PRODUCERS[request.param]:
        producer(tmp_path)
    others(tmp_path)
    text = files("gppcore.experiment").joinpath("templates", f"{request.param}.toml").read_text("utf-8")
    years = tomllib.loads(text)["years"]
    text = text.replace(f"years = [{years[0]}, {years[1]}]", f"years = [{YEAR}, {YEAR}]")
    (tmp_path / "experiment.toml").write_text(text)
    return Experiment.read(tmp_path / "experiment.toml")


def test_template_reads_the_files_of_its_producers(experiment, tmp_path):
    findings = experiment.check()
    assert not [finding for finding in findings if finding.fault], findings
    store = build_tiles(experiment.settings.recipe, tmp_path / "tiles")

    def months(name):
        return np.stack([store.read_field(name, month) for month in range(12)])

    def close(name, expected):
        np.testing.assert_allclose(months(name), expected, rtol=2e-3, err_msg=name)

    close("tmin", 5.0)
    close("tmax", 15.0)
    close("sw", 1.2e7 / 86400.0)
    close("precip", 2.0)
    if "dewpoint" in store.variables:
        close("dewpoint", 5.0)
    else:
        close("specific_humidity", 0.006)
        close("patm", 95000.0)
    lai = months("lai")
    assert np.isfinite(lai).mean() > 0.98
    np.testing.assert_allclose(lai[np.isfinite(lai)], 3.0, rtol=2e-3)
    np.testing.assert_allclose(store.read_field("c4_fraction"), 0.1, rtol=2e-3)
    fine = store.shape[0] > 30  # cells of 0.05 degrees have one class each
    shares = {name: store.read_field(f"fraction_{name}").mean() for name in ("dbf", "grass", "crop")}
    assert shares == pytest.approx({"dbf": 0.5, "grass": 0.25, "crop": 0.25}, abs=1e-3)
    assert fine == (len(np.unique(store.read_field("igbp"))) > 1)


def test_tiles_of_the_experiment_are_those(tmp_path):
    """The first step of a run takes the files of a template as they are."""
    for producer in PRODUCERS["era5-modis"]:
        producer(tmp_path)
    others(tmp_path)
    text = files("gppcore.experiment").joinpath("templates", "era5-modis.toml").read_text("utf-8")
    (tmp_path / "experiment.toml").write_text(text.replace("[2001, 2020]", f"[{YEAR}, {YEAR}]"))
    Experiment.read(tmp_path / "experiment.toml").run(to="tiles")
    store = TileStore.open(tmp_path / "results" / "tiles")
    assert {"vpd", "soil_water", "tair", "sw_toa", "ca", "fraction_dbf"} <= set(store.variables)
