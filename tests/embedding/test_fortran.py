"""The Fortran modules agree with the header, and with what a compiler refuses."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from gppcore.runtime import get_include

FOLDER = Path(__file__).parents[2] / "cpp" / "fortran"


def test_interface_of_the_module_is_that_of_the_header():
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    wanted = generate.module() + "\n"
    assert (FOLDER / "gppcore_c.f90").read_text() == wanted, "run: python cpp/fortran/generate.py > gppcore_c.f90"
    header = generate.HEADER.read_text()
    assert wanted.count("bind(c)\n") == header.count("GPP_API ") - header.count("define GPP_API ")


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """Compile the modules, without a warning."""
    compiler = shutil.which("gfortran")
    if not compiler:
        pytest.skip("no gfortran here")
    folder = tmp_path_factory.mktemp("modules")
    source = Path(get_include(), "gppcore", "gppcore.f90")
    flags = ["-std=f2008", "-Wall", "-Wextra", "-Werror", "-c"]
    subprocess.run([compiler, *flags, source], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(
    "fault",
    [
        "type(gpp_forest) :: a\ntype(gpp_workspace) :: w\ncall gpp_make(a, w)",
        (
            "type(gpp_forest) :: f\ntype(gpp_workspace) :: w\nreal(c_double) :: x(4, 2), y(4), z(4)\n"
            "call gpp_predict(f, w, x, y, low=z)"
        ),
        (
            "type(gpp_model) :: m\ntype(gpp_workspace) :: w\nreal(c_double) :: x(4, 2)\nreal(c_float) :: y(4)\n"
            "call gpp_predict(m, w, x, y)"
        ),
        (
            "type(gpp_model) :: m\ninteger(c_int32_t) :: leaves(3, 4)\ntype(gpp_workspace) :: w\n"
            "real(c_double) :: x(4, 2)\ncall gpp_apply(m, w, x, leaves)"
        ),
    ],
    ids=["forest for workspace", "forest for model", "two kinds", "model for forest"],
)
def test_a_handle_or_kind_in_place_of_another_does_not_compile(fault, modules, tmp_path):
    program = tmp_path / "fault.f90"
    program.write_text(f"program fault\nuse gppcore\nimplicit none\n{fault}\nend program\n")
    command = ["gfortran", f"-I{modules}", "-fsyntax-only", program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "no specific subroutine" in done.stderr


def test_an_error_without_stat_ends_the_program_with_its_message(modules, build, tmp_path):
    source = tmp_path / "ends.f90"
    source.write_text('program ends\nuse gppcore\ntype(gpp_model) :: m\ncall gpp_load(m, "nowhere")\nend program\n')
    program = build("gfortran", [modules / "gppcore.o", source], tmp_path / "ends", f"-I{modules}")
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "gppcore: nowhere/model.gppm" in done.stderr
