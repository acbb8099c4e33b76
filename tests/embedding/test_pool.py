"""The thread pool of the library, and all that runs in it, under sanitisers."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
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
    """Build the library, for the first instruction set and without derivatives, and the program."""
    compiler = shutil.which(request.param)
    if not compiler or not SOURCE.is_dir():
        pytest.skip(f"needs {request.param} and the source of the library")
    folder = tmp_path_factory.mktemp("races")
    flags = ["-std=gnu++17", "-O1", "-g1", "-w", "-pthread", "-fsanitize=thread", "-ffp-contract=off"]
    flags += [f"-I{SOURCE}", f"-I{SOURCE.parent / 'include'}", "-DGPPCORE_ISA=baseline", "-DGPPCORE_VECTOR_BYTES=16"]
    sources = [*SOURCE.glob("*.cpp"), *SOURCE.glob("io/*.cpp"), SOURCE / "isa" / "baseline.cpp", HERE / "races.cpp"]
    sources += [SOURCE / "parts" / name for name in ("two_leaf.cpp", "regrid.cpp", "soil_water.cpp")]
    objects = [folder / f"{source.parent.name}_{source.stem}.o" for source in sources]

    def compiled(source, to):
        return subprocess.run([compiler, *flags, "-c", source, "-o", to], capture_output=True, text=True)

    with ThreadPoolExecutor(2) as pool:
        for built in pool.map(compiled, sources, objects):
            assert built.returncode == 0, built.stderr
    missing = "-Wl,--unresolved-symbols=ignore-all"  # the other instruction sets, of which no function is called
    built = subprocess.run(
        [compiler, *flags, *objects, missing, "-o", folder / "races"], capture_output=True, text=True
    )
    if built.returncode and "cannot find" in built.stderr:
        pytest.skip(f"no thread sanitiser for {request.param} here")
    assert built.returncode == 0, built.stderr
    return folder / "races"


@pytest.mark.slow
def test_callers_in_many_threads_do_not_race(races):
    environment = os.environ | {"GPPCORE_ISA": "baseline"}
    ran = subprocess.run([races], env=environment, capture_output=True, text=True, timeout=600)
    if "unexpected memory mapping" in ran.stderr:
        pytest.skip("the thread sanitiser does not run on this kernel")
    assert (ran.returncode, ran.stdout) == (0, "whole\n"), ran.stdout + ran.stderr
