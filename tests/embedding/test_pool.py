"""The thread pool of the library, and all that runs in it, under sanitisers."""

import os
import shutil
import subprocess
import sys
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


@pytest.fixture(params=["g++", "clang++"], scope="module")
def races(request, tmp_path_factory):
    """Build the library and the program with the thread sanitiser."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    cmake, compiler = shutil.which("cmake", path=path), shutil.which(request.param)
    if not cmake or not compiler or not SOURCE.is_dir():
        pytest.skip(f"needs CMake, {request.param} and the source of the library")
    folder = tmp_path_factory.mktemp("races")
    flags = "-fsanitize=thread -g1"
    options = ["-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={flags}"]
    for command in (
        [cmake, "-S", HERE.parents[1], "-B", folder, *options],
        [cmake, "--build", folder, "--target", "gppcore", "-j2"],
    ):
        built = subprocess.run(command, capture_output=True, text=True)
        if built.returncode and "cannot find" in built.stdout + built.stderr:
            pytest.skip(f"no thread sanitiser for {request.param} here")
        assert built.returncode == 0, built.stdout + built.stderr
    objects = [path for path in folder.rglob("*.o") if "capi" not in path.parts]  # libgppcore exports C alone
    include = SOURCE.parent / "include"
    command = [compiler, "-std=c++17", "-O1", "-pthread", *flags.split(), f"-I{include}", HERE / "races.cpp", *objects]
    built = subprocess.run([*command, "-o", folder / "races"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder / "races"


@pytest.mark.slow
def test_callers_in_many_threads_do_not_race(races):
    ran = subprocess.run([races], capture_output=True, text=True, timeout=600)
    if "unexpected memory mapping" in ran.stderr:
        pytest.skip("the thread sanitiser does not run on this kernel")
    assert (ran.returncode, ran.stdout) == (0, "whole\n"), ran.stdout + ran.stderr
