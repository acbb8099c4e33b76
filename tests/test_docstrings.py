"""The reference is whole: it lists every public name, and the examples of all docstrings run."""

import ast
import doctest
import functools
import importlib
import inspect
import itertools
import pkgutil
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import gppcore
import gppcore.demo.region
import gppcore.demo.towers
import gppcore.report

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
LEFT_OUT = {"gppcore._core", "gppcore.demo.build_world", "gppcore.plot.build_coastline"}
"""Compiled; scripts that download."""
MODULES = [m.name for m in pkgutil.walk_packages(gppcore.__path__, "gppcore.") if m.name not in LEFT_OUT]
DRAWN = {"gppcore.report.comparison": pytest.mark.slow}
"""Examples that draw all pictures of a report."""
NO_EXAMPLE = {"gppcore.towers.files.partition.partitioned": "needs a year of half-hours"}


def listed():
    """Return the names of the reference with the module under which it lists them."""
    names = []
    for page in sorted(REFERENCE.glob("*.rst")):
        module = ""
        for line in page.read_text().splitlines():
            if found := re.match(r"\.\. (?:currentmodule|module):: (\S+)", line):
                module = found[1]
            elif found := re.match(r"   (\w+)$", line):
                names.append(f"{module}.{found[1]}")
    return names


def found(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


@functools.cache
def texts_of_constants(name):
    """Return the string below each assignment of a module."""
    texts = {}
    for statement, below in itertools.pairwise(
        ast.parse(Path(importlib.import_module(name).__file__).read_text()).body
    ):
        named = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        if isinstance(named, ast.Name) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            texts[named.id] = below.value.value
    return texts


def test_reference_lists_every_public_name():
    names = listed()
    assert len(names) == len(set(names)) > 100
    objects = [found(name) for name in names]
    packages = [gppcore, *(importlib.import_module(name) for name in MODULES if "." not in name[8:])]
    packages.remove(gppcore.report)  # what the commands write; the page of a comparison is listed
    for package in packages:
        for name in set(getattr(package, "__all__", ())) - {"__version__"}:
            assert any(getattr(package, name) is each for each in objects), f"{package.__name__}.{name}"


@pytest.mark.parametrize("name", listed())
def test_public_name_has_an_example(name):
    thing = found(name)
    module, _, attribute = name.rpartition(".")
    if inspect.isfunction(thing) or inspect.isclass(thing) or hasattr(thing, "py_func"):
        text = thing.__doc__
    else:
        text = texts_of_constants(module)[attribute]
    assert (">>>" in text) != (name in NO_EXAMPLE)


@pytest.fixture(scope="module")
def embedded():
    """Keep the regions and towers of the examples, which several of them share."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (("region", "demonstration_region"), ("towers", "demonstration_towers")):
            place = f"gppcore.demo.{module}.{name}"
            patch.setattr(place, functools.cache(found(place)))
        plt.switch_backend("agg")  # figures are drawn on no screen
        with plt.rc_context({"figure.max_open_warning": 0}):
            yield
        plt.close("all")


@pytest.mark.parametrize("name", [pytest.param(name, marks=DRAWN.get(name, ())) for name in MODULES])
def test_examples_of_a_module_run(name, embedded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    tests = doctest.DocTestFinder(exclude_empty=True).find(module)
    for constant, text in texts_of_constants(name).items():
        tests.append(doctest.DocTestParser().get_doctest(text, {}, f"{name}.{constant}", module.__file__, 0))
    for test in tests:
        if test.examples:
            folder = tmp_path / test.name
            folder.mkdir()
            monkeypatch.chdir(folder)
            result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
            assert result.failed == 0, test.name
