"""Random changes of bytes, and lines of code that are reached for the first time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random
    from types import CodeType
    from typing import Self

__all__ = ["NewLines", "mutated"]

_WORDS = (
    *(b"\x00 \n \r \t \x1b \xff \xc3\x28 \xed\xa0\x80 \xf0\x9f\xa6\x9c".split(b" ")),
    *(b"[ ] { } ( ) < > ' \" = == === ~= , ; : . .. ../ / \\ # @ & % ! * -".split()),
    *(b"0 -1 1e26 1e999 nan inf 99999999999999999999 18446744073709551616".split()),
    *(b"true false null None http://[ file:///dev/zero http://h[/x &#9999999;".split()),
    *(b'<a <!-- <![ <base --> href=" [[ ]] {{ }} \'\' "" \'\'\' """'.split()),
    b"9" * 5000,
    b"[" * 5000,
    b"(" * 500,
    b"a." * 2000,
    b"::" * 20,
    "\u202e\u2028\u00b2\u0663".encode(),
)
"""What parsers take for more than text."""

_TOOL = 4
"""One of the numbers that sys.monitoring has for tools."""


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """Return one of the seeds with a few changes."""
    content = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        start = random.randrange(len(content) + 1)
        end = min(start + random.choice((1, 2, 4, 16, 64, 999)), len(content))
        match random.randrange(6):
            case 0:
                content[start:start] = random.choice(_WORDS)
            case 1:
                content[start:end] = random.choice(_WORDS)
            case 2:
                del content[start:end]
            case 3:
                content[start:start] = content[start:end] * random.choice((1, 2, 50))
            case 4 if content:
                content[min(start, len(content) - 1)] = random.randrange(256)
            case _:
                other = random.choice(seeds)
                at = random.randrange(len(other) + 1)
                content[start:end] = other[at : at + random.choice((4, 32, 256))]
    return bytes(content[:200_000])


class NewLines:
    """Counts lines of polylock that run for the first time; none before Python 3.12."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            monitoring.use_tool_id(_TOOL, "fuzz")
            monitoring.register_callback(_TOOL, monitoring.events.LINE, self._seen)
            monitoring.set_events(_TOOL, monitoring.events.LINE)
        return self

    def __exit__(self, *_: object) -> None:
        if sys.version_info >= (3, 12):
            sys.monitoring.set_events(_TOOL, 0)
            sys.monitoring.free_tool_id(_TOOL)

    def _seen(self, code: CodeType, line: int) -> object:
        del line
        if "polylock" in code.co_filename:
            self.count += 1
        if sys.version_info >= (3, 12):
            return sys.monitoring.DISABLE  # each line once, at no further cost
        return None
