"""Host names that are made to be taken for another."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["look_alike"]

# What people read as the same in most typefaces. Unicode's own table of confusable
# characters (UTS 39) has thousands; these are the ones that host names of the Latin
# alphabet are imitated with.
_SIMILAR = str.maketrans(
    {
        "0": "o",
        "1": "l",
        "i": "l",
        "5": "s",
        "а": "a",  # noqa: RUF001 - Cyrillic, as in an imitation
        "е": "e",  # noqa: RUF001 - as above
        "о": "o",  # noqa: RUF001 - as above
        "р": "p",  # noqa: RUF001 - as above
        "с": "c",  # noqa: RUF001 - as above
        "у": "y",  # noqa: RUF001 - as above
        "х": "x",  # noqa: RUF001 - as above
        "ѕ": "s",  # noqa: RUF001 - as above
        "і": "l",  # noqa: RUF001 - as above
        "ο": "o",  # noqa: RUF001 - Greek
        "ı": "l",  # noqa: RUF001 - Turkish
    }
)
_SHORTEST = 6
"""Shorter names are one edit from many that nobody confuses."""


def look_alike(host: str, known: Iterable[str]) -> str | None:
    """Return the known host that another imitates, None where it imitates none.

    It does if a reader may take one for the other (``exarnple.com``), if it is one
    edit or swap away (``exmaple.com``), or if it wraps the known one in a longer name
    (``example.com.evil.example``). The same host imitates nothing.
    """
    others = sorted({one.lower() for one in known if one})
    own = host.lower()
    if own in others:
        return None
    read = _skeleton(own)
    for other in others:
        seen = _skeleton(other)
        if read == seen or _wraps(own, other):
            return other
        if len(other) >= _SHORTEST and _is_one_edit(read, seen):
            return other
    return None


def _skeleton(host: str) -> str:
    """Return what is left of a host name when letters that look alike are one."""
    try:
        text = host.encode("ascii").decode("idna")
    except UnicodeError:
        text = host
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    letters = bare.lower().translate(_SIMILAR)
    return letters.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def _wraps(host: str, known: str) -> bool:
    """Say whether ``host`` shows all of ``known`` and belongs to somebody else.

    A name below the known one (``cdn.example.com``) is of the same owner.
    """
    if host.endswith(f".{known}"):
        return False
    joined = known.replace(".", "-")
    return host.startswith((f"{known}.", f"{known}-", f"{joined}.", f"{joined}-"))


def _is_one_edit(left: str, right: str) -> bool:
    """Say whether one insertion, deletion, replacement or swap makes them equal."""
    if abs(len(left) - len(right)) > 1 or left == right:
        return left == right
    at = next(
        (
            i
            for i, pair in enumerate(zip(left, right, strict=False))
            if len({*pair}) > 1
        ),
        min(len(left), len(right)),
    )
    if len(left) == len(right):
        swapped = left[at + 1 : at + 2] + left[at] + left[at + 2 :]
        return left[at + 1 :] == right[at + 1 :] or swapped == right[at:]
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    return longer[at + 1 :] == shorter[at:]
