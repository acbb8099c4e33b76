"""An experiment from files to report; a changed line redoes what depends on it, and nothing else."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore import Experiment, TileStore, read_towers
from gppcore.errors import MissingFileError, OutputExistsError, RangeError
from gppcore.experiment.coarse import PROCESS, cell_areas
from gppcore.process.daylight import saturation_vapour_pressure


@pytest.fixture
def again(finished, tmp_path):
    """Return a copy of the finished experiment, to change."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    return folder


def digests(folder):
    return {name: entry["digest"] for name, entry in json.loads((folder / "results" / "run.json").read_text()).items()}


def times(folder, *names):
    """Return when the files of results changed."""
    files = [p for name in names for p in (folder / "results" / name).rglob("*") if p.is_file()]
    return {str(p): p.stat().st_mtime_ns for p in files if p.suffix != ".lock"}


def test_run_leaves_all_results(finished):
    results = finished / "results"
    assert {p.name for p in results.iterdir()} >= {
        "tiles", "coarse", "towers", "models", "evaluation", "gpp_0p1deg.zarr", "process_gpp_0p5deg.zarr",
        "report.html", "summary.json", "run.json",
    }  # fmt: skip
    assert not list(results.rglob("*.part"))
    summary = json.loads((results / "summary.json").read_text())
    assert summary["synthetic"] is False
    assert set(summary["skill"]) == {"process", "direct", "transfer"}
    assert summary["gpp_pg_c_yr"]["transfer"] > 0.0


def test_tiles_equal_the_files_regridded_by_hand(finished):
    store = TileStore.open(finished / "results" / "tiles")
    row, column = np.divmod(store.index, store.shape[1])
    with xr.open_dataset(finished / "era5.nc") as era:
        for name, variable, scale, offset in (
            ("tmin", "mn2t", 1.0, -273.15),
            ("sw", "ssrd", 1 / 86400, 0.0),
            ("precip", "tp", 1000.0, 0.0),
        ):
            expected = era[variable].interp(latitude=store.lat, longitude=store.lon).values * scale + offset
            found = store.read(name, 0, 2002)
            np.testing.assert_allclose(found, expected[12:, row, column], rtol=2e-6, atol=2e-5, err_msg=name)
    table = pd.read_csv(finished / "co2.csv")
    np.testing.assert_allclose(store.read("ca", 0, 2001)[:, 0], table["average"][:12], rtol=1e-6)


def test_deficit_of_daylight_follows_from_the_dew_point(finished):
    store = TileStore.open(finished / "results" / "tiles")
    tmin, tmax, dew, vpd = (store.read(name, 0, 2001).astype(float) for name in ("tmin", "tmax", "dewpoint", "vpd"))
    dry = saturation_vapour_pressure(tmin) - saturation_vapour_pressure(dew)
    wet = saturation_vapour_pressure(tmax) - saturation_vapour_pressure(dew)
    assert ((vpd > dry) & (vpd < wet)).all(), "between the deficits of the coldest and of the warmest hour"


def test_towers_have_the_predictors_of_their_cells(finished):
    store, towers = TileStore.open(finished / "results" / "tiles"), read_towers(finished / "results" / "towers")
    place = towers.sites.iloc[0]
    row, column = np.abs(store.lat - place["lat"]).argmin(), np.abs(store.lon - place["lon"]).argmin()
    (cell,) = np.flatnonzero(store.index == row * store.shape[1] + column)
    for name in ("tair", "sw", "vpd", "precip", "lai"):
        grid = np.concatenate([store.read(name, 0, year)[:, cell] for year in store.years])
        np.testing.assert_allclose(towers.forcing[name].values[:, 0], grid, rtol=1e-4, atol=1e-3, err_msg=name)


