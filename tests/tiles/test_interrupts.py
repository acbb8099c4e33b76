"""Ctrl-C at every moment at which Python may raise it in the code that opens files and takes the lock of a store."""

import dis
import gc
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from gppcore.errors import ForestFormatError
from gppcore.io.reading import read_file
from gppcore.tiles.store import TileStore

TRACED = ("tiles/journal.py", "io/durable.py", "io/reading.py", "contextlib.py")


class Interrupt:
    """Raise KeyboardInterrupt after the call number `at` that the traced files make."""

    def __init__(self, at):
        self.left, self.after_call, self.raised = at, {}, False

    def __call__(self, frame, event, argument):
        if not frame.f_code.co_filename.endswith(TRACED):
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
