"""Every code block of every page runs, here or in the test that is named; the others tell on the page why not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from gppcore import Forest, TileStore, TransferModel
from gppcore.demo.towers import demonstration_towers, write_demonstration_towers
from gppcore.process.simulate import simulate
from gppcore.tiles.build import TileRecipe
from gppcore.transfer import source_domain
from gppcore.transfer.train import direct

ROOT = Path(__file__).resolve().parents[1]
ALPS = (45, 48, 5, 12)
BLOCK = re.compile(
    r"(?:^ *<!-- not run: (?P<why>.+) -->\n)?^ *```(?P<language>[^\n]*)\n(?P<code>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
ELSEWHERE = {
    ("README.md", "sh"): ".ci/run",
    ("README.md", "python"): "tests/test_docs.py",
    ("CONTRIBUTING.md", "sh"): ".ci/run",
    ("embedding.md", "c"): "tests/embedding/test_examples.py",
    ("embedding.md", "c++"): "tests/embedding/test_examples.py",
    ("embedding.md", "fortran"): "tests/embedding/test_examples.py",
    ("plots.md", "python"): "tests/test_docs.py",
    ("simulate.md", "python"): "tests/test_docs.py",
    ("towers_to_map.md", "python"): "tests/towers/files/test_tutorial.py",
}
"""What runs blocks of a page that are not run here."""
OWN = {
    "calibration.md": ["python"],
    "comparison.md": ["sh"],
    "embedding.md": ["sh"],
    "forest.md": ["python"],
    "fortran.md": ["fortran", "python", "sh"],
    "frameworks.md": ["python", "toml"],
    "mapping.md": ["python", "sh", "toml"],
    "plots.md": ["sh"],
    "regridding.md": ["python"],
    "towers.md": ["python"],
    "transfer.md": ["python"],
    "two_leaf.md": ["python"],
}
"""Languages that run here."""


def blocks(page):
    return [match.groupdict() for match in BLOCK.finditer(page.read_text())]


def code(name, language):
    """Return the blocks of a page in a language that are not marked."""
    found = [b["code"] for b in blocks(ROOT / "docs" / name) if b["language"] == language and not b["why"]]
    assert found
    return found


def run_python(name):
    """Run the blocks of a page one after the other, in the folder of the test, and return their names."""
    namespace = {}
    for number, text in enumerate(code(name, "python")):
        exec(compile(text, f"{name}, block {number}", "exec"), namespace)
    return namespace


def run_sh(text, folder):
    """Run a block with the command gppcore of this interpreter."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    command = tools / "gppcore"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from gppcore.cli.main import main; main()" "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-ec", text], cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stump(names=("lai",)):
    forest = Forest.from_arrays(
        n_features=len(names), tree_begin=[0, 3], feature=[0, -1, -1], threshold=[2.0, 0, 0], left=[1, 0, 0],
        right=[2, 0, 0], value=[0.0, 1.0, 4.0],
    )  # fmt: skip
    return TransferModel.of_forest(forest, names)


def product(names, n_lat=6, n_lon=8):
    """Make a product of random GPP."""
    time = np.arange("2019-01", "2020-01", dtype="datetime64[M]").astype("datetime64[ns]")
    lat, lon = 50.0 - np.arange(n_lat), 5.0 + np.arange(n_lon)
    rng = np.random.default_rng(0)
    fields = {
        name: (("time", "lat", "lon"), rng.gamma(2.0, 2.0, (12, n_lat, n_lon)), {"units": "g C m-2 d-1"})
        for name in names
    }
    axes = {"lat": ("lat", lat, {"units": "degrees_north"}), "lon": ("lon", lon, {"units": "degrees_east"})}
    return xr.Dataset(fields, {"time": time, **axes})


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda p: p.name
)
def test_each_block_runs_or_says_why_not(page):
    for block in blocks(page):
        language = block["language"]
        directive = language.startswith("{")  # of Sphinx: code cells run when the site is built
        if directive or language == "text" or block["why"]:
            continue
        where = ELSEWHERE.get((page.name, language))
        assert where or language in OWN.get(page.name, ()), f"{page.name}: {language!r}: {block['code'][:60]}"
        assert where is None or (ROOT / where).exists()


def test_calibration(folder):
    write_demonstration_towers("my_towers", *ALPS)
    found = run_python("calibration.md")
    assert found["gpp"].shape == (len(found["towers"].gpp),)
    assert found["maps"]["gpp_daily"].notnull().any()


def test_plots(folder):
    (folder / "gppcore-demo").mkdir()
    product(["gpp_daily"]).to_zarr(folder / "gppcore-demo" / "gpp_0p05deg.zarr", zarr_format=3, consolidated=False)
    (text,) = code("plots.md", "sh")
    assert run_sh(text, folder) == "Page  gpp_0p05deg.html\n"
    assert (folder / "gpp_0p05deg.html").stat().st_size > 10_000


@pytest.mark.slow  # two processes, one of which draws the pictures of a report
def test_comparison(folder):
    product(["gpp"]).to_zarr("mine.zarr", consolidated=False)
    for name in ("other.nc", "towers_upscaled.nc"):
        product(["gpp"]).to_netcdf(name, engine="h5netcdf")
    product(["gpp_model", "gpp_reference"]).to_netcdf("both.nc", engine="h5netcdf")
    (commands,) = code("comparison.md", "sh")
    assert '"correlation"' in run_sh(commands, folder)
    assert (folder / "comparison" / "report.html").is_file()


