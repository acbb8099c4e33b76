"""Damaged files of models, stores and calibrations, in the formats of others and of gppcore."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "mutants.py"


def test_damaged_models_are_refused_or_predict():
    """A short run of the script, which tells each failure."""
    command = [sys.executable, SCRIPT, "--n", "200", "--seed", "5"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    # Both outcomes occur in each format: else the mutants would be too mild, or too wild, to tell anything.
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert all("ForestFormatError" in line and "forest " in line for line in lines), result.stdout


@pytest.mark.parametrize("n", [60, pytest.param(4200, marks=pytest.mark.slow)])  # 4200 of each format: 50,400
def test_damaged_files_of_gppcore_read_as_written_or_are_refused(n):
    command = [sys.executable, SCRIPT, "--own", "--n", str(n), "--seed", "5"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("FormatError") >= 12, result.stdout
