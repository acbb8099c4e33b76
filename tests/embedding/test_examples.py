"""The programs in docs/embedding.md compile without a warning and do what the page says."""

import re
import subprocess
from pathlib import Path

import pytest
from embedding_forests import full_trees

from gppcore import TransferModel, get_include

PAGE = Path(__file__).parents[2] / "docs" / "embedding.md"
PROGRAMS = re.findall(r"```(c|c\+\+|fortran)\n(.*?)```", PAGE.read_text(), re.DOTALL)
COMPILERS = {"c": ("gcc", ".c", "-std=c11"), "c++": ("g++", ".cpp", "-std=c++17"), "fortran": ("gfortran", ".f90")}
PRINTED = ["", "", "umol m-2 s-1", "column 0: tair", "GPP of the last step"]


def test_there_is_one_of_each():
    assert [language for language, _ in PROGRAMS] == ["c", "c++", "c", "c", "fortran"]


@pytest.mark.parametrize("number", range(5))
def test_program_of_the_page(number, build, tmp_path):
    language, text = PROGRAMS[number]
    compiler, suffix, *flags = COMPILERS[language]
    source = tmp_path / f"host{suffix}"
    source.write_text(text)
    names = ("tair", "vpd", "lai")
    TransferModel.of_forest(full_trees(n_features=3), names).save(tmp_path / "model")
    TransferModel.of_forest(full_trees(n_features=3), names).save(tmp_path / "model.zip")
    sources = [source]
    if language == "fortran":
        sources = [Path(get_include(), "gppcore", "gppcore.f90"), source]
        flags = ["-fopenmp", "-fcheck=all", "-ffpe-trap=invalid,zero,overflow"]
    program = build(compiler, sources, tmp_path / "host", *flags, "-Wall", "-Wextra", "-Werror")
    done = subprocess.run([program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert PRINTED[number] in done.stdout, done.stderr
    if number == 2:
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == "0.00 umol m-2 s-1"
