import numpy as np
import pandas as pd
import pytest

from gppcore.errors import MissingFileError, RangeError, TowerFormatError, UnitsError
from gppcore.evaluation.holdout import skill
from gppcore.evaluation.run import check_towers
from gppcore.features import PREDICTOR_SETS, PREDICTORS
from gppcore.process.simulate import simulate
from gppcore.towers import read_towers

SITES = pd.DataFrame(
    {
        "site_id": ["AA-One", "BB-Two"],
        "lat": [50.0, -20.0],
        "lon": [10.0, 30.0],
        "igbp": ["DBF", "GRA"],
        "c4_percent": [0.0, 80.0],
        "cluster50km": [0, 1],
        "koeppen_cedar": ["Cfb", "aw"],
    }
)


@pytest.fixture
def tables():
    """Two sites with two years of forcing, and GPP of the second year at the first site."""
    months = pd.MultiIndex.from_product([SITES.site_id, [2001, 2002], range(1, 13)], names=["site_id", "year", "month"])
    forcing = months.to_frame(index=False)
    season = -np.cos(2 * np.pi * (forcing.month - 1) / 12)
    forcing["cell_tmin_c"] = 8.0 + 8 * season
    forcing["cell_tmax_c"] = 18.0 + 8 * season
    forcing["cell_sw_mj_m2_d"] = 12.0 + 6 * season
    forcing["cell_vpd_hpa"] = 10.0
    forcing["cell_precip_mm_d"] = 2.5
    forcing["cell_co2_ppm"] = 380.0
    forcing["cell_lai_m2_m2"] = 2.0
    gpp = forcing[(forcing.site_id == "AA-One") & (forcing.year == 2002)][["site_id", "year", "month"]].copy()
    gpp["gpp"] = np.arange(12) / 2
    return {"gpp_monthly.csv": gpp, "sites.csv": SITES.copy(), "cell_forcing_monthly.csv": forcing}


def write(tables, folder):
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / name, index=False)
    return folder


def test_folder_is_read_in_the_units_of_the_library(tables, tmp_path):
    towers = read_towers(write(tables, tmp_path))
    assert list(towers.sites.index) == ["AA-One", "BB-Two"]
    assert towers.sites["region"].tolist() == ["C", "A"]
    assert not towers.synthetic
    ds = towers.forcing
    assert dict(ds.sizes) == {"time": 24, "cell": 2, "pft": 8}
    january = ds.isel(time=0, cell=0)
    assert float(january["tair"]) == pytest.approx(5.0)
    assert float(january["tair_range"]) == pytest.approx(10.0)
    assert float(january["sw"]) == pytest.approx(6e6 / 86400)
    assert float(january["vpd"]) == pytest.approx(1000 / 1.65)
    assert ds["c4_fraction"].values.tolist() == [0.0, 0.8]
    assert 0.0 <= float(ds["soil_water"].min()) <= float(ds["soil_water"].max()) <= 1.0


def test_rows_join_gpp_predictors_and_process(tables, tmp_path):
    towers = read_towers(write(tables, tmp_path))
    process = simulate(towers.forcing)
    rows = towers.samples(process)
    assert rows.gpp_daily.tolist() == [m / 2 for m in range(12)]
    assert set(rows.groups["site"]) == {"AA-One"}
    assert rows.groups["month"].tolist() == list(range(1, 13))
    np.testing.assert_array_equal(rows.x[:, PREDICTORS.index("tair")], towers.forcing["tair"][12:, 0])
    np.testing.assert_array_equal(rows.process, process["gpp_daily"][12:, 0])
    assert (rows.x[:, PREDICTORS.index("fraction_dbf")] == 1.0).all()


def test_towers_at_samples_have_the_gpp_of_these_only(tables, tmp_path):
    towers = read_towers(write(tables, tmp_path))
    rows = towers.samples(simulate(towers.forcing)).take(np.array([7, 2]))
    some = towers.at(rows)
    assert some.gpp.to_dict("list") == {
        "site_id": ["AA-One"] * 2,
        "year": [2002] * 2,
        "month": [8, 3],
        "gpp_daily": [3.5, 1.0],
    }
    assert some.forcing is towers.forcing


def test_order_of_rows_does_not_matter(tables, tmp_path):
    first = read_towers(write(tables, tmp_path / "a"))
    shuffled = {name: table.sample(frac=1.0, random_state=1) for name, table in tables.items()}
    second = read_towers(write({**shuffled, "sites.csv": tables["sites.csv"]}, tmp_path / "b"))
    assert first.forcing.identical(second.forcing)


def test_zipped_tables_are_read_too(tables, tmp_path):
    plain = read_towers(write(tables, tmp_path / "a"))
    write({f"{name}.gz": table for name, table in tables.items()}, tmp_path / "b")
    assert plain.forcing.identical(read_towers(tmp_path / "b").forcing)


