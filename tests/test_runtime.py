import ast
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
import pytest

import gppcore
from gppcore import _core, runtime
from gppcore.errors import KernelError, MissingFileError
from gppcore.runtime import in_threads, interruptible

STUB = Path(gppcore.__file__).parent / "_core.pyi"


def test_instruction_set_in_use_is_a_supported_one():
    assert runtime.isa() in runtime.supported_isas()
    assert runtime.supported_isas()[0] == "baseline"


def test_unknown_instruction_set_is_refused(run_on_isa):
    code = (
        "from gppcore import runtime\nfrom gppcore.errors import KernelError\n"
        "try:\n    runtime.isa()\nexcept KernelError as error:\n    print(error)"
    )
    assert "mmx" in run_on_isa("mmx", code)
    assert issubclass(KernelError, RuntimeError)


def test_header_and_library_are_where_they_are_said_to_be():
    assert Path(runtime.get_include(), "gppcore", "gppcore.h").is_file()
    assert Path(runtime.get_library()).is_file()
    assert Path(runtime.get_cmake_dir(), "gppcoreConfig.cmake").is_file()


def test_incomplete_installation_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(gppcore, "__path__", [str(tmp_path)])
    monkeypatch.setattr(_core, "__file__", str(tmp_path / "_core.so"))
    with pytest.raises(MissingFileError, match=r"lib/libgppcore.so.2: expected in one of"):
        runtime.get_library()


def test_library_exports_its_interface_only():
    if shutil.which("nm") is None:
        pytest.skip("nm (binutils) is not installed")
    command = ["nm", "-D", "--defined-only", runtime.get_library()]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    exported = {line.split()[-1] for line in lines}
    assert "gpp_abi_version@@GPPCORE_2" in exported
    public = {name for name in exported if name.endswith("@@GPPCORE_2")}
    assert all(name.startswith("gpp_") for name in public)
    # The rest, which the compiled module of this version uses, is ours, and no template of the standard library.
    private = [name.removesuffix("@@GPPCORE_PRIVATE") for name in exported - public - {"GPPCORE_2", "GPPCORE_PRIVATE"}]
    names = subprocess.run(["c++filt", *private], capture_output=True, text=True, check=True).stdout.splitlines()
    assert all("gppcore::" in name.replace("std::vector<gppcore::", "") for name in names), names


def test_stub_names_every_public_attribute_of_the_compiled_module():
    stub = ast.parse(STUB.read_text())

    def names(node):
        return {child.name for child in node.body if isinstance(child, ast.FunctionDef | ast.ClassDef)}

    def public(thing):
        return {name for name in dir(thing) if not name.startswith("_")}

    assert names(stub) == public(_core)
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            assert names(node) - {"__init__"} == public(getattr(_core, node.name)), node.name


def test_public_names_are_all_there():
    assert "two_leaf_gpp" in dir(gppcore)
    for name in gppcore.__all__:
        assert getattr(gppcore, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = gppcore.nothing


LONG_FIT = """
import signal, sys, threading, time
import numpy as np
from gppcore.transfer.members import _fit_trees, fit_source
signal.signal(signal.SIGINT, signal.default_int_handler)
fit_source(np.zeros((100, 2)), np.zeros(100), seed=0, n_threads=1)  # imports
x = np.random.default_rng(0).normal(size=(200_000, 8))
fit = {"boosted": lambda: fit_source(x, x[:, 0] ** 2, seed=0, n_threads=1),
       "trees": lambda: _fit_trees(x, x[:, 0] ** 2, None, "places", 150, 0, 1)}[sys.argv[1]]
print("ready", flush=True)
begin = time.monotonic()
try:
    fit()
except KeyboardInterrupt:
    print("interrupted", flush=True)
    import os
    os._exit(0)
print("fitted in", time.monotonic() - begin, flush=True)
"""


@pytest.mark.parametrize("learner", ["boosted", "trees"])
def test_ctrl_c_ends_training_at_once(learner):
    with subprocess.Popen([sys.executable, "-c", LONG_FIT, learner], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        begin = time.perf_counter()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        taken = time.perf_counter() - begin
        print(f"interrupted after {taken:.3f} s")
        assert taken < 5.0  # promised are 0.2 s with an idle core; tests share theirs


def test_interruptible_returns_and_raises_what_the_call_does():
    with np.errstate(all="raise"):
        assert interruptible(np.geterr) == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0)


def test_in_threads_yields_what_was_finished_before_it_raises():
    done = deque()

    def call(number):
        if number == 2:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match="2"):
        done.extend(number for number in in_threads(call, range(5), n_threads=1))
    assert list(done)[:2] == [0, 1]


def test_in_threads_leaves_what_has_not_begun_when_it_is_closed():
    begun, may_go_on = [], threading.Event()

    def call(number):
        begun.append(number)
        if number:
            may_go_on.wait(60)

    found = in_threads(call, range(1000), n_threads=1)
    next(found)
    found.close()
    may_go_on.set()
    while any(thread.name.endswith("(work)") for thread in threading.enumerate()):
        time.sleep(0.001)
    assert len(begun) <= 2


def test_ctrl_c_that_threading_loses_is_raised(monkeypatch):
    def start(thread):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise RuntimeError("release unlocked lock")  # noqa: B904

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        list(in_threads(abs, [1, 2], n_threads=2))
    with pytest.raises(KeyboardInterrupt):
        interruptible(int)


def test_in_threads_runs_on_the_threads_that_there_are(monkeypatch):
    started, start = [], threading.Thread.start

    def refuse(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert sorted(in_threads(abs, [-2, 1], n_threads=4)) == [1, 2]
    with pytest.raises(RuntimeError, match="can't start new thread"):
        list(in_threads(abs, [1], n_threads=1))
