"""Journal of the finished chunks of a tile store, and the lock of its one writer.

A file is written under a temporary name, synced and renamed, and so is its folder; only then its size and
checksum are added to the journal. After any crash, power failure included, a file listed in the journal is complete,
and all others are ignored. Files are written and never mapped for writing, so that a full disk is an error of the
call and not a signal.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import socket
import sys
import threading
import time
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gppcore import _core
from gppcore.errors import StoreLockedError, TileFormatError, disk_errors
from gppcore.io.reading import parse_json, read_file


def plain_file(root: Path, relative: str) -> Path:
    """Return the path of a file of a store, none of whose parts is a symbolic link.

    Raises
    ------
    TileFormatError
        If a part of the path, below the root, is a symbolic link.
    """
    path = root
    for part in Path(relative).parts:
        path /= part
        if path.is_symlink():
            raise TileFormatError(f"{path}: expected a file or folder of the store, got a symbolic link")
    return path


@dataclass(frozen=True)
class Entry:
    """One finished chunk: `tile` of `variable` in the year number `year`, with the size and checksum of its file."""

    variable: str
    tile: int
    year: int
    size: int
    crc32: int
    origin: str = ""
    """Digest of what the content was derived from, where that is known."""

    @classmethod
    def of(cls, variable: str, tile: int, year: int, content: memoryview, origin: str = "") -> Entry:
        """Describe the content of a chunk."""
        return cls(variable, tile, year, len(content), zlib.crc32(content), origin)

    @property
    def key(self) -> tuple[str, int, int]:
        """Identity of the chunk."""
        return self.variable, self.tile, self.year

    def confirms(self, content: memoryview) -> bool:
        """Whether this is the content that was written."""
        return len(content) == self.size and zlib.crc32(content) == self.crc32


class Journal:
    """The finished chunks of a store, in a file of one line each, and the lock of its writer.

    Parameters
    ----------
    root : Path
        Folder of the store.
    relative : str
        Path of the journal in it.
    """

    def __init__(self, root: Path, relative: str) -> None:
        self.root, self._relative = root, relative
        self._entries: dict[tuple[str, int, int], Entry] = {}
        self._size = -1
        self._threads = threading.RLock()
        self._writers: set[object] = set()
        self._lock: io.FileIO | None = None
        _JOURNALS.add(self)
        self.refresh()

    def get(self, variable: str, tile: int, year: int) -> Entry | None:
        """Return the entry of a finished chunk."""
        return self._entries.get((variable, tile, year))

    def refresh(self) -> None:
        """Read entries added since, by any process."""
        path = plain_file(self.root, self._relative)
        with disk_errors(path):
            size = path.stat().st_size if path.exists() else 0
        if size == self._size:
            return
        lines = read_file(path, TileFormatError).splitlines() if size else ()
        entries = (_entry(line) for line in lines)
        self._entries = {entry.key: entry for entry in entries if entry}
        self._size = size

    def confirm(self, *entries: Entry) -> None:
        """Add finished chunks; call it inside :meth:`writing`."""
        path = plain_file(self.root, self._relative)
        with self._threads, disk_errors(path), path.open("ab") as file:
            # Line breaks come first, so that a line cut off by a crash does not merge with the next one.
            file.write(b"".join(b"\n" + json.dumps(asdict(entry)).encode() for entry in entries))
            file.flush()
            os.fsync(file.fileno())
            self._size = file.tell()
            self._entries |= {entry.key: entry for entry in entries}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Exclude all other writers; may be nested, and shared by the threads that use this object.

        A process forked meanwhile does not hold the lock, and leaving the block there releases nothing.

        Raises
        ------
        StoreLockedError
            If another process, or another object in this process, is writing; the message names it.
        """
        writer = object()
        try:
            with self._threads:
                if self._lock is None:
                    self._lock = self._take_lock()
                    self.refresh()
                self._writers.add(writer)
            yield
        finally:
            try:
                self._leave(writer)
            except KeyboardInterrupt:  # between any two calls; leaving twice does no harm
                self._leave(writer)
                raise

    def _leave(self, writer: object) -> None:
        with self._threads:
            self._writers.discard(writer)
            if not self._writers and self._lock is not None:
                self._lock.close()
                self._lock = None

    def forget_lock(self) -> None:
        """Give up what a forked process inherited: the lock is that of its parent, and ends with it."""
        if self._lock is not None:
            self._lock.close()  # else the lock would last as long as this process
        self._threads = threading.RLock()  # another thread of the parent may hold the old one
        self._writers, self._lock = set(), None

    def _take_lock(self) -> io.FileIO:
        """Lock the store; the system releases the lock when the process ends, for whatever reason."""
        path = plain_file(self.root, f"{self._relative}.lock")
        with disk_errors(path):
            file: io.FileIO = _core.open_file(os.fsencode(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                owner = {"process": os.getpid(), "host": socket.gethostname(), "program": Path(sys.argv[0]).name}
                since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
                file.truncate(0)
                os.pwrite(file.fileno(), json.dumps({**owner, "since": since}).encode(), 0)
            except BlockingIOError:
                writer = os.pread(file.fileno(), 4096, 0).decode(errors="replace")
                file.close()
                raise StoreLockedError(
                    f"{self.root}: expected no other writer, got {writer or 'one'}; wait for it or stop it"
                ) from None
            except BaseException:
                file.close()
                raise
        return file


def _entry(line: bytes) -> Entry | None:
    """Read a line of the journal; None if a crash cut it off, or it is damaged."""
    try:
        values: dict[str, Any] = parse_json(line)
        entry = Entry(**values)
    except (ValueError, TypeError):
        return None
    texts, numbers = (entry.variable, entry.origin), (entry.tile, entry.year, entry.size, entry.crc32)
    whole = all(isinstance(text, str) for text in texts) and all(type(number) is int for number in numbers)
    return entry if whole else None


_JOURNALS: weakref.WeakSet[Journal] = weakref.WeakSet()


def _after_fork() -> None:
    for journal in _JOURNALS:
        journal.forget_lock()


os.register_at_fork(after_in_child=_after_fork)
