"""``python -m polylock`` and the ``polylock`` script."""

from __future__ import annotations

import os
import sys

from polylock.answer_cache.recall import COMPLETION, recall

__all__ = ["answer", "main"]

_COLLECTED_AFTER = 100_000


def answer(arguments: tuple[str, ...]) -> int:
    """Answer a command, from memory if nothing has changed; return the exit code."""
    code = recall(arguments)
    if code is None:
        from polylock.cli.later import put_off  # noqa: PLC0415 - as below

        put_off()
        if COMPLETION in os.environ:
            from polylock.cli.completion import complete  # noqa: PLC0415 - for shells

            return complete(os.environ[COMPLETION])
        from polylock.cli.main import run  # noqa: PLC0415 - 30 ms, most often spared

        code = run(arguments)
    return code


def main() -> None:
    """Run the command line and exit with its code."""
    import gc  # noqa: PLC0415 - of no use to who imports `answer`

    # Importing makes many objects and no garbage, which is looked for all the time.
    gc.set_threshold(_COLLECTED_AFTER)
    code = answer(tuple(sys.argv[1:]))
    # Else the interpreter looks for garbage among all that there is before it ends.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
