"""The same tower in the layout of each producer comes to the same months."""

import zipfile

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore.errors import TowerFormatError
from gppcore.towers.files import monthly_gpp, monthly_weather, read_fluxnet
from gppcore.towers.files.batch import read_files, tower_files


@pytest.fixture(scope="module")
def year(kit):
    """One year of half-hours of the standard tower."""
    return kit.hours(kit.Made(years=1))


@pytest.fixture(scope="module")
def truth(kit, year, tmp_path_factory):
    """Months of the year in the layout of FLUXNET2015."""
    path = tmp_path_factory.mktemp("truth") / "FLX_DE-Mad_FLUXNET2015_FULLSET_HH_2003-2003_1-4.csv"
    return read_fluxnet(kit.write(kit.stamped(year, "HH"), path))


REDDYPROC = {
    "NEE_VUT_REF": "NEE_uStar_f",
    "NEE_VUT_REF_QC": "NEE_uStar_fqc",
    "GPP_NT_VUT_REF": "GPP_uStar_f",
    "GPP_DT_VUT_REF": "GPP_DT_uStar",
    "TA_F": "Tair_f",
    "SW_IN_F": "Rg_f",
    "VPD_F": "VPD_f",
}


def ends(frame):
    return frame.index + pd.Timedelta(minutes=30)


def text_of(table, path, **options):
    table.to_csv(path, index=False, **options)
    return path


def reddyproc(year, folder):
    """Tabs, a row of units, and the day of the year with a decimal hour that ends the step."""
    table = year[list(REDDYPROC)].rename(columns=REDDYPROC)
    start = year.index
    hour = start.hour + start.minute / 60 + 0.5
    table = pd.concat(
        [pd.DataFrame({"Year": start.year, "DoY": start.day_of_year, "Hour": hour}, index=year.index), table], axis=1
    )
    units = ["-", "-", "-", "umolm-2s-1", "-", "umolm-2s-1", "umolm-2s-1", "degC", "Wm-2", "hPa"]
    body = table.to_csv(index=False, sep="\t", na_rep="-9999")
    first, _, rest = body.partition("\n")
    path = folder / "DE-Mad.txt"
    path.write_text(first + "\n" + "\t".join(units) + "\n" + rest)
    return path


def reddyproc_of_r(year, folder):
    """Write a table as R does: names of rows, quotes, NA, midnight without its time, stamps of ends."""
    table = year[list(REDDYPROC)].rename(columns=REDDYPROC)
    stamps = ends(year)
    written = np.where(stamps == stamps.floor("D"), stamps.strftime("%Y-%m-%d"), stamps.strftime("%Y-%m-%d %H:%M:%S"))
    table.insert(0, "DateTime", written)
    path = folder / "DE-Mad.csv"
    table.reset_index(drop=True).rename(index=lambda i: str(i + 1)).to_csv(path, na_rep="NA", quoting=2)
    return path


LA_THUILE = {
    "NEE_VUT_REF": "NEE_f",
    "GPP_NT_VUT_REF": "GPP_f",
    "TA_F": "Ta_f",
    "SW_IN_F": "Rg_f",
    "VPD_F": "VPD_f",
    "P_F": "precip_f",
    "CO2_F_MDS": "CO2",
}


def la_thuile(year, folder):
    """One file of each year, decimal hours that end the step, and flags that are 1 where values are good."""
    table = year[list(LA_THUILE)].rename(columns=LA_THUILE)
    stamps = ends(year)
    table.insert(0, "Time", stamps.hour + stamps.minute / 60)
    table.insert(0, "DoY", stamps.day_of_year)
    table.insert(0, "Year", stamps.year)
    table["NEE_fqcOK"] = (year["NEE_VUT_REF_QC"] <= 1).astype(int)
    table["Reco"] = table["GPP_f"] + table["NEE_f"]
    return text_of(table, folder / "DE-Mad.2003.synth.hourly.allvars.csv", na_rep="-9999")


