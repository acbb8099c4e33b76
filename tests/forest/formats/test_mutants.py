import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "fuzz" / "mutants.py"


def test_damaged_models_are_refused_or_predict():
    """A short run of the script, which tells each failure."""
    command = [sys.executable, SCRIPT, "--n", "200", "--seed", "5"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    # Both outcomes occur in each format: else the mutants would be too mild, or too wild, to tell anything.
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert all("ForestFormatError" in line and "forest " in line for line in lines), result.stdout
