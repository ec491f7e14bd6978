"""``python -m polylock`` and the ``polylock`` script."""

from __future__ import annotations

import sys

from polylock.cli.recall import recall

__all__ = ["answer", "main"]


def answer(arguments: tuple[str, ...]) -> int:
    """Answer a command, from memory if nothing has changed; return the exit code."""
    code = recall(arguments)
    if code is None:
        from polylock.cli.main import run  # noqa: PLC0415 - 30 ms, most often spared

        code = run(arguments)
    return code


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(answer(tuple(sys.argv[1:])))


if __name__ == "__main__":
    main()