def test_only_core_rows_count_and_leaves_of_tower_and_cell_are_averaged(tables, tmp_path):
    gpp = tables["gpp_monthly.csv"]
    gpp["core"] = [1, 0] * 6
    gpp["modis_lai_m2_m2"] = [4.0, np.nan] * 6
    towers = read_towers(write(tables, tmp_path))
    assert len(towers.gpp) == 6
    assert towers.forcing["lai"][12:14, 0].values.tolist() == [3.0, 2.0]
    assert (towers.forcing["lai"][:12] == 2.0).all()


def test_reasons_of_months_that_are_not_core_are_told(tables, tmp_path):
    gpp = tables["gpp_monthly.csv"]
    gpp["core"] = [0] * 10 + [1, 1]
    gpp["reason"] = ["GPP of day-time partitioning alone"] * 7 + ["negative GPP"] * 2 + [np.nan] * 3
    towers = read_towers(write(tables, tmp_path))
    assert towers.why_left_out() == (
        "months that are not core: GPP of day-time partitioning alone (7), negative GPP (2), marked by the file (1)"
    )
    with pytest.raises(TowerFormatError, match=r"got 2 at 1, .*GPP of day-time partitioning alone \(7\)"):
        check_towers(towers, towers.samples(simulate(towers.forcing)))


def test_unknown_leaf_area_is_that_of_other_years(tables, tmp_path):
    forcing = tables["cell_forcing_monthly.csv"]
    forcing["cell_lai_m2_m2"] = forcing["month"] / 4.0
    forcing.loc[12, "cell_lai_m2_m2"] = np.nan
    towers = read_towers(write(tables, tmp_path))
    assert towers.samples(simulate(towers.forcing)).groups["month"].tolist() == list(range(1, 13))
    assert towers.forcing["lai"][12, 0] == 0.25
    assert np.flatnonzero(towers.forcing["lai_filled"][:, 0]).tolist() == [12]
    assert (towers.forcing["lai_filled"][:, 1] == 0.0).all()


def test_leaf_area_unknown_in_all_years_drops_its_row_only(tables, tmp_path):
    tables["cell_forcing_monthly.csv"].loc[[0, 12], "cell_lai_m2_m2"] = np.nan
    towers = read_towers(write(tables, tmp_path))
    samples = towers.samples(simulate(towers.forcing), predictors=PREDICTOR_SETS["small"])
    assert samples.groups["month"].tolist() == list(range(2, 13))
    assert np.isnan(samples.x[:, samples.predictors.index("lai_before")]).tolist() == [True] + [False] * 10


def test_lags_and_normals_follow_from_the_forcing(tables, tmp_path):
    forcing = tables["cell_forcing_monthly.csv"]
    forcing["cell_precip_mm_d"] = np.arange(len(forcing), dtype=float)
    forcing["cell_tmax_c"] = forcing["cell_tmin_c"] + 2.0 + forcing["month"]
    towers = read_towers(write(tables, tmp_path)).forcing
    precip = towers["precip"].values
    # The months before the record are those of its mean year.
    usual = precip.reshape(2, 12, -1).mean(axis=0)
    np.testing.assert_allclose(towers["precip_12m"][11], precip[:12].mean(axis=0))
    np.testing.assert_allclose(towers["precip_6m"][0], (usual[7:].sum(axis=0) + precip[0]) / 6.0)
    np.testing.assert_array_equal(towers["tair_before"][1:], towers["tair"][:-1])
    np.testing.assert_allclose(towers["tair_before"][0], towers["tair"].values[11::12].mean(axis=0))
    np.testing.assert_allclose(towers["tair_seasonality"], np.ptp(towers["tair"].values[:12], axis=0))
    np.testing.assert_allclose(towers["lai_relative"], 1.0)
    warm = towers["tair"].values.clip(min=0.0) + 1e-6
    np.testing.assert_allclose(towers["vpd_growing"], (towers["vpd"] * warm).sum("time") / warm.sum(axis=0), rtol=1e-9)


def test_normals_of_satellite_columns_come_from_all_months(tables, tmp_path):
    gpp = tables["gpp_monthly.csv"]
    gpp["core"] = [1] * 6 + [0] * 6
    gpp["modis_fpar"] = np.linspace(0.1, 0.65, 12)
    gpp["modis_lst_day_k"] = 300.0
    towers = read_towers(write(tables, tmp_path))
    assert towers.sites["fpar_max"].iloc[0] == 0.65
    assert towers.sites["fpar_amplitude"].iloc[0] == pytest.approx(0.55)
    assert np.isnan(towers.sites["fpar_max"].iloc[1])  # no month of this site
    assert "ndwi_max" not in towers.sites
    t, cell = towers.positions()
    air = towers.forcing["tair"].values[t, cell]
    np.testing.assert_allclose(towers.gpp["lst_day_excess"], 300.0 - 273.15 - air)


