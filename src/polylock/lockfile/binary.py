"""A lock file as MessagePack, for the cache.

To read TOML and to check each value takes twenty times as long. The content is the
values of ``Pylock`` as ``read_pylock`` returned them, and is valid while the rules are
the same: a cache entry is keyed by ``rules()`` and the content of the lock file.
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

_LAYOUT = 7
_MOST = 2**63


def rules() -> str:
    """Return the versions on which the values depend besides the lock file."""
    return f"{_LAYOUT}, polylock {__version__}, packaging {packaging.__version__}"


def to_binary(pylock: Pylock) -> bytes | None:
    """Return a lock file as MessagePack; None if it would not come back the same.

    Tables of other tools may hold values that MessagePack does not have, such as local
    dates and times.
    """
    try:
        if not all(map(_is_plain, _foreign(pylock))):
            return None
        return msgspec.msgpack.encode(pylock)
    except RecursionError:
        return None


def from_binary(content: bytes | memoryview) -> Pylock | None:
    """Return the lock file that MessagePack holds, None if it cannot be read."""
    try:
        return _decoder().decode(content)
    except msgspec.MsgspecError:
        return None


@lru_cache(maxsize=1)
def _decoder() -> msgspec.msgpack.Decoder[Pylock]:
    return msgspec.msgpack.Decoder(Pylock)


def _foreign(pylock: Pylock) -> Iterator[object]:
    """Yield the tables that are kept unchecked."""
    yield pylock.tool
    for package in pylock.packages:
        yield package.tool
        yield package.dependencies
        yield package.variants_json
        yield package.attestation_identities


def _is_plain(value: object) -> bool:
    """Return True if a value is the same after a round trip through MessagePack."""
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
