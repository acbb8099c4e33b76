"""What a host can get wrong is an error with a message, and never a plausible number."""

import subprocess
import zipfile

import numpy as np


def test_mistakes_of_a_host(build, here, forest_file, model_folder, tmp_path):
    rng = np.random.default_rng(4)
    columns = rng.normal(size=(6, 3001))
    columns[rng.random(columns.shape) < 0.3] = np.nan
    columns.tofile(tmp_path / "columns")
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        for k, file in enumerate(sorted(model_folder.iterdir())):
            archive.write(file, file.name, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[k % 2])
    program = build("gcc", [here / "misuse.c"], tmp_path / "misuse", "-std=gnu11", "-Wall", "-Wextra", "-pthread")
    arguments = [forest_file, model_folder, "model.zip", "columns", "3001"]
    done = subprocess.run([program, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        (
            "lai: expected 0 to 15 m2 m-2 or a missing value, got inf in row 1 "
            "(1 infinite, 2 fill values, 1 below, 1 above)"
        ),
        "tair: expected -90 to 65 degC or a missing value, got 283.95 in row 0 (is it in K? 200 above)",
        (
            "vpd: expected 0 to 15000 Pa or a missing value, got 9.891 in row 199 (is it in hPa or kPa? "
            "200 in another unit)"
        ),
    ]
