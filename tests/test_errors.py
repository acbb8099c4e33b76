"""The family of errors, and the one that stands for a full disk."""

import errno
from pathlib import Path

import pytest

from gppcore import errors


def test_all_errors_belong_to_the_family_and_to_a_class_of_python():
    found = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)]
    found = [e for e in found if not issubclass(e, Warning)]
    assert len(found) > 10
    for error in found:
        assert issubclass(error, errors.GppcoreError)
        assert error is errors.GppcoreError or len(error.__bases__) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_and_full_quota_are_named(number):
    with (
        pytest.raises(errors.DiskFullError, match="out: expected room on the disk, got: no room") as raised,
        errors.disk_errors(Path("out")),
    ):
        raise OSError(number, "no room")
    assert raised.value.__cause__.errno == number


@pytest.mark.parametrize(
    "name", ["EIO", "EACCES", "EPERM", "EMFILE", "ENFILE", "ENOLCK", "EOPNOTSUPP", "EROFS", "ESTALE"]
)
def test_other_errors_of_the_system_keep_their_number_and_give_advice(name):
    number = getattr(errno, name)
    with (
        pytest.raises(errors.FileAccessError, match=r"^out: expected access .*, got: mine; \w+") as raised,
        errors.disk_errors(Path("out")),
    ):
        raise OSError(number, "mine")
    assert raised.value.errno == number


def test_missing_file_of_the_system_is_one_of_ours():
    with pytest.raises(errors.MissingFileError, match="out: expected"), errors.disk_errors("out"):
        raise FileNotFoundError(errno.ENOENT, "none")


def test_own_errors_pass_unchanged():
    with pytest.raises(errors.TileFormatError, match=r"^mine$"), errors.disk_errors("out"):
        raise errors.TileFormatError("mine")