PLAIN = {"TA_F": "tair", "SW_IN_F": "sw", "VPD_F": "VPD", "P_F": "P", "CO2_F_MDS": "ca", "NEE_VUT_REF": "nee"}
PLAIN |= {"NEE_VUT_REF_QC": "NEE_VUT_REF_QC", "GPP_NT_VUT_REF": "gpp_nt", "GPP_DT_VUT_REF": "gpp_dt"}


def with_parts(year, folder):
    table = year[list(PLAIN)].rename(columns=PLAIN)
    for part in ("minute", "hour", "day", "month", "year"):
        table.insert(0, part.capitalize(), getattr(year.index, part))
    return text_of(table, folder / "DE-Mad.csv")


def with_day_of_year(year, folder):
    table = year[list(PLAIN)].rename(columns=PLAIN)
    table.insert(0, "HHMM", 0)
    table.insert(0, "hour", year.index.hour * 100 + year.index.minute)
    table.insert(0, "doy", year.index.day_of_year)
    table.insert(0, "year", year.index.year)
    return text_of(table.drop(columns="HHMM"), folder / "DE-Mad.csv")


def dated(form):
    def write(year, folder):
        table = year[list(PLAIN)].rename(columns=PLAIN)
        table.insert(0, "date", year.index.strftime(form))
        return text_of(table, folder / "DE-Mad.csv")

    return write


def date_and_time(year, folder):
    table = year[list(PLAIN)].rename(columns=PLAIN)
    table.insert(0, "Time", year.index.strftime("%H:%M"))
    table.insert(0, "Date", year.index.strftime("%d.%m.%Y"))
    return text_of(table, folder / "DE-Mad.csv")


def semicolons(year, folder):
    table = year[list(PLAIN)].rename(columns=PLAIN)
    table.insert(0, "time", year.index)
    return text_of(table, folder / "DE-Mad.csv", sep=";")


def units_of_ones_own(year, folder):
    """State units in a row; they outweigh those of the names."""
    table = year[list(PLAIN)].rename(columns=PLAIN)
    table["tair"] += 273.15
    table["VPD"] /= 10.0
    table.insert(0, "time", year.index.strftime("%Y-%m-%d %H:%M"))
    units = ["-", "K", "W m-2", "kPa", "mm", "ppm", "umol m-2 s-1", "-", "umol m-2 s-1", "umol m-2 s-1"]
    body = table.to_csv(index=False)
    first, _, rest = body.partition("\n")
    (folder / "DE-Mad.csv").write_text(f"{first}\n{','.join(units)}\n{rest}")
    return folder / "DE-Mad.csv"


def hesseflux(year, folder):
    """Write as its script for europe-fluxdata.eu: night-time partitioning is 1_1_1, day-time 1_1_2, f is filled."""
    lost = np.random.default_rng(5).random(len(year)) < 0.4
    table = pd.DataFrame({"TIMESTAMP_END": ends(year).strftime("%Y%m%d%H%M")}, index=year.index)
    for name, column in (("NEE", "NEE_VUT_REF"), ("GPP", "GPP_NT_VUT_REF")):
        table[f"{name}_1_1_1"] = year[column].mask(lost)
    table["GPP_1_1_2"] = year["GPP_DT_VUT_REF"].mask(lost)
    table[["SW_IN_1_1_1", "TA_1_1_1", "VPD_1_1_1"]] = year[["SW_IN_F", "TA_F", "VPD_F"]]
    table["NEE_f_1_1_1"], table["GPP_f_1_1_1"] = year["NEE_VUT_REF"], year["GPP_NT_VUT_REF"]
    table["GPP_f_1_1_2"] = year["GPP_DT_VUT_REF"]
    for name in ("NEE_f_1_1_1", "GPP_f_1_1_1", "GPP_f_1_1_2"):
        table[f"flag_{name}"] = year["NEE_VUT_REF_QC"].astype(int)
    return text_of(table, folder / "DE-Mad_europe-fluxdata_2003-post.csv", na_rep="-9999")


