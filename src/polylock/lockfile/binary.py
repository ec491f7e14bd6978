"""A lock file in a form that is read at once, for the cache.

To read TOML and to check each value takes twenty times as long. The form is the values
of ``Pylock`` as MessagePack, so it says what ``decode`` said, as long as the rules are
the same: who keeps it, keys it by ``rules()`` and by the content of the lock file.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import packaging

from polylock import __version__
from polylock.lockfile.pylock import Pylock

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["from_binary", "rules", "to_binary"]

_LAYOUT = 3
_MOST = 2**63


def rules() -> str:
    """Return what the values depend on besides the content of the lock file."""
    return f"{_LAYOUT}, polylock {__version__}, packaging {packaging.__version__}"


def to_binary(pylock: Pylock) -> bytes | None:
    """Return the form of a lock file; None for one that would not come back the same.

    Such hold what MessagePack has not, in the tables of other tools: local dates and
    times, for example.
    """
    try:
        if not all(map(_is_plain, _foreign(pylock))):
            return None
        return msgspec.msgpack.encode(pylock)
    except RecursionError:
        return None


def from_binary(content: bytes | memoryview) -> Pylock | None:
    """Return the lock file of a form, None where that cannot be read."""
    try:
        return _decoder().decode(content)
    except msgspec.MsgspecError:
        return None


@lru_cache(maxsize=1)
def _decoder() -> msgspec.msgpack.Decoder[Pylock]:
    return msgspec.msgpack.Decoder(Pylock)


def _foreign(pylock: Pylock) -> Iterator[object]:
    """Yield the tables that are kept as they were found."""
    yield pylock.tool
    for package in pylock.packages:
        yield package.tool
        yield package.dependencies
        yield package.variants_json
        yield package.attestation_identities


def _is_plain(value: object) -> bool:
    """Return whether MessagePack gives back the very same value."""
    match value:
        case None | str() | bool():
            return True
        case int():
            return -_MOST <= value < _MOST
        case float():
            return value == value  # noqa: PLR0124 - NaN is equal to nothing
        case list() | tuple():
            return all(map(_is_plain, value))
        case dict():
            return all(map(_is_plain, value.values()))
        case _:
            return False
