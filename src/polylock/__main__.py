"""``python -m polylock`` and the ``polylock`` script."""

from __future__ import annotations

import os
import sys

__all__ = ["answer", "main"]

_LAZY = frozenset(
    {
        "inspect",
        "ipaddress",
        "platform",
        "selectors",
        "signal",
        "subprocess",
        "sysconfig",
        "textwrap",
        "tokenize",
    }
)
"""Modules that click and packaging import and that few commands use."""

_COLLECTED_AFTER = 100_000


def answer(arguments: tuple[str, ...]) -> int:
    """Answer a command, from memory if nothing has changed; return the exit code."""
    from polylock.answer_cache.recall import COMPLETION, recall  # noqa: PLC0415 - see `main`

    code = recall(arguments)
    if code is None:
        if COMPLETION in os.environ:
            from polylock.cli.completion import complete  # noqa: PLC0415 - for shells

            return complete(os.environ[COMPLETION])
        from polylock.cli.main import run  # noqa: PLC0415 - 30 ms, most often spared

        code = run(arguments)
    return code


def main() -> None:
    """Run the command line and exit with its code."""
    import gc  # noqa: PLC0415 - `answer` does not need it

    if sys.version_info >= (3, 15):  # PEP 810
        sys.set_lazy_imports_filter(lambda _importer, name, _names: name in _LAZY)
        sys.set_lazy_imports("all")
    # Imports create many objects and no garbage, but start many collections.
    gc.set_threshold(_COLLECTED_AFTER)
    try:
        code = answer(tuple(sys.argv[1:]))
    except KeyboardInterrupt:  # during imports, before `run` catches it
        sys.stderr.write("interrupted\n")
        code = 130
    # Otherwise the interpreter collects garbage once more before it ends.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
