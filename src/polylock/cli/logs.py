"""Where messages go: stderr, as loud as asked, coloured only for a person."""

from __future__ import annotations

import logging
import os
import sys

__all__ = ["set_up_logging", "style", "wants_color"]

_STYLES = {
    "error": "31;1",
    "warning": "33;1",
    "hint": "36",
    "strong": "1",
    "faint": "2",
}


def set_up_logging(verbosity: int) -> None:
    """Log decisions with ``-v``, their evidence with ``-vv``, to stderr."""
    level = {0: logging.ERROR, 1: logging.INFO}.get(verbosity, logging.DEBUG)
    if verbosity < 0:
        level = logging.CRITICAL
    logging.basicConfig(
        level=level, format="%(levelname).1s %(name)s: %(message)s", stream=sys.stderr
    )
    if verbosity < 3:
        for noisy in ("httpx", "httpcore"):
            logging.getLogger(noisy).setLevel(logging.WARNING)


def wants_color(*, error: bool = True) -> bool:
    """Say whether a stream goes to a person who has not set NO_COLOR."""
    stream = sys.stderr if error else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR")


def style(text: str, name: str, *, error: bool = True) -> str:
    """Return the text in a style, or as it is where colour is not wanted."""
    if not wants_color(error=error):
        return text
    return f"\x1b[{_STYLES[name]}m{text}\x1b[0m"
