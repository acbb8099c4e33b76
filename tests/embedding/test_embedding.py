"""Programs in C and Fortran, linked to the installed library, give the same bits as Python."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from embedding_forests import N_FEATURES, N_TREES, full_trees

from gppcore.runtime import get_include, get_library

HERE = Path(__file__).parent
MODULE = Path(get_include(), "gppcore", "gppcore.f90")
N_ROWS = 1111


@pytest.fixture(scope="module", params=[1, 3], ids=["one output", "three outputs"])
def forest(request):
    return full_trees(request.param, link="identity" if request.param == 1 else "softmax")


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(N_ROWS, N_FEATURES))
    values[rng.random(values.shape) < 0.1] = np.nan
    return values


def run(compiler, flags, sources, save, values, folder):
    """Compile `sources`, and return what the program prints and the bytes that it writes."""
    program, model, data, result = (folder / name for name in ("program", "model", "values", "result"))
    library = Path(get_library())
    link = [str(library), f"-Wl,-rpath,{library.parent}"]
    compiled = subprocess.run(
        [compiler, *flags, *map(str, sources), "-o", str(program), *link], capture_output=True, text=True
    )
    assert compiled.returncode == 0, compiled.stderr
    save(model)
    values.tofile(data)
    ran = subprocess.run([program, model, data, str(values.size // N_FEATURES), result], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout, result.read_bytes()


def test_c(forest, rows, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("no C compiler here")
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{get_include()}"]
    printed, got = run(compiler, flags, [HERE / "predict.c"], forest.save, rows, tmp_path)
    assert printed == f"{N_FEATURES} features, {forest.n_outputs} outputs, {N_TREES} trees\n"
    rows32 = rows.astype(np.float32)
    double, single = forest.predict(rows).tobytes(), forest.predict(rows32).tobytes()
    leaves = forest.apply(rows).tobytes() + forest.apply(rows32).tobytes()
    assert got == 2 * double + forest.predict(rows, raw=True).tobytes() + 2 * single + leaves


def test_openmp_and_fork_without_allocation(forest, rows, tmp_path):
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("no gcc here")
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fopenmp", f"-I{get_include()}"]
    printed, got = run(compiler, flags, [HERE / "threads.c"], forest.save, rows, tmp_path)
    assert printed == "0 allocations in the first calls, 0 in threads\n"
    assert got == 2 * (forest.predict(rows).tobytes() + forest.apply(rows).tobytes())


@pytest.fixture(scope="module", params=["gfortran", "flang"])
def fortran(request):
    """Return a compiler, which under Debian has its version in its name, and its flags."""
    names = ["gfortran"] if request.param == "gfortran" else ["flang", "flang-new", "flang-new-19"]
    compiler = next(filter(None, map(shutil.which, names)), None)
    if not compiler:
        pytest.skip(f"no {request.param} here")
    return compiler, ["-std=f2008", "-Wall", "-Werror"] if request.param == "gfortran" else ["-Werror"]


def test_fortran(fortran, forest, rows, tmp_path):
    compiler, flags = fortran[0], [*fortran[1], f"-J{tmp_path}"]
    _, got = run(compiler, flags, [MODULE, HERE / "predict.f90"], forest.save, rows, tmp_path)
    assert got == forest.predict(rows).tobytes() + forest.apply(rows).tobytes()


@pytest.fixture(scope="module")
def values():
    """Make columns of more rows than are predicted together."""
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(N_FEATURES, 9001))
    columns[rng.random(columns.shape) < 0.1] = np.nan
    return columns


def save_model(model):
    def save(folder):
        folder.mkdir()
        model.save(folder)

    return save


def bits(predictions):
    return b"".join(p.tobytes() for p in predictions)


FACTS = "6 2 3 1 tair vpd sw precip lai c4_fraction"


def test_model_in_c(model, values, tmp_path):
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("no gcc here")
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{get_include()}"]
    printed, got = run(compiler, flags, [HERE / "predict_model.c"], save_model(model), values, tmp_path)
    assert printed == f"{FACTS} 0 allocations\n"
    double = model.predict_columns(list(values), interval=True)
    single = model.predict_columns(list(values.astype(np.float32)), interval=True)
    assert got == bits(double) + bits(single) + double[0].tobytes()


def test_model_in_fortran(fortran, model, values, tmp_path):
    compiler, flags = fortran[0], [*fortran[1], f"-J{tmp_path}"]
    sources = [MODULE, HERE / "predict_model.f90"]
    printed, got = run(compiler, flags, sources, save_model(model), values, tmp_path)
    assert printed == f"{FACTS}\n"
    double = model.predict_columns(list(values), interval=True)
    assert got == bits(double) + double[0].tobytes()


def test_every_failing_allocation_gives_a_code(model, tmp_path):
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("no gcc here")
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{get_include()}"]
    folder = tmp_path / "saved"
    save_model(model)(folder)
    program = tmp_path / "allocations"
    library = Path(get_library())
    link = [str(library), f"-Wl,-rpath,{library.parent}"]
    subprocess.run([compiler, *flags, HERE / "allocations.c", "-o", program, *link], check=True)
    ran = subprocess.run([program, folder / "source_process.gppf", folder], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith(" failures, 0 dead\n"), ran.stdout + ran.stderr
    assert int(ran.stdout.split()[0]) > 100
