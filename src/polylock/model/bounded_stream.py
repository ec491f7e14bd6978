"""A stream that unfolds to no more than it may, at once and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from polylock.model.member_names import RefusedArchive

if TYPE_CHECKING:
    from typing import IO

__all__ = ["BoundedStream", "Readable"]


class Readable(Protocol):
    """What is needed of a stream: it may unfold on the way."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...

    def seek(self, position: int, whence: int = 0, /) -> int:
        """Go to a position."""
        ...

    def tell(self) -> int:
        """Return the position."""
        ...


class BoundedStream:
    """A stream for ``tarfile``, whose headers may announce a name of any length.

    Raises RefusedArchive for a read of more than ``at_once`` bytes and for a position
    behind ``in_all``: what lies before it would be unfolded.
    """

    def __init__(
        self, stream: Readable | IO[bytes], *, at_once: int, in_all: int
    ) -> None:
        self._stream = stream
        self._at_once = at_once
        self._in_all = in_all

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        if not 0 <= size <= self._at_once:
            raise RefusedArchive("a header in it is too large")
        return self._stream.read(size)

    def tell(self) -> int:
        """Return the position."""
        return self._stream.tell()

    def seek(self, position: int, whence: int = 0, /) -> int:
        """Go to a position, unfolding what lies before it."""
        if position > self._in_all:
            raise RefusedArchive(f"it unpacks to more than {self._in_all} bytes")
        return self._stream.seek(position, whence)
