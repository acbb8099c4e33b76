"""How a command ends after Ctrl-C, also where a library swallows the exception or holds much memory."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

STUBBORN = """
import fcntl, sys, threading
from gppcore import _core

held = [bytearray(b"x") * 100_000 for _ in range(2_000)]
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)

def spin():
    while True:
        sum(range(1000))

_core.end_after_interrupt(0.05, b"the end\\n", 130)
threading.Thread(target=spin, daemon=True).start()
ready = "ready\\n"
while True:
    try:
        sys.stdout.write(ready)
        ready = ""
        sys.stdout.flush()
        spin()
    except KeyboardInterrupt:
        pass
"""

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import time
from gppcore import _core
_core.end_with_parent()
print("ready", flush=True)
time.sleep(600)
'''], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def stubborn(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN, str(tmp_path / "lock")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.communicate()


def test_a_program_that_swallows_the_exception_ends_too(stubborn, tmp_path):
    begin = time.perf_counter()
    stubborn.send_signal(signal.SIGINT)
    assert stubborn.wait(60) == 130
    print(f"gone after {time.perf_counter() - begin:.3f} s")
    with (tmp_path / "lock").open() as file:  # nothing of the process is left that a second run would wait for
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert stubborn.communicate(timeout=60)[1] == b"the end\n"


def test_ctrl_c_twice_is_one_end(stubborn):
    stubborn.send_signal(signal.SIGINT)
    time.sleep(0.01)
    stubborn.send_signal(signal.SIGINT)
    assert stubborn.wait(60) == 130
    assert stubborn.communicate(timeout=60)[1] == b"the end\n"


def test_ctrl_c_in_a_callback_is_not_printed(capsys):
    from gppcore.cli.main import _unraisable

    _unraisable(SimpleNamespace(exc_type=KeyboardInterrupt))
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of the end of its parent")
def test_workers_end_with_the_command():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as process:
        worker = int(process.stdout.readline())
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while _alive(worker) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _alive(worker)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"