def test_downscaling_keeps_the_mass_of_every_coarse_cell(finished):
    results = finished / "results"
    store, area = TileStore.open(results / "tiles"), None
    area = cell_areas(store)
    lat, lon = store.lat[store.index // store.shape[1]], store.lon[store.index % store.shape[1]]
    with xr.open_zarr(results / "process_gpp_0p5deg.zarr", chunks=None, consolidated=False) as ds:
        for month in (0, 6, 18):
            fine = store.read_field(PROCESS, month)
            blocks = pd.DataFrame({"y": np.floor(lat * 2), "x": np.floor(lon * 2), "mass": area * fine, "area": area})
            mean = blocks.groupby(["y", "x"]).sum().pipe(lambda t: t["mass"] / t["area"])
            coarse = ds["gpp_daily"].isel(time=month)
            found = [float(coarse.sel(lat=(y + 0.5) / 2, lon=(x + 0.5) / 2, method="nearest")) for y, x in mean.index]
            np.testing.assert_allclose(found, mean, rtol=1e-5)


def test_second_run_does_nothing(again):
    before = times(again, ".")
    Experiment.read(again / "experiment.toml").run(n_threads=1)
    assert times(again, ".") == before


def test_a_report_that_was_removed_is_written_again(again):
    before, report = times(again, "tiles", "models", "evaluation"), again / "results" / "report.html"
    report.unlink()
    Experiment.read(again / "experiment.toml").run(n_threads=1)
    assert report.exists()
    assert times(again, "tiles", "models", "evaluation") == before


def test_other_title_maps_again_and_trains_nothing(again):
    before, old = times(again, "tiles/lai", "models", "evaluation"), digests(again)
    path = again / "experiment.toml"
    path.write_text(path.read_text().replace("A small world", "Another name"))
    Experiment.read(path).run(n_threads=1)
    assert times(again, "tiles/lai", "models", "evaluation") == before
    changed = {name for name, digest in digests(again).items() if digest != old[name]}
    assert changed == {"map", "report"}
    with xr.open_zarr(again / "results" / "gpp_0p1deg.zarr", consolidated=False) as ds:
        assert ds.attrs["title"] == "Another name"


def test_paths_may_be_relative_to_the_folder_of_work(again, monkeypatch):
    monkeypatch.chdir(again.parent)
    path = again / "experiment.toml"
    path.write_text('notes = ["Told anew."]\n' + path.read_text())
    numbers = Experiment.read(f"{again.name}/experiment.toml").run(n_threads=1)
    assert set(numbers["skill"]) == {"process", "direct", "transfer"}
    assert "Told anew." in (again / "results" / "report.html").read_text()


def test_changed_tower_file_trains_again_and_keeps_the_tiles(again):
    before, model = times(again, "tiles/lai", "coarse"), times(again, "models")
    file = next((again / "gpp").iterdir())
    table = pd.read_csv(file)
    table.assign(gpp_daily=table["gpp_daily"] * 1.2).to_csv(file, index=False)
    with xr.open_zarr(again / "results" / "gpp_0p1deg.zarr", chunks=None, consolidated=False) as ds:
        old = ds["gpp_daily"].values
    Experiment.read(again / "experiment.toml").run(to="map", n_threads=1)
    assert times(again, "tiles/lai", "coarse") == before
    assert set(times(again, "models").values()).isdisjoint(model.values())
    with xr.open_zarr(again / "results" / "gpp_0p1deg.zarr", chunks=None, consolidated=False) as ds:
        assert np.nanmax(np.abs(ds["gpp_daily"].values - old)) > 0.01


def sources(folder, edit):
    path = folder / "experiment.toml"
    text = path.read_text()
    changed = edit(text)
    assert changed != text
    path.write_text(changed)
    Experiment.read(path).run(to="tiles", n_threads=1)
    return TileStore.open(folder / "results" / "tiles")


def test_one_changed_variable_leaves_the_tiles_of_others(again):
    kept = times(again, "tiles/tmin", "tiles/lai", "tiles/igbp", "tiles/fraction_dbf")
    before = TileStore.open(again / "results" / "tiles").read("sw", 0, 2001)
    vpd = TileStore.open(again / "results" / "tiles").read("vpd", 0, 2001)
    store = sources(again, lambda text: text.replace('units = "J m-2 d-1"', "scale = 2e-5"))
    np.testing.assert_allclose(store.read("sw", 0, 2001), before * 86400 * 2e-5, rtol=1e-5)
    np.testing.assert_array_equal(store.read("vpd", 0, 2001), vpd)
    assert len(kept) > 8
    assert times(again, "tiles/tmin", "tiles/lai", "tiles/igbp", "tiles/fraction_dbf") == kept


def test_a_changed_file_makes_its_variable_and_all_that_follows_anew(again):
    kept = times(again, "tiles/sw", "tiles/lai")
    before = {name: TileStore.open(again / "results" / "tiles").read_field(name) for name in ("igbp", "fraction_dbf")}
    with xr.open_dataset(again / "cover.nc") as ds:
        ds = ds.load()
    ds["class"] = ds["class"].where(ds["class"] != 4, 1)
    ds.to_netcdf(again / "new.nc", engine="h5netcdf")
    store = sources(
        again, lambda text: text.replace('[variables.igbp]\npath = "cover.nc"', '[variables.igbp]\npath = "new.nc"')
    )
    np.testing.assert_array_equal(store.read_field("igbp"), np.where(before["igbp"] == 4, 1, before["igbp"]))
    assert before["fraction_dbf"].any()
    assert not store.read_field("fraction_dbf").any()
    assert times(again, "tiles/sw", "tiles/lai") == kept


def test_a_variable_that_is_gone_leaves_the_tiles(again):
    own = '[variables.height]\npath = "cover.nc"\nvariable = "class"\nunits = "m"\nstatic = true\n\n[process]'
    assert "height" in sources(again, lambda text: text.replace("[process]", own)).variables
    assert "height" not in sources(again, lambda text: text.replace(own, "[process]")).variables


def test_other_cells_make_all_tiles_anew(again):
    kept = times(again, "tiles/tmin")
    store = sources(again, lambda text: text.replace("exclude = [0]", "exclude = [0, 12]"))
    assert not (store.read_field("igbp") == 12).any()
    assert set(times(again, "tiles/tmin").values()).isdisjoint(kept.values())


def test_other_resolution_downscales_anew(again):
    store = TileStore.open(again / "results" / "tiles")
    old = store.read(PROCESS, 0, 2001).copy()
    path = again / "experiment.toml"
    path.write_text(path.read_text().replace("resolution = 0.5", "resolution = 1.0"))
    Experiment.read(path).run(to="process", n_threads=1)
    assert not np.array_equal(TileStore.open(again / "results" / "tiles").read(PROCESS, 0, 2001), old)
    assert not (again / "results" / "process_gpp_0p5deg.zarr").exists()


def test_results_of_something_else_are_left_alone(world):
    mine = world / "results" / "models"
    mine.mkdir(parents=True)
    (mine / "mine.txt").write_text("keep")
    with pytest.raises(OutputExistsError, match="choose a new folder"):
        Experiment.read(world / "experiment.toml").run()
    assert (mine / "mine.txt").read_text() == "keep"


def test_missing_input_is_told_before_any_step(world):
    (world / "sites.csv").unlink()
    with pytest.raises(MissingFileError, match=r"towers: expected files sites.csv"):
        Experiment.read(world / "experiment.toml").run()
    assert not (world / "results").exists()


def test_step_without_those_before_it_is_refused(world):
    experiment = Experiment.read(world / "experiment.toml")
    with pytest.raises(OutputExistsError, match="expected 'tiles' finished"):
        experiment.run(only="train")
    with pytest.raises(RangeError, match="to: expected one of"):
        experiment.run(to="maps")


@pytest.mark.slow
def test_a_calibrated_process_model_has_its_vcmax25_on_both_grids(again):
    path = again / "experiment.toml"
    path.write_text(path.read_text().replace("calibrate = false", "calibrate = true"))
    Experiment.read(path).run(to="map", n_threads=2)
    results = again / "results"
    for grid in ("0p1", "0p5"):
        with xr.open_zarr(results / f"vcmax25_{grid}deg.zarr", chunks=None, consolidated=False) as ds:
            low, value, high = (ds[name].values for name in ("vcmax25_low", "vcmax25", "vcmax25_high"))
        grown = np.isfinite(value)
        assert grown.any()
        assert ((low < value) & (value < high))[grown].all()
        assert 15.0 < np.median(value[grown]) < 120.0
    # A coarse cell is near the mean of its fine ones.
    with xr.open_zarr(results / "vcmax25_0p1deg.zarr", chunks=None, consolidated=False) as fine:
        means = fine["vcmax25"].coarsen(lat=5, lon=5).mean().values
    np.testing.assert_allclose(value, means, rtol=0.05)
