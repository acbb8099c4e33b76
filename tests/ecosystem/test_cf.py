"""The product under the eyes of compliance-checker."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKER = shutil.which("compliance-checker", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(CHECKER is None, reason="needs compliance-checker (extra: ecosystem)")


def findings(file, report):
    """Return the messages of all checks of CF 1.8 that were not passed wholly."""
    subprocess.run(
        [CHECKER, "--test", "cf:1.8", "--criteria", "strict", "--format", "json", "--output", report, file],
        capture_output=True,
        check=False,
    )
    results = json.loads(report.read_text())["cf:1.8"]
    assert results["possible_points"] > 50
    # Some checks tell a reason when they are passed, too.
    failed = [check for check in results["all_priorities"] if check["value"][0] < check["value"][1]]
    return [message for check in failed for message in check["msgs"]]


def test_product_has_no_finding(products, tmp_path):
    assert findings(products["truth"], tmp_path / "report.json") == []


def test_wrong_unit_is_found(products, tmp_path):
    """The checker does look: the same product with an attribute spoilt is not accepted."""
    import h5py

    spoilt = shutil.copy(products["truth"], tmp_path / "spoilt.nc")
    with h5py.File(spoilt, "r+") as file:
        file["truth"].attrs["units"] = "apples"
    assert any("apples" in message for message in findings(spoilt, tmp_path / "report.json"))
