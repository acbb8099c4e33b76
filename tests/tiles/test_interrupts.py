"""Ctrl-C at every moment at which Python may raise it where files are opened, stores locked and threads awaited."""

import dis
import gc
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from gppcore.errors import ForestFormatError
from gppcore.io.reading import read_file
from gppcore.runtime import in_threads
from gppcore.tiles.store import TileStore

TRACED = ("tiles/journal.py", "io/durable.py", "io/reading.py", "contextlib.py")
WAITING = ("gppcore/runtime.py",)


class Interrupt:
    """Raise KeyboardInterrupt after the call number `at` that the traced files make."""

    def __init__(self, at, traced=TRACED):
        self.traced = traced
        self.left, self.after_call, self.raised = at, {}, False

    def __call__(self, frame, event, argument):
        if not frame.f_code.co_filename.endswith(self.traced):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and not self.raised:
            if self.after_call.get(frame):
                self.left -= 1
                if self.left < 0:
                    self.raised = True
                    raise KeyboardInterrupt
            self.after_call[frame] = dis.opname[frame.f_code.co_code[frame.f_lasti]].startswith("CALL")
        return self

    def run(self, work):
        """Return whether the work was interrupted."""
        sys.settrace(self)
        try:
            work()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        self.after_call.clear()
        return self.raised


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def store(tmp_path):
    store = TileStore.create(tmp_path / "store", 10.0 - np.arange(4), np.arange(4.0), np.arange(4))
    store.add("lai", monthly=False, attrs={"units": "m2 m-2"})
    return store


@pytest.fixture
def works(store, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    return {
        "write": lambda: store.write("lai", 0, np.ones(4, np.float32), check="ignore"),
        "read": lambda: read_file(tmp_path / "file", ForestFormatError),
    }


@pytest.mark.parametrize("name", ["write", "read"])
def test_nothing_stays_open_or_locked(store, works, name):
    works[name]()  # what is imported or kept at first use
    before, moments = descriptors(), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of the objects that close what was left open
        while Interrupt(moments).run(works[name]):
            if descriptors() != before:
                gc.collect()
            assert descriptors() == before, f"after moment {moments}"
            with TileStore.open(store.path).writing():
                pass
            moments += 1
    assert moments > {"write": 60, "read": 5}[name]


def test_threads_end_and_nothing_waits_for_them():
    before, moments = threading.active_count(), 0

    def work():
        assert sorted(in_threads(abs, [-3, 2, -1, 0], 2)) == [0, 1, 2, 3]

    while Interrupt(moments, WAITING).run(work):
        deadline = time.monotonic() + 20
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.001)
        assert threading.active_count() == before, f"after moment {moments}"
        moments += 1
    assert moments > 20
