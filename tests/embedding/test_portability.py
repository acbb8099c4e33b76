"""Other compilers and processors: the library builds with clang, and for 64-bit ARM gives the same bits."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gppcore.runtime import get_include, get_library

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def needs(*programs):
    if missing := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"needs {', '.join(missing)}")


def digests(compiler, library, folder, here, forest_file, model_folder, *runner, flags=()):
    """Return what the program of traps prints, built against a library."""
    program = folder / f"traps-{compiler}"
    options = ["-std=c11", "-O1", "-fno-builtin", *flags, f"-I{get_include()}"]
    run(compiler, *options, here / "traps.c", library, "-o", program, "-lm", f"-Wl,-rpath,{Path(library).parent}")
    environment = {**os.environ, "GPPCORE_ISA": "baseline"}
    return run(*runner, program, forest_file, model_folder, env=environment)


def test_clang_gives_the_bits_of_gcc(here, forest_file, model_folder, tmp_path):
    needs("clang", "clang++", "gcc", "cmake")
    folder = tmp_path / "build"
    compilers = ["-DCMAKE_C_COMPILER=clang", "-DCMAKE_CXX_COMPILER=clang++"]
    run("cmake", "-S", ROOT, "-B", folder, *compilers, "-DGPPCORE_WERROR=ON")
    run("cmake", "--build", folder, "-j2", "--target", "gppcore")
    built = folder / "cpp" / "libgppcore.so.2"
    arguments = (tmp_path, here, forest_file, model_folder)
    assert digests("clang", built, *arguments) == digests("gcc", get_library(), *arguments)


def test_64_bit_arm_gives_the_bits_of_this_processor(here, forest_file, model_folder, tmp_path):
    needs("aarch64-linux-gnu-g++", "qemu-aarch64", "cmake")
    folder = tmp_path / "build"
    run("cmake", "-S", ROOT, "-B", folder, "--toolchain", ROOT / "cpp" / "cmake" / "aarch64.cmake")
    run("cmake", "--build", folder, "-j2", "--target", "gppcore")
    built = folder / "cpp" / "libgppcore.so.2"
    arguments = (tmp_path, here, forest_file, model_folder)
    flags = ["-DNO_TRAPS"]  # most ARM processors have none, and QEMU neither
    emulated = digests(
        "aarch64-linux-gnu-gcc", built, *arguments, "qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", flags=flags
    )
    assert emulated == digests("gcc", get_library(), *arguments, flags=flags)
