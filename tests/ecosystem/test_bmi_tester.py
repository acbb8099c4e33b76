"""The component under the eyes of bmi-tester, the checks of CSDMS."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from gppcore import Forest, TransferModel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("bmi_tester") is None, reason="needs bmi-tester (extra: ecosystem)"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a model of two predictors and the file that initialises the component."""
    stump = {"feature": [0, -1, -1], "threshold": [15.0, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    forest = Forest.from_arrays(n_features=2, tree_begin=[0, 3], value=[0.0, 1.0, 5.0], **stump)
    folder = tmp_path_factory.mktemp("bmi")
    TransferModel.of_forest(forest, ("tair", "lai")).save(folder / "model.zip")
    grid = "shape = [2, 3]\nspacing = [0.5, 1.0]\norigin = [40.0, -10.0]\nmonths = 14\ninterval = false\n"
    (folder / "run.toml").write_text(f'model = "model.zip"\n{grid}')
    return folder


# Its command is not used: under pytest 9 the folder of each stage hides the fixtures of all. The numbers of checks are
# those of bmi-tester 0.5.10; the ones skipped are for other grids, for names of BMI 1, or switched off in it.
@pytest.mark.parametrize(
    ("stage", "least"), [("_bootstrap", 2), ("_tests/stage_1", 7), ("_tests/stage_2", 15), ("_tests/stage_3", 10)]
)
def test_stage(stage, least, folder):
    tester = Path(find_spec("bmi_tester").origin).parent
    environment = {
        **os.environ,
        "BMITEST_CLASS": "gppcore.bmi:Gppcore",
        "BMITEST_INPUT_FILE": "run.toml",
        "BMITEST_MANIFEST": os.linesep.join(("run.toml", "model.zip")),
        "BMI_VERSION_STRING": "2.0",
    }
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--confcutdir={tester}", f"--rootdir={tester}"]
    command = [sys.executable, "-m", "pytest", *options, tester / stage]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= least, done.stdout
