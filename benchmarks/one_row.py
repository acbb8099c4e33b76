"""Compile and run `one_row.c` against the installed library."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gppcore import runtime


def time_one_row(forest: Path, row: np.ndarray) -> tuple[float, np.ndarray]:
    """Return microseconds per call of one row, and what was predicted."""
    library = Path(runtime.get_library())
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    with TemporaryDirectory() as folder:
        program = Path(folder) / "one_row"
        source = Path(__file__).with_name("one_row.c")
        subprocess.run(
            [
                compiler,
                "-O2",
                source,
                "-o",
                program,
                f"-I{runtime.get_include()}",
                library,
                f"-Wl,-rpath,{library.parent}",
            ],
            check=True,
        )
        text = " ".join(f"{value:.9g}" for value in row.ravel())
        run = subprocess.run([program, forest, str(row.size)], input=text, capture_output=True, text=True, check=True)
    predicted, microseconds = run.stdout.split()
    return float(microseconds), np.array([predicted], np.float32)
