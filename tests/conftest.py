"""Fixtures shared by all tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference data that is not part of the repository."""
    folder = Path(os.environ.get("GPPCORE_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder}; set GPPCORE_SHARED")
    return folder


@pytest.fixture(scope="session")
def run_on_isa():
    """Run a piece of Python in a new process with one instruction set forced; returns what it prints."""

    def run(isa: str, code: str) -> str:
        environment = {**os.environ, "GPPCORE_ISA": isa}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