def plumber(year, folder):
    """PLUMBER2: one cell, SI units, stamps of starts."""
    columns = {
        "Tair": (year["TA_F"] + 273.15, "K"),
        "SWdown": (year["SW_IN_F"], "W/m2"),
        "VPD": (year["VPD_F"], "hPa"),
        "Precip": (year["P_F"] / 1800.0, "mm/s"),
        "CO2air": (year["CO2_F_MDS"], "ppm"),
        "GPP": (year["GPP_NT_VUT_REF"], "umol/m2/s"),
        "GPP_DT": (year["GPP_DT_VUT_REF"], "umol/m2/s"),
        "NEE": (year["NEE_VUT_REF"], "umol/m2/s"),
        "NEE_qc": (year["NEE_VUT_REF_QC"], "-"),
    }
    data = xr.Dataset(
        {
            name: (("time", "y", "x"), v.to_numpy()[:, None, None], {"units": unit})
            for name, (v, unit) in columns.items()
        },
        {"time": year.index.to_numpy()},
        {"site_code": "DE-Mad", "latitude": 51.0},
    )
    data.to_netcdf(folder / "DE-Mad_2003-2003_FLUXNET2015_Flux.nc", engine="h5netcdf")
    return folder / "DE-Mad_2003-2003_FLUXNET2015_Flux.nc"


def ozflux(year, folder):
    """OzFlux L6: kPa, mm, stamps of ends."""
    columns = {
        "Ta": (year["TA_F"], "degC"),
        "Fsd": (year["SW_IN_F"], "W/m^2"),
        "VPD": (year["VPD_F"] / 10.0, "kPa"),
        "Precip": (year["P_F"], "mm"),
        "CO2": (year["CO2_F_MDS"], "umol/mol"),
        "GPP_LT": (year["GPP_NT_VUT_REF"], "umol/m^2/s"),
        "GPP_LL": (year["GPP_DT_VUT_REF"], "umol/m^2/s"),
        "Fco2": (year["NEE_VUT_REF"], "umol/m^2/s"),
        "NEE_qc": (year["NEE_VUT_REF_QC"], "1"),
    }
    dims = ("time", "latitude", "longitude")
    data = xr.Dataset(
        {name: (dims, v.to_numpy()[:, None, None], {"units": unit}) for name, (v, unit) in columns.items()},
        {"time": ends(year).to_numpy(), "latitude": [51.0], "longitude": [13.5]},
        {"fluxnet_id": "DE-Mad", "site_name": "Made up", "time_zone": "Europe/Berlin"},
    )
    data.to_netcdf(folder / "MadeUp_L6.nc", engine="h5netcdf")
    return folder / "MadeUp_L6.nc"


