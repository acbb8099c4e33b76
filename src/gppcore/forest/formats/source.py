"""Reading of whole model files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gppcore.errors import FileAccessError, ForestFormatError, MissingFileError
from gppcore.io.reading import read_file


def content_of(path: Any) -> bytes:
    """Bytes of the file `path`."""
    try:
        return read_file(Path(path), ForestFormatError)
    except MissingFileError as error:
        message = f"{path}: expected a model file, got none"
        raise MissingFileError(message) from error
    except (ForestFormatError, FileAccessError, TypeError, ValueError) as error:
        message = f"source: expected a model file that can be read, got: {error}"
        raise ForestFormatError(message) from error
