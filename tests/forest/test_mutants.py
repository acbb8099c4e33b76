"""Damaged forest files, read by a library that was compiled with sanitisers."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
N_MUTANTS = 2500


@pytest.fixture(scope="module")
def driver(request, tmp_path_factory):
    """Build the mutation driver; a second run of the tests finds it built."""
    cache = getattr(request.config, "cache", None)
    folder = cache.mkdir("fuzz") if cache else tmp_path_factory.mktemp("fuzz")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    cmake, compiler = shutil.which("cmake", path=path), shutil.which("c++")
    if not cmake or not compiler:
        pytest.skip("no CMake or C++ compiler here")
    (folder / "probe.cpp").write_text("int main() {}\n")
    probe = [compiler, "-fsanitize=address,undefined", "probe.cpp", "-o", "probe"]
    if subprocess.run(probe, cwd=folder, capture_output=True).returncode != 0:
        pytest.skip("the C++ compiler has no sanitisers")
    for command in (
        [cmake, "-S", ROOT, "-B", folder, "-DGPPCORE_FUZZ=ON"],
        [cmake, "--build", folder, "--target", "mutate_forest", "-j2"],
    ):
        built = subprocess.run(command, capture_output=True, text=True)
        assert built.returncode == 0, built.stdout + built.stderr
    return folder / "cpp" / "fuzz" / "mutate_forest"


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["baseline", ""])
def test_mutants_are_refused_or_harmless(driver, isa, tmp_path):
    environment = os.environ | {"GPPCORE_ISA": isa}
    run = subprocess.run([driver, str(N_MUTANTS), "7"], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    accepted = int(re.search(r"(\d+) accepted", run.stdout)[1])
    assert 0.2 * N_MUTANTS < accepted < 0.8 * N_MUTANTS  # else one of the two sides is hardly tried