def test_embedding(folder):
    (commands,) = code("embedding.md", "sh")
    for compiler in ("cc", "gfortran"):
        if subprocess.run(["which", compiler], capture_output=True, check=False).returncode:
            pytest.skip(f"{compiler} is not installed")
    Path("host.c").write_text(code("embedding.md", "c")[1])
    Path("host.f90").write_text(code("embedding.md", "fortran")[0])
    run_sh(commands, folder)
    assert (folder / "host").is_file()


def test_fortran_tutorial(folder):
    if subprocess.run(["which", "gfortran"], capture_output=True, check=False).returncode:
        pytest.skip("gfortran is not installed")
    run_python("tutorials/fortran.md")
    Path("surface.f90").write_text(code("tutorials/fortran.md", "fortran")[0])
    (commands,) = code("tutorials/fortran.md", "sh")
    (printed,) = code("tutorials/fortran.md", "text")
    assert run_sh(commands, folder) == printed


def test_forest(folder):
    found = run_python("forest.md")
    assert found["tuned"].n_trees == found["forest"].n_trees


def test_frameworks(folder):
    pytest.importorskip("numba")
    pytest.importorskip("bmipy")
    stump(("tair", "lai")).save("model.zip")
    (settings,) = code("frameworks.md", "toml")
    Path("run.toml").write_text(settings)
    for text in code("frameworks.md", "python"):
        namespace = {"tair": np.full(360 * 720, 20.0)}
        source = folder / "block.py"  # numba keeps what it compiles beside the file
        source.write_text(text)
        exec(compile(text, str(source), "exec"), namespace)
        if "gpp" in namespace:
            assert (namespace["gpp"] == 4.0).all()
        if "predict" in namespace:
            rows, out = np.array([[1.0, 0.0], [3.0, 0.0]]), np.empty(2)
            namespace["predict"](namespace["handle"].address, rows, out, 1)
            assert out.tolist() == [1.0, 4.0]


def test_mapping(folder):
    recipe = folder / "recipe.toml"
    recipe.write_text(code("mapping.md", "toml")[0])
    assert TileRecipe.read(recipe).variables["tair"].method == "bilinear"
    store = run_python("mapping.md")["store"]
    assert store.is_monthly("lai")
    for year in store.years:
        for tile in range(store.n_tiles):
            with store.writing():
                store.write("lai", tile, np.full((12, store.n_cells(tile)), 2.5, dtype=np.float32), year)
    stump().save("model.zip")
    (command,) = code("mapping.md", "sh")
    run_sh(command, folder)
    assert float(xr.open_zarr("gpp.zarr")["gpp_daily"].isel(time=0).max()) == 4.0


def test_regridding(folder, capsys):
    product(["gpp"], n_lat=20, n_lon=20).to_netcdf("product.nc", engine="h5netcdf")
    found = run_python("regridding.md")
    assert "relative_error" in capsys.readouterr().out
    assert found["monthly"]["gpp"].sizes == {"time": 12, "lat": 2, "lon": 2}


def test_towers(folder):
    run_python("towers.md")


@pytest.mark.slow
def test_transfer(folder, monkeypatch):
    """The page trains on rows by the million; here on few, of the towers themselves."""
    write_demonstration_towers("towers", *ALPS)
    towers = demonstration_towers(*ALPS)
    few = {"source_rows": 1500, "downscaled_rows": 1500}
    originals = {name: getattr(source_domain, name) for name in few}
    for name, rows in few.items():
        monkeypatch.setattr(
            source_domain, name, lambda *a, f=originals[name], n=rows, **kw: f(*a, **{**kw, "n_rows": n})
        )
    adapting, training, tiles, downscaled = code("transfer.md", "python")
    samples = towers.samples(simulate(towers.forcing))
    namespace = {"model": direct(samples), "samples": samples}
    exec(adapting, namespace)
    assert namespace["own"].card["adapt"]["months"] == len(samples)
    namespace = {}
    exec(training, namespace)
    assert namespace["model"].has_interval
    names = namespace["predictors"]
    gpp = simulate(towers.forcing)["gpp_daily"]
    cells = towers.forcing.assign(gpp_daily_process=gpp)
    write_store(cells, names)
    exec(tiles.replace("40_000", "50"), namespace)
    assert namespace["rows"].x.shape[1] == len(names)
    exec(downscaled.replace("220_000", "50"), namespace)
    assert list(namespace["source"].sources) == ["process"]


def write_store(cells, names):
    """Make a store of the towers' cells."""
    n = cells.sizes["cell"]
    store = TileStore.create("tiles", np.linspace(48, 45, n), np.array([9.0, 9.5]), np.arange(0, 2 * n, 2))
    wanted = {*names, *source_domain.CLIMATE, "tair_range", "ca", "sw_toa", "gpp_daily_process"}
    fields = {name: cells[name] for name in wanted if name in cells}
    fields |= {f"fraction_{pft}": cells["pft_fraction"].sel(pft=pft) for pft in cells["pft"].values}
    with store.writing():
        for name, field in fields.items():
            monthly = "time" in field.dims
            store.add(name, monthly=monthly, attrs={})
            values = field.transpose("time", "cell").values[:12] if monthly else field.values
            store.write(name, 0, np.ascontiguousarray(values, dtype=np.float32))


def test_two_leaf(folder):
    run_python("two_leaf.md")
    plt.close("all")
