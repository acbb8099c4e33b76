"""The command `gppcore`, also as ``python -m gppcore``; it says which packages to install where some are missing."""

from __future__ import annotations

import sys

from gppcore.errors import missing_package


def main() -> None:
    """Run the command line."""
    try:
        from gppcore.cli.main import main as run
    except ModuleNotFoundError as error:
        sys.exit(f"gppcore: {missing_package('the command gppcore', error)}")
    run()


if __name__ == "__main__":
    main()
