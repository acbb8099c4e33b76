"""The bounds that the comments of the kernels state for their elementary functions."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOUNDS = {
    "exp_f64": 2.0,
    "exp_f32": 2.0,
    "log_f64": 3.0,
    "log_f64_near_1": 3.0,
    "log_f32": 3.0,
    "log_f32_near_1": 3.0,
    "acos_f64": 2.0,
    "cos_f64": 2.0,
    "sin_f64": 2.0,
}
FLAGS = ["-std=c++17", "-O2", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno"]


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    program = tmp_path_factory.mktemp("math") / "math_ulp"
    compiler = (sysconfig.get_config_var("CXX") or "c++").split()[0]
    includes = [f"-I{ROOT / 'cpp' / part}" for part in ("src/kernels", "src", "include")]
    source = Path(__file__).with_name("math_ulp.cpp")
    subprocess.run([compiler, *FLAGS, *includes, source, "-o", program], check=True, capture_output=True, text=True)
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: float(error) for name, error in (line.split() for line in lines)}


@pytest.mark.parametrize("name", BOUNDS)
def test_error_keeps_its_bound(errors, name):
    assert 0.5 < errors[name] <= BOUNDS[name]
