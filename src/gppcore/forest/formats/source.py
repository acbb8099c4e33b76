"""Reading of whole model files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gppcore.errors import ForestFormatError, MissingFileError


def content_of(path: Any) -> bytes:
    """Bytes of the file `path`."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        message = f"{path}: expected a model file, got none"
        raise MissingFileError(message) from error
    except (OSError, TypeError, ValueError) as error:
        message = f"source: expected a model file that can be read, got: {error}"
        raise ForestFormatError(message) from error
