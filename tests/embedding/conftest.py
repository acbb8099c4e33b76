"""A forest, a transfer model, and the way to compile a program against the installed library."""

import shutil
import subprocess
from pathlib import Path

import pytest
from embedding_forests import N_FEATURES, PREDICTORS, full_trees

from gppcore.runtime import get_include, get_library
from gppcore.transfer.model import Model
from gppcore.transfer.recipe import Interval, Member, Recipe, quantities_of


@pytest.fixture(scope="session")
def model():
    """Make a model of two sources and three members, with intervals."""
    recipe = Recipe(
        predictors=PREDICTORS,
        sources=("process", "stress"),
        members=(
            Member("boosted", "gpp", 2, 0.3),
            Member("ratio", "ratio", 1, 0.3, 0.5),
            Member("residual", "residual", 0, 0.2),
        ),
        process_weight=0.2,
        gate=0.25,
        interval=Interval(1.6, 0.2, 0.9, 0.1),
        quantities=quantities_of(PREDICTORS),
    )
    sources = [full_trees(seed=k) for k in range(2)]
    members = [full_trees(n_features=N_FEATURES + m.n_sources, seed=5 + m.n_sources) for m in recipe.members]
    return Model(recipe, sources, members)


@pytest.fixture(scope="session")
def model_folder(model, tmp_path_factory):
    """Save the model."""
    folder = tmp_path_factory.mktemp("model")
    model.save(folder)
    return folder


@pytest.fixture(scope="session")
def build():
    """Compile sources with one compiler to a program that finds the installed library."""

    def compile_program(compiler, sources, program, *flags, include=()):
        if not shutil.which(compiler):
            pytest.skip(f"no {compiler} here")
        library = Path(get_library())
        folders = [f"-I{folder}" for folder in (get_include(), *include)]
        link = [str(library), f"-Wl,-rpath,{library.parent}", "-lm"]
        command = [compiler, *flags, *folders, *map(str, sources), "-o", str(program), *link]
        done = subprocess.run(command, capture_output=True, text=True, cwd=program.parent)
        assert done.returncode == 0, done.stderr
        return program

    return compile_program


@pytest.fixture(scope="session")
def forest_file(tmp_path_factory):
    """Save a forest."""
    path = tmp_path_factory.mktemp("forest") / "forest.gppf"
    full_trees().save(path)
    return path


@pytest.fixture(scope="session")
def here():
    """Return the folder of the programs."""
    return Path(__file__).parent
