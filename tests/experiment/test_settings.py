"""experiment.toml: what it says is read, and an unknown key or value is an error that names it."""

from importlib.resources import files

import pytest

from gppcore.cli.experiment import TEMPLATES
from gppcore.errors import MissingFileError, RangeError
from gppcore.experiment.settings import read_settings
from gppcore.tiles.fields import MAUNA_LOA

MISTAKES = {
    "no towers": ("[towers]", "[tower]", "got \\['tower'\\]"),
    "no title of that kind": ('title = "A small world"', "name = 1", "got \\['name'\\]"),
    "unknown key": ("cells = 60", "cell = 60", "learning: expected any of .*cells"),
    "unknown predictors": ('predictors = "small"', 'predictors = "large"', "got 'large'"),
    "unknown scheme": ('schemes = ["site"]', 'schemes = ["sites"]', "got \\['sites'\\]"),
    "unknown member": ('members = ["trees"]', 'members = ["oaks"]', "got \\['oaks'\\]"),
    "number as text": ("cells = 60", 'cells = "60"', "cells: expected a value like 5000, got '60'"),
    "text as number": ("resolution = 0.5", 'resolution = "half"', "resolution: expected a value like 0.5"),
    "truth as number": ("calibrate = false", "calibrate = 0", "calibrate: expected a value like True, got 0"),
    "no sites": ('sites = ["sites.csv"]', "", "expected sites"),
    "files and folder": ('sites = ["sites.csv"]', 'sites = ["sites.csv"]\nfolder = "towers"', "either files"),
    "years exchanged": ("years = [2001, 2002]", "years = [2002, 2001]", "first and the last year"),
    "region exchanged": ("years = [2001, 2002]", "region = [50, 40, 0, 10]", "south, north, west and east"),
    "no TOML": ("[towers]", "[towers", "expected TOML"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named(world, name):
    old, new, told = MISTAKES[name]
    path = world / "experiment.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RangeError, match=told):
        read_settings(path)


def test_no_file(tmp_path):
    with pytest.raises(MissingFileError, match="expected a TOML file"):
        read_settings(tmp_path / "experiment.toml")


def test_co2_of_years_is_that_of_mauna_loa_unless_given(world):
    path = world / "experiment.toml"
    assert read_settings(path).recipe.variables["ca"].path == "co2.csv"
    path.write_text(path.read_text().replace('[variables.ca]\npath = "co2.csv"\nvariable = "average"\n', ""))
    assert read_settings(path).recipe.variables["ca"].path == MAUNA_LOA


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name != "demo"])
def test_templates_are_experiments(tmp_path, name):
    text = files("gppcore.experiment").joinpath("templates", f"{name}.toml").read_text("utf-8")
    (tmp_path / "experiment.toml").write_text(text)
    settings = read_settings(tmp_path / "experiment.toml")
    assert settings.recipe.years is not None
    assert set(settings.recipe.variables) >= {"igbp", "lai", "sw", "precip"}
