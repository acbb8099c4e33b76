import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

COMMAND = [sys.executable, "-c", "from gppcore.cli.main import main; main()"]
HEAVY = ("numba", "xarray", "sklearn", "h5py", "zarr", "dask", "pandas", "matplotlib", "scipy")


def run(*arguments, cwd=None):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd)


def refusal(*arguments):
    """Run a command that must fail; returns its one line."""
    done = run(*arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_help_names_the_commands():
    done = run("--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("demo", "map", "compare", "info"))


@pytest.mark.parametrize("group", [(), ("tiles",), ("towers",)])
def test_help_fits_a_terminal_and_cuts_no_sentence(group, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    found = run(*group, "--help").stdout.partition("Commands:")[2]
    names = [line.split()[0] for line in found.splitlines() if line]
    assert len(names) >= 1
    assert "..." not in found
    for arguments in ((), *((name,) for name in names)):
        shown = run(*group, *arguments, "--help").stdout
        assert max(map(len, shown.splitlines())) <= 80, shown
        assert "<int range>" not in shown


def test_info_tells_versions_and_where_the_library_is():
    from gppcore import __version__, runtime

    done = run("info")
    assert done.returncode == 0, done.stderr
    assert __version__ in done.stdout
    assert runtime.get_library() in done.stdout
    assert runtime.get_include() in done.stdout


@pytest.mark.parametrize("region", ["46,54,4", "a,b,c,d", "54,46,4,16", "46,54,4,nan", "-95,54,4,16", "46,54,4,200"])
def test_malformed_region_is_one_line(tmp_path, region):
    line = refusal("demo", "--region", region, "--out", tmp_path / "run")
    assert line.startswith("gppcore: RangeError: --region: expected")
    assert region in line
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_region_without_land_is_one_line_and_leaves_the_folder_free(tmp_path):
    done = run("demo", "--region", "0,4,-30,-26", "--out", tmp_path / "run", "--threads", "2")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "RangeError: --region: expected a window S,N,W,E with land, got (0.0, 4.0, -30.0, -26.0)" in line
    assert not (tmp_path / "run").exists()


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    line = refusal("demo", "--out", tmp_path)
    assert line.startswith("gppcore: OutputExistsError: --out: expected a new or empty folder, got")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "none.nc", "other.nc"), "MissingFileError: product: expected a netCDF file or Zarr store, got no"),
        (
            ("map", "none", "tiles", "out"),
            "MissingFileError: model: expected a folder with model.json, or its zip, got none",
        ),
        (("demo", "--towers", "none", "--region", "x"), "RangeError: --region"),
        (("demo", "--threads", "0"), "--threads"),
        (("compare",), "Missing argument 'PRODUCT'"),
        (("compare", "one.nc"), "RangeError: products: expected two or more, the reference last, got 1"),
        (("fly",), "No such command 'fly'"),
        (("info", "--loud"), "No such option: --loud"),
    ],
)
def test_bad_request_is_one_line(arguments, message):
    assert message in refusal(*arguments)


def test_missing_towers_are_told_before_the_run(tmp_path):
    line = refusal("demo", "--towers", tmp_path / "none", "--out", tmp_path / "run")
    assert "MissingFileError: towers" in line
    assert not (tmp_path / "run").exists()


def test_products_are_compared_and_reported(tmp_path):
    lat, lon = np.arange(85.0, -90, -10), np.arange(-175.0, 180, 10)
    months = np.arange("2019-01", "2020-01", dtype="datetime64[M]").astype("datetime64[ns]")
    coords = {"time": months, "lat": lat, "lon": lon}
    gpp = np.random.default_rng(0).gamma(2.0, 2.0, (3, 12, lat.size, lon.size))
    fields = {f"gpp_{name}": (("time", "lat", "lon"), gpp[i], {"units": "g m-2 d-1"}) for i, name in enumerate("abc")}
    xr.Dataset(fields, coords=coords).to_netcdf(tmp_path / "three.nc", engine="h5netcdf")
    products = [f"{tmp_path / 'three.nc'}:gpp_{name}" for name in "abc"]
    done = run("compare", *products, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("report.html")
    (rows,) = [line.split() for line in done.stdout.splitlines() if line.startswith(" RMSE, common cells ")]
    told = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert rows[3] == f"{told[0]['regions']['whole']['rmse']:.3f}"
    assert (tmp_path / "out" / "report.html").is_file()
    assert json.loads(run("compare", *products, "--json").stdout) == told


@pytest.mark.slow
def test_interrupt_is_one_line_and_130(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "demo", "--out", str(tmp_path / "run"), "--threads", "1", "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "run" / "run.json").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    said = "gppcore: interrupted; finished work is kept, and the same command resumes it"
    assert stderr.splitlines() == [said]


def test_import_loads_nothing_heavy():
    code = f"import sys, gppcore; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_import_is_quick():
    """In processor time, which a busy machine changes less than the time on the wall."""

    def seconds(code):
        durations = []
        for _ in range(7):
            process = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
            _, status, usage = os.wait4(process, 0)
            assert status == 0
            durations.append(usage.ru_utime + usage.ru_stime)
        return min(durations)

    assert seconds("import gppcore") - seconds("pass") < 0.150


def test_version_is_printed():
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    from gppcore import __version__

    assert done.stdout.strip() == __version__


def test_a_product_is_described_and_verified(tmp_path):
    import numpy as np

    from gppcore import TileStore
    from gppcore.mapping.product import write_product

    store = TileStore.create(tmp_path / "store", np.arange(4.0), np.arange(5.0), np.arange(20))
    store.add("gpp_daily", monthly=True, attrs={"units": "g m-2 d-1", "long_name": "GPP"})
    store.write("gpp_daily", 0, np.ones((12, 20), np.float32))
    write_product(store, tmp_path / "gpp.zarr", {"gpp_daily": store.attributes("gpp_daily")}, attrs={"title": "mine"})
    command = [*COMMAND, "info", str(tmp_path / "gpp.zarr"), "--verify"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "gpp_daily" in done.stdout
    assert "mine" in done.stdout
    assert "verified" in done.stdout
    next((tmp_path / "gpp.zarr" / "gpp_daily" / "c").rglob("0/0/0")).unlink()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "missing or damaged, first gpp_daily/c/0/0/0" in done.stderr
