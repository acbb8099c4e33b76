"""All kernels give the same bits on every instruction set, for every number of threads and size of batches."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gppcore.runtime import supported_isas

SCRIPT = Path(__file__).with_name("bits.py")


@pytest.fixture(scope="module")
def digests():
    """Digests by instruction set, each from one process."""
    run = subprocess.run([sys.executable, SCRIPT, "--json"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return {name.partition(", ")[2]: found for name, found in json.loads(run.stdout).items()}


def test_the_instruction_set_is_the_forced_one(digests):
    assert {isa: found["isa"] for isa, found in digests.items()} == {isa: isa for isa in supported_isas()}


@pytest.mark.parametrize(
    "kernel", ["two_leaf", "gradient", "beps", "soil_water", "regridding", "forests", "model", "lazy"]
)
def test_same_bits(digests, kernel):
    first = digests["baseline"][kernel][0]
    assert {isa: found[kernel] for isa, found in digests.items()} == {
        isa: [first] * len(found[kernel]) for isa, found in digests.items()
    }