LAYOUTS = {
    "REddyProc with tabs": reddyproc,
    "REddyProc from R": reddyproc_of_r,
    "year to minute": with_parts,
    "day of the year and HHMM": with_day_of_year,
    "d/m/y": dated("%d/%m/%Y %H:%M"),
    "m/d/y": dated("%m/%d/%Y %H:%M"),
    "d.m.y with seconds": dated("%d.%m.%Y %H:%M:%S"),
    "digits": dated("%Y%m%d%H%M"),
    "date and time": date_and_time,
    "semicolons": semicolons,
    "row of units": units_of_ones_own,
    "PLUMBER2": plumber,
    "OzFlux": ozflux,
    "La Thuile": la_thuile,
    "hesseflux": hesseflux,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_months_of_all_layouts_are_the_same(year, truth, tmp_path, layout):
    record = read_fluxnet(LAYOUTS[layout](year, tmp_path))
    assert (record.site, record.step, len(record.table)) == ("DE-Mad", "HH", len(year))
    assert record.table.index.equals(truth.table.index)
    ours, wanted = monthly_gpp(record), monthly_gpp(truth)
    for name in ("gpp", *(("gpp_dt",) if layout != "La Thuile" else ()), "nee"):
        np.testing.assert_allclose(ours[name], wanted[name], rtol=1e-4, atol=1e-3)
    assert ours["core"].tolist() == wanted["core"].tolist()
    weather, there = monthly_weather(record), monthly_weather(truth)
    for name in ("tmin", "tmax", "sw", "precip", "ca"):
        if weather[name].notna().any():
            np.testing.assert_allclose(weather[name], there[name], rtol=1e-3, atol=1e-2)


# lat, lon, hours ahead of UTC, mean, half the range of the year and of the day, rain, dryness, leaves
CLIMATES = {
    "boreal": (67.4, 26.6, 2.0, -1.0, 13.0, 3.5, 1.4, 1.0, 10.0),
    "arctic": (78.2, 15.9, 1.0, -4.0, 10.0, 1.5, 0.5, 1.0, 2.5),
    "Amazon": (-3.0, -60.2, -4.0, 26.5, 1.0, 4.0, 6.5, 1.0, 35.0),
    "desert": (31.8, -110.9, -7.0, 18.0, 9.0, 8.0, 0.8, 2.5, 6.0),
    "savanna": (-12.5, 131.2, 9.5, 27.0, 3.0, 6.0, 4.5, 1.3, 16.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("climate", CLIMATES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_good_files_of_all_layouts_and_climates_raise_no_alarm(kit, tmp_path, layout, climate):
    frame = kit.hours(kit.Made("DE-Mad", *CLIMATES[climate], years=1, seed=11))
    path = LAYOUTS[layout](frame, tmp_path)
    reading = read_files([path], n_processes=1)[0]
    assert not reading.faults
    alarms = [
        note for note in reading.months[0].notes if "missing in 12 of 12" not in note and "all weather" not in note
    ]
    assert not alarms
    wanted = frame["GPP_NT_VUT_REF"].resample("MS").mean().to_numpy() * 12.011e-6 * 86400
    np.testing.assert_allclose(reading.months[0].gpp["gpp"], wanted, rtol=1e-3, atol=0.002)
    assert (reading.months[0].gpp["core"] == 1).all()


@pytest.mark.parametrize(
    "name",
    [
        "FLX_DE-Mad_FLUXNET_FLUXMET_HH_2003-2003_v1.3_r1.csv",
        "AMF_DE-Mad_FLUXNET_FULLSET_HH_2003-2003_5-7.csv",
        "ICOSETC_DE-Mad_FLUXNET_HH_L2.csv",
        "JPX_DE-Mad_FLUXNET_FLUXMET_HH_2003-2003_v1.3_r1.csv",
        "EUF_DE-Mad_FLUXNET_FLUXMET_HH_2003-2003_v1.3_r1.csv",
    ],
)
def test_names_of_the_networks_of_2025(kit, year, truth, tmp_path, name):
    """In a zip archive made on a Mac, with the other products of the network."""
    kit.write(kit.stamped(year, "HH"), tmp_path / name)
    path = tmp_path / (name.split(".")[0] + ".zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / name, f"towers/{name}")
        archive.writestr(f"__MACOSX/towers/._{name}", b"\0\5\26\7")
        archive.writestr("towers/.DS_Store", b"\0\0")
        archive.writestr("towers/README.txt", "Cite, please")
        for product in ("BIF", "BIFVARINFO_HH", "ERA5_HH"):
            archive.writestr(
                f"towers/{name.split('_')[0]}_DE-Mad_FLUXNET_{product}_2003-2003_v1.3_r1.csv", "A,B\n1,2\n"
            )
    record = read_fluxnet(path)
    assert record.site == "DE-Mad"
    np.testing.assert_allclose(monthly_gpp(record)["gpp"], monthly_gpp(truth)["gpp"])


@pytest.mark.parametrize("kept", ["TIMESTAMP_START", "TIMESTAMP_END", "TIMESTAMP", "seconds"])
def test_time_stamps_of_the_networks_may_stand_alone(kit, year, truth, tmp_path, kept):
    table = kit.stamped(year, "HH")
    if kept == "seconds":
        table["TIMESTAMP_START"] += "00"
        table["TIMESTAMP_END"] += "00"
    elif kept == "TIMESTAMP":
        table = table.drop(columns="TIMESTAMP_END").rename(columns={"TIMESTAMP_START": "TIMESTAMP"})
    else:
        table = table.drop(columns={"TIMESTAMP_START", "TIMESTAMP_END"} - {kept})
    path = kit.write(table, tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_HH_2003-2003_1-4.csv")
    assert read_fluxnet(path).table.index.equals(truth.table.index)


@pytest.mark.parametrize("step", ["DD", "WW", "MM"])
@pytest.mark.parametrize("end", ["0000", "000000", ".0"])
def test_time_stamps_of_longer_steps_may_be_wider(kit, year, tmp_path, step, end):
    table = kit.stamped(kit.longer(year, step), step)
    for column in [c for c in table if c.startswith("TIMESTAMP")]:
        table[column] += ("" if step != "MM" or end == ".0" else "01") + end
    path = kit.write(table, tmp_path / f"FLX_DE-Mad_FLUXNET2015_FULLSET_{step}_2003-2003_1-4.csv")
    record = read_fluxnet(path)
    assert (record.step, record.table.index[0]) == (step, pd.Timestamp("2003-01-01"))
    assert len(monthly_gpp(record)) == 12


def test_days_of_fluxdatakit_have_extremes_and_the_deficit_of_daylight(kit, year, truth, tmp_path):
    """Dates of ISO 8601 under TIMESTAMP, years with _ in the name, NA, and leaf area."""
    days = year.resample("D")
    table = kit.longer(year, "DD")[["TA_F", "SW_IN_F", "VPD_F", "P_F", "CO2_F_MDS", "GPP_NT_VUT_REF", "GPP_DT_VUT_REF"]]
    table = table.rename(columns={"TA_F": "TA_F_MDS", "SW_IN_F": "SW_IN_F_MDS", "VPD_F": "VPD_F_MDS"})
    table.insert(0, "TIMESTAMP", table.index.strftime("%Y-%m-%d"))
    table["TMIN_F_MDS"], table["TMAX_F_MDS"] = days["TA_F"].min(), days["TA_F"].max()
    table["VPD_DAY_F_MDS"] = year["VPD_F"].where(year["SW_IN_F"] > 10).resample("D").mean()
    table["NEE_VUT_REF_QC"] = (year["NEE_VUT_REF_QC"] < 2).resample("D").mean()
    table["LAI"] = 2.0 + np.arange(365) % 9 / 10
    record = read_fluxnet(text_of(table, tmp_path / "FLX_DE-Mad_FLUXDATAKIT_FULLSET_DD_2003_2003_2-3.csv", na_rep="NA"))
    np.testing.assert_allclose(monthly_gpp(record)["gpp"], monthly_gpp(truth)["gpp"], atol=1e-3)
    ours, wanted = monthly_weather(record), monthly_weather(truth)
    for name in ("tmin", "tmax", "sw", "precip", "ca"):
        np.testing.assert_allclose(ours[name], wanted[name], rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(ours["vpd"], wanted["vpd"], rtol=0.2)
    assert ours["lai"].between(2.0, 3.0).all()


def test_deficit_of_days_follows_from_relative_humidity_and_extremes(year, truth, tmp_path):
    saturation = 6.1078 * np.exp(17.269 * year["TA_F"] / (237.3 + year["TA_F"]))
    humidity = 100.0 * (1.0 - year["VPD_F"] / saturation)
    days = year["TA_F"].resample("D")
    table = pd.DataFrame({"tmin": days.min(), "tmax": days.max(), "RH": humidity.resample("D").mean()})
    table["gpp_daily"] = year["GPP_NT_VUT_REF"].resample("D").mean()
    table.rename_axis("time").to_csv(tmp_path / "DE-Mad.csv")
    place = pd.DataFrame({"lat": 51.0, "lon": 13.5, "utc_offset": 1.0}, index=["DE-Mad"])
    found = monthly_weather(read_fluxnet(tmp_path / "DE-Mad.csv", sites=place))["vpd"]
    np.testing.assert_allclose(found, monthly_weather(truth)["vpd"], rtol=0.05)
    assert monthly_weather(read_fluxnet(tmp_path / "DE-Mad.csv"))["vpd"].isna().all()


def test_deficit_follows_from_specific_humidity_and_pressure(year, truth, tmp_path):
    path = plumber(year, tmp_path)
    data = xr.load_dataset(path)
    saturation = 610.78 * np.exp(17.269 * year["TA_F"] / (237.3 + year["TA_F"]))
    vapour, pressure = saturation - 100.0 * year["VPD_F"], 1000.0 * year["PA_F"]
    humidity = 0.622 * vapour / (pressure - 0.378 * vapour)
    for name, values, unit in (("Qair", humidity, "kg/kg"), ("Psurf", pressure, "Pa")):
        data[name] = (("time", "y", "x"), values.to_numpy()[:, None, None], {"units": unit})
    data.drop_vars("VPD").to_netcdf(path, engine="h5netcdf")
    record = read_fluxnet(path)
    assert any("all steps from Qair and temperature" in note for note in record.notes)
    np.testing.assert_allclose(monthly_weather(record)["vpd"], monthly_weather(truth)["vpd"], rtol=0.02)


def test_flags_of_ozflux_tell_long_gaps(year, tmp_path):
    """Filled nights are good among measured days; two months that were filled throughout are not."""
    path = ozflux(year, tmp_path)
    data = xr.load_dataset(path).drop_vars("NEE_qc")
    flags = np.where(year["SW_IN_POT"] > 0, 0, 500)
    flags[year.index.month.isin([3, 4])] = 510
    dims = ("time", "latitude", "longitude")
    data["Fco2_QCFlag"] = (dims, flags[:, None, None], {"units": "1"})
    data.to_netcdf(path, engine="h5netcdf")
    months = monthly_gpp(read_fluxnet(path))
    assert months.loc[months["core"] == 0, "month"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("mgCO2 m-2 s-1", 0.044009), ("nmol m-2 s-1", 1000.0), ("gC m-2 d-1", 12.011e-6 * 86400), ("kgC/m2/s", 1.2011e-8)],
)
def test_units_that_a_file_states_for_carbon(year, truth, tmp_path, unit, factor):
    table = year[["TA_F", "GPP_NT_VUT_REF"]].set_axis(["tair", "gpp_nt"], axis=1)
    table["gpp_nt"] *= factor
    table.insert(0, "time", year.index.strftime("%Y-%m-%d %H:%M"))
    head, _, body = table.to_csv(index=False).partition("\n")
    (tmp_path / "DE-Mad.csv").write_text(f"{head}\n-,degC,{unit}\n{body}")
    found = monthly_gpp(read_fluxnet(tmp_path / "DE-Mad.csv"))
    np.testing.assert_allclose(found["gpp"], monthly_gpp(truth)["gpp"], rtol=1e-4, atol=1e-4)


def test_uncertainty_of_reddyproc(year, truth, tmp_path):
    names = {"GPP_NT_VUT_05": "GPP_U05_f", "GPP_NT_VUT_95": "GPP_U95_f", "NEE_VUT_REF_RANDUNC": "NEE_uStar_fsd"}
    table = year[[*REDDYPROC, *names]].rename(columns=REDDYPROC | names)
    table.insert(0, "DateTime", ends(year).strftime("%Y-%m-%d %H:%M:%S"))
    found = monthly_gpp(read_fluxnet(text_of(table, tmp_path / "DE-Mad.csv", na_rep="NA")))
    np.testing.assert_allclose(found["gpp_uncertainty"], monthly_gpp(truth)["gpp_uncertainty"], rtol=1e-3)


def test_netcdf_of_several_sites_is_refused_by_name(year, tmp_path):
    values = np.stack([year["GPP_NT_VUT_REF"]] * 2)
    data = xr.Dataset({"GPP": (("site", "time"), values)}, {"time": year.index.to_numpy(), "site": ["A", "B"]})
    data.to_netcdf(tmp_path / "all.nc", engine="h5netcdf")
    with pytest.raises(TowerFormatError, match=r"expected one site, got dimensions {'site': 2}"):
        read_fluxnet(tmp_path / "all.nc")


def test_eddypro_gives_gpp_by_partitioning(year, truth, tmp_path):
    """The full output of EddyPro: three lines of header, SI units, ends of steps, net exchange alone."""
    pytest.importorskip("hesseflux")
    stamps = ends(year)
    rng = np.random.default_rng(3)
    ustar = np.abs(rng.normal(0.35, 0.15, len(year))).round(3)
    columns = {
        "filename": ("", "not_enough_data"),
        "date": ("[yyyy-mm-dd]", stamps.strftime("%Y-%m-%d")),
        "time": ("[HH:MM]", stamps.strftime("%H:%M")),
        "DOY": ("[ddd.ddd]", (stamps.day_of_year + stamps.hour / 24).round(3)),
        "daytime": ("[1=daytime]", (year["SW_IN_POT"] > 0).astype(int)),
        "co2_flux": ("[µmol+1s-1m-2]", year["NEE_VUT_REF"].where(rng.random(len(year)) > 0.2)),
        "air_temperature": ("[K]", year["TA_F"] + 273.15),
        "VPD": ("[Pa]", year["VPD_F"] * 100.0),
        "u*": ("[m+1s-1]", ustar),
        "SW_IN_1_1_1": ("[W+1m-2]", year["SW_IN_F"]),
    }
    table = pd.DataFrame({name: values for name, (_, values) in columns.items()}, index=year.index)
    head, _, body = table.to_csv(index=False, na_rep="-9999").partition("\n")
    path = tmp_path / "eddypro_DE-Mad_full_output_2003.csv"
    path.write_text(f"file_info,,,,,flux,,,,\n{head}\n{','.join(unit for unit, _ in columns.values())}\n{body}")
    record = read_fluxnet(path, partition=True)
    assert record.table.index.equals(truth.table.index)
    assert any("GPP by night-time partitioning of NEE (hesseflux" in note for note in record.notes)
    ours, wanted = monthly_gpp(record), monthly_gpp(truth)
    assert (ours["core"] == 1).all()
    assert (ours["gpp_method"] == "NT").all()
    assert np.abs(ours["gpp"] - wanted["gpp"]).max() < 0.5
    assert np.abs(ours["gpp_dt"] - wanted["gpp"]).max() < 2.0  # the light response of Lasslop is not that of the truth
    assert ours["gpp"].sum() == pytest.approx(wanted["gpp"].sum(), rel=0.05)


def test_weather_of_a_file_beside_joins_the_fluxes(year, tmp_path):
    flux = plumber(year, tmp_path)
    whole = monthly_weather(read_fluxnet(flux))
    data = xr.load_dataset(flux)
    weather = ["Tair", "SWdown", "VPD", "Precip", "CO2air"]
    data[weather].isel(time=slice(0, -48)).to_netcdf(tmp_path / flux.name.replace("_Flux", "_Met"), engine="h5netcdf")
    data.drop_vars(weather).to_netcdf(flux, engine="h5netcdf")
    assert tower_files([tmp_path]) == [flux]
    joined = read_fluxnet(flux)
    assert joined.table["tair"].isna().sum() == 48
    pd.testing.assert_frame_equal(monthly_weather(joined).iloc[:11], whole.iloc[:11])


def test_folder_means_the_finest_table_of_each_product(kit, year, tmp_path):
    for step in ("HH", "DD", "MM"):
        part = year if step == "HH" else kit.longer(year, step)
        for site in ("DE-Mad", "DE-Oth"):
            name = f"FLX_{site}_FLUXNET2015_FULLSET_{step}_2003-2003_1-4.csv"
            kit.write(kit.stamped(part, step), tmp_path / name)
    for other in ("readme.md", "README_en.txt", "._FLX_DE-Mad_FLUXNET2015_FULLSET_HH_2003-2003_1-4.csv"):
        (tmp_path / other).write_text("no table")
    (tmp_path / "FLX_DE-Mad_FLUXNET2015_AUXMETEO_2003-2003_1-4.csv").write_text("A,B\n1,2\n")
    found = tower_files([tmp_path])
    assert [path.name.split("_")[1:5:3] for path in found] == [["DE-Mad", "HH"], ["DE-Oth", "HH"]]
    assert tower_files([tmp_path / "FLX_DE-*_DD_*.csv"]) == sorted(tmp_path.glob("*_DD_*.csv"))
    serial = read_files(found, n_processes=1)
    parallel = read_files(found, n_processes=2)
    for one, other in zip(serial, parallel, strict=True):
        assert one.path == other.path
        pd.testing.assert_frame_equal(one.months[0].gpp, other.months[0].gpp)
        pd.testing.assert_frame_equal(one.months[0].weather, other.months[0].weather)
