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


@pytest.fixture(scope="module")
def forest():
    """Make full binary trees of 31 nodes, with random thresholds and leaves."""
    rng = np.random.default_rng(0)
    node = np.arange(31)
    inner = node < 15
    return Forest.from_arrays(
        n_features=N_FEATURES,
        tree_begin=31 * np.arange(N_TREES + 1),
        feature=np.where(inner, rng.integers(0, N_FEATURES, (N_TREES, 31)), -1).ravel(),
        threshold=rng.normal(size=N_TREES * 31),
        left=np.tile(np.where(inner, 2 * node + 1, 0), N_TREES),
        right=np.tile(np.where(inner, 2 * node + 2, 0), N_TREES),
        flags=rng.random(N_TREES * 31) < 0.5,
        value=rng.normal(size=N_TREES * 31),
        base=1.0,
    )


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
    assert printed == f"{N_FEATURES} features, {N_TREES} trees\n"
    double = forest.predict(rows).tobytes()
    single = forest.predict(rows.astype(np.float32)).tobytes()
    assert got == 2 * double + 2 * single


def test_fortran(forest, rows, tmp_path):
    compiler = shutil.which("gfortran")
    if not compiler:
        pytest.skip("no gfortran here")
    flags = ["-std=f2008", "-Wall", "-Werror", f"-J{tmp_path}"]
    _, got = run(compiler, flags, HERE / "predict.f90", forest, rows, tmp_path)
    assert got == forest.predict(rows).tobytes()
