"""A project of its own builds against the installed library by CMake and pkg-config, also after both were moved."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gppcore.runtime import get_cmake_dir

ROOT = Path(__file__).parents[2]
CONSUMER = Path(__file__).parent / "consumer"


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def cmake():
    """Return CMake, which must run."""
    program = shutil.which("cmake")
    if not program or subprocess.run([program, "--version"], capture_output=True).returncode:
        pytest.skip("no cmake here")
    return program


def build(cmake, source, folder, *options):
    run(cmake, "-S", source, "-B", folder, *options)
    run(cmake, "--build", folder, "-j2")


def programs(folder):
    return {path.name: run(path) for path in sorted(folder.iterdir()) if path.name.startswith("host_")}


def check(cmake, prefix, tmp_path, static):
    """Build the consumer against a prefix, install it there, move the prefix, and run what was built."""
    build(cmake, CONSUMER, tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_INSTALL_PREFIX={prefix}")
    run(cmake, "--install", tmp_path / "build")
    names = {
        "host_c",
        "host_cpp",
        *(["host_static"] if static else []),
        *(["host_f"] if shutil.which("gfortran") else []),
    }
    shutil.rmtree(tmp_path / "build")
    moved = tmp_path / "another_place" / prefix.name
    moved.parent.mkdir()
    shutil.move(prefix, moved)
    assert programs(moved / "bin") == dict.fromkeys(names, "36\n")
    needed = run("readelf", "-d", moved / "bin" / "host_c")
    assert "[libgppcore.so.2]" in needed
    assert str(prefix) not in run("strings", moved / "bin" / "host_c")
    with_pkg_config(moved, tmp_path)


def with_pkg_config(prefix, tmp_path):
    if not shutil.which("pkg-config"):
        return
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "gppcore", env=environment).split()
    program = tmp_path / "host"
    run("cc", CONSUMER / "host.c", *flags, "-o", program)
    assert run(program, env={**os.environ, "LD_LIBRARY_PATH": str(prefix / "lib")}) == "36\n"


def test_against_the_package_of_python(cmake, tmp_path):
    package = Path(get_cmake_dir()).parents[2]
    prefix = tmp_path / "gppcore"
    for part in ("lib", "include"):
        shutil.copytree(package / part, prefix / part)
    check(cmake, prefix, tmp_path, static=False)


@pytest.mark.slow
def test_against_an_installation_without_python(cmake, tmp_path):
    prefix = tmp_path / "prefix"
    build(cmake, ROOT, tmp_path / "library", f"-DCMAKE_INSTALL_PREFIX={prefix}", "-DCMAKE_INSTALL_LIBDIR=lib")
    run(cmake, "--install", tmp_path / "library")
    shutil.rmtree(tmp_path / "library")
    check(cmake, prefix, tmp_path, static=True)


def test_as_a_part_of_a_source_tree(cmake, tmp_path):
    folder = tmp_path / "build"
    run(cmake, "-S", CONSUMER, "-B", folder, f"-DGPPCORE_SOURCE={ROOT}", "-DBUILD_SHARED_LIBS=OFF")
    assert "GPPCORE_GRADIENT:BOOL=OFF" in (folder / "CMakeCache.txt").read_text()
