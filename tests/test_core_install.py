"""What numpy alone can do, and what is said where another package is needed."""

import subprocess
import sys

import pytest

ALONE = """
import importlib.abc, sys

class OnlyNumpy(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {"gppcore", "numpy"} | sys.stdlib_module_names and not top.startswith("_"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, OnlyNumpy())
"""


def alone(code, *arguments):
    command = [sys.executable, "-W", "error", "-c", ALONE + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_kernels_and_models_need_numpy_alone(tmp_path):
    code = """
import numpy as np
from gppcore import PFTS, Canopy, Forcing, Forest, aggregate, downscale, two_leaf_gpp, get_include

noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
print(two_leaf_gpp(noon, Canopy(lai=np.array([1.0, 4.0])), PFTS["dbf"]).gpp.round(2))
coarse = aggregate(np.ones((4, 4)), factor=2, lat_edges=[0, 1, 2, 3, 4])
print(coarse.shape, downscale(coarse, factor=2).shape)
forest = Forest.from_arrays(
    tree_begin=[0, 3], feature=[0, -1, -1], threshold=[0.5, 0, 0], left=[1, 0, 0], right=[2, 0, 0], value=[0, 1, 2],
    n_features=1,
)
forest.save(sys.argv[1])
print(Forest.load(sys.argv[1]).predict([[0.0], [1.0]]))
"""
    done = alone(code, tmp_path / "forest.gppf")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["(2, 2) (4, 4)", "[1. 2.]"]


def test_a_missing_package_is_named_with_what_to_install():
    done = alone("import gppcore; gppcore.compare")
    assert "MissingPackageError: gppcore.compare: expected the package xarray, got none" in done.stderr
    assert "pip install 'gppcore[all]'" in done.stderr


def test_charts_say_what_they_need():
    done = alone("import gppcore.plot")
    assert "MissingPackageError: gppcore.plot: expected the package matplotlib, got none" in done.stderr


@pytest.mark.parametrize("module", ["gppcore.__main__", "gppcore.cli.main"])
def test_the_command_says_what_to_install(module):
    blocked = {"gppcore.__main__": "typer", "gppcore.cli.main": "xarray"}[module]
    code = f"""
import sys
sys.modules[{blocked!r}] = None
from {module} import main
sys.argv = ["gppcore", "compare", "a.nc", "b.nc"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("gppcore: ")
    assert f"expected the package {blocked}, got none; install it by pip install 'gppcore[all]'" in done.stderr
    assert "Traceback" not in done.stderr
