"""Recipes of other languages and of couplers: run where their host is installed, else compiled beside a stub of it."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from embedding_forests import PREDICTORS, full_trees

from gppcore import PFTS, Canopy, Forcing, TransferModel, two_leaf_gpp
from gppcore.runtime import get_include, get_library

RECIPES = Path(__file__).parent / "recipes"
MODULE = Path(get_include(), "gppcore", "gppcore.f90")
LINK = [get_library(), f"-Wl,-rpath,{Path(get_library()).parent}"]


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needs(*programs):
    if missing := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"needs {', '.join(missing)}")


@pytest.fixture
def model(tmp_path):
    """Save a model of six predictors."""
    model = TransferModel.of_forest(full_trees(), PREDICTORS)
    model.save(tmp_path / "model.zip")
    return model


def rows(n):
    x = np.random.default_rng(7).uniform(0, 1, (n, len(PREDICTORS)))
    x[3, 2] = np.nan
    return x


def test_r_through_a_shim(model, tmp_path):
    needs("Rscript", "cc")
    for name in ("shim.c", "shim.R"):
        shutil.copy(RECIPES / name, tmp_path)
    flags = {"PKG_CFLAGS": f"-Wall -I{get_include()}", "PKG_LIBS": " ".join(LINK)}
    run("R", "CMD", "SHLIB", "shim.c", cwd=tmp_path, env={**os.environ, **flags})
    x = rows(50)
    np.savetxt(tmp_path / "x.csv", x, fmt="%.17g", delimiter=",")
    script = (
        'source("shim.R"); fault <- try(gpp_load("nowhere.zip"), silent = TRUE); cat(fault)\n'
        'gpp_load("model.zip"); x <- as.matrix(read.csv("x.csv", header = FALSE))\n'
        'cat(try(gpp_predict(x[, 1:5]), silent = TRUE)); writeBin(gpp_predict(x), "gpp")\n'
    )
    printed = run("Rscript", "-e", script, cwd=tmp_path)
    assert "nowhere.zip" in printed
    assert "x: expected one column for each predictor" in printed
    assert (tmp_path / "gpp").read_bytes() == model.predict(x).tobytes()


@pytest.mark.slow
def test_r_through_reticulate(model, tmp_path):
    needs("Rscript")
    if subprocess.run(["Rscript", "-e", "library(reticulate)"], capture_output=True).returncode:
        pytest.skip("needs reticulate")
    page = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text()
    x = rows(50)
    np.savetxt(tmp_path / "x.csv", x, fmt="%.17g", delimiter=",")
    script = 'predictors <- read.csv("x.csv", header = FALSE)\n'
    script += re.search(r"```r\n(library\(reticulate\).*?)```", page, re.DOTALL)[1]
    (tmp_path / "script.R").write_text(script + 'writeBin(as.vector(gpp), "gpp")\n')
    environment = {**os.environ, "RETICULATE_PYTHON": sys.executable}
    done = subprocess.run(["Rscript", "script.R"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    if "incompatible NumPy binary version" in done.stderr:
        pytest.skip("this version of reticulate is older than NumPy 2")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "gpp").read_bytes() == model.predict(x).tobytes()


def test_oasis_gives_the_bits_of_python(model, tmp_path):
    needs("mpif90.openmpi", "mpirun.openmpi")
    modules = Path("/usr/include/psmile.MPI1")
    if not modules.is_dir():
        pytest.skip("needs OASIS3-MCT (liboasis3-dev, libnetcdff-dev)")
    spec = importlib.util.spec_from_file_location("namcouple", RECIPES / "namcouple.py")
    namcouple = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(namcouple)
    oasis = [f"-I{modules}", "-lpsmile.MPI1", "-lmct", "-lmpeu", "-lscrip", "-lnetcdff"]
    compiler = "mpif90.openmpi"
    run(compiler, MODULE, RECIPES / "oasis_gppcore.f90", "-o", "component", *LINK, *oasis, cwd=tmp_path)
    run(compiler, RECIPES / "oasis_atmosphere.f90", "-o", "atmosphere", *oasis, cwd=tmp_path)
    (tmp_path / "namcouple").write_text(namcouple.namcouple(1000, len(PREDICTORS), 3600, 3))
    x = np.random.default_rng(0).normal(size=(3, len(PREDICTORS), 1000))
    x.tofile(tmp_path / "columns")
    both = ["-n", "1", "./atmosphere", ":", "-n", "1", "./component"]
    run("mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", *both, cwd=tmp_path)
    wanted = b"".join(model.predict_columns(list(step)).tobytes() for step in x)
    assert (tmp_path / "gpp").read_bytes() == wanted


def test_columns_of_ccpp_and_patches_of_ctsm(tmp_path):
    """Both are called as their host would; what they take from it is declared in a stub."""
    needs("gfortran")
    sources = ["stubs/host.f90", "gppcore_gpp.F90", "gppcore_land.f90", "columns.f90"]
    flags = ["-Wall", "-Werror", "-fcheck=all,no-array-temps", "-ffpe-trap=invalid,zero,overflow"]
    run("gfortran", *flags, MODULE, *(RECIPES / s for s in sources), "-o", "columns", *LINK, cwd=tmp_path)
    rng = np.random.default_rng(3)
    ranges = [(0, 900), (268, 308), (50, 3000), (-0.2, 1), (380, 420), (0, 6), (0.2, 1)]
    fields = [rng.uniform(*r, 400) for r in ranges]
    np.concatenate(fields).tofile(tmp_path / "fields")
    run("./columns", cwd=tmp_path)
    scheme, patches = np.fromfile(tmp_path / "gpp").reshape(2, 400)
    sw, kelvin, vpd, cosine, ca, lai, stress = fields
    kind = np.arange(1, 401) % 3

    def gpp(pft, co2, **canopy):
        forcing = Forcing(sw=sw, tair=kelvin - 273.15, vpd=vpd, cos_zenith=cosine, ca=co2)
        return two_leaf_gpp(forcing, Canopy(lai=lai, **canopy), PFTS[pft]).gpp

    assert scheme.tobytes() == gpp("dbf", 1e6 * (1e-6 * ca)).tobytes()
    both = [np.zeros(400), gpp("enf", ca, soil_water_stress=stress), gpp("grass_c4", ca, soil_water_stress=stress)]
    assert patches.tobytes() == np.choose(kind, both).tobytes()


def test_cap_of_nuopc_compiles(tmp_path):
    needs("gfortran")
    sources = [MODULE, RECIPES / "stubs" / "esmf.f90", RECIPES / "gppcore_cap.F90"]
    run("gfortran", "-Wall", "-Werror", "-Wno-unused-dummy-argument", "-c", *sources, cwd=tmp_path)


def tables(text):
    """Return the arguments of each table of metadata, with their properties, in order."""
    found = {}
    for table in text.split("[ccpp-arg-table]")[1:]:
        head, *arguments = re.split(r"\n\[(\w+)\]\n", table)
        properties = [dict(re.findall(r"^\s+(\w+) = (.+)$", body, re.MULTILINE)) for body in arguments[1::2]]
        found[re.search(r"name = (\w+)", head)[1]] = dict(zip(arguments[::2], properties, strict=True))
    return found


def test_metadata_of_ccpp_tell_the_arguments_of_the_scheme():
    """Each table has the arguments of its procedure in order, with kind, rank and intent as there, and units."""
    source = (RECIPES / "gppcore_gpp.F90").read_text()
    metadata = tables((RECIPES / "gppcore_gpp.meta").read_text())
    assert list(metadata) == ["gppcore_gpp_init", "gppcore_gpp_run"]
    for name, arguments in metadata.items():
        body = re.search(rf"subroutine {name}\((.*?)\)\n(.*?)end subroutine", source, re.DOTALL)
        assert [a.strip() for a in body[1].split(",")] == list(arguments)
        assert f"\\section arg_table_{name} Argument Table" in source
        for argument, told in arguments.items():
            line = next(x for x in body[2].splitlines() if "intent" in x and re.search(rf":: .*\b{argument}\b", x))
            kind = f"{told['type']}({told['kind']})" if "kind" in told else told["type"]
            assert line.strip().startswith(f"{kind}, intent({told['intent']})")
            rank = 0 if told["dimensions"] == "()" else told["dimensions"].count(",") + 1
            assert (f"{argument}(:)" in line) == (rank == 1)
            assert told["units"]
            assert told["long_name"]
            assert re.fullmatch("[a-z][a-z0-9_]+", told["standard_name"])
