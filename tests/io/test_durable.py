"""Durable files: complete under their names, or absent."""

import errno
import os

import pytest

from gppcore.errors import DiskFullError
from gppcore.io.durable import rename_durably, write_durably, write_json


def test_file_and_its_folder_are_made(tmp_path):
    write_durably(tmp_path / "new" / "file", b"content")
    assert (tmp_path / "new" / "file").read_bytes() == b"content"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["file"]


def test_full_disk_keeps_the_older_file_and_leaves_no_part(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    write_durably(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match="file: expected room"):
        write_durably(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_json_refuses_nan_before_it_writes(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "numbers.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_folder_gets_its_name_with_all_its_files(tmp_path):
    (tmp_path / "building" / "inner").mkdir(parents=True)
    (tmp_path / "building" / "inner" / "file").write_bytes(b"x")
    rename_durably(tmp_path / "building", tmp_path / "done")
    assert (tmp_path / "done" / "inner" / "file").read_bytes() == b"x"
    assert not (tmp_path / "building").exists()