def test_unknown_value_drops_its_row_only(tables, tmp_path):
    tables["cell_forcing_monthly.csv"].loc[12, "cell_sw_mj_m2_d"] = np.nan
    towers = read_towers(write(tables, tmp_path))
    assert towers.samples(simulate(towers.forcing)).groups["month"].tolist() == list(range(2, 13))


def test_gpp_outside_the_years_of_the_forcing_is_left_out(tables, tmp_path):
    tables["gpp_monthly.csv"]["year"] = 2010
    towers = read_towers(write(tables, tmp_path))
    assert len(towers.samples(simulate(towers.forcing))) == 0


def test_second_climate_column_fills_the_first(tables, tmp_path):
    sites = tables["sites.csv"]
    sites["grid_koeppen_main"] = ["D", "B"]
    sites["koeppen_cedar"] = ["Cfb", None]
    assert read_towers(write(tables, tmp_path)).sites["region"].tolist() == ["C", "B"]


@pytest.mark.parametrize("name", ["gpp_monthly.csv", "sites.csv", "cell_forcing_monthly.csv"])
def test_missing_file_is_named(tables, tmp_path, name):
    del tables[name]
    with pytest.raises(MissingFileError, match=name) as caught:
        read_towers(write(tables, tmp_path))
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize(
    ("name", "column"),
    [("gpp_monthly.csv", "gpp"), ("sites.csv", "cluster50km"), ("cell_forcing_monthly.csv", "cell_vpd_hpa")],
)
def test_missing_column_is_named(tables, tmp_path, name, column):
    del tables[name][column]
    with pytest.raises(TowerFormatError, match=rf"{name}: expected columns \['{column}'\]"):
        read_towers(write(tables, tmp_path))


def again(table):
    return pd.concat([table, table[:1]])


@pytest.mark.parametrize(
    ("name", "change", "error", "message"),
    [
        ("gpp_monthly.csv", again, TowerFormatError, "one row per site and month, got .*AA-One.* again"),
        ("sites.csv", again, TowerFormatError, "sites.csv: expected one row per site, got AA-One again"),
        ("cell_forcing_monthly.csv", again, TowerFormatError, "one row per site and month, got some repeated"),
        ("cell_forcing_monthly.csv", lambda t: t[t.month != 7], TowerFormatError, "whole years of 12 months, got 22"),
        ("cell_forcing_monthly.csv", lambda t: t[:-1], TowerFormatError, "24 months at each of 2 sites, got 47"),
        ("cell_forcing_monthly.csv", lambda t: t.assign(cell_tmin_c="x"), TowerFormatError, "numbers in .*cell_tmin_c"),
        (
            "cell_forcing_monthly.csv",
            lambda t: t.assign(cell_vpd_hpa=t.cell_vpd_hpa * 100),
            RangeError,
            "vpd in cell_forcing_monthly.csv: expected 0 to 15000 Pa",
        ),
        (
            "cell_forcing_monthly.csv",
            lambda t: t.assign(cell_tmin_c=t.cell_tmin_c + 273.15, cell_tmax_c=t.cell_tmax_c + 273.15),
            UnitsError,
            "tmin in cell_forcing_monthly.csv: expected degC, .* look like K",
        ),
        (
            "cell_forcing_monthly.csv",
            lambda t: t.assign(cell_sw_mj_m2_d=t.cell_sw_mj_m2_d / 0.0864),
            RangeError,
            "sw in cell_forcing",
        ),
        ("gpp_monthly.csv", lambda t: t.assign(gpp=t.gpp * 30), RangeError, "gpp_daily in gpp_monthly.csv"),
        ("sites.csv", lambda t: t.assign(igbp=["DBF", "OAK"]), RangeError, r"sites.csv: igbp: .* got \['OAK'\]"),
        ("sites.csv", lambda t: t.drop(columns="koeppen_cedar"), TowerFormatError, "expected a column out of"),
    ],
)
def test_wrong_tables_are_refused(tables, tmp_path, name, change, error, message):
    tables[name] = change(tables[name])
    with pytest.raises(error, match=message):
        read_towers(write(tables, tmp_path))


def test_file_that_is_no_table_is_refused(tables, tmp_path):
    write(tables, tmp_path)
    (tmp_path / "sites.csv").write_bytes(b"")
    with pytest.raises(TowerFormatError, match=r"sites.csv: expected a CSV table"):
        read_towers(tmp_path)
    (tmp_path / "sites.csv").unlink()
    (tmp_path / "sites.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(TowerFormatError, match=r"sites.csv.gz: expected a CSV table"):
        read_towers(tmp_path)


def test_process_model_agrees_with_the_real_towers(shared):
    """No parameter was tuned to these towers."""
    towers = read_towers(shared / "towers")
    rows = towers.samples(simulate(towers.forcing, n_threads=2))
    assert len(towers.sites) == 122
    assert len(rows) == 5896
    found = skill(rows.gpp_daily, rows.process)
    assert found["r2"] > 0.6
    assert round(found["bias"], 2) == 0.3
