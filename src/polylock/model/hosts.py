"""Look-alike host names."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["look_alike"]

# Characters that look the same in most typefaces. Unicode's table of confusables
# (UTS 39) has thousands; these imitate host names of the Latin alphabet.
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
"""Fewest characters for the edit distance: shorter names are all close to others."""


def look_alike(host: str, known: Iterable[str]) -> str | None:
    """Return the known host that a host imitates, None if it imitates none.

    A host imitates another if it looks alike (``exarnple.com``), is one edit or swap
    away (``exmaple.com``), or wraps it in a longer name
    (``example.com.evil.example``). A known host imitates none.
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
    """Return a host name with look-alike letters mapped to one."""
    try:
        text = host.encode("ascii").decode("idna")
    except UnicodeError:
        text = host
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    letters = bare.lower().translate(_SIMILAR)
    return letters.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def _wraps(host: str, known: str) -> bool:
    """Return True if ``host`` starts with ``known`` but is not a subdomain of it.

    A subdomain (``cdn.example.com``) has the same owner.
    """
    if host.endswith(f".{known}"):
        return False
    joined = known.replace(".", "-")
    return host.startswith((f"{known}.", f"{known}-", f"{joined}.", f"{joined}-"))


def _is_one_edit(left: str, right: str) -> bool:
    """Return True if one insertion, deletion, replacement or swap makes them equal."""
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
