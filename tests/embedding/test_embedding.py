"""Programs in C and Fortran, linked to the installed library, give the same bits as Python."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gppcore.forest import Forest
from gppcore.runtime import include_dir, library_path

HERE = Path(__file__).parent
N_ROWS, N_FEATURES, N_TREES = 1111, 6, 20


def full_trees(n_outputs=1, n_trees=N_TREES, **options):
    """Make full binary trees of 31 nodes, with random thresholds and leaves, dealt out to the outputs."""
    rng = np.random.default_rng(0)
    node = np.arange(31)
    inner = node < 15
    return Forest.from_arrays(
        n_features=N_FEATURES,
        tree_begin=31 * np.arange(n_trees + 1),
        tree_output=np.arange(n_trees) % n_outputs,
        feature=np.where(inner, rng.integers(0, N_FEATURES, (n_trees, 31)), -1).ravel(),
        threshold=rng.normal(size=n_trees * 31),
        left=np.tile(np.where(inner, 2 * node + 1, 0), n_trees),
        right=np.tile(np.where(inner, 2 * node + 2, 0), n_trees),
        flags=rng.random(n_trees * 31) < 0.5,
        value=rng.normal(size=n_trees * 31),
        base=np.arange(1.0, n_outputs + 1),
        **options,
    )


@pytest.fixture(scope="module", params=[1, 3], ids=["one output", "three outputs"])
def forest(request):
    return full_trees(request.param, link="identity" if request.param == 1 else "softmax")


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(N_ROWS, N_FEATURES))
    values[rng.random(values.shape) < 0.1] = np.nan
    return values


def run(compiler, flags, source, forest, rows, folder):
    """Compile `source`, and return what it prints and the bytes that it writes."""
    program, model, data, result = (folder / name for name in ("program", "model.gppf", "rows", "result"))
    library = library_path()
    link = [str(library), f"-Wl,-rpath,{library.parent}"]
    compiled = subprocess.run(
        [compiler, *flags, str(source), "-o", str(program), *link], capture_output=True, text=True
    )
    assert compiled.returncode == 0, compiled.stderr
    forest.save(model)
    rows.tofile(data)
    ran = subprocess.run([program, model, data, str(N_ROWS), result], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout, result.read_bytes()


def test_c(forest, rows, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("no C compiler here")
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{include_dir()}"]
    printed, got = run(compiler, flags, HERE / "predict.c", forest, rows, tmp_path)
    assert printed == f"{N_FEATURES} features, {forest.n_outputs} outputs, {N_TREES} trees\n"
    rows32 = rows.astype(np.float32)
    double, single = forest.predict(rows).tobytes(), forest.predict(rows32).tobytes()
    leaves = forest.apply(rows).tobytes() + forest.apply(rows32).tobytes()
    assert got == 2 * double + forest.predict(rows, raw=True).tobytes() + 2 * single + leaves


def test_openmp_and_fork_without_allocation(forest, rows, tmp_path):
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("no gcc here")
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fopenmp", f"-I{include_dir()}"]
    printed, got = run(compiler, flags, HERE / "threads.c", forest, rows, tmp_path)
    assert printed == "0 allocations in the first calls, 0 in threads\n"
    assert got == 2 * (forest.predict(rows).tobytes() + forest.apply(rows).tobytes())


def test_fortran(forest, rows, tmp_path):
    compiler = shutil.which("gfortran")
    if not compiler:
        pytest.skip("no gfortran here")
    flags = ["-std=f2008", "-Wall", "-Werror", f"-J{tmp_path}"]
    _, got = run(compiler, flags, HERE / "predict.f90", forest, rows, tmp_path)
    assert got == forest.predict(rows).tobytes() + forest.apply(rows).tobytes()
