"""``python -m polylock`` and the ``polylock`` script."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code."""
    from polylock.cli.main import run  # noqa: PLC0415 - the script may only be named

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
