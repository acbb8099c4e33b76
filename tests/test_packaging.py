"""Recipes of packages name what pyproject.toml names."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = {"matplotlib": "matplotlib-base", "pvlib": "pvlib-python"}


def test_conda_recipe_needs_what_the_package_with_all_extras_needs():
    run = (ROOT / "packaging" / "recipe.yaml").read_text().split("  run:\n")[1].split("\ntests:")[0]
    told = {tuple(line.strip("- ").split(" ")) for line in run.strip().splitlines()}
    needed = [re.split("(?=>=)", each) for each in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["all"]]
    assert told == {(CONDA.get(name, name), bound) for name, bound in needed} | {("python", PROJECT["requires-python"])}


def test_spack_recipe_sets_options_that_the_build_has():
    recipe = ast.parse((ROOT / "packaging" / "package.py").read_text())
    cmake = (ROOT / "CMakeLists.txt").read_text()
    options = [
        call.args[0].value
        for call in ast.walk(recipe)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "define_from_variant"
    ]
    assert options
    assert all(f"option({option} " in cmake for option in options)
