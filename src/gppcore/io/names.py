"""Names that become parts of paths: of the variables of a store, and of the parts of a model."""

from __future__ import annotations

import re

from gppcore.errors import DtypeError, GppcoreError, RangeError

LONGEST = 47
"""Characters of a name; model files have 48 bytes for each."""
_NAME = re.compile(rf"[A-Za-z0-9_-][A-Za-z0-9._-]{{0,{LONGEST - 1}}}")


def is_name(name: object) -> bool:
    """Whether :func:`check_name` accepts a name."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(what: str, name: object, error: type[GppcoreError] = RangeError) -> str:
    """Return a name that cannot lead out of its folder: letters, digits, ``.``, ``_`` and ``-``, no ``.`` in front.

    Parameters
    ----------
    what : str
        What has the name, for the message.
    name : object
        1 to 47 characters.
    error : type of GppcoreError
        Type of the error for a wrong name.

    Raises
    ------
    DtypeError
        If it is not a str.
    GppcoreError
        Of the type `error`, if it is another text.
    """
    if not isinstance(name, str):
        raise DtypeError(f"{what}: expected a name, a str, got {type(name).__name__}")
    if not is_name(name):
        shown = repr(name if len(name) <= 2 * LONGEST else name[:LONGEST] + "...")
        raise error(
            f"{what}: expected a name of 1 to {LONGEST} letters, digits, '.', '_' and '-', the first not '.', got "
            f"{shown}"
        )
    return name
