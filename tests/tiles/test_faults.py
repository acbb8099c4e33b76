"""The short form of `python tests/faults/run.py`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[1] / "faults" / "run.py"


@pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD and /proc")
def test_no_fault_loses_a_finished_tile():
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}
    done = subprocess.run(
        [sys.executable, RUN, "--n", "5"], capture_output=True, text=True, timeout=600, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LOSS" not in done.stdout
    assert done.stdout.count("\n") == 15
