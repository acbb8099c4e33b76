"""``gppcore init``, ``check`` and ``run``."""

import shutil
import subprocess
import sys

import pytest


def gppcore(*arguments):
    command = [sys.executable, "-c", "from gppcore.cli.main import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("like", ["era5-modis", "cru-globmap"])
def test_init_writes_a_file_to_edit_and_never_over_another(tmp_path, like):
    done = gppcore("init", tmp_path / "new", "--like", like)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "new" / "experiment.toml").read_text()
    assert "gppcore check" in text
    again = gppcore("init", tmp_path / "new", "--like", like)
    assert again.returncode == 1
    assert "OutputExistsError" in again.stderr
    assert (tmp_path / "new" / "experiment.toml").read_text() == text


def test_unknown_template(tmp_path):
    done = gppcore("init", tmp_path / "new", "--like", "cmip")
    assert done.returncode == 1
    assert (
        "--like: expected one of ['era5-modis', 'era5land-viirs', 'cru-glass', 'cru-globmap', 'demo'], got 'cmip'"
        in done.stderr
    )


def test_check_tells_what_is_there_and_exits_with_1_at_a_fault(world):
    done = gppcore("check", world)
    assert done.returncode == 0, done.stdout
    assert "ready to run" in done.stdout
    (world / "lai.nc").unlink()
    done = gppcore("check", world / "experiment.toml")
    assert done.returncode == 1
    assert "FAULT" in done.stdout


def test_run_of_a_finished_experiment_prints_its_numbers_at_once(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    done = gppcore("run", folder)
    assert done.returncode == 0, done.stderr
    assert "A small world" in done.stdout
    assert "begun" not in done.stderr, "no step was run again"
    quiet = gppcore("run", folder, "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_first_step_on_a_log_has_a_line_when_it_begins_and_ends(world):
    done = gppcore("run", world, "--to", "tiles")
    assert done.returncode == 0, done.stderr
    assert "Tiles from files: begun" in done.stderr
    assert "Tiles from files: done in" in done.stderr
    assert (world / "results" / "tiles" / "zarr.json").exists()
