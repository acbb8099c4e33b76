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
NUMBER = r"-?[\d.]+(?:e-?\d+)?"
PRINTED = [
    rf"{NUMBER} {NUMBER}\n",
    rf"{NUMBER}\n",
    r"0.00 umol m-2 s-1\n.*\n.* umol m-2 s-1\n",
    rf"{NUMBER} and {NUMBER} g m-2 d-1\n",
    rf"GPP of the transfer model, g m-2 d-1: {NUMBER}\nGPP of the last step, umol m-2 s-1: {NUMBER}\n",
]


def test_there_is_one_of_each():
    assert [language for language, _ in PROGRAMS] == ["c", "c++", "c", "c", "fortran"]


@pytest.mark.parametrize("number", range(5))
def test_program_of_the_page(number, build, tmp_path):
    language, text = PROGRAMS[number]
    compiler, suffix, *flags = COMPILERS[language]
    source = tmp_path / f"host{suffix}"
    source.write_text(text)
    names = ("lai", "tair", "sw")  # one of which the programs do not have
    TransferModel.of_forest(full_trees(n_features=3), names).save(tmp_path / "model")
    TransferModel.of_forest(full_trees(n_features=3), names).save(tmp_path / "model.zip")
    full_trees(n_features=3).save(tmp_path / "gpp.gppf")
    sources = [source]
    if language == "fortran":
        sources = [Path(get_include(), "gppcore", "gppcore.f90"), source]
        flags = ["-fopenmp", "-fcheck=all", "-ffpe-trap=invalid,zero,overflow"]
    program = build(compiler, sources, tmp_path / "host", *flags, "-Wall", "-Wextra", "-Werror")
    done = subprocess.run([program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(PRINTED[number], done.stdout), done.stdout
