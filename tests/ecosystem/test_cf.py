"""The product under the eyes of compliance-checker."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKER = shutil.which("compliance-checker", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(CHECKER is None, reason="needs compliance-checker (extra: ecosystem)")


def findings(file, report, *, rules="cf:1.8", priorities="all_priorities"):
    """Return the messages of all checks of some rules that were not passed wholly."""
    subprocess.run(
        [CHECKER, "--test", rules, "--criteria", "strict", "--format", "json", "--output", report, file],
        capture_output=True,
        check=False,
    )
    results = json.loads(report.read_text())[rules]
    assert results["possible_points"] > 50
    # Some checks tell a reason when they are passed, too.
    failed = [check for check in results[priorities] if check["value"][0] < check["value"][1]]
    return [message for check in failed for message in check["msgs"]]


def test_product_has_no_finding(products, tmp_path):
    assert findings(products["truth"], tmp_path / "report.json") == []


def test_attributes_for_discovery_are_there(products, tmp_path):
    """What ACDD 1.3 recommends highly, and of the others what does not depend on who makes the product."""
    report = tmp_path / "report.json"
    high = findings(products["truth"], report, rules="acdd:1.3", priorities="high_priorities")
    assert high == ["standard_name"] * 2  # CF has none for the bounds of an interval
    told = " ".join(findings(products["truth"], report, rules="acdd:1.3"))
    assert "creator_name not present" in told  # the checker does look
    assert "geospatial_lat_units" not in told
    assert "time_coverage_duration" not in told


def test_wrong_unit_is_found(products, tmp_path):
    """The checker does look: the same product with an attribute spoilt is not accepted."""
    import h5py

    spoilt = shutil.copy(products["truth"], tmp_path / "spoilt.nc")
    with h5py.File(spoilt, "r+") as file:
        file["truth"].attrs["units"] = "apples"
    assert any("apples" in message for message in findings(spoilt, tmp_path / "report.json"))
