"""The thread pool of the library, under sanitisers, where the system refuses new threads."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "cpp" / "src"


def run(sanitiser, tmp_path):
    compiler = shutil.which("g++") or shutil.which("clang++")
    if not compiler or not SOURCE.is_dir():
        pytest.skip("needs a C++ compiler and the source of the library")
    program = tmp_path / "pool"
    flags = ["-std=c++17", "-O1", "-g", "-pthread", f"-fsanitize={sanitiser}", f"-I{SOURCE}"]
    sources = [HERE / "pool.cpp", SOURCE / "parallel.cpp"]
    built = subprocess.run([compiler, *flags, *sources, "-o", program, "-ldl"], capture_output=True, text=True)
    if built.returncode and "cannot find" in built.stderr:
        pytest.skip(f"no {sanitiser} sanitiser here")
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([program], capture_output=True, text=True, timeout=120)
    if "unexpected memory mapping" in ran.stderr:
        pytest.skip("the thread sanitiser does not run on this kernel")
    assert (ran.returncode, ran.stdout) == (0, "whole\n"), ran.stdout + ran.stderr


@pytest.mark.parametrize("sanitiser", ["address,undefined", pytest.param("thread", marks=pytest.mark.slow)])
def test_a_thread_that_cannot_be_made_costs_nothing_but_time(sanitiser, tmp_path):
    run(sanitiser, tmp_path)
