"""What a newcomer waits for: installing, the demonstration by step, the tests; medians of GPPCORE_RUNS (3) runs.

Each run clones this repository into a temporary folder and installs it into a new environment; packages come from
pip's cache where it has them. A run takes ten minutes on two idle cores.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from timing import Case

ROOT = Path(__file__).resolve().parents[1]
GOALS = {"demonstration": 100.0, "tests": 240.0, "install": 140.0}


def once(folder: Path) -> dict[str, float]:
    """Return the seconds of every part."""
    subprocess.run(["git", "clone", "-q", ROOT, folder / "gppcore"], check=True)
    home, seconds = folder / "gppcore", {}
    python = home / ".venv" / "bin" / "python"

    def part(name: str, *command: str | Path) -> None:
        begin = time.perf_counter()
        subprocess.run(command, cwd=home, check=True, stdout=subprocess.DEVNULL)
        seconds[name] = time.perf_counter() - begin

    shared = os.environ.get("GPPCORE_SHARED", str(ROOT.parent / "shared"))
    os.environ["GPPCORE_SHARED"] = shared
    subprocess.run([sys.executable, "-m", "venv", home / ".venv"], check=True)
    part("install", python, "-m", "pip", "install", "-q", ".[demo]")
    part("demonstration", python, "-m", "gppcore", "demo", "--quiet")
    summary = json.loads((home / "gppcore-demo" / "summary.json").read_text(encoding="utf-8"))
    seconds |= {f"demonstration, {name}": value for name, value in summary["seconds"].items() if name != "total"}
    part("install with the packages of the tests", python, "-m", "pip", "install", "-q", ".[test]")
    part("tests", python, "-m", "pytest", "-q")
    return seconds


def cases() -> Iterator[Case]:
    runs = []
    for _ in range(int(os.environ.get("GPPCORE_RUNS", "3"))):
        folder = Path(tempfile.mkdtemp())
        try:
            runs.append(once(folder))
        finally:
            shutil.rmtree(folder)
    for name in runs[0]:
        seconds, goal = median(run[name] for run in runs), GOALS.get(name)
        yield Case(name, seconds, "s", goal / seconds if goal else 0.0, 1.0 if goal else None)
