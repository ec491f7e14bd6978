"""``python -m polylock`` and the ``polylock`` script."""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]

_COLLECTED_AFTER = 100_000


def main() -> None:
    """Run the command line and exit with its code."""
    # Importing makes many objects and no garbage, which is looked for all the time.
    gc.set_threshold(_COLLECTED_AFTER)
    from polylock.cli.main import run  # noqa: PLC0415 - the script may only be named

    code = run(sys.argv[1:])
    # Else the interpreter looks for garbage among all that there is before it ends.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
